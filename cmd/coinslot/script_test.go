package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/coinslot/coinslot/test/postgrestest"
)

// The scripts in test/script are what the program promises to who runs it. They
// run this test binary as coinslot, so they test what was just built, under the
// race detector where the tests are.

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"coinslot": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, scripts("../../test/script"))
}

// Those of PostgreSQL find the URL of an empty database of their own in DATABASE.
func TestPostgresScripts(t *testing.T) {
	files, err := filepath.Glob("../../test/script/postgres/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		p := scripts("")
		p.Files = []string{file}
		url := postgrestest.EmptyURL(t)
		setUp := p.Setup
		p.Setup = func(e *testscript.Env) error {
			e.Setenv("DATABASE", url)
			return setUp(e)
		}
		testscript.Run(t, p)
	}
}

func scripts(dir string) testscript.Params {
	return testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("GORACE", "atexit_sleep_ms=0") // else every command takes a second longer
			e.Setenv("SESSION", `{"game_id":"space_shooter","user_id":"player_42","item":{"title":"50 Gold Coins","price":499,"currency":"USD"},"return_url":"mygame://payment-complete"}`)
			e.Values[serversKey{}] = &servers{byName: map[string]*serverProcess{}}
			e.Values[receiverKey{}] = &receiver{}
			e.Values[tradeKey{}] = new(*trade)
			e.Values[listenersKey{}] = &listeners{byName: map[string]*listenerProcess{}}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"start":       start,
			"end":         end, // not stop: testscript has one of its own, which ends the script
			"terminate":   terminate,
			"kill9":       kill9,
			"call":        call,
			"receiver":    receive,
			"received":    received,
			"release":     release,
			"leave":       leave,
			"verify":      verify,
			"listener":    startListener,
			"says":        says,
			"interrupt":   interrupt,
			"await":       await,
			"owners-only": ownersOnly,
			"certificate": certificate,
			"copied":      copied,
			"trade":       startTrade,
			"traded":      traded,
			"rest":        restTrade,
			"all-there":   allThere,
			"sql":         runSQL,
			"spoil":       spoil,
			"remember":    remember,
			"field":       field,
		},
	}
}

// remember NAME FILE: sets a variable to the text of a file, such as stdout.
func remember(ts *testscript.TestScript, neg bool, args []string) {
	mustArgs(ts, neg, args, 2, "remember NAME FILE")
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile(args[1])))
}

// field NAME PATH: sets a variable to a value in the JSON that was just printed; the
// path is names and indexes, as in endpoints.0.id.
func field(ts *testscript.TestScript, neg bool, args []string) {
	mustArgs(ts, neg, args, 2, "field NAME PATH")
	var value any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &value))
	for _, step := range strings.Split(args[1], ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[step]
		case []any:
			i, err := strconv.Atoi(step)
			ts.Check(err)
			value = v[i]
		}
	}
	text, ok := value.(string)
	if !ok {
		ts.Fatalf("there is no text at %s", args[1])
	}
	ts.Setenv(args[0], text)
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
