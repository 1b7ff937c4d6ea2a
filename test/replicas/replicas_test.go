// Package replicas runs several whole installations on one PostgreSQL database, as
// studios do that have outgrown one machine: what holds within one server must hold
// between them.
package replicas

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/gen/pay/v1/payv1connect"
	"github.com/coinslot/coinslot/internal/clock"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
	"github.com/coinslot/coinslot/internal/provider/sandbox"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/postgres"
	"github.com/coinslot/coinslot/test/coinslottest"
	"github.com/coinslot/coinslot/test/postgrestest"
)

const (
	servers = 3

	// promised is within what a server learns of what another one did; patience is for
	// machines that are busy with something else, so that only the log tells a slow one.
	promised = time.Second
	patience = 15 * time.Second
)

// house is servers on one database, each with a clock that is as far ahead.
type house struct {
	at       []*coinslottest.Installation
	urls     []string
	receiver *coinslottest.Receiver // of all their webhooks
	ahead    atomic.Int64
	key      string
}

func openHouse(t *testing.T) *house {
	t.Helper()
	h := &house{receiver: &coinslottest.Receiver{}}
	url := postgrestest.URL(t)
	for range servers {
		s, err := postgres.Open(t.Context(), url, postgres.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		one := coinslottest.Start(t, func(o *installation.Options) {
			o.Store, o.Ledger, o.WebhookTransport = s, s.Ledger(), h.receiver
			o.Clock = clock.Reading(func() time.Time { return time.Now().Add(time.Duration(h.ahead.Load())) })
		})
		h.at, h.urls = append(h.at, one), append(h.urls, one.Listen(t))
	}
	h.key = h.at[0].Key(t, pay.Sandbox, pay.Game{ID: "chess", Attempts: 3})
	for i := range servers {
		h.within(t, "the key is known to all", func() bool { return h.call(t, i, "GetSessionStatus", `{"id":"sess_1"}`, "").code != 401 })
	}
	return h
}

type answer struct {
	code     int
	body     string
	replayed bool
}

func (h *house) call(t *testing.T, server int, method, body, idempotency string) answer {
	r, err := http.NewRequestWithContext(t.Context(), "POST", h.urls[server]+"/pay.v1.PaymentService/"+method, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+h.key)
	r.Header.Set("Content-Type", "application/json")
	if idempotency != "" {
		r.Header.Set("Idempotency-Key", idempotency)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Error(err)
		return answer{}
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Error(err)
	}
	return answer{res.StatusCode, string(text), res.Header.Get("Idempotent-Replayed") == "true"}
}

// within waits until something holds, and fails where it takes longer than patience. A
// second is what is promised: the log says where a busy machine took longer.
func (h *house) within(t *testing.T, what string, holds func() bool) {
	t.Helper()
	began := time.Now()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		if time.Since(began) > patience {
			t.Fatal("it did not come about: " + what)
		}
		<-tick.C
	}
	if took := time.Since(began); took > promised {
		t.Logf("%s: only after %v", what, took)
	}
}

func (h *house) sell(t *testing.T, server int) pay.SessionID {
	t.Helper()
	session, _, err := h.at[server].Gateway.CreateSession(t.Context(), gateway.Caller{Environment: pay.Sandbox}, pay.Order{
		Game: "chess", User: "ann", ReturnURL: "chess://done", Item: &pay.ItemOrder{Title: "Gems", Price: 499, Currency: "USD"},
	}, gateway.Idempotency{})
	if err != nil {
		t.Fatal(err)
	}
	return session.ID
}

// pay pays as a player does whose card is good.
func (h *house) pay(t *testing.T, server int, id pay.SessionID) error {
	_, err := h.at[server].Gateway.Pay(t.Context(), id, gateway.Tender{Method: pay.MethodCard,
		Card: &pay.Card{Number: "4242 4242 4242 4242", ExpiryMonth: 12, ExpiryYear: 2099, CVC: "123"}})
	return err
}

func eventsOf(id pay.SessionID) store.EventQuery { return store.EventQuery{Session: id, Limit: 100} }

const order = `{"game_id":"chess","user_id":"ann","item":{"title":"Gems","price":499,"currency":"USD"},"return_url":"chess://done"}`

func TestARepeatAtAnotherServerIsAnsweredAsTheFirst(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	const keys = 12
	var all sync.WaitGroup
	answers := make([][servers]answer, keys)
	for k := range keys {
		for s := range servers {
			all.Go(func() { answers[k][s] = h.call(t, s, "CreateSession", order, fmt.Sprintf("order-%d", k)) })
		}
	}
	all.Wait()
	for k, each := range answers {
		first := 0
		for _, a := range each {
			if a.code != 200 || a.body != each[0].body {
				t.Errorf("order %d: %d %s, and elsewhere %s", k, a.code, a.body, each[0].body)
			}
			if !a.replayed {
				first++
			}
		}
		if first != 1 {
			t.Errorf("order %d was made %d times", k, first)
		}
		if a := h.call(t, k%servers, "CreateSession", strings.Replace(order, "499", "500", 1), fmt.Sprintf("order-%d", k)); a.code != 409 {
			t.Errorf("another order with the same key: %d %s", a.code, a.body)
		}
	}
}

