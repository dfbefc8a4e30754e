package scim_test

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"

	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
)

// signIn is somebody who comes from the provider that is authoritative for uni.example,
// or from Entra.
func (s *school) signIn(p signin.Provider, subject, email string, change ...func(*signin.Token)) (service.SignedIn, error) {
	token := signin.Token{Issuer: p.Issuer, Subject: subject, Email: email, EmailVerified: signin.VerifiedTrue, Tenant: p.Tenant}
	for _, c := range change {
		c(&token)
	}
	return s.Service.SignIn(ctx, p, token, "test", "")
}

func (s *school) comesAs(what, id string, in service.SignedIn, err error) {
	s.t.Helper()
	if err != nil || strconv.FormatInt(in.User.ID, 10) != id || in.Outcome != signin.Claim {
		s.t.Errorf("%s: user %d, %s (%v), want user %s to be claimed", what, in.User.ID, in.Outcome, err, id)
	}
}

func (s *school) staysOut(what, reason string, err error) {
	s.t.Helper()
	if lms.TypeOf(err) != reason || err == nil {
		s.t.Errorf("%s: %v, want %s", what, err, reason)
	}
}

func TestALinkedSubjectClaimsWhateverAddressItHas(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.speakFor("google", service.LinkByAttribute)
		linked := func(email, subject string) string {
			return s.create(email, personURN, doc{"subject": subject})
		}
		for i, c := range []struct {
			what, row, email string
			change           func(*signin.Token)
		}{
			{"the same address", "a@uni.example", "a@uni.example", func(*signin.Token) {}},
			{"another address", "b@uni.example", "b.other@uni.example", func(*signin.Token) {}},
			{"an address of a foreign domain", "c@elsewhere.example", "c@nowhere.example", func(*signin.Token) {}},
			{"no address", "d@uni.example", "", func(*signin.Token) {}},
			{"an address that is not verified", "e@uni.example", "e@uni.example", func(t *signin.Token) { t.EmailVerified = signin.VerifiedNot }},
		} {
			id := linked(c.row, fmt.Sprint("s-", i))
			in, err := s.signIn(s.Provider, fmt.Sprint("s-", i), c.email, c.change)
			s.comesAs(c.what, id, in, err)
			s.ask("GET", "/Users/"+id, nil).has(c.row, "userName").has("active", personURN, "status").has(fmt.Sprint("s-", i), personURN, "subject")
			if n := s.count(`emails WHERE user_id = $1`, in.User.ID); n != 1 {
				t.Errorf("%s: they have %d addresses", c.what, n)
			}
		}
	})
}

func TestWhomADirectoryLinkedNobodyElseClaims(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.speakFor("google", service.LinkByAttribute)
		id := s.create("grace@uni.example", personURN, doc{"subject": "hers"})
		_, err := s.signIn(s.Provider, "another", "grace@uni.example")
		s.staysOut("another subject with the address", "linked-elsewhere", err)
		if got := s.status("grace@uni.example"); got != "pending" {
			t.Fatalf("she is %s", got)
		}
		if n := s.count(`identities i JOIN emails e ON e.user_id = i.user_id WHERE e.address = 'grace@uni.example'`); n != 0 {
			t.Error("I2: a pending person has an identity")
		}
		// What waits for the token's address is not taken along.
		other := s.create("waiting@uni.example")
		in, err := s.signIn(s.Provider, "hers", "waiting@uni.example")
		s.comesAs("hers, with an address for which somebody else waits", id, in, err)
		s.ask("GET", "/Users/"+other, nil).has("pending", personURN, "status")
		// Somebody who has come keeps their own way in alone, whatever is linked later.
		s.ask("PATCH", "/Users/"+id, patch(op("replace", personURN+":subject", "further"))).is(200)
		_, err = s.signIn(s.Provider, "further", "x@uni.example")
		s.staysOut("a further subject", "linked-elsewhere", err)
		if in, err := s.signIn(s.Provider, "hers", "grace@uni.example"); err != nil || in.Outcome != signin.SignIn {
			t.Errorf("her own: %v (%v)", in.Outcome, err)
		}
		// A subject is one person's.
		s.ask("PATCH", "/Users/"+other, patch(op("add", "", doc{personURN: doc{"subject": "further"}}))).refused(409, "uniqueness")
		s.ask("PATCH", "/Users/"+other, patch(op("add", personURN+":subject", "hers"))).refused(409, "uniqueness")
		s.ask("PATCH", "/Users/"+other, patch(op("add", personURN+":subject", "two\nlines"))).refused(400, "invalidValue")
		// Unlinked, the address claims again.
		s.ask("PATCH", "/Users/"+other, patch(op("add", personURN+":subject", "late"))).is(200)
		s.ask("PATCH", "/Users/"+other, patch(op("remove", personURN+":subject", nil))).is(200).has(nil, personURN, "subject")
		in, err = s.signIn(s.Provider, "somebody", "waiting@uni.example")
		s.comesAs("by the address", other, in, err)
	})
}

