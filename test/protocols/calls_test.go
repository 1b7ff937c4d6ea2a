package protocols

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// calls are the methods of the three services, each with a documented call of it. player
// is somebody of whom nobody has heard before.
var calls = []struct {
	method string
	manual bool // in the game that captures by hand
	make   func(t *testing.T, s *shop, c client, player string)
}{
	{method: "CreateSession", make: createSession},
	{method: "CancelSession", make: cancelSession},
	{method: "GetSession", make: getSession},
	{method: "GetSessionStatus", make: getSessionStatus},
	{method: "ListSessions", make: listSessions},
	{method: "GetPayment", make: getPayment},
	{method: "ListPayments", make: listPayments},
	{method: "CompletePayment", make: completePayment, manual: true},
	{method: "CancelPayment", make: cancelPayment, manual: true},
	{method: "CreateRefund", make: createRefund},
	{method: "GetRefund", make: getRefund},
	{method: "ListRefunds", make: listRefunds},
	{method: "GetEvent", make: getEvent},
	{method: "ListEvents", make: listEvents},
	{method: "WatchEvents", make: watchEvents},
	{method: "WatchSession", make: watchSession},
	{method: "AcknowledgeEvents", make: acknowledgeEvents},
}

// reads says whether a method changes nothing, so that Connect clients may use GET.
func reads(m protoreflect.MethodDescriptor) bool {
	return m.Options().(*descriptorpb.MethodOptions).GetIdempotencyLevel() == descriptorpb.MethodOptions_NO_SIDE_EFFECTS
}

// repeatable says whether a method changes something, but nothing more when it is called
// again: it takes no idempotency key.
func repeatable(m protoreflect.MethodDescriptor) bool {
	return m.Options().(*descriptorpb.MethodOptions).GetIdempotencyLevel() == descriptorpb.MethodOptions_IDEMPOTENT
}

func TestEveryDocumentedCallOverEveryProtocol(t *testing.T) {
	s := openShop(t)
	all := methods()
	if len(calls) != len(all) {
		t.Fatalf("%d methods are called here, but there are %d", len(calls), len(all))
	}
	made := table{}
	for i, method := range all {
		call := calls[i]
		if call.method != string(method.Name()) {
			t.Fatalf("%s is called in the place of %s", call.method, method.Name())
		}
		t.Run(call.method, func(t *testing.T) {
			for _, p := range protocols {
				t.Run(p.name, func(t *testing.T) {
					key := s.key
					if call.manual {
						key = s.manualKey
					}
					switch {
					case p.rest && method.IsStreamingServer():
						if to := pathOf(method); to.template != "" {
							t.Errorf("the contract has %s for a stream", to)
						}
						made.note(t, method, p, cannot)
						return
					case p.getsReads && !p.rest && !reads(method):
						s.refusesGet(t, method, key)
						made.note(t, method, p, cannot)
						return
					}
					c, w := s.client(t, p, key)
					call.make(t, s, c, call.method+" over "+p.name)
					w.looksLike(t, p, method)
					made.note(t, method, p, w.sent.Method)
				})
			}
		})
	}
	t.Run("as documented", made.isDocumented)
}

// refusesGet checks that what changes something cannot be asked for by GET.
func (s *shop) refusesGet(t *testing.T, m protoreflect.MethodDescriptor, key string) {
	t.Helper()
	res, body := coinslottest.Ask(t, key, http.MethodGet, s.plain.URL+procedure(m)+"?connect=v1&encoding=json&message=%7B%7D", "")
	if res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("%s: %s", res.Status, body)
	}
}

// picture is a PNG of one pixel.
const picture = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

func order(game, player string) *payv1.CreateSessionRequest {
	return &payv1.CreateSessionRequest{
		GameId: game, UserId: player, ReturnUrl: "mygame://payment-complete",
		Item: &payv1.Item{Title: "50 Gold Coins", Price: 499, Currency: "USD"},
	}
}

// bought is what a session of order looks like, times aside.
func bought(id, status, player string) *payv1.Session {
	return &payv1.Session{
		Id: id, Url: coinslottest.PublicURL + "/pay/" + id, Status: status, GameId: "space_shooter", UserId: player,
		Item:      &payv1.Item{Title: "50 Gold Coins", Price: 499, Currency: "USD", Exponent: 2},
		ReturnUrl: "mygame://payment-complete", Environment: "sandbox",
	}
}

