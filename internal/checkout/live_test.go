package checkout_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
	"github.com/coinslot/coinslot/test/coinslottest"
)

// stage is an installation whose pages are followed over connections in memory, in a
// bubble of its own time.
type stage struct {
	*testing.T
	*coinslottest.Installation
	client *http.Client
	bank   *coinslottest.Bank
}

func onStage(t *testing.T, http2 bool, test func(*stage)) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{T: t, bank: coinslottest.NewBank()}
		s.Installation = coinslottest.Start(t, func(o *installation.Options) {
			o.Providers = func(pay.Environment) provider.Provider { return s.bank }
		})
		s.client = &http.Client{Transport: s.InMemory(t).Transport(t, http2)}
		s.Key(t, pay.Sandbox, pay.Game{ID: "chess", Attempts: 3})
		test(s)
	})
}

func bothProtocols(t *testing.T, test func(*stage)) {
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) { onStage(t, http2, test) })
	}
}

func (s *stage) sell(edit ...func(*pay.Order)) pay.SessionID {
	s.Helper()
	order := pay.Order{Game: "chess", User: "ann", ReturnURL: "chess://done", Item: &pay.ItemOrder{Title: "Gems", Price: 499, Currency: "USD"}}
	for _, change := range edit {
		change(&order)
	}
	session, _, err := s.Gateway.CreateSession(s.Context(), gateway.Caller{Environment: pay.Sandbox}, order, gateway.Idempotency{})
	if err != nil {
		s.Fatal(err)
	}
	return session.ID
}

func (s *stage) payByCard(id pay.SessionID, number string) {
	s.Helper()
	card := pay.Card{Number: number, ExpiryMonth: 12, ExpiryYear: 2040, CVC: "123"}
	c, err := s.Gateway.Checkout(s.Context(), id)
	if err == nil {
		_, err = s.Gateway.Pay(s.Context(), id, gateway.Tender{Method: pay.MethodCard, Card: &card, Attempt: c.Session.Spent})
	}
	if err != nil {
		s.Error(err)
	}
}

// follower is who follows a session as the page's script does.
type follower struct {
	*stage
	*http.Response
	lines *bufio.Reader
	leave context.CancelFunc
}

func (s *stage) follow(id pay.SessionID) *follower {
	s.Helper()
	ctx, leave := context.WithCancel(s.Context())
	s.Cleanup(leave)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://pay.test/pay/"+string(id)+"/live", nil)
	if err != nil {
		s.Fatal(err)
	}
	response, err := s.client.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { response.Body.Close() })
	return &follower{s, response, bufio.NewReader(response.Body), leave}
}

// hear is the next event; empty where the stream has ended.
func (f *follower) hear() string {
	var event []string
	for {
		line, err := f.lines.ReadString('\n')
		if err != nil {
			return ""
		}
		if line == "\n" {
			return strings.Join(event, " ")
		}
		event = append(event, strings.TrimSpace(line))
	}
}

func (f *follower) wants(state string) {
	f.Helper()
	if got := f.hear(); got != state {
		f.Errorf("it tells %q, want %q", got, state)
	}
}

const (
	beat   = "event: beat data: ."
	unpaid = `data: {"status":"pending","attempt":0}`
	paid   = `data: {"status":"paid","payment":"succeeded","attempt":0}`
)

