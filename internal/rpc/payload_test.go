package rpc_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// told is what the payloads of a session's events say, by type.
func (l *line) told(t *testing.T, session string) map[pay.EventType]map[string]any {
	t.Helper()
	all := map[pay.EventType]map[string]any{}
	if err := l.Store.View(t.Context(), func(r store.Reader) error {
		events, err := r.SessionEvents(pay.SessionID(session))
		for _, e := range events {
			var payload struct{ Data map[string]any }
			if err := json.Unmarshal(e.Payload, &payload); err != nil {
				t.Fatal(err)
			}
			all[e.Type] = payload.Data
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func (a answer) field(t *testing.T, name string) any {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal([]byte(a.body), &fields); err != nil {
		t.Fatal(err)
	}
	return fields[name]
}

func TestEventsShowTheEntitiesAsTheMethodsAnswerThem(t *testing.T) {
	l := openLine(t)
	made := l.call(t, "CreateSession", order(`"return_url"`,
		`"order_id":"o-1","cancel_url":"arcade://no","metadata":{"offer_id":"x","values":{"b":"2","a":"1"}},"return_url"`))
	id := made.field(t, "id").(string)
	payment := l.pay(t, id)
	told := l.told(t, id)
	check := func(what string, want, got any) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" || want == nil {
			t.Errorf("%s (-answer +event):\n%s", what, diff)
		}
	}
	check("session.created shows what CreateSession answered", made.field(t, "session"), told[pay.SessionCreatedEvent]["session"])
	now := l.call(t, "GetSession", `{"id":"`+id+`"}`).field(t, "session")
	check("session.paid shows what GetSession answers", now, told[pay.SessionPaidEvent]["session"])
	check("payment.succeeded shows the session", now, told[pay.PaymentSucceededEvent]["session"])
	check("payment.succeeded shows what GetPayment answers",
		l.call(t, "GetPayment", `{"id":"`+payment+`"}`).field(t, "payment"), told[pay.PaymentSucceededEvent]["payment"])
	check("the ids are beside the entities", payment, told[pay.PaymentSucceededEvent]["payment_id"])
	if _, ok := told[pay.SessionPaidEvent]["payment"]; ok {
		t.Error("an event of the session shows a payment")
	}
}

func TestEventsShowAFailureAsGetPaymentAnswersIt(t *testing.T) {
	l := openLine(t)
	id := l.create(t)
	payment := l.decline(t, id)
	told := l.told(t, id)
	got := l.call(t, "GetPayment", `{"id":"`+payment+`"}`).field(t, "payment")
	if diff := cmp.Diff(got, told[pay.PaymentFailedEvent]["payment"]); diff != "" {
		t.Errorf("(-answer +event):\n%s", diff)
	}
	if why, _ := got.(map[string]any)["error"].(map[string]any); why["code"] != "card_declined" {
		t.Errorf("the payment's error is %v", why)
	}
}
