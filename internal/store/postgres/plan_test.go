package postgres_test

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/coinslot/coinslot/internal/store/sqlite"
	"github.com/coinslot/coinslot/internal/store/sqlstore"
	"github.com/coinslot/coinslot/test/postgrestest"
)

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

// mayScan are the tables of settings, which have as many rows as an operator has made by
// hand, and engine, which has three.
var mayScan = regexp.MustCompile(`Seq Scan on (games|keys|endpoints|engine|pulse)\b`)

// crowd fills the tables, since a plan is made for what is in them. Most is long done with.
const crowd = `
INSERT INTO endpoints (id, environment, game, url, types, description, enabled, disabled, secrets, created_at, updated_at)
	SELECT 'we_' || g, 'sandbox', 'chess', '', '', '', 1, '', '', 1, 1 FROM generate_series(1, 3) g;
INSERT INTO sessions (id, environment, game, user_id, status, title, amount, currency, image, country, return_url, cancel_url, order_id, locale,
		metadata, attempts, capture, payment, live, spent, created_at, expires_at, paid_at, failed_at, cancelled_at, expired_at, sequence, version)
	SELECT 'sess_' || 100000 + g, 'sandbox', 'game' || g % 20, 'user' || g % 5000, CASE WHEN g % 50 = 0 THEN 'pending' ELSE 'paid' END,
		'', 499, 'USD', '', '', '', '', CASE WHEN g % 3 = 0 THEN 'o' || g ELSE '' END, '', '', 1, 'automatic', '', 0, 0, g, g + 9, 0, 0, 0, 0, 1, 1 FROM generate_series(1, 20000) g;
INSERT INTO payments (id, session, environment, game, user_id, status, amount, currency, method, title, card_brand, card_last4, reference,
		failure_code, failure_message, refunded, intent, created_at, authorized_at, cancelled_at, succeeded_at, failed_at, refunded_at, version)
	SELECT 'pay_' || 100000 + g, 'sess_' || 100000 + g, 'sandbox', 'game' || g % 20, 'user' || g % 5000,
		CASE WHEN g % 100 = 0 THEN 'processing' WHEN g % 100 = 1 THEN 'authorized' ELSE 'succeeded' END,
		499, 'USD', 'card', '', '', '', '', '', '', 0, CASE WHEN g % 100 = 1 THEN 'capture' ELSE '' END, g, 0, 0, 0, 0, 0, 1 FROM generate_series(1, 20000) g;
INSERT INTO refunds (id, payment, session, environment, game, user_id, status, amount, currency, reason, reference, failure_code, failure_message,
		created_at, succeeded_at, failed_at, cancelled_at, version)
	SELECT 'ref_' || 100000 + g, 'pay_' || 100000 + g, 'sess_' || 100000 + g, 'sandbox', 'game' || g % 20, 'user',
		'pending', 1, 'USD', '', '', '', '', 1, 0, 0, 0, 1 FROM generate_series(102, 9999) g WHERE g % 100 > 1;
INSERT INTO events (id, type, at, session, sequence, environment, game, payment, payload)
	SELECT 'e' || g, 't', g, 'sess_' || 100000 + g / 4, g, 'sandbox', 'game' || g % 20, '', '' FROM generate_series(1, 40000) g;
INSERT INTO deliveries (id, endpoint, event, status, leased, attempts, since, due_at)
	SELECT 1099511627776 * p + g, p, g, CASE WHEN g % 10 = 0 THEN 'pending' WHEN g % 10 = 1 THEN 'exhausted' ELSE 'delivered' END,
		0, 0, 1, CASE WHEN g % 20 = 0 THEN g ELSE 0 END FROM generate_series(1, 20000) g, generate_series(1, 3) p;
INSERT INTO attempts (delivery, number, at, duration, status, error, answer) SELECT 1099511627776 + g, 1, 1, 1, 200, '', '' FROM generate_series(1, 20000) g;
INSERT INTO answers (environment, game, method, key, fingerprint, result, expires_at)
	SELECT 'sandbox', 'game' || g % 20, 'm', 'k' || g, decode(repeat('00', 32), 'hex'), '', g FROM generate_series(1, 20000) g;
INSERT INTO images (name, type, data) SELECT 'i' || g, '', '' FROM generate_series(1, 5000) g;
INSERT INTO totals (environment, game, list, total) SELECT 'sandbox', 'game' || g, 'sessions', 1 FROM generate_series(1, 2000) g;
INSERT INTO marks (environment, game, list, start, rows) SELECT 'sandbox', 'game' || g % 20, 'sessions', 'sess_' || g, 1 FROM generate_series(1, 5000) g;
INSERT INTO consumers (environment, game, name, position, cursor, at) SELECT 'sandbox', 'game' || g, 'n', 1, '', 1 FROM generate_series(1, 2000) g;
INSERT INTO tallies (environment, game, list, id, rows) SELECT 'sandbox', 'game' || g % 20, 'sessions', 'sess_' || g, 1 FROM generate_series(1, 5000) g;
INSERT INTO ledger (key, value) SELECT 'k' || g, '' FROM generate_series(1, 2000) g;
ANALYZE;`

