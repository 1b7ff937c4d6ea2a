package pay_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/coinslot/coinslot/internal/pay"
)

// A history is one session and whatever was decided about it, in any order, by any
// clock. It keeps the rows as a store would and checks each change as it comes.
type history struct {
	made     pay.Session // as it was made
	session  pay.Session
	payments []pay.Payment
	refunds  []pay.Refund
	events   []pay.Event
	now      time.Time
}

// TestAnyHistoryKeepsThePromises plays random histories. What a change must be is
// checked by write, what must hold between changes by check.
func TestAnyHistoryKeepsThePromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := begin(t)
		t.Repeat(map[string]func(*rapid.T){
			"":                   h.check,
			"clock":              h.moveClock,
			"pay":                h.startPayment,
			"provider says":      h.hear,
			"cancel":             h.cancel,
			"expire":             func(t *rapid.T) { h.write(t, h.session.Expire(h.now)) },
			"provider says late": h.hearLate,
			"refund":             h.startRefund,
			"provider refunds":   h.hearOfRefund,
			"intend":             h.intend,
		})
	})
}

func begin(t *rapid.T) *history {
	game := pay.Game{ID: "space_shooter", Attempts: rapid.IntRange(1, 4).Draw(t, "attempts")}.WithDefaults()
	game.ConfirmURL = rapid.SampledFrom([]string{"", "https://game.example/confirm"}).Draw(t, "confirm_url")
	c, err := pay.NewSession(pay.NewSessionID(noon, entropy(1)), pay.Sandbox, game, coins(), noon)
	if err != nil {
		t.Fatal(err)
	}
	h := &history{made: *c.Session, now: noon}
	h.write(t, c)
	return h
}

func (h *history) moveClock(t *rapid.T) {
	steps := []time.Duration{
		time.Nanosecond, time.Second, time.Hour, 23 * time.Hour, h.session.ExpiresAt.Sub(h.now), h.session.ExpiresAt.Sub(h.now) - time.Nanosecond,
		-time.Second, -time.Hour, -48 * time.Hour,
	}
	h.now = h.now.Add(rapid.SampledFrom(steps).Draw(t, "step"))
}

func (h *history) startPayment(t *rapid.T) {
	id := pay.NewPaymentID(h.now, entropy(len(h.payments)+2))
	c, err := h.session.StartPayment(id, pay.MethodCard, pay.CardHint{Brand: "visa", Last4: "4242"}, h.now)
	if open := h.session.At(h.now).Status == pay.SessionPending && !h.session.Live; open != (err == nil) {
		t.Fatalf("the session can be paid: %v; StartPayment says %v", open, err)
	}
	h.write(t, c)
}

// hear takes in any outcome of any payment, one that has ended among them.
func (h *history) hear(t *rapid.T) {
	if len(h.payments) == 0 {
		t.Skip("nothing to hear of")
	}
	p := rapid.SampledFrom(h.payments).Draw(t, "payment")
	kind := rapid.SampledFrom(pay.OutcomeKinds).Draw(t, "outcome")
	h.write(t, h.session.Settle(p, pay.Outcome{Kind: kind, Reference: rapid.SampledFrom([]string{"", "ch_1"}).Draw(t, "reference")}, h.now))
}

// hearLate does so when the deadline has passed.
func (h *history) hearLate(t *rapid.T) {
	h.now = h.session.ExpiresAt
	h.hear(t)
}

func (h *history) cancel(t *rapid.T) {
	c, err := h.session.Cancel(h.now)
	if err != nil && !c.Empty() {
		t.Fatalf("refused (%v), and changed all the same", err)
	}
	h.write(t, c)
}

// intend notes what an authorized payment is about to become, as a store does: with a
// void perhaps why its game will not have it.
func (h *history) intend(t *rapid.T) {
	for i, p := range h.payments {
		if p.Status != pay.PaymentAuthorized || p.Intent != "" {
			continue
		}
		p.Intent, p.Asking = rapid.SampledFrom([]pay.Intent{pay.IntentCapture, pay.IntentVoid}).Draw(t, "intent"), false
		if p.Intent == pay.IntentVoid {
			p.Failure = rapid.SampledFrom([]*pay.Failure{
				nil, pay.Unconfirmed("no answer"), pay.Decision{Reason: "sold out"}.Refusal(),
			}).Draw(t, "why")
		}
		h.payments[i] = p
	}
}