func TestEntraLinksByTheObjectID(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		before := s.create("old@uni.example", "externalId", "oid-0") // told before it was configured
		s.speakFor("entra", service.LinkByExternalID)
		id := s.create("grace@uni.example", "externalId", "oid-1")
		s.ask("GET", "/Users/"+id, nil).has("oid-1", personURN, "subject")
		oid := func(v string) func(*signin.Token) { return func(t *signin.Token) { t.ObjectID = v } }
		_, err := s.signIn(entra, "oid-1", "grace@uni.example", oid("oid-9"))
		s.staysOut("A-11: a subject that looks like an object id", "linked-elsewhere", err)
		_, err = s.signIn(entra, "pairwise", "x@evil.example", oid("oid-1"), func(t *signin.Token) { t.Tenant = "99999999-2222-3333-4444-555555555555" })
		s.staysOut("A-12: another tenant", "tenant-not-allowed", err)
		in, err := s.signIn(entra, "pairwise", "g.hopper@elsewhere.example", oid("oid-1"), func(t *signin.Token) { t.EmailVerified = signin.VerifiedAbsent })
		s.comesAs("the object id", id, in, err)
		in, err = s.signIn(entra, "pairwise-0", "", oid("oid-0"))
		s.comesAs("of whom was told before", before, in, err)
		if in, err := s.signIn(entra, "pairwise", "", oid("oid-1")); err != nil || in.Outcome != signin.SignIn {
			t.Errorf("again: %v (%v)", in.Outcome, err)
		}
		// Without a provider, nothing is linked any more.
		s.create("late@uni.example", "externalId", "oid-3")
		none := ""
		d, err := s.Service.UpdateDirectory(ctx, s.admin, s.directory, service.DirectoryPatch{Provider: &none})
		if err != nil || d.Counts.Linked != 0 || d.ByExternalID || d.Provider != nil {
			t.Errorf("after: %+v (%v)", d, err)
		}
		if n := s.count(`directory_links`); n != 0 {
			t.Errorf("%d links are left", n)
		}
	})
}

// TestDeprovisioningEndsASessionAtTheNextRequest is what an institution counts on when
// somebody leaves it.
func TestDeprovisioningEndsASessionAtTheNextRequest(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		for _, how := range []string{"patched", "replaced", "deleted"} {
			email := how + "@uni.example"
			id := s.create(email)
			in, err := s.signIn(s.Provider, "sub of "+how, email)
			s.comesAs(how, id, in, err)
			browser := s.WithSession(in.Secret)
			if a := browser.Get("/api/v1/me"); a.Status != http.StatusOK {
				t.Fatalf("%s: signed in, and answers %d", how, a.Status)
			}
			switch how {
			case "patched":
				s.ask("PATCH", "/Users/"+id, patch(op("Replace", "active", "False"))).is(200).has(false, "active")
			case "replaced":
				s.ask("PUT", "/Users/"+id, person(email, "active", false)).is(200).has(false, "active")
			case "deleted":
				s.ask("DELETE", "/Users/"+id, nil).is(204)
				s.ask("GET", "/Users/"+id, nil).refused(404, "")
				s.ask("GET", filtered("Users", `userName eq "`+email+`"`), nil).has(0, "totalResults")
			}
			if a := browser.Get("/api/v1/me"); a.Status != http.StatusUnauthorized {
				t.Errorf("%s: the session answers %d", how, a.Status)
			}
			if got := s.status(email); got != "suspended" {
				t.Errorf("%s: the account is %s, and no directory erases", how, got)
			}
			_, err = s.signIn(s.Provider, "sub of "+how, email)
			s.staysOut(how, "account-suspended", err)
			// Back again: a deleted one by a new POST, with the same id and all they had.
			if how == "deleted" {
				s.ask("POST", "/Users", person(email)).is(201).has(id, "id").has(true, "active")
			} else {
				s.ask("PATCH", "/Users/"+id, patch(op("replace", "active", true))).is(200).has(true, "active").has("active", personURN, "status")
			}
			if in, err := s.signIn(s.Provider, "sub of "+how, email); err != nil || strconv.FormatInt(in.User.ID, 10) != id {
				t.Errorf("%s: back: %v", how, err)
			}
		}
	})
}

