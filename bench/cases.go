package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"reflect"
	"strconv"
	"sync"
	"sync/atomic"

	"matricula/bench/school"
)

const (
	concurrency     = 16
	bulkConcurrency = 4    // of requests with a thousand addresses
	bulkRequests    = 4    // of them in a round
	bulkAddresses   = 1000 // in each
	pageLimit       = 50
)

// cases makes the measurements on one database, and checks what they did with
// connections of its own.
type cases struct {
	engine  engine
	dsn     string
	school  *school.School
	inspect *sql.DB
	named   atomic.Int64 // numbers the addresses that nobody has yet
}

// count reads one number.
func (c *cases) count(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = c.inspect.QueryRowContext(ctx, query, args...).Scan(&n)
	return n, err
}

// sameShape makes sure that the sides answer a request alike: the same fields,
// and with equal true also the same values.
func sameShape(ctx context.Context, sides []*side, equal bool, ask func(*side) ([]byte, error)) error {
	var want any
	for i, s := range sides {
		body, err := ask(s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		var got any
		if err := json.Unmarshal(body, &got); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if m, ok := got.(map[string]any); ok && m["next_cursor"] != nil {
			m["next_cursor"] = "there is more" // each side has its own spelling
		}
		if !equal {
			got = shape(got)
		}
		if i == 0 {
			want = got
		} else if !reflect.DeepEqual(got, want) {
			return fmt.Errorf("%s: %w:\n%v\n%v", s.name, errShape, got, want)
		}
	}
	return nil
}

// shape is a value with only the names of its fields left, and of a list its
// first element.
func shape(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			out[k] = shape(e)
		}
		return out
	case []any:
		if len(v) == 0 {
			return v
		}
		return []any{shape(v[0])}
	default:
		return "a value"
	}
}

