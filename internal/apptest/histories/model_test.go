package histories_test

import (
	"fmt"
	"slices"
	"strings"

	"matricula/internal/lms"
)

// model is what must be so, by the rules alone.
type model struct {
	signUp     string
	people     []*person
	identities map[[2]string]*person // by issuer and subject
	sessions   []session             // in the order of their making
	courses    []*course
}

type person struct {
	id        int64
	status    lms.UserStatus
	arrived   bool // has signed in at least once
	role      lms.SiteRole
	primary   string          // canonical
	addresses map[string]bool // canonical; whether proven
}

type session struct {
	secret string
	who    *person
}

type course struct {
	id                int64
	archived, deleted bool
	places            map[*person]*place
}

// place is a role, empty for none, and what was given and taken beside it.
type place struct {
	role        string
	allow, deny privileges
}

func (m *model) holder(address string) *person {
	for _, p := range m.people {
		if _, ok := p.addresses[address]; ok {
			return p
		}
	}
	return nil
}

// named is the person of an address, who is made when there is none.
func (m *model) named(address string, id int64) *person {
	if p := m.holder(address); p != nil {
		return p
	}
	p := &person{id: id, status: lms.StatusPending, role: lms.SiteMember, primary: address, addresses: map[string]bool{address: false}}
	m.people = append(m.people, p)
	return p
}

// maxSessions is how many browsers somebody is signed in with at once.
const maxSessions = 20

func (m *model) begin(p *person, secret string) {
	m.sessions = append(m.sessions, session{secret, p})
	var mine []int
	for i, s := range m.sessions {
		if s.who == p {
			mine = append(mine, i)
		}
	}
	if len(mine) > maxSessions {
		m.sessions = slices.Delete(m.sessions, mine[0], mine[0]+1)
	}
}

func (m *model) end(gone func(session) bool) { m.sessions = slices.DeleteFunc(m.sessions, gone) }

// who is the active person of a session.
func (m *model) who(secret string) *person {
	for _, s := range m.sessions {
		if s.secret == secret {
			return s.who
		}
	}
	return nil
}

// owners are the active owners of a course.
func (c *course) owners() (list []*person) {
	for p, at := range c.places {
		if at.role == "owner" && p.status == lms.StatusActive {
			list = append(list, p)
		}
	}
	return list
}

// lastOwner tells whether a course would be without an active owner without
// this person.
func (c *course) lastOwner(p *person) bool {
	list := c.owners()
	return len(list) == 1 && list[0] == p
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// lines is the whole state in words, sorted.
func (m *model) lines() []string {
	var list []string
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	for _, p := range m.people {
		add("user %d %s %s arrived %s", p.id, p.status, p.role, yes(p.arrived))
		for a, proven := range p.addresses {
			add("address %s of %d primary %s proven %s", a, p.id, yes(a == p.primary), yes(proven))
		}
	}
	for key, p := range m.identities {
		add("identity %s %s of %d", key[0], key[1], p.id)
	}
	for _, s := range m.sessions {
		add("session of %d", s.who.id)
	}
	for _, c := range m.courses {
		add("course %d archived %s deleted %s", c.id, yes(c.archived), yes(c.deleted))
		for p, at := range c.places {
			if at.role != "" {
				add("place %d %d %s", c.id, p.id, at.role)
			}
			if at.allow != 0 || at.deny != 0 {
				add("grant %d %d %s %s", c.id, p.id, at.allow.stored(), at.deny.stored())
			}
		}
	}
	slices.Sort(list)
	return list
}

// sqlLines reads the same from the database.
const sqlLines = `
	SELECT 'user ' || id || ' ' || status || ' ' || site_role || ' arrived ' || CASE WHEN claimed_at IS NULL THEN 'no' ELSE 'yes' END FROM users WHERE kind = 'person'
	UNION ALL SELECT 'address ' || address || ' of ' || user_id || ' primary ' || CASE WHEN is_primary THEN 'yes' ELSE 'no' END
		|| ' proven ' || CASE WHEN verified_at IS NULL THEN 'no' ELSE 'yes' END FROM emails
	UNION ALL SELECT 'identity ' || issuer || ' ' || subject || ' of ' || user_id FROM identities
	UNION ALL SELECT 'session of ' || user_id FROM sessions
	UNION ALL SELECT 'course ' || id || ' archived ' || CASE WHEN archived_at IS NULL THEN 'no' ELSE 'yes' END
		|| ' deleted ' || CASE WHEN deleted_at IS NULL THEN 'no' ELSE 'yes' END FROM courses
	UNION ALL SELECT 'place ' || e.course_id || ' ' || e.user_id || ' ' || r.key FROM enrollments e JOIN course_roles r ON r.id = e.role_id
	UNION ALL SELECT 'grant ' || course_id || ' ' || user_id || ' ' || allow || ' ' || deny FROM course_privileges`

// privileges is a set, by the place of each in allPrivileges.
type privileges int

var allPrivileges = []string{
	"roster.view", "roster.manage", "staff.manage", "course.update", "course.archive", "audit.view", "announcements.manage",
}

const everything privileges = 1<<7 - 1

func set(names ...string) (s privileges) {
	for _, n := range names {
		s |= 1 << slices.Index(allPrivileges, n)
	}
	return s
}

func (s privileges) has(name string) bool { return s&set(name) != 0 }

func (s privileges) names() (list []string) {
	for i, n := range allPrivileges {
		if s&(1<<i) != 0 {
			list = append(list, n)
		}
	}
	return list
}

// stored is the set as the database has it.
func (s privileges) stored() string {
	var quoted []string
	for _, n := range s.names() {
		quoted = append(quoted, `"`+n+`"`)
	}
	return "[" + strings.Join(quoted, ",") + "]"
}
