package torture

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/rpc"
)

// A checker that finds nothing shows nothing, unless it finds what is there. Each
// fault here is what some bug would leave behind, and must be found by the checker
// of the promise that it breaks.
func TestCheckersFind(t *testing.T) {
	faults := []struct {
		name    string
		promise string // how it begins
		plant   func(w *World)
	}{
		{"a lost acknowledgement", "what was acknowledged", func(w *World) { delete(w.Truth.Accounts, w.paid()) }},
		{"a price that changed", "what was acknowledged", func(w *World) { w.account(w.paid()).Listed.Item.Price++ }},
		{"a deadline that changed", "what was acknowledged", func(w *World) { w.account(w.paid()).Listed.ExpiresAt.Seconds++ }},
		{"a key with two sessions", "one effect", func(w *World) { w.History[1].Session = w.pending() }},
		{"an order with two sessions", "nothing is there twice", func(w *World) {
			w.account(w.pending()).Listed.OrderId = w.account(w.paid()).Listed.OrderId
		}},
		{"a session that nobody asked for", "nothing is there twice", func(w *World) {
			w.History = slices.DeleteFunc(w.History, func(o Operation) bool { return o.Session == w.pending() })
		}},
		{"a session for another player", "nothing is there twice", func(w *World) { w.account(w.pending()).Listed.UserId = "player-2" }},
		{"a paid session that was pending afterwards", "statuses move", func(w *World) { w.saw(w.paid(), "paid", "pending") }},
		{"two winners", "statuses move", func(w *World) { w.saw(w.paid(), "cancelled") }},
		{"an acknowledged cancel that was forgotten", "statuses move", func(w *World) { w.saw(w.pending(), "cancelled") }},
		{"a capture that was forgotten", "statuses move", func(w *World) { w.saw(w.payment(w.voided()), captured) }},
		{"a refund that was forgotten", "statuses move", func(w *World) { w.saw(w.payment(w.paid()), "refunded", captured, "succeeded") }},
		{"a session that was not found", "a valid request", func(w *World) {
			w.History = append(w.History, Operation{Kind: Get, Session: w.paid(), Outcome: Refused, Code: "session_not_found"})
		}},
		{"an internal error", "a valid request", func(w *World) {
			w.History = append(w.History, Operation{Kind: Pay, Session: w.paid(), Outcome: Unknown, Code: "internal"})
		}},
		{"a payment that was captured twice", "a session is paid", func(w *World) {
			e := w.entry(w.payment(w.paid()))
			e.History = append(e.History, e.History...)
		}},
		{"a session that was captured twice", "a session is paid", func(w *World) {
			again := *w.entry(w.payment(w.paid()))
			again.Payment = "pay_again"
			w.Truth.Ledger = append(w.Truth.Ledger, again)
		}},
		{"a hold that nobody knows of", "a session is paid", func(w *World) {
			w.Truth.Ledger = append(w.Truth.Ledger, Entry{Payment: "pay_stray", Session: w.pending(), State: "authorized"})
		}},
		{"a capture that was told as voided", "a session is paid", func(w *World) {
			e := w.entry(w.payment(w.voided()))
			e.State, e.History = "succeeded", []Step{{Did: "held"}, {Did: "taken"}}
		}},
		{"a capture of another amount", "a session is paid", func(w *World) { w.entry(w.payment(w.paid())).Amount++ }},
		{"a charge that never was", "a session is paid", func(w *World) { w.Truth.Ledger = nil }},
		{"two succeeded payments", "a session is paid", func(w *World) {
			a := w.account(w.paid())
			a.Payments = append(a.Payments, a.Payments[0])
		}},
		{"an event that was never written", "each change", func(w *World) {
			a := w.account(w.paid())
			a.Events = a.Events[:len(a.Events)-1]
		}},
		{"a gap in the sequence", "each change", func(w *World) { w.account(w.paid()).Events[3].Sequence++ }},
		{"an event out of turn", "each change", func(w *World) { w.account(w.paid()).Events[2].Type = pay.PaymentCancelledEvent }},
		{"a change without its event", "each change", func(w *World) { w.account(w.paid()).Row.Version++ }},
		{"a row that its events do not make", "each change", func(w *World) { w.account(w.pending()).Row.Status = pay.SessionExpired }},
		{"a webhook that never came", "each event reaches", func(w *World) { delete(w.Arrivals, w.event(w.paid(), 4)) }},
		{"a webhook of what never was", "each event reaches", func(w *World) { w.Arrivals["ghost"] = Arrival{ID: "ghost"} }},
		{"a webhook with another body", "each event reaches", func(w *World) {
			got := w.Arrivals[w.event(w.paid(), 1)]
			got.Body = []byte("{}")
			w.Arrivals[got.ID] = got
		}},
		{"a webhook to another game", "each event reaches", func(w *World) {
			got := w.Arrivals[w.event(w.paid(), 1)]
			got.Game = manual
			w.Arrivals[got.ID] = got
		}},
		{"a refund that was acknowledged and lost", "what was acknowledged", func(w *World) {
			a := w.account(w.refunded())
			a.Refunds = a.Refunds[1:]
		}},
		{"a refund of another amount", "what was acknowledged", func(w *World) { w.account(w.refunded()).Refunds[0].Amount.Amount++ }},
		{"a key with two refunds", "one effect", func(w *World) { w.lastRefund().Refund = "ref_other" }},
		{"a refund that was asked for once and made twice", "nothing is there twice", func(w *World) {
			a := w.account(w.refunded())
			a.Refunds = append(a.Refunds, a.Refunds[0])
		}},
		{"a refund that nobody asked for", "nothing is there twice", func(w *World) { w.account(w.refunded()).Refunds[0].Reason = "none" }},
		{"a refund that was done and then failed", "statuses move", func(w *World) { w.saw(w.refund(1), "succeeded", "failed") }},
		{"a refund that was told done and is not", "statuses move", func(w *World) { w.saw(w.refund(0), "succeeded") }},
		{"a payment that was refunded and is not", "statuses move", func(w *World) { w.saw(w.payment(w.paid()), "refunded") }},
		{"refunds that were checked, then added: more than was paid", "no more than was paid", func(w *World) {
			a := w.account(w.refunded())
			more := a.Refunds[1]
			more.ID = "ref_more"
			a.Refunds = append(a.Refunds, more)
		}},
		{"a sum of refunds that is not theirs", "no more than was paid", func(w *World) { w.account(w.refunded()).Payments[0].Reserved-- }},
		{"a payment that is refunded, though a part is left", "no more than was paid", func(w *World) {
			w.account(w.paid()).Payments[0].Status = pay.PaymentRefunded
		}},
		{"a refund of what was never taken", "no more than was paid", func(w *World) {
			r := w.account(w.refunded()).Refunds[1]
			r.Payment = pay.PaymentID(w.payment(w.voided()))
			w.account(w.voided()).Refunds = []pay.Refund{r}
		}},
		{"a refund that was returned twice", "no more than was paid", func(w *World) {
			e := w.entry(w.payment(w.refunded()))
			e.History = append(e.History, Step{"returned", w.refund(1)})
		}},
		{"a refund that was told done and never returned", "no more than was paid", func(w *World) {
			e := w.entry(w.payment(w.refunded()))
			e.History = slices.DeleteFunc(e.History, func(s Step) bool { return s.Refund == w.refund(1) })
		}},
		{"a refund that was told failed and was returned", "no more than was paid", func(w *World) {
			e := w.entry(w.payment(w.refunded()))
			e.History = append(e.History, Step{"returned", w.refund(0)})
		}},
		{"a refund that the provider has of another amount", "no more than was paid", func(w *World) { w.entry(w.payment(w.refunded())).Refunds[0].Amount++ }},
		{"a refund that only the provider knows of", "no more than was paid", func(w *World) {
			e := w.entry(w.payment(w.paid()))
			e.Refunds, e.History = []Booking{{"ref_stray", 1}}, append(e.History, Step{"returned", "ref_stray"})
		}},
		{"a refund without its event", "each change", func(w *World) {
			a := w.account(w.refunded())
			more := a.Refunds[0]
			more.ID = "ref_more"
			a.Refunds = append(a.Refunds, more)
		}},
		{"a refund that its events do not make", "each change", func(w *World) { w.account(w.refunded()).Refunds[0].Status = pay.RefundCancelled }},
		{"a refund left in doubt", "when all is quiet", func(w *World) { w.account(w.refunded()).Refunds[0].Status = pay.RefundPending }},
		{"a total that is off by one", "totals are", func(w *World) { w.Truth.Totals[0].Told++ }},
		{"a session that no list shows", "totals are", func(w *World) { w.account(w.pending()).Listed = nil }},
		{"a payment left in doubt", "when all is quiet", func(w *World) { w.account(w.paid()).Payments[0].Status = pay.PaymentProcessing }},
	}
	if found := soundWorld().Check(); len(found) > 0 {
		t.Fatalf("in a world without faults the checkers found:\n%s", strings.Join(found, "\n"))
	}
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) {
			w := soundWorld()
			fault.plant(&w)
			found := w.Check()
			if !slices.ContainsFunc(found, func(breach string) bool { return strings.HasPrefix(breach, fault.promise) }) {
				t.Errorf("not found; found was %q", found)
			}
		})
	}
}

