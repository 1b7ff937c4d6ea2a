package gateway_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
)

// asked is a game's confirm_url as the gateway knows it, and the provider's door: one
// record of what was asked, answered and moved, in order.
type asked struct {
	mu      sync.Mutex
	answers []string // one for each time it is asked; the last for all further ones
	record  []string // approve, reject …, capture, void
	ids     []pay.EventID
	numbers []int
	at      []time.Time
}

// errSilent is what a game's silence looks like.
var errSilent = errors.New("the game did not answer")

// Ask implements gateway.Asker. A game says approve, "reject REASON", refuse (that is
// undecided at once), silence (for as long as one waits), or something "slowly".
func (a *asked) Ask(ctx context.Context, _ pay.Game, authorized pay.Event, attempt int) (pay.Decision, error) {
	answer := a.note(authorized, attempt)
	answer, slow := strings.CutPrefix(answer, "slowly ")
	if slow {
		time.Sleep(4 * time.Second)
	}
	reason, rejected := strings.CutPrefix(answer, "reject ")
	switch {
	case answer == "approve":
		return pay.Decision{Approve: true}, nil
	case rejected:
		return pay.Decision{Reason: reason}, nil
	case answer == "silence":
		<-ctx.Done()
	}
	return pay.Decision{}, errSilent
}

func (a *asked) note(authorized pay.Event, attempt int) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	answer := a.answers[min(len(a.ids), len(a.answers)-1)]
	a.record = append(a.record, answer)
	a.ids = append(a.ids, pay.ConfirmID(authorized))
	a.numbers, a.at = append(a.numbers, attempt), append(a.at, time.Now())
	return answer
}

func (a *asked) did(what string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.record = append(a.record, what)
}

// change has the game answer otherwise from now on.
func (a *asked) change(answers ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answers = append(slices.Repeat([]string{""}, len(a.ids)), answers...)
}

// story is what happened so far.
func (a *asked) story() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.record)
}

// times is how often the game was asked.
func (a *asked) times() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.ids)
}

// till is a provider that notes in the game's record what it did with a payment's money.
type till struct {
	provider.Provider
	*asked
}

func (l till) Capture(ctx context.Context, id pay.PaymentID) (pay.Outcome, error) {
	outcome, err := l.Provider.Capture(ctx, id)
	if err == nil && outcome.Kind == pay.OutcomeSucceeded {
		l.did("capture")
	}
	return outcome, err
}

func (l till) Void(ctx context.Context, id pay.PaymentID) (pay.Outcome, error) {
	outcome, err := l.Provider.Void(ctx, id)
	if err == nil && outcome.Kind == pay.OutcomeVoided {
		l.did("void")
	}
	return outcome, err
}

// asking has the world's games asked, and returns what they are asked.
func (w *world) asking(answers ...string) *asked {
	a := &asked{answers: answers}
	w.asker, w.line.Provider = a, till{w.line.Provider, a}
	return a
}

// asksFirst is a game that is asked before its players are charged.
var asksFirst = pay.Game{ID: game, Attempts: 2, ConfirmURL: "https://game.example/confirm"}

func (w *world) look(g *gateway.Service, id pay.SessionID) gateway.Checkout {
	w.Helper()
	c, err := g.Checkout(w.Context(), id)
	if err != nil {
		w.Fatal(err)
	}
	return c
}

// wantFailed wants the latest payment failed, and its session open for a next attempt.
func (w *world) wantFailed(g *gateway.Service, id pay.SessionID, code pay.FailureCode, message string) {
	w.Helper()
	c := w.look(g, id)
	if c.Payment.Status != pay.PaymentFailed || c.Payment.Failure.Code != code || !strings.Contains(c.Payment.Failure.Message, message) {
		w.Fatalf("payment %s, %+v; want failed, %s: %s", c.Payment.Status, c.Payment.Failure, code, message)
	}
	if c.Session.Status != pay.SessionPending || c.Session.Spent != 1 {
		w.Errorf("session %s after %d attempts, want pending after 1", c.Session.Status, c.Session.Spent)
	}
	w.wantHold(c.Payment.ID, pay.OutcomeVoided)
}

// wantHold compares the provider's books.
func (w *world) wantHold(id pay.PaymentID, want pay.OutcomeKind) {
	w.Helper()
	if o, err := w.line.Provider.Lookup(w.Context(), id); err != nil || o.Kind != want {
		w.Errorf("the provider has it as %s, %v; want %s", o.Kind, err, want)
	}
}

