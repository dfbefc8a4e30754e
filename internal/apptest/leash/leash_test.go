package leash_test

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"matricula/internal/apptest/leash"
)

// victim makes this test binary play the process that is killed before it can
// clean up after itself.
var victim = flag.String("victim", "", "folder to hold until killed")

func TestMain(m *testing.M) {
	flag.Parse()
	if *victim != "" {
		playVictim(*victim)
		return
	}
	os.Exit(m.Run())
}

func playVictim(folder string) {
	l, err := leash.New(folder)
	if err != nil {
		fmt.Println(err)
		return
	}
	sleeper := exec.Command("sleep", "600")
	if err := sleeper.Start(); err != nil {
		fmt.Println(err)
		return
	}
	if err := l.Hold(sleeper.Process.Pid, "TERM"); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(sleeper.Process.Pid)
	_ = sleeper.Wait()
}

func TestKilledProcessLeavesNeitherChildNorFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	if err := os.MkdirAll(filepath.Join(folder, "deep"), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-victim", folder)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the victim said nothing: %v", err)
	}
	var pid int
	if _, err := fmt.Sscan(line, &pid); err != nil {
		t.Fatalf("the victim said %q: %v", line, err)
	}
	if !runs(pid) {
		t.Fatalf("the child %d does not run while its parent lives", pid)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()

	deadline := time.Now().Add(20 * time.Second)
	for runs(pid) || exists(folder) {
		if time.Now().After(deadline) {
			t.Fatalf("20 s after the parent was killed: child runs: %v, folder exists: %v", runs(pid), exists(folder))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestReleasedProcessIsLeftAlone(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := leash.New(folder)
	if err != nil {
		t.Fatal(err)
	}
	sleeper := exec.Command("sleep", "600")
	if err := sleeper.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = sleeper.Process.Kill()
		_ = sleeper.Wait()
	})
	if err := errors.Join(l.Hold(sleeper.Process.Pid, "TERM"), l.Release(), l.Close()); err != nil {
		t.Fatal(err)
	}
	if !runs(sleeper.Process.Pid) {
		t.Error("Close ended a process that had been released")
	}
	if exists(folder) {
		t.Error("Close returned before the folder was gone")
	}
}

// runs tells a living process from one that has ended but that nobody has
// waited for yet: in a container the latter can stay for good.
func runs(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return !errors.Is(err, os.ErrNotExist)
	}
	_, rest, _ := bytes.Cut(stat, []byte(") "))
	return !strings.HasPrefix(string(rest), "Z")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, os.ErrNotExist)
}