// Without sequential scans a plan has one only where no index serves; and a scan of an
// index from end to end, which has no condition, is none the better. The server plans a
// statement once for any arguments, unless plans for the given ones are cheaper: those
// that know how short a page is are.
func TestNoStatementScansATable(t *testing.T) {
	t.Parallel()
	c := connect(t, postgrestest.URL(t))
	explain := func(text string) (plan []string) {
		rows, err := c.Query(t.Context(), text, pgx.QueryExecModeSimpleProtocol)
		if err == nil {
			plan, err = pgx.CollectRows(rows, pgx.RowTo[string])
		}
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		return plan
	}
	explain(crowd)
	explain("SET enable_seqscan = off")
	for i, s := range slices.Concat(sqlstore.Statements(), sqlstore.ConcurrentStatements()) {
		name := fmt.Sprintf("s%d", i)
		prepared, err := c.Prepare(t.Context(), name, s.SQL)
		if err != nil {
			t.Errorf("%v: %s", err, s.SQL)
			continue
		}
		for n, oid := range prepared.ParamOIDs {
			if !slices.Contains(bound, oid) {
				t.Errorf("$%d is of another type than what is bound to it: %s", n+1, s.SQL)
			}
		}
		execute := "EXPLAIN EXECUTE " + name + arguments(prepared.ParamOIDs)
		explain("SET plan_cache_mode = force_generic_plan")
		plan := explain(execute)
		scans := scansIn(plan)
		if len(scans) > 0 {
			explain("SET plan_cache_mode = force_custom_plan")
			if custom := explain(execute); cost(custom) < cost(plan) {
				plan, scans = custom, scansIn(custom)
			}
		}
		for _, line := range scans {
			t.Errorf("%s\n%s", line, s.SQL)
		}
		if testing.Verbose() {
			t.Log(s.SQL + "\n" + strings.Join(plan, "\n"))
		}
	}
}

