package receiving

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coinslot/coinslot/test/sdk"
)

// patience is how long a step may take on a machine that is busy with other tests.
const patience = time.Minute

// workshop is where coinslot is built; it is removed at the end.
var workshop string

func TestMain(m *testing.M) { os.Exit(inWorkshop(m)) }

func inWorkshop(m *testing.M) int {
	var err error
	if workshop, err = os.MkdirTemp("", "coinslot-receiving-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(workshop)
	return m.Run()
}

var build = sync.OnceValues(func() (string, error) { return sdk.Build(repository, workshop) })

// shop is a sandbox whose events a listener forwards, by a road on which they are written down.
type shop struct {
	*sdk.Server
	binary, dir string
	secret      string
	road        *httptest.Server
	passed      chan request // each event once it was answered
	tests       chan request // what `webhooks test` sent

	mu     sync.Mutex
	target string    // empty: nobody hears of the events
	seen   []request // in order
}

func openShop(t *testing.T) *shop {
	t.Helper()
	if err := sdk.LookAt(repository, "sdk", "cmd", "gen", "internal"); err != nil {
		t.Fatal(err)
	}
	binary, err := build()
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{binary: binary, dir: t.TempDir(), passed: make(chan request, 1000), tests: make(chan request, 1)}
	if s.Server, err = sdk.Start(binary, s.dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	s.secret = s.run(t, "listen", "--print-secret")
	s.road = httptest.NewServer(s)
	t.Cleanup(s.road.Close)
	return s
}

func (s *shop) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := s.Run(args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// ServeHTTP passes events on.
func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	came := request{r.Header.Clone(), body}
	if r.URL.Path == "/test" {
		s.tests <- came
		return
	}
	s.mu.Lock()
	s.seen = append(s.seen, came)
	target := s.target
	s.mu.Unlock()
	if target != "" {
		status, err := came.send(target)
		if err != nil {
			status = http.StatusBadGateway
		}
		w.WriteHeader(status)
	}
	s.passed <- came
}

func (s *shop) events() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[:len(s.seen):len(s.seen)]
}

// aim changes where events are passed on to, and returns where they were.
func (s *shop) aim(target string) (before string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, s.target = s.target, target
	return before
}

// forwardTo has `coinslot listen` forward until the test ends.
func (s *shop) forwardTo(t *testing.T, url string) {
	t.Helper()
	s.aim(url)
	listen := exec.Command(s.binary, "listen", "--forward-to", s.road.URL, "--data", filepath.Join(s.dir, "data"))
	said, err := listen.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := listen.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	for lines.Scan() && !strings.Contains(lines.Text(), "Ctrl-C ends it") {
	}
	go func() { _, _ = io.Copy(io.Discard, said) }()
	t.Cleanup(func() {
		_ = listen.Process.Signal(os.Interrupt)
		if err := listen.Wait(); err != nil {
			t.Error("coinslot listen:", err)
		}
	})
}

// trigger makes an event happen.
func (s *shop) trigger(t *testing.T, event string) (session string) {
	t.Helper()
	return s.run(t, "trigger", event)
}

// triggerUnheard makes an event happen of which the receiver does not hear.
func (s *shop) triggerUnheard(t *testing.T, event string) (session string) {
	t.Helper()
	heard := s.aim("")
	session = s.trigger(t, event)
	for deadline := time.After(patience); ; {
		select {
		case r := <-s.passed:
			var told struct {
				Type string
				Data struct {
					SessionID string `json:"session_id"`
				}
			}
			if err := json.Unmarshal(r.body, &told); err != nil {
				t.Fatal(err)
			}
			if told.Type == event && told.Data.SessionID == session {
				s.aim(heard)
				return session
			}
		case <-deadline:
			t.Fatalf("no %s came", event)
		}
	}
}

// testEvent is what `coinslot webhooks test` sends.
func (s *shop) testEvent(t *testing.T) request {
	t.Helper()
	var made struct{ Endpoint struct{ ID string } }
	out := s.run(t, "webhooks", "create", "--game", "space_shooter", "--environment", "sandbox", "--events", "session.expired", "--url", s.road.URL+"/test", "--json")
	if err := json.Unmarshal([]byte(out), &made); err != nil {
		t.Fatal(err)
	}
	s.run(t, "webhooks", "test", made.Endpoint.ID)
	return <-s.tests
}
