package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/sqlstore"
)

const (
	// mostTries is how often a transaction is run that meets others.
	mostTries = 10

	// longestPause is the most that is waited before it is run again.
	longestPause = 50 * time.Millisecond
)

// closure is what a caller wants to be run in a transaction.
type closure func(*run, *sqlstore.Batch) error

// transaction is how a closure is run.
type transaction struct {
	opening string
	lock    func(*run) error // before the closure sees anything; nil: nothing is locked
	careful bool             // from the first try on
	drafts  bool             // it may need no connection of its own: see together.go
}

// transact runs the closure until it has committed or failed for good. ctx ends only the
// wait before it begins.
func (s *Store) transact(ctx context.Context, how transaction, fn closure) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.inside.Done()
	if err := ctx.Err(); err != nil {
		return err
	}
	l := &line{pool: s.pool, ctx: ctx}
	defer l.release()
	if how.drafts {
		l.ctx = context.WithoutCancel(ctx) // it begins without a connection, and what has begun is finished
	} else if _, err := l.take(); err != nil {
		return err
	}
	for tries := 1; ; tries++ {
		gone, err := s.try(l, how, fn)
		code := codeOf(err)
		switch {
		case err == nil:
			return nil
		case gone && tries < mostTries:
			l.release()
			continue
		case tries == mostTries || l.broken():
		case errors.Is(err, errAssumed):
			if how.careful {
				s.known.Forget()
			}
			how.careful = true
			continue
		case again(code):
			hesitate(tries)
			continue
		}
		if errors.Is(err, errAssumed) {
			return fmt.Errorf("write: %w: what it was decided on kept changing", store.ErrUnavailable)
		}
		if code != "" {
			return failure("database", err)
		}
		return err
	}
}

// hesitate lets others finish whom a transaction has met.
func hesitate(tries int) { time.Sleep(rand.N(min(longestPause, time.Millisecond<<tries))) }

// try runs the closure once. Where the connection was gone before anything could be done
// on it, it may be run on another one.
func (s *Store) try(l *line, how transaction, fn closure) (gone bool, _ error) {
	r := &run{line: l, store: s, opening: how.opening, lock: how.lock, careful: how.careful, reached: s.frontier.Reached()}
	b := sqlstore.NewBatchKnowing(s.known)
	done := false
	defer func() {
		if !done {
			r.rollBack() // the closure panicked, or ended its goroutine
		}
	}()
	panicked, reason, err := s.call(r, b, fn)
	switch {
	case r.fault != nil:
		err, panicked = r.fault, false
		if codeOf(err) == "" && !errors.Is(err, errAssumed) && err != l.ctx.Err() {
			err = failure("database", err)
		}
	case (err != nil || panicked) && r.assuming():
		err, panicked = errAssumed, false
	case err == nil && !panicked:
		if how.opening != beginReading {
			err = b.Finish(r)
		}
		if err == nil {
			lost, failed := r.commit()
			if lost {
				failed = fmt.Errorf("commit: %w: %w", store.ErrUnavailable, failed)
			}
			err = failed
		}
	}
	done = true
	if err != nil || panicked {
		r.rollBack()
	} else {
		b.Committed()
		s.wrote(b)
	}
	if panicked {
		panic(reason)
	}
	return r.gone, err
}

// call calls the closure, and catches its panic for the caller. Where the closure ends its
// goroutine nothing is caught.
func (s *Store) call(r *run, b *sqlstore.Batch, fn closure) (panicked bool, reason any, err error) {
	returned := false
	defer func() {
		if !returned {
			if reason = recover(); reason != nil {
				panicked = true
			}
		}
	}()
	err = fn(r, b)
	returned = true
	return false, nil, err
}
