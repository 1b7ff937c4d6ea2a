package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"connectrpc.com/connect"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/internal/config"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/store/sqlite"
)

var backupCommand = command{
	path: "backup", operands: "FILE", brief: "copy all that is kept into a file, while the server goes on",
	details: `FILE is made new, or named by the time where it is a directory. Beside it comes FILE with
.sandbox in its name: the sandbox provider's own books. Both are checked page by page
before they get their names, and are readable by their owner only.

The server that runs on the data directory is asked for the copy, or the one that --server
names, from anywhere. Where none runs, the files are copied as they lie there. The
key file secret.key is never in a backup: keep a copy of it somewhere else.`,
	example: "coinslot backup /var/backups/coinslot/",
	prepare: func(f *config.Flags) action {
		where := config.CareFlags(f)
		p := &printer{}
		f.Flag("json", "", "print what was copied as JSON", config.Switch(&p.json))
		return func(ctx context.Context, c *console, operands []string) error {
			where.ReadToken(c.env)
			p.console = c
			return backup(ctx, p, where, operands[0])
		}
	},
}

// source passes on the files of a backup, piece by piece.
type source func(ctx context.Context, take func(file string, piece []byte, whole int64) error) error

// backedUp is what a backup has come to.
type backedUp struct {
	File     string `json:"file"`
	Bytes    int64  `json:"bytes"`
	Schema   int64  `json:"schema_version"`
	Sessions int64  `json:"sessions"`
	Payments int64  `json:"payments"`
	Refunds  int64  `json:"refunds"`
	Events   int64  `json:"events"`
	Sandbox  string `json:"sandbox_file,omitempty"`
	Entries  int64  `json:"sandbox_entries"`
}

func backup(ctx context.Context, p *printer, where *config.Care, path string) error {
	from, url, err := sourceOf(where)
	if err != nil {
		return err
	}
	path, err = backupPath(path, time.Now())
	if err != nil {
		return err
	}
	began := time.Now()
	d := &drafts{path: path, meter: newMeter(p.console, "copied")}
	defer d.discard()
	err = from(ctx, d.take)
	d.meter.end()
	if err != nil {
		return explainDisk(explainCall(err, url), filepath.Dir(path))
	}
	p.progress("Checking the copy …")
	done, err := d.finish(ctx)
	if err != nil {
		return explainDisk(err, filepath.Dir(path))
	}
	return p.value(done, func() {
		p.sheet(
			"file", done.File, "size", size(done.Bytes), "schema", fmt.Sprint(done.Schema), "sessions", fmt.Sprint(done.Sessions),
			"payments", fmt.Sprint(done.Payments), "refunds", fmt.Sprint(done.Refunds), "events", fmt.Sprint(done.Events),
			"sandbox", done.Sandbox, "took", time.Since(began).Round(time.Millisecond).String(),
		)
		p.note("Every page was read back. secret.key is not in it: keep a copy of it, and not beside this one.")
	})
}

// sourceOf is the server, or where none runs on the data directory, the files in it.
func sourceOf(where *config.Care) (from source, url string, err error) {
	dir := dataDir(where.Data)
	if _, err := dir.readRunning(); where.URL == "" && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotRunning)) {
		return stoppedSource(dir, where.Database()), "", refuseServer(where)
	}
	target, err := findServer(&where.Admin)
	if err != nil {
		return nil, "", err
	}
	return target.backup, target.url, nil
}

// refuseServer refuses a database that is not a file.
func refuseServer(where *config.Care) error {
	if strings.Contains(where.Database(), "://") {
		return config.Misused("--database must be a file: a database server has tools of its own, such as pg_dump")
	}
	return nil
}

func stoppedSource(dir dataDir, database string) source {
	return func(ctx context.Context, take func(string, []byte, int64) error) error {
		copyOf := func(file, path string) error {
			return sqlite.CopyStopped(ctx, path, func(piece []byte, whole int64) error { return take(file, piece, whole) })
		}
		err := copyOf(gateway.BackupOfStore, database)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("there is nothing to copy: no server runs on the data directory %s, and it has no database %s; name another with --data, --database or --server", absolute(string(dir)), absolute(database))
		}
		if _, missing := os.Stat(dir.ledgerFile()); err != nil || missing != nil {
			return err
		}
		return copyOf(gateway.BackupOfLedger, dir.ledgerFile())
	}
}

// backup takes the copy over the server's API. What arrives must be what was sent.
func (t target) backup(ctx context.Context, take func(string, []byte, int64) error) error {
	var options []connect.ClientOption
	if t.local {
		options = append(options, connect.WithAcceptCompression("gzip", nil, nil)) // it would cost more than it saves
	}
	stream, err := t.client(options...).Backup(ctx, &adminv1.BackupRequest{})
	if err != nil {
		return err
	}
	defer stream.Close()
	sum, whole := sha256.New(), true
	for stream.Receive() {
		m := stream.Msg()
		if err := take(m.GetFile(), m.GetData(), m.GetSize()); err != nil {
			return err
		}
		sum.Write(m.GetData())
		if whole = m.Sha256 != nil; whole {
			if !bytes.Equal(sum.Sum(nil), m.GetSha256()) {
				return errors.New("the copy is not what the server sent")
			}
			sum.Reset()
		}
	}
	if err := stream.Err(); err != nil {
		return err
	}
	if !whole {
		return errors.New("the copy ends in the middle of a file")
	}
	return nil
}

// backupPath is where the copy goes, which must be new.
func backupPath(path string, now time.Time) (string, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, "coinslot-"+now.UTC().Format("20060102T150405Z")+".db")
	} else if strings.HasSuffix(path, string(filepath.Separator)) {
		return "", fmt.Errorf("there is no directory %s", absolute(path))
	}
	for _, name := range []string{path, sandboxBeside(path)} {
		if _, err := os.Lstat(name); err == nil {
			return "", fmt.Errorf("%s is there already, and a backup replaces nothing", absolute(name))
		}
	}
	return path, nil
}

// sandboxBeside is where the sandbox's books are that belong to a backup.
func sandboxBeside(path string) string {
	ending := filepath.Ext(path)
	return strings.TrimSuffix(path, ending) + ".sandbox" + ending
}

// explainDisk says of a full disk which one it is.
func explainDisk(err error, dir string) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("the disk of %s is full, so nothing was kept: %w", absolute(dir), err)
	}
	return err
}
