package service_test

import (
	"fmt"
	"strings"
	"testing"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// results says in short what became of each person.
func resultsOf(list []service.PlaceResult) string {
	said := make([]string, len(list))
	for i, r := range list {
		said[i] = string(r.Result)
		if r.Reason != "" {
			said[i] += " (" + r.Reason + ")"
		}
	}
	return strings.Join(said, ", ")
}

func (s *school) many(by access.Caller, r service.ManyChange, want string) []service.PlaceResult {
	s.tb.Helper()
	list, err := s.ChangeMany(ctx, by, r)
	if err != nil {
		s.tb.Fatalf("change many: %v", err)
	}
	if got := resultsOf(list); got != want {
		s.tb.Fatalf("changing many: %s, want %s", got, want)
	}
	return list
}

func TestSeveralPeopleAreChangedAtOnceAndRestoredExactly(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		students := s.enroll(ada, course, "student", "a@uni.example", "b@uni.example", "c@uni.example")
		helper := s.enroll(ada, course, "assistant", "h@uni.example")[0]
		s.set(ada, course, byID(students[2]), []string{"audit.view"}, nil)
		state := func() string {
			return s.everything(students[0]) + s.everything(students[1]) + s.everything(students[2]) + s.everything(helper)
		}
		before := state()
		all := append([]int64{helper, 1 << 40}, students...)

		for name, change := range map[string]struct {
			service.ManyChange
			want    string
			entries int
		}{
			"a privilege on":  {service.ManyChange{On: []string{"roster.manage"}}, "already (already-so), refused (not-in-course), changed, changed, changed", 3},
			"a privilege off": {service.ManyChange{Off: []string{"audit.view"}}, "already (already-so), refused (not-in-course), already (already-so), already (already-so), changed", 1},
			"a role":          {service.ManyChange{Role: "assistant"}, "already (already-so), refused (not-in-course), changed, changed, changed", 3},
			"removing":        {service.ManyChange{Remove: true}, "changed, refused (not-in-course), changed, changed, changed", 4},
		} {
			entries := s.count("audit_entries WHERE outcome = 'done'")
			change.CourseID, change.UserIDs = course, all
			list := s.many(ada, change.ManyChange, change.want)
			if got := s.count("audit_entries WHERE outcome = 'done'") - entries; got != change.entries {
				t.Errorf("%s left %d entries, want %d", name, got, change.entries)
			}
			if state() == before {
				t.Errorf("%s changed nothing", name)
			}
			undone, err := s.RestorePlaces(ctx, ada, course, service.Undoing(list))
			if err != nil || strings.Contains(resultsOf(undone), "refused") || len(undone) != change.entries {
				t.Fatalf("%s is not undone: %v %s", name, err, resultsOf(undone))
			}
			if places := s.places(ada, course, all); places != "assistant[][] -[][] student[][] student[][] student[audit.view][]" {
				t.Errorf("after %s and undoing it: %s", name, places)
			}
		}
	})
}

// places writes the places of people.
func (s *school) places(by access.Caller, course int64, ids []int64) string {
	s.tb.Helper()
	said := make([]string, len(ids))
	for i, id := range ids {
		r, err := s.Access(ctx, by, course, id)
		p := service.PlaceOf(&r.Member)
		if err != nil || p.Role == "" {
			p.Role = "-"
		}
		said[i] = fmt.Sprintf("%s[%s][%s]", p.Role, names(p.Allow), names(p.Deny))
	}
	return strings.Join(said, " ")
}

func TestWhatSomebodyElseChangedMeanwhileIsNotUndone(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		ids := s.enroll(ada, course, "student", "a@uni.example", "b@uni.example")
		list := s.many(ada, service.ManyChange{CourseID: course, UserIDs: ids, On: []string{"roster.view"}}, "changed, changed")
		s.set(ada, course, byID(ids[0]), []string{"audit.view"}, nil)
		undone, err := s.RestorePlaces(ctx, ada, course, service.Undoing(list))
		if err != nil || resultsOf(undone) != "refused (changed-meanwhile), changed" {
			t.Fatalf("%v %s", err, resultsOf(undone))
		}
		if got := s.places(ada, course, ids); got != "student[audit.view][] student[][]" {
			t.Errorf("now: %s", got)
		}
		again, err := s.RestorePlaces(ctx, ada, course, service.Undoing(list))
		if err != nil || resultsOf(again) != "refused (changed-meanwhile), refused (changed-meanwhile)" {
			t.Errorf("undone twice: %v %s", err, resultsOf(again))
		}
	})
}

