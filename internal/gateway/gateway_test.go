package gateway_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coinslot/coinslot/internal/clock"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
	"github.com/coinslot/coinslot/internal/provider/sandbox"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/sqlite"
	"github.com/coinslot/coinslot/internal/vault"
	"github.com/coinslot/coinslot/internal/webhook"
)

// errNoAnswer is what a caller sees of a provider whose answer was lost.
var errNoAnswer = errors.New("connection reset")

// line is a sandbox provider behind a connection that can be bad.
type line struct {
	provider.Provider
	box                  *sandbox.Provider // that brings reports, and takes players' answers
	deaf                 atomic.Bool       // no report gets through
	loseAnswer, loseCall atomic.Bool
	keepHold             atomic.Bool  // a capture is answered, but not done
	slow                 atomic.Int64 // how long a refund takes to be answered: a time.Duration
	authorized, captured atomic.Int64 // calls that got through
}

func (l *line) Capture(ctx context.Context, id pay.PaymentID) (pay.Outcome, error) {
	if l.loseCall.Load() {
		return pay.Outcome{}, errNoAnswer
	}
	if l.keepHold.Load() {
		return pay.Outcome{Kind: pay.OutcomeAuthorized}, nil
	}
	l.captured.Add(1)
	outcome, err := l.Provider.Capture(ctx, id)
	if l.loseAnswer.Load() {
		return pay.Outcome{}, errNoAnswer
	}
	return outcome, err
}

func (l *line) Authorize(ctx context.Context, c provider.Charge) (pay.Outcome, error) {
	if l.loseCall.Load() {
		return pay.Outcome{}, errNoAnswer
	}
	l.authorized.Add(1)
	outcome, err := l.Provider.Authorize(ctx, c)
	if l.loseAnswer.Load() {
		return pay.Outcome{}, errNoAnswer
	}
	return outcome, err
}

// Run brings the sandbox's reports, as long as the line is not deaf.
func (l *line) Run(ctx context.Context, deliver func(context.Context, provider.RawReport) error) {
	l.box.Run(ctx, func(ctx context.Context, raw provider.RawReport) error {
		if l.deaf.Load() {
			return errNoAnswer
		}
		return deliver(ctx, raw)
	})
}

// Challenged and Answer are the sandbox's.
func (l *line) Challenged(ctx context.Context, id pay.PaymentID) (bool, error) {
	return l.box.Challenged(ctx, id)
}

func (l *line) Answer(ctx context.Context, id pay.PaymentID, approved bool) error {
	return l.box.Answer(ctx, id, approved)
}

// world is a gateway on a real store, with all that it needs.
type world struct {
	*testing.T
	store  store.Store
	ledger *sandbox.MemoryLedger
	line   *line
	asker  gateway.Asker // nil: no game of the test is asked
	clock  skewed
	caller gateway.Caller
}

const game = pay.GameID("space_shooter")

// play runs a test in a bubble of its own time.
func play(t *testing.T, test func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "coinslot.db"), sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		ledger := sandbox.NewMemoryLedger()
		box := sandbox.New(sandbox.Options{Ledger: ledger})
		w := &world{T: t, store: twice{s.(*sqlite.Store)}, ledger: ledger, line: &line{Provider: box, box: box}}
		w.caller = gateway.Caller{Environment: pay.Sandbox}
		test(w)
	})
}

// openAsking opens with games that answer when they are asked.
func (w *world) openAsking(games asker) (*gateway.Service, func()) {
	w.Helper()
	w.asker = games
	return w.open()
}

