package api

import (
	"context"
	"net/http"
	"time"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// Me is the caller.
type Me struct {
	User        User        `json:"user"`
	SiteRole    string      `json:"site_role" enum:"member,teacher,admin"`
	Language    string      `json:"language" doc:"The language in which the caller reads the pages, such as it; empty: as their browser says."`
	Arrivals    bool        `json:"mail_arrivals" doc:"Whether the caller is told by mail who arrives of those whom they named."`
	Scopes      []lms.Scope `json:"scopes" doc:"What the caller's token may be used for; both in a session."`
	CourseIDs   []int64     `json:"course_ids" doc:"The courses to which the caller's token is limited; empty: no limit."`
	Courses     []Course    `json:"courses" doc:"The caller's courses, newest first, at most 200."`
	MoreCourses bool        `json:"more_courses" doc:"There are more: GET /api/v1/courses has them all."`
}

const maxOwnCourses = 200

// Identity is one way in which the caller signs in.
type Identity struct {
	ID         int64     `json:"id"`
	Issuer     string    `json:"issuer" doc:"The OpenID provider."`
	LinkedAt   time.Time `json:"linked_at"`
	LastUsedAt time.Time `json:"last_used_at"`
}

func (a *API) registerMe() {
	register(a, op(http.MethodGet, "/me", "get-me", tagAccount, "Who is calling",
		"The caller's own account, what their token may be used for, and their courses."), a.me)
	register(a, op(http.MethodPatch, "/me", "update-me", tagAccount, "Change how the caller reads",
		"Chooses the language of the pages, and whether to be told of arrivals. Names and addresses come from the provider with which the caller signs in."), a.updateMe)
	register(a, op(http.MethodGet, "/me/identities", "list-identities", tagAccount, "How the caller signs in",
		"The accounts at OpenID providers with which the caller has signed in."), a.identities)
	data := op(http.MethodPost, "/me/data", "export-own-data", tagAccount, "What is kept about the caller",
		"Everything but the audit, which GET /api/v1/me/audit lists. In a session only; it stands in the audit, so it is a POST.")
	data.DefaultStatus = http.StatusOK
	register(a, data, a.ownData)
	register(a, op(http.MethodGet, "/me/audit", "list-own-audit", tagAccount, "What is on record about the caller",
		"What the caller did, and what was done to them, newest first."), a.ownAudit)
}

func (a *API) ownData(ctx context.Context, c *call, _ *nothing) (*answer[service.OwnDocument], error) {
	d, err := a.svc.OwnData(ctx, c.caller)
	if err != nil {
		return nil, err
	}
	return &answer[service.OwnDocument]{d.Document()}, nil
}

type ownAuditIn struct{ Paging }

func (a *API) ownAudit(ctx context.Context, c *call, in *ownAuditIn) (*page[AuditEntry], error) {
	from, err := c.from(in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := a.svc.OwnAudit(ctx, c.caller, from.id, in.Limit)
	if err != nil {
		return nil, err
	}
	return listOf(found.Entries, auditWire, c.next(place{id: found.Next})), nil
}

func (a *API) me(ctx context.Context, c *call, _ *nothing) (*answer[Me], error) {
	u, err := a.svc.Me(ctx, c.caller)
	if err != nil {
		return nil, err
	}
	watches, err := a.svc.WatchesArrivals(ctx, c.caller)
	if err != nil {
		return nil, err
	}
	courses, err := a.svc.Courses(ctx, c.caller, service.CoursesRequest{Limit: maxOwnCourses})
	if err != nil {
		return nil, err
	}
	m := Me{
		User: userWire(&u), SiteRole: string(u.SiteRole), Language: u.Language, Arrivals: watches, Scopes: c.caller.Scopes, CourseIDs: c.caller.CourseIDs,
		Courses: make([]Course, len(courses.Courses)), MoreCourses: courses.Next != 0,
	}
	if c.caller.TokenID == 0 {
		m.Scopes = []lms.Scope{lms.ScopeRead, lms.ScopeWrite}
	}
	if m.CourseIDs == nil {
		m.CourseIDs = []int64{}
	}
	for i := range courses.Courses {
		m.Courses[i] = courseWire(&courses.Courses[i])
	}
	return &answer[Me]{m}, nil
}

// MePatch changes the caller's own account.
type MePatch struct {
	Language *string `json:"language,omitempty" nullable:"false" maxLength:"40" doc:"Such as en or it; empty follows the browser."`
	Arrivals *bool   `json:"mail_arrivals,omitempty" nullable:"false" doc:"Once an hour at most, where the site sends mail."`
}

func (a *API) updateMe(ctx context.Context, c *call, in *struct{ Body MePatch }) (*answer[Me], error) {
	if in.Body.Language != nil {
		if _, err := a.svc.SetLanguage(ctx, c.caller, *in.Body.Language); err != nil {
			return nil, err
		}
	}
	if in.Body.Arrivals != nil {
		if err := a.svc.WatchArrivals(ctx, c.caller, *in.Body.Arrivals); err != nil {
			return nil, err
		}
	}
	return a.me(ctx, c, nil)
}

func (a *API) identities(ctx context.Context, c *call, _ *nothing) (*page[Identity], error) {
	list, err := a.svc.Identities(ctx, c.caller)
	if err != nil {
		return nil, err
	}
	return listOf(list, func(i *lms.Identity) Identity {
		return Identity{ID: i.ID, Issuer: i.Issuer, LinkedAt: i.LinkedAt.UTC(), LastUsedAt: i.LastUsedAt.UTC()}
	}, nil), nil
}
