package service

import (
	"encoding/json"
	"time"

	"matricula/internal/lms"
)

// OwnDocument is OwnData as a machine reads it. Its fields are those of the API.
type OwnDocument struct {
	At            time.Time         `json:"at" doc:"When this was read."`
	ID            int64             `json:"id"`
	Status        lms.UserStatus    `json:"status"`
	SiteRole      lms.SiteRole      `json:"site_role"`
	GivenName     string            `json:"given_name"`
	FamilyName    string            `json:"family_name"`
	Name          string            `json:"name"`
	Language      string            `json:"language" doc:"Empty: as the browser says."`
	NamedBy       string            `json:"named_by" doc:"Who named this person first; empty when they came by themselves."`
	CreatedAt     time.Time         `json:"created_at"`
	ClaimedAt     *time.Time        `json:"claimed_at"`
	LastSeenAt    *time.Time        `json:"last_seen_at"`
	Addresses     []OwnAddress      `json:"addresses"`
	Identities    []OwnIdentity     `json:"identities"`
	Sessions      []OwnSession      `json:"sessions"`
	Tokens        []OwnToken        `json:"tokens"`
	Courses       []OwnCourse       `json:"courses"`
	PastCourses   []OwnPastCourse   `json:"past_courses"`
	Announcements []OwnAnnouncement `json:"announcements"`
	Requests      []OwnRequest      `json:"erasure_requests"`
	Identifiers   []OwnIdentifier   `json:"identifiers" doc:"By which student systems and directories know the person."`
	ListRows      []OwnListRow      `json:"class_list_rows" doc:"What class lists that are still kept say about the person."`
	Mails         []OwnMail         `json:"mails" doc:"To the person; what they said is not kept."`
	Claims        []OwnClaim        `json:"claim_requests" doc:"Of the person, for what waits for another address."`
	Webhooks      []OwnWebhook      `json:"webhooks" doc:"For which the person answers; not their secrets."`
	ClaimedBy     []OwnClaimedBy    `json:"claimed_by" doc:"What others have asked for that waited for the person."`
}

// OwnWebhook is a webhook for which the person answers.
type OwnWebhook struct {
	CourseID    *int64    `json:"course_id" doc:"null: it is of the whole site."`
	URL         string    `json:"url"`
	Description string    `json:"description"`
	CreatedAt   time.Time `json:"created_at"`
}

// OwnRequest is a request to be erased.
type OwnRequest struct {
	State     lms.ErasureState `json:"state"`
	Note      string           `json:"note"`
	AskedAt   time.Time        `json:"asked_at"`
	DecidedAt *time.Time       `json:"decided_at"`
	DecidedBy string           `json:"decided_by"`
	Answer    string           `json:"answer"`
}

// OwnIdentifier is by what a student system or a directory knows the person.
type OwnIdentifier struct {
	Source     string `json:"source"`
	Identifier string `json:"identifier"`
}

// OwnListRow is a row of a class list about the person.
type OwnListRow struct {
	CourseID  int64     `json:"course_id"`
	Course    string    `json:"course"`
	List      string    `json:"list" doc:"The name of the file; empty for what was pasted."`
	BroughtBy string    `json:"brought_by"`
	BroughtAt time.Time `json:"brought_at"`
	Line      int       `json:"line" doc:"In the file; 0 for who was to leave."`
	Headings  []string  `json:"headings"`
	Cells     []string  `json:"cells"`
	Result    string    `json:"result" doc:"What became of it; empty while nothing has."`
}

// OwnMail is a mail to the person.
type OwnMail struct {
	Kind      lms.MailKind  `json:"kind"`
	Email     string        `json:"email"`
	State     lms.MailState `json:"state"`
	CreatedAt time.Time     `json:"created_at"`
	EndedAt   *time.Time    `json:"ended_at"`
}

// OwnClaim is a request of the person for what waits for an address.
type OwnClaim struct {
	Email   string          `json:"email" doc:"Masked."`
	State   lms.ClaimAnswer `json:"state"`
	Reason  string          `json:"reason"`
	AskedAt time.Time       `json:"asked_at"`
}

// OwnClaimedBy is a request of somebody else for what waited for the person.
type OwnClaimedBy struct {
	By      string         `json:"by" doc:"The address with which they had signed in, masked."`
	State   lms.ClaimState `json:"state"`
	AskedAt time.Time      `json:"asked_at"`
}

// OwnPastCourse is a place that the caller had in a course once.
type OwnPastCourse struct {
	ID      int64           `json:"id"`
	Role    string          `json:"role"`
	Allow   []lms.Privilege `json:"allow"`
	Deny    []lms.Privilege `json:"deny"`
	Section string          `json:"section"`
	Number  string          `json:"student_number"`
	BeganAt time.Time       `json:"began_at"`
	EndedAt time.Time       `json:"ended_at"`
}

