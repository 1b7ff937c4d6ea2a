package hostile

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider/sandbox"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// books are the sandbox's own, in which a test can look up what was really taken.
type books struct {
	*sandbox.MemoryLedger
	mu      sync.Mutex
	entries map[string][]byte
}

func (b *books) Save(ctx context.Context, key string, value []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.entries[key] = value
	return b.MemoryLedger.Save(ctx, key, value)
}

// did counts how often something was done for a session, over all of its payments.
func (b *books) did(t *testing.T, session pay.SessionID, what string) (times int) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, raw := range b.entries {
		var e struct {
			Session pay.SessionID
			History []struct{ Did string }
		}
		if err := json.Unmarshal(raw, &e); err != nil {
			t.Fatal(err)
		}
		for _, step := range e.History {
			if e.Session == session && step.Did == what {
				times++
			}
		}
	}
	return times
}

// stall is an installation whose players are in a hurry.
type stall struct {
	*target
	books *books
}

// openStall starts an installation of two games: arcade, and chess, which captures by hand.
func openStall(t *testing.T, edit ...func(*installation.Options)) *stall {
	t.Helper()
	b := &books{MemoryLedger: sandbox.NewMemoryLedger(), entries: map[string][]byte{}}
	i := coinslottest.Start(t, append(edit, func(o *installation.Options) { o.Ledger = b })...)
	i.Key(t, pay.Sandbox, pay.Game{ID: "arcade"})
	i.Key(t, pay.Sandbox, pay.Game{ID: "chess", Capture: pay.CaptureManual})
	_, key, err := i.Gateway.CreateKey(t.Context(), pay.Key{Environment: pay.Sandbox})
	if err != nil {
		t.Fatal(err)
	}
	at := i.Listen(t)
	return &stall{&target{Installation: i, url: at, address: at[len("http://"):], key: key}, b}
}

// offer makes a session. changes are as with.
func (s *stall) offer(t *testing.T, changes ...string) pay.SessionID {
	t.Helper()
	got := s.post(t, createSession, with(changes...), "Idempotency-Key")
	var made struct{ ID pay.SessionID }
	if err := json.Unmarshal([]byte(got.body), &made); err != nil || made.ID == "" {
		t.Fatalf("CreateSession answered %v", got)
	}
	return made.ID
}

// soldOnce checks that a session was paid by one payment and one charge.
func (s *stall) soldOnce(t *testing.T, id pay.SessionID) {
	t.Helper()
	var (
		session  pay.Session
		payments []pay.Payment
	)
	if err := s.Store.View(t.Context(), func(r store.Reader) (err error) {
		if session, err = r.Session(id); err == nil {
			payments, err = r.SessionPayments(id)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if session.Status != pay.SessionPaid || len(payments) != 1 || payments[0].Status != pay.PaymentSucceeded {
		t.Errorf("the session is %s by payments %v", session.Status, payments)
	}
	if n := s.books.did(t, id, "taken"); n != 1 {
		t.Errorf("the provider took money %d times", n)
	}
}

// together runs functions at the same time.
func together(all ...func()) {
	var (
		wait  sync.WaitGroup
		ready = make(chan struct{})
	)
	for _, do := range all {
		wait.Go(func() {
			<-ready
			do()
		})
	}
	close(ready)
	wait.Wait()
}

func repeat(n int, do func()) []func() {
	all := make([]func(), n)
	for i := range all {
		all[i] = do
	}
	return all
}

var byCard = gateway.Tender{Method: pay.MethodCard, Card: &pay.Card{Number: "4242424242424242", ExpiryMonth: 12, ExpiryYear: time.Now().Year() + 3, CVC: "123"}}

func TestManyTapsAreOneCharge(t *testing.T) {
	s := openStall(t)
	for range 20 {
		id := s.offer(t)
		together(append(repeat(4, func() {
			_, err := s.Gateway.Pay(t.Context(), id, byCard)
			mayBe(t, err, pay.PaymentInProgress, pay.SessionNotPending)
		}), repeat(4, func() {
			_, err := s.Gateway.Pay(t.Context(), id, byWallet)
			mayBe(t, err, pay.PaymentInProgress, pay.SessionNotPending)
		})...)...)
		s.soldOnce(t, id)
	}
}

var byWallet = gateway.Tender{Method: pay.MethodApplePay, Token: "tok_approved"}

// mayBe accepts no error, or a refusal with one of the codes.
func mayBe(t *testing.T, err error, codes ...pay.Code) {
	t.Helper()
	if err == nil {
		return
	}
	for _, code := range codes {
		if pay.CodeOf(err) == code {
			return
		}
	}
	t.Errorf("refused with %v", err)
}

func TestTwoTabsAreOneCharge(t *testing.T) {
	s := openStall(t)
	for range 10 {
		id := s.offer(t)
		cardTab, walletTab := s.form(t, id), s.form(t, id)
		cardTab.Set("method", "card")
		cardTab.Set("number", "4242 4242 4242 4242")
		cardTab.Set("expiry", time.Now().AddDate(3, 0, 0).Format("01/06"))
		cardTab.Set("cvc", "123")
		walletTab.Set("method", "google_pay")
		walletTab.Set("wallet_token", "tok_approved")
		together(append(
			repeat(3, func() { s.submit(t, id, cardTab) }),
			repeat(3, func() { s.submit(t, id, walletTab) })...)...)
		s.soldOnce(t, id)
		s.submit(t, id, cardTab) // and once more, now that it is paid
		s.soldOnce(t, id)
	}
}

var hidden = regexp.MustCompile(`name="(token|attempt)" value="([^"]*)"`)

// form opens the payment page and returns the hidden fields of its form.
func (s *stall) form(t *testing.T, id pay.SessionID) url.Values {
	t.Helper()
	res, err := http.Get(s.url + "/pay/" + string(id))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	fields := url.Values{}
	for _, f := range hidden.FindAllStringSubmatch(string(page), -1) {
		fields.Set(f[1], f[2])
	}
	if fields.Get("token") == "" {
		t.Fatalf("the page has no form: %s %s", res.Status, page)
	}
	return fields
}

// submit posts the form. Whatever becomes of the payment, the browser is sent back to the page.
func (s *stall) submit(t *testing.T, id pay.SessionID, fields url.Values) {
	t.Helper()
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := browser.PostForm(s.url+"/pay/"+string(id)+"/pay", fields)
	if err != nil {
		t.Error(err)
		return
	}
	defer res.Body.Close()
	if want := coinslottest.PublicURL + "/pay/" + string(id); res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != want && res.Header.Get("Location") != "/pay/"+string(id) {
		t.Errorf("the form is answered with %s to %q", res.Status, res.Header.Get("Location"))
	}
}
