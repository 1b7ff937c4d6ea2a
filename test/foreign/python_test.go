// Package foreign calls Coinslot as a stranger would: in a language that has no SDK,
// by a client made of proto/ alone as docs/clients.md says.
package foreign

import (
	"bufio"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/coinslot/coinslot/internal/testneed"
)

const root = "../.."

// TestPythonGRPC generates stubs for Python, and runs with them the example of
// docs/clients.md and then the calls in calls.py, by gRPC without TLS.
func TestPythonGRPC(t *testing.T) {
	testneed.Program(t, "protoc")
	testneed.Program(t, "grpc_python_plugin")
	python := testneed.Python(t, "grpc", "google.protobuf")
	dependOn(t, "test/foreign", "cmd", "internal")

	config, example := documented(t, "Python")
	stubs := generate(t, config)
	s := start(t)

	run := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), python, args...)
		cmd.Env = append(os.Environ(), "PYTHONPATH="+stubs, "PYTHONDONTWRITEBYTECODE=1",
			"COINSLOT_KEY="+s.key, "COINSLOT_ADDRESS="+s.address, "COINSLOT_BINARY="+s.binary, "COINSLOT_DATA="+s.data)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	printed := run("-c", strings.ReplaceAll(example, "localhost:8080", s.address))
	if !strings.HasPrefix(printed, "http://"+s.address+"/pay/sess_") {
		t.Errorf("the documented example printed %q", printed)
	}
	t.Log(run("calls.py", "-v"))
}

// dependOn looks at files that only other programs read, so that `go test` runs this
// again once one of them has changed.
func dependOn(t *testing.T, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		if err := filepath.WalkDir(filepath.Join(root, dir), func(_ string, _ fs.DirEntry, err error) error { return err }); err != nil {
			t.Fatal(err)
		}
	}
}

// documented is the configuration and the program under a heading of docs/clients.md.
func documented(t *testing.T, language string) (config, program string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs/clients.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## "+language+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	blocks := regexp.MustCompile("(?s)```(?:yaml|python)\n(.*?)```").FindAllStringSubmatch(section, -1)
	if len(blocks) != 2 {
		t.Fatalf("docs/clients.md has %d blocks under %s, want buf.gen.yaml and a program", len(blocks), language)
	}
	return blocks[0][1], blocks[1][1]
}

// generate runs buf in a directory that has nothing of ours but proto/ and buf.yaml,
// and returns the one that buf wrote.
func generate(t *testing.T, config string) string {
	t.Helper()
	buf, err := exec.CommandContext(t.Context(), "go", "tool", "-modfile="+root+"/tools.mod", "-n", "buf").Output()
	if err != nil {
		testneed.Lacks(t, "buf")
	}
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "proto"), os.DirFS(filepath.Join(root, "proto"))); err != nil {
		t.Fatal(err)
	}
	module, err := os.ReadFile(filepath.Join(root, "buf.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"buf.yaml": module, "buf.gen.yaml": []byte(config)} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), strings.TrimSpace(string(buf)), "generate")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("buf generate: %v\n%s", err, out)
	}
	return filepath.Join(dir, "gen")
}

// server is the program as it is run, in the sandbox.
type server struct{ binary, data, address, key string }

func start(t *testing.T) server {
	t.Helper()
	dir := t.TempDir()
	s := server{binary: filepath.Join(dir, "coinslot"), data: filepath.Join(dir, "data")}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", s.binary, "./cmd/coinslot")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	cmd := exec.Command(s.binary, "serve", "--quiet-start", "--addr", "127.0.0.1:0", "--data", s.data)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Error("the server ended with", err)
		}
	})
	var said struct {
		URL        string `json:"url"`
		SandboxKey string `json:"sandbox_key"`
	}
	line, _ := bufio.NewReader(out).ReadBytes('\n')
	if err := json.Unmarshal(line, &said); err != nil {
		t.Fatalf("the server said %q at its start", line)
	}
	s.address, s.key = strings.TrimPrefix(said.URL, "http://"), said.SandboxKey
	return s
}
