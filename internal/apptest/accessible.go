package apptest

import (
	_ "embed"
	"fmt"
	"strings"
)

// axe is axe-core 4.14.1 as it is published, under the Mozilla Public License
// 2.0 (see axe/LICENSE and ADR 28). It is for tests alone and never part of the
// program.
//
//go:embed axe/axe.min.js
var axe string

// violation is a rule of axe that a page breaks.
type violation struct {
	ID      string
	Impact  string
	Help    string
	Targets []string
	Cures   []string
}

// Accessible fails the test with everything that axe finds wrong with the page
// as it stands: the rules of WCAG 2.2, levels A and AA, and axe's own best
// practices.
func (p *Page) Accessible() {
	p.tb.Helper()
	for _, v := range p.Violations() {
		p.tb.Errorf("%s: axe finds %s (%s): %s\n  %s\n  %s", p.URL(), v.ID, v.Impact, v.Help, strings.Join(v.Targets, "\n  "), strings.Join(v.Cures, "\n  "))
	}
}

// Violations are what axe finds wrong with the page as it stands.
func (p *Page) Violations() []violation {
	p.tb.Helper()
	if !Eval[bool](p, `Boolean(window.axe)`) {
		Eval[any](p, axe+"; undefined")
	}
	return Eval[[]violation](p, fmt.Sprintf(`axe.run(document, {
		runOnly: {type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
		resultTypes: ["violations"],
	}).then((found) => found.violations.map((v) => ({
		ID: v.id, Impact: v.impact, Help: v.help,
		Targets: v.nodes.slice(0, %d).map((n) => n.target.join(" ") + " " + n.html.slice(0, 160)),
		Cures: v.nodes.slice(0, 1).map((n) => n.failureSummary.replace(/\s+/g, " ")),
	})))`, 4))
}
