package sdk_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/coinslot/coinslot/internal/testneed"
)

// TestTypeScript runs the TypeScript client's own tests: npm builds the package, and node
// runs it against the server.
func TestTypeScript(t *testing.T) {
	testneed.Node(t, 20)
	npm := testneed.Program(t, "npm")
	if _, err := os.Stat(filepath.Join(repository, "sdk/typescript/node_modules/.package-lock.json")); err != nil {
		testneed.Lacks(t, "the npm packages of sdk/typescript")
	}
	dependsOn(t, "sdk/typescript", "sdk/webhook-vectors.json", "proto", "cmd", "gen", "internal")
	runSuite(t, "typescript", npm, "test")
}

// dependsOn looks at every file that a test needs outside of Go's sight, since go test
// repeats an old result while nothing has changed that the test has looked at.
func dependsOn(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		err := filepath.WalkDir(filepath.Join(repository, path), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if made := []string{"node_modules", "dist", "build"}; d.IsDir() && slices.Contains(made, d.Name()) {
				return fs.SkipDir
			}
			_, err = os.Stat(path)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
