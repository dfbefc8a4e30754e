package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// MergeRequest says of two people that they are one.
type MergeRequest struct {
	Keep  PersonRef `json:"keep" doc:"The person who is kept. Both have to exist: nobody is named by this."`
	Merge PersonRef `json:"merge" doc:"The person who is merged into them, and is gone then."`
}

// MergeRows is how many rows of something are meant.
type MergeRows struct {
	What string `json:"what" doc:"A column that refers to people, such as courses.created_by." example:"courses.created_by"`
	Rows int64  `json:"rows"`
}

// MergedPlace is what two people hold in a course, and what one holds then.
type MergedPlace struct {
	CourseID    int64       `json:"course_id"`
	CourseTitle string      `json:"course_title" doc:"Empty for a course that was deleted."`
	Kept        CoursePlace `json:"kept" doc:"What the person who is kept has now."`
	Merged      CoursePlace `json:"merged" doc:"What the other has now."`
	After       CoursePlace `json:"after" doc:"What the one person has then."`
	Notes       []string    `json:"notes" doc:"What somebody should know beforehand."`
}

// MergePreview is what a merge would do.
type MergePreview struct {
	Keep      User          `json:"keep"`
	Merge     User          `json:"merge"`
	Places    []MergedPlace `json:"places" doc:"The courses in which the other has a place."`
	Moves     []MergeRows   `json:"moves" doc:"What else moves to the person who is kept, or ends with the other."`
	Addresses []string      `json:"addresses" doc:"The addresses that become further ones of the person who is kept. They are proved no more than before."`
	SiteRole  string        `json:"site_role" enum:"member,teacher,admin" doc:"The role on the site that the one person has then."`
	Asks      bool          `json:"asks" doc:"true: both have signed in, so that both are asked whether they are one before anything happens."`
}

// Merge is two accounts of which one was merged into the other, or about which two
// people are asked.
type Merge struct {
	ID        int64       `json:"id"`
	State     string      `json:"state" enum:"asked,done,split,withdrawn"`
	Kept      MergePerson `json:"kept"`
	Merged    MergePerson `json:"merged"`
	AskedBy   MergePerson `json:"asked_by"`
	AskedAt   time.Time   `json:"asked_at"`
	KeptAt    *time.Time  `json:"kept_accepted_at" doc:"When the person who is kept said that both are one; null: not yet, or not needed."`
	MergedAt  *time.Time  `json:"merged_accepted_at" doc:"The same of the other."`
	DoneAt    *time.Time  `json:"done_at"`
	EndedAt   *time.Time  `json:"ended_at" doc:"When it was split or withdrawn."`
	ExpiresAt time.Time   `json:"expires_at" doc:"Until when it can be accepted or, once done, be split."`
}

// MergePerson is one of the people of a merge.
type MergePerson struct {
	UserID int64  `json:"user_id"`
	Name   string `json:"name" doc:"What pages call them; to whoever is asked whether they are the same person, a part of the address. Empty when nothing is known any more."`
}

// MergeDetail is a merge with what splitting it would do now.
type MergeDetail struct {
	Merge
	Split *Split `json:"split" doc:"What splitting would do now; null when the caller cannot split it."`
}

// Split is what comes back by splitting a merge, and what does not.
type Split struct {
	Back   []MergeRows  `json:"back" doc:"What belongs to the other person again."`
	Stays  []MergeRows  `json:"stays" doc:"What stays with the person who was kept, since it was changed after the merge."`
	Places []SplitPlace `json:"places" doc:"The courses, in each of which all or nothing is as it was before."`
}

// SplitPlace is a course of a split.
type SplitPlace struct {
	CourseID int64  `json:"course_id"`
	Stays    string `json:"stays" enum:",changed,last-owner" doc:"Why the place stays with the person who was kept; empty: it is as before the merge."`
}

// Duplicate is two people who look like one.
type Duplicate struct {
	One   User     `json:"one"`
	Other User     `json:"other"`
	Kinds []string `json:"kinds" doc:"Why: provider, address, slip, name, number."`
}

// DistinctPeople are two people who are two.
type DistinctPeople struct {
	OneID   int64 `json:"one_id" minimum:"1"`
	OtherID int64 `json:"other_id" minimum:"1"`
}

type (
	checkMergeIn struct{ Body MergeRequest }
	mergeIn      struct {
		Repeatable
		Body MergeRequest
	}
	oneMergeIn struct {
		MergeID int64 `path:"merge_id" minimum:"1"`
	}
	listMergesIn     struct{ Paging }
	listDuplicatesIn struct{ Paging }
	distinctIn       struct{ Body DistinctPeople }
)