// open starts a gateway on the store, as a process would, and returns what stops it.
func (w *world) open() (*gateway.Service, func()) {
	w.Helper()
	g, err := gateway.New(w.Context(), gateway.Options{
		Asker: w.asker,
		Store: w.store, Provider: func(pay.Environment) provider.Provider { return w.line },
		Payload: func(pay.Change, pay.Event) []byte { return []byte("{}") },
		Secrets: webhook.NewSecrets(vault.New([vault.KeySize]byte{})), Clock: clock.Reading(w.clock.now), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.Context())
	var running sync.WaitGroup
	running.Go(func() { g.Run(ctx) })
	return g, func() { cancel(); running.Wait() }
}

func (w *world) session(g *gateway.Service, attempts int) pay.SessionID {
	w.Helper()
	return w.sessionOf(g, pay.Game{ID: game, Attempts: attempts})
}

func (w *world) sessionOf(g *gateway.Service, settings pay.Game) pay.SessionID {
	w.Helper()
	if _, err := g.CreateGame(w.Context(), settings); err != nil && pay.CodeOf(err) != pay.AlreadyExists {
		w.Fatal(err)
	}
	s, _, err := g.CreateSession(w.Context(), w.caller, pay.Order{
		Game: game, User: "player_42", ReturnURL: "mygame://done",
		Item: &pay.ItemOrder{Title: "50 Gold Coins", Price: 499, Currency: "USD"},
	}, gateway.Idempotency{})
	if err != nil {
		w.Fatal(err)
	}
	return s.ID
}

// skewed is a clock that is off by what it holds.
type skewed struct{ by atomic.Int64 }

func (s *skewed) now() time.Time { return time.Now().Add(time.Duration(s.by.Load())) }

// card is a tender by one of the sandbox's cards.
func card(number string, attempt int) gateway.Tender {
	return gateway.Tender{Method: pay.MethodCard, Attempt: attempt, Card: &pay.Card{
		Number: number, ExpiryMonth: 12, ExpiryYear: 2040, CVC: "123",
	}}
}

const (
	good     = "4242424242424242"
	declined = "4000000000000002"
)

func (w *world) pay(g *gateway.Service, id pay.SessionID, t gateway.Tender) gateway.Checkout {
	w.Helper()
	c, err := g.Pay(w.Context(), id, t)
	if err != nil {
		w.Fatal(err)
	}
	return c
}

func (w *world) wantPaid(g *gateway.Service, id pay.SessionID) {
	w.Helper()
	c, err := g.Checkout(w.Context(), id)
	if err != nil {
		w.Fatal(err)
	}
	if c.Session.Status != pay.SessionPaid || c.Payment.Status != pay.PaymentSucceeded {
		w.Errorf("session %s, payment %s; want paid, succeeded", c.Session.Status, c.Payment.Status)
	}
	if n := w.line.authorized.Load(); n != 1 {
		w.Errorf("the provider was asked to charge %d times, want once", n)
	}
}

func TestALostAnswerIsLookedUpAndNeverChargedAgain(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		id := w.session(g, 1)
		w.line.loseAnswer.Store(true)
		begun := time.Now()
		w.pay(g, id, card(good, 0))
		if waited := time.Since(begun); waited > 5*time.Second {
			w.Errorf("the player waited %v", waited)
		}
		time.Sleep(5 * time.Second)
		w.wantPaid(g, id)
	})
}

func TestAClockThatWasSetBackHidesNoPaymentFromReconciliation(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		id := w.session(g, 1)
		w.line.loseAnswer.Store(true)
		stop()
		w.pay(g, id, card(good, 0))
		w.clock.by.Store(int64(-2 * time.Hour))
		again, stop := w.open()
		defer stop()
		synctest.Wait()
		w.wantPaid(again, id)
	})
}

func TestACallThatNeverArrivedFailsThePayment(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		id := w.session(g, 2)
		w.line.loseCall.Store(true)
		w.pay(g, id, card(good, 0))
		time.Sleep(5 * time.Second)
		c, err := g.Checkout(w.Context(), id)
		if err != nil || c.Payment.Status != pay.PaymentFailed || c.Payment.Failure.Code != pay.ProviderUnavailable {
			w.Fatalf("payment = %+v, %v", c.Payment, err)
		}
		w.line.loseCall.Store(false)
		w.pay(g, id, card(good, 1))
		w.wantPaid(g, id)
	})
}

func TestAPaymentOfAProcessThatDiedIsLookedUpAtTheNextStart(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		id := w.session(g, 1)
		w.line.loseAnswer.Store(true)
		stop() // from here on nobody looks anything up
		w.pay(g, id, card(good, 0))
		c, err := g.Checkout(w.Context(), id)
		if err != nil || c.Payment.Status != pay.PaymentProcessing {
			w.Fatalf("payment = %+v, %v; want it to be processing", c.Payment, err)
		}
		time.Sleep(time.Second)
		again, stop := w.open()
		defer stop()
		synctest.Wait()
		w.wantPaid(again, id)
	})
}

// authorized is a payment whose money is held until the game completes it.
func (w *world) authorized(g *gateway.Service) pay.Payment {
	w.Helper()
	id := w.sessionOf(g, pay.Game{ID: game, Capture: pay.CaptureManual})
	c := w.pay(g, id, card(good, 0))
	if c.Payment.Status != pay.PaymentAuthorized {
		w.Fatalf("payment %s, want authorized", c.Payment.Status)
	}
	return *c.Payment
}

func (w *world) wantPayment(g *gateway.Service, id pay.PaymentID, want pay.PaymentStatus) {
	w.Helper()
	p, err := g.Payment(w.Context(), w.caller, id)
	if err != nil || p.Status != want {
		w.Errorf("payment %s, %v; want %s", p.Status, err, want)
	}
}

func TestAKeyOfAnotherRequestNeverReachesTheProvider(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		payments := []pay.Payment{w.authorized(g), w.authorized(g)}
		var calls sync.WaitGroup
		refused := make([]error, len(payments))
		for i, p := range payments {
			calls.Go(func() {
				_, refused[i] = g.CompletePayment(w.Context(), w.caller, p.ID, gateway.Idempotency{Key: "k", Fingerprint: [32]byte{byte(i)}})
			})
		}
		calls.Wait()
		if n := w.line.captured.Load(); n != 1 {
			w.Errorf("%d captures reached the provider, want 1", n)
		}
		for i, p := range payments {
			want := pay.PaymentSucceeded
			if refused[i] != nil {
				want = pay.PaymentAuthorized
				if pay.CodeOf(refused[i]) != pay.IdempotencyConflict {
					w.Error(refused[i])
				}
			}
			w.wantPayment(g, p.ID, want)
		}
	})
}

