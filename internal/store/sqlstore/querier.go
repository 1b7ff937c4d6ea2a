// Package sqlstore holds every SQL statement of Coinslot, once. A store opens its
// database, hands this package a Querier on one transaction, and gets back what
// package store promises.
//
// Placeholders are $1, $2 …, which SQLite and PostgreSQL bind alike. What differs
// between the two is told in dialect.go and in the migrations.
package sqlstore

import (
	"fmt"

	"github.com/coinslot/coinslot/internal/store"
)

// Statement is one SQL text. Its number is dense from 0, so that a connection can
// keep what it prepared in a slice.
type Statement struct {
	SQL    string
	Number int
}

var statements, concurrentStatements []*Statement

// statement registers a SQL text. It is for package-level variables only.
func statement(sql string) *Statement {
	s := &Statement{SQL: sql, Number: len(statements)}
	statements = append(statements, s)
	return s
}

// concurrent registers a SQL text that only engines run whose writers run side by side.
func concurrent(sql string) *Statement {
	s := &Statement{SQL: sql, Number: -1}
	concurrentStatements = append(concurrentStatements, s)
	return s
}

// ConcurrentStatements lists those that only engines run whose writers run side by side.
func ConcurrentStatements() []*Statement { return concurrentStatements }

// Statements lists all that every engine runs, in the order of their numbers.
func Statements() []*Statement { return statements }

// Querier runs statements on one connection within one transaction. Arguments are
// string, int64 or []byte. Its errors are faults of the database, never outcomes.
type Querier interface {
	// Exec returns how many rows the statement changed.
	Exec(s *Statement, args ...any) (rows int64, err error)
	// Change runs a statement that changes one row or none, and says whether it did. An
	// engine far away may say that it did before it has asked; where that turns out to be
	// wrong, nothing of the transaction is kept and the closure runs again.
	Change(s *Statement, args ...any) (done bool, err error)
	// Query calls each for every row in turn, until it returns an error. Neither the
	// row nor the connection may be used otherwise meanwhile.
	Query(s *Statement, each func(Row) error, args ...any) error
}

// Row is one row of an answer. Columns count from 0.
type Row interface {
	Text(column int) string
	Int(column int) int64
	Bytes(column int) []byte
}

// all collects every row.
func all[T any](q Querier, read func(*columns) (T, error), s *Statement, args ...any) ([]T, error) {
	var found []T
	err := q.Query(s, func(row Row) error {
		v, err := read(&columns{row: row})
		found = append(found, v)
		return err
	}, args...)
	return found, err
}

// one reads a single row; ErrNotFound where there is none.
func one[T any](q Querier, read func(*columns) (T, error), s *Statement, args ...any) (T, error) {
	var v T
	found := false
	err := q.Query(s, func(row Row) (err error) {
		found = true
		v, err = read(&columns{row: row})
		return err
	}, args...)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return v, err
}

// changed wants exactly one row to have been changed: none means that it is not
// there at that version, or that another one holds its place.
func changed(q Querier, what string, s *Statement, args ...any) error {
	done, err := q.Change(s, args...)
	if err == nil && !done {
		err = store.ErrConflict
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
