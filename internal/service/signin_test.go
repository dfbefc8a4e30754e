package service_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
)

// pendingPerson names somebody in a course of Ada's, and gives their id.
func pendingPerson(s *school, email string) (ada access.Caller, course, id int64) {
	s.tb.Helper()
	ada = s.teacher("ada@uni.example")
	course = s.course(ada, "Algorithms")
	return ada, course, s.enroll(ada, course, "student", email)[0]
}

func TestA16AndA17AnAddressThatIsNotVerifiedClaimsNothing(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		_, _, id := pendingPerson(s, "grace@uni.example")
		before, people := s.user(id), s.count(`users`)
		for name, verified := range map[string]signin.Verified{"A-16: false": signin.VerifiedNot, "A-17: missing": signin.VerifiedAbsent} {
			tok := token("s1", "grace@uni.example")
			tok.EmailVerified = verified
			_, err := s.SignIn(ctx, campus, tok, "Test", "r1")
			refused(t, name, err, lms.CodeForbidden, "address-not-verified")
			if e := s.lastEntry(); e.Outcome != lms.OutcomeRefused || e.Reason != "address-not-verified" || e.Action != "user.sign-in" || e.ActorID != lms.SystemUserID || e.RequestID != "r1" {
				t.Errorf("%s: the audit says %+v", name, e.AuditEntry)
			}
		}
		if after := s.user(id); after != before {
			t.Errorf("the pending person became %+v", after)
		}
		if s.count(`users`) != people || s.count(`identities WHERE user_id = $1`, id) != 0 || s.count(`sessions WHERE user_id = $1`, id) != 0 {
			t.Error("a refused sign-in left an account, an identity or a session")
		}
		if n := s.count(`audit_entries WHERE before LIKE '%grace@%' OR after LIKE '%grace@%'`); n != 0 {
			t.Errorf("%d audit entries hold the address", n)
		}
	})
}

func TestA09AProviderWithoutAuthorityOverTheDomainClaimsNothing(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		_, _, id := pendingPerson(s, "grace@uni.example")
		other := signin.Provider{Name: "other", Label: "Other", Issuer: "https://other.example", Kind: signin.KindOIDC, Domains: []string{"other.example"}}
		tok := token("s1", "grace@uni.example")
		tok.Issuer = other.Issuer
		_, err := s.SignIn(ctx, other, tok, "Test", "")
		refused(t, "another provider", err, lms.CodeForbidden, "provider-not-authoritative")
		if u := s.user(id); u.Status != lms.StatusPending {
			t.Errorf("she is %s", u.Status)
		}
		if e := s.lastEntry(); !strings.Contains(string(e.After), `"provider":"other"`) || e.SubjectID != id {
			t.Errorf("the audit says %s about %d", e.After, e.SubjectID)
		}
	})
}

func TestA19ASuspendedPersonWhoNeverArrivedCannotClaim(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		_, _, id := pendingPerson(s, "grace@uni.example")
		if _, err := s.UpdateUser(ctx, s.admin, id, service.UserPatch{Status: ptr("suspended")}); err != nil {
			t.Fatal(err)
		}
		people := s.count(`users`)
		_, err := s.SignIn(ctx, campus, token("s1", "grace@uni.example"), "Test", "")
		refused(t, "claim", err, lms.CodeForbidden, "account-suspended")
		if u := s.user(id); u.Status != lms.StatusSuspended || !u.ClaimedAt.IsZero() || s.count(`users`) != people || s.count(`sessions WHERE user_id = $1`, id) != 0 {
			t.Errorf("it did something: %+v", u)
		}
		// Restored, the person waits again, and may claim.
		u, err := s.UpdateUser(ctx, s.admin, id, service.UserPatch{Status: ptr("active")})
		if err != nil || u.Status != lms.StatusPending {
			t.Errorf("restored, she is %s (%v)", u.Status, err)
		}
		if c := s.person("grace@uni.example"); c.UserID != id {
			t.Errorf("she became person %d, not %d", c.UserID, id)
		}
	})
}

