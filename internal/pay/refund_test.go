package pay_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/coinslot/coinslot/internal/pay"
)

// refundableStandings are those of payments, and how much of one is refunded already.
var refundableStandings = append(paymentStandings[:len(paymentStandings):len(paymentStandings)],
	refundOf("succeeded, a part refunded", 199, pay.RefundSucceeded),
	refundOf("succeeded, a part pending", 199, pay.RefundPending),
	refundOf("succeeded, all of it pending", 499, pay.RefundPending),
	refundOf("succeeded, a refund of all failed", 499, pay.RefundFailed),
)

// askedFor is what CreateRefund asks for, by what is left of the payment.
var askedFor = []struct {
	name   string
	amount func(left int64) *int64
}{
	{"all that is left", func(int64) *int64 { return nil }},
	{"a part", func(int64) *int64 { return new(int64(1)) }},
	{"more than is left", func(left int64) *int64 { return new(left + 1) }},
	{"nothing", func(int64) *int64 { return new(int64(0)) }},
}

// startMatrix is what CreateRefund does in each standing, column by column as askedFor.
var startMatrix = map[string][]string{
	"processing":                        never(pay.RefundNotAllowed),
	"authorized":                        never(pay.RefundNotAllowed),
	"authorized, its game is asked":     never(pay.RefundNotAllowed),
	"authorized, its game approved":     never(pay.RefundNotAllowed),
	"authorized, its game rejected it":  never(pay.RefundNotAllowed),
	"succeeded":                         {"pending: refund.created", "pending: refund.created", "refused: invalid_amount", "refused: invalid_amount"},
	"failed":                            never(pay.RefundNotAllowed),
	"cancelled":                         never(pay.RefundNotAllowed),
	"refunded":                          never(pay.AlreadyRefunded),
	"succeeded, a part refunded":        {"pending: refund.created", "pending: refund.created", "refused: invalid_amount", "refused: invalid_amount"},
	"succeeded, a part pending":         {"pending: refund.created", "pending: refund.created", "refused: invalid_amount", "refused: invalid_amount"},
	"succeeded, all of it pending":      never(pay.AlreadyRefunded),
	"succeeded, a refund of all failed": {"pending: refund.created", "pending: refund.created", "refused: invalid_amount", "refused: invalid_amount"},
}

func never(code pay.Code) []string {
	said := "refused: " + string(code)
	return []string{said, said, said, said}
}

func TestEveryRefundAskedForInEveryStanding(t *testing.T) {
	for _, st := range refundableStandings {
		for i, a := range askedFor {
			t.Run(st.name+"/"+a.name, func(t *testing.T) {
				s, p, now := st.get(t)
				left := p.Left()
				c, err := s.StartRefund(p, "ref_next", pay.RefundOrder{Payment: p.ID, Amount: a.amount(left)}, now)
				if got, want := refundCell(c, err), startMatrix[st.name][i]; got != want {
					t.Fatalf("got %q, want %q", got, want)
				}
				if err != nil {
					if !cmp.Equal(c, pay.Change{}) {
						t.Errorf("a refusal comes with the change %+v", c)
					}
					return
				}
				amount := left
				if a.amount(left) != nil {
					amount = *a.amount(left)
				}
				if c.Refund.Amount != (pay.Money{Amount: amount, Currency: "USD"}) || c.Payment.Left() != left-amount || c.Payment.Status != pay.PaymentSucceeded {
					t.Errorf("refund of %v leaves %d of %d, payment %s", c.Refund.Amount, c.Payment.Left(), left, c.Payment.Status)
				}
			})
		}
	}
}

// A refundStanding is where a refund stands: its status, and how much of the payment it is of.
type refundStanding struct {
	name   string
	status pay.RefundStatus
	amount int64
}

var refundStandings = []refundStanding{
	{"pending, of all", pay.RefundPending, 499},
	{"pending, of a part", pay.RefundPending, 199},
	{"succeeded", pay.RefundSucceeded, 199},
	{"failed", pay.RefundFailed, 199},
	{"cancelled", pay.RefundCancelled, 199},
}

