package web_test

import (
	"archive/zip"
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"matricula/internal/lms"
)

// oneRoster is a bundle with one class and the given enrollments.
func oneRoster(t *testing.T, users, enrollments string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range map[string]string{
		"manifest.csv": "propertyName,value\nmanifest.version,1.0\noneroster.version,1.2\nfile.orgs,bulk\nfile.academicSessions,bulk\nfile.courses,bulk\nfile.classes,bulk\nfile.users,bulk\nfile.enrollments,bulk\n",
		"orgs.csv":     "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\norg,,,University,school,,\n",
		"academicSessions.csv": "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear\n" +
			"y26,,,2026/27,schoolYear,2026-09-01,2027-09-01,,2027\nt1,,,Autumn,term,2026-10-01,2027-02-01,y26,2027\n",
		"courses.csv":     "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,subjectCodes\ncom,,,y26,Compilers,CS-301,,org,,\n",
		"classes.csv":     "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods\nc1,,,Group 1,,com,C,scheduled,,org,t1,,,\n",
		"users.csv":       "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,primaryOrgSourcedId\n" + users,
		"enrollments.csv": "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate\n" + enrollments,
	} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// over waits until a run waits for somebody or has ended.
func (c *course) over(run string) *answer {
	c.tb.Helper()
	for range 400 {
		page := c.admin.get(run).want(http.StatusOK)
		if !page.has("noscript") {
			return page
		}
		// A run is looked at again after a second, by the clock of the site.
		c.pass(time.Second)
		time.Sleep(25 * time.Millisecond)
	}
	c.tb.Fatalf("%s is never over", run)
	return nil
}

func TestASourceIsSetUpAndItsBundlesBecomeCourses(t *testing.T) {
	c := algorithms(t)
	c.ada.get("/admin/sources").want(http.StatusForbidden)
	page := c.admin.get("/admin/sources").says(".empty", "There is no source yet").says("nav a[aria-current]", "Sources")
	page.submit("form.stack", "name", "", "kind", "upload").want(http.StatusUnprocessableEntity).says("#name-fault", "needs a name")
	page.submit("form.stack", "name", "SIS", "brake", "many").want(http.StatusUnprocessableEntity).says("#brake-fault", "whole number")
	page.submit("form.stack", "name", "SIS", "kind", "folder", "place", "sis").want(http.StatusUnprocessableEntity).says(".summary", "fetches nothing by itself")
	source := page.submit("form.stack", "name", "Student office", "kind", "upload", "brake", "10").wantTo("/admin/sources/1").says(".flash", "set up").says(".empty", "Nothing has come")
	source.submit("form.change", "name", "The student office").wantTo("/admin/sources/1").says("h1", "The student office")
	const to = "/admin/sources/1/runs"
	c.admin.upload(to, "", "", "file", "").want(http.StatusUnprocessableEntity).says("#file-fault", "Choose a file first")
	c.admin.upload(to, "x.zip", "no archive").want(http.StatusUnprocessableEntity).says(".summary", "ZIP archive")
	c.ada.upload(to, "x.zip", "no archive").want(http.StatusForbidden)
	c.admin.get("/admin/sources/1").says("tbody", "Failed").says("tbody", "ZIP archive")

	users := ""
	whole := ""
	for _, id := range []string{"u1", "u2", "u3", "u4", "u5"} {
		users += id + ",,,true," + id + ",,Given" + id + ",Family" + id + ",,," + id + "@uni.example,org\n"
		whole += "e" + id + ",,,c1,org," + id + ",student,false,,\n"
	}
	run := c.admin.upload(to, "bundle.zip", oneRoster(t, users, whole)).want(http.StatusSeeOther).header.Get("Location")
	c.over(run).says(".meta", "Done").says(".counted", "5 Came in, not here yet").says("tbody", "Compilers")
	c.admin.get("/admin/courses").says("tbody", "Compilers")
	// Nearly all would leave: somebody has to look.
	run = c.admin.upload(to, "bundle.zip", oneRoster(t, users, "e1,,,c1,org,u1,student,false,,\n")).want(http.StatusSeeOther).header.Get("Location")
	waiting := c.over(run).says(".meta", "Waits for you").says(".review", "4 of 5 people would leave").says(".counted", "4 Would leave")
	c.admin.get("/admin/sources/1").submit("form.delete").want(http.StatusConflict).says(".summary", "being worked on")
	c.admin.upload(to, "bundle.zip", oneRoster(t, users, whole)).want(http.StatusConflict).says(".summary", "being worked on")
	waiting.submit("form.throw").wantTo(run).says(".meta", "Thrown away")
	run = c.admin.upload(to, "bundle.zip", oneRoster(t, users, "e1,,,c1,org,u1,student,false,,\n")).want(http.StatusSeeOther).header.Get("Location")
	c.over(run).submit("form.approve").wantTo(run).says(".flash", "It goes on")
	c.over(run).says(".meta", "Done").says(".counted", "4 Left")
	c.admin.get("/admin/sources/1").submit("form.delete").wantTo("/admin/sources").says(".flash", "What it brought stays")
	if u, ok := c.find(c.admin, "u1@uni.example"); !ok || u.Status != lms.StatusPending {
		t.Errorf("%+v", u)
	}
}

func TestAPageOfARunSaysEachNoteOnce(t *testing.T) {
	c := algorithms(t)
	c.admin.get("/admin/sources").submit("form.stack", "name", "Student office", "kind", "upload", "brake", "10").wantTo("/admin/sources/1")
	const to = "/admin/sources/1/runs"
	once := func(page *answer, note string) {
		t.Helper()
		if n := strings.Count(text(page.one("main")), note); n != 1 {
			t.Errorf("%q is said %d times", note, n)
		}
	}
	c.admin.upload(to, "x.zip", "no archive").want(http.StatusUnprocessableEntity)
	failed := c.admin.get("/admin/runs/1").says(".meta", "Failed").says(".review", "ZIP archive")
	once(failed, "ZIP archive")
	if failed.has("#notes-heading") {
		t.Error("there are no other notes")
	}

	bundle := func(users, enrollments string) *answer {
		t.Helper()
		return c.over(c.admin.upload(to, "bundle.zip", oneRoster(t, users, enrollments)).want(http.StatusSeeOther).header.Get("Location"))
	}
	users, enrollments := "", ""
	for _, id := range []string{"u1", "u2", "u3", "u4", "u5"} {
		users += id + ",,,true," + id + ",,Given" + id + ",Family" + id + ",,," + id + "@uni.example,org\n"
		enrollments += "e" + id + ",,,c1,org," + id + ",student,false,,\n"
	}
	done := bundle(users, enrollments+"e9,,,c1,org,u9,student,false,,\n").says(".meta", "Done").says("#notes-heading", "Notes")
	once(done, "1 records cannot be used")
	waiting := bundle(users, "eu1,,,c1,org,u1,student,false,,\n").says(".review", "4 of 5 people would leave")
	once(waiting, "4 of 5 people would leave")
	// Whoever looks at the run afterwards still finds why it waited, beside how it ended.
	once(waiting.submit("form.throw").wantTo("/admin/runs/3").says(".meta", "Thrown away"), "4 of 5 people would leave")
}
