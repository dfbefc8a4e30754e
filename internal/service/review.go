package service

import (
	"context"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// DoubtfulGrant is what somebody holds in a course from a person who could not give
// it today.
type DoubtfulGrant struct {
	Member    lms.Member
	RoleDoubt access.Doubt // about the role; none: the role is in no doubt
	AddedBy   lms.User     // who gave the role
	SetDoubt  access.Doubt // about what is set beside the role
	GrantedBy lms.User     // who set it
}

func (g *DoubtfulGrant) doubted() bool { return g.RoleDoubt != "" || g.SetDoubt != "" }

// in is the part of what the member holds that is in doubt.
func (g *DoubtfulGrant) in() access.Given {
	var out access.Given
	if g.RoleDoubt != "" {
		out.Role = &g.Member.Enrollment.Role
	}
	if g.SetDoubt != "" {
		out.Allow, out.Deny = g.Member.Grant.Allow, g.Member.Grant.Deny
	}
	return out
}

// GrantsToReview is a page of them, in the order of the users' ids.
type GrantsToReview struct {
	Grants []DoubtfulGrant
	Next   int64 // 0 when there are no more
}

// givers are the people who gave something in a course, as they stand there now.
type givers map[int64]*lms.Member

// reviewing reads who gave something in a course, and who of them is to be looked at:
// all but those who hold everything there.
func (w *work) reviewing(ctx context.Context) (all givers, some []int64, err error) {
	ids, err := w.tx.Givers(ctx, w.courseID)
	if err != nil {
		return nil, nil, err
	}
	list, err := w.tx.AnyMembersByID(ctx, w.courseID, ids)
	if err != nil {
		return nil, nil, err
	}
	all = make(givers, len(list))
	owner := lms.Role{Key: lms.RoleOwner, Preset: true, Privileges: lms.AllPrivileges()}
	for _, m := range list {
		m = m.At(w.now)
		all[m.User.ID] = &m
		if access.DoubtGiven(&m, &lms.Member{}, w.standing.Course, access.Given{Role: &owner, Allow: lms.AllPrivileges()}) != "" {
			some = append(some, m.User.ID)
		}
	}
	return all, some, nil
}

// doubt looks at what one member holds.
func (all givers) doubt(m *lms.Member, course lms.Course) DoubtfulGrant {
	g := DoubtfulGrant{Member: *m}
	if e := m.Enrollment; e != nil && e.Role.Staff() {
		if by := all[e.AddedBy]; by != nil {
			g.AddedBy, g.RoleDoubt = by.User, access.DoubtGiven(by, m, course, access.Given{Role: &e.Role})
		}
	}
	if p := m.Grant; p != nil {
		if by := all[p.GrantedBy]; by != nil {
			g.GrantedBy, g.SetDoubt = by.User, access.DoubtGiven(by, m, course, access.Given{Allow: p.Allow, Deny: p.Deny})
		}
	}
	return g
}

// GrantsToReview lists who has a say in a course from somebody who could not give it
// today: who left, lost the privilege, or whose account is suspended or erased.
// It takes the privilege to manage staff; whoever is limited to sections sees their own.
func (s *Service) GrantsToReview(ctx context.Context, c access.Caller, courseID, after int64, limit int) (GrantsToReview, error) {
	st, err := s.look(ctx, c, access.GrantReview, courseID)
	if err != nil {
		return GrantsToReview{}, err
	}
	w := &work{tx: s.store.Reader(), caller: c, courseID: courseID, standing: st, now: s.now()}
	return w.toReview(ctx, after, limit)
}

// toReview is a page of what is in doubt in a course.
func (w *work) toReview(ctx context.Context, after int64, limit int) (out GrantsToReview, err error) {
	all, some, err := w.reviewing(ctx)
	if err != nil || len(some) == 0 {
		return out, err
	}
	d := w.delegator()
	for {
		list, err := w.tx.GivenBy(ctx, w.courseID, some, after, limit+1)
		if err != nil {
			return out, err
		}
		for i := range list {
			g := all.doubt(&list[i], w.standing.Course)
			if !g.doubted() || !d.Reaches(&list[i]) {
				continue
			}
			if len(out.Grants) == limit {
				out.Next = out.Grants[limit-1].Member.User.ID
				return out, nil
			}
			out.Grants = append(out.Grants, g)
		}
		if len(list) <= limit {
			return out, nil
		}
		after = list[len(list)-1].User.ID
	}
}

// lookedAt is how many courses are looked at for one page of those with grants to review.
const lookedAt = 200

// coursesToReview lists the courses of the site in which something is in doubt. A page
// has fewer than limit, or none, where few of those that were looked at have any.
func (s *Service) coursesToReview(ctx context.Context, c access.Caller, term, before int64, limit int) (out CoursesPage, err error) {
	tx := s.store.Reader()
	list, err := tx.Courses(ctx, store.CoursesQuery{UserID: c.UserID, All: true, Doubted: true, TermID: term, Before: before, Limit: lookedAt + 1})
	if err != nil {
		return out, err
	}
	rows, more := page(list, lookedAt)
	for i, row := range rows {
		st := &access.Standing{Course: row.Course, Member: row.Member.At(s.now())}
		w := &work{tx: tx, caller: c, courseID: row.Course.ID, standing: st, now: s.now()}
		found, err := w.toReview(ctx, 0, 1)
		if err != nil {
			return out, err
		}
		if len(found.Grants) > 0 {
			out.Courses = append(out.Courses, viewOf(c, st))
		}
		if len(out.Courses) == limit && i < len(rows)-1 || more && i == len(rows)-1 {
			out.Next = row.Course.ID
			return out, nil
		}
	}
	return out, nil
}

// reviewed finds what is in doubt about one member; ok is false when nothing is, or
// not any more.
func (s *Service) reviewed(ctx context.Context, w *work, userID int64) (g DoubtfulGrant, ok bool, err error) {
	m, err := s.memberByID(ctx, w, userID)
	if err != nil {
		return g, false, err
	}
	if m.Enrollment == nil && m.Grant == nil {
		return g, false, errNotMember
	}
	all, _, err := w.reviewing(ctx)
	if err != nil {
		return g, false, err
	}
	g = all.doubt(&m, w.standing.Course)
	return g, g.doubted(), nil
}

// reviewAudit is how the audit shows what somebody answers for.
type reviewAudit struct {
	Role  string          `json:"role,omitempty"`
	Allow []lms.Privilege `json:"allow,omitempty"`
	Deny  []lms.Privilege `json:"deny,omitempty"`
}

// ConfirmGrant lets somebody keep what is in doubt: the caller answers for it from
// then on, as if they had given it, and so has to be able to. When nothing is in
// doubt, nothing changes.
func (s *Service) ConfirmGrant(ctx context.Context, c access.Caller, courseID, userID int64) (lms.Member, error) {
	return doOnce(ctx, s, c, access.GrantConfirm, courseID, nil, func(ctx context.Context, w *work) (lms.Member, error) {
		g, ok, err := s.reviewed(ctx, w, userID)
		if err != nil || !ok {
			w.nothingChanged()
			return g.Member, err
		}
		d := w.delegator()
		if err := d.MayTouch(&g.Member); err != nil {
			return g.Member, err
		}
		in := g.in()
		if err := d.MayAnswerFor(in); err != nil {
			return g.Member, err
		}
		after := reviewAudit{Allow: in.Allow.List(), Deny: in.Deny.List()}
		if in.Role != nil {
			after.Role = in.Role.Key
			if err := w.tx.SetAddedBy(ctx, courseID, userID, w.caller.UserID); err != nil {
				return g.Member, err
			}
		}
		if g.SetDoubt != "" {
			err := w.tx.SetGrant(ctx, lms.Grant{UserID: userID, CourseID: courseID, Allow: in.Allow, Deny: in.Deny, GrantedBy: w.caller.UserID, GrantedAt: w.now})
			if err != nil {
				return g.Member, err
			}
		}
		if err := w.record(ctx, userID, nil, after); err != nil {
			return g.Member, err
		}
		m, _, err := w.tx.Member(ctx, courseID, userID)
		return m, err
	})
}

// TakeGrant takes away what is in doubt, and nothing else: the role, what is set beside
// it, or both. When nothing is in doubt, nothing changes.
func (s *Service) TakeGrant(ctx context.Context, c access.Caller, courseID, userID int64) (lms.Member, error) {
	return doOnce(ctx, s, c, access.GrantTake, courseID, nil, func(ctx context.Context, w *work) (lms.Member, error) {
		g, ok, err := s.reviewed(ctx, w, userID)
		if err != nil || !ok {
			w.nothingChanged()
			return g.Member, err
		}
		m := g.Member
		to := PlaceOf(&m)
		if g.RoleDoubt != "" {
			to.Role = ""
		}
		if g.SetDoubt != "" {
			to.Allow, to.Deny = 0, 0
		}
		roles, err := w.tx.Roles(ctx, courseID)
		if err != nil {
			return m, err
		}
		if err := w.mayPlace(ctx, &m, roles, to); err != nil {
			return m, err
		}
		return m, w.place(ctx, &m, roles, to)
	})
}