// refundMatrix is what each outcome does to a refund and its payment, column by column as
// pay.RefundStatuses.
var refundMatrix = map[string][]string{
	"pending, of all":    {"–", "succeeded: refund.succeeded (refunded)", "failed: refund.failed (succeeded)", "cancelled: refund.cancelled (succeeded)"},
	"pending, of a part": {"–", "succeeded: refund.succeeded (succeeded)", "failed: refund.failed (succeeded)", "cancelled: refund.cancelled (succeeded)"},
	"succeeded":          {"–", "–", "–", "–"},
	"failed":             {"–", "–", "–", "–"},
	"cancelled":          {"–", "–", "–", "–"},
}

func TestEveryOutcomeOfARefundInEveryStatus(t *testing.T) {
	stood := map[pay.RefundStatus]bool{}
	for _, st := range refundStandings {
		for i, status := range pay.RefundStatuses {
			t.Run(st.name+"/"+string(status), func(t *testing.T) {
				s, p := start(t, newSession(t, twoAttempts), noon)
				s, p = settle(t, s, p, pay.OutcomeSucceeded, noon)
				s, p, r := giveBack(t, s, p, st.amount)
				if st.status != pay.RefundPending {
					s, p, r = settleRefund(t, s, p, r, st.status)
				}
				stood[r.Status] = true
				c := s.SettleRefund(p, r, pay.RefundOutcome{Status: status}, noon.Add(time.Minute))
				got := refundCell(c, nil)
				if !c.Empty() {
					got += " (" + string(c.Payment.Status) + ")"
				}
				if want := refundMatrix[st.name][i]; got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		}
	}
	wantAll(t, stood, pay.RefundStatuses)
}

func refundCell(c pay.Change, err error) string {
	switch {
	case err != nil:
		return "refused: " + string(pay.CodeOf(err))
	case c.Refund == nil:
		return "–"
	}
	return cell(string(c.Refund.Status), c.Events)
}

// What no provider of the contract says must not be taken for an end.
func TestAnOutcomeThatIsNoneEndsNoRefund(t *testing.T) {
	s, p := start(t, newSession(t, twoAttempts), noon)
	s, p = settle(t, s, p, pay.OutcomeSucceeded, noon)
	s, p, r := giveBack(t, s, p, 499)
	for _, status := range []pay.RefundStatus{"", "refunded"} {
		if c := s.SettleRefund(p, r, pay.RefundOutcome{Status: status}, noon); !c.Empty() || c.Session != nil || c.Payment != nil || c.Refund != nil {
			t.Errorf("%q changed %+v", status, c)
		}
	}
}

// refundSlips break the rules of CreateRefund, in the order in which they are checked:
// what stands in the way of any refund, then the fields in the order of the request.
var refundSlips = []struct {
	rule  string
	spoil func(*pay.Payment, *pay.RefundOrder)
	code  pay.Code
	field string
}{
	{"the payment has not succeeded", func(p *pay.Payment, _ *pay.RefundOrder) { p.Status = pay.PaymentFailed }, pay.RefundNotAllowed, ""},
	{"nothing is left", func(p *pay.Payment, _ *pay.RefundOrder) { p.Reserved = p.Amount.Amount }, pay.AlreadyRefunded, ""},
	{"the amount is negative", func(_ *pay.Payment, o *pay.RefundOrder) { o.Amount = new(int64(-1)) }, pay.InvalidAmount, "amount"},
	{"the amount is zero", func(_ *pay.Payment, o *pay.RefundOrder) { o.Amount = new(int64(0)) }, pay.InvalidAmount, "amount"},
	{"the amount is more than is left", func(_ *pay.Payment, o *pay.RefundOrder) { o.Amount = new(int64(500)) }, pay.InvalidAmount, "amount"},
	{"the amount is the most there can be", func(_ *pay.Payment, o *pay.RefundOrder) { o.Amount = new(int64(1<<63 - 1)) }, pay.InvalidAmount, "amount"},
	{"the reason is not UTF-8", func(_ *pay.Payment, o *pay.RefundOrder) { o.Reason = "\xff" }, pay.InvalidRequest, "reason"},
	{"the reason has a NUL", func(_ *pay.Payment, o *pay.RefundOrder) { o.Reason = "a\x00" }, pay.InvalidRequest, "reason"},
	{"the reason turns what follows around", func(_ *pay.Payment, o *pay.RefundOrder) { o.Reason = "a\u202e" }, pay.InvalidRequest, "reason"},
	{"the reason is too long", func(_ *pay.Payment, o *pay.RefundOrder) { o.Reason = strings.Repeat("ü", 501) }, pay.InvalidRequest, "reason"},
}

// TestTheFirstBrokenRuleOfARefundIsTold breaks each rule by itself, and with those after it.
func TestTheFirstBrokenRuleOfARefundIsTold(t *testing.T) {
	paid, taken := start(t, newSession(t, twoAttempts), noon)
	paid, taken = settle(t, paid, taken, pay.OutcomeSucceeded, noon)
	for i, slip := range refundSlips {
		t.Run(slip.rule, func(t *testing.T) {
			for last := len(refundSlips); last > i; last-- {
				p, o := taken, pay.RefundOrder{Payment: taken.ID}
				for k := last - 1; k >= i; k-- { // so that of two for one field the earlier stays
					refundSlips[k].spoil(&p, &o)
				}
				c, err := paid.StartRefund(p, "ref_1", o, noon)
				wantRefusal(t, err, slip.code, slip.field)
				if !cmp.Equal(c, pay.Change{}) {
					t.Errorf("refused, and changed %+v", c)
				}
			}
		})
	}
}

func TestEveryFieldOfARefund(t *testing.T) {
	s, p := start(t, newSession(t, twoAttempts), noon)
	s, p = settle(t, s, p, pay.OutcomeSucceeded, noon.Add(time.Minute))
	reason := strings.Repeat("ü", 500)
	began, ended := noon.Add(time.Hour+123456789*time.Nanosecond), noon.Add(2*time.Hour)
	c, err := s.StartRefund(p, "ref_1", pay.RefundOrder{Payment: p.ID, Amount: new(int64(199)), Reason: reason}, began)
	if err != nil {
		t.Fatal(err)
	}
	want := pay.Refund{
		ID: "ref_1", Payment: p.ID, Session: s.ID, Environment: pay.Sandbox, Game: "space_shooter", User: "player_42",
		Status: pay.RefundPending, Amount: pay.Money{Amount: 199, Currency: "USD"}, Reason: reason, CreatedAt: pay.Clock(began),
	}
	wantRefund(t, c, want, pay.RefundCreatedEvent, pay.Clock(began))
	for _, o := range []pay.RefundOutcome{
		{Status: pay.RefundSucceeded, Reference: "re_1"},
		{Status: pay.RefundFailed, Reference: "re_1", Failure: &pay.Failure{Code: pay.CardDeclined, Message: "the account is closed"}},
		{Status: pay.RefundFailed, Reference: "re_1"},
		{Status: pay.RefundCancelled, Reference: "re_1"},
	} {
		ending, typ := want, pay.EventType("refund."+string(o.Status))
		ending.Status, ending.Reference = o.Status, "re_1"
		switch o.Status {
		case pay.RefundSucceeded:
			ending.SucceededAt = ended
		case pay.RefundCancelled:
			ending.CancelledAt = ended
		case pay.RefundFailed:
			ending.FailedAt, ending.Failure = ended, o.Failure
			if o.Failure == nil {
				ending.Failure = &pay.Failure{Code: pay.ProcessingError, Message: "the provider gave no reason"}
			}
		}
		wantRefund(t, c.Session.SettleRefund(*c.Payment, *c.Refund, o, ended), ending, typ, ended)
	}
}

func wantRefund(t *testing.T, c pay.Change, want pay.Refund, typ pay.EventType, at time.Time) {
	t.Helper()
	if diff := cmp.Diff(&want, c.Refund); diff != "" {
		t.Errorf("refund (-want +got):\n%s", diff)
	}
	events := []pay.Event{{
		ID: c.Events[0].ID, Type: typ, At: at, Sequence: c.Session.Sequence, Environment: want.Environment,
		Game: want.Game, Session: want.Session, Payment: want.Payment, Refund: want.ID,
	}}
	if diff := cmp.Diff(events, c.Events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// Money at its edges: the most that a price can be, the least, and a currency without minor digits.
func TestRefundsOfEveryAmount(t *testing.T) {
	for _, price := range []pay.Money{{Amount: 1<<31 - 1, Currency: "USD"}, {Amount: 1, Currency: "USD"}, {Amount: 1<<31 - 1, Currency: "JPY"}, {Amount: 2, Currency: "KWD"}} {
		o := coins()
		o.Item.Price, o.Item.Currency = price.Amount, string(price.Currency)
		made, err := pay.NewSession("sess_1", pay.Sandbox, spaceShooter, o, noon)
		if err != nil {
			t.Fatal(err)
		}
		s, p := start(t, *made.Session, noon)
		s, p = settle(t, s, p, pay.OutcomeSucceeded, noon)
		for _, part := range []int64{1, price.Amount - 1} {
			if part == 0 {
				continue
			}
			var r pay.Refund
			s, p, r = giveBack(t, s, p, part)
			if r.Amount != (pay.Money{Amount: part, Currency: price.Currency}) {
				t.Errorf("%d of %v is a refund of %v", part, price, r.Amount)
			}
			s, p, _ = settleRefund(t, s, p, r, pay.RefundSucceeded)
		}
		if p.Status != pay.PaymentRefunded || p.Refunded != price.Amount || p.Reserved != price.Amount || p.Left() != 0 {
			t.Errorf("of %v, %d are refunded, %d reserved: %s", price, p.Refunded, p.Reserved, p.Status)
		}
		if s.Status != pay.SessionPaid {
			t.Errorf("the session is %s: what was paid was paid", s.Status)
		}
	}
}

// A decision about what is not together is a mistake of the program, and must not pass.
func TestARefundOfAnotherPaymentIsNotDecidedOn(t *testing.T) {
	s, p := start(t, newSession(t, twoAttempts), noon)
	s, p = settle(t, s, p, pay.OutcomeSucceeded, noon)
	s, p, r := giveBack(t, s, p, 199)
	for name, decide := range map[string]func(){
		"a payment of another session": func() { q := p; q.Session = "sess_2"; s.SettleRefund(q, r, pay.RefundOutcome{}, noon) },
		"a refund of another payment":  func() { q := r; q.Payment = "pay_2"; s.SettleRefund(p, q, pay.RefundOutcome{}, noon) },
		"a refund in another currency": func() { q := r; q.Amount.Currency = "EUR"; s.SettleRefund(p, q, pay.RefundOutcome{}, noon) },
		"a start on another session":   func() { q := p; q.Session = "sess_2"; _, _ = s.StartRefund(q, "ref_2", pay.RefundOrder{}, noon) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it was decided on")
				}
			}()
			decide()
		})
	}
}

// startRefund asks for money of any payment, whatever its status, and for any amount.
func (h *history) startRefund(t *rapid.T) {
	if len(h.payments) == 0 {
		t.Skip("nothing to refund")
	}
	p := rapid.SampledFrom(h.payments).Draw(t, "payment")
	o := pay.RefundOrder{Payment: p.ID, Amount: new(rapid.Int64Range(-1, 501).Draw(t, "amount"))}
	if rapid.Bool().Draw(t, "all that is left") {
		o.Amount = nil
	}
	left := h.left(p)
	c, err := h.session.StartRefund(p, pay.NewRefundID(h.now, entropy(len(h.refunds)+2)), o, h.now)
	if could := left > 0 && (o.Amount == nil || *o.Amount >= 1 && *o.Amount <= left); could != (err == nil) {
		t.Fatalf("%d are left of a payment that is %s; StartRefund says %v", left, p.Status, err)
	}
	h.write(t, c)
}

// left is what can be refunded of a payment, by the refunds alone.
func (h *history) left(p pay.Payment) int64 {
	if p.Status != pay.PaymentSucceeded {
		return 0
	}
	left := p.Amount.Amount
	for _, r := range h.refunds {
		if r.Payment == p.ID && (r.Status == pay.RefundPending || r.Status == pay.RefundSucceeded) {
			left -= r.Amount.Amount
		}
	}
	return left
}

// hearOfRefund takes in any outcome of any refund, one that has ended among them.
func (h *history) hearOfRefund(t *rapid.T) {
	if len(h.refunds) == 0 {
		t.Skip("nothing to hear of")
	}
	r := rapid.SampledFrom(h.refunds).Draw(t, "refund")
	o := pay.RefundOutcome{Status: rapid.SampledFrom(pay.RefundStatuses).Draw(t, "outcome")}
	for _, p := range h.payments {
		if p.ID == r.Payment {
			h.write(t, h.session.SettleRefund(p, r, o, h.now))
		}
	}
}

func (h *history) writeRefund(t *rapid.T, r *pay.Refund) {
	if r == nil {
		return
	}
	for i, old := range h.refunds {
		if old.ID != r.ID {
			continue
		}
		if old.Status != pay.RefundPending || old.Version != r.Version || old.Amount != r.Amount || old.Payment != r.Payment {
			t.Fatalf("a refund %+v changed to %+v", old, r)
		}
		h.refunds[i] = *r
		h.refunds[i].Version++
		return
	}
	r.Version++
	h.refunds = append(h.refunds, *r)
}

// checkRefunds: a payment's sums are those of its refunds and never more than it took,
// and it is refunded once all of it is.
func (h *history) checkRefunds(t *rapid.T) {
	for _, p := range h.payments {
		var succeeded, pending int64
		for _, r := range h.refunds {
			switch {
			case r.Payment != p.ID:
			case r.Status == pay.RefundSucceeded:
				succeeded += r.Amount.Amount
			case r.Status == pay.RefundPending:
				pending += r.Amount.Amount
			}
		}
		if p.Refunded != succeeded || p.Reserved != succeeded+pending || p.Reserved > p.Amount.Amount {
			t.Fatalf("of %v, %d are refunded and %d more about to be; the payment says %d and %d", p.Amount, succeeded, pending, p.Refunded, p.Reserved)
		}
		if all := succeeded == p.Amount.Amount; all != (p.Status == pay.PaymentRefunded) || all == p.RefundedAt.IsZero() {
			t.Fatalf("%d of %v are refunded, and the payment is %s, refunded at %s", succeeded, p.Amount, p.Status, p.RefundedAt)
		}
	}
	for _, r := range h.refunds {
		for _, at := range []time.Time{r.SucceededAt, r.FailedAt, r.CancelledAt} {
			if !at.IsZero() && (at.Before(r.CreatedAt) || at != pay.Clock(at)) {
				t.Fatalf("a refund began at %s and ended at %s", r.CreatedAt, at)
			}
		}
	}
}

// amounts is what each payment and refund is of.
func (h *history) amounts() map[string]int64 {
	all := map[string]int64{}
	for _, p := range h.payments {
		all[string(p.ID)] = p.Amount.Amount
	}
	for _, r := range h.refunds {
		all[string(r.ID)] = r.Amount.Amount
	}
	return all
}

func toldOfRefund(r pay.Refund) told {
	x := told{Status: string(r.Status)}
	x.stamp("pending", r.CreatedAt)
	x.stamp("succeeded", r.SucceededAt)
	x.stamp("failed", r.FailedAt)
	x.stamp("cancelled", r.CancelledAt)
	return x
}

// However the clock is set back meanwhile, nothing is refunded before it was paid, nor
// returned before it was asked for.
func TestTheTimesOfARefundKeepTheirOrder(t *testing.T) {
	s, p := start(t, newSession(t, twoAttempts), noon)
	s, p = settle(t, s, p, pay.OutcomeSucceeded, noon.Add(time.Hour))
	asked, err := s.StartRefund(p, "ref_1", pay.RefundOrder{Payment: p.ID}, noon)
	if err != nil {
		t.Fatal(err)
	}
	if at := asked.Refund.CreatedAt; at != p.SucceededAt {
		t.Errorf("paid at %s, refund asked for at %s", p.SucceededAt, at)
	}
	for now, want := range map[time.Time]time.Time{noon: p.SucceededAt, noon.Add(3 * time.Hour): noon.Add(3 * time.Hour)} {
		c := asked.Session.SettleRefund(*asked.Payment, *asked.Refund, pay.RefundOutcome{Status: pay.RefundSucceeded}, now)
		if c.Refund.SucceededAt != want || c.Payment.RefundedAt != want || c.Events[0].At != want {
			t.Errorf("returned at %s by the clock, told as %s, %s and %s, want %s", now, c.Refund.SucceededAt, c.Payment.RefundedAt, c.Events[0].At, want)
		}
	}
}

func TestAPaymentHasOnlySoManyRefunds(t *testing.T) {
	p := pay.Payment{ID: "pay_1", Status: pay.PaymentSucceeded}
	if err := p.CheckRefunds(pay.MostRefunds - 1); err != nil {
		t.Errorf("the last one: %v", err)
	}
	if err := p.CheckRefunds(pay.MostRefunds); pay.CodeOf(err) != pay.RefundNotAllowed {
		t.Errorf("one more: %v", err)
	}
}
