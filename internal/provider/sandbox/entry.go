package sandbox

import (
	"strings"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
)

// entry is all that the ledger keeps of a payment. It has no place for a card.
type entry struct {
	Payment  pay.PaymentID `json:"payment"`
	Session  pay.SessionID `json:"session,omitempty"`
	Amount   int64         `json:"amount,omitempty"` // minor units
	Currency pay.Currency  `json:"currency,omitempty"`
	Method   pay.Method    `json:"method,omitempty"`
	Capture  bool          `json:"capture,omitempty"` // at once
	State    state         `json:"state"`
	Failure  *failure      `json:"failure,omitempty"` // with stateFailed
	Refunds  []*refund     `json:"refunds,omitempty"` // oldest first
	Slowly   slowly        `json:"slowly,omitempty"`  // how its refunds end, decided by the card
	Plan     *plan         `json:"plan,omitempty"`    // what becomes of it by itself
	Reports  []report      `json:"reports,omitempty"` // that are still to be taken in
	History  []step        `json:"history"`           // oldest first

	verifyURL func(pay.SessionID) string
	kept      []byte // what the ledger has of it; nil: nothing yet
}

// state is where a payment stands. Pending becomes any of those that follow it here, and
// authorized succeeded or voided; all others are final, but with a plan.
type state string

const (
	stateUnknown    state = "unknown" // the tombstone: told to be unknown, so never to be charged
	statePending    state = "pending"
	stateAuthorized state = "authorized"
	stateSucceeded  state = "succeeded"
	stateFailed     state = "failed"
	stateVoided     state = "voided"
)

// failure is a pay.Failure with names that the ledger can rely on.
type failure struct {
	Code    pay.FailureCode `json:"code"`
	Message string          `json:"message"`
}

// step is one operation and what it did. What did nothing, a repeat, is not kept,
// and a refusal once, so that no number of calls makes an entry grow.
type step struct {
	Operation operation    `json:"operation"`
	Did       did          `json:"did"`
	Refund    pay.RefundID `json:"refund,omitempty"` // the one that it is of
}

type operation string

const (
	opAuthorize operation = "authorize"
	opCapture   operation = "capture"
	opVoid      operation = "void"
	opLookup    operation = "lookup"
	opRefund    operation = "refund"
	opReview    operation = "look up refund"
	opAnswer    operation = "answer" // the player's
	opTime      operation = "time"   // it came by itself
	opReport    operation = "report"
)

// did is what an operation did. An entry's money was taken as often as its history says
// didTake, and that of a refund was returned as often as it says didReturn of it.
type did string

const (
	didHold    did = "held"
	didTake    did = "taken"
	didRelease did = "released"
	didDecline did = "declined" // by the card or the wallet
	didBury    did = "buried"   // told to be unknown
	didRefuse  did = "refused"  // by this ledger
	didAsk     did = "asked"    // the player
	didAccept  did = "accepted" // what takes its time
	didReturn  did = "returned"
	didFail    did = "failed"   // a refund
	didSend    did = "sent"     // a report, and it was taken in
	didGiveUp  did = "given up" // a report
)

// authorize begins the payment. For one that has begun it does nothing, and for one that
// was told to be unknown, or began as another charge, it is refused.
func (e *entry) authorize(c provider.Charge, now time.Time) (pay.Outcome, error) {
	switch {
	case e.State == "":
		e.begin(c, now)
	case e.State == stateUnknown:
		e.refuse(opAuthorize)
		late := tooLate
		return pay.Outcome{Kind: pay.OutcomeFailed, Reference: e.reference(), Failure: &late}, nil
	case !e.is(c):
		e.refuse(opAuthorize)
		return pay.Outcome{}, provider.ErrDifferentCharge
	}
	return e.outcome(), nil
}

