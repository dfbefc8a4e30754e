package service_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// review lists what is to be reviewed, as "who: doubt about the role, doubt about the
// rest".
func (s *school) review(by access.Caller, course int64) []string {
	s.tb.Helper()
	var list []string
	for after := int64(0); ; {
		p, err := s.GrantsToReview(ctx, by, course, after, 2)
		if err != nil {
			s.tb.Fatal(err)
		}
		for _, g := range p.Grants {
			list = append(list, fmt.Sprintf("%s: %s, %s", g.Member.User.Email.Local(), orDash(g.RoleDoubt), orDash(g.SetDoubt)))
		}
		if after = p.Next; after == 0 {
			return list
		}
	}
}

func orDash(d access.Doubt) access.Doubt {
	if d == "" {
		return "-"
	}
	return d
}

func TestGrantsOfThoseWhoMayGiveThemNoMoreAreListedForReview(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		same(t, "nobody gave anything", s.review(ada, course), nil)
		// Each of four gives a role and privileges, and then loses the right in their own way.
		for _, who := range []string{"leaver", "loser", "suspended", "erased", "keeper"} {
			giver := s.member(ada, course, "assistant", who+"@uni.example")
			s.set(ada, course, byID(giver.UserID), []string{"roster.manage", "staff.manage", "announcements.manage"}, nil)
			s.enroll(giver, course, "assistant", "a-of-"+who+"@uni.example")
			s.enroll(giver, course, "student", "s-of-"+who+"@uni.example")
			s.set(giver, course, byEmail("p-of-"+who+"@uni.example"), []string{"roster.view"}, nil)
			s.set(giver, course, byEmail("s-of-"+who+"@uni.example"), []string{"announcements.manage"}, nil)
			switch who {
			case "leaver":
				if _, err := s.Remove(ctx, giver, course, []int64{giver.UserID}); err != nil {
					t.Fatal(err)
				}
			case "loser":
				s.set(ada, course, byID(giver.UserID), nil, nil)
			case "suspended":
				if _, err := s.UpdateUser(ctx, s.admin, giver.UserID, service.UserPatch{Status: ptr("suspended")}); err != nil {
					t.Fatal(err)
				}
			case "erased":
				s.erase(giver.UserID)
			}
		}
		same(t, "to be reviewed", s.review(ada, course), []string{
			"a-of-leaver: left, -", "p-of-leaver: -, left", "s-of-leaver: -, left",
			"a-of-loser: lacks, -", "p-of-loser: -, lacks", "s-of-loser: -, lacks",
			"a-of-suspended: suspended, -", "p-of-suspended: -, suspended", "s-of-suspended: -, suspended",
			"a-of-erased: erased, -", "p-of-erased: -, erased", "s-of-erased: -, erased",
		})
		same(t, "in another course", s.review(ada, s.course(ada, "Compilers")), nil)

		id := func(local string) int64 {
			u, _, err := s.store.Reader().UserByAddress(ctx, lms.Email(local+"@uni.example"))
			if err != nil {
				t.Fatal(err)
			}
			return u.ID
		}
		// Whoever holds less answers for nothing more than they hold.
		weak := s.member(ada, course, "assistant", "weak@uni.example")
		s.set(ada, course, byID(weak.UserID), []string{"staff.manage"}, nil)
		refused(t, "more than they hold", second(s.ConfirmGrant(ctx, weak, course, id("s-of-leaver"))), lms.CodeForbidden, "beyond-own-privileges")
		refused(t, "without the privilege", second(s.ConfirmGrant(ctx, s.person("a-of-loser@uni.example"), course, id("s-of-leaver"))), lms.CodeForbidden, "forbidden")
		refused(t, "about oneself", second(s.ConfirmGrant(ctx, s.admin, course, s.admin.UserID)), lms.CodeNotFound, "not-in-course")

		// Confirmed, by an owner and by an administrator.
		held := s.held(course, id("a-of-leaver"))
		for _, who := range []string{"a-of-leaver", "p-of-loser"} {
			if _, err := s.ConfirmGrant(ctx, ada, course, id(who)); err != nil {
				t.Fatal(err)
			}
		}
		if e := s.lastEntry(); e.Action != string(access.GrantConfirm) || e.SubjectID != id("p-of-loser") || e.ActorID != ada.UserID {
			t.Errorf("the audit has %+v", e)
		}
		if _, err := s.ConfirmGrant(ctx, s.admin, course, id("s-of-erased")); err != nil {
			t.Fatal(err)
		}
		if got := s.held(course, id("a-of-leaver")); got != held {
			t.Errorf("confirming changed what they hold from %s to %s", held, got)
		}
		before := s.audited(access.GrantConfirm, lms.OutcomeDone)
		if _, err := s.ConfirmGrant(ctx, ada, course, id("a-of-leaver")); err != nil || s.audited(access.GrantConfirm, lms.OutcomeDone) != before {
			t.Errorf("confirmed twice: %v", err)
		}
		// Taken away: the role, the privileges alone.
		for _, who := range []string{"a-of-erased", "s-of-suspended"} {
			if _, err := s.TakeGrant(ctx, ada, course, id(who)); err != nil {
				t.Fatal(err)
			}
		}
		if n := s.count(`enrollments WHERE user_id = $1`, id("a-of-erased")); n != 0 {
			t.Error("the role was not taken")
		}
		if n := s.count(`enrollments WHERE user_id = $1`, id("s-of-suspended")); n != 1 || s.held(course, id("s-of-suspended")) != "" {
			t.Error("more than the privileges was taken, or less")
		}
		same(t, "still to be reviewed", s.review(ada, course), []string{
			"p-of-leaver: -, left", "s-of-leaver: -, left", "a-of-loser: lacks, -", "s-of-loser: -, lacks",
			"a-of-suspended: suspended, -", "p-of-suspended: -, suspended", "p-of-erased: -, erased",
		})
		// Whoever is restored may give again.
		if _, err := s.UpdateUser(ctx, s.admin, id("suspended"), service.UserPatch{Status: ptr("active")}); err != nil {
			t.Fatal(err)
		}
		same(t, "after restoring", s.review(ada, course), []string{"p-of-leaver: -, left", "s-of-leaver: -, left", "a-of-loser: lacks, -", "s-of-loser: -, lacks", "p-of-erased: -, erased"})
		refused(t, "a student looks", second(s.GrantsToReview(ctx, s.person("s-of-keeper@uni.example"), course, 0, 10)), lms.CodeForbidden, "forbidden")
		refused(t, "a stranger looks", second(s.GrantsToReview(ctx, s.person("stranger@uni.example"), course, 0, 10)), lms.CodeNotFound, "not-found")
	})
}