// TestA19WhoIsSuspendedBeforeTheyComeIsNotClaimed: also not by a link.
func TestA19WhoIsSuspendedBeforeTheyComeIsNotClaimed(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.speakFor("google", service.LinkByAttribute)
		id := s.create("grace@uni.example", "active", false, personURN, doc{"subject": "hers"})
		s.ask("GET", "/Users/"+id, nil).has(false, "active").has("suspended", personURN, "status")
		_, err := s.signIn(s.Provider, "hers", "grace@uni.example")
		s.staysOut("by the link", "account-suspended", err)
		s.ask("PATCH", "/Users/"+id, patch(op("replace", "userName", "g.hopper@uni.example"))).is(200).has(false, "active")
		s.ask("PATCH", "/Users/"+id, patch(op("replace", "active", true))).is(200).has("pending", personURN, "status")
		in, err := s.signIn(s.Provider, "hers", "grace@uni.example")
		s.comesAs("restored", id, in, err)
		// Suspended and never claimed, deleting withdraws.
		gone := s.create("never@uni.example", "active", false)
		s.ask("DELETE", "/Users/"+gone, nil).is(204)
		if n := s.count(`emails WHERE address = 'never@uni.example'`); n != 0 {
			t.Error("who was withdrawn has an address")
		}
		// Suspended by an administrator, it does not, since they would be somebody new.
		kept := s.create("kept@uni.example")
		number, err := strconv.ParseInt(kept, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		status := "suspended"
		if _, err := s.Service.UpdateUser(ctx, s.admin, number, service.UserPatch{Status: &status}); err != nil {
			t.Fatal(err)
		}
		s.ask("DELETE", "/Users/"+kept, nil).is(204)
		s.ask("GET", "/Users/"+kept, nil).is(404)
		_, err = s.signIn(s.Provider, "theirs", "kept@uni.example")
		s.staysOut("deleted in the directory", "account-suspended", err)
	})
}

// TestWhomAnAdministratorSuspendedADirectoryDoesNotRestore: a full synchronization
// sends active for everybody.
func TestWhomAnAdministratorSuspendedADirectoryDoesNotRestore(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		id := s.create("grace@uni.example")
		in, err := s.signIn(s.Provider, "hers", "grace@uni.example")
		if err != nil {
			t.Fatal(err)
		}
		set := func(status string) {
			t.Helper()
			if _, err := s.Service.UpdateUser(ctx, s.admin, in.User.ID, service.UserPatch{Status: &status}); err != nil {
				t.Fatal(err)
			}
		}
		set("suspended")
		s.ask("PATCH", "/Users/"+id, patch(op("replace", "active", true))).is(200).has(false, "active")
		s.ask("PATCH", "/Users/"+id, patch(op("replace", "active", false))).is(200).has(false, "active")
		s.ask("PATCH", "/Users/"+id, patch(op("replace", "active", true))).is(200).has(false, "active")
		set("active")
		s.ask("PATCH", "/Users/"+id, patch(op("replace", "active", false))).is(200).has(false, "active")
		set("active") // an administrator decides otherwise, and then again
		set("suspended")
		s.ask("PATCH", "/Users/"+id, patch(op("replace", "active", true))).is(200).has(false, "active")
	})
}

// TestAnAddressThatADirectoryChangesLetsNobodyIn is decision 4 of the security plan.
func TestAnAddressThatADirectoryChangesLetsNobodyIn(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		id := s.create("grace@uni.example")
		in, err := s.signIn(s.Provider, "hers", "grace@uni.example")
		if err != nil {
			t.Fatal(err)
		}
		waiting := s.create("waiting@uni.example")
		s.ask("PATCH", "/Users/"+id, patch(op("replace", "userName", "waiting@uni.example"))).refused(409, "uniqueness")
		s.ask("PUT", "/Users/"+id, person("g.hopper@uni.example")).is(200).has("g.hopper@uni.example", "userName")
		for _, email := range []string{"grace@uni.example", "g.hopper@uni.example"} {
			_, err := s.signIn(s.Provider, "another", email)
			s.staysOut(email, "address-in-use", err)
			s.ask("GET", filtered("Users", `userName eq "`+email+`"`), nil).has(1, "totalResults").has(id, "Resources", 0, "id")
			s.ask("POST", "/Users", person(email)).refused(409, "uniqueness")
		}
		if again, err := s.signIn(s.Provider, "hers", "grace@uni.example"); err != nil || again.User.ID != in.User.ID {
			t.Errorf("she herself: %v", err)
		}
		// Of somebody who has not come, the old address is free.
		s.ask("PATCH", "/Users/"+waiting, patch(op("replace", "userName", "right@uni.example"))).is(200)
		if n := s.count(`emails WHERE address = 'waiting@uni.example'`); n != 0 {
			t.Error("the wrong address still leads to them")
		}
		other, err := s.signIn(s.Provider, "stranger", "waiting@uni.example")
		if err != nil || strconv.FormatInt(other.User.ID, 10) == waiting {
			t.Errorf("who has the old address: user %d (%v)", other.User.ID, err)
		}
		if n := s.count(`audit_entries WHERE action IN ('address.correct', 'address.change') AND actor_id = $1`, s.directory); n != 2 {
			t.Errorf("%d changes are in the audit", n)
		}
	})
}

