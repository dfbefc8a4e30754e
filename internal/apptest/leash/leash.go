// Package leash keeps a child process and its folder from outliving the test
// process that made them. Cleanups of the testing package do not run when a
// test panics, times out or is killed; a database server and its data would
// then stay behind. It is for tests alone and knows nothing of what it holds.
package leash

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"syscall"
)

// watch is run by a shell beside the test process. Its standard input is a
// pipe whose other end only the test process holds, so that it reads the end of
// the file when that process ends, in whatever way. Each line before that names
// the signal and the process (or, with a minus, the process group) to end; a
// dash says that there is nothing to end.
const watch = `
signal=- target=-
while read -r s t; do signal=$s target=$t; done
if [ "$target" != - ]; then
	kill -s "$signal" -- "$target" 2>/dev/null
	n=0
	while [ $n -lt 50 ] && kill -s 0 -- "$target" 2>/dev/null; do
		sleep 0.1
		n=$((n + 1))
	done
	kill -s KILL -- "$target" 2>/dev/null
fi
rm -rf -- "$1"
`

// Leash holds at most one process, and the folder in which it works.
type Leash struct {
	mu      sync.Mutex
	pipe    io.WriteCloser
	watcher *exec.Cmd
}

// New starts to watch over folder, which is removed, with all that is in it,
// when the leash is closed or this process ends.
func New(folder string) (*Leash, error) {
	cmd := exec.Command("/bin/sh", "-c", watch, "leash", folder)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin"}
	// A group of its own: the interrupt key ends the test process, and the
	// watcher has its work to do after that.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("leash for %s: %w", folder, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("leash for %s: %w", folder, err), pipe.Close())
	}
	return &Leash{pipe: pipe, watcher: cmd}, nil
}

// Hold names the process that must not outlive this one, and the signal that
// ends it, such as "QUIT". A negative pid is a process group. It replaces what
// was held before.
func (l *Leash) Hold(pid int, signal string) error {
	return l.tell(fmt.Sprintf("%s %d\n", signal, pid))
}

// Release says that the process has ended and its id means nothing any more.
func (l *Leash) Release() error { return l.tell("- -\n") }

func (l *Leash) tell(line string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := io.WriteString(l.pipe, line); err != nil {
		return fmt.Errorf("leash: tell the watcher: %w", err)
	}
	return nil
}

// Close ends the process that is still held, removes the folder and returns
// when both are gone.
func (l *Leash) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.pipe.Close(); err != nil {
		return fmt.Errorf("leash: let go: %w", err)
	}
	if err := l.watcher.Wait(); err != nil {
		return fmt.Errorf("leash: remove the folder: %w", err)
	}
	return nil
}
