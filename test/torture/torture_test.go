package torture_test

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/coinslot/coinslot/test/postgrestest"
	"github.com/coinslot/coinslot/test/torture"
)

var (
	seed    = flag.Uint64("seed", 0, "of the run; 0 picks one")
	rounds  = flag.Int("rounds", 20, "lives of the server that end with a kill -9")
	clients = flag.Int("clients", 12, "callers at the same time")
	patient = flag.Bool("patient", false, "have the server itself deliver what a killed one was sending, which takes half a minute")
)

// The server as its users run it. It must be a process of its own to be killed.
var binary string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) (status int) {
	flag.Parse()
	if *seed == 0 {
		*seed = 1 + rand.Uint64N(1<<32)
	}
	dir, err := os.MkdirTemp("", "torture")
	if err == nil {
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "coinslot")
		build := exec.Command("go", append(append([]string{"build"}, buildFlags...), "-o", binary, "../../cmd/coinslot")...)
		build.Stdout, build.Stderr = os.Stderr, os.Stderr
		err = build.Run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build the server:", err)
		return 1
	}
	return m.Run()
}

// Killed again and again while it is used, the server loses nothing that it
// acknowledged and does nothing twice.
func TestKill(t *testing.T) {
	kill(t, torture.Options{Program: torture.Program{Binary: binary, Dir: t.ArtifactDir()}, Rounds: *rounds})
}

// The same on PostgreSQL, which is killed as well, every other time.
func TestKillOnPostgres(t *testing.T) {
	server := postgrestest.Start(t)
	program := torture.Program{Binary: binary, Dir: t.ArtifactDir(), Database: server.URL()}
	kill(t, torture.Options{Program: program, Base: server, Rounds: (*rounds + 2) / 3})
}

func kill(t *testing.T, o torture.Options) {
	o = options(t, o)
	world, history, err := torture.Run(t.Context(), o)
	judge(t, o, world, err)
	replay(t, o, history, fmt.Sprintf("-rounds %d", *rounds))
}

// options completes those of a run by the flags.
func options(t *testing.T, o torture.Options) torture.Options {
	lookAtSources(t)
	o.Seed, o.Clients, o.Patient = *seed, *clients, *patient
	return o
}

// judge reports every promise that was broken.
func judge(t *testing.T, o torture.Options, world torture.World, err error) {
	if err != nil {
		t.Error(err)
	} else {
		for _, breach := range world.Check() {
			t.Error(breach)
		}
		t.Log(world.Summary())
	}
	for _, line := range o.Complaints() {
		t.Errorf("a server complained: %s", line)
	}
}

// replay tells how to have a run that failed once more.
func replay(t *testing.T, o torture.Options, history *torture.History, how string) {
	if t.Failed() {
		keep(t, o.Program, history)
		t.Logf("again: go test %s./test/torture -run '^%s$' -seed %d %s -clients %d -artifacts -outputdir . -count 1",
			flags(), t.Name(), *seed, how, *clients)
	}
}

func flags() string {
	if len(buildFlags) > 0 {
		return buildFlags[0] + " "
	}
	return ""
}

// keep writes the history down beside the data, which -artifacts keeps.
func keep(t *testing.T, program torture.Program, history *torture.History) {
	var all bytes.Buffer
	if _, err := history.WriteTo(&all); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(program.Dir, "history.jsonl"), all.Bytes(), 0o600); err != nil {
		t.Error(err)
	}
}

// lookAtSources has `go test` know what the server is made of, which it takes from
// the files that a test looks at. Otherwise it would repeat a result of an earlier server.
func lookAtSources(t *testing.T) {
	for _, root := range []string{"../../cmd/coinslot", "../../internal", "../../gen"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err == nil {
				_, err = os.Stat(path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
