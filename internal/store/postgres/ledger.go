package postgres

import (
	"context"
	"fmt"

	"github.com/coinslot/coinslot/internal/store/sqlstore"
)

// Ledger is a small durable map in a table of its own: what the sandbox provider
// remembers of payments. A provider knows nothing of Coinslot's transactions, so it has
// its own. Any number of processes use it at the same time.
type Ledger struct{ store *Store }

// Ledger returns the ledger in the store's database.
func (s *Store) Ledger() *Ledger { return &Ledger{s} }

// Load returns what was saved last under the key; nil where nothing ever was.
func (l *Ledger) Load(ctx context.Context, key string) (value []byte, err error) {
	err = l.store.read(ctx, func(r *run) (err error) {
		value, err = sqlstore.LoadBook(r, key)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load from ledger: %w", err)
	}
	return value, nil
}

// Save keeps the value under the key, in place of what was there. It is durable when Save
// returns nil; after an error it may be there or not.
func (l *Ledger) Save(ctx context.Context, key string, value []byte) error {
	err := l.store.do(ctx, func(r *run, _ *sqlstore.Batch) error { return sqlstore.SaveBook(r, key, value) })
	if err != nil {
		return fmt.Errorf("save to ledger: %w", err)
	}
	return nil
}

// Swap keeps the value as Save does, if what is there is still what it was: nil for
// nothing. It says whether that was so.
func (l *Ledger) Swap(ctx context.Context, key string, was, value []byte) (kept bool, err error) {
	err = l.store.do(ctx, func(r *run, _ *sqlstore.Batch) (err error) {
		kept, err = sqlstore.SwapBook(r, key, was, value)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("save to ledger: %w", err)
	}
	return kept, nil
}

// Keys are the first keys that begin with the prefix, at most so many, in order.
func (l *Ledger) Keys(ctx context.Context, prefix string, most int) (keys []string, err error) {
	err = l.store.read(ctx, func(r *run) (err error) {
		keys, err = sqlstore.BookKeys(r, prefix, most)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the ledger's keys: %w", err)
	}
	return keys, nil
}

// Delete forgets a key and its value. It is durable when Delete returns nil.
func (l *Ledger) Delete(ctx context.Context, key string) error {
	err := l.store.do(ctx, func(r *run, _ *sqlstore.Batch) error { return sqlstore.DeleteBook(r, key) })
	if err != nil {
		return fmt.Errorf("delete from ledger: %w", err)
	}
	return nil
}

// SameMasterKey notes by what the key that seals secrets is told from others, unless some
// server has, and says whether it is the one that was noted: servers with keys of their
// own could not read what the others sealed.
func (s *Store) SameMasterKey(ctx context.Context, mark int64) (same bool, err error) {
	err = s.do(ctx, func(r *run, _ *sqlstore.Batch) (err error) {
		same, err = sqlstore.SameMasterKey(r, mark)
		return err
	})
	return same, err
}
