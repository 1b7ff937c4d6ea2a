package receiving

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"go/format"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/coinslot/coinslot/internal/testneed"
)

// languages are the guide's programs and how each is made ready to run in a directory:
// the command, and what it needs in its environment.
var languages = map[string]func(t *testing.T, code, dir string) (command, env []string){
	"go":                  prepareGo,
	"go-standard":         prepareGo,
	"typescript":          prepareTypeScript,
	"typescript-standard": prepareTypeScript,
	"python":              preparePython,
	"python-standard":     preparePython,
}

// program is an example that runs.
type program struct {
	dir          string
	url          string
	command, env []string

	process    *exec.Cmd
	lines      chan string
	complaints bytes.Buffer

	mu      sync.Mutex
	printed map[string]int
}

func prepare(t *testing.T, name string) *program {
	t.Helper()
	port := freePort(t)
	p := &program{dir: t.TempDir(), url: "http://localhost:" + port + "/webhooks", lines: make(chan string, 1000), printed: map[string]int{}}
	p.command, p.env = languages[name](t, examples(t)[name], p.dir)
	p.env = append(p.env, "PORT="+port)
	return p
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

func prepareGo(t *testing.T, code, dir string) (command, env []string) {
	t.Helper()
	if formatted, err := format.Source([]byte(code)); err != nil || string(formatted) != code {
		t.Errorf("gofmt would write this otherwise (%v)", err)
	}
	write(t, filepath.Join(dir, "main.go"), code)
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "receiver"), filepath.Join(dir, "main.go"))
	build.Dir = repository
	run(t, build)
	return []string{filepath.Join(dir, "receiver")}, nil
}

func preparePython(t *testing.T, code, dir string) (command, env []string) {
	t.Helper()
	python := testneed.Python(t, "httpx")
	write(t, filepath.Join(dir, "receiver.py"), code)
	paths := []string{absolute(t, filepath.Join(repository, "sdk/python/src")), absolute(t, "testdata")}
	return []string{python, "-B", "receiver.py"}, []string{"PYTHONPATH=" + strings.Join(paths, ":")}
}

// prepareTypeScript makes a project that has the packages that the guide names, and has the
// compiler check the program strictly.
func prepareTypeScript(t *testing.T, code, dir string) (command, env []string) {
	t.Helper()
	node := testneed.Node(t, 20)
	client := absolute(t, filepath.Join(repository, "sdk/typescript"))
	for _, of := range []string{client, absolute(t, ".")} {
		if _, err := os.Stat(filepath.Join(of, "node_modules/.package-lock.json")); err != nil {
			testneed.Lacks(t, "the npm packages of sdk/typescript and test/receiving")
		}
	}
	tsc := filepath.Join(client, "node_modules/typescript/bin/tsc")
	modules := filepath.Join(dir, "node_modules")
	packed := filepath.Join(modules, "@coinslot/sdk")
	if err := os.MkdirAll(packed, 0o700); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{
		filepath.Join(client, "package.json"):              filepath.Join(packed, "package.json"),
		filepath.Join(client, "node_modules/@bufbuild"):    filepath.Join(modules, "@bufbuild"),
		filepath.Join(client, "node_modules/@connectrpc"):  filepath.Join(modules, "@connectrpc"),
		filepath.Join(client, "node_modules/@types"):       filepath.Join(modules, "@types"),
		absolute(t, "node_modules/@electric-sql"):          filepath.Join(modules, "@electric-sql"),
		absolute(t, "node_modules/standardwebhooks"):       filepath.Join(modules, "standardwebhooks"),
		filepath.Join(client, "node_modules/undici-types"): filepath.Join(modules, "undici-types"),
	} {
		if err := os.Symlink(from, to); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(code, "@coinslot/sdk") {
		run(t, exec.Command(node, tsc, "-p", filepath.Join(client, "tsconfig.esm.json"), "--outDir", filepath.Join(packed, "dist/esm")))
	}
	write(t, filepath.Join(dir, "package.json"), `{"type":"module"}`)
	write(t, filepath.Join(dir, "receiver.ts"), code)
	compile := exec.Command(node, tsc, "--strict", "--noUncheckedIndexedAccess", "--skipLibCheck", "--target", "es2022", "--module", "nodenext", "--types", "node", "receiver.ts")
	compile.Dir = dir
	run(t, compile)
	return []string{node, "receiver.js"}, nil
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, c *exec.Cmd) {
	t.Helper()
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", c, err, out)
	}
}

