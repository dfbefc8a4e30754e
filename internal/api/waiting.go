package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// Waiting is a user with everything that they were given, by whom and when.
type Waiting struct {
	User
	NamedBy    *Person        `json:"named_by" doc:"null for whoever came by themselves, or was named by the configuration."`
	ExpiresAt  *time.Time     `json:"expires_at" doc:"When a pending person expires unless they are named again or given something; null for everybody else."`
	Places     []WaitingPlace `json:"places"`
	MorePlaces bool           `json:"more_places" doc:"There are more than are listed."`
	Audit      string         `json:"audit" doc:"Where the record of the person is." example:"/api/v1/audit?user_id=42"`
}

// WaitingPlace is what somebody was given in one course.
type WaitingPlace struct {
	Course   AuditCourse `json:"course"`
	Archived bool        `json:"archived"`
	CoursePlace
	AddedBy   *Person    `json:"added_by" doc:"Who gave the role; null when there is none, or when they are gone."`
	GrantedBy *Person    `json:"granted_by" doc:"Who set what may be done beside the role."`
	GrantedAt *time.Time `json:"granted_at"`
}

func (a *API) waitingWire(w *service.Waiting) Waiting {
	out := Waiting{
		User: userWire(&w.User), NamedBy: personWire(w.Places.NamedBy), ExpiresAt: timeOrNull(w.ExpiresAt), Places: []WaitingPlace{}, MorePlaces: w.Places.More,
		Audit: v1 + "/audit?user_id=" + strconv.FormatInt(w.User.ID, 10),
	}
	giver := func(id int64) *Person {
		u, ok := w.Givers[id]
		if !ok {
			return nil
		}
		return personWire(&u)
	}
	for i := range w.Places.Courses {
		v := &w.Places.Courses[i]
		p := WaitingPlace{Course: AuditCourse{v.Course.ID, v.Course.Title}, Archived: v.Course.Archived(), CoursePlace: a.placeWire(&v.Member)}
		if e := v.Member.Enrollment; e != nil {
			p.AddedBy = giver(e.AddedBy)
		}
		if g := v.Member.Grant; g != nil {
			p.GrantedBy, p.GrantedAt = giver(g.GrantedBy), timeOrNull(g.GrantedAt)
		}
		out.Places = append(out.Places, p)
	}
	return out
}

// ExpiringMember is somebody of a course who has not arrived and expires soon.
type ExpiringMember struct {
	Member
	ExpiresAt time.Time `json:"expires_at"`
}

// GonePlace is the place in a course of somebody who was named, never came, and is
// gone.
type GonePlace struct {
	UserID   int64           `json:"user_id" doc:"Leads to nobody any more."`
	Address  string          `json:"address" doc:"The masked address." example:"g***@uni.example"`
	Role     *string         `json:"role" doc:"The key of the role; null when there were only privileges."`
	RoleName *string         `json:"role_name"`
	Allow    []lms.Privilege `json:"allow"`
	Deny     []lms.Privilege `json:"deny"`
	BeganAt  time.Time       `json:"began_at"`
	EndedAt  time.Time       `json:"ended_at"`
	Expired  bool            `json:"expired" doc:"Their time was over; else somebody withdrew them."`
	EndedBy  *Person         `json:"ended_by" doc:"Who withdrew them; null when they expired."`
}

func goneWire(p *lms.GonePlace) GonePlace {
	w := GonePlace{
		UserID: p.UserID, Address: p.Masked, Role: textOrNull(p.Role.Key), RoleName: textOrNull(p.Role.Name), Allow: privilegeList(p.Allow), Deny: privilegeList(p.Deny),
		BeganAt: p.Began.UTC(), EndedAt: p.Ended.UTC(), Expired: p.Expired,
	}
	if !p.Expired {
		w.EndedBy = personWire(&p.EndedBy)
	}
	return w
}

type (
	userIn       struct{ AboutUser }
	findWaitIn   struct{ Body AddressOfSomebody }
	correctionIn struct {
		AboutUser
		Body AddressCorrection
	}
	renewIn struct {
		InCourse
		Body Renewal
	}
	listGoneIn struct {
		InCourse
		Paging
	}
)

// AddressOfSomebody asks whose an address is.
type AddressOfSomebody struct {
	Email string `json:"email" doc:"As people type it: case does not matter." example:"grace@uni.example"`
}

// AddressCorrection is the right address of somebody who was named by a wrong one.
type AddressCorrection struct {
	Email          string `json:"email" doc:"As people type it: case does not matter." example:"grace@uni.example"`
	ConfirmOutside bool   `json:"confirm_outside,omitempty" doc:"Confirms that an unknown address outside the school's own domains is meant."`
}

// Renewal names people who are still expected.
type Renewal struct {
	UserIDs []int64 `json:"user_ids" doc:"At most 1000 people of the course."`
}

