package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
)

// Verdict is how much a finding matters.
type Verdict string

// The verdicts.
const (
	AllRight Verdict = "ok"
	Noted    Verdict = "note"    // worth knowing; nothing is broken
	Trouble  Verdict = "trouble" // somebody must do something
)

// Finding is what one check has found.
type Finding struct {
	Check   string
	Verdict Verdict
	Found   string // what is
	Advice  string // what to do; empty where nothing is to be done
}

// Examination is how thoroughly all is looked at.
type Examination struct {
	Quick   bool // what takes as long as all that is stored is left out
	Stopped bool // no server runs on the store: nobody does what is due

	Tell     func(Finding) error // what a check has found
	Progress func(sessions, of int64) error
}

// When what is under way has been so for too long.
const (
	stuckAfter   = 10 * time.Minute
	refundSlow   = 24 * time.Hour
	refundStuck  = 7 * 24 * time.Hour
	clockSlack   = time.Minute // between machines
	mostExamples = 3
	examineBatch = 100
)

// Examine checks all that is stored against itself and the clock, and changes nothing. It
// tells one finding for each check. An error is one of the store or of Tell: no finding.
func (s *Service) Examine(ctx context.Context, e Examination) error {
	x := &examiner{Service: s, Examination: e}
	checks := []func(context.Context) (Finding, error){x.schema, x.counters, x.sessions, x.payments, x.intents, x.late, x.refunds, x.expiries, x.endpoints, x.deliveries, x.waiting, x.key, x.clock}
	for _, check := range checks {
		found, err := check(ctx)
		if err != nil {
			return err
		}
		if found.Check == "" {
			continue // it was left out
		}
		if err := e.Tell(found); err != nil {
			return err
		}
	}
	return nil
}

type examiner struct {
	*Service
	Examination
	total int64 // sessions, once they are counted
}

// overdue is the verdict on what should have been done by a server that runs.
func (x *examiner) overdue() Verdict {
	if x.Stopped {
		return Noted
	}
	return Trouble
}

func (x *examiner) schema(ctx context.Context) (Finding, error) {
	f := Finding{Check: "database", Verdict: AllRight}
	engine, ok := x.store.(store.Inspector)
	if !ok {
		f.Found = "the store's own tools look after it"
		return f, nil
	}
	found, err := engine.Inspect(ctx, x.Quick)
	if err != nil {
		return f, fmt.Errorf("inspect the database: %w", err)
	}
	f.Found = fmt.Sprintf("schema version %d, as this program makes it", found.Schema)
	switch {
	case len(found.Damage) > 0:
		f.Verdict, f.Found = Trouble, "damaged: "+some(found.Damage)
		f.Advice = "stop the server, keep the files as they are, and restore a backup: coinslot restore"
	case found.Schema != found.Known:
		f.Verdict, f.Found = Trouble, fmt.Sprintf("schema version %d, and this program's is %d", found.Schema, found.Known)
		f.Advice = "run the server and this command from the same release"
	case len(found.Wrong) > 0:
		f.Verdict, f.Found = Trouble, "the schema was changed by hand: "+some(found.Wrong)
		f.Advice = "put back what is missing, or restore a backup: what the schema enforces is not enforced now"
	case len(found.Foreign) > 0:
		f.Verdict, f.Found = Noted, "somebody else has put something into the database: "+some(found.Foreign)
	case found.Pages:
		f.Found += "; every page can be read"
	}
	return f, nil
}

