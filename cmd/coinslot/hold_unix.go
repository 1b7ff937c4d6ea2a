//go:build unix

package main

import (
	"os"
	"syscall"
)

// hold locks a file until it is closed, or its process ends however it ends. It waits
// for those who look whether it is held, which takes them no time.
func hold(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX) }

// held says whether a process holds the file.
func held(f *os.File) bool {
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err != nil {
		return true
	}
	_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN)
	return false
}
