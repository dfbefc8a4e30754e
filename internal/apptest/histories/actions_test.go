package histories_test

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// actions are what can happen. Each draws what it needs, asks the service, and
// does to the model what the rules say.
func (w *world) actions() map[string]func(*rapid.T) {
	list := map[string]func(){
		"sign in": w.signInSomebody, "sign in once more": w.signInSomebody, "sign in again": w.signInSomebody, "sign out": w.signOut,
		"name": w.name, "suspend": w.suspend, "restore": w.restore, "restore more": w.restore, "site role": w.siteRole,
		"create course": w.createCourse, "archive": w.archive, "delete course": w.deleteCourse,
		"enroll": w.enroll, "enroll more": w.enroll, "set role": w.setRole, "set privileges": w.setPrivileges, "give more": w.setPrivileges,
		"remove": w.remove, "remove more": w.remove, "leave": w.leave, "restart": w.restart, "a month passes": w.month,
	}
	actions := map[string]func(*rapid.T){"": w.check}
	for name, do := range list {
		actions[name] = func(t *rapid.T) {
			w.t = t
			do()
		}
	}
	return actions
}

func (w *world) signInSomebody() { w.enter(w.token()) }

func (w *world) signOut() {
	c, _ := w.caller()
	w.told("signing out", w.svc.SignOut(ctx, c), true)
	w.end(func(s session) bool { return s.secret == w.secret })
}

var siteRoles = []string{"", "member", "teacher", "admin"}

func (w *world) name() {
	c, by := w.caller()
	address := w.address()
	role := rapid.SampledFrom(siteRoles).Draw(w.t, "site role")
	u, err := w.svc.NamePerson(ctx, c, service.NewPerson{Email: w.typed(address), SiteRole: role}, nil)
	p := w.holder(address)
	may := by != nil && by.role == lms.SiteAdmin && (p != by || role == "" || lms.SiteRole(role) == by.role)
	w.told(fmt.Sprintf("naming %s as %q", address, role), err, may)
	if !may {
		return
	}
	p = w.named(address, u.ID)
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
	may := by != nil && by.role == lms.SiteAdmin && p != by
	if p.status == lms.StatusActive && !orphan {
		may = may && !slices.ContainsFunc(w.courses, func(c *course) bool { return !c.deleted && c.lastOwner(p) })
	}
	w.told(fmt.Sprintf("suspending %d", p.id), err, may)
	if may {
		p.status = lms.StatusSuspended
		w.end(func(s session) bool { return s.who == p })
	}
}

func (w *world) restore() {
	c, by := w.caller()
	p := w.person(func(p *person) bool { return p.status == lms.StatusSuspended })
	status := "active"
	_, err := w.svc.UpdateUser(ctx, c, p.id, service.UserPatch{Status: &status})
	// Only their own sign-in makes a pending person active.
	may := by != nil && by.role == lms.SiteAdmin && p != by && p.status != lms.StatusPending
	w.told(fmt.Sprintf("restoring %d", p.id), err, may)
	if may {
		p.status = lms.StatusActive
		if !p.arrived {
			p.status = lms.StatusPending
		}
	}
}

func (w *world) siteRole() {
	c, by := w.caller()
	p := w.person(func(p *person) bool { return p != by })
	role := rapid.SampledFrom(siteRoles[1:]).Draw(w.t, "site role")
	_, err := w.svc.UpdateUser(ctx, c, p.id, service.UserPatch{SiteRole: &role})
	may := by != nil && by.role == lms.SiteAdmin && p != by
	w.told(fmt.Sprintf("making %d %s", p.id, role), err, may)
	if may {
		p.role = lms.SiteRole(role)
	}
}

func (w *world) createCourse() {
	if len(w.courses) == 3 {
		return // enough of them
	}
	c, by := w.caller()
	v, err := w.svc.CreateCourse(ctx, c, lms.CourseFields{Title: "Algorithms"}, nil)
	may := by != nil && by.role != lms.SiteMember
	w.told("creating a course", err, may)
	if may {
		w.courses = append(w.courses, &course{id: v.Course.ID, places: map[*person]*place{by: {role: "owner"}}})
	}
}

func (w *world) archive() {
	c, by := w.caller()
	in := w.course()
	to := rapid.IntRange(0, 3).Draw(w.t, "archive") == 3
	_, err := w.svc.ArchiveCourse(ctx, c, in.id, to)
	a, ok := by.in(in)
	may := ok && a.holds.has("course.archive")
	w.told("archiving a course", err, may)
	if may {
		in.archived = to
	}
}

func (w *world) deleteCourse() {
	c, by := w.caller()
	in := w.course()
	err := w.svc.DeleteCourse(ctx, c, in.id)
	a, ok := by.in(in)
	may := ok && in.archived && a.holds.has("course.archive")
	w.told("deleting a course", err, may)
	if may {
		in.deleted = true
	}
}

