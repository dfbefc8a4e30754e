package oneroster

import (
	"archive/zip"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestCheckFindsWhatLeadsNowhereAndWhatStandsTwice(t *testing.T) {
	b := school().
		edited("enrollments.csv", "alg-a,math,u2", "alg-c,math,u7").
		edited("enrollments.csv", "e4,", "e3,").
		edited("classes.csv", "t1,t2", "t1,t3").
		edited("orgs.csv", "MAT,uni", "MAT,unknown").
		edited("roles.csv", "r3,,,u2", "r3,,,u8").
		edited("users.csv", "u4,", "u3,").opened(t)
	report, err := b.Check()
	if err != nil {
		t.Fatal(err)
	}
	want := []struct{ place, says string }{
		{"orgs.csv:3:parentSourcedId", `"unknown", which is not in orgs.csv`},
		{"classes.csv:2:termSourcedIds", `"t3", which is not in academicSessions.csv`},
		{"users.csv:5:sourcedId", `"u3" stands on line 4 already`},
		{"roles.csv:4:userSourcedId", `"u8", which is not in users.csv`},
		{"enrollments.csv:3:classSourcedId", `"alg-c", which is not in classes.csv`},
		{"enrollments.csv:3:userSourcedId", `"u7", which is not in users.csv`},
		{"enrollments.csv:5:sourcedId", `"e3" stands on line 4 already`},
		{"enrollments.csv:5:userSourcedId", `"u4", which is not in users.csv`},
	}
	if report.Count != len(want) || len(report.Faults) != len(want) {
		t.Fatalf("%d faults: %v", report.Count, report.Faults)
	}
	for i, w := range want {
		f := report.Faults[i]
		if f.Err.Fields[0].Location != w.place || !strings.Contains(f.Err.Message, w.says) || !strings.HasPrefix(w.place, fmt.Sprintf("%s:%d:", f.File, f.Line)) {
			t.Errorf("fault %d is %s: %s (%s, %d), want %s: %s", i, f.Err.Fields[0].Location, f.Err.Message, f.File, f.Line, w.place, w.says)
		}
	}
	// What is to be deleted may refer to what is gone already.
	if report, err := school().edited("enrollments.csv", "e2,,,alg-a", "e2,tobedeleted,,alg-c").opened(t).Check(); err != nil || report.Count != 0 {
		t.Errorf("%+v (%v)", report, err)
	}
}

func TestAReportIsBounded(t *testing.T) {
	b := school().but("enrollments.csv", func(w io.Writer) {
		io.WriteString(w, "sourcedId,classSourcedId,schoolSourcedId,userSourcedId,role\n")
		for range 10_000 {
			io.WriteString(w, "e1,nowhere,math,nobody,student\n")
		}
	}).opened(t)
	report, err := b.Check()
	if err != nil || len(report.Faults) != MaxFaults || report.Count != 10_000*3-1 {
		t.Errorf("%d of %d faults (%v)", len(report.Faults), report.Count, err)
	}
}

// large packs a school of many enrollments, which are written while it is packed.
func large(t *testing.T, enrollments int) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "large.zip"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	z := zip.NewWriter(f)
	for name, write := range school().but("enrollments.csv", func(w io.Writer) {
		io.WriteString(w, "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate\r\n")
		for i := range enrollments {
			fmt.Fprintf(w, "enrollment-%08d,,,alg-a,math,u%d,student,false,2026-10-01,2027-02-01\r\n", i, i%4+1)
		}
	}) {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		write(w)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return f
}

func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// 300,000 enrollments are streamed: what is in use while the last is read is what
// was in use before the first, and Check takes eight bytes for each.
func TestMemoryDoesNotGrowWithTheEnrollments(t *testing.T) {
	const enrollments = 300_000
	f := large(t, enrollments)
	b, err := Open(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	before := inUse()
	n, most := 0, before
	for e, err := range b.Enrollments() {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n%50_000 == 0 {
			most = max(most, inUse())
		}
		if e.Line != n+1 {
			t.Fatalf("record %d is on line %d", n, e.Line)
		}
	}
	if n != enrollments || most-before > 2<<20 {
		t.Errorf("%d enrollments, %d KB more in use", n, (most-before)>>10)
	}
	report, err := b.Check()
	if err != nil || report.Count != 0 {
		t.Errorf("%+v (%v)", report, err)
	}
	c := &checker{b: b, seed: maphash.MakeSeed(), known: map[File]identifiers{}}
	before = inUse()
	for _, f := range Files {
		if err := c.table(f); err != nil {
			t.Fatal(err)
		}
	}
	if more := inUse() - before; more > enrollments*16 {
		t.Errorf("Check holds %d KB for %d enrollments", more>>10, enrollments)
	}
	runtime.KeepAlive(c)
}

func FuzzTable(f *testing.F) {
	f.Add("sourcedId,classSourcedId,schoolSourcedId,userSourcedId,role\ne1,a,s,u,student\n", true)
	f.Add("\ufeffROLE,userSourcedId,classSourcedId,schoolSourcedId,sourcedId,status,dateLastModified\n\"teacher\",\"u\n\",c,s,e,active,2026-10-01\n", false)
	f.Add("sourcedId;x\n", true)
	f.Add("\xff\xfe", true)
	f.Fuzz(func(t *testing.T, content string, bulk bool) {
		b := &Bundle{
			Manifest: Manifest{Version: "1.2", Modes: map[File]Mode{Enrollments: Delta}},
			files:    map[string]packed{"enrollments.csv": {func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil }}},
		}
		if bulk {
			b.Manifest.Modes[Enrollments] = Bulk
		}
		before := 0
		for e, err := range b.Enrollments() {
			if err != nil {
				continue
			}
			if e.SourcedID == "" || e.Line <= before || e.Status != Active && e.Status != ToBeDeleted {
				t.Fatalf("%+v after line %d", e, before)
			}
			before = e.Line
		}
		report, err := b.Check()
		if err != nil || report.Count < len(report.Faults) || len(report.Faults) > MaxFaults {
			t.Fatalf("%+v (%v)", report, err)
		}
		for _, fault := range report.Faults {
			if fault.Err.Message == "" || errors.Unwrap(fault.Err) != nil {
				t.Fatalf("%+v", fault)
			}
		}
	})
}