// create makes a session without any wire.
func (s *shop) create(t *testing.T, key, game, player string) pay.SessionID {
	t.Helper()
	caller, err := s.Gateway.Authenticate(key)
	if err != nil {
		t.Fatal(err)
	}
	session, _, err := s.Gateway.CreateSession(t.Context(), caller, pay.Order{
		Game: pay.GameID(game), User: pay.UserID(player), ReturnURL: "mygame://payment-complete",
		Item: &pay.ItemOrder{Title: "50 Gold Coins", Price: 499, Currency: "USD"},
	}, gateway.Idempotency{})
	if err != nil {
		t.Fatal(err)
	}
	return session.ID
}

// buy makes a session and pays it with Apple Pay.
func (s *shop) buy(t *testing.T, key, game, player string) gateway.Checkout {
	t.Helper()
	done, err := s.Gateway.Pay(t.Context(), s.create(t, key, game, player), gateway.Tender{Method: pay.MethodApplePay, Token: "tok_approved"})
	if err != nil || done.Payment == nil {
		t.Fatal(done, err)
	}
	return done
}

// times are left out where an entity is compared; the flat answers are compared with theirs.
var times = cmp.Options{
	protocmp.IgnoreFields(&payv1.Session{}, "created_at", "expires_at", "paid_at"),
	protocmp.IgnoreFields(&payv1.Payment{}, "created_at", "succeeded_at"),
	protocmp.IgnoreFields(&payv1.Refund{}, "created_at", "succeeded_at"),
	protocmp.IgnoreFields(&payv1.Event{}, "timestamp"),
}

// same checks an answer against all that the protocol can show of it.
func (c client) same(t *testing.T, want, got proto.Message) {
	t.Helper()
	if diff := cmp.Diff(c.shown(t, want), got, protocmp.Transform(), times); diff != "" {
		t.Errorf("the answer differs (-want +got):\n%s", diff)
	}
}

func createSession(t *testing.T, _ *shop, c client, player string) {
	asked := order("space_shooter", player)
	asked.Item.Image = proto.String(picture)
	got, err := c.CreateSession(t.Context(), asked)
	if err != nil {
		t.Fatal(err)
	}
	id, image := got.GetSession().GetId(), got.GetSession().GetItem().GetImage()
	if !strings.HasPrefix(image, coinslottest.PublicURL+"/pay/images/") || !strings.HasPrefix(id, "sess_") {
		t.Errorf("id %q, image %q", id, image)
	}
	want := bought(id, "pending", player)
	want.Item.Image = proto.String(image)
	c.same(t, &payv1.CreateSessionResponse{Id: want.Id, Url: want.Url, Session: want}, got)
}

func getSession(t *testing.T, s *shop, c client, player string) {
	done := s.buy(t, s.key, "space_shooter", player)
	got, err := c.GetSession(t.Context(), &payv1.GetSessionRequest{Id: string(done.Session.ID)})
	if err != nil {
		t.Fatal(err)
	}
	want := bought(string(done.Session.ID), "paid", player)
	want.PaymentId = proto.String(string(done.Payment.ID))
	c.same(t, &payv1.GetSessionResponse{
		Session: want, Id: want.Id, Status: "paid", PaymentId: want.PaymentId, UserId: player, GameId: want.GameId, Item: want.Item,
		CreatedAt: timestamppb.New(done.Session.CreatedAt), PaidAt: timestamppb.New(done.Session.PaidAt),
	}, got)
}

func getSessionStatus(t *testing.T, s *shop, c client, player string) {
	done := s.buy(t, s.key, "space_shooter", player)
	got, err := c.GetSessionStatus(t.Context(), &payv1.GetSessionStatusRequest{Id: string(done.Session.ID)})
	if err != nil {
		t.Fatal(err)
	}
	c.same(t, &payv1.GetSessionStatusResponse{Id: string(done.Session.ID), Status: "paid"}, got)
}

func cancelSession(t *testing.T, s *shop, c client, player string) {
	id := s.create(t, s.key, "space_shooter", player)
	got, err := c.CancelSession(t.Context(), &payv1.CancelSessionRequest{Id: string(id)})
	if err != nil {
		t.Fatal(err)
	}
	c.same(t, &payv1.CancelSessionResponse{}, got)
	if page, err := s.Gateway.Checkout(t.Context(), id); err != nil || page.Session.Status != pay.SessionCancelled {
		t.Errorf("the session is %s, %v", page.Session.Status, err)
	}
}

