package main

import (
	"strings"
	"testing"
)

const (
	aPasses = `{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"chatter of a test that passes\n"}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0.1}
`
	bFails = `{"Action":"run","Package":"p","Test":"TestB"}
{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:7: two and two make five\n"}
{"Action":"fail","Package":"p","Test":"TestB","Elapsed":0.1}
`
	cIsSkipped = `{"Action":"run","Package":"p","Test":"TestC"}
{"Action":"output","Package":"p","Test":"TestC","Output":"    c_test.go:9: no database here\n"}
{"Action":"skip","Package":"p","Test":"TestC","Elapsed":0}
`
	dNeverEnds = `{"Action":"run","Package":"p","Test":"TestD"}
{"Action":"output","Package":"p","Test":"TestD","Output":"panic: out of cheese\n"}
`
	packagePasses = `{"Action":"pass","Package":"p","Elapsed":0.5}
`
	packageFails = `{"Action":"output","Package":"p","Output":"FAIL\tp\t0.5s\n"}
{"Action":"fail","Package":"p","Elapsed":0.5}
`
	noTests = `{"Action":"start","Package":"q"}
{"Action":"output","Package":"q","Output":"?   \tq\t[no test files]\n"}
{"Action":"skip","Package":"q","Elapsed":0}
`
	doesNotBuild = `{"ImportPath":"r [r.test]","Action":"build-output","Output":"r/r.go:3:1: syntax error\n"}
{"ImportPath":"r [r.test]","Action":"build-fail"}
{"Action":"start","Package":"r"}
{"Action":"output","Package":"r","Output":"FAIL\tr [build failed]\n"}
{"Action":"fail","Package":"r","Elapsed":0,"FailedBuild":"r [r.test]"}
`
)

func TestReport(t *testing.T) {
	cases := map[string]struct {
		in   string
		good bool
		last string
		says []string
	}{
		"all pass":                          {aPasses + packagePasses + noTests, true, "1 passed, 0 failed, 0 skipped", []string{"ok    p  1 passed", "q (no tests)"}},
		"one fails":                         {aPasses + bFails + packageFails, false, "1 passed, 1 failed, 0 skipped", []string{"two and two make five", "failed: p.TestB"}},
		"a skipped test is no success":      {aPasses + cIsSkipped + packagePasses, false, "1 passed, 0 failed, 1 skipped", []string{"no database here", "skipped: p.TestC"}},
		"a test that does not end fails":    {aPasses + dNeverEnds + packageFails, false, "1 passed, 1 failed, 0 skipped", []string{"out of cheese", "did not end: p.TestD"}},
		"a run that is cut off fails":       {aPasses + dNeverEnds, false, "1 passed, 1 failed, 0 skipped", []string{"did not end: p.TestD"}},
		"a package that dies between tests": {aPasses + packageFails, false, "1 passed, 1 failed, 0 skipped", []string{"failed: p"}},
		"a package that does not build":     {aPasses + packagePasses + doesNotBuild, false, "1 passed, 1 failed, 0 skipped", []string{"r/r.go:3:1: syntax error", "failed: r"}},
		"nothing at all":                    {"", false, "0 passed, 1 failed, 0 skipped", []string{"no package was tested"}},
		"only packages without tests":       {noTests, false, "0 passed, 0 failed, 0 skipped", nil},
		"what is no event is passed on":     {"go: cannot find main module\n", false, "0 passed, 1 failed, 0 skipped", []string{"go: cannot find main module"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			good, err := report(strings.NewReader(c.in), &out)
			if err != nil {
				t.Fatal(err)
			}
			if good != c.good {
				t.Errorf("all is well: %v, want %v", good, c.good)
			}
			lines := strings.Split(strings.TrimRight(out.String(), "\n"), "\n")
			if got := lines[len(lines)-1]; got != c.last {
				t.Errorf("the last line is %q, want %q", got, c.last)
			}
			for _, want := range c.says {
				if !strings.Contains(out.String(), want) {
					t.Errorf("the report does not say %q:\n%s", want, &out)
				}
			}
			if strings.Contains(out.String(), "chatter") {
				t.Errorf("the report repeats what a passing test printed:\n%s", &out)
			}
		})
	}
}