// A role that somebody gave to a member whom another had added is theirs.
func TestTheReviewLooksAtWhoGaveTheRoleAndNotAtWhoAddedThePerson(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		pupil := s.enroll(ada, course, "student", "pupil@uni.example")[0]
		bob := s.member(ada, course, "teacher", "bob@uni.example")
		s.set(ada, course, byID(bob.UserID), []string{"staff.manage"}, nil)
		if _, err := s.SetRole(ctx, bob, service.RoleChange{CourseID: course, UserID: pupil, Role: "assistant"}); err != nil {
			t.Fatal(err)
		}
		same(t, "while bob may", s.review(ada, course), nil)
		s.erase(bob.UserID)
		same(t, "when bob is gone", s.review(ada, course), []string{"pupil: erased, -"})
	})
}

// Owners who founded a course, or stepped back in it, gave it to themselves for good.
func TestTheReviewTroublesNobodyAboutWhatTheyGaveThemselves(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, bob := s.teacher("ada@uni.example"), s.person("bob@uni.example")
		course := s.course(ada, "Algorithms")
		if _, err := s.HandOverCourse(ctx, ada, service.HandOver{CourseID: course, Person: byEmail("bob@uni.example"), Then: service.AfterTeacher}); err != nil {
			t.Fatal(err)
		}
		// Bob had it from Ada, who could no longer make anybody an owner.
		same(t, "after handing over", s.review(bob, course), nil)
	})
}

