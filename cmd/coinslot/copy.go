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
	"github.com/coinslot/coinslot/internal/store/postgres"
	"github.com/coinslot/coinslot/internal/store/sqlite"
	"github.com/coinslot/coinslot/internal/store/transfer"
	"github.com/coinslot/coinslot/internal/vault"
)

var copyCommand = command{
	path: "copy", brief: "move an installation from SQLite to PostgreSQL, and compare the two row by row",
	details: `The source's server must be stopped, and stays out until the copy ends; the source is only
read. The target must be empty, and its schema is made; no server can use it before all is
there and was found to be equal, which is when the exit status is 0.

Run the same command again after it was cut short, in whatever way: it goes on where it
stopped. Where the source has changed since, it says so, and --restart begins anew.

All goes along: sessions, payments, refunds, events with their places in the feed, webhooks
that still wait, keys, settings, and the sandbox's books. The servers on PostgreSQL need the
same secret.key and admin.token; whether secret.key fits is tried before. docs/operating.md
says how to plan a move.`,
	example: "coinslot copy --from sqlite:/var/lib/coinslot --to postgres://coinslot@db.internal/coinslot",
	prepare: func(f *config.Flags) action {
		cfg := config.CopyFlags(f)
		m := &mover{printer: &printer{}}
		f.Flag("restart", "", "empty a target that is half copied, and begin anew", config.Switch(&m.restart))
		f.Flag("json", "", "print what was copied and compared as JSON", config.Switch(&m.json))
		return func(ctx context.Context, c *console, _ []string) error {
			if err := cfg.Finish(c.env); err != nil {
				return err
			}
			m.console, m.bar = c, newBar(c)
			return m.move(ctx, cfg)
		}
	},
}

// mover moves an installation.
type mover struct {
	*printer
	bar     *bar
	restart bool

	dir      dataDir // of the source
	database string
	key      *vault.Vault
	keyIn    string // where it was found
}

// moved is what a copy has come to.
type moved struct {
	Source   string       `json:"source"`
	Complete bool         `json:"complete"`
	Before   bool         `json:"copied_before"` // there was nothing left to do
	Resumed  bool         `json:"resumed"`
	Books    bool         `json:"sandbox_copied"`
	Key      string       `json:"secret_key"` // fits or not_tried
	Tables   []movedTable `json:"tables"`
	Rows     int64        `json:"rows"`
	Seconds  float64      `json:"seconds"`
}

// movedTable is as transfer.Compared, for JSON.
type movedTable struct {
	Table      string `json:"table"`
	Rows       int64  `json:"rows"`
	RowsThere  int64  `json:"rows_in_copy"`
	Sum        string `json:"sha256"`
	SumThere   string `json:"sha256_of_copy"`
	Equal      bool   `json:"equal"`
	Difference string `json:"difference,omitempty"`
}

func (m *mover) move(ctx context.Context, cfg *config.Copy) (err error) {
	began := time.Now()
	if err := m.find(cfg); err != nil {
		return err
	}
	if err := m.openKey(cfg); err != nil {
		return err
	}
	to, err := postgres.OpenImport(ctx, cfg.To)
	if err != nil {
		return fmt.Errorf("the target: %w", err)
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	m.note("Looking at the source …")
	from, err := sqlite.OpenExport(ctx, m.database, m.dir.ledgerFile())
	if err != nil {
		return m.explainSource(err)
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	done := moved{Source: absolute(m.database), Books: from.HasBooks(), Tables: []movedTable{}}
	if done.Key, err = m.tryKey(from); err != nil {
		return err
	}
	// What was checked when the copy began is the same still, if the source is.
	if begun, err := to.Begun(ctx, from.Mark()); err != nil || !begun {
		if err = errors.Join(err, from.Check(ctx)); err != nil {
			return fmt.Errorf("the source: %w", err)
		}
	}
	done.Resumed, done.Before, err = to.Claim(ctx, from.Mark(), keyMark(m.key), m.restart)
	switch {
	case errors.Is(err, postgres.ErrOtherSource):
		return fmt.Errorf("the target: %w; --restart empties it and begins anew", err)
	case err != nil:
		return fmt.Errorf("the target: %w", err)
	case done.Before:
		done.Complete = true
		return m.value(done, func() {
			m.note("The database was copied from this source already, and found to be equal. There is nothing to do.")
		})
	case done.Resumed:
		m.note("Going on where an earlier run stopped.")
	}
	found, err := transfer.Run(ctx, from, to, transfer.Options{Progress: m.bar.show})
	m.bar.end()
	done.add(found)
	done.Complete, done.Seconds = err == nil, time.Since(began).Seconds()
	if err != nil && found == nil {
		return m.explainStop(ctx, err)
	}
	if told := m.value(done, func() { m.write(done) }); told != nil {
		return told
	}
	if errors.Is(err, transfer.ErrDiffers) {
		return fmt.Errorf("%w, and no server can use it: something wrote into it, or it reads wrongly. --restart empties it and begins anew", err)
	}
	return err
}

// find says where the source's files are, and refuses at once what a server has open.
func (m *mover) find(cfg *config.Copy) error {
	data := or(cfg.Data, config.DefaultData)
	m.dir, m.database = dataDir(data), filepath.Join(data, "coinslot.db")
	if cfg.From != "" {
		info, err := os.Stat(cfg.From)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("there is no data directory %s, and no database either", absolute(cfg.From))
		case err != nil:
			return err
		case info.IsDir():
			m.dir, m.database = dataDir(cfg.From), filepath.Join(cfg.From, "coinslot.db")
		default:
			m.database = cfg.From
			if cfg.Data == "" {
				m.dir = dataDir(filepath.Dir(cfg.From))
			}
		}
	}
	if _, err := os.Stat(m.database); err != nil {
		return m.explainSource(err)
	}
	if _, err := m.dir.readRunning(); err == nil {
		return m.explainSource(sqlite.ErrInUse)
	}
	return nil
}

// explainSource says what to do so that the source can be read.
func (m *mover) explainSource(err error) error {
	var schema *sqlite.SchemaError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no database %s to copy from; name the data directory with --from sqlite:DIR", absolute(m.database))
	case errors.Is(err, sqlite.ErrInUse):
		by := ""
		if r, running := m.dir.readRunning(); running == nil {
			by = fmt.Sprintf(" (process %d, at %s)", r.PID, r.URL)
		}
		return fmt.Errorf("a server has the source open%s: stop it first, such as by `systemctl stop coinslot`, and start none before the copy is done", by)
	case errors.As(err, &schema) && schema.Has < schema.Knows:
		return fmt.Errorf("the source is at schema version %d, and this program copies version %d: take a backup, bring it up to date with `coinslot migrate up --data %s --database %s`, and run this again",
			schema.Has, schema.Knows, quoted(string(m.dir)), quoted(m.database))
	}
	return fmt.Errorf("the source: %w", err)
}

