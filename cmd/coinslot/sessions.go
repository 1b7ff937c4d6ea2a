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
	path: "sessions show", operands: "ID", brief: "show a session with all its payments, refunds and events",
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
		"user", s.GetUserId(), "order", s.GetOrderId(), "item", s.GetItem().GetTitle(), "price", money(s.GetItem().GetPrice(), s.GetItem()),
		"page", s.GetUrl(), "created", moment(s.GetCreatedAt()), "expires", moment(s.GetExpiresAt()), "paid", moment(s.GetPaidAt()),
		"failed", moment(s.GetFailedAt()), "cancelled", moment(s.GetCancelledAt()), "expired", moment(s.GetExpiredAt()),
	)
	if len(h.GetPayments()) > 0 {
		p.line("\npayments")
		var rows [][]string
		for _, pm := range h.GetPayments() {
			rows = append(rows, []string{pm.GetId(), pm.GetStatus(), pm.GetMethod(), moment(pm.GetCreatedAt()), failure(pm.GetError())})
		}
		p.table([]string{"ID", "STATUS", "METHOD", "CREATED", "ERROR"}, rows)
	}
	if len(h.GetRefunds()) > 0 {
		p.line("\nrefunds")
		var rows [][]string
		for _, r := range h.GetRefunds() {
			rows = append(rows, []string{r.GetId(), r.GetStatus(), money(r.GetAmount(), r), moment(r.GetCreatedAt()), r.GetReason(), failure(r.GetError())})
		}
		p.table([]string{"ID", "STATUS", "AMOUNT", "CREATED", "REASON", "ERROR"}, rows)
	}
	p.line("\nevents")
	var rows [][]string
	for _, e := range h.GetEvents() {
		rows = append(rows, []string{strconv.Itoa(int(e.GetSequence())), e.GetType(), moment(e.GetTimestamp()), e.GetId()})
	}
	p.table([]string{"#", "TYPE", "TIME", "ID"}, rows)
}

// money writes an amount with its decimals and currency, as accountants do.
func money(amount int32, in interface {
	GetCurrency() string
	GetExponent() int32
}) string {
	digits := int(in.GetExponent())
	text := fmt.Sprintf("%0*d", digits+1, amount)
	if digits > 0 {
		text = text[:len(text)-digits] + "." + text[len(text)-digits:]
	}
	return text + " " + in.GetCurrency()
}

// failure says why a payment or a refund failed; empty where it did not.
func failure(e *payv1.Error) string {
	if e == nil {
		return ""
	}
	return e.GetCode() + ": " + e.GetMessage()
}
