//go:build !race

package torture_test

var buildFlags []string
