package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/sqlite"
)

// openInstead names the database that this test binary opens instead of running tests.
const openInstead = "COINSLOT_TEST_OPEN"

func TestMain(m *testing.M) {
	if path := os.Getenv(openInstead); path != "" {
		if _, err := sqlite.Open(context.Background(), path, sqlite.Options{}); err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func mustOpen(t *testing.T, path string) store.Store {
	t.Helper()
	s, err := sqlite.Open(context.Background(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustClose(t *testing.T, s store.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func has(t *testing.T, s store.Store, id pay.SessionID) {
	t.Helper()
	err := s.View(context.Background(), func(r store.Reader) error {
		_, err := r.Session(id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Not beside others: a process that is being started holds all that is open here for a
// moment, the locks of other tests among it.
func TestASecondProcessIsRefusedAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "coinslot.db")
	s := mustOpen(t, path)
	try := func() (string, error) {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), openInstead+"="+path)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := try(); err == nil || !strings.Contains(out, "in use by another process") {
		t.Errorf("got %v, %q", err, out)
	}
	if _, err := sqlite.Open(context.Background(), path, sqlite.Options{}); err == nil {
		t.Error("a second store in this process was let in")
	}
	id := create(t, s)
	has(t, s, id)
	mustClose(t, s)
	if out, err := try(); err != nil {
		t.Errorf("after Close: %v, %q", err, out)
	}
}

// What a killed process leaves behind is the file and its log, which nothing copied back.
func TestWhatWasAcknowledgedIsThereAfterACrash(t *testing.T) {
	t.Parallel()
	dir, crashed := t.TempDir(), t.TempDir()
	s := mustOpen(t, filepath.Join(dir, "coinslot.db"))
	var ids []pay.SessionID
	for range 20 {
		ids = append(ids, create(t, s))
	}
	for _, name := range []string{"coinslot.db", "coinslot.db-wal"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(crashed, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mustClose(t, s)
	s = mustOpen(t, filepath.Join(crashed, "coinslot.db"))
	defer mustClose(t, s)
	for _, id := range ids {
		has(t, s, id)
	}
}

func TestADatabaseIsThereAfterCloseAndOnlyItsOwnerReadsIt(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a ?#% name.db")
	s := mustOpen(t, path)
	id := create(t, s)
	mustClose(t, s)
	s = mustOpen(t, path)
	defer mustClose(t, s)
	has(t, s, id)
	for _, suffix := range []string{"", "-wal", ".lock"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", suffix, info.Mode())
		}
	}
}

func TestADatabaseOfANewerProgramIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "coinslot.db")
	mustClose(t, mustOpen(t, path))
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`); err != nil {
		t.Fatal(err)
	}
	db.Close()
	_, err = sqlite.Open(context.Background(), path, sqlite.Options{})
	if err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("got %v", err)
	}
}

func TestADirectoryThatIsNotThereIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "none", "x.db"), sqlite.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// In a bubble of fake time nothing may wait for the outside, and nothing may be left at the end.
func TestAStoreWorksInABubble(t *testing.T) {
	path := filepath.Join(t.TempDir(), "coinslot.db")
	synctest.Test(t, func(t *testing.T) {
		s := mustOpen(t, path)
		has(t, s, create(t, s))
		mustClose(t, s)
	})
}

// The first caller is held up inside until all others queue, so that they share a batch for certain.
func TestABatchIsRunAgainWithoutTheOneThatFailed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "coinslot.db")
	synctest.Test(t, func(t *testing.T) {
		s := mustOpen(t, path)
		defer mustClose(t, s)
		goOn := make(chan bool)
		var all sync.WaitGroup
		all.Go(func() {
			_ = s.Update(t.Context(), "sess_0", func(store.Tx) error { <-goOn; return nil })
		})
		synctest.Wait()
		failure := errors.New("failed after it wrote")
		const callers = 30
		runs := make([]int, callers)
		changes := make([]pay.Change, callers)
		for i := range callers {
			changes[i] = newSession(t, i)
			all.Go(func() {
				err := s.Update(t.Context(), changes[i].Session.ID, func(tx store.Tx) error {
					runs[i]++
					change, copied := changes[i], *changes[i].Session
					change.Session = &copied
					if err := tx.Apply(change); err != nil {
						return err
					}
					if i == callers/2 {
						return failure
					}
					return nil
				})
				if i == callers/2 && !errors.Is(err, failure) || i != callers/2 && err != nil {
					t.Errorf("caller %d: %v", i, err)
				}
			})
		}
		synctest.Wait()
		close(goOn)
		all.Wait()
		again := 0
		for i := range callers {
			if i != callers/2 {
				has(t, s, changes[i].Session.ID)
			}
			if runs[i] > 1 {
				again++
			}
		}
		if again == 0 {
			t.Error("nothing was run again: they did not share a batch")
		}
	})
}

func TestALedgerKeepsWhatWasSaved(t *testing.T) {
	t.Parallel()
	path, ctx := filepath.Join(t.TempDir(), "ledger.db"), context.Background()
	l, err := sqlite.OpenLedger(path)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := l.Load(ctx, "k"); v != nil || err != nil {
		t.Fatalf("got %q, %v before anything was saved", v, err)
	}
	for _, v := range []string{"one", "two"} {
		if err := l.Save(ctx, "k", []byte(v)); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if l, err = sqlite.OpenLedger(path); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if v, err := l.Load(ctx, "k"); string(v) != "two" || err != nil {
		t.Fatalf("got %q, %v", v, err)
	}
}
