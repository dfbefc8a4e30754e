package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"matricula/internal/fetch"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// Source is where rosters come from by themselves.
type Source struct {
	ID        int64     `json:"id"`
	Name      string    `json:"name"`
	Kind      string    `json:"kind" enum:"upload,folder,https"`
	Place     *string   `json:"place" doc:"The folder below the one that the server may read, or the https address."`
	CourseID  *int64    `json:"course_id" doc:"The course whose list it brings; null: OneRoster bundles, for any courses."`
	Role      string    `json:"role"`
	Minutes   int64     `json:"every_minutes"`
	Exact     bool      `json:"exact" doc:"Whom it brought and does not name any more leaves."`
	Brake     int64     `json:"brake_percent" doc:"When more than this share would leave, a person has to look first."`
	Enabled   bool      `json:"enabled"`
	CreatedAt time.Time `json:"created_at"`
	NextAt    time.Time `json:"next_at" doc:"When it is looked at next."`
	OwnerID   int64     `json:"owner_id" doc:"The administrator on whose behalf it works."`
}

func sourceWire(s *lms.RosterSource) Source {
	return Source{
		ID: s.ID, Name: s.Name, Kind: string(s.Kind), Place: textOrNull(s.Place), CourseID: idOrNull(s.CourseID), Role: s.Role, Minutes: s.Minutes, Exact: s.Exact,
		Brake: s.Brake, Enabled: s.Enabled, CreatedAt: s.CreatedAt.UTC(), NextAt: s.NextAt.UTC(), OwnerID: s.CreatedBy,
	}
}

// SourceRun is one look at a source.
type SourceRun struct {
	ID        int64            `json:"id"`
	SourceID  int64            `json:"source_id"`
	State     string           `json:"state" enum:"reading,checking,waiting,running,done,unchanged,failed,canceled" doc:"waiting: a person has to look at it first."`
	Name      *string          `json:"name" doc:"Of the file."`
	Counts    map[string]int64 `json:"counts" doc:"Rows by what they would do until it is carried out, and by what they did afterwards."`
	People    int64            `json:"people" doc:"Who was in its courses by lists, before it."`
	Courses   int64            `json:"courses"`
	Notes     []string         `json:"notes" doc:"What could not be used, and why it waits or failed: the first hundred."`
	StartedAt time.Time        `json:"started_at"`
	EndedAt   *time.Time       `json:"ended_at"`
}

func sourceRunWire(r *lms.SourceRun) SourceRun {
	w := SourceRun{
		ID: r.ID, SourceID: r.SourceID, State: string(r.State), Name: textOrNull(r.Name), Counts: r.Counts, People: r.People, Courses: r.Courses, Notes: []string{},
		StartedAt: r.StartedAt.UTC(), EndedAt: timeOrNull(r.EndedAt),
	}
	if w.Counts == nil {
		w.Counts = map[string]int64{}
	}
	for _, n := range r.Notes {
		w.Notes = append(w.Notes, n.String())
	}
	return w
}

type (
	// OneSource is a request about a source.
	OneSource struct {
		SourceID int64 `path:"source_id" minimum:"1"`
	}
	// OneRun is a request about a run.
	OneRun struct {
		RunID int64 `path:"run_id" minimum:"1"`
	}
	createSourceIn struct {
		Repeatable
		Body NewSource
	}
	patchSourceIn struct {
		OneSource
		Body SourcePatch
	}
	listRunsIn struct {
		OneSource
		Paging
	}
	uploadRunIn struct {
		OneSource
		Name string `query:"name" doc:"Of the file, for people."`
	}
	listRunImportsIn struct {
		OneRun
		Paging
	}
)