func TestA20SuspendedAndErasedAccountsStayClosed(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.broken = true // erased by the status alone, so that the address stays
		for status, typ := range map[lms.UserStatus]string{lms.StatusSuspended: "account-suspended", lms.StatusErased: "account-erased"} {
			email := string(status) + "@uni.example"
			c, in := s.arrive(email)
			if status == lms.StatusSuspended {
				if _, err := s.UpdateUser(ctx, s.admin, c.UserID, service.UserPatch{Status: ptr("suspended")}); err != nil {
					t.Fatal(err)
				}
			} else if _, err := s.raw.Exec(`UPDATE users SET status = 'erased' WHERE id = $1`, c.UserID); err != nil {
				t.Fatal(err)
			}
			_, err := s.SignIn(ctx, campus, token("sub of "+email, email), "Test", "")
			refused(t, string(status), err, lms.CodeForbidden, typ)
			if again := s.bySession(in.Secret); !again.Anonymous() {
				t.Errorf("%s: the old session still is %+v", status, again)
			}
			if _, err := s.CreateCourse(ctx, c, lms.CourseFields{Title: "x"}, nil); lms.CodeOf(err) != lms.CodeUnauthenticated {
				t.Errorf("%s: whoever still holds the caller may act: %v", status, err)
			}
		}
	})
}

func TestA21OnePersonHoweverTheAddressIsSpelled(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		t1, t2 := s.teacher("t1@uni.example"), s.teacher("t2@uni.example")
		c1, c2 := s.course(t1, "One"), s.course(t2, "Two")
		first := s.set(t1, c1, byEmail("Alice@Uni.EXAMPLE"), []string{"roster.view"}, nil)
		second := s.set(t2, c2, byEmail("  aLICE@uni.example\r"), []string{"audit.view"}, nil)
		alice := s.person("alice@uni.example")
		if first.User.ID != alice.UserID || second.User.ID != alice.UserID {
			t.Errorf("named as %d and %d, arrived as %d", first.User.ID, second.User.ID, alice.UserID)
		}
		for course, want := range map[int64]string{c1: "roster.view", c2: "audit.view"} {
			v, err := s.Course(ctx, alice, course)
			if err != nil || names(v.Holds) != want {
				t.Errorf("course %d: %s, want %s (%v)", course, names(v.Holds), want, err)
			}
		}
		var typed string
		if err := s.raw.QueryRow(`SELECT as_typed FROM emails WHERE address = 'alice@uni.example'`).Scan(&typed); err != nil || typed != "Alice@Uni.EXAMPLE" {
			t.Errorf("as typed first: %q (%v)", typed, err)
		}
		if second.User.Email != "alice@uni.example" {
			t.Errorf("shown as %s", second.User.Email)
		}
	})
}

func TestA25AKnownSubjectWithANewAddressIsTheSamePerson(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		first, err := s.SignIn(ctx, campus, token("s1", "old@uni.example"), "Test", "")
		if err != nil {
			t.Fatal(err)
		}
		again, err := s.SignIn(ctx, campus, token("s1", "new@uni.example"), "Test", "")
		if err != nil || again.User.ID != first.User.ID || again.User.Email != "new@uni.example" || again.Outcome != signin.SignIn {
			t.Fatalf("she is %+v (%v)", again.User, err)
		}
		if n := s.audited(access.AddressChange, lms.OutcomeDone); n != 1 {
			t.Errorf("%d entries about the change", n)
		}
		if n := s.count(`audit_entries WHERE after LIKE '%new@uni%' OR before LIKE '%old@uni%'`); n != 0 {
			t.Error("the audit holds an address in full")
		}
		// The old address still leads to her, and to nobody else.
		_, err = s.SignIn(ctx, campus, token("s2", "old@uni.example"), "Test", "")
		refused(t, "another subject with the old address", err, lms.CodeConflict, "address-in-use")

		// With an address that is not verified, or of a provider without
		// authority, she still comes in, and nothing is taken over.
		doubtful := token("s1", "doubtful@uni.example")
		doubtful.EmailVerified = signin.VerifiedNot
		in, err := s.SignIn(ctx, campus, doubtful, "Test", "")
		if err != nil || in.User.Email != "new@uni.example" {
			t.Errorf("with a doubtful address she is %+v (%v)", in.User, err)
		}
	})
}

