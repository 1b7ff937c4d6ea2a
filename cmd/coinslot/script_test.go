package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// The scripts in test/script are what the program promises to who runs it. They
// run this test binary as coinslot, so they test what was just built, under the
// race detector where the tests are.

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"coinslot": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "../../test/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			// A data directory of the script's own, under the default name.
			e.Values[serversKey{}] = &servers{byName: map[string]*serverProcess{}}
			e.Values[receiverKey{}] = &receiver{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"start":       start,
			"stop":        stop,
			"kill9":       kill9,
			"call":        call,
			"receiver":    receive,
			"received":    received,
			"owners-only": ownersOnly,
			"certificate": certificate,
			"remember":    remember,
		},
	})
}

// remember NAME FILE: sets a variable to the text of a file, such as stdout.
func remember(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: remember NAME FILE")
	}
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile(args[1])))
}

// owners-only FILE...: all of them may be read and written by their owner alone.
func ownersOnly(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		info, err := os.Stat(ts.MkAbs(name))
		ts.Check(err)
		want := fs.FileMode(0o600)
		if info.IsDir() {
			want = 0o700
		}
		if got := info.Mode().Perm(); got != want {
			ts.Fatalf("%s has mode %o, want %o", filepath.Base(name), got, want)
		}
	}
}

// mustArgs ends the script where a command is used wrongly.
func mustArgs(ts *testscript.TestScript, neg bool, args []string, least int, usage string) {
	if neg || len(args) < least {
		ts.Fatalf("usage: %s", usage)
	}
}

func printOut(ts *testscript.TestScript, format string, args ...any) {
	_, err := fmt.Fprintf(ts.Stdout(), format, args...)
	ts.Check(err)
}
