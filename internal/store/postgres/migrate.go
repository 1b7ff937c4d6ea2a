package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/coinslot/coinslot/internal/store/sqlstore"
)

// While one process migrates, others that start wait for it: at most lockTries times
// lockPeriod seconds.
const (
	lockPeriod = 1
	lockTries  = 300
)

// Version is where a database's schema stands.
type Version struct {
	Has   int64 // what the database is at; 0: nothing is there yet
	Knows int64 // what this program brings it up to
}

// SchemaError: a database has another schema than this program's.
type SchemaError struct{ Has, Knows int64 }

func (e *SchemaError) Error() string {
	return fmt.Sprintf("the database is at schema version %d, and this program's is %d", e.Has, e.Knows)
}

// newest is the version of the last step.
func newest(steps fs.FS) (int64, error) {
	names, err := fs.Glob(steps, "*.sql")
	if err != nil || len(names) == 0 {
		return 0, errors.Join(errors.New("there are no migrations"), err)
	}
	return goose.NumericComponent(slices.Max(names))
}

// Migrate brings the schema of a database up to date, and says where it stands then.
func Migrate(ctx context.Context, url string) (Version, error) {
	config, err := parse(url)
	if err != nil {
		return Version{}, err
	}
	return migrate(ctx, config.ConnConfig)
}

// SchemaOf says where a database's schema stands. It writes nothing.
func SchemaOf(ctx context.Context, url string) (v Version, err error) {
	config, err := parse(url)
	if err != nil {
		return v, err
	}
	c, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return v, failure("connect to the database", err)
	}
	defer func() { err = errors.Join(err, c.Close(context.WithoutCancel(ctx))) }()
	if err := checkVersion(ctx, c); err != nil {
		return v, err
	}
	return versions(ctx, c)
}

// versions is where the schema stands, read from goose's table without goose, which makes
// one where there is none.
func versions(ctx context.Context, q interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}) (v Version, err error) {
	steps, err := sqlstore.Migrations("postgres")
	if err != nil {
		return v, err
	}
	if v.Knows, err = newest(steps); err != nil {
		return v, err
	}
	var there bool
	if err = q.QueryRow(ctx, `SELECT to_regclass('goose_db_version') IS NOT NULL`).Scan(&there); err == nil && there {
		err = q.QueryRow(ctx, `SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&v.Has)
	}
	return v, failure("read schema version", err)
}

// migrate brings the schema up to date on a connection of its own, on which a statement may
// take as long as it takes.
func migrate(ctx context.Context, config *pgx.ConnConfig) (_ Version, err error) {
	config = config.Copy()
	config.RuntimeParams["statement_timeout"] = "0"
	config.AfterConnect = nil
	db := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(checkVersion))
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.PingContext(ctx); err != nil {
		return Version{}, failure("connect to the database", err)
	}
	p, err := provider(db)
	if err != nil {
		return Version{}, err
	}
	return bringUpToDate(ctx, p)
}

func provider(db *sql.DB) (*goose.Provider, error) {
	steps, err := sqlstore.Migrations("postgres")
	if err != nil {
		return nil, err
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(lockPeriod, lockTries))
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, steps, goose.WithSessionLocker(locker),
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	return p, nil
}

func versionOf(ctx context.Context, p *goose.Provider) (Version, error) {
	has, knows, err := p.GetVersions(ctx)
	if err != nil {
		return Version{}, failure("read schema version", err)
	}
	return Version{has, knows}, nil
}

func bringUpToDate(ctx context.Context, p *goose.Provider) (Version, error) {
	v, err := versionOf(ctx, p)
	switch {
	case err != nil || v.Has == v.Knows:
		return v, err
	case v.Has > v.Knows:
		return v, fmt.Errorf("the database is at schema version %d, and this program knows versions up to %d: it was written by a newer one", v.Has, v.Knows)
	}
	if _, err := p.Up(ctx); err != nil {
		return v, failure("migrate", err)
	}
	return versionOf(ctx, p)
}
