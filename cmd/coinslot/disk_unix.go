//go:build linux || darwin

package main

import "syscall"

// diskSpace is how many bytes of a directory's disk are free for this user, and how many
// it has.
func diskSpace(dir string) (free, whole int64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), int64(s.Blocks) * int64(s.Bsize), nil
}
