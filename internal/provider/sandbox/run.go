package sandbox

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider"
)

const (
	// duePrefix begins the keys under which the ledger has when payments are due, in
	// order: "due 2026-01-02T03:04:05.000006Z pay_…". They hold no value.
	duePrefix = "due "
	dueTime   = "2006-01-02T15:04:05.000000Z"

	dueAtOnce    = 64               // that are read at a time
	afterTrouble = 5 * time.Second  // the pause after the ledger failed
	deliverTakes = 10 * time.Second // at most, for one report
	sendsFor     = time.Hour        // a report that is not taken in
)

// schedule notes in the ledger when a payment is due, and wakes Run.
func (p *Provider) schedule(ctx context.Context, id pay.PaymentID, at time.Time) error {
	if err := p.Ledger.Save(ctx, dueKey(id, at), []byte{}); err != nil {
		return fmt.Errorf("write the ledger: %w", err)
	}
	select {
	case p.moved <- struct{}{}:
	default: // it looks soon
	}
	return nil
}

// A key's time is never later than that of what is due.
func dueKey(id pay.PaymentID, at time.Time) string {
	return duePrefix + at.UTC().Truncate(time.Microsecond).Format(dueTime) + " " + string(id)
}

func readDue(key string) (pay.PaymentID, time.Time, error) {
	at, id, _ := strings.Cut(strings.TrimPrefix(key, duePrefix), " ")
	t, err := time.Parse(dueTime, at)
	return pay.PaymentID(id), t, err
}

// Run has happen what happens by itself and delivers reports of it, until ctx is done. One
// that deliver does not take in is sent again, with pauses that grow, for an hour. What is
// due is in the ledger, so it outlives a restart.
func (p *Provider) Run(ctx context.Context, deliver func(context.Context, provider.RawReport) error) {
	p.setDeliver(deliver)
	defer p.setDeliver(nil)
	for ctx.Err() == nil {
		pause, err := p.work(ctx)
		if err != nil {
			pause = afterTrouble // whoever calls the sandbox is told of the trouble
		}
		p.rest(ctx, pause)
	}
}

func (p *Provider) setDeliver(deliver func(context.Context, provider.RawReport) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deliver = deliver
}

// rest waits until something is due; less than nothing: it is not known that anything ever is.
func (p *Provider) rest(ctx context.Context, pause time.Duration) {
	if pause < 0 {
		select {
		case <-p.moved:
		case <-ctx.Done():
		}
		return
	}
	timer := p.Clock.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.moved:
	case <-ctx.Done():
	}
}

// work does what is due, and says for how long nothing else is.
func (p *Provider) work(ctx context.Context) (pause time.Duration, err error) {
	for {
		keys, err := p.Ledger.Keys(ctx, duePrefix, dueAtOnce)
		if err != nil || len(keys) == 0 {
			return -1, err
		}
		for _, key := range keys {
			id, at, err := readDue(key)
			if err != nil {
				return 0, fmt.Errorf("understand the ledger: %w", err)
			}
			if pause := at.Sub(p.Clock.Now()); pause > 0 {
				return pause, nil
			}
			if err := p.send(ctx, id); err != nil {
				return 0, err
			}
			if err := p.settleUp(ctx, id, key); err != nil {
				return 0, err
			}
		}
	}
}

// settleUp notes when a payment is due again in place of the key that it was due by, alone
// with that payment: what another call schedules meanwhile must not be forgotten.
func (p *Provider) settleUp(ctx context.Context, id pay.PaymentID, key string) error {
	done, err := p.turns.take(ctx, id)
	if err != nil {
		return err
	}
	defer done()
	e, err := p.current(ctx, id)
	if err != nil {
		return err
	}
	if at := e.dueAgain(p.Clock.Now()); !at.IsZero() {
		if dueKey(id, at) == key {
			return nil
		}
		if err := p.schedule(ctx, id, at); err != nil {
			return err
		}
	}
	if err := p.Ledger.Delete(ctx, key); err != nil {
		return fmt.Errorf("write the ledger: %w", err)
	}
	return nil
}

// send delivers the reports of a payment whose time has come, in order, and strikes off
// those that were taken in, or for which nobody has been there for too long.
func (p *Provider) send(ctx context.Context, id pay.PaymentID) error {
	e, err := p.look(ctx, id)
	if err != nil {
		return err
	}
	for _, r := range e.Reports {
		now := p.Clock.Now()
		if r.At.After(now) {
			continue
		}
		did := didSend
		if !p.bring(ctx, id, r) {
			if did = didGiveUp; now.Sub(r.At) < sendsFor {
				continue
			}
		}
		if _, err := change(ctx, p, opReport, id, func(e *entry) (struct{}, error) {
			e.sent(r, did)
			return struct{}{}, nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// look is an entry as of now. Its payment need not be known.
func (p *Provider) look(ctx context.Context, id pay.PaymentID) (entry, error) {
	return change(ctx, p, opReport, id, func(e *entry) (entry, error) { return *e, nil })
}

// bring delivers one report and says whether it was taken in.
func (p *Provider) bring(ctx context.Context, id pay.PaymentID, r report) bool {
	p.mu.Lock()
	deliver := p.deliver
	p.mu.Unlock()
	if deliver == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, deliverTakes)
	defer cancel()
	return deliver(ctx, p.sign(id, r)) == nil
}

// reportAtOnce sends a payment's reports before the call that they are of has returned.
// What is not taken in is sent again by Run.
func (p *Provider) reportAtOnce(ctx context.Context, id pay.PaymentID) { _ = p.send(ctx, id) }

// dueAgain is when the payment is due after what was due has been tried; zero: never.
func (e *entry) dueAgain(now time.Time) time.Time {
	later := *e
	later.Reports = nil
	for _, r := range e.Reports {
		r.At = again(r.At, now)
		later.Reports = append(later.Reports, r)
	}
	return later.due()
}

// again is when a report is next sent that was first sent then: after a second, two, four …
func again(first, now time.Time) time.Time {
	if first.After(now) {
		return first
	}
	for pause := time.Second; ; pause *= 2 {
		if at := first.Add(pause); at.After(now) {
			return at
		}
	}
}