// OwnAddress is one of the caller's addresses.
type OwnAddress struct {
	Email      string     `json:"email"`
	AsTyped    string     `json:"as_typed" doc:"As whoever named it wrote it."`
	Primary    bool       `json:"primary"`
	VerifiedAt *time.Time `json:"verified_at"`
	CreatedAt  time.Time  `json:"created_at"`
}

// OwnIdentity is one way in which the caller signs in.
type OwnIdentity struct {
	Issuer     string    `json:"issuer"`
	Subject    string    `json:"subject"`
	LinkedAt   time.Time `json:"linked_at"`
	LastUsedAt time.Time `json:"last_used_at"`
}

// OwnSession is one browser, or one program, in which the caller is signed in.
type OwnSession struct {
	UserAgent  string      `json:"user_agent"`
	Program    string      `json:"program" doc:"The client id of a program; empty for a browser."`
	Scopes     []lms.Scope `json:"scopes" doc:"What a program may do."`
	CreatedAt  time.Time   `json:"created_at"`
	LastUsedAt time.Time   `json:"last_used_at"`
	ExpiresAt  time.Time   `json:"expires_at"`
}

// OwnToken is one of the caller's API tokens, without its secret.
type OwnToken struct {
	Name       string      `json:"name"`
	Scopes     []lms.Scope `json:"scopes"`
	CreatedAt  time.Time   `json:"created_at"`
	ExpiresAt  *time.Time  `json:"expires_at"`
	LastUsedAt *time.Time  `json:"last_used_at"`
}

// OwnCourse is the caller's place in a course.
type OwnCourse struct {
	ID        int64           `json:"id"`
	Title     string          `json:"title"`
	Role      string          `json:"role" doc:"Empty for whoever has privileges and no role."`
	Section   string          `json:"section"`
	Number    string          `json:"student_number"`
	BeginsAt  *time.Time      `json:"begins_at"`
	EndsAt    *time.Time      `json:"ends_at"`
	AddedBy   string          `json:"added_by"`
	AddedAt   *time.Time      `json:"added_at"`
	Allow     []lms.Privilege `json:"allow" doc:"What was allowed beside the role."`
	Deny      []lms.Privilege `json:"deny"`
	GrantedBy string          `json:"granted_by"`
	GrantedAt *time.Time      `json:"granted_at"`
}

// OwnAnnouncement is something that the caller announced.
type OwnAnnouncement struct {
	CourseID  int64     `json:"course_id"`
	Title     string    `json:"title"`
	Body      string    `json:"body"`
	PublishAt time.Time `json:"publish_at"`
	CreatedAt time.Time `json:"created_at"`
}

// OwnEntry is what stands in the audit about the caller.
type OwnEntry struct {
	At      time.Time       `json:"at"`
	Action  string          `json:"action"`
	Outcome lms.Outcome     `json:"outcome"`
	Reason  string          `json:"reason"`
	By      string          `json:"by"`
	About   string          `json:"about"`
	Course  string          `json:"course"`
	Before  json.RawMessage `json:"before"`
	After   json.RawMessage `json:"after"`
}

// EntryOf is an entry of OwnAudit as a machine reads it.
func EntryOf(e *lms.AuditRecord) OwnEntry {
	return OwnEntry{e.At.UTC(), e.Action, e.Outcome, e.Reason, nameOnly(&e.Actor), nameOnly(&e.Subject), e.CourseTitle, e.Before, e.After}
}

