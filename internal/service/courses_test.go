package service_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"matricula/internal/lms"
	"matricula/internal/service"
)

func TestACourseBelongsToWhoeverMakesIt(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, member := s.teacher("ada@uni.example"), s.person("m@uni.example")
		v, err := s.CreateCourse(ctx, ada, lms.CourseFields{Title: " Algorithms ", Code: "CS-1"}, nil)
		if err != nil || v.Course.Title != "Algorithms" || v.Holds != lms.AllPrivileges() || v.Member.Enrollment == nil || !v.Member.Enrollment.Role.Owner() {
			t.Fatalf("%+v (%v)", v, err)
		}
		again, err := s.Course(ctx, ada, v.Course.ID)
		if err != nil || again.Course != v.Course || again.Holds != v.Holds {
			t.Errorf("read again %+v (%v)", again, err)
		}
		_, err = s.CreateCourse(ctx, member, lms.CourseFields{Title: "x"}, nil)
		refused(t, "a member", err, lms.CodeForbidden, "forbidden")
		_, err = s.CreateCourse(ctx, ada, lms.CourseFields{}, nil)
		refused(t, "without a title", err, lms.CodeInvalid, "title-missing")
		_, err = s.Course(ctx, member, v.Course.ID)
		refused(t, "C-15: a stranger", err, lms.CodeNotFound, "not-found")
		if a, err := s.Course(ctx, s.admin, v.Course.ID); err != nil || a.Member.Enrollment != nil || a.Holds != lms.AllPrivileges() {
			t.Errorf("an administrator: %+v (%v)", a, err)
		}
		u, err := s.UpdateCourse(ctx, ada, v.Course.ID, service.CoursePatch{Code: ptr("CS-2"), Description: ptr("Sorting and  searching")})
		if err != nil || u.Course.Title != "Algorithms" || u.Course.Code != "CS-2" || u.Course.Description != "Sorting and searching" {
			t.Errorf("updated %+v (%v)", u.Course, err)
		}
	})
}

func TestADeletedCourseIsGoneForEverybodyAndTakesTwoSteps(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		student := s.member(ada, course, "student", "s@uni.example")
		refused(t, "in one step", s.DeleteCourse(ctx, ada, course), lms.CodeConflict, "course-not-archived")
		if _, err := s.ArchiveCourse(ctx, ada, course, true); err != nil {
			t.Fatal(err)
		}
		if v, err := s.Course(ctx, student, course); err != nil || !v.Course.Archived() {
			t.Errorf("an archived course is read: %v", err)
		}
		if err := s.DeleteCourse(ctx, ada, course); err != nil {
			t.Fatal(err)
		}
		for _, c := range []int64{ada.UserID, student.UserID, s.admin.UserID} {
			who := ada
			switch c {
			case student.UserID:
				who = student
			case s.admin.UserID:
				who = s.admin
			}
			refused(t, "deleted", second(s.Course(ctx, who, course)), lms.CodeNotFound, "not-found")
			if p, err := s.Courses(ctx, who, service.CoursesRequest{All: true, Limit: 10}); err != nil || len(p.Courses) != 0 {
				t.Errorf("listed %d courses (%v)", len(p.Courses), err)
			}
		}
		refused(t, "restoring", second(s.ArchiveCourse(ctx, ada, course, false)), lms.CodeNotFound, "not-found")
		for name, do := range doors(s, ada, course, "v@uni.example") {
			nobodyIsMade(s, name, lms.CodeNotFound, "not-found", do)
		}
	})
}

func TestCoursesAreListedInPagesNewestFirst(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, bob := s.teacher("ada@uni.example"), s.teacher("bob@uni.example")
		var hers, all []int64
		for i := range 7 {
			who := ada
			if i%3 == 2 {
				who = bob
			}
			id := s.course(who, fmt.Sprint("Course ", i))
			if all = append(all, id); i%3 != 2 {
				hers = append(hers, id)
			}
		}
		slices.Reverse(hers)
		slices.Reverse(all)
		for want, r := range map[string]service.CoursesRequest{fmt.Sprint(hers): {}, fmt.Sprint(all): {All: true}} {
			who := ada
			if r.All {
				who = s.admin
			}
			var got []int64
			for r.Limit = 2; ; {
				p, err := s.Courses(ctx, who, r)
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range p.Courses {
					got = append(got, c.Course.ID)
				}
				if r.Before = p.Next; r.Before == 0 {
					break
				}
			}
			if fmt.Sprint(got) != want {
				t.Errorf("listed %v, want %s", got, want)
			}
		}
	})
}

