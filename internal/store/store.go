// Package store is the contract of Coinslot's storage. It knows no SQL; package
// storetest is this contract as tests, which every store passes.
//
// One session is the unit of consistency. Whatever changes a session goes through
// Update and names that session; settings have small writes of their own, and so
// has the queue of deliveries.
package store

import (
	"context"
	"errors"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
)

// The errors of a store. Anything else is a fault of the store itself.
var (
	// ErrNotFound: there is no such row.
	ErrNotFound = errors.New("not found")
	// ErrConflict: the row is not at the version that the change was decided on, or
	// one with that name is there already.
	ErrConflict = errors.New("conflict")
	// ErrUnavailable: the store is closed, full or out of reach. Whether the write
	// happened is unknown.
	ErrUnavailable = errors.New("store unavailable")
)

// Store keeps everything that Coinslot must not forget.
type Store interface {
	// Update runs fn as if no other Update on the same session were running
	// anywhere, and returns once what it wrote is durable. fn sees and writes only
	// through tx, may run again, and never runs after Update returned. An error of
	// fn undoes what fn wrote, and is returned. A panic of fn does the same, and is
	// raised again in the caller's goroutine.
	//
	// ctx decides only whether a call that still waits for its turn is wanted. Once
	// fn has begun, Update waits for the result.
	Update(ctx context.Context, session pay.SessionID, fn func(Tx) error) error

	// View runs fn on one snapshot of everything that was durable when it began.
	View(ctx context.Context, fn func(Reader) error) error

	// Configure runs fn as if no other Configure were running anywhere, and returns
	// once what it wrote is durable. Errors and panics are as with Update.
	Configure(ctx context.Context, fn func(Settings) error) error

	// Forget deletes up to most answers that have expired at now, and says how many.
	Forget(ctx context.Context, now time.Time, most int) (int, error)

	Queue

	// Watch returns a channel that holds a token whenever events or settings have been
	// written since the last receive, by this process at once and by others within a
	// second, until stop is called. A token is a hint to look, not a count.
	Watch() (written <-chan struct{}, stop func())

	// Check says whether the store could take a write now.
	Check(ctx context.Context) error

	// Close waits for the writes that have begun, refuses all others with
	// ErrUnavailable, and lets go of the database.
	Close() error
}

// Tx writes within one Update. Its reads see its own writes.
type Tx interface {
	Reader

	// Apply writes all of a decision: the rows, which must be at the version that
	// the decision was made on (else ErrConflict), its events, and one delivery for
	// each endpoint that wants the event, to wait where the endpoint is disabled. It raises the versions of the
	// rows and sets them in the change's entities. An empty change writes nothing.
	//
	// It is the only way to write state, so nothing changes without its event.
	Apply(pay.Change) error

	// Intend notes on an authorized payment what its provider is about to be asked. That
	// is no change that anybody is told of, so it has no event and leaves the version as
	// it is. An empty intent takes the note back. ErrConflict where the payment is not
	// authorized, or another intent is noted.
	Intend(pay.PaymentID, pay.Intent) error

	// Remember keeps the result of an idempotent call, in the same transaction as
	// its effect. ErrConflict where scope and key are taken by one that has not expired at now.
	Remember(a Answer, now time.Time) error
}

// Reader reads one consistent snapshot. A single row that is not there is ErrNotFound.
type Reader interface {
	Session(pay.SessionID) (pay.Session, error)
	Standing(pay.SessionID) (pay.Standing, error) // of Session, at a fraction of its cost
	Payment(pay.PaymentID) (pay.Payment, error)
	Refund(pay.RefundID) (pay.Refund, error)
	Event(pay.EventID) (pay.Event, error)

	// SessionPayments, SessionRefunds and SessionEvents are all of a session's, oldest first.
	SessionPayments(pay.SessionID) ([]pay.Payment, error)
	SessionRefunds(pay.SessionID) ([]pay.Refund, error)
	SessionEvents(pay.SessionID) ([]pay.Event, error)

	// Sessions and Payments page through a game's, Refunds through those of a game or of
	// all, newest first. Payments are only those that succeeded, refunded ones among
	// them. Their cost depends on the page, not on how much the game ever sold.
	Sessions(SessionQuery) (Page[pay.Session], error)
	Payments(PaymentQuery) (Page[pay.Payment], error)
	Refunds(RefundQuery) (Page[pay.Refund], error)

	// Events is the feed: events in the order in which they became visible, oldest first.
	// Whoever goes on from Feed.Next never misses one that was committed late and never
	// sees one again. A page can be short, even empty, although more follow.
	Events(EventQuery) (Feed, error)

	// Overdue lists sessions that are stored as pending without a live payment
	// although their deadline is at or before now, the longest overdue first.
	Overdue(now time.Time, most int) ([]pay.SessionID, error)

	// NextDeadline is the earliest deadline of all sessions that are stored as pending
	// without a live payment; ErrNotFound where there is none.
	NextDeadline() (time.Time, error)

	// LivePayments lists payments of a live status, processing or authorized, that
	// were created before the given time, oldest first, after the given id.
	LivePayments(status pay.PaymentStatus, createdBefore time.Time, after pay.PaymentID, most int) ([]pay.Payment, error)

	// IntendedPayments lists authorized payments with an intent, oldest first, after
	// the given id.
	IntendedPayments(after pay.PaymentID, most int) ([]pay.Payment, error)

	// PendingRefunds lists refunds that are pending, oldest first, after the given id.
	PendingRefunds(after pay.RefundID, most int) ([]pay.Refund, error)

	// Answer is the remembered result of an idempotent call that has not expired at now.
	Answer(Scope, string, time.Time) (Answer, error)

	Image(pay.ImageName) (pay.Image, error)

	Game(pay.GameID) (pay.Game, error)
	Games() ([]pay.Game, error)
	Key(pay.KeyID) (pay.Key, error)
	Keys() ([]pay.Key, error) // oldest first
	Endpoint(pay.EndpointID) (pay.Endpoint, error)
	Endpoints() ([]pay.Endpoint, error) // oldest first
}

