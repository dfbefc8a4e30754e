package demo_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/demo"
	"matricula/internal/lms"
	"matricula/internal/rosterfile"
	"matricula/internal/service"
	"matricula/internal/signin"
	"matricula/internal/store"
	"matricula/internal/store/storetest"
)

// school is the demo's school on a database of a test's own.
type school struct {
	svc      *service.Service
	provider signin.Provider
	now      time.Time
}

func newSchool(tb testing.TB, dsn string) *school {
	tb.Helper()
	ctx := context.Background()
	st, err := store.Open(ctx, dsn)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := st.Close(); err != nil {
			tb.Error(err)
		}
	})
	if err := st.Start(ctx); err != nil {
		tb.Fatal(err)
	}
	s := &school{now: time.Now(), provider: signin.Provider{Name: "test", Label: "Test", Issuer: "http://localhost:1", ClientID: "x", Kind: signin.KindOIDC, TrustAll: true}}
	var ago atomic.Int64
	s.svc = service.New(st, service.Options{Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return s.now.Add(-time.Duration(ago.Load())) }})
	err = demo.School(ctx, s.svc, demo.SchoolOptions{
		Provider: s.provider, Subject: subjectOf, Ago: func(d time.Duration) { ago.Store(int64(d)) },
	})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func subjectOf(e lms.Email) string { return "subject of " + string(e) }

// as signs somebody in.
func (s *school) as(tb testing.TB, email string) access.Caller {
	tb.Helper()
	in, err := s.svc.SignIn(context.Background(), s.provider, signin.Token{
		Issuer: s.provider.Issuer, Subject: subjectOf(lms.Email(email)), Email: email, EmailVerified: signin.VerifiedTrue,
	}, "test", "")
	if err != nil {
		tb.Fatal(err)
	}
	return access.Caller{UserID: in.User.ID, Kind: in.User.Kind, SiteRole: in.User.SiteRole, SessionID: in.Session.ID}
}

// people are all persons, by address.
func (s *school) people(tb testing.TB) map[lms.Email]lms.User {
	tb.Helper()
	page, err := s.svc.Directory(context.Background(), s.as(tb, "florence@uni.example"), service.DirectoryRequest{Limit: 1000})
	if err != nil {
		tb.Fatal(err)
	}
	people := map[lms.Email]lms.User{}
	for _, m := range page.Members {
		if m.User.Kind == lms.KindPerson {
			people[m.User.Email] = m.User
		}
	}
	return people
}

func (s *school) courses(tb testing.TB, email string) map[string]service.CourseView {
	tb.Helper()
	page, err := s.svc.Courses(context.Background(), s.as(tb, email), service.CoursesRequest{All: true, Limit: 100})
	if err != nil {
		tb.Fatal(err)
	}
	courses := map[string]service.CourseView{}
	for _, c := range page.Courses {
		courses[c.Course.Title] = c
	}
	return courses
}

func TestTheSchoolIsOneWithHalfItsPeoplePending(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := newSchool(t, db.DSN)
		people := s.people(t)
		pending := 0
		for email, u := range people {
			if u.Pending() {
				pending++
			}
			if u.CreatedAt.After(s.now) || s.now.Sub(u.CreatedAt) < 24*time.Hour {
				t.Errorf("%s was named at %s", email, u.CreatedAt)
			}
		}
		if len(people) != 200 || pending != 100 {
			t.Errorf("%d people, %d of them pending", len(people), pending)
		}
		if _, ok := people["grace@uni.example"]; ok {
			t.Error("Grace is there, whom nobody should have named yet")
		}
		courses := s.courses(t, "florence@uni.example")
		archived := 0
		for _, c := range courses {
			if c.Course.Archived() {
				archived++
			}
		}
		if len(courses) != 6 || archived != 1 {
			t.Errorf("%d courses, %d of them archived", len(courses), archived)
		}
		years, err := s.svc.Years(context.Background(), s.as(t, "florence@uni.example"))
		if err != nil || len(years) != 1 || len(years[0].Terms) != 2 {
			t.Fatalf("the academic years are %+v (%v)", years, err)
		}
		today := lms.DayOf(s.now.UTC())
		if over, now := years[0].Terms[0], years[0].Terms[1]; !years[0].Current(today) || !over.Past(today) || over.Courses != 1 || !now.Current(today) || now.Courses != 5 {
			t.Errorf("on %s the terms are %+v", today, years[0])
		}
		for _, a := range demo.Accounts() {
			email, err := lms.ParseEmail(a.Email)
			if err != nil {
				t.Errorf("%s: %v", a.Email, err)
				continue
			}
			u, ok := people[email]
			if ok && !u.Pending() && u.DisplayName() != a.GivenName+" "+a.FamilyName {
				t.Errorf("%s is called %q", email, u.DisplayName())
			}
			if !ok && email != "grace@uni.example" {
				t.Errorf("the provider knows %s, and the school does not", email)
			}
			if says := strings.Contains(a.Note, "was named"); ok && says != u.Pending() {
				t.Errorf("the provider says of %s %q, and the school that they are %s", email, a.Note, u.Status)
			}
		}
	})
}

