package service_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

func to(email string) service.AddressCorrection { return service.AddressCorrection{Email: email} }

func TestACorrectedAddressKeepsEverythingThatWasGiven(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, course, id := pendingPerson(s, "grase@uni.example")
		s.set(ada, course, byID(id), []string{"audit.view"}, nil)
		held, people := s.held(course, id), s.count(`users`)
		u, err := s.CorrectAddress(ctx, ada, id, to(" Grace@UNI.example "))
		if err != nil || u.ID != id || u.Email != "grace@uni.example" || !u.Pending() {
			t.Fatalf("corrected: %+v (%v)", u, err)
		}
		if got := s.user(id); got.Email != "grace@uni.example" || s.held(course, id) != held || s.count(`users`) != people || s.count(`emails WHERE user_id = $1`, id) != 1 {
			t.Errorf("is %+v with %q", got, s.held(course, id))
		}
		e := s.lastEntry()
		if e.Action != string(access.AddressCorrect) || e.SubjectID != id || e.CourseID != course || !strings.Contains(string(e.Before), "g***@uni.example") || !strings.Contains(string(e.After), "g***@uni.example") {
			t.Errorf("on record is %+v", e)
		}
		for _, whole := range []string{"grase@uni.example", "grace@uni.example"} {
			if n := s.count(`audit_entries WHERE before LIKE $1 OR after LIKE $1`, "%"+whole+"%"); n != 0 {
				t.Errorf("%s stands in %d entries", whole, n)
			}
		}
		// The same again is no change.
		entries := s.count(`audit_entries`)
		if _, err := s.CorrectAddress(ctx, ada, id, to("grace@uni.example")); err != nil || s.count(`audit_entries`) != entries {
			t.Errorf("the same address: %v", err)
		}
		// They are found by the new address and not by the old one.
		for search, want := range map[string]int{"grace@uni": 1, "grase@uni": 0} {
			if page, err := s.Directory(ctx, s.admin, service.DirectoryRequest{Search: search, Limit: 5}); err != nil || len(page.Members) != want {
				t.Errorf("%s finds %d (%v)", search, len(page.Members), err)
			}
		}
		// The old address claims nothing; the new one everything.
		if in, err := s.SignIn(ctx, campus, token("stranger", "grase@uni.example"), "T", ""); err != nil || in.User.ID == id {
			t.Errorf("the old address signs in as %d (%v)", in.User.ID, err)
		}
		if c := s.person("grace@uni.example"); c.UserID != id {
			t.Errorf("the new address is %d, want %d", c.UserID, id)
		}
		refused(t, "once claimed", second(s.CorrectAddress(ctx, ada, id, to("other@uni.example"))), lms.CodeConflict, "not-pending")
		refused(t, "withdrawn once claimed", s.Withdraw(ctx, ada, id), lms.CodeConflict, "not-pending")
		if s.user(id).Email != "grace@uni.example" {
			t.Error("a refused correction has changed something")
		}
	})
}

func TestACorrectionIsRefusedWhereNamingWouldBe(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, course, id := pendingPerson(s, "grase@uni.example")
		there := s.enroll(ada, course, "student", "grace@uni.example")[0]
		refused(t, "no address", second(s.CorrectAddress(ctx, ada, id, to("grace at uni"))), lms.CodeInvalid, lms.TypeOf(second(lms.ParseEmail("grace at uni"))))
		refused(t, "outside", second(s.CorrectAddress(ctx, ada, id, to("grace@elsewhere.example"))), lms.CodeInvalid, "outside-address")
		err := second(s.CorrectAddress(ctx, ada, id, to("grace@uni.example")))
		refused(t, "held by somebody", err, lms.CodeConflict, "address-taken")
		if !strings.Contains(err.Error(), "merge them") {
			t.Errorf("does not say what to do: %v", err)
		}
		active := s.person("active@uni.example")
		refused(t, "of somebody active", second(s.CorrectAddress(ctx, ada, id, to("active@uni.example"))), lms.CodeConflict, "address-taken")
		for _, who := range []int64{there, active.UserID} {
			if n := s.count(`emails WHERE user_id = $1`, who); n != 1 {
				t.Errorf("%d has %d addresses", who, n)
			}
		}
		if meant, ok, err := s.DoubtAddress(ctx, ada, course, "grace@uni.exmaple"); err != nil || !ok || meant != "grace@uni.example" {
			t.Errorf("a slip in the domain: %q %v (%v)", meant, ok, err)
		}
		if _, ok, err := s.DoubtAddress(ctx, ada, course, "grace@uni.example"); err != nil || ok {
			t.Errorf("a good address is doubted (%v)", err)
		}
		r := to("grace@elsewhere.example")
		r.ConfirmOutside = true
		if u, err := s.CorrectAddress(ctx, ada, id, r); err != nil || u.Email != "grace@elsewhere.example" {
			t.Errorf("confirmed: %v", err)
		}
		status := "suspended"
		if _, err := s.UpdateUser(ctx, s.admin, id, service.UserPatch{Status: &status}); err != nil {
			t.Fatal(err)
		}
		refused(t, "suspended", second(s.CorrectAddress(ctx, ada, id, to("g@uni.example"))), lms.CodeConflict, "not-pending")
		refused(t, "suspended, by an administrator", s.Withdraw(ctx, s.admin, id), lms.CodeConflict, "not-pending")
		refused(t, "nobody", s.Withdraw(ctx, s.admin, 999_999), lms.CodeNotFound, "not-found")
		refused(t, "Matricula itself", s.Withdraw(ctx, s.admin, lms.SystemUserID), lms.CodeNotFound, "not-found")
	}, func(o *service.Options) { o.NamingDomains = []string{"uni.example"} })
}

