package webhook_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/vault"
	"github.com/coinslot/coinslot/internal/webhook"
)

// world is a relay, its store, and receivers that are made up. Everything happens
// in a bubble with a clock of its own: a pause of hours passes at once, and exactly.
type world struct {
	*testing.T
	store    fullStore
	vault    *vault.Vault
	receiver *receiver
	log      *lockedBuffer
	options  webhook.Options
	made     uint64 // ids drawn

	started  bool
	stop     context.CancelFunc
	returned chan error
}

// fullStore is the relay's store and how a test writes to it.
type fullStore interface {
	webhook.Store
	Update(context.Context, pay.SessionID, func(store.Tx) error) error
	Close() error
}

const game = "space_shooter"

// inWorld runs a test in a bubble, and stops the relay at its end.
func inWorld(t *testing.T, test func(*world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, store: openStore(t), vault: vault.New([32]byte{1}), receiver: &receiver{}, log: &lockedBuffer{}}
		w.options = webhook.Options{
			Store: w.store, Vault: w.vault,
			Client: func(pay.Environment) *http.Client { return &http.Client{Transport: w.receiver} },
			Logger: slog.New(slog.NewTextHandler(w.log, nil)),
			Jitter: func() float64 { return 0 },
		}
		w.configure(func(tx store.Settings) error {
			return tx.CreateGame(pay.Game{ID: game, CreatedAt: pay.Clock(time.Now()), UpdatedAt: pay.Clock(time.Now())}.WithDefaults())
		})
		test(w)
		w.end()
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
}

// run starts a relay.
func (w *world) run() *webhook.Relay {
	ctx, cancel := context.WithCancel(w.Context())
	returned := make(chan error, 1)
	w.started, w.stop, w.returned = true, cancel, returned
	relay := webhook.NewRelay(w.options)
	go func() { returned <- relay.Run(ctx) }()
	synctest.Wait()
	return relay
}

// end stops the relay and waits until it has returned.
func (w *world) end() {
	if !w.started {
		return
	}
	w.started = false
	w.stop()
	if err := <-w.returned; err != nil {
		w.Errorf("Run = %v", err)
	}
}

// pass lets time go by, to the end of what happens at that instant.
func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (w *world) configure(fn func(store.Settings) error) {
	w.Helper()
	if err := w.store.Configure(w.Context(), fn); err != nil {
		w.Fatal(err)
	}
}

func (w *world) entropy() (e pay.Entropy) {
	w.made++
	binary.BigEndian.PutUint64(e[:], w.made)
	return e
}

// endpoint registers a receiver at a host that wants only events of the given types,
// or all where none is given.
func (w *world) endpoint(host string, types ...pay.EventType) pay.Endpoint {
	w.Helper()
	now := pay.Clock(time.Now())
	id := pay.NewEndpointID(now, w.entropy())
	e := pay.Endpoint{
		ID: id, Environment: pay.Sandbox, Game: game,
		URL: "http://" + host + "/hook?password=hunter2", Types: types, Enabled: true,
		Secrets: []pay.SealedSecret{w.seal(id, newSecret, time.Time{})}, CreatedAt: now, UpdatedAt: now,
	}
	w.configure(func(tx store.Settings) error { return tx.CreateEndpoint(e) })
	return e
}

func (w *world) seal(id pay.EndpointID, secret string, expires time.Time) pay.SealedSecret {
	return pay.SealedSecret{Sealed: webhook.NewSecrets(w.vault).Seal(id, secret), ExpiresAt: expires}
}

// stored is the endpoint as the store has it now.
func (w *world) stored(id pay.EndpointID) (e pay.Endpoint) {
	w.Helper()
	if err := w.store.View(w.Context(), func(tx store.Reader) (err error) { e, err = tx.Endpoint(id); return err }); err != nil {
		w.Fatal(err)
	}
	return e
}

// offer writes a new session, and with it one event.
func (w *world) offer() pay.Session {
	w.Helper()
	now := time.Now()
	c, err := pay.NewSession(pay.NewSessionID(now, w.entropy()), pay.Sandbox, pay.Game{ID: game}.WithDefaults(), pay.Order{
		Game: game, User: "player_42", Item: &pay.ItemOrder{Title: "Gems", Price: 499, Currency: "USD"}, ReturnURL: "mygame://done",
	}, now)
	if err != nil {
		w.Fatal(err)
	}
	return *w.apply(c).Session
}

// sell writes a session that is paid at once: four events, the last two in one change.
func (w *world) sell() pay.Session {
	w.Helper()
	s := w.offer()
	c, err := s.StartPayment(pay.NewPaymentID(time.Now(), w.entropy()), pay.MethodCard, pay.CardHint{}, time.Now())
	if err != nil {
		w.Fatal(err)
	}
	c = w.apply(c)
	return *w.apply(c.Session.Settle(*c.Payment, pay.Outcome{Kind: pay.OutcomeSucceeded}, time.Now())).Session
}

// apply writes a change as the gateway would, payloads made before it is stored.
func (w *world) apply(c pay.Change) pay.Change {
	w.Helper()
	for i, e := range c.Events {
		c.Events[i].Payload = fmt.Appendf(nil, `{"id":%q,"type":%q,"sequence":%d,"data":{"session_id":%q}}`, e.ID, e.Type, e.Sequence, e.Session)
	}
	err := w.store.Update(w.Context(), c.Session.ID, func(tx store.Tx) error { return tx.Apply(c) })
	if err != nil {
		w.Fatal(err)
	}
	return c
}

// call is one POST as a receiver sees it.
type call struct {
	host   string
	header http.Header
	body   string
	at     time.Time
	under  int // posts to the same host under way, this one included
}

func (c call) attempt() string { return c.header.Get("webhook-attempt") }

// reply is what a receiver does about a call. The zero reply is a quick 200.
type reply struct {
	status int
	after  time.Duration
	header http.Header
	body   string
	err    error
}

// receiver stands for every host there is.
type receiver struct {
	mu     sync.Mutex
	calls  []call
	under  map[string]int
	most   int // posts under way at a time, to all hosts
	answer func(call) reply
}

func (r *receiver) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	reply := r.note(call{host: request.URL.Host, header: request.Header.Clone(), body: string(body), at: time.Now()})
	defer r.finish(request.URL.Host)
	select {
	case <-time.After(reply.after):
	case <-request.Context().Done():
		return nil, request.Context().Err()
	}
	if reply.err != nil {
		return nil, reply.err
	}
	if reply.status == 0 {
		reply.status = http.StatusOK
	}
	if reply.header == nil {
		reply.header = http.Header{}
	}
	return &http.Response{StatusCode: reply.status, Header: reply.header, Body: io.NopCloser(strings.NewReader(reply.body)), Request: request}, nil
}

func (r *receiver) note(c call) reply {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.under == nil {
		r.under = map[string]int{}
	}
	r.under[c.host]++
	c.under = r.under[c.host]
	all := 0
	for _, n := range r.under {
		all += n
	}
	r.most = max(r.most, all)
	r.calls = append(r.calls, c)
	if r.answer == nil {
		return reply{}
	}
	return r.answer(c)
}

func (r *receiver) finish(host string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.under[host]--
}

// got lists the calls to a host so far.
func (r *receiver) got(host string) []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	var calls []call
	for _, c := range r.calls {
		if c.host == host {
			calls = append(calls, c)
		}
	}
	return calls
}

// lockedBuffer is a log that can be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
