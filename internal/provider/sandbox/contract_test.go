package sandbox_test

import (
	"context"
	"encoding/json"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
	"github.com/coinslot/coinslot/internal/provider/providertest"
	"github.com/coinslot/coinslot/internal/provider/sandbox"
)

func TestTheSandboxKeepsTheContract(t *testing.T) {
	providertest.Run(t, func(*testing.T) providertest.Subject {
		ledger := &auditedLedger{MemoryLedger: sandbox.NewMemoryLedger(), taken: map[string]int64{}, returned: map[string]int64{}}
		return providertest.Subject{
			Start:    func() provider.Provider { return sandbox.New(sandbox.Options{Ledger: ledger}) },
			Taken:    func(id pay.PaymentID) int64 { return ledger.sum(ledger.taken, id) },
			Returned: func(id pay.PaymentID) int64 { return ledger.sum(ledger.returned, id) },
		}
	}, ways())
}

// auditedLedger adds up what each write takes and returns as it comes, so that a charge or
// a refund which a concurrent one overwrites counts all the same.
type auditedLedger struct {
	*sandbox.MemoryLedger
	mu              sync.Mutex
	taken, returned map[string]int64
}

func (l *auditedLedger) Load(ctx context.Context, key string) ([]byte, error) {
	raw, err := l.MemoryLedger.Load(ctx, key)
	runtime.Gosched() // others are let in where the sandbox lets them
	return raw, err
}

func (l *auditedLedger) Save(ctx context.Context, key string, value []byte) error {
	if err := l.MemoryLedger.Save(ctx, key, value); err != nil {
		return err
	}
	if !strings.HasPrefix(key, "pay_") {
		return nil
	}
	var b book
	if err := json.Unmarshal(value, &b); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch last := b.History[len(b.History)-1]; last.Did {
	case "taken":
		l.taken[key] += b.Amount
	case "returned":
		for _, r := range b.Refunds {
			if r.ID == last.Refund {
				l.returned[key] += r.Amount
			}
		}
	}
	return nil
}

func (l *auditedLedger) sum(sums map[string]int64, id pay.PaymentID) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return sums[string(id)]
}

// ways are all cards and wallets of the sandbox, what it refuses among them.
func ways() []providertest.Way {
	var ways []providertest.Way
	for _, c := range sandbox.Cards {
		w := providertest.Way{Name: "a card that " + c.Outcome, Method: pay.MethodCard, Card: card(c.Number), Fails: c.Failure}
		if c.Challenges {
			w.Challenge, w.Pends = true, 15*time.Minute
		}
		switch c.Number {
		case takesTime:
			w.Pends = 10 * time.Second
		case neverAnswers:
			w.Silent = true
		case succeedsLate:
			w.SucceedsAfter = 5 * time.Second
		case reportsThrice:
			w.Reports, w.Different = 3, 2
		case reportsEarly:
			w.Reports, w.Different, w.EarlyReport = 1, 1, true
		case reportsMixed:
			w.Reports, w.Different = 3, 3
		case returnsSlowly:
			w.Refunds, w.RefundsWithin = pay.RefundSucceeded, 10*time.Second
		case failsRefunds:
			w.Refunds, w.RefundsWithin = pay.RefundFailed, 10*time.Second
		}
		ways = append(ways, w)
	}
	for _, m := range []pay.Method{pay.MethodApplePay, pay.MethodGooglePay, pay.MethodPayPal, pay.MethodPayLater, pay.MethodVenmo} {
		ways = append(ways,
			providertest.Way{Name: string(m) + " approved", Method: m, Token: sandbox.TokenApproved},
			providertest.Way{Name: string(m) + " declined", Method: m, Token: sandbox.TokenDeclined, Fails: pay.CardDeclined},
			providertest.Way{Name: string(m) + " without a token", Method: m, Fails: pay.CardDeclined},
			providertest.Way{Name: string(m) + " with a strange token", Method: m, Token: "tok_strange", Fails: pay.CardDeclined})
	}
	return append(ways,
		providertest.Way{Name: "a card that is not the sandbox's", Method: pay.MethodCard, Card: card(canary), Fails: pay.CardDeclined},
		providertest.Way{Name: "a card without hyphens and spaces", Method: pay.MethodCard, Card: card("4242424242424242")},
		providertest.Way{Name: "a card with hyphens", Method: pay.MethodCard, Card: card("4242-4242-4242-4242")},
		providertest.Way{Name: "a method that it does not take", Method: pay.MethodTokenizedCard, Token: "tok_approved", Fails: pay.ProcessingError})
}

// Cards with habits of their own.
const (
	takesTime     = "4000 0099 0000 0012"
	neverAnswers  = "4000 0099 0000 0020"
	reportsThrice = "4000 0099 0000 0038"
	reportsEarly  = "4000 0099 0000 0046"
	succeedsLate  = "4000 0099 0000 0053"
	reportsMixed  = "4000 0099 0000 0061"
)

// The cards whose refunds take their time.
const (
	returnsSlowly = "4000 0000 0000 7726"
	failsRefunds  = "4000 0000 0000 5126"
)

func card(number string) *pay.Card {
	return &pay.Card{Number: number, ExpiryMonth: 12, ExpiryYear: 2040, CVC: "9173"}
}

func charge(id pay.PaymentID, number string, capture bool) provider.Charge {
	return provider.Charge{
		Payment: id, Session: "sess_1", Amount: pay.Money{Amount: 499, Currency: "USD"},
		Capture: capture, Method: pay.MethodCard, Card: card(number),
	}
}

// book is the ledger's entry of a payment as an auditor reads it.
type book struct {
	Payment, Session, Currency, State string
	Amount                            int64
	Refunds                           []struct {
		ID, Status string
		Amount     int64
	}
	History []struct{ Operation, Did, Refund string }
}

func read(t *testing.T, ledger sandbox.Ledger, id pay.PaymentID) (b book) {
	t.Helper()
	raw, err := ledger.Load(t.Context(), string(id))
	if err != nil {
		t.Fatal(err)
	}
	if raw == nil {
		return b
	}
	if err := json.Unmarshal(raw, &b); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b book) history() string {
	var steps []string
	for _, s := range b.History {
		steps = append(steps, s.Operation+": "+s.Did)
	}
	return strings.Join(steps, ", ")
}
