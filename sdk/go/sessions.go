package coinslot

import (
	"context"
	"iter"

	"google.golang.org/protobuf/proto"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/gen/pay/v1/payv1connect"
)

// Sessions are offers of one item to one player.
type Sessions struct {
	*caller
	rpc    payv1connect.PaymentServiceClient
	events payv1connect.EventServiceClient
}

// Create offers one item to one player. Send the player to the session's Url.
func (s *Sessions) Create(ctx context.Context, req *CreateSessionRequest, opts ...CallOption) (*Session, error) {
	res, err := change(ctx, s.caller, s.rpc.CreateSession, req, opts)
	return res.GetSession(), err
}

// Get returns a session as it is at this moment.
func (s *Sessions) Get(ctx context.Context, req *GetSessionRequest) (*Session, error) {
	res, err := read(ctx, s.caller, s.rpc.GetSession, req)
	return res.GetSession(), err
}

// Status returns the status of a session and nothing else: pending until it is paid,
// failed, cancelled or expired for good.
func (s *Sessions) Status(ctx context.Context, req *GetSessionStatusRequest) (*GetSessionStatusResponse, error) {
	return read(ctx, s.caller, s.rpc.GetSessionStatus, req)
}

// List returns one page of a game's sessions, newest first.
func (s *Sessions) List(ctx context.Context, req *ListSessionsRequest) (*ListSessionsResponse, error) {
	return read(ctx, s.caller, s.rpc.ListSessions, req)
}

// All returns every session that List would, asking for a page when it is needed. An
// error ends it.
func (s *Sessions) All(ctx context.Context, req *ListSessionsRequest) iter.Seq2[*Session, error] {
	return all(req, func(r *ListSessionsRequest) ([]*Session, *string, error) {
		page, err := s.List(ctx, r)
		return page.GetSessions(), following(page), err
	}, func(r *ListSessionsRequest, cursor string) { r.Cursor, r.Offset = &cursor, nil })
}

// Cancel withdraws an offer that nobody has paid for.
func (s *Sessions) Cancel(ctx context.Context, req *CancelSessionRequest, opts ...CallOption) error {
	_, err := change(ctx, s.caller, s.rpc.CancelSession, req, opts)
	return err
}

// Watch returns a session as it is now, and then after each change, until its status is
// final: it need not be asked for again and again. Changes that follow each other closely
// can come as one.
//
// It ends earlier with ctx, or with an error that trying again does not help. A connection
// that breaks is made anew; only the first is given up on, after as many attempts as
// WithRetries allows.
func (s *Sessions) Watch(ctx context.Context, req *WatchSessionRequest) iter.Seq2[*Session, error] {
	return func(yield func(*Session, error) bool) {
		var last *Session
		failed := watch(ctx, s.caller, s.events.WatchSession, func() *WatchSessionRequest { return req }, func(told *payv1.WatchSessionResponse) bool {
			now := told.GetSession()
			if now == nil || proto.Equal(now, last) { // a heartbeat, or told again by another connection
				return true
			}
			last = now
			return yield(now, nil) && now.GetStatus() == "pending"
		})
		if failed != nil {
			yield(nil, failed)
		}
	}
}
