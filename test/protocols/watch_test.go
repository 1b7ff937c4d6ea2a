package protocols

import (
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
)

// next is what a stream tells next.
func next[T any](t *testing.T, stream *connect.ServerStreamForClient[T]) *T {
	t.Helper()
	if !stream.Receive() {
		t.Fatalf("the stream has ended: %v", stream.Err())
	}
	return stream.Msg()
}

func watchSession(t *testing.T, s *shop, c client, player string) {
	id := s.create(t, s.key, "space_shooter", player)
	stream, err := c.WatchSession(t.Context(), &payv1.WatchSessionRequest{Id: string(id)})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	c.same(t, &payv1.WatchSessionResponse{Session: bought(string(id), "pending", player)}, next(t, stream))
	done, err := s.Gateway.Pay(t.Context(), id, gateway.Tender{Method: pay.MethodApplePay, Token: "tok_approved"})
	if err != nil {
		t.Fatal(err)
	}
	told := next(t, stream)
	for told.GetSession().GetStatus() == "pending" { // the payment has begun
		told = next(t, stream)
	}
	paid := bought(string(id), "paid", player)
	paid.PaymentId = proto.String(string(done.Payment.ID))
	c.same(t, &payv1.WatchSessionResponse{Session: paid}, told)
	if stream.Receive() || stream.Err() != nil {
		t.Errorf("after the session is final comes %v, %v", stream.Msg(), stream.Err())
	}
}

func watchEvents(t *testing.T, s *shop, c client, player string) {
	id := s.create(t, s.key, "space_shooter", player)
	stream, err := c.WatchEvents(t.Context(), &payv1.WatchEventsRequest{
		GameId: proto.String("space_shooter"), SessionId: proto.String(string(id)), Types: []string{"session.created", "session.cancelled"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	past := next(t, stream)
	c.same(t, &payv1.WatchEventsResponse{
		Event: opened(string(s.happened(t, id)[0].ID), id, player), NextCursor: past.GetNextCursor(),
	}, past)
	if now := next(t, stream); now.GetEvent() != nil || now.GetNextCursor() != past.GetNextCursor() {
		t.Errorf("after what was there comes %v", now)
	}
	s.cancel(t, id)
	if live := next(t, stream); live.GetEvent().GetType() != "session.cancelled" || live.GetNextCursor() == past.GetNextCursor() {
		t.Errorf("a change is told as %v", live)
	}
}

func (s *shop) cancel(t *testing.T, id pay.SessionID) {
	t.Helper()
	caller, err := s.Gateway.Authenticate(s.key)
	if err == nil {
		_, err = s.Gateway.CancelSession(t.Context(), caller, id, gateway.Idempotency{})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// What is acknowledged again does no harm.
func acknowledgeEvents(t *testing.T, s *shop, c client, player string) {
	id := s.create(t, s.key, "space_shooter", player)
	ask := &payv1.ListEventsRequest{SessionId: proto.String(string(id)), Consumer: proto.String(strings.ReplaceAll(player, " ", "_"))}
	feed, err := c.ListEvents(t.Context(), ask)
	if err != nil || len(feed.GetEvents()) != 1 {
		t.Fatal(feed, err)
	}
	s.cancel(t, id)
	acknowledge := func() {
		t.Helper()
		got, err := c.AcknowledgeEvents(t.Context(), &payv1.AcknowledgeEventsRequest{Consumer: ask.GetConsumer(), Cursor: feed.GetNextCursor()})
		if err != nil {
			t.Fatal(err)
		}
		c.same(t, &payv1.AcknowledgeEventsResponse{Cursor: feed.GetNextCursor()}, got)
	}
	acknowledge()
	since, err := c.ListEvents(t.Context(), ask)
	if err != nil || len(since.GetEvents()) != 1 || since.GetEvents()[0].GetType() != "session.cancelled" {
		t.Errorf("since then %v, %v", since, err)
	}
	acknowledge()
}
