package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// What is done to databases that no server has open.

// besides are the files that SQLite keeps beside a database, by what follows its name. The
// first two can hold what was committed.
var besides = []string{"-wal", "-journal", "-shm"}

// ErrInUse: another process has the database open.
var ErrInUse = errors.New("is in use by another process")

// ErrOccupied: there is a database where another was to be put.
var ErrOccupied = errors.New("there is a database already")

// lockStopped locks a database that must be there, and that no server may have open.
func lockStopped(path string) (_ string, held *os.File, err error) {
	if path, err = realPath(path); err != nil {
		return path, nil, fmt.Errorf("find database: %w", err)
	}
	if info, err := os.Stat(path); err != nil {
		return path, nil, fmt.Errorf("find database: %w", err)
	} else if info.Size() == 0 {
		return path, nil, fmt.Errorf("find database: %s is empty", path)
	}
	if err := refuseLink(path); err != nil {
		return path, nil, err
	}
	held, err = lock(path)
	return path, held, err
}

// prepareAsItIs locks a database that is there.
func prepareAsItIs(path string) (*os.File, error) {
	_, held, err := lockStopped(path)
	return held, err
}

// SchemaError: a database has another schema than this program's.
type SchemaError struct{ Has, Knows int64 }

func (e *SchemaError) Error() string {
	return fmt.Sprintf("the database is at schema version %d, and this program's is %d", e.Has, e.Knows)
}

// refuseOther refuses a schema that is not the newest.
func (c *conn) refuseOther(ctx context.Context) error {
	has, knows, err := c.versions(ctx)
	if err == nil && has != knows {
		err = &SchemaError{has, knows}
	}
	if err != nil {
		return fmt.Errorf("look at the database as it is: %w", err)
	}
	return nil
}

// Placing is a file that is put where a server looks for its database.
type Placing struct {
	From string // empty: nothing is put there
	To   string
}

// Place puts copies in their places, and touches nothing before all of them lie ready
// beside these. What is there already is moved aside, to names that end in aside; where that is empty it is refused with
// ErrOccupied. It returns the new names of what was moved. Nobody can have the places open
// meanwhile. The directories must exist.
func Place(files []Placing, aside string) (moved []string, err error) {
	files = slices.Clone(files)
	for i, f := range files {
		to, held, err := lockPlace(f.To, aside)
		if err != nil {
			return nil, err
		}
		defer func() { _ = unlock(held) }()
		files[i].To = to
	}
	drafts := make([]string, len(files))
	defer func() {
		for _, d := range drafts {
			_ = os.Remove(d) // not there any more where it was put in place
		}
	}()
	for i, f := range files {
		if drafts[i], err = draftOf(f); err != nil {
			return nil, err
		}
	}
	for i, f := range files {
		gone, err := clearPlace(f.To, aside)
		moved = append(moved, gone...)
		if err == nil && f.From != "" {
			err = os.Rename(drafts[i], f.To)
		}
		if err == nil {
			err = syncDir(filepath.Dir(f.To))
		}
		if err != nil {
			return moved, fmt.Errorf("put %s in place: %w", f.To, err)
		}
	}
	return moved, nil
}

// lockPlace locks where a database is to be put, and refuses one that is there unless it
// may be moved aside.
func lockPlace(path, aside string) (string, *os.File, error) {
	path, err := realPath(path)
	if err != nil {
		return "", nil, fmt.Errorf("find the data directory: %w", err)
	}
	if err := refuseLink(path); err != nil {
		return "", nil, err
	}
	held, err := lock(path)
	if err == nil && aside == "" && occupied(path) {
		err = errors.Join(fmt.Errorf("%w: %s", ErrOccupied, path), unlock(held))
	}
	return path, held, err
}

// occupied says whether there is a database, or what SQLite would take for a part of one.
func occupied(path string) bool {
	for _, name := range []string{path, path + besides[0], path + besides[1]} {
		if info, err := os.Lstat(name); err == nil && info.Size() > 0 {
			return true
		}
	}
	return false
}

// draftOf copies a file to beside its place, durably; "" where there is nothing to copy.
func draftOf(f Placing) (name string, err error) {
	if f.From == "" {
		return "", nil
	}
	from, err := os.Open(f.From)
	if err != nil {
		return "", err
	}
	defer from.Close()
	draft, err := os.CreateTemp(filepath.Dir(f.To), "."+filepath.Base(f.To)+".*") // its owner's alone
	if err != nil {
		return "", err
	}
	_, err = io.Copy(draft, from)
	if err = errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("copy to beside %s: %w", f.To, err), os.Remove(draft.Name()))
	}
	return draft.Name(), nil
}

// clearPlace takes a database away, with the files beside it, which belong to it by their
// names. All get their new names before any loses its old one: whenever it is cut short, a
// whole database lies aside, and what is left has two names, which no server opens.
func clearPlace(path, aside string) (moved []string, err error) {
	endings := append([]string{""}, besides...)
	if occupied(path) {
		for _, ending := range endings {
			switch err := os.Link(path+ending, path+"."+aside+ending); {
			case errors.Is(err, os.ErrNotExist):
			case err != nil:
				return moved, fmt.Errorf("move it aside: %w", err)
			default:
				moved = append(moved, path+"."+aside+ending)
			}
		}
		if err := syncDir(filepath.Dir(path)); err != nil {
			return moved, err
		}
	}
	slices.Reverse(endings) // the log first: it must never meet another database
	for _, ending := range endings {
		if err := os.Remove(path + ending); err != nil && !errors.Is(err, os.ErrNotExist) {
			return moved, err
		}
	}
	return moved, nil
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