func TestACaptureWhoseAnswerWasLostIsFoundOut(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		p := w.authorized(g)
		w.line.loseAnswer.Store(true)
		key := gateway.Idempotency{Key: "k"}
		if _, err := g.CompletePayment(w.Context(), w.caller, p.ID, key); pay.CodeOf(err) != pay.Unavailable {
			w.Fatalf("%v, want unavailable", err)
		}
		if _, err := g.CancelPayment(w.Context(), w.caller, p.ID, gateway.Idempotency{}); pay.CodeOf(err) != pay.PaymentNotAuthorized {
			w.Errorf("while its capture is under way, cancelling it says %v", err)
		}
		w.line.loseAnswer.Store(false)
		time.Sleep(2 * time.Minute)
		w.wantPayment(g, p.ID, pay.PaymentSucceeded)
		if replayed, err := g.CompletePayment(w.Context(), w.caller, p.ID, key); !replayed || err != nil {
			w.Errorf("replayed %v, %v", replayed, err)
		}
	})
}

func TestACaptureThatTheProviderDidNotDoLeavesTheGameFree(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		p := w.authorized(g)
		w.line.keepHold.Store(true)
		if _, err := g.CompletePayment(w.Context(), w.caller, p.ID, gateway.Idempotency{}); pay.CodeOf(err) != pay.Unavailable {
			w.Fatalf("%v, want unavailable", err)
		}
		if _, err := g.CancelPayment(w.Context(), w.caller, p.ID, gateway.Idempotency{}); err != nil {
			w.Error(err)
		}
		w.wantPayment(g, p.ID, pay.PaymentCancelled)
	})
}

func TestACaptureThatACrashPreventedIsDoneAtTheNextStart(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		p := w.authorized(g)
		w.line.loseCall.Store(true)
		if _, err := g.CompletePayment(w.Context(), w.caller, p.ID, gateway.Idempotency{}); pay.CodeOf(err) != pay.Unavailable {
			w.Fatalf("%v, want unavailable", err)
		}
		stop()
		w.line.loseCall.Store(false)
		again, stop := w.open()
		defer stop()
		synctest.Wait()
		w.wantPayment(again, p.ID, pay.PaymentSucceeded)
	})
}

func TestAStaleFormPaysNothing(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		id := w.session(g, 3)
		w.pay(g, id, card(declined, 0))
		c := w.pay(g, id, card(good, 0)) // the second tap on the form of the first attempt
		if c.Session.Status != pay.SessionPending || c.Session.Spent != 1 {
			w.Errorf("session %s after %d attempts, want pending after 1", c.Session.Status, c.Session.Spent)
		}
		c = w.pay(g, id, card(good, 1))
		if c.Session.Status != pay.SessionPaid {
			w.Errorf("session %s, want paid", c.Session.Status)
		}
	})
}

// payAtDeadline begins a payment just before the deadline whose outcome is known
// only after it, and returns what became of the session.
func (w *world) payAtDeadline(g *gateway.Service) pay.SessionStatus {
	w.Helper()
	id := w.session(g, 3)
	time.Sleep(pay.DefaultSessionTTL - 500*time.Millisecond)
	w.pay(g, id, card(good, 0))
	c, err := g.Checkout(w.Context(), id)
	if err != nil || time.Now().Before(c.Session.ExpiresAt) {
		w.Fatalf("%v at %v, deadline %v", err, time.Now(), c.Session.ExpiresAt)
	}
	return c.Session.Status
}

func TestAPaymentUnderWayAtTheDeadlineStillPays(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		w.line.loseAnswer.Store(true)
		if got := w.payAtDeadline(g); got != pay.SessionPaid {
			w.Errorf("session %s, want paid", got)
		}
	})
}

func TestAPaymentThatFailsAfterTheDeadlineExpiresTheSession(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		w.line.loseCall.Store(true)
		if got := w.payAtDeadline(g); got != pay.SessionExpired {
			w.Errorf("session %s, want expired", got)
		}
	})
}

func TestLastUseOfAKeyIsKeptToTheMinute(t *testing.T) {
	play(t, func(w *world) {
		g, stop := w.open()
		defer stop()
		key, text, err := g.CreateKey(w.Context(), pay.Key{Environment: pay.Sandbox})
		if err != nil {
			w.Fatal(err)
		}
		time.Sleep(90 * time.Second)
		if _, err := g.Authenticate(text); err != nil {
			w.Fatal(err)
		}
		used := pay.Clock(time.Now()).Truncate(time.Minute)
		time.Sleep(time.Minute)
		keys, err := g.Keys(w.Context(), gateway.KeyFilter{})
		if err != nil || len(keys) != 1 || keys[0].ID != key.ID || !keys[0].LastUsedAt.Equal(used) {
			w.Errorf("keys = %+v, %v; want last used at %v", keys, err, used)
		}
	})
}