// TestC05NobodyRedirectsWhatAnotherCourseHasGiven is about who may correct and
// withdraw: whoever might take away each single thing, or an administrator.
func TestC05NobodyRedirectsWhatAnotherCourseHasGiven(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, course, id := pendingPerson(s, "grace@uni.example")
		bob := s.teacher("bob@uni.example")
		other := s.course(bob, "Compilers")
		helper := s.member(ada, course, "assistant", "helper@uni.example")
		student := s.member(ada, course, "student", "student@uni.example")
		may := func(c access.Caller, who int64) string {
			if _, err := s.MayMend(ctx, c, who); err != nil {
				return lms.TypeOf(err)
			}
			return "may"
		}
		check := func(what string, c access.Caller, want string) {
			t.Helper()
			if got := may(c, id); got != want {
				t.Errorf("%s: %s, want %s", what, got, want)
			}
		}
		check("who named them", ada, "may")
		check("who manages all that they have", helper, "may")
		check("a student", student, "not-found") // who does not see the roster
		check("a stranger", bob, "not-found")
		check("an administrator", s.admin, "may")

		// What another course gives takes it away from the first.
		s.enroll(bob, other, "student", "grace@uni.example")
		for what, c := range map[string]access.Caller{"who named them": ada, "the helper": helper, "the other teacher": bob} {
			check(what+", of two courses", c, "not-all-yours")
			refused(t, what, second(s.CorrectAddress(ctx, c, id, to(fmt.Sprint("mine", c.UserID, "@uni.example")))), lms.CodeForbidden, "not-all-yours")
			refused(t, what, s.Withdraw(ctx, c, id), lms.CodeForbidden, "not-all-yours")
		}
		if s.user(id).Email != "grace@uni.example" || s.held(other, id) != s.held(course, id) {
			t.Error("a refused change has changed something")
		}
		if n := s.audited(access.AddressCorrect, lms.OutcomeRefused); n != 3 {
			t.Errorf("%d refusals are on record, want 3", n)
		}
		check("an administrator, of two courses", s.admin, "may")
		if _, err := s.Remove(ctx, bob, other, []int64{id}); err != nil {
			t.Fatal(err)
		}
		check("who named them, of one again", ada, "may")

		// Somebody who would get more than the corrector holds.
		if _, err := s.SetRole(ctx, ada, service.RoleChange{CourseID: course, UserID: id, Role: "teacher"}); err != nil {
			t.Fatal(err)
		}
		check("an assistant, of a teacher", helper, "not-all-yours")
		check("the owner, of a teacher", ada, "may")

		// A role on the site is an administrator's to give.
		role := "admin"
		if _, err := s.UpdateUser(ctx, s.admin, id, service.UserPatch{SiteRole: &role}); err != nil {
			t.Fatal(err)
		}
		check("who named a later administrator", ada, "not-all-yours")
		refused(t, "who named a later administrator", second(s.CorrectAddress(ctx, ada, id, to("mine@uni.example"))), lms.CodeForbidden, "not-all-yours")

		// What stands in an archived course cannot be changed by its teacher.
		third := s.course(ada, "Past")
		old := s.enroll(ada, third, "student", "old@uni.example")[0]
		if _, err := s.ArchiveCourse(ctx, ada, third, true); err != nil {
			t.Fatal(err)
		}
		if got := may(ada, old); got != "not-all-yours" {
			t.Errorf("in an archived course: %s", got)
		}
		if err := s.Withdraw(ctx, s.admin, old); err != nil {
			t.Errorf("by an administrator: %v", err)
		}
	})
}

