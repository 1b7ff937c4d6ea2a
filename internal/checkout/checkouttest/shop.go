// Package checkouttest runs the payment page for tests: over HTTP, on the use cases
// and the sandbox.
package checkouttest

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/checkout"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider/sandbox"
)

// Shop is a running payment page and one game that sells.
type Shop struct {
	URL     string // of the server
	Address checkout.Address
	Bank    *Bank
	Log     *Log

	counter *counter
	clock   *clock
}

// Open starts a shop at /pay of a server of its own.
func Open(t testing.TB) *Shop { return OpenAt(t, "/pay") }

// OpenAt starts a shop below a path; "" is a host of the page's own.
func OpenAt(t testing.TB, mount string) *Shop {
	t.Helper()
	s := &Shop{Bank: newBank(), Log: &Log{}, clock: &clock{now: time.Now()}}
	s.counter = newCounter(t, s.Bank, s.clock)
	var page http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { page.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	t.Cleanup(s.Bank.Release)
	s.URL = server.URL
	address, err := checkout.ParseAddress(server.URL + mount)
	if err != nil {
		t.Fatal(err)
	}
	s.Address = address
	page = checkout.New(checkout.Options{
		Service: s.counter, Address: address, Mount: mount, Key: [32]byte{1, 2, 3}, TestCards: testCards(),
		Logger: slog.New(slog.NewTextHandler(s.Log, nil)), Now: s.clock.Now,
	})
	return s
}

func testCards() (all []checkout.TestCard) {
	for _, c := range sandbox.Cards {
		all = append(all, checkout.TestCard{Number: c.Number, Outcome: c.Outcome})
	}
	return all
}

// Sale is what a test may change of a session before it is made.
type Sale struct {
	Game        pay.Game
	Environment pay.Environment
	Order       pay.Order
}

// Sell makes a session: 50 Gold Coins for $4.99, three attempts, unless edit says otherwise.
func (s *Shop) Sell(t testing.TB, edit func(*Sale)) pay.SessionID {
	t.Helper()
	sale := Sale{
		Game:        pay.Game{ID: "space_shooter", Name: "Space Shooter", Attempts: 3}.WithDefaults(),
		Environment: pay.Sandbox,
		Order: pay.Order{
			Game: "space_shooter", User: "player_42", ReturnURL: "mygame://payment-complete",
			Item: &pay.ItemOrder{Title: "50 Gold Coins", Price: 499, Currency: "USD"},
		},
	}
	if edit != nil {
		edit(&sale)
	}
	id, err := s.counter.sell(sale)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// Page is the address of a session's page.
func (s *Shop) Page(id pay.SessionID) string { return s.Address.PageURL(id) }

// Wait moves the clock.
func (s *Shop) Wait(d time.Duration) { s.clock.add(d) }

// Break makes the store fail with err.
func (s *Shop) Break(err error) { s.counter.store.fail(err) }

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Log holds all that was logged.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// Contains says whether text was logged.
func (l *Log) Contains(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.b.String(), text)
}
