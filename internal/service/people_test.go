package service_test

import (
	"fmt"
	"strings"
	"testing"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// town is a school in which somebody owns an empty course of their own and
// others have a life that is none of their business.
type town struct {
	*school
	owner                             access.Caller // of an empty course
	empty                             int64
	other                             access.Caller // of another course
	foreign                           int64
	teacher, student, waiting, nobody int64 // of the other course; and one of no course
}

func newTown(s *school) town {
	s.tb.Helper()
	w := town{school: s, owner: s.teacher("owner@uni.example"), other: s.teacher("other@uni.example")}
	w.empty, w.foreign = s.course(w.owner, "Empty"), s.course(w.other, "Foreign")
	w.teacher = s.member(w.other, w.foreign, "teacher", "teacher@uni.example").UserID
	w.student = s.member(w.other, w.foreign, "student", "student@uni.example").UserID
	w.waiting = s.enroll(w.other, w.foreign, "student", "waiting@uni.example")[0]
	w.nobody = s.person("nobody@uni.example").UserID
	return w
}

// found is whom a caller finds by a search, by the first part of the address.
func (w town) found(c access.Caller, r service.DirectoryRequest) []string {
	w.tb.Helper()
	var all []lms.Member
	for r.Limit = 2; ; {
		page, err := w.Directory(ctx, c, r)
		if err != nil {
			w.tb.Fatalf("%q: %v", r.Search, err)
		}
		all = append(all, page.Members...)
		if page.Next == 0 {
			return locals(all)
		}
		r.After = page.Next
	}
}

func TestC18AndH01TheOwnerOfAnEmptyCourseLearnsNobody(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.unlimited()
		w := newTown(s)
		var parts []string
		for a := 'a'; a <= 'z'; a++ {
			for b := 'a'; b <= 'z'; b++ {
				parts = append(parts, string(a)+string(b))
			}
		}
		parts = append(parts, "", "uni.example", "@uni", "student@uni.exampl", "tudent@uni.example", "%%", "__", "%student%", "student@uni.example%")
		for _, part := range parts {
			got := w.found(w.owner, service.DirectoryRequest{Search: part})
			for _, g := range got {
				if g != "owner" {
					t.Fatalf("searching %q finds %v", part, got)
				}
			}
		}
		for _, id := range []int64{w.other.UserID, w.teacher, w.student, w.waiting, w.nobody, s.admin.UserID, lms.SystemUserID, 999_999, -1, 0} {
			_, err := s.User(ctx, w.owner, id)
			refused(t, fmt.Sprint("user ", id), err, lms.CodeNotFound, "not-found")
			_, err = s.Access(ctx, w.owner, w.empty, id)
			refused(t, fmt.Sprint("access of ", id), err, lms.CodeNotFound, "not-found")
			_, _, err = s.LookUpRef(ctx, w.owner, w.empty, byID(id))
			if id > 0 {
				refused(t, fmt.Sprint("looking up ", id), err, lms.CodeNotFound, "not-found")
			}
		}
		// By the whole address, however it is typed, anybody is found: it is
		// known already to whoever types it.
		for _, typed := range []string{"student@uni.example", " STUDENT@uni.example "} {
			same(t, typed, w.found(w.owner, service.DirectoryRequest{Search: typed}), []string{"student"})
		}
		m, address, err := s.LookUpRef(ctx, w.owner, w.empty, byEmail("Waiting@uni.example"))
		if err != nil || m == nil || m.User.ID != w.waiting || m.Enrollment != nil || address != "waiting@uni.example" {
			t.Errorf("looking up an address: %+v %s (%v)", m, address, err)
		}
		m, address, err = s.LookUpRef(ctx, w.owner, w.empty, byEmail("New@Uni.example"))
		if err != nil || m != nil || address != "new@uni.example" {
			t.Errorf("looking up an unknown address: %+v %s (%v)", m, address, err)
		}
		// The other course is not there for them, in any way.
		for name, err := range map[string]error{
			"course": second(s.Course(ctx, w.owner, w.foreign)),
			"roster": second(s.Roster(ctx, w.owner, service.RosterRequest{CourseID: w.foreign, Limit: 5})),
			"counts": second(s.RosterCounts(ctx, w.owner, w.foreign)),
			"roles":  second(s.Roles(ctx, w.owner, w.foreign)),
			"audit":  second(s.Audit(ctx, w.owner, service.AuditRequest{CourseID: w.foreign, Limit: 5})),
			"users":  second(s.Directory(ctx, w.owner, service.DirectoryRequest{CourseID: w.foreign, Limit: 5})),
		} {
			refused(t, name, err, lms.CodeNotFound, "not-found")
		}
		if page, err := s.Courses(ctx, w.owner, service.CoursesRequest{All: true, Limit: 50}); err != nil || len(page.Courses) != 1 {
			t.Errorf("%d courses (%v)", len(page.Courses), err)
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestC09PeopleOneCannotSeeAreNotThereByTheirID(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		w := newTown(s)
		ids := []int64{w.student, w.waiting, w.nobody, s.admin.UserID, lms.SystemUserID, 999_999, -5}
		rows, err := s.Enroll(ctx, w.owner, service.EnrollRequest{CourseID: w.empty, Role: "student", UserIDs: ids})
		if err != nil || len(rows) != len(ids) {
			t.Fatalf("%d rows (%v)", len(rows), err)
		}
		for i, r := range rows {
			// Whoever exists and whoever does not: one answer.
			if r.Result != service.ResultRefused || r.Reason != "not-found" || r.Message != rows[5].Message || r.Email != "" {
				t.Errorf("id %d: %+v", ids[i], r)
			}
			_, err := s.SetPrivileges(ctx, w.owner, service.PrivilegeChange{CourseID: w.empty, Person: byID(ids[i]), Allow: []string{"roster.view"}})
			refused(t, fmt.Sprint("privileges of ", ids[i]), err, lms.CodeNotFound, "not-found")
			_, err = s.SetRole(ctx, w.owner, service.RoleChange{CourseID: w.empty, UserID: ids[i], Role: "student"})
			refused(t, fmt.Sprint("role of ", ids[i]), err, lms.CodeNotFound, "not-found")
		}
		removed, err := s.Remove(ctx, w.owner, w.empty, ids)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range removed {
			if r.Result != service.ResultRefused || r.Reason != "not-in-course" || r.Message != removed[5].Message || r.Email != "" {
				t.Errorf("removing id %d: %+v", ids[i], r)
			}
		}
		if n, err := s.RosterCounts(ctx, w.owner, w.empty); err != nil || n.All != 1 {
			t.Errorf("%d people in the course (%v)", n.All, err)
		}
	})
}

func TestTheDirectorySettingSaysWhomAManagerFindsByName(t *testing.T) {
	for directory, c := range map[service.Directory]struct {
		byName []string // whom the owner of an empty course finds by a part that all have in common
		listed []string // and without searching
	}{
		service.DirectoryExact:    {[]string{"owner"}, []string{"owner"}},
		service.DirectoryStaff:    {[]string{"owner", "other", "teacher", "root"}, []string{"owner"}},
		service.DirectoryEveryone: {[]string{"owner", "other", "teacher", "root", "student", "waiting", "nobody"}, []string{"owner", "other", "teacher", "root", "student", "waiting", "nobody"}},
	} {
		t.Run(string(directory), func(t *testing.T) {
			each(t, func(t *testing.T, s *school) {
				w := newTown(s)
				same(t, "by a part", w.found(w.owner, service.DirectoryRequest{Search: "uni.example"}), c.byName)
				same(t, "by a letter pair", w.found(w.owner, service.DirectoryRequest{Search: "un"}), c.byName)
				same(t, "listed", w.found(w.owner, service.DirectoryRequest{}), c.listed)
				// Whoever is found can be chosen by the id.
				_, err := s.User(ctx, w.owner, w.teacher)
				if found := directory != service.DirectoryExact; found != (err == nil) {
					t.Errorf("a teacher by id: %v", err)
				}
				_, err = s.User(ctx, w.owner, w.student)
				if found := directory == service.DirectoryEveryone; found != (err == nil) {
					t.Errorf("a student by id: %v", err)
				}
				// A student manages nobody, and finds nobody.
				student := s.person("student@uni.example")
				same(t, "a student", w.found(student, service.DirectoryRequest{Search: "uni.example"}), []string{"student"})
				same(t, "a student, by address", w.found(student, service.DirectoryRequest{Search: "teacher@uni.example"}), nil)
				_, err = s.Roster(ctx, student, service.RosterRequest{CourseID: w.foreign, Limit: 5})
				refused(t, "H-05: a student reads the roster", err, lms.CodeForbidden, "forbidden")
				// Members of the course see each other as far as the roster.
				tea := s.person("teacher@uni.example")
				inCourse := []string{"other", "teacher", "student", "waiting"}
				for _, who := range w.found(tea, service.DirectoryRequest{}) {
					if directory != service.DirectoryEveryone && !strings.Contains(strings.Join(inCourse, " "), who) {
						t.Errorf("a teacher lists %s", who)
					}
				}
				same(t, "an administrator", w.found(s.admin, service.DirectoryRequest{Search: "uni.example"}), []string{"owner", "other", "teacher", "root", "student", "waiting", "nobody"})
				same(t, "pending ones", w.found(s.admin, service.DirectoryRequest{Status: lms.StatusPending}), []string{"waiting"})
				same(t, "with privileges", w.found(s.admin, service.DirectoryRequest{CourseID: w.foreign, HasPrivileges: true}), []string{"other", "teacher"})
			}, func(o *service.Options) { o.Directory = directory })
		})
	}
}

func TestF16WhatIsTypedIntoTheFinderIsReadLiterallyOrRefused(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		w := newTown(s)
		for typed, typ := range map[string]string{
			"a": "search-too-short", "%": "search-too-short", " a ": "search-too-short", "é": "search-too-short",
			strings.Repeat("x", 10_000): "text-too-long", "a\x00b": "text-control-character", "a\xff": "text-not-utf8", "a\u202eb": "text-control-character",
		} {
			_, err := s.Directory(ctx, s.admin, service.DirectoryRequest{Search: typed, Limit: 5})
			if typed == "é" {
				if err != nil && lms.TypeOf(err) != typ {
					t.Errorf("%q: %v", typed, err)
				}
				continue
			}
			refused(t, fmt.Sprintf("%.20q", typed), err, lms.CodeInvalid, typ)
		}
		for _, typed := range []string{"%%", "__", `\\`, "*a", "''", `""`, ";--", "' OR 1=1 --", "(select 1)", "a.*", "🎓🎓", "stud%ent", "NOT student", `student"`, "student*"} {
			same(t, typed, w.found(s.admin, service.DirectoryRequest{Search: typed}), nil)
			page, err := s.Roster(ctx, w.other, service.RosterRequest{CourseID: w.foreign, Search: typed, Limit: 5})
			if err != nil || len(page.People) != 0 {
				t.Errorf("%q in the roster: %d people (%v)", typed, len(page.People), err)
			}
		}
	})
}

