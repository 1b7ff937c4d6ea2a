//go:build !unix

package postgrestest

import "syscall"

func own(string) error { return nil }

func asOwner() *syscall.SysProcAttr { return nil }
