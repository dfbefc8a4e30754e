package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// Term is an academic year or a term of one.
type Term struct {
	ID       int64  `json:"id"`
	YearID   *int64 `json:"year_id" doc:"The academic year of a term; null for an academic year itself."`
	Name     string `json:"name"`
	BeginsOn string `json:"begins_on" format:"date" doc:"The first day."`
	EndsOn   string `json:"ends_on" format:"date" doc:"The last day, which belongs to it."`
	Courses  *int64 `json:"courses,omitempty" doc:"How many courses stand in it, in an academic year without those of its terms. Only for administrators."`
}

// termFor is the wire form for a caller: only administrators are told how many
// courses there are.
func (c *call) termFor(p *service.TermOf) Term {
	w := Term{ID: p.ID, YearID: idOrNull(p.YearID), Name: p.Name, BeginsOn: string(p.Begins), EndsOn: string(p.Ends)}
	if c.caller.Admin() {
		w.Courses = &p.Courses
	}
	return w
}

// TermOrNull is a field of a change that may be absent, null for none, or an id.
type TermOrNull struct {
	there bool
	id    int64
}

// UnmarshalJSON notes that the field was there.
func (t *TermOrNull) UnmarshalJSON(b []byte) error {
	t.there = true
	if bytes.Equal(b, []byte("null")) {
		return nil
	}
	return json.Unmarshal(b, &t.id)
}

// Schema describes it as what is sent.
func (TermOrNull) Schema(huma.Registry) *huma.Schema {
	least := 1.0
	return &huma.Schema{Type: huma.TypeInteger, Format: "int64", Minimum: &least, Nullable: true}
}

// patch is the change in the words of the service.
func (t TermOrNull) patch() *int64 {
	if !t.there {
		return nil
	}
	return &t.id
}

type (
	listTermsIn struct {
		YearID int64 `query:"year_id" minimum:"1" doc:"Only this academic year and its terms."`
		Paging
	}
	createTermIn struct {
		Repeatable
		Body NewTerm
	}
	termIn struct {
		TermID int64 `path:"term_id" minimum:"1"`
	}
	patchTermIn struct {
		TermID int64 `path:"term_id" minimum:"1"`
		Body   TermPatch
	}
)

// NewTerm is an academic year or a term to be made.
type NewTerm struct {
	Name     string `json:"name" doc:"At most 60 characters, once in its academic year." example:"Autumn 2026"`
	YearID   *int64 `json:"year_id,omitempty" nullable:"true" minimum:"1" doc:"The academic year of the term; absent or null: an academic year is made."`
	BeginsOn string `json:"begins_on" doc:"The first day." example:"2026-10-01"`
	EndsOn   string `json:"ends_on" doc:"The last day, which belongs to it: at most 400 days for a term, 800 for an academic year." example:"2027-01-31"`
}

// TermPatch changes what is there.
type TermPatch struct {
	Name     *string `json:"name,omitempty" nullable:"false"`
	BeginsOn *string `json:"begins_on,omitempty" nullable:"false"`
	EndsOn   *string `json:"ends_on,omitempty" nullable:"false"`
}

func (a *API) registerTerms() {
	register(a, op(http.MethodGet, "/terms", "list-terms", tagTerms, "Academic years and their terms",
		"The latest academic year first, each followed by its terms. Everybody who is signed in may read them."), a.listTerms)
	register(a, op(http.MethodPost, "/terms", "create-term", tagTerms, "Make an academic year or a term",
		"A term lies within its academic year; terms may overlap. For administrators."), a.createTerm)
	register(a, op(http.MethodGet, "/terms/{term_id}", "get-term", tagTerms, "One academic year or term", "Everybody who is signed in may read it."), a.getTerm)
	register(a, op(http.MethodPatch, "/terms/{term_id}", "update-term", tagTerms, "Change an academic year or a term",
		"Changes the fields that are there. 422 term-outside-year when a term would lie outside its academic year. For administrators."), a.patchTerm)
	register(a, op(http.MethodDelete, "/terms/{term_id}", "delete-term", tagTerms, "Delete an academic year or a term",
		"409 term-in-use while there are terms in an academic year, or courses in it. For administrators.", http.StatusConflict), a.deleteTerm)
}

func (a *API) listTerms(ctx context.Context, c *call, in *listTermsIn) (*page[Term], error) {
	from, err := c.from(in.Cursor)
	if err != nil {
		return nil, err
	}
	list, err := a.svc.Terms(ctx, c.caller, in.YearID)
	if err != nil {
		return nil, err
	}
	if from.id != 0 {
		i := slices.IndexFunc(list, func(p service.TermOf) bool { return p.ID == from.id })
		if i < 0 {
			return nil, errCursor // what stood there was deleted
		}
		list = list[i+1:]
	}
	var next place
	if len(list) > in.Limit {
		list = list[:in.Limit]
		next.id = list[in.Limit-1].ID
	}
	return listOf(list, c.termFor, c.next(next)), nil
}

func (a *API) createTerm(ctx context.Context, c *call, in *createTermIn) (*created[Term], error) {
	b := &in.Body
	t, err := a.svc.CreateTerm(ctx, c.caller, idOrNone(b.YearID), lms.PeriodFields{Name: b.Name, Begins: lms.Day(b.BeginsOn), Ends: lms.Day(b.EndsOn)}, c.once())
	if err != nil {
		return nil, err
	}
	return &created[Term]{Location: fmt.Sprintf("%s/terms/%d", v1, t.ID), Body: c.termFor(&t)}, nil
}

func (a *API) getTerm(ctx context.Context, c *call, in *termIn) (*answer[Term], error) {
	return c.oneTerm(a.svc.Term(ctx, c.caller, in.TermID))
}

func (a *API) patchTerm(ctx context.Context, c *call, in *patchTermIn) (*answer[Term], error) {
	b := &in.Body
	return c.oneTerm(a.svc.UpdateTerm(ctx, c.caller, in.TermID, service.TermPatch{
		Name: b.Name, Begins: (*lms.Day)(b.BeginsOn), Ends: (*lms.Day)(b.EndsOn),
	}))
}

func (c *call) oneTerm(t service.TermOf, err error) (*answer[Term], error) {
	if err != nil {
		return nil, err
	}
	return &answer[Term]{c.termFor(&t)}, nil
}

func (a *API) deleteTerm(ctx context.Context, c *call, in *termIn) (*empty, error) {
	return nil, a.svc.DeleteTerm(ctx, c.caller, in.TermID)
}
