package protocols

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/gen/pay/v1/payv1connect"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
	"github.com/coinslot/coinslot/internal/provider/sandbox"
	"github.com/coinslot/coinslot/internal/store"
)

const (
	crowd = 200  // of those who want a refund at the same time
	price = 9900 // of what they want refunded
)

// asker asks for a refund of an amount, or of all that is left where it is 0, and returns
// the refund, or the code with which it was refused.
type asker func(amount int32) (refund *payv1.Refund, refused string)

// bearer shows a key. Any number can use it at once.
type bearer struct {
	http.RoundTripper
	key string
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.key)
	return b.RoundTripper.RoundTrip(r)
}

// askers are two ways to ask, by protocols that have nothing in common.
func (s *shop) askers(t *testing.T, payment pay.PaymentID) [2]asker {
	i := slices.IndexFunc(protocols, func(p protocol) bool { return p.name == "gRPC h2c" })
	transport, url := s.dial(t, protocols[i])
	grpc := payv1connect.NewRefundServiceClient(&http.Client{Transport: bearer{transport, s.key}}, url, protocols[i].options...)
	byGRPC := func(amount int32) (*payv1.Refund, string) {
		req := &payv1.CreateRefundRequest{PaymentId: string(payment)}
		if amount != 0 {
			req.Amount = &amount
		}
		res, err := grpc.CreateRefund(t.Context(), req)
		return res.GetRefund(), codeOf(t, err)
	}
	byREST := func(amount int32) (*payv1.Refund, string) {
		body := fmt.Sprintf(`{"payment_id":%q}`, payment)
		if amount != 0 {
			body = fmt.Sprintf(`{"payment_id":%q,"amount":%d}`, payment, amount)
		}
		r, err := http.NewRequestWithContext(t.Context(), "POST", s.plain.URL+"/v1/refunds", strings.NewReader(body))
		if err != nil {
			t.Error(err)
			return nil, ""
		}
		r.Header.Set("Authorization", "Bearer "+s.key)
		res, err := s.plain.Client().Do(r)
		if err != nil {
			t.Error(err)
			return nil, ""
		}
		defer res.Body.Close()
		var got struct {
			ID, Status string
			Amount     int32
			Error      struct{ Code string }
		}
		if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		if res.StatusCode != http.StatusOK {
			return nil, got.Error.Code
		}
		return &payv1.Refund{Id: got.ID, Status: got.Status, Amount: got.Amount}, ""
	}
	return [2]asker{byGRPC, byREST}
}

func codeOf(t *testing.T, err error) string {
	if err == nil {
		return ""
	}
	var refused *connect.Error
	if !errors.As(err, &refused) || len(refused.Details()) != 1 {
		t.Errorf("%v", err)
		return "none"
	}
	detail, err := refused.Details()[0].Value()
	if err != nil {
		t.Error(err)
	}
	return detail.(*payv1.Error).GetCode()
}

// rush has the crowd ask at once, half of them by each protocol, and returns the refunds
// that were made. Whoever is refused must be told that too little is left, or nothing.
func rush(t *testing.T, ask [2]asker, amount func(n int) int32) (made []*payv1.Refund) {
	t.Helper()
	var (
		mu    sync.Mutex
		all   sync.WaitGroup
		ready = make(chan struct{})
		codes = map[string]int{}
	)
	for n := range crowd {
		all.Go(func() {
			<-ready
			r, code := ask[n%2](amount(n))
			mu.Lock()
			defer mu.Unlock()
			if codes[code]++; code == "" {
				made = append(made, r)
			}
		})
	}
	close(ready)
	all.Wait()
	for code, times := range codes {
		if code != "" && code != "invalid_amount" && code != "already_refunded" {
			t.Errorf("%d of %d were refused as %s", times, crowd, code)
		}
	}
	return made
}

// sell makes a session of that price and pays it.
func (s *shop) sell(t *testing.T) pay.Payment {
	t.Helper()
	caller, err := s.Gateway.Authenticate(s.key)
	if err != nil {
		t.Fatal(err)
	}
	session, _, err := s.Gateway.CreateSession(t.Context(), caller, pay.Order{
		Game: "space_shooter", User: "player_42", ReturnURL: "mygame://payment-complete",
		Item: &pay.ItemOrder{Title: "Chest", Price: price, Currency: "USD"},
	}, gateway.Idempotency{})
	if err != nil {
		t.Fatal(err)
	}
	done, err := s.Gateway.Pay(t.Context(), session.ID, gateway.Tender{Method: pay.MethodApplePay, Token: sandbox.TokenApproved})
	if err != nil || done.Payment.Status != pay.PaymentSucceeded {
		t.Fatal(done, err)
	}
	return *done.Payment
}

