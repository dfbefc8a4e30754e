// Package school fills a database with a generated school, for measurements:
// people with believable names, some of whom have never signed in, courses with
// staff and students, and privileges beside their roles. The same size gives
// the same school each time. It writes in bulk, round the service, so it must
// not be used for anything but a database that will be thrown away.
package school

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"time"

	"matricula/internal/lms"
	"matricula/internal/store"
)

// Issuer is the provider with which those who have signed in did so.
const Issuer = "https://accounts.uni.example"

// Size says how large a school is.
type Size struct {
	People      int // persons, of whom three in ten are pending
	Courses     int
	Enrollments int // spread evenly over the courses
}

// Person is somebody of the school.
type Person struct {
	ID            int64
	Given, Family string
	Email         lms.Email
	Pending       bool
}

// School is what was made.
type School struct {
	People  []Person
	Courses []Course
}

// Course is a course of the school.
type Course struct {
	ID      int64
	Members []int64 // ids of those enrolled, ascending
	roles   map[string]int64
}

// start is when the school began; no row is younger.
var start = time.Date(2026, time.September, 1, 8, 0, 0, 0, time.UTC)

// firstID is the id of the first person: the schema makes one service account.
const firstID = 2

func (s Size) check() error {
	if s.People < 100 || s.Courses < 1 || s.Enrollments < s.Courses {
		return errors.New("a school has at least 100 people, a course, and somebody in each course")
	}
	if s.Enrollments/s.Courses >= s.People/2 {
		return fmt.Errorf("%d enrollments in %d courses are too many for %d people", s.Enrollments, s.Courses, s.People)
	}
	return nil
}

// Build brings an empty database to the present schema and fills it. It gathers
// the planner's statistics at the end.
func Build(ctx context.Context, dsn string, size Size) (*School, error) {
	if err := size.check(); err != nil {
		return nil, err
	}
	if err := migrate(ctx, dsn); err != nil {
		return nil, err
	}
	s := &School{}
	random := rand.New(rand.NewPCG(1, 2))
	s.nameEverybody(size, random)
	s.fillCourses(size, random)
	err := write(ctx, dsn, func(w writer) error { return s.write(ctx, w) })
	if err != nil {
		return nil, fmt.Errorf("generate the school: %w", err)
	}
	return s, nil
}

func migrate(ctx context.Context, dsn string) error {
	st, err := store.Open(ctx, dsn)
	if err != nil {
		return err
	}
	return errors.Join(st.Migrate(ctx), st.Close())
}

func (s *School) nameEverybody(size Size, random *rand.Rand) {
	s.People = make([]Person, size.People)
	for i := range s.People {
		p := Person{ID: firstID + int64(i), Pending: random.IntN(10) < 3}
		p.Given, p.Family = givenNames[random.IntN(len(givenNames))], familyNames[random.IntN(len(familyNames))]
		p.Email = lms.Email(Address(p.Given, p.Family, "", int64(i)))
		s.People[i] = p
	}
}

// Address is what a school would give somebody of that name.
func Address(given, family, extra string, number int64) string {
	plain := func(name string) string {
		letters := []byte{}
		for _, r := range lms.FoldSearch(name) {
			if r >= 'a' && r <= 'z' {
				letters = append(letters, byte(r))
			}
		}
		return string(letters)
	}
	return fmt.Sprintf("%s.%s%s%d@uni.example", plain(given), plain(family), extra, number)
}

