package rosterfile

import (
	"errors"
	"io"
	"os"
	"syscall"

	"matricula/internal/lms"
)

// Kept is a list that came over the network and lies in a temporary file
// meanwhile. Closing it removes the file.
type Kept struct{ File *os.File }

// Keep copies a list into a temporary file. It reads no further than the limit.
func Keep(r io.Reader) (k *Kept, err error) {
	f, err := os.CreateTemp("", "matricula-list-")
	if err != nil {
		return nil, err
	}
	k = &Kept{f}
	defer func() {
		if err != nil {
			err = errors.Join(err, k.Close())
			k = nil
		}
	}()
	n, err := io.Copy(f, io.LimitReader(r, MaxBytes+1))
	if noSpace(err) {
		return k, lms.Errorf(lms.CodeUnavailable, "storage-full", "The disk has no space left, so nothing was saved. Please tell whoever runs this server.").Because(err)
	}
	if err != nil {
		return k, err
	}
	if n > MaxBytes {
		return k, lms.Errorf(lms.CodeTooLarge, "file-too-large", "This file has more than %d MB, the most that can be read. Split it.", MaxBytes>>20)
	}
	_, err = f.Seek(0, io.SeekStart)
	return k, err
}

// noSpace tells whether a file cannot grow: the disk, or what somebody may have of it,
// is full.
func noSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// Close closes and removes the file.
func (k *Kept) Close() error {
	return errors.Join(k.File.Close(), os.Remove(k.File.Name()))
}
