// Package copying moves whole installations from SQLite to PostgreSQL, as `coinslot copy`
// does, and looks whether anybody could tell.
package copying

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/coinslot/coinslot/internal/store/postgres"
	"github.com/coinslot/coinslot/internal/store/sqlite"
	"github.com/coinslot/coinslot/internal/store/sqlstore"
	"github.com/coinslot/coinslot/internal/store/transfer"
	"github.com/coinslot/coinslot/test/postgrestest"
)

func openSource(t testing.TB, dir string) *sqlite.Export {
	t.Helper()
	from, err := sqlite.OpenExport(t.Context(), filepath.Join(dir, "coinslot.db"), filepath.Join(dir, "sandbox.db"))
	if err != nil {
		t.Fatal(err)
	}
	return from
}

// run copies as the command does, and says whether it went on with an earlier run.
func run(t testing.TB, dir, url string, o transfer.Options) (found []transfer.Compared, resumed bool, err error) {
	t.Helper()
	from := openSource(t, dir)
	defer from.Close()
	return runFrom(t, from, from.Mark(), url, false, o)
}

func runFrom(t testing.TB, from transfer.Source, mark int64, url string, anew bool, o transfer.Options) (found []transfer.Compared, resumed bool, err error) {
	t.Helper()
	to, err := postgres.OpenImport(t.Context(), url)
	if err != nil {
		return nil, false, err
	}
	defer to.Close()
	resumed, done, err := to.Claim(t.Context(), mark, 42, anew)
	if err != nil || done {
		return nil, resumed, err
	}
	found, err = transfer.Run(t.Context(), from, to, o)
	return found, resumed, err
}

func mustRun(t testing.TB, dir, url string, o transfer.Options) []transfer.Compared {
	t.Helper()
	found, _, err := run(t, dir, url, o)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// season is a small one.
func smallSeason(t testing.TB) (dir string) {
	t.Helper()
	dir = t.TempDir()
	makeSeason(t, dir, 60)
	return dir
}

func execPostgres(t testing.TB, url, statement string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	if tag, err := c.Exec(t.Context(), statement); err != nil || tag.RowsAffected() == 0 && !strings.HasPrefix(statement, "CREATE") {
		t.Fatal(statement, tag, err)
	}
}

func execSQLite(t testing.TB, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(statement, err)
	}
}

// refused says whether servers refuse a database because it is half copied.
func refused(t testing.TB, url string) bool {
	t.Helper()
	s, err := postgres.Open(t.Context(), url, postgres.Options{Alone: true})
	if err == nil {
		s.Close()
	} else if !errors.Is(err, sqlstore.ErrHalfCopied) {
		t.Fatal(err)
	}
	return err != nil
}

