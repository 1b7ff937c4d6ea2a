package main

import (
	"context"
	"slices"
	"strings"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/gen/admin/v1/adminv1connect"
	"github.com/coinslot/coinslot/internal/config"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
)

var triggerCommand = command{
	path: "trigger", operands: "EVENT", brief: "make an event happen in the sandbox",
	details: `A session is made, and paid, declined, refunded or left, as the event needs it: all
that leads to it happens too. Prints the session's id, and the events as they happened.
session.expired comes after a minute, refund.failed after some seconds; nothing in the
sandbox leads to refund.cancelled. These are the events:

  ` + strings.Join(eventNames(gateway.Triggerable()), "\n  "),
	example: "coinslot trigger payment.succeeded",
	prepare: online(func(f *config.Flags) operation {
		req := &adminv1.TriggerRequest{}
		f.Flag("game", "ID", "the game that sells; by default the only one, or "+string(demoGame.ID), config.Text(&req.GameId))
		return func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, operands []string) (err error) {
			req.Event = operands[0]
			if req.GameId == "" {
				if req.GameId, err = defaultGame(ctx, admin); err != nil {
					return err
				}
			}
			res, err := admin.Trigger(ctx, req)
			if err != nil {
				return err
			}
			return p.answer(res, func() { p.triggered(req.Event, res) })
		}
	}),
}

func eventNames(types []pay.EventType) (names []string) {
	for _, t := range types {
		names = append(names, string(t))
	}
	return names
}

// defaultGame is the only game, or the demo game where there are several.
func defaultGame(ctx context.Context, admin adminv1connect.AdminServiceClient) (string, error) {
	res, err := admin.ListGames(ctx, &adminv1.ListGamesRequest{})
	if err != nil {
		return "", err
	}
	var ids []string
	for _, g := range res.GetGames() {
		ids = append(ids, g.GetId())
	}
	switch {
	case len(ids) == 1:
		return ids[0], nil
	case slices.Contains(ids, string(demoGame.ID)):
		return string(demoGame.ID), nil
	}
	return "", config.Misused("--game must be one of %s", list(ids, "the games that `coinslot games create` makes"))
}

func (p *printer) triggered(event string, res *adminv1.TriggerResponse) {
	p.line("%s", res.GetSessionId())
	for _, e := range res.GetEvents() {
		p.note("%s", e)
	}
	if res.GetLater() != nil {
		in := max(res.GetLater().AsTime().Sub(res.GetNow().AsTime()), 0)
		p.note("%s comes in about %d seconds, at %s", event, int(in.Seconds()+0.5), moment(res.GetLater()))
	}
}
