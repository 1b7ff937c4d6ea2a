package main

import (
	"context"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/gen/admin/v1/adminv1connect"
	"github.com/coinslot/coinslot/internal/config"
)

var sandboxPay = command{
	path: "sandbox pay", operands: "SESSION", brief: "pay a sandbox session as a player would",
	details: `Prints what became of the session, such as paid or failed. The exit status is 0
whichever it is, and 1 if the session could not be paid at all.`,
	example: "coinslot sandbox pay sess_… --card 4000000000000002",
	prepare: online(func(f *config.Flags) operation {
		var card, method *string
		var refuse bool
		f.Flag("card", "NUMBER", "a card of the sandbox; its number decides the outcome (default 4242424242424242, which succeeds)", given(&card, config.Text))
		f.Flag("method", "NAME", "a wallet instead: apple_pay, google_pay, paypal, paylater or venmo", given(&method, config.Text))
		f.Flag("refuse", "", "refuse what a card that asks for 3-D Secure asks (by default it is approved)", config.Switch(&refuse))
		return func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, operands []string) error {
			req := &adminv1.SandboxPayRequest{SessionId: operands[0], RefuseChallenge: refuse}
			switch {
			case card != nil && method != nil:
				return config.Misused("--card and --method cannot go together")
			case card != nil:
				req.Instrument = &adminv1.SandboxPayRequest_Card{Card: *card}
			case method != nil:
				req.Instrument = &adminv1.SandboxPayRequest_Method{Method: *method}
			}
			res, err := admin.SandboxPay(ctx, req)
			if err != nil {
				return err
			}
			return p.answer(res, func() { p.paid(res) })
		}
	}),
}

func (p *printer) paid(res *adminv1.SandboxPayResponse) {
	p.line("%s", res.GetSession().GetStatus())
	pm := res.GetPayment()
	if pm.GetError() != nil {
		p.note("%s %s: %s", pm.GetId(), pm.GetStatus(), failure(pm.GetError()))
		return
	}
	p.note("%s %s", pm.GetId(), pm.GetStatus())
}
