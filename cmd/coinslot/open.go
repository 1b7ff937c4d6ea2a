package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/coinslot/coinslot/internal/config"
	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/provider/sandbox"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/postgres"
	"github.com/coinslot/coinslot/internal/store/sqlite"
	"github.com/coinslot/coinslot/internal/vault"
)

// kept is everything that outlives the process, opened.
type kept struct {
	dir    dataDir
	token  string
	store  store.Store
	ledger sandbox.Ledger
	vault  *vault.Vault
	closer []io.Closer // in the order in which they were opened
}

// open opens the database and the data directory, made if need be. The store comes first:
// it is what refuses a second server on one file.
func open(ctx context.Context, cfg *config.Serve, log *slog.Logger) (_ *kept, err error) {
	in := &kept{dir: dataDir(cfg.Data)}
	defer func() {
		if err != nil {
			err = errors.Join(err, in.close())
		}
	}()
	if err := in.dir.make(); err != nil {
		return nil, err
	}
	if cfg.Postgres() {
		err = in.openPostgres(ctx, cfg, log)
	} else {
		err = in.openSQLite(ctx, cfg, log)
	}
	if err != nil {
		return nil, err
	}
	if in.token = cfg.AdminToken; in.token == "" {
		in.token, err = in.dir.token()
	} else if len(in.token) < shortestToken {
		err = fmt.Errorf("COINSLOT_ADMIN_TOKEN must have at least %d characters", shortestToken)
	}
	return in, err
}

// shortestToken is how short an admin token may be that the operator has thought of.
const shortestToken = 24

func (in *kept) openSQLite(ctx context.Context, cfg *config.Serve, log *slog.Logger) (err error) {
	if in.store, err = sqlite.Open(ctx, cfg.Database, sqlite.Options{Logger: log, Fatal: fatal(log)}); err != nil {
		return err
	}
	in.closer = append(in.closer, in.store)
	ledger, err := sqlite.OpenLedger(in.dir.ledgerFile())
	if err != nil {
		return fmt.Errorf("open the sandbox's ledger: %w", err)
	}
	in.ledger, in.closer = ledger, append(in.closer, ledger)
	return in.openVault(cfg)
}

func (in *kept) openPostgres(ctx context.Context, cfg *config.Serve, log *slog.Logger) error {
	s, err := postgres.Open(ctx, cfg.Database, postgres.Options{Logger: log})
	if err != nil {
		return err
	}
	in.store, in.ledger, in.closer = s, s.Ledger(), append(in.closer, s)
	if err := in.openVault(cfg); err != nil {
		return err
	}
	same, err := s.SameMasterKey(ctx, keyMark(in.vault))
	if err == nil && !same {
		err = fmt.Errorf("the master key is another one than that of the servers that used this database before: "+
			"put their secret.key into %s, or its text into COINSLOT_MASTER_KEY", absolute(string(in.dir)))
	}
	return err
}

// keyMark is by what a database tells the master key from others.
func keyMark(v *vault.Vault) int64 {
	mark := v.Derive("which key it is")
	return int64(binary.BigEndian.Uint64(mark[:]))
}

// openVault takes the master key from the environment, or from the data directory.
func (in *kept) openVault(cfg *config.Serve) (err error) {
	if cfg.MasterKey == "" {
		in.vault, err = vault.Open(in.dir.vaultFile())
		return err
	}
	if in.vault, err = vault.Parse(cfg.MasterKey); err != nil {
		return fmt.Errorf("COINSLOT_MASTER_KEY %w", err)
	}
	return nil
}

// fatal ends the program when the disk can no longer be trusted: whatever it
// acknowledged from then on might be lost.
func fatal(log *slog.Logger) func(error) {
	return func(err error) {
		log.Error("the database cannot be written; stopping at once", "error", err)
		os.Exit(exitFailed)
	}
}

func (in *kept) close() (err error) {
	for _, opened := range in.closer {
		err = errors.Join(err, opened.Close())
	}
	return err
}

// assemble puts the installation together on what is kept. Clients reach it at the
// given URL unless the operator named another.
func assemble(ctx context.Context, cfg *config.Serve, in *kept, listening string, log *slog.Logger) (*installation.Installation, error) {
	public := cfg.PublicURL
	if public == "" {
		public = listening
	}
	return installation.New(ctx, installation.Options{
		Store: in.store, Ledger: in.ledger, SandboxClock: cfg.SandboxClock, Vault: in.vault, AdminToken: in.token,
		PublicURL: public, CheckoutURL: cfg.CheckoutURL, Logger: log,
		Program: calledAs(os.Args[0]), ProgramFlag: dataFlag(cfg), Registry: newRegistry(),
		IdempotencyWindow: cfg.IdempotencyWindow, RateLimit: cfg.RateLimit,
		CORSOrigins: cfg.CORSOrigins, WebhookAllow: cfg.WebhookAllow,
	})
}

// newRegistry holds the metrics, those of the Go runtime and the process among them.
func newRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}
