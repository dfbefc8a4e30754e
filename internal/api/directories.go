package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"matricula/internal/service"
)

// Directory is a directory that provisions people by SCIM.
type Directory struct {
	ID           int64            `json:"id" doc:"Of its service account, which stands in the audit for what it did."`
	Name         string           `json:"name"`
	Provider     *string          `json:"provider" doc:"The way to sign in for whose subjects it speaks; null: none, or one that is not set up any more."`
	Link         string           `json:"link" enum:"attribute,external_id" doc:"Where it says who somebody will be at the provider: in the attribute subject of Matricula's own schema, or in the externalId."`
	Claim        string           `json:"claim" enum:"sub,oid" doc:"The claim of the provider's tokens that is the subject."`
	MakesCourses bool             `json:"makes_courses" doc:"A group of a name that no course has becomes a course."`
	People       int64            `json:"people" doc:"Whom it provisioned."`
	Pending      int64            `json:"pending" doc:"Those of them who have not signed in yet."`
	Linked       int64            `json:"linked" doc:"Whom it linked to a subject."`
	Suspended    int64            `json:"suspended" doc:"Whom it suspended."`
	Groups       int64            `json:"groups"`
	Token        *Token           `json:"token" doc:"The newest one, without its secret; null: it has none, and cannot call."`
	CreatedAt    time.Time        `json:"created_at"`
	LastCallAt   *time.Time       `json:"last_call_at" doc:"To within a minute; null: never."`
	Faults       []DirectoryFault `json:"faults" doc:"What it asked for and did not get, the last first: at most 20."`
}

// DirectoryFault is something that a directory did not get.
type DirectoryFault struct {
	At      time.Time `json:"at"`
	Call    string    `json:"call" example:"PATCH /scim/v2/Users/{id}"`
	Status  int       `json:"status"`
	Problem string    `json:"problem" doc:"The stable name of the problem."`
}

// MadeDirectory is a directory with a new token.
type MadeDirectory struct {
	Directory
	Secret string `json:"secret" doc:"The token itself, shown this once."`
}

func directoryWire(d *service.DirectoryView) Directory {
	w := Directory{
		ID: d.AccountID, Name: d.Name, Link: d.Link(), Claim: string(d.Claim), MakesCourses: d.MakesCourses,
		People: d.Counts.People, Pending: d.Counts.Pending, Linked: d.Counts.Linked, Suspended: d.Counts.Suspended, Groups: d.Counts.Groups,
		CreatedAt: d.CreatedAt.UTC(), LastCallAt: timeOrNull(d.LastCallAt), Faults: []DirectoryFault{},
	}
	if d.Provider != nil {
		w.Provider = &d.Provider.Name
	}
	if len(d.Tokens) > 0 {
		t := tokenWire(&d.Tokens[0])
		w.Token = &t
	}
	for _, f := range d.Faults {
		w.Faults = append(w.Faults, DirectoryFault{f.At.UTC(), f.Call, f.Status, f.Problem})
	}
	return w
}

// NewDirectory is a directory to be made.
type NewDirectory struct {
	Name string `json:"name" doc:"At most 80 characters, and no other service account's." example:"Entra"`
}

// DirectoryPatch changes what is there.
type DirectoryPatch struct {
	Provider     *string `json:"provider,omitempty" nullable:"false" doc:"The name of a way to sign in; empty: none. All links are made anew from what the directory has told, or forgotten."`
	Link         *string `json:"link,omitempty" nullable:"false" doc:"attribute or external_id."`
	MakesCourses *bool   `json:"makes_courses,omitempty" nullable:"false"`
}

type (
	listDirectoriesIn struct {
		Paging
	}
	createDirectoryIn struct {
		Repeatable
		Body NewDirectory
	}
	directoryIn struct {
		DirectoryID int64 `path:"directory_id" minimum:"1"`
	}
	directoryTokenIn struct {
		DirectoryID int64 `path:"directory_id" minimum:"1"`
		Repeatable
	}
	patchDirectoryIn struct {
		DirectoryID int64 `path:"directory_id" minimum:"1"`
		Body        DirectoryPatch
	}
)