// The receiver itself notices what only it can see.
func TestReceiverNotices(t *testing.T) {
	r := newReceiver(1)
	defer r.server.Close()
	r.trust(simple, "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	first := map[string][]string{"Webhook-Id": {"1"}, "Webhook-Timestamp": {"1"}, "Webhook-Signature": {"v1,AAAA"}}
	r.take(simple, first, []byte(`{"id":"1"}`))
	if got := r.Arrivals()["1"]; got.Times != 1 || len(got.Strange) != 1 || !strings.Contains(got.Strange[0], "signature") {
		t.Errorf("a wrong signature was noticed as %+v", got)
	}
	for want, send := range map[string]struct{ game, body string }{
		"changed": {simple, `{"id":"1","x":1}`}, "has the id": {simple, `{"id":"2"}`}, "as well as": {manual, `{"id":"1"}`},
	} {
		a := Arrival{ID: "1", Game: simple, Body: []byte(`{"id":"1"}`)}
		a.inspectBody(send.game, []byte(send.body))
		if len(a.Strange) != 1 || !strings.Contains(a.Strange[0], want) {
			t.Errorf("%s at %s was noticed as %q, want %q", send.body, send.game, a.Strange, want)
		}
	}
}

var birth = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// soundWorld is what a small run without faults leaves behind: a session that was
// paid, one whose hold was voided, one that nobody paid, and one that was paid and
// refunded in two parts, after a refund that failed.
func soundWorld() World {
	w := World{Arrivals: map[string]Arrival{}}
	paid := w.create(1, simple)
	w.pay(paid, pay.OutcomeSucceeded)
	voided := w.create(2, manual)
	w.pay(voided, pay.OutcomeAuthorized, pay.OutcomeVoided)
	w.create(3, simple)
	refunded := w.create(4, many)
	w.pay(refunded, pay.OutcomeSucceeded)
	w.giveBack(refunded, 499, pay.RefundFailed)
	w.giveBack(refunded, 100, pay.RefundSucceeded)
	w.giveBack(refunded, 399, pay.RefundSucceeded)
	for id, a := range w.Truth.Accounts {
		a.Listed = messages.Session(a.Row)
		a.Shown = &adminv1.ShowSessionResponse{Session: messages.Session(a.Row)}
		for _, p := range a.Payments {
			a.Shown.Payments = append(a.Shown.Payments, messages.Payment(p))
			w.saw(id, string(a.Row.Status))
		}
		for _, e := range a.Events {
			a.Shown.Events = append(a.Shown.Events, &payv1.Event{Id: string(e.ID)})
		}
	}
	w.Truth.Totals = []Total{{Game: simple, Told: 2, Listed: 2}, {Game: manual, Told: 1, Listed: 1}, {Game: many, Told: 1, Listed: 1}}
	return w
}

var messages = rpc.Converter{PageURL: func(id pay.SessionID) string { return publicURL + "/pay/" + string(id) }}

// create has a caller order something, with a key, and ask again.
func (w *World) create(n byte, game string) *Account {
	req := &payv1.CreateSessionRequest{
		GameId: game, UserId: "player-1", ReturnUrl: "mygame://done", OrderId: proto.String(fmt.Sprint("order-", n)),
		Item: &payv1.Item{Title: "Gems", Price: 499, Currency: "USD"},
	}
	made, err := pay.NewSession(pay.NewSessionID(birth, pay.Entropy{n}), pay.Sandbox, pay.Game{ID: pay.GameID(game)}.WithDefaults(), pay.Order{
		Game: pay.GameID(game), User: "player-1", ReturnURL: "mygame://done", OrderID: req.OrderId,
		Item: &pay.ItemOrder{Title: "Gems", Price: 499, Currency: "USD"},
	}, birth)
	if err != nil {
		panic(err)
	}
	o := Operation{
		Kind: Create, Game: game, Key: fmt.Sprint("key-", n), Request: req,
		Session: string(made.Session.ID), Made: messages.Session(*made.Session), Outcome: Acknowledged,
	}
	w.History = append(w.History, o, o)
	a := w.Truth.account(o.Session)
	w.apply(a, made)
	return a
}

// pay has a player pay, with what the provider says of it one after the other.
func (w *World) pay(a *Account, outcomes ...pay.OutcomeKind) {
	change, err := a.Row.StartPayment(pay.NewPaymentID(birth, pay.Entropy{byte(len(w.Truth.Ledger))}), pay.MethodCard, pay.CardHint{}, birth)
	if err != nil {
		panic(err)
	}
	w.apply(a, change)
	e := Entry{Payment: string(change.Payment.ID), Session: string(a.Row.ID), Amount: 499, Currency: "USD"}
	for _, kind := range outcomes {
		w.apply(a, a.Row.Settle(a.Payments[0], pay.Outcome{Kind: kind}, birth))
		e.State = string(kind)
		did := map[pay.OutcomeKind]string{pay.OutcomeSucceeded: "taken", pay.OutcomeAuthorized: "held", pay.OutcomeVoided: "released"}[kind]
		e.History = append(e.History, Step{Did: did})
	}
	w.Truth.Ledger = append(w.Truth.Ledger, e)
}

// giveBack has somebody refund a part, with a key, and ask again.
func (w *World) giveBack(a *Account, amount int64, status pay.RefundStatus) {
	id := pay.NewRefundID(birth, pay.Entropy{byte(len(a.Refunds))})
	reason := fmt.Sprint("reason-", len(a.Refunds))
	change, err := a.Row.StartRefund(a.Payments[0], id, pay.RefundOrder{Amount: &amount, Reason: reason}, birth)
	if err != nil {
		panic(err)
	}
	w.apply(a, change)
	w.apply(a, a.Row.SettleRefund(a.Payments[0], *change.Refund, pay.RefundOutcome{Status: status}, birth))
	e := w.entry(string(a.Payments[0].ID))
	e.Refunds = append(e.Refunds, Booking{string(id), amount})
	did := map[pay.RefundStatus]string{pay.RefundSucceeded: "returned", pay.RefundFailed: "failed"}[status]
	e.History = append(e.History, Step{did, string(id)})
	o := Operation{
		Kind: GiveBack, Session: string(a.Row.ID), Payment: e.Payment, Refund: string(id), Amount: int32(amount), Reason: reason,
		Key: "key-" + reason, Outcome: Acknowledged,
	}
	w.History = append(w.History, o, o)
}

// apply does what a store and a relay would.
func (w *World) apply(a *Account, c pay.Change) {
	a.Row = *c.Session
	a.Row.Version++
	if c.Payment != nil {
		a.Payments = []pay.Payment{*c.Payment}
	}
	if c.Refund != nil {
		a.Refunds = slices.DeleteFunc(a.Refunds, func(r pay.Refund) bool { return r.ID == c.Refund.ID })
		a.Refunds = append(a.Refunds, *c.Refund)
	}
	for _, e := range c.Events {
		e.Payload = fmt.Appendf(nil, `{"id":%q}`, e.ID)
		a.Events = append(a.Events, e)
		w.Arrivals[string(e.ID)] = Arrival{ID: string(e.ID), Game: string(e.Game), Body: e.Payload, Times: 1}
	}
}

// saw has somebody see an entity in these statuses, one after the other.
func (w *World) saw(entity string, statuses ...string) {
	for _, status := range statuses {
		at := time.Duration(2*len(w.History)) * time.Second
		w.History = append(w.History, Operation{
			Kind: Get, Outcome: Acknowledged, Begin: at, End: at + time.Second, Sightings: []Sighting{{entity, status}},
		})
	}
}

// The sessions of the sound world, by the order in which they were made.
func (w *World) paid() string    { return w.nth(0) }
func (w *World) voided() string  { return w.nth(1) }
func (w *World) pending() string { return w.nth(2) }

func (w *World) refunded() string { return w.nth(3) }

// refund is a refund of that session: 0 failed, 1 and 2 succeeded.
func (w *World) refund(n int) string { return string(w.account(w.refunded()).Refunds[n].ID) }

func (w *World) lastRefund() *Operation {
	for i := range w.History {
		if at := &w.History[len(w.History)-1-i]; at.Kind == GiveBack {
			return at
		}
	}
	panic("no refund was asked for")
}

func (w *World) nth(n int) string {
	return string(pay.NewSessionID(birth, pay.Entropy{byte(n + 1)}))
}

func (w *World) account(id string) *Account { return w.Truth.Accounts[id] }

func (w *World) payment(session string) string { return string(w.account(session).Payments[0].ID) }

func (w *World) event(session string, n int) string { return string(w.account(session).Events[n-1].ID) }

func (w *World) entry(payment string) *Entry {
	i := slices.IndexFunc(w.Truth.Ledger, func(e Entry) bool { return e.Payment == payment })
	return &w.Truth.Ledger[i]
}
