// Package installation puts one Coinslot together: the use cases on a store and a
// payment provider, the relay that tells of events, and the handler of everything
// that is asked. The binary runs it; tests run the same one.
package installation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/coinslot/coinslot/internal/checkout"
	"github.com/coinslot/coinslot/internal/clock"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/inbox"
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
	Program     string // what commands that are shown call the binary; empty: coinslot
	ProgramFlag string // by which they find this server, with a space before it; may be empty

	Clock             clock.Clock // clock.System if nil
	SandboxClock      bool        // in place of Clock: one that the operator can move; needs Ledger
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
	Gateway  *gateway.Service
	HasInbox bool // at inbox.Path, for whoever sits at the machine
	relay    *webhook.Relay
}

// New puts an installation together. Nothing happens by itself until Run is called.
func New(ctx context.Context, o Options) (*Installation, error) {
	if o.AdminToken == "" {
		return nil, errors.New("an installation must have an admin token")
	}
	movable, err := o.setClock(ctx)
	if err != nil {
		return nil, err
	}
	if o.CheckoutURL == "" {
		o.CheckoutURL = strings.TrimRight(o.PublicURL, "/") + "/pay"
	}
	address, err := checkout.ParseAddress(o.CheckoutURL)
	if err != nil {
		return nil, err
	}
	o = o.withDefaults(address)
	convert := rpc.Converter{PageURL: address.PageURL, ImageURL: address.ImageURL}
	clients := o.webhookClients()
	relay := webhook.NewRelay(webhook.Options{
		Store: o.Store, Vault: o.Vault, Client: clients, Clock: o.Clock, Logger: o.Logger, Jitter: o.WebhookJitter,
	})
	books, _ := o.Ledger.(store.Copier) // one in memory is not kept
	service, err := gateway.New(ctx, gateway.Options{
		Store: o.Store, Ledger: books, Provider: o.Providers, Payload: convert.Payload, Secrets: webhook.NewSecrets(o.Vault),
		Asker: webhook.NewAsker(webhook.AskerOptions{Vault: o.Vault, Client: clients, Now: o.Clock.Now, Question: convert.Question}),
		Clock: o.Clock, Movable: movable, Relay: relay, Logger: o.Logger, IdempotencyWindow: o.IdempotencyWindow,
	})
	if err != nil {
		return nil, err
	}
	if err := o.Registry.Register(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "coinslot_late_payments_total", Help: "Payments for which money came after they had ended without any.",
	}, func() float64 { return float64(service.LateMoney()) })); err != nil {
		return nil, fmt.Errorf("register the count of late payments: %w", err)
	}
	places := rpc.NewPlaces(o.Vault.Derive("places in the feed"))
	front, err := server.New(server.Options{
		Gateway: service, Convert: convert, Places: places, Admin: rpc.NewAdminServer(service, convert, places, relay), AdminToken: o.AdminToken,
		Page: checkout.New(checkout.Options{
			Service: service, Address: address, Mount: address.Path(), Key: o.Vault.Derive("checkout form"),
			TestCards: testCards(), Logger: o.Logger, Now: o.Clock.Now,
		}),
		PageMount: address.Path(), Inbox: o.inbox(service),
		Ready: o.Store.Check, RateLimit: o.RateLimit, CORSOrigins: o.CORSOrigins, Registry: o.Registry, Logger: o.Logger,
	})
	if err != nil {
		return nil, err
	}
	return &Installation{front, service, o.isLocal(), relay}, nil
}

// isLocal says whether neither clients nor players are elsewhere.
func (o Options) isLocal() bool { return inbox.Local(o.PublicURL, o.CheckoutURL) }

// inbox is nil on a server that others use.
func (o Options) inbox(service *gateway.Service) func(http.Handler) http.Handler {
	if !o.isLocal() {
		return nil
	}
	return inbox.New(inbox.Options{
		Service: service, Secret: webhook.NewSecrets(o.Vault).Inbox(),
		PublicURL: strings.TrimRight(o.PublicURL, "/"), Program: o.Program, ProgramFlag: o.ProgramFlag, Logger: o.Logger, Now: time.Now,
	}).Or
}

// Run delivers webhooks and looks after deadlines until ctx is done, then finishes
// what is under way.
func (i *Installation) Run(ctx context.Context) {
	var jobs sync.WaitGroup
	jobs.Go(func() { i.Gateway.Run(ctx) })
	jobs.Go(func() { _ = i.relay.Run(ctx) }) // always nil
	jobs.Wait()
}

func (o Options) withDefaults(address checkout.Address) Options {
	if o.Program == "" {
		o.Program = "coinslot"
	}
	if o.Clock == nil {
		o.Clock = clock.System
	}
	if o.Providers == nil {
		o.Providers = sandboxOnly(sandbox.Options{
			Ledger: o.Ledger, Clock: o.Clock, Key: o.Vault.Derive("sandbox reports"), VerifyURL: address.VerifyURL,
		})
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	return o
}

// sandboxOnly moves money in the sandbox, where nobody really does. Production needs
// a real provider, of which this version has none.
func sandboxOnly(o sandbox.Options) gateway.Providers {
	play := sandbox.New(o)
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
