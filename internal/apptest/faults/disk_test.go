package faults_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"matricula/internal/store/storetest"
)

// TestE05AFullDiskStopsAnImportAndNothingElse takes the space from under a node that
// carries out a list: writes are answered with 503, reads go on, no batch is there by
// half, and when there is space again the import ends exactly, in the same process.
// How SQLite's own "database or disk is full" is told, on every machine, is tested
// in package store.
func TestE05AFullDiskStopsAnImportAndNothingElse(t *testing.T) {
	t.Run("a quota on the size of files", func(t *testing.T) {
		t.Parallel()
		s := openSchool(t, storetest.SQLite)
		n := s.serve(t)
		limit := func(size uint64) {
			t.Helper()
			// The hard limit stays, so that it can be lifted again by anybody.
			must(t, unix.Prlimit(n.cmd.Process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: size, Max: unix.RLIM_INFINITY}, nil))
		}
		s.fillUp(t, n, []string{"database-unavailable", "storage-full"}, func() { limit(16 << 10) }, func() { limit(unix.RLIM_INFINITY) })
	})
	t.Run("a full file system", func(t *testing.T) {
		t.Parallel()
		s := openSchool(t, storetest.SQLite)
		n, err := s.serveOnSmallDisk(t)
		if errors.Is(err, errNoMount) {
			t.Logf("this machine lets nobody mount anything in a namespace of their own, so that the quota above has to do: %v", err)
			return
		}
		must(t, err)
		filler := filepath.Join(s.disk, "filler")
		s.fillUp(t, n, []string{"storage-full"}, func() { fill(t, filler) }, func() { must(t, os.Remove(filler)) })
	})
}

func (s *school) fillUp(t *testing.T, n *node, problems []string, fill, empty func()) {
	t.Helper()
	const size = 8000
	list := people("p", size)
	i := n.upload(list).imported(t)
	n.awaitState(t, i.ID, "ready")
	n.carry(i.ID).imported(t)
	n.await(t, i.ID, "on its way", func(i imported) bool { return i.Done >= 2000 })
	fill()

	// Whoever writes is told; whoever reads is not troubled. A small change may still
	// find room in what the log has taken before, so that it is tried until it does not.
	for _, write := range []func() answer{
		func() answer {
			return n.send(http.MethodPost, "/api/v1/courses", "application/json", strings.NewReader(`{"title":"One more"}`))
		},
		func() answer { return n.upload(people(fmt.Sprintf("q%d-", time.Now().UnixNano()), 1000)) },
	} {
		a := write()
		for deadline := time.Now().Add(patience); a.ok() && time.Now().Before(deadline); a = write() {
			time.Sleep(10 * time.Millisecond)
		}
		if a.status != http.StatusServiceUnavailable || !slices.Contains(problems, a.problem()) {
			t.Errorf("a write without space: %v, want one of the problems %q", a, problems)
		}
	}
	if a := n.send(http.MethodGet, fmt.Sprintf("/api/v1/courses/%d/enrollments", s.course), "", nil); !a.ok() {
		t.Errorf("reading without space: %v", a)
	}
	time.Sleep(300 * time.Millisecond) // the import tries, and waits, meanwhile
	stopped := n.read(t, i.ID)
	if stopped.State != "running" || stopped.Done >= size {
		t.Fatalf("the import was to stop on its way: %+v", stopped)
	}
	there := s.count(t, `enrollments WHERE import_id = $1`, i.ID)
	written := s.count(t, `audit_entries a JOIN emails e ON e.user_id = a.subject_id AND e.is_primary WHERE e.address LIKE 'p0%'`)
	if there != stopped.Done || written != stopped.Done || stopped.Counts["named"] != stopped.Done {
		t.Errorf("%d enrollments and %d entries of the audit, and the import says: %+v", there, written, stopped)
	}

	empty()
	i = n.awaitState(t, i.ID, "done")
	if !n.running() {
		t.Error("the node did not outlive it")
	}
	s.exact(t, i, "p", size)
	s.idle(t, n, list, size)
}

// fill takes what is left of a file system.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	must(t, err)
	defer f.Close()
	block := make([]byte, 64<<10)
	for len(block) > 0 {
		if _, err = f.Write(block); err != nil {
			block = block[:len(block)/2]
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("fill a file system: %v", err)
	}
}

var errNoMount = errors.New("a namespace with a file system of its own")

// diskSize holds the list, with what SQLite's log takes beside the file.
const diskSize = "40m"

// serveOnSmallDisk serves a copy of the database from a file system of a few
// megabytes, which is the node's own: it is mounted in a namespace of the process,
// which takes no rights, and goes with it.
func (s *school) serveOnSmallDisk(t *testing.T) (*node, error) {
	t.Helper()
	from := strings.TrimPrefix(s.db.DSN, "sqlite:")
	mount := filepath.Join(t.TempDir(), "disk")
	must(t, os.Mkdir(mount, 0o700))
	inside := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(name, args...)
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
		return cmd
	}
	const script = `set -e; mount -t tmpfs -o size=` + diskSize + ` tmpfs "$1"; `
	if out, err := inside("/bin/sh", "-c", script, "sh", mount).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %w: %s", errNoMount, err, out)
	}
	n, err := s.start(t, func(program string) *exec.Cmd {
		return inside("/bin/sh", "-c", script+`cp "$2" "$1/matricula.db"; exec "$3" serve`, "sh", mount, from, program)
	}, "sqlite:"+filepath.Join(mount, "matricula.db"))
	if err == nil {
		s.disk = fmt.Sprintf("/proc/%d/root%s", n.cmd.Process.Pid, mount)
	}
	return n, err
}

// TestE13ABigListTakesLittleMemory brings a list of 300,000 rows and has some of
// them carried out.
func TestE13ABigListTakesLittleMemory(t *testing.T) {
	const size, limit = 300_000, 256 << 20
	s := openSchool(t, storetest.SQLite)
	n := s.serve(t)
	reader, writer := io.Pipe()
	go func() {
		_, err := io.WriteString(writer, people("p", size))
		writer.CloseWithError(err)
	}()
	i := n.send(http.MethodPost, fmt.Sprintf("/api/v1/courses/%d/imports", s.course), "text/csv", reader).imported(t)
	i = n.awaitState(t, i.ID, "ready")
	if i.Rows != size || i.Counts["add"] != size {
		t.Errorf("%+v", i)
	}
	n.carry(i.ID).imported(t)
	n.await(t, i.ID, "on its way", func(i imported) bool { return i.Done >= 10_000 })
	peak := n.peak(t)
	t.Logf("the program held %d MB at most", peak>>20)
	if peak > limit {
		t.Errorf("a list of %d rows took %d MB, more than %d", size, peak>>20, limit>>20)
	}
}
