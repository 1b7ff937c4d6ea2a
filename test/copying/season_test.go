package copying

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/coinslot/coinslot/internal/clock"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/rpc"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/sqlite"
	"github.com/coinslot/coinslot/internal/vault"
	"github.com/coinslot/coinslot/internal/webhook"
)

// season is what a game sells in some weeks, written by the store's own code: 4 of 5 players
// pay, a tenth of them at the second try; some refunds, and webhooks of what was paid.
type season struct {
	testing.TB
	dir    string
	store  store.Store
	at     time.Time
	every  time.Duration // between two sessions
	chance *rand.Rand
	write  rpc.Converter
	game   pay.Game
	books  []bookEntry
}

// bookEntry is what the sandbox's books have of a payment.
type bookEntry struct{ key, value string }

// makeSeason makes the files of an installation that has stopped.
func makeSeason(t testing.TB, dir string, sessions int) {
	t.Helper()
	s := &season{TB: t, dir: dir, every: 2 * time.Second, chance: rand.New(rand.NewPCG(1, 2)), game: pay.Game{ID: "space_shooter", Name: "Space Shooter", Attempts: 3}.WithDefaults()}
	s.at = pay.Clock(time.Now().Add(-time.Duration(sessions)*s.every - 2*time.Hour))
	s.write = rpc.Converter{
		PageURL:  func(id pay.SessionID) string { return "https://pay.example.com/pay/" + string(id) },
		ImageURL: func(n pay.ImageName) string { return "https://pay.example.com/images/" + string(n) },
	}
	key, err := vault.Open(filepath.Join(dir, "secret.key"))
	s.must(err)
	s.store, err = sqlite.Open(t.Context(), filepath.Join(dir, "coinslot.db"), sqlite.Options{})
	s.must(err)
	ledger, err := sqlite.OpenLedger(filepath.Join(dir, "sandbox.db"))
	s.must(err)
	s.must(ledger.Close())
	service, err := gateway.New(t.Context(), gateway.Options{Store: s.store, Secrets: webhook.NewSecrets(key), Clock: clock.Reading(func() time.Time { return s.at })})
	s.must(err)
	_, err = service.CreateGame(t.Context(), s.game)
	s.must(err)
	_, _, err = service.CreateKey(t.Context(), pay.Key{Environment: pay.Sandbox, Game: s.game.ID})
	s.must(err)
	endpoint, _, err := service.CreateEndpoint(t.Context(), pay.Endpoint{Environment: pay.Sandbox, Game: s.game.ID,
		URL: "http://localhost:1/", Types: []pay.EventType{pay.SessionPaidEvent, pay.RefundSucceededEvent}})
	s.must(err)
	gone, _, err := service.CreateEndpoint(t.Context(), pay.Endpoint{Environment: pay.Sandbox, Game: s.game.ID, URL: "http://localhost:2/"})
	s.must(err)
	s.must(service.DeleteEndpoint(t.Context(), gone.ID)) // whose number is never used again
	const together = 500
	for made := 0; made < sessions; made += together {
		s.must(s.store.Update(t.Context(), "sess_0", func(tx store.Tx) error {
			for n := made; n < min(made+together, sessions); n++ {
				s.at = s.at.Add(s.every)
				s.sell(tx, n, sessions)
			}
			return nil
		}))
		if made%100_000 == 0 {
			s.saveBooks()
			t.Logf("%d of %d sessions", made, sessions)
		}
	}
	s.saveBooks()
	s.must(s.store.Configure(t.Context(), func(to store.Settings) error {
		return to.PutImage(pay.Image{Name: "0123", Type: "image/png", Data: []byte{0, 1, 255}})
	}))
	_, err = s.store.Acknowledge(t.Context(), store.Consumer{Environment: pay.Sandbox, Name: "books"}, store.Place{Position: 7, Cursor: "seven", At: s.at})
	s.must(err)
	s.deliver(endpoint.ID)
	s.must(s.store.Close())
}

func (s *season) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *season) entropy() (e pay.Entropy) {
	for i := range e {
		e[i] = byte(s.chance.Uint32())
	}
	return e
}

// apply writes a decision as the gateway does.
func (s *season) apply(tx store.Tx, c pay.Change, err error) pay.Change {
	s.Helper()
	s.must(err)
	for i := range c.Events {
		c.Events[i].Payload = s.write.Payload(c, c.Events[i])
	}
	s.must(tx.Apply(c))
	return c
}

