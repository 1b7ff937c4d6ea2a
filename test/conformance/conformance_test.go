// Package conformance holds the server to the Connect conformance suite: the suite's
// own service is mounted in the server as it is built for ours, and the suite's client
// calls it in every way that the protocols have.
package conformance

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/coinslot/coinslot/internal/testneed"
)

// contractVariable names the file with the suite's contract. Where it is set, the test
// binary is a server for the suite to call.
const contractVariable = "COINSLOT_CONFORMANCE_CONTRACT"

func TestMain(m *testing.M) {
	if contract := os.Getenv(contractVariable); contract != "" {
		if err := serve(contract, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// leastCases is how many cases there are at least, lest a change of the configuration
// leaves most of them out unseen.
const leastCases = 2000

func TestTheSuitePasses(t *testing.T) {
	suite := tool(t, "tool", "-n", "connectconformance")
	contract := filepath.Join(t.TempDir(), "contract.binpb")
	run(t, exec.CommandContext(t.Context(), tool(t, "tool", "-n", "buf"), "build", filepath.Join(module(t), "proto"), "-o", contract))

	server, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), suite, "--mode", "server", "--conf", filepath.Join("testdata", "config.yaml"), "--", server)
	cmd.Env = append(os.Environ(), contractVariable+"="+contract)
	said := run(t, cmd)
	counts := regexp.MustCompile(`Total cases: (\d+)\n(\d+) passed, 0 failed`).FindStringSubmatch(said)
	if counts == nil || counts[1] != counts[2] {
		t.Fatalf("not every case passed:\n%s", said)
	}
	if cases, _ := strconv.Atoi(counts[1]); cases < leastCases {
		t.Errorf("only %d cases were run, want %d or more", cases, leastCases)
	}
}

// module is the directory of the suite's sources.
func module(t *testing.T) string {
	return tool(t, "list", "-m", "-f", "{{.Dir}}", "connectrpc.com/conformance")
}

// tool runs a go command that knows the tools, and returns the one line it prints.
func tool(t *testing.T, command string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", append([]string{command, "-modfile=../../tools.mod"}, args...)...).Output()
	if err != nil {
		testneed.Lacks(t, args[len(args)-1])
	}
	return strings.TrimSpace(string(out))
}

// run returns what a program prints, and ends the test where it fails.
func run(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", filepath.Base(cmd.Path), err, said.String())
	}
	return said.String()
}
