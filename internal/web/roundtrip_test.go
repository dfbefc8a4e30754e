package web_test

import (
	"net/http"
	"testing"

	"matricula/internal/service"
)

// What the People page gives as a file can be brought in again, and is no change,
// whatever stands in it and in whatever language its headings are.
func TestARosterGoesOutAndInAgainWithoutAChange(t *testing.T) {
	c := algorithms(t)
	c.admin.post("/admin/people/"+itoa(c.ada.user.ID)+"/site-role", "site_role", "teacher")
	for i, name := range []string{"-Anna", "=1+1", "O'Brien", "'quoted'", "Ünal", "", "Smith, Jr."} {
		_, err := c.svc.NamePerson(t.Context(), c.admin.caller, service.NewPerson{Email: "p" + itoa(int64(i)) + "@uni.example", GivenName: name, FamilyName: name}, nil)
		if err != nil {
			t.Fatal(err)
		}
		c.enroll("student", "p"+itoa(int64(i))+"@uni.example")
	}
	grace := c.enroll("assistant", "grace@uni.example")
	c.ada.post(c.path+"/people/privileges", "user_id", itoa(grace), "privilege", "audit.view", "privilege", "roster.manage", "privilege", "roster.view").want(http.StatusSeeOther)
	c.ada.post(c.path+"/people/privileges", "email", "only.privileges@uni.example", "privilege", "audit.view").want(http.StatusSeeOther)
	c.ada.post(c.path+"/sections", "name", "=Lab; \"A\"").want(http.StatusSeeOther)
	c.ada.post(c.path+"/people/"+itoa(grace)+"/place", "section_id", "1", "student_number", "-007", "begins_on", "2026-01-02", "ends_on", "2031-12-31").want(http.StatusSeeOther)
	file := c.ada.post(c.path + "/people/csv").want(http.StatusOK).body
	page, list := c.bring(c.ada, "people.csv", file, "role", "student")
	page.says(".counted", "10 As it was")
	if n := len(page.all(".counted li")); n != 1 {
		t.Errorf("a roster that went out and in would change: %v", page.one(".counted"))
	}
	c.press(c.ada, c.ada.get(list), "form.start").says(".counted", "10 As it was")
	if again := c.ada.post(c.path + "/people/csv").want(http.StatusOK).body; again != file {
		t.Errorf("the file is another one now:\n%s\n%s", file, again)
	}
	// In Italian it has other headings and is the same.
	c.ada.post("/language", "language", "it").want(http.StatusSeeOther)
	italian := c.ada.post(c.path + "/people/csv").want(http.StatusOK).body
	c.ada.post("/language", "language", "en").want(http.StatusSeeOther)
	page, _ = c.bring(c.ada, "persone.csv", italian, "role", "student")
	page.says(".counted", "10 As it was")
}
