package pay_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coinslot/coinslot/internal/pay"
)

// A standing is where a session or a payment stands when a decision is made about it:
// its status, and what else the decision depends on. get plays it from the beginning.
type standing struct {
	name string
	get  func(*testing.T) (pay.Session, pay.Payment, time.Time)
}

// twoAttempts lets one payment fail, so that one ended payment leaves the session open.
var twoAttempts = pay.Game{ID: "space_shooter", Attempts: 2}.WithDefaults()

var sessionStandings = []standing{
	{"pending", func(t *testing.T) (pay.Session, pay.Payment, time.Time) {
		return newSession(t, twoAttempts), pay.Payment{}, noon.Add(time.Minute)
	}},
	{"pending, tried before", func(t *testing.T) (pay.Session, pay.Payment, time.Time) {
		s, p := start(t, newSession(t, twoAttempts), noon)
		s, p = settle(t, s, p, pay.OutcomeFailed, noon)
		return s, p, noon.Add(time.Minute)
	}},
	{"pending, payment live", func(t *testing.T) (pay.Session, pay.Payment, time.Time) {
		s, p := start(t, newSession(t, twoAttempts), noon)
		return s, p, noon.Add(time.Minute)
	}},
	{"pending, deadline passed", func(t *testing.T) (pay.Session, pay.Payment, time.Time) {
		s := newSession(t, twoAttempts)
		return s, pay.Payment{}, s.ExpiresAt
	}},
	{"pending, deadline passed, payment live", func(t *testing.T) (pay.Session, pay.Payment, time.Time) {
		s, p := start(t, newSession(t, twoAttempts), noon)
		return s, p, s.ExpiresAt
	}},
	{"paid", func(t *testing.T) (pay.Session, pay.Payment, time.Time) {
		s, p := start(t, newSession(t, twoAttempts), noon)
		s, p = settle(t, s, p, pay.OutcomeSucceeded, noon)
		return s, p, s.ExpiresAt
	}},
	{"failed", func(t *testing.T) (pay.Session, pay.Payment, time.Time) {
		s, p := start(t, newSession(t, spaceShooter), noon)
		s, p = settle(t, s, p, pay.OutcomeFailed, noon)
		return s, p, s.ExpiresAt
	}},
	{"cancelled", func(t *testing.T) (pay.Session, pay.Payment, time.Time) {
		c, err := newSession(t, twoAttempts).Cancel(noon)
		if err != nil {
			t.Fatal(err)
		}
		return *c.Session, pay.Payment{}, c.Session.ExpiresAt
	}},
	{"expired", func(t *testing.T) (pay.Session, pay.Payment, time.Time) {
		s := newSession(t, twoAttempts)
		return *s.Expire(s.ExpiresAt).Session, pay.Payment{}, s.ExpiresAt
	}},
}

// sessionDecisions are all that can be decided about a session by itself.
var sessionDecisions = []struct {
	name   string
	decide func(pay.Session, time.Time) (pay.Change, error)
}{
	{"StartPayment", func(s pay.Session, now time.Time) (pay.Change, error) {
		return s.StartPayment("pay_next", pay.MethodCard, pay.CardHint{}, now)
	}},
	{"Cancel", pay.Session.Cancel},
	{"Expire", func(s pay.Session, now time.Time) (pay.Change, error) { return s.Expire(now), nil }},
}

// sessionMatrix is what each decision does in each standing, column by column as sessionDecisions.
var sessionMatrix = map[string][]string{
	"pending":                                {"pending: payment.created", "cancelled: session.cancelled", "–"},
	"pending, tried before":                  {"pending: payment.created", "cancelled: session.cancelled", "–"},
	"pending, payment live":                  {"refused: payment_in_progress", "refused: payment_in_progress", "–"},
	"pending, deadline passed":               {"refused: session_expired", "refused: session_expired", "expired: session.expired"},
	"pending, deadline passed, payment live": {"refused: payment_in_progress", "refused: payment_in_progress", "–"},
	"paid":                                   {"refused: session_not_pending", "refused: session_not_pending", "–"},
	"failed":                                 {"refused: session_not_pending", "refused: session_not_pending", "–"},
	"cancelled":                              {"refused: session_not_pending", "–", "–"},
	"expired":                                {"refused: session_expired", "refused: session_expired", "–"},
}

// payment is a standing of a payment whose session would be left with attempts and time.
func payment(status pay.PaymentStatus, outcomes ...pay.OutcomeKind) standing {
	return standing{string(status), func(t *testing.T) (pay.Session, pay.Payment, time.Time) {
		s, p := start(t, newSession(t, twoAttempts), noon)
		for _, o := range outcomes {
			s, p = settle(t, s, p, o, noon)
		}
		return s, p, noon.Add(time.Minute)
	}}
}

