package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"slices"

	"github.com/pressly/goose/v3"

	"github.com/coinslot/coinslot/internal/store/sqlstore"
)

// migrate brings the schema up to date. It refuses a database that a newer program has written.
func migrate(ctx context.Context, path string) (err error) {
	name := url.URL{Scheme: "file", Path: path, RawQuery: "_pragma=busy_timeout(5000)&_pragma=synchronous(FULL)&_pragma=foreign_keys(ON)"}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	p, err := steps(db)
	if err != nil {
		return err
	}
	has, knows, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if has > knows {
		return fmt.Errorf("the database is at schema version %d, and this program knows versions up to %d: it was written by a newer one", has, knows)
	}
	if has == knows {
		return nil
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// steps are the schema's migrations, to be taken on a database.
func steps(db *sql.DB) (*goose.Provider, error) {
	files, err := sqlstore.Migrations("sqlite")
	if err != nil {
		return nil, err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files,
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	return p, nil
}

// newSchema is a database in memory as this program makes one.
func newSchema(ctx context.Context) (_ *sql.DB, version int64, err error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, 0, fmt.Errorf("make a schema: %w", err)
	}
	db.SetMaxOpenConns(1) // another connection would have another database
	p, err := steps(db)
	if err == nil {
		_, err = p.Up(ctx)
	}
	if err == nil {
		version, err = p.GetDBVersion(ctx)
	}
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("make a schema: %w", err), db.Close())
	}
	return db, version, nil
}

// newestVersion is that of the schema which this program makes.
func newestVersion() (int64, error) {
	files, err := sqlstore.Migrations("sqlite")
	if err != nil {
		return 0, err
	}
	names, err := fs.Glob(files, "*.sql")
	if err != nil || len(names) == 0 {
		return 0, errors.Join(errors.New("there are no migrations"), err)
	}
	return goose.NumericComponent(slices.Max(names))
}
