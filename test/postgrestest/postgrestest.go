// Package postgrestest gives tests a PostgreSQL: the one of this machine's packages, started
// in a temporary directory for as long as the test binary runs, with a database for
// each test. Where none is installed the test is skipped as testneed says.
package postgrestest

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/coinslot/coinslot/internal/store/postgres"
	"github.com/coinslot/coinslot/internal/testneed"
)

// oldest is the oldest major version that is supported.
const oldest = 15

// shared is the server of all tests of this binary that want nothing but a database.
var shared struct {
	once   sync.Once
	server *Server
	err    error
}

// URL is that of a database with the schema of today and nothing in it, which is the
// test's own as long as it runs.
func URL(t testing.TB) string {
	t.Helper()
	s := sharedServer(t)
	name := s.takeSpare()
	if name == "" {
		name = s.create(t, " TEMPLATE "+pattern)
	}
	t.Cleanup(func() {
		if err := s.exec(name, emptied); err != nil {
			t.Log(err) // it is not used again
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.spare = append(s.spare, name)
	})
	return s.url(name)
}

// EmptyURL makes a database without a schema.
func EmptyURL(t testing.TB) string {
	t.Helper()
	s := sharedServer(t)
	return s.url(s.create(t, ""))
}

// sharedServer starts the server of this binary, unless it runs.
func sharedServer(t testing.TB) *Server {
	t.Helper()
	programs := Programs(t)
	shared.once.Do(func() {
		if shared.server, shared.err = start(programs, thenRemove, quick...); shared.err == nil {
			shared.err = shared.server.makePattern()
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server
}

// pattern is the database that others are copies of: to copy one is quicker than to
// migrate one.
const pattern = "coinslot_pattern"

func (s *Server) makePattern() error {
	if err := s.exec("postgres", "CREATE DATABASE "+pattern); err != nil {
		return err
	}
	_, err := postgres.Migrate(context.Background(), s.url(pattern))
	return err
}

// create makes a database.
func (s *Server) create(t testing.TB, how string) (name string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock() // copies of one pattern get into each other's way
	s.made++
	name = fmt.Sprintf("coinslot_%d", s.made)
	if err := s.exec("postgres", "CREATE DATABASE "+name+how); err != nil {
		t.Fatal(err)
	}
	return name
}

// takeSpare takes a database that another test has done with: to empty one takes a
// fraction of the time in which one is made.
func (s *Server) takeSpare() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.spare) == 0 {
		return ""
	}
	name := s.spare[len(s.spare)-1]
	s.spare = s.spare[:len(s.spare)-1]
	return name
}

// emptied makes a database as it was after the migrations, once nobody uses it.
const emptied = `
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
DO $$ BEGIN
	EXECUTE (SELECT 'TRUNCATE ' || string_agg(quote_ident(tablename), ', ') || ' RESTART IDENTITY'
		FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'goose_db_version');
END $$;
INSERT INTO pulse (id, beat) VALUES (1, 0);
INSERT INTO engine (name, value) VALUES ('generation', 1), ('settled', 0), ('fold', 0);`

func (s *Server) exec(database, sql string) error {
	ctx := context.Background()
	c, err := pgx.Connect(ctx, s.url(database))
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	_, err = c.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol)
	return err
}

// Programs is the directory of the newest server that is installed and not too old. Where
// there is none it ends the test as testneed.Lacks does.
func Programs(t testing.TB) string {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	found = append(found, "/usr/local/bin/initdb", "/opt/homebrew/bin/initdb")
	if path, err := exec.LookPath("initdb"); err == nil {
		found = append([]string{path}, found...)
	}
	best, bestVersion := "", oldest-1
	for _, path := range found {
		if v := majorVersion(path); v > bestVersion {
			best, bestVersion = path, v
		}
	}
	if best == "" {
		testneed.Lacks(t, fmt.Sprintf("PostgreSQL %d or later", oldest))
	}
	if path, err := filepath.EvalSymlinks(best); err == nil {
		best = path
	}
	return filepath.Dir(best)
}

func majorVersion(initdb string) (major int) {
	said, err := exec.Command(initdb, "--version").Output() // initdb (PostgreSQL) 15.20 (Debian …)
	if err != nil {
		return 0
	}
	words := strings.Fields(string(said))
	if at := slices.Index(words, "(PostgreSQL)"); at >= 0 && at+1 < len(words) {
		_, _ = fmt.Sscanf(words[at+1], "%d", &major)
	}
	return major
}

// quick are the settings of a server whose data nobody will miss.
var quick = []string{"fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum_naptime=10min"}

// Server is a PostgreSQL of the test's own, which can be stopped and started again.
type Server struct {
	programs, dir string
	settings      []string
	after         string    // what the guard does at the end
	guard         *exec.Cmd // the shell that the server is a child of
	life          *os.File  // closed: the guard ends the server
	running       *os.File  // at its end once no process of the server is left

	mu    sync.Mutex
	made  int      // databases
	spare []string // those that nobody uses
}

// Start starts a server of the test's own, which keeps what it has acknowledged.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	s, err := start(Programs(t), thenNothing, settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Kill()
		_ = os.RemoveAll(s.dir)
	})
	return s
}

