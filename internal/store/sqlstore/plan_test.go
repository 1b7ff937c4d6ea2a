package sqlstore_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/sqlite"
	"github.com/coinslot/coinslot/internal/store/sqlstore"
	"github.com/coinslot/coinslot/internal/store/storetest"
)

func open(t *testing.T, path string) store.Store {
	s, err := sqlite.Open(context.Background(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// Lists are cut into stretches thousands of rows long; here they are two rows long, so
// that the contract's random histories go through all that happens to marks.
func TestStoreWithManyMarks(t *testing.T) {
	sqlstore.ShortenMarks()
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, filepath.Join(t.TempDir(), "coinslot.db")) }, "Lists", "Refunds", "Examining")
}

// mayScan are the tables of settings, which have as many rows as an operator has
// made by hand, and what a plan calls the results of its own subqueries.
var mayScan = regexp.MustCompile(`^SCAN (games|keys|endpoints|p|waiting|fresh|retried|CONSTANT ROW|\(subquery-\d+\))( USING .*)?$`)

func TestNoStatementScansATable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "coinslot.db")
	open(t, path)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range sqlstore.Statements() {
		for _, step := range plan(t, db, s.SQL) {
			if strings.HasPrefix(step.detail, "SCAN") && !mayScan.MatchString(step.detail) {
				t.Errorf("%s\n%s", step.detail, s.SQL)
			}
			if testing.Verbose() {
				t.Log(step.detail)
			}
		}
	}
}

// What a trigger does is part of the statements that set it off, but of no plan of theirs.
func TestNoTriggerScansATable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "coinslot.db")
	open(t, path)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(`SELECT name, sql FROM sqlite_master WHERE type = 'trigger'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var (
		rowOf   = regexp.MustCompile(`\b(NEW|OLD)\.\w+`)
		raise   = regexp.MustCompile(`RAISE\([^)]*\)`)
		planned = 0
	)
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			t.Fatal(err)
		}
		_, body, _ := strings.Cut(text, " BEGIN")
		for one := range strings.SplitSeq(strings.TrimSuffix(body, "END"), ";") {
			if one = strings.TrimSpace(one); one == "" {
				continue
			}
			planned++
			for _, step := range plan(t, db, raise.ReplaceAllString(rowOf.ReplaceAllString(one, "''"), "1")) {
				if strings.HasPrefix(step.detail, "SCAN") && !mayScan.MatchString(step.detail) {
					t.Errorf("%s in %s: %s", step.detail, name, one)
				}
			}
		}
	}
	if planned < 7 {
		t.Errorf("only %d statements of triggers were planned", planned)
	}
}

// step is one line of a plan, below the line that it is a part of.
type step struct {
	parent int
	detail string
}

func plan(t *testing.T, db *sql.DB, text string) (steps []step) {
	var args []any
	for strings.Contains(text, "$"+strconv.Itoa(len(args)+1)) {
		args = append(args, "")
	}
	rows, err := db.Query("EXPLAIN QUERY PLAN "+text, args...)
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step{parent, detail})
	}
	return steps
}

func TestNoStatementIsOfARefusedKind(t *testing.T) {
	refused := regexp.MustCompile(`(?i)\bLIKE\b|SELECT \*|\bDEFERR|OR (IGNORE|REPLACE|ABORT)\b`)
	for _, s := range sqlstore.Statements() {
		if m := refused.FindString(s.SQL); m != "" {
			t.Errorf("%s in %s", m, s.SQL)
		}
	}
}

// What waits, what was exhausted and what an endpoint was sent is found by an index, in
// the order in which it is read. Only what was found is sorted: endpoints, or a claim.
func TestDeliveriesAreReadInOrderFromAnIndex(t *testing.T) {
	path := filepath.Join(t.TempDir(), "coinslot.db")
	open(t, path)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	inOrder := regexp.MustCompile(`^SEARCH d USING (INDEX deliveries_(due|exhausted) \(endpoint=\?|INTEGER PRIMARY KEY)`)
	searches := 0
	for _, s := range sqlstore.Statements() {
		steps := plan(t, db, s.SQL)
		for _, found := range steps {
			if !strings.HasPrefix(found.detail, "SEARCH d ") {
				continue
			}
			searches++
			if !inOrder.MatchString(found.detail) {
				t.Errorf("%s\n%s", found.detail, s.SQL)
			}
			for _, beside := range steps {
				if beside.parent == found.parent && strings.HasPrefix(beside.detail, "USE TEMP B-TREE") {
					t.Errorf("all that are found are sorted: %s\n%s", beside.detail, s.SQL)
				}
			}
		}
	}
	if searches < 10 {
		t.Errorf("only %d searches for deliveries were seen", searches)
	}
}
