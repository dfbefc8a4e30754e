package server_test

import (
	"net/http"
	"regexp"
	"testing"

	"matricula/internal/apptest"
	"matricula/internal/apptest/app"
	"matricula/internal/lms"
	"matricula/internal/mail/mailtest"
	"matricula/internal/service"
)

var proofLink = regexp.MustCompile(`http://\S+/prove#([A-Z2-9]{4}-[A-Z2-9]{4})`)

// A mail scanner follows each link before its reader does, with and without the
// fragment, which no browser sends. It uses nothing up.
func TestA33ALinkThatAScannerOpensTwentyTimesStillWorks(t *testing.T) {
	app.EachEngine(t, func(t *testing.T, engine string) {
		sink := mailtest.Start(t)
		a := app.Start(t, engine, app.WithMail(sink))
		_, secret := a.Admin("root@uni.example")
		course, err := a.Service.CreateCourse(t.Context(), a.As(secret), lms.CourseFields{Title: "Algorithms"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := a.Service.Enroll(t.Context(), a.As(secret), service.EnrollRequest{CourseID: course.Course.ID, Role: lms.RoleStudent, Emails: []string{"grace@home.example"}})
		if err != nil {
			t.Fatal(err)
		}
		grace := a.Anonymous()
		grace.SignIn(a, apptest.Somebody("grace@home.example", "Grace", "Hopper"))
		text := sink.Await(t, "grace@home.example", 1)[0].Text
		link := proofLink.FindStringSubmatch(text)
		if link == nil {
			t.Fatalf("no link in %q", text)
		}
		for range 20 {
			scanner := a.Anonymous()
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				for _, path := range []string{"/prove", "/prove?code=" + link[1], "/prove%23" + link[1]} {
					if got := scanner.Do(method, path, "", nil, "Purpose", "prefetch"); got.Status >= http.StatusInternalServerError {
						t.Fatalf("%s %s answered %d", method, path, got.Status)
					}
				}
			}
		}
		if u, err := a.Service.User(t.Context(), a.As(secret), rows[0].UserID); err != nil || u.Status != lms.StatusPending {
			t.Fatalf("she is %s (%v)", u.Status, err)
		}
		grace.Post("/prove", map[string][]string{"code": {link[1]}}).Want(http.StatusSeeOther)
		var me struct {
			User struct{ ID int64 } `json:"user"`
		}
		grace.Get("/api/v1/me").Want(http.StatusOK).Into(&me)
		if me.User.ID != rows[0].UserID {
			t.Errorf("she came to be person %d and not %d", me.User.ID, rows[0].UserID)
		}
	})
}
