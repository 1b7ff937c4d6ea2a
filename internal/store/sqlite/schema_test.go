package sqlite_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/sqlstore"
)

// A database as a person with a SQL prompt has it: nothing of the product's own code
// stands between, and foreign keys are not looked at.
func openRaw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func mustExec(t *testing.T, db *sql.DB, text string) {
	t.Helper()
	if _, err := db.Exec(text); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

// insertPayment and insertRefund are plain rows. Of a payment its id, status and amount
// matter here, of a refund its id, payment, status and amount.
func insertPayment(id, status, amount string) string {
	return `INSERT INTO payments (id, session, environment, game, user_id, status, amount, currency, method, title, card_brand, card_last4,
		reference, failure_code, failure_message, refunded, intent, created_at, authorized_at, cancelled_at, succeeded_at, failed_at, refunded_at, version)
		VALUES ('` + id + `', 'sess_` + id + `', 'sandbox', 'chess', 'ann', '` + status + `', ` + amount + `, 'USD', 'card', 'Gems', '', '', '', '', '', 0, '', 1, 0, 0, 1, 0, 0, 1)`
}

func insertRefund(id, payment, status, amount string) string {
	return `INSERT INTO refunds (id, payment, session, environment, game, user_id, status, amount, currency, reason, reference,
		failure_code, failure_message, created_at, succeeded_at, failed_at, cancelled_at, version)
		VALUES ('` + id + `', '` + payment + `', 'sess_` + payment + `', 'sandbox', 'chess', 'ann', '` + status + `', ` + amount + `, 'USD', '', '', '', '', 1, 0, 0, 0, 1)`
}

// attempts break the promises about refunds of pay_1, which took 499 and has 100 pending
// (ref_pending), 200 returned (ref_done) and a refund that failed (ref_failed).
var attempts = []struct{ name, text string }{
	{"more than is left", insertRefund("ref_x", "pay_1", "pending", "200")},
	{"more than is left, returned at once", insertRefund("ref_x", "pay_1", "succeeded", "200")},
	{"more than there can be", insertRefund("ref_x", "pay_1", "pending", "9223372036854775807")},
	{"nothing", insertRefund("ref_x", "pay_1", "pending", "0")},
	{"less than nothing, to make room", insertRefund("ref_x", "pay_1", "pending", "-100")},
	{"a refund of a payment that is not there", insertRefund("ref_x", "pay_9", "pending", "1")},
	{"a refund of what is only held", insertRefund("ref_x", "pay_held", "pending", "1")},
	{"a refund of what was refused, failed already", insertRefund("ref_x", "pay_failed", "failed", "1")},
	{"a refund in another currency", strings.Replace(insertRefund("ref_x", "pay_1", "pending", "1"), "'USD'", "'JPY'", 1)},
	{"a refund for another session", strings.Replace(insertRefund("ref_x", "pay_1", "pending", "1"), "'sess_pay_1'", "'sess_2'", 1)},
	{"a status that there is not", insertRefund("ref_x", "pay_1", "done", "1")},
	{"two rows of which one is too much", insertRefund("ref_x", "pay_1", "pending", "150") + `;` + insertRefund("ref_y", "pay_1", "pending", "50")},
	{"a smaller amount", `UPDATE refunds SET amount = 1 WHERE id = 'ref_pending'`},
	{"another payment", `UPDATE refunds SET payment = 'pay_2' WHERE id = 'ref_pending'`},
	{"another currency", `UPDATE refunds SET currency = 'JPY' WHERE id = 'ref_pending'`},
	{"another id", `UPDATE refunds SET id = 'ref_x' WHERE id = 'ref_pending'`},
	{"another id, over one that is there", `UPDATE OR REPLACE refunds SET id = 'ref_done' WHERE id = 'ref_pending'`},
	{"a refund that was done is undone", `UPDATE refunds SET status = 'failed' WHERE id = 'ref_done'`},
	{"a refund that was done is pending again", `UPDATE refunds SET status = 'pending' WHERE id = 'ref_done'`},
	{"a refund that failed is done", `UPDATE refunds SET status = 'succeeded' WHERE id = 'ref_failed'`},
	{"a refund that failed is done, whatever it breaks", `UPDATE OR IGNORE refunds SET status = 'succeeded' WHERE id = 'ref_failed'`},
	{"a refund that ended changes at all", `UPDATE refunds SET reason = 'other' WHERE id = 'ref_done'`},
	{"a refund goes", `DELETE FROM refunds WHERE id = 'ref_failed'`},
	{"all refunds go", `DELETE FROM refunds`},
	{"more than is left, whatever it breaks", strings.Replace(insertRefund("ref_x", "pay_1", "pending", "200"), "INSERT", "INSERT OR IGNORE", 1)},
	{"a refund written over", strings.Replace(insertRefund("ref_done", "pay_1", "failed", "1"), "INSERT", "INSERT OR REPLACE", 1)},
	{"a refund that failed written over by a new one", strings.Replace(insertRefund("ref_failed", "pay_1", "pending", "10"), "INSERT", "INSERT OR REPLACE", 1)},
	{"sums of its own", `UPDATE payments SET reserved = 0, refunded = 0 WHERE id = 'pay_1'`},
	{"a reserved sum of its own", `UPDATE payments SET reserved = reserved - 100 WHERE id = 'pay_1'`},
	{"a returned sum of its own", `UPDATE payments SET refunded = refunded + 100 WHERE id = 'pay_1'`},
	{"a payment that took more", `UPDATE payments SET amount = 5000 WHERE id = 'pay_1'`},
	{"a payment in another currency", `UPDATE payments SET currency = 'JPY' WHERE id = 'pay_1'`},
	{"a payment with refunds that never succeeded", `UPDATE payments SET status = 'failed' WHERE id = 'pay_1'`},
}

// guards are the words in which the schema refuses; a statement that is merely wrong has others.
var guards = regexp.MustCompile(`CHECK constraint failed|FOREIGN KEY constraint failed|UNIQUE constraint failed|only what was paid|stay|kept for ever|there already|follow`)

func TestTheSchemaItselfKeepsRefundsWithinWhatWasPaid(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "coinslot.db")
	mustClose(t, mustOpen(t, path))
	db := openRaw(t, path)
	for _, text := range []string{
		insertPayment("pay_1", "succeeded", "499"), insertPayment("pay_2", "succeeded", "499"),
		insertPayment("pay_held", "authorized", "499"), insertPayment("pay_failed", "failed", "499"),
		insertRefund("ref_pending", "pay_1", "pending", "100"), insertRefund("ref_done", "pay_1", "pending", "200"), insertRefund("ref_failed", "pay_1", "pending", "150"),
		`UPDATE refunds SET status = 'succeeded' WHERE id = 'ref_done'`, `UPDATE refunds SET status = 'failed' WHERE id = 'ref_failed'`,
	} {
		mustExec(t, db, text)
	}
	before := dump(t, db)
	if want := "pay_1 499 200 300"; !strings.Contains(before, want) {
		t.Fatalf("the payment's sums should be %s:\n%s", want, before)
	}
	for _, a := range attempts {
		t.Run(a.name, func(t *testing.T) {
			tx, err := db.Begin()
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback()
			if _, err := tx.Exec(a.text); err != nil {
				if !guards.MatchString(err.Error()) {
					t.Errorf("it failed, but no guard refused it: %v", err)
				}
				return // refused, and taken back with the transaction
			}
			if after := dump(t, tx); after != before {
				t.Errorf("it was let through:\n%s\nand before:\n%s", after, before)
			}
		})
	}
	mustExec(t, db, insertRefund("ref_rest", "pay_1", "pending", "199")) // what is left is let through
}

