package access

import (
	"slices"
	"strings"
	"testing"
	"time"

	"matricula/internal/lms"
)

var (
	openCourse     = lms.Course{ID: 7, Title: "Algorithms"}
	archivedCourse = lms.Course{ID: 7, Title: "Algorithms", ArchivedAt: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)}
)

// preset is a member with one of the preset roles.
func preset(id int64, key string) lms.Member {
	m := lms.Member{User: lms.User{ID: id, Kind: lms.KindPerson, Status: lms.StatusActive, SiteRole: lms.SiteMember, Name: key}}
	for i, r := range lms.PresetRoles() {
		if r.Key == key {
			r.ID, r.CourseID = int64(i+1), openCourse.ID
			m.Enrollment = &lms.Enrollment{UserID: id, CourseID: openCourse.ID, Role: r}
		}
	}
	return m
}

// with gives a member privileges beside the role.
func with(m lms.Member, allow, deny lms.PrivilegeSet) lms.Member {
	m.Grant = &lms.Grant{UserID: m.User.ID, CourseID: openCourse.ID, Allow: allow, Deny: deny}
	return m
}

func standing(c lms.Course, m lms.Member) *Standing { return &Standing{Course: c, Member: m} }

func person(id int64) Caller {
	return Caller{UserID: id, Kind: lms.KindPerson, SiteRole: lms.SiteMember, SessionID: 1}
}

func denial(t *testing.T, err error, code lms.Code, typ string) {
	t.Helper()
	if lms.CodeOf(err) != code || lms.TypeOf(err) != typ {
		t.Errorf("got %v, want %s %s", err, code, typ)
	}
}

func TestEveryPrivilegeGuardsSomethingAndNothingElseIsAskedFor(t *testing.T) {
	if got, want := Guarded(), lms.AllPrivileges(); got != want {
		t.Errorf("guarded are %v, privileges are %v", got.List(), want.List())
	}
	for a, r := range rules {
		for _, p := range r.any {
			if _, ok := p.Info(); !ok {
				t.Errorf("%s asks for %q, which is no privilege", a, p)
			}
		}
		if len(r.any) > 0 && !r.course {
			t.Errorf("%s asks for a privilege, and is about no course", a)
		}
		if r.frozen && !r.course {
			t.Errorf("%s is possible in an archived course, and is about no course", a)
		}
	}
}

// TestC01TheWholePolicyByRole is the policy as people would write it down: for
// each action on a course, the presets that may do it.
func TestC01TheWholePolicyByRole(t *testing.T) {
	all := []string{lms.RoleOwner, lms.RoleTeacher, lms.RoleAssistant, lms.RoleObserver, lms.RoleStudent}
	may := map[Action][]string{
		CourseView:        all,
		CourseUpdate:      all[:2],
		CourseArchive:     all[:1],
		CourseRestore:     all[:1],
		CourseDelete:      all[:1],
		CourseHandOver:    all[:1],
		CourseCopy:        all[:2],
		RosterView:        all[:4],
		AccessView:        all[:4],
		RoleView:          all[:4],
		EnrollmentCheck:   all[:3],
		EnrollmentAdd:     all[:3],
		NoticeSend:        all[:3],
		EnrollmentChange:  all[:3],
		EnrollmentRemove:  all[:3],
		EnrollmentRestore: all[:3],
		ImportView:        all[:3],
		ImportCreate:      all[:3],
		ImportChange:      all[:3],
		ImportStart:       all[:3],
		ImportRun:         all[:3],
		ImportCancel:      all[:3],
		ImportUndo:        all[:3],
		SectionView:       all[:4],
		SectionCreate:     all[:3],
		SectionUpdate:     all[:3],
		SectionDelete:     all[:3],
		PrivilegesSet:     all[:2],
		UserRenew:         all[:3],
		ClaimView:         all[:3],
		ClaimApprove:      all[:3],
		ClaimRefuse:       all[:3],
		RoleCreate:        all[:2],
		RoleUpdate:        all[:2],
		RoleDelete:        all[:2],
		AuditView:         all[:2],
		GrantReview:       all[:2],
		GrantConfirm:      all[:2],
		GrantTake:         all[:2],

		RosterExport:       all[:4],
		CoursePreview:      all[:4],
		AuditExport:        all[:2],
		AnnouncementView:   all,
		AnnouncementCreate: all[:2],
		AnnouncementUpdate: all[:2],
		AnnouncementDelete: all[:2],
		WebhookView:        all[:2],
		WebhookCreate:      all[:2],
		WebhookUpdate:      all[:2],
		WebhookDelete:      all[:2],
		WebhookSend:        all[:2],
	}
	for _, a := range Actions() {
		if !a.OfCourse() || rules[a].scope != "" {
			continue
		}
		roles, ok := may[a]
		if !ok {
			t.Errorf("%s has no row in this table", a)
			continue
		}
		for _, role := range all {
			m := preset(3, role)
			err := Decide(person(3), a, standing(openCourse, m))
			if slices.Contains(roles, role) {
				if err != nil {
					t.Errorf("%s as %s: %v", a, role, err)
				}
			} else {
				denial(t, err, lms.CodeForbidden, "forbidden")
			}
		}
		// Whoever has no place is not told that there is such a course.
		stranger := lms.Member{User: lms.User{ID: 4}}
		denial(t, Decide(person(4), a, standing(openCourse, stranger)), lms.CodeNotFound, "not-found")
		denial(t, Decide(person(4), a, nil), lms.CodeNotFound, "not-found")
		// Nor is somebody to whom something is only denied.
		denied := with(stranger, 0, lms.SetOf(lms.AuditView))
		denial(t, Decide(person(4), a, standing(openCourse, denied)), lms.CodeNotFound, "not-found")
		denial(t, Decide(Caller{}, a, standing(openCourse, preset(3, lms.RoleOwner))), lms.CodeUnauthenticated, "sign-in-required")
		admin := person(5)
		admin.SiteRole = lms.SiteAdmin
		if err := Decide(admin, a, standing(openCourse, lms.Member{User: lms.User{ID: 5}})); err != nil {
			t.Errorf("%s as an administrator: %v", a, err)
		}
	}
}