func TestA25ANewAddressNeverAbsorbsAPendingPerson(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		_, course, pending := pendingPerson(s, "new@uni.example")
		v := s.person("old@uni.example")
		in, err := s.SignIn(ctx, campus, token("sub of old@uni.example", "new@uni.example"), "Test", "")
		if err != nil || in.User.ID != v.UserID || in.User.Email != "old@uni.example" {
			t.Fatalf("she is %+v (%v)", in.User, err)
		}
		if u := s.user(pending); u.Status != lms.StatusPending || u.Email != "new@uni.example" {
			t.Errorf("the pending person is %+v", u)
		}
		if _, err := s.Course(ctx, s.bySession(in.Secret), course); lms.CodeOf(err) != lms.CodeNotFound {
			t.Errorf("she got what waited for another: %v", err)
		}
	})
}

// wait gives somebody who has not arrived a place in several courses: three
// enrollments, one course of their own, privileges and a denial.
func wait(s *school, email string) int64 {
	s.tb.Helper()
	var id int64
	for i, role := range []string{"student", "student", "assistant", "owner"} {
		teacher := s.teacher(fmt.Sprintf("teacher%d@uni.example", i))
		course := s.course(teacher, fmt.Sprint("Course ", i))
		id = s.enroll(teacher, course, role, email)[0]
		switch i {
		case 1:
			s.set(teacher, course, byEmail(email), []string{"audit.view"}, nil)
		case 2:
			s.set(teacher, course, byEmail(email), nil, []string{"roster.manage"})
		}
	}
	return id
}

func TestA37EverythingThatWaitedWorksInTheFirstRequest(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		const email = "grace@uni.example"
		id := wait(s, email)
		before := s.everything(id)
		node := s.grow(3)
		in, err := s.SignIn(ctx, campus, token("s1", "GRACE@Uni.Example"), "Test", "")
		if err != nil || in.Outcome != signin.Claim || in.User.ID != id {
			t.Fatalf("%s, person %d (%v)", in.Outcome, in.User.ID, err)
		}
		for i := range s.nodes {
			c, u, err := node(i).BySession(ctx, in.Secret, "r")
			if err != nil || u.ID != id || u.Status != lms.StatusActive {
				t.Fatalf("node %d: %+v (%v)", i, u, err)
			}
			page, err := node(i).Courses(ctx, c, service.CoursesRequest{Limit: 50})
			if err != nil || len(page.Courses) != 4 {
				t.Fatalf("node %d: %d courses (%v)", i, len(page.Courses), err)
			}
			for j, want := range []string{names(lms.AllPrivileges()), "roster.view", "audit.view", ""} { // newest first
				if got := names(page.Courses[j].Holds); got != want {
					t.Errorf("node %d, %s: %q, want %q", i, page.Courses[j].Course.Title, got, want)
				}
			}
			// And it works, not only shows: as owner, by privilege, by denial.
			own, audit, assist, plain := page.Courses[0].Course.ID, page.Courses[2].Course.ID, page.Courses[1].Course.ID, page.Courses[3].Course.ID
			if _, err := node(i).UpdateCourse(ctx, c, own, service.CoursePatch{Code: ptr(fmt.Sprint("X", i))}); err != nil {
				t.Errorf("node %d: her own course: %v", i, err)
			}
			if _, err := node(i).Audit(ctx, c, service.AuditRequest{CourseID: audit, Limit: 10}); err != nil {
				t.Errorf("node %d: her privilege: %v", i, err)
			}
			_, err = node(i).Enroll(ctx, c, service.EnrollRequest{CourseID: assist, Role: "student", Emails: []string{"x@uni.example"}})
			refused(t, "what was denied", err, lms.CodeForbidden, "forbidden")
			if _, err := node(i).Roster(ctx, c, service.RosterRequest{CourseID: plain, Limit: 5}); lms.CodeOf(err) != lms.CodeForbidden {
				t.Errorf("node %d: a student reads the roster: %v", i, err)
			}
		}
		if after := s.everything(id); after != before {
			t.Errorf("what waited was\n%sand is\n%s", before, after)
		}
	})
}

