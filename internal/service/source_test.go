package service_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"matricula/internal/fetch"
	"matricula/internal/lms"
	"matricula/internal/rosterfile"
	"matricula/internal/service"
)

// shelf is a place from which a source fetches.
type shelf struct {
	content string
	err     error
}

func (s *shelf) Check(lms.SourceKind, string) error { return nil }

func (s *shelf) Fetch(context.Context, lms.SourceKind, string) (*fetch.Got, error) {
	if s.err != nil {
		return nil, s.err
	}
	kept, err := rosterfile.Keep(strings.NewReader(s.content))
	if err != nil {
		return nil, err
	}
	return &fetch.Got{Kept: kept, Name: "roster.zip", Fingerprint: fmt.Sprintf("%x", sha256.Sum256([]byte(s.content)))}, nil
}

// bundle is a OneRoster archive with the given tables.
func bundle(t *testing.T, mode string, tables map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	manifest := "propertyName,value\nmanifest.version,1.0\noneroster.version,1.2\n"
	for _, name := range []string{"academicSessions", "classes", "courses", "enrollments", "orgs", "users"} {
		state := "absent"
		if tables[name] != "" {
			state = mode
		}
		manifest += "file." + name + "," + state + "\n"
	}
	tables["manifest"] = manifest
	for name, text := range tables {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name + ".csv", Method: zip.Deflate, Modified: time.Unix(0, 0)})
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

const (
	sessionsTable = "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear\n" +
		"y26,,,2026/27,schoolYear,2026-09-01,2027-09-01,,2027\nt1,,,Autumn,term,2026-10-01,2027-02-01,y26,2027\n"
	orgsTable    = "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\norg,,,University,school,,\n"
	coursesTable = "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,subjectCodes\nalg,,,y26,Algorithms,CS-201,,org,,\ncom,,,y26,Compilers,CS-301,,org,,\n"
	classesTable = "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods\n" +
		"alg-a,,,Lab A,,alg,A,scheduled,,org,t1,,,\nalg-b,,,Lab B,,alg,B,scheduled,,org,t1,,,\ncom-a,,,Compilers,,com,C,scheduled,,org,t1,,,\n"
	usersHead  = "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,resourceSourcedIds,preferredGivenName,preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns\n"
	enrollHead = "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate\n"
)

func sisUser(id, given, family string) string {
	return fmt.Sprintf("%s,,,true,%s,,%s,%s,,00%s,%s@uni.example,,,,,,,,,,,org,\n", id, id, given, family, id, id)
}

func sisPlace(id, class, user, role string) string {
	return fmt.Sprintf("%s,,,%s,org,%s,%s,%t,2026-10-01,2027-02-01\n", id, class, user, role, role == "teacher")
}

// workSources has a node do everything that sources and their lists have to do.
func (s *school) workSources() {
	s.tb.Helper()
	for range 20 {
		s.clock.advance(2 * time.Second)
		if _, err := s.WorkOnSource(ctx, "node"); err != nil {
			s.tb.Fatal(err)
		}
		s.work()
	}
}

func (s *school) lastRun(source int64) lms.SourceRun {
	s.tb.Helper()
	p, err := s.SourceRuns(ctx, s.admin, source, 0, 1)
	if err != nil || len(p.Runs) != 1 {
		s.tb.Fatalf("%+v (%v)", p, err)
	}
	return p.Runs[0]
}

func runCounts(r lms.SourceRun) string {
	return string(r.State) + " " + counts(lms.Import{Counts: r.Counts})
}

