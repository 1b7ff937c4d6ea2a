//go:build unix

package torture

import "syscall"

// What has a process stand still, and go on.
const (
	standStill = syscall.SIGSTOP
	goOn       = syscall.SIGCONT
)
