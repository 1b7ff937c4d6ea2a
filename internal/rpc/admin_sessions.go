package rpc

import (
	"context"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
)

// ShowSession implements admin.v1.AdminService.
func (s *AdminServer) ShowSession(ctx context.Context, req *adminv1.ShowSessionRequest) (*adminv1.ShowSessionResponse, error) {
	id, err := pay.ParseSessionID("id", req.GetId())
	if err != nil {
		return nil, err
	}
	history, err := s.gateway.History(ctx, id)
	if err != nil {
		return nil, err
	}
	out := &adminv1.ShowSessionResponse{Session: s.convert.Session(history.Session)}
	for _, p := range history.Payments {
		out.Payments = append(out.Payments, s.convert.Payment(p))
	}
	for _, r := range history.Refunds {
		out.Refunds = append(out.Refunds, refundMessage(r))
	}
	for _, e := range history.Events {
		told, err := written(e)
		if err != nil {
			return nil, err
		}
		out.Events = append(out.Events, told)
	}
	return out, nil
}

// SandboxPay implements admin.v1.AdminService.
func (s *AdminServer) SandboxPay(ctx context.Context, req *adminv1.SandboxPayRequest) (*adminv1.SandboxPayResponse, error) {
	id, err := pay.ParseSessionID("session_id", req.GetSessionId())
	if err != nil {
		return nil, err
	}
	page, err := s.gateway.Checkout(ctx, id)
	if err != nil {
		return nil, err
	}
	if page.Session.Environment != pay.Sandbox {
		return nil, pay.Refuse(pay.Forbidden, "session_id must be of a sandbox session; %s is a %s session", id, page.Session.Environment)
	}
	page, err = s.gateway.Pay(ctx, id, sandboxTender(req, page.Session))
	if err == nil && page.Payment != nil && page.Payment.Action != "" {
		page, err = s.gateway.Answer(ctx, id, page.Session.Spent, !req.GetRefuseChallenge())
	}
	if err == nil {
		page, err = s.gateway.AtRest(ctx, page)
	}
	if err != nil {
		return nil, err
	}
	out := &adminv1.SandboxPayResponse{Session: s.convert.Session(page.Session)}
	if page.Payment != nil {
		out.Payment = s.convert.Payment(*page.Payment)
	}
	return out, nil
}

// defaultCard succeeds.
const defaultCard = "4242424242424242"

// sandboxTender is what a player would send who pays with the card or wallet.
func sandboxTender(req *adminv1.SandboxPayRequest, session pay.Session) gateway.Tender {
	if method, ok := req.GetInstrument().(*adminv1.SandboxPayRequest_Method); ok && method.Method != string(pay.MethodCard) {
		return gateway.Tender{Method: pay.Method(method.Method), Token: "tok_approved", Attempt: session.Spent}
	}
	card := pay.Card{Number: defaultCard, ExpiryMonth: 12, ExpiryYear: session.ExpiresAt.Year() + 1, CVC: "123"}
	if given, ok := req.GetInstrument().(*adminv1.SandboxPayRequest_Card); ok {
		card.Number = given.Card
	}
	if card.Hint().Brand == "amex" {
		card.CVC = "1234"
	}
	return gateway.Tender{Method: pay.MethodCard, Card: &card, Attempt: session.Spent}
}
