package histories_test

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// merge is two people of whom one was merged into the other, or who are asked whether
// they are one; with all that it takes to make two of them again.
type merge struct {
	id         int64
	kept, gone *person
	was        lms.UserStatus // of who is gone
	state      lms.MergeState
	asked      *person
	keptSaid   bool
	goneSaid   bool
	expires    time.Time
	done       time.Time
	nth        int // of all that were carried out

	places      map[*course]union
	addresses   map[string]mailbox
	home        string // which of them was the main one
	identities  []subject
	named, into []*person
	notices     []*notice
	role, after lms.SiteRole // of who was kept
}

func (g *merge) GoString() string { return fmt.Sprintf("%d: %d into %d", g.id, g.gone.id, g.kept.id) }

// union is what two people had in a course and what one has then.
type union struct{ kept, gone, after place }

func valueOf(at *place) place {
	if at == nil {
		return place{}
	}
	return *at
}

func (at place) hasGrant() bool { return at.allow|at.deny != 0 }

// united is what one person holds who held two places: of two roles the higher one,
// with what the other gave beside it; what is denied to either is denied.
func united(kept, gone place, by *person, now time.Time) place {
	after, loser := kept, gone.role
	if gone.role != "" && (kept.role == "" || slices.Index(roleNames, gone.role) < slices.Index(roleNames, kept.role)) {
		after.role, after.roleAt, after.roleBy, loser = gone.role, gone.roleAt, gone.roleBy, kept.role
	}
	var extra privileges
	if after.role != "owner" && loser != "" {
		extra = roles[loser] &^ roles[after.role]
	}
	after.allow, after.deny = kept.allow|gone.allow|extra, kept.deny|gone.deny
	if after.role == "owner" {
		after.deny = 0
	}
	after.allow &^= after.deny
	same := func(o place) bool { return after.allow == o.allow && after.deny == o.deny }
	switch {
	case !after.hasGrant():
		after.grantAt, after.grantBy = time.Time{}, nil
	case kept.hasGrant() && same(kept):
	case !kept.hasGrant() && gone.hasGrant() && same(gone):
		after.grantAt, after.grantBy = gone.grantAt, gone.grantBy
	default:
		after.grantAt, after.grantBy = now, by
	}
	return after
}

// mergeable tells whether two people can be one at all: both there, and whoever has
// arrived is kept.
func mergeable(kept, gone *person) bool {
	there := func(p *person) bool { return p.status == lms.StatusActive || p.status == lms.StatusPending }
	return kept != gone && there(kept) && there(gone) && (gone.status == lms.StatusPending || kept.status == lms.StatusActive)
}

// mayMerge tells whether somebody may say that two people are one: an administrator;
// else of somebody who has not arrived whoever manages all that was given to them.
func (w *world) mayMerge(by, kept, gone *person) bool {
	if by == nil || !mergeable(kept, gone) || by.administers() {
		return by != nil && mergeable(kept, gone)
	}
	if kept == by || gone.status != lms.StatusPending || gone.role != lms.SiteMember || (kept.status == lms.StatusPending && kept.role != lms.SiteMember) {
		return false
	}
	together := false
	for _, c := range w.courses {
		k, g := c.places[kept], c.places[gone]
		if c.deleted || (g == nil && (k == nil || kept.status != lms.StatusPending)) {
			continue
		}
		a, ok := w.staff(by, c)
		if !ok || !a.holds.has("roster.view") || !a.mayUnite(k, g, united(valueOf(k), valueOf(g), by, w.now)) {
			return false
		}
		together = together || (k != nil && g != nil)
	}
	return together
}

// mayUnite tells whether an actor may make one place of two: neither is more than they
// hold, and what comes of it is theirs to give.
func (a actor) mayUnite(kept, gone *place, after place) bool {
	k, g := valueOf(kept), valueOf(gone)
	needsStaff := g.may() != 0 || roles[g.role] != 0 || g.hasGrant() || ((k.may() != 0 || roles[k.role] != 0) && after.may() != k.may())
	if !a.holds.has("roster.manage") || (needsStaff && !a.holds.has("staff.manage")) || !a.outranks(&k) || !a.outranks(&g) || (after.role == "owner" && !a.owner) {
		return false
	}
	changed := k.may() ^ after.may()
	if after.hasGrant() {
		changed |= (after.allow ^ k.allow) | (after.deny ^ k.deny)
	}
	return changed&^a.holds == 0
}

