//go:build !(linux || darwin)

package main

import "errors"

func diskSpace(string) (free, whole int64, err error) {
	return 0, 0, errors.New("this system is not known")
}
