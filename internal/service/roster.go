package service

import (
	"context"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// RosterRequest asks for a page of a course's people.
type RosterRequest struct {
	CourseID int64
	Enrolled bool // leave out who has privileges but no role
	Role     string
	Status   lms.UserStatus
	Group    store.PeopleGroup
	May      lms.Privilege // only who may do this
	Section  int64         // only who is in this section; store.NoSection: in none
	Search   string
	Order    store.PeopleOrder
	Down     bool
	After    store.PeopleCursor
	Limit    int
}

// RosterCursor is where a roster is continued; the type is the store's, for the
// faces that may not import it.
type RosterCursor = store.PeopleCursor

// NoSection asks for people who are in no section; see RosterRequest.
const NoSection = store.NoSection

// SetOrder orders the roster: 0 by name, 1 by role, 2 by when people were
// added, 3 by their first sign-in; down is the reverse.
func (r *RosterRequest) SetOrder(order int, down bool) {
	r.Order, r.Down = store.PeopleOrder(order), down
}

// RosterPage is a page of a course's people.
type RosterPage struct {
	Standing *access.Standing
	People   []store.Person
	More     bool
}

// Roster lists a course's people.
func (s *Service) Roster(ctx context.Context, c access.Caller, r RosterRequest) (RosterPage, error) {
	st, err := s.look(ctx, c, access.RosterView, r.CourseID)
	if err != nil {
		return RosterPage{}, err
	}
	return s.roster(ctx, c, st, r)
}

func (s *Service) roster(ctx context.Context, c access.Caller, st *access.Standing, r RosterRequest) (RosterPage, error) {
	clean, err := lms.CleanText(r.Search, "search", lms.MaxNameRunes)
	if err != nil {
		return RosterPage{}, err
	}
	list, err := s.store.Reader().People(ctx, store.PeopleQuery{
		CourseID: r.CourseID, Enrolled: r.Enrolled, Role: r.Role, Status: r.Status, Group: r.Group, Privilege: r.May, Section: r.Section, Within: st.Within(c), Self: c.UserID, Order: r.Order, Down: r.Down,
		Search: lms.FoldSearch(clean), After: r.After, Limit: r.Limit + 1,
	})
	if err != nil {
		return RosterPage{}, err
	}
	people, more := page(list, r.Limit)
	return RosterPage{Standing: st, People: people, More: more}, nil
}

// CoursePeople is a page of a course's people with what is needed to choose
// among them.
type CoursePeople struct {
	Course   CourseView
	Counts   store.PeopleCounts
	Roles    []RoleOf
	Sections []store.SectionOf
	Roster   RosterPage
	Refused  error // why there is no roster, where the request is at fault
}

// CoursePeople reads what several requests could read one by one, and looks at
// how the caller stands in the course once.
func (s *Service) CoursePeople(ctx context.Context, c access.Caller, r RosterRequest) (CoursePeople, error) {
	st, err := s.look(ctx, c, access.RosterView, r.CourseID)
	if err != nil {
		return CoursePeople{}, err
	}
	for _, also := range []access.Action{access.RoleView, access.SectionView} {
		if err := access.Decide(c, also, st); err != nil {
			return CoursePeople{}, err
		}
	}
	p := CoursePeople{Course: viewOf(c, st)}
	if p.Counts, err = s.store.Reader().PeopleCounts(ctx, r.CourseID, st.Within(c), c.UserID); err != nil {
		return p, err
	}
	if p.Roles, err = s.store.Reader().RolesOf(ctx, r.CourseID); err != nil {
		return p, err
	}
	if p.Sections, err = s.sections(ctx, c, st); err != nil {
		return p, err
	}
	p.Roster, err = s.roster(ctx, c, st, r)
	if e := lmsError(err); e != nil && e.Code == lms.CodeInvalid {
		p.Refused = err
		return p, nil
	}
	return p, err
}

// RosterCounts counts a course's people.
func (s *Service) RosterCounts(ctx context.Context, c access.Caller, courseID int64) (store.PeopleCounts, error) {
	st, err := s.look(ctx, c, access.RosterView, courseID)
	if err != nil {
		return store.PeopleCounts{}, err
	}
	return s.store.Reader().PeopleCounts(ctx, courseID, st.Within(c), c.UserID)
}
