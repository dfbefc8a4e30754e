package service

import (
	"context"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// Home is what matters to the caller first: what their courses were told
// lately, who has not arrived in the courses whose roster they may see, and for
// administrators the state of the site.
type Home struct {
	Told   []lms.Announcement
	Counts map[int64]store.PeopleCounts // of courses whose roster the caller may see
	Site   *store.SiteCounts            // for administrators
}

const (
	toldOnHome = 5
	newsFor    = 30 * 24 * time.Hour // for how long an announcement is news
)

// Home reads what matters to the caller about some of their courses, as Courses
// gave them.
func (s *Service) Home(ctx context.Context, c access.Caller, courses []CourseView) (h Home, err error) {
	if err := access.Decide(c, access.AccountView, nil); err != nil {
		return h, err
	}
	tx := s.store.Reader()
	var all, seen []int64
	for _, v := range courses {
		st := access.Standing{Course: v.Course, Member: v.Member.At(s.now())}
		if v.Course.Archived() || access.Decide(c, access.AnnouncementView, &st) != nil {
			continue
		}
		all = append(all, v.Course.ID)
		if access.Decide(c, access.RosterView, &st) == nil && st.Within(c) == "" {
			seen = append(seen, v.Course.ID)
		}
	}
	if len(all) > 0 {
		now := s.now()
		if h.Told, err = tx.LatestAnnouncements(ctx, all, now.Add(-newsFor), now, toldOnHome); err != nil {
			return h, err
		}
	}
	if len(seen) > 0 {
		if h.Counts, err = tx.CourseCounts(ctx, seen); err != nil {
			return h, err
		}
	}
	if c.Admin() {
		n, err := tx.SiteCounts(ctx)
		if err != nil {
			return h, err
		}
		h.Site = &n
	}
	return h, nil
}

// UserPlaces is where a user is referred to, for administrators.
type UserPlaces struct {
	NamedBy    *lms.User // nil when they came by themselves
	Courses    []CourseView
	More       bool // there are further courses
	Identities []lms.Identity
	Addresses  []store.Address
	Tokens     int64
}

// placesShown is how many courses UserPlaces lists.
const placesShown = 100

// UserPlaces tells where a user is referred to.
func (s *Service) UserPlaces(ctx context.Context, c access.Caller, id int64) (p UserPlaces, err error) {
	if err := access.Decide(c, access.SiteAuditView, nil); err != nil {
		return p, err
	}
	u, err := s.User(ctx, c, id)
	if err != nil {
		return p, err
	}
	tx := s.store.Reader()
	if u.CreatedBy != lms.SystemUserID && u.CreatedBy != id {
		by, ok, err := tx.AnyUser(ctx, u.CreatedBy)
		if err != nil {
			return p, err
		}
		if ok {
			p.NamedBy = &by
		}
	}
	list, err := tx.Courses(ctx, store.CoursesQuery{UserID: id, Before: maxID, Limit: placesShown + 1})
	if err != nil {
		return p, err
	}
	rows, more := page(list, placesShown)
	p.More = more
	for _, row := range rows {
		p.Courses = append(p.Courses, CourseView{Course: row.Course, Member: row.Member, Holds: row.Member.Effective()})
	}
	if p.Identities, err = tx.Identities(ctx, id); err != nil {
		return p, err
	}
	if p.Addresses, err = tx.Addresses(ctx, id); err != nil {
		return p, err
	}
	p.Tokens, err = tx.CountTokens(ctx, id)
	return p, err
}

// CoursesPerUser counts the courses of several users, for administrators.
func (s *Service) CoursesPerUser(ctx context.Context, c access.Caller, ids []int64) (map[int64]int64, error) {
	if err := access.Decide(c, access.SiteAuditView, nil); err != nil {
		return nil, err
	}
	return s.store.Reader().CoursesPerUser(ctx, ids)
}
