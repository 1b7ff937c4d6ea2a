package torture

import (
	"context"
	"errors"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/gen/admin/v1/adminv1connect"
	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/gen/pay/v1/payv1connect"
)

// api is one caller's way to one life of the server.
type api struct {
	game  payv1connect.PaymentServiceClient
	back  payv1connect.RefundServiceClient
	admin adminv1connect.AdminServiceClient
}

// answerWithin is far longer than any answer takes. It only keeps a run from hanging.
const answerWithin = time.Minute

// dial makes a caller's clients. They speak different protocols, so that a key that
// was sent by one is repeated by another.
func dial(server *process, key string, caller int, within time.Duration) api {
	speak := [][]connect.ClientOption{{connect.WithProtoJSON()}, {}, {connect.WithGRPC()}}[caller%3]
	return api{
		game:  payv1connect.NewPaymentServiceClient(newHTTP(key, within), server.url, speak...),
		back:  payv1connect.NewRefundServiceClient(newHTTP(key, within), server.url, speak...),
		admin: adminv1connect.NewAdminServiceClient(newHTTP(server.adminToken, within), server.url, speak...),
	}
}

// newHTTP makes a client that shows a token, and speaks HTTP/2 without TLS where
// gRPC needs it: connections of its own, since all of them die with the server.
func newHTTP(token string, within time.Duration) connect.HTTPClient {
	var http1, http2 http.Protocols
	http1.SetHTTP1(true)
	http2.SetUnencryptedHTTP2(true)
	return &caller{
		token: token,
		plain: &http.Client{Transport: &http.Transport{Protocols: &http1}, Timeout: within},
		grpc:  &http.Client{Transport: &http.Transport{Protocols: &http2}, Timeout: within},
	}
}

type caller struct {
	token       string
	plain, grpc *http.Client
}

// Do implements connect.HTTPClient.
func (c *caller) Do(req *http.Request) (*http.Response, error) {
	req.Header.Set("Authorization", "Bearer "+c.token)
	if req.Header.Get("Content-Type") == "application/grpc+proto" {
		return c.grpc.Do(req)
	}
	return c.plain.Do(req)
}

// call makes the operation's call, and notes what the answer showed.
func (a api) call(ctx context.Context, o *Operation) error {
	ctx, info := connect.NewClientContext(ctx)
	if o.Key != "" {
		info.RequestHeader().Set("Idempotency-Key", o.Key)
	}
	switch o.Kind {
	case Create:
		res, err := a.game.CreateSession(ctx, o.Request)
		if err == nil {
			o.Session, o.Made = res.GetSession().GetId(), res.GetSession()
		}
		return err
	case Cancel:
		_, err := a.game.CancelSession(ctx, &payv1.CancelSessionRequest{Id: o.Session})
		o.saw(o.Session, "cancelled")
		return err
	case Complete:
		_, err := a.game.CompletePayment(ctx, &payv1.CompletePaymentRequest{Id: o.Payment})
		o.saw(o.Payment, captured)
		o.saw(o.Session, "paid")
		return err
	case CancelPayment:
		_, err := a.game.CancelPayment(ctx, &payv1.CancelPaymentRequest{Id: o.Payment})
		o.saw(o.Payment, "cancelled")
		return err
	case Pay:
		res, err := a.admin.SandboxPay(ctx, &adminv1.SandboxPayRequest{
			SessionId: o.Session, Instrument: &adminv1.SandboxPayRequest_Card{Card: o.Card},
		})
		o.Payment = res.GetPayment().GetId()
		o.saw(o.Session, res.GetSession().GetStatus())
		o.sawPayment(res.GetPayment())
		return err
	case GiveBack:
		return a.giveBack(ctx, o)
	}
	return a.look(ctx, o)
}

func (a api) giveBack(ctx context.Context, o *Operation) error {
	req := &payv1.CreateRefundRequest{PaymentId: o.Payment, Reason: &o.Reason}
	if o.Amount != 0 {
		req.Amount = &o.Amount
	}
	res, err := a.back.CreateRefund(ctx, req)
	if err == nil {
		o.Refund, o.Amount = res.GetId(), res.GetRefund().GetAmount()
	}
	o.sawRefund(res.GetRefund())
	return err
}

// look makes the calls that change nothing.
func (a api) look(ctx context.Context, o *Operation) error {
	switch o.Kind {
	case Get:
		res, err := a.game.GetSession(ctx, &payv1.GetSessionRequest{Id: o.Session})
		o.saw(o.Session, res.GetSession().GetStatus())
		return err
	case GetStatus:
		res, err := a.game.GetSessionStatus(ctx, &payv1.GetSessionStatusRequest{Id: o.Session})
		o.saw(o.Session, res.GetStatus())
		return err
	case List:
		res, err := a.game.ListSessions(ctx, &payv1.ListSessionsRequest{GameId: o.Game, Limit: proto.Int32(20)})
		for _, s := range res.GetSessions() {
			o.saw(s.GetId(), s.GetStatus())
		}
		return err
	case GetPayment:
		res, err := a.game.GetPayment(ctx, &payv1.GetPaymentRequest{Id: o.Payment})
		o.sawPayment(res.GetPayment())
		return err
	case GetRefund:
		res, err := a.back.GetRefund(ctx, &payv1.GetRefundRequest{Id: o.Refund})
		o.sawRefund(res.GetRefund())
		return err
	}
	panic("torture: nobody knows how to " + string(o.Kind))
}

// conclude says what the caller knows now. Only a documented code that says that
// nothing was done is a refusal; whatever else goes wrong leaves it unknown.
func (o *Operation) conclude(err error) {
	o.Outcome = Acknowledged
	if err == nil {
		return
	}
	o.Sightings, o.Made = nil, nil
	o.Outcome, o.Code = Unknown, err.Error()
	var failed *connect.Error
	if !errors.As(err, &failed) {
		return
	}
	for _, d := range failed.Details() {
		message, _ := d.Value()
		if told, ok := message.(*payv1.Error); ok {
			o.Code = told.GetCode()
			if o.Code != "internal" && o.Code != "unavailable" {
				o.Outcome = Refused
			}
		}
	}
}
