package checkout

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
)

// Service is what the page asks of the use cases.
type Service interface {
	// Checkout is what the page shows of a session, as of now.
	Checkout(ctx context.Context, id pay.SessionID) (gateway.Checkout, error)

	// WatchCheckout tells what the page shows of a session, now and after each change,
	// until it is final. It tells nil as a heartbeat.
	WatchCheckout(ctx context.Context, id pay.SessionID, tell func(*gateway.Checkout) error) error

	// Pay tries to pay once. It may return while the payment is still processing.
	Pay(ctx context.Context, id pay.SessionID, t gateway.Tender) (gateway.Checkout, error)

	// Challenged is what the page shows, and whether its payment waits for the player to
	// confirm on this page. Answer gives their answer, of that attempt.
	Challenged(ctx context.Context, id pay.SessionID) (gateway.Checkout, bool, error)
	Answer(ctx context.Context, id pay.SessionID, attempt int, approved bool) (gateway.Checkout, error)

	// Leave calls the session off for the player.
	Leave(ctx context.Context, id pay.SessionID) (gateway.Checkout, error)

	// Image is a picture that was stored with an item.
	Image(ctx context.Context, name pay.ImageName) (pay.Image, error)
}

// Options is all that the page needs from outside.
type Options struct {
	Service Service

	// Address is where players find the page.
	Address Address

	// Mount is the path below which the handler is asked: "/pay", or "" where the
	// page has a host of its own.
	Mount string

	// Key signs forms and nothing else. It outlives restarts, so that a form opened before one still works after it.
	Key [32]byte

	// TestCards are listed on the page of a sandbox session.
	TestCards []TestCard

	Logger *slog.Logger
	Now    func() time.Time
}

// TestCard is a card number of the sandbox and what comes of paying with it.
type TestCard struct {
	Number  string
	Outcome string // in a few words, such as "card_declined"
}

// handler serves the page. Of what was asked before it knows who follows a session just
// now, and how often each address has asked for what is not there.
type handler struct {
	Options
	sites     *http.CrossOriginProtection
	followers followers
	misses    misses
	made      sync.Map // the fixed parts in each language, by its language.Tag
}

// New makes the handler of everything below Mount, and of /images/.
func New(o Options) http.Handler {
	o.Mount = strings.TrimRight(o.Mount, "/")
	h := &handler{Options: o, sites: http.NewCrossOriginProtection(), misses: misses{now: o.Now}}
	// A proxy may have changed the Host that the origin is else compared with.
	if err := h.sites.AddTrustedOrigin(o.Address.origin()); err != nil {
		panic("checkout: an Address that is no origin: " + err.Error())
	}
	return h
}
