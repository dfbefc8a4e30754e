// Package access decides who may do what. It is made of tables and pure
// functions over package lms: no database, no clock, no HTTP. Whatever it
// refuses, it refuses with an error that the person can be shown.
//
// The rules, in short (ADR 0009): what somebody may do in a course is
// (role + allow) - deny, where managing implies viewing, deny wins and an owner
// holds everything. Site administrators hold everything everywhere. Nobody
// gives or takes what they do not hold, changes what they themselves may do, or
// touches somebody who holds more than they.
package access

import (
	"slices"

	"matricula/internal/lms"
)

// Caller is who asks: a person with a session, a user's API token, or a program in
// which a person signed in. The zero Caller is anonymous.
type Caller struct {
	UserID    int64
	Kind      lms.UserKind
	SiteRole  lms.SiteRole
	SessionID int64       // 0 for a token
	TokenID   int64       // 0 for a session; of a program: its session, in which it may do no more than a token
	Program   bool        // whether TokenID is that of a program
	Scopes    []lms.Scope // of the token
	CourseIDs []int64     // courses to which the token is limited; empty: no limit
	RequestID string
}

// Anonymous tells whether nobody is signed in.
func (c Caller) Anonymous() bool { return c.UserID == 0 }

// In tells whether a session, of a browser or a program, is the one in which the
// caller asks.
func (c Caller) In(session int64) bool {
	if c.Program {
		return c.TokenID == session
	}
	return c.SessionID != 0 && c.SessionID == session
}

// Admin tells whether the caller holds everything everywhere. A token that is
// limited to courses is no administrator's.
func (c Caller) Admin() bool { return c.SiteRole == lms.SiteAdmin && len(c.CourseIDs) == 0 }

// reaches tells whether the caller's token, if it is one, may be used for a course.
func (c Caller) reaches(courseID int64) bool {
	return len(c.CourseIDs) == 0 || slices.Contains(c.CourseIDs, courseID)
}

// Allowed tells whether the caller has a scope; a session has each.
func (c Caller) Allowed(s lms.Scope) bool {
	if c.TokenID == 0 {
		return true
	}
	return slices.Contains(c.Scopes, s) || (s == lms.ScopeRead && slices.Contains(c.Scopes, lms.ScopeWrite))
}

// rule is what an action asks for.
type rule struct {
	course  bool            // it is about a course; the caller needs a place in it
	any     []lms.Privilege // one of these in the course; none: a place is enough
	site    []lms.SiteRole  // one of these site roles
	write   bool            // it changes something
	browser bool            // only in a session, never with a token
	frozen  bool            // possible although the course is archived
	system  bool            // never asked for by a caller: Matricula does it itself
	scope   lms.Scope       // asked for by a service account's token with this scope alone; empty: by anybody
}

var (
	anybody = []lms.SiteRole(nil)
	authors = []lms.SiteRole{lms.SiteTeacher, lms.SiteAdmin}
	admins  = []lms.SiteRole{lms.SiteAdmin}
)

