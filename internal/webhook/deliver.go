package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

const (
	// lease is how long a claim lasts, and so how long a crash delays what was
	// claimed. It must hold an attempt, with storeTimeout to record it.
	lease = 30 * time.Second

	// storeTimeout bounds how long a call waits for its turn in the store.
	storeTimeout = 5 * time.Second

	// endpointFresh is how old our copy of an endpoint may be when we post: this
	// soon, a disabled endpoint, a new URL or a withdrawn secret takes effect.
	endpointFresh = time.Second
)

// target is an endpoint as it was stored at a time.
type target struct {
	pay.Endpoint
	readAt time.Time
}

// claimed is a delivery that is ours until its lease ends.
type claimed struct {
	pay.Delivery
	until time.Time
}

// canBegin says whether the lease lasts until an attempt from now would be recorded.
func (c claimed) canBegin(now time.Time) bool {
	return !now.Add(attemptTimeout + storeTimeout).After(c.until)
}

// claim leases up to most due deliveries of an endpoint. One that is disabled or
// deleted has none.
func (r *Relay) claim(ctx context.Context, id pay.EndpointID, most int) (target, []claimed, error) {
	to, err := r.read(ctx, id)
	if err != nil || !to.Enabled {
		return to, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	now := pay.Clock(r.now())
	until := now.Add(lease)
	deliveries, err := r.store.Claim(ctx, id, now, until, most)
	if err != nil {
		return to, nil, fmt.Errorf("claim deliveries: %w", err)
	}
	all := make([]claimed, len(deliveries))
	for i, d := range deliveries {
		all[i] = claimed{d, until}
	}
	return to, all, nil
}

// read returns a target that is not enabled where the endpoint is gone.
func (r *Relay) read(ctx context.Context, id pay.EndpointID) (target, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	to := target{readAt: r.now()}
	err := r.store.View(ctx, func(tx store.Reader) (err error) {
		to.Endpoint, err = tx.Endpoint(id)
		return err
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return target{readAt: to.readAt}, nil
	case err != nil:
		return target{}, fmt.Errorf("read endpoint: %w", err)
	}
	return to, nil
}

// result is what became of a claimed delivery.
type result struct {
	attempt pay.Attempt // zero: none was made
	next    time.Time   // of another attempt; zero: none

	hopeless bool // its endpoint had failed for too long already
}

func (r result) outcome() store.Outcome { return store.Outcome{Attempt: r.attempt, Next: r.next} }

// attempt makes one attempt, and records nothing.
func (r *Relay) attempt(ctx context.Context, to target, d pay.Delivery) (result, error) {
	to, err := r.refresh(ctx, to, d.Endpoint)
	if err != nil || !to.Enabled {
		return result{}, err
	}
	attempt, putOff := r.send(ctx, to.Endpoint, Message{ID: d.Event, Body: d.Payload, Attempt: d.Attempts + 1})
	attempt.Delivery = d.ID
	done := result{attempt: attempt}
	if !attempt.Delivered() {
		done.next = nextTry(d, attempt.Number, r.now(), r.jitter(), putOff)
		done.hopeless = to.Hopeless(r.now())
	}
	r.report(ctx, d.Endpoint, d.Event, done)
	return done, nil
}

// settle records an attempt and draws the consequences for its endpoint. Where that
// fails the lease ends by itself, and the delivery goes out again.
func (r *Relay) settle(ctx context.Context, d pay.Delivery, done result) error {
	attempt := done.attempt
	if attempt.Number == 0 {
		return nil // none was made
	}
	if err := r.record(ctx, done.outcome()); err != nil {
		return err
	}
	switch {
	case attempt.Status == http.StatusGone:
		return r.disable(ctx, d.Endpoint, func(e pay.Endpoint, now time.Time) string {
			return "the receiver answered 410 Gone at " + now.Format(time.RFC3339)
		})
	case done.hopeless:
		return r.disable(ctx, d.Endpoint, func(e pay.Endpoint, now time.Time) string {
			if !e.Hopeless(now) { // somebody got through meanwhile
				return ""
			}
			return fmt.Sprintf("every attempt since %s has failed; the last: %s", e.FailingSince.Format(time.RFC3339), lastWords(attempt))
		})
	}
	return nil
}

// lastWords is in a few words why an attempt failed.
func lastWords(a pay.Attempt) string {
	if a.Error != "" {
		return a.Error
	}
	return fmt.Sprintf("HTTP %d", a.Status)
}

func (r *Relay) refresh(ctx context.Context, to target, id pay.EndpointID) (target, error) {
	if age := r.now().Sub(to.readAt); age >= 0 && age < endpointFresh {
		return to, nil
	}
	return r.read(ctx, id)
}

func (r *Relay) record(ctx context.Context, done ...store.Outcome) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	err := r.store.Record(ctx, done...)
	if err != nil && !errors.Is(err, store.ErrNotFound) { // not found: the endpoint was deleted meanwhile
		return fmt.Errorf("record attempt: %w", err)
	}
	return nil
}

// disable stops an endpoint, unless there is no reason any more. It keeps its backlog,
// this delivery included, for the day the operator enables it again.
func (r *Relay) disable(ctx context.Context, id pay.EndpointID, because func(pay.Endpoint, time.Time) string) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	now := pay.Clock(r.now())
	reason := ""
	err := r.store.Configure(ctx, func(tx store.Settings) error {
		reason = "" // of a run that came to nothing
		e, err := tx.Endpoint(id)
		if err != nil || !e.Enabled {
			return err
		}
		if reason = because(e, now); reason == "" {
			return nil
		}
		e.Enabled, e.Disabled = false, reason
		e.UpdatedAt = now
		return tx.UpdateEndpoint(e)
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("disable endpoint: %w", err)
	}
	if reason != "" {
		r.log.WarnContext(ctx, "webhook endpoint disabled", "endpoint", id, "reason", reason)
	}
	return nil
}

// report logs an attempt. It says nothing of what was sent or answered, nor of the
// URL, which may hold a password.
func (r *Relay) report(ctx context.Context, id pay.EndpointID, event pay.EventID, done result) {
	a := done.attempt
	if a.Delivered() && !r.log.Enabled(ctx, slog.LevelInfo) {
		return
	}
	attrs := []slog.Attr{
		slog.String("endpoint", string(id)), slog.String("event", string(event)),
		slog.Int("attempt", a.Number), slog.Int("status", a.Status), slog.String("duration", a.Duration.String()),
	}
	if a.Delivered() {
		r.log.LogAttrs(ctx, slog.LevelInfo, "webhook delivered", attrs...)
		return
	}
	attrs = append(attrs, slog.String("error", a.Error))
	if !done.next.IsZero() {
		attrs = append(attrs, slog.Time("next", done.next))
	}
	r.log.LogAttrs(ctx, slog.LevelWarn, "webhook not delivered", attrs...)
}
