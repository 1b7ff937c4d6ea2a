package sqlstore

import (
	"embed"
	"fmt"
	"io/fs"
	"math"

	"github.com/coinslot/coinslot/internal/pay"
)

// The engines share their statements, but for those that are made by concurrent, and each
// has migrations of its own.
//
// SQLite's writers take turns, so each sees what all before it did, and positions in the
// feed become visible in their order. On an engine whose writers run side by side:
//
//   - a session's row is locked before its closure sees anything, the row of an endpoint
//     before its deliveries are claimed, and that of the settings before they are changed:
//     FOR UPDATE, which PostgreSQL, CockroachDB and YugabyteDB have alike;
//   - totals, which are rows that everybody would have to lock, are not written by those
//     who sell: see Fold;
//   - positions become visible in another order than that in which they were given: see
//     Settled.
//
// What PostgreSQL has and others have not, or not alike, is listed with what stands in for
// it in docs/scale.md, "Another engine".

//go:embed migrations
var migrations embed.FS

// Migrations are the schema's steps in goose's format, for "sqlite" or "postgres".
func Migrations(dialect string) (fs.FS, error) {
	steps, err := fs.Sub(migrations, "migrations/"+dialect)
	if err != nil {
		return nil, fmt.Errorf("migrations for %s: %w", dialect, err)
	}
	return steps, nil
}

// Concurrent is a Querier of an engine whose writers run side by side.
type Concurrent interface {
	Querier

	// Do runs a statement of which nobody wants to know how many rows it changed.
	Do(s *Statement, args ...any) error

	// Presume says whether a row may be taken to be absent without asking for it, because
	// a later statement of the same transaction, which calls Confirm, would not pass if
	// it were there.
	Presume(s *Statement, args ...any) bool
	Confirm()

	// Settled is the position up to which no event is missing that may still come, as far
	// as the transaction sees.
	Settled() (int64, error)
}

// settled is up to where the feed can be read.
func settled(q Querier) (int64, error) {
	if c, ok := q.(Concurrent); ok {
		return c.Settled()
	}
	return math.MaxInt64, nil
}

// do runs a statement of which nobody wants to know how many rows it changed.
func do(q Querier, s *Statement, args ...any) error {
	if c, ok := q.(Concurrent); ok {
		return c.Do(s, args...)
	}
	_, err := q.Exec(s, args...)
	return err
}

var beat = statement(`UPDATE pulse SET beat = beat + 1 WHERE id = 1`)

// Beat writes what nobody needs, to see whether writing works.
func Beat(q Querier) error { return touched(q, "beat", beat) }

var (
	lockSession = concurrent(`SELECT id FROM sessions WHERE id = $1 FOR UPDATE`)
	lockEnabled = concurrent(`SELECT number FROM endpoints WHERE id = $1 AND enabled = 1 FOR UPDATE`)

	// The row that all who configure write first, so that they take turns. It counts how
	// often the settings were changed.
	raiseGeneration  = concurrent(`UPDATE engine SET value = value + 1 WHERE name = 'generation'`)
	selectGeneration = concurrent(`SELECT value FROM engine WHERE name = 'generation'`)
	sameGeneration   = concurrent(`SELECT 1 / COUNT(*) FROM engine WHERE name = 'generation' AND value = $1`)
)

// Lock lets nobody else lock the session's row, where there is one, until the transaction ends.
func Lock(q Concurrent, id pay.SessionID) error { return q.Do(lockSession, string(id)) }

// LockSettings lets nobody else change the settings until the transaction ends.
func LockSettings(q Concurrent) error { return q.Do(raiseGeneration) }

// Checks says whether a statement writes nothing, but has the database see that what the
// transaction relies on is so.
func (s *Statement) Checks() bool { return s == sameGeneration }

// MakesSession says whether a statement is the one that makes a session, before which
// there is no row to be locked.
func (s *Statement) MakesSession() bool { return s == insertSession }
