package service

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/oneroster"
	"matricula/internal/rosterfile"
	"matricula/internal/store"
)

// A OneRoster bundle becomes a list for each course: a course of the bundle in one
// term is a course here, its classes are sections, and each person with an
// enrollment in them is a row. People are told apart by the student system's own
// identifiers, and become known here by their addresses like everybody else.

// maxBundleUsers bounds the people who are held in memory while a bundle is read.
const maxBundleUsers = 500_000

// The kinds of identifiers that a source remembers.
const (
	kindSession = "session"
	kindCourse  = "course"
	kindClass   = "class"
	kindUser    = "user"
)

// bundled is a bundle on its way to lists.
type bundled struct {
	*reading
	b       *oneroster.Bundle
	exact   bool
	classes map[string]classHere // by their identifiers there
	users   map[string]personThere
	places  []placeThere
}

type classHere struct {
	course  int64
	section string
}

type personThere struct{ id, email, given, family, number string }

// placeThere is one enrollment, as little of it as is needed.
type placeThere struct {
	course       int64
	user         string
	section      string
	rank         int8 // of the role, the highest first
	leaves       bool
	begins, ends lms.Day
}

// roleRanks are the roles of the standard, highest first, with what they are here.
// Others have nothing to do with a course.
var roleRanks = []struct{ there, here string }{
	{"teacher primary", lms.RoleOwner}, {"teacher", lms.RoleTeacher}, {"aide", lms.RoleAssistant}, {"proctor", lms.RoleAssistant}, {"student", lms.RoleStudent},
}

func rankOf(e *oneroster.Enrollment) int8 {
	role := e.Role
	if role == "teacher" && e.Primary {
		role = "teacher primary"
	}
	for i, r := range roleRanks {
		if r.there == role {
			return int8(i)
		}
	}
	return -1
}

// bundle makes lists of a bundle. What is wrong in it is noted; then nobody leaves a
// course by this run, since whoever is missing may be missing by mistake.
func (r *reading) bundle(ctx context.Context, b *oneroster.Bundle) error {
	report, err := b.Check()
	if err != nil {
		return err
	}
	for _, f := range report.Faults {
		r.note(f.Err.Text)
	}
	u := &bundled{
		reading: r, b: b, exact: r.src.Exact && report.Count == 0 && b.Mode("enrollments") == oneroster.Bulk,
		classes: map[string]classHere{}, users: map[string]personThere{},
	}
	if report.Count > 0 && r.src.Exact {
		r.note(lms.Say("%d records cannot be used, so nobody leaves a course by this run.", report.Count))
	}
	for _, step := range []func(context.Context) error{u.sessions, u.readClasses, u.readUsers, u.readEnrollments, u.lists} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// known tells what identifiers of the source are here.
func (u *bundled) known(ctx context.Context, kind string, ids []string) (map[string]int64, error) {
	return u.s.store.Reader().SourcedIDs(ctx, u.src.ID, kind, ids)
}

func (u *bundled) remember(ctx context.Context, kind, id string, local int64) error {
	return u.s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		return tx.PutSourced(ctx, u.src.ID, kind, []store.Sourced{{ID: id, Local: local}})
	})
}

// sessions makes the academic years and terms that are not here, years first.
func (u *bundled) sessions(ctx context.Context) error {
	var years, terms []oneroster.AcademicSession
	for s, err := range u.b.AcademicSessions() {
		switch {
		case err != nil || s.Status == oneroster.ToBeDeleted:
		case s.Type == "schoolYear":
			years = append(years, s)
		case s.Type == "term" || s.Type == "semester":
			terms = append(terms, s)
		}
	}
	for _, s := range slices.Concat(years, terms) {
		have, err := u.known(ctx, kindSession, []string{s.SourcedID, s.ParentSourcedID})
		if err != nil {
			return err
		}
		if have[s.SourcedID] != 0 {
			continue
		}
		year := int64(0)
		if s.Type != "schoolYear" {
			if year = have[s.ParentSourcedID]; year == 0 {
				u.note(lms.Say("The term %s is in no academic year of this source, so its courses are in no term.", s.Title))
				continue
			}
		}
		id, err := u.session(ctx, s, year)
		if e := lmsError(err); e != nil && e.Code != lms.CodeUnavailable {
			u.note(lms.Say("%s: %s", s.Title, e.Text))
			continue
		}
		if err != nil {
			return err
		}
		if err := u.remember(ctx, kindSession, s.SourcedID, id); err != nil {
			return err
		}
	}
	return nil
}

