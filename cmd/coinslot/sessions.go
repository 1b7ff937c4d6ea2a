package main

import (
	"context"
	"fmt"
	"strconv"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/gen/admin/v1/adminv1connect"
	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/internal/config"
)

var sessionsShow = command{
	path: "sessions show", operands: "ID", brief: "show a session with all its payments and events",
	prepare: online(func(*config.Flags) operation {
		return func(ctx context.Context, admin adminv1connect.AdminServiceClient, p *printer, operands []string) error {
			res, err := admin.ShowSession(ctx, &adminv1.ShowSessionRequest{Id: operands[0]})
			if err != nil {
				return err
			}
			return p.answer(res, func() { p.history(res) })
		}
	}),
}

func (p *printer) history(h *adminv1.ShowSessionResponse) {
	s := h.GetSession()
	p.sheet(
		"id", s.GetId(), "status", s.GetStatus(), "game", s.GetGameId(), "environment", s.GetEnvironment(),
		"user", s.GetUserId(), "order", s.GetOrderId(), "item", s.GetItem().GetTitle(), "price", price(s.GetItem()),
		"page", s.GetUrl(), "created", moment(s.GetCreatedAt()), "expires", moment(s.GetExpiresAt()), "paid", moment(s.GetPaidAt()),
		"failed", moment(s.GetFailedAt()), "cancelled", moment(s.GetCancelledAt()), "expired", moment(s.GetExpiredAt()),
	)
	if len(h.GetPayments()) > 0 {
		p.line("\npayments")
		var rows [][]string
		for _, pm := range h.GetPayments() {
			rows = append(rows, []string{pm.GetId(), pm.GetStatus(), pm.GetMethod(), moment(pm.GetCreatedAt()), failure(pm)})
		}
		p.table([]string{"ID", "STATUS", "METHOD", "CREATED", "ERROR"}, rows)
	}
	p.line("\nevents")
	var rows [][]string
	for _, e := range h.GetEvents() {
		rows = append(rows, []string{strconv.Itoa(int(e.GetSequence())), e.GetType(), moment(e.GetTimestamp()), e.GetId()})
	}
	p.table([]string{"#", "TYPE", "TIME", "ID"}, rows)
}

// price writes an amount with its decimals and currency, as accountants do.
func price(i *payv1.Item) string {
	digits := int(i.GetExponent())
	text := fmt.Sprintf("%0*d", digits+1, i.GetPrice())
	if digits > 0 {
		text = text[:len(text)-digits] + "." + text[len(text)-digits:]
	}
	return text + " " + i.GetCurrency()
}

func failure(p *payv1.Payment) string {
	if p.GetError() == nil {
		return ""
	}
	return p.GetError().GetCode() + ": " + p.GetError().GetMessage()
}
