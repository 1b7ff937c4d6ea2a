package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/coinslot/coinslot/internal/config"
	"github.com/coinslot/coinslot/internal/store/postgres"
	"github.com/coinslot/coinslot/internal/store/sqlite"
)

var migrateStatus = command{
	path: "migrate status", brief: "say at which version the database's schema is",
	details: `It changes nothing, and a server may run meanwhile. Exits with status 1 where the database
is not at the version that this program needs.`,
	example: "coinslot migrate status --database postgres://coinslot@db.internal/coinslot",
	prepare: storageCommand(func(ctx context.Context, c *console, cfg *config.Serve) error {
		has, knows, err := schemaOf(ctx, cfg)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(c.out, "the database is at schema version %d, this program needs %d\n", has, knows); err != nil {
			return err
		}
		switch {
		case has < knows:
			return fmt.Errorf("%d to go: `coinslot migrate up`, or the next start of a server, does them", knows-has)
		case has > knows:
			return fmt.Errorf("the database was written by a newer program than this one")
		}
		return nil
	}),
}

var migrateUp = command{
	path: "migrate up", brief: "bring the database's schema up to date",
	details: `A server does the same when it starts. On PostgreSQL it is safe while servers of the
previous version run: a step adds what the next version needs and takes away nothing that
the previous one uses, and only one program at a time migrates. SQLite's file is one
server's alone, so that one must not run.`,
	example: "coinslot migrate up --database postgres://coinslot@db.internal/coinslot",
	prepare: storageCommand(func(ctx context.Context, c *console, cfg *config.Serve) error {
		if err := migrate(context.WithoutCancel(ctx), cfg); err != nil {
			return err
		}
		has, _, err := schemaOf(ctx, cfg)
		if err == nil {
			_, err = fmt.Fprintf(c.out, "the database is at schema version %d\n", has)
		}
		return err
	}),
}

// storageCommand is a command that is about the database alone.
func storageCommand(do func(context.Context, *console, *config.Serve) error) func(*config.Flags) action {
	return func(f *config.Flags) action {
		cfg := config.StorageFlags(f)
		return func(ctx context.Context, c *console, _ []string) error {
			if err := cfg.Finish(); err != nil {
				return err
			}
			return do(ctx, c, cfg)
		}
	}
}

func schemaOf(ctx context.Context, cfg *config.Serve) (has, knows int64, err error) {
	if !cfg.Postgres() {
		return sqlite.SchemaOf(ctx, cfg.Database)
	}
	v, err := postgres.SchemaOf(ctx, cfg.Database)
	return v.Has, v.Knows, err
}

func migrate(ctx context.Context, cfg *config.Serve) error {
	if cfg.Postgres() {
		_, err := postgres.Migrate(ctx, cfg.Database)
		return err
	}
	if err := dataDir(cfg.Data).make(); err != nil {
		return err
	}
	s, err := sqlite.Open(ctx, cfg.Database, sqlite.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	return s.Close()
}
