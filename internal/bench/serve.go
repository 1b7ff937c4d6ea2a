package bench

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider/sandbox"
	"github.com/coinslot/coinslot/internal/server"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/vault"
)

// Setup says what is to be served.
type Setup struct {
	Dir  string // for databases
	Full bool   // with a thousand and a million sessions

	Watch bool // nothing but the product as it is
}

// Target is a server that can be measured.
type Target struct {
	URL      string
	Key      string
	Session  string // one that is there
	Sessions int    // how many are there from the start
}

var game = pay.Game{ID: "space_shooter"}.WithDefaults()

// servers is what the process that serves has running.
type servers struct {
	open    OpenStore
	targets map[string]Target
	running sync.WaitGroup
	stores  []store.Store
}

// playServer serves until it is told nothing more.
func playServer(ctx context.Context, open OpenStore, lines *json.Decoder, answers *json.Encoder) (err error) {
	var setup Setup
	if err := lines.Decode(&setup); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	s := &servers{open: open, targets: map[string]Target{}}
	defer func() {
		stop()
		s.running.Wait()
		for _, opened := range s.stores {
			err = errors.Join(err, opened.Close())
		}
	}()
	if err := s.start(ctx, setup); err != nil {
		return err
	}
	if err := answers.Encode(s.targets); err != nil {
		return err
	}
	return settleAsTold(lines, answers)
}

func (s *servers) start(ctx context.Context, setup Setup) error {
	if setup.Watch {
		return s.durable(ctx, targetGrouped, setup.Dir, false, 1)
	}
	url, err := s.listen(http.HandlerFunc(echo))
	if err != nil {
		return err
	}
	s.targets[targetEcho] = Target{URL: url}
	if err := s.still(ctx); err != nil {
		return err
	}
	if err := s.durable(ctx, targetGrouped, setup.Dir, false, 1); err != nil {
		return err
	}
	if err := s.durable(ctx, targetSolo, setup.Dir, true, 1); err != nil {
		return err
	}
	if !setup.Full {
		return nil
	}
	return errors.Join(
		s.durable(ctx, targetThousand, setup.Dir, false, 1_000),
		s.durable(ctx, targetMillion, setup.Dir, false, 1_000_000),
	)
}

// echo answers with what it was sent: the least that an HTTP server can do.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}

// still serves an installation whose store does nothing: what a call costs before
// anything is stored or looked up.
func (s *servers) still(ctx context.Context) error {
	opened, text := newStillStore()
	whole, err := assemble(ctx, opened)
	if err != nil {
		return err
	}
	url, err := s.listen(whole)
	s.targets[targetStill] = Target{URL: url, Key: text, Session: string(opened.session.ID)}
	return err
}

// durable serves an installation on a file of its own, with sessions in it.
func (s *servers) durable(ctx context.Context, name, dir string, solo bool, sessions int) error {
	opened, err := s.open(ctx, filepath.Join(dir, name+".db"), solo)
	if err != nil {
		return err
	}
	s.stores = append(s.stores, opened)
	first, err := fill(ctx, opened, sessions)
	if err != nil {
		return fmt.Errorf("fill %s: %w", name, err)
	}
	whole, err := assemble(ctx, opened)
	if err != nil {
		return err
	}
	s.running.Go(func() { whole.Run(ctx) })
	if _, err := whole.Gateway.CreateGame(ctx, game); err != nil {
		return err
	}
	_, text, err := whole.Gateway.CreateKey(ctx, pay.Key{Environment: pay.Sandbox})
	if err != nil {
		return err
	}
	url, err := s.listen(whole)
	s.targets[name] = Target{URL: url, Key: text, Session: string(first), Sessions: sessions}
	return err
}

func assemble(ctx context.Context, opened store.Store) (*installation.Installation, error) {
	var master [vault.KeySize]byte
	_, _ = rand.Read(master[:])
	return installation.New(ctx, installation.Options{
		Store: opened, Ledger: sandbox.NewMemoryLedger(), Vault: vault.New(master), AdminToken: rand.Text(),
		PublicURL: "http://127.0.0.1", Logger: slog.New(slog.DiscardHandler),
	})
}

// listen serves a handler as the product does, on a free port, until the process ends.
func (s *servers) listen(handler http.Handler) (url string, err error) {
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() { _ = server.HTTP(handler, slog.New(slog.DiscardHandler)).Serve(door) }()
	return "http://" + door.Addr().String(), nil
}

// fillAtOnce is how many sessions one transaction stores. One session is the unit of
// consistency, but nobody else is here yet.
const fillAtOnce = 1_000

// fill stores sessions, and returns the id of one.
func fill(ctx context.Context, s store.Store, n int) (some pay.SessionID, err error) {
	for done := 0; done < n; done += fillAtOnce {
		batch := make([]pay.Change, min(fillAtOnce, n-done))
		for i := range batch {
			if batch[i], err = newSession(done + i); err != nil {
				return "", err
			}
		}
		some = batch[0].Session.ID
		if err := s.Update(ctx, some, func(tx store.Tx) error {
			for _, c := range batch {
				row := *c.Session
				c.Session = &row // it may run again
				if err := tx.Apply(c); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return "", err
		}
	}
	return some, nil
}

// newSession decides what the load's requests ask for.
func newSession(n int) (pay.Change, error) {
	now := pay.Clock(time.Now())
	var e pay.Entropy
	_, _ = rand.Read(e[:])
	c, err := pay.NewSession(pay.NewSessionID(now, e), pay.Sandbox, game, pay.Order{
		Game: game.ID, User: pay.UserID(userName(n)), ReturnURL: returnURL,
		Item: &pay.ItemOrder{Title: itemTitle, Price: itemPrice, Currency: itemCurrency},
	}, now)
	if err == nil {
		c.Events[0].Payload = make([]byte, payloadSize)
	}
	return c, err
}

// payloadSize is about what the event of such a session has.
const payloadSize = 700