// Administrators find the courses with something to review among all of the site.
func TestAdministratorsFindTheCoursesWithGrantsToReview(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		list := func(by access.Caller, term int64, limit int) (titles []string) {
			t.Helper()
			for before := int64(0); ; {
				p, err := s.Courses(ctx, by, service.CoursesRequest{All: true, Doubted: true, TermID: term, Before: before, Limit: limit})
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range p.Courses {
					titles = append(titles, c.Course.Title)
				}
				if before = p.Next; before == 0 {
					return titles
				}
			}
		}
		year := s.term(0, "2026/27", "2026-09-01", "2027-08-31")
		// In each course somebody names a colleague, and then loses the right in a way of
		// their own, or keeps it.
		courses := map[string]int64{}
		for _, how := range []string{"assistant stays", "leaves", "loses it", "is suspended", "is erased", "is over", "owner stays", "owner is demoted", "owner is suspended", "owner is erased"} {
			course, address := s.course(ada, how), strings.ReplaceAll(how, " ", ".")+"@uni.example"
			courses[how] = course
			role := "assistant"
			if strings.HasPrefix(how, "owner") {
				role = "owner"
			}
			giver := s.member(ada, course, role, address)
			if role == "assistant" {
				s.set(ada, course, byID(giver.UserID), []string{"roster.manage", "staff.manage"}, nil)
			}
			s.set(giver, course, byEmail("of."+address), []string{"roster.view"}, nil)
			switch {
			case strings.HasSuffix(how, "leaves"):
				if _, err := s.Remove(ctx, giver, course, []int64{giver.UserID}); err != nil {
					t.Fatal(err)
				}
			case strings.HasSuffix(how, "loses it"):
				s.set(ada, course, byID(giver.UserID), []string{"roster.manage"}, nil)
			case strings.HasSuffix(how, "demoted"):
				if _, err := s.SetRole(ctx, ada, service.RoleChange{CourseID: course, UserID: giver.UserID, Role: "student"}); err != nil {
					t.Fatal(err)
				}
			case strings.HasSuffix(how, "suspended"):
				if _, err := s.UpdateUser(ctx, s.admin, giver.UserID, service.UserPatch{Status: ptr("suspended")}); err != nil {
					t.Fatal(err)
				}
			case strings.HasSuffix(how, "erased"):
				s.erase(giver.UserID)
			case strings.HasSuffix(how, "over"):
				s.detail(ada, service.DetailsChange{CourseID: course, UserID: giver.UserID, Ends: ptr("2026-09-02")})
			}
		}
		same(t, "before anybody's time is over", list(s.admin, 0, 50), []string{
			"owner is erased", "owner is suspended", "owner is demoted", "is erased", "is suspended", "loses it", "leaves",
		})
		s.clock.advance(72 * time.Hour)
		all := []string{"owner is erased", "owner is suspended", "owner is demoted", "is over", "is erased", "is suspended", "loses it", "leaves"}
		same(t, "later", list(s.admin, 0, 50), all)
		same(t, "one after the other", list(s.admin, 0, 1), all)
		for how, course := range courses {
			if got := len(s.review(s.admin, course)) > 0; got != slices.Contains(all, how) {
				t.Errorf("%s: the course itself has something to review: %t", how, got)
			}
		}
		if _, err := s.UpdateCourse(ctx, ada, courses["loses it"], service.CoursePatch{TermID: &year}); err != nil {
			t.Fatal(err)
		}
		same(t, "of an academic year", list(s.admin, year, 50), []string{"loses it"})
		if got := list(ada, 0, 50); len(got) != len(courses) {
			t.Errorf("whoever is no administrator finds %q and not their own courses", got)
		}
	})
}
