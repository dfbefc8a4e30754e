package service_test

import (
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// mayNot is a merge that has to be refused, to look at and to do, and leaves nothing
// behind.
func (s *school) mayNot(what string, by access.Caller, keep, gone service.PersonRef, code lms.Code, typ string) {
	s.tb.Helper()
	r := service.MergeRequest{Keep: keep, Merge: gone}
	before := s.dump("audit_entries")
	refused(s.tb, what+" (to look at)", second(s.PreviewMerge(ctx, by, r)), code, typ)
	refused(s.tb, what, second(s.MergePeople(ctx, by, r, nil)), code, typ)
	if d := differences(before, s.dump("audit_entries")); d != "" {
		s.tb.Errorf("%s left something behind:\n%s", what, d)
	}
}

func TestC05C06NobodyGivesByAMergeWhatTheyDoNotHold(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		teacher := s.member(ada, course, "teacher", "teacher@uni.example")
		assistant := s.member(ada, course, "assistant", "assistant@uni.example")
		observer := s.member(ada, course, "observer", "observer@uni.example")
		student := s.member(ada, course, "student", "student@uni.example")
		owner := s.enroll(ada, course, "owner", "owner@slip.example")[0]
		staff := s.enroll(ada, course, "teacher", "teacher@slip.example")[0]
		pupil := s.enroll(ada, course, "student", "pupil@slip.example")[0]
		allowed := s.enroll(ada, course, "student", "allowed@slip.example")[0]
		s.set(ada, course, byID(allowed), []string{"course.archive"}, nil)

		s.mayNot("an owner by a teacher", teacher, byID(student.UserID), byID(owner), lms.CodeForbidden, "higher-person")
		s.mayNot("what a teacher does not hold", teacher, byID(student.UserID), byID(allowed), lms.CodeForbidden, "beyond-own-privileges")
		s.mayNot("staff by an assistant", assistant, byID(student.UserID), byID(staff), lms.CodeForbidden, "forbidden")
		s.mayNot("into somebody higher", assistant, byID(teacher.UserID), byID(pupil), lms.CodeForbidden, "beyond-own-privileges")
		s.mayNot("without the roster", observer, byID(student.UserID), byID(pupil), lms.CodeForbidden, "forbidden")
		s.mayNot("by somebody with no say", student, byID(teacher.UserID), byID(pupil), lms.CodeNotFound, "not-found")
		s.mayNot("into oneself", teacher, byID(teacher.UserID), byID(pupil), lms.CodeForbidden, "self-change")
		s.mayNot("an owner into oneself", ada, byID(ada.UserID), byID(owner), lms.CodeForbidden, "self-change")
		s.merge(assistant, student.UserID, pupil)
		s.merge(teacher, student.UserID, staff)
		s.merge(ada, student.UserID, allowed)
		// An administrator holds everything, also for themselves.
		s.merge(s.admin, s.admin.UserID, owner)
	})
}

// Denied to one account is denied to the human, and a merge is no way round it.
func TestC06AMergeLiftsNoDenial(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		grace := s.member(ada, course, "assistant", "grace@uni.example")
		s.set(ada, course, byID(grace.UserID), nil, []string{"roster.manage"})
		slip := s.enroll(ada, course, "assistant", "grace@slip.example")[0]
		s.set(ada, course, byID(slip), []string{"roster.manage", "audit.view"}, nil)
		s.merge(ada, grace.UserID, slip)
		if got := s.held(course, grace.UserID); got != "roster.view audit.view" && got != "audit.view roster.view" {
			t.Errorf("she may %s", got)
		}
	})
}

