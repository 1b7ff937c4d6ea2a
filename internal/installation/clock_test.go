package installation_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coinslot/coinslot/internal/clock"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider/sandbox"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/vault"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// arcade is an installation with a clock that can be moved, a game and its receiver.
type arcade struct {
	*testing.T
	*coinslottest.Installation
	ledger   *ledger
	endpoint pay.EndpointID
}

// inArcade runs a test in a bubble of its own time, in which the machine's clock stands
// still but for what the test and the product wait.
func inArcade(t *testing.T, test func(*arcade)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		a := &arcade{T: t, ledger: &ledger{MemoryLedger: sandbox.NewMemoryLedger()}}
		a.Installation = coinslottest.Start(t, func(o *installation.Options) {
			o.SandboxClock, o.Ledger, o.WebhookJitter = true, a.ledger, func() float64 { return 0 }
		})
		_, err := a.Gateway.CreateGame(t.Context(), pay.Game{ID: "arcade", Capture: pay.CaptureAutomatic})
		if err != nil {
			t.Fatal(err)
		}
		e, _, err := a.Gateway.CreateEndpoint(t.Context(), pay.Endpoint{Environment: pay.Sandbox, Game: "arcade", URL: "https://game.test/hook"})
		if err != nil {
			t.Fatal(err)
		}
		a.endpoint = e.ID
		test(a)
	})
}

// ledger is one that can fail, and that can take its time.
type ledger struct {
	*sandbox.MemoryLedger
	broken error
	slow   atomic.Bool
}

func (l *ledger) Load(ctx context.Context, key string) ([]byte, error) {
	if l.slow.Load() {
		time.Sleep(time.Second)
	}
	return l.MemoryLedger.Load(ctx, key)
}

func (l *ledger) Save(ctx context.Context, key string, value []byte) error {
	if l.broken != nil {
		return l.broken
	}
	return l.MemoryLedger.Save(ctx, key, value)
}

var operator = gateway.Caller{Environment: pay.Sandbox}

// sell makes a session that can be paid for that long.
func (a *arcade) sell(forHowLong time.Duration) pay.SessionID {
	a.Helper()
	s, _, err := a.Gateway.CreateSession(a.Context(), operator, pay.Order{
		Game: "arcade", User: "player_42", ReturnURL: "mygame://done", ExpiresIn: &forHowLong,
		Item: &pay.ItemOrder{Title: "Gems", Price: 499, Currency: "USD"},
	}, gateway.Idempotency{})
	if err != nil {
		a.Fatal(err)
	}
	return s.ID
}

func (a *arcade) pay(id pay.SessionID, number string) pay.PaymentID {
	a.Helper()
	page, err := a.Gateway.Pay(a.Context(), id, gateway.Tender{Method: pay.MethodCard, Card: &pay.Card{
		Number: number, ExpiryMonth: 12, ExpiryYear: a.Gateway.Time().Now.Year(), CVC: "123",
	}})
	if err != nil {
		a.Fatal(err)
	}
	return page.Payment.ID
}

// advance moves the clock and wants all of it moved.
func (a *arcade) advance(by time.Duration) {
	a.Helper()
	before := a.Gateway.Time().Now
	left, err := a.Gateway.Advance(a.Context(), by)
	if err != nil || left != 0 {
		a.Fatalf("Advance left %v, %v", left, err)
	}
	if moved := a.Gateway.Time().Now.Sub(before); moved < by || moved > by+10*time.Second {
		a.Errorf("it moved %v, want %v", moved, by)
	}
}

// stored is how a session stands on disk, whoever asks.
func (a *arcade) stored(id pay.SessionID) (s pay.Session) {
	a.Helper()
	if err := a.Store.View(a.Context(), func(r store.Reader) (err error) { s, err = r.Session(id); return err }); err != nil {
		a.Fatal(err)
	}
	return s
}

// told lists the events that have arrived since the last call.
func (a *arcade) told() (types []string) {
	for _, r := range a.Receiver.Take() {
		_, rest, _ := strings.Cut(string(r.Body), `"type":"`)
		name, _, _ := strings.Cut(rest, `"`)
		types = append(types, name)
	}
	return types
}

func TestWhatIsOverdueIsStoredAndToldWhenAdvanceReturns(t *testing.T) {
	inArcade(t, func(a *arcade) {
		short, long := a.sell(24*time.Hour), a.sell(26*time.Hour)
		time.Sleep(time.Second / 2) // what was sold is told
		a.told()
		a.advance(25 * time.Hour)
		if got := a.stored(short); got.Status != pay.SessionExpired {
			a.Errorf("a session that was overdue is %s", got.Status)
		}
		if got := a.stored(long); got.Status != pay.SessionPending {
			a.Errorf("a session with an hour to go is %s", got.Status)
		}
		if diff := cmp.Diff([]string{"session.expired"}, a.told()); diff != "" {
			a.Error(diff)
		}
	})
}

