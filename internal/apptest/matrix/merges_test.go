package matrix

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// The policy of merging. A pending person of C is merged into a student of C; of two
// who have signed in, that student and somebody in no course are asked. Whoever has
// nothing to do with them does not learn whether there is anybody.
func mergePolicy(refusedTo []actor, may ...actor) policy {
	return func(a actor) answer {
		switch {
		case slices.Contains(may, a), a == admin, a == adminToken, a == readToken:
			return served
		case slices.Contains(refusedTo, a), a == tokenForD:
			return refused
		}
		return hidden
	}
}

var (
	mergers = mergePolicy(nil, assistantOfC, teacherOfC, ownerOfC)
	asked   = mergePolicy(nil, studentOfC, stranger)
	askable = func(a actor) answer {
		switch a {
		case studentOfC, stranger:
			return served
		case admin:
			return refused
		}
		return hidden
	}
	splitters = mergePolicy([]actor{studentOfC})
	seeing    = func(a actor) answer {
		if a == tokenForD {
			return hidden // it reads as anybody
		}
		return asked(a)
	}
)

func mergeBody(f *fixture) any {
	f.makeSlip()
	return object{"keep": object{"user_id": f.ids[studentOfC]}, "merge": object{"user_id": f.slip}}
}

func mergeForm(f *fixture) url.Values {
	f.makeSlip()
	id := func(n int64) string { return strconv.FormatInt(n, 10) }
	return url.Values{"keep_id": {id(f.ids[studentOfC])}, "merge_id": {id(f.slip)}}
}

var (
	mergeAPIPolicy = []row{
		{route: "POST /api/v1/merge-preview", policy: mergers, write: true, body: mergeBody},
		{route: "POST /api/v1/merges", policy: mergers, write: true, body: mergeBody},
		{route: "GET /api/v1/merges", policy: signedIn},
		{route: "GET /api/v1/merges/{merge_id}", policy: seeing},
		{route: "POST /api/v1/merges/{merge_id}/accept", policy: askable, write: true, people: true},
		{route: "POST /api/v1/merges/{merge_id}/complete", policy: admins, write: true, allow: []int{409}}, // nobody has answered
		{route: "POST /api/v1/merges/{merge_id}/split", policy: splitters, write: true},
		{route: "DELETE /api/v1/merges/{merge_id}", policy: asked, write: true},
		{route: "GET /api/v1/duplicates", policy: admins},
		{route: "POST /api/v1/duplicates/dismiss", policy: admins, write: true, body: func(f *fixture) any {
			return object{"one_id": f.ids[studentOfC], "other_id": f.pupil}
		}},
	}
	mergeWebPolicy = []row{
		{route: "GET /merges", policy: signedIn},
		{route: "POST /merges", policy: mergers, write: true, form: mergeForm},
		{route: "GET /merges/new", policy: signedIn},
		{route: "POST /merges/new", policy: mergers, write: true, form: mergeForm},
		{route: "GET /merges/{merge_id}", policy: seeing},
		{route: "POST /merges/{merge_id}/accept", policy: askable, write: true, form: formOf()},
		{route: "POST /merges/{merge_id}/complete", policy: admins, write: true, form: formOf(), allow: []int{409}},
		{route: "POST /merges/{merge_id}/withdraw", policy: asked, write: true, form: formOf()},
		{route: "POST /merges/{merge_id}/split", policy: splitters, write: true, form: formOf()},
		{route: "GET /admin/duplicates", policy: admins},
		{route: "POST /admin/duplicates", policy: admins, write: true, form: func(f *fixture) url.Values {
			return url.Values{"one": {strconv.FormatInt(f.ids[studentOfC], 10)}, "other": {strconv.FormatInt(f.pupil, 10)}}
		}},
	}
)

// makeSlip makes a pending person who is in C alone.
func (f *fixture) makeSlip() {
	f.t.Helper()
	if f.slip != 0 {
		return
	}
	rows, err := f.Service.Enroll(context.Background(), f.adminBy, service.EnrollRequest{
		CourseID: f.course, Role: lms.RoleStudent, Emails: []string{fmt.Sprintf("slip%d@uni.example", f.serial)},
	})
	f.must(err)
	f.slip = rows[0].UserID
}

// makeMerge makes the merge that a route is about: one that can be split, or one that
// is asked about.
func (f *fixture) makeMerge(route string) {
	f.t.Helper()
	ctx := context.Background()
	r := service.MergeRequest{Keep: service.PersonRef{UserID: f.ids[studentOfC]}, Merge: service.PersonRef{UserID: f.ids[stranger]}}
	if f.question != 0 {
		// Of the row before: answered, withdrawn or as it was.
		_ = f.Service.WithdrawMerge(ctx, f.adminBy, f.question)
		f.question = 0
	}
	if strings.HasSuffix(route, "/split") {
		f.makeSlip()
		r.Merge.UserID = f.slip
	}
	m, err := f.Service.MergePeople(ctx, f.adminBy, r, nil)
	f.must(err)
	f.merge = m.ID
	if m.State == lms.MergeAsked {
		f.question = m.ID
	}
}
