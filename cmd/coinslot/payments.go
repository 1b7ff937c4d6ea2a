package main

import (
	"context"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/gen/admin/v1/adminv1connect"
	"github.com/coinslot/coinslot/internal/config"
)

var paymentsLate = command{
	path: "payments late", brief: "list payments for which money came after they had failed or were cancelled",
	details: `Such money is returned by itself: it is owed until the provider has returned it, and
returned then. What the provider does not return is kept, and somebody must return it there.`,
	prepare: online(func(f *config.Flags) operation {
		req := &adminv1.ListLatePaymentsRequest{}
		f.Flag("limit", "NUMBER", "how many at most, 1 to 250, by default 100", given(&req.Limit, config.Whole))
		f.Flag("before", "ID", "where to go on: the last payment of the list before", config.Text(&req.Before))
		return func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, _ []string) error {
			res, err := admin.ListLatePayments(ctx, req)
			if err != nil {
				return err
			}
			return p.answer(res, func() { p.late(res) })
		}
	}),
}

func (p *printer) late(res *adminv1.ListLatePaymentsResponse) {
	var rows [][]string
	for _, l := range res.GetPayments() {
		pm := l.GetPayment()
		rows = append(rows, []string{
			pm.GetId(), pm.GetSessionId(), pm.GetGameId(), l.GetEnvironment(), pm.GetStatus(), money(pm.GetAmount(), pm), l.GetLateMoney(), moment(l.GetLateAt()),
		})
	}
	p.table([]string{"ID", "SESSION", "GAME", "ENVIRONMENT", "STATUS", "AMOUNT", "MONEY", "SINCE"}, rows)
}
