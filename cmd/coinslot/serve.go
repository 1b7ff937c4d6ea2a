package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/coinslot/coinslot/internal/config"
	"github.com/coinslot/coinslot/internal/installation"
	"github.com/coinslot/coinslot/internal/server"
)

var serveCommand = command{
	path: "serve", brief: "run the server",
	details: `On an empty database it registers the demo game space_shooter, makes a sandbox key for
it, and says how to create a first session. SIGTERM or Ctrl-C stops it once what runs is
finished.

Any number of servers can share a PostgreSQL database. They must have the same master key
and admin token: those of the first server's data directory, or COINSLOT_MASTER_KEY, the
text of its secret.key, and COINSLOT_ADMIN_TOKEN.`,
	example: "coinslot serve --addr :8080 --data /var/lib/coinslot --public-url https://pay.example.com",
	prepare: func(f *config.Flags) action {
		cfg := config.ServeFlags(f)
		return func(ctx context.Context, c *console, _ []string) error {
			if err := cfg.Finish(); err != nil {
				return err
			}
			cfg.ReadSecrets(c.env)
			return serve(ctx, c, cfg)
		}
	},
}

// finishWithin is how long requests that run at a shutdown may take to finish, and
// after them the payments and webhooks that are under way.
const finishWithin = 10 * time.Second

// serve runs the server until ctx is done.
func serve(ctx context.Context, c *console, cfg *config.Serve) (err error) {
	log := newLogger(c.err, cfg)
	starting := context.WithoutCancel(ctx) // a start is never broken off half-way
	door, err := listen(cfg)               // first: a port that is taken leaves no trace
	if err != nil {
		return err
	}
	defer door.Close()
	in, err := open(starting, cfg, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	whole, err := assemble(starting, cfg, in, door.url, log)
	if err != nil {
		return err
	}
	key, err := firstStart(starting, whole.Gateway)
	if err != nil {
		return err
	}
	announced, err := in.dir.announce(running{URL: door.url, Certificate: door.fingerprint(), PID: os.Getpid()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.dir.removeRunning(), announced.Close()) }()
	// The port takes connections already; they wait until Serve accepts them.
	tokenFile := ""
	if cfg.AdminToken == "" {
		tokenFile = absolute(in.dir.tokenFile())
	}
	if err := (welcome{URL: door.url, SandboxKey: key, AdminTokenFile: tokenFile, hasInbox: whole.HasInbox}).write(c, cfg); err != nil {
		return err
	}
	log.Info("ready", "url", door.url, "version", version())
	return operate(ctx, whole, door, log)
}

// operate answers requests and does the work in the background, until ctx is done or
// the port fails.
func operate(ctx context.Context, whole *installation.Installation, door *door, log *slog.Logger) error {
	background := inBackground(context.WithoutCancel(ctx), whole.Run)
	web := server.HTTP(whole, log)
	failed := make(chan error, 1)
	go func() { failed <- door.serve(web) }()
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		log.Info("shutting down")
	}
	whole.Drain()
	shutDown(web, log)
	background.stop() // only now: requests begin payments, and Run waits for these
	background.wait(log, "payments and webhooks that were under way will be looked after at the next start")
	return err
}

// shutDown takes no more requests and lets those that run finish.
func shutDown(web *http.Server, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), finishWithin)
	defer cancel()
	if err := web.Shutdown(ctx); err != nil {
		log.Warn("requests were cut off", "after", finishWithin, "error", err)
		_ = web.Close()
	}
}

// task is work in the background.
type task struct {
	stop context.CancelFunc
	done chan struct{}
}

func inBackground(ctx context.Context, work func(context.Context)) task {
	ctx, stop := context.WithCancel(ctx)
	t := task{stop, make(chan struct{})}
	go func() {
		defer close(t.done)
		work(ctx)
	}()
	return t
}

// wait waits until the work has ended, but not for ever. The rest says what becomes
// of work that is left.
func (t task) wait(log *slog.Logger, rest string) {
	select {
	case <-t.done:
	case <-time.After(finishWithin):
		log.Warn(rest)
	}
}
