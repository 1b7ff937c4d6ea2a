package coinslottest

import (
	"fmt"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/checkout"
	"github.com/coinslot/coinslot/internal/clock"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/pay"
)

// Shop is an installation that players reach: it listens where it says that it is,
// and what can go wrong for a player can be made to.
type Shop struct {
	*Installation
	URL     string // of the server
	Address checkout.Address
	Bank    *Bank
	Faults  *FaultyStore
	Log     *Log

	games atomic.Int32
	ahead atomic.Int64 // of the time: a time.Duration
}

// OpenShop starts a shop whose payment page is at /pay.
func OpenShop(t testing.TB) *Shop {
	t.Helper()
	return OpenShopAt(t, "/pay")
}

// OpenShopAt starts a shop whose payment page is below a path; "" is a host of the
// page's own.
func OpenShopAt(t testing.TB, mount string) *Shop {
	t.Helper()
	server := httptest.NewUnstartedServer(nil) // has its port already
	s := &Shop{
		URL:  "http://" + server.Listener.Addr().String(),
		Bank: NewBank(), Faults: &FaultyStore{Store: OpenStore(t)}, Log: &Log{},
	}
	s.Installation = Start(t, func(o *installation.Options) {
		o.PublicURL, o.CheckoutURL = s.URL, s.URL+mount
		o.Store, o.Providers, o.Logger, o.Clock = s.Faults, s.Bank.Everywhere, s.Log.Logger(), clock.Reading(s.Now)
	})
	s.serve(t, server)
	t.Cleanup(s.Bank.Release) // before the server waits for its last answers
	address, err := checkout.ParseAddress(s.URL + mount)
	if err != nil {
		t.Fatal(err)
	}
	s.Address, s.Bank.VerifyURL = address, address.VerifyURL
	return s
}

// Now is the time in the shop.
func (s *Shop) Now() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }

// Wait moves the clock.
func (s *Shop) Wait(d time.Duration) { s.ahead.Add(int64(d)) }

// Sale is what a test may change of a session before it is made.
type Sale struct {
	Game        pay.Game
	Environment pay.Environment
	Order       pay.Order
}

// Sell makes a session: 50 Gold Coins for $4.99, three attempts. edit may change that.
func (s *Shop) Sell(t testing.TB, edit ...func(*Sale)) pay.SessionID {
	t.Helper()
	sale := Sale{
		Game:        pay.Game{Name: "Space Shooter", Attempts: 3}.WithDefaults(),
		Environment: pay.Sandbox,
		Order: pay.Order{
			User: "player_42", ReturnURL: "mygame://payment-complete",
			Item: &pay.ItemOrder{Title: "50 Gold Coins", Price: 499, Currency: "USD"},
		},
	}
	for _, change := range edit {
		change(&sale)
	}
	// A game of its own for each sale, since its settings are part of it.
	sale.Game.ID = pay.GameID(fmt.Sprintf("game_%d", s.games.Add(1)))
	sale.Order.Game = sale.Game.ID
	if _, err := s.Gateway.CreateGame(t.Context(), sale.Game); err != nil {
		t.Fatal(err)
	}
	if sale.Game.ConfirmURL != "" {
		if _, _, err := s.Gateway.RotateConfirmSecret(t.Context(), sale.Game.ID, 0); err != nil {
			t.Fatal(err)
		}
	}
	session, _, err := s.Gateway.CreateSession(t.Context(), gateway.Caller{Environment: sale.Environment}, sale.Order, gateway.Idempotency{})
	if err != nil {
		t.Fatal(err)
	}
	return session.ID
}

// Page is the address of a session's page.
func (s *Shop) Page(id pay.SessionID) string { return s.Address.PageURL(id) }
