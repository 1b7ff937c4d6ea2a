package torture

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	payv1 "github.com/coinslot/coinslot/gen/pay/v1"
	"github.com/coinslot/coinslot/internal/clock"
	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/provider/sandbox"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/postgres"
	"github.com/coinslot/coinslot/internal/store/sqlite"
	"github.com/coinslot/coinslot/internal/vault"
)

// Truth is what is so once the dust has settled.
type Truth struct {
	Accounts map[string]*Account // by session
	Totals   []Total
	Ledger   []Entry
}

// Account is all there is about one session, from every side. A side that does not
// know of it is zero.
type Account struct {
	Listed *payv1.Session               // by ListSessions
	Shown  *adminv1.ShowSessionResponse // by ShowSession

	Row      pay.Session // in the database, as all below
	Payments []pay.Payment
	Refunds  []pay.Refund
	Events   []pay.Event
}

// Total is what a list claims to be its length, and what it is.
type Total struct {
	Game, Status string // an empty status is any
	Told, Listed int
}

// Entry is a payment in the provider's books. It is read here anew, so that a
// change of the provider's own reading cannot hide anything.
type Entry struct {
	Payment  string
	Session  string
	Amount   int64
	Currency string
	State    string
	Refunds  []Booking
	History  []Step
}

// Booking is a refund in the provider's books.
type Booking struct {
	ID     string
	Amount int64
}

// Step is one thing that the provider did with a payment.
type Step struct {
	Did    string
	Refund string // the one that it is of; empty: none
}

// Taken is how often the payment's money was taken.
func (e Entry) Taken() (n int) {
	for _, step := range e.History {
		if step.Did == "taken" {
			n++
		}
	}
	return n
}

// Returned is how often the money of a refund was returned.
func (e Entry) Returned(refund string) (n int) {
	for _, step := range e.History {
		if step.Did == "returned" && step.Refund == refund {
			n++
		}
	}
	return n
}

// account finds a session's account or opens one.
func (t *Truth) account(session string) *Account {
	if t.Accounts == nil {
		t.Accounts = map[string]*Account{}
	}
	if t.Accounts[session] == nil {
		t.Accounts[session] = &Account{}
	}
	return t.Accounts[session]
}

// events are the ids of all events that the API shows.
func (t *Truth) events() (ids []string) {
	for _, a := range t.Accounts {
		for _, e := range a.Shown.GetEvents() {
			ids = append(ids, e.GetId())
		}
	}
	return ids
}

// sessionStatuses are those that lists are narrowed to; empty is any.
var sessionStatuses = []string{"", "pending", "paid", "failed", "cancelled", "expired"}

// readAPI reads all that the server has to tell, by the ways that a caller has.
func (r *run) readAPI(ctx context.Context, server *process) (t Truth, err error) {
	api := dial(server, r.key, 0, answerWithin)
	for _, game := range games {
		for _, status := range sessionStatuses {
			if err := t.list(ctx, api, game, status); err != nil {
				return t, err
			}
		}
	}
	for id, a := range t.Accounts {
		if a.Shown, err = api.admin.ShowSession(ctx, &adminv1.ShowSessionRequest{Id: id}); err != nil {
			return t, fmt.Errorf("show %s: %w", id, err)
		}
	}
	return t, nil
}

// list walks through one list by its cursor.
func (t *Truth) list(ctx context.Context, api api, game, status string) error {
	req := &payv1.ListSessionsRequest{GameId: game, Limit: proto.Int32(100)}
	if status != "" {
		req.Status = &status
	}
	total := Total{Game: game, Status: status}
	for {
		page, err := api.game.ListSessions(ctx, req)
		if err != nil {
			return fmt.Errorf("list the %s sessions of %s: %w", status, game, err)
		}
		total.Told = int(page.GetTotal())
		total.Listed += len(page.GetSessions())
		for _, s := range page.GetSessions() {
			t.account(s.GetId()).Listed = s
		}
		if !page.GetHasMore() {
			t.Totals = append(t.Totals, total)
			return nil
		}
		req.Cursor = page.NextCursor
	}
}

// readFiles reads what is on the disk once the server has gone.
func (r *run) readFiles(ctx context.Context, t *Truth) (err error) {
	s, _, closeAll, err := r.openFiles(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAll()) }()
	for _, game := range games {
		if err := t.readRows(ctx, s, pay.GameID(game)); err != nil {
			return fmt.Errorf("read the rows of %s: %w", game, err)
		}
	}
	t.Ledger, err = r.readLedger(ctx)
	return err
}

