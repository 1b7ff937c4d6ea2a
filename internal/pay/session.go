package pay

import "time"

// SessionStatus is where a session stands. All but Pending are final.
type SessionStatus string

// The statuses of a session.
const (
	// Pending: offered to the player, nothing final has happened. The player acts next, or the clock.
	SessionPending SessionStatus = "pending"
	// Paid: a payment succeeded. Nobody acts next; the game grants the item.
	SessionPaid SessionStatus = "paid"
	// Failed: every attempt that the game allows has failed. Nobody acts next.
	SessionFailed SessionStatus = "failed"
	// Cancelled: the game or the player called it off before anything was charged. Nobody acts next.
	SessionCancelled SessionStatus = "cancelled"
	// Expired: the deadline passed while no payment was under way. Nobody acts next.
	SessionExpired SessionStatus = "expired"
)

// SessionStatuses lists every status of a session, in the order of a session's life.
var SessionStatuses = []SessionStatus{SessionPending, SessionPaid, SessionFailed, SessionCancelled, SessionExpired}

// Item is what the player buys. It never changes once its session is made.
type Item struct {
	Title   string
	Price   Money
	Image   ImageRef // empty: none
	Country string   // ISO 3166-1 alpha-2; empty: none
}

// Metadata is the caller's own data on a session, given back as it came.
type Metadata struct {
	OfferID string
	Values  map[string]string
}

// Session is one thing that one player may buy once.
type Session struct {
	ID          SessionID
	Environment Environment
	Game        GameID
	User        UserID
	Status      SessionStatus
	Item        Item
	ReturnURL   ReturnURL
	CancelURL   ReturnURL // empty: ReturnURL serves
	OrderID     string    // the caller's own reference; empty: none
	Locale      string    // of the page, BCP 47; empty: the browser's
	Metadata    *Metadata // nil: none

	// Attempts, Capture and Confirm follow from the game's settings when the session was
	// made, so that a change of settings never changes a sale that is under way.
	Attempts int
	Capture  CaptureMode
	Confirm  bool // the game is asked before its player is charged

	Payment PaymentID // the latest; empty: none yet
	Live    bool      // the latest payment is processing or authorized
	Spent   int       // payments that ended without success

	CreatedAt   time.Time
	ExpiresAt   time.Time // the deadline
	PaidAt      time.Time
	FailedAt    time.Time
	CancelledAt time.Time
	ExpiredAt   time.Time

	Sequence int64 // how many events it has had
	Version  int64 // raised by one with each stored change; 0: not stored yet
}

// At is the session as it stands at now: one whose deadline has passed is expired
// from that instant on, whether or not that has been stored yet. A session whose
// payment is live does not expire.
func (s Session) At(now time.Time) Session {
	if s.Standing().Overdue(now) {
		s.Status, s.ExpiredAt = SessionExpired, s.ExpiresAt
	}
	return s
}

// Standing is the little of a session that says where it stands: what game servers
// ask for again and again.
type Standing struct {
	Environment Environment
	Game        GameID
	Status      SessionStatus
	Live        bool
	ExpiresAt   time.Time
}

// Standing is where the session stands.
func (s Session) Standing() Standing {
	return Standing{s.Environment, s.Game, s.Status, s.Live, s.ExpiresAt}
}

// Overdue says whether the deadline has passed and ended the session, though that is
// not stored yet.
func (s Standing) Overdue(now time.Time) bool {
	return s.Status == SessionPending && !s.Live && !now.Before(s.ExpiresAt)
}

// AsCreated is the session as CreateSession first answered it. All that it shows
// is immutable, so a repeated request can be given that answer again.
func (s Session) AsCreated() Session {
	s.Status, s.Payment, s.Live, s.Spent = SessionPending, "", false, 0
	s.PaidAt, s.FailedAt, s.CancelledAt, s.ExpiredAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	s.Sequence, s.Version = 1, 1
	return s
}

// TakenAtOnce says whether the provider is to take the money of a payment at once, rather
// than to hold it until somebody has agreed.
func (s Session) TakenAtOnce() bool { return s.Capture == CaptureAutomatic && !s.Confirm }

// WayBack is where the player's browser goes when the session has ended, or is left.
func (s Session) WayBack() ReturnURL {
	if s.Status != SessionPaid && s.CancelURL != "" {
		return s.CancelURL
	}
	return s.ReturnURL
}