// checkConfirmation: the game is asked about a payment only while it is authorized, of a
// session that asks; a payment has failed if and only if it says why, and a hold that was
// let go at the game's word has failed with that word.
func (h *history) checkConfirmation(t *rapid.T) {
	if h.session.TakenAtOnce() == h.session.Confirm {
		t.Fatalf("taken at once %v, though the game is asked: %v", h.session.TakenAtOnce(), h.session.Confirm)
	}
	for _, p := range h.payments {
		undecided := p.Status == pay.PaymentAuthorized && h.session.Confirm && p.Intent == ""
		if p.Asking != undecided {
			t.Fatalf("its game is asked: %v, but should be: %v: %+v", p.Asking, undecided, p)
		}
		if (p.Status == pay.PaymentFailed) != (p.Failure != nil) && p.Status != pay.PaymentAuthorized {
			t.Fatalf("a payment is %s with the failure %v", p.Status, p.Failure)
		}
		if p.UnderWay() && !p.Status.Live() {
			t.Fatalf("a payment that is %s is under way", p.Status)
		}
	}
}

// write does what a store does with a change, and checks the change itself.
func (h *history) write(t *rapid.T, c pay.Change) {
	if c.Empty() {
		if c.Session != nil || c.Payment != nil || c.Refund != nil {
			t.Fatalf("an empty change has rows: %+v", c)
		}
		return
	}
	if c.Session == nil {
		t.Fatal("a change has no session")
	}
	if h.session.Status != "" && h.session.Status != pay.SessionPending && (c.Refund == nil || c.Session.Status != h.session.Status) {
		t.Fatalf("a session that is %s changed to %+v", h.session.Status, c.Session)
	}
	if c.Session.Version != h.session.Version {
		t.Fatalf("a decision set the version to %d, which is the store's to raise from %d", c.Session.Version, h.session.Version)
	}
	h.writePayment(t, c.Payment, c.Refund != nil)
	h.writeRefund(t, c.Refund)
	h.session = *c.Session
	h.session.Version++
	h.events = append(h.events, c.Events...)
}

func (h *history) writePayment(t *rapid.T, p *pay.Payment, refunds bool) {
	if p == nil {
		return
	}
	for i, old := range h.payments {
		if old.ID != p.ID {
			continue
		}
		if !old.Status.Live() && !(refunds && old.Status == pay.PaymentSucceeded) {
			t.Fatalf("a payment that is %s changed to %+v", old.Status, p)
		}
		if p.Version != old.Version {
			t.Fatalf("a decision set the payment's version to %d, which is the store's to raise from %d", p.Version, old.Version)
		}
		if old.Failure != nil && p.Status == pay.PaymentFailed && p.Failure != old.Failure {
			t.Fatalf("the payment was to fail with %v, and failed with %v", old.Failure, p.Failure)
		}
		h.payments[i] = *p
		h.payments[i].Version++
		return
	}
	p.Version++
	h.payments = append(h.payments, *p)
}

func (h *history) check(t *rapid.T) {
	h.checkCounts(t)
	h.checkEvents(t)
	h.checkFold(t)
	h.checkTimes(t)
	h.checkRefunds(t)
	h.checkExpiry(t)
	h.checkConfirmation(t)
	if diff := cmp.Diff(unchanging(h.made), unchanging(h.session)); diff != "" {
		t.Fatalf("what never changes has changed (-made +now):\n%s", diff)
	}
	if diff := cmp.Diff(stored(h.made), h.session.AsCreated()); diff != "" {
		t.Fatalf("AsCreated is not the session as it was made (-made +got):\n%s", diff)
	}
}

// checkCounts: at most one live payment and at most one that succeeded, and no more
// attempts than the session has.
func (h *history) checkCounts(t *rapid.T) {
	live, succeeded, spent := 0, 0, 0
	for _, p := range h.payments {
		switch {
		case p.Status.Live():
			live++
		case p.Status == pay.PaymentSucceeded, p.Status == pay.PaymentRefunded:
			succeeded++
		default:
			spent++
		}
	}
	paid := h.session.Status == pay.SessionPaid
	if live > 1 || succeeded > 1 || paid != (succeeded == 1) || h.session.Live != (live == 1) ||
		h.session.Spent != spent || len(h.payments) > h.session.Attempts {
		t.Fatalf("%d live, %d succeeded, %d spent of %d payments on %+v", live, succeeded, spent, len(h.payments), h.session)
	}
}

