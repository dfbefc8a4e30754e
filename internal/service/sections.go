package service

import (
	"context"
	"slices"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// SectionOf is a section with its people counted; the type is the store's, for the
// faces that may not import it.
type SectionOf = store.SectionOf

// Sections lists the sections of a course with the number of people in each.
// Whoever is limited to some sees those.
func (s *Service) Sections(ctx context.Context, c access.Caller, courseID int64) ([]store.SectionOf, error) {
	st, err := s.look(ctx, c, access.SectionView, courseID)
	if err != nil {
		return nil, err
	}
	return s.sections(ctx, c, st)
}

func (s *Service) sections(ctx context.Context, c access.Caller, st *access.Standing) ([]store.SectionOf, error) {
	list, err := s.store.Reader().SectionCounts(ctx, st.Course.ID)
	if err != nil {
		return nil, err
	}
	if within := st.Within(c); within != "" {
		list = slices.DeleteFunc(list, func(o store.SectionOf) bool { return !within.Has(o.Section.ID) })
	}
	return list, nil
}

// sectionAudit is how the audit shows a section.
type sectionAudit struct {
	ID      int64  `json:"section_id"`
	Section string `json:"section"`
	People  int64  `json:"people,omitempty"` // who were in it when it was deleted
}

// CreateSection makes a section of a course.
func (s *Service) CreateSection(ctx context.Context, c access.Caller, courseID int64, name string, once *Once) (lms.Section, error) {
	return doOnce(ctx, s, c, access.SectionCreate, courseID, once, func(ctx context.Context, w *work) (lms.Section, error) {
		if err := w.wholeCourse(); err != nil {
			return lms.Section{}, err
		}
		name, err := lms.CleanSectionName(name, "name")
		if err != nil {
			return lms.Section{}, err
		}
		list, err := w.tx.Sections(ctx, courseID)
		if err != nil {
			return lms.Section{}, err
		}
		if err := freeSectionName(list, name, 0); err != nil {
			return lms.Section{}, err
		}
		if len(list) >= lms.MaxSections {
			return lms.Section{}, lms.Errorf(lms.CodeConflict, "too-many-sections", "A course has at most %d sections.", lms.MaxSections)
		}
		made, err := w.makeSections(ctx, []string{name})
		if err != nil {
			return lms.Section{}, err
		}
		return made[lms.SectionKey(name)], nil
	})
}

// wholeCourse refuses what somebody who is limited to sections asks about all of
// the course.
func (w *work) wholeCourse() error {
	if w.standing.Within(w.caller) != "" {
		return lms.Errorf(lms.CodeForbidden, "outside-sections", "You work in single sections of this course, and this is about all of it. Ask one of its owners.")
	}
	return nil
}

// makeSections makes the sections that the course does not have, with an entry
// for each, and returns all of the course by key.
func (w *work) makeSections(ctx context.Context, names []string) (map[string]lms.Section, error) {
	before, err := w.tx.Sections(ctx, w.courseID)
	if err != nil {
		return nil, err
	}
	byKey := make(map[string]lms.Section, len(before))
	for _, s := range before {
		byKey[lms.SectionKey(s.Name)] = s
	}
	names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { _, has := byKey[lms.SectionKey(n)]; return has })
	if len(names) == 0 {
		return byKey, nil
	}
	if err := w.tx.CreateSections(ctx, w.courseID, names, w.caller.UserID, w.now); err != nil {
		return nil, err
	}
	after, err := w.tx.Sections(ctx, w.courseID)
	if err != nil {
		return nil, err
	}
	action := w.action
	defer func() { w.action = action }()
	w.action = access.SectionCreate
	for _, s := range after {
		key := lms.SectionKey(s.Name)
		if _, had := byKey[key]; had {
			continue
		}
		byKey[key] = s
		if err := w.record(ctx, 0, nil, sectionAudit{ID: s.ID, Section: s.Name}); err != nil {
			return nil, err
		}
	}
	return byKey, nil
}

func freeSectionName(list []lms.Section, name string, self int64) error {
	for _, o := range list {
		if o.ID != self && lms.SectionKey(o.Name) == lms.SectionKey(name) {
			return lms.Invalid("section-name-taken", "name", "This course has a section %s already.", o.Name)
		}
	}
	return nil
}

var errNoSection = lms.NotFound("section")

// section finds one of the course's sections.
func (w *work) section(ctx context.Context, id int64) (sec lms.Section, all []lms.Section, err error) {
	if all, err = w.tx.Sections(ctx, w.courseID); err != nil {
		return sec, nil, err
	}
	i := slices.IndexFunc(all, func(o lms.Section) bool { return o.ID == id })
	if i < 0 {
		return sec, nil, errNoSection
	}
	return all[i], all, nil
}

// RenameSection changes the name of a section.
func (s *Service) RenameSection(ctx context.Context, c access.Caller, courseID, id int64, name string) (lms.Section, error) {
	return doOnce(ctx, s, c, access.SectionUpdate, courseID, nil, func(ctx context.Context, w *work) (lms.Section, error) {
		if err := w.wholeCourse(); err != nil {
			return lms.Section{}, err
		}
		sec, all, err := w.section(ctx, id)
		if err != nil {
			return sec, err
		}
		name, err := lms.CleanSectionName(name, "name")
		if err != nil {
			return sec, err
		}
		if err := freeSectionName(all, name, id); err != nil {
			return sec, err
		}
		if name == sec.Name {
			w.nothingChanged()
			return sec, nil
		}
		if err := w.tx.RenameSection(ctx, id, name); err != nil {
			return sec, err
		}
		before := sectionAudit{ID: id, Section: sec.Name}
		sec.Name = name
		return sec, w.record(ctx, 0, before, sectionAudit{ID: id, Section: name})
	})
}

// DeleteSection removes a section; its people stay in the course, in no section.
// One to which somebody is limited stays, since they would be left with nobody.
func (s *Service) DeleteSection(ctx context.Context, c access.Caller, courseID, id int64) error {
	return s.do(ctx, c, access.SectionDelete, courseID, func(ctx context.Context, w *work) error {
		if err := w.wholeCourse(); err != nil {
			return err
		}
		list, err := w.tx.SectionCounts(ctx, courseID)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(list, func(o store.SectionOf) bool { return o.Section.ID == id })
		switch {
		case i < 0:
			return errNoSection
		case list[i].Staff > 0:
			return lms.Errorf(lms.CodeConflict, "section-in-use", "Some of the staff work in %s alone. Change that on their pages first, or they would be left with nobody.", list[i].Section.Name)
		}
		if err := w.tx.DeleteSection(ctx, id); err != nil {
			return err
		}
		return w.record(ctx, 0, sectionAudit{ID: id, Section: list[i].Section.Name, People: list[i].People}, nil)
	})
}
