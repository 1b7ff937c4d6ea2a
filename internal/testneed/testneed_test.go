package testneed_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/coinslot/coinslot/internal/testneed"
)

// recorder is a test that notes how it was ended. Like a real one it does not go on
// after that.
type recorder struct {
	testing.TB
	end string
}

func (r *recorder) Helper()                   {}
func (r *recorder) Skipf(f string, a ...any)  { r.stop("skip: "+f, a) }
func (r *recorder) Fatalf(f string, a ...any) { r.stop("fail: "+f, a) }

func (r *recorder) stop(f string, a []any) {
	r.end = fmt.Sprintf(f, a...)
	runtime.Goexit()
}

func TestProgram(t *testing.T) {
	const missing = "no-such-program"
	tests := []struct {
		name, require string
		programs      []string
		wantFound     bool
		wantEnd       string
	}{
		{"present", "", []string{"go"}, true, ""},
		{"present under another name", "1", []string{missing, "go"}, true, ""},
		{"missing", "", []string{missing}, false, "skip: needs no-such-program: `make setup` installs it"},
		{"missing where required", "1", []string{missing}, false, "fail: needs no-such-program, and COINSLOT_TEST_REQUIRE=1 forbids skipping: `make setup` installs it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			skips := filepath.Join(t.TempDir(), "skips")
			if err := os.WriteFile(skips, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			t.Setenv("COINSLOT_TEST_SKIPS", skips)
			t.Setenv("COINSLOT_TEST_REQUIRE", tt.require)
			path, end := record(t, func(r testing.TB) string {
				return testneed.Program(r, tt.programs[0], tt.programs[1:]...)
			})
			if found := path != ""; found != tt.wantFound {
				t.Errorf("path = %q, found should be %v", path, tt.wantFound)
			}
			if end != tt.wantEnd {
				t.Errorf("ended with %q, want %q", end, tt.wantEnd)
			}
			noted, _ := os.ReadFile(skips)
			if skipped := strings.HasPrefix(tt.wantEnd, "skip"); skipped != strings.Contains(string(noted), "needs "+missing) {
				t.Errorf("noted %q", noted)
			}
		})
	}
}

func TestPython(t *testing.T) {
	t.Setenv("COINSLOT_TEST_REQUIRE", "")
	t.Setenv("COINSLOT_TEST_SKIPS", "")
	if path, end := record(t, func(r testing.TB) string { return testneed.Python(r, "json", "os") }); end == "" && path == "" {
		t.Error("a Python was found, but not its path")
	}
	path, end := record(t, func(r testing.TB) string { return testneed.Python(r, "json", "no_such_module") })
	if want := "skip: needs Python 3 with json, no_such_module: `make setup` installs it"; end != want || path != "" {
		t.Errorf("found %q and ended with %q, want %q", path, end, want)
	}
}

// A stand-in for node, so that the test is about the version and not about the machine.
func TestNode(t *testing.T) {
	t.Setenv("COINSLOT_TEST_REQUIRE", "")
	t.Setenv("COINSLOT_TEST_SKIPS", "")
	tests := []struct {
		says, wantEnd string
	}{
		{"v20.0.0", ""},
		{"v100.1.2", ""},
		{"v18.20.4", "skip: needs Node.js 20 or later: `make setup` installs it"},
		{"nonsense", "skip: needs Node.js 20 or later: `make setup` installs it"},
	}
	for _, tt := range tests {
		t.Run(tt.says, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "node"), []byte("#!/bin/sh\necho "+tt.says+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			t.Setenv("PATH", dir)
			if _, end := record(t, func(r testing.TB) string { return testneed.Node(r, 20) }); end != tt.wantEnd {
				t.Errorf("ended with %q, want %q", end, tt.wantEnd)
			}
		})
	}
}

// record looks for a program in a test of its own, and says how that one was ended.
func record(t *testing.T, look func(testing.TB) string) (path, end string) {
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		path = look(r)
	}()
	<-done
	return path, r.end
}