func TestOnlyWhoManagesEveryCourseOfAPendingPersonMergesThem(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, bob := s.teacher("ada@uni.example"), s.teacher("bob@uni.example")
		mine, theirs := s.course(ada, "Algorithms"), s.course(bob, "Secret course")
		grace := s.member(ada, mine, "student", "grace@uni.example")
		slip := s.enroll(ada, mine, "student", "grace@slip.example")[0]
		s.enroll(bob, theirs, "student", "grace@slip.example")
		s.mayNot("with a place elsewhere", ada, byID(grace.UserID), byID(slip), lms.CodeForbidden, "merge-elsewhere")
		s.merge(s.admin, grace.UserID, slip)

		// Nor somebody who is more than a member of the site.
		named, err := s.NamePerson(ctx, s.admin, service.NewPerson{Email: "boss@slip.example", SiteRole: "admin"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.enroll(ada, mine, "student", "boss@slip.example")
		s.mayNot("an administrator to be", ada, byID(grace.UserID), byID(named.ID), lms.CodeForbidden, "merge-elsewhere")

		// A pending person whose address lets somebody in has to be the caller's own
		// concern as well.
		kept := s.enroll(ada, mine, "student", "kept@uni.example")[0]
		s.enroll(bob, theirs, "teacher", "kept@uni.example")
		alias := s.enroll(ada, mine, "student", "mallory@home.example")[0]
		s.mayNot("a further address for somebody else's person", ada, byID(kept), byID(alias), lms.CodeForbidden, "merge-elsewhere")

		// A course that is archived is not changed by its people.
		late := s.enroll(ada, mine, "student", "late@slip.example")[0]
		if _, err := s.ArchiveCourse(ctx, ada, mine, true); err != nil {
			t.Fatal(err)
		}
		s.mayNot("in an archived course", ada, byID(grace.UserID), byID(late), lms.CodeConflict, "course-archived")
		s.merge(s.admin, grace.UserID, late)
	})
}

func TestC09PeopleWhomSomebodyMayNotSeeAreNotFoundByAMerge(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, bob := s.teacher("ada@uni.example"), s.teacher("bob@uni.example")
		mine, theirs := s.course(ada, "Algorithms"), s.course(bob, "Compilers")
		grace := s.member(ada, mine, "student", "grace@uni.example")
		slip := s.enroll(ada, mine, "student", "grace@slip.example")[0]
		hidden := s.enroll(bob, theirs, "student", "hidden@uni.example")[0]
		seen := s.member(bob, theirs, "student", "seen@uni.example")
		people := s.count(`users`)
		s.mayNot("a pending person of another course", ada, byID(grace.UserID), byID(hidden), lms.CodeNotFound, "not-found")
		s.mayNot("into somebody of another course", ada, byID(seen.UserID), byID(slip), lms.CodeNotFound, "not-found")
		s.mayNot("into somebody of another course, by address", ada, byEmail("seen@uni.example"), byID(slip), lms.CodeNotFound, "not-found")
		s.mayNot("into an address that nobody has", ada, byEmail("nobody@uni.example"), byID(slip), lms.CodeNotFound, "not-found")
		s.mayNot("an id that nobody has", ada, byID(grace.UserID), byID(4711), lms.CodeNotFound, "not-found")
		s.mayNot("by nobody", access.Caller{}, byID(grace.UserID), byID(slip), lms.CodeUnauthenticated, "sign-in-required")
		if n := s.count(`users`); n != people {
			t.Errorf("%d people were named on the side", n-people)
		}
		// Somebody without any place is an administrator's business.
		loose, err := s.NamePerson(ctx, s.admin, service.NewPerson{Email: "loose@slip.example"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.mayNot("somebody without a place", ada, byID(grace.UserID), byID(loose.ID), lms.CodeNotFound, "not-found")
	})
}

