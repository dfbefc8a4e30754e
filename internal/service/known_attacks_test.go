package service_test

import (
	"strings"
	"testing"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
)

// These tests carry the names of attacks that worked elsewhere: the five of
// "Pre-hijacked accounts" (Sudhodanan and Paverd, USENIX Security 2022), and
// vulnerabilities that have a number. X is the attacker, V whom it is about.

// witness is a provider that hands out the addresses of its own domain alone.
var witness = signin.Provider{Name: "witness", Label: "Witness", Issuer: "https://witness.example", ClientID: "m", Kind: signin.KindOIDC, Domains: []string{"witness.example"}}

// wary makes a school where campus hands out uni.example and nothing else, and
// where nobody comes in whom that does not bring.
func wary(o *service.Options) { o.SignUp = signin.SignUpDomains }

var uni = signin.Provider{Name: "campus", Label: "Campus", Issuer: campus.Issuer, ClientID: "m", Kind: signin.KindOIDC, Domains: []string{"uni.example"}}

// alone makes sure that an account is its owner's alone: one identity, and the
// sessions that its owner has begun.
func (s *school) alone(id int64, subject string, sessions int) {
	s.tb.Helper()
	if n := s.count(`identities WHERE user_id = $1`, id); n != 1 {
		s.tb.Errorf("the account has %d identities", n)
	}
	if n := s.count(`identities WHERE user_id = $1 AND subject = $2`, id, subject); n != 1 {
		s.tb.Errorf("the account's identity is not %s", subject)
	}
	if n := s.count(`sessions WHERE user_id = $1`, id); n != sessions {
		s.tb.Errorf("the account has %d sessions, not %d", n, sessions)
	}
	if n := s.count(`api_tokens WHERE user_id = $1`, id); n != 0 {
		s.tb.Errorf("the account has %d tokens that its owner did not make", n)
	}
}

// untouched makes sure that a pending person is as before.
func (s *school) untouched(id int64) {
	s.tb.Helper()
	if u := s.user(id); u.Status != lms.StatusPending || s.count(`identities WHERE user_id = $1`, id)+s.count(`sessions WHERE user_id = $1`, id) != 0 {
		s.tb.Errorf("the person is %s, with something of somebody's", u.Status)
	}
}

func TestPreHijacking1ClassicFederatedMergeLeavesNothingOfTheFirstComers(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		x := s.teacher("x@uni.example")
		course := s.course(x, "A trap")
		id := s.enroll(x, course, "student", "v@uni.example")[0]
		// X makes the account as far as anybody can, and tries to come in as it.
		bad := token("x's own", "v@uni.example")
		bad.EmailVerified = signin.VerifiedAbsent
		_, err := s.SignIn(ctx, uni, bad, "X", "")
		refused(t, "X as V", err, lms.CodeForbidden, "address-not-verified")
		in, err := s.SignIn(ctx, uni, token("v's own", "v@uni.example"), "V", "")
		if err != nil || in.User.ID != id {
			t.Fatalf("V is %d, %v", in.User.ID, err)
		}
		s.alone(id, "v's own", 1)
		_, err = s.SignIn(ctx, uni, bad, "X", "")
		if err == nil {
			t.Error("X comes in after V")
		}
	})
}

func TestPreHijacking2UnexpiredSessionIdentifierDoesNotExist(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		x := s.person("x@uni.example")
		_, _, id := pendingPerson(s, "v@uni.example")
		attempt := signin.NewAttempt()
		browser, err := s.StartSignIn(ctx, "campus", attempt, "/", "")
		if err != nil {
			t.Fatal(err)
		}
		// Whatever X does, a session on V's account cannot be before V.
		if _, _, err := s.TakeAttempt(ctx, "campus", attempt.State, "another browser's"); err == nil {
			t.Error("a browser that did not begin it went on with it")
		}
		s.untouched(id)
		in, err := s.SignIn(ctx, campus, token("v's own", "v@uni.example"), "V", "")
		if err != nil {
			t.Fatal(err)
		}
		s.alone(id, "v's own", 1)
		if got := s.bySession(browser); !got.Anonymous() {
			t.Errorf("what X had before is a session of %d", got.UserID)
		}
		if _, _, err := s.TakeAttempt(ctx, "campus", attempt.State, browser); err == nil {
			t.Error("an attempt that was used up is served after the claim")
		}
		if err := s.EndSession(ctx, x, in.Session.ID); lms.CodeOf(err) != lms.CodeNotFound {
			t.Errorf("X reaches V's session: %v", err)
		}
	})
}

