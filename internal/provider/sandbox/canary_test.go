package sandbox_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
	"github.com/coinslot/coinslot/internal/provider/sandbox"
)

// canary is a number that no text in the project has, so that wherever it shows it leaked.
const canary = "4000 1234 1234 1238"

// sniffer is a ledger that keeps the text of all that was ever asked of it.
type sniffer struct {
	*sandbox.MemoryLedger
	text strings.Builder
}

func (s *sniffer) Load(ctx context.Context, key string) ([]byte, error) {
	s.text.WriteString(key + "\n")
	return s.MemoryLedger.Load(ctx, key)
}

func (s *sniffer) Save(ctx context.Context, key string, value []byte) error {
	s.text.WriteString(key + " " + string(value) + "\n")
	return s.MemoryLedger.Save(ctx, key, value)
}

func TestNoCardNumberGetsOut(t *testing.T) {
	numbers := []string{canary}
	for _, c := range sandbox.Cards {
		numbers = append(numbers, c.Number)
	}
	ledger := &sniffer{MemoryLedger: sandbox.NewMemoryLedger()}
	logged := capture(t, func() {
		for i, number := range numbers {
			id := pay.PaymentID(fmt.Sprintf("pay_%d", i))
			ledger.text.WriteString(everythingSaid(t, ledger, id, number))
		}
	})
	for where, text := range map[string]string{"ledger, outcomes or errors": ledger.text.String(), "log": logged} {
		digits := pay.Card{Number: text}.Digits()
		for _, number := range numbers {
			if strings.Contains(digits, pay.Card{Number: number}.Digits()) {
				t.Errorf("%s: card %s got out", where, number)
			}
		}
		if strings.Contains(text, card(canary).CVC) {
			t.Errorf("%s: the security code got out", where)
		}
	}
	if !strings.Contains(ledger.text.String(), "card_declined") {
		t.Error("nothing was declined, so nothing was tested")
	}
}

// everythingSaid puts a card through all that can be done with it, well and badly,
// and returns what the sandbox said of it.
func everythingSaid(t *testing.T, ledger *sniffer, id pay.PaymentID, number string) string {
	var said strings.Builder
	say := func(o pay.Outcome, err error) { fmt.Fprintf(&said, "%+v %+v %#v %v\n", o, o.Failure, o, err) }
	p := sandbox.New(sandbox.Options{Ledger: ledger})
	c := charge(id, number, false)
	dearer, wallet, both, free := c, c, c, c
	dearer.Amount.Amount++
	wallet.Payment, wallet.Method, wallet.Card, wallet.Token = id+"w", pay.MethodPayPal, nil, number // in the wrong field
	both.Method = pay.MethodPayPal
	free.Amount.Amount = 0
	for _, c := range []provider.Charge{free, both, c, c, dearer, wallet} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond) // one of the cards is never answered for
		say(p.Authorize(ctx, c))
		cancel()
	}
	say(p.Capture(t.Context(), id))
	say(p.Void(t.Context(), id))
	say(p.Lookup(t.Context(), id))
	sayRefund := func(o pay.RefundOutcome, err error) { fmt.Fprintf(&said, "%+v %+v %#v %v\n", o, o.Failure, o, err) }
	for _, amount := range []int64{1, 2, c.Amount.Amount} {
		r := provider.Return{Refund: "ref_1", Payment: id, Amount: pay.Money{Amount: amount, Currency: c.Amount.Currency}}
		sayRefund(p.Refund(t.Context(), r))
		r.Refund = pay.RefundID(fmt.Sprintf("ref_of_%d", amount))
		sayRefund(p.Refund(t.Context(), r))
		sayRefund(p.LookupRefund(t.Context(), id, r.Refund))
	}
	broken := sandbox.New(sandbox.Options{Ledger: &faultyLedger{MemoryLedger: ledger.MemoryLedger, failSave: true, failLoad: true}})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	say(broken.Authorize(ctx, c))
	full := sandbox.New(sandbox.Options{Ledger: &faultyLedger{MemoryLedger: sandbox.NewMemoryLedger(), failSave: true}})
	say(full.Authorize(ctx, c))
	return said.String()
}

// capture returns what was logged or printed meanwhile.
func capture(t *testing.T, do func()) string {
	t.Helper()
	out, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	var logged bytes.Buffer
	oldOut, oldErr, oldLog, oldSlog := os.Stdout, os.Stderr, log.Writer(), slog.Default()
	defer func() {
		os.Stdout, os.Stderr = oldOut, oldErr
		slog.SetDefault(oldSlog)
		log.SetOutput(oldLog)
	}()
	os.Stdout, os.Stderr = out, out
	slog.SetDefault(slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})))
	log.SetOutput(&logged)
	do()
	printed, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return logged.String() + string(printed)
}
