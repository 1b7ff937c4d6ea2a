package coinslot_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	coinslot "github.com/coinslot/coinslot/sdk/go"
)

func TestASessionFromCheckoutToPaid(t *testing.T) {
	c := newGame(t, "sold")
	s := checkout(t, c, coins("sold"))
	if s.Status != "pending" || s.Url == "" || s.Item.Price != 499 {
		t.Errorf("the new session is %v", s)
	}
	if got, err := c.Sessions.Get(t.Context(), &coinslot.GetSessionRequest{Id: s.Id}); err != nil || !cmp.Equal(got, s, protocmp.Transform()) {
		t.Errorf("Get: %v, %v", got, err)
	}
	run(t, "sandbox", "pay", s.Id)
	status, err := c.Sessions.Status(t.Context(), &coinslot.GetSessionStatusRequest{Id: s.Id})
	if err != nil || status.Id != s.Id || status.Status != "paid" {
		t.Errorf("Status: %v, %v", status, err)
	}
	s, err = c.Sessions.Get(t.Context(), &coinslot.GetSessionRequest{Id: s.Id})
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Payments.Get(t.Context(), &coinslot.GetPaymentRequest{Id: s.GetPaymentId()})
	if err != nil || p.Status != "succeeded" || p.SessionId != s.Id || p.Amount != 499 {
		t.Errorf("Get payment: %v, %v", p, err)
	}
}

func TestADeclinedPaymentTellsItsFailure(t *testing.T) {
	c := newGame(t, "declined")
	s := checkout(t, c, coins("declined"))
	run(t, "sandbox", "pay", s.Id, "--card", "4000000000000002")
	s, err := c.Sessions.Get(t.Context(), &coinslot.GetSessionRequest{Id: s.Id})
	if err != nil || s.Status != "failed" {
		t.Fatalf("Get: %v, %v", s, err)
	}
	p, err := c.Payments.Get(t.Context(), &coinslot.GetPaymentRequest{Id: s.GetPaymentId()})
	if err != nil || p.GetError().GetCode() != coinslot.FailureCardDeclined {
		t.Errorf("Get payment: %v, %v", p, err)
	}
}

func TestCancel(t *testing.T) {
	c := newGame(t, "cancelled")
	s := checkout(t, c, coins("cancelled"))
	for range 2 { // cancelling again is a success
		if err := c.Sessions.Cancel(t.Context(), &coinslot.CancelSessionRequest{Id: s.Id}); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := c.Sessions.Get(t.Context(), &coinslot.GetSessionRequest{Id: s.Id}); err != nil || got.Status != "cancelled" {
		t.Errorf("Get: %v, %v", got, err)
	}
}

func TestManualCapture(t *testing.T) {
	c := newGame(t, "captured", "--capture", "manual")
	authorize := func() string {
		s := checkout(t, c, coins("captured"))
		run(t, "sandbox", "pay", s.Id)
		s, err := c.Sessions.Get(t.Context(), &coinslot.GetSessionRequest{Id: s.Id})
		if err != nil {
			t.Fatal(err)
		}
		return s.GetPaymentId()
	}
	taken, released := authorize(), authorize()
	if err := c.Payments.Complete(t.Context(), &coinslot.CompletePaymentRequest{Id: taken}); err != nil {
		t.Error(err)
	}
	if err := c.Payments.Cancel(t.Context(), &coinslot.CancelPaymentRequest{Id: released}); err != nil {
		t.Error(err)
	}
	for id, want := range map[string]string{taken: "succeeded", released: "cancelled"} {
		if p, err := c.Payments.Get(t.Context(), &coinslot.GetPaymentRequest{Id: id}); err != nil || p.Status != want {
			t.Errorf("the payment is %v, want %s (%v)", p, want, err)
		}
	}
	err := c.Payments.Complete(t.Context(), &coinslot.CompletePaymentRequest{Id: released})
	wantCode(t, err, coinslot.CodePaymentNotAuthorized)
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var refused *coinslot.Error
	if !errors.As(err, &refused) || refused.Code != code {
		t.Errorf("the error is %v, want %s", err, code)
	}
}

func TestListsAndTheirPages(t *testing.T) {
	c := newGame(t, "listed")
	var made []string
	for i := range 5 {
		req := coins("listed")
		req.OrderId = new(fmt.Sprint("order-", i))
		s := checkout(t, c, req)
		run(t, "sandbox", "pay", s.Id)
		made = append(made, s.Id)
	}
	slices.Reverse(made) // newest first

	page, err := c.Sessions.List(t.Context(), &coinslot.ListSessionsRequest{GameId: "listed", Limit: new(int32(2))})
	if err != nil || len(page.Sessions) != 2 || page.Total != 5 || !page.HasMore {
		t.Errorf("List: %v, %v", page, err)
	}
	limited := &coinslot.ListSessionsRequest{GameId: "listed", Limit: new(int32(2))}
	sessions := c.Sessions.All(t.Context(), limited)
	for range 2 { // a sequence can be gone through again
		var got []string
		for s, err := range sessions {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, s.Id)
		}
		if diff := cmp.Diff(made, got); diff != "" {
			t.Errorf("All (-want +got):\n%s", diff)
		}
	}
	if limited.Cursor != nil {
		t.Error("All changed its caller's request")
	}
	var got []string
	for s, err := range c.Sessions.All(t.Context(), &coinslot.ListSessionsRequest{GameId: "listed", Limit: new(int32(2)), Offset: new(int32(1))}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, s.Id)
	}
	if diff := cmp.Diff(made[1:], got); diff != "" {
		t.Errorf("All from an offset (-want +got):\n%s", diff)
	}
	paid := map[string]bool{}
	for p, err := range c.Payments.All(t.Context(), &coinslot.ListPaymentsRequest{GameId: "listed", Limit: new(int32(2))}) {
		if err != nil {
			t.Fatal(err)
		}
		paid[p.SessionId] = true
	}
	if len(paid) != 5 {
		t.Errorf("All payments are of the sessions %v", paid)
	}
}

