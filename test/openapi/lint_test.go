package openapi

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	generated "github.com/coinslot/coinslot/gen/openapi"
	"github.com/coinslot/coinslot/internal/testneed"
)

// lint has the linter look at a document.
func lint(t *testing.T, text string) (said string, err error) {
	t.Helper()
	testneed.Program(t, "node")
	linter, err := filepath.Abs("node_modules/.bin/redocly")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(linter); err != nil {
		testneed.Lacks(t, "redocly")
	}
	file := filepath.Join(t.TempDir(), "openapi.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), linter, "lint", "--config=redocly.yaml", "--format=stylish", file)
	command.Env = append(os.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true", "NO_COLOR=1", "CI=1")
	out, err := command.CombinedOutput()
	return string(out), err
}

func TestTheLinterHasNothingToSay(t *testing.T) {
	if said, err := lint(t, string(generated.Document)); err != nil {
		t.Errorf("%v: %s", err, said)
	}
}

// A warning counts as an error.
func TestTheLinterIsStrict(t *testing.T) {
	whole := string(generated.Document)
	for _, tt := range []struct{ name, text, says string }{
		{"an error", strings.Replace(whole, "#/components/schemas/Session'", "#/components/schemas/Sess'", 1), "no-unresolved-refs"},
		{"a warning", strings.Replace(whole, "  license:\n    name: Apache-2.0\n    identifier: Apache-2.0\n", "", 1), "info-license"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if said, err := lint(t, tt.text); err == nil || !strings.Contains(said, tt.says) {
				t.Errorf("the linter says %s", said)
			}
		})
	}
}
