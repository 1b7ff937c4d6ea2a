package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/coinslot/coinslot/internal/store/sqlstore"
)

// How a transaction begins.
const (
	begin         = "BEGIN"
	beginSnapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ"
	beginReading  = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
)

// errAssumed says that something was taken for granted that is not so, or may not be. The
// transaction is to be run again, carefully.
var errAssumed = errors.New("an assumption was wrong")

// run is one transaction on one connection.
//
// A round trip costs more than what is done at its end, so statements wait until an answer
// is wanted, and then go out together. Where nobody looks at anything, as when a session is
// made, that is when the transaction commits: it is one round trip. What the statements are
// assumed to do, to change one row each, they are made to prove: one that does not divides
// by zero, the database refuses all that follows, COMMIT too, and everything is run again
// carefully, statement by statement.
type run struct {
	line    *line
	store   *Store
	opening string // how it begins
	lock    func(*run) error
	reached int64 // of the feed, before the transaction's snapshot
	careful bool

	begun    bool // the database knows of the transaction
	locked   bool // the lock was asked for, or is not needed
	made     bool // the first statement made a session
	queue    []queued
	presumed *presumption
	fault    error // the first error of the database
	trips    int   // to the database
	gone     bool  // the connection was of no use from the start, so that all can be done on another one
}

// queued is a statement that waits.
type queued struct {
	sql  string
	args []any
	of   *sqlstore.Statement // nil: it only has the database see that an assumption holds
}

// presumption is a row that is taken to be absent.
type presumption struct {
	queued
	confirmed bool
}

var _ sqlstore.Concurrent = (*run)(nil)

// guarded is a statement that divides by zero unless it changes a row.
func guarded(s *sqlstore.Statement) string { return guardedTexts[s] }

var guardedTexts = func() map[*sqlstore.Statement]string {
	texts := map[*sqlstore.Statement]string{}
	for _, s := range sqlstore.Statements() {
		texts[s] = "WITH changed AS (" + s.SQL + " RETURNING 1) SELECT 1 / COUNT(*) FROM changed"
	}
	return texts
}()

// prepare puts first what must come before a statement: the lock, unless the statement
// makes the session, and the question that was not asked before.
func (r *run) prepare(s *sqlstore.Statement) error {
	if r.locked {
		return nil
	}
	r.locked = true
	if s.MakesSession() && !r.careful {
		r.made = true
		if p := r.presumed; p != nil {
			r.queue = append(r.queue, queued{sql: "SELECT 1 / (1 - COUNT(*)) FROM (" + p.sql + ") AS present", args: p.args})
		}
		return nil
	}
	if r.lock != nil {
		if err := r.lock(r); err != nil {
			return err
		}
	}
	if p := r.presumed; p != nil {
		r.presumed = nil
		found := 0
		if err := r.ask(p.queued, func(pgx.Rows) error { found++; return nil }); err != nil {
			return err
		}
		if found > 0 {
			r.fault = errAssumed
			return errAssumed
		}
	}
	return nil
}

// Do is sqlstore.Concurrent's.
func (r *run) Do(s *sqlstore.Statement, args ...any) error {
	if err := r.prepare(s); err != nil {
		return err
	}
	if r.careful {
		_, err := r.exec(queued{s.SQL, args, s})
		return err
	}
	r.queue = append(r.queue, queued{s.SQL, args, s})
	return nil
}

// Change is sqlstore.Querier's.
func (r *run) Change(s *sqlstore.Statement, args ...any) (bool, error) {
	if err := r.prepare(s); err != nil {
		return false, err
	}
	if r.careful {
		rows, err := r.exec(queued{s.SQL, args, s})
		return rows == 1, err
	}
	r.queue = append(r.queue, queued{guarded(s), args, s})
	return true, nil
}

// Exec is sqlstore.Querier's.
func (r *run) Exec(s *sqlstore.Statement, args ...any) (int64, error) {
	if err := r.prepare(s); err != nil {
		return 0, err
	}
	return r.exec(queued{s.SQL, args, s})
}

// Query is sqlstore.Querier's.
func (r *run) Query(s *sqlstore.Statement, each func(sqlstore.Row) error, args ...any) error {
	if err := r.prepare(s); err != nil {
		return err
	}
	return r.ask(queued{s.SQL, args, s}, func(rows pgx.Rows) error {
		return each(row{rows.RawValues(), rows.FieldDescriptions()})
	})
}

// Presume is sqlstore.Concurrent's. Only the first thing that a closure wants to know can
// be presumed.
func (r *run) Presume(s *sqlstore.Statement, args ...any) bool {
	if r.careful || r.locked || r.presumed != nil {
		return false
	}
	r.presumed = &presumption{queued: queued{s.SQL, args, s}}
	return true
}

// Confirm is sqlstore.Concurrent's.
func (r *run) Confirm() {
	if r.presumed != nil {
		r.presumed.confirmed = true
	}
}