func TestAnAdvancePlaysTheScheduleOfRetriesInItsOrder(t *testing.T) {
	inArcade(t, func(a *arcade) {
		a.Receiver.Answer(func(int) int { return 500 })
		machine := time.Now()
		a.sell(24 * time.Hour)
		a.advance(10 * time.Second) // the first two
		a.advance(96 * time.Hour)
		found, err := a.Gateway.Deliveries(a.Context(), store.DeliveryQuery{Endpoint: a.endpoint, Limit: 10})
		if err != nil || len(found.Rows) != 2 {
			a.Fatalf("deliveries = %v, %v", found.Rows, err)
		}
		created := found.Rows[1]
		if created.Status != pay.DeliveryExhausted {
			a.Errorf("the delivery is %s", created.Status)
		}
		_, attempts, err := a.Gateway.Attempts(a.Context(), created.ID)
		if err != nil {
			a.Fatal(err)
		}
		want := []string{
			"0s", "5s", "35s", "2m35s", "7m35s", "22m35s", "52m35s", "1h52m35s", "3h52m35s", "7h52m35s", "15h52m35s",
			"27h52m35s", "39h52m35s", "51h52m35s", "63h52m35s",
		}
		var got []string
		for _, at := range attempts {
			got = append(got, at.At.Sub(attempts[0].At).Round(5*time.Second).String())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			a.Errorf("times of the attempts (-want +got):\n%s", diff)
		}
		for _, r := range a.Receiver.Take() {
			signed, _ := strconv.ParseInt(r.Header.Get("Webhook-Timestamp"), 10, 64)
			if off := time.Unix(signed, 0).Sub(machine); off < 0 || off > time.Minute {
				a.Errorf("an attempt was signed %v off the time of the machines", off)
			}
		}
	})
}

func TestRefundsThatTakeTheirTimeEndOnTheWay(t *testing.T) {
	inArcade(t, func(a *arcade) {
		for number, want := range map[string]pay.RefundStatus{"4000000000007726": pay.RefundSucceeded, "4000000000005126": pay.RefundFailed} {
			payment := a.pay(a.sell(time.Hour), number)
			r, _, err := a.Gateway.CreateRefund(a.Context(), operator, pay.RefundOrder{Payment: payment}, gateway.Idempotency{})
			if err != nil || r.Status != pay.RefundPending {
				a.Fatalf("refund = %v, %v", r, err)
			}
			time.Sleep(time.Second / 2) // what was paid is told
			a.told()
			a.ledger.slow.Store(true)
			a.advance(30 * time.Second)
			a.ledger.slow.Store(false)
			if r, err = a.Gateway.Refund(a.Context(), operator, r.ID); err != nil || r.Status != want {
				a.Errorf("after half a minute the refund is %s, want %s; %v", r.Status, want, err)
			}
			if diff := cmp.Diff([]string{"refund." + string(want)}, a.told()); diff != "" {
				a.Error(diff)
			}
		}
	})
}

func TestAnAuthorizationThatNobodyCompletesIsVoided(t *testing.T) {
	inArcade(t, func(a *arcade) {
		if _, err := a.Gateway.UpdateGame(a.Context(), "arcade", func(g *pay.Game) { g.Capture = pay.CaptureManual }); err != nil {
			a.Fatal(err)
		}
		id := a.sell(time.Hour)
		a.pay(id, "4242424242424242")
		a.ledger.slow.Store(true)
		a.advance(7 * 24 * time.Hour)
		if got := a.stored(id).Status; got != pay.SessionPending {
			a.Errorf("within seven days of the deadline it is %s", got)
		}
		a.advance(2 * time.Hour)
		if got := a.stored(id).Status; got != pay.SessionCancelled {
			a.Errorf("seven days after the deadline it is %s", got)
		}
	})
}

func TestWhatIsUnderWayIsWaitedForAndNotDoneTwice(t *testing.T) {
	inArcade(t, func(a *arcade) {
		a.Receiver.Handle(func(*http.Request) (*http.Response, error) {
			time.Sleep(8 * time.Second)
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		})
		a.sell(72 * time.Hour)
		synctest.Wait()
		a.advance(time.Hour)
		if diff := cmp.Diff([]string{"session.created"}, a.told()); diff != "" {
			a.Error(diff)
		}
	})
}

func TestAReceiverThatNeverAnswersDoesNotStopTheClock(t *testing.T) {
	inArcade(t, func(a *arcade) {
		a.Receiver.Handle(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		a.sell(72 * time.Hour)
		calls := 0
		for left := 24 * time.Hour; left > 0; calls++ {
			began := time.Now()
			var err error
			if left, err = a.Gateway.Advance(a.Context(), left); err != nil {
				a.Fatal(err)
			}
			if took := time.Since(began); took > 40*time.Second {
				a.Errorf("a call took %v", took)
			}
		}
		if got := a.Gateway.Time().Ahead; got != 24*time.Hour {
			a.Errorf("it is %v ahead", got)
		}
		if calls < 2 || len(a.told()) < 10 {
			a.Errorf("it took %d calls; each attempt was to be made", calls)
		}
	})
}

func TestManyMayMoveTheClockAtOnce(t *testing.T) {
	inArcade(t, func(a *arcade) {
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if left, err := a.Gateway.Advance(a.Context(), time.Hour); err != nil || left != 0 {
					a.Errorf("Advance left %v, %v", left, err)
				}
			})
		}
		all.Wait()
		if got := a.Gateway.Time().Ahead; got != 8*time.Hour {
			a.Errorf("it is %v ahead, want 8h", got)
		}
	})
}

