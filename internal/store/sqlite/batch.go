package sqlite

import (
	"errors"
	"fmt"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/coinslot/coinslot/internal/store"
)

// errRolledBack says that a closure which failed had written, so that the
// transaction with all that its neighbours wrote had to go.
var errRolledBack = errors.New("rolled back")

// commit runs the closures in one transaction and leaves in each job what came of it.
//
// A savepoint around each closure makes SQLite copy every page before it is touched,
// for the sake of closures that fail after they have written. Hardly any does: what
// is refused is refused before the first write. So the first try goes without, and
// where it was needed after all, everything is rolled back and run again with savepoints.
func (w *writer) commit(jobs []*job) {
	w.mu.Lock()
	err := w.broken
	w.mu.Unlock()
	if err == nil && len(jobs) > 0 {
		err = w.try(jobs, false)
	}
	if errors.Is(err, errRolledBack) {
		err = w.try(jobs, true)
	}
	if err != nil {
		w.fail(jobs, err)
	} else if w.batch.Events() > 0 {
		w.wrote()
	}
}

// try runs the closures and commits. An error other than errRolledBack is the
// database's, and concerns all of them.
func (w *writer) try(jobs []*job, careful bool) error {
	c := w.conn
	c.wrote, c.fault = false, nil
	w.batch.Begin()
	if err := c.run("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	for _, j := range jobs {
		if err := w.runOne(j, careful, len(jobs) == 1); err != nil {
			return err
		}
	}
	err := w.batch.Finish(c)
	if err == nil {
		err = c.run("COMMIT")
	}
	if err != nil {
		return errors.Join(fmt.Errorf("commit: %w", err), w.rollBack())
	}
	return nil
}

// runOne runs a closure within the transaction, and undoes what it wrote if it fails.
func (w *writer) runOne(j *job, careful, alone bool) error {
	c, point := w.conn, w.batch.Savepoint()
	before := c.wrote
	c.wrote = false
	if careful {
		if err := c.run("SAVEPOINT closure"); err != nil {
			return errors.Join(err, w.rollBack())
		}
	}
	j.run(w)
	failed, wrote := j.err != nil || j.panicked, c.wrote
	c.wrote = c.wrote || before
	switch {
	case c.fault != nil:
		return errors.Join(c.fault, w.rollBack())
	case failed && wrote && !careful && !alone:
		return errors.Join(errRolledBack, w.rollBack())
	case failed && wrote && !careful:
		w.batch.RollBack(point)
		if err := w.rollBack(); err != nil {
			return err
		}
		return c.run("BEGIN IMMEDIATE")
	case !careful:
		return nil
	case failed:
		w.batch.RollBack(point)
		if err := c.run("ROLLBACK TO closure"); err != nil {
			return errors.Join(err, w.rollBack())
		}
	}
	if err := c.run("RELEASE closure"); err != nil {
		return errors.Join(err, w.rollBack())
	}
	return nil
}

// run calls the closure, and catches its panic for the caller.
func (j *job) run(w *writer) {
	j.err, j.panicked, j.reason = nil, false, nil
	returned := false
	defer func() {
		if !returned {
			// Nil where the closure called runtime.Goexit, which nothing can stop.
			if j.reason = recover(); j.reason != nil {
				j.panicked = true
			}
		}
	}()
	j.err = j.fn(w.conn, w.batch)
	returned = true
}

// rollBack ends the transaction, if SQLite has not done so by itself after an error.
func (w *writer) rollBack() error {
	w.batch.Begin()
	w.batch.Reconfigured()
	if err := w.conn.run("ROLLBACK"); err != nil && primaryCode(err) != sqlite3.SQLITE_ERROR {
		return fmt.Errorf("roll back: %w", err)
	}
	return nil
}

// fail tells every caller of the batch that the outcome is unknown. After an I/O
// error nothing more is written: what a failed sync leaves behind cannot be known,
// and a later one that succeeds says nothing of it.
func (w *writer) fail(jobs []*job, err error) {
	for _, j := range jobs {
		j.err, j.panicked = unavailable("write", err), false
	}
	if !lost(err) {
		return
	}
	w.mu.Lock()
	first := w.broken == nil
	w.broken = err
	w.mu.Unlock()
	if !first {
		return
	}
	w.log.Error("the database could not be written; nothing more is accepted", "error", err)
	if w.fatal != nil {
		w.fatal(err)
	}
}

// lost says whether the database can be trusted no more.
func lost(err error) bool {
	switch primaryCode(err) {
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return true
	}
	return false
}

// abandon answers a batch whose leader is going away in the middle of it.
func (w *writer) abandon(jobs []*job) {
	err := errors.Join(errors.New("a neighbour's closure ended its goroutine"), w.rollBack())
	for _, j := range jobs {
		j.err, j.panicked = fmt.Errorf("write: %w: %w", store.ErrUnavailable, err), false
	}
}
