package service

import (
	"context"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// CourseView is a course as the caller stands in it.
type CourseView struct {
	Course lms.Course
	Member lms.Member       // the caller's place; without enrollment for an administrator who has none
	Holds  lms.PrivilegeSet // what the caller may do
}

func viewOf(c access.Caller, st *access.Standing) CourseView {
	return CourseView{Course: st.Course, Member: st.Member, Holds: st.Holds(c)}
}

type courseAudit struct {
	Title       string `json:"title"`
	Code        string `json:"code,omitempty"`
	Description string `json:"description,omitempty"`
	Term        string `json:"term,omitempty"` // its name
	Role        string `json:"role,omitempty"` // of whoever made it
}

func auditOfCourse(f lms.CourseFields, term string) courseAudit {
	return courseAudit{Title: f.Title, Code: f.Code, Description: f.Description, Term: term}
}

// CreateCourse makes a course, whose owner the caller becomes.
func (s *Service) CreateCourse(ctx context.Context, c access.Caller, f lms.CourseFields, once *Once) (CourseView, error) {
	f, cleanErr := f.Clean()
	return doOnce(ctx, s, c, access.CourseCreate, 0, once, func(ctx context.Context, w *work) (CourseView, error) {
		if cleanErr != nil {
			return CourseView{}, cleanErr
		}
		return w.createCourse(ctx, f)
	})
}

// createCourse makes a course of clean fields, whose owner the caller becomes.
func (w *work) createCourse(ctx context.Context, f lms.CourseFields) (CourseView, error) {
	c := w.caller
	term, err := w.termForCourse(ctx, f.TermID)
	if err != nil {
		return CourseView{}, err
	}
	id, err := w.tx.CreateCourse(ctx, lms.Course{Title: f.Title, Code: f.Code, Description: f.Description, TermID: f.TermID, CreatedBy: c.UserID, CreatedAt: w.now})
	if err != nil {
		return CourseView{}, err
	}
	roles, err := w.tx.Roles(ctx, id)
	if err != nil {
		return CourseView{}, err
	}
	owner, err := lms.FindRole(roles, lms.RoleOwner, "role")
	if err != nil {
		return CourseView{}, err
	}
	if _, err := w.tx.Enroll(ctx, []int64{c.UserID}, lms.Enrollment{CourseID: id, Role: owner, Source: lms.SourceManual, AddedBy: c.UserID, CreatedAt: w.now, ByHand: lms.FieldRole}); err != nil {
		return CourseView{}, err
	}
	w.courseID = id
	made := auditOfCourse(f, term)
	made.Role = owner.Key
	if err := w.record(ctx, 0, nil, made); err != nil {
		return CourseView{}, err
	}
	course, member, _, err := w.tx.Standing(ctx, id, c.UserID)
	return viewOf(w.caller, &access.Standing{Course: course, Member: member}), err
}

// Course reads a course in which the caller has a place.
func (s *Service) Course(ctx context.Context, c access.Caller, id int64) (CourseView, error) {
	st, err := s.look(ctx, c, access.CourseView, id)
	if err != nil {
		return CourseView{}, err
	}
	return viewOf(c, st), nil
}

// CoursesRequest asks for courses: the caller's own, or all that they may see.
type CoursesRequest struct {
	All      bool  // an administrator's: also where they have no place
	Orphaned bool  // an administrator's: only those without an owner who is active
	Doubted  bool  // an administrator's: only those with grants to review
	TermID   int64 // only those of this term, or of this academic year and its terms
	Before   int64 // the last id of the page before; 0: from the newest
	Limit    int
}

// CoursesPage is a page of courses, newest first.
type CoursesPage struct {
	Courses []CourseView
	Next    int64 // 0 when there are no more
}

// Courses lists courses as the caller stands in them.
func (s *Service) Courses(ctx context.Context, c access.Caller, r CoursesRequest) (CoursesPage, error) {
	if err := access.Decide(c, access.AccountView, nil); err != nil {
		return CoursesPage{}, err
	}
	before := r.Before
	if before == 0 {
		before = maxID
	}
	if r.All && r.Doubted && c.Admin() {
		return s.coursesToReview(ctx, c, r.TermID, before, r.Limit)
	}
	list, err := s.store.Reader().Courses(ctx, store.CoursesQuery{
		UserID: c.UserID, All: r.All && c.Admin(), Orphaned: r.Orphaned && c.Admin(), TermID: r.TermID, Before: before, Limit: r.Limit + 1,
	})
	if err != nil {
		return CoursesPage{}, err
	}
	rows, more := page(list, r.Limit)
	var out CoursesPage
	if more {
		out.Next = rows[len(rows)-1].Course.ID
	}
	for _, row := range rows {
		st := access.Standing{Course: row.Course, Member: row.Member.At(s.now())}
		if access.Decide(c, access.CourseView, &st) == nil {
			out.Courses = append(out.Courses, viewOf(c, &st))
		}
	}
	return out, nil
}

// CoursePatch changes what is not nil.
type CoursePatch struct {
	Title       *string
	Code        *string
	Description *string
	TermID      *int64 // 0 takes it out of its term
}

// UpdateCourse changes what is written about a course.
func (s *Service) UpdateCourse(ctx context.Context, c access.Caller, id int64, p CoursePatch) (CourseView, error) {
	return doOnce(ctx, s, c, access.CourseUpdate, id, nil, func(ctx context.Context, w *work) (CourseView, error) {
		course := &w.standing.Course
		before := lms.CourseFields{Title: course.Title, Code: course.Code, Description: course.Description, TermID: course.TermID}
		after := before
		for _, f := range []struct {
			to   *string
			from *string
		}{{&after.Title, p.Title}, {&after.Code, p.Code}, {&after.Description, p.Description}} {
			if f.from != nil {
				*f.to = *f.from
			}
		}
		if p.TermID != nil {
			after.TermID = *p.TermID
		}
		after, err := after.Clean()
		if err != nil {
			return CourseView{}, err
		}
		if after == before {
			w.nothingChanged()
			return viewOf(w.caller, w.standing), nil
		}
		was, is, err := w.termsOfChange(ctx, before.TermID, after.TermID)
		if err != nil {
			return CourseView{}, err
		}
		if err := w.tx.UpdateCourse(ctx, id, after); err != nil {
			return CourseView{}, err
		}
		course.Title, course.Code, course.Description, course.TermID = after.Title, after.Code, after.Description, after.TermID
		return viewOf(w.caller, w.standing), w.record(ctx, 0, auditOfCourse(before, was), auditOfCourse(after, is))
	})
}

// ArchiveCourse makes a course read-only, or brings it back.
func (s *Service) ArchiveCourse(ctx context.Context, c access.Caller, id int64, archive bool) (CourseView, error) {
	action := access.CourseArchive
	if !archive {
		action = access.CourseRestore
	}
	return doOnce(ctx, s, c, action, id, nil, func(ctx context.Context, w *work) (CourseView, error) {
		course := &w.standing.Course
		if course.Archived() == archive {
			w.nothingChanged()
			return viewOf(w.caller, w.standing), nil
		}
		course.ArchivedAt = time.Time{}
		if archive {
			course.ArchivedAt = w.now
		}
		if err := w.tx.ArchiveCourse(ctx, id, course.ArchivedAt); err != nil {
			return CourseView{}, err
		}
		return viewOf(w.caller, w.standing), w.record(ctx, 0, nil, nil)
	})
}

// DeleteCourse hides a course from everybody, for good. Only an archived
// course can be deleted, so that it takes two deliberate steps.
func (s *Service) DeleteCourse(ctx context.Context, c access.Caller, id int64) error {
	return s.do(ctx, c, access.CourseDelete, id, func(ctx context.Context, w *work) error {
		if !w.standing.Course.Archived() {
			return lms.Errorf(lms.CodeConflict, "course-not-archived", "%s is in use. Archive it first; an archived course can be deleted.", w.standing.Course.Title)
		}
		if err := w.tx.DeleteCourse(ctx, id, w.now); err != nil {
			return err
		}
		return w.record(ctx, 0, courseAudit{Title: w.standing.Course.Title, Code: w.standing.Course.Code}, nil)
	})
}

// Member is a person in a course; the type is the store's, for the faces that
// may not import it.
type Member = store.Person
