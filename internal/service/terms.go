package service

import (
	"context"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// TermOf is an academic year or a term with the number of its courses, which
// only administrators are told; the type is the store's, for the faces that may
// not import it.
type TermOf = store.PeriodOf

// AcademicYear is an academic year with its terms, the first one first.
type AcademicYear struct {
	TermOf
	Terms []TermOf
}

// Years lists the academic years with their terms, the latest year first.
// Everybody who is signed in may see when courses are taught, and only
// administrators how many there are.
func (s *Service) Years(ctx context.Context, c access.Caller) ([]AcademicYear, error) {
	list, err := s.periods(ctx, c, 0)
	if err != nil {
		return nil, err
	}
	var years []AcademicYear
	for _, p := range list {
		if p.IsYear() {
			years = append(years, AcademicYear{TermOf: p})
			continue
		}
		last := &years[len(years)-1] // a year stands before its terms
		last.Terms = append(last.Terms, p)
	}
	return years, nil
}

// Terms lists the same one after the other, each year before its terms; only
// one year with its terms when yearID is not 0.
func (s *Service) Terms(ctx context.Context, c access.Caller, yearID int64) ([]TermOf, error) {
	return s.periods(ctx, c, yearID)
}

func (s *Service) periods(ctx context.Context, c access.Caller, yearID int64) ([]TermOf, error) {
	if err := access.Decide(c, access.TermView, nil); err != nil {
		return nil, err
	}
	list, err := s.store.Reader().Periods(ctx, yearID)
	if err != nil {
		return nil, err
	}
	for i := range list {
		hideCourses(c, &list[i])
	}
	return list, nil
}

// Of the courses of others, people are not even told how many there are.

func hideCourses(c access.Caller, p *TermOf) {
	if !c.Admin() {
		p.Courses = 0
	}
}

// Term reads one academic year or term.
func (s *Service) Term(ctx context.Context, c access.Caller, id int64) (TermOf, error) {
	if err := access.Decide(c, access.TermView, nil); err != nil {
		return TermOf{}, err
	}
	p, ok, err := s.store.Reader().Period(ctx, id)
	if err != nil {
		return p, err
	}
	if !ok {
		return p, errNoTerm
	}
	hideCourses(c, &p)
	return p, nil
}

var (
	errNoTerm = lms.NotFound("term")
	errNoYear = lms.Invalid("unknown-term", "year_id", "There is no such academic year. Choose one from the list.")
)

// termAudit is what stands in the audit about an academic year or a term. In
// front of a change stands only what was changed, and behind it always the
// name, so that one knows of what is spoken.
type termAudit struct {
	Period int64   `json:"period"`
	Name   string  `json:"name,omitempty"`
	Year   string  `json:"year,omitempty"` // the name of a term's academic year
	Begins lms.Day `json:"begins_on,omitempty"`
	Ends   lms.Day `json:"ends_on,omitempty"`
}

func auditOfTerm(id int64, f lms.PeriodFields, year *lms.Period) termAudit {
	a := termAudit{Period: id, Name: f.Name, Begins: f.Begins, Ends: f.Ends}
	if year != nil {
		a.Year = year.Name
	}
	return a
}

// auditOfTermChange is before and after of a change.
func auditOfTermChange(id int64, was, is lms.PeriodFields) (before, after termAudit) {
	after = termAudit{Period: id, Name: is.Name}
	before.Period = id
	if was.Name != is.Name {
		before.Name = was.Name
	}
	if was.Begins != is.Begins {
		before.Begins, after.Begins = was.Begins, is.Begins
	}
	if was.Ends != is.Ends {
		before.Ends, after.Ends = was.Ends, is.Ends
	}
	return before, after
}

func termTaken(f lms.PeriodFields, year *lms.Period) error {
	if year == nil {
		return lms.Invalid("term-name-taken", "name", "There is already an academic year called %s. Choose another name.", f.Name)
	}
	return lms.Invalid("term-name-taken", "name", "%s already has a term called %s. Choose another name.", year.Name, f.Name)
}

// lockedPeriod reads an academic year or a term, and keeps others from changing
// it until the transaction ends. A term's year is kept too, always before the
// term, so that no two changes wait for each other.
func (w *work) lockedPeriod(ctx context.Context, id int64) (p TermOf, year *lms.Period, err error) {
	p, ok, err := w.tx.Period(ctx, id)
	if err != nil || !ok {
		return p, nil, orElse(err, errNoTerm)
	}
	if !p.IsYear() {
		y, _, err := w.lockedPeriod(ctx, p.YearID)
		if err != nil {
			return p, nil, err
		}
		year = &y.Period
	}
	if err := w.tx.LockPeriod(ctx, id); err != nil {
		return p, nil, err
	}
	p, ok, err = w.tx.Period(ctx, id) // as it is after whoever was there first
	if err != nil || !ok {
		return p, nil, orElse(err, errNoTerm)
	}
	return p, year, nil
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// CreateTerm makes an academic year or, in the year of an id, a term.
func (s *Service) CreateTerm(ctx context.Context, c access.Caller, yearID int64, f lms.PeriodFields, once *Once) (TermOf, error) {
	return doOnce(ctx, s, c, access.TermCreate, 0, once, func(ctx context.Context, w *work) (out TermOf, err error) {
		var year *lms.Period
		if yearID != 0 {
			y, _, err := w.lockedPeriod(ctx, yearID)
			if isNotFound(err) || (err == nil && !y.IsYear()) {
				return out, errNoYear
			}
			if err != nil {
				return out, err
			}
			year = &y.Period
		}
		if f, err = f.Clean(year); err != nil {
			return out, err
		}
		p := lms.Period{YearID: yearID, Name: f.Name, Begins: f.Begins, Ends: f.Ends, CreatedBy: w.caller.UserID, CreatedAt: w.now}
		id, ok, err := w.tx.CreatePeriod(ctx, p)
		if err != nil {
			return out, err
		}
		if !ok {
			return out, termTaken(f, year)
		}
		if err := w.record(ctx, 0, nil, auditOfTerm(id, f, year)); err != nil {
			return out, err
		}
		out, _, err = w.tx.Period(ctx, id)
		return out, err
	})
}

// TermPatch changes what is not nil.
type TermPatch struct {
	Name   *string
	Begins *lms.Day
	Ends   *lms.Day
}

// UpdateTerm changes an academic year or a term. A year goes on holding its
// terms.
func (s *Service) UpdateTerm(ctx context.Context, c access.Caller, id int64, p TermPatch) (TermOf, error) {
	return doOnce(ctx, s, c, access.TermUpdate, 0, nil, func(ctx context.Context, w *work) (TermOf, error) {
		t, year, err := w.lockedPeriod(ctx, id)
		if err != nil {
			return t, err
		}
		before := t.Fields()
		after := before
		if p.Name != nil {
			after.Name = *p.Name
		}
		if p.Begins != nil {
			after.Begins = *p.Begins
		}
		if p.Ends != nil {
			after.Ends = *p.Ends
		}
		if after, err = after.Clean(year); err != nil {
			return t, err
		}
		if after == before {
			w.nothingChanged()
			return t, nil
		}
		terms, err := w.termsOf(ctx, &t.Period)
		if err != nil {
			return t, err
		}
		if err := after.Holds(terms); err != nil {
			return t, err
		}
		ok, err := w.tx.UpdatePeriod(ctx, id, after)
		if err != nil {
			return t, err
		}
		if !ok {
			return t, termTaken(after, year)
		}
		t.Name, t.Begins, t.Ends = after.Name, after.Begins, after.Ends
		was, is := auditOfTermChange(id, before, after)
		return t, w.record(ctx, 0, was, is)
	})
}

// termsOf lists the terms of an academic year; a term has none.
func (w *work) termsOf(ctx context.Context, year *lms.Period) (terms []lms.Period, err error) {
	if !year.IsYear() {
		return nil, nil
	}
	list, err := w.tx.Periods(ctx, year.ID)
	for _, p := range list {
		if !p.IsYear() {
			terms = append(terms, p.Period)
		}
	}
	return terms, err
}

// DeleteTerm removes an academic year or a term with which nothing is connected
// any more.
func (s *Service) DeleteTerm(ctx context.Context, c access.Caller, id int64) error {
	return s.do(ctx, c, access.TermDelete, 0, func(ctx context.Context, w *work) error {
		t, year, err := w.lockedPeriod(ctx, id)
		if err != nil {
			return err
		}
		terms, err := w.termsOf(ctx, &t.Period)
		if err != nil {
			return err
		}
		if n := len(terms); n > 0 {
			return lms.Errorf(lms.CodeConflict, "term-in-use", "%s still has terms (%d). Delete these first.", t.Name, n)
		}
		if t.Courses > 0 {
			return lms.Errorf(lms.CodeConflict, "term-in-use", "%s still has courses (%d). Choose another term, or none, in the settings of each first.", t.Name, t.Courses)
		}
		if err := w.tx.DeletePeriod(ctx, id); err != nil {
			return err
		}
		return w.record(ctx, 0, auditOfTerm(id, t.Fields(), year), nil)
	})
}

// termForCourse finds the name of the term into which a course is put, and
// keeps it from being deleted meanwhile. An id of 0 is none.
func (w *work) termForCourse(ctx context.Context, id int64) (name string, err error) {
	if id == 0 {
		return "", nil
	}
	if err := w.tx.KeepPeriod(ctx, id); err != nil {
		return "", err
	}
	p, ok, err := w.tx.Period(ctx, id)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", lms.Invalid("unknown-term", "term_id", "There is no such term. Choose one from the list, or none.")
	}
	return p.Name, nil
}

// termsOfChange finds the names of a course's terms before and after a change;
// they are empty when it stays where it is.
func (w *work) termsOfChange(ctx context.Context, before, after int64) (was, is string, err error) {
	if before == after {
		return "", "", nil
	}
	if was, err = w.termForCourse(ctx, before); err != nil {
		return "", "", err
	}
	is, err = w.termForCourse(ctx, after)
	return was, is, err
}
