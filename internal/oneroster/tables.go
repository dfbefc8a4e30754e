package oneroster

import (
	"iter"
	"strings"
	"time"

	"matricula/internal/lms"
)

// Orgs streams orgs.csv.
func (b *Bundle) Orgs() iter.Seq2[Org, error] {
	columns := []string{"sourcedId", "name", "type"}
	return all(b, schema[Org]{Orgs, columns, columns, func(o *Org) *Record { return &o.Record }, func(r *row, o *Org) error {
		o.Name, o.Type, o.Identifier, o.ParentSourcedID = r.get("name"), r.get("type"), r.get("identifier"), r.get("parentsourcedid")
		return nil
	}})
}

// AcademicSessions streams academicSessions.csv.
func (b *Bundle) AcademicSessions() iter.Seq2[AcademicSession, error] {
	columns := []string{"sourcedId", "title", "type", "startDate", "endDate"}
	return all(b, schema[AcademicSession]{AcademicSessions, columns, columns, func(s *AcademicSession) *Record { return &s.Record }, func(r *row, s *AcademicSession) (err error) {
		s.Title, s.Type, s.ParentSourcedID, s.SchoolYear = r.get("title"), r.get("type"), r.get("parentsourcedid"), r.get("schoolyear")
		s.Start, s.End, err = r.span("startDate", "endDate")
		return err
	}})
}

// Courses streams courses.csv.
func (b *Bundle) Courses() iter.Seq2[Course, error] {
	columns := []string{"sourcedId", "title"}
	return all(b, schema[Course]{Courses, columns, columns, func(c *Course) *Record { return &c.Record }, func(r *row, c *Course) error {
		c.Title, c.CourseCode, c.OrgSourcedID, c.SchoolYearSourcedID = r.get("title"), r.get("coursecode"), r.get("orgsourcedid"), r.get("schoolyearsourcedid")
		return nil
	}})
}

// Classes streams classes.csv.
func (b *Bundle) Classes() iter.Seq2[Class, error] {
	columns := []string{"sourcedId", "title", "courseSourcedId", "schoolSourcedId", "termSourcedIds"}
	return all(b, schema[Class]{Classes, columns, columns, func(c *Class) *Record { return &c.Record }, func(r *row, c *Class) error {
		c.Title, c.ClassCode, c.ClassType = r.get("title"), r.get("classcode"), r.get("classtype")
		c.CourseSourcedID, c.SchoolSourcedID, c.TermSourcedIDs = r.get("coursesourcedid"), r.get("schoolsourcedid"), r.list("termSourcedIds")
		return nil
	}})
}

// Users streams users.csv.
func (b *Bundle) Users() iter.Seq2[User, error] {
	columns := []string{"sourcedId", "enabledUser", "username", "givenName", "familyName"}
	filled := []string{"enabledUser", "givenName", "familyName"}
	if b.Manifest.Version == "1.1" {
		columns, filled = append(columns, "orgSourcedIds", "role"), append(filled, "role")
	}
	return all(b, schema[User]{Users, columns, filled, func(u *User) *Record { return &u.Record }, func(r *row, u *User) (err error) {
		u.Username, u.Email = r.get("username"), r.get("email")
		u.Identifier, u.UserMasterIdentifier = r.get("identifier"), r.get("usermasteridentifier")
		u.GivenName, u.MiddleName, u.FamilyName = r.get("givenname"), r.get("middlename"), r.get("familyname")
		u.PreferredGivenName, u.PreferredFamilyName = r.get("preferredgivenname"), r.get("preferredfamilyname")
		u.OrgSourcedIDs, u.PrimaryOrgSourcedID = r.list("orgSourcedIds"), r.get("primaryorgsourcedid")
		if u.EnabledUser, err = r.truth("enabledUser"); err == nil {
			u.Role, err = r.role()
		}
		return err
	}})
}

// UserRoles streams roles.csv.
func (b *Bundle) UserRoles() iter.Seq2[UserRole, error] {
	columns := []string{"sourcedId", "userSourcedId", "roleType", "role", "orgSourcedId"}
	return all(b, schema[UserRole]{Roles, columns, columns, func(u *UserRole) *Record { return &u.Record }, func(r *row, u *UserRole) (err error) {
		u.UserSourcedID, u.OrgSourcedID = r.get("usersourcedid"), r.get("orgsourcedid")
		switch kind := r.get("roletype"); strings.ToLower(kind) {
		case "primary":
			u.Primary = true
		case "secondary", "":
		default:
			return lms.Invalid("oneroster-value", r.at("roleType"), "%s, line %d: the roleType is %q: it may be primary or secondary.", r.file, r.line, lms.Clip(kind, 40))
		}
		if u.Role, err = r.role(); err == nil {
			u.Begin, u.End, err = r.span("beginDate", "endDate")
		}
		return err
	}})
}

// Enrollments streams enrollments.csv.
func (b *Bundle) Enrollments() iter.Seq2[Enrollment, error] {
	columns := []string{"sourcedId", "classSourcedId", "schoolSourcedId", "userSourcedId", "role"}
	return all(b, schema[Enrollment]{Enrollments, columns, columns, func(e *Enrollment) *Record { return &e.Record }, func(r *row, e *Enrollment) (err error) {
		e.ClassSourcedID, e.SchoolSourcedID, e.UserSourcedID = r.get("classsourcedid"), r.get("schoolsourcedid"), r.get("usersourcedid")
		if e.Role, err = r.role(); err == nil {
			e.Primary, err = r.truth("primary")
		}
		if err == nil {
			e.Begin, e.End, err = r.span("beginDate", "endDate")
		}
		return err
	}})
}

// span reads the days on which something begins and ends; it cannot end before.
func (r *row) span(begin, end string) (from, until time.Time, err error) {
	if from, err = r.day(begin); err != nil {
		return from, until, err
	}
	if until, err = r.day(end); err != nil {
		return from, until, err
	}
	if !until.IsZero() && until.Before(from) {
		err = lms.Invalid("oneroster-value", r.at(end), "%s, line %d: it ends on %s, before it begins on %s. Correct one of the days.", r.file, r.line, until.Format(time.DateOnly), from.Format(time.DateOnly))
	}
	return from, until, err
}
