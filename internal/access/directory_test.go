package access

import (
	"testing"

	"matricula/internal/lms"
)

// TestC17OnlyADirectoryProvisions: a service account of an administrator's role, with
// a token of the scope scim. Such a token opens nothing else.
func TestC17OnlyADirectoryProvisions(t *testing.T) {
	scim := []lms.Scope{lms.ScopeSCIM}
	directory := Caller{UserID: 9, Kind: lms.KindService, SiteRole: lms.SiteAdmin, TokenID: 1, Scopes: scim}
	others := map[string]Caller{
		"a person's token":               {UserID: 9, Kind: lms.KindPerson, SiteRole: lms.SiteAdmin, TokenID: 1, Scopes: scim},
		"a session":                      {UserID: 9, Kind: lms.KindPerson, SiteRole: lms.SiteAdmin, SessionID: 1},
		"a program":                      {UserID: 9, Kind: lms.KindService, SiteRole: lms.SiteAdmin, TokenID: 1, Program: true, Scopes: scim},
		"a token that reads and writes":  {UserID: 9, Kind: lms.KindService, SiteRole: lms.SiteAdmin, TokenID: 1, Scopes: []lms.Scope{lms.ScopeRead, lms.ScopeWrite}},
		"a token for one course":         {UserID: 9, Kind: lms.KindService, SiteRole: lms.SiteAdmin, TokenID: 1, Scopes: scim, CourseIDs: []int64{openCourse.ID}},
		"a service account of no rights": {UserID: 9, Kind: lms.KindService, SiteRole: lms.SiteMember, TokenID: 1, Scopes: scim},
		"nobody":                         {},
	}
	n := 0
	for _, a := range Actions() {
		var st *Standing
		if a.OfCourse() {
			st = standing(openCourse, lms.Member{User: lms.User{ID: 9}})
		}
		if rules[a].scope == "" {
			if err := Decide(directory, a, st); err == nil {
				t.Errorf("a directory may do %s", a)
			}
			continue
		}
		n++
		if err := Decide(directory, a, st); err != nil {
			t.Errorf("a directory may not do %s: %v", a, err)
		}
		for what, c := range others {
			if Decide(c, a, st) == nil {
				t.Errorf("%s may do %s", what, a)
			}
		}
	}
	if n != 4 {
		t.Errorf("%d actions are for directories", n)
	}
	denial(t, Decide(directory, ProvisionRoster, standing(archivedCourse, lms.Member{User: lms.User{ID: 9}})), lms.CodeConflict, "course-archived")
}