func TestWhoIsNeverMerged(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		grace := s.member(ada, course, "student", "grace@uni.example")
		emmy := s.member(ada, course, "student", "emmy@uni.example")
		slip := s.enroll(ada, course, "student", "grace@slip.example")[0]
		off := s.enroll(ada, course, "student", "off@slip.example")[0]
		status := "suspended"
		if _, err := s.UpdateUser(ctx, s.admin, off, service.UserPatch{Status: &status}); err != nil {
			t.Fatal(err)
		}
		_, err := s.ServiceToken(ctx, "sis", "", lms.SiteMember, service.NewToken{Name: "t"})
		if err != nil {
			t.Fatal(err)
		}
		sis := int64(s.count(`users WHERE kind = 'person'`)) + 2 // Matricula itself is the first
		for _, by := range []access.Caller{ada, s.admin} {
			s.mayNot("somebody into themselves", by, byID(slip), byID(slip), lms.CodeInvalid, "merge-same")
			s.mayNot("one who has signed in into one who has not", by, byID(slip), byID(grace.UserID), map[bool]lms.Code{true: lms.CodeInvalid, false: lms.CodeForbidden}[by.Admin()],
				map[bool]string{true: "merge-direction", false: "merge-administrator"}[by.Admin()])
		}
		s.mayNot("somebody suspended", s.admin, byID(grace.UserID), byID(off), lms.CodeConflict, "not-active")
		s.mayNot("into somebody suspended", s.admin, byID(off), byID(slip), lms.CodeConflict, "not-active")
		s.mayNot("somebody suspended by a teacher", ada, byID(grace.UserID), byID(off), lms.CodeForbidden, "merge-administrator")
		s.mayNot("two who have signed in by a teacher", ada, byID(grace.UserID), byID(emmy.UserID), lms.CodeForbidden, "merge-administrator")
		s.mayNot("a service account", s.admin, byID(grace.UserID), byID(sis), lms.CodeConflict, "merge-service")
		s.mayNot("into a service account", s.admin, byID(sis), byID(slip), lms.CodeConflict, "merge-service")
		s.mayNot("Matricula", s.admin, byID(grace.UserID), byID(lms.SystemUserID), lms.CodeNotFound, "not-found")
		s.merge(s.admin, grace.UserID, slip)
		s.mayNot("somebody who was merged", s.admin, byID(emmy.UserID), byID(slip), lms.CodeNotFound, "not-found")
		s.mayNot("nobody", s.admin, service.PersonRef{}, byID(slip), lms.CodeNotFound, "not-found")
		s.mayNot("into nobody", s.admin, service.PersonRef{}, byID(emmy.UserID), lms.CodeInvalid, "nobody-named")
		s.mayNot("no address", s.admin, byEmail("grace"), byID(emmy.UserID), lms.CodeInvalid, "address-no-at")
	})
}

func TestTwoWhoHaveSignedInAreMergedWhenBothSayThatTheyAreOne(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		one, other := s.member(ada, course, "student", "one@uni.example"), s.member(ada, course, "student", "other@home.example")
		mallory := s.member(ada, course, "student", "mallory@uni.example")
		m := s.merge(s.admin, one.UserID, other.UserID)
		if m.State != lms.MergeAsked || s.user(other.UserID).Status != lms.StatusActive {
			t.Fatalf("%+v", m)
		}
		refused(t, "asked twice", second(s.MergePeople(ctx, s.admin, service.MergeRequest{Keep: byID(other.UserID), Merge: byID(one.UserID)}, nil)), lms.CodeConflict, "merge-open")
		refused(t, "at once", second(s.CompleteMerge(ctx, s.admin, m.ID)), lms.CodeConflict, "merge-unproved")
		refused(t, "answered by an administrator", second(s.AcceptMerge(ctx, s.admin, m.ID)), lms.CodeForbidden, "merge-not-asked")
		refused(t, "answered by a stranger", second(s.AcceptMerge(ctx, mallory, m.ID)), lms.CodeNotFound, "not-found")
		program := one
		program.SessionID, program.TokenID, program.Scopes = 0, 1, []lms.Scope{lms.ScopeWrite}
		refused(t, "answered with a token", second(s.AcceptMerge(ctx, program, m.ID)), lms.CodeForbidden, "token-not-enough")
		// Each sees the other's address only in part: they are perhaps two people.
		asking, err := s.MergesAsking(ctx, one)
		if err != nil || len(asking) != 1 || asking[0].Gone.Email != "" || asking[0].Gone.DisplayName() != lms.Email("other@home.example").Masked() || asking[0].Kept.Email != "one@uni.example" {
			t.Fatalf("%+v (%v)", asking, err)
		}
		if _, err := s.AcceptMerge(ctx, one, m.ID); err != nil {
			t.Fatal(err)
		}
		if asking, err = s.MergesAsking(ctx, one); err != nil || len(asking) != 0 {
			t.Errorf("asked again: %+v (%v)", asking, err)
		}
		refused(t, "with one answer", second(s.CompleteMerge(ctx, s.admin, m.ID)), lms.CodeConflict, "merge-unproved")
		if _, err := s.AcceptMerge(ctx, other, m.ID); err != nil {
			t.Fatal(err)
		}
		refused(t, "by one of the two", second(s.CompleteMerge(ctx, one, m.ID)), lms.CodeForbidden, "forbidden")
		if m, err = s.CompleteMerge(ctx, s.admin, m.ID); err != nil || m.State != lms.MergeDone {
			t.Fatalf("%+v (%v)", m, err)
		}
		refused(t, "again", second(s.CompleteMerge(ctx, s.admin, m.ID)), lms.CodeNotFound, "not-found")
		refused(t, "answered when it is done", second(s.AcceptMerge(ctx, one, m.ID)), lms.CodeConflict, "merge-over")
	})
}

