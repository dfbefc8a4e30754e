package api

import (
	"context"
	"net/http"
	"time"

	"matricula/internal/service"
)

// Notice is how somebody who has not arrived was told that they were named.
type Notice struct {
	User       User       `json:"user"`
	Times      int        `json:"times" doc:"How often they were told, or are about to be."`
	LastAt     *time.Time `json:"last_at" doc:"null: never."`
	ObjectedAt *time.Time `json:"objected_at" doc:"When they said that this is not for them."`
	Mail       string     `json:"mail" enum:",queued,sent,bounced,failed,canceled" doc:"What became of the last mail; empty when there was none, or it is not known any more."`
}

// Told tells what became of telling people.
type Told struct {
	Told     int `json:"told" doc:"Get a mail within minutes."`
	Lately   int `json:"lately" doc:"Were told within the last three days, and are not told again now."`
	Enough   int `json:"enough" doc:"Were told four times, and are not told again."`
	Objected int `json:"objected" doc:"Said that this is not for them."`
}

type noticesIn struct {
	CourseID int64 `path:"course_id" minimum:"1"`
	Paging
}

type tellIn struct {
	CourseID int64 `path:"course_id" minimum:"1"`
	Body     struct {
		UserIDs []int64 `json:"user_ids" maxItems:"10000" doc:"Only these; empty: everybody in the course who has not arrived."`
	}
}

func (a *API) registerNotices() {
	const notices = "/courses/{course_id}/notices"
	register(a, op(http.MethodGet, notices, "list-notices", tagPeople, "How those who have not arrived were told", "Everybody in the course who has not signed in yet, by id."), a.listNotices)
	tell := op(http.MethodPost, notices, "send-notices", tagPeople, "Tell people by mail that they were named",
		"Each gets a mail that says who named them, where and as what, what is kept about them, how to sign in and how to object; nothing in it is the caller's own text. Whoever is named in several courses gets one mail about all of them. 409 no-mail where the site sends none.",
		http.StatusConflict, http.StatusTooManyRequests)
	tell.DefaultStatus = http.StatusAccepted
	register(a, tell, a.tell)
}

func (a *API) listNotices(ctx context.Context, c *call, in *noticesIn) (*page[Notice], error) {
	from, err := c.from(in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := a.svc.Awaited(ctx, c.caller, in.CourseID, from.id, in.Limit)
	if err != nil {
		return nil, err
	}
	return listOf(found.People, func(p *service.AwaitedPerson) Notice {
		return Notice{User: userWire(&p.User), Times: p.Notice.Times, LastAt: timeOrNull(p.Notice.Last), ObjectedAt: timeOrNull(p.Notice.Objected), Mail: string(p.Notice.Mail)}
	}, c.next(place{id: found.Next})), nil
}

func (a *API) tell(ctx context.Context, c *call, in *tellIn) (*answer[Told], error) {
	told, err := a.svc.Tell(ctx, c.caller, in.CourseID, in.Body.UserIDs)
	if err != nil {
		return nil, err
	}
	return &answer[Told]{Told{Told: told.Told, Lately: told.Lately, Enough: told.Enough, Objected: told.Objects}}, nil
}