func TestALiveStreamTellsEachChangeUntilTheSessionIsFinal(t *testing.T) {
	bothProtocols(t, func(s *stage) {
		id := s.sell()
		var paying sync.WaitGroup
		defer paying.Wait()
		f := s.follow(id)
		for name, want := range map[string]string{"Content-Type": "text/event-stream", "Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"} {
			if got := f.Header.Get(name); got != want {
				s.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		f.wants(unpaid)
		// For longer than a whole answer, or the reading of a request, may take else.
		for began, i := time.Now(), 1; i <= 12; i++ {
			f.wants(beat)
			if at := time.Since(began); at != time.Duration(i)*15*time.Second {
				s.Fatalf("beat %d comes after %v", i, at)
			}
		}
		s.bank.Hold()
		paying.Go(func() { s.payByCard(id, "4000000000000002") })
		f.wants(`data: {"status":"pending","payment":"processing","attempt":0}`)
		s.bank.Release()
		f.wants(`data: {"status":"pending","payment":"failed","attempt":1}`)
		s.bank.Hold()
		paying.Go(func() { s.payByCard(id, "4242424242424242") })
		f.wants(`data: {"status":"pending","payment":"processing","attempt":1}`)
		s.bank.Release()
		f.wants(`data: {"status":"paid","payment":"succeeded","attempt":1}`)
		f.wants("")
	})
}

func TestALiveStreamTellsTheTruthAtOnce(t *testing.T) {
	onStage(t, false, func(s *stage) {
		id := s.sell()
		s.payByCard(id, "4242424242424242")
		began, f := time.Now(), s.follow(id)
		f.wants(paid)
		f.wants("")
		if took := time.Since(began); took != 0 {
			s.Errorf("it took %v", took)
		}
	})
}

func TestEveryTabIsTold(t *testing.T) {
	onStage(t, true, func(s *stage) {
		id := s.sell()
		var paying sync.WaitGroup
		defer paying.Wait()
		one, two := s.follow(id), s.follow(id)
		one.wants(unpaid)
		two.wants(unpaid)
		paying.Go(func() { s.payByCard(id, "4242424242424242") })
		for _, f := range []*follower{one, two} {
			got := f.hear()
			for got != paid && got != "" {
				got = f.hear() // the payment may be told while it is processing
			}
			if got != paid {
				s.Error("a tab was not told of the payment")
			}
		}
	})
}

// Where a player must go is no event either, and is told at once: who pays with a card that is
// to be confirmed may look at another tab.
func TestThatThePlayerMustConfirmIsToldAtOnce(t *testing.T) {
	onStage(t, false, func(s *stage) {
		id := s.sell()
		f := s.follow(id)
		f.wants(unpaid)
		began := time.Now()
		s.payByCard(id, challenged)
		got := f.hear()
		for got != "" && !strings.Contains(got, `"note":"action_required"`) {
			got = f.hear()
		}
		if took := time.Since(began); got != `data: {"status":"pending","payment":"processing","attempt":0,"note":"action_required"}` || took > time.Second {
			s.Errorf("after %v it tells %q", took, got)
		}
	})
}

// A hold that is being let go is no event, but the player is told.
func TestWhatIsNoEventIsToldWithTheNextBeat(t *testing.T) {
	onStage(t, false, func(s *stage) {
		s.Key(t, pay.Sandbox, pay.Game{ID: "asks", Attempts: 3, ConfirmURL: "https://game.test/confirm"})
		if _, _, err := s.Gateway.RotateConfirmSecret(s.Context(), "asks", 0); err != nil {
			s.Fatal(err)
		}
		s.Receiver.Say(`{"decision":"reject"}`)
		s.bank.Keep()
		id := s.sell(func(o *pay.Order) { o.Game = "asks" })
		f := s.follow(id)
		f.wants(unpaid)
		var paying sync.WaitGroup
		paying.Go(func() { s.payByCard(id, "4242424242424242") })
		defer paying.Wait()
		began, got := time.Now(), f.hear()
		for got != "" && !strings.Contains(got, `"note":"releasing"`) {
			got = f.hear()
		}
		if took := time.Since(began); got != `data: {"status":"pending","payment":"authorized","attempt":0,"note":"releasing"}` || took > 20*time.Second {
			s.Errorf("after %v it tells %q", took, got)
		}
	})
}

func TestALiveStreamTellsThatTheTimeIsUp(t *testing.T) {
	onStage(t, false, func(s *stage) {
		f := s.follow(s.sell(func(o *pay.Order) { o.ExpiresIn = new(time.Minute) }))
		got := f.hear()
		for got == unpaid || got == beat {
			got = f.hear()
		}
		if got != `data: {"status":"expired","attempt":0}` {
			s.Errorf("at its end it tells %q", got)
		}
		f.wants("")
	})
}

func TestALiveStreamIsNotForEver(t *testing.T) {
	onStage(t, false, func(s *stage) {
		f, began := s.follow(s.sell()), time.Now()
		for f.hear() != "" {
		}
		if took := time.Since(began); took != 10*time.Minute {
			s.Errorf("it ended after %v", took)
		}
	})
}

func TestWhatIsNotThereIsNotFollowed(t *testing.T) {
	onStage(t, false, func(s *stage) {
		for range 3 {
			if f := s.follow("sess_none"); f.StatusCode != http.StatusNotFound || f.Header.Get("Content-Type") != "application/json" {
				s.Errorf("%d %s", f.StatusCode, f.Header.Get("Content-Type"))
			}
		}
	})
}

// The tabs of one session leave a browser connections for its pages.
func TestASessionHasSoManyFollowersAtOnce(t *testing.T) {
	onStage(t, false, func(s *stage) {
		id := s.sell()
		var all []*follower
		for range 4 {
			all = append(all, s.follow(id))
		}
		if f := s.follow(id); f.StatusCode != http.StatusServiceUnavailable || f.Header.Get("Retry-After") == "" {
			s.Errorf("the fifth is answered %d", f.StatusCode)
		}
		if f := s.follow(s.sell()); f.StatusCode != http.StatusOK {
			s.Errorf("another session's is answered %d", f.StatusCode)
		}
		all[0].leave()
		synctest.Wait()
		if f := s.follow(id); f.StatusCode != http.StatusOK {
			s.Errorf("once one has left the next is answered %d", f.StatusCode)
		}
	})
}

func TestALiveStreamEndsWhenTheServerDoes(t *testing.T) {
	bothProtocols(t, func(s *stage) {
		f := s.follow(s.sell())
		f.wants(unpaid)
		began := time.Now()
		s.Drain()
		f.wants("")
		if took := time.Since(began); took != 0 {
			s.Errorf("it took %v", took)
		}
	})
}

func TestAFollowerWhoTakesNothingIsCutOff(t *testing.T) {
	onStage(t, false, func(s *stage) {
		id := s.sell()
		for range 4 {
			conn, err := s.client.Transport.(*http.Transport).DialContext(s.Context(), "", "")
			if err != nil {
				s.Fatal(err)
			}
			defer conn.Close()
			if _, err := fmt.Fprintf(conn, "GET /pay/%s/live HTTP/1.1\r\nHost: pay.test\r\n\r\n", id); err != nil {
				s.Fatal(err)
			}
		}
		synctest.Wait()
		if f := s.follow(id); f.StatusCode != http.StatusServiceUnavailable {
			s.Fatalf("beside four who read nothing one more is answered %d", f.StatusCode)
		}
		time.Sleep(30 * time.Second)
		if f := s.follow(id); f.StatusCode != http.StatusOK {
			s.Errorf("after half a minute they are still there: %d", f.StatusCode)
		}
	})
}

func TestHeadAsksWhetherThereIsALiveStream(t *testing.T) {
	t.Parallel()
	shop := coinslottest.OpenShop(t)
	page := send(t, http.MethodHead, shop.Page(shop.Sell(t))+"/live", "", nil)
	if page.status != http.StatusOK || page.header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("%d %s", page.status, page.header.Get("Content-Type"))
	}
	if page := send(t, http.MethodHead, shop.Page("sess_none")+"/live", "", nil); page.status != http.StatusNotFound {
		t.Errorf("of what is not there: %d", page.status)
	}
}