// TestA38AClaimTouchesNothingThatRefersToThePerson counts, with triggers on
// every table, each row that a claim writes: the same whether nothing waits or
// much.
func TestA38AClaimTouchesNothingThatRefersToThePerson(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, course, _ := pendingPerson(s, "nothing@uni.example")
		if _, err := s.Remove(ctx, ada, course, []int64{s.enroll(ada, course, "student", "empty@uni.example")[0]}); err != nil {
			t.Fatal(err)
		}
		wait(s, "much@uni.example")
		many := s.teacher("many@uni.example")
		for i := range 30 {
			c := s.course(many, fmt.Sprint("More ", i))
			s.enroll(many, c, "student", "much@uni.example")
			s.set(many, c, byEmail("much@uni.example"), []string{"roster.view"}, []string{"audit.view"})
		}
		changes := s.db.WatchChanges(t)
		for _, email := range []string{"empty@uni.example", "nothing@uni.example", "much@uni.example"} {
			in, err := s.SignIn(ctx, campus, token("s "+email, email), "Test", "")
			if err != nil || in.Outcome != signin.Claim {
				t.Fatalf("%s: %s (%v)", email, in.Outcome, err)
			}
			want := map[string]int{"users UPDATE": 1, "emails UPDATE": 1, "identities INSERT": 1, "sessions INSERT": 1, "audit_entries INSERT": 1}
			if got := changes(); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("the claim of %s wrote %v, want %v", email, got, want)
			}
		}
	})
}

func TestA39NamingSomebodyKnownLooksLikeNamingSomebodyNew(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		known := s.person("known@uni.example")
		a := s.set(ada, course, byEmail("KNOWN@uni.example"), []string{"roster.view"}, nil)
		b := s.set(ada, course, byEmail("new@uni.example"), []string{"roster.view"}, nil)
		if a.User.ID != known.UserID || a.User.Status != lms.StatusActive || b.User.Status != lms.StatusPending {
			t.Errorf("known %+v, new %+v", a.User, b.User)
		}
		shape := func(m lms.Member) string {
			m.User = lms.User{}
			m.Grant.UserID = 0
			return fmt.Sprintf("%+v %+v", m.Enrollment, *m.Grant)
		}
		if shape(a) != shape(b) {
			t.Errorf("the answers differ:\n%s\n%s", shape(a), shape(b))
		}
		// Active at once, without signing in again.
		if v, err := s.Course(ctx, known, course); err != nil || names(v.Holds) != "roster.view" {
			t.Errorf("she holds %s (%v)", names(v.Holds), err)
		}
	})
}

func TestA43WhatIsGivenToAPersonFollowsThemThroughEveryAddress(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, course, id := pendingPerson(s, "V@uni.example")
		s.set(ada, course, byID(id), []string{"audit.view"}, nil)
		before := s.everything(id)
		for _, email := range []string{"v@UNI.example", "married@uni.example", "v@uni.example", "retired@elsewhere.example"} {
			in, err := s.SignIn(ctx, campus, token("s1", email), "Test", "")
			if err != nil || in.User.ID != id {
				t.Fatalf("as %s she is %d (%v)", email, in.User.ID, err)
			}
			if got := s.everything(id); got != before {
				t.Errorf("as %s she has\n%swant\n%s", email, got, before)
			}
		}
	})
}