func TestAGameThatApprovesIsPaidOnce(t *testing.T) {
	for _, answers := range [][]string{{"approve"}, {"refuse", "approve"}, {"silence", "silence", "approve"}} {
		play(t, func(w *world) {
			a := w.asking(answers...)
			g, stop := w.open()
			defer stop()
			id := w.sessionOf(g, asksFirst)
			w.pay(g, id, card(good, 0))
			time.Sleep(time.Minute)
			w.wantPaid(g, id)
			if want := append(slices.Clone(answers), "capture"); !slices.Equal(a.story(), want) {
				w.Errorf("what happened is %v, want %v", a.story(), want)
			}
			w.wantHold(w.look(g, id).Payment.ID, pay.OutcomeSucceeded)
		})
	}
}

func TestAGameThatRejectsLeavesThePlayerUnchargedAndAnAttempt(t *testing.T) {
	play(t, func(w *world) {
		a := w.asking("reject out_of_stock", "approve")
		g, stop := w.open()
		defer stop()
		id := w.sessionOf(g, asksFirst)
		w.pay(g, id, card(good, 0))
		w.wantFailed(g, id, pay.ConfirmationRejected, "out_of_stock")
		if c := w.pay(g, id, card(good, 1)); c.Session.Status != pay.SessionPaid {
			w.Errorf("after a second attempt the session is %s", c.Session.Status)
		}
		if a.times() != 2 || a.ids[0] == a.ids[1] {
			w.Error("the game is asked about another payment by the same id")
		}
	})
}

func TestARejectionOfTheLastAttemptEndsTheSession(t *testing.T) {
	play(t, func(w *world) {
		w.asking("reject banned")
		g, stop := w.open()
		defer stop()
		once := asksFirst
		once.Attempts = 1
		if c := w.pay(g, w.sessionOf(g, once), card(good, 0)); c.Session.Status != pay.SessionFailed {
			w.Errorf("session %s, want failed", c.Session.Status)
		}
	})
}

// Asked three times in 15 s with the same id, counted, then the hold is let go.
func TestAGameThatDoesNotDecideIsAskedThreeTimes(t *testing.T) {
	for _, answer := range []string{"silence", "refuse"} {
		play(t, func(w *world) {
			a := w.asking(answer)
			g, stop := w.open()
			defer stop()
			id := w.sessionOf(g, asksFirst)
			begun := time.Now()
			c := w.pay(g, id, card(good, 0))
			if c.Payment.Status != pay.PaymentAuthorized || !c.Payment.Asking {
				w.Errorf("meanwhile the payment is %s, asking %v", c.Payment.Status, c.Payment.Asking)
			}
			time.Sleep(time.Until(begun.Add(15 * time.Second)))
			synctest.Wait()
			w.wantFailed(g, id, pay.ConfirmationTimeout, "15s")
			if a.times() != 3 {
				w.Errorf("asked %d times, want 3", a.times())
			}
			for i, at := range a.at {
				if a.ids[i] != a.ids[0] || a.numbers[i] != i+1 || at.Sub(begun) != time.Duration(i)*5*time.Second {
					w.Errorf("asked as %s, the %d. time, after %v", a.ids[i], a.numbers[i], at.Sub(begun))
				}
			}
			time.Sleep(time.Hour)
			if a.times() != 3 {
				w.Errorf("asked %d times, want 3", a.times())
			}
		})
	}
}

func TestADeclinedCardAsksNobody(t *testing.T) {
	play(t, func(w *world) {
		a := w.asking("approve")
		g, stop := w.open()
		defer stop()
		w.pay(g, w.sessionOf(g, asksFirst), card(declined, 0))
		if len(a.story()) != 0 {
			w.Errorf("what happened is %v, want nothing", a.story())
		}
	})
}

