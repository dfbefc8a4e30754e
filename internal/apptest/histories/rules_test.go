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

// signIn does to the model what a token is worth, and tells as whom and how
// somebody comes in; nil: not at all, and then nothing changes.
func (m *model) signIn(d door, t said) (who *person, outcome string) {
	if !d.admissible(t) {
		return nil, ""
	}
	key := [2]string{t.issuer, t.subject}
	if p := m.identities[key]; p != nil {
		if p.status != lms.StatusActive {
			return nil, ""
		}
		if d.proves(t) && m.holder(t.canonical) == nil { // the person has got another address
			p.addresses[t.canonical], p.primary = true, t.canonical
		}
		return p, "sign in"
	}
	if !d.proves(t) {
		return nil, ""
	}
	p := m.holder(t.canonical)
	outcome = "claim"
	switch {
	case p == nil:
		if m.signUp == "named" || (m.signUp == "domains" && !d.lists(t)) {
			return nil, ""
		}
		p, outcome = m.named(t.canonical, 0), "create"
	case p.status != lms.StatusPending:
		return nil, ""
	}
	p.status, p.arrived, p.addresses[t.canonical] = lms.StatusActive, true, true
	m.identities[key] = p
	return p, outcome
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