func TestAPlayerPaysAtOneServerAndTheGameWatchesAtAnother(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	id := h.sell(t, 0)
	watcher := payv1connect.NewEventServiceClient(http.DefaultClient, h.urls[1])
	ctx, call := connect.NewClientContext(t.Context())
	call.RequestHeader().Set("Authorization", "Bearer "+h.key)
	stream, err := watcher.WatchSession(ctx, &payv1.WatchSessionRequest{Id: string(id)})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if !stream.Receive() {
		t.Fatal(stream.Err())
	}
	began := time.Now()
	if err := h.pay(t, 2, id); err != nil {
		t.Fatal(err)
	}
	for stream.Receive() {
		if stream.Msg().GetSession().GetStatus() == "paid" {
			if took := time.Since(began); took > promised {
				t.Logf("told only after %v", took)
			}
			return
		}
	}
	t.Fatal("the watcher was not told of the payment", stream.Err())
}

// Two taps at two servers: one payment is made, and the provider is asked once.
func TestTapsAtSeveralServersChargeOnce(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	for range 5 {
		id := h.sell(t, 0)
		var all sync.WaitGroup
		var paid atomic.Int32
		for s := range servers {
			for range 3 {
				all.Go(func() {
					if err := h.pay(t, s, id); err == nil {
						paid.Add(1)
					}
				})
			}
		}
		all.Wait()
		feed, err := h.at[1].Gateway.Events(t.Context(), gateway.Caller{Environment: pay.Sandbox}, eventsOf(id))
		if err != nil {
			t.Fatal(err)
		}
		if paid.Load() < 1 || len(feed.Rows) != 4 {
			t.Errorf("%d taps paid, and there are %d events, want 4", paid.Load(), len(feed.Rows))
		}
	}
}

// All servers wait for the same deadline, and one of them stores what it brings.
func TestASessionExpiresOnceWhoeverSeesIt(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	if _, _, err := h.at[0].Gateway.CreateEndpoint(t.Context(), pay.Endpoint{Environment: pay.Sandbox, Game: "chess", URL: "https://shop.test/webhooks",
		Types: []pay.EventType{pay.SessionExpiredEvent}}); err != nil {
		t.Fatal(err)
	}
	const sessions = 30
	var ids []pay.SessionID
	for i := range sessions {
		ids = append(ids, h.sell(t, i%servers))
	}
	h.ahead.Store(int64(25 * time.Hour))
	for i, id := range ids {
		status := h.call(t, i%servers, "GetSessionStatus", fmt.Sprintf(`{"id":%q}`, id), "")
		if !strings.Contains(status.body, "expired") {
			t.Errorf("it has not expired: %s", status.body)
		}
	}
	received := map[string]int{}
	h.within(t, "all are told of", func() bool {
		for _, got := range h.receiver.Take() {
			received[got.Header.Get("webhook-id")]++
		}
		return len(received) >= sessions
	})
	for _, id := range ids {
		feed, err := h.at[0].Gateway.Events(t.Context(), gateway.Caller{Environment: pay.Sandbox}, eventsOf(id))
		if err != nil || len(feed.Rows) != 2 {
			t.Errorf("%d events, want 2: %v", len(feed.Rows), err)
		}
	}
	for id, n := range received {
		if n != 1 || len(received) != sessions {
			t.Errorf("%d events were told, %s %d times", len(received), id, n)
		}
	}
}

// What one server is told about games and keys the others go by within a second.
func TestSettingsReachTheOtherServers(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	if _, err := h.at[1].Gateway.CreateGame(t.Context(), pay.Game{ID: "go"}); err != nil {
		t.Fatal(err)
	}
	key, text, err := h.at[1].Gateway.CreateKey(t.Context(), pay.Key{Environment: pay.Sandbox, Game: "go"})
	if err != nil {
		t.Fatal(err)
	}
	h.key = text
	for s := range servers {
		h.within(t, "the game is known", func() bool {
			return h.call(t, s, "CreateSession", strings.Replace(order, "chess", "go", 1), "").code == 200
		})
	}
	if _, err := h.at[2].Gateway.RevokeKey(t.Context(), key.ID); err != nil {
		t.Fatal(err)
	}
	for s := range servers {
		h.within(t, "the key is revoked", func() bool {
			return h.call(t, s, "CreateSession", strings.Replace(order, "chess", "go", 1), "").code == 401
		})
	}
}

// Sandboxes over one ledger are one: whatever they are told at the same time, the money is
// taken once, and all say the same.
func TestTheSandboxesOfSeveralServersTakeMoneyOnce(t *testing.T) {
	t.Parallel()
	url := postgrestest.URL(t)
	var banks []*sandbox.Provider
	var ledger sandbox.Ledger
	for range servers {
		s, err := postgres.Open(t.Context(), url, postgres.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		ledger = s.Ledger()
		banks = append(banks, sandbox.New(sandbox.Options{Ledger: ledger}))
	}
	for n := range 20 {
		charge := provider.Charge{
			Payment: pay.PaymentID(fmt.Sprintf("pay_%d", n)), Session: "sess_1", Amount: pay.Money{Amount: 499, Currency: "USD"}, Capture: true,
			Method: pay.MethodCard, Card: &pay.Card{Number: "4242 4242 4242 4242", ExpiryMonth: 12, ExpiryYear: 2099, CVC: "123"},
		}
		var all sync.WaitGroup
		for _, bank := range banks {
			for range 2 {
				all.Go(func() {
					if o, err := bank.Authorize(t.Context(), charge); err != nil || o.Kind != pay.OutcomeSucceeded {
						t.Errorf("%v, %v", o, err)
					}
				})
			}
		}
		all.Wait()
		book, err := ledger.Load(t.Context(), string(charge.Payment))
		if taken := strings.Count(string(book), `"taken"`); err != nil || taken != 1 {
			t.Errorf("the money was taken %d times: %s, %v", taken, book, err)
		}
	}
}