func TestAQuestionWhetherTwoAreOneEnds(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		one, other, mallory := s.person("one@uni.example"), s.person("other@uni.example"), s.person("mallory@uni.example")
		m := s.merge(s.admin, one.UserID, other.UserID)
		refused(t, "a stranger", s.WithdrawMerge(ctx, mallory, m.ID), lms.CodeNotFound, "not-found")
		if err := s.WithdrawMerge(ctx, other, m.ID); err != nil {
			t.Fatal(err)
		}
		refused(t, "after a no", second(s.AcceptMerge(ctx, one, m.ID)), lms.CodeConflict, "merge-over")
		late := s.merge(s.admin, one.UserID, other.UserID)
		for _, c := range []access.Caller{one, other} {
			if _, err := s.AcceptMerge(ctx, c, late.ID); err != nil {
				t.Fatal(err)
			}
		}
		s.clock.advance(7 * 24 * time.Hour)
		root := s.person("root@uni.example")
		refused(t, "after seven days", second(s.CompleteMerge(ctx, root, late.ID)), lms.CodeConflict, "merge-over")
		again := s.merge(root, one.UserID, other.UserID) // without waiting for the cleaner
		s.clock.advance(7 * 24 * time.Hour)
		if err := s.Expire(ctx); err != nil {
			t.Fatal(err)
		}
		if v, err := s.Merge(ctx, s.person("root@uni.example"), again.ID); err != nil || v.State != lms.MergeWithdrawn {
			t.Errorf("after the cleaner: %s (%v)", v.State, err)
		}
	})
}

func TestF21AMergeThatIsSentTwiceIsDoneOnce(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		grace := s.member(ada, course, "student", "grace@uni.example")
		slip := s.enroll(ada, course, "student", "grace@slip.example")[0]
		r := service.MergeRequest{Keep: byID(grace.UserID), Merge: byID(slip)}
		once := &service.Once{Route: "POST /api/v1/merges", Key: "k", Body: []byte("b")}
		first, err := s.MergePeople(ctx, ada, r, once)
		if err != nil {
			t.Fatal(err)
		}
		again, err := s.MergePeople(ctx, ada, r, once)
		if err != nil || again.ID != first.ID || s.count(`merges`) != 1 {
			t.Errorf("again: %+v (%v)", again, err)
		}
		refused(t, "without the key", second(s.MergePeople(ctx, ada, r, nil)), lms.CodeNotFound, "not-found")
	})
}

func TestWhoeverMergedTwoPeopleMaySplitThemWhileTheyManageTheCourse(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		teacher := s.member(ada, course, "teacher", "teacher@uni.example")
		grace := s.member(ada, course, "student", "grace@uni.example")
		slips := s.enroll(ada, course, "student", "grace@slip.example", "grace@slop.example")
		m := s.merge(teacher, grace.UserID, slips[0])
		refused(t, "another teacher", second(s.SplitMerge(ctx, ada, m.ID)), lms.CodeNotFound, "not-found")
		refused(t, "she herself", second(s.SplitMerge(ctx, grace, m.ID)), lms.CodeForbidden, "forbidden")
		if _, err := s.SplitMerge(ctx, teacher, m.ID); err != nil {
			t.Fatal(err)
		}
		m = s.merge(teacher, grace.UserID, slips[1])
		if _, err := s.SetRole(ctx, ada, service.RoleChange{CourseID: course, UserID: teacher.UserID, Role: "observer"}); err != nil {
			t.Fatal(err)
		}
		refused(t, "without the right", second(s.SplitMerge(ctx, teacher, m.ID)), lms.CodeForbidden, "forbidden")
		mine, err := s.Merges(ctx, teacher, 0, 10)
		if err != nil || len(mine.Merges) != 2 {
			t.Errorf("the list of whoever merged: %+v (%v)", mine, err)
		}
		if all, err := s.Merges(ctx, s.admin, 0, 1); err != nil || len(all.Merges) != 1 || all.Next == 0 {
			t.Errorf("an administrator's: %+v (%v)", all, err)
		}
		if none, err := s.Merges(ctx, ada, 0, 10); err != nil || len(none.Merges) != 0 {
			t.Errorf("somebody else's: %+v (%v)", none, err)
		}
	})
}
