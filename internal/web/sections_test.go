package web_test

import (
	"net/http"
	"strings"
	"testing"

	"matricula/internal/lms"
)

func TestSectionsAreMadeFilledAndFiltered(t *testing.T) {
	c := algorithms(t)
	sam := c.enroll("student", "sam@uni.example")
	c.enroll("student", "tim@uni.example")
	page := c.ada.get(c.path+"/sections").want(http.StatusOK).says(".empty", "has no sections")
	page.submit("form.stack", "name", " ").want(http.StatusUnprocessableEntity).says("#name-fault", "needs a name")
	made := page.submit("form.stack", "name", "Lab A").wantTo(c.path+"/sections").says(".flash", "The section is there").says("tbody", "Lab A")
	page.submit("form.stack", "name", "Lab A").wantTo(c.path + "/sections") // sent twice
	made.submit("form.stack", "name", "LAB A").want(http.StatusUnprocessableEntity).says("#name-fault", "has a section Lab A already")
	place := c.ada.get(c.path+"/people/"+itoa(sam)+"/place").want(http.StatusOK).says("#section_id", "Lab A")
	if place.has("[name=limited_to]") {
		t.Error("a student can be limited to sections")
	}
	wrong := place.submit("form.stack", "section_id", "1", "student_number", "00123", "begins_on", "2026-10-02", "ends_on", "2026-10-01").want(http.StatusUnprocessableEntity).says("#ends_on-fault", "lies before the first")
	if v, _ := attr(wrong.one("#student_number"), "value"); v != "00123" {
		t.Error("what was typed is lost")
	}
	place.submit("form.stack", "section_id", "1", "student_number", "00123", "begins_on", "", "ends_on", "2030-01-31").wantTo(c.path+"/people/"+itoa(sam)).
		says(".facts", "Lab A").says(".facts", "00123").says(".facts", "31 Jan 2030")
	people := c.ada.get(c.path+"/people").says(people(sam)+" td.role", "Lab A").says(people(sam)+" td.role", "until 31 Jan 2030")
	found := people.submit("#search-form", "in_section", "1").want(http.StatusOK)
	if n := len(found.all("tbody tr")); n != 1 {
		t.Errorf("%d people are in the section", n)
	}
	if n := len(people.submit("#search-form", "in_section", "-1").all("tbody tr")); n != 2 {
		t.Errorf("%d people are in none", n)
	}
	one := c.ada.get(c.path + "/sections/1").want(http.StatusOK)
	one.submit("form.stack", "name", "Lab B").wantTo(c.path+"/sections").says("tbody", "Lab B")
	one.submit(".card form").wantTo(c.path+"/sections").says(".flash", "Its people are still in the course")
	if e := c.member(sam).Enrollment; e == nil || e.SectionID != 0 || e.Number != "00123" {
		t.Errorf("afterwards: %+v", e)
	}
	c.ada.get(c.path + "/sections/1").want(http.StatusNotFound)
}

func people(id int64) string { return "#p" + itoa(id) }

func TestAnAssistantOfOneSectionSeesItAlone(t *testing.T) {
	c := algorithms(t)
	grace := c.enroll("teacher", "grace@uni.example")
	in, out := c.enroll("student", "in@uni.example"), c.enroll("student", "out@uni.example")
	c.ada.post(c.path+"/sections", "name", "Lab A").want(http.StatusSeeOther)
	c.ada.post(c.path+"/people/"+itoa(in)+"/place", "section_id", "1").want(http.StatusSeeOther)
	place := c.ada.get(c.path + "/people/" + itoa(grace) + "/place")
	place.submit("form.stack", "+limited_to", "1").wantTo(c.path+"/people/"+itoa(grace)).says(".facts", "1 section alone").says(".why", "No, since they are there for single sections.")
	b := c.signedIn("grace@uni.example", "Grace", "Hopper")
	page := b.get(c.path + "/people").want(http.StatusOK)
	if !page.has(people(in)) || page.has(people(out)) || strings.Contains(page.body, "out@uni.example") {
		t.Error("she sees somebody else, or not her own")
	}
	b.get(c.path + "/people/" + itoa(out)).want(http.StatusNotFound)
	b.get(c.path + "/people/" + itoa(out) + "/place").want(http.StatusNotFound)
	b.post(c.path + "/people/" + itoa(out) + "/remove").want(http.StatusNotFound)
	b.get(c.path + "/audit").want(http.StatusForbidden)
	b.post(c.path+"/sections", "name", "Lab B").want(http.StatusForbidden)
	rows := b.post(c.path + "/people/csv").rows()
	if len(rows) != 3 {
		t.Errorf("her download has %d rows: %v", len(rows), rows)
	}
	if m := c.member(grace); m.Enrollment.LimitedTo != lms.MakeIDs(1) {
		t.Errorf("%+v", m.Enrollment)
	}
}
