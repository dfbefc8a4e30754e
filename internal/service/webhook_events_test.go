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

// TestEveryActionHasBeenAskedWhatItMeansToWebhooks fails for a new action: either it
// means an event (lms.Happenings) or it is listed here.
func TestEveryActionHasBeenAskedWhatItMeansToWebhooks(t *testing.T) {
	nothing := []access.Action{
		access.CourseUpdate, access.CourseArchive, access.CourseRestore, access.CourseDelete, // what a course is called, and who sees it
		access.NoticeSend, access.ImportCreate, access.ImportChange, access.ImportStart, access.ImportRun, access.ImportCancel, access.ImportUndo, // each row has its own
		access.EnrollmentRestore, access.GrantTake, access.SectionCreate, access.SectionUpdate, access.SectionDelete, access.GrantConfirm, // so has each part of these
		access.RoleCreate, access.RoleDelete, // nobody has them
		access.AnnouncementCreate, access.AnnouncementUpdate, access.AnnouncementDelete, access.TermCreate, access.TermUpdate, access.TermDelete,
		access.SourceCreate, access.SourceUpdate, access.SourceDelete, access.SourceRun,
		access.ErasureAsk, access.ErasureRecall, access.ErasureRefuse, access.MergeAsk, access.MergeAccept, access.MergeWithdraw, access.DuplicatesDismiss,
		access.AccountUpdate, access.SessionEnd, access.SessionReused, access.TokenCreate, access.TokenRevoke, access.UserSignIn, access.UserSignUp, access.AddressChange,
		access.UserProve, access.NoticeObject, access.AddressProve, access.AddressAdd, access.AddressRemove, access.AddressPrimary, access.AddressCorrect, access.UserRenew,
		access.WebhookCreate, access.WebhookUpdate, access.WebhookDelete, access.WebhookSend, access.WebhookPause,
		access.ClaimAsk, access.ClaimRecall, access.ClaimRefuse, access.ClaimReject, access.ClaimObject,
		access.DirectoryCreate, access.DirectoryUpdate, access.DirectoryToken, access.DirectoryEnd,
		access.ProvisionUser, access.ProvisionGroup, access.ProvisionRoster, // what they change has entries of its own
		access.LimitUpdate, access.LimitLift, access.LimitRestore,
		access.SiteWebhookCreate, access.SiteWebhookUpdate, access.SiteWebhookDelete, access.SiteWebhookSend,
	}
	for _, a := range access.Actions() {
		if means := lms.Meaningful(string(a)); means == slices.Contains(nothing, a) && a.Writes() {
			t.Errorf("%s: it means an event (%v), or it is listed as meaning none: one of the two", a, means)
		}
	}
	for _, a := range lms.MeaningfulActions() {
		if !slices.Contains(access.Actions(), access.Action(a)) {
			t.Errorf("there is no action %s", a)
		}
	}
}

// hearing is a receiver of the site's webhook and one of a course's.
type hearing struct {
	*school
	site, course *receiver
}

func (h *hearing) heard(what string, site, course []string) {
	h.tb.Helper()
	h.send()
	same(h.tb, what+", the site", h.site.events(), site)
	same(h.tb, what+", the course", h.course.events(), course)
}

