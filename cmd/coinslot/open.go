package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/coinslot/coinslot/internal/config"
	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/sqlite"
	"github.com/coinslot/coinslot/internal/vault"
)

// kept is everything that outlives the process, opened.
type kept struct {
	dir    dataDir
	token  string
	store  store.Store
	ledger *sqlite.Ledger
	vault  *vault.Vault
}

// open opens the data directory, made if need be. The store comes first: it is what
// refuses a second server.
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
	if in.store, err = sqlite.Open(ctx, cfg.Database, sqlite.Options{Logger: log, Fatal: fatal(log)}); err != nil {
		return nil, err
	}
	if in.ledger, err = sqlite.OpenLedger(in.dir.ledgerFile()); err != nil {
		return nil, fmt.Errorf("open the sandbox's ledger: %w", err)
	}
	if in.vault, err = vault.Open(in.dir.vaultFile()); err != nil {
		return nil, err
	}
	in.token, err = in.dir.token()
	return in, err
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
	if in.store != nil {
		err = in.store.Close()
	}
	if in.ledger != nil {
		err = errors.Join(err, in.ledger.Close())
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
