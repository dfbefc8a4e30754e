package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"matricula/internal/store/storetest"
)

// terminal opens a terminal: what the test writes to the keyboard the program reads,
// and the screen is what the program writes.
func terminal(t *testing.T) (keyboard, program *os.File) {
	t.Helper()
	keyboard = must(os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0))
	t.Cleanup(func() { _ = keyboard.Close() })
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n := must(unix.IoctlGetUint32(int(keyboard.Fd()), unix.TIOCGPTN))
	program = must(os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0))
	t.Cleanup(func() { _ = program.Close() })
	return keyboard, program
}

func TestOnATerminalSomebodyIsAskedAndABarMoves(t *testing.T) {
	c := openCampus(t, storetest.SQLite)
	list := file(t, "ada@uni.example\n")
	for _, x := range []struct {
		typed        string
		code         int
		said, roster string
		imports      string
	}{
		{"\n", exitFailed, "nothing was changed", "", "canceled"},
		{"no\n", exitFailed, "nothing was changed", "", "canceled canceled"},
		{"\x04", exitFailed, "nothing was changed", "", "canceled canceled canceled"}, // the end of the input
		{"Y\n", exitDone, "Carry it out? [y/N]", "ada student", "done canceled canceled canceled"},
	} {
		keyboard, program := terminal(t)
		must(io.WriteString(keyboard, x.typed))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var stdout bytes.Buffer
		code := run(ctx, []string{"import", "CS-201", list}, c.client(), program, &stdout, program)
		screen := make([]byte, 1<<16)
		n := must(keyboard.Read(screen))
		for !strings.Contains(string(screen[:n]), x.said) {
			n += must(keyboard.Read(screen[n:]))
		}
		if code != x.code || !strings.Contains(string(screen[:n]), "Checking     [") || !strings.Contains(stdout.String(), "1  come into the course") {
			t.Errorf("%q: exit code %d, screen %q, stdout %q", x.typed, code, screen[:n], stdout.String())
		}
		is(t, "the roster", c.roster(), x.roster)
		is(t, "the imports", c.imports(), x.imports)
	}
}

func TestNobodyIsAskedWhereNobodyReads(t *testing.T) {
	nowhere := must(os.OpenFile(os.DevNull, os.O_RDWR, 0))
	defer nowhere.Close()
	if isTerminal(nowhere) {
		t.Error("where nobody reads is taken for a terminal")
	}
	if _, program := terminal(t); !isTerminal(program) {
		t.Error("a terminal is not known")
	}
}