// carryOut makes one person of two: nothing is lost, and whoever is gone can neither
// come in nor act.
func (w *world) carryOut(g *merge, by *person) {
	kept, gone := g.kept, g.gone
	w.count(fmt.Sprintf("one of two: %s into %s", gone.status, kept.status))
	g.state, g.done, g.expires = lms.MergeDone, w.now, w.now.Add(30*day)
	w.carriedOut++
	g.nth = w.carriedOut
	g.places = map[*course]union{}
	for _, c := range w.courses {
		if c.places[gone] == nil {
			continue
		}
		u := union{kept: valueOf(c.places[kept]), gone: valueOf(c.places[gone])}
		u.after = united(u.kept, u.gone, by, w.now)
		g.places[c] = u
		*c.at(kept) = u.after
		delete(c.places, gone)
	}
	g.addresses, g.home = gone.addresses, gone.primary
	for a, box := range gone.addresses {
		kept.addresses[a] = box
	}
	gone.addresses, gone.primary = nil, ""
	for key, i := range w.identities {
		if i.who == gone {
			g.identities = append(g.identities, key)
			i.who = kept
		}
	}
	for key := range gone.ever {
		kept.ever[key] = true
	}
	for _, p := range w.people {
		if p.namedBy == gone && g.was != lms.StatusPending {
			g.named = append(g.named, p)
			p.namedBy = kept
		}
		if p.into == gone {
			g.into = append(g.into, p)
			p.into = kept
		}
	}
	for _, n := range w.notices {
		if n.who == gone {
			g.notices = append(g.notices, n)
			n.who = kept
		}
	}
	w.endAll(gone)
	g.role = kept.role
	if kept.role = higher(kept.role, gone.role); kept.role == g.role {
		g.role = ""
	}
	g.after = kept.role
	gone.status, gone.into = lms.StatusErased, kept
}

func higher(a, b lms.SiteRole) lms.SiteRole {
	if slices.Index(siteRoles, string(b)) > slices.Index(siteRoles, string(a)) {
		return b
	}
	return a
}

// mergePeople says of two people that they are one.
func (w *world) mergePeople() {
	gone := w.person(func(p *person) bool { return p.status == lms.StatusPending || p.status == lms.StatusActive })
	kept := w.person(func(p *person) bool { return p != gone && p.status == lms.StatusActive })
	switch rapid.IntRange(0, 7).Draw(w.t, "which two") {
	case 0:
		kept = w.person(pending)
	case 1, 2, 3:
		kept = w.person(func(p *person) bool { return p != gone && p.status == lms.StatusActive && w.together(p, gone) })
	}
	c, by := w.near(gone)
	w.mergeTwo(c, by, kept, gone)
}

// mergeSlip is about two of the same course, one of whom has not arrived.
func (w *world) mergeSlip() {
	in := w.course()
	gone := w.person(func(p *person) bool { return in.places[p] != nil && p.status == lms.StatusPending })
	kept := w.person(func(p *person) bool { return in.places[p] != nil && p != gone && p.status == lms.StatusActive })
	c, by := w.near(gone)
	w.mergeTwo(c, by, kept, gone)
}

func (w *world) mergeTwo(c access.Caller, by, kept, gone *person) {
	m, err := w.svc.MergePeople(ctx, c, service.MergeRequest{Keep: service.PersonRef{UserID: kept.id}, Merge: service.PersonRef{UserID: gone.id}}, nil)
	may := w.mayMerge(by, kept, gone)
	if by != nil && !by.administers() {
		w.count(w.doing + " by staff: " + yes(may))
	}
	asks := kept.status == lms.StatusActive && gone.status == lms.StatusActive
	var open *merge
	for _, g := range w.merges {
		if g.state == lms.MergeAsked && ((g.kept == kept && g.gone == gone) || (g.kept == gone && g.gone == kept)) {
			open = g
		}
	}
	if asks && open != nil {
		may = may && !w.open(open)
	}
	w.told(fmt.Sprintf("merging %d into %d", gone.id, kept.id), err, may)
	if !may {
		return
	}
	g := &merge{id: m.ID, kept: kept, gone: gone, was: gone.status, state: lms.MergeAsked, asked: by, expires: w.now.Add(7 * day)}
	w.merges = append(w.merges, g)
	switch {
	case !asks:
		w.carryOut(g, by)
	case open != nil:
		open.state = lms.MergeWithdrawn
	}
}

// join gives somebody what waits for an address that they have shown to be theirs.
func (w *world) join(kept, gone *person) {
	g := &merge{kept: kept, gone: gone, was: gone.status, asked: kept}
	if err := w.db.raw().QueryRow(`SELECT max(id) FROM merges`).Scan(&g.id); err != nil {
		w.t.Fatal(err)
	}
	w.merges = append(w.merges, g)
	w.carryOut(g, kept)
}