// A database that was just restored, or whose server crashed before it had looked at its
// tables, knows nothing of them. A backlog of webhooks is found by steps all the same.
func TestABacklogIsFoundBeforeTheTablesWereAnalyzed(t *testing.T) {
	t.Parallel()
	c := connect(t, postgrestest.URL(t))
	if _, err := c.Exec(t.Context(), strings.TrimSuffix(crowd, "ANALYZE;"), pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	looked := 0
	for _, s := range sqlstore.Statements() {
		if !strings.Contains(s.SQL, "deliveries AS d2") {
			continue
		}
		looked++
		numbered := regexp.MustCompile(`\$\d`).ReplaceAllString(s.SQL, "9")
		rows, err := c.Query(t.Context(), "EXPLAIN "+numbered)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if text := strings.Join(plan, "\n"); err != nil || strings.Contains(text, "Hash Join") || strings.Contains(text, "Merge Join") {
			t.Errorf("%v\n%s\n%s", err, text, s.SQL)
		}
	}
	if looked == 0 {
		t.Error("no statement looks beside a delivery any more")
	}
}

// bound are the types of what is bound to a statement.
var bound = []uint32{pgtype.TextOID, pgtype.ByteaOID, pgtype.Int8OID, pgtype.TextArrayOID, pgtype.ByteaArrayOID, pgtype.Int8ArrayOID}

// arguments are such as a short page has.
func arguments(types []uint32) string {
	var list []string
	for _, oid := range types {
		switch oid {
		case pgtype.TextOID, pgtype.ByteaOID:
			list = append(list, "''")
		case pgtype.TextArrayOID, pgtype.ByteaArrayOID, pgtype.Int8ArrayOID:
			list = append(list, "'{}'")
		default:
			list = append(list, "9")
		}
	}
	if list == nil {
		return ""
	}
	return "(" + strings.Join(list, ", ") + ")"
}

// scansIn lists the steps of a plan that read all of a table or of an index.
func scansIn(plan []string) (scans []string) {
	for n, line := range plan {
		if strings.Contains(line, "Seq Scan") && !mayScan.MatchString(line) {
			scans = append(scans, line)
		}
		if at := indexScan.FindStringSubmatch(line); at != nil && !mayWalk.MatchString(at[1]) &&
			(n+1 == len(plan) || !strings.Contains(plan[n+1], "Index Cond")) {
			scans = append(scans, line)
		}
	}
	return scans
}

// cost is what the server thinks that a plan costs.
func cost(plan []string) (total float64) {
	if found := costs.FindStringSubmatch(plan[0]); found != nil {
		total, _ = strconv.ParseFloat(found[1], 64)
	}
	return total
}

var costs = regexp.MustCompile(`cost=[0-9.]+\.\.([0-9.]+)`)

var (
	indexScan = regexp.MustCompile(`Index (?:Only )?Scan(?: Backward)? using (\w+)`)

	// mayWalk are the indexes of few rows, and those that hold nothing else than what is
	// looked for, in order.
	mayWalk = regexp.MustCompile(`^(games|keys|endpoints|engine|pulse)_|^sessions_open$`)
)

// byTable sorts what a query finds, tables with a column each, by table.
func byTable(query func(string) []string, text string) map[string][]string {
	tables := map[string][]string{}
	for _, found := range query(text) {
		table, column, _ := strings.Cut(found, ".")
		tables[table] = append(tables[table], column)
	}
	return tables
}

func TestBothSchemasHaveTheSameTablesAndColumns(t *testing.T) {
	t.Parallel()
	c := connect(t, postgrestest.URL(t))
	here := byTable(func(text string) []string {
		rows, err := c.Query(t.Context(), text)
		if err != nil {
			t.Fatal(err)
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		return found
	}, `SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1`)
	there := byTable(sqliteColumns(t), `SELECT m.name || '.' || c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c WHERE m.type = 'table' ORDER BY 1`)
	delete(here, "goose_db_version")
	delete(there, "goose_db_version")
	delete(there, "sqlite_sequence")
	for _, own := range []string{"tallies", "engine", "ledger"} { // the ledger is a file of its own beside SQLite
		if here[own] == nil {
			t.Errorf("PostgreSQL lacks %s", own)
		}
		delete(here, own)
	}
	for table, columns := range there {
		if !slices.Equal(here[table], columns) {
			t.Errorf("%s has %v, in SQLite %v", table, here[table], columns)
		}
		delete(here, table)
	}
	for table := range here {
		t.Errorf("SQLite has no %s", table)
	}
}

// What is compared in SQLite by bytes must not be compared by the rules of a language here,
// and nothing may be NULL.
func TestTextsAreComparedByBytesAndNothingIsNull(t *testing.T) {
	t.Parallel()
	c := connect(t, postgrestest.URL(t))
	rows, err := c.Query(t.Context(), `SELECT table_name || '.' || column_name FROM information_schema.columns
		WHERE table_schema = 'public' AND table_name <> 'goose_db_version'
			AND (is_nullable = 'YES' OR data_type = 'text' AND COALESCE(collation_name, '') <> 'C' OR data_type NOT IN ('text', 'bigint', 'bytea'))`)
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(wrong) > 0 {
		t.Error(wrong, err)
	}
}

// The same indexes, of the same columns and under the same conditions, hold in both what
// must be unique and what is found without a scan.
func TestBothSchemasHaveTheSameIndexes(t *testing.T) {
	t.Parallel()
	c := connect(t, postgrestest.URL(t))
	rows, err := c.Query(t.Context(), `SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE '%_pkey' AND indexname NOT LIKE '%_key'`)
	if err != nil {
		t.Fatal(err)
	}
	defined, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	here := map[string]bool{}
	for _, d := range defined {
		here[shape(d)] = true
	}
	for _, d := range sqliteColumns(t)(`SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL`) {
		if !here[shape(d)] {
			t.Errorf("PostgreSQL lacks %s", shape(d))
		}
		delete(here, shape(d))
	}
	for d := range here {
		if !strings.Contains(d, " tallies ") {
			t.Errorf("SQLite lacks %s", d)
		}
	}
}

// shape is what an index is of, up to its condition, which the engines spell each in its way.
func shape(definition string) string {
	definition = strings.NewReplacer("public.", "", " USING btree", "", `"`, "").Replace(definition)
	definition, condition, _ := strings.Cut(definition, " WHERE ")
	if condition != "" {
		definition += " WHERE"
		for _, word := range regexp.MustCompile(`'\w*'|\b(live|asking|intent|order_id)\b|[01]`).FindAllString(condition, -1) {
			definition += " " + word
		}
	}
	return definition
}

func sqliteColumns(t *testing.T) func(string) []string {
	path := t.TempDir() + "/coinslot.db"
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return func(text string) (found []string) {
		rows, err := openSQLite(t, path).Query(text)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var one string
			if err := rows.Scan(&one); err != nil {
				t.Fatal(err)
			}
			found = append(found, one)
		}
		return found
	}
}

func openSQLite(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}
