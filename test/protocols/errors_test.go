package protocols

import (
	"errors"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
)

// refusals are calls that go wrong, in each place where a call can.
var refusals = []struct {
	name string
	key  string // in place of the good one
	make func(t *testing.T, s *shop, c client) error
	want connect.Code
	code string
}{
	{
		"a key that is none", "sk_sandbox_nonsense",
		func(t *testing.T, _ *shop, c client) error {
			_, err := c.CreateSession(t.Context(), order("space_shooter", "p"))
			return err
		}, connect.CodeUnauthenticated, "unauthorized",
	},
	{
		"a price of nothing", "",
		func(t *testing.T, _ *shop, c client) error {
			asked := order("space_shooter", "p")
			asked.Item.Price = 0
			_, err := c.CreateSession(t.Context(), asked)
			return err
		}, connect.CodeInvalidArgument, "invalid_price",
	},
	{
		"a session that is not there", "",
		func(t *testing.T, _ *shop, c client) error {
			_, err := c.GetSession(t.Context(), &payv1.GetSessionRequest{Id: "sess_nowhere"})
			return err
		}, connect.CodeNotFound, "session_not_found",
	},
	{
		"more money back than there was", "",
		func(t *testing.T, s *shop, c client) error {
			done := s.buy(t, s.key, "space_shooter", "p")
			_, err := c.CreateRefund(t.Context(), &payv1.CreateRefundRequest{PaymentId: string(done.Payment.ID), Amount: proto.Int32(500)})
			return err
		}, connect.CodeInvalidArgument, "invalid_amount",
	},
	{
		"money back that has gone back", "",
		func(t *testing.T, s *shop, c client) error {
			done := s.buy(t, s.key, "space_shooter", "p")
			s.refund(t, done.Payment.ID, 499)
			_, err := c.CreateRefund(t.Context(), &payv1.CreateRefundRequest{PaymentId: string(done.Payment.ID)})
			return err
		}, connect.CodeFailedPrecondition, "already_refunded",
	},
	{
		"money back of a payment that is held", "",
		func(t *testing.T, s *shop, c client) error {
			held := s.buy(t, s.manualKey, "chess", "p")
			c, _ = s.client(t, c.protocol, s.manualKey)
			_, err := c.CreateRefund(t.Context(), &payv1.CreateRefundRequest{PaymentId: string(held.Payment.ID)})
			return err
		}, connect.CodeFailedPrecondition, "refund_not_allowed",
	},
	{
		"money back of somebody else's payment", "",
		func(t *testing.T, s *shop, c client) error {
			held := s.buy(t, s.manualKey, "chess", "p")
			_, err := c.CreateRefund(t.Context(), &payv1.CreateRefundRequest{PaymentId: string(held.Payment.ID)})
			return err
		}, connect.CodeNotFound, "payment_not_found",
	},
	{
		"a refund that is not there", "",
		func(t *testing.T, _ *shop, c client) error {
			_, err := c.GetRefund(t.Context(), &payv1.GetRefundRequest{Id: "ref_nowhere"})
			return err
		}, connect.CodeNotFound, "refund_not_found",
	},
	{
		"refunds of no status that there is", "",
		func(t *testing.T, _ *shop, c client) error {
			_, err := c.ListRefunds(t.Context(), &payv1.ListRefundsRequest{Status: proto.String("gone")})
			return err
		}, connect.CodeInvalidArgument, "invalid_status",
	},
	{
		"an event that is not there", "",
		func(t *testing.T, _ *shop, c client) error {
			_, err := c.GetEvent(t.Context(), &payv1.GetEventRequest{Id: "01890a5d-ac96-774b-bcce-b302099a8057"})
			return err
		}, connect.CodeNotFound, "event_not_found",
	},
	{
		"events from nowhere on", "",
		func(t *testing.T, _ *shop, c client) error {
			_, err := c.ListEvents(t.Context(), &payv1.ListEventsRequest{Cursor: proto.String("nowhere")})
			return err
		}, connect.CodeInvalidArgument, "invalid_cursor",
	},
}

func TestErrorsCarryTheDocumentedCodeOverEveryProtocol(t *testing.T) {
	s := openShop(t)
	for _, r := range refusals {
		t.Run(r.name, func(t *testing.T) {
			for _, p := range protocols {
				t.Run(p.name, func(t *testing.T) {
					key := s.key
					if r.key != "" {
						key = r.key
					}
					c, _ := s.client(t, p, key)
					refusedAs(t, r.make(t, s, c), r.want, r.code)
				})
			}
		})
	}
}

// Over HTTP/1.1 a client that is still sending may miss the answer, so there only
// what is short until it is unpacked is sent.
func TestTooLongAMessageIsRefusedOverEveryProtocol(t *testing.T) {
	s := openShop(t)
	asked := order("space_shooter", strings.Repeat("x", 9<<20))
	for _, p := range protocols {
		if !p.http2 && !strings.HasSuffix(p.name, "gzip") {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			c, _ := s.client(t, p, s.key)
			_, err := c.CreateSession(t.Context(), asked)
			refusedAs(t, err, connect.CodeResourceExhausted, "invalid_request")
		})
	}
}

// refusedAs checks an error's status and its one detail, whose message is the error's own;
// of a REST error the status, code and message, which are all that there is.
func refusedAs(t *testing.T, err error, want connect.Code, code string) {
	t.Helper()
	var byREST *restRefusal
	if errors.As(err, &byREST) {
		if byREST.status != restStatus[want] || byREST.Code != code || byREST.Message == "" {
			t.Errorf("got %v, want %d %s and a message", byREST, restStatus[want], code)
		}
		return
	}
	var refused *connect.Error
	if !errors.As(err, &refused) || refused.Code() != want {
		t.Fatalf("got %v, want %v", err, want)
	}
	if len(refused.Details()) != 1 {
		t.Fatalf("%v has %d details, want 1", err, len(refused.Details()))
	}
	detail, err := refused.Details()[0].Value()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&payv1.Error{Code: code, Message: refused.Message()}, detail, protocmp.Transform()); diff != "" {
		t.Errorf("the detail differs (-want +got):\n%s", diff)
	}
}