func (w *world) open(g *merge) bool { return g.state == lms.MergeAsked && w.now.Before(g.expires) }

// aMerge is mostly one of which something holds.
func (w *world) aMerge(holds func(*merge) bool) *merge {
	some := slices.DeleteFunc(slices.Clone(w.merges), func(g *merge) bool { return !holds(g) })
	if len(some) == 0 || rapid.IntRange(0, 5).Draw(w.t, "any merge") == 0 {
		some = w.merges
	}
	return rapid.SampledFrom(some).Draw(w.t, "merge")
}

// as asks as somebody, if they can, and else as anybody.
func (w *world) as(p *person) (c caller) {
	if rapid.IntRange(0, 3).Draw(w.t, "as anybody") > 0 {
		for _, k := range w.keys {
			if k.kind == inBrowser && w.keyHolder(k) == p {
				c.Caller, c.by = w.use(k)
				return c
			}
		}
	}
	c.Caller, c.by = w.caller()
	return c
}

// together tells whether two people have a place in the same course.
func (w *world) together(p, o *person) bool {
	return slices.ContainsFunc(w.courses, func(c *course) bool { return c.places[p] != nil && c.places[o] != nil })
}

// near asks as anybody, or as somebody who manages people where a person has a place
// and is no administrator: what is whose to decide is a question of theirs.
func (w *world) near(p *person) (access.Caller, *person) {
	if rapid.Bool().Draw(w.t, "as staff") {
		var staff []*person
		for _, o := range w.people {
			for _, c := range w.courses {
				if _, ok := w.staff(o, c); ok && o != p && c.places[p] != nil && o.status == lms.StatusActive && !o.administers() {
					staff = append(staff, o)
					break
				}
			}
		}
		if len(staff) > 0 {
			c := w.as(rapid.SampledFrom(staff).Draw(w.t, "staff"))
			return c.Caller, c.by
		}
	}
	return w.caller()
}

// acceptMerge is one of two saying that they are one, or each of them.
func (w *world) acceptMerge() {
	if len(w.merges) == 0 {
		w.mergePeople()
		return
	}
	g := w.aMerge(w.open)
	first, second := g.kept, g.gone
	if rapid.Bool().Draw(w.t, "first who would be gone") {
		first, second = second, first
	}
	w.acceptAs(g, first)
	if rapid.Bool().Draw(w.t, "both") {
		w.acceptAs(g, second)
	}
}

func (w *world) acceptAs(g *merge, who *person) {
	c := w.as(who)
	_, err := w.svc.AcceptMerge(ctx, c.Caller, g.id)
	may := c.by != nil && w.browser() && w.open(g) && (c.by == g.kept || c.by == g.gone)
	w.told("saying that two are one", err, may)
	if may {
		g.keptSaid, g.goneSaid = g.keptSaid || c.by == g.kept, g.goneSaid || c.by == g.gone
	}
}

func (w *world) completeMerge() {
	if len(w.merges) == 0 {
		w.mergePeople()
		return
	}
	g := w.aMerge(func(g *merge) bool { return w.open(g) && g.keptSaid && g.goneSaid })
	c, by := w.caller()
	_, err := w.svc.CompleteMerge(ctx, c, g.id)
	may := by.administers() && w.open(g) && g.keptSaid && g.goneSaid && mergeable(g.kept, g.gone)
	w.told(fmt.Sprintf("completing merge %d", g.id), err, may)
	if may {
		w.carryOut(g, by)
	}
}

func (w *world) withdrawMerge() {
	if len(w.merges) == 0 {
		w.mergePeople()
		return
	}
	c, by := w.caller()
	g := w.aMerge(w.open)
	err := w.svc.WithdrawMerge(ctx, c, g.id)
	may := by != nil && w.open(g) && (by.administers() || by == g.kept || by == g.gone || by == g.asked.now())
	w.told(fmt.Sprintf("giving merge %d up", g.id), err, may)
	if may {
		g.state = lms.MergeWithdrawn
	}
}

// last tells whether neither of two was merged again since.
func (w *world) last(g *merge) bool {
	return !slices.ContainsFunc(w.merges, func(o *merge) bool {
		return o.state == lms.MergeDone && o.nth > g.nth && (o.kept == g.kept || o.kept == g.gone || o.gone == g.kept || o.gone == g.gone)
	})
}

// asLeft tells whether an address is as the merge left it.
func (g *merge) asLeft(address string) bool {
	box, ok := g.kept.addresses[address]
	return ok && address != g.kept.primary && box == g.addresses[address]
}