// receipt is what a payment of buy looks like, times aside.
func receipt(done gateway.Checkout) *payv1.Payment {
	return &payv1.Payment{
		Id: string(done.Payment.ID), SessionId: string(done.Session.ID), Status: "succeeded", Amount: 499, Currency: "USD",
		Method: "apple_pay", Details: "50 Gold Coins", Exponent: 2,
		GameId: "space_shooter", UserId: string(done.Session.User), Environment: "sandbox",
	}
}

func getPayment(t *testing.T, s *shop, c client, player string) {
	done := s.buy(t, s.key, "space_shooter", player)
	got, err := c.GetPayment(t.Context(), &payv1.GetPaymentRequest{Id: string(done.Payment.ID)})
	if err != nil {
		t.Fatal(err)
	}
	c.same(t, &payv1.GetPaymentResponse{
		Payment: receipt(done), Id: string(done.Payment.ID), SessionId: string(done.Session.ID), Status: "succeeded",
		Amount: 499, Currency: "USD", Method: "apple_pay", Details: "50 Gold Coins",
		CreatedAt: timestamppb.New(done.Payment.CreatedAt), SucceededAt: timestamppb.New(done.Payment.SucceededAt),
	}, got)
}

func listSessions(t *testing.T, s *shop, c client, player string) {
	done := s.buy(t, s.key, "space_shooter", player)
	s.create(t, s.key, "space_shooter", player) // pending, so not in the list
	got, err := c.ListSessions(t.Context(), &payv1.ListSessionsRequest{
		GameId: "space_shooter", UserId: &player, Status: proto.String("paid"), Limit: proto.Int32(50), Offset: proto.Int32(0),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := bought(string(done.Session.ID), "paid", player)
	want.PaymentId = proto.String(string(done.Payment.ID))
	c.same(t, &payv1.ListSessionsResponse{Sessions: []*payv1.Session{want}, Total: 1}, got)
}

func listPayments(t *testing.T, s *shop, c client, player string) {
	done := s.buy(t, s.key, "space_shooter", player)
	got, err := c.ListPayments(t.Context(), &payv1.ListPaymentsRequest{
		GameId: "space_shooter", UserId: &player, Limit: proto.Int32(50), Offset: proto.Int32(0),
	})
	if err != nil {
		t.Fatal(err)
	}
	c.same(t, &payv1.ListPaymentsResponse{Payments: []*payv1.Payment{receipt(done)}, Total: 1}, got)
}

func completePayment(t *testing.T, s *shop, c client, player string) {
	held := s.buy(t, s.manualKey, "chess", player)
	for range 2 { // completing a succeeded payment again is a success
		got, err := c.CompletePayment(t.Context(), &payv1.CompletePaymentRequest{Id: string(held.Payment.ID)})
		if err != nil {
			t.Fatal(err)
		}
		c.same(t, &payv1.CompletePaymentResponse{}, got)
	}
	s.standsAt(t, held, pay.SessionPaid, pay.PaymentSucceeded)
}

func cancelPayment(t *testing.T, s *shop, c client, player string) {
	held := s.buy(t, s.manualKey, "chess", player)
	got, err := c.CancelPayment(t.Context(), &payv1.CancelPaymentRequest{Id: string(held.Payment.ID)})
	if err != nil {
		t.Fatal(err)
	}
	c.same(t, &payv1.CancelPaymentResponse{}, got)
	s.standsAt(t, held, pay.SessionCancelled, pay.PaymentCancelled)
}

// standsAt checks what became of a payment that was held.
func (s *shop) standsAt(t *testing.T, held gateway.Checkout, session pay.SessionStatus, payment pay.PaymentStatus) {
	t.Helper()
	if held.Payment.Status != pay.PaymentAuthorized {
		t.Errorf("the payment began as %s", held.Payment.Status)
	}
	now, err := s.Gateway.Checkout(t.Context(), held.Session.ID)
	if err != nil || now.Session.Status != session || now.Payment.Status != payment {
		t.Errorf("the session is %s and the payment %s, want %s and %s (%v)", now.Session.Status, now.Payment.Status, session, payment, err)
	}
}
