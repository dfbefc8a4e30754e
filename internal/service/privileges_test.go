package service_test

import (
	"fmt"
	"strings"
	"testing"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

func TestC05ATeacherGivesNobodyMoreThanTheyHold(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		tea := s.member(ada, course, "observer", "t@uni.example")
		s.set(ada, course, byID(tea.UserID), []string{"staff.manage", "audit.view"}, nil)
		student := s.enroll(ada, course, "student", "s@uni.example")[0]
		if got := s.held(course, tea.UserID); got != "roster.view staff.manage audit.view" {
			t.Fatalf("the teacher holds %s", got)
		}
		for name, ref := range map[string]service.PersonRef{"a new person": byEmail("v@uni.example"), "a student": byID(student)} {
			for _, wanted := range [][]string{{"course.archive"}, {"audit.view", "course.update"}, {"roster.view", "staff.manage", "roster.manage"}} {
				nobodyIsMade(s, fmt.Sprint(name, " ", wanted), lms.CodeForbidden, "beyond-own-privileges", func() error {
					_, err := s.SetPrivileges(ctx, tea, service.PrivilegeChange{CourseID: course, Person: ref, Exactly: &wanted})
					return err
				})
			}
		}
		for _, wanted := range [][]string{{"course.archive"}, {"audit.view"}, {}} {
			nobodyIsMade(s, fmt.Sprint("oneself ", wanted), lms.CodeForbidden, "self-change", func() error {
				_, err := s.SetPrivileges(ctx, tea, service.PrivilegeChange{CourseID: course, Person: byEmail("T@uni.example"), Exactly: &wanted})
				return err
			})
		}
		if got := s.held(course, student); got != "" {
			t.Errorf("part of what was refused was given: %s", got)
		}
		m := s.set(tea, course, byID(student), []string{"audit.view"}, nil)
		if names(m.Effective()) != "audit.view" || m.Grant.GrantedBy != tea.UserID {
			t.Errorf("what they hold they could not give: %+v", m.Grant)
		}
	})
}