// session finds a year or term of this name, or makes it.
func (u *bundled) session(ctx context.Context, s oneroster.AcademicSession, year int64) (int64, error) {
	list, err := u.s.Terms(ctx, u.c, 0)
	if err != nil {
		return 0, err
	}
	for _, t := range list {
		if t.Period.YearID == year && lms.FoldSearch(t.Period.Name) == lms.FoldSearch(s.Title) {
			return t.Period.ID, nil
		}
	}
	made, err := u.s.CreateTerm(ctx, u.c, year, lms.PeriodFields{Name: s.Title, Begins: lms.DayOf(s.Start), Ends: lms.DayOf(s.End.AddDate(0, 0, -1))}, nil)
	return made.Period.ID, err
}

// readClasses finds the courses and sections of the classes, and makes those that
// are not here.
func (u *bundled) readClasses(ctx context.Context) error {
	titles := map[string]oneroster.Course{}
	for c, err := range u.b.Courses() {
		if err == nil && c.Status != oneroster.ToBeDeleted {
			titles[c.SourcedID] = c
		}
	}
	for c, err := range u.b.Classes() {
		if err != nil || c.Status == oneroster.ToBeDeleted {
			continue
		}
		term := ""
		if len(c.TermSourcedIDs) > 0 {
			term = c.TermSourcedIDs[0]
		}
		course, err := u.course(ctx, titles[c.CourseSourcedID], c, term)
		if err == nil {
			u.classes[c.SourcedID], err = u.section(ctx, c, course)
		}
		if e := lmsError(err); e != nil && e.Code != lms.CodeUnavailable { // an archived course, for one
			u.note(lms.Say("%s: %s", c.Title, e.Text))
			delete(u.classes, c.SourcedID)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// course finds what a course of the bundle is here in one term.
func (u *bundled) course(ctx context.Context, c oneroster.Course, class oneroster.Class, term string) (int64, error) {
	key := class.CourseSourcedID + "\x1f" + term
	have, err := u.known(ctx, kindCourse, []string{key})
	if err != nil {
		return 0, err
	}
	if id := have[key]; id != 0 {
		if _, ok, err := u.s.store.Reader().Course(ctx, id); err != nil || ok {
			return id, err
		}
	}
	sessions, err := u.known(ctx, kindSession, []string{term})
	if err != nil {
		return 0, err
	}
	title := cmp.Or(strings.TrimSpace(c.Title), strings.TrimSpace(class.Title), class.CourseSourcedID)
	f, err := lms.CourseFields{Title: lms.Clip(title, lms.MaxTitleRunes), Code: lms.Clip(strings.TrimSpace(c.CourseCode), lms.MaxCodeRunes), TermID: sessions[term]}.Clean()
	if err != nil {
		return 0, err
	}
	// It has no owner until one of its teachers arrives: the administrator who set
	// the source up does not own what thousands of others teach.
	id := int64(0)
	err = u.s.do(ctx, u.c, access.CourseCreate, 0, func(ctx context.Context, w *work) error {
		if id, err = w.tx.CreateCourse(ctx, lms.Course{Title: f.Title, Code: f.Code, TermID: f.TermID, CreatedBy: u.c.UserID, CreatedAt: w.now}); err != nil {
			return err
		}
		if err := w.tx.PutSourced(ctx, u.src.ID, kindCourse, []store.Sourced{{ID: key, Local: id}}); err != nil {
			return err
		}
		w.courseID = id
		return w.record(ctx, 0, nil, courseAudit{Title: f.Title, Code: f.Code})
	})
	return id, err
}

// section finds what a class is here.
func (u *bundled) section(ctx context.Context, c oneroster.Class, course int64) (classHere, error) {
	here := classHere{course: course}
	have, err := u.known(ctx, kindClass, []string{c.SourcedID})
	if err != nil {
		return here, err
	}
	if id := have[c.SourcedID]; id != 0 {
		sections, err := u.s.store.Reader().SectionsByID(ctx, []int64{id})
		if err != nil {
			return here, err
		}
		if s, ok := sections[id]; ok && s.CourseID == course {
			here.section = s.Name
			return here, nil
		}
	}
	here.section, err = lms.CleanSectionName(lms.Clip(cmp.Or(strings.TrimSpace(c.Title), strings.TrimSpace(c.ClassCode), c.SourcedID), 60), "title")
	if err != nil {
		return here, err
	}
	return here, u.s.do(ctx, u.c, access.SectionCreate, course, func(ctx context.Context, w *work) error {
		made, err := w.makeSections(ctx, []string{here.section})
		if err != nil {
			return err
		}
		sec := made[lms.SectionKey(here.section)]
		w.nothingChanged() // beyond the sections, which have their entries
		return w.tx.PutSourced(ctx, u.src.ID, kindClass, []store.Sourced{{ID: c.SourcedID, Local: sec.ID}})
	})
}

func (u *bundled) readUsers(context.Context) error {
	for p, err := range u.b.Users() {
		if err != nil {
			continue
		}
		if len(u.users) == maxBundleUsers {
			return lms.Errorf(lms.CodeTooLarge, "too-many-rows", "This bundle has more than %d people. Split it by schools.", maxBundleUsers)
		}
		u.users[p.SourcedID] = personThere{p.SourcedID, p.Email, cmp.Or(p.PreferredGivenName, p.GivenName), cmp.Or(p.PreferredFamilyName, p.FamilyName), p.Identifier}
	}
	return nil
}

// readEnrollments collects who is where. A delta can speak of classes and people
// that it does not list: they are known from before.
func (u *bundled) readEnrollments(ctx context.Context) error {
	missing := map[string]bool{}
	strangers := map[string]bool{}
	var waiting []oneroster.Enrollment
	for e, err := range u.b.Enrollments() {
		if err != nil || rankOf(&e) < 0 {
			continue
		}
		if _, ok := u.users[e.UserSourcedID]; !ok {
			strangers[e.UserSourcedID] = true
		}
		if _, ok := u.classes[e.ClassSourcedID]; !ok {
			missing[e.ClassSourcedID] = true
			waiting = append(waiting, e)
			continue
		}
		u.take(e)
	}
	if err := u.classesFromBefore(ctx, missing); err != nil {
		return err
	}
	for _, e := range waiting {
		u.take(e)
	}
	return u.peopleFromBefore(ctx, strangers)
}

func (u *bundled) take(e oneroster.Enrollment) {
	class, ok := u.classes[e.ClassSourcedID]
	if !ok {
		return // the check has said so
	}
	user := e.UserSourcedID
	if who, ok := u.users[user]; ok {
		user = who.id // one text for all that somebody is in
	}
	p := placeThere{course: class.course, user: user, section: class.section, rank: rankOf(&e), leaves: e.Status == oneroster.ToBeDeleted, begins: lms.DayOf(e.Begin)}
	if !e.End.IsZero() { // the first day after it
		p.ends = lms.DayOf(e.End.Add(-time.Nanosecond))
	}
	u.places = append(u.places, p)
}

func (u *bundled) classesFromBefore(ctx context.Context, ids map[string]bool) error {
	if len(ids) == 0 {
		return nil
	}
	var list []string
	for id := range ids {
		list = append(list, id)
	}
	have, err := u.known(ctx, kindClass, list)
	if err != nil {
		return err
	}
	var sections []int64
	for _, id := range have {
		sections = append(sections, id)
	}
	here, err := u.s.store.Reader().SectionsByID(ctx, sections)
	if err != nil {
		return err
	}
	for id, local := range have {
		if s, ok := here[local]; ok {
			u.classes[id] = classHere{s.CourseID, s.Name}
		}
	}
	return nil
}

func (u *bundled) peopleFromBefore(ctx context.Context, ids map[string]bool) error {
	if len(ids) == 0 {
		return nil
	}
	var list []string
	for id := range ids {
		list = append(list, id)
	}
	have, err := u.known(ctx, kindUser, list)
	if err != nil {
		return err
	}
	var users []int64
	for _, id := range have {
		users = append(users, id)
	}
	addresses, err := u.s.store.Reader().AddressesOf(ctx, users)
	if err != nil {
		return err
	}
	for id, local := range have {
		u.users[id] = personThere{id: id, email: string(addresses[local])}
	}
	return nil
}

// lists makes the list of each course. A course of whose people the bundle says
// nothing stays as it is.
func (u *bundled) lists(ctx context.Context) error {
	slices.SortStableFunc(u.places, func(a, b placeThere) int {
		return cmp.Or(cmp.Compare(a.course, b.course), strings.Compare(a.user, b.user), cmp.Compare(a.rank, b.rank))
	})
	for from := 0; from < len(u.places); {
		to := from
		for to < len(u.places) && u.places[to].course == u.places[from].course {
			to++
		}
		course := u.places[from].course
		text, err := u.table(u.places[from:to])
		if err != nil {
			return err
		}
		err = u.list(ctx, NewImport{CourseID: course, Name: u.run.Name, Text: text, Options: u.options(u.exact)})
		if e := lmsError(err); e != nil && e.Code != lms.CodeUnavailable { // an archived course, for one
			u.note(lms.Say("Course %s: %s", strconv.FormatInt(course, 10), e.Text))
		} else if err != nil {
			return err
		}
		from = to
	}
	if u.run.Courses == 0 {
		return lms.Invalid("no-rows", "file", "There is nobody in this bundle whom a course here could take.")
	}
	return nil
}

// table writes the rows of one course. Somebody who is in several of its classes is
// in the first, with the highest of the roles; they leave when they leave all.
func (u *bundled) table(places []placeThere) (string, error) {
	var b strings.Builder
	w := csv.NewWriter(&b)
	heads := []string{}
	for _, f := range []rosterfile.Field{
		rosterfile.Address, rosterfile.GivenName, rosterfile.FamilyName, rosterfile.Role, rosterfile.Section, rosterfile.StudentNumber, rosterfile.Begins, rosterfile.Ends,
		rosterfile.Leaves, rosterfile.SourcedID,
	} {
		heads = append(heads, string(f))
	}
	err := w.Write(heads)
	for from := 0; from < len(places); {
		to := from
		best := -1
		for to < len(places) && places[to].user == places[from].user {
			if !places[to].leaves && best < 0 {
				best = to
			}
			to++
		}
		leaves := ""
		if best < 0 {
			best, leaves = from, "yes"
		}
		p := places[best]
		if roleRanks[p.rank].here == lms.RoleOwner { // an owner is there all the time
			p.begins, p.ends = "", ""
		}
		who := u.users[p.user]
		row := []string{who.email, who.given, who.family, roleRanks[p.rank].here, p.section, who.number, string(p.begins), string(p.ends), leaves, p.user}
		err = errors.Join(err, w.Write(row))
		from = to
	}
	w.Flush()
	return b.String(), errors.Join(err, w.Error())
}