// checkEvents: the sequence counts from 1 without holes, ids are unique UUIDs of
// version 7, and the session ends at most once.
func (h *history) checkEvents(t *rapid.T) {
	ids, ends := map[pay.EventID]bool{}, 0
	for i, e := range h.events {
		if e.Sequence != int64(i+1) || h.session.Sequence < e.Sequence {
			t.Fatalf("event %d has the sequence %d of %d", i+1, e.Sequence, h.session.Sequence)
		}
		if e.Session != h.session.ID || e.Game != h.session.Game || e.Environment != h.session.Environment {
			t.Fatalf("event of another session: %+v", e)
		}
		id, err := uuid.Parse(string(e.ID))
		if err != nil || id.Version() != 7 || id.Variant() != uuid.RFC4122 || id.String() != string(e.ID) || ids[e.ID] {
			t.Fatalf("event %d has the id %s: %v", i+1, e.ID, err)
		}
		if sec, nsec := id.Time().UnixTime(); sec*1000+nsec/1e6 != e.At.UnixMilli() {
			t.Fatalf("event %d is of %s, its id of %d.%09d", i+1, e.At, sec, nsec)
		}
		ids[e.ID] = true
		switch e.Type {
		case pay.SessionPaidEvent, pay.SessionFailedEvent, pay.SessionCancelledEvent, pay.SessionExpiredEvent:
			ends++
		}
	}
	if final := h.session.Status != pay.SessionPending; ends > 1 || final != (ends == 1) {
		t.Fatalf("the session is %s after %d events that end it", h.session.Status, ends)
	}
	if int64(len(h.events)) != h.session.Sequence {
		t.Fatalf("%d events, but the session counts %d", len(h.events), h.session.Sequence)
	}
}

// checkFold: what the events tell is what the rows say.
func (h *history) checkFold(t *rapid.T) {
	session, payments, refunds := fold(h.events, h.amounts())
	if diff := cmp.Diff(toldOf(h.session), session); diff != "" {
		t.Fatalf("the session is not what its events tell (-row +events):\n%s", diff)
	}
	for _, p := range h.payments {
		if diff := cmp.Diff(toldOfPayment(p), payments[p.ID]); diff != "" {
			t.Fatalf("the payment is not what its events tell (-row +events):\n%s", diff)
		}
	}
	for _, r := range h.refunds {
		if diff := cmp.Diff(toldOfRefund(r), refunds[r.ID]); diff != "" {
			t.Fatalf("the refund is not what its events tell (-row +events):\n%s", diff)
		}
	}
	if len(refunds) != len(h.refunds) {
		t.Fatalf("%d refunds, but events of %d", len(h.refunds), len(refunds))
	}
	records := pay.Records{Session: h.session, Payments: h.payments, Refunds: h.refunds, Events: h.events}
	if err := records.Check(); err != nil {
		t.Fatalf("records that came about by decisions alone: %v", err)
	}
}

// checkTimes: nothing ends before it began, however the clock jumps, and every time
// is one that can be stored.
func (h *history) checkTimes(t *rapid.T) {
	check := func(what string, began time.Time, then ...time.Time) {
		for _, at := range then {
			if !at.IsZero() && (at.Before(began) || at != pay.Clock(at)) {
				t.Fatalf("%s began at %s and was at %s", what, began, at)
			}
		}
	}
	s := h.session
	check("the session", s.CreatedAt, s.CreatedAt, s.ExpiresAt, s.PaidAt, s.FailedAt, s.CancelledAt, s.ExpiredAt)
	check("the expiry", s.ExpiresAt, s.ExpiredAt)
	for _, p := range h.payments {
		check("a payment", s.CreatedAt, p.CreatedAt)
		check("a payment", p.CreatedAt, p.CreatedAt, p.AuthorizedAt, p.CancelledAt, p.SucceededAt, p.FailedAt)
		check("a success", p.SucceededAt, p.RefundedAt)
		check("an authorization", p.AuthorizedAt, p.CancelledAt, p.SucceededAt, p.FailedAt)
	}
	for _, e := range h.events {
		check("the session", s.CreatedAt, e.At)
	}
}

// checkExpiry: a session reads as expired from its deadline on and not before, and
// never while a payment is live. Storing the expiry says the same.
func (h *history) checkExpiry(t *rapid.T) {
	s := h.session
	for _, now := range []time.Time{h.now, s.ExpiresAt.Add(-time.Nanosecond), s.ExpiresAt, s.ExpiresAt.Add(time.Hour)} {
		seen := s.At(now)
		due := s.Status == pay.SessionPending && !s.Live && !now.Before(s.ExpiresAt)
		if due != (seen.Status == pay.SessionExpired && s.Status != pay.SessionExpired) || !due && !cmp.Equal(seen, s) {
			t.Fatalf("at %s, due to expire %v, the session reads as %s", now, due, seen.Status)
		}
		c := s.Expire(now)
		if due == c.Empty() {
			t.Fatalf("at %s, due to expire %v, Expire tells %d events", now, due, len(c.Events))
		}
		if due && (c.Session.Status != seen.Status || c.Session.ExpiredAt != seen.ExpiredAt || seen.ExpiredAt != s.ExpiresAt) {
			t.Fatalf("read as expired at %s, stored as expired at %s, due at %s", seen.ExpiredAt, c.Session.ExpiredAt, s.ExpiresAt)
		}
	}
}

