package story_test

import (
	"fmt"
	"testing"

	"matricula/internal/apptest"
	"matricula/internal/lms"
)

// The story for somebody who has no mouse: nothing but Tab, Space, Enter and
// letters, from the first page to the saved switch. At every stop one sees
// where one is.
func TestStoryWithTheKeyboardAlone(t *testing.T) {
	t.Parallel()
	c := openCampus(t, "sqlite")
	c.teacher(t, ada)
	v := c.visit(t, ada)
	c.Issuer.SignInAs(ada)
	v.tabTo(signInButton)
	v.Press("Enter")
	v.sees("h1", "My courses")

	v.tabTo(`a[href="/courses/new"]`)
	v.Press("Enter")
	v.tabTo("#title")
	v.write("Algorithms")
	v.Press("Enter")
	v.sees("[role=status]", "Your course is ready")
	course := v.id("courses")

	v.tabTo(courseMenu + fmt.Sprintf(` a[href="/courses/%d/people"]`, course))
	v.Press("Enter")
	v.Press("/")
	if !v.stands(searchField) {
		t.Fatalf("after /, the focus is on %s", v.Focused())
	}
	v.write("grace")
	v.sees("#people", "Nobody in this course matches")
	v.tabTo(addressField)
	v.write("grace@uni.example")
	v.sees("#found-list", "Add grace@uni.example, who has not signed in yet")
	v.Press("ArrowDown")
	if got := apptest.Eval[string](v.Page, `document.getElementById(document.activeElement.getAttribute("aria-activedescendant"))?.getAttribute("aria-selected") ?? ""`); got != "true" {
		t.Errorf("the arrow key chooses nothing: %q", got)
	}
	v.Press("Enter")
	v.WaitVisible(panelForm)
	v.tabTo(rosterManageOn)
	v.Press("Space")
	v.tabTo(auditViewOn)
	v.Press("Space")
	v.tabTo(panelSave)
	v.Press("Enter")
	v.sees("[role=status]", "Everything is waiting for their first sign-in")
	grace := v.id("people")
	c.mayDo(t, v.caller(), course, grace, lms.RosterManage, lms.RosterView, lms.AuditView)

	// Later she changes her mind, in the table itself. The switch saves by
	// itself, and she is still standing on it.
	v.tabTo(courseMenu + fmt.Sprintf(` a[href="/courses/%d/people"]`, course))
	v.Press("Enter")
	edit := fmt.Sprintf(`#p%d input[value="course.update"]`, grace)
	v.tabTo("table.people tbody *")
	for range 20 {
		if v.stands(fmt.Sprintf("#p%d *", grace)) {
			break
		}
		v.Press("ArrowDown")
	}
	for range 10 {
		if v.stands(edit) {
			break
		}
		v.Press("ArrowRight")
	}
	v.Press("Space")
	v.sees(fmt.Sprintf("#p%d", grace), "Saved")
	c.mayDo(t, v.caller(), course, grace, lms.RosterManage, lms.RosterView, lms.AuditView, lms.CourseUpdate)
	if !v.stands(edit) {
		t.Errorf("after a switch of the table was saved, the focus is on %s and not on the switch any more", v.Focused())
	}

	v.tabTo(signOutButton)
	v.Press("Enter")
	v.sees("h1", "Sign in")
	c.checkTraces(t)
}

// The first stop of each page leads past its menus.
func TestTheFirstTabStopSkipsTheMenus(t *testing.T) {
	t.Parallel()
	c := openCampus(t, "sqlite")
	c.teacher(t, ada)
	v := c.arrive(t, ada)
	v.Press("Tab")
	if !v.stands("a.skip") {
		t.Fatalf("the first stop is %s", v.Focused())
	}
	v.Press("Enter")
	v.Press("Tab")
	if !v.stands("main *") {
		t.Errorf("after skipping to the content, the next stop is %s", v.Focused())
	}
}

// stands tells whether the keyboard's focus is on what matches.
func (v *visitor) stands(selector string) bool {
	v.t.Helper()
	return apptest.Eval[bool](v.Page, fmt.Sprintf(`document.activeElement.matches(%q)`, selector))
}

// tabTo presses Tab until the focus is on what matches. Each stop on the way
// must be visible and must show that it has the focus.
func (v *visitor) tabTo(selector string) {
	v.t.Helper()
	v.WaitVisible(selector)
	for range 120 {
		v.Press("Tab")
		if fault := apptest.Eval[string](v.Page, `(() => {
			const el = document.activeElement;
			if (!el || el === document.body) return "";
			const box = el.getBoundingClientRect();
			if (box.width < 1 || box.height < 1) return "cannot be seen";
			if (box.bottom <= 0 || box.top >= innerHeight) return "is not in the window";
			// A hidden radio button lends its ring to the label beside it.
			const rings = [el, el.nextElementSibling].filter(Boolean).map((e) => getComputedStyle(e));
			return rings.some((s) => s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2) ? "" : "does not show that it has the focus";
		})()`); fault != "" {
			v.t.Errorf("on the way to %s, %s %s", selector, v.Focused(), fault)
		}
		if v.stands(selector) {
			return
		}
	}
	v.t.Fatalf("Tab never comes to %s; it is now on %s", selector, v.Focused())
}

// write types into what has the focus.
func (v *visitor) write(text string) {
	v.t.Helper()
	for _, r := range text {
		v.Press(string(r))
	}
}
