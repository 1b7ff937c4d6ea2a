package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/coinslot/coinslot/internal/pay"
)

// Ledger keeps the sandbox's books, apart from what Coinslot itself keeps of a
// payment, so that the two can be compared. It has one writer, unless it is Shared: two
// Providers over one ledger at the same time could each begin the same payment.
type Ledger interface {
	// Load is the value that was saved last; nil where there is none, and that is no error.
	Load(ctx context.Context, key string) ([]byte, error)

	// Save keeps the value, durable once it returns. After an error it may have been
	// kept or not, which the next Load tells.
	Save(ctx context.Context, key string, value []byte) error
}

// Shared is a Ledger that several Providers write, in several processes.
type Shared interface {
	Ledger

	// Swap keeps the value, as Save does, if what is there is still what it was: nil for
	// nothing. It says whether that was so.
	Swap(ctx context.Context, key string, was, value []byte) (kept bool, err error)
}

// load reads a payment's entry, and as what it was kept; one that is not there has no state.
func load(ctx context.Context, l Ledger, id pay.PaymentID) (e entry, raw []byte, err error) {
	e.Payment = id
	if raw, err = l.Load(ctx, string(id)); err != nil {
		return e, nil, fmt.Errorf("read the ledger: %w", err)
	}
	if raw == nil {
		return e, nil, nil
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		return e, nil, fmt.Errorf("understand the ledger: %w", err)
	}
	return e, raw, e.sound(id)
}

// sound refuses an entry that this package did not write: to guess at where money
// stands is worse than to say nothing.
func (e *entry) sound(id pay.PaymentID) error {
	if e.Payment != id {
		return fmt.Errorf("understand the ledger: the entry is of payment %q", e.Payment)
	}
	for _, r := range e.Refunds {
		if r == nil || r.ID == "" || r.Amount < 1 && r.Failure == nil || !slices.Contains(pay.RefundStatuses, r.Status) {
			return errors.New("understand the ledger: a refund of the payment makes no sense")
		}
	}
	switch e.State {
	case stateUnknown, stateAuthorized, stateSucceeded, stateVoided:
		return nil
	case stateFailed:
		if e.Failure != nil {
			return nil
		}
		return errors.New("understand the ledger: the payment failed for no reason")
	}
	return fmt.Errorf("understand the ledger: the payment's state is %q", e.State)
}

// save keeps a payment's entry, unless another Provider has written it since it was loaded.
func save(ctx context.Context, l Ledger, e entry, was []byte) (kept bool, err error) {
	raw, err := json.Marshal(e)
	if err != nil {
		return false, fmt.Errorf("write down the payment: %w", err)
	}
	kept = true
	if shared, ok := l.(Shared); ok {
		kept, err = shared.Swap(ctx, string(e.Payment), was, raw)
	} else {
		err = l.Save(ctx, string(e.Payment), raw)
	}
	if err != nil {
		return false, fmt.Errorf("write the ledger: %w", err)
	}
	return kept, nil
}

// MemoryLedger is a Ledger for tests: it lasts as long as the process.
type MemoryLedger struct {
	mu     sync.Mutex
	values map[string][]byte
}

// NewMemoryLedger makes an empty ledger.
func NewMemoryLedger() *MemoryLedger { return &MemoryLedger{values: map[string][]byte{}} }

// Load is Ledger's. Its only error is ctx's.
func (l *MemoryLedger) Load(ctx context.Context, key string) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.values[key]), ctx.Err()
}

// Save is Ledger's. Its only error is ctx's, and then nothing was kept.
func (l *MemoryLedger) Save(ctx context.Context, key string, value []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	l.values[key] = bytes.Clone(value)
	return nil
}
