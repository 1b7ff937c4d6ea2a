package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The commands by which scripts run servers and call them.

type serversKey struct{}

// servers are those of one script, by the name it gave them.
type servers struct{ byName map[string]*serverProcess }

type serverProcess struct {
	cmd *exec.Cmd
	log *os.File
	out *bufio.Reader

	asked bool // to end
}

// start NAME [ARGS...]: runs `coinslot serve ARGS` on a free port until it says that
// it is ready. Sets URL and, where a key was made, KEY. What it printed by then is
// in NAME.out, and its log in NAME.log.
func start(ts *testscript.TestScript, neg bool, args []string) {
	mustArgs(ts, neg, args, 1, "start NAME [ARGS...]")
	name := args[0]
	p := &serverProcess{cmd: exec.Command("coinslot", append([]string{"serve", "--addr", "127.0.0.1:0"}, args[1:]...)...)}
	path, err := exec.LookPath("coinslot")
	ts.Check(err)
	p.cmd.Path, p.cmd.Dir, p.cmd.Env = path, ts.MkAbs("."), environ(ts)
	p.log, err = os.Create(ts.MkAbs(name + ".log"))
	ts.Check(err)
	p.cmd.Stderr = p.log
	pipe, err := p.cmd.StdoutPipe()
	ts.Check(err)
	p.out = bufio.NewReader(pipe)
	ts.Check(p.cmd.Start())
	ts.Defer(func() { p.cmd.Process.Kill(); p.cmd.Wait(); p.log.Close() })
	said := p.untilReady()
	ts.Check(os.WriteFile(ts.MkAbs(name+".out"), []byte(said), 0o600))
	if said == "" {
		p.cmd.Wait()
		ts.Fatalf("the server did not start:\n%s", ts.ReadFile(name+".log"))
	}
	setServer(ts, said)
	ts.Value(serversKey{}).(*servers).byName[name] = p
}

// untilReady reads the one line of a quiet start, or the welcome to its end.
func (p *serverProcess) untilReady() string {
	var said strings.Builder
	for {
		line, err := p.out.ReadString('\n')
		said.WriteString(line)
		if strings.HasPrefix(line, "{") || strings.Contains(line, "Ctrl-C") {
			return said.String()
		}
		if err != nil {
			return ""
		}
	}
}

// setServer sets URL and KEY to what a server said at its start.
func setServer(ts *testscript.TestScript, said string) {
	var quiet welcome
	if err := json.Unmarshal([]byte(said), &quiet); err != nil {
		for _, word := range strings.Fields(said) {
			if word = strings.Trim(word, ",'"); strings.HasPrefix(word, "sk_sandbox_") {
				quiet.SandboxKey = word
			} else if strings.HasPrefix(word, "http") && quiet.URL == "" {
				quiet.URL = word
			}
		}
	}
	ts.Setenv("URL", quiet.URL)
	if quiet.SandboxKey != "" {
		ts.Setenv("KEY", quiet.SandboxKey)
	}
}

// environ is the script's environment, as far as a server should see it.
func environ(ts *testscript.TestScript) []string {
	env := []string{}
	for _, name := range []string{"WORK", "PATH", "HOME", "TMPDIR", "GOCOVERDIR", "TESTSCRIPT_COMMAND", "GORACE",
		"COINSLOT_DATA", "COINSLOT_ADDR", "COINSLOT_PUBLIC_URL", "COINSLOT_QUIET_START", "COINSLOT_LOG_LEVEL", "COINSLOT_LOG_FORMAT",
		"COINSLOT_DATABASE", "COINSLOT_MASTER_KEY", "COINSLOT_ADMIN_TOKEN"} {
		if value := ts.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// terminate NAME: asks the server to end, and does not wait for it.
func terminate(ts *testscript.TestScript, neg bool, args []string) {
	mustArgs(ts, neg, args, 1, "terminate NAME")
	p := ts.Value(serversKey{}).(*servers).byName[args[0]]
	if !p.asked { // a second time it would end at once
		ts.Check(p.cmd.Process.Signal(syscall.SIGTERM))
	}
	p.asked = true
}

// end NAME: asks the server to end, which it must do with exit status 0. What it
// printed after it was ready is added to NAME.out.
func end(ts *testscript.TestScript, neg bool, args []string) {
	terminate(ts, neg, args)
	p := ts.Value(serversKey{}).(*servers).byName[args[0]]
	rest, err := io.ReadAll(p.out)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".out"), append([]byte(ts.ReadFile(args[0]+".out")), rest...), 0o600))
	if err := p.cmd.Wait(); err != nil {
		ts.Fatalf("after SIGTERM: %v\n%s", err, ts.ReadFile(args[0]+".log"))
	}
}

// kill9 NAME: ends the server without warning.
func kill9(ts *testscript.TestScript, neg bool, args []string) {
	mustArgs(ts, neg, args, 1, "kill9 NAME")
	p := ts.Value(serversKey{}).(*servers).byName[args[0]]
	ts.Check(p.cmd.Process.Kill())
	var exit *exec.ExitError
	if err := p.cmd.Wait(); !errors.As(err, &exit) {
		ts.Fatalf("after kill -9: %v", err)
	}
}

// [!] call PATH [BODY]: calls the server at URL with KEY, by POST where there is a
// body. The command's output is the answer's status and body; a refusal is a
// failure. An answer with an id sets ID.
func call(ts *testscript.TestScript, neg bool, args []string) {
	mustArgs(ts, false, args, 1, "call PATH [BODY]")
	method, body := http.MethodGet, ""
	if len(args) > 1 {
		method, body = http.MethodPost, args[1]
	}
	req, err := http.NewRequest(method, ts.Getenv("URL")+args[0], strings.NewReader(body))
	ts.Check(err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+ts.Getenv("KEY"))
	res, err := http.DefaultClient.Do(req)
	ts.Check(err)
	answer, err := io.ReadAll(res.Body)
	ts.Check(errors.Join(err, res.Body.Close()))
	printOut(ts, "%d %s\n", res.StatusCode, bytes.TrimSpace(answer))
	var made struct{ ID string }
	if json.Unmarshal(answer, &made) == nil && made.ID != "" {
		ts.Setenv("ID", made.ID)
	}
	if refused := res.StatusCode >= 300; refused != neg {
		ts.Fatalf("%s %s: %s %s", method, args[0], res.Status, answer)
	}
}

// certificate CERT KEY: makes a certificate that nobody knows, and its key.
func certificate(ts *testscript.TestScript, neg bool, args []string) {
	mustArgs(ts, neg, args, 2, "certificate CERT KEY")
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"pay.example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	ts.Check(err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	ts.Check(err)
	writePEM(ts, args[0], "CERTIFICATE", der)
	writePEM(ts, args[1], "PRIVATE KEY", secret)
}

func writePEM(ts *testscript.TestScript, name, kind string, der []byte) {
	ts.Check(os.WriteFile(ts.MkAbs(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
}
