package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/coinslot/coinslot/internal/checkout"
	"github.com/coinslot/coinslot/internal/config"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
	"github.com/coinslot/coinslot/internal/provider/sandbox"
	"github.com/coinslot/coinslot/internal/rpc"
	"github.com/coinslot/coinslot/internal/safehttp"
	"github.com/coinslot/coinslot/internal/server"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/sqlite"
	"github.com/coinslot/coinslot/internal/vault"
	"github.com/coinslot/coinslot/internal/webhook"
)

// installation is everything that is kept, opened.
type installation struct {
	dir    dataDir
	token  string
	store  store.Store
	ledger ledger
	vault  *vault.Vault
}

// ledger is the sandbox's books in a file.
type ledger interface {
	sandbox.Ledger
	Close() error
}

// open opens the data directory, made if need be. The store comes first: it is what
// refuses a second server.
func open(ctx context.Context, cfg *config.Serve, log *slog.Logger) (_ *installation, err error) {
	in := &installation{dir: dataDir(cfg.Data)}
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

func (in *installation) close() (err error) {
	if in.store != nil {
		err = in.store.Close()
	}
	if in.ledger != nil {
		err = errors.Join(err, in.ledger.Close())
	}
	return err
}

// parts are what runs while the server does.
type parts struct {
	gateway *gateway.Service
	relay   *webhook.Relay
	server  *server.Server
}

// compose makes the server of its parts. Only here does everything meet.
func compose(ctx context.Context, cfg *config.Serve, in *installation, listening string, log *slog.Logger) (*parts, error) {
	address, mount, err := pageAddress(cfg, listening)
	if err != nil {
		return nil, err
	}
	convert := rpc.Converter{PageURL: address.PageURL, ImageURL: address.ImageURL}
	p := &parts{}
	p.gateway, err = gateway.New(ctx, gateway.Options{
		Store: in.store, Provider: providers(in), Payload: convert.Payload, Secrets: webhook.NewSecrets(in.vault),
		Now: time.Now, Logger: log, IdempotencyWindow: cfg.IdempotencyWindow,
	})
	if err != nil {
		return nil, err
	}
	p.relay = webhook.NewRelay(webhook.Options{
		Store: in.store, Vault: in.vault, Client: webhookClients(cfg), Now: time.Now, Logger: log,
	})
	p.server, err = server.New(server.Options{
		Gateway: p.gateway, Convert: convert,
		Admin: rpc.NewAdminServer(p.gateway, convert, p.relay), AdminToken: in.token,
		Page: checkout.New(checkout.Options{
			Service: p.gateway, Address: address, Mount: mount, Key: in.vault.Derive("checkout forms"),
			TestCards: testCards(), Logger: log, Now: time.Now,
		}),
		PageMount: mount, Ready: in.store.Check, RateLimit: cfg.RateLimit, CORSOrigins: cfg.CORSOrigins,
		Registry: newRegistry(), Logger: log,
	})
	return p, err
}

// pageAddress is where players find the payment page, and the path below which the
// server is asked for it.
func pageAddress(cfg *config.Serve, listening string) (checkout.Address, string, error) {
	base, mount := cfg.PublicURL, "/pay"
	if base == "" {
		base = listening
	}
	base += mount
	if cfg.CheckoutURL != "" {
		u, err := url.Parse(cfg.CheckoutURL)
		if err != nil {
			return checkout.Address{}, "", fmt.Errorf("--checkout-url: %w", err)
		}
		base, mount = cfg.CheckoutURL, u.Path
	}
	address, err := checkout.ParseAddress(base)
	return address, mount, err
}

// providers picks who moves the money. Nobody does in production yet.
func providers(in *installation) gateway.Providers {
	play := sandbox.New(in.ledger)
	return func(env pay.Environment) provider.Provider {
		if env == pay.Sandbox {
			return play
		}
		return nil
	}
}

// webhookClients makes the clients that post webhooks. Those of the sandbox may
// reach a receiver on this machine.
func webhookClients(cfg *config.Serve) func(pay.Environment) *http.Client {
	play := safehttp.NewClient(safehttp.Options{AllowLoopback: true, AllowCIDR: cfg.WebhookAllow})
	real := safehttp.NewClient(safehttp.Options{AllowCIDR: cfg.WebhookAllow})
	return func(env pay.Environment) *http.Client {
		if env == pay.Sandbox {
			return play
		}
		return real
	}
}

func testCards() []checkout.TestCard {
	var cards []checkout.TestCard
	for _, c := range sandbox.Cards {
		cards = append(cards, checkout.TestCard{Number: c.Number, Outcome: c.Outcome})
	}
	return cards
}

// newRegistry holds the metrics, those of the Go runtime and the process among them.
func newRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}