func TestTheWholePolicyBySiteRole(t *testing.T) {
	any3 := []lms.SiteRole{lms.SiteMember, lms.SiteTeacher, lms.SiteAdmin}
	may := map[Action][]lms.SiteRole{
		CourseCreate: any3[1:], SiteAuditView: any3[2:], SiteExport: any3[2:], UserName: any3[2:], UserUpdate: any3[2:], DirectoryView: any3,
		UserErase: any3[2:], UserExport: any3[2:], ErasureView: any3[2:], ErasureRefuse: any3[2:], ErasureAsk: any3, ErasureRecall: any3,
		AccountView: any3, AccountUpdate: any3, AccountExport: any3, SessionEnd: any3, TokenView: any3, TokenCreate: any3, TokenRevoke: any3,
		LimitView: any3[2:], LimitUpdate: any3[2:], LimitLift: any3[2:], LimitRestore: any3[2:],
		TermView: any3, TermCreate: any3[2:], TermUpdate: any3[2:], TermDelete: any3[2:],
		SourceView: any3[2:], SourceCreate: any3[2:], SourceUpdate: any3[2:], SourceDelete: any3[2:], SourceRun: any3[2:],
		AddressProve: any3, AddressAdd: any3, AddressRemove: any3, AddressPrimary: any3, MailView: any3[2:],
		UserSignIn: nil, UserClaim: nil, UserSignUp: nil, UserProve: nil, NoticeObject: nil, AddressChange: nil, EnrollmentEnd: nil, SessionReused: nil,
		AddressCorrect: any3, UserWithdraw: any3, UserExpire: nil,
		MergeView: any3, UserMerge: any3, UserSplit: any3, MergeAsk: any3[2:], MergeAccept: any3, MergeWithdraw: any3,
		ClaimAsk: any3, ClaimRecall: any3, ClaimObject: nil, ClaimList: any3[2:], ClaimReject: any3[2:],
		DuplicatesView: any3[2:], DuplicatesDismiss: any3[2:],
		SiteWebhookView: any3[2:], SiteWebhookCreate: any3[2:], SiteWebhookUpdate: any3[2:], SiteWebhookDelete: any3[2:], SiteWebhookSend: any3[2:], WebhookPause: nil,
		DirectoriesView: any3[2:], DirectoryCreate: any3[2:], DirectoryUpdate: any3[2:], DirectoryToken: any3[2:], DirectoryEnd: any3[2:],
	}
	for _, a := range Actions() {
		if a.OfCourse() || rules[a].scope != "" {
			continue
		}
		roles, ok := may[a]
		if !ok {
			t.Errorf("%s has no row in this table", a)
			continue
		}
		for _, role := range any3 {
			c := person(3)
			c.SiteRole = role
			err := Decide(c, a, nil)
			if slices.Contains(roles, role) != (err == nil) {
				t.Errorf("%s as a site %s: %v", a, role, err)
			}
			if err != nil && lms.CodeOf(err) != lms.CodeForbidden {
				t.Errorf("%s as a site %s: %v", a, role, err)
			}
		}
		if err := Decide(Caller{}, a, nil); err == nil {
			t.Errorf("anybody may do %s", a)
		}
	}
}

func TestWhatIsNoActionCannotBeAskedFor(t *testing.T) {
	admin := person(1)
	admin.SiteRole = lms.SiteAdmin
	for _, a := range []Action{"", "course.burn", "Course.Update", UserSignIn, UserClaim, UserSignUp, UserProve, NoticeObject, AddressChange} {
		denial(t, Decide(admin, a, standing(openCourse, preset(1, lms.RoleOwner))), lms.CodeForbidden, "forbidden")
	}
}

