package postgres

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/sqlstore"
)

// Store is store.Store in a PostgreSQL database.
type Store struct {
	pool     *pgxpool.Pool
	log      *slog.Logger
	alone    bool
	counted  func(int)
	known    *sqlstore.Known
	frontier sqlstore.Frontier
	sessions turns
	drafts   drafts
	settings turns
	watched  watched
	name     string // by which it knows its own notifications

	mu     sync.Mutex
	closed bool
	inside sync.WaitGroup // calls that have begun

	stop       context.CancelFunc // of the work in the background
	background sync.WaitGroup
	gap, news  signal // a position is missing; others are to be told
	backlog    signal // there are tallies to fold
}

func newStore(pool *pgxpool.Pool, o Options) *Store {
	return &Store{pool: pool, log: o.Logger, alone: o.Alone, counted: o.Counted, known: &sqlstore.Known{}, name: rand.Text(),
		stop: func() {}, gap: newSignal(), news: newSignal(), backlog: newSignal()}
}

// enter lets a call begin, unless the store is closed.
func (s *Store) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("closed: %w", store.ErrUnavailable)
	}
	s.inside.Add(1)
	return nil
}

// Update is store.Store's.
func (s *Store) Update(ctx context.Context, id pay.SessionID, fn func(store.Tx) error) error {
	done, err := s.sessions.take(ctx, string(id))
	if err != nil {
		return err
	}
	defer done()
	how := transaction{opening: begin, drafts: true, lock: func(r *run) error { return sqlstore.Lock(r, id) }}
	return s.transact(ctx, how, func(r *run, b *sqlstore.Batch) error { return fn(sqlstore.NewTx(r, b)) })
}

// Configure is store.Store's.
func (s *Store) Configure(ctx context.Context, fn func(store.Settings) error) error {
	done, err := s.settings.take(ctx, "")
	if err != nil {
		return err
	}
	defer done()
	err = s.transact(ctx, transaction{opening: begin, careful: true}, func(r *run, b *sqlstore.Batch) error {
		if err := sqlstore.LockSettings(r); err != nil {
			return err
		}
		return fn(sqlstore.NewSettings(r, b))
	})
	s.known.Forget()
	if err == nil {
		s.tell()
	}
	return err
}

// View is store.Store's.
func (s *Store) View(ctx context.Context, fn func(store.Reader) error) error {
	return s.read(ctx, func(r *run) error { return fn(sqlstore.NewReader(r)) })
}

// read runs fn on one snapshot.
func (s *Store) read(ctx context.Context, fn func(*run) error) error {
	return s.transact(ctx, transaction{opening: beginReading, careful: true}, func(r *run, _ *sqlstore.Batch) error { return fn(r) })
}

// do runs a transaction that is about no session.
func (s *Store) do(ctx context.Context, fn closure) error {
	return s.transact(ctx, transaction{opening: begin}, fn)
}

// Forget is store.Store's.
func (s *Store) Forget(ctx context.Context, now time.Time, most int) (int, error) {
	var gone int64
	err := s.do(ctx, func(r *run, _ *sqlstore.Batch) (err error) {
		gone, err = sqlstore.Forget(r, now, most)
		return err
	})
	return int(gone), err
}

// DueEndpoints is store.Queue's.
func (s *Store) DueEndpoints(ctx context.Context, now time.Time, most int) (found []pay.EndpointID, err error) {
	err = s.read(ctx, func(r *run) error {
		found, err = sqlstore.DueEndpoints(r, now, most)
		return err
	})
	return found, err
}

// Claim is store.Queue's.
func (s *Store) Claim(ctx context.Context, endpoint pay.EndpointID, now, leaseUntil time.Time, most int) ([]pay.Delivery, error) {
	var found []pay.Delivery
	err := s.do(ctx, func(r *run, _ *sqlstore.Batch) (err error) {
		found, err = sqlstore.Claim(r, endpoint, now, leaseUntil, most)
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Record is store.Queue's.
func (s *Store) Record(ctx context.Context, made ...store.Outcome) error {
	var gone error
	err := s.do(ctx, func(r *run, b *sqlstore.Batch) error {
		gone = nil
		for _, m := range made {
			switch err := sqlstore.Record(r, b, m); {
			case errors.Is(err, store.ErrNotFound):
				gone = err // what the others wrote stays
			case err != nil:
				return err
			}
		}
		return nil
	})
	return cmp.Or(err, gone)
}

// Redeliver is store.Queue's.
func (s *Store) Redeliver(ctx context.Context, id pay.DeliveryID, now time.Time) error {
	return s.requeue(ctx, func(r *run, _ *sqlstore.Batch) error { return sqlstore.Redeliver(r, id, now) })
}

// RedeliverEvent is store.Queue's.
func (s *Store) RedeliverEvent(ctx context.Context, id pay.EventID, now time.Time) (sent int, err error) {
	err = s.requeue(ctx, func(r *run, b *sqlstore.Batch) (err error) {
		sent, err = sqlstore.RedeliverEvent(r, b, id, now)
		return err
	})
	return sent, err
}

// Recover is store.Queue's.
func (s *Store) Recover(ctx context.Context, endpoint pay.EndpointID, since, now time.Time, most int) (sent int, err error) {
	err = s.requeue(ctx, func(r *run, _ *sqlstore.Batch) (err error) {
		sent, err = sqlstore.Recover(r, endpoint, since, now, most)
		return err
	})
	return sent, err
}

// requeue writes to the queue, and has it looked at.
func (s *Store) requeue(ctx context.Context, fn closure) error {
	err := s.do(ctx, fn)
	if err == nil {
		s.tell()
	}
	return err
}

// Acknowledge is store.Store's.
func (s *Store) Acknowledge(ctx context.Context, c store.Consumer, p store.Place) (at store.Place, err error) {
	err = s.do(ctx, func(r *run, _ *sqlstore.Batch) (err error) {
		at, err = sqlstore.Acknowledge(r, c, p)
		return err
	})
	return at, err
}

// NextDue is store.Queue's.
func (s *Store) NextDue(ctx context.Context) (due time.Time, err error) {
	err = s.read(ctx, func(r *run) error {
		due, err = sqlstore.NextDue(r)
		return err
	})
	return due, err
}

// Watch is store.Store's.
func (s *Store) Watch() (<-chan struct{}, func()) { return s.watched.watch() }

// Shared is store.Store's.
func (s *Store) Shared() bool { return !s.alone }

// Check is store.Store's. It writes and commits.
func (s *Store) Check(ctx context.Context) error {
	return s.do(ctx, func(r *run, _ *sqlstore.Batch) error { return sqlstore.Beat(r) })
}

// Close is store.Store's.
func (s *Store) Close() error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	s.mu.Unlock()
	if !first {
		return nil
	}
	s.inside.Wait()
	s.stop()
	s.background.Wait()
	s.pool.Close()
	return nil
}
