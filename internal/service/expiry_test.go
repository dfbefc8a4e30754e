package service_test

import (
	"fmt"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

func waitFor(days int) func(*service.Options) {
	return func(o *service.Options) { o.PendingDays = days }
}

const aDay = 24 * time.Hour

// expired lets time pass and the cleaner come, and gives how many have expired.
func (s *school) expired(after time.Duration) int {
	s.tb.Helper()
	s.clock.advance(after)
	n, err := s.ExpirePending(ctx)
	if err != nil {
		s.tb.Fatal(err)
	}
	return n
}

func TestA42AndH09WhoeverNeverComesExpiresAndNothingPersonalIsLeft(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, course, id := pendingPerson(s, "grace@uni.example")
		s.set(ada, course, byID(id), []string{"audit.view"}, nil)
		active := s.member(ada, course, "student", "here@uni.example")
		if n := s.expired(179 * aDay); n != 0 {
			t.Fatalf("%d have expired a day too early", n)
		}
		if n := s.expired(aDay); n != 1 {
			t.Fatalf("%d have expired, want 1", n)
		}
		if n := s.expired(0); n != 0 {
			t.Errorf("again: %d", n)
		}
		if n := s.count(`users WHERE id = $1 AND status = 'erased' AND search_key = ''`, id) + s.count(`past_places WHERE user_id = $1`, id); n != 2 {
			t.Error("they are not erased, or their place is not kept")
		}
		if n := s.count(`emails WHERE address = 'grace@uni.example'`) + s.count(`audit_entries WHERE before LIKE '%grace%' OR after LIKE '%grace%'`); n != 0 {
			t.Errorf("the address is left in %d rows", n)
		}
		e := s.lastEntry()
		if e.Action != string(access.UserExpire) || e.ActorID != lms.SystemUserID || e.SubjectID != id || e.CourseID != 0 {
			t.Errorf("on record is %+v", e)
		}
		hash := goneEntry(t, e)
		if n := s.count(`gone_people WHERE address_hash = $1 AND expired`, hash); n != 1 {
			t.Errorf("%d people are gone with this hash", n)
		}
		if s.user(active.UserID).Status != lms.StatusActive {
			t.Error("who has arrived has expired")
		}
		gone, err := s.GonePeople(ctx, s.person("ada@uni.example"), course, 0, 10)
		if err != nil || len(gone.Places) != 1 || !gone.Places[0].Expired || gone.Places[0].Masked != "g***@uni.example" || gone.Places[0].Allow != lms.SetOf(lms.AuditView) {
			t.Errorf("the granter sees %+v (%v)", gone, err)
		}
		// The next day they sign in, as somebody whom nobody knows.
		s.clock.advance(aDay)
		c := s.person("grace@uni.example")
		if c.UserID == id || s.count(`enrollments WHERE user_id = $1`, c.UserID) != 0 {
			t.Errorf("they come as %d, and were %d", c.UserID, id)
		}
		// The masked address is not kept for ever.
		s.clock.advance(90 * aDay)
		if err := s.Expire(ctx); err != nil {
			t.Fatal(err)
		}
		if n := s.count(`gone_people WHERE masked <> ''`); n != 0 {
			t.Error("the masked address is kept")
		}
		if gone, err := s.GonePeople(ctx, s.person("ada@uni.example"), course, 0, 10); err != nil || len(gone.Places) != 0 {
			t.Errorf("after a while: %+v (%v)", gone, err)
		}
	}, waitFor(180))
}

func TestA42NamingSomebodyAnewAfterwardsMakesAFreshRow(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		_, course, id := pendingPerson(s, "grace@uni.example")
		if n := s.expired(30 * aDay); n != 1 {
			t.Fatalf("%d have expired", n)
		}
		ada := s.person("ada@uni.example")
		again := s.enroll(ada, course, "student", "grace@uni.example")[0]
		if again == id || s.user(again).Status != lms.StatusPending || s.user(again).CreatedBy != ada.UserID {
			t.Errorf("named again: %+v, who was %d", s.user(again), id)
		}
	}, waitFor(30))
}

