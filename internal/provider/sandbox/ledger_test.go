package sandbox_test

import (
	"context"
	"errors"
	"testing"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
	"github.com/coinslot/coinslot/internal/provider/sandbox"
)

var errDisk = errors.New("the disk is on fire")

// faultyLedger fails or waits where it is told to.
type faultyLedger struct {
	*sandbox.MemoryLedger
	failLoad, failSave bool
	saveAnyway         bool // keep the value, and fail then
	entered, leave     chan struct{}
}

func (l *faultyLedger) Load(ctx context.Context, key string) ([]byte, error) {
	if l.entered != nil {
		l.entered <- struct{}{}
		<-l.leave
	}
	if l.failLoad {
		return nil, errDisk
	}
	return l.MemoryLedger.Load(ctx, key)
}

func (l *faultyLedger) Save(ctx context.Context, key string, value []byte) error {
	if l.failSave && !l.saveAnyway {
		return errDisk
	}
	if err := l.MemoryLedger.Save(ctx, key, value); err != nil || !l.failSave {
		return err
	}
	return errDisk
}

func TestAFailedWriteIsNoAnswerAndLookupTells(t *testing.T) {
	for name, kept := range map[string]bool{"and the write was lost": false, "but the write was kept": true} {
		t.Run(name, func(t *testing.T) {
			ledger := &faultyLedger{MemoryLedger: sandbox.NewMemoryLedger(), failSave: true, saveAnyway: kept}
			p := sandbox.New(sandbox.Options{Ledger: ledger})
			if o, err := p.Authorize(t.Context(), charge("pay_1", visa, true)); !errors.Is(err, errDisk) {
				t.Fatalf("got %+v and error %v, want the ledger's error", o, err)
			}
			ledger.failSave = false
			o, err := p.Lookup(t.Context(), "pay_1")
			if kept && (err != nil || o.Kind != pay.OutcomeSucceeded) {
				t.Errorf("Lookup: got %+v and error %v, want succeeded", o, err)
			}
			if !kept && !errors.Is(err, provider.ErrUnknownPayment) {
				t.Errorf("Lookup: got %+v and error %v, want ErrUnknownPayment", o, err)
			}
		})
	}
}

func TestARefundWhoseWriteFailedIsNoAnswerAndLookupTells(t *testing.T) {
	for name, kept := range map[string]bool{"and the write was lost": false, "but the write was kept": true} {
		t.Run(name, func(t *testing.T) {
			ledger := &faultyLedger{MemoryLedger: sandbox.NewMemoryLedger(), saveAnyway: kept}
			p := sandbox.New(sandbox.Options{Ledger: ledger})
			if _, err := p.Authorize(t.Context(), charge("pay_1", visa, true)); err != nil {
				t.Fatal(err)
			}
			ledger.failSave = true
			if o, err := p.Refund(t.Context(), refundOf("ref_1", 499)); !errors.Is(err, errDisk) {
				t.Fatalf("got %+v and error %v, want the ledger's error", o, err)
			}
			ledger.failSave = false
			o, err := p.LookupRefund(t.Context(), "pay_1", "ref_1")
			if kept && (err != nil || o.Status != pay.RefundSucceeded) || !kept && !errors.Is(err, provider.ErrUnknownRefund) {
				t.Errorf("LookupRefund: got %+v and error %v; kept: %t", o, err, kept)
			}
			if o, err := p.Refund(t.Context(), refundOf("ref_1", 499)); err != nil || o.Status != pay.RefundSucceeded {
				t.Errorf("asked again: got %+v and error %v", o, err)
			}
			if h := read(t, ledger, "pay_1").history(); h != "authorize: taken, refund: returned" {
				t.Errorf("the ledger says %s", h)
			}
		})
	}
}

func TestAPaymentIsNotToldUnknownBeforeThatIsKept(t *testing.T) {
	ledger := &faultyLedger{MemoryLedger: sandbox.NewMemoryLedger(), failSave: true}
	p := sandbox.New(sandbox.Options{Ledger: ledger})
	for name, do := range map[string]func(context.Context, pay.PaymentID) (pay.Outcome, error){
		"Lookup": p.Lookup, "Capture": p.Capture, "Void": p.Void,
	} {
		if _, err := do(t.Context(), "pay_1"); !errors.Is(err, errDisk) || errors.Is(err, provider.ErrUnknownPayment) {
			t.Errorf("%s: got error %v, want the ledger's alone", name, err)
		}
	}
}

func TestAFailedReadIsNoAnswer(t *testing.T) {
	ledger := &faultyLedger{MemoryLedger: sandbox.NewMemoryLedger(), failLoad: true}
	if _, err := sandbox.New(sandbox.Options{Ledger: ledger}).Lookup(t.Context(), "pay_1"); !errors.Is(err, errDisk) || errors.Is(err, provider.ErrUnknownPayment) {
		t.Errorf("got error %v, want the ledger's alone", err)
	}
}

func TestAnEntryThatTheSandboxDidNotWriteIsNoAnswer(t *testing.T) {
	for _, text := range []string{
		``, `{`, `null`, `[]`, `{"payment":"pay_1","state":"rich"}`, `{"payment":"pay_1"}`,
		`{"payment":"pay_1","state":"failed"}`, `{"payment":"pay_2","state":"succeeded"}`,
	} {
		ledger := sandbox.NewMemoryLedger()
		if err := ledger.Save(t.Context(), "pay_1", []byte(text)); err != nil {
			t.Fatal(err)
		}
		p := sandbox.New(sandbox.Options{Ledger: ledger})
		if o, err := p.Lookup(t.Context(), "pay_1"); err == nil || errors.Is(err, provider.ErrUnknownPayment) {
			t.Errorf("Lookup of %q: got %+v and error %v, want an error of the ledger", text, o, err)
		}
		if o, err := p.Authorize(t.Context(), charge("pay_1", visa, true)); err == nil {
			t.Errorf("Authorize over %q: got %+v, want an error", text, o)
		}
		if raw, _ := ledger.Load(t.Context(), "pay_1"); string(raw) != text {
			t.Errorf("the entry %q was overwritten with %s", text, raw)
		}
	}
}

func TestAMemoryLedgerKeepsCopies(t *testing.T) {
	ledger := sandbox.NewMemoryLedger()
	value := []byte("one")
	if err := ledger.Save(t.Context(), "key", value); err != nil {
		t.Fatal(err)
	}
	value[0] = 'X'
	got, _ := ledger.Load(t.Context(), "key")
	got[1] = 'X'
	if again, _ := ledger.Load(t.Context(), "key"); string(again) != "one" {
		t.Errorf("got %q", again)
	}
	if none, err := ledger.Load(t.Context(), "other"); none != nil || err != nil {
		t.Errorf("an absent key: got %q and error %v", none, err)
	}
}