func TestAPersonWithPrivilegesButNoRoleIsAMember(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		m := s.set(ada, course, byEmail("helper@uni.example"), []string{"roster.view"}, nil)
		if m.Enrollment != nil {
			t.Errorf("enrolled as %+v", m.Enrollment)
		}
		helper := s.person("helper@uni.example")
		page, err := s.Roster(ctx, helper, service.RosterRequest{CourseID: course, Limit: 5})
		if err != nil || len(page.People) != 2 || page.Standing.Member.User.ID != helper.UserID {
			t.Errorf("%d people (%v)", len(page.People), err)
		}
		if page, err := s.Courses(ctx, helper, service.CoursesRequest{Limit: 5}); err != nil || len(page.Courses) != 1 {
			t.Errorf("%d courses (%v)", len(page.Courses), err)
		}
		got, err := s.SetRole(ctx, ada, service.RoleChange{CourseID: course, UserID: helper.UserID, Role: "student"})
		if err != nil || got.Enrollment == nil || got.Enrollment.Role.Key != "student" || names(got.Effective()) != "roster.view" {
			t.Errorf("given a role: %+v (%v)", got.Enrollment, err)
		}
		s.set(ada, course, byID(helper.UserID), nil, []string{"audit.view"})
		_, err = s.SetRole(ctx, ada, service.RoleChange{CourseID: course, UserID: helper.UserID, Role: "owner"})
		refused(t, "owner with a denial", err, lms.CodeConflict, "owner-holds-all")
		rows, err := s.Remove(ctx, ada, course, []int64{helper.UserID})
		if err != nil || rows[0].Result != service.ResultRemoved {
			t.Fatalf("%+v (%v)", rows, err)
		}
		if _, err := s.Course(ctx, helper, course); lms.CodeOf(err) != lms.CodeNotFound {
			t.Errorf("removed, and still there: %v", err)
		}
		// A denial alone is no place, and does not show the course.
		s.set(ada, course, byEmail("denied@uni.example"), nil, []string{"audit.view"})
		denied := s.person("denied@uni.example")
		if _, err := s.Course(ctx, denied, course); lms.CodeOf(err) != lms.CodeNotFound {
			t.Errorf("with a denial alone: %v", err)
		}
	})
}