func TestAllEndsWithItsError(t *testing.T) {
	c := newGame(t, "erring")
	count := 0
	for s, err := range c.Sessions.All(t.Context(), &coinslot.ListSessionsRequest{GameId: "another"}) {
		count++
		wantCode(t, err, coinslot.CodeInvalidGameID)
		if s != nil {
			t.Errorf("there is a session with the error: %v", s)
		}
	}
	if count != 1 {
		t.Errorf("it was told %d times", count)
	}
}

// sold is the id of a new payment.
func sold(t *testing.T, c *coinslot.Client, game string) string {
	t.Helper()
	s := checkout(t, c, coins(game))
	run(t, "sandbox", "pay", s.Id)
	s, err := c.Sessions.Get(t.Context(), &coinslot.GetSessionRequest{Id: s.Id})
	if err != nil {
		t.Fatal(err)
	}
	return s.GetPaymentId()
}

func TestRefunds(t *testing.T) {
	c := newGame(t, "returned")
	payment := sold(t, c, "returned")
	part, err := c.Refund(t.Context(), &coinslot.CreateRefundRequest{PaymentId: payment, Amount: new(int32(199)), Reason: new("a part")})
	if err != nil || part.Amount != 199 || part.GetReason() != "a part" {
		t.Fatalf("Refund: %v, %v", part, err)
	}
	rest, err := c.Refund(t.Context(), &coinslot.CreateRefundRequest{PaymentId: payment})
	if err != nil || rest.Amount != 300 || rest.PaymentId != payment {
		t.Fatalf("Refund: %v, %v", rest, err)
	}
	_, err = c.Refund(t.Context(), &coinslot.CreateRefundRequest{PaymentId: payment})
	wantCode(t, err, coinslot.CodeAlreadyRefunded)
	got, err := c.Refunds.Get(t.Context(), &coinslot.GetRefundRequest{Id: part.Id})
	if err != nil || got.Status != "succeeded" || got.Amount != 199 {
		t.Errorf("Get: %v, %v", got, err)
	}
	p, err := c.Payments.Get(t.Context(), &coinslot.GetPaymentRequest{Id: payment})
	if err != nil || p.Status != "refunded" || p.RefundedAmount != 499 {
		t.Errorf("the payment is %v (%v)", p, err)
	}
	page, err := c.Refunds.List(t.Context(), &coinslot.ListRefundsRequest{PaymentId: &payment})
	if err != nil || len(page.Refunds) != 2 || page.Total != 2 {
		t.Errorf("List: %v, %v", page, err)
	}
	var ids []string
	for r, err := range c.Refunds.All(t.Context(), &coinslot.ListRefundsRequest{PaymentId: &payment, Limit: new(int32(1))}) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.Id)
	}
	if diff := cmp.Diff([]string{rest.Id, part.Id}, ids); diff != "" { // newest first
		t.Errorf("All (-want +got):\n%s", diff)
	}
}