// search is the people table, searched by a part of a name and decorated with
// the privileges in a course.
func (c *cases) search(ctx context.Context, sides []*side) (*measurement, error) {
	random := rand.New(rand.NewPCG(3, 4))
	paths := make([]string, 4096)
	for i := range paths {
		q := url.Values{
			"search":    {c.school.PartOfName(random)},
			"course_id": {strconv.FormatInt(c.school.Courses[random.IntN(len(c.school.Courses))].ID, 10)},
			"limit":     {strconv.Itoa(pageLimit)},
		}
		paths[i] = "/api/v1/users?" + q.Encode()
	}
	for _, path := range paths[:100] {
		err := sameShape(ctx, sides, true, func(s *side) ([]byte, error) { return s.send(ctx, "GET", path, nil) })
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	var next atomic.Int64
	return &measurement{
		key: "a", title: "(a) people table, part of a name", concurrency: concurrency,
		prepare: func(context.Context, *side, int) error { next.Store(0); return nil },
		call: func(ctx context.Context, s *side, _ int) error {
			body, err := s.send(ctx, "GET", paths[int(next.Add(1))%len(paths)], nil)
			if err == nil && len(body) < len(`{"items":[{"id":1}]}`) {
				err = fmt.Errorf("somebody has this name, and nobody was found: %s", body)
			}
			return err
		},
	}, nil
}

// place is a person in a course, and what they were last allowed there.
type place struct{ course, user int64 }

var grants = [2]struct{ body, stored string }{
	{`{"course_privileges":["audit.view"]}`, `["audit.view"]`},
	{`{"course_privileges":["roster.view","roster.manage"]}`, `["roster.view","roster.manage"]`},
}

// privileges sets privileges of people who are students of a course, courses
// and people at random. Each request changes something: a worker goes round
// its own people and gives each the other of two sets.
func (c *cases) privileges(ctx context.Context, sides []*side) (*measurement, error) {
	random := rand.New(rand.NewPCG(5, 6))
	var mine [concurrency][]place
	taken := map[place]bool{}
	for i := range min(20_000, 10*len(c.school.People)) {
		course := &c.school.Courses[random.IntN(len(c.school.Courses))]
		p := place{course.ID, course.Students()[random.IntN(len(course.Students()))]}
		if !taken[p] {
			taken[p] = true
			mine[i%concurrency] = append(mine[i%concurrency], p)
		}
	}
	var turn [concurrency]int
	var acknowledged [concurrency]map[place]int // index into grants
	for w := range acknowledged {
		acknowledged[w] = map[place]int{}
	}
	set := func(ctx context.Context, s *side, worker int) ([]byte, error) {
		p := mine[worker][turn[worker]%len(mine[worker])]
		turn[worker]++
		which := 0
		if last, ok := acknowledged[worker][p]; ok {
			which = 1 - last
		}
		path := fmt.Sprintf("/api/v1/users/%d/privileges?course_id=%d", p.user, p.course)
		body, err := s.send(ctx, "PATCH", path, []byte(grants[which].body))
		if err == nil {
			acknowledged[worker][p] = which
		}
		return body, err
	}
	if err := sameShape(ctx, sides, false, func(s *side) ([]byte, error) { return set(ctx, s, 0) }); err != nil {
		return nil, err
	}
	audit := c.auditOf("privileges.set")
	m := &measurement{key: "b", title: "(b) privileges, known person", concurrency: concurrency}
	m.prepare = audit.before
	m.call = func(ctx context.Context, s *side, worker int) error {
		_, err := set(ctx, s, worker)
		audit.done.Add(1)
		return err
	}
	m.verify = func(ctx context.Context, s *side) error {
		want := map[place]string{}
		for _, last := range acknowledged {
			for p, which := range last {
				want[p] = grants[which].stored
			}
		}
		if err := c.verifyGrants(ctx, want); err != nil {
			return err
		}
		return audit.after(ctx, s)
	}
	return m, nil
}

func (c *cases) verifyGrants(ctx context.Context, want map[place]string) error {
	rows, err := c.inspect.QueryContext(ctx, `SELECT course_id, user_id, allow, deny FROM course_privileges`)
	if err != nil {
		return err
	}
	defer rows.Close()
	found := 0
	for rows.Next() {
		var p place
		var allow, deny string
		if err := rows.Scan(&p.course, &p.user, &allow, &deny); err != nil {
			return err
		}
		stored, ok := want[p]
		if !ok {
			continue
		}
		found++
		if allow != stored || deny != "[]" {
			return fmt.Errorf("user %d in course %d holds %s, and %s was acknowledged", p.user, p.course, allow, stored)
		}
	}
	if found != len(want) {
		return fmt.Errorf("%d of %d acknowledged grants are there", found, len(want))
	}
	return rows.Err()
}

// audited counts the entries that the server adds in a round.
type audited struct {
	c        *cases
	action   string
	existing int64
	done     atomic.Int64 // entries that there should be more
}

func (c *cases) auditOf(action string) *audited { return &audited{c: c, action: action} }

func (a *audited) count(ctx context.Context) (int64, error) {
	return a.c.count(ctx, `SELECT count(*) FROM audit_entries WHERE outcome = 'done' AND action = $1`, a.action)
}

func (a *audited) before(ctx context.Context, _ *side, _ int) (err error) {
	a.done.Store(0)
	a.existing, err = a.count(ctx)
	return err
}

// after makes sure that the server left one entry for each, and that bare
// handlers left none.
func (a *audited) after(ctx context.Context, s *side) error {
	now, err := a.count(ctx)
	if err != nil {
		return err
	}
	want := a.done.Load()
	if s.product == nil {
		want = 0
	}
	if got := now - a.existing; got != want {
		return fmt.Errorf("%d audit entries %s, want %d", got, a.action, want)
	}
	return nil
}

// newcomers keeps account of the people that a round names, each in a course.
type newcomers struct {
	c    *cases
	last int64 // the highest id before the round

	mu           sync.Mutex
	acknowledged map[string]int64 // address -> course
}

func (n *newcomers) before(ctx context.Context) (err error) {
	n.acknowledged = map[string]int64{}
	n.last, err = n.c.count(ctx, `SELECT max(id) FROM users`)
	return err
}

func (n *newcomers) add(course int64, addresses ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, a := range addresses {
		n.acknowledged[a] = course
	}
}

// after reads everybody who was named since, with the course that refers to
// them in a table, and compares.
func (n *newcomers) after(ctx context.Context, table string) error {
	rows, err := n.c.inspect.QueryContext(ctx, `SELECT e.address, x.course_id FROM emails e
		JOIN users u ON u.id = e.user_id AND u.status = 'pending' LEFT JOIN `+table+` x ON x.user_id = e.user_id WHERE e.user_id > $1`, n.last)
	if err != nil {
		return err
	}
	defer rows.Close()
	found := 0
	for rows.Next() {
		var address string
		var course sql.NullInt64
		if err := rows.Scan(&address, &course); err != nil {
			return err
		}
		if want, ok := n.acknowledged[address]; !ok || want != course.Int64 {
			return fmt.Errorf("somebody was named in course %d, and course %d was acknowledged", course.Int64, want)
		}
		found++
	}
	if found != len(n.acknowledged) {
		return fmt.Errorf("%d of %d people are there", found, len(n.acknowledged))
	}
	return rows.Err()
}

// unknown is an address that nobody has.
func (c *cases) unknown() string {
	n := c.named.Add(1)
	p := &c.school.People[int(n*7919)%len(c.school.People)]
	return school.Address(p.Given, p.Family, "new", n)
}

// naming sets privileges of people whom nobody has named before.
func (c *cases) naming(ctx context.Context, sides []*side) (*measurement, error) {
	people, audit := &newcomers{c: c}, c.auditOf("privileges.set")
	name := func(ctx context.Context, s *side, address string) ([]byte, error) {
		course := c.school.Courses[rand.IntN(len(c.school.Courses))].ID
		body := fmt.Appendf(nil, `{"course_privileges":["roster.view","roster.manage"],"email":%q}`, address)
		answer, err := s.send(ctx, "PATCH", fmt.Sprintf("/api/v1/users/-1/privileges?course_id=%d", course), body)
		if err == nil {
			people.add(course, address)
			audit.done.Add(1)
		}
		return answer, err
	}
	if err := people.before(ctx); err != nil {
		return nil, err
	}
	if err := sameShape(ctx, sides, false, func(s *side) ([]byte, error) { return name(ctx, s, c.unknown()) }); err != nil {
		return nil, err
	}
	return &measurement{
		key: "c", title: "(c) privileges, unknown person", concurrency: concurrency,
		prepare: func(ctx context.Context, s *side, n int) error {
			if err := audit.before(ctx, s, n); err != nil {
				return err
			}
			return people.before(ctx)
		},
		call: func(ctx context.Context, s *side, _ int) error {
			_, err := name(ctx, s, c.unknown())
			return err
		},
		verify: func(ctx context.Context, s *side) error {
			if err := people.after(ctx, "course_privileges"); err != nil {
				return err
			}
			return audit.after(ctx, s)
		},
	}, nil
}

// enrolling enrolls a thousand unknown addresses with each request.
func (c *cases) enrolling(ctx context.Context, sides []*side, perRequest int) (*measurement, error) {
	people, audit := &newcomers{c: c}, c.auditOf("enrollment.add")
	enroll := func(ctx context.Context, s *side, addresses []string) ([]byte, error) {
		course := c.school.Courses[rand.IntN(len(c.school.Courses))].ID
		body, err := json.Marshal(map[string]any{"emails": addresses, "role": "student"})
		if err != nil {
			return nil, err
		}
		answer, err := s.send(ctx, "PUT", fmt.Sprintf("/api/v1/courses/%d/enrollments", course), body)
		if err == nil {
			people.add(course, addresses...)
			audit.done.Add(int64(len(addresses)))
		}
		return answer, err
	}
	unknown := func(n int) []string {
		list := make([]string, n)
		for i := range list {
			list[i] = c.unknown()
		}
		return list
	}
	if err := people.before(ctx); err != nil {
		return nil, err
	}
	if err := sameShape(ctx, sides, false, func(s *side) ([]byte, error) { return enroll(ctx, s, unknown(3)) }); err != nil {
		return nil, err
	}
	return &measurement{
		key: "d", title: fmt.Sprintf("(d) enroll %d unknown", perRequest),
		concurrency: bulkConcurrency, requests: bulkRequests,
		prepare: func(ctx context.Context, s *side, n int) error {
			if err := audit.before(ctx, s, n); err != nil {
				return err
			}
			return people.before(ctx)
		},
		call: func(ctx context.Context, s *side, _ int) error {
			_, err := enroll(ctx, s, unknown(perRequest))
			return err
		},
		verify: func(ctx context.Context, s *side) error {
			if err := people.after(ctx, "enrollments"); err != nil {
				return err
			}
			return audit.after(ctx, s)
		},
	}, nil
}
