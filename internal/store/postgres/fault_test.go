package postgres_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/postgres"
	"github.com/coinslot/coinslot/test/postgrestest"
)

// A server that crashes takes nothing with it that was acknowledged, and the store finds it
// again by itself.
func TestACrashOfTheServerLosesNothingThatWasAcknowledged(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	s := open(t, server.URL())
	var mu sync.Mutex
	var kept []pay.SessionID
	for round := range 3 {
		var all sync.WaitGroup
		for i := range 32 { // more than are written at a time, so that groups break off too
			all.Go(func() {
				for n := range 1000 {
					c := order(t, round*100_000+i*1000+n)
					_, err := create(t.Context(), s, c, "")
					if err == nil {
						mu.Lock()
						kept = append(kept, c.Session.ID)
						mu.Unlock()
						continue
					}
					if !errors.Is(err, store.ErrUnavailable) {
						t.Errorf("a crash is told as %v", err)
					}
					return
				}
			})
		}
		time.Sleep(50 * time.Millisecond) // of work that the crash falls into
		server.Kill()
		if err := s.Check(t.Context()); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("without a server it is ready: %v", err)
		}
		if err := s.View(t.Context(), func(r store.Reader) error { _, err := r.Games(); return err }); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("without a server it reads: %v", err)
		}
		all.Wait()
		if err := server.Restart(); err != nil {
			t.Fatal(err)
		}
		if err := s.Check(t.Context()); err != nil {
			t.Errorf("with the server it is not ready: %v", err)
		}
	}
	if len(kept) == 0 {
		t.Fatal("nothing was acknowledged")
	}
	for _, id := range kept {
		if err := s.View(t.Context(), func(r store.Reader) error { _, err := r.Session(id); return err }); err != nil {
			t.Fatalf("%s was acknowledged: %v", id, err)
		}
	}
	eventually(t, s, "the feed has all events", func() bool {
		var seen int
		after := int64(0)
		for more := true; more; {
			if err := s.View(t.Context(), func(r store.Reader) error {
				page, err := r.Events(store.EventQuery{Environment: pay.Sandbox, After: after, Limit: 1000})
				seen, after, more = seen+len(page.Rows), page.Next, page.More
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		return int64(seen) == total(t, s) && seen >= len(kept)
	})
}

// A server that became a standby, or is told to let nobody write, is not ready.
func TestWhereNobodyMayWriteNothingIsReady(t *testing.T) {
	t.Parallel()
	url := postgrestest.URL(t)
	s, c := open(t, url), connect(t, url)
	id := sellOne(t, s, 1)
	set := func(how string) {
		if _, err := c.Exec(t.Context(), `DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET default_transaction_read_only = `+how+`'; END $$`); err != nil {
			t.Fatal(err)
		}
		cutOff(t, url)
	}
	set("on")
	if err := s.Check(t.Context()); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a standby is ready: %v", err)
	}
	c = connect(t, url)
	if _, err := c.Exec(t.Context(), `SET default_transaction_read_only = off`); err != nil {
		t.Fatal(err)
	}
	set("off")
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("the primary is not ready: %v", err)
	}
	if err := s.View(t.Context(), func(r store.Reader) error { _, err := r.Session(id); return err }); err != nil {
		t.Error(err)
	}
}