// NewSource is a source to be made.
type NewSource struct {
	Name     string `json:"name" example:"Student office"`
	Kind     string `json:"kind" enum:"upload,folder,https"`
	Place    string `json:"place,omitempty" doc:"A folder below the one of the server, or an https address of a host that it may fetch from."`
	CourseID int64  `json:"course_id,omitempty" minimum:"1" doc:"For the list of one course; absent for OneRoster bundles."`
	Role     string `json:"role,omitempty" doc:"Of rows that say none; student unless given."`
	Minutes  int64  `json:"every_minutes,omitempty" doc:"From 5 to a week; 60 unless given."`
	Exact    bool   `json:"exact,omitempty"`
	Brake    int64  `json:"brake_percent,omitempty" minimum:"0" maximum:"100"`
	Enabled  bool   `json:"enabled,omitempty"`
}

// SourcePatch changes what is there.
type SourcePatch struct {
	Name    *string `json:"name,omitempty" nullable:"false"`
	Place   *string `json:"place,omitempty" nullable:"false"`
	Role    *string `json:"role,omitempty" nullable:"false"`
	Minutes *int64  `json:"every_minutes,omitempty" nullable:"false"`
	Exact   *bool   `json:"exact,omitempty" nullable:"false"`
	Brake   *int64  `json:"brake_percent,omitempty" nullable:"false" minimum:"0" maximum:"100"`
	Enabled *bool   `json:"enabled,omitempty" nullable:"false"`
}

func (a *API) registerSources() {
	const one, run = "/sources/{source_id}", "/source-runs/{run_id}"
	register(a, op(http.MethodGet, "/sources", "list-sources", tagSources, "Roster sources", "Where rosters come from by themselves. For administrators."), a.listSources)
	register(a, op(http.MethodPost, "/sources", "create-source", tagSources, "Make a source", "It works on behalf of the caller, as long as they are an administrator.", http.StatusConflict), a.createSource)
	register(a, op(http.MethodGet, one, "get-source", tagSources, "One source", "For administrators."), a.getSource)
	register(a, op(http.MethodPatch, one, "update-source", tagSources, "Change a source", "It works on behalf of the caller from then on.", http.StatusConflict), a.patchSource)
	register(a, op(http.MethodDelete, one, "delete-source", tagSources, "Delete a source", "What it brought stays. 409 source-busy while one of its lists is being worked on.", http.StatusConflict), a.deleteSource)
	register(a, op(http.MethodGet, one+"/runs", "list-source-runs", tagSources, "The runs of a source", "Newest first."), a.listRuns)
	upload := op(http.MethodPost, one+"/runs", "upload-source-run", tagSources, "Bring a file for a source",
		"The body is a OneRoster 1.2 CSV archive, or for the source of one course a list. It is read now, checked in the background, and carried out unless the brake holds it.", http.StatusConflict)
	upload.RequestBody = fileBody()
	register(a, upload, a.uploadRun)
	look := op(http.MethodPost, one+"/look", "look-at-source", tagSources, "Look at a source now", "Whatever its time is.", http.StatusConflict)
	look.DefaultStatus = http.StatusAccepted
	register(a, look, a.lookNow)
	register(a, op(http.MethodGet, run, "get-source-run", tagSources, "One run", "With what it would do or did."), a.getRun)
	register(a, op(http.MethodGet, run+"/imports", "list-source-run-imports", tagSources, "The lists of a run", "One for each course."), a.listRunImports)
	approve := op(http.MethodPost, run+"/approve", "approve-source-run", tagSources, "Let a run go on", "One that waits for a person. Approving it twice changes nothing.", http.StatusConflict)
	approve.DefaultStatus = http.StatusAccepted
	register(a, approve, a.approveRun)
	cancel := op(http.MethodPost, run+"/cancel", "cancel-source-run", tagSources, "Throw a run away", "Lists that have begun stop between two batches.", http.StatusConflict)
	cancel.DefaultStatus = http.StatusOK
	register(a, cancel, a.cancelRun)
}

func (a *API) listSources(ctx context.Context, c *call, _ *nothing) (*page[Source], error) {
	list, err := a.svc.Sources(ctx, c.caller)
	if err != nil {
		return nil, err
	}
	return listOf(list, sourceWire, nil), nil
}

