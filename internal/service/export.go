package service

import (
	"context"

	"matricula/internal/access"
	"matricula/internal/lms"
)

// An export reads a whole table, a page at a time, and leaves an entry in the
// audit before the first row goes out. What was searched for is not recorded:
// it may be an address.

const exportPage = 500

type exportAudit struct {
	Table string `json:"table"`
}

func (s *Service) recordExport(ctx context.Context, c access.Caller, a access.Action, courseID int64, table string) error {
	return s.do(ctx, c, a, courseID, func(ctx context.Context, w *work) error {
		return w.record(ctx, 0, nil, exportAudit{table})
	})
}

// still decides again for an export that goes on, about the caller as they are now:
// nothing more goes out to somebody who was suspended meanwhile (C-04, C-21).
// What is about a course decides anew with each page by itself.
func (s *Service) still(ctx context.Context, c access.Caller, a access.Action) error {
	u, ok, err := s.store.Reader().User(ctx, c.UserID)
	if err != nil {
		return err
	}
	if !ok || u.Status != lms.StatusActive {
		return access.ErrAnonymous
	}
	c.SiteRole = u.SiteRole
	return access.Decide(c, a, nil)
}

// ExportRoster gives every person of a course that a request finds to each.
func (s *Service) ExportRoster(ctx context.Context, c access.Caller, r RosterRequest, each func(*lms.Member) error) error {
	r.Limit = exportPage
	if _, err := s.Roster(ctx, c, r); err != nil {
		return err // before it stands in the audit
	}
	if err := s.recordExport(ctx, c, access.RosterExport, r.CourseID, "people"); err != nil {
		return err
	}
	for {
		p, err := s.Roster(ctx, c, r)
		if err != nil {
			return err
		}
		for i := range p.People {
			if err := each(&p.People[i].Member); err != nil {
				return err
			}
		}
		if !p.More {
			return nil
		}
		r.After = p.People[len(p.People)-1].Cursor
	}
}

// ExportDirectory gives every user that a request finds to each; it is for
// administrators.
func (s *Service) ExportDirectory(ctx context.Context, c access.Caller, r DirectoryRequest, each func(*lms.User) error) error {
	r.Limit = exportPage
	if _, err := CheckSearch(r.Search); err != nil {
		return err
	}
	if err := s.recordExport(ctx, c, access.SiteExport, 0, "people"); err != nil {
		return err
	}
	for {
		p, err := s.Directory(ctx, c, r)
		if err != nil {
			return err
		}
		for i := range p.Members {
			if err := each(&p.Members[i].User); err != nil {
				return err
			}
		}
		if p.Next == 0 {
			return nil
		}
		r.After = p.Next
		if err := s.still(ctx, c, access.SiteExport); err != nil {
			return err
		}
	}
}

// ExportCourses gives every course of the site to each; it is for
// administrators.
func (s *Service) ExportCourses(ctx context.Context, c access.Caller, each func(*CourseView) error) error {
	if err := s.recordExport(ctx, c, access.SiteExport, 0, "courses"); err != nil {
		return err
	}
	r := CoursesRequest{All: true, Limit: exportPage}
	for {
		p, err := s.Courses(ctx, c, r)
		if err != nil {
			return err
		}
		for i := range p.Courses {
			if err := each(&p.Courses[i]); err != nil {
				return err
			}
		}
		if p.Next == 0 {
			return nil
		}
		r.Before = p.Next
		if err := s.still(ctx, c, access.SiteExport); err != nil {
			return err
		}
	}
}

// ExportAudit gives every entry that a request finds to each, newest first.
func (s *Service) ExportAudit(ctx context.Context, c access.Caller, r AuditRequest, each func(*lms.AuditRecord) error) error {
	action, course := access.AuditExport, r.CourseID
	if r.Site || r.CourseID == 0 {
		action, course = access.SiteExport, 0
	}
	r.Limit = exportPage
	if _, err := s.Audit(ctx, c, r); err != nil {
		return err // before it stands in the audit
	}
	if err := s.recordExport(ctx, c, action, course, "audit"); err != nil {
		return err
	}
	for {
		p, err := s.Audit(ctx, c, r)
		if err != nil {
			return err
		}
		for i := range p.Entries {
			if err := each(&p.Entries[i]); err != nil {
				return err
			}
		}
		if p.Next == 0 {
			return nil
		}
		r.Before = p.Next
		if course == 0 {
			if err := s.still(ctx, c, action); err != nil {
				return err
			}
		}
	}
}

// ExportArrivals is Arrivals for a download, which stands in the audit.
func (s *Service) ExportArrivals(ctx context.Context, c access.Caller, courseID int64) (Arrivals, error) {
	action := access.RosterExport
	if courseID == 0 {
		action = access.SiteExport
	}
	if err := s.recordExport(ctx, c, action, courseID, "arrivals"); err != nil {
		return Arrivals{}, err
	}
	return s.Arrivals(ctx, c, courseID)
}

// ExportSettings is Settings for a download, which stands in the audit.
func (s *Service) ExportSettings(ctx context.Context, c access.Caller) ([]lms.Setting, error) {
	if err := s.recordExport(ctx, c, access.SiteExport, 0, "settings"); err != nil {
		return nil, err
	}
	return s.Settings(c)
}

// ExportPast gives everybody who was in a course to each, with their last place.
func (s *Service) ExportPast(ctx context.Context, c access.Caller, courseID int64, each func(*lms.PastPlace) error) error {
	if err := s.recordExport(ctx, c, access.RosterExport, courseID, "left"); err != nil {
		return err
	}
	for before := int64(0); ; {
		p, err := s.PastPeople(ctx, c, courseID, before, exportPage)
		if err != nil {
			return err
		}
		for i := range p.People {
			if err := each(&p.People[i]); err != nil {
				return err
			}
		}
		if before = p.Next; before == 0 {
			return nil
		}
	}
}
