package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
)

// Ledger is a small durable map in a file of its own: what the sandbox provider
// remembers of payments. A provider knows nothing of Coinslot's transactions, so it
// must not share its file. It is safe for concurrent use.
type Ledger struct {
	path string
	db   *sql.DB
	lock *os.File
}

// OpenLedger opens the ledger at path, and makes it where there is none. The
// directory must exist. One process at a time can have it open.
func OpenLedger(path string) (*Ledger, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find ledger: %w", err)
	}
	held, err := prepareFile(path)
	if err != nil {
		return nil, err
	}
	name := url.URL{Scheme: "file", Path: path,
		RawQuery: "_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)&_pragma=cache_size(-512)"}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open ledger: %w", err), held.Close())
	}
	db.SetMaxOpenConns(1)
	_, err = db.Exec(`CREATE TABLE IF NOT EXISTS ledger (key TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID`)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open ledger: %w", err), db.Close(), held.Close())
	}
	return &Ledger{path: path, db: db, lock: held}, nil
}

// Load returns what was saved last under the key; nil where nothing ever was.
func (l *Ledger) Load(ctx context.Context, key string) (value []byte, err error) {
	err = l.db.QueryRowContext(ctx, `SELECT value FROM ledger WHERE key = $1`, key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load from ledger: %w", err)
	}
	return value, nil
}

// Save keeps the value under the key, in place of what was there. It is durable when
// Save returns nil; after an error it may be there or not.
func (l *Ledger) Save(ctx context.Context, key string, value []byte) error {
	if value == nil {
		value = []byte{}
	}
	_, err := l.db.ExecContext(ctx, `INSERT INTO ledger (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = $2`, key, value)
	if err != nil {
		return fmt.Errorf("save to ledger: %w", err)
	}
	return nil
}

// Keys returns the first keys that begin with the prefix, at most so many, in order.
func (l *Ledger) Keys(ctx context.Context, prefix string, most int) (keys []string, err error) {
	rows, err := l.db.QueryContext(ctx, `SELECT key FROM ledger WHERE key >= $1 AND key < $2 ORDER BY key LIMIT $3`, prefix, prefix+"\U0010FFFF", most)
	if err != nil {
		return nil, fmt.Errorf("list ledger: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		if err := rows.Scan(&key); err != nil {
			return nil, fmt.Errorf("list ledger: %w", err)
		}
		keys = append(keys, key)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list ledger: %w", err)
	}
	return keys, nil
}

// Delete forgets a key and its value. It is durable when Delete returns nil.
func (l *Ledger) Delete(ctx context.Context, key string) error {
	if _, err := l.db.ExecContext(ctx, `DELETE FROM ledger WHERE key = $1`, key); err != nil {
		return fmt.Errorf("delete from ledger: %w", err)
	}
	return nil
}

// Close lets go of the file.
func (l *Ledger) Close() error { return errors.Join(l.db.Close(), unlock(l.lock)) }
