// Package inbox shows the webhooks of the sandbox as they would arrive, signed, with
// the commands that verify them, so that a newcomer sees the whole loop without a
// receiver. It is for whoever sits at the machine that the server runs on, and for
// nobody else: see door.go. It sends nothing and changes nothing.
package inbox

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
)

// Path is where the inbox is.
const Path = "/dev/inbox"

// Service is what the inbox asks of the use cases, which know of the sandbox only.
type Service interface {
	// Inbox pages through the events, the newest first.
	Inbox(ctx context.Context, q gateway.InboxQuery, before int64, most int) (gateway.InboxPage, error)

	// InboxEvent is one event, and how it stands with each endpoint that is told of it.
	InboxEvent(ctx context.Context, id pay.EventID) (gateway.Captured, error)

	// WatchInbox tells a place in the feed when there are new events, and 0 while there are none.
	WatchInbox(ctx context.Context, q gateway.InboxQuery, after int64, tell func(latest int64) error) error
}

// Options is all that the inbox needs from outside.
type Options struct {
	Service Service

	// Secret signs what is shown. It is no endpoint's.
	Secret string

	// PublicURL is where commands that are to be copied reach the server, Program what
	// they call the binary, and ProgramFlag how it finds the server; it may be empty.
	PublicURL   string
	Program     string
	ProgramFlag string

	Logger *slog.Logger
	Now    func() time.Time // what signatures are dated by: receivers go by the machine's clock
}

// Inbox makes the handler of all below Path.
type Inbox struct {
	Options
	streams atomic.Int32 // that are open
}

// New makes an inbox.
func New(o Options) *Inbox { return &Inbox{Options: o} }

// Or answers those who may see the inbox. All others get the answer that they would get
// if there were none.
func (i *Inbox) Or(otherwise http.Handler) http.Handler {
	pages := http.NewServeMux()
	for pattern, page := range map[string]func(*visit){
		"GET " + Path:                (*visit).list,
		"GET " + Path + "/list":      (*visit).listing,
		"GET " + Path + "/live":      (*visit).live,
		"GET " + Path + "/{id}":      (*visit).event,
		"GET " + Path + "/{id}/body": (*visit).body,
		"GET " + Path + "/{rest...}": (*visit).nothing,
	} {
		pages.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { page(i.newVisit(w, r)) })
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !admits(r) {
			otherwise.ServeHTTP(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	})
}
