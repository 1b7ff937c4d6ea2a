package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"

	"github.com/coinslot/coinslot/internal/store/sqlstore"
)

// SchemaOf says at which version the schema of the database at path is, and up to which
// this program knows them. A server may have it open meanwhile. Where there is no file it
// is at version 0.
func SchemaOf(ctx context.Context, path string) (has, knows int64, err error) {
	steps, err := sqlstore.Migrations("sqlite")
	if err != nil {
		return 0, 0, err
	}
	files, err := fs.Glob(steps, "*.sql")
	if err != nil {
		return 0, 0, err
	}
	knows = int64(len(files)) // they are numbered without gaps
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return 0, knows, nil
	} else if err != nil {
		return 0, knows, fmt.Errorf("read schema version: %w", err)
	}
	db, err := sql.Open("sqlite", fileURL(path, "mode=ro&_pragma=busy_timeout(5000)&_pragma=query_only(ON)"))
	if err != nil {
		return 0, knows, fmt.Errorf("read schema version: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.QueryRowContext(ctx, `SELECT COALESCE(MAX(version_id), 0) FROM `+goose.DefaultTablename).Scan(&has)
	if err != nil {
		return 0, knows, fmt.Errorf("read schema version: %w", err)
	}
	return has, knows, nil
}

// fileURL names a file as SQLite's URIs do, which take the beginning of a relative path for a host.
func fileURL(path, query string) string {
	if whole, err := filepath.Abs(path); err == nil {
		path = whole
	}
	name := url.URL{Scheme: "file", Path: path, RawQuery: query}
	return name.String()
}
