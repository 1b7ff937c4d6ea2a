package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/sqlstore"
)

// Store is store.Store in one SQLite file.
type Store struct {
	writer  *writer
	readers *readers
	watched watched
	lock    *os.File
}

var _ store.Store = (*Store)(nil)

func newStore(w *conn, r *readers, o Options) *Store {
	s := &Store{readers: r}
	s.writer = newWriter(w, o, s.watched.tell)
	return s
}

// Update is store.Store's.
func (s *Store) Update(ctx context.Context, _ pay.SessionID, fn func(store.Tx) error) error {
	return s.writer.do(ctx, func(c *conn, b *sqlstore.Batch) error { return fn(sqlstore.NewTx(c, b)) })
}

// Configure is store.Store's.
func (s *Store) Configure(ctx context.Context, fn func(store.Settings) error) error {
	err := s.writer.do(ctx, func(c *conn, b *sqlstore.Batch) error {
		// Twice: what runs in the same batch must see the change, and what runs after
		// a rollback must not.
		defer b.Reconfigured()
		b.Reconfigured()
		return fn(sqlstore.NewSettings(c, b))
	})
	if err == nil {
		s.watched.tell()
	}
	return err
}

// View is store.Store's.
func (s *Store) View(ctx context.Context, fn func(store.Reader) error) error {
	return s.read(ctx, func(c *conn) error { return fn(sqlstore.NewReader(c)) })
}

// read runs fn in a transaction, which sees the snapshot that its first statement found.
func (s *Store) read(ctx context.Context, fn func(*conn) error) (err error) {
	c, err := s.readers.take(ctx)
	if err != nil {
		return err
	}
	defer s.readers.give(c)
	if err := c.run("BEGIN"); err != nil {
		return unavailable("begin reading", c.failed(err))
	}
	defer func() {
		if endErr := c.run("COMMIT"); endErr != nil {
			err = errors.Join(err, unavailable("end reading", c.failed(endErr)))
		}
	}()
	return fn(c)
}

// Forget is store.Store's.
func (s *Store) Forget(ctx context.Context, now time.Time, most int) (int, error) {
	var gone int64
	err := s.writer.do(ctx, func(c *conn, _ *sqlstore.Batch) (err error) {
		gone, err = sqlstore.Forget(c, now, most)
		return err
	})
	return int(gone), err
}

// DueEndpoints is store.Queue's.
func (s *Store) DueEndpoints(ctx context.Context, now time.Time, most int) (found []pay.EndpointID, err error) {
	err = s.read(ctx, func(c *conn) error {
		found, err = sqlstore.DueEndpoints(c, now, most)
		return err
	})
	return found, err
}

// Claim is store.Queue's.
func (s *Store) Claim(ctx context.Context, endpoint pay.EndpointID, now, leaseUntil time.Time, most int) ([]pay.Delivery, error) {
	var found []pay.Delivery
	err := s.writer.do(ctx, func(c *conn, _ *sqlstore.Batch) (err error) {
		found, err = sqlstore.Claim(c, endpoint, now, leaseUntil, most)
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
	err := s.writer.do(ctx, func(c *conn, b *sqlstore.Batch) error {
		gone = nil
		for _, m := range made {
			switch err := sqlstore.Record(c, b, m); {
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
	return s.requeue(ctx, func(c *conn, _ *sqlstore.Batch) error { return sqlstore.Redeliver(c, id, now) })
}

// RedeliverEvent is store.Queue's.
func (s *Store) RedeliverEvent(ctx context.Context, id pay.EventID, now time.Time) (sent int, err error) {
	err = s.requeue(ctx, func(c *conn, b *sqlstore.Batch) (err error) {
		sent, err = sqlstore.RedeliverEvent(c, b, id, now)
		return err
	})
	return sent, err
}

// Recover is store.Queue's.
func (s *Store) Recover(ctx context.Context, endpoint pay.EndpointID, since, now time.Time, most int) (sent int, err error) {
	err = s.requeue(ctx, func(c *conn, _ *sqlstore.Batch) (err error) {
		sent, err = sqlstore.Recover(c, endpoint, since, now, most)
		return err
	})
	return sent, err
}

// requeue writes to the queue, and has it looked at.
func (s *Store) requeue(ctx context.Context, fn func(*conn, *sqlstore.Batch) error) error {
	err := s.writer.do(ctx, fn)
	if err == nil {
		s.watched.tell()
	}
	return err
}

// Acknowledge is store.Store's.
func (s *Store) Acknowledge(ctx context.Context, c store.Consumer, p store.Place) (at store.Place, err error) {
	err = s.writer.do(ctx, func(conn *conn, _ *sqlstore.Batch) (err error) {
		at, err = sqlstore.Acknowledge(conn, c, p)
		return err
	})
	return at, err
}

// NextDue is store.Queue's.
func (s *Store) NextDue(ctx context.Context) (due time.Time, err error) {
	err = s.read(ctx, func(c *conn) error {
		due, err = sqlstore.NextDue(c)
		return err
	})
	return due, err
}

// Watch is store.Store's.
func (s *Store) Watch() (<-chan struct{}, func()) { return s.watched.watch() }

// Shared is store.Store's: the file is this process's alone.
func (s *Store) Shared() bool { return false }

// Check is store.Store's. It writes and commits.
func (s *Store) Check(ctx context.Context) error {
	return s.writer.do(ctx, func(c *conn, _ *sqlstore.Batch) error { return sqlstore.Beat(c) })
}

// Close is store.Store's.
func (s *Store) Close() error {
	if !s.writer.stop() {
		return nil
	}
	// The writer goes last: the last connection to close copies the log back.
	return errors.Join(s.readers.close(), s.writer.conn.close(), unlock(s.lock))
}

func unavailable(what string, err error) error {
	return fmt.Errorf("%s: %w: %w", what, store.ErrUnavailable, err)
}