// start runs the program until the test ends or it is killed, once it takes connections.
func (p *program) start(t *testing.T, s *shop) {
	t.Helper()
	p.process = exec.Command(p.command[0], p.command[1:]...)
	p.process.Dir = p.dir
	p.process.Env = append(append(os.Environ(), p.env...), "COINSLOT_WEBHOOK_SECRET="+s.secret)
	p.process.Stderr = &p.complaints
	out, write := io.Pipe()
	p.process.Stdout = write // Wait copies all of it
	if err := p.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.kill(); t.Failed() {
			t.Logf("the receiver said:\n%s", &p.complaints)
		}
	})
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			p.mu.Lock()
			p.printed[lines.Text()]++
			p.mu.Unlock()
			p.lines <- lines.Text()
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for tick := time.NewTicker(20 * time.Millisecond); ; <-tick.C {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimSuffix(strings.TrimPrefix(p.url, "http://"), "/webhooks"))
		if err == nil {
			_ = conn.Close()
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("the receiver does not listen: %v", err)
		}
	}
}

// kill ends the program without warning.
func (p *program) kill() {
	_ = p.process.Process.Kill()
	_ = p.process.Wait()
}

// await reads lines until one matches.
func (p *program) await(t *testing.T, pattern string) {
	t.Helper()
	want := regexp.MustCompile(pattern)
	for deadline := time.After(patience); ; {
		select {
		case line := <-p.lines:
			if want.MatchString(line) {
				return
			}
		case <-deadline:
			t.Fatalf("no line matched %s", pattern)
		}
	}
}

// counts is how often each line was printed.
func (p *program) counts() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.printed)
}

func (p *program) wantAnswer(t *testing.T, want int, r request) {
	t.Helper()
	if got, err := r.send(p.url); err != nil || got != want {
		t.Fatalf("the receiver answered %d (%v), want %d, to %s", got, err, want, r.body)
	}
}

// leaveInPostgres writes to the database of the receiver in TypeScript.
const leaveInPostgres = `
	import { PGlite } from "@electric-sql/pglite";
	const db = new PGlite("game.db");
	await db.query("INSERT INTO inbox (id, body) VALUES ($1, $2)", process.argv.slice(1));
	await db.close();`

// leaveUndone puts an event into the inbox of a receiver that does not run, as one that dies
// after it has answered leaves it.
func (p *program) leaveUndone(t *testing.T, r request) {
	t.Helper()
	id, body := r.header.Get("webhook-id"), string(r.body)
	if !p.hasSQLite(t) {
		c := exec.Command(p.command[0], "--input-type=module", "-e", leaveInPostgres, id, body)
		c.Dir = p.dir
		run(t, c)
		return
	}
	db := p.open(t)
	defer db.Close()
	if _, err := db.Exec(`INSERT INTO inbox (id, body) VALUES ($1, $2)`, id, body); err != nil {
		t.Fatal(err)
	}
}

// hasSQLite tells by the receiver's database: that of another engine is a directory.
func (p *program) hasSQLite(t *testing.T) bool {
	t.Helper()
	info, err := os.Stat(filepath.Join(p.dir, "game.db"))
	if err != nil {
		t.Fatal(err)
	}
	return !info.IsDir()
}

func (p *program) open(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(p.dir, "game.db"))
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// wantNewest looks into the receiver's database: of a session's events that came in any
// order, the newest must count. PostgreSQL is asked the same: TestTheReceiversAgree.
func (p *program) wantNewest(t *testing.T, session string, sequence int64) {
	t.Helper()
	if !p.hasSQLite(t) {
		return
	}
	db := p.open(t)
	defer db.Close()
	var got int64
	var status string
	if err := db.QueryRow(`SELECT sequence, status FROM purchases WHERE session_id = $1`, session).Scan(&got, &status); err != nil {
		t.Fatal(err)
	}
	if got != sequence || status != "paid" {
		t.Errorf("the receiver knows event %d of the session, and that it is %s; want %d and paid", got, status, sequence)
	}
}
