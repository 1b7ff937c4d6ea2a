package sdk_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coinslot/coinslot/test/sdk"
)

// The tests in sdk/go are run by `go test ./...` like all others, so one of them is enough
// here. What they cannot try is the client in somebody else's module.

func TestGo(t *testing.T) {
	runSuite(t, "go", "go", "test", "-count=1", "-run", "TestTheExamplesWork", ".")
}

const game = `package main

import (
	"context"
	"fmt"
	"log"

	coinslot "github.com/coinslot/coinslot/sdk/go"
)

func main() {
	client, err := coinslot.New("")
	if err != nil {
		log.Fatal(err)
	}
	session, err := client.Checkout(context.Background(), &coinslot.CreateSessionRequest{
		GameId: "space_shooter", UserId: "player_42", ReturnUrl: "mygame://payment-complete",
		Item: &coinslot.Item{Title: "50 Gold Coins", Price: 499, Currency: "USD"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(session.Id)
}
`

const gameModule = `module example.com/game

go 1.26

require github.com/coinslot/coinslot v0.0.0

replace github.com/coinslot/coinslot => `

// TestGoInAModuleOfItsOwn builds a game that requires Coinslot and sells. Nothing that only
// the server needs may get into its go.mod, its go.sum or its build.
func TestGoInAModuleOfItsOwn(t *testing.T) {
	dir := t.TempDir()
	here, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "main.go"), game)
	write(t, filepath.Join(dir, "go.mod"), gameModule+here+"\n")
	offline := []string{"GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off"} // all that it needs is here, since this was built
	run(t, dir, offline, "go", "mod", "tidy")

	want := []string{"connectrpc.com/connect", "github.com/coinslot/coinslot", "github.com/google/uuid", "google.golang.org/genproto/googleapis/api", "google.golang.org/protobuf"}
	if diff := cmp.Diff(want, required(t, dir)); diff != "" {
		t.Errorf("go.mod (-want +got):\n%s", diff)
	}
	built := strings.Fields(run(t, dir, offline, "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "."))
	slices.Sort(built)
	if diff := cmp.Diff(append(want, "example.com/game"), slices.Compact(built), sorted); diff != "" {
		t.Errorf("what is built (-want +got):\n%s", diff)
	}
	sums := read(t, filepath.Join(dir, "go.sum"))
	for _, heavy := range []string{"modernc.org/sqlite", "pressly/goose", "prometheus/client_golang", "chromedp"} {
		if strings.Contains(sums, heavy) {
			t.Errorf("go.sum has %s:\n%s", heavy, sums)
		}
	}

	server, err := sdk.Start(binary(t), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	}()
	id := run(t, dir, append(offline, "COINSLOT_BASE_URL="+server.URL, "COINSLOT_ACCESS_TOKEN="+server.Key), "go", "run", ".")
	if shown, err := server.Run("sessions", "show", id); err != nil || !strings.Contains(shown, "pending") {
		t.Errorf("the server knows of the session: %q, %v", shown, err)
	}
}

var sorted = cmp.Transformer("sorted", func(s []string) []string { return slices.Sorted(slices.Values(s)) })

// required are the modules that go.mod requires, sorted.
func required(t *testing.T, dir string) (modules []string) {
	t.Helper()
	for _, line := range strings.Split(read(t, filepath.Join(dir, "go.mod")), "\n") {
		line = strings.TrimPrefix(strings.TrimSpace(line), "require ")
		if module, version, ok := strings.Cut(line, " "); ok && strings.HasPrefix(version, "v") {
			modules = append(modules, module)
		}
	}
	slices.Sort(modules)
	return modules
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
