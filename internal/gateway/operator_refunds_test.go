package gateway_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// refundEverywhere has the operator refund a part of one payment in each environment in
// turn, and returns the refunds, newest first.
func (w *world) refundEverywhere(g *gateway.Service, rounds int) (newestFirst []pay.RefundID) {
	w.Helper()
	amount := int64(1)
	for range rounds {
		for _, env := range []pay.Environment{pay.Production, pay.Sandbox} {
			w.caller.Environment = env
			paid := w.pay(g, w.session(g, 1), card(good, 0))
			time.Sleep(time.Millisecond) // ids sort by time
			refund, _, err := g.RefundAsOperator(w.Context(), pay.RefundOrder{Payment: paid.Payment.ID, Amount: &amount}, gateway.Idempotency{})
			if err != nil || refund.Environment != env || refund.Status != pay.RefundSucceeded {
				w.Fatal(refund, err)
			}
			newestFirst = append([]pay.RefundID{refund.ID}, newestFirst...)
		}
	}
	return newestFirst
}

func TestTheOperatorPagesThroughTheRefundsOfBothEnvironments(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		all := w.refundEverywhere(g, 4)
		for _, limit := range []int{1, 3, len(all) - 1, len(all), len(all) + 1} {
			if diff := cmp.Diff(all, w.allRefunds(g, store.RefundQuery{Window: store.Window{Limit: limit}})); diff != "" {
				t.Errorf("by %d (-want +got):\n%s", limit, diff)
			}
		}
		sandbox := w.allRefunds(g, store.RefundQuery{Environment: pay.Sandbox, Window: store.Window{Limit: 2}})
		if diff := cmp.Diff([]pay.RefundID{all[0], all[2], all[4], all[6]}, sandbox); diff != "" {
			t.Errorf("of the sandbox (-want +got):\n%s", diff)
		}
	})
}

// allRefunds pages through a list to its end.
func (w *world) allRefunds(g *gateway.Service, q store.RefundQuery) (ids []pay.RefundID) {
	w.Helper()
	for {
		page, err := g.AllRefunds(w.Context(), q)
		if err != nil || len(page.Rows) == 0 || len(page.Rows) > q.Limit {
			w.Fatal(page, err)
		}
		for _, r := range page.Rows {
			ids = append(ids, r.ID)
		}
		if !page.More {
			if int(page.Total) != len(ids) {
				w.Errorf("the total is %d, but there are %d", page.Total, len(ids))
			}
			return ids
		}
		q.After = string(ids[len(ids)-1])
	}
}

func TestTheOperatorSeesAnyRefund(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		for _, id := range w.refundEverywhere(g, 1) {
			if refund, err := g.AnyRefund(w.Context(), id); err != nil || refund.ID != id {
				t.Error(refund, err)
			}
		}
		if _, err := g.AnyRefund(w.Context(), "ref_nowhere"); pay.CodeOf(err) != pay.RefundNotFound {
			t.Errorf("of none: %v", err)
		}
		if _, _, err := g.RefundAsOperator(w.Context(), pay.RefundOrder{Payment: "pay_nowhere"}, gateway.Idempotency{}); pay.CodeOf(err) != pay.PaymentNotFound {
			t.Errorf("of no payment: %v", err)
		}
	})
}