// openKey opens the key that the new servers will need. It makes none.
func (m *mover) openKey(cfg *config.Copy) (err error) {
	m.keyIn = absolute(m.dir.vaultFile())
	if cfg.MasterKey != "" {
		m.keyIn = "COINSLOT_MASTER_KEY"
		m.key, err = vault.Parse(cfg.MasterKey)
	} else if _, err = os.Lstat(m.dir.vaultFile()); err == nil {
		m.key, err = vault.Open(m.dir.vaultFile())
	} else if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no %s: put the source's key there, or its text into COINSLOT_MASTER_KEY; without it the copy could send no webhook and would know none of the cursors it has given out", m.keyIn)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", m.keyIn, err)
	}
	return nil
}

// tryKey opens with it what the source has sealed.
func (m *mover) tryKey(from *sqlite.Export) (verdict string, err error) {
	if verdict, err = opens(from.View, m.key); err == nil && verdict == keyDoesNot {
		err = fmt.Errorf("%s does not open the secrets in the source: it is the key of another installation", m.keyIn)
	}
	return verdict, err
}

// explainStop says how to go on.
func (m *mover) explainStop(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		err = errors.New("stopped")
	}
	return fmt.Errorf("%w; what was copied is kept: the same command goes on from there", err)
}

func (done *moved) add(found []transfer.Compared) {
	for _, c := range found {
		done.Tables = append(done.Tables, movedTable{c.Table, c.Rows, c.RowsThere, c.Sum, c.SumThere, c.Equal(), tame(c.Difference, mostMessage)})
		done.Rows += c.Rows
	}
}

// mostSum is how much of a sum a table shows.
const mostSum = 16

func (m *mover) write(done moved) {
	var rows [][]string
	for _, t := range done.Tables {
		verdict := "equal"
		if !t.Equal {
			verdict = "DIFFERS: " + t.Difference
		}
		rows = append(rows, []string{t.Table, fmt.Sprint(t.Rows), fmt.Sprint(t.RowsThere), t.Sum[:mostSum], t.SumThere[:mostSum], verdict})
	}
	m.table([]string{"TABLE", "ROWS", "IN COPY", "SHA-256", "OF COPY", ""}, rows)
	if !done.Complete {
		return
	}
	m.note("%d rows were copied, read back on both sides and found to be equal, in %s.", done.Rows, time.Duration(done.Seconds*float64(time.Second)).Round(time.Second/10))
	if !done.Books {
		m.note("The source had no books of the sandbox beside it: refunds of old sandbox payments will fail.")
	}
	m.note("Now start the servers with COINSLOT_DATABASE set to the new URL. The first on this machine can go on with its directory: coinslot serve --data %s", quoted(string(m.dir)))
	m.note("Elsewhere they need %s and %s, or their texts in COINSLOT_MASTER_KEY and COINSLOT_ADMIN_TOKEN.", absolute(m.dir.vaultFile()), absolute(m.dir.tokenFile()))
	m.note("Start no server on %s any more: what it sold would not be in the copy. Move it away once all is well.", done.Source)
}
