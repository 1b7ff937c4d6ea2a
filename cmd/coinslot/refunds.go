package main

import (
	"context"
	"crypto/rand"
	"fmt"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/gen/admin/v1/adminv1connect"
	"github.com/coinslot/coinslot/internal/config"
)

var refundsCreate = command{
	path: "refunds create", operands: "PAYMENT", brief: "return a payment's money, all of it or a part",
	details: `The exit status is 0 if the refund has succeeded or is pending: some providers take
their time. A repeat of the command is another refund, unless it has the same
--idempotency-key.`,
	example: `coinslot refunds create pay_… --amount 200 --reason "wrong item"`,
	prepare: online(func(f *config.Flags) operation {
		req := &adminv1.CreateRefundRequest{}
		var key *string
		f.Flag("amount", "NUMBER", "how much, in the currency's minor unit: 200 is 2.00 USD; without it, all that is left", given(&req.Amount, config.Whole))
		f.Flag("reason", "TEXT", "why, at most 500 characters; the game is shown it", given(&req.Reason, config.Text))
		f.Flag("idempotency-key", "TEXT", "the name of this refund, for a day: a repeat with it refunds nothing more", given(&key, config.Text))
		return func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, operands []string) error {
			req.PaymentId = operands[0]
			if key == nil {
				// So that nothing between here and the server makes two of this one call.
				key = proto.String(rand.Text())
			}
			ctx, call := connect.NewClientContext(ctx)
			call.RequestHeader().Set("Idempotency-Key", *key)
			res, err := admin.CreateRefund(ctx, req)
			if err != nil {
				return err
			}
			return p.newRefund(res, res.GetRefund())
		}
	}),
}

var refundsList = command{
	path: "refunds list", brief: "list refunds, newest first",
	prepare: online(func(f *config.Flags) operation {
		req := &adminv1.ListRefundsRequest{}
		f.Flag("game", "ID", "only refunds of this game", given(&req.GameId, config.Text))
		f.Flag("payment", "ID", "only refunds of this payment", given(&req.PaymentId, config.Text))
		f.Flag("status", "NAME", "only those that are pending, succeeded, failed or cancelled", given(&req.Status, config.Text))
		f.Flag("environment", "NAME", "only those of sandbox or production", given(&req.Environment, config.Text))
		f.Flag("limit", "NUMBER", "how many at most, 1 to 250, by default 100", given(&req.Limit, config.Whole))
		f.Flag("cursor", "TEXT", "where to go on, as the list before it said", given(&req.Cursor, config.Text))
		return func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, _ []string) error {
			res, err := admin.ListRefunds(ctx, req)
			if err != nil {
				return err
			}
			return p.answer(res, func() { p.refunds(res) })
		}
	}),
}

var refundsShow = command{
	path: "refunds show", operands: "ID", brief: "show a refund",
	prepare: online(func(*config.Flags) operation {
		return func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, operands []string) error {
			res, err := admin.GetRefund(ctx, &adminv1.GetRefundRequest{Id: operands[0]})
			if err != nil {
				return err
			}
			return p.refund(res, res.GetRefund())
		}
	}),
}

// newRefund writes a refund that was just made. One that returns nothing is an error,
// so that a script does not take it for done.
func (p *printer) newRefund(answer proto.Message, r *adminv1.Refund) error {
	err := p.refund(answer, r)
	switch r.GetStatus() {
	case "pending":
		if !p.json {
			p.note("The provider takes its time. What became of it: coinslot refunds show %s", r.GetId())
		}
	case "failed":
		return fmt.Errorf("nothing was returned: %s", failure(r.GetError()))
	case "cancelled":
		return fmt.Errorf("nothing was returned: the provider called the refund off")
	}
	return err
}

func (p *printer) refund(answer proto.Message, r *adminv1.Refund) error {
	return p.answer(answer, func() {
		p.sheet(
			"id", r.GetId(), "status", r.GetStatus(), "amount", money(r.GetAmount(), r), "payment", r.GetPaymentId(),
			"session", r.GetSessionId(), "game", r.GetGameId(), "environment", r.GetEnvironment(), "user", r.GetUserId(),
			"reason", r.GetReason(), "error", failure(r.GetError()), "created", moment(r.GetCreatedAt()), "ended", moment(r.GetEndedAt()),
		)
	})
}

func (p *printer) refunds(res *adminv1.ListRefundsResponse) {
	var rows [][]string
	for _, r := range res.GetRefunds() {
		rows = append(rows, []string{
			r.GetId(), r.GetPaymentId(), r.GetGameId(), r.GetEnvironment(), r.GetStatus(), money(r.GetAmount(), r), moment(r.GetCreatedAt()), r.GetReason(),
		})
	}
	p.table([]string{"ID", "PAYMENT", "GAME", "ENVIRONMENT", "STATUS", "AMOUNT", "CREATED", "REASON"}, rows)
	if res.NextCursor != nil {
		p.note("These are %d of %d. Those before them: --cursor %s", len(rows), res.GetTotal(), res.GetNextCursor())
	}
}
