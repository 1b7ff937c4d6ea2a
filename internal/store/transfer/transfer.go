// Package transfer moves all that one database holds into one of another engine, and then
// compares the two row by row. It knows no engine: what it is given reads and writes.
//
// Rows go in the order of their keys, in batches of one transaction each. Whenever it is
// cut short, what was written is a beginning of each table, and the next run goes on after it.
package transfer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/coinslot/coinslot/internal/store/sqlstore"
)

// Source is a database that is read.
type Source interface {
	// Tables are all that are moved, each after those that it refers to.
	Tables(context.Context) ([]sqlstore.Table, error)
	Count(context.Context, sqlstore.Table) (int64, error)
	// Rows reads in the order of the keys, after a key or, with nil, from the first. A row is
	// the reader's until the next. The last may come with an error.
	Rows(ctx context.Context, t sqlstore.Table, after sqlstore.Values) iter.Seq2[sqlstore.Values, error]
	Counters(context.Context) ([]sqlstore.Counter, error)
}

// Target is a database that is filled.
type Target interface {
	Source
	// Last is the key of the last row of a table; nil where there is none.
	Last(context.Context, sqlstore.Table) (sqlstore.Values, error)
	// Write adds rows until there is none, and keeps all or none.
	Write(ctx context.Context, t sqlstore.Table, rows func() (sqlstore.Values, error)) error
	// Settle sets the counters, and what else follows from the rows.
	Settle(context.Context, []sqlstore.Counter) error
	// Finish gives the database free.
	Finish(context.Context) error
}

// Options are how it is done. The zero value is the one to use.
type Options struct {
	Batch int // rows at once; 0: as many as are good
	// Progress is called after each batch, and now and then while all is compared. Its error
	// breaks off.
	Progress func(Progress) error
}

// Progress is how far it is.
type Progress struct {
	Comparing bool
	Table     string
	Done, Of  int64 // rows, of all tables
}

const (
	mostRows  = 10_000
	mostBytes = 16 << 20
)

// ErrDiffers: the copy is not what the source is.
var ErrDiffers = errors.New("the copy is not what the source is")

// Run copies what is missing, and compares everything. The target is given free only where
// all is equal; what was found it returns in any case.
func Run(ctx context.Context, from Source, to Target, o Options) ([]Compared, error) {
	m, err := newMove(ctx, from, to, o)
	if err != nil {
		return nil, err
	}
	for _, t := range m.tables {
		if err := m.table(ctx, t); err != nil {
			return nil, fmt.Errorf("copy %s: %w", t.Name, err)
		}
	}
	counters, err := from.Counters(ctx)
	if err != nil {
		return nil, fmt.Errorf("read counters: %w", err)
	}
	if err := to.Settle(ctx, counters); err != nil {
		return nil, fmt.Errorf("set counters: %w", err)
	}
	found, err := m.compare(ctx)
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	if err := m.compareCounters(ctx, counters); err != nil {
		return found, err
	}
	if slices.ContainsFunc(found, func(c Compared) bool { return !c.Equal() }) {
		return found, ErrDiffers
	}
	return found, to.Finish(ctx)
}

// move is one run.
type move struct {
	Options
	from   Source
	to     Target
	tables []sqlstore.Table
	done   int64
	of     int64
}

// newMove looks at both sides.
func newMove(ctx context.Context, from Source, to Target, o Options) (*move, error) {
	m := &move{Options: o, from: from, to: to}
	if m.Batch == 0 {
		m.Batch = mostRows
	}
	if m.Progress == nil {
		m.Progress = func(Progress) error { return nil }
	}
	var err error
	if m.tables, err = from.Tables(ctx); err != nil {
		return nil, err
	}
	there, err := to.Tables(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range m.tables {
		if !slices.ContainsFunc(there, t.Same) {
			return nil, fmt.Errorf("the table %s has other columns at the source than at the target", t.Name)
		}
		n, err := from.Count(ctx, t)
		if err != nil {
			return nil, err
		}
		m.of += n
		if n, err = to.Count(ctx, t); err != nil {
			return nil, err
		}
		m.done += n
	}
	return m, nil
}

// table copies what is missing of a table.
func (m *move) table(ctx context.Context, t sqlstore.Table) error {
	if err := m.Progress(Progress{Table: t.Name, Done: m.done, Of: m.of}); err != nil {
		return err
	}
	last, err := m.to.Last(ctx, t)
	if err != nil {
		return err
	}
	next, stop := iter.Pull2(m.from.Rows(ctx, t, last))
	defer stop()
	first, err, more := next()
	for more {
		if err != nil {
			return err
		}
		b := &batch{next: next, row: first, most: m.Batch}
		if err := m.to.Write(ctx, t, b.take); err != nil {
			return errors.Join(err, b.err)
		}
		m.done += b.taken
		if err := m.Progress(Progress{Table: t.Name, Done: m.done, Of: m.of}); err != nil {
			return err
		}
		first, err, more = b.row, b.err, b.row != nil || b.err != nil
	}
	return nil
}

// batch is as many rows as are written at once. It is a row ahead, so that none is written
// that has no rows.
type batch struct {
	next  func() (sqlstore.Values, error, bool)
	row   sqlstore.Values // that comes next; nil: none
	given bool            // the row has been handed out
	most  int
	taken int64
	bytes int
	err   error
}

// take is the next row; nil at the batch's end.
func (b *batch) take() (sqlstore.Values, error) {
	if b.given {
		b.row, b.err, _ = b.next()
		b.given = false
	}
	if b.err != nil || b.row == nil || int(b.taken) >= b.most || b.bytes >= mostBytes {
		return nil, b.err
	}
	b.given = true
	b.taken++
	b.bytes += size(b.row)
	return b.row, nil
}

// size is about how long a row is.
func size(row sqlstore.Values) (n int) {
	for _, v := range row {
		switch v := v.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		default:
			n += 8
		}
	}
	return n
}