// A server that gave up waiting for its synchronous standby says that it has committed,
// but would lose that with itself.
func TestACommitThatNoStandbyHasIsNotAcknowledged(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	s, c := open(t, server.URL()+"&statement_timeout=300"), connect(t, server.URL())
	sellOne(t, s, 1)
	reload := func(standbys string) {
		for _, text := range []string{`SET synchronous_commit = local`, `ALTER SYSTEM SET synchronous_standby_names = '` + standbys + `'`, `SELECT pg_reload_conf()`} {
			if _, err := c.Exec(t.Context(), text); err != nil {
				t.Fatal(err)
			}
		}
	}
	reload("nobody")
	tries := 1
	for ; tries < 100; tries++ { // the server reads its settings when it comes to it
		_, err := create(t.Context(), s, order(t, 1+tries), "")
		if errors.Is(err, store.ErrUnavailable) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if tries == 100 {
		t.Error("what no standby has was acknowledged")
	}
	reload("")
}

// Those who come after the server was away for a moment do not find out one by one that
// their connections are broken.
func TestBrokenConnectionsAreFoundBeforeTheyAreUsed(t *testing.T) {
	t.Parallel()
	url := postgrestest.URL(t)
	s := open(t, url)
	var opened sync.WaitGroup
	var together sync.WaitGroup
	together.Add(8)
	for range 8 {
		opened.Go(func() {
			if err := s.View(t.Context(), func(r store.Reader) error {
				_, err := r.Games()
				together.Done()
				together.Wait() // so that each has a connection of its own
				return err
			}); err != nil {
				t.Error(err)
			}
		})
	}
	opened.Wait()
	cutOff(t, url)
	for n := range 20 {
		sellOne(t, s, n)
	}
}

// cutOff ends all connections of the store.
func cutOff(t *testing.T, url string) {
	t.Helper()
	if _, err := connect(t, url).Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'coinslot%'`); err != nil {
		t.Fatal(err)
	}
}

func TestAConnectionThatBreaksInAnUpdateIsTold(t *testing.T) {
	t.Parallel()
	url := postgrestest.URL(t)
	s := open(t, url)
	c := order(t, 1)
	err := s.Update(t.Context(), c.Session.ID, func(tx store.Tx) error {
		session := *c.Session
		if err := tx.Apply(pay.Change{Session: &session, Events: c.Events}); err != nil {
			return err
		}
		if _, err := tx.Session(session.ID); err != nil {
			return err
		}
		cutOff(t, url)
		return nil
	})
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	if n := total(t, s); n != 0 {
		t.Errorf("%d sessions", n)
	}
	sellOne(t, s, 2)
}

// Servers that start at once on an empty database wait for the one that migrates.
func TestServersThatStartAtOnceMigrateOnce(t *testing.T) {
	t.Parallel()
	url := postgrestest.EmptyURL(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			s, err := postgres.Open(t.Context(), url, postgres.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			s.Close()
		})
	}
	all.Wait()
	v, err := postgres.SchemaOf(t.Context(), url)
	if err != nil || v.Has != v.Knows {
		t.Error(v, err)
	}
	if _, err := connect(t, url).Exec(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, true)`); err != nil {
		t.Fatal(err)
	}
	if _, err := postgres.Open(t.Context(), url, postgres.Options{}); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("got %v", err)
	}
}

// Somebody else's database may be asked by mistake.
func TestToAskForTheSchemaWritesNothing(t *testing.T) {
	t.Parallel()
	url := postgrestest.EmptyURL(t)
	if v, err := postgres.SchemaOf(t.Context(), url); err != nil || v.Has != 0 || v.Knows == 0 {
		t.Error(v, err)
	}
	var tables int
	if err := connect(t, url).QueryRow(t.Context(), `SELECT COUNT(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace`).Scan(&tables); err != nil || tables > 0 {
		t.Errorf("%d tables are there now, %v", tables, err)
	}
}