func (a *API) registerMerges() {
	ok := func(path, id, summary, description string, errors ...int) huma.Operation {
		o := op(http.MethodPost, path, id, tagUsers, summary, description, errors...)
		o.DefaultStatus = http.StatusOK
		return o
	}
	register(a, ok("/merge-preview", "preview-merge", "Look at a merge beforehand",
		"What merging two people would do, to whoever may do it. Nothing is changed.", http.StatusNotFound, http.StatusConflict), a.checkMerge)
	register(a, op(http.MethodPost, "/merges", "merge-users", tagUsers, "Merge two people",
		"Makes one person of two, in one transaction: all that refers to the second refers to the first. A pending person is merged by whoever manages the roster of every course in which they have a place, or by an administrator. When both have signed in, an administrator asks both whether they are one (state asked), and completes the merge when both have said so. It can be split for 30 days.",
		http.StatusNotFound, http.StatusConflict), a.mergeUsers)
	register(a, op(http.MethodGet, "/merges", "list-merges", tagUsers, "Merges",
		"The newest first: all for an administrator, else those that the caller has made or is concerned by."), a.listMerges)
	register(a, op(http.MethodGet, "/merges/{merge_id}", "get-merge", tagUsers, "One merge", "With what splitting it would do now."), a.getMerge)
	register(a, ok("/merges/{merge_id}/accept", "accept-merge", "Say that both accounts are one",
		"For each of the two people, signed in in a browser. 409 merge-over when the question is not open any more.", http.StatusConflict), a.acceptMerge)
	register(a, ok("/merges/{merge_id}/complete", "complete-merge", "Carry out a merge",
		"To which both people have agreed, for administrators. 409 merge-unproved before that.", http.StatusConflict), a.completeMerge)
	register(a, ok("/merges/{merge_id}/split", "split-merge", "Split a merge",
		"Makes two people of one again, within 30 days of the merge, for administrators and whoever merged them. What was changed since stays with the person who was kept.", http.StatusConflict), a.splitMerge)
	register(a, op(http.MethodDelete, "/merges/{merge_id}", "withdraw-merge", tagUsers, "Withdraw a question",
		"Whether two people are one: for administrators, and for each of the two, who says no.", http.StatusConflict), a.withdrawMerge)

	register(a, op(http.MethodGet, "/duplicates", "list-duplicates", tagUsers, "People who look like one",
		"For administrators. The list looks at a bounded number of people for each page, so that a page can be empty and not the last."), a.listDuplicates)
	dismiss := op(http.MethodPost, "/duplicates/dismiss", "dismiss-duplicate", tagUsers, "Tell two people apart",
		"They do not appear as duplicates again. For administrators.", http.StatusNotFound)
	dismiss.DefaultStatus = http.StatusNoContent
	register(a, dismiss, a.dismissDuplicate)
}

func mergeRequest(b *MergeRequest) (service.MergeRequest, error) {
	if err := b.Keep.check("body.keep"); err != nil {
		return service.MergeRequest{}, err
	}
	if err := b.Merge.check("body.merge"); err != nil {
		return service.MergeRequest{}, err
	}
	return service.MergeRequest{Keep: service.PersonRef(b.Keep), Merge: service.PersonRef(b.Merge)}, nil
}

func mergeRows(list []service.PartCount) []MergeRows {
	out := make([]MergeRows, len(list))
	for i, p := range list {
		out[i] = MergeRows{p.Part, p.Rows}
	}
	return out
}

func mergePerson(u *lms.User) MergePerson { return MergePerson{u.ID, u.DisplayName()} }

func mergeWire(m *lms.Merge) Merge {
	return Merge{
		ID: m.ID, State: string(m.State), Kept: mergePerson(&m.Kept), Merged: mergePerson(&m.Gone), AskedBy: mergePerson(&m.AskedBy),
		AskedAt: m.AskedAt.UTC(), KeptAt: timeOrNull(m.KeptSaid), MergedAt: timeOrNull(m.GoneSaid), DoneAt: timeOrNull(m.Done),
		EndedAt: timeOrNull(m.Ended), ExpiresAt: m.Expires.UTC(),
	}
}

func splitWire(p *service.SplitPlan) *Split {
	if p == nil {
		return nil
	}
	s := &Split{Back: mergeRows(p.Back), Stays: mergeRows(p.Stay), Places: make([]SplitPlace, len(p.Places))}
	for i, sp := range p.Places {
		s.Places[i] = SplitPlace{sp.CourseID, string(sp.Stays)}
	}
	return s
}