// TestD01ManyDirectoriesNameOnePerson: at once, one makes the person and the others are
// told so.
func TestD01ManyDirectoriesNameOnePerson(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		statuses := make([]int, 12)
		var wait sync.WaitGroup
		for i := range statuses {
			wait.Go(func() {
				statuses[i] = s.idp.JSON("POST", "/scim/v2/Users", person("grace@uni.example")).Status
			})
		}
		wait.Wait()
		made := 0
		for _, status := range statuses {
			switch status {
			case http.StatusCreated:
				made++
			case http.StatusConflict:
			default:
				t.Errorf("one was answered %d", status)
			}
		}
		if made != 1 || s.count(`emails WHERE address = 'grace@uni.example'`) != 1 {
			t.Errorf("%d made her", made)
		}
	})
}

// TestD04AClaimAndADirectoryAtOnce: whoever is first, nothing is half done.
func TestD04AClaimAndADirectoryAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.speakFor("google", service.LinkByAttribute)
		for i := range 12 {
			email, subject := fmt.Sprintf("p%d@uni.example", i), fmt.Sprint("s-", i)
			id := s.create(email, personURN, doc{"subject": subject})
			var wait sync.WaitGroup
			wait.Go(func() { _, _ = s.signIn(s.Provider, subject, email) })
			wait.Go(func() {
				s.idp.JSON("PATCH", "/scim/v2/Users/"+id, patch(op("replace", "active", false)))
			})
			wait.Go(func() {
				s.idp.JSON("PATCH", "/scim/v2/Users/"+id, patch(op("replace", "userName", fmt.Sprintf("q%d@uni.example", i))))
			})
			wait.Wait()
			s.ask("GET", "/Users/"+id, nil).has(false, "active")
			if n := s.count(`sessions WHERE user_id = $1`, id); n != 0 {
				t.Errorf("%s has %d sessions and is suspended", email, n)
			}
		}
	})
}

func TestI13WhoIsErasedOrMergedLeavesADirectory(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.speakFor("google", service.LinkByAttribute)
		id := s.create("grace@uni.example", "externalId", "e-1", personURN, doc{"subject": "hers"})
		in, err := s.signIn(s.Provider, "hers", "grace@uni.example")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Service.EraseUser(ctx, s.admin, in.User.ID, service.Leaving{}); err != nil {
			t.Fatal(err)
		}
		s.ask("GET", "/Users/"+id, nil).refused(404, "")
		s.ask("PATCH", "/Users/"+id, patch(op("replace", "active", true))).refused(404, "")
		s.ask("GET", filtered("Users", `externalId eq "e-1"`), nil).has(0, "totalResults")
		if n := s.count(`directory_links`) + s.count(`directory_people`); n != 0 {
			t.Errorf("%d rows tell of somebody who was erased", n)
		}
		again := s.create("grace@uni.example", "externalId", "e-1", personURN, doc{"subject": "hers"})
		if again == id {
			t.Error("a new person has the id of one who was erased")
		}
	})
}

// TestTheLastAdministratorIsNotSuspendedByADirectory, and a course whose only owner
// leaves the institution is left without one, on record.
func TestTheLastAdministratorIsNotSuspendedByADirectory(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		root := fmt.Sprint(s.ask("GET", filtered("Users", `userName eq "root@uni.example"`), nil).at("Resources", 0, "id"))
		s.ask("PATCH", "/Users/"+root, patch(op("replace", "active", false))).refused(409, "")
		s.ask("DELETE", "/Users/"+root, nil).refused(409, "")
		if got := s.status("root@uni.example"); got != "active" {
			t.Errorf("the administrator is %s", got)
		}
		d, err := s.Service.DirectoryByID(ctx, s.admin, s.directory)
		if err != nil || len(d.Faults) != 2 || d.Faults[0].Call != "DELETE /scim/v2/Users/{id}" || d.Faults[0].Status != 409 || d.Faults[0].Problem != "last-administrator" || d.LastCallAt.IsZero() {
			t.Errorf("the administrators are shown %+v (%v)", d, err)
		}
		ada, _ := s.course("Algorithms", "")
		s.ask("PATCH", fmt.Sprintf("/Users/%d", ada.UserID), patch(op("replace", "active", false))).is(200)
		if n := s.count(`audit_entries WHERE action = 'user.update' AND subject_id = $1 AND after LIKE '%orphaned_courses%'`, ada.UserID); n != 1 {
			t.Error("it is not on record that the course has no owner")
		}
	})
}