// sell makes one session, and plays it to its end.
func (s *season) sell(tx store.Tx, n, of int) {
	id := pay.NewSessionID(s.at, s.entropy())
	order := fmt.Sprintf("order-%09d", n)
	c, err := pay.NewSession(id, pay.Sandbox, s.game, pay.Order{
		Game: s.game.ID, User: pay.UserID(fmt.Sprintf("player_%07d", s.chance.IntN(of/5+1))), OrderID: &order,
		Item:      &pay.ItemOrder{Title: "500 Gems – 🎮", Price: 499, Currency: "USD"},
		ReturnURL: "https://game.example.com/shop/thanks",
		Metadata:  &pay.Metadata{OfferID: "summer", Values: map[string]string{"level": "12"}},
	}, s.at)
	s.apply(tx, c, err)
	session := *c.Session
	if n > of-50_000 { // those of the last day are still remembered
		s.must(tx.Remember(store.Answer{Scope: store.Scope{Environment: pay.Sandbox, Game: s.game.ID, Method: "CreateSession"},
			Key: fmt.Sprintf("%032x", n), Result: string(id), ExpiresAt: s.at.Add(24 * time.Hour)}, s.at))
	}
	tries := 1
	switch fate := s.chance.IntN(100); {
	case fate < 5 && n > of-1000:
		return // pending
	case fate < 15:
		s.apply(tx, session.Expire(session.ExpiresAt.Add(time.Second)), nil)
		return
	case fate < 20:
		c, err := session.Cancel(s.at.Add(time.Minute))
		s.apply(tx, c, err)
		return
	case fate < 28:
		tries = 2
	}
	for try := 1; try <= tries; try++ {
		session = s.try(tx, session, s.at.Add(time.Duration(try)*time.Minute), try == tries)
	}
}

// try pays once, and sometimes returns the money.
func (s *season) try(tx store.Tx, session pay.Session, at time.Time, good bool) pay.Session {
	c, err := session.StartPayment(pay.NewPaymentID(at, s.entropy()), pay.MethodCard, pay.CardHint{Brand: "visa", Last4: "4242"}, at)
	c = s.apply(tx, c, err)
	outcome := pay.Outcome{Kind: pay.OutcomeSucceeded, Reference: "sandbox_" + string(c.Payment.ID)}
	if !good {
		outcome.Kind, outcome.Failure = pay.OutcomeFailed, &pay.Failure{Code: pay.CardDeclined, Message: "the card was declined"}
	}
	c = s.apply(tx, c.Session.Settle(*c.Payment, outcome, at.Add(time.Second)), nil)
	s.book(c.Payment, good)
	if good && s.chance.IntN(33) == 0 {
		amount := int64(100)
		r, err := c.Session.StartRefund(*c.Payment, pay.NewRefundID(at.Add(time.Hour), s.entropy()), pay.RefundOrder{Amount: &amount, Reason: "wrong item"}, at.Add(time.Hour))
		r = s.apply(tx, r, err)
		r = s.apply(tx, r.Session.SettleRefund(*r.Payment, *r.Refund, pay.RefundOutcome{Status: pay.RefundSucceeded, Reference: "sandbox_ref"}, at.Add(time.Hour+time.Second)), nil)
		return *r.Session
	}
	return *c.Session
}

// book notes what the sandbox would: its own writes are of one entry each.
func (s *season) book(p *pay.Payment, good bool) {
	state, did := "succeeded", "taken"
	if !good {
		state, did = "failed", "declined"
	}
	text, err := json.Marshal(map[string]any{"payment": p.ID, "session": p.Session, "amount": p.Amount.Amount, "currency": p.Amount.Currency,
		"method": p.Method, "capture": true, "state": state, "history": []any{map[string]string{"operation": "authorize", "did": did}}})
	s.must(err)
	s.books = append(s.books, bookEntry{string(p.ID), string(text)})
}

func (s *season) saveBooks() {
	db, err := sql.Open("sqlite", filepath.Join(s.dir, "sandbox.db"))
	s.must(err)
	defer db.Close()
	tx, err := db.Begin()
	s.must(err)
	insert, err := tx.Prepare(`INSERT INTO ledger (key, value) VALUES ($1, $2)`)
	s.must(err)
	for _, b := range s.books {
		_, err := insert.Exec(b.key, []byte(b.value))
		s.must(err)
	}
	s.must(tx.Commit())
	s.books = s.books[:0]
}

// deliver has the receiver take all but the last webhooks.
func (s *season) deliver(id pay.EndpointID) {
	now := pay.Clock(time.Now())
	for done := 0; ; {
		found, err := s.store.Claim(s.Context(), id, now, now.Add(time.Hour), 1000)
		s.must(err)
		var made []store.Outcome
		last := len(found) < 1000
		if last {
			found = found[:len(found)/2] // the rest stay under lease, as after a crash
		}
		for _, d := range found {
			made = append(made, store.Outcome{Attempt: pay.Attempt{Delivery: d.ID, Number: 1, At: d.Since, Duration: 12 * time.Millisecond, Status: 200, Answer: []byte("ok")}})
		}
		s.must(s.store.Record(s.Context(), made...))
		if last {
			return
		}
		if done += len(found); done%100_000 == 0 {
			s.Logf("%d webhooks", done)
		}
	}
}

// copyOf copies the files of an installation that has stopped.
func copyOf(t testing.TB, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}