// Renewed tells whom a renewal concerned.
type Renewed struct {
	UserIDs []int64 `json:"user_ids" doc:"Those who have not arrived and are in the course; the others were left out."`
}

func (a *API) registerWaiting() {
	o := op(http.MethodPost, "/lookup", "look-up-address", tagUsers, "Everything that waits for an address",
		"Finds who has an address, pending or not, with all that they were given: where, by whom and when. 404 address-unknown when nobody has it; person-gone when somebody had it who never came, and was withdrawn or expired. For administrators.", http.StatusNotFound)
	o.DefaultStatus = http.StatusOK
	register(a, o, a.lookUpAddress)
	register(a, op(http.MethodGet, "/users/{user_id}/waiting", "get-waiting", tagUsers, "Everything that waits for a user",
		"The same by id. For administrators."), a.waiting)
	register(a, op(http.MethodPut, "/users/{user_id}/address", "correct-address", tagUsers, "Correct the address of a pending person",
		"Everything that was given to them stays, with the same id, and the address that they had can no longer claim it. For administrators, and for whoever might take away each single thing that the person has: of several courses, whoever manages people in all of them; 403 not-all-yours else. 409 not-pending once they have signed in or while they are suspended, address-taken when somebody has the new address.",
		http.StatusConflict), a.correctAddress)
	o = op(http.MethodPost, "/users/{user_id}/withdrawal", "withdraw-user", tagUsers, "Withdraw a pending person",
		"All their places end, as if they were removed from each course; nothing personal is left of them, and the address is free. The id never leads to anybody again. It takes the same as correcting the address.", http.StatusConflict)
	o.DefaultStatus = http.StatusNoContent
	register(a, o, a.withdraw)
	register(a, op(http.MethodGet, "/courses/{course_id}/expiring", "list-expiring", tagPeople, "Who expires soon",
		"The people of the course who have not arrived and expire within a fortnight, the first to expire first, at most 500. The caller needs roster.view."), a.listExpiring)
	o = op(http.MethodPost, "/courses/{course_id}/renewals", "renew-people", tagPeople, "Expect people for longer",
		"Lets people who have not arrived wait for the whole time anew, as naming them again does. The caller needs roster.manage or staff.manage.", http.StatusConflict)
	o.DefaultStatus = http.StatusOK
	register(a, o, a.renew)
	register(a, op(http.MethodGet, "/courses/{course_id}/gone", "list-gone", tagPeople, "Who never came and is gone",
		"Those who were named, never signed in, and were withdrawn or expired in the last ninety days, the last first. The caller needs roster.view."), a.listGone)
}

func (a *API) lookUpAddress(ctx context.Context, c *call, in *findWaitIn) (*answer[Waiting], error) {
	w, err := a.svc.WaitingFor(ctx, c.caller, in.Body.Email)
	if err != nil {
		return nil, err
	}
	return &answer[Waiting]{a.waitingWire(&w)}, nil
}

func (a *API) waiting(ctx context.Context, c *call, in *userIn) (*answer[Waiting], error) {
	w, err := a.svc.Waiting(ctx, c.caller, in.UserID)
	if err != nil {
		return nil, err
	}
	return &answer[Waiting]{a.waitingWire(&w)}, nil
}

func (a *API) correctAddress(ctx context.Context, c *call, in *correctionIn) (*answer[User], error) {
	u, err := a.svc.CorrectAddress(ctx, c.caller, in.UserID, service.AddressCorrection{Email: in.Body.Email, ConfirmOutside: in.Body.ConfirmOutside})
	if err != nil {
		return nil, err
	}
	return &answer[User]{userWire(&u)}, nil
}

func (a *API) withdraw(ctx context.Context, c *call, in *userIn) (*empty, error) {
	return nil, a.svc.Withdraw(ctx, c.caller, in.UserID)
}

func (a *API) listExpiring(ctx context.Context, c *call, in *courseIn) (*page[ExpiringMember], error) {
	list, err := a.svc.Expiring(ctx, c.caller, in.CourseID)
	if err != nil {
		return nil, err
	}
	return listOf(list, func(e *service.ExpiringPerson) ExpiringMember {
		return ExpiringMember{a.memberWire(&e.Member), e.ExpiresAt.UTC()}
	}, nil), nil
}

func (a *API) renew(ctx context.Context, c *call, in *renewIn) (*answer[Renewed], error) {
	ids, err := a.svc.Renew(ctx, c.caller, in.CourseID, in.Body.UserIDs)
	if err != nil {
		return nil, err
	}
	return &answer[Renewed]{Renewed{ids}}, nil
}

func (a *API) listGone(ctx context.Context, c *call, in *listGoneIn) (*page[GonePlace], error) {
	from, err := c.from(in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := a.svc.GonePeople(ctx, c.caller, in.CourseID, from.id, in.Limit)
	if err != nil {
		return nil, err
	}
	return listOf(found.Places, goneWire, c.next(place{id: found.Next})), nil
}