func (a *API) checkMerge(ctx context.Context, c *call, in *checkMergeIn) (*answer[MergePreview], error) {
	r, err := mergeRequest(&in.Body)
	if err != nil {
		return nil, err
	}
	p, err := a.svc.PreviewMerge(ctx, c.caller, r)
	if err != nil {
		return nil, err
	}
	w := MergePreview{
		Keep: userWire(&p.Keep), Merge: userWire(&p.Merge), Places: []MergedPlace{}, Moves: mergeRows(p.Parts), Addresses: []string{},
		SiteRole: string(p.SiteRole), Asks: p.Asks,
	}
	for i := range p.Places {
		one := &p.Places[i]
		place := MergedPlace{
			CourseID: one.CourseID, CourseTitle: one.Course.Title, Kept: a.placeWire(&one.Kept), Merged: a.placeWire(&one.Gone),
			After: a.placeWire(&one.Member), Notes: []string{},
		}
		for _, n := range one.Notes {
			place.Notes = append(place.Notes, n.String())
		}
		w.Places = append(w.Places, place)
	}
	for _, e := range p.Addresses {
		w.Addresses = append(w.Addresses, string(e.Email))
	}
	return &answer[MergePreview]{w}, nil
}

func (a *API) mergeUsers(ctx context.Context, c *call, in *mergeIn) (*created[Merge], error) {
	r, err := mergeRequest(&in.Body)
	if err != nil {
		return nil, err
	}
	m, err := a.svc.MergePeople(ctx, c.caller, r, c.once())
	if err != nil {
		return nil, err
	}
	return &created[Merge]{Location: v1 + "/merges/" + strconv.FormatInt(m.ID, 10), Body: mergeWire(&m)}, nil
}

func (a *API) listMerges(ctx context.Context, c *call, in *listMergesIn) (*page[Merge], error) {
	from, err := c.from(in.Cursor)
	if err != nil {
		return nil, err
	}
	list, err := a.svc.Merges(ctx, c.caller, from.id, in.Limit)
	if err != nil {
		return nil, err
	}
	return listOf(list.Merges, mergeWire, c.next(place{id: list.Next})), nil
}

func (a *API) getMerge(ctx context.Context, c *call, in *oneMergeIn) (*answer[MergeDetail], error) {
	v, err := a.svc.Merge(ctx, c.caller, in.MergeID)
	if err != nil {
		return nil, err
	}
	return &answer[MergeDetail]{MergeDetail{mergeWire(&v.Merge), splitWire(v.Split)}}, nil
}

func oneMerge(m lms.Merge, err error) (*answer[Merge], error) {
	if err != nil {
		return nil, err
	}
	return &answer[Merge]{mergeWire(&m)}, nil
}

func (a *API) acceptMerge(ctx context.Context, c *call, in *oneMergeIn) (*answer[Merge], error) {
	return oneMerge(a.svc.AcceptMerge(ctx, c.caller, in.MergeID))
}

func (a *API) completeMerge(ctx context.Context, c *call, in *oneMergeIn) (*answer[Merge], error) {
	return oneMerge(a.svc.CompleteMerge(ctx, c.caller, in.MergeID))
}

func (a *API) splitMerge(ctx context.Context, c *call, in *oneMergeIn) (*answer[Split], error) {
	p, err := a.svc.SplitMerge(ctx, c.caller, in.MergeID)
	if err != nil {
		return nil, err
	}
	return &answer[Split]{*splitWire(&p)}, nil
}

func (a *API) withdrawMerge(ctx context.Context, c *call, in *oneMergeIn) (*empty, error) {
	return nil, a.svc.WithdrawMerge(ctx, c.caller, in.MergeID)
}

func (a *API) listDuplicates(ctx context.Context, c *call, in *listDuplicatesIn) (*page[Duplicate], error) {
	from, err := c.from(in.Cursor)
	if err != nil {
		return nil, err
	}
	list, err := a.svc.Duplicates(ctx, c.caller, from.id, in.Limit)
	if err != nil {
		return nil, err
	}
	return listOf(list.Pairs, func(d *service.Duplicate) Duplicate {
		w := Duplicate{One: userWire(&d.One), Other: userWire(&d.Other)}
		for _, k := range d.Kinds {
			w.Kinds = append(w.Kinds, string(k))
		}
		return w
	}, c.next(place{id: list.Next})), nil
}

func (a *API) dismissDuplicate(ctx context.Context, c *call, in *distinctIn) (*empty, error) {
	return nil, a.svc.TellApart(ctx, c.caller, in.Body.OneID, in.Body.OtherID)
}
