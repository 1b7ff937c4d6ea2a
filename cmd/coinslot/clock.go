package main

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/gen/admin/v1/adminv1connect"
	"github.com/coinslot/coinslot/internal/config"
)

var sandboxAdvance = command{
	path: "sandbox advance", operands: "DURATION", brief: "move the clock of a server that has --sandbox-clock",
	details: `What falls due on the way happens as if the time had passed: sessions expire, refunds
end, and webhooks are tried again by their schedule. The clock stops at each deadline and
webhook until it is done, for 15 seconds at most. Prints the new time.

The clock goes on by itself, never back, and stays ahead when the server is restarted. Webhooks
are signed with the machine's time, which is what receivers compare it with.`,
	example: "coinslot sandbox advance 25h",
	prepare: online(func(*config.Flags) operation {
		return func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, operands []string) error {
			var by time.Duration
			if err := config.Duration(&by, 0).Read(operands[0]); err != nil {
				return config.Misused("DURATION %v, got %q", err, operands[0])
			}
			res, err := advance(ctx, admin, by)
			if err != nil {
				return err
			}
			return p.answer(res, func() {
				p.line("%s", moment(res.GetNow()))
				p.ahead(res.GetAhead())
			})
		}
	}),
}

// advance moves the clock in as many calls as it takes.
func advance(ctx context.Context, admin adminv1connect.AdminServiceClient, by time.Duration) (*adminv1.AdvanceClockResponse, error) {
	for left := durationpb.New(by); ; {
		res, err := admin.AdvanceClock(ctx, &adminv1.AdvanceClockRequest{By: left})
		if err != nil || res.Left == nil {
			return res, err
		}
		left = res.Left
	}
}

var sandboxClock = command{
	path: "sandbox clock", brief: "show the time by the server's clock",
	prepare: online(func(*config.Flags) operation {
		return func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, _ []string) error {
			res, err := admin.GetClock(ctx, &adminv1.GetClockRequest{})
			if err != nil {
				return err
			}
			return p.answer(res, func() {
				p.line("%s", moment(res.GetNow()))
				if res.Ahead == nil {
					p.note("That is the machine's clock. One that can be moved needs `coinslot serve --sandbox-clock`.")
					return
				}
				p.ahead(res.GetAhead())
			})
		}
	}),
}

func (p *printer) ahead(by *durationpb.Duration) {
	p.note("The clock is %s ahead of the machine's.", config.Shortly(by.AsDuration().Round(time.Second)))
}