func TestAnArchivedCourseIsReadAndRestoredButNotChanged(t *testing.T) {
	for _, a := range Actions() {
		if !a.OfCourse() || rules[a].scope != "" {
			continue
		}
		err := Decide(person(3), a, standing(archivedCourse, preset(3, lms.RoleOwner)))
		if frozen := a.Writes() && a != CourseArchive && a != CourseRestore && a != CourseDelete && a != CourseCopy && a != ImportCancel && a != WebhookUpdate && a != WebhookDelete; frozen {
			denial(t, err, lms.CodeConflict, "course-archived")
		} else if err != nil {
			t.Errorf("%s: %v", a, err)
		}
		// Whoever may not is told so first, archived or not.
		if err := Decide(person(4), a, standing(archivedCourse, lms.Member{User: lms.User{ID: 4}})); lms.CodeOf(err) != lms.CodeNotFound {
			t.Errorf("%s as a stranger: %v", a, err)
		}
	}
}

func TestC17ATokenDoesNoMoreThanItsScopesAndItsCourses(t *testing.T) {
	owner := preset(3, lms.RoleOwner)
	token := func(site lms.SiteRole, scopes []lms.Scope, courses ...int64) Caller {
		return Caller{UserID: 3, SiteRole: site, TokenID: 9, Scopes: scopes, CourseIDs: courses}
	}
	read, both := []lms.Scope{lms.ScopeRead}, []lms.Scope{lms.ScopeRead, lms.ScopeWrite}
	for _, a := range Actions() {
		if rules[a].system || rules[a].scope != "" {
			continue
		}
		var st *Standing
		if a.OfCourse() {
			st = standing(openCourse, owner)
		}
		check := func(what string, c Caller, want bool) {
			t.Helper()
			if err := Decide(c, a, st); (err == nil) != want {
				t.Errorf("%s with %s: %v", a, what, err)
			}
		}
		browser := slices.Contains([]Action{SessionEnd, TokenCreate, AccountExport, AddressProve, AddressAdd, AddressRemove, AddressPrimary, MergeAccept, UserExport, ErasureAsk, ErasureRecall, DirectoryCreate, DirectoryToken}, a)
		check("a read token", token(lms.SiteAdmin, read), !a.Writes() && !browser)
		check("a token without scopes", token(lms.SiteAdmin, nil), false)
		check("a full token", token(lms.SiteAdmin, both), !browser)
		check("a write token, which also reads", token(lms.SiteAdmin, []lms.Scope{lms.ScopeWrite}), !browser)
		if a.OfCourse() {
			check("a token for this course", token(lms.SiteMember, both, 6, 7), true)
			check("a token for another course", token(lms.SiteMember, both, 6), false)
			check("an administrator's token for another course", token(lms.SiteAdmin, both, 6), false)
			denial(t, Decide(token(lms.SiteAdmin, both, 6), a, st), lms.CodeNotFound, "not-found")
		} else {
			// Outside of its courses it sees what anybody may see of
			// themselves, and has no site rights.
			check("an administrator's token for one course", token(lms.SiteAdmin, both, 7), !a.Writes() && !browser && len(rules[a].site) == 0)
		}
	}
}

func TestC17AnAdministratorsTokenForOneCourseMakesNobodyAnAdministratorThere(t *testing.T) {
	c := Caller{UserID: 5, SiteRole: lms.SiteAdmin, TokenID: 9, Scopes: []lms.Scope{lms.ScopeRead, lms.ScopeWrite}, CourseIDs: []int64{7}}
	st := standing(openCourse, lms.Member{User: lms.User{ID: 5, SiteRole: lms.SiteAdmin}})
	if c.Admin() || st.Owner(c) || st.Holds(c) != 0 {
		t.Error("a limited token holds everything")
	}
	denial(t, Decide(c, CourseUpdate, st), lms.CodeNotFound, "not-found")
}

func TestARefusalNamesThePrivilegeThatIsMissingAndWhomToAsk(t *testing.T) {
	for _, a := range Actions() {
		if len(rules[a].any) == 0 || rules[a].scope != "" {
			continue
		}
		err := Decide(person(3), a, standing(openCourse, preset(3, lms.RoleStudent)))
		if msg := err.Error(); !strings.Contains(msg, string(rules[a].any[0].Label())) || !strings.Contains(msg, "Ask") {
			t.Errorf("%s: %s", a, msg)
		}
	}
}

func TestTheCallerOfARequestIsTheOneThatWasFound(t *testing.T) {
	c, u := CallerOf(t.Context())
	if !c.Anonymous() || u != (lms.User{}) {
		t.Errorf("nobody signed in, and it is %+v", c)
	}
	want, who := person(3), lms.User{ID: 3, Name: "Ada"}
	c, u = CallerOf(WithCaller(t.Context(), want, who))
	if c.UserID != 3 || c.SessionID != 1 || u != who {
		t.Errorf("got %+v %+v", c, u)
	}
}