func TestAURLThatCannotBeUnderstoodIsRefusedWithoutRepeatingIt(t *testing.T) {
	for _, url := range []string{"postgres://u:hunter2@h:port/d", "postgres://u:a@hunter2@h/d", "postgres://u:a@hunter2#b@h/d", "postgres://u:hunter2@h/d?sslmode=perhaps", "postgres://u:hunter2@127.0.0.1:1/d?connect_timeout=1"} {
		_, err := postgres.Open(context.Background(), url, postgres.Options{})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// What the schema refuses, whoever writes it.
func TestTheSchemaItselfKeepsRefundsWithinWhatWasPaid(t *testing.T) {
	t.Parallel()
	c := connect(t, postgrestest.URL(t))
	payment := func(id, status string) string {
		return `INSERT INTO payments (id, session, environment, game, user_id, status, amount, currency, method, title, card_brand, card_last4, reference,
			failure_code, failure_message, refunded, intent, created_at, authorized_at, cancelled_at, succeeded_at, failed_at, refunded_at, version)
			VALUES ('` + id + `', '` + strings.Replace(id, "pay", "sess", 1) + `', 'sandbox', 'g', 'u', '` + status + `', 499, 'USD', 'card', '', '', '', '', '', '', 0, '', 1, 0, 0, 0, 0, 0, 1)`
	}
	session := func(id string) string {
		return `INSERT INTO sessions (id, environment, game, user_id, status, title, amount, currency, image, country, return_url, cancel_url, order_id, locale,
			metadata, attempts, capture, payment, live, spent, created_at, expires_at, paid_at, failed_at, cancelled_at, expired_at, sequence, version)
			VALUES ('` + id + `', 'sandbox', 'g', 'u', 'paid', '', 499, 'USD', '', '', '', '', '', '', '', 1, 'automatic', '', 0, 0, 1, 9, 0, 0, 0, 0, 1, 1)`
	}
	refund := func(id, payment, status, amount string) string {
		return `INSERT INTO refunds (id, payment, session, environment, game, user_id, status, amount, currency, reason, reference, failure_code, failure_message,
			created_at, succeeded_at, failed_at, cancelled_at, version)
			VALUES ('` + id + `', '` + payment + `', '` + strings.Replace(payment, "pay", "sess", 1) + `', 'sandbox', 'g', 'u', '` + status + `', ` + amount + `, 'USD', '', '', '', '', 1, 0, 0, 0, 1)`
	}
	for _, text := range []string{
		session("sess_1"), session("sess_2"), session("sess_3"), payment("pay_1", "succeeded"), payment("pay_2", "failed"), payment("pay_3", "processing"),
		refund("ref_pending", "pay_1", "pending", "100"), refund("ref_done", "pay_1", "pending", "200"), refund("ref_failed", "pay_1", "pending", "150"),
		`UPDATE refunds SET status = 'succeeded' WHERE id = 'ref_done'`, `UPDATE refunds SET status = 'failed' WHERE id = 'ref_failed'`,
	} {
		if _, err := c.Exec(t.Context(), text); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
	}
	for name, text := range map[string]string{
		"more than is left":                 refund("ref_x", "pay_1", "pending", "200"),
		"of a payment that failed":          refund("ref_x", "pay_2", "pending", "1"),
		"of no payment":                     refund("ref_x", "pay_9", "pending", "1"),
		"none":                              refund("ref_x", "pay_1", "pending", "0"),
		"the same twice":                    refund("ref_done", "pay_1", "pending", "1"),
		"one that failed is done":           `UPDATE refunds SET status = 'succeeded' WHERE id = 'ref_failed'`,
		"one that is done is pending again": `UPDATE refunds SET status = 'pending' WHERE id = 'ref_done'`,
		"one that grows":                    `UPDATE refunds SET amount = 101 WHERE id = 'ref_pending'`,
		"one that goes":                     `DELETE FROM refunds WHERE id = 'ref_failed'`,
		"all that go":                       `DELETE FROM refunds`,
		"sums of its own":                   `UPDATE payments SET reserved = 0, refunded = 0 WHERE id = 'pay_1'`,
		"a reserved sum of its own":         `UPDATE payments SET reserved = reserved - 100 WHERE id = 'pay_1'`,
		"a payment that took more":          `UPDATE payments SET amount = 5000 WHERE id = 'pay_1'`,
		"a payment in another currency":     `UPDATE payments SET currency = 'JPY' WHERE id = 'pay_1'`,
		"a payment that never succeeded":    `UPDATE payments SET status = 'failed' WHERE id = 'pay_1'`,
		"a second success":                  strings.Replace(payment("pay_4", "succeeded"), "sess_4", "sess_1", 1),
		"a second live payment":             strings.Replace(payment("pay_4", "authorized"), "sess_4", "sess_3", 1),
	} {
		if _, err := c.Exec(t.Context(), text); err == nil {
			t.Errorf("the schema lets through: %s", name)
		}
	}
	var refunded, reserved int
	if err := c.QueryRow(t.Context(), `SELECT refunded, reserved FROM payments WHERE id = 'pay_1'`).Scan(&refunded, &reserved); err != nil || refunded != 200 || reserved != 300 {
		t.Errorf("refunded %d, reserved %d, %v", refunded, reserved, err)
	}
	if _, err := c.Exec(t.Context(), refund("ref_rest", "pay_1", "pending", "199")); err != nil {
		t.Error(err) // what is left is let through
	}
}