// TestH08AndI13AWithdrawnAddressIsFreeAndTheIDLeadsToNobody withdraws somebody with
// places in two courses, and lets the address be named again.
func TestH08AndI13AWithdrawnAddressIsFreeAndTheIDLeadsToNobody(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course, other := s.course(ada, "Algorithms"), s.course(ada, "Compilers")
		id := s.enroll(ada, course, "student", "grace@uni.example")[0]
		s.set(ada, other, byID(id), []string{"roster.view"}, nil)
		number, role := "4711", "assistant"
		if _, err := s.ChangePlace(ctx, ada, service.DetailsChange{CourseID: course, UserID: id, Number: &number, Role: &role}); err != nil {
			t.Fatal(err)
		}
		if err := s.Withdraw(ctx, ada, id); err != nil {
			t.Fatal(err)
		}
		if n := s.count(`users WHERE id = $1 AND status = 'erased' AND given_name || family_name || name || search_key || sort_key = '' AND site_role = 'member'`, id); n != 1 {
			t.Error("something is left in the row")
		}
		for _, what := range []string{"emails", "enrollments", "course_privileges"} {
			if n := s.count(what+` WHERE user_id = $1`, id); n != 0 {
				t.Errorf("%d rows of %s are left", n, what)
			}
		}
		if n := s.count(`past_places WHERE user_id = $1 AND number = ''`, id); n != 2 {
			t.Errorf("%d past places without a number, want 2", n)
		}
		if n := s.count(`audit_entries WHERE before LIKE '%grace%' OR after LIKE '%grace%'`); n != 0 {
			t.Errorf("the address stands in %d entries", n)
		}
		if n := s.audited(access.UserWithdraw, lms.OutcomeDone); n != 3 {
			t.Errorf("%d entries, want one for each course and one beside", n)
		}
		refused(t, "by the id", second(s.User(ctx, ada, id)), lms.CodeNotFound, "not-found")
		if u, err := s.User(ctx, s.admin, id); err != nil || u.DisplayName() != lms.Pseudonym(id) || u.Email != "" {
			t.Errorf("administrators see %+v (%v)", u, err)
		}
		refused(t, "taken back", second(s.RestorePlace(ctx, ada, course, id)), lms.CodeNotFound, "not-found")
		refused(t, "again", s.Withdraw(ctx, ada, id), lms.CodeNotFound, "not-found")
		if rows, err := s.Enroll(ctx, s.admin, service.EnrollRequest{CourseID: course, Role: "student", UserIDs: []int64{id}}); err != nil || rows[0].Result != service.ResultRefused {
			t.Errorf("enrolled by the id: %+v (%v)", rows, err)
		}
		if page, err := s.Directory(ctx, s.admin, service.DirectoryRequest{Search: "grace@uni", Limit: 5}); err != nil || len(page.Members) != 0 {
			t.Errorf("found: %+v (%v)", page.Members, err)
		}
		if page, err := s.Audit(ctx, s.admin, service.AuditRequest{PersonID: id, Limit: 50}); err != nil || len(page.Entries) < 4 || page.Entries[0].Subject.DisplayName() != lms.Pseudonym(id) {
			t.Errorf("the record of the person: %d entries (%v)", len(page.Entries), err)
		}
		gone, err := s.GonePeople(ctx, ada, course, 0, 10)
		if err != nil || len(gone.Places) != 1 {
			t.Fatalf("%+v (%v)", gone, err)
		}
		if g := gone.Places[0]; g.UserID != id || g.Masked != "g***@uni.example" || g.Role.Key != "assistant" || g.Expired || g.EndedBy.ID != ada.UserID {
			t.Errorf("the course is told %+v", g)
		}
		err = second(s.WaitingFor(ctx, s.admin, "Grace@uni.example"))
		refused(t, "what waits for the address", err, lms.CodeNotFound, "person-gone")

		again := s.enroll(ada, course, "student", "grace@uni.example")[0]
		c := s.person("grace@uni.example")
		if again == id || c.UserID != again || s.held(course, again) != "" {
			t.Errorf("named again it is %d, signed in %d with %q", again, c.UserID, s.held(course, again))
		}
		if n := s.count(`enrollments WHERE user_id = $1`, again) + s.count(`course_privileges WHERE user_id = $1`, again); n != 1 {
			t.Errorf("the new person has %d places", n)
		}
	})
}