func (e *entry) begin(c provider.Charge, now time.Time) {
	e.Session, e.Amount, e.Currency = c.Session, c.Amount.Amount, c.Amount.Currency
	e.Method, e.Capture, e.Slowly = c.Method, c.Capture, refundsOf(c)
	refusal := decide(c)
	switch habitOf(c) {
	case challenges:
		e.Plan = &plan{At: now.Add(challengeTakes), Challenge: true, Refusal: refusal}
		e.move(statePending, opAuthorize, didAsk)
	case takesTime:
		e.Plan = &plan{At: now.Add(paymentTakes), Refusal: refusal}
		e.move(statePending, opAuthorize, didAccept)
	case succeedsLate:
		e.Plan = &plan{At: now.Add(changesMind)}
		e.decide(opAuthorize, refusal)
	default:
		e.decide(opAuthorize, refusal)
		e.misreport(habitOf(c), now)
	}
}

// decide ends what the charge began, or holds what it asked for.
func (e *entry) decide(o operation, refusal *failure) {
	e.Failure = refusal
	switch {
	case refusal != nil:
		e.move(stateFailed, o, didDecline)
	case e.Capture:
		e.move(stateSucceeded, o, didTake)
	default:
		e.move(stateAuthorized, o, didHold)
	}
}

// is says whether c is the charge that the payment began as.
func (e *entry) is(c provider.Charge) bool {
	return e.Session == c.Session && e.Amount == c.Amount.Amount && e.Currency == c.Amount.Currency &&
		e.Method == c.Method && e.Capture == c.Capture
}

func (e *entry) capture() (pay.Outcome, error) {
	return e.finish(opCapture, stateSucceeded, didTake)
}

func (e *entry) void() (pay.Outcome, error) {
	return e.finish(opVoid, stateVoided, didRelease)
}

// finish moves what is held to its end. It refuses a payment that has come to
// another end, and tells where that one stands.
func (e *entry) finish(o operation, end state, d did) (pay.Outcome, error) {
	switch e.State {
	case "", stateUnknown:
		return e.bury(o)
	case stateAuthorized:
		e.move(end, o, d)
	case end:
	default:
		e.refuse(o)
	}
	return e.outcome(), nil
}

func (e *entry) lookup() (pay.Outcome, error) {
	if e.State == "" || e.State == stateUnknown {
		return e.bury(opLookup)
	}
	return e.outcome(), nil
}

// bury tells that the payment is unknown, and sees to it that this stays true.
func (e *entry) bury(o operation) (pay.Outcome, error) {
	if e.State == "" {
		e.move(stateUnknown, o, didBury)
	}
	return pay.Outcome{}, provider.ErrUnknownPayment
}

func (e *entry) move(to state, o operation, d did) {
	e.State = to
	e.History = append(e.History, step{Operation: o, Did: d})
}

func (e *entry) refuse(o operation) {
	refusal := step{Operation: o, Did: didRefuse}
	for _, s := range e.History {
		if s == refusal {
			return
		}
	}
	e.History = append(e.History, refusal)
}

// outcome is where the payment stands.
func (e *entry) outcome() pay.Outcome {
	o := pay.Outcome{Reference: e.reference()}
	switch e.State {
	case statePending:
		o.Kind = pay.OutcomePending
		if e.Plan.Challenge {
			o.Action = e.verifyURL(e.Session)
		}
	case stateAuthorized:
		o.Kind = pay.OutcomeAuthorized
	case stateSucceeded:
		o.Kind = pay.OutcomeSucceeded
	case stateVoided:
		o.Kind = pay.OutcomeVoided
	case stateFailed:
		o.Kind, o.Failure = pay.OutcomeFailed, &pay.Failure{Code: e.Failure.Code, Message: e.Failure.Message}
	default:
		panic("sandbox: payment " + string(e.Payment) + " stands nowhere: " + string(e.State))
	}
	return o
}

// reference is the sandbox's own id of the payment, the same whoever asks and whenever.
func (e *entry) reference() string {
	return "sandbox_" + strings.TrimPrefix(string(e.Payment), "pay_")
}
