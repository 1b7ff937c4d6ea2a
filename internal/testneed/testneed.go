// Package testneed lets a test say which programs it needs besides Go. Where one
// is lacking the test is skipped in one line, so that a laptop without a browser
// can run everything else; with COINSLOT_TEST_REQUIRE=1, as in CI, it fails, so
// that nothing is skipped unseen.
package testneed

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// Program returns the path of a program, trying the given names in turn. Where none
// is installed it ends the test as Lacks does, naming the first.
func Program(t testing.TB, name string, otherNames ...string) string {
	t.Helper()
	for _, n := range append([]string{name}, otherNames...) {
		if path, err := exec.LookPath(n); err == nil {
			return path
		}
	}
	Lacks(t, name)
	return ""
}

// Node returns the path of a Node.js of at least that major version. Where there is none
// it ends the test as Lacks does.
func Node(t testing.TB, major int) string {
	t.Helper()
	path := Program(t, "node")
	said, err := exec.Command(path, "--version").Output() // v20.19.2
	if err != nil {
		t.Fatalf("%s --version: %v", path, err)
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(string(said), "v"), ".")
	if version, err := strconv.Atoi(first); err != nil || version < major {
		Lacks(t, fmt.Sprintf("Node.js %d or later", major))
	}
	return path
}

// Lacks ends the test because something it needs is not installed: by skipping, or
// by failing where COINSLOT_TEST_REQUIRE=1. Program calls it; a test calls it for
// what is no program, such as a Python module.
func Lacks(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("COINSLOT_TEST_REQUIRE") == "1" {
		t.Fatalf("needs %s, and COINSLOT_TEST_REQUIRE=1 forbids skipping: `make setup` installs it", what)
	}
	note(fmt.Sprintf("skipped %s: needs %s, which `make setup` installs", t.Name(), what))
	t.Skipf("needs %s: `make setup` installs it", what)
}

// note adds a line to the file that COINSLOT_TEST_SKIPS names: `go test` shows nothing
// of a package that passed, so `make test` prints that file at its end.
func note(line string) {
	path := os.Getenv("COINSLOT_TEST_SKIPS")
	if path == "" {
		return
	}
	if f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0); err == nil {
		fmt.Fprintln(f, line)
		f.Close()
	}
}

// Python returns a Python 3 that has all of the modules. Where none has it ends the
// test as Lacks does. Debian's own interpreter is asked too, since what `make setup`
// installs is that one's, and another may come first in the path.
func Python(t testing.TB, modules ...string) string {
	t.Helper()
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		path, err := exec.LookPath(name)
		if err == nil && exec.Command(path, "-c", "import "+strings.Join(modules, ",")).Run() == nil {
			return path
		}
	}
	Lacks(t, "Python 3 with "+strings.Join(modules, ", "))
	return ""
}
