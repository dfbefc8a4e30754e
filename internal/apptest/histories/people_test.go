package histories_test

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// isNew makes sure that an id was never anybody's.
func (w *world) isNew(id int64) {
	for _, p := range w.people {
		if p.id == id {
			w.t.Fatalf("a new person got the id of user %d, who is %s", id, p.status)
		}
	}
}

var siteRoles = []string{"", "member", "teacher", "admin"}

func (w *world) name() {
	c, by := w.caller()
	address := w.address()
	role := rapid.SampledFrom(siteRoles).Draw(w.t, "site role")
	u, err := w.svc.NamePerson(ctx, c, service.NewPerson{Email: w.typed(address), SiteRole: role}, nil)
	p := w.holder(address)
	may := by.administers() && (p != by || role == "" || lms.SiteRole(role) == by.role)
	w.told(fmt.Sprintf("naming %s as %q", address, role), err, may)
	if !may {
		return
	}
	if p == nil {
		w.isNew(u.ID)
	}
	p = w.named(address, u.ID, by)
	if role != "" {
		p.role = lms.SiteRole(role)
	}
	if u.ID != p.id {
		w.t.Fatalf("named %d, and must be %d", u.ID, p.id)
	}
}

func (w *world) suspend() {
	c, by := w.caller()
	p := w.person(func(p *person) bool { return p.status != lms.StatusSuspended })
	orphan := rapid.Bool().Draw(w.t, "courses may be without an owner")
	status := "suspended"
	_, err := w.svc.UpdateUser(ctx, c, p.id, service.UserPatch{Status: &status, OrphanCourses: orphan})
	may := by.administers() && p != by && p.status != lms.StatusErased
	if p.status == lms.StatusActive && !orphan {
		may = may && !w.ownsAlone(p)
	}
	w.told(fmt.Sprintf("suspending %d", p.id), err, may)
	if may {
		p.status = lms.StatusSuspended
		w.end(func(s *session) bool { return s.who == p })
	}
}

func (w *world) restore() {
	c, by := w.caller()
	p := w.person(func(p *person) bool { return p.status == lms.StatusSuspended })
	status := "active"
	_, err := w.svc.UpdateUser(ctx, c, p.id, service.UserPatch{Status: &status})
	// Only their own sign-in makes a pending person active.
	may := by.administers() && p != by && (p.status == lms.StatusSuspended || p.status == lms.StatusActive)
	w.told(fmt.Sprintf("restoring %d", p.id), err, may)
	if may {
		p.status = lms.StatusActive
		if !p.arrived {
			p.status, p.renewed = lms.StatusPending, w.now
		}
	}
}

func (w *world) siteRole() {
	c, by := w.caller()
	p := w.person(func(p *person) bool { return p != by })
	role := rapid.SampledFrom(siteRoles[1:]).Draw(w.t, "site role")
	_, err := w.svc.UpdateUser(ctx, c, p.id, service.UserPatch{SiteRole: &role})
	may := by.administers() && p != by && p.status != lms.StatusErased
	w.told(fmt.Sprintf("making %d %s", p.id, role), err, may)
	if may {
		p.role = lms.SiteRole(role)
	}
}

// erasePerson removes all that is personal of somebody.
func (w *world) erasePerson() {
	c, by := w.caller()
	p := w.person(func(p *person) bool { return p.status != lms.StatusErased })
	orphan := rapid.Bool().Draw(w.t, "courses may be without an owner")
	_, err := w.svc.EraseUser(ctx, c, p.id, service.Leaving{OrphanCourses: orphan})
	may := by.administers() && p != by && p.status != lms.StatusErased && (orphan || p.status != lms.StatusActive || !w.ownsAlone(p))
	w.told(fmt.Sprintf("erasing %d", p.id), err, may)
	if may {
		w.erase(p)
	}
}

// mayMend tells whether somebody may correct the address of a pending person, or
// withdraw them: whoever might take each single thing from them, and who gave or named.
func (w *world) mayMend(by, p *person) bool {
	if by == nil || p.status != lms.StatusPending {
		return false
	}
	if by.administers() {
		return true
	}
	mine := p.namedBy == by
	for _, c := range w.courses {
		at := c.places[p]
		if c.deleted || at == nil {
			continue
		}
		if a, ok := w.staff(by, c); !ok || !a.mayRemove(p, at) {
			return false
		}
		mine = true
	}
	return mine && p.role == lms.SiteMember
}

func pending(p *person) bool { return p.status == lms.StatusPending }

