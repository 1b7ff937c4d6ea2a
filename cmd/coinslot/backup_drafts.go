package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/store/sqlite"
)

// drafts are the files of a backup until they are whole and checked. They lie beside where
// they will be, under names of their own.
type drafts struct {
	path  string
	meter *meter
	files []*draft
}

type draft struct {
	*os.File
	what, path string
	has, wants int64
}

// take writes a piece.
func (d *drafts) take(what string, piece []byte, whole int64) error {
	if n := len(d.files); n == 0 || d.files[n-1].what != what {
		if err := d.begin(what); err != nil {
			return err
		}
	}
	f := d.files[len(d.files)-1]
	_, err := f.Write(piece)
	f.has, f.wants = f.has+int64(len(piece)), whole
	if what == gateway.BackupOfStore {
		d.meter.show(f.has, whole)
	}
	return err
}

func (d *drafts) begin(what string) error {
	path := d.path
	switch what {
	case gateway.BackupOfStore:
	case gateway.BackupOfLedger:
		path = sandboxBeside(path)
	default:
		return fmt.Errorf("the server has a file %.40q to copy, which this version does not know: use that of the server", what)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // its owner's alone
	if err != nil {
		return err
	}
	d.files = append(d.files, &draft{File: f, what: what, path: path})
	return nil
}

// finish makes the copies durable, checks them, and gives them their names.
func (d *drafts) finish(ctx context.Context) (done backedUp, err error) {
	if len(d.files) == 0 || d.files[0].what != gateway.BackupOfStore {
		return done, errors.New("the server sent no database")
	}
	for _, f := range d.files {
		if f.has != f.wants {
			return done, fmt.Errorf("the copy has %d bytes of %d", f.has, f.wants)
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return done, err
		}
		if err := done.check(ctx, f); err != nil {
			return done, fmt.Errorf("the copy was not kept: %w", err)
		}
	}
	for i, f := range d.files {
		if err := nameNew(f.Name(), f.path); err != nil {
			for _, named := range d.files[:i] {
				_ = os.Remove(named.path)
			}
			return done, err
		}
	}
	return done, syncDir(filepath.Dir(d.path))
}

func (done *backedUp) check(ctx context.Context, f *draft) error {
	b, err := sqlite.OpenBackup(f.Name())
	if err != nil {
		return err
	}
	defer b.Close()
	if f.what == gateway.BackupOfLedger {
		done.Sandbox = f.path
		done.Entries, err = b.VerifyLedger(ctx)
		return err
	}
	facts, err := b.Verify(ctx)
	done.File, done.Bytes, done.Schema = f.path, facts.Bytes, facts.Schema
	done.Sessions, done.Payments, done.Refunds, done.Events = facts.Sessions, facts.Payments, facts.Refunds, facts.Events
	return err
}

// discard removes what has not got its name.
func (d *drafts) discard() {
	for _, f := range d.files {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}
}

// nameNew gives a file its name, unless something has that name. A link, unlike a rename,
// replaces nothing; not every file system has links.
func nameNew(draft, path string) error {
	err := os.Link(draft, path)
	if err == nil {
		return os.Remove(draft)
	}
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there already, and a backup replaces nothing", absolute(path))
	}
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s is there already, and a backup replaces nothing", absolute(path))
	}
	return os.Rename(draft, path)
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
