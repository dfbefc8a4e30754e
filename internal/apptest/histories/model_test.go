package histories_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"matricula/internal/lms"
)

// model is what must be so, by the rules alone.
type model struct {
	signUp     string
	now        time.Time
	people     []*person
	identities map[subject]*identity
	sessions   []*session // in the order of their making
	tokens     []*token
	proofs     []*proof
	notices    []*notice
	merges     []*merge
	requests   []*request
	courses    []*course
}

// subject is who a provider says that somebody is: the issuer and their name there.
type subject [2]string

// person is a row of users. Whoever was erased or merged stays, as their id does.
type person struct {
	id        int64
	status    lms.UserStatus
	arrived   bool // has signed in at least once
	role      lms.SiteRole
	primary   string             // canonical
	addresses map[string]mailbox // canonical
	namedBy   *person            // nil: Matricula
	renewed   time.Time          // when they were last named
	into      *person            // with whom they were merged
	ever      map[subject]bool   // everybody who ever was this person
}

// GoString is how rapid shows that somebody was drawn.
func (p *person) GoString() string { return fmt.Sprintf("%d, %s", p.id, p.status) }

type mailbox struct {
	since  time.Time
	proven time.Time // zero: it is not
}

type identity struct {
	who     *person
	address string // that was proven when it came to the person
}

type course struct {
	id                int64
	archived, deleted bool
	places            map[*person]*place
}

func (c *course) GoString() string { return fmt.Sprint(c.id) }

// place is a role, empty for none, and what was given and taken beside it, each with
// when and by whom.
type place struct {
	role        string
	roleAt      time.Time
	roleBy      *person
	allow, deny privileges
	grantAt     time.Time
	grantBy     *person
}

// notice is a mail that told somebody that they were named.
type notice struct {
	who      *person
	at       time.Time
	mail     int64  // the id of the mail
	secret   string // of who got it; empty: nobody has
	objected bool
}

func (n *notice) GoString() string { return fmt.Sprintf("for %d", n.who.id) }

func (m *model) holder(address string) *person {
	for _, p := range m.people {
		if _, ok := p.addresses[address]; ok {
			return p
		}
	}
	return nil
}

// named is the person of an address, who is made when there is none, and who waits
// anew when they have not arrived.
func (m *model) named(address string, id int64, by *person) *person {
	if p := m.holder(address); p != nil {
		m.renew(p, maxWait/20)
		return p
	}
	p := &person{
		id: id, status: lms.StatusPending, role: lms.SiteMember, primary: address, addresses: map[string]mailbox{address: {since: m.now}},
		namedBy: by, renewed: m.now, ever: map[subject]bool{},
	}
	m.people = append(m.people, p)
	return p
}

// renew lets somebody wait anew who has waited for longer than some time.
func (m *model) renew(p *person, after time.Duration) {
	if p.status == lms.StatusPending && p.renewed.Before(m.now.Add(-after)) {
		p.renewed = m.now
	}
}

// maxWait is for how long somebody is expected after nobody has named them or given
// them anything.
const (
	maxWaitDays = 60
	maxWait     = maxWaitDays * day
	day         = 24 * time.Hour
)

// due tells whether nobody has thought of a pending person for too long.
func (m *model) due(p *person) bool {
	late := m.now.Add(-maxWait)
	if p.status != lms.StatusPending || p.renewed.After(late) {
		return false
	}
	return !slices.ContainsFunc(m.courses, func(c *course) bool {
		at := c.places[p]
		return at != nil && ((at.role != "" && at.roleAt.After(late)) || (at.allow|at.deny != 0 && at.grantAt.After(late)))
	})
}

// erase takes all that is personal of somebody, also when they are withdrawn or expire,
// and leaves the places of whoever has been there.
func (m *model) erase(p *person) {
	known := p.addresses
	for _, i := range m.identities {
		if i.who == p && len(known) > 0 {
			known[i.address] = mailbox{}
		}
	}
	m.dropProofs(func(f *proof) bool { _, ok := known[f.address]; return ok })
	for _, c := range m.courses {
		at := c.places[p]
		switch {
		case at == nil:
		case !p.arrived || at.role == "":
			delete(c.places, p)
		default:
			at.allow, at.deny, at.grantAt, at.grantBy = 0, 0, time.Time{}, nil
		}
	}
	p.status, p.role, p.primary, p.addresses = lms.StatusErased, lms.SiteMember, "", nil
	for key, i := range m.identities {
		if i.who == p {
			delete(m.identities, key)
		}
	}
	m.endAll(p)
	m.notices = slices.DeleteFunc(m.notices, func(n *notice) bool { return n.who == p })
	for _, g := range m.merges {
		if (g.kept == p || g.gone == p) && (g.state == lms.MergeAsked || g.state == lms.MergeDone) && g.expires.After(m.now) {
			g.expires = m.now
		}
	}
}

// endAll ends everything by which somebody can come in or is about to.
func (m *model) endAll(p *person) {
	m.end(func(s *session) bool { return s.who == p })
	m.endTokens(func(t *token) bool { return t.who == p })
	m.dropProofs(func(f *proof) bool { return f.about == p })
}

// all are somebody's addresses, the main one first.
func (p *person) all() (list []string) {
	for a := range p.addresses {
		if a != p.primary {
			list = append(list, a)
		}
	}
	slices.Sort(list)
	if p.primary != "" {
		list = slices.Insert(list, 0, p.primary)
	}
	return list
}

