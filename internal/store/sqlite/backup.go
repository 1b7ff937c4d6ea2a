package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"

	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/sqlstore"
)

// Backup is a copy of a database that is only read: nothing is written to it or beside it.
type Backup struct {
	conn *conn
	path string
}

// OpenBackup opens a copy. It refuses one that has a log beside it: what the log holds
// would be left out.
func OpenBackup(path string) (*Backup, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a file", path)
	}
	for _, ending := range besides[:2] {
		if log, err := os.Stat(path + ending); err == nil && log.Size() > 0 {
			return nil, fmt.Errorf("%s has a log beside it, %s: it is no backup but a database that a server had open, and not whole without the log", path, path+ending)
		}
	}
	raw, err := new(sqlite.Driver).Open(fileURL(path, "mode=ro&immutable=1"))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return &Backup{&conn{raw: raw, control: map[string]driver.Stmt{}}, path}, nil
}

// Facts are what a database says of itself.
type Facts struct {
	Bytes                               int64
	Schema, Known                       int64 // the versions: its own, and the newest that this program knows
	Sessions, Payments, Refunds, Events int64
}

// Verify reads the whole database, and says what is in it or why it cannot be relied on.
func (b *Backup) Verify(ctx context.Context) (f Facts, err error) {
	if err := b.sound(ctx); err != nil {
		return f, err
	}
	if f.Schema, f.Known, err = b.conn.versions(ctx); err != nil {
		return f, fmt.Errorf("%s is no database of Coinslot's: %w", b.path, err)
	}
	if f.Schema > f.Known {
		return f, fmt.Errorf("%s is at schema version %d, and this program knows versions up to %d: it was written by a newer one", b.path, f.Schema, f.Known)
	}
	for table, to := range map[string]*int64{"sessions": &f.Sessions, "payments": &f.Payments, "refunds": &f.Refunds, "events": &f.Events} {
		if f.Schema < refundsSince && table == "refunds" {
			continue
		}
		if *to, err = b.conn.number(ctx, "SELECT COUNT(*) FROM "+table); err != nil {
			return f, fmt.Errorf("count %s of %s: %w", table, b.path, err)
		}
	}
	info, err := os.Stat(b.path)
	if err == nil {
		f.Bytes = info.Size()
	}
	return f, err
}

// refundsSince is the schema version that brought refunds.
const refundsSince = 2

// VerifyLedger does so with a copy of a Ledger.
func (b *Backup) VerifyLedger(ctx context.Context) (entries int64, err error) {
	if err := b.sound(ctx); err != nil {
		return 0, err
	}
	if entries, err = b.conn.number(ctx, `SELECT COUNT(*) FROM ledger`); err != nil {
		return 0, fmt.Errorf("%s is no ledger of the sandbox's: %w", b.path, err)
	}
	return entries, nil
}

// sound looks at every page, index and reference.
func (b *Backup) sound(ctx context.Context) error {
	wrong, err := b.conn.integrity(ctx, "integrity_check")
	switch {
	case err != nil:
		return fmt.Errorf("%s cannot be read: %w", b.path, err)
	case len(wrong) > 0:
		return fmt.Errorf("%s is damaged: %s", b.path, strings.Join(wrong, "; "))
	}
	return nil
}

// mostWrong is how much of what is wrong is told.
const mostWrong = 5

// integrity has SQLite check itself, by integrity_check or quick_check, and says what is wrong.
func (c *conn) integrity(ctx context.Context, check string) (wrong []string, err error) {
	tell := func(row []driver.Value) error {
		if said := fmt.Sprint(row[0]); said != "ok" {
			wrong = append(wrong, said)
		}
		return nil
	}
	if err := c.rows(ctx, fmt.Sprintf("PRAGMA %s(%d)", check, mostWrong), tell); err != nil {
		return nil, err
	}
	err = c.rows(ctx, `SELECT "table" || ' refers to a row of ' || parent || ' that is not there' FROM pragma_foreign_key_check() LIMIT 5`, tell)
	return wrong, err
}

// versions are that of the schema, and the newest that this program knows.
func (c *conn) versions(ctx context.Context) (has, knows int64, err error) {
	if has, err = c.number(ctx, `SELECT MAX(version_id) FROM goose_db_version WHERE is_applied = 1`); err != nil {
		return 0, 0, err
	}
	if has < 1 {
		return 0, 0, errors.New("it has no schema")
	}
	knows, err = newestVersion()
	return has, knows, err
}

// number is the one number that a statement asks for.
func (c *conn) number(ctx context.Context, sql string) (n int64, err error) {
	err = c.rows(ctx, sql, func(row []driver.Value) error { n, _ = row[0].(int64); return nil })
	return n, err
}

// View reads from the copy. Its schema must be the newest.
func (b *Backup) View(fn func(store.Reader) error) error { return fn(sqlstore.NewReader(b.conn)) }

// Close lets go of the file.
func (b *Backup) Close() error { return b.conn.close() }
