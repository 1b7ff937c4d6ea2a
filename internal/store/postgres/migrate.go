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
	return withSchema(ctx, url, bringUpToDate)
}

// SchemaOf says where a database's schema stands. It writes nothing but goose's own table.
func SchemaOf(ctx context.Context, url string) (Version, error) {
	return withSchema(ctx, url, versionOf)
}

func withSchema(ctx context.Context, url string, do func(context.Context, *goose.Provider) (Version, error)) (Version, error) {
	config, err := parse(url)
	if err != nil {
		return Version{}, err
	}
	return schema(ctx, config.ConnConfig, do)
}

func migrate(ctx context.Context, config *pgx.ConnConfig) error {
	_, err := schema(ctx, config, bringUpToDate)
	return err
}

// schema does something with the schema on a connection of its own, on which a statement
// may take as long as it takes.
func schema(ctx context.Context, config *pgx.ConnConfig, do func(context.Context, *goose.Provider) (Version, error)) (_ Version, err error) {
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
	return do(ctx, p)
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