func TestWhoeverIsNamedAgainOrGivenSomethingWaitsAnew(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course, other := s.course(ada, "Algorithms"), s.course(ada, "Compilers")
		emails := []string{"none@uni.example", "again@uni.example", "given@uni.example", "renewed@uni.example", "granted@uni.example", "listed@uni.example", "site@uni.example"}
		ids := s.enroll(ada, course, "student", emails...)
		s.clock.advance(20 * aDay)
		ada = s.person("ada@uni.example")
		s.admin = s.person("root@uni.example")
		rows, err := s.Enroll(ctx, ada, service.EnrollRequest{CourseID: course, Role: "student", Emails: emails[1:2]})
		if err != nil || rows[0].Result != service.ResultAlready {
			t.Fatalf("%+v (%v)", rows, err)
		}
		s.enroll(ada, other, "student", emails[2])
		if got, err := s.Renew(ctx, ada, course, []int64{ids[3], ada.UserID, 999_999}); err != nil || len(got) != 1 || got[0] != ids[3] {
			t.Fatalf("renewed %v (%v)", got, err)
		}
		s.set(ada, course, byID(ids[4]), []string{"audit.view"}, nil)
		list, err := s.CreateImport(ctx, ada, service.NewImport{CourseID: course, Text: emails[5]}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 { // read, checked; nobody is new, so that it is carried out for the renewal alone
			if _, err := s.WorkOnImport(ctx, "node"); err != nil {
				t.Fatal(err)
			}
		}
		if list, err = s.StartImport(ctx, ada, list.ID, 0); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if _, err := s.WorkOnImport(ctx, "node"); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.NamePerson(ctx, s.admin, service.NewPerson{Email: emails[6]}, nil); err != nil {
			t.Fatal(err)
		}
		if n := s.audited(access.UserRenew, lms.OutcomeDone); n != 1 {
			t.Errorf("%d renewals are on record", n)
		}
		if n := s.expired(10 * aDay); n != 1 || s.count(`users WHERE id = $1 AND status = 'erased'`, ids[0]) != 1 {
			t.Errorf("%d have expired, want the one alone whom nobody named again", n)
		}
		if n := s.expired(20 * aDay); n != 6 {
			t.Errorf("in the end %d have expired, want 6", n)
		}
	}, waitFor(30))
}

func TestExpiryIsAnnouncedAFortnightBefore(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		_, course, id := pendingPerson(s, "grace@uni.example")
		bob := s.teacher("bob@uni.example")
		other := s.course(bob, "Compilers")
		s.enroll(bob, other, "student", "grace@uni.example")
		ends := s.clock.now().Add(180 * aDay)
		s.clock.advance(166*aDay - time.Hour)
		ada := s.person("ada@uni.example")
		bob = s.person("bob@uni.example")
		if list, err := s.Expiring(ctx, ada, course); err != nil || len(list) != 0 {
			t.Fatalf("too early: %+v (%v)", list, err)
		}
		if list, err := s.ExpiryNotices(ctx, service.ExpiryNotice{}, 10); err != nil || len(list) != 0 {
			t.Fatalf("told too early: %+v (%v)", list, err)
		}
		s.clock.advance(2 * time.Hour)
		list, err := s.Expiring(ctx, ada, course)
		if err != nil || len(list) != 1 || list[0].Member.User.ID != id || !list[0].ExpiresAt.Equal(ends) {
			t.Fatalf("%+v (%v), want %s", list, err, ends)
		}
		var told []service.ExpiryNotice
		for after := (service.ExpiryNotice{}); ; {
			page, err := s.ExpiryNotices(ctx, after, 1)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			told, after = append(told, page...), page[0]
		}
		if len(told) != 2 || told[0].GranterID != ada.UserID || told[1].GranterID != bob.UserID || told[0].UserID != id || !told[1].ExpiresAt.Equal(ends) {
			t.Errorf("to be told are %+v", told)
		}
		refused(t, "renewed by a stranger", second(s.Renew(ctx, bob, course, []int64{id})), lms.CodeNotFound, "not-found")
		if _, err := s.Renew(ctx, bob, other, []int64{id}); err != nil {
			t.Fatal(err)
		}
		if list, err := s.Expiring(ctx, ada, course); err != nil || len(list) != 0 {
			t.Errorf("renewed, and still announced: %+v (%v)", list, err)
		}
		if n := s.expired(30 * aDay); n != 0 {
			t.Errorf("%d have expired", n)
		}
	}, waitFor(180))
}

