package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
	"github.com/coinslot/coinslot/internal/provider/sandbox"
)

const visa = "4242 4242 4242 4242"

func TestThePageAcceptsEveryCardOfTheTable(t *testing.T) {
	for _, c := range sandbox.Cards {
		typed := pay.Card{Number: c.Number, ExpiryMonth: 12, ExpiryYear: 2030, CVC: "123"}
		if typed.Hint().Brand == "amex" {
			typed.CVC = "1234"
		}
		if err := typed.Check(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)); err != nil {
			t.Errorf("%s: %v", c.Outcome, err)
		}
	}
}

func TestAnUnlistedCardIsToldWhichToUse(t *testing.T) {
	o, err := sandbox.New(sandbox.Options{Ledger: sandbox.NewMemoryLedger()}).Authorize(t.Context(), charge("pay_1", canary, true))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"not one of the sandbox's cards", "use 4242"} {
		if !strings.Contains(o.Failure.Message, part) {
			t.Errorf("the message should have %q: %s", part, o.Failure.Message)
		}
	}
}

func TestTheLedgerSaysWhatEachOperationDid(t *testing.T) {
	for _, c := range []struct {
		name    string
		do      func(provider.Provider)
		history string
	}{
		{"captured, then voided", func(p provider.Provider) {
			p.Authorize(t.Context(), charge("pay_1", visa, false))
			p.Capture(t.Context(), "pay_1")
			p.Void(t.Context(), "pay_1")
		}, "authorize: held, capture: taken, void: refused"},
		{"voided, then captured", func(p provider.Provider) {
			p.Authorize(t.Context(), charge("pay_1", visa, false))
			p.Void(t.Context(), "pay_1")
			p.Capture(t.Context(), "pay_1")
		}, "authorize: held, void: released, capture: refused"},
		{"declined", func(p provider.Provider) {
			p.Authorize(t.Context(), charge("pay_1", "4000 0000 0000 0002", true))
		}, "authorize: declined"},
		{"looked up before it came", func(p provider.Provider) {
			p.Lookup(t.Context(), "pay_1")
			p.Authorize(t.Context(), charge("pay_1", visa, true))
		}, "lookup: buried, authorize: refused"},
		{"charged again with another amount", func(p provider.Provider) {
			p.Authorize(t.Context(), charge("pay_1", visa, true))
			dearer := charge("pay_1", visa, true)
			dearer.Amount.Amount *= 2
			p.Authorize(t.Context(), dearer)
		}, "authorize: taken, authorize: refused"},
		{"refunded in parts, then too much", func(p provider.Provider) {
			p.Authorize(t.Context(), charge("pay_1", visa, true))
			p.Refund(t.Context(), refundOf("ref_1", 400))
			p.Refund(t.Context(), refundOf("ref_1", 400))
			p.Refund(t.Context(), refundOf("ref_2", 100))
			p.Refund(t.Context(), refundOf("ref_3", 99))
		}, "authorize: taken, refund: returned, refund: failed, refund: returned"},
		{"refunded slowly", func(p provider.Provider) {
			p.Authorize(t.Context(), charge("pay_1", returnsSlowly, true))
			p.Refund(t.Context(), refundOf("ref_1", 400))
			p.LookupRefund(t.Context(), "pay_1", "ref_1")
			p.Refund(t.Context(), refundOf("ref_2", 100))
		}, "authorize: taken, refund: accepted, refund: failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ledger := sandbox.NewMemoryLedger()
			c.do(sandbox.New(sandbox.Options{Ledger: ledger}))
			if got := read(t, ledger, "pay_1").history(); got != c.history {
				t.Errorf("got %s, want %s", got, c.history)
			}
		})
	}
}

func refundOf(id pay.RefundID, amount int64) provider.Return {
	return provider.Return{Refund: id, Payment: "pay_1", Amount: pay.Money{Amount: amount, Currency: "USD"}}
}

func TestNoNumberOfCallsMakesAnEntryGrow(t *testing.T) {
	ledger := sandbox.NewMemoryLedger()
	p := sandbox.New(sandbox.Options{Ledger: ledger})
	everything := func() {
		p.Authorize(t.Context(), charge("pay_1", visa, false))
		p.Authorize(t.Context(), charge("pay_1", visa, true))
		p.Capture(t.Context(), "pay_1")
		p.Void(t.Context(), "pay_1")
		p.Lookup(t.Context(), "pay_1")
		for _, amount := range []int64{100, 400, 99} { // returned, refused, another one than before
			p.Refund(t.Context(), refundOf("ref_1", amount))
			p.Refund(t.Context(), refundOf(pay.RefundID(fmt.Sprintf("ref_of_%d", amount)), amount))
		}
		p.LookupRefund(t.Context(), "pay_1", "ref_1")
		p.LookupRefund(t.Context(), "pay_1", "ref_unknown")
	}
	everything()
	want := read(t, ledger, "pay_1").history()
	for range 100 {
		everything()
	}
	if got := read(t, ledger, "pay_1").history(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAChargeThatMakesNoSenseIsNotKept(t *testing.T) {
	for name, spoil := range map[string]func(*provider.Charge){
		"no payment":         func(c *provider.Charge) { c.Payment = "" },
		"no session":         func(c *provider.Charge) { c.Session = "" },
		"nothing to pay":     func(c *provider.Charge) { c.Amount.Amount = 0 },
		"less than nothing":  func(c *provider.Charge) { c.Amount.Amount = -1 },
		"unknown currency":   func(c *provider.Charge) { c.Amount.Currency = "usd" },
		"no card":            func(c *provider.Charge) { c.Card = nil },
		"a card in a wallet": func(c *provider.Charge) { c.Method = pay.MethodPayPal },
	} {
		t.Run(name, func(t *testing.T) {
			ledger := sandbox.NewMemoryLedger()
			c := charge("pay_1", visa, true)
			spoil(&c)
			if o, err := sandbox.New(sandbox.Options{Ledger: ledger}).Authorize(t.Context(), c); err == nil {
				t.Errorf("got %+v, want an error", o)
			}
			if raw, _ := ledger.Load(t.Context(), string(c.Payment)); raw != nil {
				t.Errorf("the ledger has %s", raw)
			}
		})
	}
}

func TestACallerDoesNotWaitLongerThanItWants(t *testing.T) {
	ledger := &faultyLedger{MemoryLedger: sandbox.NewMemoryLedger(), entered: make(chan struct{}), leave: make(chan struct{})}
	p := sandbox.New(sandbox.Options{Ledger: ledger})
	first := make(chan error)
	go func() {
		_, err := p.Authorize(t.Context(), charge("pay_1", visa, true))
		first <- err
	}()
	<-ledger.entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Lookup(ctx, "pay_1"); !errors.Is(err, context.Canceled) {
		t.Errorf("while another call has its turn: got error %v, want context.Canceled", err)
	}
	close(ledger.leave)
	if err := <-first; err != nil {
		t.Errorf("the call that had its turn: %v", err)
	}
}