// rules is the whole policy, one line for each action. That only an owner hands
// a course over, only an author copies one, and whoever merges two people needs the
// roster of all their courses (MayMerge), is decided in the service.
// Enrolling and removing
// ask for the roster or the staff privilege here, and which of the two is
// enough for a person or a role is decided by MayEnroll and MayChange. Correcting
// the address of a pending person and withdrawing them concerns all courses in which
// they have something, and is decided in the service too.
var rules = map[Action]rule{
	CourseCreate:  {site: authors, write: true},
	CourseView:    {course: true, frozen: true},
	CourseUpdate:  {course: true, any: []lms.Privilege{lms.CourseUpdate}, write: true},
	CourseArchive: {course: true, any: []lms.Privilege{lms.CourseArchive}, write: true, frozen: true},
	CourseRestore: {course: true, any: []lms.Privilege{lms.CourseArchive}, write: true, frozen: true},
	CourseDelete:  {course: true, any: []lms.Privilege{lms.CourseArchive}, write: true, frozen: true},

	CourseHandOver: {course: true, any: []lms.Privilege{lms.CourseArchive}, write: true},
	CourseCopy:     {course: true, any: []lms.Privilege{lms.StaffManage}, write: true, frozen: true},

	RosterView:        {course: true, any: []lms.Privilege{lms.RosterView}, frozen: true},
	EnrollmentCheck:   {course: true, any: []lms.Privilege{lms.RosterManage, lms.StaffManage}},
	EnrollmentAdd:     {course: true, any: []lms.Privilege{lms.RosterManage, lms.StaffManage}, write: true},
	NoticeSend:        {course: true, any: []lms.Privilege{lms.RosterManage, lms.StaffManage}, write: true},
	EnrollmentChange:  {course: true, any: []lms.Privilege{lms.RosterManage, lms.StaffManage}, write: true},
	EnrollmentRemove:  {course: true, any: []lms.Privilege{lms.RosterManage, lms.StaffManage}, write: true},
	EnrollmentRestore: {course: true, any: []lms.Privilege{lms.RosterManage, lms.StaffManage}, write: true},
	EnrollmentEnd:     {system: true, write: true},
	ImportView:        {course: true, any: []lms.Privilege{lms.RosterManage, lms.StaffManage}, frozen: true},
	ImportCreate:      {course: true, any: []lms.Privilege{lms.RosterManage, lms.StaffManage}, write: true},
	ImportChange:      {course: true, any: []lms.Privilege{lms.RosterManage, lms.StaffManage}, write: true},
	ImportStart:       {course: true, any: []lms.Privilege{lms.RosterManage, lms.StaffManage}, write: true},
	ImportRun:         {course: true, any: []lms.Privilege{lms.RosterManage, lms.StaffManage}, write: true},
	ImportCancel:      {course: true, any: []lms.Privilege{lms.RosterManage, lms.StaffManage}, write: true, frozen: true},
	ImportUndo:        {course: true, any: []lms.Privilege{lms.RosterManage, lms.StaffManage}, write: true},
	SectionView:       {course: true, any: []lms.Privilege{lms.RosterView}, frozen: true},
	SectionCreate:     {course: true, any: []lms.Privilege{lms.RosterManage}, write: true},
	SectionUpdate:     {course: true, any: []lms.Privilege{lms.RosterManage}, write: true},
	SectionDelete:     {course: true, any: []lms.Privilege{lms.RosterManage}, write: true},
	PrivilegesSet:     {course: true, any: []lms.Privilege{lms.StaffManage}, write: true},
	AccessView:        {course: true, any: []lms.Privilege{lms.RosterView}, frozen: true},
	RoleView:          {course: true, any: []lms.Privilege{lms.RosterView}, frozen: true},
	RoleCreate:        {course: true, any: []lms.Privilege{lms.StaffManage}, write: true},
	RoleUpdate:        {course: true, any: []lms.Privilege{lms.StaffManage}, write: true},
	RoleDelete:        {course: true, any: []lms.Privilege{lms.StaffManage}, write: true},
	AuditView:         {course: true, any: []lms.Privilege{lms.AuditView}, frozen: true},
	GrantReview:       {course: true, any: []lms.Privilege{lms.StaffManage}, frozen: true},
	GrantConfirm:      {course: true, any: []lms.Privilege{lms.StaffManage}, write: true},
	GrantTake:         {course: true, any: []lms.Privilege{lms.StaffManage}, write: true},

	AnnouncementView:   {course: true, frozen: true},
	AnnouncementCreate: {course: true, any: []lms.Privilege{lms.AnnouncementsManage}, write: true},
	AnnouncementUpdate: {course: true, any: []lms.Privilege{lms.AnnouncementsManage}, write: true},
	AnnouncementDelete: {course: true, any: []lms.Privilege{lms.AnnouncementsManage}, write: true},

	TermView:   {site: anybody},
	TermCreate: {site: admins, write: true},
	TermUpdate: {site: admins, write: true},
	TermDelete: {site: admins, write: true},

	LimitView:    {site: admins},
	LimitUpdate:  {site: admins, write: true},
	LimitLift:    {site: admins, write: true},
	LimitRestore: {site: admins, write: true},

	CoursePreview: {course: true, any: []lms.Privilege{lms.RosterView}, frozen: true},

	RosterExport: {course: true, any: []lms.Privilege{lms.RosterView}, frozen: true},
	AuditExport:  {course: true, any: []lms.Privilege{lms.AuditView}, frozen: true},
	SiteExport:   {site: admins},

	SourceView:   {site: admins},
	SourceCreate: {site: admins, write: true},
	SourceUpdate: {site: admins, write: true},
	SourceDelete: {site: admins, write: true},
	SourceRun:    {site: admins, write: true},

	SiteAuditView: {site: admins},
	UserName:      {site: admins, write: true},
	UserUpdate:    {site: admins, write: true},
	UserErase:     {site: admins, write: true},
	UserExport:    {site: admins, browser: true},
	ErasureView:   {site: admins},
	ErasureAsk:    {site: anybody, write: true, browser: true},
	ErasureRecall: {site: anybody, write: true, browser: true},
	ErasureRefuse: {site: admins, write: true},
	DirectoryView: {site: anybody},

	MergeView:     {site: anybody},
	UserMerge:     {site: anybody, write: true},
	UserSplit:     {site: anybody, write: true},
	MergeAsk:      {site: admins, write: true},
	MergeAccept:   {site: anybody, write: true, browser: true},
	MergeWithdraw: {site: anybody, write: true},
	// Somebody asks for what waits for an address that is not that of their account. Who
	// manages a course decides about what waits there.
	ClaimAsk:     {site: anybody, write: true},
	ClaimRecall:  {site: anybody, write: true},
	ClaimObject:  {system: true, write: true},
	ClaimView:    {course: true, any: []lms.Privilege{lms.RosterManage, lms.StaffManage}, frozen: true},
	ClaimApprove: {course: true, any: []lms.Privilege{lms.RosterManage, lms.StaffManage}, write: true},
	ClaimRefuse:  {course: true, any: []lms.Privilege{lms.RosterManage, lms.StaffManage}, write: true},
	ClaimList:    {site: admins},
	ClaimReject:  {site: admins, write: true},

	DuplicatesView:    {site: admins},
	DuplicatesDismiss: {site: admins, write: true},

	AccountView:   {site: anybody},
	AccountUpdate: {site: anybody, write: true},
	AccountExport: {site: anybody, browser: true},
	SessionEnd:    {site: anybody, write: true, browser: true},
	TokenView:     {site: anybody},
	TokenCreate:   {site: anybody, write: true, browser: true},
	TokenRevoke:   {site: anybody, write: true},

	UserSignIn:    {system: true, write: true},
	UserClaim:     {system: true, write: true},
	UserSignUp:    {system: true, write: true},
	AddressChange: {system: true, write: true},
	UserProve:     {system: true, write: true},
	NoticeObject:  {system: true, write: true},
	SessionReused: {system: true, write: true},

	AddressProve:   {site: anybody, write: true, browser: true},
	AddressAdd:     {site: anybody, write: true, browser: true},
	AddressRemove:  {site: anybody, write: true, browser: true},
	AddressPrimary: {site: anybody, write: true, browser: true},

	MailView: {site: admins},

	AddressCorrect: {site: anybody, write: true},
	UserWithdraw:   {site: anybody, write: true},
	UserExpire:     {system: true, write: true},
	UserRenew:      {course: true, any: []lms.Privilege{lms.RosterManage, lms.StaffManage}, write: true},

	// A webhook shows a program the roster and what everybody may do, as giving somebody
	// a role that sees these does. Turning it off is possible also in an archived course.
	WebhookView:   {course: true, any: []lms.Privilege{lms.StaffManage}, frozen: true},
	WebhookCreate: {course: true, any: []lms.Privilege{lms.StaffManage}, write: true},
	WebhookUpdate: {course: true, any: []lms.Privilege{lms.StaffManage}, write: true, frozen: true},
	WebhookDelete: {course: true, any: []lms.Privilege{lms.StaffManage}, write: true, frozen: true},
	WebhookSend:   {course: true, any: []lms.Privilege{lms.StaffManage}, write: true},

	SiteWebhookView:   {site: admins},
	SiteWebhookCreate: {site: admins, write: true},
	SiteWebhookUpdate: {site: admins, write: true},
	SiteWebhookDelete: {site: admins, write: true},
	SiteWebhookSend:   {site: admins, write: true},
	WebhookPause:      {system: true, write: true},
	// What directories ask for by SCIM, which only sees to places that are no staff's.
	ProvisioningView: {site: admins, scope: lms.ScopeSCIM},
	ProvisionUser:    {site: admins, write: true, scope: lms.ScopeSCIM},
	ProvisionGroup:   {site: admins, write: true, scope: lms.ScopeSCIM},
	ProvisionRoster:  {course: true, any: []lms.Privilege{lms.RosterManage}, write: true, scope: lms.ScopeSCIM},

	// The directories themselves. Their tokens are shown to people alone.
	DirectoriesView: {site: admins},
	DirectoryCreate: {site: admins, write: true, browser: true},
	DirectoryUpdate: {site: admins, write: true},
	DirectoryToken:  {site: admins, write: true, browser: true},
	DirectoryEnd:    {site: admins, write: true},
}