func TestNobodyExpiresWhoIsSuspendedOrHasArrivedAndRestoringRenews(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		_, _, id := pendingPerson(s, "grace@uni.example")
		status := "suspended"
		if _, err := s.UpdateUser(ctx, s.admin, id, service.UserPatch{Status: &status}); err != nil {
			t.Fatal(err)
		}
		if n := s.expired(100 * aDay); n != 0 {
			t.Fatalf("%d have expired", n)
		}
		status = "active"
		if u, err := s.UpdateUser(ctx, s.person("root@uni.example"), id, service.UserPatch{Status: &status}); err != nil || !u.Pending() {
			t.Fatalf("%+v (%v)", u, err)
		}
		if n := s.expired(29 * aDay); n != 0 {
			t.Errorf("%d have expired after being restored", n)
		}
		if n := s.expired(aDay); n != 1 {
			t.Errorf("%d have expired, want 1", n)
		}
	}, waitFor(30))
}

func TestTwoNodesExpireManyAtOnceAndEachOnce(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		courses := []int64{s.course(ada, "One"), s.course(ada, "Two")}
		const many = 450
		emails := make([]string, many)
		for i := range emails {
			emails[i] = fmt.Sprintf("p%d@uni.example", i)
		}
		s.enroll(ada, courses[0], "student", emails...)
		s.enroll(ada, courses[1], "assistant", emails[:many/2]...)
		node := s.grow(3)
		s.clock.advance(31 * aDay)
		counts, errs := make([]int, 3), make([]error, 3)
		together(3, func(i int) { counts[i], errs[i] = node(i).ExpirePending(ctx) })
		for _, err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
		n, err := s.ExpirePending(ctx) // whom two nodes left to each other
		if err != nil {
			t.Fatal(err)
		}
		if n += counts[0] + counts[1] + counts[2]; n != many {
			t.Errorf("%d have expired, want %d", n, many)
		}
		for what, want := range map[string]int{
			`users WHERE status = 'erased'`: many, `gone_people WHERE expired`: many, `past_places`: many + many/2, `enrollments WHERE user_id > 2`: 2,
			`audit_entries WHERE action = 'user.expire' AND course_id IS NULL`: many, `audit_entries WHERE action = 'user.expire'`: 2*many + many/2,
		} {
			if got := s.count(what); got != want {
				t.Errorf("%s: %d, want %d", what, got, want)
			}
		}
	}, waitFor(30))
}

func TestD04OfExpiringAndAClaimOneHappens(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		node := s.grow(3)
		for round := range 15 {
			ada := s.teacher(fmt.Sprintf("t%d@uni.example", round))
			course := s.course(ada, "Algorithms")
			email, given := fmt.Sprintf("v%d@uni.example", round), fmt.Sprintf("w%d@uni.example", round)
			ids := s.enroll(ada, course, "student", email, given)
			s.clock.advance(31 * aDay)
			ada = s.person(fmt.Sprintf("t%d@uni.example", round))
			var in service.SignedIn
			var rows []service.RowResult
			errs := make([]error, 3)
			together(3, func(i int) {
				switch (i + round) % 3 {
				case 0:
					_, errs[i] = node(i).ExpirePending(ctx)
				case 1:
					in, errs[i] = node(i).SignIn(ctx, campus, token("sub "+email, email), "T", "")
				default:
					rows, errs[i] = node(i).Enroll(ctx, ada, service.EnrollRequest{CourseID: course, Role: "student", Emails: []string{given}})
				}
			})
			for _, err := range errs {
				if err != nil {
					t.Fatalf("round %d: %v", round, err)
				}
			}
			if kept := in.User.ID == ids[0]; kept != (s.count(`enrollments WHERE user_id = $1`, in.User.ID) == 1) || kept == (s.count(`users WHERE id = $1 AND status = 'erased'`, ids[0]) == 1) {
				t.Errorf("round %d: %d came as %d", round, ids[0], in.User.ID)
			}
			if s.count(`enrollments WHERE user_id = $1 AND course_id = $2`, rows[0].UserID, course) != 1 || s.user(rows[0].UserID).Email != lms.Email(given) {
				t.Errorf("round %d: who was named again is not there: %+v", round, rows[0])
			}
		}
	}, waitFor(30))
}

func TestNobodyExpiresWhereNoDaysAreSet(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		pendingPerson(s, "grace@uni.example")
		if n := s.expired(5000 * aDay); n != 0 {
			t.Errorf("%d have expired", n)
		}
	})
}