func (w *world) maySplit(by *person, g *merge) bool {
	if by == nil || g.state != lms.MergeDone || !w.now.Before(g.expires) || !w.last(g) || !g.asLeft(g.home) {
		return false
	}
	if by.administers() {
		return true
	}
	if by != g.asked.now() || g.was != lms.StatusPending {
		return false
	}
	for c := range g.places {
		if a, ok := w.staff(by, c); !c.deleted && (!ok || !a.mayTouch(g.kept, c.places[g.kept])) {
			return false
		}
	}
	return true
}

func (w *world) splitMerge() {
	if len(w.merges) == 0 {
		w.mergePeople()
		return
	}
	g := w.aMerge(func(g *merge) bool { return g.state == lms.MergeDone })
	var c caller
	if g.was == lms.StatusPending {
		c = w.as(g.asked.now())
	} else {
		c.Caller, c.by = w.caller()
	}
	_, err := w.svc.SplitMerge(ctx, c.Caller, g.id)
	may := w.maySplit(c.by, g)
	w.told(fmt.Sprintf("splitting merge %d", g.id), err, may)
	if may {
		w.split(g)
	}
}

// split makes two people of one again. What is not as the merge left it stays with who
// was kept.
func (w *world) split(g *merge) {
	kept, gone := g.kept, g.gone
	given := map[*course]bool{}
	w.count(fmt.Sprintf("two of one: %s out of %s", g.was, kept.status))
	for c, u := range g.places {
		given[c] = w.goesBack(g, c, u)
		w.count(fmt.Sprintf("two of one: a place goes back: %s", yes(given[c])))
	}
	g.state = lms.MergeSplit
	gone.status, gone.into, gone.addresses, gone.primary = g.was, nil, map[string]mailbox{}, g.home
	for a := range g.addresses {
		if g.asLeft(a) {
			gone.addresses[a] = kept.addresses[a]
			delete(kept.addresses, a)
		}
	}
	for _, key := range g.identities {
		if i := w.identities[key]; i != nil && i.who == kept {
			i.who = gone
		}
	}
	for c, u := range g.places {
		if given[c] {
			giveBack(g, c, u)
		}
	}
	for _, p := range g.named {
		p.namedBy = gone
	}
	for _, p := range g.into {
		p.into = gone
	}
	for _, n := range g.notices {
		n.who = gone
	}
	if g.role != "" && kept.role == g.after {
		kept.role = g.role
	}
	if g.was == lms.StatusActive {
		w.end(func(s *session) bool { return s.who == kept })
		w.endTokens(func(t *token) bool { return t.who == kept && !t.made.Before(g.done) })
	}
}

// parts tells which of the two parts of a place a merge has touched.
func (u union) parts() (role, grant bool) {
	sameGrant := u.after.allow == u.kept.allow && u.after.deny == u.kept.deny && u.after.grantAt.Equal(u.kept.grantAt)
	return u.gone.role != "", u.gone.hasGrant() || !sameGrant
}

// goesBack tells whether both get back what they had in a course: it is as the merge
// left it, and the course is not left without an owner.
func (w *world) goesBack(g *merge, c *course, u union) bool {
	is := valueOf(c.places[g.kept])
	role, grant := u.parts()
	if role && (is.role != u.after.role || !is.roleAt.Equal(u.after.roleAt) || w.human(idOf(is.roleBy)) != w.human(idOf(u.after.roleBy))) {
		return false
	}
	if grant && (is.allow != u.after.allow || is.deny != u.after.deny || !is.grantAt.Equal(u.after.grantAt) || w.human(idOf(is.grantBy)) != w.human(idOf(u.after.grantBy))) {
		return false
	}
	needed := role && u.after.role == "owner" && u.kept.role != "owner" && c.lastOwner(g.kept) && (u.gone.role != "owner" || g.was != lms.StatusActive)
	return !needed
}

func giveBack(g *merge, c *course, u union) {
	role, grant := u.parts()
	k, n := c.at(g.kept), &place{}
	if role {
		k.role, k.roleAt, k.roleBy = u.kept.role, u.kept.roleAt, u.kept.roleBy
		n.role, n.roleAt, n.roleBy = u.gone.role, u.gone.roleAt, u.gone.roleBy
	}
	if grant {
		k.allow, k.deny, k.grantAt, k.grantBy = u.kept.allow, u.kept.deny, u.kept.grantAt, u.kept.grantBy
		n.allow, n.deny, n.grantAt, n.grantBy = u.gone.allow, u.gone.deny, u.gone.grantAt, u.gone.grantBy
	}
	c.places[g.gone] = n
	for _, p := range []*person{g.kept, g.gone} {
		if c.places[p].none() {
			delete(c.places, p)
		}
	}
}