// staff is the actor in a course if they may change who is in it.
func (w *world) staff(by *person, in *course) (actor, bool) {
	a, ok := by.in(in)
	return a, ok && !in.archived && a.holds&set("roster.manage", "staff.manage") != 0
}

func (w *world) enroll() {
	c, by := w.caller()
	in := w.course()
	role := rapid.SampledFrom(roleNames).Draw(w.t, "role")
	some := rapid.SliceOfNDistinct(rapid.SampledFrom(addresses), 1, 3, rapid.ID).Draw(w.t, "addresses")
	typed := make([]string, len(some))
	for i := range some {
		typed[i] = w.typed(some[i])
	}
	rows, err := w.svc.Enroll(ctx, c, service.EnrollRequest{CourseID: in.id, Role: role, Emails: typed, Source: lms.SourcePaste})
	a, may := w.staff(by, in)
	may = may && a.mayGive(role)
	w.told(fmt.Sprintf("enrolling as %s", role), err, may)
	if !may {
		return
	}
	for i, r := range rows {
		p := w.holder(some[i])
		want := service.ResultEnrolled
		switch {
		case p == nil:
			want = service.ResultNamed
			p = w.named(some[i], r.UserID)
		case in.places[p] != nil && in.places[p].role == role:
			want = service.ResultAlready
		case in.places[p] != nil && in.places[p].role != "", p == by:
			want = service.ResultRefused
		}
		if r.Result != want || r.UserID != p.id {
			w.t.Fatalf("%q as %s: %s, %d, and must be %s, %d", typed[i], role, r.Result, r.UserID, want, p.id)
		}
		if want == service.ResultEnrolled || want == service.ResultNamed {
			in.at(p).role = role
		}
	}
}

// at is somebody's place, made when there is none.
func (c *course) at(p *person) *place {
	if c.places[p] == nil {
		c.places[p] = &place{}
	}
	return c.places[p]
}

func (w *world) setRole() {
	c, by := w.caller()
	in := w.course()
	p := w.personIn(in)
	role := rapid.SampledFrom(roleNames).Draw(w.t, "role")
	_, err := w.svc.SetRole(ctx, c, service.RoleChange{CourseID: in.id, UserID: p.id, Role: role})
	a, may := w.staff(by, in)
	at := in.places[p]
	may = may && !at.none() && a.mayTouch(p, at) && a.mayGive(role) && (roles[at.role] == 0 || a.holds.has("staff.manage")) &&
		(role != "owner" || at.deny == 0) && (role == "owner" || !in.lastOwner(p))
	w.told(fmt.Sprintf("making %d %s", p.id, role), err, may)
	if may {
		at.role = role
	}
}

func (w *world) setPrivileges() {
	c, by := w.caller()
	in, address := w.course(), w.address()
	allow, deny := w.privileges("allow"), w.privileges("deny")
	if rapid.Bool().Draw(w.t, "nothing denied") {
		deny = 0
	}
	m, err := w.svc.SetPrivileges(ctx, c, service.PrivilegeChange{
		CourseID: in.id, Person: service.PersonRef{Email: w.typed(address)}, Allow: allow.names(), Deny: deny.names(),
	})
	a, may := w.staff(by, in)
	p := w.holder(address)
	may = may && a.holds.has("staff.manage") && allow&deny == 0 && a.maySet(p, in.places[p], allow, deny)
	w.told(fmt.Sprintf("%s: allow %s, deny %s", address, allow.stored(), deny.stored()), err, may)
	if !may {
		return
	}
	p = w.named(address, m.User.ID)
	at := in.at(p)
	at.allow, at.deny = allow, deny
	if at.none() {
		delete(in.places, p)
	}
}

func (w *world) remove() {
	c, by := w.caller()
	in := w.course()
	w.take(c, by, in, w.personIn(in))
}

func (w *world) leave() {
	c, by := w.caller()
	if by == nil {
		return // nobody to leave
	}
	w.take(c, by, w.course(), by)
}

// take takes somebody out of a course, or lets them go.
func (w *world) take(c access.Caller, by *person, in *course, p *person) {
	rows, err := w.svc.Remove(ctx, c, in.id, []int64{p.id})
	a, may := w.staff(by, in)
	at := in.places[p]
	if may && at.none() {
		if err != nil || rows[0].Result != service.ResultRefused {
			w.t.Fatalf("removing %d, who is not there: %+v (%v)", p.id, rows, err)
		}
		return
	}
	may = may && a.mayRemove(p, at) && !in.lastOwner(p)
	w.told(fmt.Sprintf("removing %d", p.id), err, may)
	if may {
		delete(in.places, p)
	}
}

func (w *world) restart() {
	if err := w.close(); err != nil {
		w.t.Fatal(err)
	}
	w.open()
}

// month lets every session end, and the administrator come again.
func (w *world) month() {
	w.now = w.now.AddDate(0, 0, 31)
	if err := w.svc.Expire(ctx); err != nil {
		w.t.Fatal(err)
	}
	w.sessions = nil
	w.enterFirst()
}