func TestA50AnAccountThatWasClaimedStaysClaimed(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		c := s.person("v@uni.example")
		_, err := s.UpdateUser(ctx, s.admin, c.UserID, service.UserPatch{Status: ptr("pending")})
		refused(t, "active to pending", err, lms.CodeInvalid, "status")
		if _, err := s.UpdateUser(ctx, s.admin, c.UserID, service.UserPatch{Status: ptr("suspended")}); err != nil {
			t.Fatal(err)
		}
		_, err = s.UpdateUser(ctx, s.admin, c.UserID, service.UserPatch{Status: ptr("pending")})
		refused(t, "suspended to pending", err, lms.CodeInvalid, "status")
		for _, status := range []string{"erased", "", "Active"} {
			_, err = s.UpdateUser(ctx, s.admin, c.UserID, service.UserPatch{Status: &status})
			refused(t, status, err, lms.CodeInvalid, "status")
		}
		u, err := s.UpdateUser(ctx, s.admin, c.UserID, service.UserPatch{Status: ptr("active")})
		if err != nil || u.Status != lms.StatusActive {
			t.Errorf("restored, she is %s (%v)", u.Status, err)
		}
		_, err = s.SignIn(ctx, campus, token("somebody else", "v@uni.example"), "Test", "")
		refused(t, "another subject", err, lms.CodeConflict, "address-in-use")
		// Nor does an administrator make a pending person active.
		_, _, pending := pendingPerson(s, "p@uni.example")
		_, err = s.UpdateUser(ctx, s.admin, pending, service.UserPatch{Status: ptr("active")})
		refused(t, "pending to active", err, lms.CodeInvalid, "status")
	})
}

func TestA34SomebodyElseWithTheInvitationGetsNothing(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		_, course, id := pendingPerson(s, "grace@uni.example")
		x := s.person("x@elsewhere.example")
		if x.UserID == id {
			t.Fatal("a stranger became the pending person")
		}
		if _, err := s.Course(ctx, x, course); lms.CodeOf(err) != lms.CodeNotFound {
			t.Errorf("a stranger sees the course: %v", err)
		}
	})
}

func TestStrangersComeInAsThePolicySays(t *testing.T) {
	for policy, want := range map[signin.SignUp]string{signin.SignUpNamed: "not-named", signin.SignUpDomains: "", signin.SignUpAnyone: ""} {
		t.Run(string(policy), func(t *testing.T) {
			each(t, func(t *testing.T, s *school) {
				people := s.count(`users`)
				in, err := s.SignIn(ctx, campus, token("s1", "stranger@uni.example"), "Test", "")
				if want != "" {
					refused(t, "a stranger", err, lms.CodeForbidden, want)
					if s.count(`users`) != people {
						t.Error("a refused stranger left an account")
					}
					return
				}
				if err != nil || in.Outcome != signin.Create || in.User.Status != lms.StatusActive || in.User.SiteRole != lms.SiteMember || in.User.CreatedBy != lms.SystemUserID {
					t.Errorf("%s: %+v (%v)", in.Outcome, in.User, err)
				}
				again, err := s.SignIn(ctx, campus, token("s1", "stranger@uni.example"), "Test", "")
				if err != nil || again.Outcome != signin.SignIn || again.User.ID != in.User.ID || again.Secret == in.Secret {
					t.Errorf("again: %s of %d (%v)", again.Outcome, again.User.ID, err)
				}
			}, func(o *service.Options) { o.SignUp = policy })
		})
	}
}

func TestNamesComeFromTheProviderAndStayWhereItSaysNothing(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		tok := token("s1", "grace@uni.example")
		tok.GivenName, tok.FamilyName, tok.Name = " Grace ", "Hopper", "Grace\tHopper"
		if _, err := s.SignIn(ctx, campus, tok, "Test", ""); err != nil {
			t.Fatal(err)
		}
		tok.GivenName, tok.FamilyName, tok.Name = "", "Hopper-Murray", "bad\x00name"
		in, err := s.SignIn(ctx, campus, tok, "Test", "")
		if err != nil || in.User.GivenName != "Grace" || in.User.FamilyName != "Hopper-Murray" || in.User.Name != "Grace Hopper" {
			t.Errorf("she is %+v (%v)", in.User, err)
		}
		page, err := s.Directory(ctx, s.admin, service.DirectoryRequest{Search: "hopper-mur", Limit: 5})
		if err != nil || len(page.Members) != 1 {
			t.Errorf("by the new name, %d people (%v)", len(page.Members), err)
		}
	})
}

