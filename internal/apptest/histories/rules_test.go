package histories_test

import (
	"slices"
	"strings"

	"matricula/internal/lms"
)

// The rules of the security plan, written again from it: nothing here calls
// package signin or access.

// door is a provider as its operator has set it up.
type door struct {
	name, kind, issuer string
	domains            []string
	tenant             string
}

var doors = []door{
	{name: "campus", kind: "oidc", issuer: "https://id.uni.example", domains: []string{"uni.example"}},
	{name: "google", kind: "google", issuer: "https://accounts.google.com", domains: []string{"school.example"}},
	{name: "entra", kind: "entra", issuer: "https://login.example/t1/v2.0", domains: []string{"uni.example"}, tenant: "t1"},
	{name: "witness", kind: "oidc", issuer: "https://witness.example"}, // of no domain
}

// claim is what a token says of something that should be true or false, as it
// stands in the JSON; empty: it says nothing.
type claim string

// said is a token.
type said struct {
	issuer, subject, tenant string
	email                   string // as it was sent
	canonical               string // of that; empty: it is no clean address
	verified, edov          claim
	hosted                  string // hd
}

// admissible tells whether a token is one of this door's at all.
func (d door) admissible(t said) bool {
	return t.issuer == d.issuer && t.subject != "" && (d.kind != "entra" || t.tenant == d.tenant)
}

// proves is decision 3 of the plan: the address is verified by the JSON value
// true, and the provider hands out the addresses of its domain.
func (d door) proves(t said) bool { return t.canonical != "" && d.verified(t) && d.hands(t) }

func (d door) verified(t said) bool {
	if d.kind == "entra" && t.edov != "" {
		// It stands in for an absent email_verified, and where the two disagree,
		// nothing is proven.
		return t.edov == "true" && (t.verified == "" || t.verified == "true")
	}
	return t.verified == "true"
}

func (d door) hands(t said) bool {
	domain := t.canonical[strings.LastIndexByte(t.canonical, '@')+1:]
	if d.kind == "google" {
		return domain == "gmail.com" || domain == "googlemail.com" || (t.hosted == domain && slices.Contains(d.domains, domain))
	}
	return slices.Contains(d.domains, domain)
}

func (d door) lists(t said) bool {
	return slices.Contains(d.domains, t.canonical[strings.LastIndexByte(t.canonical, '@')+1:])
}

// The answers to a token.
const (
	signsIn = "sign in"
	claims  = "claim"
	creates = "create"
	proves  = "prove address" // by a code: until then nothing changes
	refuses = "refuse"
)

// verdict is what a token is worth to somebody who has perhaps shown, by a code, that
// an address is theirs. Who is whom it is about, nil for nobody yet.
func (m *model) verdict(d door, t said, shown string) (who *person, answer string) {
	if !d.admissible(t) {
		return nil, refuses
	}
	if i := m.identities[subject{t.issuer, t.subject}]; i != nil {
		if i.who.status != lms.StatusActive {
			return i.who, refuses
		}
		return i.who, signsIn
	}
	if t.canonical == "" || !d.verified(t) {
		return nil, refuses
	}
	theirs := d.hands(t) || shown == t.canonical
	p := m.holder(t.canonical)
	switch {
	case p != nil && p.status != lms.StatusPending:
		return p, refuses
	case p != nil && theirs:
		return p, claims
	case p != nil:
		return p, proves
	case m.signUp == "anyone" && theirs, m.signUp == "domains" && d.lists(t) && d.hands(t):
		return nil, creates
	case m.signUp == "anyone":
		return nil, proves
	}
	return nil, refuses
}

