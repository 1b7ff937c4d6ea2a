package sdk_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coinslot/coinslot/test/sdk"
)

const repository = "../.."

// grace is how long before the end of all tests a command is killed, so that it can
// still be told what it printed.
const grace = 5 * time.Second

// workshop is where the program is built; it is removed at the end.
var workshop string

func TestMain(m *testing.M) { os.Exit(inWorkshop(m)) }

func inWorkshop(m *testing.M) int {
	var err error
	if workshop, err = os.MkdirTemp("", "coinslot-sdk-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(workshop)
	return m.Run()
}

var build = sync.OnceValues(func() (string, error) { return sdk.Build(repository, workshop) })

// binary is the program, built by the first test that needs it.
func binary(t *testing.T) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// runSuite runs the tests of a client, in its directory below sdk, by the command that its
// developers use. They find the program by COINSLOT_BINARY.
func runSuite(t *testing.T, dir string, command ...string) {
	t.Helper()
	run(t, filepath.Join(repository, "sdk", dir), []string{sdk.BinaryVariable + "=" + binary(t)}, command...)
}

// run runs a command and returns what it prints. What is left of it when the test ends is
// killed, the programs that it started too.
func run(t *testing.T, dir string, env []string, command ...string) string {
	t.Helper()
	ctx := t.Context()
	if deadline, ok := t.Deadline(); ok { // go test would end, and leave it running
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-grace))
		defer cancel()
	}
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.WaitDelay = grace
	c.Dir, c.Env = dir, append(os.Environ(), env...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	var refused strings.Builder
	c.Stderr = &refused
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(command, " "), err, out, refused.String())
	}
	return strings.TrimSpace(string(out))
}
