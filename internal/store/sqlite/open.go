// Package sqlite keeps Coinslot's state in one SQLite file: opening it, its lock
// file, and the writer that commits for many callers at once.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/coinslot/coinslot/internal/store"
)

const (
	fileMode = 0o600 // the database holds what players bought and where webhooks go

	// oldestSQLite is 3.51.3: before it, a checkpoint could miss what another
	// connection had just committed.
	oldestSQLite = 3_051_003

	// mostInBatch bounds how many closures share a commit, and so for how long one
	// closure can be kept waiting by the others in its batch.
	mostInBatch = 128

	// fewestReaders is the least number of connections for reading.
	fewestReaders = 4
)

// Options of a store. The zero value is the one to use.
type Options struct {
	// Logger gets what only the operator can act on. Nothing is logged where it is nil.
	Logger *slog.Logger

	// Fatal is called once, from the goroutine of a caller, when the database could
	// not be written or synced: what has reached the disk is unknown then, and stays
	// so whatever is tried next. It should end the process. When it returns, or is
	// nil, every later write is refused.
	Fatal func(error)

	// AsItIs refuses a database that is not there with fs.ErrNotExist, and one of another
	// schema with SchemaError, rather than make it or bring it up to date.
	AsItIs bool

	// Solo commits each closure by itself, for comparison.
	Solo bool
}

// Open opens the database at path, makes it where there is none, and brings its
// schema up to date. The directory must exist. One process at a time can have it open.
func Open(ctx context.Context, path string, o Options) (store.Store, error) {
	if sqlite3.SQLITE_VERSION_NUMBER < oldestSQLite {
		return nil, fmt.Errorf("SQLite %s has a bug that loses data: 3.51.3 or later is needed", sqlite3.SQLITE_VERSION)
	}
	path, err := realPath(path)
	if err != nil {
		return nil, fmt.Errorf("find database: %w", err)
	}
	prepare := prepareFile
	if o.AsItIs {
		prepare = prepareAsItIs
	}
	held, err := prepare(path)
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, path, o)
	if err != nil {
		return nil, errors.Join(err, held.Close())
	}
	s.lock = held
	return s, nil
}

// realPath is a file's path by which everybody calls it: links among its directories
// are followed.
func realPath(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	return filepath.Join(dir, filepath.Base(path)), err
}

// prepareFile locks the path, and makes an empty file where there is none. This must
// come before SQLite opens it: closing any other descriptor of the file would drop SQLite's own locks.
func prepareFile(path string) (*os.File, error) {
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("data directory: %s is not a directory", dir)
	}
	if err := refuseLink(path); err != nil {
		return nil, err
	}
	held, err := lock(path)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, fileMode)
	if err == nil {
		err = errors.Join(f.Chmod(fileMode), f.Close()) // whoever made it, nobody else may read it
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), held.Close())
	}
	return held, nil
}

// refuseLink refuses a database that has another name as well: its lock, and SQLite's
// log of it, are found by name, so two processes could have it open.
func refuseLink(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("open database: %w", err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("open database: %s must be a file, and not a link to one; name the file itself", path)
	case names(info) > 1:
		return fmt.Errorf("open database: %s must have one name only, but is hard-linked", path)
	}
	return nil
}

func open(ctx context.Context, path string, o Options) (*Store, error) {
	w, err := connect(path, writerPragmas...)
	if err != nil {
		return nil, err
	}
	if o.AsItIs {
		if err := w.refuseOther(ctx); err != nil {
			return nil, errors.Join(err, w.close())
		}
	}
	if err := migrate(ctx, path); err != nil {
		return nil, errors.Join(err, w.close())
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return newStore(w, newReaders(path, max(fewestReaders, runtime.NumCPU())), o), nil
}

// writerPragmas set up the one connection that writes. Pages are synced by every
// commit. The log is copied back in large steps, since pages that several commits
// touched are then copied once; it is cut back to logLimit after it grew beyond.
var writerPragmas = []string{
	"journal_mode = WAL",
	"synchronous = FULL",
	"foreign_keys = ON",
	"busy_timeout = 5000",
	"wal_autocheckpoint = 8000",
	"journal_size_limit = 67108864",
	"cache_size = -16384",
	"temp_store = MEMORY",
}

// readerPragmas set up a connection that reads.
var readerPragmas = []string{
	"query_only = ON",
	"busy_timeout = 5000",
	"cache_size = -4096",
	"temp_store = MEMORY",
}