func TestEachChangeIsToldAsWhatItIs(t *testing.T) {
	hooked(t, func(t *testing.T, s *school) {
		h := &hearing{s, receive(t), receive(t)}
		ada, bob := s.teacher("ada@uni.example"), s.teacher("bob@uni.example")
		s.hook(s.admin, 0, h.site.URL)
		c := s.course(ada, "Algorithms")
		s.hook(ada, c, h.course.URL)
		both := func(what string, list ...string) { h.heard(what, list, list) }
		in := func(event string, user int64, more ...string) string {
			return strings.TrimSpace(fmt.Sprintf("%s user %d course %d %s", event, user, c, strings.Join(more, " ")))
		}
		h.heard("a course is made", []string{in("enrollment.created", ada.UserID, "owner")}, nil)

		m := s.set(ada, c, byEmail("tutor@uni.example"), []string{"roster.view"}, nil)
		tutor := m.User.ID
		both("privileges for somebody unknown", in("user.named", tutor), in("privileges.changed", tutor))
		m = s.set(ada, c, byID(tutor), nil, nil)
		both("they are taken away", in("privileges.changed", tutor))

		student := s.enroll(ada, c, "student", "grace@uni.example")[0]
		both("somebody unknown is enrolled", in("user.named", student), in("enrollment.created", student, "student"))
		if _, err := s.SetRole(ctx, ada, service.RoleChange{CourseID: c, UserID: student, Role: "observer"}); err != nil {
			t.Fatal(err)
		}
		both("the role changes", in("enrollment.changed", student, "observer"))
		lab := s.section(ada, c, "Lab")
		s.detail(ada, service.DetailsChange{CourseID: c, UserID: student, SectionID: &lab})
		both("the section changes", in("enrollment.changed", student))
		s.person("grace@uni.example")
		h.heard("they come", []string{fmt.Sprintf("user.claimed user %d", student)}, []string{in("user.claimed", student)})
		if _, err := s.Remove(ctx, ada, c, []int64{student}); err != nil {
			t.Fatal(err)
		}
		both("they leave", in("enrollment.ended", student, "observer"))
		if _, err := s.RestorePlace(ctx, ada, c, student); err != nil {
			t.Fatal(err)
		}
		both("they come back", in("enrollment.created", student, "observer"))

		role, err := s.CreateRole(ctx, ada, c, service.RoleFields{Name: "Helper", Privileges: []string{"roster.view"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		both("a role is made")
		if _, err := s.UpdateRole(ctx, ada, c, role.ID, service.RolePatch{Privileges: &[]string{"roster.view", "audit.view"}}); err != nil {
			t.Fatal(err)
		}
		both("what a role gives changes", fmt.Sprintf("privileges.changed course %d %s", c, role.Key))

		if _, err := s.HandOverCourse(ctx, ada, service.HandOver{CourseID: c, Person: byEmail("new.owner@uni.example"), Then: service.AfterStay}); err != nil {
			t.Fatal(err)
		}
		owner := s.idOf("new.owner@uni.example")
		both("the course gets an owner who is unknown", in("user.named", owner), in("enrollment.created", owner, "owner"))

		teacher := "teacher"
		if _, err := s.UpdateUser(ctx, s.admin, student, service.UserPatch{SiteRole: &teacher}); err != nil {
			t.Fatal(err)
		}
		h.heard("a role on the site", []string{fmt.Sprintf("privileges.changed user %d teacher", student)}, nil)

		// What concerns a course of somebody else's is told to the site alone.
		d := s.course(bob, "Compilers")
		other := s.enroll(bob, d, "student", "other@uni.example")[0]
		h.heard("elsewhere", []string{
			fmt.Sprintf("enrollment.created user %d course %d owner", bob.UserID, d), fmt.Sprintf("user.named user %d course %d", other, d),
			fmt.Sprintf("enrollment.created user %d course %d student", other, d),
		}, nil)
		s.person("other@uni.example")
		h.heard("they come elsewhere", []string{fmt.Sprintf("user.claimed user %d", other)}, nil)
	})
}

func TestAMergeIsToldToTheSiteOnceAndToTheCoursesThatItConcerns(t *testing.T) {
	hooked(t, func(t *testing.T, s *school) {
		h := &hearing{s, receive(t), receive(t)}
		ada := s.teacher("ada@uni.example")
		c, d := s.course(ada, "Algorithms"), s.course(ada, "Compilers")
		grace := s.member(ada, c, "student", "grace@uni.example")
		slip := s.enroll(ada, c, "student", "grase@uni.example")[0]
		elsewhere := receive(t)
		s.hook(s.admin, 0, h.site.URL)
		s.hook(ada, c, h.course.URL)
		s.hook(ada, d, elsewhere.URL)
		m, err := s.MergePeople(ctx, s.admin, service.MergeRequest{Keep: byID(grace.UserID), Merge: byID(slip)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		h.heard("merged", []string{fmt.Sprintf("user.merged user %d merged %d", grace.UserID, slip)}, []string{fmt.Sprintf("user.merged user %d course %d merged %d", grace.UserID, c, slip)})
		if _, err := s.SplitMerge(ctx, s.admin, m.ID); err != nil {
			t.Fatal(err)
		}
		h.heard("split", []string{fmt.Sprintf("user.split user %d kept %d", slip, grace.UserID)}, []string{fmt.Sprintf("user.split user %d course %d kept %d", slip, c, grace.UserID)})
		if got := elsewhere.events(); len(got) != 0 {
			t.Errorf("a course that it does not concern is told %v", got)
		}
	})
}

// TestH08NothingIsToldOfWhoIsErasedButThat erases somebody about whom much still waits.
func TestH08NothingIsToldOfWhoIsErasedButThat(t *testing.T) {
	hooked(t, func(t *testing.T, s *school) {
		h := &hearing{s, receive(t), receive(t)}
		ada := s.teacher("ada@uni.example")
		c := s.course(ada, "Algorithms")
		s.hook(ada, c, h.course.URL)
		s.hook(s.admin, 0, h.site.URL)
		grace := s.member(ada, c, "student", "canary-grace@uni.example")
		h.heard("before", []string{
			fmt.Sprintf("user.named user %d course %d", grace.UserID, c), fmt.Sprintf("enrollment.created user %d course %d student", grace.UserID, c), fmt.Sprintf("user.claimed user %d", grace.UserID),
		}, []string{
			fmt.Sprintf("user.named user %d course %d", grace.UserID, c), fmt.Sprintf("enrollment.created user %d course %d student", grace.UserID, c),
			fmt.Sprintf("user.claimed user %d course %d", grace.UserID, c),
		})
		s.set(ada, c, byID(grace.UserID), []string{"roster.view"}, nil) // still to be told
		if n := s.count(`webhook_deliveries WHERE user_id = $1`, grace.UserID); n != 8 {
			t.Fatalf("%d lines", n)
		}
		if _, err := s.EraseUser(ctx, s.admin, grace.UserID, service.Leaving{}); err != nil {
			t.Fatal(err)
		}
		if n := s.count(`webhook_deliveries WHERE user_id = $1 AND event <> 'user.erased'`, grace.UserID); n != 0 {
			t.Errorf("%d lines about them are left", n)
		}
		h.heard("erased", []string{fmt.Sprintf("user.erased user %d", grace.UserID)}, []string{fmt.Sprintf("user.erased user %d course %d", grace.UserID, c)})
		for table, lines := range s.dump("audit_entries") {
			if strings.HasPrefix(table, "webhook") && strings.Contains(strings.Join(lines, " "), "canary") {
				t.Errorf("%s has the address", table)
			}
		}
	})
}

func TestH09WhoIsWithdrawnOrExpiresIsToldToTheCoursesThatKnewThem(t *testing.T) {
	hooked(t, func(t *testing.T, s *school) {
		h := &hearing{s, receive(t), receive(t)}
		ada := s.teacher("ada@uni.example")
		c := s.course(ada, "Algorithms")
		ids := s.enroll(ada, c, "student", "withdrawn@uni.example", "expires@uni.example")
		s.hook(ada, c, h.course.URL)
		s.hook(s.admin, 0, h.site.URL)
		if err := s.Withdraw(ctx, ada, ids[0]); err != nil {
			t.Fatal(err)
		}
		told := func(id int64) (site, course []string) {
			ended := fmt.Sprintf("enrollment.ended user %d course %d student", id, c)
			return []string{ended, fmt.Sprintf("user.erased user %d", id)}, []string{ended, fmt.Sprintf("user.erased user %d course %d", id, c)}
		}
		site, course := told(ids[0])
		h.heard("withdrawn", site, course)
		s.clock.advance(181 * 24 * time.Hour)
		if _, err := s.ExpirePending(ctx); err != nil {
			t.Fatal(err)
		}
		site, course = told(ids[1])
		h.heard("expired", site, course)
	}, func(o *service.Options) { o.PendingDays = 180 })
}

func TestH18TheLogOfAWebhookIsKeptForThirtyDays(t *testing.T) {
	hooked(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		c := s.course(ada, "Algorithms")
		r := receive(t)
		s.hook(ada, c, r.URL)
		s.enroll(ada, c, "student", "grace@uni.example")
		s.send()
		for _, at := range []struct{ days, left int }{{29, 2}, {2, 0}} {
			s.clock.advance(time.Duration(at.days) * 24 * time.Hour)
			if err := s.Expire(ctx); err != nil {
				t.Fatal(err)
			}
			if n := s.count(`webhook_deliveries`); n != at.left {
				t.Errorf("after %d more days %d lines are left, want %d", at.days, n, at.left)
			}
		}
	})
}

// TestAListTellsWebhooksInAFewStatementsForEachBatch compares lists of which one is
// told to webhooks, one to none that wants it, and one where there is no webhook.
func TestAListTellsWebhooksInAFewStatementsForEachBatch(t *testing.T) {
	hooked(t, func(t *testing.T, s *school) {
		teachers := map[string]access.Caller{} // each with a limit of people to name
		for _, name := range []string{"none", "unwanted", "wanted"} {
			teachers[name] = s.teacher(name + "@teachers.example")
		}
		ran := func(name string) int64 {
			t.Helper()
			ada := teachers[name]
			var list strings.Builder
			list.WriteString("email\n")
			for i := range 400 {
				fmt.Fprintf(&list, "%s%d@uni.example\n", name, i)
			}
			c := s.course(ada, name)
			checked := s.list(ada, c, list.String())
			before := s.store.Ran()
			if done := s.carry(ada, checked.ID); done.Counts[lms.DidName] != 400 {
				t.Fatalf("carried out: %v", done.Counts)
			}
			return s.store.Ran() - before
		}
		none := ran("none")
		r := receive(t)
		s.hook(s.admin, 0, r.URL, "user.erased")
		unwanted := ran("unwanted")
		s.hook(s.admin, 0, r.URL, "user.named", "enrollment.created")
		wanted := ran("wanted")
		if unwanted-none > 20 || wanted-none > 20 {
			t.Errorf("400 people are %d statements, with a webhook that does not want them %d, with one that does %d", none, unwanted, wanted)
		}
		if n := s.count(`webhook_deliveries`); n != 801 { // the course is one too
			t.Errorf("%d deliveries", n)
		}
	})
}
