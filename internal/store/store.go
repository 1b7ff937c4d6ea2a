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

	// View runs fn on one snapshot of everything that was durable when it began. fn may run
	// again where nothing could be read the first time.
	View(ctx context.Context, fn func(Reader) error) error

	// Configure runs fn as if no other Configure were running anywhere, and returns
	// once what it wrote is durable. Errors and panics are as with Update.
	Configure(ctx context.Context, fn func(Settings) error) error

	// Acknowledge moves a consumer's place forward, never back, and returns it as it is then.
	Acknowledge(ctx context.Context, c Consumer, p Place) (Place, error)

	// Forget deletes up to most answers that have expired at now, and says how many.
	Forget(ctx context.Context, now time.Time, most int) (int, error)

	Queue

	// Watch returns a channel that holds a token whenever events or settings have been
	// written since the last receive, by this process at once and by others within a
	// second, until stop is called. A token is a hint to look, not a count.
	Watch() (written <-chan struct{}, stop func())

	// Shared says whether other processes may use the database at the same time.
	Shared() bool

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

	// Intend notes on an authorized payment what its provider is about to be asked, and
	// with a void why the payment will then have failed (nil: it is cancelled). The game is
	// not being asked about it any more. That is no change that anybody is told of, so it
	// has no event and leaves the version as it is. An empty intent takes the note back.
	// ErrConflict where the payment is not authorized, or another intent is noted.
	Intend(pay.PaymentID, pay.Intent, *pay.Failure) error

	// Direct notes on a processing payment where its player must go; empty: nowhere any
	// more. As with Intend nobody is told. ErrConflict where the payment is not processing.
	Direct(pay.PaymentID, string) error

	// NoteLate notes what becomes of money that came after the payment had ended. As with
	// Intend nobody is told. ErrConflict where it has not ended without money, where what is
	// owed is not noted first, or the money was returned or kept already.
	NoteLate(pay.PaymentID, pay.Late, time.Time) error

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

	// Recent is the feed from its other end: the newest events before a position (0: of
	// all), newest first. Whoever goes on before Feed.Next sees each older one once.
	Recent(q EventQuery, before int64) (Feed, error)

	// SessionsAfter pages through all sessions there are, in the order of their ids.
	SessionsAfter(after pay.SessionID, most int) ([]pay.Session, error)

	// Counts are the lists of a game in an environment, or with no game those that go
	// over all games, with the sizes that are kept of them and what they really have.
	// It counts, so its cost is that of all their rows.
	Counts(pay.Environment, pay.GameID) ([]Count, error)

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

	// AskedPayments lists authorized payments about which their game is being asked, oldest
	// first, after the given id.
	AskedPayments(after pay.PaymentID, most int) ([]pay.Payment, error)

	// OwedPayments lists payments whose late money is owed, oldest first, after the given id.
	OwedPayments(after pay.PaymentID, most int) ([]pay.Payment, error)

	// LatePayments lists payments that ever had late money, newest first, before the given
	// id (empty: from the newest).
	LatePayments(before pay.PaymentID, most int) ([]pay.Payment, error)

	// LatestEvent is Feed.Next after all events of a game that are visible, or of all games
	// where none is named; 0 where there is none.
	LatestEvent(pay.Environment, pay.GameID) (int64, error)

	// Happened lists whom the events after a position concern, at most so many, in order.
	Happened(after int64, most int) ([]Happening, error)

	// PendingRefunds lists refunds that are pending, oldest first, after the given id.
	PendingRefunds(after pay.RefundID, most int) ([]pay.Refund, error)

	// Generation is another number than before once another process may have changed the
	// settings since. Where only one can use the database it stays the same.
	Generation() (int64, error)

	// Consumer is how far a named reader of the feed has come.
	Consumer(Consumer) (Place, error)

	// Deliveries pages through an endpoint's, newest event first; Attempts are all of one
	// delivery's, oldest first.
	Deliveries(DeliveryQuery) (Deliveries, error)
	Delivery(pay.DeliveryID) (DeliveryState, error)
	Attempts(pay.DeliveryID) ([]pay.Attempt, error)

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
	PutImage(pay.Image) error // one that is there already stays as it is
	CreateKey(pay.Key) error
	UpdateKey(pay.Key) error
	CreateEndpoint(pay.Endpoint) error
	UpdateEndpoint(pay.Endpoint) error
	// DeleteEndpoint deletes the endpoint with its deliveries and their attempts.
	DeleteEndpoint(pay.EndpointID) error
}

// Happening is whom an event concerns.
type Happening struct {
	Position    int64 // as Feed.Next
	Environment pay.Environment
	Game        pay.GameID
	Session     pay.SessionID
}

// Consumer names a reader of the feed.
type Consumer struct {
	Environment pay.Environment
	Game        pay.GameID // that its key is limited to; empty: none
	Name        string
}

// Place is how far a consumer has come in the feed.
type Place struct {
	Position int64  // as Feed.Next
	Cursor   string // as the consumer knows it
	At       time.Time
}

// DeliveryQuery selects deliveries of an endpoint. Empty fields do not filter.
type DeliveryQuery struct {
	Endpoint pay.EndpointID // required
	Status   pay.DeliveryStatus
	Event    pay.EventID
	Before   pay.DeliveryID // Deliveries.Next of the page before; 0: from the newest
	Limit    int
}

// Deliveries is a part of an endpoint's deliveries.
type Deliveries struct {
	Rows []DeliveryState
	Next pay.DeliveryID // where to go on; 0: nowhere
}

// DeliveryState is where a delivery stands.
type DeliveryState struct {
	ID       pay.DeliveryID
	Endpoint pay.EndpointID
	Event    pay.EventID
	Type     pay.EventType
	Session  pay.SessionID
	At       time.Time // of the event
	Status   pay.DeliveryStatus
	Attempts int
	DueAt    time.Time // while it is pending; zero: at once
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
	After       int64 // Feed.Next of the page before; 0: from the first event. Recent pays no heed to it
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

// Count is a list's size: as it is kept, and as it is.
type Count struct {
	List    string // what it is called
	Kept    int64  // the total that pages show
	Counted int64
	Off     int // parts of the list that are counted for themselves and have another size
}

// Outcome is an attempt, and when its delivery is tried again; zero: never.
type Outcome struct {
	pay.Attempt
	Next time.Time
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

	// Record keeps attempts and what follows from each: the delivery is done, or due
	// again at Next, or, where Next is zero and it was not delivered, exhausted.
	// ErrNotFound where the endpoint of one was deleted meanwhile; the others are kept.
	Record(ctx context.Context, made ...Outcome) error

	// Redeliver makes a delivery pending again, due at once and with the whole schedule
	// of retries before it, whatever became of it. Its attempts go on counting.
	Redeliver(ctx context.Context, delivery pay.DeliveryID, now time.Time) error

	// RedeliverEvent does so with every delivery of an event, makes one for each endpoint
	// that wants it by now and has none, and says how many those are.
	RedeliverEvent(ctx context.Context, event pay.EventID, now time.Time) (int, error)

	// Recover does so with up to most exhausted deliveries of an endpoint whose events
	// happened at since or after, oldest first, and says how many those are.
	Recover(ctx context.Context, endpoint pay.EndpointID, since, now time.Time, most int) (int, error)

	// NextDue is when the earliest delivery of an enabled endpoint is due or its
	// lease ends; ErrNotFound where none waits.
	NextDue(ctx context.Context) (time.Time, error)
}
