// Package readme runs the README's commands as they are written there.
package readme

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/coinslot/coinslot/internal/testneed"
)

// patience is how long a step may take: the first has to build the server.
const patience = 4 * time.Minute

// TestQuickstart follows the README from clone to a paid session whose webhooks were
// seen. Nothing of the commands is changed but the ports, which may be in use.
func TestQuickstart(t *testing.T) {
	for _, program := range []string{"bash", "git", "make", "curl", "openssl"} {
		testneed.Program(t, program)
	}
	terminals := quickstart(t)
	sh := newShell(t)
	sh.clone(t, terminals[0][0])

	server := sh.start(t, terminals[0][1])
	server.await(t, `Coinslot runs at`)
	own := listenForWebhook(t)
	secret := sh.output(t, "./coinslot webhooks create --game space_shooter --environment sandbox --events session.paid --url "+own.url)

	receiver := sh.start(t, terminals[1][0])
	receiver.await(t, `waiting for webhooks`)

	created := sh.output(t, terminals[2][0])
	id := regexp.MustCompile(`"id": ?"(sess_[0-9a-v]+)"`).FindStringSubmatch(created)
	if id == nil {
		t.Fatalf("curl answered %s", created)
	}
	if got := sh.output(t, strings.ReplaceAll(terminals[2][1], "sess_…", id[1])); got != "paid" {
		t.Fatalf("the session is %q, want paid", got)
	}
	for _, event := range []string{"session.created", "payment.created", "payment.succeeded", "session.paid"} {
		receiver.await(t, `^verified: `+event+` `+id[1])
	}
	verify(t, secret, <-own.got)
}

// quickstart is the README's commands, by terminal.
func quickstart(t *testing.T) [][]string {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(text), "<!-- quickstart -->")
	part, _, _ = strings.Cut(part, "<!-- /quickstart -->")
	var terminals [][]string
	count := 0
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)\n```").FindAllStringSubmatch(part, -1) {
		commands := strings.Split(block[1], "\n")
		count += len(commands)
		terminals = append(terminals, commands)
	}
	if len(terminals) != 3 || count > 5 {
		t.Fatalf("the README's quickstart has %d commands in %d terminals, want at most 5 in 3", count, len(terminals))
	}
	return terminals
}

// shell runs commands in a directory of their own, against servers on free ports.
type shell struct {
	dir   string
	env   []string
	ports *strings.Replacer
}

func newShell(t *testing.T) *shell {
	server, receiver := freePort(t), freePort(t)
	return &shell{
		dir: t.TempDir(),
		env: append(os.Environ(), "COINSLOT_ADDR=127.0.0.1:"+server),
		ports: strings.NewReplacer("localhost:8080", "localhost:"+server, "localhost:3000", "localhost:"+receiver,
			"go run ./docs/receiver", "go run ./docs/receiver -addr localhost:"+receiver),
	}
}

func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// clone runs the command that clones, with this working tree in the place of the
// repository that it names, and goes into the clone.
func (s *shell) clone(t *testing.T, command string) {
	url := regexp.MustCompile(`https://\S+`).FindString(command)
	origin := t.TempDir()
	s.output(t, fmt.Sprintf(`cd %q && git ls-files -co --exclude-standard -z | xargs -0 cp --parents -t %q &&
		cd %q && git init -q && git add -A && git -c user.name=test -c user.email=test@example.com commit -qm test`,
		repository(t), origin, origin))
	s.env = append(s.env, "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url."+origin+".insteadOf", "GIT_CONFIG_VALUE_0="+url)
	s.dir = s.output(t, command+" && pwd")
}

func repository(t *testing.T) string {
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func (s *shell) command(line string) *exec.Cmd {
	c := exec.Command("bash", "-c", s.ports.Replace(line))
	c.Dir, c.Env = s.dir, s.env
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return c
}

// output is what a command prints.
func (s *shell) output(t *testing.T, line string) string {
	t.Helper()
	c := s.command(line)
	var errors strings.Builder
	c.Stderr = &errors
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", line, err, out, errors.String())
	}
	return strings.TrimSpace(string(out))
}

// running is a command that goes on until the test ends.
type running struct{ lines chan string }

func (s *shell) start(t *testing.T, line string) *running {
	t.Helper()
	c := s.command(line)
	read, write := io.Pipe()
	c.Stdout, c.Stderr = write, write
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	r := &running{make(chan string, 1000)}
	go func() {
		for lines := bufio.NewScanner(read); lines.Scan(); {
			r.lines <- lines.Text()
		}
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGTERM)
		_ = c.Wait()
		_ = write.Close()
	})
	return r
}

// await reads lines until one matches.
func (r *running) await(t *testing.T, pattern string) {
	t.Helper()
	want := regexp.MustCompile(pattern)
	deadline := time.After(patience)
	for {
		select {
		case line := <-r.lines:
			t.Log(line)
			if want.MatchString(line) {
				return
			}
		case <-deadline:
			t.Fatalf("no line matched %s", pattern)
		}
	}
}

// webhook is one request as it arrived.
type webhook struct {
	header http.Header
	body   []byte
}

type ownReceiver struct {
	url string
	got chan webhook
}

func listenForWebhook(t *testing.T) ownReceiver {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := ownReceiver{"http://" + l.Addr().String() + "/", make(chan webhook, 1)}
	s := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.got <- webhook{req.Header.Clone(), body}
	})}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return r
}

// verify checks both signatures by code that is not ours: the published Standard
// Webhooks library, and openssl.
func verify(t *testing.T, secret string, w webhook) {
	t.Helper()
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err == nil {
		err = verifier.Verify(w.body, w.header)
	}
	if err != nil {
		t.Error("standard webhooks:", err)
	}
	at, v1, _ := strings.Cut(strings.TrimPrefix(w.header.Get("X-ToffeePay-Signature"), "t="), ",v1=")
	openssl := exec.Command("openssl", "dgst", "-sha256", "-hmac", secret, "-r")
	openssl.Stdin = strings.NewReader(at + "." + string(w.body))
	out, err := openssl.Output()
	if err != nil {
		t.Fatal(err)
	}
	if want, _, _ := strings.Cut(string(out), " "); v1 != want {
		t.Errorf("X-ToffeePay-Signature says %s, openssl says %s", v1, want)
	}
}
