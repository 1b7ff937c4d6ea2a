package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
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

	// Keys are the first keys that begin with the prefix, at most so many, in order.
	Keys(ctx context.Context, prefix string, most int) ([]string, error)

	// Delete forgets a key and its value, durable once it returns.
	Delete(ctx context.Context, key string) error
}

// Shared is a Ledger that several Providers write, in several processes.
type Shared interface {
	Ledger

	// Swap keeps the value, as Save does, if what is there is still what it was: nil for
	// nothing. It says whether that was so.
	Swap(ctx context.Context, key string, was, value []byte) (kept bool, err error)
}

// load reads a payment's entry; one that is not there has no state.
func load(ctx context.Context, l Ledger, id pay.PaymentID) (entry, error) {
	e := entry{Payment: id}
	raw, err := l.Load(ctx, string(id))
	if err != nil {
		return e, fmt.Errorf("read the ledger: %w", err)
	}
	if raw == nil {
		return e, nil
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		return e, fmt.Errorf("understand the ledger: %w", err)
	}
	e.kept = raw
	return e, e.sound(id)
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
	case statePending:
		if e.Plan != nil {
			return nil
		}
		return errors.New("understand the ledger: the payment is pending for no reason")
	case stateFailed:
		if e.Failure != nil {
			return nil
		}
		return errors.New("understand the ledger: the payment failed for no reason")
	}
	return fmt.Errorf("understand the ledger: the payment's state is %q", e.State)
}

// errOvertaken: another Provider has written the entry since it was loaded.
var errOvertaken = errors.New("another server was at the payment")

// save keeps a payment's entry, unless it is overtaken.
func save(ctx context.Context, l Ledger, e *entry) error {
	raw, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write down the payment: %w", err)
	}
	kept := true
	if shared, ok := l.(Shared); ok {
		kept, err = shared.Swap(ctx, string(e.Payment), e.kept, raw)
	} else {
		err = l.Save(ctx, string(e.Payment), raw)
	}
	switch {
	case err != nil:
		return fmt.Errorf("write the ledger: %w", err)
	case !kept:
		return errOvertaken
	}
	e.kept = raw
	return nil
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

// Keys is Ledger's. Its only error is ctx's.
func (l *MemoryLedger) Keys(ctx context.Context, prefix string, most int) ([]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var keys []string
	for key := range l.values {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys[:min(most, len(keys))], ctx.Err()
}

// Delete is Ledger's. Its only error is ctx's, and then nothing was forgotten.
func (l *MemoryLedger) Delete(ctx context.Context, key string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	delete(l.values, key)
	return nil
}
