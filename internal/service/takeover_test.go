package service_test

import (
	"testing"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
)

// TestA01NobodyHasASessionOnAnAccountBeforeItsOwner lets somebody try every
// token that could get them in first, and then the owner come.
func TestA01NobodyHasASessionOnAnAccountBeforeItsOwner(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		_, _, id := pendingPerson(s, "victim@uni.example")
		other := signin.Provider{Name: "other", Label: "Other", Issuer: "https://other.example", Kind: signin.KindOIDC, Domains: []string{"other.example"}}
		unverified, elsewhere := token("x1", "victim@uni.example"), token("x2", "victim@uni.example")
		unverified.EmailVerified = signin.VerifiedNot
		elsewhere.Issuer = other.Issuer
		if _, err := s.SignIn(ctx, campus, unverified, "Attacker", ""); err == nil {
			t.Fatal("an unverified address got in")
		}
		if _, err := s.SignIn(ctx, other, elsewhere, "Attacker", ""); err == nil {
			t.Fatal("a provider without authority got in")
		}
		if n := s.count(`sessions WHERE user_id = $1`, id) + s.count(`api_tokens WHERE user_id = $1`, id) + s.count(`identities WHERE user_id = $1`, id); n != 0 {
			t.Fatalf("%d things wait on the account before its owner", n)
		}
		in, err := s.SignIn(ctx, campus, token("victim's own", "victim@uni.example"), "Owner", "")
		if err != nil || in.User.ID != id {
			t.Fatalf("the owner: %v, as %d", err, in.User.ID)
		}
		list, err := s.Identities(ctx, s.bySession(in.Secret))
		if err != nil || len(list) != 1 || list[0].Subject != "victim's own" {
			t.Errorf("the account has the identities %+v, %v", list, err)
		}
	})
}

// TestA11AnotherTenantWithTheSameAddressIsAnotherPerson is the attack known as
// nOAuth: an administrator of some other tenant writes the victim's address
// into an account of theirs.
func TestA11AnotherTenantWithTheSameAddressIsAnotherPerson(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		entra := signin.Provider{
			Name: "entra", Label: "Entra", Issuer: "https://login.example/tenant-1/v2.0", Kind: signin.KindEntra, Tenant: "tenant-1", Domains: []string{"uni.example"},
		}
		owner := signin.Token{Issuer: entra.Issuer, Subject: "oid-1", Tenant: "tenant-1", Email: "victim@uni.example", DomainOwnerVerified: signin.VerifiedTrue}
		in, err := s.SignIn(ctx, entra, owner, "Owner", "")
		if err != nil {
			t.Fatal(err)
		}
		foreign := owner
		foreign.Subject, foreign.Tenant = "oid-2", "tenant-2"
		_, err = s.SignIn(ctx, entra, foreign, "Attacker", "")
		refused(t, "a foreign tenant", err, lms.CodeForbidden, "tenant-not-allowed")
		foreign.Tenant = "tenant-1"
		_, err = s.SignIn(ctx, entra, foreign, "Attacker", "")
		refused(t, "another subject of the tenant", err, lms.CodeConflict, "address-in-use")
		if n := s.count(`identities WHERE user_id = $1`, in.User.ID); n != 1 {
			t.Errorf("the account has %d identities", n)
		}
	})
}

// TestA36ARowThatWasNotMadeByThisProgramConfusesNobody puts an address into the
// database that no ParseEmail would write, as an old dump might hold it.
func TestA36ARowThatWasNotMadeByThisProgramConfusesNobody(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.broken = true
		_, _, id := pendingPerson(s, "victim@uni.example")
		_, _, stray := pendingPerson(s, "stray@uni.example")
		if _, err := s.raw.Exec(`UPDATE emails SET address = 'Victim@Uni.Example' WHERE user_id = $1`, stray); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			in, err := s.SignIn(ctx, campus, token("s1", "VICTIM@uni.example"), "Test", "")
			if err != nil || in.User.ID != id {
				t.Fatalf("signed in as %d, want %d: %v", in.User.ID, id, err)
			}
		}
		if u := s.user(stray); u.Status != lms.StatusPending {
			t.Errorf("the stray row is %s", u.Status)
		}
	})
}

func TestA52AnotherPersonInTheSameBrowserGetsASessionOfTheirOwn(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		first, second := s.person("first@uni.example"), s.person("second@uni.example")
		if first.SessionID == second.SessionID || first.UserID == second.UserID {
			t.Errorf("%+v and %+v are blended", first, second)
		}
		if err := s.EndSession(ctx, second, first.SessionID); lms.CodeOf(err) != lms.CodeNotFound {
			t.Errorf("the second could end the first's session: %v", err)
		}
	})
}

// TestC14AnAddressGivesNoRoleByItself signs in people whose addresses look
// like those of staff.
func TestC14AnAddressGivesNoRoleByItself(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		for _, email := range []string{"admin@uni.example", "prof@teachers.uni.example", "teacher@staff.example"} {
			c := s.person(email)
			if u := s.user(c.UserID); u.SiteRole != lms.SiteMember {
				t.Errorf("%s became %s", email, u.SiteRole)
			}
			_, err := s.CreateCourse(ctx, c, lms.CourseFields{Title: "x"}, nil)
			refused(t, email, err, lms.CodeForbidden, "forbidden")
		}
		_, err := s.Directory(ctx, access.Caller{}, service.DirectoryRequest{Limit: 1})
		refused(t, "nobody", err, lms.CodeUnauthenticated, "sign-in-required")
	})
}
