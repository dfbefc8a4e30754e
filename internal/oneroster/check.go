package oneroster

import (
	"errors"
	"hash/maphash"
	"iter"
	"slices"

	"matricula/internal/lms"
)

// MaxFaults is how many faults a report lists; it counts them all.
const MaxFaults = 100

// Fault is one thing that is wrong in a bundle.
type Fault struct {
	File string
	Line int // from 1; 0 when the whole file is meant
	Err  *lms.Error
}

// Report is what Check found, in the order of Files and of their lines.
type Report struct {
	Faults []Fault
	Count  int // of all, also of those that are not listed
}

func (r *Report) add(file string, line int, err *lms.Error) {
	if r.Count++; len(r.Faults) < MaxFaults {
		r.Faults = append(r.Faults, Fault{file, line, err})
	}
}

// identifiers are the hashes of a table's identifiers, sorted. With a seed that
// nobody knows, two of five million share one in one bundle of a million, and no
// file can be made so that they do.
type identifiers []uint64

func (ids identifiers) has(hash uint64) bool {
	_, ok := slices.BinarySearch(ids, hash)
	return ok
}

// checker is at work on one bundle.
type checker struct {
	b      *Bundle
	report Report
	seed   maphash.Seed
	known  map[File]identifiers // of the tables that are bulk
}

// Check reads all tables and reports every record that cannot be read, every
// identifier that stands twice in its table, and every reference to a record that
// is not there. References are followed only into tables that are bulk: what a
// delta or an absent table leaves out may be known from before. The error is of
// reading alone; it takes eight bytes of memory for each record.
func (b *Bundle) Check() (Report, error) {
	c := &checker{b: b, seed: maphash.MakeSeed(), known: map[File]identifiers{}}
	for _, f := range Files {
		if err := c.table(f); err != nil {
			return Report{}, err
		}
	}
	return c.report, nil
}

// reference is a column that names records of another table.
type reference struct {
	column string
	to     File
	ids    []string
}

// entry is a record, as far as Check looks at it.
type entry struct {
	Record
	references []reference
}

func one(column string, to File, id string) reference {
	if id == "" {
		return reference{column, to, nil}
	}
	return reference{column, to, []string{id}}
}

// entries streams any table.
func (b *Bundle) entries(f File) iter.Seq2[entry, error] {
	switch f {
	case Orgs:
		return entriesOf(b.Orgs(), func(o Org) entry {
			return entry{o.Record, []reference{one("parentSourcedId", Orgs, o.ParentSourcedID)}}
		})
	case AcademicSessions:
		return entriesOf(b.AcademicSessions(), func(s AcademicSession) entry {
			return entry{s.Record, []reference{one("parentSourcedId", AcademicSessions, s.ParentSourcedID)}}
		})
	case Courses:
		return entriesOf(b.Courses(), func(c Course) entry {
			return entry{c.Record, []reference{one("orgSourcedId", Orgs, c.OrgSourcedID), one("schoolYearSourcedId", AcademicSessions, c.SchoolYearSourcedID)}}
		})
	case Classes:
		return entriesOf(b.Classes(), func(c Class) entry {
			return entry{c.Record, []reference{
				one("courseSourcedId", Courses, c.CourseSourcedID), one("schoolSourcedId", Orgs, c.SchoolSourcedID),
				{"termSourcedIds", AcademicSessions, c.TermSourcedIDs},
			}}
		})
	case Users:
		return entriesOf(b.Users(), func(u User) entry {
			return entry{u.Record, []reference{{"orgSourcedIds", Orgs, u.OrgSourcedIDs}, one("primaryOrgSourcedId", Orgs, u.PrimaryOrgSourcedID)}}
		})
	case Roles:
		return entriesOf(b.UserRoles(), func(u UserRole) entry {
			return entry{u.Record, []reference{one("userSourcedId", Users, u.UserSourcedID), one("orgSourcedId", Orgs, u.OrgSourcedID)}}
		})
	}
	return entriesOf(b.Enrollments(), func(e Enrollment) entry {
		return entry{e.Record, []reference{
			one("classSourcedId", Classes, e.ClassSourcedID), one("schoolSourcedId", Orgs, e.SchoolSourcedID), one("userSourcedId", Users, e.UserSourcedID),
		}}
	})
}

func entriesOf[T any](records iter.Seq2[T, error], entryOf func(T) entry) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		for r, err := range records {
			e := entry{}
			if err == nil {
				e = entryOf(r)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// table reads a table twice: for its identifiers, to which it may itself refer on
// an earlier line, and for what is wrong.
func (c *checker) table(f File) error {
	var all identifiers
	for e, err := range c.b.entries(f) {
		if err == nil {
			all = append(all, maphash.String(c.seed, e.SourcedID))
		}
	}
	slices.Sort(all)
	twice := map[uint64]int{} // with the line on which each stood first
	for i := 1; i < len(all) && len(twice) < MaxFaults; i++ {
		if all[i] == all[i-1] {
			twice[all[i]] = 0
		}
	}
	if c.b.Mode(f) == Bulk {
		c.known[f] = all
	}
	for e, err := range c.b.entries(f) {
		if err != nil {
			var fault *lms.Error
			if !errors.As(err, &fault) {
				return err
			}
			c.report.add(f.csv(), lineOf(fault), fault)
			continue
		}
		if len(twice) > 0 {
			c.duplicate(e, twice)
		}
		if e.Status == Active {
			c.dangling(e)
		}
	}
	return nil
}

func (c *checker) duplicate(e entry, twice map[uint64]int) {
	hash := maphash.String(c.seed, e.SourcedID)
	first, ok := twice[hash]
	switch {
	case !ok:
	case first == 0:
		twice[hash] = e.Line
	default:
		c.report.add(e.File, e.Line, lms.Invalid("oneroster-duplicate", e.place("sourcedId"), "%s, line %d: the sourcedId %q stands on line %d already. Remove one of the two, or give it its own.", e.File, e.Line, lms.Clip(e.SourcedID, 60), first))
	}
}

func (c *checker) dangling(e entry) {
	for _, r := range e.references {
		known, ok := c.known[r.to]
		if !ok {
			continue
		}
		for _, id := range r.ids {
			if !known.has(maphash.String(c.seed, id)) {
				c.report.add(e.File, e.Line, lms.Invalid("oneroster-reference", e.place(r.column), "%s, line %d: the %s is %q, which is not in %s. Add it there, or remove this line.", e.File, e.Line, r.column, lms.Clip(id, 60), r.to.csv()))
			}
		}
	}
}
