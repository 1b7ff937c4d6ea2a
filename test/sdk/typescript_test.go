package sdk_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/coinslot/coinslot/internal/testneed"
	"github.com/coinslot/coinslot/test/sdk"
)

// TestTypeScript runs the TypeScript client's own tests: npm builds the package, and node
// runs it against the server.
func TestTypeScript(t *testing.T) {
	testneed.Node(t, 20)
	npm := testneed.Program(t, "npm")
	if _, err := os.Stat(filepath.Join(repository, "sdk/typescript/node_modules/.package-lock.json")); err != nil {
		testneed.Lacks(t, "the npm packages of sdk/typescript")
	}
	dependsOn(t, "sdk/typescript", "sdk/webhook-vectors.json", "sdk/failures.json", "proto", "cmd", "gen", "internal")
	runSuite(t, "typescript", npm, "test")
}

// dependsOn names what a test needs outside of Go's sight.
func dependsOn(t *testing.T, paths ...string) {
	t.Helper()
	if err := sdk.LookAt(repository, paths...); err != nil {
		t.Fatal(err)
	}
}