func TestASessionEndsByItselfAndMovesWithUse(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		_, in := s.arrive("v@uni.example")
		day := 24 * time.Hour
		for i := range 4 { // used each sixth day, it lives for thirty
			s.clock.advance(6 * day)
			if s.bySession(in.Secret).Anonymous() {
				t.Fatalf("a session that is used ended after %d days", 6*(i+1))
			}
		}
		s.clock.advance(6 * day)
		if !s.bySession(in.Secret).Anonymous() {
			t.Error("a session lives longer than thirty days")
		}
		_, in = s.arrive("v@uni.example")
		s.clock.advance(7*day + time.Second)
		if !s.bySession(in.Secret).Anonymous() {
			t.Error("a session that nobody used for a week lives")
		}
		if err := s.Expire(ctx); err != nil {
			t.Fatal(err)
		}
		if n := s.count(`sessions`); n != 0 {
			t.Errorf("%d ended sessions are still kept", n)
		}
		for _, secret := range []string{"", "x", strings.Repeat("x", 5000), in.Secret + "x"} {
			if !s.bySession(secret).Anonymous() {
				t.Errorf("%.20q is somebody", secret)
			}
		}
	})
}

func TestA03EverySignInHasASecretOfItsOwnWhichIsNotStored(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		_, a := s.arrive("v@uni.example")
		_, b := s.arrive("v@uni.example")
		if a.Secret == b.Secret || len(a.Secret) < 40 {
			t.Errorf("secrets %q and %q", a.Secret, b.Secret)
		}
		if n := s.count(`sessions WHERE token_hash = $1`, []byte(a.Secret)); n != 0 {
			t.Error("the secret itself is stored")
		}
		me := s.bySession(a.Secret)
		if n, err := s.EndOtherSessions(ctx, me); err != nil || n != 1 {
			t.Errorf("%d others ended (%v)", n, err)
		}
		if !s.bySession(b.Secret).Anonymous() || s.bySession(a.Secret).Anonymous() {
			t.Error("the wrong session ended")
		}
		if err := s.SignOut(ctx, me); err != nil || !s.bySession(a.Secret).Anonymous() {
			t.Errorf("signed out: %v", err)
		}
		if err := s.SignOut(ctx, me); err != nil {
			t.Errorf("signed out twice: %v", err)
		}
	})
}

func TestA29AnAttemptServesOneBrowserOneProviderAndOneTime(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		begin := func() (signin.Attempt, string) {
			a := signin.NewAttempt()
			browser, err := s.StartSignIn(ctx, "campus", a, "/courses/7", "")
			if err != nil {
				t.Fatal(err)
			}
			return a, browser
		}
		take := func(provider, state, browser string) error {
			_, _, err := s.TakeAttempt(ctx, provider, state, browser)
			return err
		}
		a, browser := begin()
		got, next, err := s.TakeAttempt(ctx, "campus", a.State, browser)
		if err != nil || got != a || next != "/courses/7" {
			t.Errorf("got %v, %q (%v)", got, next, err)
		}
		refused(t, "a second time", take("campus", a.State, browser), lms.CodeMalformed, "sign-in-expired")
		a, browser = begin()
		_, other := begin()
		refused(t, "another browser", take("campus", a.State, other), lms.CodeMalformed, "sign-in-expired")
		refused(t, "after another browser tried", take("campus", a.State, browser), lms.CodeMalformed, "sign-in-expired")
		a, browser = begin()
		refused(t, "another provider", take("google", a.State, browser), lms.CodeMalformed, "sign-in-expired")
		a, browser = begin()
		s.clock.advance(15 * time.Minute)
		refused(t, "too late", take("campus", a.State, browser), lms.CodeMalformed, "sign-in-expired")
		a, browser = begin()
		for name, args := range map[string][2]string{"no state": {"", browser}, "no browser": {a.State, ""}, "a wrong state": {a.Nonce, browser}, "a long state": {strings.Repeat("x", 500), browser}} {
			refused(t, name, take("campus", args[0], args[1]), lms.CodeMalformed, "sign-in-expired")
		}
		b := signin.NewAttempt()
		browser, err = s.StartSignIn(ctx, "campus", b, "//evil.example", "")
		if err != nil {
			t.Fatal(err)
		}
		if _, next, err := s.TakeAttempt(ctx, "campus", b.State, browser); err != nil || next != "/" {
			t.Errorf("F-14: it leads to %q (%v)", next, err)
		}
	})
}
