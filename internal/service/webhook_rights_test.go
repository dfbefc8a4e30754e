package service_test

import (
	"errors"
	"fmt"
	"testing"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/store/storetest"
)

func TestWebhooksBelongToWhoeverManagesWhatTheyTell(t *testing.T) {
	hooked(t, func(t *testing.T, s *school) {
		ada, bob := s.teacher("ada@uni.example"), s.teacher("bob@uni.example")
		c := s.course(ada, "Algorithms")
		assistant := s.member(ada, c, "assistant", "assistant@uni.example")
		teacher := s.member(ada, c, "teacher", "teacher@uni.example")
		r := receive(t)
		fields := service.WebhookFields{URL: r.URL, Events: everyEvent}
		refused(t, "of the site by a teacher", second(s.CreateWebhook(ctx, ada, 0, fields, nil)), lms.CodeForbidden, "forbidden")
		refused(t, "by an assistant", second(s.CreateWebhook(ctx, assistant, c, fields, nil)), lms.CodeForbidden, "forbidden")
		refused(t, "by a stranger", second(s.CreateWebhook(ctx, bob, c, fields, nil)), lms.CodeNotFound, "not-found")
		refused(t, "without an event", second(s.CreateWebhook(ctx, ada, c, service.WebhookFields{URL: r.URL}, nil)), lms.CodeInvalid, "webhook-event")
		refused(t, "with one that is none", second(s.CreateWebhook(ctx, ada, c, service.WebhookFields{URL: r.URL, Events: []string{"grade.changed"}}, nil)), lms.CodeInvalid, "webhook-event")
		of, site := s.hook(teacher, c, r.URL).Webhook.ID, s.hook(s.admin, 0, r.URL).Webhook.ID
		// Whoever may not see one is not told that it is there.
		for _, id := range []int64{of, site, 999} {
			for who, by := range map[string]access.Caller{"an assistant": assistant, "a stranger": bob} {
				refused(t, fmt.Sprint(who, " reads ", id), second(s.Webhook(ctx, by, id)), lms.CodeNotFound, "not-found")
				refused(t, fmt.Sprint(who, " changes ", id), second(s.UpdateWebhook(ctx, by, id, service.WebhookPatch{Enabled: ptr(false)})), lms.CodeNotFound, "not-found")
				refused(t, fmt.Sprint(who, " deletes ", id), s.DeleteWebhook(ctx, by, id), lms.CodeNotFound, "not-found")
				refused(t, fmt.Sprint(who, " reads the log of ", id), second(s.WebhookDeliveries(ctx, by, id, "", 0, 10)), lms.CodeNotFound, "not-found")
				refused(t, fmt.Sprint(who, " renews the secret of ", id), second(s.RenewWebhookSecret(ctx, by, id)), lms.CodeNotFound, "not-found")
				refused(t, fmt.Sprint(who, " tries ", id), second(s.TestWebhook(ctx, by, id)), lms.CodeNotFound, "not-found")
				refused(t, fmt.Sprint(who, " sends again of ", id), second(s.SendWebhookAgain(ctx, by, id, 1)), lms.CodeNotFound, "not-found")
			}
		}
		refused(t, "the site's by a teacher", second(s.Webhook(ctx, ada, site)), lms.CodeNotFound, "not-found")
		// A delivery of another webhook is none of this one.
		d, err := s.TestWebhook(ctx, s.admin, site)
		if err != nil {
			t.Fatal(err)
		}
		refused(t, "a delivery of another webhook", second(s.SendWebhookAgain(ctx, ada, of, d.ID)), lms.CodeNotFound, "not-found")
		// Whoever saves it owns it.
		if h, err := s.UpdateWebhook(ctx, ada, of, service.WebhookPatch{Description: ptr("For the lab")}); err != nil || h.OwnerID != ada.UserID {
			t.Errorf("%+v (%v)", h, err)
		}
	})
}

func TestAWebhookOfACourseIsNotForWhoeverWorksInSingleSections(t *testing.T) {
	hooked(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		c := s.course(ada, "Algorithms")
		lab := s.section(ada, c, "Lab")
		tutor := s.member(ada, c, "teacher", "tutor@uni.example")
		r := receive(t)
		id := s.hook(tutor, c, r.URL, "enrollment.created").Webhook.ID
		// Of one who works in a section from now on, the role itself gives no staff.
		s.detail(ada, service.DetailsChange{CourseID: c, UserID: tutor.UserID, LimitedTo: &[]int64{lab}})
		if err := second(s.CreateWebhook(ctx, tutor, c, service.WebhookFields{URL: r.URL, Events: everyEvent}, nil)); lms.CodeOf(err) != lms.CodeForbidden {
			t.Errorf("they make one: %v", err)
		}
		s.enroll(ada, c, "student", "x@uni.example")
		s.send()
		if h := s.webhook(id); h.Enabled || h.Paused != lms.PauseOwner || len(r.taken()) != 0 {
			t.Errorf("it told what its owner cannot see: %+v", h)
		}
	})
}