// Settled is sqlstore.Concurrent's.
func (r *run) Settled() (int64, error) {
	reached, beyond, err := sqlstore.Walk(r, r.reached)
	if err != nil {
		return 0, err
	}
	if r.opening == beginReading { // what a writer sees may be its own, and come to nothing
		r.store.frontier.Advance(reached)
	}
	if beyond > 0 {
		r.store.missing()
	}
	return reached, nil
}

// exec runs a statement after those that wait, and says how many rows it changed.
func (r *run) exec(q queued) (rows int64, err error) {
	err = r.send(q, func(answers pgx.BatchResults) error {
		tag, err := answers.Exec()
		rows = tag.RowsAffected()
		return err
	})
	return rows, err
}

// ask runs a query after those that wait.
func (r *run) ask(q queued, each func(pgx.Rows) error) error {
	var own error // the reader's, which says nothing of the database
	err := r.send(q, func(answers pgx.BatchResults) error {
		rows, err := answers.Query()
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if own = each(rows); own != nil {
				rows.Close()
				return rows.Err()
			}
		}
		return rows.Err()
	})
	if err == nil {
		err = own
	}
	return err
}

// send makes one round trip: what waits, and then the statement whose answer is read.
func (r *run) send(last queued, read func(pgx.BatchResults) error) error {
	if r.fault != nil {
		return r.fault
	}
	conn, err := r.line.take()
	if err != nil {
		r.fault = err
		return err
	}
	var b pgx.Batch
	if !r.begun {
		b.Queue(r.opening)
	}
	for _, q := range r.queue {
		b.Queue(q.sql, q.args...)
	}
	b.Queue(last.sql, last.args...)
	r.queue, r.begun = r.queue[:0], true
	patience(conn)
	if r.store.counted != nil {
		r.store.counted(b.Len())
	}
	r.trips++
	answers := conn.SendBatch(context.Background(), &b)
	early := false // the answer is not to the last statement, which may be COMMIT
	for range b.Len() - 1 {
		if _, err = answers.Exec(); err != nil {
			early = true
			break
		}
	}
	if err == nil {
		err = read(answers)
	}
	if closed := answers.Close(); err == nil {
		err = closed
	}
	if err != nil {
		r.fault = r.judge(err)
		r.gone = r.trips == 1 && r.without(err, early)
	}
	return r.fault
}

// without says whether nothing can have come of what was sent, because the server was not
// there any more: it was told to end, or is only just starting, or was never reached.
func (r *run) without(err error, early bool) bool {
	switch codeOf(err) {
	case "":
		return r.opening == beginReading || pgconn.SafeToRetry(err)
	case adminShutdown, crashShutdown:
		return early || r.opening == beginReading
	}
	return false
}

// judge says what an error of the database means for the transaction.
func (r *run) judge(err error) error {
	code := codeOf(err)
	switch {
	case code == "" || again(code) || outOfReach(err):
		return err
	case code == divisionByZero:
		return errAssumed
	case !r.careful:
		return errAssumed // which statement was refused is for a careful run to say
	}
	return err
}

// patience gives the database a while to answer.
func patience(conn *pgx.Conn) { _ = conn.PgConn().Conn().SetDeadline(time.Now().Add(answerTimeout)) }

// commit makes what was written durable. An error after which it may be durable all the
// same is a lost: true.
func (r *run) commit() (lost bool, err error) {
	if r.presumed != nil && !r.presumed.confirmed {
		return false, errAssumed
	}
	if r.fault != nil {
		return false, r.fault
	}
	if !r.begun && len(r.queue) == 0 {
		return false, nil // nothing was ever asked
	}
	if r.alike() {
		return r.store.writeTogether(r.queue)
	}
	conn, err := r.line.take()
	if err != nil {
		return false, err
	}
	var tag pgconn.CommandTag
	_ = warned(conn)
	err = r.send(queued{sql: "COMMIT"}, func(answers pgx.BatchResults) (err error) {
		tag, err = answers.Exec()
		return err
	})
	switch {
	case tag.String() == "COMMIT" && warned(conn):
		return true, errors.New("the server committed with a warning: the standby may not have it")
	case tag.String() == "COMMIT":
		return false, nil // whatever became of the connection afterwards
	case err == nil:
		return false, errAssumed // it was rolled back, because of what nobody looked at
	}
	return unknown(codeOf(err)) && !errors.Is(err, errAssumed), err
}

// rollBack undoes what was written. A connection on which that fails is given up.
func (r *run) rollBack() {
	if !r.begun || r.line.broken() {
		return
	}
	conn := r.line.held.Conn()
	patience(conn)
	if _, err := conn.Exec(context.Background(), "ROLLBACK"); err != nil {
		_ = conn.Close(context.Background())
	}
}

// assuming says whether what the closure was told so far may be wrong.
func (r *run) assuming() bool { return !r.careful && (len(r.queue) > 0 || r.presumed != nil) }