func TestC05ManyAtOnceAreNotADoorToMore(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		tea := s.member(ada, course, "teacher", "t@uni.example") // cannot archive
		aide := s.member(ada, course, "assistant", "aide@uni.example")
		student := s.enroll(ada, course, "student", "s@uni.example")[0]
		everybody := []int64{student, tea.UserID, ada.UserID, aide.UserID}
		s.many(tea, service.ManyChange{CourseID: course, UserIDs: everybody, On: []string{"course.archive"}},
			"refused (beyond-own-privileges), refused (self-change), refused (owner-holds-all), refused (beyond-own-privileges)")
		s.many(tea, service.ManyChange{CourseID: course, UserIDs: everybody, Remove: true},
			"changed, refused (self-change), refused (higher-person), changed")
		_, err := s.ChangeMany(ctx, tea, service.ManyChange{CourseID: course, UserIDs: everybody, Role: "owner"})
		refused(t, "a teacher making owners", err, lms.CodeForbidden, "beyond-own-privileges")
		// What a teacher removed, an assistant cannot bring back with what they do not hold.
		s.enroll(ada, course, "assistant", "aide@uni.example")
		back, err := s.RestorePlaces(ctx, aide, course, []service.PlaceChange{{UserID: student, To: service.Place{Role: "student", Allow: lms.SetOf(lms.AuditView)}}})
		if err != nil || resultsOf(back) != "refused (forbidden)" {
			t.Errorf("%v %s", err, resultsOf(back))
		}
		if got := s.places(ada, course, []int64{student}); got != "-[][]" {
			t.Errorf("half of it was restored: %s", got)
		}
		for name, change := range map[string]service.ManyChange{
			"privileges": {On: []string{"roster.view"}}, "a staff role": {Role: "observer"},
		} {
			change.CourseID, change.UserIDs = course, []int64{student}
			_, err := s.ChangeMany(ctx, aide, change)
			refused(t, "an assistant giving "+name, err, lms.CodeForbidden, "forbidden")
		}
	})
}

func TestC10ManyAtOnceLeaveAnOwner(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		bob := s.member(ada, course, "owner", "bob@uni.example")
		root := s.person("root@uni.example")
		if err := s.NameAdmins(ctx, []lms.Email{"root@uni.example"}); err != nil {
			t.Fatal(err)
		}
		root.SiteRole = lms.SiteAdmin
		both := []int64{ada.UserID, bob.UserID}
		list := s.many(root, service.ManyChange{CourseID: course, UserIDs: both, Role: "teacher"}, "changed, refused (last-owner)")
		s.many(root, service.ManyChange{CourseID: course, UserIDs: both, Remove: true}, "changed, refused (last-owner)")
		if _, err := s.RestorePlaces(ctx, root, course, service.Undoing(list)); err != nil {
			t.Fatal(err)
		}
		if got := s.places(root, course, both); got != "-[][] owner[][]" {
			t.Errorf("now: %s", got)
		}
	})
}

func TestRequestsAboutManySayWhatIsMissing(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		one := s.enroll(ada, course, "student", "a@uni.example")
		for name, c := range map[string]struct {
			r    service.ManyChange
			typ  string
			code lms.Code
		}{
			"nobody":       {service.ManyChange{Remove: true}, "nobody-selected", lms.CodeInvalid},
			"nothing":      {service.ManyChange{UserIDs: one}, "nothing-chosen", lms.CodeInvalid},
			"two things":   {service.ManyChange{UserIDs: one, Role: "student", Remove: true}, "nothing-chosen", lms.CodeInvalid},
			"no privilege": {service.ManyChange{UserIDs: one, On: []string{"fly"}}, "unknown-privilege", lms.CodeInvalid},
			"no role":      {service.ManyChange{UserIDs: one, Role: "pilot"}, "unknown-role", lms.CodeInvalid},
			"both":         {service.ManyChange{UserIDs: one, On: []string{"audit.view"}, Off: []string{"audit.view"}}, "allowed-and-denied", lms.CodeInvalid},
			"too many":     {service.ManyChange{UserIDs: make([]int64, service.MaxMany+1), Remove: true}, "too-many-rows", lms.CodeTooLarge},
		} {
			c.r.CourseID = course
			_, err := s.ChangeMany(ctx, ada, c.r)
			refused(t, name, err, c.code, c.typ)
		}
		_, err := s.RestorePlaces(ctx, ada, course, nil)
		refused(t, "undoing nothing", err, lms.CodeInvalid, "nothing-to-undo")
		s.many(ada, service.ManyChange{CourseID: course, UserIDs: append(one, one...), Role: "observer"}, "changed, already (listed-twice)")
	})
}
