package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	adminv1 "github.com/coinslot/coinslot/gen/admin/v1"
	"github.com/coinslot/coinslot/internal/clock"
	"github.com/coinslot/coinslot/internal/config"
	"github.com/coinslot/coinslot/internal/gateway"
	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/pay"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/postgres"
	"github.com/coinslot/coinslot/internal/store/sqlite"
	"github.com/coinslot/coinslot/internal/vault"
	"github.com/coinslot/coinslot/internal/webhook"
)

var doctorCommand = command{
	path: "doctor", brief: "look whether all is well with an installation, and say what to do",
	details: `Checks the database against itself: its schema, that lists have as many rows as they say,
that every session is what its events tell. Looks for work that should have been done,
secrets that cannot be opened, clocks, disks and permissions. It changes nothing.

A server that runs on this machine is asked; where none runs, the files are looked at, or
the PostgreSQL database, whatever servers elsewhere do. --quick leaves out what takes as
long as all that is stored. The exit status is 1 where there is trouble.`,
	example: "coinslot doctor --data /var/lib/coinslot",
	prepare: func(f *config.Flags) action {
		where := config.DoctorFlags(f)
		d := &doctor{printer: &printer{}}
		f.Flag("quick", "", "leave out the counters, the events of each session, and the pages of the database", config.Switch(&d.quick))
		f.Flag("json", "", "print a list of findings as JSON", config.Switch(&d.json))
		return func(ctx context.Context, c *console, _ []string) error {
			where.ReadToken(c.env)
			d.masterKey, _ = c.env("COINSLOT_MASTER_KEY")
			d.console, d.meter = c, newMeter(c, "sessions:")
			return d.examine(ctx, where)
		}
	},
}

// doctor gathers findings, and writes each as it comes.
type doctor struct {
	*printer
	meter     *meter
	quick     bool
	masterKey string // the text of a key file; may be empty
	findings  []finding
	troubles  int
}

// finding is as gateway.Finding, for JSON.
type finding struct {
	Check   string `json:"check"`
	Verdict string `json:"verdict"`
	Found   string `json:"found"`
	Advice  string `json:"advice,omitempty"`
}

func (d *doctor) examine(ctx context.Context, where *config.Care) error {
	dir := dataDir(where.Data)
	_, err := dir.readRunning()
	stopped := where.URL == "" && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotRunning))
	switch {
	case stopped && where.Postgres():
		err = d.examinePostgres(ctx, where)
	case stopped:
		err = d.examineStopped(ctx, where)
	default:
		err = d.examineServer(ctx, where)
	}
	d.meter.end()
	if err != nil {
		return err
	}
	switch {
	case where.URL == "" && where.Postgres():
		d.tell(permissions(dir, ""))
	case where.URL == "":
		d.examineFiles(dir, where.Database())
	default:
		d.tell(gateway.Finding{Check: "files", Verdict: gateway.Noted, Found: "files and disk were not looked at, since the server is elsewhere", Advice: "run this command there too"})
	}
	if d.findings == nil {
		d.findings = []finding{}
	}
	if err := d.value(map[string]any{"findings": d.findings}, func() {}); err != nil {
		return err
	}
	if d.troubles > 0 {
		return fmt.Errorf("%d of %d checks found trouble", d.troubles, len(d.findings))
	}
	return nil
}

// tell writes a finding.
func (d *doctor) tell(f gateway.Finding) {
	d.findings = append(d.findings, finding{f.Check, string(f.Verdict), tame(f.Found, mostMessage), tame(f.Advice, mostMessage)})
	mark := string(f.Verdict)
	if f.Verdict == gateway.Trouble {
		d.troubles++
		mark = "TROUBLE"
	}
	if d.json {
		return
	}
	d.meter.end()
	d.line("%-8s%-12s%s", mark, tame(f.Check, mostMessage), tame(f.Found, mostMessage))
	if f.Advice != "" {
		d.line("%-20s→ %s", "", tame(f.Advice, mostMessage))
	}
}

// examineServer has the server examine itself.
func (d *doctor) examineServer(ctx context.Context, where *config.Care) error {
	target, err := findServer(&where.Admin)
	if err != nil {
		return err
	}
	stream, err := target.client().Examine(ctx, &adminv1.ExamineRequest{Quick: d.quick})
	if err != nil {
		return explainCall(err, target.url)
	}
	defer stream.Close()
	d.tell(gateway.Finding{Check: "server", Verdict: gateway.AllRight, Found: "one runs at " + target.url})
	for stream.Receive() {
		m := stream.Msg()
		if f := m.GetFinding(); f != nil {
			d.tell(gateway.Finding{Check: f.GetCheck(), Verdict: gateway.Verdict(f.GetVerdict()), Found: f.GetFound(), Advice: f.GetAdvice()})
		} else {
			d.meter.count(m.GetSessionsDone(), m.GetSessionsTotal())
		}
	}
	return explainCall(stream.Err(), target.url)
}

