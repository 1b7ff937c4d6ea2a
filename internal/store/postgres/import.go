package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/coinslot/coinslot/internal/store/sqlstore"
)

// Import is a database that is being filled with what another one holds, row by row. No
// server can use it until Finish.
//
// How far it has come is nowhere written down: rows come in the order of their keys, so it
// is the last key of each table, which cannot be wrong.
type Import struct {
	conn *pgx.Conn
	mark int64
}

var (
	// ErrOccupied: there is something in the database already.
	ErrOccupied = errors.New("the database is not empty")
	// ErrOtherSource: the database was half filled from another source, or the source has
	// changed since.
	ErrOtherSource = errors.New("the database is half copied from another source, or from this one as it was before something changed it")
)

// importing keeps two copies into one database apart. It waits a while, since the server may
// not have noticed yet that an earlier one was killed.
const importing = `SELECT pg_advisory_lock(hashtext('coinslot copy'), hashtext(current_database()))`

// OpenImport connects to a database that holds nothing, or what an earlier Import has left,
// and brings its schema up to date.
func OpenImport(ctx context.Context, url string) (_ *Import, err error) {
	config, err := parse(url)
	if err != nil {
		return nil, err
	}
	c := config.ConnConfig.Copy()
	for _, patience := range []string{"statement_timeout", "idle_in_transaction_session_timeout"} {
		c.RuntimeParams[patience] = "0"
	}
	c.RuntimeParams["application_name"] = "coinslot copy"
	i := &Import{}
	if i.conn, err = pgx.ConnectConfig(ctx, c); err != nil {
		return nil, failure("connect to the database", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, i.Close())
		}
	}()
	if err := i.refuseForeign(ctx); err != nil {
		return nil, err
	}
	if _, err := migrate(ctx, config.ConnConfig); err != nil {
		return nil, err
	}
	switch _, err := i.conn.Exec(ctx, importing); {
	case codeOf(err) == lockNotAvailable:
		return nil, errors.New("another copy into the database is under way")
	case err != nil:
		return nil, failure("lock the database", err)
	}
	return i, nil
}

// refuseForeign refuses a database in which somebody else keeps something.
func (i *Import) refuseForeign(ctx context.Context) error {
	found, err := i.texts(ctx, `SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
		AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e') ORDER BY 1`)
	if err != nil {
		return failure("look into the database", err)
	}
	ours := slices.Concat(sqlstore.MovedTables(), sqlstore.OwnTables())
	foreign := slices.DeleteFunc(found, func(name string) bool { return slices.Contains(ours, name) })
	if len(foreign) > 0 {
		return fmt.Errorf("%w: somebody else keeps %s in it; give Coinslot a database of its own", ErrOccupied, strings.Join(foreign, ", "))
	}
	return nil
}