func TestPreHijacking3TrojanIdentifierCannotBeAttached(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		x := s.teacher("x@uni.example")
		course := s.course(x, "A trap")
		id := s.enroll(x, course, "student", "v@uni.example")[0]
		// X's own provider says that X has V's address now: X stays X.
		in, err := s.SignIn(ctx, campus, token("sub of x@uni.example", "v@uni.example"), "X", "")
		if err != nil || in.User.ID != x.UserID || in.User.Email != "x@uni.example" {
			t.Fatalf("X is %d with %s, %v", in.User.ID, in.User.Email, err)
		}
		s.untouched(id)
		if _, err := s.SignIn(ctx, campus, token("v's own", "v@uni.example"), "V", ""); err != nil {
			t.Fatal(err)
		}
		s.alone(id, "v's own", 1)
		if n := s.count(`emails WHERE user_id = $1`, id); n != 1 {
			t.Errorf("V has %d addresses, not only the proven one", n)
		}
	})
}

func TestPreHijacking4UnexpiredEmailChangeNeverTakesTheAddressLater(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		x := s.person("x@uni.example")
		// X asks for V's address before anybody has it, with a proof that is none.
		change := token("sub of x@uni.example", "v@uni.example")
		change.EmailVerified = signin.VerifiedNot
		for range 2 {
			if in, err := s.SignIn(ctx, campus, change, "X", ""); err != nil || in.User.ID != x.UserID || in.User.Email != "x@uni.example" {
				t.Fatalf("X is %d with %s, %v", in.User.ID, in.User.Email, err)
			}
			// V comes between the two.
			if _, err := s.SignIn(ctx, campus, token("v's own", "v@uni.example"), "V", ""); err != nil {
				t.Fatal(err)
			}
		}
		// Nothing waits that could still be confirmed, even if X's provider affirms it now.
		change.EmailVerified = signin.VerifiedTrue
		in, err := s.SignIn(ctx, campus, change, "X", "")
		if err != nil || in.User.Email != "x@uni.example" {
			t.Errorf("X has %s, %v", in.User.Email, err)
		}
		h, ok, err := s.store.Reader().AddressHolder(ctx, "v@uni.example")
		if err != nil || !ok || h.UserID == x.UserID {
			t.Errorf("the address is of %d, %v", h.UserID, err)
		}
		s.alone(h.UserID, "v's own", 2)
	})
}

func TestPreHijacking5NonVerifyingIdentityProviderIsNotBelieved(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		_, _, id := pendingPerson(s, "v@uni.example")
		bad := token("x", "v@uni.example")
		bad.Issuer = witness.Issuer
		_, err := s.SignIn(ctx, witness, bad, "X", "")
		refused(t, "a provider of another domain", err, lms.CodeForbidden, "provider-not-authoritative")
		s.untouched(id)
		// Nor does it make a second V, whom the school would take for the first.
		if n := s.count(`emails WHERE address = 'v@uni.example'`); n != 1 {
			t.Errorf("%d people have the address", n)
		}
	})
}

// MISP linked by address whenever the local row had no subject yet. A pending row
// never has one.
func TestCVE20269084ARowWithoutASubjectIsNotLinkedByAddressAlone(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		_, _, id := pendingPerson(s, "v@uni.example")
		for _, p := range []signin.Provider{uni, witness} {
			for _, verified := range []signin.Verified{signin.VerifiedAbsent, signin.VerifiedNot, signin.VerifiedTrue} {
				if p.Name == uni.Name && verified == signin.VerifiedTrue {
					continue // V's own
				}
				bad := signin.Token{Issuer: p.Issuer, Subject: "x", Email: "v@uni.example", EmailVerified: verified}
				if _, err := s.SignIn(ctx, p, bad, "X", ""); err == nil {
					t.Errorf("%s, verified %v: came in", p.Name, verified)
				}
				s.untouched(id)
			}
		}
	}, wary)
}

// ZITADEL asked whether the local address was verified, and not whether the
// provider's was.
func TestCVE202656666AnAddressThatTheProviderDidNotVerifyLinksToNobody(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		v := s.person("v@uni.example") // whose address is proven here
		_, _, pending := pendingPerson(s, "w@uni.example")
		for _, email := range []string{"v@uni.example", "w@uni.example"} {
			for _, verified := range []signin.Verified{signin.VerifiedAbsent, signin.VerifiedNot} {
				bad := token("x", email)
				bad.EmailVerified = verified
				_, err := s.SignIn(ctx, campus, bad, "X", "")
				refused(t, email, err, lms.CodeForbidden, "address-not-verified")
			}
		}
		s.alone(v.UserID, "sub of v@uni.example", 1)
		s.untouched(pending)
	})
}

