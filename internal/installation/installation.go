// Package installation puts one Coinslot together: the use cases on a store and a
// payment provider, the relay that tells of events, and the handler of everything
// that is asked. The binary runs it; tests run the same one.
package installation

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/coinslot/coinslot/internal/checkout"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
	"github.com/coinslot/coinslot/internal/provider/sandbox"
	"github.com/coinslot/coinslot/internal/rpc"
	"github.com/coinslot/coinslot/internal/safehttp"
	"github.com/coinslot/coinslot/internal/server"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/vault"
	"github.com/coinslot/coinslot/internal/webhook"
)

// Options is what one installation is made of. Store, Vault, AdminToken, PublicURL,
// Logger, and Ledger or Providers are required.
type Options struct {
	Store       store.Store
	Ledger      sandbox.Ledger    // of the sandbox provider
	Providers   gateway.Providers // who moves the money; nil: the sandbox on Ledger, and nobody in production
	Vault       *vault.Vault
	AdminToken  string
	PublicURL   string // where clients reach the server
	CheckoutURL string // where players find the page; empty: PublicURL/pay

	Now               func() time.Time // time.Now if nil
	Logger            *slog.Logger
	Registry          *prometheus.Registry // one of its own if nil
	IdempotencyWindow time.Duration        // at least 24 hours
	RateLimit         float64              // calls a second and key; 0: no limit
	CORSOrigins       []string
	WebhookAllow      []netip.Prefix    // networks that webhooks may reach beside the public one
	WebhookTransport  http.RoundTripper // in place of the guarded one, in tests; nil: guarded
	WebhookJitter     func() float64    // as webhook.Options.Jitter
}

// Installation is one Coinslot.
type Installation struct {
	*server.Server
	Gateway *gateway.Service
	relay   *webhook.Relay
}

// New puts an installation together. Nothing happens by itself until Run is called.
func New(ctx context.Context, o Options) (*Installation, error) {
	if o.AdminToken == "" {
		return nil, errors.New("an installation must have an admin token")
	}
	o = o.withDefaults()
	address, err := checkout.ParseAddress(o.CheckoutURL)
	if err != nil {
		return nil, err
	}
	convert := rpc.Converter{PageURL: address.PageURL, ImageURL: address.ImageURL}
	clients := o.webhookClients()
	relay := webhook.NewRelay(webhook.Options{
		Store: o.Store, Vault: o.Vault, Client: clients, Now: o.Now, Logger: o.Logger, Jitter: o.WebhookJitter,
	})
	books, _ := o.Ledger.(store.Copier) // one in memory is not kept
	service, err := gateway.New(ctx, gateway.Options{
		Ledger: books,
		Store:  o.Store, Provider: o.Providers, Payload: convert.Payload, Secrets: webhook.NewSecrets(o.Vault),
		Asker: webhook.NewAsker(webhook.AskerOptions{Vault: o.Vault, Client: clients, Now: o.Now, Question: convert.Question}),
		Now:   o.Now, Logger: o.Logger, IdempotencyWindow: o.IdempotencyWindow,
	})
	if err != nil {
		return nil, err
	}
	places := rpc.NewPlaces(o.Vault.Derive("places in the feed"))
	front, err := server.New(server.Options{
		Gateway: service, Convert: convert, Places: places, Admin: rpc.NewAdminServer(service, convert, places, relay), AdminToken: o.AdminToken,
		Page: checkout.New(checkout.Options{
			Service: service, Address: address, Mount: address.Path(), Key: o.Vault.Derive("checkout form"),
			TestCards: testCards(), Logger: o.Logger, Now: o.Now,
		}),
		PageMount: address.Path(),
		Ready:     o.Store.Check, RateLimit: o.RateLimit, CORSOrigins: o.CORSOrigins, Registry: o.Registry, Logger: o.Logger,
	})
	if err != nil {
		return nil, err
	}
	return &Installation{front, service, relay}, nil
}

// Run delivers webhooks and looks after deadlines until ctx is done, then finishes
// what is under way.
func (i *Installation) Run(ctx context.Context) {
	var jobs sync.WaitGroup
	jobs.Go(func() { i.Gateway.Run(ctx) })
	jobs.Go(func() { _ = i.relay.Run(ctx) }) // always nil
	jobs.Wait()
}

func (o Options) withDefaults() Options {
	if o.CheckoutURL == "" {
		o.CheckoutURL = strings.TrimRight(o.PublicURL, "/") + "/pay"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Providers == nil {
		o.Providers = sandboxOnly(o.Ledger, o.Now)
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	return o
}

// sandboxOnly moves money in the sandbox, where nobody really does. Production needs
// a real provider, of which this version has none.
func sandboxOnly(ledger sandbox.Ledger, now func() time.Time) gateway.Providers {
	play := sandbox.New(ledger, now)
	return func(env pay.Environment) provider.Provider {
		if env == pay.Sandbox {
			return play
		}
		return nil
	}
}

// webhookClients makes one client for each environment, since only the sandbox may
// reach receivers on the same machine.
func (o Options) webhookClients() func(pay.Environment) *http.Client {
	clients := map[pay.Environment]*http.Client{
		pay.Sandbox:    safehttp.NewClient(safehttp.Options{AllowLoopback: true, AllowCIDR: o.WebhookAllow}),
		pay.Production: safehttp.NewClient(safehttp.Options{AllowCIDR: o.WebhookAllow}),
	}
	if o.WebhookTransport != nil {
		for _, client := range clients {
			client.Transport = o.WebhookTransport
		}
	}
	return func(env pay.Environment) *http.Client { return clients[env] }
}

func testCards() (cards []checkout.TestCard) {
	for _, c := range sandbox.Cards {
		cards = append(cards, checkout.TestCard{Number: c.Number, Outcome: c.Outcome})
	}
	return cards
}