func (a *API) createSource(ctx context.Context, c *call, in *createSourceIn) (*created[Source], error) {
	b := &in.Body
	s, err := a.svc.CreateSource(ctx, c.caller, service.SourceFields(*b), c.once())
	if err != nil {
		return nil, err
	}
	return &created[Source]{Location: fmt.Sprintf("%s/sources/%d", v1, s.ID), Body: sourceWire(&s)}, nil
}

func (a *API) getSource(ctx context.Context, c *call, in *OneSource) (*answer[Source], error) {
	s, err := a.svc.Source(ctx, c.caller, in.SourceID)
	if err != nil {
		return nil, err
	}
	return &answer[Source]{sourceWire(&s)}, nil
}

func (a *API) patchSource(ctx context.Context, c *call, in *patchSourceIn) (*answer[Source], error) {
	s, err := a.svc.UpdateSource(ctx, c.caller, in.SourceID, service.SourcePatch(in.Body))
	if err != nil {
		return nil, err
	}
	return &answer[Source]{sourceWire(&s)}, nil
}

func (a *API) deleteSource(ctx context.Context, c *call, in *OneSource) (*empty, error) {
	return nil, a.svc.DeleteSource(ctx, c.caller, in.SourceID)
}

func (a *API) listRuns(ctx context.Context, c *call, in *listRunsIn) (*page[SourceRun], error) {
	from, err := c.from(in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := a.svc.SourceRuns(ctx, c.caller, in.SourceID, from.id, in.Limit)
	if err != nil {
		return nil, err
	}
	return listOf(found.Runs, sourceRunWire, c.next(place{id: found.Next})), nil
}

func (a *API) uploadRun(ctx context.Context, c *call, in *uploadRunIn) (out *created[SourceRun], err error) {
	if _, err := a.svc.Source(ctx, c.caller, in.SourceID); err != nil {
		return nil, err
	}
	got, err := fetch.Upload(c.upload, in.Name)
	if err != nil {
		if f := unreadUpload(err); f != nil {
			return nil, f
		}
		return nil, err
	}
	defer func() { err = errors.Join(err, got.Close()) }()
	r, err := a.svc.UploadBundle(ctx, c.caller, in.SourceID, got)
	if err != nil {
		return nil, err
	}
	return &created[SourceRun]{Location: fmt.Sprintf("%s/source-runs/%d", v1, r.ID), Body: sourceRunWire(&r)}, nil
}

func (a *API) lookNow(ctx context.Context, c *call, in *OneSource) (*answer[Source], error) {
	if err := a.svc.LookNow(ctx, c.caller, in.SourceID); err != nil {
		return nil, err
	}
	return a.getSource(ctx, c, in)
}

func (a *API) getRun(ctx context.Context, c *call, in *OneRun) (*answer[SourceRun], error) {
	r, _, err := a.svc.SourceRun(ctx, c.caller, in.RunID)
	if err != nil {
		return nil, err
	}
	return &answer[SourceRun]{sourceRunWire(&r)}, nil
}

func (a *API) listRunImports(ctx context.Context, c *call, in *listRunImportsIn) (*page[Import], error) {
	from, err := c.from(in.Cursor)
	if err != nil {
		return nil, err
	}
	list, next, err := a.svc.RunImports(ctx, c.caller, in.RunID, from.id, in.Limit)
	if err != nil {
		return nil, err
	}
	return listOf(list, func(i *service.RunImport) Import { return importWire(&i.Import) }, c.next(place{id: next})), nil
}

func (a *API) approveRun(ctx context.Context, c *call, in *OneRun) (*answer[SourceRun], error) {
	r, err := a.svc.ApproveRun(ctx, c.caller, in.RunID)
	if err != nil {
		return nil, err
	}
	return &answer[SourceRun]{sourceRunWire(&r)}, nil
}

func (a *API) cancelRun(ctx context.Context, c *call, in *OneRun) (*answer[SourceRun], error) {
	r, err := a.svc.CancelRun(ctx, c.caller, in.RunID)
	if err != nil {
		return nil, err
	}
	return &answer[SourceRun]{sourceRunWire(&r)}, nil
}