func TestEveryTableIsMovedOrItsDatabasesOwn(t *testing.T) {
	t.Parallel()
	dir := smallSeason(t)
	c, err := pgx.Connect(t.Context(), postgrestest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	rows, err := c.Query(t.Context(), `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`)
	if err != nil {
		t.Fatal(err)
	}
	there, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	known := slices.Sorted(slices.Values(slices.Concat(sqlstore.MovedTables(), sqlstore.OwnTables())))
	slices.Sort(there)
	if !slices.Equal(known, there) {
		t.Errorf("the database has the tables %v, and known are %v", there, known)
	}
	var here []string
	for _, file := range []string{"coinslot.db", "sandbox.db"} {
		db, err := sql.Open("sqlite", filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		rows, err := db.Query(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				t.Fatal(err)
			}
			here = append(here, name)
		}
	}
	for _, name := range here {
		if !slices.Contains(known, name) {
			t.Errorf("%s is neither moved nor a database's own", name)
		}
	}
	for _, name := range sqlstore.MovedTables() {
		if !slices.Contains(here, name) {
			t.Errorf("SQLite has no %s to be moved", name)
		}
	}
}

func TestACopyIsWhatItsSourceIs(t *testing.T) {
	t.Parallel()
	dir, url := smallSeason(t), postgrestest.EmptyURL(t)
	found := mustRun(t, dir, url, transfer.Options{Batch: 7})
	if len(found) != len(sqlstore.MovedTables()) {
		t.Errorf("%d tables were compared, want %d", len(found), len(sqlstore.MovedTables()))
	}
	for _, c := range found {
		if !c.Equal() || c.Difference != "" {
			t.Errorf("%+v", c)
		}
		if c.Rows == 0 {
			t.Errorf("%s has no rows, so that nothing is shown by its being equal", c.Table)
		}
	}
	if refused(t, url) {
		t.Error("servers refuse the copy")
	}
	if again, resumed, err := run(t, dir, url, transfer.Options{}); err != nil || resumed || again != nil {
		t.Errorf("a second run did something: %v %v %v", again, resumed, err)
	}
}

var errCut = errors.New("cut short")

// Each run is cut short after its first batch, so that together they are cut short after
// every one.
func TestACopyGoesOnAfterAnyBatch(t *testing.T) {
	t.Parallel()
	dir, url := smallSeason(t), postgrestest.URL(t)
	runs, furthest := 0, int64(0)
	for ; ; runs++ {
		from := furthest
		_, resumed, err := run(t, dir, url, transfer.Options{Batch: 15, Progress: func(p transfer.Progress) error {
			if p.Comparing || p.Done <= from {
				return nil
			}
			furthest = p.Done
			return errCut
		}})
		if resumed != (runs > 0) {
			t.Fatalf("run %d: resumed is %v, %v", runs, resumed, err)
		}
		if err == nil {
			break
		}
		if !errors.Is(err, errCut) {
			t.Fatal(err)
		}
		if !refused(t, url) {
			t.Fatalf("after %d rows a server can use it", furthest)
		}
	}
	if runs < 30 {
		t.Errorf("only %d runs", runs)
	}
	if refused(t, url) {
		t.Error("servers refuse the copy")
	}
}

// failing is a source that cannot be read any further after some rows.
type failing struct {
	transfer.Source
	left int
}

func (f *failing) Rows(ctx context.Context, t sqlstore.Table, after sqlstore.Values) iter.Seq2[sqlstore.Values, error] {
	return func(yield func(sqlstore.Values, error) bool) {
		for row, err := range f.Source.Rows(ctx, t, after) {
			if f.left--; f.left < 0 {
				yield(nil, errCut)
				return
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

func TestACopyGoesOnFromTheMidstOfABatch(t *testing.T) {
	t.Parallel()
	dir, url := smallSeason(t), postgrestest.URL(t)
	from := openSource(t, dir)
	defer from.Close()
	for cut := 0; ; cut++ {
		_, _, err := runFrom(t, &failing{from, 23}, from.Mark(), url, false, transfer.Options{Batch: 10})
		if err == nil || cut > 200 {
			t.Fatal("it was never cut short, or got nowhere", cut, err)
		}
		if !errors.Is(err, errCut) {
			t.Fatal(err)
		}
		to, err := postgres.OpenImport(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		n, err := to.Count(t.Context(), sqlstore.Table{Name: "ledger"})
		if err = errors.Join(err, to.Close()); err != nil {
			t.Fatal(err)
		}
		if n >= 20 {
			break
		}
	}
	if _, resumed, err := runFrom(t, from, from.Mark(), url, false, transfer.Options{}); err != nil || !resumed {
		t.Error(resumed, err)
	}
}

func TestARowThatIsNotAsItWasIsFound(t *testing.T) {
	t.Parallel()
	dir := smallSeason(t)
	for _, test := range []struct{ what, table, statement, want string }{
		{"a value", "sessions", `UPDATE sessions SET title = title || ' ' WHERE id = (SELECT MIN(id) FROM sessions)`, "has another title"},
		{"a number", "events", `UPDATE events SET at = at + 1 WHERE position = 3`, "the row 3 has another at"},
		{"a row that is gone", "deliveries", `DELETE FROM deliveries WHERE id = (SELECT MIN(id) FROM deliveries)`, "is missing"},
		{"a row too many", "ledger", `INSERT INTO ledger (key, value) VALUES ('pay_zzz', 'x')`, "a row pay_zzz that the source has not"},
		{"bytes", "keys", `UPDATE keys SET hash = set_byte(hash, 31, 255 - get_byte(hash, 31))`, "has another hash"},
		{"what is moved from one column to the next", "games", `UPDATE games SET name = name || logo || 'x', logo = ''`, "has another name"},
	} {
		t.Run(test.what, func(t *testing.T) {
			t.Parallel()
			url, done := postgrestest.URL(t), false
			dir := copyOf(t, dir)
			found, _, err := run(t, dir, url, transfer.Options{Progress: func(p transfer.Progress) error {
				if p.Done == p.Of && !done {
					done = true
					execPostgres(t, url, test.statement)
				}
				return nil
			}})
			if !errors.Is(err, transfer.ErrDiffers) {
				t.Fatal(err)
			}
			for _, c := range found {
				if c.Equal() == (c.Table == test.table) || !c.Equal() && !strings.Contains(c.Difference, test.want) {
					t.Errorf("%s: equal %v, %s", c.Table, c.Equal(), c.Difference)
				}
			}
			if !refused(t, url) {
				t.Error("servers use it")
			}
			// What differs stays so until all begins anew.
			if _, _, err := run(t, dir, url, transfer.Options{}); err == nil {
				t.Error("the second time it passed")
			}
			from := openSource(t, dir)
			defer from.Close()
			if _, resumed, err := runFrom(t, from, from.Mark(), url, true, transfer.Options{}); err != nil || resumed {
				t.Error(resumed, err)
			}
		})
	}
}

func TestASourceThatHasChangedIsNotGoneOnWith(t *testing.T) {
	t.Parallel()
	dir, url := smallSeason(t), postgrestest.URL(t)
	stopAtOnce := transfer.Options{Progress: func(p transfer.Progress) error {
		if p.Done > 40 {
			return errCut
		}
		return nil
	}}
	if _, _, err := run(t, dir, url, stopAtOnce); !errors.Is(err, errCut) {
		t.Fatal(err)
	}
	execSQLite(t, filepath.Join(dir, "coinslot.db"), `UPDATE keys SET last_used_at = last_used_at + 1`)
	if _, _, err := run(t, dir, url, transfer.Options{}); !errors.Is(err, postgres.ErrOtherSource) {
		t.Errorf("after a change: %v", err)
	}
	if _, _, err := run(t, smallSeason(t), url, transfer.Options{}); !errors.Is(err, postgres.ErrOtherSource) {
		t.Errorf("another source: %v", err)
	}
	from := openSource(t, dir)
	defer from.Close()
	if _, resumed, err := runFrom(t, from, from.Mark(), url, true, transfer.Options{}); err != nil || resumed {
		t.Error(resumed, err)
	}
}

func TestWhatIsInUseIsRefused(t *testing.T) {
	t.Parallel()
	dir := smallSeason(t)
	t.Run("the source, by a server", func(t *testing.T) {
		s, err := sqlite.Open(t.Context(), filepath.Join(dir, "coinslot.db"), sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if _, err := sqlite.OpenExport(t.Context(), filepath.Join(dir, "coinslot.db"), filepath.Join(dir, "sandbox.db")); !errors.Is(err, sqlite.ErrInUse) {
			t.Error(err)
		}
	})
	t.Run("the source, by a copy", func(t *testing.T) {
		from := openSource(t, dir)
		if _, err := sqlite.Open(t.Context(), filepath.Join(dir, "coinslot.db"), sqlite.Options{}); !errors.Is(err, sqlite.ErrInUse) {
			t.Error(err)
		}
		if err := from.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Run("the target, by a copy", func(t *testing.T) {
		url := postgrestest.URL(t)
		to, err := postgres.OpenImport(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer to.Close()
		if _, err := postgres.OpenImport(t.Context(), url); err == nil || !strings.Contains(err.Error(), "another copy") {
			t.Error(err)
		}
	})
	for what, statement := range map[string]string{
		"the target, by a server":        `INSERT INTO engine (name, value) VALUES ('master key', 1)`,
		"the target, by a server's rows": `INSERT INTO images (name, type, data) VALUES ('x', 'y', 'z')`,
		"the target, by something else":  `CREATE TABLE theirs (x INT)`,
	} {
		t.Run(what, func(t *testing.T) {
			url := postgrestest.EmptyURL(t)
			if _, err := postgres.Migrate(t.Context(), url); err != nil {
				t.Fatal(err)
			}
			execPostgres(t, url, statement)
			if _, _, err := run(t, dir, url, transfer.Options{}); !errors.Is(err, postgres.ErrOccupied) {
				t.Error(err)
			}
		})
	}
}

// A server opens the database first, and then says which master key it has. A copy may begin
// in between.
func TestAServerIsRefusedIfACopyBeginsWhileItStarts(t *testing.T) {
	t.Parallel()
	url := postgrestest.URL(t)
	server, err := postgres.Open(t.Context(), url, postgres.Options{Alone: true})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	to, err := postgres.OpenImport(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	if _, _, err := to.Claim(t.Context(), 1, 42, false); err != nil {
		t.Fatal(err)
	}
	for _, key := range []int64{42, 43} {
		if _, err := server.SameMasterKey(t.Context(), key); !errors.Is(err, sqlstore.ErrHalfCopied) {
			t.Errorf("with the key %d: %v", key, err)
		}
	}
}

func TestACopyThatBeginsAnewLeavesNothingOfWhatWasThere(t *testing.T) {
	t.Parallel()
	url := postgrestest.URL(t)
	to, err := postgres.OpenImport(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	if _, _, err := to.Claim(t.Context(), 1, 42, false); err != nil {
		t.Fatal(err)
	}
	execPostgres(t, url, `INSERT INTO images (name, type, data) VALUES ('x', 'y', 'z')`)
	execPostgres(t, url, `INSERT INTO tallies (environment, game, list, id, rows) VALUES ('sandbox', 'g', 'sessions', 'sess_1', 1)`)
	if _, _, err := to.Claim(t.Context(), 2, 42, true); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"images", "tallies"} {
		if n, err := to.Count(t.Context(), sqlstore.Table{Name: name}); n != 0 || err != nil {
			t.Errorf("%s has %d rows, %v", name, n, err)
		}
	}
}

func TestASourceThatCannotBeReliedOnIsRefused(t *testing.T) {
	t.Parallel()
	whole := smallSeason(t)
	for _, test := range []struct{ what, file, statement, want string }{
		{"an older schema", "coinslot.db", `DELETE FROM goose_db_version WHERE version_id > 3`, "schema version 3"},
		{"a schema that was changed", "coinslot.db", `DROP TRIGGER payments_sums`, "trigger payments_sums is missing"},
		{"a reference to nothing", "coinslot.db", `DELETE FROM sessions WHERE status = 'paid'`, "refers to a row"},
		{"books that are none", "sandbox.db", `DROP TABLE ledger`, "no table ledger"},
	} {
		t.Run(test.what, func(t *testing.T) {
			t.Parallel()
			dir := copyOf(t, whole)
			execSQLite(t, filepath.Join(dir, test.file), test.statement)
			from, err := sqlite.OpenExport(t.Context(), filepath.Join(dir, "coinslot.db"), filepath.Join(dir, "sandbox.db"))
			if err == nil {
				_, err = from.Tables(t.Context())
				err = errors.Join(err, from.Check(t.Context()), from.Close())
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}
