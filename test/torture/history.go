package torture

import (
	"encoding/json"
	"io"
	"sync"
	"time"

	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
)

// Kind is what an operation asks for.
type Kind string

// The kinds of operation.
const (
	Create        Kind = "CreateSession"
	Cancel        Kind = "CancelSession"
	Get           Kind = "GetSession"
	GetStatus     Kind = "GetSessionStatus"
	List          Kind = "ListSessions"
	GetPayment    Kind = "GetPayment"
	Complete      Kind = "CompletePayment"
	CancelPayment Kind = "CancelPayment"
	Pay           Kind = "SandboxPay"
	GiveBack      Kind = "CreateRefund"
	GetRefund     Kind = "GetRefund"
)

// Kinds lists every kind of operation.
var Kinds = []Kind{Create, Cancel, Get, GetStatus, List, GetPayment, Complete, CancelPayment, Pay, GiveBack, GetRefund}

// Outcome is what the caller knows of an operation.
type Outcome string

// The outcomes.
const (
	Acknowledged Outcome = "acknowledged"
	Refused      Outcome = "refused"
	Unknown      Outcome = "unknown"
)

// Operation is one call: what was asked, and what was heard of it.
type Operation struct {
	Number int
	Round  int
	Client int
	Server int `json:",omitempty"` // where there are several
	Kind   Kind

	Game    string
	Key     string                      // the idempotency key; empty: none was sent
	Request *payv1.CreateSessionRequest `json:",omitempty"` // of Create
	Session string                      // what it is about, or what Create made
	Payment string                      // of the calls about a payment
	Refund  string                      // of the calls about a refund, or what GiveBack made
	Amount  int32                       // of GiveBack, as it was asked for and then as it was made; 0: all that is left
	Reason  string                      // of GiveBack; each has its own
	Card    string                      // of Pay

	Begin, End time.Duration // since the start of the run
	Outcome    Outcome
	Code       string         // of a refusal; else what went wrong, if something did
	Made       *payv1.Session `json:",omitempty"` // as Create answered it
	Sightings  []Sighting     `json:",omitempty"`
}

// Sighting is a status that an answer showed, or implied.
type Sighting struct {
	Entity string // the id of a session, a payment or a refund
	Status string
}

// saw notes that the answer showed an entity in a status.
func (o *Operation) saw(entity, status string) {
	o.Sightings = append(o.Sightings, Sighting{entity, status})
}

// sawPayment notes what an answer said of a payment, where it said anything.
func (o *Operation) sawPayment(p *payv1.Payment) {
	if p.GetId() != "" {
		o.saw(p.GetId(), p.GetStatus())
	}
}

// sawRefund does so for a refund.
func (o *Operation) sawRefund(r *payv1.Refund) {
	if r.GetId() != "" {
		o.saw(r.GetId(), r.GetStatus())
	}
}

// History is every operation of a run, in the order in which they ended.
type History struct {
	started time.Time

	mu         sync.Mutex
	operations []Operation
	awaited    int           // acknowledgements until enough is closed
	enough     chan struct{} // nil: nobody waits
}

func newHistory() *History { return &History{started: time.Now()} }

func (h *History) now() time.Duration { return time.Since(h.started) }

// add writes an operation down.
func (h *History) add(o Operation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	o.Number = len(h.operations) + 1
	h.operations = append(h.operations, o)
	if o.Outcome != Acknowledged || h.enough == nil {
		return
	}
	if h.awaited--; h.awaited <= 0 {
		close(h.enough)
		h.enough = nil
	}
}

// acknowledgements returns what is closed once there were n more of them. Only one
// caller at a time can wait.
func (h *History) acknowledgements(n int) <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.awaited, h.enough = n, make(chan struct{})
	return h.enough
}

// Operations is the history so far.
func (h *History) Operations() []Operation {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.operations[:len(h.operations):len(h.operations)]
}

// WriteTo writes the history down, one operation a line.
func (h *History) WriteTo(w io.Writer) (int64, error) {
	var n int64
	for _, o := range h.Operations() {
		line, err := json.Marshal(o)
		if err != nil {
			return n, err
		}
		wrote, err := w.Write(append(line, '\n'))
		n += int64(wrote)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