// now is who somebody is by now: the one into whom they were merged, and that one in turn.
func (p *person) now() *person {
	for p != nil && p.into != nil {
		p = p.into
	}
	return p
}

// at is somebody's place, made when there is none.
func (c *course) at(p *person) *place {
	if c.places[p] == nil {
		c.places[p] = &place{}
	}
	return c.places[p]
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

// ownsAlone tells whether some course would be without an active owner.
func (m *model) ownsAlone(p *person) bool {
	return slices.ContainsFunc(m.courses, func(c *course) bool { return !c.deleted && c.lastOwner(p) })
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func idOf(p *person) int64 {
	if p == nil {
		return lms.SystemUserID
	}
	return p.id
}

// human is the lowest id of all accounts that are one human's, or were taken for that.
// Under which of them somebody who did something is on record is of no importance: a
// split does not find everything again.
func (m *model) human(id int64) int64 {
	same := []int64{id}
	for i := 0; i < len(same); i++ {
		for _, g := range m.merges {
			one, other := g.kept.id, g.gone.id
			if other == same[i] {
				one, other = other, one
			}
			if !g.done.IsZero() && one == same[i] && !slices.Contains(same, other) {
				same = append(same, other)
			}
		}
	}
	return slices.Min(same)
}

// lines is the whole state in words, sorted.
func (m *model) lines() []string {
	var list []string
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	for _, p := range m.people {
		into := int64(0)
		if p.into != nil {
			into = p.into.id
		}
		add("user %d %s %s arrived %s into %d by %d", p.id, p.status, p.role, yes(p.arrived), into, idOf(p.namedBy))
		for a, box := range p.addresses {
			add("address %s of %d primary %s proven %s", a, p.id, yes(a == p.primary), yes(!box.proven.IsZero()))
		}
	}
	for key, i := range m.identities {
		add("identity %s %s of %d by %s", key[0], key[1], i.who.id, i.address)
	}
	for _, s := range m.sessions {
		add("session of %d %s", s.who.id, s.program)
	}
	for _, t := range m.tokens {
		add("token %d of %d", t.id, t.who.id)
	}
	for _, f := range m.proofs {
		add("proof %s of %d for %s tries %d", f.kind, idOf(f.about), f.address, f.tries)
	}
	for _, n := range m.notices {
		add("notice of %d objected %s", n.who.id, yes(n.objected))
	}
	for _, g := range m.merges {
		add("merge %d of %d into %d was %s is %s", g.id, g.gone.id, g.kept.id, g.was, g.state)
	}
	for _, c := range m.courses {
		add("course %d archived %s deleted %s", c.id, yes(c.archived), yes(c.deleted))
		for p, at := range c.places {
			if at.role != "" {
				add("place %d %d %s by %d", c.id, p.id, at.role, m.human(idOf(at.roleBy)))
			}
			if at.allow != 0 || at.deny != 0 {
				add("grant %d %d %s %s by %d", c.id, p.id, at.allow.stored(), at.deny.stored(), m.human(idOf(at.grantBy)))
			}
		}
	}
	slices.Sort(list)
	return list
}

// sqlLines reads the same from the database.
const sqlLines = `
	SELECT 'user ' || id || ' ' || status || ' ' || site_role || ' arrived ' || CASE WHEN claimed_at IS NULL THEN 'no' ELSE 'yes' END
		|| ' into ' || coalesce(merged_into, 0) || ' by ' || created_by FROM users WHERE kind = 'person'
	UNION ALL SELECT 'address ' || address || ' of ' || user_id || ' primary ' || CASE WHEN is_primary THEN 'yes' ELSE 'no' END
		|| ' proven ' || CASE WHEN verified_at IS NULL THEN 'no' ELSE 'yes' END FROM emails
	UNION ALL SELECT 'identity ' || issuer || ' ' || subject || ' of ' || user_id || ' by ' || email_at_link FROM identities
	UNION ALL SELECT 'session of ' || user_id || ' ' || program FROM sessions
	UNION ALL SELECT 'token ' || id || ' of ' || user_id FROM api_tokens
	UNION ALL SELECT 'proof ' || kind || ' of ' || user_id || ' for ' || address || ' tries ' || tries FROM proofs
	UNION ALL SELECT 'notice of ' || user_id || ' objected ' || CASE WHEN objected_at IS NULL THEN 'no' ELSE 'yes' END FROM notices
	UNION ALL SELECT 'merge ' || id || ' of ' || gone_id || ' into ' || kept_id || ' was ' || was || ' is ' || state FROM merges
	UNION ALL SELECT 'course ' || id || ' archived ' || CASE WHEN archived_at IS NULL THEN 'no' ELSE 'yes' END
		|| ' deleted ' || CASE WHEN deleted_at IS NULL THEN 'no' ELSE 'yes' END FROM courses
	UNION ALL SELECT 'place ' || e.course_id || ' ' || e.user_id || ' ' || r.key || ' by ' || e.added_by FROM enrollments e JOIN course_roles r ON r.id = e.role_id
	UNION ALL SELECT 'grant ' || course_id || ' ' || user_id || ' ' || allow || ' ' || deny || ' by ' || granted_by FROM course_privileges`

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
