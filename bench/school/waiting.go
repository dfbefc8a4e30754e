package school

import (
	"context"
	"fmt"
	"time"

	"matricula/internal/lms"
)

// Waiting makes further pending people, for each of whom a number of things
// wait until they sign in: an enrollment and a set of privileges in each
// course, as far as the number goes, and for the rest entries of the audit
// whose subject they are. The number of the first person must be larger than
// that of any who exists.
func (s *School) Waiting(ctx context.Context, dsn string, first int64, count, things int) ([]Person, error) {
	people := make([]Person, count)
	for i := range people {
		id := first + int64(i)
		given, family := givenNames[int(id)%len(givenNames)], familyNames[int(id/7)%len(familyNames)]
		people[i] = Person{ID: id, Given: given, Family: family, Email: lms.Email(Address(given, family, "w", id)), Pending: true}
	}
	courses := s.Courses[:s.CoursesFor(things)]
	err := write(ctx, dsn, func(w writer) error {
		if err := writePeople(ctx, w, people); err != nil {
			return err
		}
		if things == 0 {
			return nil
		}
		return writeWaiting(ctx, w, courses, people, things-2*len(courses))
	})
	if err != nil {
		return nil, fmt.Errorf("let %d things wait for each of %d people: %w", things, count, err)
	}
	return people, nil
}

// CoursesFor is the number of courses in which somebody is for whom so many
// things wait.
func (s *School) CoursesFor(things int) int { return min(len(s.Courses), things/2) }

func writeWaiting(ctx context.Context, w writer, courses []Course, people []Person, entries int) error {
	each := func(row func(c *Course, p *Person) []any) func(func([]any) bool) {
		return func(yield func([]any) bool) {
			for i := range courses {
				for j := range people {
					if !yield(row(&courses[i], &people[j])) {
						return
					}
				}
			}
		}
	}
	if err := w.rows(ctx, "enrollments", enrollmentColumns, each(func(c *Course, p *Person) []any {
		return []any{c.ID, p.ID, c.roles[lms.RoleStudent], string(lms.SourceManual), lms.SystemUserID, start}
	})); err != nil {
		return err
	}
	allow := stored(lms.SetOf(lms.AuditView))
	if err := w.rows(ctx, "course_privileges", grantColumns, each(func(c *Course, p *Person) []any {
		return []any{c.ID, p.ID, allow, "[]", lms.SystemUserID, start}
	})); err != nil {
		return err
	}
	columns := []string{"at", "actor_id", "action", "outcome", "subject_id", "course_id", "after"}
	return w.rows(ctx, "audit_entries", columns, func(yield func([]any) bool) {
		for i := range entries {
			for _, p := range people {
				at := start.Add(time.Duration(i) * time.Second)
				row := []any{at, lms.SystemUserID, "privileges.set", string(lms.OutcomeDone), p.ID, courses[i%len(courses)].ID, `{"allow":["audit.view"],"deny":[]}`}
				if !yield(row) {
					return
				}
			}
		}
	})
}