// signIn does to the model what a token is worth, and tells as whom somebody comes in;
// nil: not at all, and then nothing changes.
func (m *model) signIn(d door, t said, shown string) (who *person, answer string) {
	p, answer := m.verdict(d, t, shown)
	switch answer {
	case signsIn:
		if d.proves(t) && m.holder(t.canonical) == nil { // the person has got another address
			p.addresses[t.canonical], p.primary = mailbox{m.now, m.now}, t.canonical
		}
		return p, answer
	case creates:
		p = m.named(t.canonical, 0, nil)
	case claims:
	default:
		return nil, answer
	}
	key := subject{t.issuer, t.subject}
	p.status, p.arrived, p.primary = lms.StatusActive, true, t.canonical
	p.addresses[t.canonical] = mailbox{p.addresses[t.canonical].since, m.now}
	m.identities[key], p.ever[key] = &identity{p, t.canonical}, true
	return p, answer
}

// roles are what each role gives.
var roles = map[string]privileges{
	"owner":     everything,
	"teacher":   set("course.update", "roster.view", "roster.manage", "staff.manage", "audit.view", "announcements.manage"),
	"assistant": set("roster.view", "roster.manage"),
	"observer":  set("roster.view"),
	"student":   0,
}

var roleNames = []string{"owner", "teacher", "assistant", "observer", "student"}

// may is what a place lets somebody do: (role + allow) - deny, where managing
// implies viewing, who may not view may not manage, and owners may everything.
func (at *place) may() privileges {
	if at == nil {
		return 0
	}
	if at.role == "owner" {
		return everything
	}
	can, not := roles[at.role]|at.allow, at.deny
	if can&set("roster.manage", "staff.manage") != 0 {
		can |= set("roster.view")
	}
	if not.has("roster.view") {
		not |= set("roster.manage", "staff.manage")
	}
	return can &^ not
}

func (at *place) none() bool { return at == nil || (at.role == "" && at.allow == 0 && at.deny == 0) }

// administers tells whether somebody is an administrator of the site.
func (p *person) administers() bool { return p != nil && p.role == lms.SiteAdmin }

// actor is somebody who asks for something in a course.
type actor struct {
	*person
	holds privileges
	owner bool
}

// in tells what somebody may do in a course; ok is false where they may not
// know of it, or where nothing may be changed.
func (p *person) in(c *course) (a actor, ok bool) {
	if p == nil || c.deleted {
		return a, false
	}
	at := c.places[p]
	a = actor{p, at.may(), at != nil && at.role == "owner"}
	if p.role == lms.SiteAdmin {
		a.holds, a.owner = everything, true
	}
	return a, a.holds != 0 || (at != nil && at.role != "")
}

// mayGive tells whether an actor may give a role.
func (a actor) mayGive(role string) bool {
	need := "roster.manage"
	if roles[role] != 0 {
		need = "staff.manage"
	}
	return a.holds.has(need) && (role != "owner" || a.owner) && roles[role]&^a.holds == 0
}

// outranks tells whether somebody does not hold more than the actor.
func (a actor) outranks(at *place) bool {
	return (at == nil || at.role != "owner" || a.owner) && at.may()&^a.holds == 0
}

// mayTouch tells whether the actor may change somebody's place: not their own.
func (a actor) mayTouch(p *person, at *place) bool { return p != a.person && a.outranks(at) }

// maySet tells whether the actor may give and take this beside a role.
func (a actor) maySet(p *person, at *place, allow, deny privileges) bool {
	if !a.mayTouch(p, at) || (at != nil && at.role == "owner" && deny != 0) {
		return false
	}
	after := place{allow: allow, deny: deny}
	var before place
	if at != nil {
		before, after.role = *at, at.role
	}
	changed := (allow ^ before.allow) | (deny ^ before.deny) | (before.may() ^ after.may())
	return changed&^a.holds == 0
}

// mayRemove tells whether the actor may take somebody out of a course, or leave it.
func (a actor) mayRemove(p *person, at *place) bool {
	need := "roster.manage"
	if at.may() != 0 || roles[at.role] != 0 || at.allow != 0 || at.deny != 0 {
		need = "staff.manage"
	}
	return p == a.person || (a.holds.has(need) && a.outranks(at))
}