func (w *world) correctAddress() {
	p, to := w.person(pending), w.address()
	c, by := w.near(p)
	u, err := w.svc.CorrectAddress(ctx, c, p.id, service.AddressCorrection{Email: w.typed(to)})
	may := w.mayMend(by, p) && (to == p.primary || w.holder(to) == nil)
	w.told(fmt.Sprintf("correcting the address of %d to %s", p.id, to), err, may)
	if !may || to == p.primary {
		return
	}
	if u.ID != p.id {
		w.t.Fatalf("corrected %d, and must be %d", u.ID, p.id)
	}
	delete(p.addresses, p.primary)
	p.addresses[to], p.primary = mailbox{since: w.now}, to
	// What was sent to the wrong address is worth nothing to whoever has that.
	w.dropProofs(func(f *proof) bool { return f.about == p })
}

func (w *world) withdraw() {
	p := w.person(pending)
	c, by := w.near(p)
	err := w.svc.Withdraw(ctx, c, p.id)
	may := w.mayMend(by, p)
	w.told(fmt.Sprintf("withdrawing %d", p.id), err, may)
	if may {
		w.erase(p)
	}
}

// later moves the clock, and mostly has done what is done now and then.
func (w *world) later() {
	after := []time.Duration{2 * time.Minute, 10 * time.Minute, time.Hour, 4 * day, 20 * day, 32 * day, 61 * day}
	n := rapid.IntRange(0, len(after)-1).Draw(w.t, "how much later")
	w.now = w.now.Add(after[n])
	w.post()
	if after[n] > 7*day || rapid.Bool().Draw(w.t, "cleaning up") {
		w.cleanUp()
	}
	if w.keyHolder(w.keys[0]) == nil {
		w.enterFirst()
	}
}

func (w *world) cleanUp() {
	if err := w.svc.Expire(ctx); err != nil {
		w.t.Fatal(err)
	}
	w.expire()
	for i, x := range w.exchanged {
		w.exchanged[i].spent = x.spent && w.now.Before(x.until)
	}
	var due []*person
	for _, p := range w.people {
		if w.due(p) {
			due = append(due, p)
		}
	}
	n, err := w.svc.ExpirePending(ctx)
	if err != nil || n != len(due) {
		w.t.Fatalf("%d people expire, and must be %d (%v)", n, len(due), err)
	}
	for _, p := range due {
		w.count("expired")
		w.model.erase(p)
	}
}

// counts tells whether a notice went to the address that the person has now: what was
// sent to another before a correction is nothing of theirs.
func (n *notice) counts() bool { return !n.at.Before(n.who.addresses[n.who.primary].since) }

// mayBeTold tells whether somebody who is awaited gets a notice.
func (w *world) mayBeTold(p *person) bool {
	times, last, objected := 0, time.Time{}, false
	for _, n := range w.notices {
		if n.who == p && n.counts() {
			times++
			last, objected = n.at, objected || n.objected
		}
	}
	return !objected && times < 4 && (last.IsZero() || w.now.Sub(last) >= 3*day)
}

func (w *world) tell() {
	c, by := w.caller()
	in := w.course()
	var whom []*person
	for p := range in.places {
		if p.status == lms.StatusPending && w.mayBeTold(p) {
			whom = append(whom, p)
		}
	}
	told, err := w.svc.Tell(ctx, c, in.id, nil)
	_, may := w.staff(by, in)
	w.told("telling people", err, may)
	if !may {
		return
	}
	if told.Told != len(whom) {
		w.t.Fatalf("%d were told, and must be %d", told.Told, len(whom))
	}
	for _, p := range whom {
		n := &notice{who: p, at: w.now}
		if err := w.db.raw().QueryRow(`SELECT m.id FROM notices n JOIN mails m ON m.event = 'named:' || n.id WHERE n.user_id = $1 ORDER BY n.id DESC LIMIT 1`, p.id).Scan(&n.mail); err != nil {
			w.t.Fatal(err)
		}
		w.notices, w.everNotices = append(w.notices, n), append(w.everNotices, n)
	}
}

// object says of a notice, with what stood in its mail, that it went to the wrong person.
func (w *world) object() {
	var some []*notice
	for _, n := range w.everNotices {
		if n.secret != "" {
			some = append(some, n)
		}
	}
	if len(some) == 0 {
		w.tell()
		return
	}
	n := rapid.SampledFrom(some).Draw(w.t, "notice")
	_, err := w.svc.Object(ctx, n.secret, "")
	may := slices.Contains(w.notices, n) && n.who.status == lms.StatusPending && n.counts()
	w.told(fmt.Sprintf("objecting as %d", n.who.id), err, may)
	n.objected = n.objected || may
}