// dump is what matters of all payments and refunds.
func dump(t *testing.T, db interface {
	Query(string, ...any) (*sql.Rows, error)
}) string {
	t.Helper()
	rows, err := db.Query(`SELECT id || ' ' || amount || ' ' || refunded || ' ' || reserved || ' ' || currency || ' ' || status FROM payments
		UNION ALL SELECT id || ' ' || payment || ' ' || amount || ' ' || currency || ' ' || status || ' ' || reason FROM refunds ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	return strings.Join(all, "\n")
}

// A database of the schema's first version, with a paid session in it, opens as it was and
// can be refunded.
func TestADatabaseOfTheFirstSchemaIsBroughtUpToDate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "coinslot.db")
	paid, payment := firstSchema(t, path)
	s := mustOpen(t, path)
	defer mustClose(t, s)
	err := s.View(context.Background(), func(r store.Reader) error {
		session, err := r.Session(paid.ID)
		if err != nil {
			return err
		}
		p, err := r.Payment(payment)
		if err != nil {
			return err
		}
		events, err := r.SessionEvents(paid.ID)
		if err != nil {
			return err
		}
		if session.Status != pay.SessionPaid || p.Status != pay.PaymentSucceeded || p.Refunded != 0 || p.Reserved != 0 || p.Left() != 499 {
			t.Errorf("session %s, payment %+v", session.Status, p)
		}
		if len(events) != 4 || events[3].Type != pay.SessionPaidEvent || events[3].Refund != "" {
			t.Fatalf("events %+v", events)
		}
		feed, err := r.Events(store.EventQuery{Environment: pay.Sandbox, Game: game.ID, Limit: 10})
		if err != nil || len(feed.Rows) != 4 || feed.Rows[0].ID != events[0].ID {
			t.Errorf("feed %+v, %v", feed, err)
		}
		one, err := r.Event(events[2].ID)
		if one.Type != pay.PaymentSucceededEvent {
			t.Errorf("event %+v", one)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(context.Background(), paid.ID, func(tx store.Tx) error {
		session, err := tx.Session(paid.ID)
		if err != nil {
			return err
		}
		p, err := tx.Payment(payment)
		if err != nil {
			return err
		}
		c, err := session.StartRefund(p, pay.NewRefundID(time.Now(), pay.Entropy{1}), pay.RefundOrder{}, time.Now())
		if err != nil {
			return err
		}
		return tx.Apply(c)
	}); err != nil {
		t.Error(err)
	}
}

// firstSchema makes a database of the first version and puts into it what a program of that
// time wrote: the rows of a session that was paid. They come from a database of today.
func firstSchema(t *testing.T, path string) (pay.Session, pay.PaymentID) {
	t.Helper()
	today := filepath.Join(t.TempDir(), "today.db")
	s := mustOpen(t, today)
	id := create(t, s)
	var paid pay.Session
	var payment pay.PaymentID
	if err := s.Update(context.Background(), id, func(tx store.Tx) error {
		session, err := tx.Session(id)
		if err != nil {
			return err
		}
		c, err := session.StartPayment(pay.NewPaymentID(time.Now(), pay.Entropy{1}), pay.MethodCard, pay.CardHint{}, time.Now())
		if err != nil {
			return err
		}
		if err := tx.Apply(c); err != nil {
			return err
		}
		c = c.Session.Settle(*c.Payment, pay.Outcome{Kind: pay.OutcomeSucceeded}, time.Now())
		paid, payment = *c.Session, c.Payment.ID
		return tx.Apply(c)
	}); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	db := openRaw(t, path)
	steps, err := sqlstore.Migrations("sqlite")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, steps, goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1) // that to which the other database is attached
	mustExec(t, db, `ATTACH '`+today+`' AS today`)
	for _, table := range []string{"sessions", "payments", "events", "totals", "marks"} {
		var columns string
		if err := db.QueryRow(`SELECT group_concat(name) FROM pragma_table_info(?)`, table).Scan(&columns); err != nil {
			t.Fatal(err)
		}
		mustExec(t, db, `INSERT INTO main.`+table+` (`+columns+`) SELECT `+columns+` FROM today.`+table)
	}
	var refunds int
	if err := db.QueryRow(`SELECT COUNT(*) FROM main.sqlite_master WHERE name LIKE 'refund%'`).Scan(&refunds); err != nil || refunds != 0 {
		t.Fatalf("the first schema has %d things of refunds, %v", refunds, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return paid, payment
}
