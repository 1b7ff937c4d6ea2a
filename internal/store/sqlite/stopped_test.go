package sqlite_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coinslot/coinslot/internal/store/sqlite"
)

// folder is a directory of files by their names and texts, locks aside.
func folder(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".lock" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(text)
	}
	return files
}

func lay(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPlacingMovesADatabaseAsideWithItsLogOrTouchesNothing(t *testing.T) {
	t.Parallel()
	from := t.TempDir()
	lay(t, from, map[string]string{"new.db": "new", "new.sandbox.db": "books"})
	for _, test := range []struct {
		what        string
		there       map[string]string
		from, aside string
		want        map[string]string
		err         error
	}{
		{"an empty directory", nil, "new.db", "", map[string]string{"x.db": "new", "s.db": "books"}, nil},
		{"a database, not to be moved", map[string]string{"x.db": "old"}, "new.db", "", map[string]string{"x.db": "old"}, sqlite.ErrOccupied},
		{"a log alone, not to be moved", map[string]string{"x.db-wal": "log"}, "new.db", "", map[string]string{"x.db-wal": "log"}, sqlite.ErrOccupied},
		{"what holds nothing", map[string]string{"x.db": "", "x.db-wal": "", "x.db-shm": "s"}, "new.db", "", map[string]string{"x.db": "new", "s.db": "books"}, nil},
		{"a database with its log", map[string]string{"x.db": "old", "x.db-wal": "log", "x.db-shm": "s", "s.db": "b"}, "new.db", "then",
			map[string]string{"x.db": "new", "s.db": "books", "x.db.then": "old", "x.db.then-wal": "log", "x.db.then-shm": "s", "s.db.then": "b"}, nil},
		{"a backup that is not there", map[string]string{"x.db": "old", "x.db-wal": "log", "s.db": "b"}, "gone.db", "then",
			map[string]string{"x.db": "old", "x.db-wal": "log", "s.db": "b"}, fs.ErrNotExist},
	} {
		dir := t.TempDir()
		lay(t, dir, test.there)
		moved, err := sqlite.Place([]sqlite.Placing{
			{From: filepath.Join(from, "new.sandbox.db"), To: filepath.Join(dir, "s.db")},
			{From: filepath.Join(from, test.from), To: filepath.Join(dir, "x.db")},
		}, test.aside)
		if !errors.Is(err, test.err) {
			t.Errorf("%s: got %v, want %v", test.what, err, test.err)
		}
		if diff := cmp.Diff(test.want, folder(t, dir)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.what, diff)
		}
		for _, name := range moved {
			if _, there := test.want[filepath.Base(name)]; !there {
				t.Errorf("%s: it says that it moved %s", test.what, name)
			}
		}
	}
}

func TestWhatHasNoBackupIsOnlyMovedAside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lay(t, dir, map[string]string{"s.db": "b"})
	moved, err := sqlite.Place([]sqlite.Placing{{To: filepath.Join(dir, "s.db")}}, "then")
	if err != nil || len(moved) != 1 {
		t.Errorf("%v, %v", moved, err)
	}
	if diff := cmp.Diff(map[string]string{"s.db.then": "b"}, folder(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestNothingIsPlacedWhereADatabaseIsOpen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ledger, err := sqlite.OpenLedger(filepath.Join(dir, "s.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer ledger.Close()
	lay(t, dir, map[string]string{"new.db": "new"})
	before := names(t, dir)
	files := []sqlite.Placing{{From: filepath.Join(dir, "new.db"), To: filepath.Join(dir, "x.db")}, {To: filepath.Join(dir, "s.db")}}
	for range 2 {
		if _, err := sqlite.Place(files, "then"); err == nil {
			t.Error("it was placed")
		}
		slices.Reverse(files)
	}
	if diff := cmp.Diff(before, slices.DeleteFunc(names(t, dir), func(name string) bool { return name == "x.db.lock" })); diff != "" {
		t.Error(diff)
	}
}

// names are the files of a directory. To read one that SQLite has open, and close it, would
// drop its locks.
func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}
