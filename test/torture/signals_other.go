//go:build !unix

package torture

import "syscall"

// Nothing has a process stand still here: to try it is an error.
const (
	standStill = syscall.Signal(-1)
	goOn       = syscall.Signal(-1)
)
