//go:build race

package torture_test

// The server runs under the race detector where the tests do.
var buildFlags = []string{"-race"}