func TestD04OfACorrectionAndAClaimOneHappens(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		node := s.grow(2)
		corrected, claimed := 0, 0
		for round := range 40 {
			old, right := fmt.Sprintf("v%d@uni.example", round), fmt.Sprintf("w%d@uni.example", round)
			id := s.enroll(ada, course, "student", old)[0]
			var in service.SignedIn
			var fixErr, inErr error
			together(2, func(i int) {
				if i == round%2 {
					_, fixErr = node(i).CorrectAddress(ctx, ada, id, to(right))
				} else {
					in, inErr = node(i).SignIn(ctx, campus, token("sub "+old, old), "T", "")
				}
			})
			if inErr != nil {
				t.Fatalf("round %d: sign in: %v", round, inErr)
			}
			u := s.user(id)
			switch {
			case fixErr == nil: // then the old address has claimed nothing
				corrected++
				if in.User.ID == id || u.Email != lms.Email(right) || !u.Pending() || s.count(`identities WHERE user_id = $1`, id) != 0 {
					t.Errorf("round %d: corrected, and %+v was claimed by %d", round, u, in.User.ID)
				}
			default:
				claimed++
				refused(t, fmt.Sprint("round ", round), fixErr, lms.CodeConflict, "not-pending")
				if in.User.ID != id || u.Email != lms.Email(old) || u.Status != lms.StatusActive {
					t.Errorf("round %d: claimed, and it is %+v", round, u)
				}
			}
		}
		t.Logf("%d corrected first, %d claimed first", corrected, claimed)
	})
}

func TestD04OfAWithdrawalAndAClaimOneHappens(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		node := s.grow(2)
		for round := range 30 {
			email := fmt.Sprintf("v%d@uni.example", round)
			id := s.enroll(ada, course, "student", email)[0]
			var in service.SignedIn
			var outErr, inErr error
			together(2, func(i int) {
				if i == round%2 {
					outErr = node(i).Withdraw(ctx, ada, id)
				} else {
					in, inErr = node(i).SignIn(ctx, campus, token("sub "+email, email), "T", "")
				}
			})
			if inErr != nil {
				t.Fatalf("round %d: sign in: %v", round, inErr)
			}
			places := s.count(`enrollments WHERE user_id = $1`, in.User.ID)
			if withdrawn := outErr == nil; withdrawn == (in.User.ID == id) || withdrawn == (places == 1) {
				t.Errorf("round %d: withdrawn %v (%v), and %d signed in as %d with %d places", round, withdrawn, outErr, id, in.User.ID, places)
			}
		}
	})
}

// TestD04WhatIsGivenAtTheMomentOfACorrectionGoesToTheAddressThatWasMeant flips the
// address of somebody while another course gives something to it: whoever has the
// address then has it, and nobody else.
func TestD04WhatIsGivenAtTheMomentOfACorrectionGoesToTheAddressThatWasMeant(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, bob := s.teacher("ada@uni.example"), s.teacher("bob@uni.example")
		course, other := s.course(ada, "Algorithms"), s.course(bob, "Compilers")
		node := s.grow(3)
		for round := range 40 {
			victim, mine := fmt.Sprintf("v%d@uni.example", round), fmt.Sprintf("m%d@uni.example", round)
			id := s.enroll(ada, course, "student", victim)[0]
			var rows []service.RowResult
			var fixErr, err error
			together(2, func(i int) {
				if i == round%2 {
					_, fixErr = node(i).CorrectAddress(ctx, ada, id, to(mine))
				} else {
					rows, err = node(i).Enroll(ctx, bob, service.EnrollRequest{CourseID: other, Role: "student", Emails: []string{victim}})
				}
			})
			if err != nil || len(rows) != 1 {
				t.Fatalf("round %d: %+v (%v)", round, rows, err)
			}
			if got := s.user(rows[0].UserID).Email; got != lms.Email(victim) {
				t.Errorf("round %d: what was given to %s is %s's", round, victim, got)
			}
			if corrected := fixErr == nil; corrected == (rows[0].UserID == id) {
				t.Errorf("round %d: corrected %v (%v), given to %d, the first is %d", round, corrected, fixErr, rows[0].UserID, id)
			}
		}
	})
}

