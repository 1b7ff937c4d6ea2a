package sdk_test

import (
	"io/fs"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/coinslot/coinslot/internal/testneed"
)

// TestPython runs all of the Python client's tests, its types and its README among them.
func TestPython(t *testing.T) {
	python := testneed.Python(t, "httpx", "mypy", "pytest", "setuptools", "wheel")
	const repository = "../.."
	// What only the programs below read is looked at here, so that `go test` runs this
	// again once it has changed.
	for _, dir := range []string{"sdk/python", "proto", "cmd", "internal"} {
		if err := filepath.WalkDir(filepath.Join(repository, dir), func(_ string, _ fs.DirEntry, err error) error { return err }); err != nil {
			t.Fatal(err)
		}
	}
	suite := exec.CommandContext(t.Context(), python, "-B", "-m", "pytest", "-q")
	suite.Dir = filepath.Join(repository, "sdk/python")
	if out, err := suite.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
