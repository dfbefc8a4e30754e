package service_test

import (
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/store"
)

// directoryCaller sets a directory up and gives it as a caller.
func (s *school) directoryCaller(name string) access.Caller {
	s.tb.Helper()
	made, err := s.CreateDirectory(ctx, s.admin, name, nil)
	if err != nil {
		s.tb.Fatal(err)
	}
	return s.byToken(made.Secret)
}

func (s *school) provision(by access.Caller, f service.ProvisionedFields) service.ProvisionedUser {
	s.tb.Helper()
	p, err := s.ProvisionUser(ctx, by, f)
	if err != nil {
		s.tb.Fatal(err)
	}
	return p
}

// TestWhomADirectoryKeepsDoesNotExpire, until it lets go of them.
func TestWhomADirectoryKeepsDoesNotExpire(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		idp := s.directoryCaller("Entra")
		kept := s.provision(idp, service.ProvisionedFields{UserName: "kept@uni.example", Active: true})
		ada := s.teacher("ada@uni.example")
		named := s.enroll(ada, s.course(ada, "Algorithms"), lms.RoleStudent, "named@uni.example")[0]
		s.clock.advance(31 * 24 * time.Hour)
		if _, err := s.ExpirePending(ctx); err != nil {
			t.Fatal(err)
		}
		if n := s.count(`users WHERE id = $1 AND status = 'erased'`, named); n != 1 {
			t.Error("who was only named has not expired")
		}
		if got := s.user(kept.ID).Status; got != lms.StatusPending {
			t.Errorf("whom a directory keeps is %s", got)
		}
		if err := s.EndProvisioned(ctx, idp, kept.ID); err != nil {
			t.Fatal(err)
		}
		if n := s.count(`users WHERE id = $1 AND status = 'erased'`, kept.ID); n != 1 {
			t.Error("who was deleted and never came is still there")
		}
	}, func(o *service.Options) { o.PendingDays = 30 })
}