func TestARefundWithTheSameKeyReturnsOnce(t *testing.T) {
	c := newGame(t, "returned_once")
	req := &coinslot.CreateRefundRequest{PaymentId: sold(t, c, "returned_once"), Amount: new(int32(100))}
	var ids []string
	for range 2 {
		r, err := c.Refund(t.Context(), req, coinslot.WithIdempotencyKey("ticket 7"))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.Id)
	}
	if ids[0] != ids[1] {
		t.Errorf("two refunds: %v", ids)
	}
}

func TestEvents(t *testing.T) {
	c := newGame(t, "happened")
	payment := sold(t, c, "happened")
	want := []string{"session.created", "payment.created", "payment.succeeded", "session.paid"}
	var got []string
	for e, err := range c.Events.All(t.Context(), &coinslot.ListEventsRequest{Limit: new(int32(1))}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.Type)
		if one, err := c.Events.Get(t.Context(), &coinslot.GetEventRequest{Id: e.Id}); err != nil || !cmp.Equal(one, e, protocmp.Transform()) {
			t.Errorf("Get: %v, %v, want %v", one, err, e)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("All (-want +got):\n%s", diff)
	}

	page, err := c.Events.List(t.Context(), &coinslot.ListEventsRequest{})
	if err != nil || len(page.Events) != 4 || page.HasMore || page.NextCursor == "" {
		t.Fatalf("List: %v, %v", page, err)
	}
	if _, err := c.Refund(t.Context(), &coinslot.CreateRefundRequest{PaymentId: payment}); err != nil {
		t.Fatal(err)
	}
	got = nil
	for e, err := range c.Events.All(t.Context(), &coinslot.ListEventsRequest{Cursor: &page.NextCursor, Types: []string{"refund.succeeded"}}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.Type)
	}
	if diff := cmp.Diff([]string{"refund.succeeded"}, got); diff != "" {
		t.Errorf("what happened since (-want +got):\n%s", diff)
	}
	_, err = c.Events.Get(t.Context(), &coinslot.GetEventRequest{Id: "01978c2e-0000-7000-8000-000000000000"})
	wantCode(t, err, coinslot.CodeEventNotFound)
}

func TestTheSameIdempotencyKeySellsOnce(t *testing.T) {
	c := newGame(t, "once")
	first := checkout(t, c, coins("once"), coinslot.WithIdempotencyKey("order 1"))
	again := checkout(t, c, coins("once"), coinslot.WithIdempotencyKey("order 1"))
	if first.Id != again.Id {
		t.Errorf("two sessions: %s and %s", first.Id, again.Id)
	}
	if other := checkout(t, c, coins("once")); other.Id == first.Id {
		t.Error("a call without a key got the answer of another")
	}
	req := coins("once")
	req.Item.Price++
	_, err := c.Checkout(t.Context(), req, coinslot.WithIdempotencyKey("order 1"))
	wantCode(t, err, coinslot.CodeIdempotencyConflict)
	for _, key := range []string{"", "no\nway", "nö", string(make([]byte, 256))} {
		_, err := c.Checkout(t.Context(), coins("once"), coinslot.WithIdempotencyKey(key))
		wantCode(t, err, coinslot.CodeInvalidIdempotencyKey)
	}
}

