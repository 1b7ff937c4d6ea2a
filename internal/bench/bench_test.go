package bench_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/coinslot/coinslot/internal/bench"
	"github.com/coinslot/coinslot/internal/store"
	"github.com/coinslot/coinslot/internal/store/sqlite"
)

// The benchmark starts itself for its other parts: here that is this test.
func TestMain(m *testing.M) {
	role, ok := os.LookupEnv(bench.RoleVariable)
	if !ok {
		os.Exit(m.Run())
	}
	if err := bench.Play(context.Background(), role, open, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func open(ctx context.Context, path string, solo bool) (store.Store, error) {
	return sqlite.Open(ctx, path, sqlite.Options{Solo: solo})
}

// Everything that can be measured can be: no call of the load is refused. How fast
// it is has no place in a test.
func TestEverythingCanBeMeasured(t *testing.T) {
	wanted := []string{
		"echo", "noop-json", "status", "get", "page", "noop-binary", "noop-grpc", "create-grpc", "create", "create-solo",
		"create-keyed", "create-one", "create-one-solo", "post-one", "deliver-one", "post-eight", "deliver-eight", "watch",
	}
	var out, note bytes.Buffer
	err := bench.Run(t.Context(), bench.Options{
		Rounds: 1, Seconds: 0.2, Connections: 4, Only: wanted, Dir: t.TempDir(), Open: open, Out: &out, Note: &note,
		Watch: bench.Watch{Sessions: 150, Changed: 10, Feeds: 20, Events: 5},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range append(wanted[:len(wanted)-1], "150 streams of WatchSession", "20 streams of WatchEvents", "CreateSession JSON ÷ no-op JSON", "p99 of the payment page ÷ p99 of GetSession", "the same with one connection",
		"webhook deliveries ÷ bare signed POSTs, one endpoint", "the same with eight endpoints") {
		if !strings.Contains(out.String(), "\n"+want+" ") {
			t.Errorf("the table has no line for %q:\n%s", want, out.String())
		}
	}
}

func TestAnUnknownMeasurementIsRefused(t *testing.T) {
	err := bench.Run(t.Context(), bench.Options{Rounds: 1, Seconds: 0.1, Connections: 1, Only: []string{"luck"}, Open: open})
	if err == nil || !strings.Contains(err.Error(), `"luck"`) || !strings.Contains(err.Error(), "noop-json") {
		t.Errorf("the error is %v", err)
	}
}
