package main

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode"

	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/gen/admin/v1/adminv1connect"
	"github.com/coinslot/coinslot/internal/config"
)

var webhooksDeliveries = command{
	path: "webhooks deliveries", operands: "ENDPOINT", brief: "list what an endpoint was sent or is to be, newest event first",
	prepare: online(func(f *config.Flags) operation {
		req := &adminv1.ListDeliveriesRequest{}
		f.Flag("status", "NAME", "only those that are pending, delivered or exhausted", given(&req.Status, config.Text))
		f.Flag("event", "ID", "only that of this event", given(&req.EventId, config.Text))
		f.Flag("limit", "NUMBER", "how many at most, 1 to 250, by default 100", given(&req.Limit, config.Whole))
		f.Flag("cursor", "TEXT", "where to go on, as the list before it said", given(&req.Cursor, config.Text))
		return func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, operands []string) error {
			req.EndpointId = operands[0]
			res, err := admin.ListDeliveries(ctx, req)
			if err != nil {
				return err
			}
			return p.answer(res, func() { p.deliveries(res) })
		}
	}),
}

var webhooksAttempts = command{
	path: "webhooks attempts", operands: "DELIVERY", brief: "show a delivery and all that was tried",
	details: `Of each answer the beginning is shown, on one line and without what could steer a
terminal; --json has the first 4 KiB as they came, in base64.`,
	prepare: online(func(*config.Flags) operation {
		return func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, operands []string) error {
			res, err := admin.ListAttempts(ctx, &adminv1.ListAttemptsRequest{DeliveryId: operands[0]})
			if err != nil {
				return err
			}
			return p.answer(res, func() { p.attempts(res) })
		}
	}),
}

var webhooksRedeliver = command{
	path: "webhooks redeliver", operands: "DELIVERY|EVENT", brief: "send a delivery or an event again",
	details: `It is sent at once, with the same id and body, and retried as if it were new. An event
goes to every endpoint that it was sent to, and to every one that wants it by now. A
disabled endpoint gets it once it is enabled.`,
	prepare: online(func(*config.Flags) operation {
		return func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, operands []string) error {
			req := &adminv1.RedeliverRequest{What: &adminv1.RedeliverRequest_EventId{EventId: operands[0]}}
			if strings.HasPrefix(operands[0], "dlv_") {
				req.What = &adminv1.RedeliverRequest_DeliveryId{DeliveryId: operands[0]}
			}
			res, err := admin.Redeliver(ctx, req)
			if err != nil {
				return err
			}
			return p.answer(res, func() {
				p.note("%s on the way; what goes to a disabled endpoint waits until it is enabled.", countOf(res.GetDeliveries(), "delivery", "deliveries"))
			})
		}
	}),
}

var webhooksRecover = command{
	path: "webhooks recover", operands: "ENDPOINT", brief: "send again all that an endpoint was never given",
	details: "That is every delivery of which all attempts were made in vain, oldest first. What is still being tried goes on as it is.",
	example: "coinslot webhooks recover we_… --since 48h",
	prepare: online(func(f *config.Flags) operation {
		req := &adminv1.RecoverRequest{}
		f.Flag("since", "TIME|DURATION", "only events that happened since then, or so long ago at most; without it, all", sinceFlag(&req.Since))
		return func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, operands []string) error {
			req.EndpointId = operands[0]
			res, err := admin.Recover(ctx, req)
			if err != nil {
				return err
			}
			return p.answer(res, func() {
				p.note("%s on the way; what goes to a disabled endpoint waits until it is enabled.", countOf(res.GetDeliveries(), "delivery", "deliveries"))
			})
		}
	}),
}

// sinceFlag reads a time, or how long ago it was.
func sinceFlag(to **timestamppb.Timestamp) config.Reader {
	return config.Reader{Read: func(text string) error {
		var ago time.Duration
		if config.Duration(&ago, 0).Read(text) == nil {
			*to = timestamppb.New(time.Now().Add(-ago))
			return nil
		}
		if timeFlag(to).Read(text) != nil {
			return errors.New("must be a time such as 2030-01-31T12:00:00Z, or a duration such as 48h")
		}
		return nil
	}}
}

func (p *printer) deliveries(res *adminv1.ListDeliveriesResponse) {
	var rows [][]string
	for _, d := range res.GetDeliveries() {
		rows = append(rows, []string{
			d.GetId(), d.GetStatus(), strconv.Itoa(int(d.GetAttempts())), moment(d.GetNextAttemptAt()),
			d.GetEventType(), moment(d.GetEventAt()), d.GetSessionId(), d.GetEventId(),
		})
	}
	p.table([]string{"ID", "STATUS", "ATTEMPTS", "NEXT", "TYPE", "TIME", "SESSION", "EVENT"}, rows)
	if res.NextCursor != nil {
		p.note("There may be more. Those before them: --cursor %s", res.GetNextCursor())
	}
}

func (p *printer) attempts(res *adminv1.ListAttemptsResponse) {
	d := res.GetDelivery()
	p.sheet(
		"id", d.GetId(), "status", d.GetStatus(), "next", moment(d.GetNextAttemptAt()), "endpoint", d.GetEndpointId(),
		"event", d.GetEventId(), "type", d.GetEventType(), "session", d.GetSessionId(),
	)
	var rows [][]string
	for _, a := range res.GetAttempts() {
		status := ""
		if a.HttpStatus != nil {
			status = strconv.Itoa(int(a.GetHttpStatus()))
		}
		rows = append(rows, []string{
			strconv.Itoa(int(a.GetNumber())), moment(a.GetAt()), status,
			a.GetDuration().AsDuration().Round(time.Millisecond).String(), tame(a.GetError(), mostErrorShown), tame(string(a.GetAnswer()), mostAnswerShown),
		})
	}
	p.line("")
	p.table([]string{"#", "TIME", "STATUS", "DURATION", "ERROR", "ANSWER"}, rows)
}

// How many characters of a stranger's words are shown.
const (
	mostErrorShown  = 300
	mostAnswerShown = 80
)

// tame makes a stranger's words fit for one line of a terminal: nothing of them steers
// it, turns their direction or takes another line.
func tame(text string, most int) string {
	words := strings.FieldsFunc(strings.ToValidUTF8(text, "?"), func(r rune) bool { return r == ' ' || !unicode.IsPrint(r) })
	shown := []rune(strings.Join(words, " "))
	if len(shown) > most {
		shown = append(shown[:most-1], '…')
	}
	return string(shown)
}

// countOf is a number of things with their name.
func countOf(n int32, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(int(n)) + " " + many
}
