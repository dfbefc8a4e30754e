package service

import (
	"context"
	"slices"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// How much is looked at for one page of duplicates. Whatever the school's size, a
// page takes the same time at most.
const (
	duplicatesBatch   = 50  // people at once
	duplicatesBatches = 6   // for one page
	duplicatesFound   = 500 // pairs of one batch
	duplicatesNamed   = 6   // people of one name
)

// Duplicate is two people who look like one.
type Duplicate struct {
	One, Other lms.User // One was there first
	Kinds      []lms.Likeness
}

// DuplicatesPage is a page of them.
type DuplicatesPage struct {
	Pairs []Duplicate
	Next  int64 // after whom to look on; 0: everybody has been looked at
}

// Duplicates looks for people who look like one, for administrators: from one person
// on, until a page is full or many have been looked at. A page can be empty and not
// the last.
func (s *Service) Duplicates(ctx context.Context, c access.Caller, after int64, limit int) (out DuplicatesPage, err error) {
	if err := access.Decide(c, access.DuplicatesView, nil); err != nil {
		return out, err
	}
	tx := s.store.Reader()
	for range duplicatesBatches {
		people, err := tx.PeopleAfter(ctx, after, duplicatesBatch)
		if err != nil {
			return out, err
		}
		found, err := duplicatesOf(ctx, tx, people)
		if err != nil {
			return out, err
		}
		out.Pairs = append(out.Pairs, found...)
		if len(people) < duplicatesBatch {
			return out, nil
		}
		after = people[len(people)-1].ID
		out.Next = after
		if len(out.Pairs) >= limit {
			break
		}
	}
	return out, nil
}

// duplicatesOf finds who looks like one of some people. Where both find each other,
// the later one does.
func duplicatesOf(ctx context.Context, tx *store.Tx, people []lms.User) ([]Duplicate, error) {
	if len(people) == 0 {
		return nil, nil
	}
	candidates, err := tx.LikeAddresses(ctx, people, duplicatesFound)
	if err != nil {
		return nil, err
	}
	candidates = slices.DeleteFunc(candidates, func(a store.Alike) bool { return a.Kind == lms.LikeLocal && a.Other > a.One })
	numbers, err := tx.LikeNumbers(ctx, people, duplicatesFound)
	if err != nil {
		return nil, err
	}
	candidates = append(candidates, numbers...)
	for i := range people {
		named, err := likeNames(ctx, tx, &people[i])
		if err != nil {
			return nil, err
		}
		candidates = append(candidates, named...)
	}
	return tellDuplicates(ctx, tx, candidates)
}

func likeNames(ctx context.Context, tx *store.Tx, u *lms.User) (list []store.Alike, err error) {
	name := lms.SearchedName(u)
	if name == "" {
		return nil, nil
	}
	found, err := tx.Directory(ctx, store.DirectoryQuery{Search: name, All: true, Limit: duplicatesNamed})
	if err != nil {
		return nil, err
	}
	for i := range found {
		if o := &found[i].User; o.ID < u.ID && lms.StillLike(u, o, lms.LikeName) {
			list = append(list, store.Alike{One: u.ID, Other: o.ID, Kind: lms.LikeName})
		}
	}
	return list, nil
}

// tellDuplicates leaves out who is not alike after all, and whom somebody has told
// apart, and brings the reasons of a pair together.
func tellDuplicates(ctx context.Context, tx *store.Tx, candidates []store.Alike) ([]Duplicate, error) {
	if len(candidates) == 0 {
		return nil, nil
	}
	var ids []int64
	for _, a := range candidates {
		ids = append(ids, a.One, a.Other)
	}
	slices.Sort(ids)
	users, err := tx.PeopleByID(ctx, slices.Compact(ids))
	if err != nil {
		return nil, err
	}
	together, err := tx.Together(ctx, candidates)
	if err != nil {
		return nil, err
	}
	distinct, err := tx.Distinct(ctx, candidates)
	if err != nil {
		return nil, err
	}
	type pair struct{ one, other int64 }
	has := func(list []store.Alike, p pair) bool {
		return slices.ContainsFunc(list, func(a store.Alike) bool { return a.One == p.one && a.Other == p.other })
	}
	place := map[pair]int{}
	var out []Duplicate
	for _, a := range candidates {
		p := pair{min(a.One, a.Other), max(a.One, a.Other)}
		one, known := users[p.one]
		other, both := users[p.other]
		if !known || !both || !lms.StillLike(&one, &other, a.Kind) || has(distinct, p) {
			continue
		}
		// Two people of one name who never meet are two, unless one has never come.
		if a.Kind == lms.LikeName && !one.Pending() && !other.Pending() && !has(together, p) {
			continue
		}
		i, again := place[p]
		if !again {
			i = len(out)
			place[p] = i
			out = append(out, Duplicate{One: one, Other: other})
		}
		if !slices.Contains(out[i].Kinds, a.Kind) {
			out[i].Kinds = append(out[i].Kinds, a.Kind)
		}
	}
	return out, nil
}

// TellApart says of two people that they are two, so that they are not taken for
// one again.
func (s *Service) TellApart(ctx context.Context, c access.Caller, one, other int64) error {
	return s.do(ctx, c, access.DuplicatesDismiss, 0, func(ctx context.Context, w *work) error {
		if one == other {
			return lms.Invalid("merge-same", "other", "Both are the same account already. Name two different ones.")
		}
		for _, id := range []int64{one, other} {
			u, ok, err := w.tx.User(ctx, id)
			if err != nil {
				return err
			}
			if !ok || u.Kind != lms.KindPerson {
				return errNoUser
			}
		}
		changed, err := w.tx.Dismiss(ctx, one, other, w.caller.UserID, w.now)
		if err != nil {
			return err
		}
		if !changed {
			w.nothingChanged()
			return nil
		}
		return w.record(ctx, one, nil, mergeAudit{Kept: one, Merged: other})
	})
}
