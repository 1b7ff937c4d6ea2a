package protocols

import (
	"errors"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/gen/pay/v1/payv1connect"
)

// refusals are calls that go wrong, in each place where a call can.
var refusals = []struct {
	name string
	key  string // in place of the good one
	make func(t *testing.T, c payv1connect.PaymentServiceClient) error
	want connect.Code
	code string
}{
	{
		"a key that is none", "sk_sandbox_nonsense",
		func(t *testing.T, c payv1connect.PaymentServiceClient) error {
			_, err := c.CreateSession(t.Context(), order("space_shooter", "p"))
			return err
		}, connect.CodeUnauthenticated, "unauthorized",
	},
	{
		"a price of nothing", "",
		func(t *testing.T, c payv1connect.PaymentServiceClient) error {
			asked := order("space_shooter", "p")
			asked.Item.Price = 0
			_, err := c.CreateSession(t.Context(), asked)
			return err
		}, connect.CodeInvalidArgument, "invalid_price",
	},
	{
		"a session that is not there", "",
		func(t *testing.T, c payv1connect.PaymentServiceClient) error {
			_, err := c.GetSession(t.Context(), &payv1.GetSessionRequest{Id: "sess_nowhere"})
			return err
		}, connect.CodeNotFound, "session_not_found",
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
					refusedAs(t, r.make(t, c), r.want, r.code)
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

// refusedAs checks an error's status and its one detail, whose message is the error's own.
func refusedAs(t *testing.T, err error, want connect.Code, code string) {
	t.Helper()
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