func start(programs, after string, settings ...string) (*Server, error) {
	s, err := place(programs, after, settings...)
	if err != nil {
		return nil, err
	}
	if err := s.initialize(); err != nil {
		return nil, err
	}
	return s, s.Restart()
}

// place makes a directory for a server.
func place(programs, after string, settings ...string) (*Server, error) {
	dir, err := os.MkdirTemp("", "coinslot-pg-")
	if err != nil {
		return nil, err
	}
	return &Server{programs: programs, dir: dir, settings: settings, after: after}, own(dir)
}

func (s *Server) initialize() error {
	return s.run("initdb", "-D", s.data(), "-U", role, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
}

// role is who owns everything in a server.
const role = "coinslot"

// run runs one of PostgreSQL's programs.
func (s *Server) run(program string, args ...string) error {
	cmd := exec.Command(filepath.Join(s.programs, program), args...)
	cmd.Dir, cmd.SysProcAttr = s.dir, asOwner()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, out)
	}
	return nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) url(database string) string {
	return "postgres://" + role + "@/" + database + "?host=" + s.dir
}

// URL is that of the server's first database.
func (s *Server) URL() string { return s.url("postgres") }

// guarding is a shell's work: it starts the server, and when its input ends, because the
// test or the whole test binary has, it ends the server at once.
const guarding = `after=$1; shift
"$@" >>server.log 2>&1 </dev/null & server=$!
exec 3>&-; read -r _; kill -QUIT $server 2>/dev/null; wait $server; eval "$after"`

// What the guard does after that: what outlasts the test binary, which removes nothing
// when it ends, must go with it.
const (
	thenNothing = ":"
	thenRemove  = "rm -rf -- \"$PWD\""
)

// Restart starts the server, after Kill too, and waits until it answers.
func (s *Server) Restart() error {
	args := []string{"-c", guarding, "sh", s.after, filepath.Join(s.programs, "postgres"), "-D", s.data(),
		"-c", "listen_addresses=", "-c", "unix_socket_directories=" + s.dir, "-c", "max_connections=300", "-c", "shared_buffers=32MB"}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	input, life, err := os.Pipe()
	if err != nil {
		return err
	}
	running, held, err := os.Pipe()
	if err != nil {
		return err
	}
	guard := exec.Command("/bin/sh", args...)
	guard.Dir, guard.Stdin, guard.SysProcAttr, guard.ExtraFiles = s.dir, input, asOwner(), []*os.File{held}
	err = guard.Start()
	_, _ = input.Close(), held.Close()
	if err != nil {
		return err
	}
	s.guard, s.life, s.running = guard, life, running
	return s.wait()
}

// wait waits until the server answers.
func (s *Server) wait() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		c, err := pgx.Connect(ctx, s.URL())
		if err == nil {
			return c.Close(ctx)
		}
		select {
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(s.dir, "server.log"))
			return fmt.Errorf("PostgreSQL does not answer: %w: %s", err, log)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Kill ends the server at once, as a crash of the machine would: nothing is finished.
func (s *Server) Kill() {
	if s.guard == nil {
		return
	}
	_ = s.life.Close()
	_ = s.guard.Wait()
	_ = s.running.Close()
	s.guard = nil
}

// Crash ends the server by a kill -9 of its first process, which the others notice when
// they wait for something. It returns once none is left.
func (s *Server) Crash() error { return s.end(os.Kill) }

// Stop ends the server in good order: everybody is sent away, and what they wrote is in its files.
func (s *Server) Stop() error { return s.end(os.Interrupt) }

func (s *Server) end(how os.Signal) error {
	noted, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(noted), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		return err
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	if err := process.Signal(how); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, s.running)
	s.Kill()
	return nil
}