// refundOf adds a refund to a payment that succeeded: of the amount, with the outcome.
func refundOf(name string, amount int64, outcome pay.RefundStatus) standing {
	return standing{name, func(t *testing.T) (pay.Session, pay.Payment, time.Time) {
		s, p := start(t, newSession(t, twoAttempts), noon)
		s, p = settle(t, s, p, pay.OutcomeSucceeded, noon)
		s, p, r := giveBack(t, s, p, amount)
		if outcome != pay.RefundPending {
			s, p, _ = settleRefund(t, s, p, r, outcome)
		}
		return s, p, noon.Add(time.Minute)
	}}
}

var paymentStandings = []standing{
	payment(pay.PaymentProcessing),
	payment(pay.PaymentAuthorized, pay.OutcomeAuthorized),
	confirmed("its game is asked", func(*pay.Payment) {}),
	confirmed("its game approved", func(p *pay.Payment) { p.Intent, p.Asking = pay.IntentCapture, false }),
	confirmed("its game rejected it", func(p *pay.Payment) {
		p.Intent, p.Asking, p.Failure = pay.IntentVoid, false, pay.Decision{Reason: "out_of_stock"}.Refusal()
	}),
	payment(pay.PaymentSucceeded, pay.OutcomeSucceeded),
	payment(pay.PaymentFailed, pay.OutcomeFailed),
	payment(pay.PaymentCancelled, pay.OutcomeAuthorized, pay.OutcomeVoided),
	refundOf(string(pay.PaymentRefunded), 499, pay.RefundSucceeded),
}

// asksFirst is a game that is asked before its players are charged.
var asksFirst = pay.Game{ID: "space_shooter", Attempts: 2, ConfirmURL: "https://game.example/confirm"}.WithDefaults()

// confirmed is an authorized payment whose game is asked about it, or has decided.
func confirmed(when string, decide func(*pay.Payment)) standing {
	return standing{"authorized, " + when, func(t *testing.T) (pay.Session, pay.Payment, time.Time) {
		s, p := start(t, newSession(t, asksFirst), noon)
		s, p = settle(t, s, p, pay.OutcomeAuthorized, noon)
		decide(&p)
		return s, p, noon.Add(time.Minute)
	}}
}

// paymentMatrix is what each outcome does to a payment, column by column as pay.OutcomeKinds.
var paymentMatrix = map[string][]string{
	"processing": {"–", "authorized: payment.authorized", "succeeded: payment.succeeded", "failed: payment.failed", "failed: payment.failed"},
	"authorized": {"–", "–", "succeeded: payment.succeeded", "failed: payment.failed", "cancelled: payment.cancelled"},
	"succeeded":  {"–", "–", "–", "–", "–"},
	"failed":     {"–", "– (late money)", "– (late money)", "–", "–"},
	"cancelled":  {"–", "– (late money)", "– (late money)", "–", "–"},
	"refunded":   {"–", "–", "–", "–", "–"},

	"authorized, its game is asked":    {"–", "–", "succeeded: payment.succeeded", "failed: payment.failed", "cancelled: payment.cancelled"},
	"authorized, its game approved":    {"–", "–", "succeeded: payment.succeeded", "failed: payment.failed", "cancelled: payment.cancelled"},
	"authorized, its game rejected it": {"–", "–", "succeeded: payment.succeeded", "failed: payment.failed", "failed: payment.failed"},
}

// requests are what a game asks of a payment: CompletePayment and CancelPayment.
var requests = []struct {
	name  string
	check func(pay.Payment) (bool, error)
	needs string // what the provider is asked to do
}{
	{"CompletePayment", pay.Payment.CheckComplete, "capture"},
	{"CancelPayment", pay.Payment.CheckCancel, "void"},
}

var requestMatrix = map[string][]string{
	"processing": {"refused: payment_not_authorized", "refused: payment_not_authorized"},
	"authorized": {"capture", "void"},
	"succeeded":  {"– (done already)", "refused: payment_not_authorized"},
	"failed":     {"refused: payment_not_authorized", "refused: payment_not_authorized"},
	"cancelled":  {"refused: payment_not_authorized", "– (done already)"},
	"refunded":   {"– (done already)", "refused: payment_not_authorized"},

	"authorized, its game is asked":    {"refused: payment_not_authorized", "refused: payment_not_authorized"},
	"authorized, its game approved":    {"capture", "refused: payment_not_authorized"},
	"authorized, its game rejected it": {"refused: payment_not_authorized", "void"},
}

// remains is what a session has left when its payment ends.
var remains = []struct {
	name string
	game pay.Game
	late bool
}{
	{"attempts and time", twoAttempts, false},
	{"attempts, but no time", twoAttempts, true},
	{"time, but no attempts", spaceShooter, false},
	{"neither", spaceShooter, true},
}

