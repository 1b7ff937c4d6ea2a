package torture

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Program is the binary under test and where it keeps its data.
type Program struct {
	Binary string
	Dir    string // everything of the run is kept below
	Number int    // among several; 0: there is one

	// Database is the URL of a PostgreSQL; empty: SQLite's file in Dir.
	Database string
}

// publicURL stays the same over restarts, whatever port the server gets, so that a
// session's address does.
const publicURL = "http://torture.test"

const (
	startWithin = time.Minute // far more than a start takes, on a machine that is busy with all other tests
	stopWithin  = time.Minute
)

func (p Program) data() string     { return filepath.Join(p.Dir, "data") }
func (p Program) log() string      { return filepath.Join(p.Dir, "server.log") }
func (p Program) database() string { return filepath.Join(p.data(), "coinslot.db") }
func (p Program) ledger() string   { return filepath.Join(p.data(), "sandbox.db") }
func (p Program) vault() string    { return filepath.Join(p.data(), "secret.key") }
func (p Program) token() string    { return filepath.Join(p.data(), "admin.token") }

// process is one life of the server.
type process struct {
	program    Program
	url        string
	adminToken string
	cmd        *exec.Cmd
	ended      chan struct{}  // closed once it has
	err        error          // how it ended
	calls      sync.WaitGroup // under way
}

// start runs the server and returns once it is ready.
func (p Program) start(ctx context.Context) (*process, error) {
	log, err := os.OpenFile(p.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the server has it too by then
	run := &process{program: p, ended: make(chan struct{})}
	run.cmd = exec.Command(p.Binary, "serve", "--quiet-start", "--addr", "127.0.0.1:0",
		"--data", p.data(), "--public-url", publicURL, "--log-level", "warn")
	if p.Database != "" {
		run.cmd.Args = append(run.cmd.Args, "--database", p.Database)
	}
	run.cmd.Stderr = log
	out, err := run.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := run.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	said := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n')
		said <- line
		run.err = run.cmd.Wait()
		close(run.ended)
	}()
	timer := time.NewTimer(startWithin)
	defer timer.Stop()
	select {
	case line := <-said:
		err = run.read(line)
	case <-timer.C:
		err = errors.New("the server was not ready in time")
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		run.kill()
		return nil, fmt.Errorf("start the server: %w", err)
	}
	return run, nil
}

// lead is a way to this server alone.
func (r *process) lead(*rand.Rand) *process {
	r.calls.Add(1)
	return r
}

// read takes in the line that a quiet start prints.
func (r *process) read(line string) error {
	var ready struct {
		URL            string `json:"url"`
		AdminTokenFile string `json:"admin_token_file"`
	}
	if err := json.Unmarshal([]byte(line), &ready); err != nil {
		return fmt.Errorf("it said %q when it should have been ready", line)
	}
	token, err := os.ReadFile(ready.AdminTokenFile)
	r.url, r.adminToken = ready.URL, strings.TrimSpace(string(token))
	return err
}

// kill ends the server without warning: SIGKILL. It returns once nothing of it runs.
func (r *process) kill() {
	_ = r.cmd.Process.Kill()
	<-r.ended
}

// stop asks the server to end, and says whether it did so in good order.
func (r *process) stop() error {
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop the server: %w", err)
	}
	timer := time.NewTimer(stopWithin)
	defer timer.Stop()
	select {
	case <-r.ended:
		if r.err != nil {
			return fmt.Errorf("stop the server: %w", r.err)
		}
		return nil
	case <-timer.C:
		r.kill()
		return errors.New("stop the server: it did not end in time")
	}
}

// dead says whether the server has ended.
func (r *process) dead() bool {
	select {
	case <-r.ended:
		return true
	default:
		return false
	}
}
