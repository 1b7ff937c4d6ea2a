package main

import (
	"bufio"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The commands by which scripts run `coinslot listen`.

type listenersKey struct{}

// listeners are those of one script, by the name it gave them.
type listeners struct{ byName map[string]*listenerProcess }

type listenerProcess struct {
	cmd   *exec.Cmd
	lines chan string // of both its outputs, as they come
	read  sync.WaitGroup
}

// listener NAME [ARGS...]: runs `coinslot listen ARGS` until `interrupt NAME`.
func startListener(ts *testscript.TestScript, neg bool, args []string) {
	mustArgs(ts, neg, args, 1, "listener NAME [ARGS...]")
	path, err := exec.LookPath("coinslot")
	ts.Check(err)
	p := &listenerProcess{cmd: exec.Command("coinslot", append([]string{"listen"}, args[1:]...)...), lines: make(chan string, 1000)}
	p.cmd.Path, p.cmd.Dir, p.cmd.Env = path, ts.MkAbs("."), environ(ts)
	out, err := p.cmd.StdoutPipe()
	ts.Check(err)
	errs, err := p.cmd.StderrPipe()
	ts.Check(err)
	ts.Check(p.cmd.Start())
	for _, from := range []*bufio.Scanner{bufio.NewScanner(out), bufio.NewScanner(errs)} {
		p.read.Go(func() {
			for from.Scan() {
				p.lines <- from.Text()
			}
		})
	}
	ts.Defer(func() { p.cmd.Process.Kill(); p.read.Wait(); p.cmd.Wait() })
	ts.Value(listenersKey{}).(*listeners).byName[args[0]] = p
}

// says NAME PATTERN: waits until a listener prints a line that matches. The command's output is
// that line; the lines before it are passed over.
func says(ts *testscript.TestScript, neg bool, args []string) {
	mustArgs(ts, neg, args, 2, "says NAME PATTERN")
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	var before strings.Builder
	for patience := time.After(30 * time.Second); ; {
		select {
		case line := <-ts.Value(listenersKey{}).(*listeners).byName[args[0]].lines:
			if pattern.MatchString(line) {
				printOut(ts, "%s\n", line)
				return
			}
			before.WriteString(line + "\n")
		case <-patience:
			ts.Fatalf("%s did not say %s, but:\n%s", args[0], args[1], &before)
		}
	}
}

// interrupt NAME: ends a listener as Ctrl-C does, which it must take with exit status 0. The
// command's output is what it printed and nothing waited for.
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	mustArgs(ts, neg, args, 1, "interrupt NAME")
	p := ts.Value(listenersKey{}).(*listeners).byName[args[0]]
	ts.Check(p.cmd.Process.Signal(os.Interrupt))
	p.read.Wait()
	if err := p.cmd.Wait(); err != nil {
		ts.Fatalf("after Ctrl-C: %v", err)
	}
	for close(p.lines); ; {
		line, more := <-p.lines
		if !more {
			return
		}
		printOut(ts, "%s\n", line)
	}
}
