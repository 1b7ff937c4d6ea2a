//go:build !unix

package sqlite

import (
	"errors"
	"os"
)

func names(os.FileInfo) uint64 { return 1 }

// lock refuses: where there is no flock, a second process could not be kept out.
func lock(string) (*os.File, error) {
	return nil, errors.New("SQLite storage needs a Unix system, whose file locks end with their process")
}

// unlock lets go of what lock took.
func unlock(f *os.File) error { return f.Close() }
