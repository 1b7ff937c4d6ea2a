package rpc

import (
	"context"
	"crypto/sha256"
	"slices"
	"strconv"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// PaymentServer is pay.v1.PaymentService: it converts, calls the use case, converts.
type PaymentServer struct {
	gateway *gateway.Service
	convert Converter
}

// CreateSession implements pay.v1.PaymentService.
func (s *PaymentServer) CreateSession(ctx context.Context, req *payv1.CreateSessionRequest) (*payv1.CreateSessionResponse, error) {
	idem, err := idempotency(ctx, req)
	if err != nil {
		return nil, err
	}
	session, replayed, err := s.gateway.CreateSession(ctx, callerOf(ctx), orderOf(req), idem)
	if err != nil {
		return nil, err
	}
	tellReplayed(ctx, replayed)
	message := s.convert.Session(session)
	return &payv1.CreateSessionResponse{Id: message.Id, Url: message.Url, Session: message}, nil
}

// CancelSession implements pay.v1.PaymentService.
func (s *PaymentServer) CancelSession(ctx context.Context, req *payv1.CancelSessionRequest) (*payv1.CancelSessionResponse, error) {
	id, err := pay.ParseSessionID("id", req.GetId())
	if err != nil {
		return nil, err
	}
	idem, err := idempotency(ctx, req)
	if err != nil {
		return nil, err
	}
	replayed, err := s.gateway.CancelSession(ctx, callerOf(ctx), id, idem)
	tellReplayed(ctx, replayed)
	return &payv1.CancelSessionResponse{}, err
}

// GetSession implements pay.v1.PaymentService.
func (s *PaymentServer) GetSession(ctx context.Context, req *payv1.GetSessionRequest) (*payv1.GetSessionResponse, error) {
	id, err := pay.ParseSessionID("id", req.GetId())
	if err != nil {
		return nil, err
	}
	session, err := s.gateway.Session(ctx, callerOf(ctx), id)
	if err != nil {
		return nil, err
	}
	m := s.convert.Session(session)
	return &payv1.GetSessionResponse{
		Session: m,
		Id:      m.Id, Status: m.Status, PaymentId: m.PaymentId, UserId: m.UserId, GameId: m.GameId, Item: m.Item,
		CreatedAt: m.CreatedAt, PaidAt: m.PaidAt, FailedAt: m.FailedAt, CancelledAt: m.CancelledAt, ExpiredAt: m.ExpiredAt,
	}, nil
}

// GetSessionStatus implements pay.v1.PaymentService.
func (s *PaymentServer) GetSessionStatus(ctx context.Context, req *payv1.GetSessionStatusRequest) (*payv1.GetSessionStatusResponse, error) {
	id, err := pay.ParseSessionID("id", req.GetId())
	if err != nil {
		return nil, err
	}
	status, err := s.gateway.SessionStatus(ctx, callerOf(ctx), id)
	if err != nil {
		return nil, err
	}
	return &payv1.GetSessionStatusResponse{Id: string(id), Status: string(status)}, nil
}

// ListSessions implements pay.v1.PaymentService.
func (s *PaymentServer) ListSessions(ctx context.Context, req *payv1.ListSessionsRequest) (*payv1.ListSessionsResponse, error) {
	caller := callerOf(ctx)
	if err := s.gateway.Covers(caller, pay.GameID(req.GetGameId())); err != nil {
		return nil, err
	}
	status := pay.SessionStatus(req.GetStatus())
	if status != "" && !slices.Contains(pay.SessionStatuses, status) {
		return nil, pay.RefuseField(pay.InvalidStatus, "status", "must be %s, got %.60q", pay.OneOf(pay.SessionStatuses), req.GetStatus())
	}
	if err := checkFilters(req.GetUserId(), req.GetOrderId()); err != nil {
		return nil, err
	}
	filters := []string{"sessions", string(caller.Environment), req.GetGameId(), req.GetUserId(), req.GetStatus(), req.GetOrderId()}
	window, err := windowOf(req.Limit, req.Offset, req.Cursor, filters...)
	if err != nil {
		return nil, err
	}
	page, err := s.gateway.Sessions(ctx, caller, store.SessionQuery{
		Game: pay.GameID(req.GetGameId()), User: pay.UserID(req.GetUserId()),
		Status: status, OrderID: req.GetOrderId(), Window: window,
	})
	if err != nil {
		return nil, err
	}
	out := &payv1.ListSessionsResponse{Total: int32(page.Total), Sessions: messages(&page, s.convert.Session)}
	out.HasMore = page.More
	out.NextCursor = nextCursor(ctx, page, func(s pay.Session) string { return string(s.ID) }, filters)
	return out, nil
}

// GetPayment implements pay.v1.PaymentService.
func (s *PaymentServer) GetPayment(ctx context.Context, req *payv1.GetPaymentRequest) (*payv1.GetPaymentResponse, error) {
	id, err := pay.ParsePaymentID("id", req.GetId())
	if err != nil {
		return nil, err
	}
	payment, err := s.gateway.Payment(ctx, callerOf(ctx), id)
	if err != nil {
		return nil, err
	}
	m := s.convert.paymentWithExtra(payment, req.GetWithExtraData())
	return &payv1.GetPaymentResponse{
		Payment: m,
		Id:      m.Id, SessionId: m.SessionId, Status: m.Status, Amount: m.Amount, Currency: m.Currency,
		Method: m.Method, Details: m.Details, CreatedAt: m.CreatedAt, AuthorizedAt: m.AuthorizedAt,
		CancelledAt: m.CancelledAt, SucceededAt: m.SucceededAt, FailedAt: m.FailedAt, RefundedAt: m.RefundedAt,
	}, nil
}

// ListPayments implements pay.v1.PaymentService.
func (s *PaymentServer) ListPayments(ctx context.Context, req *payv1.ListPaymentsRequest) (*payv1.ListPaymentsResponse, error) {
	caller := callerOf(ctx)
	if err := s.gateway.Covers(caller, pay.GameID(req.GetGameId())); err != nil {
		return nil, err
	}
	if err := checkFilters(req.GetUserId(), ""); err != nil {
		return nil, err
	}
	filters := []string{"payments", string(caller.Environment), req.GetGameId(), req.GetUserId()}
	window, err := windowOf(req.Limit, req.Offset, req.Cursor, filters...)
	if err != nil {
		return nil, err
	}
	page, err := s.gateway.Payments(ctx, caller, store.PaymentQuery{
		Game: pay.GameID(req.GetGameId()), User: pay.UserID(req.GetUserId()), Window: window,
	})
	if err != nil {
		return nil, err
	}
	out := &payv1.ListPaymentsResponse{Total: int32(page.Total)}
	out.Payments = messages(&page, func(p pay.Payment) *payv1.Payment { return s.convert.paymentWithExtra(p, req.GetWithExtraData()) })
	out.HasMore = page.More
	out.NextCursor = nextCursor(ctx, page, func(p pay.Payment) string { return string(p.ID) }, filters)
	return out, nil
}

// CompletePayment implements pay.v1.PaymentService.
func (s *PaymentServer) CompletePayment(ctx context.Context, req *payv1.CompletePaymentRequest) (*payv1.CompletePaymentResponse, error) {
	return &payv1.CompletePaymentResponse{}, finish(ctx, req, s.gateway.CompletePayment)
}

// CancelPayment implements pay.v1.PaymentService.
func (s *PaymentServer) CancelPayment(ctx context.Context, req *payv1.CancelPaymentRequest) (*payv1.CancelPaymentResponse, error) {
	return &payv1.CancelPaymentResponse{}, finish(ctx, req, s.gateway.CancelPayment)
}

func finish(ctx context.Context, req interface {
	proto.Message
	GetId() string
}, do func(context.Context, gateway.Caller, pay.PaymentID, gateway.Idempotency) (bool, error)) error {
	id, err := pay.ParsePaymentID("id", req.GetId())
	if err != nil {
		return err
	}
	idem, err := idempotency(ctx, req)
	if err != nil {
		return err
	}
	replayed, err := do(ctx, callerOf(ctx), id, idem)
	tellReplayed(ctx, replayed)
	return err
}

// idempotency is the call's Idempotency-Key with the fingerprint of its message: its
// binary form, so that JSON and binary calls can be the same.
func idempotency(ctx context.Context, req proto.Message) (gateway.Idempotency, error) {
	info, ok := connect.CallInfoForHandlerContext(ctx)
	if !ok {
		return gateway.Idempotency{}, nil
	}
	keys := info.RequestHeader().Values("Idempotency-Key")
	if len(keys) == 0 {
		return gateway.Idempotency{}, nil
	}
	if len(keys) > 1 {
		return gateway.Idempotency{}, pay.RefuseField(pay.InvalidIdempotencyKey, "Idempotency-Key", "must be sent once, got %d", len(keys))
	}
	if err := pay.CheckIdempotencyKey(keys[0]); err != nil {
		return gateway.Idempotency{}, err
	}
	canonical, err := proto.MarshalOptions{Deterministic: true}.Marshal(req)
	return gateway.Idempotency{Key: keys[0], Fingerprint: sha256.Sum256(canonical)}, err
}

func tellReplayed(ctx context.Context, replayed bool) {
	if info, ok := connect.CallInfoForHandlerContext(ctx); ok && replayed {
		info.ResponseHeader().Set("Idempotent-Replayed", "true")
	}
}

// NextCursorHeader carries the cursor of a list's next page to where REST makes a Link of
// it; FeedCursorHeader says where the feed goes on, whether there is a next page yet or not.
const (
	NextCursorHeader = "X-Next-Page"
	FeedCursorHeader = "X-Next-Cursor"
)

// tellPage puts beside a list what a REST answer, which is a bare array, has no room for.
func tellPage(ctx context.Context, total int32, next *string) {
	info, ok := connect.CallInfoForHandlerContext(ctx)
	if !ok {
		return
	}
	info.ResponseHeader().Set("X-Total-Count", strconv.Itoa(int(total)))
	if next != nil {
		info.ResponseHeader().Set(NextCursorHeader, *next)
	}
}

// tellFeed puts beside a part of the feed where to go on, now or later.
func tellFeed(ctx context.Context, feed *payv1.ListEventsResponse) {
	if info, ok := connect.CallInfoForHandlerContext(ctx); ok {
		info.ResponseHeader().Set(FeedCursorHeader, feed.GetNextCursor())
		if feed.GetHasMore() {
			info.ResponseHeader().Set(NextCursorHeader, feed.GetNextCursor())
		}
	}
}