// TestC04AndC21NothingIsToldOnceItsOwnerMayNotSeeIt takes the right away in each way in
// which it can be lost, between the change and its delivery.
func TestC04AndC21NothingIsToldOnceItsOwnerMayNotSeeIt(t *testing.T) {
	ways := map[string]func(s *school, ada access.Caller, c int64, owner access.Caller) error{
		"the role changes": func(s *school, ada access.Caller, c int64, owner access.Caller) error {
			return second(s.SetRole(ctx, ada, service.RoleChange{CourseID: c, UserID: owner.UserID, Role: "assistant"}))
		},
		"a privilege is denied": func(s *school, ada access.Caller, c int64, owner access.Caller) error {
			return second(s.SetPrivileges(ctx, ada, service.PrivilegeChange{CourseID: c, Person: byID(owner.UserID), Deny: []string{"staff.manage"}}))
		},
		"they leave the course": func(s *school, ada access.Caller, c int64, owner access.Caller) error {
			return second(s.Remove(ctx, ada, c, []int64{owner.UserID}))
		},
		"they are suspended": func(s *school, _ access.Caller, _ int64, owner access.Caller) error {
			status := "suspended"
			return second(s.UpdateUser(ctx, s.admin, owner.UserID, service.UserPatch{Status: &status}))
		},
		"they are erased": func(s *school, _ access.Caller, _ int64, owner access.Caller) error {
			return second(s.EraseUser(ctx, s.admin, owner.UserID, service.Leaving{}))
		},
		"the course is deleted": func(s *school, ada access.Caller, c int64, _ access.Caller) error {
			return errors.Join(second(s.ArchiveCourse(ctx, ada, c, true)), s.DeleteCourse(ctx, ada, c))
		},
	}
	for what, take := range ways {
		t.Run(what, func(t *testing.T) {
			hooked(t, func(t *testing.T, s *school) {
				ada := s.teacher("ada@uni.example")
				c := s.course(ada, "Algorithms")
				owner := s.member(ada, c, "teacher", "owner@uni.example")
				r := receive(t)
				id := s.hook(owner, c, r.URL).Webhook.ID
				s.enroll(ada, c, "student", "x@uni.example")
				if err := take(s, ada, c, owner); err != nil {
					t.Fatal(err)
				}
				s.send()
				if got := r.events(); len(got) != 0 {
					t.Errorf("told %v", got)
				}
				if n := s.count(`webhooks WHERE id = $1 AND paused = 'owner' AND NOT enabled`, id); n != 1 {
					t.Error("it is not paused")
				}
				if n := s.count(`webhook_deliveries WHERE state = 'queued'`); n != 0 {
					t.Errorf("%d are still queued", n)
				}
				if n := s.audited(access.WebhookPause, lms.OutcomeDone); n != 1 {
					t.Errorf("that it was paused is recorded %d times", n)
				}
			})
		})
	}
}

func TestAWebhookOfTheSiteEndsWithItsAdministratorsOffice(t *testing.T) {
	hooked(t, func(t *testing.T, s *school) {
		if _, err := s.NamePerson(ctx, s.admin, service.NewPerson{Email: "second@uni.example", SiteRole: "admin"}, nil); err != nil {
			t.Fatal(err)
		}
		other := s.person("second@uni.example")
		r := receive(t)
		id := s.hook(other, 0, r.URL).Webhook.ID
		member := "member"
		if _, err := s.UpdateUser(ctx, s.admin, other.UserID, service.UserPatch{SiteRole: &member}); err != nil {
			t.Fatal(err)
		}
		s.send()
		if h := s.webhook(id); h.Paused != lms.PauseOwner || len(r.taken()) != 0 {
			t.Fatalf("%+v", h)
		}
		// Another administrator switches it on, and answers for it from then on.
		if h, err := s.UpdateWebhook(ctx, s.admin, id, service.WebhookPatch{Enabled: ptr(true)}); err != nil || h.OwnerID != s.admin.UserID || h.Paused != "" {
			t.Errorf("%+v (%v)", h, err)
		}
		if _, err := s.TestWebhook(ctx, s.admin, id); err != nil {
			t.Fatal(err)
		}
		s.send()
		same(t, "told", r.events(), []string{"webhook.test"})
	})
}

func TestC20APendingPersonOwnsNoWebhook(t *testing.T) {
	hooked(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		c := s.course(ada, "Algorithms")
		pending := s.enroll(ada, c, "owner", "grace@uni.example")[0]
		r := receive(t)
		id := s.hook(ada, c, r.URL).Webhook.ID
		now := s.clock.now()
		if _, err := s.raw.Exec(`INSERT INTO webhooks (course_id, owned_by, url, description, events, enabled, salt, created_at, next_at, leased_until)
			VALUES ($1, $2, 'https://x.example', '', '[]', TRUE, 'x', $3, $3, $3)`, c, pending, now); err == nil {
			t.Error("the database lets them own one")
		}
		if _, err := s.raw.Exec(`UPDATE webhooks SET owned_by = $1 WHERE id = $2`, pending, id); err == nil {
			t.Error("the database lets one be given to them")
		}
		if n := storetest.Query1[int](t, s.raw, `SELECT count(*) FROM webhooks WHERE owned_by = $1`, pending); n != 0 {
			t.Errorf("they own %d", n)
		}
	})
}

// H-07: the webhooks for which somebody answers are among their data.
func TestH07OnesOwnDataHasTheWebhooksForWhichOneAnswers(t *testing.T) {
	hooked(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		c := s.course(ada, "Algorithms")
		r := receive(t)
		s.hook(ada, c, r.URL)
		s.hook(s.admin, 0, r.URL)
		for _, one := range []struct {
			by     access.Caller
			course *int64
		}{{ada, &c}, {s.admin, nil}} {
			own, err := s.OwnData(ctx, one.by)
			if err != nil {
				t.Fatal(err)
			}
			list := own.Document().Webhooks
			if len(list) != 1 || list[0].URL != r.URL || list[0].CreatedAt.IsZero() || (list[0].CourseID == nil) != (one.course == nil) || (one.course != nil && *list[0].CourseID != *one.course) {
				t.Errorf("the webhooks are %+v", list)
			}
		}
	})
}
