package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/coinslot/coinslot/internal/store/sqlstore"
)

// conn is one connection to the database, with every statement prepared once. It
// goes past database/sql, whose pool and conversions cost as much as a point read
// does, and is for one goroutine at a time.
type conn struct {
	raw      driver.Conn
	prepared []driver.Stmt // by sqlstore.Statement.Number
	control  map[string]driver.Stmt
	args     []driver.NamedValue
	values   []driver.Value

	wrote bool  // a statement has changed rows since it was last set to false
	fault error // the first error that a closure cannot have caused itself
}

var _ sqlstore.Querier = (*conn)(nil)

// connect opens a connection and runs the pragmas on it.
func connect(path string, pragmas ...string) (*conn, error) {
	name := url.URL{Scheme: "file", Path: path}
	raw, err := new(sqlite.Driver).Open(name.String())
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	c := &conn{raw: raw, control: map[string]driver.Stmt{}}
	for _, p := range pragmas {
		if err := c.run("PRAGMA " + p); err != nil {
			return nil, errors.Join(fmt.Errorf("set %s: %w", p, err), c.close())
		}
	}
	return c, nil
}

// run executes a statement of transaction control or a pragma.
func (c *conn) run(sql string) error {
	s, ok := c.control[sql]
	if !ok {
		var err error
		if s, err = c.raw.Prepare(sql); err != nil {
			return err
		}
		c.control[sql] = s
	}
	_, err := s.(driver.StmtExecContext).ExecContext(context.Background(), nil)
	return err
}

func (c *conn) prepare(s *sqlstore.Statement) (driver.Stmt, error) {
	if c.prepared == nil {
		c.prepared = make([]driver.Stmt, len(sqlstore.Statements()))
	}
	if p := c.prepared[s.Number]; p != nil {
		return p, nil
	}
	p, err := c.raw.Prepare(s.SQL)
	if err != nil {
		return nil, fmt.Errorf("prepare %.60q: %w", s.SQL, err)
	}
	c.prepared[s.Number] = p
	return p, nil
}

func (c *conn) bind(args []any) []driver.NamedValue {
	c.args = c.args[:0]
	for i, a := range args {
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return c.args
}

// Exec is sqlstore.Querier's.
func (c *conn) Exec(s *sqlstore.Statement, args ...any) (int64, error) {
	p, err := c.prepare(s)
	if err != nil {
		return 0, c.failed(err)
	}
	result, err := p.(driver.StmtExecContext).ExecContext(context.Background(), c.bind(args))
	if err != nil {
		return 0, c.failed(err)
	}
	rows, err := result.RowsAffected()
	c.wrote = c.wrote || rows > 0
	return rows, err
}

// Change is sqlstore.Querier's.
func (c *conn) Change(s *sqlstore.Statement, args ...any) (bool, error) {
	rows, err := c.Exec(s, args...)
	return rows == 1, err
}

// Query is sqlstore.Querier's.
func (c *conn) Query(s *sqlstore.Statement, each func(sqlstore.Row) error, args ...any) error {
	p, err := c.prepare(s)
	if err != nil {
		return c.failed(err)
	}
	rows, err := p.(driver.StmtQueryContext).QueryContext(context.Background(), c.bind(args))
	if err != nil {
		return c.failed(err)
	}
	defer rows.Close()
	n := len(rows.Columns())
	if cap(c.values) < n {
		c.values = make([]driver.Value, n)
	}
	c.values = c.values[:n]
	for {
		switch err := rows.Next(c.values); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return c.failed(err)
		}
		if err := each(values(c.values)); err != nil {
			return err
		}
	}
}

// values is one row. The schema has no NULLs and is STRICT, so what a column holds is what it was declared as.
type values []driver.Value

func (v values) Text(column int) string { s, _ := v[column].(string); return s }

func (v values) Int(column int) int64 { n, _ := v[column].(int64); return n }

func (v values) Bytes(column int) []byte { b, _ := v[column].([]byte); return b }

// failed keeps an error that says that the database is in trouble, for the writer.
// A broken constraint is the closure's own doing.
func (c *conn) failed(err error) error {
	if c.fault == nil && primaryCode(err) != sqlite3.SQLITE_CONSTRAINT {
		c.fault = err
	}
	return err
}

// primaryCode is SQLite's result code without its extension; 0 where err is none of SQLite's.
func primaryCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

func (c *conn) close() error {
	for _, s := range c.prepared {
		if s != nil {
			_ = s.Close() // only repeats the error of the statement's last run
		}
	}
	for _, s := range c.control {
		_ = s.Close()
	}
	return c.raw.Close()
}