// atRest waits for refunds that were answered as pending because the machine was slow.
func (s *shop) atRest(t *testing.T, told []*payv1.Refund) {
	t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for _, r := range told {
		for r.GetStatus() == "pending" {
			<-again.C
			if err := s.Store.View(t.Context(), func(tx store.Reader) error {
				now, err := tx.Refund(pay.RefundID(r.GetId()))
				r.Status = string(now.Status)
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// refundedWhole checks that exactly what was paid came back: by what the callers were told,
// by our rows, and by the provider's books.
func (s *shop) refundedWhole(t *testing.T, ledger sandbox.Ledger, p pay.PaymentID, told []*payv1.Refund) {
	t.Helper()
	s.atRest(t, told)
	var sums struct{ told, stored, booked int64 }
	for _, r := range told {
		if r.GetStatus() == "succeeded" {
			sums.told += int64(r.GetAmount())
		}
	}
	var payment pay.Payment
	if err := s.Store.View(t.Context(), func(r store.Reader) (err error) {
		if payment, err = r.Payment(p); err != nil {
			return err
		}
		refunds, err := r.SessionRefunds(payment.Session)
		for _, one := range refunds {
			if one.Status == pay.RefundSucceeded {
				sums.stored += one.Amount.Amount
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	raw, err := ledger.Load(t.Context(), string(p))
	if err != nil {
		t.Fatal(err)
	}
	var book struct {
		Refunds []struct {
			ID     string
			Amount int64
		}
		History []struct{ Did, Refund string }
	}
	if err := json.Unmarshal(raw, &book); err != nil {
		t.Fatal(err)
	}
	for _, step := range book.History {
		for _, r := range book.Refunds {
			if step.Did == "returned" && step.Refund == r.ID {
				sums.booked += r.Amount
			}
		}
	}
	if sums.told != price || sums.stored != price || sums.booked != price {
		t.Errorf("of %d, %d were told to be returned, %d are stored so, %d are in the provider's books", price, sums.told, sums.stored, sums.booked)
	}
	if payment.Status != pay.PaymentRefunded || payment.Refunded != price || payment.Reserved != price {
		t.Errorf("the payment is %s with %d refunded and %d reserved", payment.Status, payment.Refunded, payment.Reserved)
	}
}

func TestTwoHundredConcurrentRefundsOverTwoProtocolsReturnExactlyWhatWasPaid(t *testing.T) {
	for name, amount := range map[string]func(int) int32{
		"in equal parts":        func(int) int32 { return price / 99 },
		"in parts of all sizes": func(n int) int32 { return int32(1 + n*n*7919%400) },
		"in whole":              func(int) int32 { return 0 },
	} {
		t.Run(name, func(t *testing.T) {
			ledger := sandbox.NewMemoryLedger()
			s := openShop(t, func(o *installation.Options) { o.Ledger = ledger })
			p := s.sell(t)
			ask := s.askers(t, p.ID)
			made := rush(t, ask, amount)
			if name == "in equal parts" && len(made) != 99 || name == "in whole" && len(made) != 1 {
				t.Errorf("%d refunds were made", len(made))
			}
			if name == "in parts of all sizes" {
				made = append(made, rush(t, ask, func(int) int32 { return 0 })...) // what is left by then
			}
			s.refundedWhole(t, ledger, p.ID, made)
		})
	}
}

// moody is a provider that fails some refunds.
type moody struct {
	provider.Provider
	mu     sync.Mutex
	asked  int
	failed map[pay.RefundID]bool
}

func (m *moody) Refund(ctx context.Context, r provider.Return) (pay.RefundOutcome, error) {
	if m.fails(r.Refund) {
		return pay.RefundOutcome{Status: pay.RefundFailed, Failure: &pay.Failure{Code: pay.ProcessingError, Message: "not today"}}, nil
	}
	return m.Provider.Refund(ctx, r)
}

func (m *moody) fails(id pay.RefundID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, again := m.failed[id]; !again {
		m.asked++
		m.failed[id] = m.asked%3 == 0
	}
	return m.failed[id]
}

func TestMoneyOfRefundsThatFailIsFreeForOthersAndStillReturnedOnce(t *testing.T) {
	ledger := sandbox.NewMemoryLedger()
	bad := &moody{Provider: sandbox.New(sandbox.Options{Ledger: ledger}), failed: map[pay.RefundID]bool{}}
	s := openShop(t, func(o *installation.Options) {
		o.Providers = func(pay.Environment) provider.Provider { return bad }
	})
	p := s.sell(t)
	ask := s.askers(t, p.ID)
	made := rush(t, ask, func(n int) int32 { return int32(1 + n*n*7919%400) })
	failed := 0
	for _, r := range made {
		if r.GetStatus() == "failed" {
			failed++
		}
	}
	if failed == 0 {
		t.Error("no refund failed")
	}
	for range 3 { // of three that ask for the rest one after the other, not all fail
		made = append(made, rush(t, ask, func(int) int32 { return 0 })...)
	}
	s.refundedWhole(t, ledger, p.ID, made)
}
