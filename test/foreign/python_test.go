// Package foreign calls Coinslot as a stranger would: in a language that has no SDK,
// by a client made of proto/ alone as docs/clients.md says.
package foreign

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/coinslot/coinslot/internal/testneed"
	"github.com/coinslot/coinslot/test/sdk"
)

const root = "../.."

// TestPythonGRPC generates stubs for Python, and runs with them the example of
// docs/clients.md and then the calls in calls.py, by gRPC without TLS.
func TestPythonGRPC(t *testing.T) {
	testneed.Program(t, "protoc")
	testneed.Program(t, "grpc_python_plugin")
	python := testneed.Python(t, "grpc", "google.protobuf")
	if err := sdk.LookAt(root, "test/foreign", "cmd", "internal"); err != nil {
		t.Fatal(err)
	}

	config, example := documented(t, "Python")
	stubs := generate(t, config)
	dir := t.TempDir()
	binary, s := start(t, dir)
	address := strings.TrimPrefix(s.URL, "http://")

	run := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), python, args...)
		cmd.Env = append(os.Environ(), "PYTHONPATH="+stubs, "PYTHONDONTWRITEBYTECODE=1",
			"COINSLOT_KEY="+s.Key, "COINSLOT_ADDRESS="+address, sdk.BinaryVariable+"="+binary, "COINSLOT_DATA="+s.Data)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	printed := run("-c", strings.ReplaceAll(example, "localhost:8080", address))
	if !strings.HasPrefix(printed, s.URL+"/pay/sess_") {
		t.Errorf("the documented example printed %q", printed)
	}
	t.Log(run("calls.py", "-v"))
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

// start runs the program as it is built, in the sandbox, with its data in dir.
func start(t *testing.T, dir string) (binary string, s *sdk.Server) {
	t.Helper()
	binary, err := sdk.Build(root, dir)
	if err != nil {
		t.Fatal(err)
	}
	if s, err = sdk.Start(binary, dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return binary, s
}