func TestC06NobodyReachesAboveThemselves(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		role, err := s.CreateRole(ctx, ada, course, service.RoleFields{Name: "Lab lead", Privileges: []string{"staff.manage", "roster.manage"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		lead := s.member(ada, course, role.Key, "lead@uni.example")
		equal := s.member(ada, course, role.Key, "equal@uni.example")
		owner := ada.UserID
		setRole := func(id int64, key string) error {
			_, err := s.SetRole(ctx, lead, service.RoleChange{CourseID: course, UserID: id, Role: key})
			return err
		}
		refused(t, "own role", setRole(lead.UserID, "student"), lms.CodeForbidden, "self-change")
		refused(t, "own promotion", setRole(lead.UserID, "owner"), lms.CodeForbidden, "self-change")
		refused(t, "demoting an owner", setRole(owner, "student"), lms.CodeForbidden, "higher-person")
		refused(t, "promoting an equal", setRole(equal.UserID, "teacher"), lms.CodeForbidden, "beyond-own-privileges")
		refused(t, "making an owner", setRole(equal.UserID, "owner"), lms.CodeForbidden, "beyond-own-privileges")
		_, err = s.Remove(ctx, lead, course, []int64{owner})
		refused(t, "removing an owner", err, lms.CodeForbidden, "higher-person")
		_, err = s.SetPrivileges(ctx, lead, service.PrivilegeChange{CourseID: course, Person: byID(owner), Deny: []string{"roster.view"}})
		refused(t, "denying an owner", err, lms.CodeForbidden, "higher-person")
		_, err = s.UpdateRole(ctx, lead, course, role.ID, service.RolePatch{Privileges: &[]string{"staff.manage", "roster.manage", "audit.view"}})
		refused(t, "editing one's role", err, lms.CodeForbidden, "self-change")
		_, err = s.UpdateRole(ctx, lead, course, role.ID, service.RolePatch{Name: ptr("Boss")})
		refused(t, "renaming one's role", err, lms.CodeForbidden, "self-change")
		err = s.DeleteRole(ctx, lead, course, role.ID)
		refused(t, "deleting one's role", err, lms.CodeForbidden, "self-change")
		_, err = s.CreateRole(ctx, lead, course, service.RoleFields{Name: "More", Privileges: []string{"audit.view"}}, nil)
		refused(t, "a role beyond", err, lms.CodeForbidden, "beyond-own-privileges")
		_, err = s.Enroll(ctx, lead, service.EnrollRequest{CourseID: course, Role: role.Key, UserIDs: []int64{lead.UserID}})
		if err != nil {
			t.Errorf("enrolling oneself as what one is: %v", err)
		}
		if got, want := s.held(course, lead.UserID), "roster.view roster.manage staff.manage"; got != want {
			t.Errorf("after all that, the lead holds %s", got)
		}
		// An equal may be moved down, and up again.
		if err := setRole(equal.UserID, "assistant"); err != nil {
			t.Error(err)
		}
		if err := setRole(equal.UserID, role.Key); err != nil {
			t.Error(err)
		}
	})
}

func TestC16ARoleOfAnotherCourseIsNoRoleHere(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		one, two := s.course(ada, "One"), s.course(ada, "Two")
		role, err := s.CreateRole(ctx, ada, one, service.RoleFields{Name: "Tutor", Privileges: []string{"roster.manage"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if role.Privileges != lms.SetOf(lms.RosterManage, lms.RosterView) {
			t.Errorf("managing without viewing: %s", names(role.Privileges))
		}
		_, err = s.UpdateRole(ctx, ada, two, role.ID, service.RolePatch{Name: ptr("Stray")})
		refused(t, "edit", err, lms.CodeNotFound, "not-found")
		refused(t, "delete", s.DeleteRole(ctx, ada, two, role.ID), lms.CodeNotFound, "not-found")
		_, err = s.Enroll(ctx, ada, service.EnrollRequest{CourseID: two, Role: role.Key, Emails: []string{"v@uni.example"}})
		refused(t, "enroll", err, lms.CodeInvalid, "unknown-role")
		id := s.enroll(ada, two, "student", "v@uni.example")[0]
		_, err = s.SetRole(ctx, ada, service.RoleChange{CourseID: two, UserID: id, Role: role.Key})
		refused(t, "set", err, lms.CodeInvalid, "unknown-role")
		roles, err := s.Roles(ctx, ada, one)
		if err != nil || len(roles) != 6 || roles[5].Role != role || roles[0].People != 1 || roles[5].People != 0 {
			t.Errorf("roles %+v (%v)", roles, err)
		}
		if roles, err := s.Roles(ctx, ada, two); err != nil || len(roles) != 5 {
			t.Errorf("the other course has %d roles (%v)", len(roles), err)
		}
	})
}

func TestACustomRoleChangesForAllWhoHaveItAndGoesWhenNobodyHasIt(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		role, err := s.CreateRole(ctx, ada, course, service.RoleFields{Name: "Tutor", Privileges: []string{"roster.view"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		ids := s.enroll(ada, course, "tutor", "a@uni.example", "b@uni.example")
		role, err = s.UpdateRole(ctx, ada, course, role.ID, service.RolePatch{Name: ptr("Lab tutor"), Privileges: &[]string{"audit.view", "roster.manage"}})
		if err != nil || role.Key != "lab-tutor" {
			t.Fatalf("%+v (%v)", role, err)
		}
		for _, id := range ids {
			if got := s.held(course, id); got != "roster.view roster.manage audit.view" {
				t.Errorf("person %d holds %s", id, got)
			}
		}
		_, err = s.CreateRole(ctx, ada, course, service.RoleFields{Name: "LAB tutor"}, nil)
		refused(t, "the same name", err, lms.CodeInvalid, "role-name-taken")
		other, err := s.CreateRole(ctx, ada, course, service.RoleFields{Name: "Other"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.UpdateRole(ctx, ada, course, other.ID, service.RolePatch{Name: ptr("Lab Tutor")})
		refused(t, "renamed to the same name", err, lms.CodeInvalid, "role-name-taken")
		_, err = s.UpdateRole(ctx, ada, course, other.ID, service.RolePatch{Privileges: &[]string{"x"}})
		refused(t, "an unknown privilege", err, lms.CodeInvalid, "unknown-privilege")
		refused(t, "in use", s.DeleteRole(ctx, ada, course, role.ID), lms.CodeConflict, "role-in-use")
		for _, id := range ids {
			if _, err := s.SetRole(ctx, ada, service.RoleChange{CourseID: course, UserID: id, Role: "student"}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.DeleteRole(ctx, ada, course, role.ID); err != nil {
			t.Error(err)
		}
		refused(t, "gone", s.DeleteRole(ctx, ada, course, role.ID), lms.CodeNotFound, "not-found")
		roles, err := s.Roles(ctx, ada, course)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range roles[:5] {
			_, err := s.UpdateRole(ctx, ada, course, r.Role.ID, service.RolePatch{Privileges: &[]string{"roster.view"}})
			refused(t, r.Role.Name, err, lms.CodeConflict, "preset-role")
			refused(t, r.Role.Name, s.DeleteRole(ctx, ada, course, r.Role.ID), lms.CodeConflict, "preset-role")
		}
	})
}

func TestC10ACourseKeepsAnOwnerWhoHasArrived(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		second := s.enroll(ada, course, "owner", "second@uni.example")[0] // has not arrived
		remove := func(by access.Caller, id int64) error {
			rows, err := s.Remove(ctx, by, course, []int64{id})
			if err == nil && rows[0].Result != service.ResultRemoved {
				t.Errorf("removing %d: %+v", id, rows[0])
			}
			return err
		}
		setRole := func(by access.Caller, id int64, role string) error {
			_, err := s.SetRole(ctx, by, service.RoleChange{CourseID: course, UserID: id, Role: role})
			return err
		}
		refused(t, "leaving", remove(ada, ada.UserID), lms.CodeConflict, "last-owner")
		refused(t, "demoted by an administrator", setRole(s.admin, ada.UserID, "teacher"), lms.CodeConflict, "last-owner")
		refused(t, "removed by an administrator", remove(s.admin, ada.UserID), lms.CodeConflict, "last-owner")
		rows, err := s.Remove(ctx, s.admin, course, []int64{second, ada.UserID})
		if err != nil || rows[0].Result != service.ResultRemoved || rows[1].Result != service.ResultRefused || rows[1].Reason != "last-owner" {
			t.Errorf("both at once: %+v (%v)", rows, err)
		}
		s.enroll(ada, course, "owner", "second@uni.example")
		grace := s.person("second@uni.example")
		// Now there are two, and one may go, but not both in one request.
		rows, err = s.Remove(ctx, s.admin, course, []int64{ada.UserID, grace.UserID})
		if err != nil || rows[0].Result != service.ResultRemoved || rows[1].Reason != "last-owner" {
			t.Errorf("two owners at once: %+v (%v)", rows, err)
		}
		refused(t, "the last one leaving", remove(grace, grace.UserID), lms.CodeConflict, "last-owner")
		refused(t, "the last one demoted", setRole(s.admin, grace.UserID, "student"), lms.CodeConflict, "last-owner")
		if n, err := s.store.Reader().ActiveOwners(ctx, course); err != nil || n != 1 {
			t.Errorf("%d owners (%v)", n, err)
		}
	})
}

func TestC12SuspendingTheLastOwnerNeedsASuccessorOrAConfirmation(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		one, two := s.course(ada, "One of hers"), s.course(ada, "Two")
		s.member(ada, two, "owner", "second@uni.example")
		s.enroll(ada, one, "owner", "waiting@uni.example") // does not count
		suspend := func(orphan bool) (lms.User, error) {
			return s.UpdateUser(ctx, s.admin, ada.UserID, service.UserPatch{Status: ptr("suspended"), OrphanCourses: orphan})
		}
		_, err := suspend(false)
		refused(t, "without a word", err, lms.CodeConflict, "last-owner")
		if !strings.Contains(err.Error(), "One of hers") || strings.Contains(err.Error(), "Two") {
			t.Errorf("it should name the course that would be orphaned: %v", err)
		}
		if s.user(ada.UserID).Status != lms.StatusActive || s.count(`sessions WHERE user_id = $1`, ada.UserID) == 0 {
			t.Error("refused, and yet suspended or signed out")
		}
		if _, err := suspend(true); err != nil {
			t.Fatal(err)
		}
		if e := s.lastEntry(); !strings.Contains(string(e.After), fmt.Sprintf(`"orphaned_courses":[%d]`, one)) || e.SubjectID != ada.UserID {
			t.Errorf("the audit says %s", e.After)
		}
		if s.count(`sessions WHERE user_id = $1`, ada.UserID) != 0 {
			t.Error("a suspended person has a session")
		}
		// With a successor, it goes through.
		grace := s.teacher("grace@uni.example")
		three := s.course(grace, "Three")
		s.member(grace, three, "owner", "heir@uni.example")
		if _, err := s.UpdateUser(ctx, s.admin, grace.UserID, service.UserPatch{Status: ptr("suspended")}); err != nil {
			t.Error(err)
		}
	})
}

func TestNobodyChangesTheirOwnSiteRoleOrStatus(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		for name, p := range map[string]service.UserPatch{"role": {SiteRole: ptr("member")}, "status": {Status: ptr("suspended")}, "both": {SiteRole: ptr("admin"), Status: ptr("active")}} {
			_, err := s.UpdateUser(ctx, s.admin, s.admin.UserID, p)
			refused(t, name, err, lms.CodeForbidden, "self-change")
		}
		member := s.person("m@uni.example")
		for name, who := range map[string]int64{"Matricula itself": lms.SystemUserID, "nobody": 999_999} {
			_, err := s.UpdateUser(ctx, s.admin, who, service.UserPatch{SiteRole: ptr("admin")})
			refused(t, name, err, lms.CodeNotFound, "not-found")
		}
		_, err := s.UpdateUser(ctx, member, s.admin.UserID, service.UserPatch{Status: ptr("suspended")})
		refused(t, "by a member", err, lms.CodeForbidden, "forbidden")
		u, err := s.UpdateUser(ctx, s.admin, member.UserID, service.UserPatch{SiteRole: ptr("admin")})
		if err != nil || u.SiteRole != lms.SiteAdmin {
			t.Fatal(err)
		}
		// At once: the caller that was read before counts for nothing.
		if _, err := s.UpdateUser(ctx, member, s.admin.UserID, service.UserPatch{SiteRole: ptr("member")}); err != nil {
			t.Errorf("an administrator of a moment ago: %v", err)
		}
		_, err = s.UpdateUser(ctx, s.admin, member.UserID, service.UserPatch{SiteRole: ptr("member")})
		refused(t, "C-04: who is none any more", err, lms.CodeForbidden, "forbidden")
	})
}

func TestC04ARightThatWasWithdrawnIsGoneInTheNextRequestOfEveryNode(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		tea := s.member(ada, course, "teacher", "t@uni.example")
		minted, err := s.CreateToken(ctx, tea, service.NewToken{Name: "sync"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		byToken, _, err := s.ByToken(ctx, minted.Secret, "r")
		if err != nil {
			t.Fatal(err)
		}
		node := s.grow(3)
		try := func(i int, c access.Caller) error {
			_, err := node(i).Enroll(ctx, c, service.EnrollRequest{CourseID: course, Role: "student", Emails: []string{fmt.Sprintf("s%d-%d@uni.example", i, c.TokenID)}})
			return err
		}
		for i := range s.nodes {
			if err := try(i, tea); err != nil {
				t.Fatal(err)
			}
		}
		s.set(ada, course, byID(tea.UserID), nil, []string{"roster.manage", "staff.manage"})
		for i := range s.nodes {
			refused(t, fmt.Sprint("session on node ", i), try(i+10, tea), lms.CodeForbidden, "forbidden")
			refused(t, fmt.Sprint("token on node ", i), try(i+10, byToken), lms.CodeForbidden, "forbidden")
		}
	})
}

func TestWhyMayGraceDoThisHasAnAnswerForEveryPrivilege(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		id := s.enroll(ada, course, "observer", "grace@uni.example")[0]
		s.set(ada, course, byID(id), []string{"staff.manage"}, []string{"audit.view"})
		r, err := s.Access(ctx, ada, course, id)
		if err != nil {
			t.Fatal(err)
		}
		got := map[lms.Privilege]access.Reason{}
		for _, e := range r.Explanations {
			got[e.Privilege] = e.Because
		}
		want := map[lms.Privilege]access.Reason{
			lms.RosterView: access.BecauseRole, lms.StaffManage: access.BecauseAllowed, lms.AuditView: access.BecauseDenied,
			lms.RosterManage: access.BecauseNothing, lms.CourseUpdate: access.BecauseNothing, lms.CourseArchive: access.BecauseNothing,
			lms.AnnouncementsManage: access.BecauseNothing,
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %v, want %v", got, want)
		}
		for name, u := range map[string]*lms.User{"granted": r.GrantedBy, "added": r.AddedBy, "named": r.NamedBy} {
			if u == nil || u.ID != ada.UserID {
				t.Errorf("%s by %+v, want Ada", name, u)
			}
		}
		if !r.MayEdit || !r.MayRemove {
			t.Errorf("Ada may edit %v, remove %v", r.MayEdit, r.MayRemove)
		}
		grace := s.person("grace@uni.example")
		own, err := s.Access(ctx, grace, course, grace.UserID)
		if err != nil || own.MayEdit || len(own.Explanations) != len(lms.Privileges()) {
			t.Errorf("about herself: %+v (%v)", own, err)
		}
		student := s.member(ada, course, "student", "s@uni.example")
		if _, err := s.Access(ctx, student, course, student.UserID); err != nil {
			t.Errorf("a student about themselves: %v", err)
		}
		_, err = s.Access(ctx, student, course, id)
		refused(t, "a student about another", err, lms.CodeForbidden, "forbidden")
		above, err := s.Access(ctx, grace, course, ada.UserID)
		if err != nil || above.MayEdit || above.MayRemove {
			t.Errorf("about an owner: edit %v, remove %v (%v)", above.MayEdit, above.MayRemove, err)
		}
		stranger := s.person("stranger@uni.example")
		_, err = s.Access(ctx, ada, course, stranger.UserID)
		refused(t, "about a stranger", err, lms.CodeNotFound, "not-found")
	})
}
