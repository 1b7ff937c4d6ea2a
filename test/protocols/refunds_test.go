package protocols

import (
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// refund returns a part of a payment without any wire.
func (s *shop) refund(t *testing.T, payment pay.PaymentID, amount int64) pay.Refund {
	t.Helper()
	caller, err := s.Gateway.Authenticate(s.key)
	if err != nil {
		t.Fatal(err)
	}
	refund, _, err := s.Gateway.CreateRefund(t.Context(), caller, pay.RefundOrder{Payment: payment, Amount: &amount, Reason: "wrong item"}, gateway.Idempotency{})
	if err != nil {
		t.Fatal(err)
	}
	return refund
}

// returned is what a refund of 200 for a wrong item looks like, times aside.
func returned(id string, payment pay.PaymentID) *payv1.Refund {
	return &payv1.Refund{
		Id: id, PaymentId: string(payment), Status: "succeeded", Reason: proto.String("wrong item"),
		Amount: 200, Currency: "USD", Exponent: 2,
	}
}

func createRefund(t *testing.T, s *shop, c client, player string) {
	done := s.buy(t, s.key, "space_shooter", player)
	got, err := c.CreateRefund(t.Context(), &payv1.CreateRefundRequest{
		PaymentId: string(done.Payment.ID), Amount: proto.Int32(200), Reason: proto.String("wrong item"),
	})
	if err != nil {
		t.Fatal(err)
	}
	c.same(t, &payv1.CreateRefundResponse{Id: got.GetRefund().GetId(), Refund: returned(got.GetRefund().GetId(), done.Payment.ID)}, got)

	rest, err := c.CreateRefund(t.Context(), &payv1.CreateRefundRequest{PaymentId: string(done.Payment.ID)})
	if err != nil || rest.GetRefund().GetAmount() != 299 || rest.GetRefund().Reason != nil {
		t.Errorf("of 499, 200 of them returned: %v, %v", rest, err)
	}
	now, err := s.Gateway.Checkout(t.Context(), done.Session.ID)
	if err != nil || now.Payment.Status != pay.PaymentRefunded || now.Payment.Refunded != 499 {
		t.Errorf("the payment is %s with %d refunded, %v", now.Payment.Status, now.Payment.Refunded, err)
	}
}

func getRefund(t *testing.T, s *shop, c client, player string) {
	done := s.buy(t, s.key, "space_shooter", player)
	refund := s.refund(t, done.Payment.ID, 200)
	got, err := c.GetRefund(t.Context(), &payv1.GetRefundRequest{Id: string(refund.ID)})
	if err != nil {
		t.Fatal(err)
	}
	c.same(t, &payv1.GetRefundResponse{
		Refund: returned(string(refund.ID), done.Payment.ID),
		Id:     string(refund.ID), PaymentId: string(done.Payment.ID), Status: "succeeded", Reason: proto.String("wrong item"),
		CreatedAt: timestamppb.New(refund.CreatedAt), SucceededAt: timestamppb.New(refund.SucceededAt),
	}, got)
}

func listRefunds(t *testing.T, s *shop, c client, player string) {
	done := s.buy(t, s.key, "space_shooter", player)
	refund := s.refund(t, done.Payment.ID, 200)
	s.refund(t, s.buy(t, s.key, "space_shooter", player).Payment.ID, 200) // of another payment, so not in the list
	got, err := c.ListRefunds(t.Context(), &payv1.ListRefundsRequest{
		GameId: proto.String("space_shooter"), PaymentId: proto.String(string(done.Payment.ID)), Status: proto.String("succeeded"),
		Limit: proto.Int32(50), Offset: proto.Int32(0),
	})
	if err != nil {
		t.Fatal(err)
	}
	c.same(t, &payv1.ListRefundsResponse{Refunds: []*payv1.Refund{returned(string(refund.ID), done.Payment.ID)}, Total: 1}, got)
}

// happened is what the store has of a session's events, oldest first.
func (s *shop) happened(t *testing.T, id pay.SessionID) (events []pay.Event) {
	t.Helper()
	if err := s.Store.View(t.Context(), func(r store.Reader) (err error) {
		events, err = r.SessionEvents(id)
		return err
	}); err != nil || len(events) == 0 {
		t.Fatal(events, err)
	}
	return events
}

// opened is the event that a session of order begins with, its time aside.
func opened(id string, session pay.SessionID, player string) *payv1.Event {
	return &payv1.Event{
		Id: id, Event: "session.created", Type: "session.created", Environment: "sandbox", Sequence: 1,
		Data: &payv1.EventData{
			SessionId: proto.String(string(session)), GameId: proto.String("space_shooter"), UserId: proto.String(player),
			Session: bought(string(session), "pending", player),
		},
	}
}

func getEvent(t *testing.T, s *shop, c client, player string) {
	session := s.create(t, s.key, "space_shooter", player)
	id := string(s.happened(t, session)[0].ID)
	got, err := c.GetEvent(t.Context(), &payv1.GetEventRequest{Id: id})
	if err != nil {
		t.Fatal(err)
	}
	c.same(t, &payv1.GetEventResponse{Event: opened(id, session, player)}, got)
}

func listEvents(t *testing.T, s *shop, c client, player string) {
	session := s.buy(t, s.key, "space_shooter", player).Session.ID
	id := string(s.happened(t, session)[0].ID)
	got, err := c.ListEvents(t.Context(), &payv1.ListEventsRequest{
		GameId: proto.String("space_shooter"), SessionId: proto.String(string(session)),
		Types: []string{"session.created", "session.cancelled"}, Limit: proto.Int32(50),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.GetNextCursor() == "" {
		t.Error("the last page does not say where to go on")
	}
	c.same(t, &payv1.ListEventsResponse{Events: []*payv1.Event{opened(id, session, player)}, NextCursor: got.GetNextCursor()}, got)
}
