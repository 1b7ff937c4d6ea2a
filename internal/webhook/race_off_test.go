//go:build !race

package webhook_test

const slower = 1