func (a *API) registerDirectories() {
	register(a, op(http.MethodGet, "/directories", "list-directories", tagDirectories, "Directories",
		"By name. For administrators."), a.listDirectories)
	register(a, op(http.MethodPost, "/directories", "create-directory", tagDirectories, "Set up a directory",
		"Answers its token, this once. In a session of an administrator only. Sent again with the same Idempotency-Key, it is refused with token-shown-once.", http.StatusConflict), a.createDirectory)
	register(a, op(http.MethodGet, "/directories/{directory_id}", "get-directory", tagDirectories, "One directory", "For administrators."), a.getDirectory)
	register(a, op(http.MethodPatch, "/directories/{directory_id}", "update-directory", tagDirectories, "Change a directory",
		"Changes the fields that are there. For administrators."), a.patchDirectory)
	register(a, op(http.MethodPost, "/directories/{directory_id}/token", "renew-directory-token", tagDirectories, "Give a directory a new token",
		"Those that it had end at once. In a session of an administrator only.", http.StatusConflict), a.renewDirectoryToken)
	register(a, op(http.MethodDelete, "/directories/{directory_id}/token", "end-directory", tagDirectories, "Stop a directory",
		"Its tokens end at once. What it did stays, and a new token lets it go on. For administrators."), a.endDirectory)
}

func (a *API) listDirectories(ctx context.Context, c *call, in *listDirectoriesIn) (*page[Directory], error) {
	from, err := c.from(in.Cursor)
	if err != nil {
		return nil, err
	}
	list, err := a.svc.Directories(ctx, c.caller)
	if err != nil {
		return nil, err
	}
	if from.id != 0 {
		i := slices.IndexFunc(list, func(d service.DirectoryView) bool { return d.AccountID == from.id })
		if i < 0 {
			return nil, errCursor
		}
		list = list[i+1:]
	}
	var next place
	if len(list) > in.Limit {
		list = list[:in.Limit]
		next.id = list[in.Limit-1].AccountID
	}
	return listOf(list, directoryWire, c.next(next)), nil
}

func (a *API) createDirectory(ctx context.Context, c *call, in *createDirectoryIn) (*created[MadeDirectory], error) {
	m, err := a.svc.CreateDirectory(ctx, c.caller, in.Body.Name, c.once())
	if err != nil {
		return nil, err
	}
	return madeDirectory(&m), nil
}

func madeDirectory(m *service.MadeDirectory) *created[MadeDirectory] {
	return &created[MadeDirectory]{Location: fmt.Sprintf("%s/directories/%d", v1, m.AccountID), Body: MadeDirectory{directoryWire(&m.DirectoryView), m.Secret}}
}

func (a *API) getDirectory(ctx context.Context, c *call, in *directoryIn) (*answer[Directory], error) {
	return oneDirectory(a.svc.DirectoryByID(ctx, c.caller, in.DirectoryID))
}

func oneDirectory(d service.DirectoryView, err error) (*answer[Directory], error) {
	if err != nil {
		return nil, err
	}
	return &answer[Directory]{directoryWire(&d)}, nil
}

func (a *API) patchDirectory(ctx context.Context, c *call, in *patchDirectoryIn) (*answer[Directory], error) {
	b := &in.Body
	return oneDirectory(a.svc.UpdateDirectory(ctx, c.caller, in.DirectoryID, service.DirectoryPatch{Provider: b.Provider, Link: b.Link, MakesCourses: b.MakesCourses}))
}

func (a *API) renewDirectoryToken(ctx context.Context, c *call, in *directoryTokenIn) (*created[MadeDirectory], error) {
	m, err := a.svc.RenewDirectoryToken(ctx, c.caller, in.DirectoryID, c.once())
	if err != nil {
		return nil, err
	}
	return madeDirectory(&m), nil
}

func (a *API) endDirectory(ctx context.Context, c *call, in *directoryIn) (*empty, error) {
	return nil, a.svc.EndDirectory(ctx, c.caller, in.DirectoryID)
}
