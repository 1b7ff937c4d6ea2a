package torture

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/internal/pay"
)

// What a bug in asking would leave behind is found.
func TestCheckersFindWhatWasNotConfirmed(t *testing.T) {
	const promise = "a game that is asked"
	approve := func(w *World) (payment string) { return w.confirmed(pay.OutcomeSucceeded) }
	for name, plant := range map[string]func(*World){
		"a capture without approval": func(w *World) { w.ask(approve(w), func(a *Asked) { a.Approved = false }) },
		"a capture without asking":   func(w *World) { delete(w.Asked, approve(w)) },
		"a capture after a rejection": func(w *World) {
			w.ask(approve(w), func(a *Asked) { a.Approved, a.Rejected = false, true })
		},
		"a capture that only the provider knows of": func(w *World) {
			e := w.entry(w.confirmed(pay.OutcomeVoided))
			e.History = append(e.History, Step{Did: "taken"})
		},
		"a rejection that was never said": func(w *World) { w.ask(w.confirmed(pay.OutcomeVoided), func(a *Asked) { a.Rejected = false }) },
		"a new id when asked again":       func(w *World) { w.ask(approve(w), func(a *Asked) { a.IDs = append(a.IDs, "again") }) },
		"a question left open":            func(w *World) { w.confirmed() },
		"a question of nothing":           func(w *World) { w.ask("pay_ghost", func(*Asked) {}) },
		"a wrong signature":               func(w *World) { w.ask(approve(w), func(a *Asked) { a.Strange = []string{"x"} }) },
	} {
		t.Run(name, func(t *testing.T) {
			w := soundWorld()
			plant(&w)
			if found := w.Check(); !slices.ContainsFunc(found, func(b string) bool { return strings.HasPrefix(b, promise) }) {
				t.Errorf("not found; found was %q", found)
			}
		})
	}
	w := soundWorld()
	approve(&w)
	if found := w.Check(); len(found) > 0 {
		t.Errorf("without a fault the checkers found:\n%s", strings.Join(found, "\n"))
	}
	w = soundWorld()
	w.confirmed(pay.OutcomeVoided)
	if found := w.Check(); len(found) > 0 {
		t.Errorf("without a fault the checkers found:\n%s", strings.Join(found, "\n"))
	}
}

// confirmed adds a session whose game was asked: approved, or rejected where its hold was
// voided, or not answered yet.
func (w *World) confirmed(then ...pay.OutcomeKind) (payment string) {
	account := w.create(9, confirming)
	account.Row.Confirm = true
	w.History = w.History[:len(w.History)-1]
	w.pay(account, pay.OutcomeAuthorized)
	p := &account.Payments[0]
	e := w.entry(string(p.ID))
	said := Asked{IDs: []string{"question"}, Times: 1}
	for _, kind := range then {
		said.Approved, said.Rejected = kind == pay.OutcomeSucceeded, kind == pay.OutcomeVoided
		if said.Rejected {
			p.Failure = pay.Decision{Reason: "out_of_stock"}.Refusal()
		}
		w.apply(account, account.Row.Settle(*p, pay.Outcome{Kind: kind}, birth))
		p = &account.Payments[0]
		e.State = string(kind)
		e.History = append(e.History, Step{Did: map[bool]string{true: "taken", false: "released"}[said.Approved]})
	}
	id := string(account.Row.ID)
	account.Listed = messages.Session(account.Row)
	account.Shown = &adminv1.ShowSessionResponse{Session: account.Listed, Payments: []*payv1.Payment{messages.Payment(*p)}}
	for _, event := range account.Events {
		account.Shown.Events = append(account.Shown.Events, &payv1.Event{Id: string(event.ID)})
	}
	w.saw(id, string(account.Row.Status))
	w.ask(string(p.ID), func(a *Asked) { *a = said })
	return string(p.ID)
}

func (w *World) ask(payment string, change func(*Asked)) {
	if w.Asked == nil {
		w.Asked = map[string]Asked{}
	}
	a := w.Asked[payment]
	change(&a)
	w.Asked[payment] = a
}

func TestConfirmerNotices(t *testing.T) {
	c := newConfirmer(1)
	defer c.server.Close()
	c.secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	c.take(http.Header{"Webhook-Id": {"1"}, "Webhook-Timestamp": {"1"}, "Webhook-Signature": {"v1,AAAA"}},
		[]byte(`{"id":"2","type":"payment.authorized","data":{"payment_id":"pay_1"}}`))
	if a := c.Asked()["pay_1"]; a.Times != 1 || len(a.Strange) != 2 {
		t.Errorf("noticed as %+v", a)
	}
}
