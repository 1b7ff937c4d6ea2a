package sqlstore

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/coinslot/coinslot/internal/store"
)

// What is moved from one database to another, table by table. Both engines have the same
// tables and columns, so what is known of one is read from its schema, and the statements
// are made of that.

// MovedTables are all tables that hold what must not be forgotten, each after those that
// it refers to. The ledger is a file of its own beside SQLite.
func MovedTables() []string {
	return []string{"games", "keys", "images", "endpoints", "sessions", "payments", "refunds", "events",
		"deliveries", "attempts", "answers", "consumers", "totals", "marks", "ledger"}
}

// OwnTables are those that each database has for itself: its schema's version, the row that
// Check rewrites, and what an engine needs whose writers run side by side.
func OwnTables() []string { return []string{"goose_db_version", "pulse", "engine", "tallies"} }

// Kind is what a column holds.
type Kind string

// The kinds. No column is NULL.
const (
	Integer Kind = "integer" // an int64
	Text    Kind = "text"    // a string, or the bytes of one
	Bytes   Kind = "bytes"   // a []byte
)

// Column is one of a table's.
type Column struct {
	Name string
	Kind Kind
}

// Table is how rows are read and written of which nothing else is known.
type Table struct {
	Name    string
	Columns []Column
	Key     []string // the columns of the primary key, in its order
}

// Values are one row, in the order of a table's columns.
type Values []any

// Counter is a column of numbers that are never given twice, and the last that was given.
type Counter struct {
	Table, Column string
	Last          int64
}

// Counters are all of them, none of which has given a number.
func Counters() []Counter { return []Counter{{"endpoints", "number", 0}, {"events", "position", 0}} }

// Names are the columns' names, with commas between them.
func (t Table) Names() string {
	var names []string
	for _, c := range t.Columns {
		names = append(names, c.Name)
	}
	return strings.Join(names, ", ")
}

// SelectRows reads all rows in the order of their keys; with after, those after a key whose
// values are the arguments.
func (t Table) SelectRows(after bool) string {
	key := strings.Join(t.Key, ", ")
	where := ""
	if after {
		where = " WHERE (" + key + ") > (" + placeholders(len(t.Key)) + ")"
	}
	return "SELECT " + t.Names() + " FROM " + t.Name + where + " ORDER BY " + key
}

// SelectLastKey reads the last row's key.
func (t Table) SelectLastKey() string {
	return "SELECT " + strings.Join(t.Key, ", ") + " FROM " + t.Name + " ORDER BY " + strings.Join(t.Key, " DESC, ") + " DESC LIMIT 1"
}

// CountRows counts them.
func (t Table) CountRows() string { return "SELECT COUNT(*) FROM " + t.Name }

func placeholders(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("$%d", i+1))
	}
	return strings.Join(all, ", ")
}

// KeyOf is the key of a row.
func (t Table) KeyOf(row Values) Values {
	var key Values
	for _, name := range t.Key {
		at := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
		key = append(key, row[at])
	}
	return key
}

// Same says whether another table has the same columns, in whatever order, and the same key.
func (t Table) Same(other Table) bool {
	sorted := func(t Table) []Column {
		return slices.SortedFunc(slices.Values(t.Columns), func(a, b Column) int { return strings.Compare(a.Name, b.Name) })
	}
	return t.Name == other.Name && slices.Equal(t.Key, other.Key) && slices.Equal(sorted(t), sorted(other))
}

// Notes in the table engine: that the database is being copied into and not whole yet, with
// what the source is told from others by; that it was copied, with the same; and by what
// the master key is told from others.
const (
	NoteBeingCopied = "being copied"
	NoteCopied      = "copied"
	NoteMasterKey   = "master key"
)

var selectNote = concurrent(`SELECT value FROM engine WHERE name = $1`)

// ErrHalfCopied: a database is not whole.
var ErrHalfCopied = errors.New("the database is half copied: `coinslot copy` was begun into it and has not finished. " +
	"Run the same command again, and it goes on where it stopped; no server may use the database before")

// RefuseHalfCopied refuses a database that a copy into has not finished.
func RefuseHalfCopied(q Querier) error {
	_, err := one(q, readInteger, selectNote, NoteBeingCopied)
	switch {
	case err == nil:
		return ErrHalfCopied
	case errors.Is(err, store.ErrNotFound):
		return nil
	}
	return err
}
