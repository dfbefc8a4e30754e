// Command testreport reads the events of "go test -json" on standard input and
// says what happened: a line for each package, the failures in full, and at the
// end the counts. It exits with 1 unless every test ran and passed: here a
// skipped test is a failing test, because a suite that skips what it cannot run
// is green on the machine that lacks the database.
//
//	go test -json ./... | go run ./scripts/testreport
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

func main() {
	good, err := report(os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
		os.Exit(1)
	}
	if !good {
		os.Exit(1)
	}
}

// event is one line of the input; "go doc test2json" describes its fields.
type event struct {
	Action      string
	Package     string
	ImportPath  string // of a build that failed
	Test        string
	Output      string
	Elapsed     float64 // seconds
	FailedBuild string
}

// outcome is how a test or a package ended; running means that it has not.
type outcome string

const (
	running outcome = "run"
	passed  outcome = "pass"
	failed  outcome = "fail"
	skipped outcome = "skip"
)

type result struct {
	name    string
	outcome outcome
	output  strings.Builder
}

type unit struct { // the tests of one package
	name    string
	result  *result // of the package itself, with what it printed outside any test
	tests   map[string]*result
	order   []*result
	elapsed time.Duration
}

type tally struct{ passed, failed, skipped int }

type reporter struct {
	out    io.Writer
	units  map[string]*unit
	order  []*unit
	builds map[string]*strings.Builder // output of builds, by import path
	total  tally
}

// report copies what matters from in to out, and tells whether all is well.
func report(in io.Reader, out io.Writer) (bool, error) {
	r := &reporter{out: out, units: map[string]*unit{}, builds: map[string]*strings.Builder{}}
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) == nil && e.Action != "" {
				r.take(e)
			} else {
				// The go command prints some of its own faults as they are.
				fmt.Fprintf(out, "%s\n", strings.TrimRight(string(line), "\n"))
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return false, fmt.Errorf("read the events: %w", err)
		}
	}
	return r.finish(), nil
}

func (r *reporter) take(e event) {
	if e.Package == "" {
		if e.Action == "build-output" {
			if r.builds[e.ImportPath] == nil {
				r.builds[e.ImportPath] = &strings.Builder{}
			}
			r.builds[e.ImportPath].WriteString(e.Output)
		}
		return
	}
	u := r.units[e.Package]
	if u == nil {
		u = &unit{name: e.Package, result: &result{name: e.Package, outcome: running}, tests: map[string]*result{}}
		r.units[e.Package] = u
		r.order = append(r.order, u)
	}
	t := u.result
	if e.Test != "" {
		if t = u.tests[e.Test]; t == nil {
			t = &result{name: e.Test, outcome: running}
			u.tests[e.Test] = t
			u.order = append(u.order, t)
		}
	}
	switch e.Action {
	case "output":
		t.output.WriteString(e.Output)
	case "pass", "fail", "skip":
		t.outcome = outcome(e.Action)
		if e.Test == "" {
			u.elapsed = time.Duration(e.Elapsed * float64(time.Second))
			if e.FailedBuild != "" && r.builds[e.FailedBuild] != nil {
				u.result.output.WriteString(r.builds[e.FailedBuild].String())
			}
			r.close(u)
		}
	}
}

// close counts a package whose events are complete, and prints its line and
// what went wrong in it.
func (r *reporter) close(u *unit) {
	var n tally
	for _, t := range u.order {
		switch t.outcome {
		case passed:
			n.passed++
		case skipped:
			n.skipped++
		default:
			n.failed++ // also the test that ran when the process died
		}
	}
	if n.failed == 0 && u.result.outcome != passed && u.result.outcome != skipped {
		n.failed = 1 // it did not build, or died outside its tests
	}
	r.total.passed += n.passed
	r.total.failed += n.failed
	r.total.skipped += n.skipped

	word := "ok  "
	switch {
	case n.failed > 0:
		word = "FAIL"
	case n.skipped > 0:
		word = "SKIP"
	case len(u.order) == 0:
		fmt.Fprintf(r.out, "-     %s (no tests)\n", u.name)
		return
	}
	fmt.Fprintf(r.out, "%s  %s  %d passed, %d failed, %d skipped  %v\n", word, u.name,
		n.passed, n.failed, n.skipped, u.elapsed.Round(10*time.Millisecond))
	for _, t := range u.order {
		if t.outcome != passed {
			r.print(u, t)
		}
	}
	if n.failed > 0 {
		r.print(u, u.result)
	}
}

func (r *reporter) print(u *unit, t *result) {
	text := strings.TrimRight(t.output.String(), "\n")
	if text == "" {
		return
	}
	how := map[outcome]string{failed: "failed", skipped: "was skipped", running: "did not end"}[t.outcome]
	name := u.name
	if t != u.result {
		name += "." + t.name
	}
	fmt.Fprintf(r.out, "\n----- %s %s:\n%s\n\n", name, how, text)
}

func (r *reporter) finish() bool {
	for _, u := range r.order {
		if u.result.outcome == running { // the go command was stopped
			r.close(u)
		}
	}
	fmt.Fprintln(r.out)
	for _, which := range []outcome{failed, running, skipped} {
		for _, u := range r.order {
			names := u.named(which)
			slices.Sort(names)
			for _, name := range names {
				fmt.Fprintf(r.out, "%s: %s\n", map[outcome]string{failed: "failed", running: "did not end", skipped: "skipped"}[which], name)
			}
		}
	}
	if len(r.order) == 0 {
		fmt.Fprintln(r.out, "no package was tested")
		r.total.failed++
	}
	fmt.Fprintf(r.out, "%d passed, %d failed, %d skipped\n", r.total.passed, r.total.failed, r.total.skipped)
	return r.total.failed == 0 && r.total.skipped == 0 && r.total.passed > 0
}

// named lists the tests of a package that ended so, or the package itself when
// no test of it shows the fault.
func (u *unit) named(which outcome) []string {
	var names []string
	shown := false
	for _, t := range u.order {
		if t.outcome == which {
			names = append(names, u.name+"."+t.name)
		}
		shown = shown || t.outcome == failed || t.outcome == running
	}
	if !shown && u.result.outcome == which && which != skipped {
		names = append(names, u.name)
	}
	return names
}
