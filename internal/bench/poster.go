package bench

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/safehttp"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/vault"
	"github.com/coinslot/coinslot/internal/webhook"
)

// poster posts bare messages and has others delivered, with one and the same client.
type poster struct {
	open   OpenStore
	vault  *vault.Vault
	client *http.Client
}

func newPoster(open OpenStore) *poster {
	var master [vault.KeySize]byte
	_, _ = rand.Read(master[:])
	return &poster{open: open, vault: vault.New(master), client: safehttp.NewClient(safehttp.Options{AllowLoopback: true})}
}

// prepare makes what an errand needs, and returns what runs it and what clears up after it.
func (p *poster) prepare(ctx context.Context, job Errand) (run func(context.Context) Load, done func() error, err error) {
	if job.Backlog == "" {
		runtime.GC()
		return func(ctx context.Context) Load { return p.post(ctx, job) }, func() error { return nil }, nil
	}
	s, err := p.open(ctx, job.Backlog, false)
	if err != nil {
		return nil, nil, err
	}
	done = func() error { return errors.Join(s.Close(), remove(job.Backlog)) }
	if err := p.queue(ctx, s, job); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("make a backlog: %w", err), done())
	}
	runtime.GC()
	return func(ctx context.Context) Load { return p.deliver(ctx, s, job) }, done, nil
}

// queue makes endpoints, and events of which each of them is to be told.
func (p *poster) queue(ctx context.Context, s store.Store, job Errand) error {
	now := pay.Clock(time.Now())
	err := s.Configure(ctx, func(tx store.Settings) error {
		g := game
		g.CreatedAt, g.UpdatedAt = now, now
		if err := tx.CreateGame(g); err != nil {
			return err
		}
		for i, url := range job.URLs {
			id := pay.NewEndpointID(now, pay.Entropy{byte(i)})
			_, sealed := webhook.NewSecrets(p.vault).New(id)
			if err := tx.CreateEndpoint(pay.Endpoint{
				ID: id, Environment: pay.Sandbox, Game: game.ID, URL: url, Enabled: true,
				Secrets: []pay.SealedSecret{{Sealed: sealed}}, CreatedAt: now, UpdatedAt: now,
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		_, err = fill(ctx, s, job.Events)
	}
	return err
}

// counted is a store that says when all attempts are recorded, or one that failed.
type counted struct {
	store.Store
	mu    sync.Mutex
	took  []time.Duration // by each attempt
	wants int
	fault error
	ended chan struct{} // closed then
}

// Record is store.Queue's.
func (c *counted) Record(ctx context.Context, made ...store.Outcome) error {
	err := c.Store.Record(ctx, made...)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range made {
		if err == nil && !m.Delivered() {
			err = fmt.Errorf("a delivery failed: %s (status %d)", m.Error, m.Status)
		}
		c.took = append(c.took, m.Duration)
	}
	if c.fault == nil && (err != nil || len(c.took) == c.wants) {
		c.fault = err
		close(c.ended)
	}
	return err
}

// deliver works off the backlog, and is over when the last attempt is recorded.
func (p *poster) deliver(ctx context.Context, s store.Store, job Errand) Load {
	c := &counted{Store: s, wants: job.Events * len(job.URLs), ended: make(chan struct{})}
	relay := webhook.NewRelay(webhook.Options{Store: c, Vault: p.vault, Client: func(pay.Environment) *http.Client { return p.client }})
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	var running sync.WaitGroup
	began := time.Now()
	running.Go(func() { _ = relay.Run(ctx) }) // it never fails
	select {
	case <-c.ended:
	case <-ctx.Done():
	}
	load := Load{Took: time.Since(began)}
	stop()
	running.Wait()
	load.sum(c.took)
	switch {
	case c.fault != nil:
		load.Error = c.fault.Error()
	case load.Requests < c.wants:
		load.Error = fmt.Sprintf("%d of %d were delivered within %v", load.Requests, c.wants, patience)
	}
	return load
}

// post makes the same requests, signed by a secret in the clear, as many at a time as
// the relay does, and keeps nothing.
func (p *poster) post(ctx context.Context, job Errand) Load {
	body, secret := make([]byte, payloadSize), webhook.NewSecret([32]byte{})
	took := make([][]time.Duration, len(job.URLs)*webhook.DefaultPerEndpoint)
	c := &crew{}
	began := time.Now()
	var all sync.WaitGroup
	for i := range took {
		share := (job.Events + webhook.DefaultPerEndpoint - 1 - i/len(job.URLs)) / webhook.DefaultPerEndpoint
		all.Go(func() {
			for range share {
				began := time.Now()
				if err := p.postOne(ctx, job.URLs[i%len(job.URLs)], body, secret); err != nil {
					c.fail(err)
					return
				}
				took[i] = append(took[i], time.Since(began))
			}
		})
	}
	all.Wait()
	load := Load{Took: time.Since(began)}
	var each []time.Duration
	for _, some := range took {
		each = append(each, some...)
	}
	load.sum(each)
	if fault := c.fault.Load(); fault != nil {
		load.Error = (*fault).Error()
	}
	return load
}

func (p *poster) postOne(ctx context.Context, url string, body []byte, secret string) error {
	header, err := webhook.Sign(webhook.Message{ID: "evt_00000000000000000000000000000000", Body: body, At: time.Now(), Attempt: 1}, secret)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header = header
	answer, err := p.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the receiver answered %s", answer.Status)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}
