package api

import (
	"context"
	"net/http"
	"time"

	"matricula/internal/lms"
)

// Access is what somebody may do in a course, and why.
type Access struct {
	Member
	CourseID   int64         `json:"course_id"`
	Privileges []Explanation `json:"privileges" doc:"Every privilege, with the reason."`
	GrantedBy  *Person       `json:"granted_by" doc:"Who set what is beside the role; null when nothing is."`
	GrantedAt  *time.Time    `json:"granted_at"`
	AddedBy    *Person       `json:"added_by" doc:"Who put them into the course; null when they have no role in it."`
	NamedBy    *Person       `json:"named_by" doc:"Who named them first; null when they came by themselves."`
	MayEdit    bool          `json:"may_edit" doc:"The caller may change what this person may do."`
	MayRemove  bool          `json:"may_remove" doc:"The caller may take this person out of the course."`
}

// Explanation is why somebody may or may not do one thing.
type Explanation struct {
	Privilege lms.Privilege `json:"privilege"`
	Label     string        `json:"label"`
	Allowed   bool          `json:"allowed"`
	Because   string        `json:"because" enum:"site-admin,owner,denied,role,allowed,implied,not-given" doc:"The part of the rule that settled it: site-admin and owner hold everything; denied wins over what is given; role and allowed give it; implied comes with via; not-given is what nothing gives."`
	Via       *string       `json:"via" doc:"The privilege that implies it, or whose denial takes it away."`
}

type accessIn struct {
	InCourse
	AboutUser
}

func (a *API) registerAccess() {
	register(a, op(http.MethodGet, "/courses/{course_id}/users/{user_id}/access", "get-access", tagPeople, "What somebody may do, and why",
		"The role, what was allowed and denied beside it, what follows for every privilege and why, and who set it and when. The caller needs roster.view; one may always ask about oneself."), a.access)
}

func (a *API) access(ctx context.Context, c *call, in *accessIn) (*answer[Access], error) {
	r, err := a.svc.Access(ctx, c.caller, in.CourseID, in.UserID)
	if err != nil {
		return nil, err
	}
	out := Access{
		Member: a.memberWire(&r.Member), CourseID: in.CourseID, Privileges: make([]Explanation, len(r.Explanations)),
		GrantedBy: personWire(r.GrantedBy), AddedBy: personWire(r.AddedBy), NamedBy: personWire(r.NamedBy),
		MayEdit: r.MayEdit, MayRemove: r.MayRemove,
	}
	if g := r.Member.Grant; g != nil {
		out.GrantedAt = timeOrNull(g.GrantedAt)
	}
	for i, e := range r.Explanations {
		out.Privileges[i] = Explanation{
			Privilege: e.Privilege, Label: string(e.Privilege.Label()), Allowed: e.Allowed, Because: string(e.Because), Via: textOrNull(string(e.Via)),
		}
	}
	return &answer[Access]{out}, nil
}