func TestRefusals(t *testing.T) {
	c := newGame(t, "refused")
	free := coins("refused")
	free.Item.Price = 0
	_, err := c.Checkout(t.Context(), free)
	wantCode(t, err, coinslot.CodeInvalidPrice)
	var refused *coinslot.Error
	if errors.As(err, &refused); refused.Retryable || refused.RPCCode.String() != "invalid_argument" || refused.Message == "" {
		t.Errorf("the error is %+v", refused)
	}
	if got := err.Error(); got != "coinslot: invalid_price: "+refused.Message {
		t.Errorf("it reads %q", got)
	}
	_, err = c.Checkout(t.Context(), nil)
	wantCode(t, err, coinslot.CodeInvalidGameID)
	_, err = c.Checkout(t.Context(), coins("space_shooter")) // not this key's
	wantCode(t, err, coinslot.CodeInvalidGameID)
	_, err = c.Sessions.Get(t.Context(), &coinslot.GetSessionRequest{Id: "sess_" + "0000000000000000000000000g"})
	wantCode(t, err, coinslot.CodeSessionNotFound)
	_, err = newClient(t, "sk_sandbox_nobody").Checkout(t.Context(), coins("refused"))
	wantCode(t, err, coinslot.CodeUnauthorized)
	reader := newClient(t, run(t, "keys", "create", "--game", "refused", "--environment", "sandbox", "--read-only"))
	_, err = reader.Checkout(t.Context(), coins("refused"))
	wantCode(t, err, coinslot.CodeForbidden)
}

// TestManyAtOnce shares a client among goroutines, and their connections among calls. Then
// there is more than a page of events.
func TestManyAtOnce(t *testing.T) {
	const goroutines, calls = 16, 8
	c := newGame(t, "crowded")
	var opened atomic.Int32
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		if !i.Reused {
			opened.Add(1)
		}
	}})
	for range calls {
		var running sync.WaitGroup
		for range goroutines {
			running.Go(func() {
				if _, err := c.Checkout(ctx, coins("crowded")); err != nil {
					t.Error(err)
				}
			})
		}
		running.Wait()
	}
	if n := opened.Load(); n > 3*goroutines {
		t.Errorf("%d connections were opened for %d goroutines", n, goroutines)
	}
	events := 0
	for _, err := range c.Events.All(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		events++
	}
	if events != goroutines*calls {
		t.Errorf("%d events, want %d", events, goroutines*calls)
	}
}

// TestKeysOfChanges looks at what is sent: each call that changes something has a key,
// and no two have the same.
func TestKeysOfChanges(t *testing.T) {
	keys := map[string][]string{}
	seen := roundTrip(func(r *http.Request) (*http.Response, error) {
		keys[r.URL.Path] = append(keys[r.URL.Path], r.Header.Get("Idempotency-Key"))
		return nil, errors.New("nobody is there")
	})
	c := newClient(t, "", coinslot.WithHTTPClient(&http.Client{Transport: seen}), coinslot.WithRetries(0))
	for range 2 {
		callAll(t, c)
	}
	used := map[string]bool{"": true}
	for _, m := range methods() {
		got := keys[m.path]
		if len(got) != 2 {
			t.Errorf("%s was called %d times, want 2: is it missing from callAll?", m.path, len(got))
		}
		for _, key := range got {
			if !m.keyed && key != "" || m.keyed && used[key] {
				t.Errorf("%s was sent with the key %q", m.path, key)
			}
			used[key] = true
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// callAll calls every method, with requests that say nothing.
func callAll(t *testing.T, c *coinslot.Client) {
	ctx := t.Context()
	_, _ = c.Sessions.Create(ctx, nil)
	_, _ = c.Sessions.Get(ctx, nil)
	_, _ = c.Sessions.Status(ctx, nil)
	_, _ = c.Sessions.List(ctx, nil)
	_ = c.Sessions.Cancel(ctx, nil)
	_, _ = c.Payments.Get(ctx, nil)
	_, _ = c.Payments.List(ctx, nil)
	_ = c.Payments.Complete(ctx, nil)
	_ = c.Payments.Cancel(ctx, nil)
	_, _ = c.Refunds.Create(ctx, nil)
	_, _ = c.Refunds.Get(ctx, nil)
	_, _ = c.Refunds.List(ctx, nil)
	_, _ = c.Events.Get(ctx, nil)
	_, _ = c.Events.List(ctx, nil)
	_, _ = c.Events.Acknowledge(ctx, nil)
	for _, err := range c.Events.Watch(ctx, nil) {
		_ = err
	}
	for _, err := range c.Sessions.Watch(ctx, nil) {
		_ = err
	}
}