// counters: what lists say that they have is what they have.
func (x *examiner) counters(ctx context.Context) (Finding, error) {
	f := Finding{Check: "counters", Verdict: AllRight}
	if x.Quick {
		return Finding{}, nil
	}
	games, err := x.Games(ctx)
	if err != nil {
		return f, err
	}
	places := []pay.GameID{""}
	for _, g := range games {
		places = append(places, g.ID)
	}
	lists := 0
	var wrong []string
	for _, env := range []pay.Environment{pay.Sandbox, pay.Production} {
		for _, game := range places {
			counts, err := view(ctx, x.store, func(r store.Reader) ([]store.Count, error) { return r.Counts(env, game) })
			if err != nil {
				return f, err
			}
			lists += len(counts)
			for _, c := range counts {
				if c.List == "sessions" {
					x.total += c.Counted
				}
				if c.Kept != c.Counted || c.Off > 0 {
					wrong = append(wrong, fmt.Sprintf("%s of %s in %s: the total is %d, there are %d, and %d parts are off", c.List, gameOrAll(game), env, c.Kept, c.Counted, c.Off))
				}
			}
		}
	}
	f.Found = fmt.Sprintf("%d lists have as many rows as they say", lists)
	if len(wrong) > 0 {
		f.Verdict, f.Found = Trouble, fmt.Sprintf("%d of %d lists are miscounted: %s", len(wrong), lists, some(wrong))
		f.Advice = "something other than Coinslot wrote to the database; no sale is lost by it, but totals and pages of these lists are wrong: report it, with the newest backup that is right"
	}
	return f, nil
}

func gameOrAll(game pay.GameID) string {
	if game == "" {
		return "all games"
	}
	return string(game)
}

// some is a few of a list, and how many more there are.
func some(all []string) string {
	if len(all) <= mostExamples {
		return strings.Join(all, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(all[:mostExamples], "; "), len(all)-mostExamples)
}

// clock: nothing has happened later than now.
func (x *examiner) clock(ctx context.Context) (Finding, error) {
	now := x.now()
	f := Finding{Check: "clock", Verdict: AllRight, Found: "it is " + now.UTC().Format(time.RFC3339) + " here, later than all that has happened"}
	for _, env := range []pay.Environment{pay.Sandbox, pay.Production} {
		latest, err := view(ctx, x.store, func(r store.Reader) (at time.Time, err error) {
			last, err := r.LatestEvent(env, "")
			if err != nil || last == 0 {
				return at, err
			}
			feed, err := r.Events(store.EventQuery{Environment: env, After: max(0, last-examineBatch), Limit: examineBatch})
			for _, e := range feed.Rows {
				if e.At.After(at) && e.Type != pay.SessionExpiredEvent { // which is of its deadline
					at = e.At
				}
			}
			return at, err
		})
		if err != nil {
			return f, err
		}
		if ahead := latest.Sub(now); ahead > clockSlack {
			f.Verdict, f.Found = Trouble, fmt.Sprintf("it is %s here, but the latest events in %s are of %s", now.UTC().Format(time.RFC3339), env, latest.UTC().Format(time.RFC3339))
			f.Advice = "set the clock right and keep it so (chrony, systemd-timesyncd): deadlines and retries go by it"
		}
	}
	return f, nil
}

// key: what is sealed in the database can be opened.
func (x *examiner) key(ctx context.Context) (Finding, error) {
	f := Finding{Check: "key", Verdict: AllRight}
	endpoints, err := x.Endpoints(ctx, "")
	if err != nil {
		return f, err
	}
	games, err := x.Games(ctx)
	if err != nil {
		return f, err
	}
	for _, g := range games {
		if len(g.ConfirmSecret) > 0 {
			endpoints = append(endpoints, g.ConfirmEndpoint(pay.Sandbox))
		}
	}
	opened, now := 0, x.now()
	var shut []string
	for _, e := range endpoints {
		for _, secret := range e.Secrets {
			if !secret.ExpiresAt.IsZero() && !now.Before(secret.ExpiresAt) {
				continue
			}
			if err := x.secrets.Check(e.ID, secret.Sealed); err != nil {
				shut = append(shut, string(e.ID))
				continue
			}
			opened++
		}
	}
	f.Found = fmt.Sprintf("secret.key opens all %d secrets that are in use", opened)
	if opened+len(shut) == 0 {
		f.Found = "no secret is stored yet that secret.key must open"
	}
	if len(shut) > 0 {
		f.Verdict, f.Found = Trouble, fmt.Sprintf("secret.key does not open %d of %d stored secrets: %s", len(shut), len(shut)+opened, some(shut))
		f.Advice = "put back the secret.key of this database and start the server again; if it is lost, make new secrets (coinslot webhooks rotate-secret ID, games rotate-confirm-secret ID) and give them to the receivers"
	}
	return f, nil
}

// absent says whether a store has said that there is none.
func absent(err error) bool { return errors.Is(err, store.ErrNotFound) }
