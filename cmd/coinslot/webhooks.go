package main

import (
	"context"
	"errors"

	"google.golang.org/protobuf/proto"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/gen/admin/v1/adminv1connect"
	"github.com/coinslot/coinslot/internal/config"
)

var webhooksCreate = command{
	path: "webhooks create", brief: "have a URL told of a game's events",
	details: `The signing secret is printed alone on standard output, this once. Requests carry
X-ToffeePay-Signature and the headers of Standard Webhooks; either can be verified with it.`,
	example: "coinslot webhooks create --game space_shooter --environment sandbox --url http://localhost:3000/webhooks",
	prepare: online(func(f *config.Flags) operation {
		req := &adminv1.CreateWebhookEndpointRequest{}
		f.Flag("game", "ID", "the game whose events it gets; required", config.Text(&req.GameId))
		f.Flag("environment", "NAME", "sandbox or production; required", config.Text(&req.Environment))
		f.Flag("url", "URL", "where events are posted: https, or http in the sandbox; required", config.Text(&req.Url))
		f.Flag("events", "LIST", "the types it gets, such as payment.succeeded,session.expired; without it, all", config.Texts(&req.Events))
		f.Flag("description", "TEXT", "what to call it", config.Text(&req.Description))
		return func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, _ []string) error {
			res, err := admin.CreateWebhookEndpoint(ctx, req)
			if err != nil {
				return err
			}
			return p.answer(res, func() {
				p.note("%s is told of %s. Its signing secret, shown this once:", res.GetEndpoint().GetId(), list(res.GetEndpoint().GetEvents(), "all events"))
				p.line("%s", res.GetSecret())
			})
		}
	}),
}

var webhooksList = command{
	path: "webhooks list", brief: "list webhook endpoints, oldest first",
	prepare: online(func(f *config.Flags) operation {
		req := &adminv1.ListWebhookEndpointsRequest{}
		f.Flag("game", "ID", "only endpoints of this game", given(&req.GameId, config.Text))
		f.Flag("environment", "NAME", "only endpoints of sandbox or production", given(&req.Environment, config.Text))
		return func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, _ []string) error {
			res, err := admin.ListWebhookEndpoints(ctx, req)
			if err != nil {
				return err
			}
			return p.answer(res, func() {
				var rows [][]string
				for _, e := range res.GetEndpoints() {
					rows = append(rows, []string{e.GetId(), e.GetGameId(), e.GetEnvironment(), endpointState(e), moment(e.GetFailingSince()), list(e.GetEvents(), "all"), e.GetUrl()})
				}
				p.table([]string{"ID", "GAME", "ENVIRONMENT", "STATE", "FAILING SINCE", "EVENTS", "URL"}, rows)
			})
		}
	}),
}

var webhooksUpdate = command{
	path: "webhooks update", operands: "ID", brief: "change a webhook endpoint",
	details: "What no flag names stays as it is. A disabled endpoint keeps its backlog, and gets it once it is enabled.",
	prepare: online(func(f *config.Flags) operation {
		req := &adminv1.UpdateWebhookEndpointRequest{}
		var enable, disable bool
		f.Flag("url", "URL", "where events are posted from now on, those that wait too", given(&req.Url, config.Text))
		f.Flag("events", "LIST", `the types it gets from now on; "" is all`, listFlag(&req.Events))
		f.Flag("description", "TEXT", "what to call it", given(&req.Description, config.Text))
		f.Flag("enable", "", "send events, those that have waited too", config.Switch(&enable))
		f.Flag("disable", "", "send no events until it is enabled", config.Switch(&disable))
		return func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, operands []string) error {
			if enable && disable {
				return config.Misused("--enable and --disable cannot go together")
			}
			if enable || disable {
				req.Enabled = proto.Bool(enable)
			}
			req.Id = operands[0]
			res, err := admin.UpdateWebhookEndpoint(ctx, req)
			if err != nil {
				return err
			}
			return p.answer(res, func() { p.sheet(endpointPairs(res.GetEndpoint())...) })
		}
	}),
}

var webhooksDelete = command{
	path: "webhooks delete", operands: "ID", brief: "remove a webhook endpoint and what it was not sent yet",
	prepare: online(func(*config.Flags) operation {
		return func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, operands []string) error {
			res, err := admin.DeleteWebhookEndpoint(ctx, &adminv1.DeleteWebhookEndpointRequest{Id: operands[0]})
			if err != nil {
				return err
			}
			return p.answer(res, func() { p.note("%s is gone.", operands[0]) })
		}
	}),
}

var webhooksRotateSecret = command{
	path: "webhooks rotate-secret", operands: "ID", brief: "replace a signing secret; both sign for a while",
	details: "The new secret is printed alone on standard output, this once.",
	prepare: online(func(f *config.Flags) operation {
		req := &adminv1.RotateWebhookSecretRequest{}
		f.Flag("overlap", "DURATION", "how long the old secret still signs, by default 24h", durationFlag(&req.Overlap))
		return func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, operands []string) error {
			req.Id = operands[0]
			res, err := admin.RotateWebhookSecret(ctx, req)
			if err != nil {
				return err
			}
			return p.answer(res, func() {
				p.note("The old secret signs until %s. The new one is shown this once:", moment(res.GetOldExpiresAt()))
				p.line("%s", res.GetSecret())
			})
		}
	}),
}

var webhooksTest = command{
	path: "webhooks test", operands: "ID", brief: "send a test event and say what the receiver answered",
	details: "The event is sent once, at once. The exit status is 0 if the receiver took it.",
	prepare: online(func(*config.Flags) operation {
		return func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, operands []string) error {
			res, err := admin.TestWebhookEndpoint(ctx, &adminv1.TestWebhookEndpointRequest{Id: operands[0]})
			if err != nil {
				return err
			}
			err = p.answer(res, func() {
				if res.Error == nil {
					p.line("delivered: the receiver answered %d in %v", res.GetHttpStatus(), res.GetDuration().AsDuration())
				}
			})
			if err == nil && res.Error != nil {
				err = errors.New("the test event was not delivered: " + res.GetError())
			}
			return err
		}
	}),
}

func endpointPairs(e *adminv1.WebhookEndpoint) []string {
	return []string{
		"id", e.GetId(), "url", e.GetUrl(), "game", e.GetGameId(), "environment", e.GetEnvironment(),
		"events", list(e.GetEvents(), "all"), "description", e.GetDescription(), "state", endpointState(e),
		"failing since", moment(e.GetFailingSince()),
	}
}

func endpointState(e *adminv1.WebhookEndpoint) string {
	switch {
	case e.GetEnabled():
		return "enabled"
	case e.GetDisabledReason() != "":
		return "disabled: " + tame(e.GetDisabledReason(), mostErrorShown)
	}
	return "disabled"
}
