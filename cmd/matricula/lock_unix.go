//go:build !windows

package main

import (
	"errors"
	"os"
	"syscall"
)

// flock takes an exclusive lock on an open file; held tells that another
// process has it. The lock ends with the process, however that ends.
func flock(f *os.File) (held bool, err error) {
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	return errors.Is(err, syscall.EWOULDBLOCK), err
}
