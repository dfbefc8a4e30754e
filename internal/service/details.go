package service

import (
	"context"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// DetailsChange changes somebody's place in a course. What is nil stays as it is.
type DetailsChange struct {
	CourseID  int64
	UserID    int64
	Role      *string  // a role's key
	SectionID *int64   // 0: in none
	Number    *string  // the student number
	Begins    *string  // the first day, such as 2026-10-01; empty: at once
	Ends      *string  // the last day; empty: with the course
	LimitedTo *[]int64 // sections; empty: no limit
}

// ChangePlace changes the role, the section, the student number and the dates of
// somebody in a course, and the sections to which staff is limited: all that is
// asked for, or nothing. A role also goes to somebody who has only privileges.
func (s *Service) ChangePlace(ctx context.Context, c access.Caller, r DetailsChange) (lms.Member, error) {
	return doOnce(ctx, s, c, access.EnrollmentChange, r.CourseID, nil, func(ctx context.Context, w *work) (lms.Member, error) {
		m, err := s.memberByID(ctx, w, r.UserID)
		if err != nil {
			return m, err
		}
		if r.Role != nil {
			if m.Enrollment == nil && m.Grant == nil {
				return m, errNotMember
			}
			if err := w.giveRole(ctx, &m, *r.Role); err != nil {
				return m, err
			}
			w.unchanged = true // unless more follows
		}
		if m.Enrollment == nil {
			return m, errNotMember
		}
		to, err := w.detailsOf(ctx, &m, r, s.opts.Zone)
		if err != nil {
			return m, err
		}
		if err := w.mayDetail(&m, to); err != nil {
			return m, err
		}
		return m, w.setDetails(ctx, &m, to, true)
	})
}

// detailsOf reads what is asked for over what there is.
func (w *work) detailsOf(ctx context.Context, m *lms.Member, r DetailsChange, zone *time.Location) (to lms.Details, err error) {
	to = m.Enrollment.Details
	if r.SectionID != nil {
		if *r.SectionID != 0 {
			if _, _, err := w.section(ctx, *r.SectionID); err != nil {
				return to, lms.Invalid("unknown-section", "section_id", "This course has no such section. Choose one of its sections, or none.")
			}
		}
		to.SectionID = *r.SectionID
	}
	if r.Number != nil {
		if to.Number, err = lms.CleanText(*r.Number, "student_number", lms.MaxNumberRunes); err != nil {
			return to, err
		}
	}
	begins, ends := lms.DayOf(zero(to.Begins, zone)), lms.LastDay(to.Ends, zone)
	if r.Begins != nil {
		if begins, err = lms.ParseDay(*r.Begins, "begins_on"); err != nil {
			return to, err
		}
		to.Begins = begins.In(zone)
	}
	if r.Ends != nil {
		if ends, err = lms.ParseDay(*r.Ends, "ends_on"); err != nil {
			return to, err
		}
		to.Ends = ends.EndIn(zone)
	}
	if err := checkDays(begins, ends); err != nil {
		return to, err
	}
	if r.LimitedTo != nil {
		for _, id := range *r.LimitedTo {
			if _, _, err := w.section(ctx, id); err != nil {
				return to, lms.Invalid("unknown-section", "limited_to", "This course has no such section. Choose one of its sections, or none.")
			}
		}
		to.LimitedTo = lms.MakeIDs(*r.LimitedTo...)
	}
	return to, nil
}

// Days are the first and the last day of an enrollment; empty for none.
func (s *Service) Days(e *lms.Enrollment) (begins, ends lms.Day) {
	return lms.DayOf(zero(e.Begins, s.opts.Zone)), lms.LastDay(e.Ends, s.opts.Zone)
}

// zero is a time in a zone, and the zero time as it is.
func zero(t time.Time, zone *time.Location) time.Time {
	if t.IsZero() {
		return t
	}
	return t.In(zone)
}

func checkDays(begins, ends lms.Day) error {
	if begins != "" && ends != "" && ends < begins {
		return lms.Invalid("dates-reversed", "ends_on", "The last day (%s) lies before the first (%s).", ends, begins)
	}
	return nil
}

// mayDetail decides about details before anything is written.
func (w *work) mayDetail(m *lms.Member, to lms.Details) error {
	d := w.delegator()
	had := m.Enrollment.Details
	if to == had {
		return nil
	}
	if !d.Reaches(m) {
		return errNoUser
	}
	// Dates and limits change what somebody may do; section and number do not.
	if !to.Begins.Equal(had.Begins) || !to.Ends.Equal(had.Ends) || to.LimitedTo != had.LimitedTo {
		if err := d.MayTouch(m); err != nil {
			return err
		}
	}
	if m.Staff() && !d.Holds.Has(lms.StaffManage) {
		return lms.Errorf(lms.CodeForbidden, "forbidden", "You need the privilege %q in this course to change this for staff.", lms.StaffManage.Label())
	}
	if to.SectionID != had.SectionID {
		if err := d.MayPlaceIn(to.SectionID); err != nil {
			return err
		}
	}
	if m.Enrollment.Role.Owner() && (!to.Begins.IsZero() || !to.Ends.IsZero() || to.LimitedTo != "") {
		return lms.Errorf(lms.CodeConflict, "owner-unlimited", "%s owns this course: an owner is there for all of it and all the time. Change the role first.", m.User.DisplayName())
	}
	return nil
}

// detailsAudit is how the audit shows details.
type detailsAudit struct {
	Section   string  `json:"section,omitempty"`
	Number    string  `json:"student_number,omitempty"`
	Begins    lms.Day `json:"begins_on,omitempty"`
	Ends      lms.Day `json:"ends_on,omitempty"`
	LimitedTo int     `json:"limited_to_sections,omitempty"` // how many
}

func (w *work) detailsView(d lms.Details, sections map[int64]string) detailsAudit {
	return detailsAudit{
		Section: sections[d.SectionID], Number: d.Number, Begins: lms.DayOf(zero(d.Begins, w.zone)), Ends: lms.LastDay(d.Ends, w.zone), LimitedTo: len(d.LimitedTo.List()),
	}
}

// sectionNames are the names of the course's sections by id.
func (w *work) sectionNames(ctx context.Context) (map[int64]string, error) {
	list, err := w.tx.Sections(ctx, w.courseID)
	if err != nil {
		return nil, err
	}
	names := make(map[int64]string, len(list))
	for _, s := range list {
		names[s.ID] = s.Name
	}
	return names, nil
}

// differ tells in which fields two details differ.
func differ(a, b lms.Details) (f lms.Fields) {
	if a.SectionID != b.SectionID {
		f |= lms.FieldSection
	}
	if a.Number != b.Number {
		f |= lms.FieldNumber
	}
	if !a.Begins.Equal(b.Begins) {
		f |= lms.FieldBegins
	}
	if !a.Ends.Equal(b.Ends) {
		f |= lms.FieldEnds
	}
	return f
}

// setDetails writes details, and notes which of them a person has set.
func (w *work) setDetails(ctx context.Context, m *lms.Member, to lms.Details, byHand bool) error {
	had := m.Enrollment.Details
	changed := differ(had, to)
	if changed == 0 && had.LimitedTo == to.LimitedTo {
		w.nothingChanged()
		return nil
	}
	e := *m.Enrollment
	e.Details = to
	if e.ByHand |= changed; !byHand {
		e.ByHand &^= changed
	}
	m.Enrollment = &e
	if err := w.tx.SetDetails(ctx, e); err != nil {
		return err
	}
	names, err := w.sectionNames(ctx)
	if err != nil {
		return err
	}
	return w.record(ctx, m.User.ID, w.detailsView(had, names), w.detailsView(to, names))
}

// pastDetails is what was noted about people when they were in the course last, as
// far as it still makes sense: a section that is there, a last day to come.
func (w *work) pastDetails(ctx context.Context, users []int64) (map[int64]lms.Details, error) {
	if len(users) == 0 {
		return nil, nil
	}
	past, err := w.tx.LastPlaces(ctx, w.courseID, users)
	if err != nil || len(past) == 0 {
		return nil, err
	}
	sections, err := w.tx.Sections(ctx, w.courseID)
	if err != nil {
		return nil, err
	}
	byName := make(map[string]int64, len(sections))
	var all []int64
	for _, s := range sections {
		byName[s.Name] = s.ID
		all = append(all, s.ID)
	}
	there := lms.MakeIDs(all...)
	details := make(map[int64]lms.Details, len(past))
	for id, p := range past {
		d := p.Details
		if d.SectionID = byName[p.Section]; w.delegator().MayPlaceIn(d.SectionID) != nil {
			d.SectionID = 0
		}
		if !d.Ends.IsZero() && !d.Ends.After(w.now) {
			d.Begins, d.Ends = time.Time{}, time.Time{}
		}
		var limits []int64
		for _, s := range d.LimitedTo.List() {
			if there.Has(s) {
				limits = append(limits, s)
			}
		}
		d.LimitedTo = lms.MakeIDs(limits...)
		details[id] = d
	}
	return details, nil
}

// endBatch is how many places are ended in one transaction.
const endBatch = 500

// EndPlaces makes the places past whose last day is over, course by course. What
// they give has ended already, since every decision looks at the time; this
// keeps the rosters true.
func (s *Service) EndPlaces(ctx context.Context) (n int, err error) {
	for {
		list, err := s.store.Reader().PlacesToEnd(ctx, s.now(), endBatch)
		if err != nil || len(list) == 0 {
			return n, err
		}
		of := map[int64][]int64{}
		for _, p := range list {
			of[p.CourseID] = append(of[p.CourseID], p.UserID)
		}
		for course, users := range of {
			ended, err := s.endPlaces(ctx, course, users)
			if err != nil {
				return n, err
			}
			n += ended
		}
	}
}

func (s *Service) endPlaces(ctx context.Context, course int64, users []int64) (n int, err error) {
	err = s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.LockCourse(ctx, course); err != nil {
			return err
		}
		now := s.now()
		ids, err := tx.StillToEnd(ctx, course, users, now)
		if err != nil {
			return err
		}
		members, err := tx.AnyMembersByID(ctx, course, ids)
		if err != nil {
			return err
		}
		w := &work{tx: tx, caller: access.Caller{UserID: lms.SystemUserID}, action: access.EnrollmentEnd, courseID: course, now: now}
		entries := make([]lms.AuditEntry, 0, len(members))
		for i := range members {
			m := &members[i]
			before := removedAudit{grantAudit: grantView(m.Grant), Role: m.Enrollment.Role.Key}
			e, err := w.entry(access.EnrollmentEnd, m.User.ID, before, nil)
			if err != nil {
				return err
			}
			entries = append(entries, e)
		}
		if err := tx.RemoveMembers(ctx, course, ids, lms.SystemUserID, now); err != nil || len(entries) == 0 {
			return err
		}
		n = len(entries)
		return tx.AddAuditMany(ctx, entries[0], entries)
	})
	return n, err
}