func TestAdaOwnsAlgorithmsAndHasAllKindsOfPeopleInIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := newSchool(t, db.DSN)
		ctx := context.Background()
		ada := s.as(t, "ada@uni.example")
		algorithms := s.courses(t, "ada@uni.example")["Algorithms"]
		if !algorithms.Member.Enrollment.Role.Owner() || algorithms.Holds != lms.AllPrivileges() {
			t.Fatalf("Ada in Algorithms: %+v", algorithms.Member)
		}
		roster, err := s.svc.Roster(ctx, ada, service.RosterRequest{CourseID: algorithms.Course.ID, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		got := map[lms.Email]string{}
		students := 0
		for _, p := range roster.People {
			if p.Member.RoleName().String() == "Student" {
				students++
				continue
			}
			got[p.Member.User.Email] = fmt.Sprint(p.Member.RoleName(), " ", p.Member.User.Status, " ", p.Member.Effective().List())
		}
		want := map[lms.Email]string{
			"ada@uni.example":                        "Owner active [roster.view roster.manage staff.manage course.update course.archive audit.view announcements.manage]",
			"niels@uni.example":                      "Assistant active [roster.view roster.manage]",
			"sophie@uni.example":                     "Assistant pending [roster.view roster.manage audit.view]",
			"evariste@uni.example":                   "Lab tutor active [roster.view course.update]",
			"charles@uni.example":                    "No role pending [audit.view]",
			"sofja@uni.example":                      "Teacher active [roster.view roster.manage staff.manage audit.view announcements.manage]",
			"j.weiss@xn--hochschule-kln-6pb.example": "Observer pending [roster.view]",
		}
		for email, line := range want {
			if got[email] != line {
				t.Errorf("%s: %q, want %q", email, got[email], line)
			}
		}
		if students != 41 || len(got) != len(want) {
			t.Errorf("%d students and the staff %v", students, got)
		}
		m, address, err := s.svc.LookUpRef(ctx, ada, algorithms.Course.ID, service.PersonRef{Email: "Grace@uni.example"})
		if m != nil || address != "grace@uni.example" || err != nil {
			t.Errorf("Grace is found: %v %v %v", m, address, err)
		}
	})
}

func TestTheAuditTellsTheSchoolsHistoryInOrder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := newSchool(t, db.DSN)
		algorithms := s.courses(t, "ada@uni.example")["Algorithms"].Course.ID
		page, err := s.svc.Audit(context.Background(), s.as(t, "ada@uni.example"), service.AuditRequest{CourseID: algorithms, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]int{}
		for i, e := range page.Entries {
			seen[e.Action+" "+string(e.Outcome)+" "+e.Reason]++
			if i > 0 && e.At.After(page.Entries[i-1].At) {
				t.Errorf("entry %d is later than the one above it", i)
			}
		}
		for _, want := range []string{
			"course.create done ", "course.update done ", "enrollment.add done ", "enrollment.change done ", "enrollment.remove done ",
			"role.create done ", "privileges.set done ", "privileges.set refused forbidden", "enrollment.remove refused last-owner",
		} {
			if seen[want] == 0 {
				t.Errorf("nothing of %q in %v", want, seen)
			}
		}
		oldest := page.Entries[len(page.Entries)-1]
		if days := s.now.Sub(oldest.At).Hours() / 24; days < 25 || days > 27 {
			t.Errorf("Algorithms is %.1f days old", days)
		}
	})
}