// openFiles opens what the server kept, once it has gone: nobody else is at it.
func (p Program) openFiles(ctx context.Context) (_ store.Store, _ sandbox.Ledger, closeAll func() error, err error) {
	if p.Database != "" {
		s, err := postgres.Open(ctx, p.Database, postgres.Options{Alone: true})
		if err != nil {
			return nil, nil, nil, err
		}
		return s, s.Ledger(), s.Close, nil
	}
	s, err := sqlite.Open(ctx, p.database(), sqlite.Options{})
	if err != nil {
		return nil, nil, nil, err
	}
	ledger, err := sqlite.OpenLedger(p.ledger())
	if err != nil {
		return nil, nil, nil, errors.Join(err, s.Close())
	}
	return s, ledger, func() error { return errors.Join(s.Close(), ledger.Close()) }, nil
}

// ahead is by how much the clock is set ahead to finish what takes its time: more than a
// lease and a first retry of a webhook, and more than a refund is pending.
const ahead = time.Minute

// finishRest has the product itself, with its clock set ahead, end the refunds that are
// pending and deliver what still waits. A server that is killed keeps what it was sending
// for the rest of its lease, and nobody wants to wait for that.
func (r *run) finishRest(ctx context.Context) (err error) {
	s, ledger, closeAll, err := r.openFiles(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAll()) }()
	keys, err := vault.Open(r.vault())
	if err != nil {
		return err
	}
	whole, err := installation.New(ctx, installation.Options{
		Store: s, Ledger: ledger, Vault: keys, AdminToken: "of nobody", PublicURL: publicURL,
		Logger: slog.New(slog.DiscardHandler), Clock: clock.New(ahead),
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { whole.Run(ctx) })
	defer running.Wait()
	defer stop()
	return eventually(ctx, "payments are in doubt, refunds are pending, the provider has news, or webhooks wait", func() (bool, error) {
		news, err := ledger.Keys(ctx, "due ", 1)
		if err != nil || len(news) > 0 {
			return false, err
		}
		return nothingWaits(ctx, s)
	})
}

// nothingWaits says whether no payment is in doubt, no refund is pending, no late money is owed
// and no webhook waits. In this order: what ends a payment or a refund writes the webhooks that tell of it.
func nothingWaits(ctx context.Context, s store.Store) (bool, error) {
	waits := 0
	err := s.View(ctx, func(tx store.Reader) error {
		pending, errRefunds := tx.PendingRefunds("", 1)
		processing, errProcessing := tx.LivePayments(pay.PaymentProcessing, time.Now().AddDate(1, 0, 0), "", 1)
		asked, errAsked := tx.AskedPayments("", 1)
		intended, errIntended := tx.IntendedPayments("", 1)
		owed, errOwed := tx.OwedPayments("", 1)
		waits = len(pending) + len(processing) + len(asked) + len(intended) + len(owed)
		return errors.Join(errRefunds, errProcessing, errAsked, errIntended, errOwed)
	})
	if err != nil || waits > 0 {
		return false, err
	}
	if _, err = s.NextDue(ctx); errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	return false, err
}

// readRows reads everything that the database has of a game.
func (t *Truth) readRows(ctx context.Context, s store.Store, game pay.GameID) error {
	return s.View(ctx, func(r store.Reader) error {
		q := store.SessionQuery{Environment: pay.Sandbox, Game: game, Window: store.Window{Limit: 1000}}
		for {
			page, err := r.Sessions(q)
			if err != nil {
				return err
			}
			for _, row := range page.Rows {
				a := t.account(string(row.ID))
				a.Row = row
				var errPayments, errRefunds, errEvents error
				a.Payments, errPayments = r.SessionPayments(row.ID)
				a.Refunds, errRefunds = r.SessionRefunds(row.ID)
				a.Events, errEvents = r.SessionEvents(row.ID)
				if err := errors.Join(errPayments, errRefunds, errEvents); err != nil {
					return err
				}
				q.After = string(row.ID)
			}
			if !page.More {
				return nil
			}
		}
	})
}

// readLedger reads the provider's books, those of payments that nobody else knows among them.
func (p Program) readLedger(ctx context.Context) (all []Entry, err error) {
	driver, source := "sqlite", (&url.URL{Scheme: "file", Path: p.ledger()}).String()
	if p.Database != "" {
		driver, source = "pgx", p.Database
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, `SELECT value FROM ledger WHERE substr(key, 1, 4) = 'pay_' ORDER BY key`)
	if err != nil {
		return nil, fmt.Errorf("read the provider's books: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var raw []byte
		var e Entry
		if err := rows.Scan(&raw); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(raw, &e); err != nil {
			return nil, fmt.Errorf("read the provider's books: %w", err)
		}
		all = append(all, e)
	}
	return all, rows.Err()
}
