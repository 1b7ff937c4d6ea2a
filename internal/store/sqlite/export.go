package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/sqlstore"
)

// Export is a database that no server has open, and the ledger beside it, to be read row by
// row. Both stay locked until it is closed, and nothing of what they hold is changed.
type Export struct {
	db, books *conn // books is nil where there are none
	locks     []*os.File
	mark      int64
}

// OpenExport opens a database and the ledger that belongs to it. It refuses with ErrInUse
// what a server has open, with SchemaError another schema than this program's, and one that
// was changed by hand.
func OpenExport(ctx context.Context, path, books string) (_ *Export, err error) {
	e := &Export{}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	sum := sha256.New()
	if e.db, err = e.open(ctx, path, sum, (*conn).refuseOther); err != nil {
		return nil, err
	}
	switch e.books, err = e.open(ctx, books, sum, nil); {
	case errors.Is(err, fs.ErrNotExist):
		err = nil
	case err != nil:
		return nil, fmt.Errorf("the sandbox's books: %w", err)
	}
	e.mark = int64(binary.BigEndian.Uint64(sum.Sum(nil)))
	return e, e.refuseChanged(ctx)
}

// open locks a file, has what its log holds copied back, adds its bytes to a sum, and only
// then opens it to be read: to close a file that SQLite has open would drop SQLite's locks.
func (e *Export) open(ctx context.Context, path string, sum hash.Hash, check func(*conn, context.Context) error) (*conn, error) {
	path, held, err := lockStopped(path)
	if err != nil {
		return nil, err
	}
	e.locks = append(e.locks, held)
	c, err := connect(path, "busy_timeout = 5000", "synchronous = FULL")
	if err != nil {
		return nil, err
	}
	if check != nil {
		err = check(c, ctx)
	}
	if err == nil {
		err = c.rows(ctx, "PRAGMA wal_checkpoint(TRUNCATE)", func(row []driver.Value) error {
			if row[0] != int64(0) {
				return fmt.Errorf("%s is being read by another program", path)
			}
			return nil
		})
	}
	if err = errors.Join(err, c.close()); err != nil {
		return nil, err
	}
	if err := addFile(sum, path); err != nil {
		return nil, err
	}
	if c, err = connect(path, readerPragmas...); err != nil {
		return nil, err
	}
	if err := c.run("BEGIN"); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

func addFile(sum hash.Hash, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(sum, f)
	return errors.Join(err, f.Close())
}

// refuseChanged refuses a schema that is not as this program makes it.
func (e *Export) refuseChanged(ctx context.Context) error {
	want, _, err := wantedSchema(ctx)
	if err != nil {
		return err
	}
	has := schema{}
	if err := e.db.rows(ctx, selectSchema, func(row []driver.Value) error { return has.add(row[0], row[1], row[2]) }); err != nil {
		return fmt.Errorf("read schema: %w", err)
	}
	if wrong, _ := has.compare(want); len(wrong) > 0 {
		return fmt.Errorf("the schema was changed by hand: %s", strings.Join(wrong, "; "))
	}
	return nil
}

// Check reads every page, and refuses what is damaged.
func (e *Export) Check(ctx context.Context) error {
	for _, c := range []*conn{e.db, e.books} {
		if c == nil {
			continue
		}
		damage, err := c.integrity(ctx, "quick_check")
		if err != nil {
			return fmt.Errorf("check the database: %w", err)
		}
		if len(damage) > 0 {
			return fmt.Errorf("the database is damaged: %s", strings.Join(damage, "; "))
		}
	}
	return nil
}

// Mark is what the source is told from others by, and from itself after any change.
func (e *Export) Mark() int64 { return e.mark }

// HasBooks says whether there is a ledger.
func (e *Export) HasBooks() bool { return e.books != nil }

// View reads as a store does.
func (e *Export) View(fn func(store.Reader) error) error { return fn(sqlstore.NewReader(e.db)) }

// Tables are all that are moved, as the schema says.
func (e *Export) Tables(ctx context.Context) (tables []sqlstore.Table, err error) {
	for _, name := range sqlstore.MovedTables() {
		c := e.of(name)
		if c == nil {
			continue
		}
		t := sqlstore.Table{Name: name}
		key := map[int64]string{}
		err := c.rows(ctx, `SELECT name, type, pk FROM pragma_table_info($1) ORDER BY cid`, func(row []driver.Value) error {
			column, _ := row[0].(string)
			kind, ok := kinds[fmt.Sprint(row[1])]
			if !ok {
				return fmt.Errorf("column %s of %s has the type %v", column, name, row[1])
			}
			t.Columns = append(t.Columns, sqlstore.Column{Name: column, Kind: kind})
			if at, _ := row[2].(int64); at > 0 {
				key[at] = column
			}
			return nil
		}, ordinal(sqlstore.Values{name})...)
		if err != nil {
			return nil, fmt.Errorf("read schema of %s: %w", name, err)
		}
		for at := range int64(len(key)) {
			t.Key = append(t.Key, key[at+1])
		}
		if len(t.Key) == 0 {
			return nil, fmt.Errorf("there is no table %s", name)
		}
		tables = append(tables, t)
	}
	return tables, nil
}

var kinds = map[string]sqlstore.Kind{"INTEGER": sqlstore.Integer, "TEXT": sqlstore.Text, "BLOB": sqlstore.Bytes}

// of is where a table is.
func (e *Export) of(table string) *conn {
	if table == "ledger" {
		return e.books
	}
	return e.db
}

// Count counts a table's rows.
func (e *Export) Count(ctx context.Context, t sqlstore.Table) (int64, error) {
	return e.of(t.Name).number(ctx, t.CountRows())
}

// Rows reads a table in the order of its keys, after a key or, with none, from the first. A
// row is the reader's until the next.
func (e *Export) Rows(ctx context.Context, t sqlstore.Table, after sqlstore.Values) iter.Seq2[sqlstore.Values, error] {
	return func(yield func(sqlstore.Values, error) bool) {
		var row sqlstore.Values
		err := e.of(t.Name).rows(ctx, t.SelectRows(after != nil), func(values []driver.Value) error {
			row = row[:0]
			for _, v := range values {
				if b, ok := v.([]byte); ok && b == nil {
					v = []byte{} // nothing is NULL
				}
				row = append(row, v)
			}
			if !yield(row, nil) {
				return errEnough
			}
			return nil
		}, ordinal(after)...)
		if err != nil && !errors.Is(err, errEnough) {
			yield(nil, fmt.Errorf("read %s: %w", t.Name, err))
		}
	}
}

// errEnough ends reading early.
var errEnough = errors.New("no more is wanted")

func ordinal(values sqlstore.Values) (args []driver.NamedValue) {
	for i, v := range values {
		args = append(args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return args
}

// Counters are the numbers that were given last. That of an endpoint is remembered after it
// was deleted.
func (e *Export) Counters(ctx context.Context) ([]sqlstore.Counter, error) {
	counters := sqlstore.Counters()
	for i, c := range counters {
		given, err := e.db.number(ctx, `SELECT COALESCE(MAX(`+c.Column+`), 0) FROM `+c.Table)
		if err != nil {
			return nil, err
		}
		err = e.db.rows(ctx, `SELECT seq FROM sqlite_sequence WHERE name = $1`, func(row []driver.Value) error {
			seq, _ := row[0].(int64)
			given = max(given, seq)
			return nil
		}, ordinal(sqlstore.Values{c.Table})...)
		if err != nil {
			return nil, err
		}
		counters[i].Last = given
	}
	return counters, nil
}

// Close lets go of the files.
func (e *Export) Close() (err error) {
	for _, c := range []*conn{e.db, e.books} {
		if c != nil {
			err = errors.Join(err, c.run("COMMIT"), c.close())
		}
	}
	for _, held := range slices.Backward(e.locks) {
		err = errors.Join(err, unlock(held))
	}
	e.db, e.books, e.locks = nil, nil, nil
	return err
}
