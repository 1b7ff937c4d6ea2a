//go:build unix

package copying

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coinslot/coinslot/internal/store/sqlstore"
	"github.com/coinslot/coinslot/test/postgrestest"
)

var (
	million  = flag.Bool("million", false, "copy a million sessions: it takes up to an hour, and 30 GB of disk")
	sessions = flag.Int("sessions", 1_000_000, "how many sessions a million are")
	keepIn   = flag.String("season", "", "a directory in which the source of -million is made, and used again if it is there")
	kills    = flag.Int("kills", 3, "how often the copy is killed on the way, each time after its first line of progress")
)

// TestAMillion copies a million sessions with the built program, which is killed on the way,
// into a PostgreSQL that keeps what it acknowledges, and has the doctor look at the copy.
func TestAMillion(t *testing.T) {
	if !*million {
		t.Skip("it takes long: -million runs it")
	}
	dir := *keepIn
	if dir == "" {
		dir = t.TempDir()
	}
	if _, err := os.Stat(filepath.Join(dir, "secret.key")); err != nil {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		makeSeason(t, dir, *sessions)
	}
	program := filepath.Join(t.TempDir(), "coinslot")
	if said, err := exec.Command("go", "build", "-o", program, "github.com/coinslot/coinslot/cmd/coinslot").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	m := &millionth{TB: t, program: program, dir: dir, url: postgrestest.Start(t, "shared_buffers=256MB", "max_wal_size=4GB").URL()}
	for range *kills {
		if !m.cut() {
			t.Fatal("the copy was done before there was anything to kill: with fewer sessions, -kills 0")
		}
		if _, err := m.say("doctor", "--data", dir, "--database", m.url); err == nil || !strings.Contains(err.Error(), "half copied") {
			t.Fatal("a half copied database is looked at: ", err)
		}
	}
	began := time.Now()
	said := m.must("copy", "--from", dir, "--to", m.url, "--json")
	var done struct {
		Complete bool
		Rows     int64
		Tables   []struct {
			Table string
			Rows  int64
			Equal bool
		}
	}
	if err := json.Unmarshal(said, &done); err != nil {
		t.Fatal(err)
	}
	for _, table := range done.Tables {
		if !table.Equal || table.Table == "sessions" && table.Rows != int64(*sessions) {
			t.Errorf("%+v", table)
		}
	}
	if !done.Complete || len(done.Tables) != len(sqlstore.MovedTables()) {
		t.Errorf("%s", said)
	}
	t.Logf("the last run took %v for %d rows; %s", time.Since(began).Round(time.Second), done.Rows, m.used)
	t.Logf("%s", m.must("doctor", "--data", dir, "--database", m.url))
}

// millionth runs the program.
type millionth struct {
	testing.TB
	program, dir, url string
	used              string // by the last run
}

// cut kills a copy after its first line of progress, and says whether it got as far.
func (m *millionth) cut() bool {
	cmd := exec.CommandContext(m.Context(), m.program, "copy", "--from", m.dir, "--to", m.url)
	said, err := cmd.StderrPipe()
	if err != nil {
		m.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		m.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "copying") {
			_ = cmd.Process.Kill()
			_, _ = io.Copy(io.Discard, said)
			m.Log("killed after: ", lines.Text())
			return cmd.Wait() != nil
		}
	}
	_ = cmd.Wait()
	return false
}

func (m *millionth) must(args ...string) []byte {
	m.Helper()
	said, err := m.say(args...)
	if err != nil {
		m.Fatalf("%v: %s", err, said)
	}
	return said
}

func (m *millionth) say(args ...string) ([]byte, error) {
	cmd := exec.CommandContext(m.Context(), m.program, args...)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		m.used = fmt.Sprintf("at most %d MB of memory, %v of processor", usage.Maxrss>>10, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	}
	if err != nil {
		err = fmt.Errorf("%w: %s", err, complaint.String())
	}
	return out.Bytes(), err
}