// endMatrix is what becomes of a session whose payment ends, column by column as remains.
var endMatrix = map[pay.PaymentStatus][]string{
	pay.PaymentSucceeded: {"paid: session.paid", "paid: session.paid", "paid: session.paid", "paid: session.paid"},
	pay.PaymentFailed:    {"pending", "expired: session.expired", "failed: session.failed", "failed: session.failed"},
	pay.PaymentCancelled: {"pending", "expired: session.expired", "cancelled: session.cancelled", "cancelled: session.cancelled"},
}

var endedBy = map[pay.PaymentStatus]pay.OutcomeKind{
	pay.PaymentSucceeded: pay.OutcomeSucceeded,
	pay.PaymentFailed:    pay.OutcomeFailed,
	pay.PaymentCancelled: pay.OutcomeVoided,
}

func TestEveryDecisionAboutASessionInEveryStanding(t *testing.T) {
	stood := map[pay.SessionStatus]bool{}
	for _, st := range sessionStandings {
		for i, d := range sessionDecisions {
			t.Run(st.name+"/"+d.name, func(t *testing.T) {
				s, _, now := st.get(t)
				stood[s.Status] = true
				c, err := d.decide(s, now)
				if got, want := sessionCell(c, err), sessionMatrix[st.name][i]; got != want {
					t.Errorf("got %q, want %q", got, want)
				}
				if err != nil && !cmp.Equal(c, pay.Change{}) {
					t.Errorf("a refusal comes with the change %+v", c)
				}
			})
		}
	}
	wantAll(t, stood, pay.SessionStatuses)
}

func TestEveryOutcomeOfAPaymentInEveryStatus(t *testing.T) {
	stood := map[pay.PaymentStatus]bool{}
	for _, st := range paymentStandings {
		for i, kind := range pay.OutcomeKinds {
			t.Run(st.name+"/"+string(kind), func(t *testing.T) {
				s, p, now := st.get(t)
				stood[p.Status] = true
				c := s.Settle(p, pay.Outcome{Kind: kind}, now)
				got, want := paymentCell(c), paymentMatrix[st.name][i]
				if p.LateMoney(pay.Outcome{Kind: kind}) {
					got += " (late money)"
				}
				if got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		}
	}
	wantAll(t, stood, pay.PaymentStatuses)
}

func TestEveryRequestAboutAPaymentInEveryStatus(t *testing.T) {
	for _, st := range paymentStandings {
		for i, r := range requests {
			t.Run(st.name+"/"+r.name, func(t *testing.T) {
				_, p, _ := st.get(t)
				needed, err := r.check(p)
				got := "– (done already)"
				switch {
				case err != nil && needed:
					t.Error("refused, and needed all the same")
				case err != nil:
					got = "refused: " + string(pay.CodeOf(err))
				case needed:
					got = r.needs
				}
				if want := requestMatrix[st.name][i]; got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		}
	}
}

func TestWhatBecomesOfASessionWhosePaymentEnds(t *testing.T) {
	for ended, row := range endMatrix {
		for i, r := range remains {
			t.Run(string(ended)+"/"+r.name, func(t *testing.T) {
				s, p := start(t, newSession(t, r.game), noon)
				s, p = settle(t, s, p, pay.OutcomeAuthorized, noon)
				now := noon.Add(time.Minute)
				if r.late {
					now = s.ExpiresAt
				}
				c := s.Settle(p, pay.Outcome{Kind: endedBy[ended]}, now)
				if c.Payment == nil || c.Payment.Status != ended {
					t.Fatalf("the payment did not end as %s: %+v", ended, c.Payment)
				}
				if got, want := sessionCell(pay.Change{Session: c.Session, Events: c.Events[1:]}, nil), row[i]; got != want {
					t.Errorf("got %q, want %q", got, want)
				}
				if c.Session.Live {
					t.Error("the session still counts the payment as live")
				}
			})
		}
	}
}

// sessionCell tells a decision in few words: the status it leads to and the events it tells.
func sessionCell(c pay.Change, err error) string {
	switch {
	case err != nil:
		return "refused: " + string(pay.CodeOf(err))
	case c.Session == nil:
		return "–"
	}
	return cell(string(c.Session.Status), c.Events)
}

func paymentCell(c pay.Change) string {
	if c.Payment == nil {
		return "–"
	}
	return cell(string(c.Payment.Status), c.Events[:1])
}

func cell(status string, events []pay.Event) string {
	for i, e := range events {
		status += [...]string{": ", ", "}[min(i, 1)] + string(e.Type)
	}
	return status
}

func wantAll[S ~string](t *testing.T, stood map[S]bool, all []S) {
	t.Helper()
	for _, s := range all {
		if !stood[s] {
			t.Errorf("no standing is %s: the matrix is not full", s)
		}
	}
}