// Standing is the caller's place in the course at hand, read in the same
// transaction as the change that it is to allow.
type Standing struct {
	Course lms.Course
	Member lms.Member
}

// Holds is what the caller may do in the course: everything for an
// administrator.
func (s *Standing) Holds(c Caller) lms.PrivilegeSet {
	if c.Admin() {
		return lms.AllPrivileges()
	}
	return s.Member.Effective()
}

// Owner tells whether the caller holds everything, also what later versions add.
func (s *Standing) Owner(c Caller) bool {
	return c.Admin() || (s.Member.Enrollment != nil && s.Member.Enrollment.Role.Owner())
}

// placed tells whether the caller may know that the course exists.
func (s *Standing) placed(c Caller) bool {
	return c.Admin() || s.Member.Enrollment != nil || s.Member.Effective() != 0
}

// ErrAnonymous is what anonymous callers are told.
var ErrAnonymous = lms.Errorf(lms.CodeUnauthenticated, "sign-in-required", "Please sign in first.")

// Decide tells whether the caller may do an action: nil, or an error to show.
// Standing is nil for actions that are not about a course, and when there is
// no such course; both a course that does not exist and one in which the
// caller has no place are "not found".
func Decide(c Caller, a Action, s *Standing) error {
	r, ok := rules[a]
	switch {
	case !ok || r.system:
		return lms.Errorf(lms.CodeForbidden, "forbidden", "This is not something that can be asked for.")
	case c.Anonymous():
		return ErrAnonymous
	}
	if r.course && (s == nil || !c.reaches(s.Course.ID) || !s.placed(c)) {
		return lms.NotFound("course")
	}
	if err := decideToken(c, r); err != nil {
		return err
	}
	if !r.course {
		if len(r.site) > 0 && !slices.Contains(r.site, c.SiteRole) {
			return siteRefusal(a)
		}
		return nil
	}
	if len(r.any) > 0 {
		holds := s.Holds(c)
		if !slices.ContainsFunc(r.any, holds.Has) {
			return lms.Errorf(lms.CodeForbidden, "forbidden", "You need the privilege %q in this course to do this. Ask one of its owners.", r.any[0].Label())
		}
	}
	if r.write && !r.frozen && s.Course.Archived() {
		return lms.Errorf(lms.CodeConflict, "course-archived", "%s is archived: it can be read but not changed. Restore it first.", s.Course.Title)
	}
	return nil
}