func TestTheClassListOfTheStoryBringsKnownAndUnknownPeopleAndASlip(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := newSchool(t, db.DSN)
		ctx := context.Background()
		ada := s.as(t, "ada@uni.example")
		algorithms := s.courses(t, "ada@uni.example")["Algorithms"].Course.ID
		// Whoever follows the story has pasted these two a step before.
		_, err := s.svc.Enroll(ctx, ada, service.EnrollRequest{
			CourseID: algorithms, Role: lms.RoleStudent, Emails: []string{"amara.adeyemi@uni.example", "another.one@uni.example"}, Source: lms.SourcePaste,
		})
		if err != nil {
			t.Fatal(err)
		}
		list, err := s.svc.CreateImport(ctx, ada, service.NewImport{CourseID: algorithms, Text: demo.ClassList(), Options: lms.ImportOptions{Role: lms.RoleStudent}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		worked := func(want lms.ImportCount) {
			t.Helper()
			for more := true; more; {
				if more, err = s.svc.WorkOnImport(ctx, "node"); err != nil {
					t.Fatal(err)
				}
			}
			if list, _, err = s.svc.Import(ctx, ada, list.ID); err != nil || !maps.Equal(list.Counts, want) {
				t.Fatalf("%v: %v, want %v", err, list.Counts, want)
			}
		}
		worked(lms.ImportCount{lms.PlanChange: 2, lms.PlanAdd: 1, lms.PlanRefused: 1})
		_, err = s.svc.ChangeImport(ctx, ada, list.ID, service.ImportPatch{Rows: []service.ImportRowPatch{
			{Row: 4, Cells: map[string]string{string(rosterfile.Address): "max.planck@uni.example"}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		worked(lms.ImportCount{lms.PlanChange: 2, lms.PlanAdd: 2})
		if _, err := s.svc.StartImport(ctx, ada, list.ID, 0); err != nil {
			t.Fatal(err)
		}
		worked(lms.ImportCount{lms.DidChange: 2, lms.DidName: 2})
		roster, err := s.svc.Roster(ctx, ada, service.RosterRequest{CourseID: algorithms, Search: "max.planck", Limit: 10})
		if err != nil || len(roster.People) != 1 {
			t.Fatalf("%d people: %v", len(roster.People), err)
		}
		e := roster.People[0].Member.Enrollment
		if u := roster.People[0].Member.User; !u.Pending() || e == nil || e.Section != "Lab 2" || e.Number != "4714" {
			t.Errorf("%+v %+v", u, e)
		}
	})
}

func TestTheSchoolIsTheSameEachTime(t *testing.T) {
	describe := func() string {
		var lines []string
		for email, u := range newSchool(t, storetest.New(t, storetest.SQLite).DSN).people(t) {
			lines = append(lines, fmt.Sprintf("%d %s %s %s %s", u.ID, email, u.Status, u.SiteRole, u.DisplayName()))
		}
		slices.Sort(lines)
		return strings.Join(lines, "\n")
	}
	if one, two := describe(), describe(); one != two {
		t.Errorf("two schools differ:\n%s\n\n%s", one, two)
	}
}

func TestTheCastHasNoNamesakes(t *testing.T) {
	seen := map[lms.Email]bool{}
	foreign := 0
	for _, a := range demo.Accounts() {
		email, err := lms.ParseEmail(a.Email)
		if err != nil || seen[email] || a.GivenName == "" || a.FamilyName == "" || a.Note == "" {
			t.Errorf("%+v: %v", a, err)
		}
		seen[email] = true
		if strings.ContainsFunc(a.GivenName+a.FamilyName, func(r rune) bool { return r > 0x7e }) {
			foreign++
		}
	}
	if len(seen) != 201 || foreign < 50 {
		t.Errorf("%d people, %d of them with letters beyond English", len(seen), foreign)
	}
	if first := demo.Accounts()[0]; first.Email != "ada@uni.example" {
		t.Errorf("the first on the sign-in page is %s", first.Email)
	}
}

func BenchmarkSchool(b *testing.B) {
	for b.Loop() {
		newSchool(b, storetest.New(b, storetest.SQLite).DSN)
	}
}