// unchanging is what of a session never changes.
func unchanging(s pay.Session) pay.Session {
	s.Status, s.Payment, s.Live, s.Spent = "", "", false, 0
	s.PaidAt, s.FailedAt, s.CancelledAt, s.ExpiredAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	s.Sequence, s.Version = 0, 0
	return s
}

// stored is a session as a store keeps it that was just made.
func stored(s pay.Session) pay.Session {
	s.Version = 1
	return s
}

// told is what events tell of a session or a payment.
type told struct {
	Status   string
	Payment  pay.PaymentID
	Live     bool
	Spent    int
	Sequence int64
	At       map[string]time.Time
}

func (x *told) becomes(status string, at time.Time) {
	x.Status = status
	x.stamp(status, at)
}

func (x *told) stamp(status string, at time.Time) {
	if x.At == nil {
		x.At = map[string]time.Time{}
	}
	if !at.IsZero() {
		x.At[status] = at
	}
}

// fold is a session, its payments and their refunds by their events alone, as a receiver
// would keep them. The amounts are in what events carry.
func fold(events []pay.Event, amounts map[string]int64) (session told, payments map[pay.PaymentID]told, refunds map[pay.RefundID]told) {
	payments, refunds = map[pay.PaymentID]told{}, map[pay.RefundID]told{}
	returned := map[pay.PaymentID]int64{}
	for _, e := range events {
		session.Sequence = e.Sequence
		p, r := payments[e.Payment], refunds[e.Refund]
		switch e.Type {
		case pay.SessionCreatedEvent:
			session.becomes("pending", e.At)
		case pay.SessionPaidEvent:
			session.becomes("paid", e.At)
		case pay.SessionFailedEvent:
			session.becomes("failed", e.At)
		case pay.SessionCancelledEvent:
			session.becomes("cancelled", e.At)
		case pay.SessionExpiredEvent:
			session.becomes("expired", e.At)
		case pay.PaymentCreatedEvent:
			p.becomes("processing", e.At)
			session.Payment, session.Live = e.Payment, true
		case pay.PaymentAuthorizedEvent:
			p.becomes("authorized", e.At)
		case pay.PaymentSucceededEvent:
			p.becomes("succeeded", e.At)
			session.Live = false
		case pay.PaymentFailedEvent:
			p.becomes("failed", e.At)
			session.Live = false
			session.Spent++
		case pay.PaymentCancelledEvent:
			p.becomes("cancelled", e.At)
			session.Live = false
			session.Spent++
		case pay.RefundCreatedEvent:
			r.becomes("pending", e.At)
		case pay.RefundSucceededEvent:
			r.becomes("succeeded", e.At)
			if returned[e.Payment] += amounts[string(e.Refund)]; returned[e.Payment] == amounts[string(e.Payment)] {
				p.becomes("refunded", e.At)
			}
		case pay.RefundFailedEvent:
			r.becomes("failed", e.At)
		case pay.RefundCancelledEvent:
			r.becomes("cancelled", e.At)
		default:
			panic(fmt.Sprintf("unknown event %s", e.Type))
		}
		if e.Refund != "" {
			refunds[e.Refund] = r
		}
		if e.Payment != "" {
			payments[e.Payment] = p
		}
	}
	return session, payments, refunds
}

func toldOf(s pay.Session) told {
	x := told{Status: string(s.Status), Payment: s.Payment, Live: s.Live, Spent: s.Spent, Sequence: s.Sequence}
	x.stamp("pending", s.CreatedAt)
	x.stamp("paid", s.PaidAt)
	x.stamp("failed", s.FailedAt)
	x.stamp("cancelled", s.CancelledAt)
	x.stamp("expired", s.ExpiredAt)
	return x
}

func toldOfPayment(p pay.Payment) told {
	x := told{Status: string(p.Status)}
	x.stamp("processing", p.CreatedAt)
	x.stamp("authorized", p.AuthorizedAt)
	x.stamp("succeeded", p.SucceededAt)
	x.stamp("failed", p.FailedAt)
	x.stamp("cancelled", p.CancelledAt)
	x.stamp("refunded", p.RefundedAt)
	return x
}
