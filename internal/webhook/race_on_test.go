//go:build race

package webhook_test

// The race detector makes everything many times slower, so what is timed gets more time.
const slower = 15