// TestTwoDirectoriesSeeTheSamePeopleAndCallThemDifferently: what one says or deletes is
// nothing to the other.
func TestTwoDirectoriesSeeTheSamePeopleAndCallThemDifferently(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		one, other := s.directoryCaller("Entra"), s.directoryCaller("Okta")
		p := s.provision(one, service.ProvisionedFields{UserName: "grace@uni.example", ExternalID: "e-1", Active: true})
		s.person("grace@uni.example")
		set := func(by access.Caller, change func(*service.ProvisionedFields)) service.ProvisionedUser {
			t.Helper()
			got, err := s.ChangeProvisioned(ctx, by, p.ID, func(is service.ProvisionedUser) (service.ProvisionedFields, error) {
				f := service.FieldsOf(&is)
				change(&f)
				return f, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		if got := set(other, func(f *service.ProvisionedFields) { f.ExternalID = "e-1" }); got.ExternalID != "e-1" {
			t.Errorf("the other calls her %q", got.ExternalID)
		}
		// H-07: her own data say so.
		d, err := s.OwnData(ctx, s.person("grace@uni.example"))
		if err != nil || len(d.Identifiers) != 2 || d.Identifiers[0] != (store.Identifier{Source: "Entra", Identifier: "e-1"}) || d.Identifiers[1].Source != "Okta" {
			t.Errorf("her data have %v (%v)", d.Identifiers, err)
		}
		set(one, func(f *service.ProvisionedFields) { f.Active = false })
		if got := set(other, func(f *service.ProvisionedFields) { f.Active = true }); got.Status != lms.StatusSuspended {
			t.Errorf("a directory restored whom another suspended: %s", got.Status)
		}
		if err := s.EndProvisioned(ctx, other, p.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.ProvisionedUser(ctx, one, p.ID); err != nil {
			t.Errorf("what one deletes the other does not see: %v", err)
		}
		_, err = s.ProvisionedUser(ctx, other, p.ID)
		refused(t, "deleted", err, lms.CodeNotFound, "not-found")
		if got := set(one, func(f *service.ProvisionedFields) { f.Active = true }); got.Status != lms.StatusActive {
			t.Errorf("the one that suspended her did not restore her: %s", got.Status)
		}
	})
}

// TestMergedPeopleKeepWhatDirectoriesSay: both external ids lead to who is kept.
func TestMergedPeopleKeepWhatDirectoriesSay(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		idp := s.directoryCaller("Entra")
		provider, link := "campus", service.LinkByAttribute
		if _, err := s.UpdateDirectory(ctx, s.admin, idp.UserID, service.DirectoryPatch{Provider: &provider, Link: &link}); err != nil {
			t.Fatal(err)
		}
		kept := s.provision(idp, service.ProvisionedFields{UserName: "grace@uni.example", ExternalID: "e-1", Active: true})
		gone := s.provision(idp, service.ProvisionedFields{UserName: "g.hopper@uni.example", ExternalID: "e-2", Subject: "hers", Active: true})
		_, err := s.MergePeople(ctx, s.admin, service.MergeRequest{Keep: byID(kept.ID), Merge: byID(gone.ID)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"e-1", "e-2"} {
			list, n, err := s.ProvisionedUsers(ctx, idp, service.ProvisioningQuery[service.ProvisionedUser]{ExternalID: &id, Limit: 5})
			if err != nil || n != 1 || list[0].ID != kept.ID {
				t.Errorf("%s finds %d (%v)", id, n, err)
			}
		}
		_, err = s.ProvisionedUser(ctx, idp, gone.ID)
		refused(t, "who was merged", err, lms.CodeNotFound, "not-found")
		in, err := s.SignIn(ctx, campus, token("hers", "elsewhere@uni.example"), "Test", "r")
		if err != nil || in.User.ID != kept.ID {
			t.Errorf("the link leads to user %d (%v), not %d", in.User.ID, err, kept.ID)
		}
	}, func(o *service.Options) { o.Providers = append(o.Providers, campus) })
}

// TestADirectoryWhoseTokenWasReplacedOrStopped cannot go on.
func TestADirectoryWhoseTokenWasReplacedOrStopped(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		made, err := s.CreateDirectory(ctx, s.admin, "Entra", nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.CreateDirectory(ctx, s.admin, "Entra", nil)
		refused(t, "the same name", err, lms.CodeInvalid, "directory-name-taken")
		again, err := s.RenewDirectoryToken(ctx, s.admin, made.AccountID, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = s.ByToken(ctx, made.Secret, "r")
		refused(t, "the token before", err, lms.CodeUnauthenticated, "bad-token")
		idp := s.byToken(again.Secret)
		s.provision(idp, service.ProvisionedFields{UserName: "grace@uni.example", Active: true})
		if err := s.EndDirectory(ctx, s.admin, made.AccountID); err != nil {
			t.Fatal(err)
		}
		_, _, err = s.ByToken(ctx, again.Secret, "r")
		refused(t, "a stopped one", err, lms.CodeUnauthenticated, "bad-token")
		list, err := s.Directories(ctx, s.admin)
		if err != nil || len(list) != 1 || list[0].Counts.People != 1 || list[0].Counts.Pending != 1 || len(list[0].Tokens) != 0 {
			t.Errorf("the page shows %+v (%v)", list, err)
		}
		ada := s.teacher("ada@uni.example")
		_, err = s.Directories(ctx, ada)
		refused(t, "a teacher", err, lms.CodeForbidden, "forbidden")
		_, err = s.UpdateDirectory(ctx, s.admin, made.AccountID, service.DirectoryPatch{Provider: ptr("nowhere")})
		refused(t, "no such provider", err, lms.CodeInvalid, "unknown-provider")
		_, err = s.UpdateDirectory(ctx, s.admin, ada.UserID, service.DirectoryPatch{})
		refused(t, "a person", err, lms.CodeNotFound, "not-found")
	})
}