func TestWhatIsAskedFollowsTheGamesSettings(t *testing.T) {
	play(t, func(w *world) {
		w.asking("silence")
		g, stop := w.open()
		defer stop()
		id := w.sessionOf(g, asksFirst)
		w.pay(g, id, card(good, 0))
		if _, err := g.UpdateGame(w.Context(), game, func(of *pay.Game) { of.ConfirmURL = "" }); err != nil {
			w.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		w.wantFailed(g, id, pay.ConfirmationTimeout, "no confirm_url")
	})
	play(t, func(w *world) { // a session of before is not asked about
		a := w.asking("silence")
		g, stop := w.open()
		defer stop()
		id := w.session(g, 1)
		if _, err := g.UpdateGame(w.Context(), game, func(of *pay.Game) { of.ConfirmURL = "https://game.example" }); err != nil {
			w.Fatal(err)
		}
		w.pay(g, id, card(good, 0))
		w.wantPaid(g, id)
		if a.times() > 0 {
			w.Error("the game was asked about a sale that was agreed on otherwise")
		}
	})
}

func TestProductionIsNeverAskedWithoutTLS(t *testing.T) {
	play(t, func(w *world) {
		a := w.asking("approve")
		w.caller.Environment = pay.Production
		g, stop := w.open()
		defer stop()
		id := w.sessionOf(g, asksFirst) // and then the operator changes the URL
		if _, err := g.UpdateGame(w.Context(), game, func(of *pay.Game) { of.ConfirmURL = "http://game.example" }); err != nil {
			w.Fatal(err)
		}
		w.pay(g, id, card(good, 0))
		w.wantFailed(g, id, pay.ConfirmationTimeout, "production")
		if a.times() > 0 {
			w.Error("the game was asked in the clear")
		}
	})
}

// refusedWhileAsking are the calls that would decide in the game's place.
func (w *world) refusedWhileAsking(g *gateway.Service, p pay.Payment) {
	w.Helper()
	_, complete := g.CompletePayment(w.Context(), w.caller, p.ID, gateway.Idempotency{})
	_, cancel := g.CancelPayment(w.Context(), w.caller, p.ID, gateway.Idempotency{})
	for what, err := range map[string]error{"complete": complete, "cancel": cancel} {
		if pay.CodeOf(err) != pay.PaymentNotAuthorized || !strings.Contains(err.Error(), "the game is being asked") {
			w.Errorf("%s: %v", what, err)
		}
	}
	_, err := g.CancelSession(w.Context(), w.caller, p.Session, gateway.Idempotency{})
	if pay.CodeOf(err) != pay.PaymentInProgress {
		w.Errorf("cancel the session: %v", err)
	}
}

func TestWhileAGameIsAskedNobodyElseDecides(t *testing.T) {
	play(t, func(w *world) {
		a := w.asking("silence")
		g, stop := w.open()
		defer stop()
		c := w.pay(g, w.sessionOf(g, asksFirst), card(good, 0))
		w.refusedWhileAsking(g, *c.Payment)
		if _, err := g.Pay(w.Context(), c.Session.ID, card(good, 0)); pay.CodeOf(err) != pay.PaymentInProgress {
			w.Errorf("pay again: %v", err)
		}
		a.change("approve")
		time.Sleep(10 * time.Second)
		w.wantPaid(g, c.Session.ID)
	})
}

// The sum of two wishes: the game rejects, and calls CancelPayment while the provider is
// out of reach. The payment ends with the game's reason all the same.
func TestCancellingWhatItsGameHasRejectedKeepsTheReason(t *testing.T) {
	play(t, func(w *world) {
		w.asking("reject out_of_stock")
		g, stop := w.open()
		defer stop()
		out := &outage{Provider: w.line.Provider}
		out.down.Store(true)
		w.line.Provider = out
		id := w.sessionOf(g, asksFirst)
		p := *w.pay(g, id, card(good, 0)).Payment
		if p.Intent != pay.IntentVoid || p.Failure == nil {
			w.Fatalf("payment = %+v, want its void intended", p)
		}
		if _, err := g.CompletePayment(w.Context(), w.caller, p.ID, gateway.Idempotency{}); pay.CodeOf(err) != pay.PaymentNotAuthorized {
			w.Errorf("complete: %v", err)
		}
		if _, err := g.CancelPayment(w.Context(), w.caller, p.ID, gateway.Idempotency{}); pay.CodeOf(err) != pay.Unavailable {
			w.Errorf("cancel: %v", err)
		}
		out.down.Store(false)
		time.Sleep(2 * time.Minute)
		w.wantFailed(g, id, pay.ConfirmationRejected, "out_of_stock")
	})
}

// outage is a provider that neither takes nor lets go for a while, or says that it left
// the hold as it was.
type outage struct {
	provider.Provider
	down, keep atomic.Bool
}

func (o *outage) Capture(ctx context.Context, id pay.PaymentID) (pay.Outcome, error) {
	return o.unless(func() (pay.Outcome, error) { return o.Provider.Capture(ctx, id) })
}

func (o *outage) Void(ctx context.Context, id pay.PaymentID) (pay.Outcome, error) {
	return o.unless(func() (pay.Outcome, error) { return o.Provider.Void(ctx, id) })
}

func (o *outage) unless(do func() (pay.Outcome, error)) (pay.Outcome, error) {
	switch {
	case o.down.Load():
		return pay.Outcome{}, errNoAnswer
	case o.keep.Load():
		return pay.Outcome{Kind: pay.OutcomeAuthorized}, nil
	}
	return do()
}

// A decision stands, however long the provider cannot carry it out, and is not asked for again.
func TestADecisionIsCarriedOutOnceTheProviderCan(t *testing.T) {
	for _, kept := range []bool{false, true} {
		for _, answer := range []string{"approve", "reject sold_out"} {
			play(t, func(w *world) {
				a := w.asking(answer, "refuse")
				out := &outage{Provider: w.line.Provider}
				out.down.Store(!kept)
				out.keep.Store(kept)
				w.line.Provider = out
				g, stop := w.open()
				brief := asksFirst
				brief.SessionTTL = 30 * time.Minute
				id := w.sessionOf(g, brief)
				w.pay(g, id, card(good, 0))
				time.Sleep(time.Hour) // past the session's deadline
				stop()
				g, stop = w.open()
				defer stop()
				time.Sleep(10 * time.Minute)
				if c := w.look(g, id); c.Payment.Status != pay.PaymentAuthorized || c.Payment.Asking || a.times() != 1 {
					w.Fatalf("payment %s, asked %d times", c.Payment.Status, a.times())
				}
				out.down.Store(false)
				out.keep.Store(false)
				time.Sleep(2 * time.Minute)
				if answer == "approve" {
					w.wantPaid(g, id)
				} else if p := w.look(g, id).Payment; p.Status != pay.PaymentFailed || p.Failure.Message != "sold_out" {
					w.Errorf("payment %s, %+v", p.Status, p.Failure)
				}
			})
		}
	}
}

func TestAQuestionThatAShutdownCutOffIsAskedAgain(t *testing.T) {
	for _, answer := range []string{"silence", "refuse"} {
		play(t, func(w *world) {
			a := w.asking(answer)
			g, stop := w.open()
			id := w.sessionOf(g, asksFirst)
			w.pay(g, id, card(good, 0))
			begun := time.Now()
			stop()
			if took := time.Since(begun); took > 5*time.Second {
				w.Errorf("the shutdown took %v", took)
			}
			if !w.look(g, id).Payment.Asking || slices.Contains(a.story(), "void") {
				w.Fatal("a shutdown decided in the game's place")
			}
			a.change("approve")
			before := a.times()
			again, stop := w.open()
			defer stop()
			synctest.Wait()
			w.wantPaid(again, id)
			if a.times() != before+1 || a.ids[before] != a.ids[0] {
				w.Errorf("asked again as %v", a.ids)
			}
		})
	}
}

func TestAQuestionFromBeforeTheDeadlineIsNotAskedAfterIt(t *testing.T) {
	play(t, func(w *world) {
		a := w.asking("silence", "approve")
		g, stop := w.open()
		id := w.sessionOf(g, asksFirst)
		w.pay(g, id, card(good, 0))
		stop()
		time.Sleep(pay.DefaultSessionTTL)
		again, stop := w.open()
		defer stop()
		synctest.Wait()
		c := w.look(again, id)
		if c.Payment.Status != pay.PaymentFailed || c.Payment.Failure.Code != pay.ConfirmationTimeout || c.Session.Status != pay.SessionExpired {
			w.Errorf("payment %s, %+v; session %s", c.Payment.Status, c.Payment.Failure, c.Session.Status)
		}
		w.wantHold(c.Payment.ID, pay.OutcomeVoided)
		if a.times() != 1 {
			w.Errorf("the game was asked %d times", a.times())
		}
	})
}

// Two processes on one store can ask at the same time, the second after it started. The
// decision that is written first stands.
func TestOfTwoAnswersTheFirstCounts(t *testing.T) {
	for _, answers := range [][]string{
		{"slowly reject second", "reject first"}, {"slowly approve", "reject first"}, {"slowly reject second", "approve"},
	} {
		play(t, func(w *world) {
			a := w.asking(answers...)
			out := &outage{Provider: w.line.Provider}
			out.down.Store(true)
			w.line.Provider = out
			g, stop := w.open()
			defer stop()
			id := w.sessionOf(g, asksFirst)
			w.pay(g, id, card(good, 0))
			_, stop = w.open()
			defer stop()
			synctest.Wait()
			out.down.Store(false)
			time.Sleep(3 * time.Minute)
			if p := w.look(g, id).Payment; answers[1] == "approve" {
				w.wantPaid(g, id)
			} else if p.Status != pay.PaymentFailed || p.Failure.Message != "first" {
				w.Errorf("%v made it %s, %+v", answers, p.Status, p.Failure)
			}
			if a.times() != 2 {
				w.Errorf("asked %d times", a.times())
			}
		})
	}
}

// A hold that the provider let go of by itself is not asked about any more.
func TestAHoldThatIsGoneIsNotAskedAbout(t *testing.T) {
	play(t, func(w *world) {
		a := w.asking("silence", "approve")
		g, stop := w.open()
		p := *w.pay(g, w.sessionOf(g, asksFirst), card(good, 0)).Payment
		stop()
		if _, err := w.line.Provider.Void(w.Context(), p.ID); err != nil {
			w.Fatal(err)
		}
		again, stop := w.open()
		defer stop()
		synctest.Wait()
		w.wantPayment(again, p.ID, pay.PaymentCancelled)
		if a.times() != 1 {
			w.Errorf("the game was asked %d times", a.times())
		}
	})
}