// lookUp asks for somebody by an id that was ever given.
func (w *world) lookUp() {
	c, by := w.caller()
	p := rapid.SampledFrom(w.people).Draw(w.t, "person")
	u, err := w.svc.User(ctx, c, p.id)
	if err != nil {
		into := service.MergedInto(err)
		if leads := p.into != nil && into == p.into.id; into != 0 && !leads || (by.administers() && p.into != nil && !leads) {
			w.t.Fatalf("user %d leads to user %d", p.id, into)
		}
		w.told(fmt.Sprintf("looking up %d", p.id), err, by.administers() && p.into == nil)
		return
	}
	switch {
	case by == nil, p.into != nil, p.status == lms.StatusErased && !by.administers():
		w.t.Fatalf("user %d, who is %s, was shown to user %d", p.id, p.status, idOf(by))
	case u.ID != p.id, string(u.Email) != p.primary, u.Status != p.status:
		w.t.Fatalf("user %d is shown as %d with %s", p.id, u.ID, u.Email)
	}
}

// beginAddress asks for a code for a further address. Whether it is anybody's is not told.
func (w *world) beginAddress() {
	c, by := w.inBrowser()
	address := w.expected()
	secret, err := w.svc.BeginAddress(ctx, c, w.typed(address), "")
	may := by != nil && w.browser()
	if may {
		_, own := by.addresses[address]
		may = !own
	}
	if may && tooMany(err) {
		return
	}
	w.told("asking for a code for "+address, err, may)
	if !may {
		return
	}
	w.dropProofs(func(f *proof) bool { return f.about == by && f.kind == "address" })
	f := &proof{kind: "address", about: by, in: w.me.s, secret: secret, address: address}
	w.awaiting(f)
	if p := w.holder(address); (p == nil || p.status == lms.StatusPending) != (f.code != "") {
		w.t.Fatalf("a code for %s: %q", address, f.code)
	}
}

func (w *world) confirmAddress() {
	if len(w.browsers) == 0 {
		w.beginAddress()
		return
	}
	c, by := w.inBrowser()
	f := w.aProof()
	if f.in != nil && !f.in.over && rapid.IntRange(0, 3).Draw(w.t, "in another browser") > 0 {
		c, by = w.use(key{kind: inBrowser, secret: f.in.secret, s: f.in})
	}
	code := w.aCode(f)
	err := w.svc.ConfirmAddress(ctx, c, f.secret, code)
	what := "confirming " + f.address
	right := by != nil && w.browser() && f.in == w.me.s
	if right {
		_, right = w.tried(f, "address", tidy(code))
	}
	if !right {
		w.told(what, err, false)
		return
	}
	for k, i := range w.identities {
		if i.who == by {
			w.shown[shown{k, w.mailed[tidy(code)]}] = true
		}
	}
	p := w.holder(f.address)
	w.told(what, err, p == nil || (p.status == lms.StatusPending && p.primary == f.address))
	switch {
	case err != nil:
		return
	case p == nil:
		by.addresses[f.address] = mailbox{w.now, w.now}
	default:
		w.count("joined by a proof")
		w.join(by, p)
		by.addresses[f.address] = mailbox{by.addresses[f.address].since, w.now}
	}
	w.dropProofs(func(o *proof) bool { return o == f })
}

func (w *world) removeAddress() {
	c, by := w.inBrowser()
	address := w.own(by)
	err := w.svc.RemoveAddress(ctx, c, w.typed(address))
	may := by != nil && w.browser() && address != by.primary
	if may {
		_, may = by.addresses[address]
	}
	w.told("giving up "+address, err, may)
	if may {
		delete(by.addresses, address)
	}
}

func (w *world) makePrimary() {
	c, by := w.inBrowser()
	address := w.own(by)
	err := w.svc.MakePrimary(ctx, c, w.typed(address))
	may := by != nil && w.browser() && !by.addresses[address].proven.IsZero()
	w.told("making "+address+" the main address", err, may)
	if may {
		by.primary = address
	}
}

// own is mostly one of somebody's addresses.
func (w *world) own(p *person) string {
	if p == nil || rapid.IntRange(0, 4).Draw(w.t, "any address") == 0 {
		return w.address()
	}
	some := p.all()
	slices.Reverse(some) // the main one last
	return rapid.SampledFrom(some).Draw(w.t, "which of theirs")
}