func TestAdvanceRefusesNamingTheField(t *testing.T) {
	const year = 365 * 24 * time.Hour
	inArcade(t, func(a *arcade) {
		for _, by := range []time.Duration{0, -1, 10*year + 1} {
			_, err := a.Gateway.Advance(a.Context(), by)
			var refused *pay.Error
			if !errors.As(err, &refused) || refused.Code != pay.InvalidSetting || refused.Field != "by" {
				a.Errorf("by %v: %v", by, err)
			}
		}
		for range 9 {
			a.advance(10 * year)
		}
		a.advance(10*year - time.Hour)
		a.advance(time.Minute)
		if _, err := a.Gateway.Advance(a.Context(), 2*time.Hour); err == nil || !strings.Contains(err.Error(), "at most 36500 days ahead") {
			a.Errorf("beyond a hundred years: %v", err)
		}
	})
}

func TestAClockThatCannotBeKeptIsNotMoved(t *testing.T) {
	inArcade(t, func(a *arcade) {
		a.ledger.broken = errors.New("the disk is full")
		if left, err := a.Gateway.Advance(a.Context(), time.Hour); !errors.Is(err, a.ledger.broken) || left != time.Hour {
			a.Errorf("Advance left %v, %v", left, err)
		}
		if got := a.Gateway.Time().Ahead; got != 0 {
			a.Errorf("it moved by %v", got)
		}
	})
}

func TestTheMachinesClockCannotBeMoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := coinslottest.Start(t)
		if _, err := i.Gateway.Advance(t.Context(), time.Hour); pay.CodeOf(err) != pay.ClockIsFixed || !strings.Contains(err.Error(), "--sandbox-clock") {
			t.Errorf("Advance = %v", err)
		}
		if got := i.Gateway.Time(); !got.Fixed || !got.Now.Equal(time.Now()) {
			t.Errorf("Time = %v", got)
		}
	})
}

// again puts an installation together on the data of an earlier one.
func again(a *arcade, edit func(*installation.Options)) (*installation.Installation, error) {
	o := installation.Options{
		Store: a.Store, Ledger: a.ledger, Vault: vault.New([vault.KeySize]byte{1}), AdminToken: coinslottest.AdminToken,
		PublicURL: coinslottest.PublicURL, Logger: slog.New(slog.DiscardHandler), SandboxClock: true,
	}
	edit(&o)
	return installation.New(a.Context(), o)
}

func TestTheClockIsAheadAfterARestartAndOnlyWithTheFlag(t *testing.T) {
	inArcade(t, func(a *arcade) {
		noFlag := func(o *installation.Options) { o.SandboxClock = false }
		if _, err := again(a, noFlag); err != nil {
			a.Errorf("data of a clock that was never moved: %v", err)
		}
		a.advance(25 * time.Hour)
		before := a.Gateway.Time().Now
		next, err := again(a, func(*installation.Options) {})
		if err != nil {
			a.Fatal(err)
		}
		if next.Gateway.Time().Now.Before(before) {
			a.Error("time went back")
		}
		if _, err := again(a, noFlag); err == nil || !strings.Contains(err.Error(), "whose clock was 25h0m0s ahead; serve it with --sandbox-clock") {
			a.Errorf("without the flag: %v", err)
		}
		if err := a.ledger.Save(a.Context(), "clock", []byte("-1h")); err != nil {
			a.Fatal(err)
		}
		if _, err := again(a, func(*installation.Options) {}); err == nil {
			a.Error("an offset that is negative was taken")
		}
	})
}

func TestAClockThatCanBeMovedIsForSandboxesOnly(t *testing.T) {
	inArcade(t, func(a *arcade) {
		_, _, err := a.Gateway.CreateKey(a.Context(), pay.Key{Environment: pay.Production, Game: "arcade"})
		var refused *pay.Error
		if !errors.As(err, &refused) || refused.Field != "environment" || !strings.Contains(refused.Message, "--sandbox-clock") {
			a.Errorf("CreateKey = %v", err)
		}
		earnest, err := again(a, func(o *installation.Options) { o.SandboxClock, o.Clock = false, clock.System })
		if err != nil {
			a.Fatal(err)
		}
		if _, _, err := earnest.Gateway.CreateKey(a.Context(), pay.Key{Environment: pay.Production, Game: "arcade"}); err != nil {
			a.Fatal(err)
		}
		if _, err := again(a, func(*installation.Options) {}); err == nil || !strings.Contains(err.Error(), "the data holds a production key") {
			a.Errorf("data of production: %v", err)
		}
		if _, err := again(a, func(o *installation.Options) { o.Ledger, o.Providers = nil, coinslottest.NewBank().Everywhere }); err == nil {
			a.Error("a clock that nobody can keep was taken")
		}
	})
}