// nameOnly is what somebody is called in the data of another: never by the
// address.
func nameOnly(u *lms.User) string {
	if u == nil || !u.Named() {
		return ""
	}
	return u.DisplayName()
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// Document makes it readable by machines.
func (d *OwnData) Document() OwnDocument {
	u := &d.User
	out := OwnDocument{
		At: d.At.UTC(), ID: u.ID, Status: u.Status, SiteRole: u.SiteRole, GivenName: u.GivenName, FamilyName: u.FamilyName, Name: u.Name, Language: u.Language,
		NamedBy: nameOnly(d.NamedBy), CreatedAt: u.CreatedAt.UTC(), ClaimedAt: moment(u.ClaimedAt), LastSeenAt: moment(u.LastSeenAt),
		Addresses: []OwnAddress{}, Identities: []OwnIdentity{}, Sessions: []OwnSession{}, Tokens: []OwnToken{}, Courses: []OwnCourse{}, PastCourses: []OwnPastCourse{}, Announcements: []OwnAnnouncement{},
		Requests: []OwnRequest{}, Identifiers: []OwnIdentifier{}, ListRows: []OwnListRow{}, Mails: []OwnMail{}, Claims: []OwnClaim{}, ClaimedBy: []OwnClaimedBy{}, Webhooks: []OwnWebhook{},
	}
	for _, a := range d.Addresses {
		out.Addresses = append(out.Addresses, OwnAddress{string(a.Email), a.AsTyped, a.Primary, moment(a.VerifiedAt), a.CreatedAt.UTC()})
	}
	for _, i := range d.Identities {
		out.Identities = append(out.Identities, OwnIdentity{i.Issuer, i.Subject, i.LinkedAt.UTC(), i.LastUsedAt.UTC()})
	}
	for _, s := range d.Sessions {
		out.Sessions = append(out.Sessions, OwnSession{s.UserAgent, s.Program, s.Scopes, s.CreatedAt.UTC(), s.LastUsedAt.UTC(), s.ExpiresAt.UTC()})
	}
	for _, t := range d.Tokens {
		out.Tokens = append(out.Tokens, OwnToken{t.Name, t.Scopes, t.CreatedAt.UTC(), moment(t.ExpiresAt), moment(t.LastUsedAt)})
	}
	for i := range d.Places {
		out.Courses = append(out.Courses, d.Places[i].document())
	}
	for _, p := range d.Past {
		out.PastCourses = append(out.PastCourses, OwnPastCourse{p.CourseID, p.Role.Key, p.Allow.List(), p.Deny.List(), p.Section, p.Number, p.Began.UTC(), p.Ended.UTC()})
	}
	for _, q := range d.Requests {
		r := OwnRequest{State: q.State, Note: q.Note, AskedAt: q.AskedAt.UTC(), DecidedAt: moment(q.DecidedAt), Answer: q.Answer}
		if q.State != lms.ErasureOpen {
			r.DecidedBy = nameOnly(&q.DecidedBy)
		}
		out.Requests = append(out.Requests, r)
	}
	for _, i := range d.Identifiers {
		out.Identifiers = append(out.Identifiers, OwnIdentifier(i))
	}
	for _, l := range d.Listed {
		out.ListRows = append(out.ListRows, l.document())
	}
	for _, m := range d.Mails {
		out.Mails = append(out.Mails, OwnMail{m.Kind, string(m.Address), m.State, m.CreatedAt.UTC(), moment(m.EndedAt)})
	}
	for i := range d.Asked {
		q := askedOf(&d.Asked[i], d.At)
		out.Claims = append(out.Claims, OwnClaim{q.Address, q.Answer, q.Reason, q.AskedAt.UTC()})
	}
	for _, h := range d.Webhooks {
		one := OwnWebhook{URL: h.URL, Description: h.Description, CreatedAt: h.CreatedAt.UTC()}
		if h.CourseID != 0 {
			one.CourseID = &h.CourseID
		}
		out.Webhooks = append(out.Webhooks, one)
	}
	for _, q := range d.AskedFor {
		out.ClaimedBy = append(out.ClaimedBy, OwnClaimedBy{q.Requester.Email.Masked(), q.State, q.AskedAt.UTC()})
	}
	for _, a := range d.Announcements {
		out.Announcements = append(out.Announcements, OwnAnnouncement{a.CourseID, a.Title, a.Body, a.PublishAt.UTC(), a.CreatedAt.UTC()})
	}
	return out
}

func (p *OwnPlace) document() OwnCourse {
	c := OwnCourse{ID: p.Course.ID, Title: p.Course.Title, AddedBy: nameOnly(p.AddedBy), GrantedBy: nameOnly(p.GrantedBy), Allow: []lms.Privilege{}, Deny: []lms.Privilege{}}
	if e := p.Member.Enrollment; e != nil {
		c.Role, c.AddedAt = e.Role.Key, moment(e.CreatedAt)
		c.Section, c.Number, c.BeginsAt, c.EndsAt = e.Section, e.Number, moment(e.Begins), moment(e.Ends)
	}
	if g := p.Member.Grant; g != nil {
		c.Allow, c.Deny, c.GrantedAt = g.Allow.List(), g.Deny.List(), moment(g.GrantedAt)
	}
	return c
}

func (l *OwnListed) document() OwnListRow {
	row := OwnListRow{
		CourseID: l.CourseID, Course: l.Course, List: l.List, BroughtBy: nameOnly(l.By), BroughtAt: l.CreatedAt.UTC(), Line: l.Row.Line,
		Headings: l.Heading, Cells: l.Row.Cells, Result: l.Row.Result,
	}
	if row.Headings == nil {
		row.Headings = []string{}
	}
	if row.Cells == nil {
		row.Cells = []string{}
	}
	return row
}
