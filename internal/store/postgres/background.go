package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/coinslot/coinslot/internal/store/sqlstore"
)

const (
	// foldAfter is how long tallies wait for others to be folded along.
	foldAfter = time.Second

	// gapPatience is how long a position may be missing before it is filled. Those who
	// write hardly ever take longer between their first and their last statement.
	gapPatience = 50 * time.Millisecond

	// keepEvery is how many events the frontier passes before it is kept.
	keepEvery = 1000

	// afterTrouble is the pause after the database failed.
	afterTrouble = time.Second
)

// signal says that there is something to do. It is a hint, not a count.
type signal chan struct{}

func newSignal() signal { return make(signal, 1) }

func (s signal) give() {
	select {
	case s <- struct{}{}:
	default:
	}
}

// begin starts the work in the background.
func (s *Store) begin() {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.background.Go(func() { s.onSignal(ctx, s.gap, gapPatience, s.closeGap) })
	s.background.Go(func() { s.onSignal(ctx, s.backlog, foldAfter, s.Fold) })
	s.backlog.give() // what an earlier process left
	if !s.alone {
		s.background.Go(func() { s.onSignal(ctx, s.news, 0, s.notify) })
		s.background.Go(func() { s.listen(ctx) })
		s.background.Go(func() { s.poll(ctx) })
	}
}

// onSignal does some work a while after each signal, and again later where it failed.
func (s *Store) onSignal(ctx context.Context, sign signal, after time.Duration, work func(context.Context) error) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-sign:
		}
		if !pause(ctx, after) {
			return
		}
		if err := work(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("work in the background of the database failed; it will be tried again", "error", err)
			if !pause(ctx, afterTrouble) {
				return
			}
			sign.give()
		}
	}
}

// pause waits, and says whether ctx let it.
func pause(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// wrote is called after a transaction has committed.
func (s *Store) wrote(b *sqlstore.Batch) {
	if b.Tallied() {
		s.backlog.give()
	}
	if b.Events() > 0 {
		s.tell()
	}
}

// tell says that something was written, here and to the other processes.
func (s *Store) tell() {
	s.watched.tell()
	if !s.alone {
		s.news.give()
	}
}

// missing is called where the feed ended before a position that is missing.
func (s *Store) missing() { s.gap.give() }

// inBackground runs a transaction of the background, which Close does not wait for by
// itself but with it.
func (s *Store) inBackground(ctx context.Context, opening string, fn func(*run) error) error {
	l := &line{pool: s.pool, ctx: ctx}
	defer l.release()
	_, err := s.try(l, transaction{opening: opening, careful: true}, func(r *run, _ *sqlstore.Batch) error { return fn(r) })
	return err
}

// Fold brings totals and marks up to date, as happens by itself a while after they changed.
func (s *Store) Fold(ctx context.Context) error {
	for {
		err := s.inBackground(ctx, beginSnapshot, func(r *run) error {
			_, err := sqlstore.Fold(r)
			return err
		})
		if !again(codeOf(err)) {
			return err
		}
		if !pause(ctx, longestPause) { // somebody else has just folded
			return nil
		}
	}
}

// closeGap fills the first positions that are missing, unless they have come meanwhile.
func (s *Store) closeGap(ctx context.Context) error {
	reached, beyond, err := s.walk(ctx)
	if err != nil || beyond == 0 {
		s.watched.tell() // what was missing has come
		return err
	}
	for position := reached + 1; position < beyond; position++ {
		err := s.inBackground(ctx, begin, func(r *run) error { return sqlstore.Fill(r, position) })
		if code := codeOf(err); code == lockNotAvailable {
			break // whoever has it takes long: the next walk comes by here again
		} else if err != nil {
			return failure("fill the feed", err)
		}
	}
	s.tell()
	s.gap.give() // there may be another one further on
	return nil
}

// walk brings the frontier forward, and keeps it now and then.
func (s *Store) walk(ctx context.Context) (reached, beyond int64, err error) {
	err = s.inBackground(ctx, beginReading, func(r *run) (err error) {
		reached, beyond, err = sqlstore.Walk(r, r.reached)
		return err
	})
	if err == nil {
		s.frontier.Advance(reached)
	}
	return reached, beyond, err
}

// listen waits for what other processes say.
func (s *Store) listen(ctx context.Context) {
	for ctx.Err() == nil {
		if err := s.listenOnce(ctx); err != nil && ctx.Err() == nil {
			s.log.Debug("not listening to the database; it is polled meanwhile", "error", err)
		}
		pause(ctx, afterTrouble)
	}
}

// LISTEN and NOTIFY are PostgreSQL's own. Where an engine has none, polling is the way.
const (
	listenToOthers = `LISTEN coinslot`
	notifyOthers   = `SELECT pg_notify('coinslot', $1)`
)

// listening ends the name by which the database knows a connection that listens: each
// server that runs has one.
const listening = " listener"

func (s *Store) listenOnce(ctx context.Context) error {
	config := s.pool.Config().ConnConfig
	config.RuntimeParams["application_name"] += listening
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, listenToOthers); err != nil {
		return err
	}
	s.watched.tell() // of what was missed until now
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		if n.Payload != s.name {
			s.watched.tell()
		}
	}
}

// notify tells the other processes that something was written. It is no part of the
// transactions that write: those that notify commit one after the other. What is written
// while it is on its way is told with the next.
func (s *Store) notify(ctx context.Context) error {
	if _, err := s.pool.Exec(ctx, notifyOthers, s.name); err != nil {
		return failure("notify", err)
	}
	pause(ctx, notifyEvery)
	return nil
}

// notifyEvery is the least time between two notifications.
const notifyEvery = 20 * time.Millisecond

// pollEvery is how soon what was written elsewhere is seen where nobody says so.
const pollEvery = time.Second

// poll looks for what was written elsewhere, and keeps the frontier.
func (s *Store) poll(ctx context.Context) {
	var before sqlstore.News
	kept := s.frontier.Reached()
	for pause(ctx, pollEvery*9/10) {
		var now sqlstore.News
		err := s.inBackground(ctx, beginReading, func(r *run) (err error) {
			now, err = sqlstore.LookForNews(r)
			return err
		})
		if err != nil || now != before {
			s.watched.tell()
			before = now
		}
		if reached := s.frontier.Reached(); err == nil && reached >= kept+keepEvery {
			if err := s.inBackground(ctx, begin, func(r *run) error { return s.frontier.Keep(r) }); err == nil {
				kept = reached
			}
		}
	}
}
