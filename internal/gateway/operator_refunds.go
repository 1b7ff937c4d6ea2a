package gateway

import (
	"context"
	"slices"
	"strings"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// The operator refunds in every environment, as a caller whose key covers all its games.

// RefundAsOperator returns money of a payment of whichever environment, as CreateRefund does.
func (s *Service) RefundAsOperator(ctx context.Context, o pay.RefundOrder, idem Idempotency) (pay.Refund, bool, error) {
	payment, err := view(ctx, s.store, func(r store.Reader) (pay.Payment, error) { return r.Payment(o.Payment) })
	if err != nil {
		return pay.Refund{}, false, notFound(err, pay.PaymentNotFound, "payment", string(o.Payment))
	}
	// In a scope of its own: the operator's keys and the game's know nothing of each other.
	return s.refundIn(ctx, "admin.CreateRefund", Caller{Environment: payment.Environment}, o, idem)
}

// AnyRefund is one refund of whichever environment.
func (s *Service) AnyRefund(ctx context.Context, id pay.RefundID) (pay.Refund, error) {
	refund, err := view(ctx, s.store, func(r store.Reader) (pay.Refund, error) { return r.Refund(id) })
	return refund, notFound(err, pay.RefundNotFound, "refund", string(id))
}

// AllRefunds pages through refunds, newest first: those of the query's environment, or
// of both where it names none.
func (s *Service) AllRefunds(ctx context.Context, q store.RefundQuery) (store.Page[pay.Refund], error) {
	environments := []pay.Environment{q.Environment}
	if q.Environment == "" {
		environments = []pay.Environment{pay.Sandbox, pay.Production}
	}
	return view(ctx, s.store, func(r store.Reader) (all store.Page[pay.Refund], err error) {
		if err := checkGame(r, q.Game); err != nil {
			return all, err
		}
		for _, q.Environment = range environments {
			page, err := r.Refunds(q)
			if err != nil {
				return all, err
			}
			all = merged(all, page, q.Limit)
		}
		return all, nil
	})
}

// merged is one page of two lists whose pages begin at the same id: ids sort by creation.
func merged(a, b store.Page[pay.Refund], limit int) store.Page[pay.Refund] {
	rows := slices.Concat(a.Rows, b.Rows)
	slices.SortFunc(rows, func(x, y pay.Refund) int { return strings.Compare(string(y.ID), string(x.ID)) })
	most := min(limit, len(rows))
	return store.Page[pay.Refund]{Rows: rows[:most], Total: a.Total + b.Total, More: a.More || b.More || len(rows) > most}
}
