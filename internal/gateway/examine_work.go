package gateway

import (
	"context"
	"fmt"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// What Examine finds of work that is under way, or should be.

// gathered is what a check has found, a few by name.
type gathered struct {
	count    int64
	examples []string
	oldest   time.Time
}

func (g *gathered) add(name string, since time.Time) {
	if g.count++; len(g.examples) < mostExamples {
		g.examples = append(g.examples, name)
	}
	if g.oldest.IsZero() || since.Before(g.oldest) {
		g.oldest = since
	}
}

func (g *gathered) String() string {
	more := ""
	if rest := g.count - int64(len(g.examples)); rest > 0 {
		more = fmt.Sprintf("; and %d more", rest)
	}
	return fmt.Sprintf("%d, the oldest since %s: %s%s", g.count, g.oldest.UTC().Format(time.RFC3339), some(g.examples), more)
}

// payments: none has been processing, or asked about, for longer than takes an answer.
func (x *examiner) payments(ctx context.Context) (Finding, error) {
	f := Finding{Check: "payments", Verdict: AllRight, Found: "none waits for its provider or its game for long"}
	before := pay.Clock(x.now().Add(-stuckAfter))
	var stuck gathered
	waiting := func(r store.Reader, after pay.PaymentID, most int) ([]pay.Payment, error) {
		return r.LivePayments(pay.PaymentProcessing, before, after, most)
	}
	err := walk(ctx, x.Service, waiting, paymentID, func(p pay.Payment) {
		if p.Action != "" && x.now().Sub(p.CreatedAt) < playerTakes {
			return // it waits for its player, who may have left
		}
		stuck.add(fmt.Sprintf("%s of session %s is processing", p.ID, p.Session), p.CreatedAt)
	})
	if err == nil {
		err = walk(ctx, x.Service, store.Reader.AskedPayments, paymentID, func(p pay.Payment) {
			if p.AuthorizedAt.Before(before) {
				stuck.add(fmt.Sprintf("%s of session %s waits for its game", p.ID, p.Session), p.AuthorizedAt)
			}
		})
	}
	if stuck.count > 0 {
		f.Verdict, f.Found = x.overdue(), stuck.String()
		f.Advice = "they are asked about every minute while a server runs; its log says why no answer comes (\"reconcile payments\")"
	}
	return f, err
}

// playerTakes is how long a player may be at a check of the bank's, and more.
const playerTakes = time.Hour

// late: money that came after a payment had ended goes back by itself, or a person returns it.
func (x *examiner) late(ctx context.Context) (Finding, error) {
	f := Finding{Check: "late money", Verdict: AllRight, Found: "none is held that came after its payment had ended"}
	var owed, kept gathered
	err := walk(ctx, x.Service, store.Reader.OwedPayments, paymentID, func(p pay.Payment) {
		if x.now().Sub(p.LateAt) > stuckAfter {
			owed.add(fmt.Sprintf("%s of session %s", p.ID, p.Session), p.LateAt)
		}
	})
	if err != nil {
		return f, err
	}
	for before := pay.PaymentID(""); ; {
		page, err := view(ctx, x.store, func(r store.Reader) ([]pay.Payment, error) { return r.LatePayments(before, upkeepBatch) })
		if err != nil {
			return f, err
		}
		for _, p := range page {
			if p.Late == pay.LateKept {
				kept.add(fmt.Sprintf("%s of session %s", p.ID, p.Session), p.LateAt)
			}
		}
		if len(page) < upkeepBatch {
			break
		}
		before = page[len(page)-1].ID
	}
	switch {
	case kept.count > 0:
		f.Verdict, f.Found = Trouble, "the provider would not take it back: "+kept.String()
		f.Advice = "return it to the player by the provider's own tools (coinslot payments late)"
	case owed.count > 0:
		f.Verdict, f.Found = x.overdue(), "it is not returned yet: "+owed.String()
		f.Advice = "it is tried again every minute while a server runs; its log says why it fails"
	}
	return f, nil
}

// intents: captures and voids that are not done. When each was begun is not known.
func (x *examiner) intents(ctx context.Context) (Finding, error) {
	f := Finding{Check: "captures", Verdict: AllRight, Found: "no capture or void is left half done"}
	var half gathered
	err := walk(ctx, x.Service, store.Reader.IntendedPayments, paymentID, func(p pay.Payment) {
		if _, underWay := x.charging.Load(p.ID); !underWay {
			half.add(fmt.Sprintf("%s of session %s: %s", p.ID, p.Session, p.Intent), p.AuthorizedAt)
		}
	})
	if half.count > 0 {
		f.Verdict, f.Found = Noted, "begun and not done: "+half.String()
		f.Advice = "look again in two minutes: what is still there then, the provider does not answer about, and the log says why"
	}
	return f, err
}

// refunds: a provider can take its time, but not for ever.
func (x *examiner) refunds(ctx context.Context) (Finding, error) {
	f := Finding{Check: "refunds", Verdict: AllRight, Found: "none is pending for long"}
	var slow gathered
	err := walk(ctx, x.Service, store.Reader.PendingRefunds, refundID, func(r pay.Refund) {
		if x.now().Sub(r.CreatedAt) > refundSlow {
			slow.add(string(r.ID), r.CreatedAt)
		}
	})
	if slow.count > 0 {
		f.Verdict, f.Found = Noted, "pending for more than a day: "+slow.String()
		f.Advice = "coinslot refunds show ID; the provider decides"
		if x.now().Sub(slow.oldest) > refundStuck {
			f.Verdict, f.Advice = Trouble, "ask the provider: the player has waited for a week (coinslot refunds show ID)"
		}
	}
	return f, err
}

// expiries: what has passed its deadline was told so.
func (x *examiner) expiries(ctx context.Context) (Finding, error) {
	f := Finding{Check: "deadlines", Verdict: AllRight, Found: "every session that is past its deadline has ended"}
	late, err := view(ctx, x.store, func(r store.Reader) ([]pay.SessionID, error) {
		return r.Overdue(pay.Clock(x.now().Add(-stuckAfter)), mostExamples)
	})
	if len(late) > 0 {
		names := make([]string, len(late))
		for i, id := range late {
			names[i] = string(id)
		}
		f.Verdict, f.Found = x.overdue(), "sessions are past their deadline and were not told so: "+some(names)
		f.Advice = "a server that runs does so within a second; its log says why not (\"expire sessions\")"
	}
	return f, err
}

// endpoints: those that receive nothing.
func (x *examiner) endpoints(ctx context.Context) (Finding, error) {
	f := Finding{Check: "endpoints", Verdict: AllRight}
	all, err := x.Endpoints(ctx, "")
	if err != nil {
		return f, err
	}
	f.Found = fmt.Sprintf("%d are enabled, and none does nothing but fail", len(all))
	var off, failing, given []string
	for _, e := range all {
		switch {
		case e.Disabled != "":
			given = append(given, fmt.Sprintf("%s of %s was disabled: %s", e.ID, e.Game, e.Disabled))
		case !e.Enabled:
			off = append(off, string(e.ID))
		case !e.FailingSince.IsZero() && x.now().Sub(e.FailingSince) > stuckAfter:
			failing = append(failing, fmt.Sprintf("%s of %s has only failed since %s", e.ID, e.Game, e.FailingSince.UTC().Format(time.RFC3339)))
		}
	}
	switch {
	case len(given)+len(failing) > 0:
		f.Verdict, f.Found = Trouble, some(append(given, failing...))
		f.Advice = "coinslot webhooks test ID shows what the receiver answers; once it is well: coinslot webhooks update ID --enable"
	case len(off) > 0:
		f.Verdict, f.Found = Noted, "disabled by hand, and keeping what they are not sent: "+some(off)
	}
	return f, nil
}

// mostExhausted is up to where the deliveries that failed for good are counted.
const mostExhausted = 1000

// deliveries: those that were given up.
func (x *examiner) deliveries(ctx context.Context) (Finding, error) {
	f := Finding{Check: "deliveries", Verdict: AllRight, Found: "none was given up"}
	all, err := x.Endpoints(ctx, "")
	if err != nil {
		return f, err
	}
	var given []string
	for _, e := range all {
		page, err := view(ctx, x.store, func(r store.Reader) (store.Deliveries, error) {
			return r.Deliveries(store.DeliveryQuery{Endpoint: e.ID, Status: pay.DeliveryExhausted, Limit: mostExhausted})
		})
		if err != nil && !absent(err) { // it was deleted meanwhile
			return f, err
		}
		if n := len(page.Rows); n > 0 {
			more := ""
			if page.Next != 0 {
				more = " or more"
			}
			given = append(given, fmt.Sprintf("%d%s to %s", n, more, e.ID))
		}
	}
	if len(given) > 0 {
		f.Verdict, f.Found = Trouble, "given up after every attempt had failed: "+some(given)
		f.Advice = "once the receiver is well: coinslot webhooks recover ID"
	}
	return f, nil
}

// waiting: deliveries that are due are being made.
func (x *examiner) waiting(ctx context.Context) (Finding, error) {
	f := Finding{Check: "webhooks", Verdict: AllRight, Found: "nothing that is due waits for long"}
	due, err := x.store.NextDue(ctx)
	if absent(err) {
		return f, nil
	}
	if late := x.now().Sub(due); err == nil && late > stuckAfter {
		f.Verdict, f.Found = x.overdue(), "events wait to be delivered since "+due.UTC().Format(time.RFC3339)
		f.Advice = "the receiver is slower than what happens, or has just been enabled again: coinslot webhooks list, coinslot webhooks deliveries ID --status pending"
	}
	return f, err
}

// walk goes through all of a list that is read in parts, each after an id.
func walk[T any, ID ~string](ctx context.Context, s *Service, list func(store.Reader, ID, int) ([]T, error), id func(T) ID, do func(T)) error {
	for after := ID(""); ; {
		batch, err := view(ctx, s.store, func(r store.Reader) ([]T, error) { return list(r, after, upkeepBatch) })
		if err != nil || len(batch) == 0 {
			return err
		}
		for _, row := range batch {
			do(row)
		}
		after = id(batch[len(batch)-1])
	}
}