// ZITADEL linked accounts through providers that were switched off.
func TestCVE202564717AProviderThatIsNotEnabledLinksNobody(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		_, _, id := pendingPerson(s, "v@uni.example")
		// A good token of a provider that is not, or no longer, configured can only
		// come through the door of another.
		bad := token("x", "v@uni.example")
		bad.Issuer = "https://switched-off.example"
		for _, p := range []signin.Provider{campus, uni, witness} {
			_, err := s.SignIn(ctx, p, bad, "X", "")
			refused(t, p.Name, err, lms.CodeForbidden, "issuer-not-allowed")
		}
		// And no door is open to whoever configures nothing.
		bad.Issuer = ""
		if _, err := s.SignIn(ctx, signin.Provider{}, bad, "X", ""); err == nil {
			t.Error("no provider at all let somebody in")
		}
		s.untouched(id)
	})
}

// Better Auth took the row that an attacker had made for verified as soon as its
// owner signed in, with the attacker's own way in.
func TestCVE202653516WhoMadeTheRowHasNoPartInItOnceItIsClaimed(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		x := s.teacher("x@uni.example")
		course := s.course(x, "X's")
		id := s.set(x, course, byEmail("v@uni.example"), []string{"roster.view"}, nil).User.ID
		if _, err := s.SignIn(ctx, campus, token("v's own", "v@uni.example"), "V", ""); err != nil {
			t.Fatal(err)
		}
		s.alone(id, "v's own", 1)
		_, err := s.UpdateUser(ctx, x, id, service.UserPatch{SiteRole: ptr("admin")})
		refused(t, "X makes V something", err, lms.CodeForbidden, "forbidden")
		if n := s.count(`emails WHERE user_id = $1 AND verified_at IS NOT NULL`, id); n != 1 {
			t.Errorf("%d addresses are proven", n)
		}
		if s.user(id).CreatedBy != x.UserID {
			t.Error("who named V is no longer on record")
		}
	})
}

// In Zammad, a further sign-in with the same address came to the account that
// had it.
func TestCVE202684458AFurtherIdentityWithTheAddressIsNotJoined(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		v := s.person("v@uni.example")
		second := uni
		second.Name, second.Issuer = "second", "https://second.uni.example"
		for _, p := range []signin.Provider{campus, second} {
			bad := signin.Token{Issuer: p.Issuer, Subject: "x", Email: "v@uni.example", EmailVerified: signin.VerifiedTrue}
			in, err := s.SignIn(ctx, p, bad, "X", "")
			refused(t, p.Name, err, lms.CodeConflict, "address-in-use")
			if in.Secret != "" {
				t.Error("there is a session")
			}
		}
		s.alone(v.UserID, "sub of v@uni.example", 1)
	})
}

// Keycloak kept that an address was proved, and not by which account of the
// provider, so that another could use the proof up. Here nothing that proves
// outlives the token, and a way to a provider belongs to one browser.
func TestCVE20269087AProofServesTheSubjectThatGaveIt(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		_, _, id := pendingPerson(s, "v@uni.example")
		x, v := signin.NewAttempt(), signin.NewAttempt()
		xs, err := s.StartSignIn(ctx, "campus", x, "/", "")
		if err != nil {
			t.Fatal(err)
		}
		vs, err := s.StartSignIn(ctx, "campus", v, "/", "")
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = s.TakeAttempt(ctx, "campus", v.State, xs)
		refused(t, "X with V's state", err, lms.CodeMalformed, "sign-in-expired")
		_, _, err = s.TakeAttempt(ctx, "campus", x.State, vs)
		refused(t, "V with X's state", err, lms.CodeMalformed, "sign-in-expired")
		s.untouched(id)
		if _, err := s.SignIn(ctx, campus, token("v's own", "v@uni.example"), "V", ""); err != nil {
			t.Fatal(err)
		}
		_, err = s.SignIn(ctx, campus, token("x", "v@uni.example"), "X", "")
		refused(t, "X behind V", err, lms.CodeConflict, "address-in-use")
		s.alone(id, "v's own", 1)
	})
}

// social-auth-app-django compared subjects as its database does, without case.
func TestCVE202432879SubjectsThatDifferByCaseAreTwoPeople(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		lower, err := s.SignIn(ctx, campus, token("abc", "v@uni.example"), "V", "")
		if err != nil {
			t.Fatal(err)
		}
		upper, err := s.SignIn(ctx, campus, token("ABC", "x@uni.example"), "X", "")
		if err != nil || upper.User.ID == lower.User.ID || upper.Outcome != signin.Create {
			t.Errorf("ABC is %d, abc is %d, %v", upper.User.ID, lower.User.ID, err)
		}
		_, err = s.SignIn(ctx, campus, token("aBC", "v@uni.example"), "X", "")
		refused(t, "aBC", err, lms.CodeConflict, "address-in-use")
	})
}