// Settings writes what the operator decides. Its reads see its own writes.
type Settings interface {
	Reader
	CreateGame(pay.Game) error // ErrConflict where the id is taken
	UpdateGame(pay.Game) error
	CreateKey(pay.Key) error
	UpdateKey(pay.Key) error
	CreateEndpoint(pay.Endpoint) error
	UpdateEndpoint(pay.Endpoint) error
	// DeleteEndpoint deletes the endpoint with its deliveries and their attempts.
	DeleteEndpoint(pay.EndpointID) error
}

// Scope is where an idempotency key counts. The API key is not part of it: one
// that is rotated between a request and its retry must not sell twice.
type Scope struct {
	Environment pay.Environment
	Game        pay.GameID
	Method      string
}

// Answer is what an idempotent call did, kept so that a repeat gets the same answer.
type Answer struct {
	Scope       Scope
	Key         string
	Fingerprint [32]byte // SHA-256 of the request
	Result      string   // the id of what the call made; empty for one that answers nothing
	ExpiresAt   time.Time
}

// SessionQuery selects sessions. Empty fields do not filter.
type SessionQuery struct {
	Environment pay.Environment // required
	Game        pay.GameID      // required
	User        pay.UserID
	Status      pay.SessionStatus
	OrderID     string
	Window
}

// PaymentQuery selects succeeded payments. Empty fields do not filter.
type PaymentQuery struct {
	Environment pay.Environment // required
	Game        pay.GameID      // required
	User        pay.UserID
	Window
}

// RefundQuery selects refunds. Empty fields do not filter.
type RefundQuery struct {
	Environment pay.Environment // required
	Game        pay.GameID
	Payment     pay.PaymentID
	Status      pay.RefundStatus
	Window
}

// EventQuery selects events. Empty fields do not filter.
type EventQuery struct {
	Environment pay.Environment // required
	Game        pay.GameID
	Session     pay.SessionID
	Types       []pay.EventType
	After       int64 // Feed.Next of the page before; 0: from the first event
	Limit       int
}

// Feed is a part of the events.
type Feed struct {
	Rows []pay.Event
	Next int64 // where to go on
	More bool  // events may follow already
}

// Window is the part of a list that is wanted: Limit rows, after skipping Offset of
// those that come after the row with id After (empty: from the newest).
type Window struct {
	Limit  int
	Offset int
	After  string
}

// Page is a part of a list.
type Page[T any] struct {
	Rows  []T
	Total int64 // of the whole list, whatever the window
	More  bool  // rows follow after this page
}

// Queue is the deliveries that wait for their receivers.
type Queue interface {
	// DueEndpoints lists enabled endpoints that have deliveries due at now, those
	// first that have waited longest.
	DueEndpoints(ctx context.Context, now time.Time, most int) ([]pay.EndpointID, error)

	// Claim takes up to most deliveries of an endpoint that are due at now, in the
	// order of their events, and leases them: until the lease ends nobody else is
	// given them, and after it they are due again. It skips those of sessions that
	// have another delivery to this endpoint under lease, so that one session's events go out in turn.
	Claim(ctx context.Context, endpoint pay.EndpointID, now, leaseUntil time.Time, most int) ([]pay.Delivery, error)

	// Record keeps an attempt and what follows from it: the delivery is done, or due
	// again at next, or, where next is zero and it was not delivered, exhausted.
	// ErrNotFound where the endpoint was deleted meanwhile.
	Record(ctx context.Context, attempt pay.Attempt, next time.Time) error

	// NextDue is when the earliest delivery of an enabled endpoint is due or its
	// lease ends; ErrNotFound where none waits.
	NextDue(ctx context.Context) (time.Time, error)
}