func TestD04WhatIsGivenAtTheMomentOfAWithdrawalIsNotLost(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, bob := s.teacher("ada@uni.example"), s.teacher("bob@uni.example")
		course, other := s.course(ada, "Algorithms"), s.course(bob, "Compilers")
		node := s.grow(3)
		for round := range 40 {
			email := fmt.Sprintf("v%d@uni.example", round)
			id := s.enroll(ada, course, "student", email)[0]
			var member lms.Member
			var outErr, err error
			together(2, func(i int) {
				switch {
				case i == round%2:
					outErr = node(i).Withdraw(ctx, ada, id)
				default:
					member, err = node(i).SetPrivileges(ctx, bob, service.PrivilegeChange{CourseID: other, Person: byEmail(email), Allow: []string{"roster.view"}})
				}
			})
			if err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			if got := s.user(member.User.ID); got.Email != lms.Email(email) || s.held(other, got.ID) != "roster.view" {
				t.Errorf("round %d: %s has %q", round, got.Email, s.held(other, got.ID))
			}
			if withdrawn := outErr == nil; withdrawn == (member.User.ID == id) {
				t.Errorf("round %d: withdrawn %v (%v), given to %d, the first is %d", round, withdrawn, outErr, member.User.ID, id)
			}
		}
		if n := s.count(`enrollments e JOIN users u ON u.id = e.user_id WHERE u.status = 'erased'`) + s.count(`course_privileges p JOIN users u ON u.id = p.user_id WHERE u.status = 'erased'`); n != 0 {
			t.Errorf("%d places are of people who are gone", n)
		}
	})
}

// TestD04NobodyWhoIsGoneIsGivenAnything is about those who are meant by their id,
// which nobody holds until something is given.
func TestD04NobodyWhoIsGoneIsGivenAnything(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course, other := s.course(ada, "Algorithms"), s.course(s.admin, "Compilers")
		node := s.grow(3)
		for round := range 60 {
			id := s.enroll(ada, course, "student", fmt.Sprintf("v%d@uni.example", round))[0]
			var rows []service.RowResult
			var outErr, err error
			together(2, func(i int) {
				if i == round%2 {
					outErr = node(i).Withdraw(ctx, ada, id)
				} else {
					rows, err = node(i).Enroll(ctx, s.admin, service.EnrollRequest{CourseID: other, Role: "student", UserIDs: []int64{id}})
				}
			})
			if lms.CodeOf(err) == lms.CodeNotFound {
				rows, err = []service.RowResult{{Result: service.ResultRefused}}, nil
			}
			if err != nil || len(rows) != 1 {
				t.Fatalf("round %d: %+v (%v)", round, rows, err)
			}
			if withdrawn := outErr == nil; withdrawn == (rows[0].Result == service.ResultEnrolled) {
				t.Errorf("round %d: withdrawn %v (%v), and %s", round, withdrawn, outErr, rows[0].Result)
			}
		}
		if n := s.count(`enrollments e JOIN users u ON u.id = e.user_id WHERE u.status = 'erased'`); n != 0 {
			t.Errorf("%d places are of people who are gone", n)
		}
	})
}

func TestAdministratorsSeeEverythingThatWaitsForAnAddress(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, _, id := pendingPerson(s, "grace@uni.example")
		bob := s.teacher("bob@uni.example")
		other := s.course(bob, "Compilers")
		s.set(bob, other, byEmail("grace@uni.example"), []string{"roster.view"}, nil)
		w, err := s.WaitingFor(ctx, s.admin, " GRACE@uni.example")
		if err != nil || w.User.ID != id || len(w.Places.Courses) != 2 || w.Places.NamedBy == nil || w.Places.NamedBy.ID != ada.UserID {
			t.Fatalf("%+v (%v)", w, err)
		}
		if w.Givers[ada.UserID].Email != "ada@uni.example" || w.Givers[bob.UserID].Email != "bob@uni.example" || !w.ExpiresAt.Equal(s.clock.now().AddDate(0, 0, 180)) {
			t.Errorf("given by %v, until %s", w.Givers, w.ExpiresAt)
		}
		if w, err := s.WaitingFor(ctx, s.admin, "ada@uni.example"); err != nil || w.User.ID != ada.UserID || !w.ExpiresAt.IsZero() {
			t.Errorf("of somebody active: %+v (%v)", w, err)
		}
		refused(t, "nobody's", second(s.WaitingFor(ctx, s.admin, "nobody@uni.example")), lms.CodeNotFound, "address-unknown")
		refused(t, "for a teacher", second(s.WaitingFor(ctx, ada, "grace@uni.example")), lms.CodeForbidden, "forbidden")
		refused(t, "for a teacher, by id", second(s.Waiting(ctx, ada, id)), lms.CodeForbidden, "forbidden")
	}, func(o *service.Options) { o.PendingDays = 180 })
}

// goneEntry is the entry of somebody who is gone that stands beside those of courses.
func goneEntry(t *testing.T, e lms.AuditRecord) (hash string) {
	t.Helper()
	var after struct {
		AddressHash string `json:"address_hash"`
	}
	if err := json.Unmarshal(e.After, &after); err != nil || len(after.AddressHash) != 64 {
		t.Fatalf("the entry has %s (%v)", e.After, err)
	}
	return after.AddressHash
}