// OAuth2 Proxy looked for the domain behind the last of several @.
func TestCVE202640574TwoAtSignsAreNoAddress(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, course, _ := pendingPerson(s, "v@uni.example")
		people := s.count(`users`)
		for _, email := range []string{"x@evil.example@uni.example", "v@uni.example@evil.example", `"x@evil.example"@uni.example`, `x\@evil.example@uni.example`, "x@evil.example%40uni.example"} {
			_, err := s.SignIn(ctx, uni, token("x", email), "X", "")
			if lms.TypeOf(err) != "address-unclean" && lms.TypeOf(err) != "not-named" {
				t.Errorf("a token with %s: %v", email, err)
			}
			rows, err := s.Enroll(ctx, ada, service.EnrollRequest{CourseID: course, Role: "student", Emails: []string{email}})
			if err != nil || rows[0].Result != service.ResultRefused {
				t.Errorf("naming %s: %+v, %v", email, rows, err)
			}
		}
		if n := s.count(`users`); n != people {
			t.Errorf("%d people came of it", n-people)
		}
	}, wary)
}

// In Moodle, teachers of a course could give themselves the role of a manager in it.
func TestCVE202014321ATeacherCannotMakeThemselvesMore(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		owner := s.teacher("owner@uni.example")
		course := s.course(owner, "Algorithms")
		x := s.member(owner, course, "teacher", "x@uni.example")
		accomplice := s.enroll(owner, course, "student", "accomplice@uni.example")[0]
		before := s.held(course, x.UserID)
		for what, do := range map[string]func() error{
			"the role of an owner": func() error {
				return second(s.SetRole(ctx, x, service.RoleChange{CourseID: course, UserID: x.UserID, Role: "owner"}))
			},
			"a privilege": func() error {
				return second(s.SetPrivileges(ctx, x, service.PrivilegeChange{CourseID: course, Person: byID(x.UserID), Allow: []string{"course.archive"}}))
			},
			"both at once": func() error {
				return second(s.SetPrivileges(ctx, x, service.PrivilegeChange{CourseID: course, Person: byEmail("X@uni.example"), Role: "owner", Allow: []string{"course.archive"}}))
			},
			"an accomplice who owns": func() error {
				return second(s.SetRole(ctx, x, service.RoleChange{CourseID: course, UserID: accomplice, Role: "owner"}))
			},
			"a role that gives more": func() error {
				return second(s.CreateRole(ctx, x, course, service.RoleFields{Name: "Manager", Privileges: []string{"course.archive"}}, nil))
			},
			"the course itself": func() error {
				return second(s.HandOverCourse(ctx, x, service.HandOver{CourseID: course, Person: byEmail("accomplice@uni.example")}))
			},
		} {
			if code := lms.CodeOf(do()); code != lms.CodeForbidden {
				t.Errorf("X gave %s: %s", what, code)
			}
		}
		if now := s.held(course, x.UserID); now != before || s.held(course, accomplice) != "" {
			t.Errorf("X holds %q, and held %q; the accomplice holds %q", now, before, s.held(course, accomplice))
		}
	})
}

