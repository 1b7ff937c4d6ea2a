// Package providertest is the contract of provider.Provider as tests, which every
// provider passes: no call and no repeat of one takes money twice or returns it twice, and
// what the provider says is what its books show.
package providertest

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
)

// Each case runs in a bubble of its own time, by which the provider under test must go.

// Subject is a provider under test together with its books.
type Subject struct {
	// Start starts the provider over its books. Starting it again is a restart: the
	// one that was started before is not used any more.
	Start func() provider.Provider

	// Taken is how much the provider's own books show as taken for a payment, in
	// minor units, everything counted that ever was. Returned is the same of what was
	// returned from it.
	Taken, Returned func(pay.PaymentID) int64
}

// Way is one way of paying and what comes of it.
type Way struct {
	Name   string // in the names of tests, so never a card's number
	Method pay.Method
	Card   *pay.Card
	Token  string
	Fails  pay.FailureCode // empty: it is approved

	// Refunds is how a refund of what was paid this way ends; pending until then, for at
	// most RefundsWithin. Empty: it succeeds at once.
	Refunds       pay.RefundStatus
	RefundsWithin time.Duration

	// Pends is for how long the payment is pending before it ends by itself. With
	// Challenge it waits that long for its player, and has failed where none came.
	Pends     time.Duration
	Challenge bool

	// Silent: Authorize is never answered, and nothing is ever charged.
	Silent bool

	// SucceedsAfter: having failed, it succeeds all the same. Zero: never.
	SucceedsAfter time.Duration

	// Reports are how often it is reported although it ended at once: how many reports
	// come, and how many of them are different ones. EarlyReport: before Authorize returns.
	Reports, Different int
	EarlyReport        bool
}

// plain says whether the way does nothing but to approve or to refuse.
func (w Way) plain() bool {
	return w.Refunds == "" && w.Pends == 0 && !w.Silent && w.SucceedsAfter == 0 && w.Reports == 0
}

// Run proves the contract. Open makes a subject with empty books; ways must have
// one that is approved and one that fails, and each of them is tried.
func Run(t *testing.T, open func(*testing.T) Subject, ways []Way) {
	suite := suite{open: open, approved: pick(t, ways, true), refused: pick(t, ways, false)}
	for _, w := range ways {
		if w.Pends > 0 && !w.Challenge && w.Fails == "" {
			suite.pending = &w
		}
	}
	for _, w := range ways {
		t.Run("paying with "+w.Name, func(t *testing.T) { suite.run(t, payingCases(w)) })
		if w.Fails == "" && w.Pends == 0 && !w.Silent {
			t.Run("refunding "+w.Name, func(t *testing.T) { suite.run(t, returningCases(w)) })
		}
	}
	suite.run(t, chargingCases)
	suite.run(t, lookupCases)
	suite.run(t, finishingCases)
	suite.run(t, refundCases)
	suite.run(t, reportCases)
}

func pick(t *testing.T, ways []Way, approved bool) Way {
	t.Helper()
	for _, w := range ways {
		if (w.Fails == "") == approved && w.plain() {
			return w
		}
	}
	t.Fatalf("the contract needs ways of paying that are approved and that fail; approved %t is lacking", approved)
	return Way{}
}

type suite struct {
	open              func(*testing.T) Subject
	approved, refused Way
	pending           *Way // ends by itself; nil: there is none
}

// contractCase is one promise, with a sentence as its name.
type contractCase struct {
	name string
	run  func(*trial)
}

func (s suite) run(t *testing.T, cases []contractCase) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				trial := &trial{T: t, suite: s, subject: s.open(t)}
				trial.restart()
				defer trial.stop()
				c.run(trial)
			})
		})
	}
}
