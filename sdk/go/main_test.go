package coinslot_test

import (
	"fmt"
	"os"
	"testing"

	coinslot "github.com/coinslot/coinslot/sdk/go"
	"github.com/coinslot/coinslot/test/sdk"
)

// server is the one that all tests share: the program itself, as it is built, with a
// sandbox. Tests that count things make a game of their own.
var server *sdk.Server

func TestMain(m *testing.M) { os.Exit(withServer(m)) }

func withServer(m *testing.M) int {
	dir, err := os.MkdirTemp("", "coinslot-sdk-go-")
	if err != nil {
		return complain(err)
	}
	defer os.RemoveAll(dir)
	binary, err := sdk.Build("../..", dir)
	if err != nil {
		return complain(err)
	}
	server, err = sdk.Start(binary, dir)
	if err != nil {
		return complain(err)
	}
	os.Setenv("COINSLOT_BASE_URL", server.URL) // for the examples, which are as their reader would write them
	os.Setenv("COINSLOT_ACCESS_TOKEN", server.Key)
	code := m.Run()
	if err := server.Stop(); err != nil {
		return complain(err)
	}
	return code
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// run runs a command of the operator.
func run(t testing.TB, args ...string) string {
	t.Helper()
	out, err := server.Run(args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// newGame registers a game and returns a client for it alone.
func newGame(t testing.TB, id string, settings ...string) *coinslot.Client {
	t.Helper()
	run(t, append([]string{"games", "create", id}, settings...)...)
	return newClient(t, run(t, "keys", "create", "--game", id, "--environment", "sandbox"))
}

func newClient(t testing.TB, token string, opts ...coinslot.Option) *coinslot.Client {
	t.Helper()
	c, err := coinslot.New(token, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func coins(game string) *coinslot.CreateSessionRequest {
	return &coinslot.CreateSessionRequest{
		GameId: game, UserId: "player_42", ReturnUrl: "mygame://payment-complete",
		Item: &coinslot.Item{Title: "50 Gold Coins", Price: 499, Currency: "USD"},
	}
}

func checkout(t testing.TB, c *coinslot.Client, req *coinslot.CreateSessionRequest, opts ...coinslot.CallOption) *coinslot.Session {
	t.Helper()
	s, err := c.Checkout(t.Context(), req, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