// A plugin of Moodle's looked whether somebody might manage a course, and then
// changed the thing whose id was sent, of whichever course.
func TestCVE202630884AnIdOfAnotherCourseReachesNothing(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		v, x := s.teacher("v@uni.example"), s.teacher("x@uni.example")
		theirs, mine := s.course(v, "Theirs"), s.course(x, "Mine")
		role, err := s.CreateRole(ctx, v, theirs, service.RoleFields{Name: "Tutor", Privileges: []string{"roster.view"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		section, err := s.CreateSection(ctx, v, theirs, "Lab", nil)
		if err != nil {
			t.Fatal(err)
		}
		note, err := s.CreateAnnouncement(ctx, v, theirs, lms.AnnouncementFields{Title: "Secret", Body: "Theirs"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		student := s.enroll(v, theirs, "student", "student@uni.example")[0]
		entries := s.count(`audit_entries WHERE course_id = $1`, theirs)
		for what, do := range map[string]func() error{
			"change a role": func() error {
				return second(s.UpdateRole(ctx, x, mine, role.ID, service.RolePatch{Name: ptr("Mine")}))
			},
			"delete a role":        func() error { return s.DeleteRole(ctx, x, mine, role.ID) },
			"rename a section":     func() error { return second(s.RenameSection(ctx, x, mine, section.ID, "Mine")) },
			"delete a section":     func() error { return s.DeleteSection(ctx, x, mine, section.ID) },
			"read an announcement": func() error { return second(s.Announcement(ctx, x, mine, note.ID)) },
			"change an announcement": func() error {
				return second(s.UpdateAnnouncement(ctx, x, mine, note.ID, service.AnnouncementPatch{Title: ptr("Mine")}))
			},
			"change a student": func() error {
				return second(s.SetRole(ctx, x, service.RoleChange{CourseID: mine, UserID: student, Role: "student"}))
			},
			"look at a student": func() error { return second(s.Access(ctx, x, mine, student)) },
			"use a role by key": func() error {
				return second(s.Enroll(ctx, x, service.EnrollRequest{CourseID: mine, Role: role.Key, Emails: []string{"y@uni.example"}}))
			},
			"use a section": func() error {
				return second(s.Enroll(ctx, x, service.EnrollRequest{CourseID: mine, Role: "student", SectionID: section.ID, Emails: []string{"y@uni.example"}}))
			},
		} {
			if code := lms.CodeOf(do()); code != lms.CodeNotFound && code != lms.CodeInvalid {
				t.Errorf("X could %s of another course: %q", what, code)
			}
		}
		if n := s.count(`audit_entries WHERE course_id = $1 AND outcome = 'done'`, theirs); n != entries {
			t.Errorf("%d things were done in the other course", n-entries)
		}
		if s.count(`emails WHERE address LIKE 'y@%'`) != 0 {
			t.Error("somebody was named all the same")
		}
	})
}

// In Moodle, people went on to be told of courses in which they were no longer.
func TestC21AndCVE20165014WhoIsNoLongerInACourseHearsNothingOfIt(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		note, err := s.CreateAnnouncement(ctx, ada, course, lms.AnnouncementFields{Title: "Exam", Body: "At nine"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		removed, suspended := s.member(ada, course, "assistant", "removed@uni.example"), s.member(ada, course, "assistant", "suspended@uni.example")
		callers := map[string]access.Caller{"removed": removed, "suspended": suspended}
		var secrets []string
		for who, c := range map[string]access.Caller{"removed": removed, "suspended": suspended} {
			all, _ := s.mint(c, service.NewToken{})
			one, minted := s.mint(c, service.NewToken{CourseIDs: []int64{course}})
			callers[who+", by a token"], callers[who+", by a token for the course"] = all, one
			if who == "suspended" {
				secrets = append(secrets, minted.Secret)
			}
		}
		hears := func(c access.Caller) (heard []string) {
			for what, look := range map[string]func() error{
				"the course":        func() error { return second(s.Course(ctx, c, course)) },
				"its announcements": func() error { return second(s.Announcements(ctx, c, course, 0, 10)) },
				"an announcement":   func() error { return second(s.Announcement(ctx, c, course, note.ID)) },
				"its people":        func() error { return second(s.Roster(ctx, c, service.RosterRequest{CourseID: course, Limit: 10})) },
				"its sections":      func() error { return second(s.Sections(ctx, c, course)) },
				"who was there":     func() error { return second(s.PastPeople(ctx, c, course, 0, 10)) },
				"a table of people": func() error {
					return s.ExportRoster(ctx, c, service.RosterRequest{CourseID: course}, func(*lms.Member) error { return nil })
				},
			} {
				if look() == nil {
					heard = append(heard, what)
				}
			}
			return heard
		}
		for who, c := range callers {
			if n := len(hears(c)); n != 7 {
				t.Errorf("%s hears of %d things before", who, n)
			}
		}
		if _, err := s.Remove(ctx, ada, course, []int64{removed.UserID, suspended.UserID}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.UpdateUser(ctx, s.admin, suspended.UserID, service.UserPatch{Status: ptr("suspended")}); err != nil {
			t.Fatal(err)
		}
		for who, c := range callers { // as those who asked a moment ago
			if heard := hears(c); len(heard) != 0 {
				t.Errorf("%s still hears of %s", who, strings.Join(heard, ", "))
			}
		}
		for _, secret := range secrets {
			if _, _, err := s.ByToken(ctx, secret, ""); lms.CodeOf(err) != lms.CodeUnauthenticated {
				t.Errorf("a suspended person's token: %v", err)
			}
		}
		list, err := s.Courses(ctx, removed, service.CoursesRequest{Limit: 10})
		if err != nil || len(list.Courses) != 0 {
			t.Errorf("it is still among their courses: %+v, %v", list, err)
		}
	})
}