func decideToken(c Caller, r rule) error {
	if r.scope != "" {
		return decideScope(c, r)
	}
	if c.TokenID == 0 {
		return nil
	}
	need := lms.ScopeRead
	if r.write {
		need = lms.ScopeWrite
	}
	switch {
	case r.browser:
		return lms.Errorf(lms.CodeForbidden, "token-not-enough", "This cannot be done with an API token. Sign in in a browser to do it.")
	case !c.Allowed(need):
		return lms.Errorf(lms.CodeForbidden, "token-scope", "This API token lacks the scope %q.", need)
	case !r.course && (r.write || len(r.site) > 0) && len(c.CourseIDs) > 0:
		return lms.Errorf(lms.CodeForbidden, "token-scope", "This API token is limited to single courses.")
	}
	return nil
}

// decideScope is for what only a program may ask for that is nobody's: no person's
// session or token, whatever their role.
func decideScope(c Caller, r rule) error {
	switch {
	case c.TokenID == 0 || c.Program || c.Kind != lms.KindService:
		return lms.Errorf(lms.CodeForbidden, "service-account", "Only a service account's API token can do this. An administrator makes one for a directory at /admin/directories.")
	case !slices.Contains(c.Scopes, r.scope):
		return lms.Errorf(lms.CodeForbidden, "token-scope", "This API token lacks the scope %q.", r.scope)
	case len(c.CourseIDs) > 0:
		return lms.Errorf(lms.CodeForbidden, "token-scope", "This API token is limited to single courses.")
	}
	return nil
}

func siteRefusal(a Action) error {
	if a == CourseCreate {
		return lms.Errorf(lms.CodeForbidden, "forbidden", "Only teachers and administrators may create courses. Ask an administrator to make you a teacher.")
	}
	return lms.Errorf(lms.CodeForbidden, "forbidden", "Only administrators may do this.")
}

// Writes tells whether an action changes something, so that its refusal is
// recorded.
func (a Action) Writes() bool { return rules[a].write }

// OfCourse tells whether an action is about a course.
func (a Action) OfCourse() bool { return rules[a].course }

// Actions lists every action, sorted.
func Actions() []Action {
	list := make([]Action, 0, len(rules))
	for a := range rules {
		list = append(list, a)
	}
	slices.Sort(list)
	return list
}

// Guarded is the set of privileges that some action asks for.
func Guarded() lms.PrivilegeSet {
	var s lms.PrivilegeSet
	for _, r := range rules {
		s |= lms.SetOf(r.any...)
	}
	return s
}