func (i *Import) texts(ctx context.Context, sql string) ([]string, error) {
	rows, err := i.conn.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// Claim begins to fill the database from a source, or goes on with it: resumed. done says
// that it was filled from it before, to the end. key is by what the master key is told
// from others. With anew, what an earlier Import left half filled is emptied first.
func (i *Import) Claim(ctx context.Context, mark, key int64, anew bool) (resumed, done bool, err error) {
	notes, err := i.notes(ctx)
	if err != nil {
		return false, false, err
	}
	of, half := notes[sqlstore.NoteBeingCopied]
	whole, was := notes[sqlstore.NoteCopied]
	i.mark = mark
	switch {
	case half && anew:
		return false, false, i.in(ctx, func(tx pgx.Tx) error { return i.empty(ctx, tx, key) })
	case half && of != mark:
		return false, false, ErrOtherSource
	case half:
		return true, false, nil
	case was && whole == mark:
		return false, true, nil
	}
	if err := i.refuseOccupied(ctx, notes); err != nil {
		return false, false, err
	}
	return false, false, i.in(ctx, func(tx pgx.Tx) error { return i.note(ctx, tx, key) })
}

// Begun says whether an earlier Import of this source was cut short.
func (i *Import) Begun(ctx context.Context, mark int64) (bool, error) {
	notes, err := i.notes(ctx)
	of, half := notes[sqlstore.NoteBeingCopied]
	return half && of == mark, err
}

// notes are what the table engine says.
func (i *Import) notes(ctx context.Context) (map[string]int64, error) {
	rows, err := i.conn.Query(ctx, `SELECT name, value FROM engine`)
	if err != nil {
		return nil, failure("look into the database", err)
	}
	notes := map[string]int64{}
	var name string
	var value int64
	_, err = pgx.ForEachRow(rows, []any{&name, &value}, func() error { notes[name] = value; return nil })
	return notes, failure("look into the database", err)
}

// filled are the tables that hold something once a server has used the database: what is
// moved, and the tallies that nobody has folded yet.
func filled() []string { return append(sqlstore.MovedTables(), "tallies") }

// refuseOccupied refuses a database that a server has used.
func (i *Import) refuseOccupied(ctx context.Context, notes map[string]int64) error {
	var found []string
	for _, table := range filled() {
		var has bool
		if err := i.conn.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM `+table+`)`).Scan(&has); err != nil {
			return failure("look into the database", err)
		}
		if has {
			found = append(found, table)
		}
	}
	if _, used := notes[sqlstore.NoteMasterKey]; used && len(found) == 0 {
		found = append(found, "a server's notes")
	}
	if len(found) > 0 {
		return fmt.Errorf("%w: it has %s; name one that no server has used, since what two installations hold cannot be put together", ErrOccupied, strings.Join(found, ", "))
	}
	return nil
}

func (i *Import) in(ctx context.Context, do func(pgx.Tx) error) error {
	err := pgx.BeginFunc(ctx, i.conn, do)
	if ended := ctx.Err(); err != nil && ended != nil {
		return ended
	}
	return failure("write", err)
}

// note writes down of what the database will be a copy.
func (i *Import) note(ctx context.Context, tx pgx.Tx, key int64) error {
	_, err := tx.Exec(ctx, `INSERT INTO engine (name, value) VALUES ($1, $2), ($3, $4)`, sqlstore.NoteBeingCopied, i.mark, sqlstore.NoteMasterKey, key)
	return err
}

func (i *Import) empty(ctx context.Context, tx pgx.Tx, key int64) error {
	if _, err := tx.Exec(ctx, `TRUNCATE `+strings.Join(filled(), ", ")+` RESTART IDENTITY`); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM engine WHERE name IN ($1, $2)`, sqlstore.NoteBeingCopied, sqlstore.NoteMasterKey); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE engine SET value = 0 WHERE name = 'settled'`); err != nil {
		return err
	}
	return i.note(ctx, tx, key)
}

const (
	selectColumns = `SELECT column_name, data_type FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position`
	selectKey = `SELECT attname FROM pg_index, unnest(indkey) WITH ORDINALITY AS k (number, at), pg_attribute
		WHERE indrelid = $1::regclass AND indisprimary AND attrelid = indrelid AND attnum = k.number ORDER BY k.at`
)

var kinds = map[string]sqlstore.Kind{"bigint": sqlstore.Integer, "text": sqlstore.Text, "bytea": sqlstore.Bytes}

// Tables are all that are moved, as the schema says.
func (i *Import) Tables(ctx context.Context) (tables []sqlstore.Table, err error) {
	for _, name := range sqlstore.MovedTables() {
		t := sqlstore.Table{Name: name}
		rows, err := i.conn.Query(ctx, selectColumns, name)
		if err != nil {
			return nil, failure("read the schema", err)
		}
		var column, kind string
		_, err = pgx.ForEachRow(rows, []any{&column, &kind}, func() error {
			t.Columns = append(t.Columns, sqlstore.Column{Name: column, Kind: kinds[kind]})
			return nil
		})
		if err == nil {
			rows, err = i.conn.Query(ctx, selectKey, name)
		}
		if err == nil {
			t.Key, err = pgx.CollectRows(rows, pgx.RowTo[string])
		}
		if err != nil {
			return nil, failure("read the schema", err)
		}
		tables = append(tables, t)
	}
	return tables, nil
}

// Count counts a table's rows.
func (i *Import) Count(ctx context.Context, t sqlstore.Table) (n int64, err error) {
	return n, failure("count "+t.Name, i.conn.QueryRow(ctx, t.CountRows()).Scan(&n))
}

// Rows reads a table in the order of its keys, after a key or, with none, from the first. A
// row is the reader's until the next.
func (i *Import) Rows(ctx context.Context, t sqlstore.Table, after sqlstore.Values) iter.Seq2[sqlstore.Values, error] {
	return i.read(ctx, t.Name, t.Columns, t.SelectRows(after != nil), after...)
}

// read reads texts as the bytes that came.
func (i *Import) read(ctx context.Context, what string, columns []sqlstore.Column, sql string, args ...any) iter.Seq2[sqlstore.Values, error] {
	return func(yield func(sqlstore.Values, error) bool) {
		rows, err := i.conn.Query(ctx, sql, args...)
		if err != nil {
			yield(nil, failure("read "+what, err))
			return
		}
		defer rows.Close()
		row := make(sqlstore.Values, len(columns))
		for rows.Next() {
			for at, raw := range rows.RawValues() {
				if row[at] = raw; columns[at].Kind == sqlstore.Integer {
					row[at] = int64(binary.BigEndian.Uint64(raw))
				}
			}
			if !yield(row, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, failure("read "+what, err))
		}
	}
}

// Last is the key of a table's last row; nil where it is empty.
func (i *Import) Last(ctx context.Context, t sqlstore.Table) (key sqlstore.Values, err error) {
	var columns []sqlstore.Column
	for _, name := range t.Key {
		at := slices.IndexFunc(t.Columns, func(c sqlstore.Column) bool { return c.Name == name })
		columns = append(columns, t.Columns[at])
	}
	for row, err := range i.read(ctx, t.Name, columns, t.SelectLastKey()) {
		if err != nil {
			return nil, err
		}
		for at, c := range columns {
			if c.Kind == sqlstore.Text {
				row[at] = string(row[at].([]byte))
			}
		}
		key = row
	}
	return key, nil
}

// Write adds rows to a table, all of them or none. What its triggers do was done where the
// rows come from.
func (i *Import) Write(ctx context.Context, t sqlstore.Table, rows func() (sqlstore.Values, error)) error {
	return i.in(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `ALTER TABLE `+t.Name+` DISABLE TRIGGER USER`); err != nil {
			return err
		}
		from := pgx.CopyFromFunc(func() ([]any, error) { return rows() })
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{t.Name}, strings.Split(t.Names(), ", "), from); err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
		_, err := tx.Exec(ctx, `ALTER TABLE `+t.Name+` ENABLE TRIGGER USER`)
		return err
	})
}

// Settle has counting go on where the source would, and readers of the feed begin where no
// position is missing before.
func (i *Import) Settle(ctx context.Context, counters []sqlstore.Counter) error {
	return i.in(ctx, func(tx pgx.Tx) error {
		for _, c := range counters {
			_, err := tx.Exec(ctx, `SELECT setval(pg_get_serial_sequence($1, $2)::regclass, GREATEST($3::bigint, 1), $3::bigint > 0)`, c.Table, c.Column, c.Last)
			if err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `UPDATE engine SET value = (SELECT CASE COUNT(*) WHEN COALESCE(MAX(position), 0) THEN COUNT(*) ELSE 0 END FROM events)
			WHERE name = 'settled'`)
		return err
	})
}

// Counters are the numbers that were given last.
func (i *Import) Counters(ctx context.Context) ([]sqlstore.Counter, error) {
	counters := sqlstore.Counters()
	for at, c := range counters {
		err := i.conn.QueryRow(ctx, `SELECT COALESCE(pg_sequence_last_value(pg_get_serial_sequence($1, $2)::regclass), 0)`, c.Table, c.Column).Scan(&counters[at].Last)
		if err != nil {
			return nil, failure("read counters", err)
		}
	}
	return counters, nil
}

// Finish lets servers use the database, once it is durable that it is whole.
func (i *Import) Finish(ctx context.Context) error {
	if _, err := i.conn.Exec(ctx, `ANALYZE`); err != nil {
		return failure("gather statistics", err)
	}
	return i.in(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE engine SET name = $1 WHERE name = $2`, sqlstore.NoteCopied, sqlstore.NoteBeingCopied)
		return err
	})
}

// Close lets go of the database.
func (i *Import) Close() error { return i.conn.Close(context.Background()) }