// fillCourses puts different people into each course: every step-th one, from
// a random first.
func (s *School) fillCourses(size Size, random *rand.Rand) {
	presets := lms.PresetRoles()
	s.Courses = make([]Course, size.Courses)
	left := size.Enrollments
	for i := range s.Courses {
		c := Course{ID: int64(i) + 1, roles: map[string]int64{}}
		for j, r := range presets {
			c.roles[r.Key] = int64(i*len(presets)+j) + 1
		}
		step := 1 + random.IntN(size.People-1)
		for gcd(step, size.People) != 1 {
			step = 1 + random.IntN(size.People-1)
		}
		first := random.IntN(size.People)
		n := left / (size.Courses - i)
		left -= n
		for k := range n {
			c.Members = append(c.Members, s.People[(first+k*step)%size.People].ID)
		}
		slices.Sort(c.Members)
		s.Courses[i] = c
	}
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// person finds somebody by id.
func (s *School) person(id int64) *Person { return &s.People[id-firstID] }

// Students are the ids of the course's students.
func (c *Course) Students() []int64 { return c.Members[min(firstStudent, len(c.Members)-1):] }

// firstStudent is the place in the list of a course where its staff ends,
// unless its owner stands further down.
const firstStudent = 10

// role is what somebody is in a course: its first who has signed in owns it,
// and the next few of the list teach.
func (c *Course) role(s *School, place int) string {
	owner := slices.IndexFunc(c.Members, func(id int64) bool { return !s.person(id).Pending })
	switch {
	case place == owner:
		return lms.RoleOwner
	case place < 3:
		return lms.RoleTeacher
	case place < 8:
		return lms.RoleAssistant
	case place < firstStudent:
		return lms.RoleObserver
	}
	return lms.RoleStudent
}

// PartOfName is three to five letters from the middle of somebody's name.
func (s *School) PartOfName(random *rand.Rand) string {
	for {
		p := &s.People[random.IntN(len(s.People))]
		name := p.Given
		if random.IntN(2) == 0 {
			name = p.Family
		}
		letters := []rune(lms.FoldSearch(name))
		n := 3 + random.IntN(3)
		if len(letters) < n {
			continue
		}
		at := random.IntN(len(letters) - n + 1)
		return string(letters[at : at+n])
	}
}

func (s *School) write(ctx context.Context, w writer) error {
	for _, step := range []func(context.Context, writer) error{s.writePeople, s.writeCourses, s.writeEnrollments, s.writeGrants} {
		if err := step(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

func (s *School) writePeople(ctx context.Context, w writer) error {
	if err := writePeople(ctx, w, s.People); err != nil {
		return err
	}
	return w.rows(ctx, "identities", []string{"issuer", "subject", "user_id", "email_at_link", "linked_at", "last_used_at"},
		func(yield func([]any) bool) {
			for _, p := range s.People {
				if !p.Pending && !yield([]any{Issuer, fmt.Sprint("subject-", p.ID), p.ID, string(p.Email), start, start}) {
					return
				}
			}
		})
}

func writePeople(ctx context.Context, w writer, people []Person) error {
	users := func(yield func([]any) bool) {
		for _, p := range people {
			status, claimed := lms.StatusActive, any(start)
			if p.Pending {
				status, claimed = lms.StatusPending, nil
			}
			row := []any{
				p.ID, string(lms.KindPerson), string(status), string(lms.SiteMember), p.Given, p.Family,
				lms.SearchKey(p.Email, p.Given, p.Family, ""), lms.SortKey(p.Email, p.Given, p.Family, ""),
				lms.SystemUserID, start, claimed, claimed,
			}
			if !yield(row) {
				return
			}
		}
	}
	columns := []string{
		"id", "kind", "status", "site_role", "given_name", "family_name", "search_key", "sort_key",
		"created_by", "created_at", "claimed_at", "last_seen_at",
	}
	if err := w.rows(ctx, "users", columns, users); err != nil {
		return err
	}
	if err := w.rows(ctx, "emails", []string{"address", "user_id", "as_typed", "is_primary", "verified_at", "created_at"},
		func(yield func([]any) bool) {
			for _, p := range people {
				verified := any(start)
				if p.Pending {
					verified = nil
				}
				if !yield([]any{string(p.Email), p.ID, string(p.Email), true, verified, start}) {
					return
				}
			}
		}); err != nil {
		return err
	}
	return w.index(ctx, people[0].ID, people[len(people)-1].ID)
}

func (s *School) writeCourses(ctx context.Context, w writer) error {
	err := w.rows(ctx, "courses", []string{"id", "title", "code", "description", "created_by", "created_at"}, func(yield func([]any) bool) {
		for i, c := range s.Courses {
			title := subjects[i%len(subjects)] + courseKinds[i/len(subjects)%len(courseKinds)]
			code := fmt.Sprintf("%c%c-%d", title[0], title[1]-32, 100+i)
			if !yield([]any{c.ID, title, code, "What " + title + " is about, and how it is taught.", lms.SystemUserID, start}) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	return w.rows(ctx, "course_roles", []string{"id", "course_id", "key", "name", "is_preset", "privileges"}, func(yield func([]any) bool) {
		for _, c := range s.Courses {
			for _, r := range lms.PresetRoles() {
				if !yield([]any{c.roles[r.Key], c.ID, r.Key, r.Name, true, stored(r.Privileges)}) {
					return
				}
			}
		}
	})
}

func stored(set lms.PrivilegeSet) string {
	text, err := json.Marshal(set.List())
	if err != nil {
		panic(err) // a list of strings can be encoded
	}
	return string(text)
}

var enrollmentColumns = []string{"course_id", "user_id", "role_id", "source", "added_by", "created_at"}

func (s *School) writeEnrollments(ctx context.Context, w writer) error {
	return w.rows(ctx, "enrollments", enrollmentColumns, func(yield func([]any) bool) {
		for i := range s.Courses {
			c := &s.Courses[i]
			for place, id := range c.Members {
				if !yield([]any{c.ID, id, c.roles[c.role(s, place)], string(lms.SourceManual), lms.SystemUserID, start}) {
					return
				}
			}
		}
	})
}

var grantColumns = []string{"course_id", "user_id", "allow", "deny", "granted_by", "granted_at"}

// writeGrants lets some assistants and students do more than their role says.
func (s *School) writeGrants(ctx context.Context, w writer) error {
	return w.rows(ctx, "course_privileges", grantColumns, s.grants())
}

func (s *School) grants() iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		for _, c := range s.Courses {
			for place := 5; place < len(c.Members) && place < 200; place += 25 {
				row := []any{c.ID, c.Members[place], stored(lms.SetOf(lms.AuditView, lms.RosterView)), "[]", lms.SystemUserID, start}
				if !yield(row) {
					return
				}
			}
		}
	}
}

// Name is what somebody is called.
func Name(random *rand.Rand) (given, family string) {
	return givenNames[random.IntN(len(givenNames))], familyNames[random.IntN(len(familyNames))]
}