// clockOf is how far the sandbox's clock is ahead by which the data was written.
func (d *doctor) clockOf(ctx context.Context, dir dataDir) (ahead time.Duration, err error) {
	if _, err := os.Stat(dir.ledgerFile()); errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	ledger, err := sqlite.OpenLedger(dir.ledgerFile())
	if err != nil {
		return 0, fmt.Errorf("open the sandbox's ledger: %w", err)
	}
	ahead, err = installation.Ahead(ctx, ledger)
	return ahead, errors.Join(err, ledger.Close())
}

// examineStopped does the same on the files of a server that does not run.
func (d *doctor) examineStopped(ctx context.Context, where *config.Care) error {
	dir := dataDir(where.Data)
	kept, err := sqlite.Open(ctx, where.Database(), sqlite.Options{AsItIs: true})
	var old *sqlite.SchemaError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("no server runs on the data directory %s, and it has no database %s; name another with --data, --database or --server", absolute(where.Data), absolute(where.Database()))
	case errors.As(err, &old) && old.Has < old.Knows:
		d.tell(gateway.Finding{Check: "database", Verdict: gateway.Noted, Found: fmt.Sprintf("schema version %d, and this program's is %d: nothing else was looked at", old.Has, old.Knows),
			Advice: "take a backup, and start the server: it brings the schema up to date"})
		return nil
	case err != nil:
		return err
	}
	defer func() { _ = kept.Close() }()
	ahead, err := d.clockOf(ctx, dir)
	if err != nil {
		return err
	}
	d.tell(gateway.Finding{Check: "server", Verdict: gateway.Noted, Found: "none runs on " + absolute(where.Data)})
	return d.examineStore(ctx, kept, dir, ahead, true)
}

// examinePostgres does so on a database that servers elsewhere may be using.
func (d *doctor) examinePostgres(ctx context.Context, where *config.Care) error {
	kept, err := postgres.Open(ctx, where.Database(), postgres.Options{AsItIs: true})
	var old *postgres.SchemaError
	switch {
	case errors.As(err, &old) && old.Has == 0:
		return errors.New("the database is not Coinslot's: no server has made a schema in it")
	case errors.As(err, &old) && old.Has < old.Knows:
		d.tell(gateway.Finding{Check: "database", Verdict: gateway.Noted, Found: fmt.Sprintf("schema version %d, and this program's is %d: nothing else was looked at", old.Has, old.Knows),
			Advice: "take a backup, and run coinslot migrate up, or start a server: it does the same"})
		return nil
	case err != nil:
		return err
	}
	defer func() { _ = kept.Close() }()
	servers, err := kept.Servers(ctx)
	if err != nil {
		return err
	}
	ahead, err := installation.Ahead(ctx, kept.Ledger())
	if err != nil {
		return err
	}
	f := gateway.Finding{Check: "server", Verdict: gateway.AllRight, Found: fmt.Sprintf("%d connected to %s", servers, kept.Name())}
	if servers == 0 {
		f.Verdict, f.Found = gateway.Noted, "none is connected to "+kept.Name()
	}
	d.tell(f)
	return d.examineStore(ctx, kept, dataDir(where.Data), ahead, servers == 0)
}

// examineStore has the use cases look at what is stored.
func (d *doctor) examineStore(ctx context.Context, kept store.Store, dir dataDir, ahead time.Duration, stopped bool) error {
	secrets, err := d.secretsOf(dir)
	if err != nil {
		d.tell(gateway.Finding{Check: "secret.key", Verdict: gateway.Trouble, Found: err.Error(), Advice: "put back the secret.key of this database before the server starts"})
	}
	service, err := gateway.New(ctx, gateway.Options{Store: kept, Secrets: secrets, Clock: clock.New(ahead), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	return service.Examine(ctx, gateway.Examination{
		Quick: d.quick, Stopped: stopped,
		Tell:     func(f gateway.Finding) error { d.tell(f); return nil },
		Progress: func(done, of int64) error { d.meter.count(done, of); return nil },
	})
}

// secretsOf opens secrets with the key that is there. It makes none.
func (d *doctor) secretsOf(dir dataDir) (gateway.Secrets, error) {
	if d.masterKey != "" {
		key, err := vault.Parse(d.masterKey)
		if err != nil {
			return noSecrets{}, fmt.Errorf("COINSLOT_MASTER_KEY %w", err)
		}
		return webhook.NewSecrets(key), nil
	}
	if _, err := os.Lstat(dir.vaultFile()); err != nil {
		return noSecrets{}, errors.New("there is no " + dir.vaultFile())
	}
	key, err := vault.Open(dir.vaultFile())
	if err != nil {
		return noSecrets{}, err
	}
	return webhook.NewSecrets(key), nil
}

// noSecrets opens nothing, and nobody asks it to make any.
type noSecrets struct{ webhook.Secrets }

// Check implements gateway.Secrets.
func (noSecrets) Check(pay.EndpointID, []byte) error { return vault.ErrUnreadable }