func TestF21AKeyMakesARequestSafeToRepeat(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, bob := s.teacher("ada@uni.example"), s.teacher("bob@uni.example")
		once := func(key, body string) *service.Once {
			return &service.Once{Route: "POST /courses", Key: key, Body: []byte(body)}
		}
		f := lms.CourseFields{Title: "Algorithms"}
		first, err := s.CreateCourse(ctx, ada, f, once("k1", "body"))
		if err != nil {
			t.Fatal(err)
		}
		changes := s.db.WatchChanges(t)
		again, err := s.CreateCourse(ctx, ada, f, once("k1", "body"))
		if err != nil || fmt.Sprintf("%+v", again.Course) != fmt.Sprintf("%+v", first.Course) || again.Holds != first.Holds || again.Member.Enrollment.Role != first.Member.Enrollment.Role {
			t.Errorf("the second answer is %+v, the first %+v (%v)", again, first, err)
		}
		if got := changes(); len(got) != 0 {
			t.Errorf("repeating it wrote %v", got)
		}
		_, err = s.CreateCourse(ctx, ada, lms.CourseFields{Title: "Other"}, once("k1", "other body"))
		refused(t, "another body", err, lms.CodeInvalid, "idempotency-key-reused")
		for name, do := range map[string]func() (service.CourseView, error){
			"another user": func() (service.CourseView, error) { return s.CreateCourse(ctx, bob, f, once("k1", "body")) },
			"another key":  func() (service.CourseView, error) { return s.CreateCourse(ctx, ada, f, once("k2", "body")) },
			"another route": func() (service.CourseView, error) {
				return s.CreateCourse(ctx, ada, f, &service.Once{Route: "POST /x", Key: "k1", Body: []byte("body")})
			},
			"no key": func() (service.CourseView, error) { return s.CreateCourse(ctx, ada, f, once("", "body")) },
		} {
			if v, err := do(); err != nil || v.Course.ID == first.Course.ID {
				t.Errorf("%s was taken for the same request: %d (%v)", name, v.Course.ID, err)
			}
		}
		for _, key := range []string{strings.Repeat("k", 201), strings.Repeat("k", 1<<20), "a\x00b", "a\xffb", "ä", "a\nb"} {
			_, err := s.CreateCourse(ctx, ada, f, once(key, "body"))
			refused(t, fmt.Sprintf("the key %.12q", key), err, lms.CodeMalformed, "idempotency-key")
		}
	})
}

func TestF21AKeyOfARequestThatFailedCanBeUsedAgain(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		once := &service.Once{Route: "POST /courses", Key: "k1", Body: []byte("body")}
		_, err := s.CreateCourse(ctx, ada, lms.CourseFields{}, once)
		refused(t, "a bad request", err, lms.CodeInvalid, "title-missing")
		if v, err := s.CreateCourse(ctx, ada, lms.CourseFields{Title: "x"}, once); err != nil || v.Course.ID == 0 {
			t.Errorf("after mending it: %v", err)
		}
		// A right that was withdrawn counts also for what was answered before.
		if _, err := s.UpdateUser(ctx, s.admin, ada.UserID, service.UserPatch{SiteRole: ptr("member")}); err != nil {
			t.Fatal(err)
		}
		_, err = s.CreateCourse(ctx, ada, lms.CourseFields{Title: "x"}, once)
		refused(t, "repeated without the right", err, lms.CodeForbidden, "forbidden")
	})
}

func TestF21OfTwentyAtOnceWithOneKeyOneIsDone(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		node := s.grow(3)
		for round := range 5 {
			before := s.count(`courses`)
			ids := make([]int64, 20)
			together(len(ids), func(i int) {
				once := &service.Once{Route: "POST /courses", Key: fmt.Sprint("k", round), Body: []byte("body")}
				v, err := node(i).CreateCourse(ctx, ada, lms.CourseFields{Title: "Algorithms"}, once)
				if err != nil {
					t.Errorf("request %d: %v", i, err)
				}
				ids[i] = v.Course.ID
			})
			if slices.Sort(ids); len(slices.Compact(ids)) != 1 || s.count(`courses`) != before+1 {
				t.Errorf("round %d: %d new courses, answers %v", round, s.count(`courses`)-before, ids)
			}
		}
	})
}

func TestF21ATokenIsShownOnceAlsoToWhoeverRepeatsTheRequest(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.person("ada@uni.example")
		once := &service.Once{Route: "POST /tokens", Key: "k1", Body: []byte("body")}
		var shown atomic.Int32
		together(10, func(int) {
			m, err := s.CreateToken(ctx, ada, service.NewToken{Name: "x"}, once)
			if err == nil && m.Secret != "" {
				shown.Add(1)
				return
			}
			refused(t, "repeated", err, lms.CodeConflict, "token-shown-once")
		})
		if shown.Load() != 1 || s.count(`api_tokens`) != 1 {
			t.Errorf("shown %d times, %d tokens", shown.Load(), s.count(`api_tokens`))
		}
		if n := s.count(`idempotency_keys WHERE answer LIKE '%mat_%'`); n != 0 {
			t.Error("the key keeps the secret")
		}
	})
}
