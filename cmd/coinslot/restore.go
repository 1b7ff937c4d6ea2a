package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/coinslot/coinslot/internal/config"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/sqlite"
	"github.com/coinslot/coinslot/internal/vault"
	"github.com/coinslot/coinslot/internal/webhook"
)

var restoreCommand = command{
	path: "restore", operands: "FILE", brief: "put a backup into a data directory, where no server runs",
	details: `The backup is checked page by page before anything is touched; the sandbox's books that
lie beside it come along. A data directory that has a database is refused: with
--move-aside its files get other names, which are printed, and nothing is deleted.

secret.key must be the one that was in use when the backup was taken. Restore tries it and
says whether it fits. What happened after the backup is not in it: see docs/operating.md.`,
	example: "coinslot restore /var/backups/coinslot/coinslot-20310506T070809Z.db --data /var/lib/coinslot",
	prepare: func(f *config.Flags) action {
		where := config.StoppedFlags(f)
		p, aside := &printer{}, false
		f.Flag("move-aside", "", "give the database that is there another name, instead of refusing", config.Switch(&aside))
		f.Flag("json", "", "print what was restored as JSON", config.Switch(&p.json))
		return func(ctx context.Context, c *console, operands []string) error {
			p.console = c
			if err := refuseServer(where); err != nil {
				return err
			}
			return restore(ctx, p, where, operands[0], aside)
		}
	},
}

// restored is what a restore has come to.
type restored struct {
	Database string   `json:"database"`
	Sessions int64    `json:"sessions"`
	Payments int64    `json:"payments"`
	Refunds  int64    `json:"refunds"`
	Events   int64    `json:"events"`
	Sandbox  bool     `json:"sandbox_restored"`
	Moved    []string `json:"moved_aside"`
	Key      string   `json:"secret_key"` // fits, does_not_fit, missing or not_tried
	why      string
}

func restore(ctx context.Context, p *printer, where *config.Care, path string, aside bool) error {
	dir := dataDir(where.Data)
	done, err := examineBackup(ctx, p, path, dir)
	if err != nil {
		return err
	}
	if err := dir.make(); err != nil {
		return err
	}
	files := []sqlite.Placing{{To: dir.ledgerFile()}, {From: path, To: where.Database()}}
	if done.Sandbox {
		files[0].From = sandboxBeside(path)
	}
	ending := ""
	if aside {
		ending = "before-" + time.Now().UTC().Format("20060102T150405Z")
	}
	done.Database = where.Database()
	done.Moved, err = sqlite.Place(files, ending)
	if errors.Is(err, sqlite.ErrOccupied) {
		return fmt.Errorf("%w; restore into an empty data directory, or have it renamed with --move-aside", err)
	}
	if err != nil {
		return explainDisk(err, where.Data)
	}
	return p.value(done, func() { done.write(p, where.Data) })
}

// examineBackup looks at all of a backup, and whether the key that is there opens it.
func examineBackup(ctx context.Context, p *printer, path string, dir dataDir) (done restored, err error) {
	p.progress("Checking the backup …")
	done.Moved = []string{}
	b, err := sqlite.OpenBackup(path)
	if err != nil {
		return done, fmt.Errorf("the backup cannot be used: %w", err)
	}
	defer b.Close()
	facts, err := b.Verify(ctx)
	if err != nil {
		return done, fmt.Errorf("the backup cannot be used: %w", err)
	}
	done.Sessions, done.Payments, done.Refunds, done.Events = facts.Sessions, facts.Payments, facts.Refunds, facts.Events
	if done.Key, done.why, err = tryKey(b, facts, dir.vaultFile()); err != nil {
		return done, err
	}
	books, err := sqlite.OpenBackup(sandboxBeside(path))
	if errors.Is(err, fs.ErrNotExist) {
		return done, nil
	}
	if err == nil {
		defer books.Close()
		_, err = books.VerifyLedger(ctx)
	}
	if err != nil {
		return done, fmt.Errorf("the sandbox's books of the backup cannot be used: %w", err)
	}
	done.Sandbox = true
	return done, nil
}

// What restore says of a key.
const (
	keyFits     = "fits"
	keyDoesNot  = "does_not_fit"
	keyMissing  = "missing"
	keyNotTried = "not_tried"
)

// tryKey opens what the backup has sealed with the key in the data directory.
func tryKey(b *sqlite.Backup, facts sqlite.Facts, path string) (verdict, why string, err error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return keyMissing, "", nil
	}
	key, err := vault.Open(path)
	if err != nil {
		return keyNotTried, err.Error(), nil
	}
	if facts.Schema != facts.Known {
		return keyNotTried, "the backup is of an earlier version; `coinslot doctor` tries it once the server has run", nil
	}
	if verdict, err = opens(b.View, key); verdict == keyNotTried {
		why = "the backup has no secret yet that it must open"
	}
	return verdict, why, err
}

// opens says whether a key opens all that a database has sealed.
func opens(view func(func(store.Reader) error) error, key *vault.Vault) (verdict string, err error) {
	verdict = keyNotTried
	secrets := webhook.NewSecrets(key)
	err = view(func(r store.Reader) error {
		endpoints, err := r.Endpoints()
		if err != nil {
			return err
		}
		games, err := r.Games()
		for _, g := range games {
			endpoints = append(endpoints, g.ConfirmEndpoint(pay.Sandbox))
		}
		for _, e := range endpoints {
			for _, s := range e.Secrets {
				if secrets.Check(e.ID, s.Sealed) != nil {
					verdict = keyDoesNot
					return nil
				}
				verdict = keyFits
			}
		}
		return err
	})
	return verdict, err
}

func (done restored) write(p *printer, data string) {
	p.sheet("database", absolute(done.Database), "sessions", fmt.Sprint(done.Sessions), "payments", fmt.Sprint(done.Payments),
		"refunds", fmt.Sprint(done.Refunds), "events", fmt.Sprint(done.Events))
	if !done.Sandbox {
		p.note("The backup has no books of the sandbox beside it: refunds of old sandbox payments will fail.")
	}
	for _, name := range done.Moved {
		p.note("Moved aside: %s", name)
	}
	key := absolute(filepath.Join(data, "secret.key"))
	switch done.Key {
	case keyFits:
		p.note("%s opens the secrets in it.", key)
	case keyDoesNot:
		p.note("WARNING: %s does NOT open the secrets in it. Put the key of that time there before the server starts: with this one no webhook can be signed.", key)
	case keyMissing:
		p.note("WARNING: there is no %s. Put the key of that time there before the server starts: it makes a new one otherwise, which opens none of the secrets in the backup.", key)
	case keyNotTried:
		p.note("%s was not tried: %s.", key, done.why)
	}
	p.note("What happened after the backup is not in it: docs/operating.md says what to do about that.")
	first := "Now "
	if done.Key == keyDoesNot || done.Key == keyMissing {
		first = "Once the key is there, "
	}
	p.note("%sstart it: coinslot serve --data %s", first, quoted(data))
}