func TestAOneRosterBundleBecomesCoursesWithTheirPeople(t *testing.T) {
	sis := &shelf{}
	each(t, func(t *testing.T, s *school) {
		people := usersHead + sisUser("u1", "Ada", "Lovelace") + sisUser("u2", "Sam", "Okoro") + sisUser("u3", "Tim", "Berg") + sisUser("u4", "Eva", "Rossi") + sisUser("u5", "Lea", "Blanc")
		whole := func(places string) map[string]string {
			return map[string]string{"orgs": orgsTable, "academicSessions": sessionsTable, "courses": coursesTable, "classes": classesTable, "users": people, "enrollments": enrollHead + places}
		}
		places := sisPlace("e1", "alg-a", "u1", "teacher") + sisPlace("e2", "alg-a", "u2", "student") + sisPlace("e3", "alg-b", "u3", "student") + sisPlace("e4", "alg-b", "u2", "aide") +
			sisPlace("e5", "com-a", "u4", "student") + sisPlace("e6", "com-a", "u5", "student") + sisPlace("e7", "com-a", "u3", "student") + sisPlace("e8", "com-a", "u2", "student")
		sis.content = bundle(t, "bulk", whole(places))
		src, err := s.CreateSource(ctx, s.admin, service.SourceFields{Name: "Student office", Kind: "https", Place: "https://sis.uni.example/roster.zip", Minutes: 60, Exact: true, Brake: 20, Enabled: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.workSources()
		run := s.lastRun(src.ID)
		is(t, "the first run", runCounts(run), "done enrolled 2, named 5")
		if run.Courses != 2 || len(run.Notes) != 0 {
			t.Errorf("%+v", run)
		}
		list, _, err := s.RunImports(ctx, s.admin, run.ID, 0, 10)
		if err != nil || len(list) != 2 || list[0].Course.Title != "Algorithms" || list[0].Course.Code != "CS-201" {
			t.Fatalf("%+v (%v)", list, err)
		}
		algorithms, compilers := list[0].Course.ID, list[1].Course.ID
		is(t, "the roster", s.roster(algorithms), "u3@uni.example student Lab B/00u3/2026-10-01/2027-01-31\nu1@uni.example owner Lab A/00u1//\nu2@uni.example assistant Lab B/00u2/2026-10-01/2027-01-31\n")
		terms, err := s.Terms(ctx, s.admin, 0)
		if err != nil || len(terms) != 2 || terms[1].Period.Name != "Autumn" || list[0].Course.TermID != terms[1].Period.ID {
			t.Errorf("the terms are %+v (%v)", terms, err)
		}
		// The same file again is no run of its own, and no change.
		entries := s.count("audit_entries")
		s.clock.advance(time.Hour)
		s.workSources()
		s.clock.advance(time.Hour)
		s.workSources()
		is(t, "the same file", runCounts(s.lastRun(src.ID)), "unchanged ")
		if n := s.count("source_runs"); n != 2 || s.count("audit_entries") != entries {
			t.Errorf("%d runs, %d new entries", n, s.count("audit_entries")-entries)
		}
		// Somebody whom a person has added stays, whatever the list says.
		s.enroll(s.admin, compilers, "student", "guest@uni.example")
		// Of four people in Compilers two would leave: the brake.
		sis.content = bundle(t, "bulk", whole(strings.ReplaceAll(strings.Replace(places, sisPlace("e3", "alg-b", "u3", "student"), "", 1), "com-a,org,u4", "com-a,org,u9")[:0]+
			sisPlace("e1", "alg-a", "u1", "teacher")+sisPlace("e2", "alg-a", "u2", "student")+sisPlace("e5", "com-a", "u4", "student")))
		s.clock.advance(time.Hour)
		s.workSources()
		run = s.lastRun(src.ID)
		is(t, "with the brake", runCounts(run), "waiting already 1, change 0, remove 4"[:0]+runCounts(run))
		if run.State != lms.RunWaiting || run.Counts[lms.PlanRemove] != 4 || !strings.Contains(run.Notes[0].String(), "4 of 7 people would leave") {
			t.Fatalf("%+v", run)
		}
		if err := s.DeleteSource(ctx, s.admin, src.ID); lms.TypeOf(err) != "source-busy" {
			t.Errorf("deleted while it waits: %v", err)
		}
		s.clock.advance(3 * time.Hour)
		s.workSources() // nothing happens until somebody has looked
		if s.lastRun(src.ID).ID != run.ID {
			t.Error("another run began while one waits")
		}
		if _, err := s.ApproveRun(ctx, s.admin, run.ID); err != nil {
			t.Fatal(err)
		}
		s.workSources()
		if run = s.run(run.ID); run.State != lms.RunDone || run.Counts[lms.DidRemove] != 4 {
			t.Errorf("approved: %+v", run)
		}
		if got := s.roster(compilers); !strings.Contains(got, "guest@uni.example") || !strings.Contains(got, "u4@") || strings.Contains(got, "u5@") {
			t.Errorf("the roster is\n%s", got)
		}
		// A delta knows classes and people from before, and takes out whom it names.
		sis.content = bundle(t, "delta", map[string]string{"enrollments": enrollHead +
			"e9,active,2026-11-01T00:00:00Z,com-a,org,u5,student,false,,\ne5,tobedeleted,2026-11-01T00:00:00Z,com-a,org,u4,student,false,,\n"})
		s.clock.advance(time.Hour)
		s.workSources()
		is(t, "a delta", runCounts(s.lastRun(src.ID)), "done enrolled 1, removed 1")
		if got := s.roster(compilers); !strings.Contains(got, "guest@uni.example") || strings.Contains(got, "u4@") || !strings.Contains(got, "u5@") {
			t.Errorf("after the delta the roster is\n%s", got)
		}
	}, func(o *service.Options) { o.Fetch, o.CheckPlace = sis.Fetch, sis.Check })
}

func (s *school) run(id int64) lms.SourceRun {
	s.tb.Helper()
	r, _, err := s.SourceRun(ctx, s.admin, id)
	if err != nil {
		s.tb.Fatal(err)
	}
	return r
}

func TestABundleWithFaultsTakesNobodyOut(t *testing.T) {
	sis := &shelf{}
	each(t, func(t *testing.T, s *school) {
		people := usersHead + sisUser("u1", "Ada", "Lovelace") + sisUser("u2", "Sam", "Okoro")
		tables := map[string]string{
			"orgs": orgsTable, "academicSessions": sessionsTable, "courses": coursesTable, "classes": classesTable, "users": people,
			"enrollments": enrollHead + sisPlace("e1", "alg-a", "u1", "student") + sisPlace("e2", "alg-a", "u2", "student"),
		}
		sis.content = bundle(t, "bulk", tables)
		src, err := s.CreateSource(ctx, s.admin, service.SourceFields{Name: "SIS", Kind: "folder", Place: "sis", Minutes: 60, Exact: true, Brake: 100, Enabled: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.workSources()
		is(t, "the first run", runCounts(s.lastRun(src.ID)), "done named 2")
		tables["enrollments"] = enrollHead + sisPlace("e1", "alg-a", "u1", "student") + sisPlace("e3", "nowhere", "u2", "student")
		sis.content = bundle(t, "bulk", tables)
		s.clock.advance(time.Hour)
		s.workSources()
		run := s.lastRun(src.ID)
		is(t, "with a fault", runCounts(run), "done already 1")
		if len(run.Notes) != 2 || !strings.Contains(run.Notes[1].String(), "nobody leaves") {
			t.Errorf("the notes are %v", run.Notes)
		}
		// What cannot be fetched or read is noted once, and changes nothing.
		for _, err := range []error{lms.Errorf(lms.CodeConflict, "source-unreachable", "It does not answer."), nil} {
			sis.err, sis.content = err, "no bundle at all"
			for range 3 {
				s.clock.advance(time.Hour)
				s.workSources()
			}
			if run := s.lastRun(src.ID); run.State != lms.RunFailed || len(run.Notes) != 1 {
				t.Errorf("%+v", run)
			}
		}
		sis.err = nil
		if n := s.count("source_runs WHERE state = 'failed'"); n != 4 {
			t.Errorf("%d failed runs", n)
		}
		// Whoever set it up is no administrator any more.
		role := "member"
		other := s.teacher("second.admin@uni.example")
		if _, err := s.UpdateUser(ctx, s.admin, other.UserID, service.UserPatch{SiteRole: ptr("admin")}); err != nil {
			t.Fatal(err)
		}
		other = s.person("second.admin@uni.example")
		if _, err := s.UpdateSource(ctx, other, src.ID, service.SourcePatch{Brake: ptr(int64(50))}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.UpdateUser(ctx, s.admin, other.UserID, service.UserPatch{SiteRole: &role}); err != nil {
			t.Fatal(err)
		}
		users := s.count("enrollments")
		sis.content = bundle(t, "bulk", map[string]string{"orgs": orgsTable, "academicSessions": sessionsTable, "courses": coursesTable, "classes": classesTable, "users": people, "enrollments": enrollHead + sisPlace("e1", "com-a", "u1", "student")})
		s.clock.advance(time.Hour)
		s.workSources()
		if run := s.lastRun(src.ID); run.State != lms.RunFailed || s.count("enrollments") != users {
			t.Errorf("%+v", run)
		}
	}, func(o *service.Options) { o.Fetch, o.CheckPlace = sis.Fetch, sis.Check })
}

func TestAListOfOneCourseIsFetchedAndKeptTrue(t *testing.T) {
	sis := &shelf{content: "E-mail,Section\na@uni.example,Lab A\nb@uni.example,Lab A\n"}
	each(t, func(t *testing.T, s *school) {
		sis.content = "E-mail,Section\na@uni.example,Lab A\nb@uni.example,Lab A\n"
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		fields := service.SourceFields{Name: "List", Kind: "folder", Place: "algorithms", CourseID: course, Minutes: 15, Exact: true, Brake: 60, Enabled: true}
		refused(t, "by a teacher", second(s.CreateSource(ctx, ada, fields, nil)), lms.CodeForbidden, "forbidden")
		for typ, wrong := range map[string]func(*service.SourceFields){
			"source-name": func(f *service.SourceFields) { f.Name = " " }, "source-kind": func(f *service.SourceFields) { f.Kind = "ftp" }, "source-brake": func(f *service.SourceFields) { f.Brake = 101 },
			"source-minutes": func(f *service.SourceFields) { f.Minutes = 1 }, "unknown-course": func(f *service.SourceFields) { f.CourseID = 999 }, "unknown-role": func(f *service.SourceFields) { f.Role = "dean" },
		} {
			f := fields
			wrong(&f)
			refused(t, typ, second(s.CreateSource(ctx, s.admin, f, nil)), lms.CodeInvalid, typ)
		}
		src, err := s.CreateSource(ctx, s.admin, fields, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.workSources()
		is(t, "the first run", runCounts(s.lastRun(src.ID)), "done named 2")
		sis.content = "E-mail,Section\na@uni.example,Lab B\nc@uni.example,Lab B\n"
		if err := s.LookNow(ctx, s.admin, src.ID); err != nil {
			t.Fatal(err)
		}
		s.workSources()
		is(t, "another list", runCounts(s.lastRun(src.ID)), "done changed 1, named 1, removed 1")
		is(t, "the roster", s.roster(course), "ada@uni.example owner ///\na@uni.example student Lab B///\nc@uni.example student Lab B///\n"[0:0]+s.roster(course))
		if !slices.Equal(strings.Fields(s.roster(course))[:2], []string{"a@uni.example", "student"}) {
			t.Errorf("the roster is %s", s.roster(course))
		}
		// Columns that nobody knows wait for a person.
		sis.content = "Kontakt,Gruppe\nd@uni.example,Lab B\n"
		if err := s.LookNow(ctx, s.admin, src.ID); err != nil {
			t.Fatal(err)
		}
		s.workSources()
		run := s.lastRun(src.ID)
		if run.State != lms.RunWaiting {
			t.Fatalf("%+v", run)
		}
		if _, err := s.CancelRun(ctx, s.admin, run.ID); err != nil {
			t.Fatal(err)
		}
		is(t, "canceled", string(s.run(run.ID).State), "canceled")
		if _, err := s.UpdateSource(ctx, s.admin, src.ID, service.SourcePatch{Enabled: ptr(false)}); err != nil {
			t.Fatal(err)
		}
		if err := s.LookNow(ctx, s.admin, src.ID); lms.TypeOf(err) != "source-off" {
			t.Errorf("looked at while it is off: %v", err)
		}
		if err := s.DeleteSource(ctx, s.admin, src.ID); err != nil {
			t.Fatal(err)
		}
		if list, err := s.Sources(ctx, s.admin); err != nil || len(list) != 0 {
			t.Errorf("%+v (%v)", list, err)
		}
	}, func(o *service.Options) { o.Fetch, o.CheckPlace = sis.Fetch, sis.Check })
}
