package sdk_test

import (
	"testing"

	"github.com/coinslot/coinslot/internal/testneed"
)

// TestPython runs all of the Python client's tests, its types and its README among them.
func TestPython(t *testing.T) {
	python := testneed.Python(t, "httpx", "mypy", "pytest", "setuptools", "wheel")
	dependsOn(t, "sdk/python", "sdk/webhook-vectors.json", "sdk/failures.json", "proto", "cmd", "internal")
	runSuite(t, "python", python, "-B", "-m", "pytest", "-q")
}
