package histories_test

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// action is something that can happen, and how often beside others.
type action struct {
	weight int
	name   string
	do     func()
}

// list is what can happen. Each draws what it needs, asks the service, and does to the
// model what the rules say. What is drawn first is drawn a little more often.
func (w *world) list() []action {
	return []action{
		{6, "sign in", w.signInSomebody},
		{5, "enroll", w.enroll},
		{4, "merge", w.mergePeople},
		{4, "type a code", w.typeCode},
		{3, "merge a slip", w.mergeSlip},
		{3, "ask for what waits", w.askForAnother},
		{2, "decide a request", w.decideRequest},
		{4, "ask for a code", w.askCode},
		{4, "time passes", w.later},
		{4, "set privileges", w.setPrivileges},
		{3, "prove a further address", w.beginAddress},
		{3, "confirm a further address", w.confirmAddress},
		{3, "split", w.splitMerge},
		{4, "answer a merge", w.acceptMerge},
		{3, "correct", w.correctAddress},
		{3, "set role", w.setRole},
		{4, "complete a merge", w.completeMerge},
		{2, "sign in to a program", w.signInProgram},
		{2, "renew a program", w.refreshProgram},
		{2, "name", w.name},
		{2, "suspend", w.suspend},
		{3, "restore", w.restore},
		{2, "site role", w.siteRole},
		{2, "remove", w.remove},
		{2, "withdraw", w.withdraw},
		{2, "erase", w.erasePerson},
		{2, "tell", w.tell},
		{2, "object", w.object},
		{2, "look up", w.lookUp},
		{1, "another code", w.resendCode},
		{1, "remove an address", w.removeAddress},
		{1, "make an address the main one", w.makePrimary},
		{1, "give a merge up", w.withdrawMerge},
		{1, "revoke a program", w.revokeProgram},
		{1, "make a token", w.makeToken},
		{1, "revoke a token", w.revokeToken},
		{1, "sign out", w.signOut},
		{1, "sign out elsewhere", w.signOutElsewhere},
		{1, "leave", w.leave},
		{1, "create course", w.createAnother},
		{1, "archive", w.archive},
		{1, "delete course", w.deleteCourse},
		{1, "restart", w.restart},
	}
}

func (w *world) actions() map[string]func(*rapid.T) {
	actions := map[string]func(*rapid.T){"": w.check}
	for _, a := range w.list() {
		for range a.weight {
			actions[fmt.Sprintf("%03d %s", len(actions), a.name)] = func(t *rapid.T) {
				w.t, w.doing = t, a.name
				a.do()
			}
		}
	}
	return actions
}

func (w *world) createAnother() {
	if len(w.courses) < 3 { // which is enough
		w.createCourse(w.caller())
	}
}

func (w *world) createCourse(c access.Caller, by *person) {
	v, err := w.svc.CreateCourse(ctx, c, lms.CourseFields{Title: "Algorithms"}, nil)
	may := by != nil && by.role != lms.SiteMember
	w.told("creating a course", err, may)
	if may {
		w.courses = append(w.courses, &course{id: v.Course.ID, places: map[*person]*place{by: {role: "owner", roleAt: w.now, roleBy: by}}})
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
	w.enrollAll(c, by, in, role, some)
	if rapid.IntRange(0, 2).Draw(w.t, "elsewhere too") == 0 {
		for _, other := range w.courses {
			if other != in {
				w.enrollAll(c, by, other, role, some)
			}
		}
	}
}

func (w *world) enrollAll(c access.Caller, by *person, in *course, role string, some []string) {
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
			w.isNew(r.UserID)
			p = w.named(some[i], r.UserID, by)
		case in.places[p] != nil && in.places[p].role == role:
			want = service.ResultAlready
		case in.places[p] != nil && in.places[p].role != "", p == by, in.places[p] != nil && in.places[p].deny != 0 && role == "owner":
			want = service.ResultRefused
		}
		w.renew(p, maxWait/20)
		if r.Result != want || r.UserID != p.id {
			w.t.Fatalf("%q as %s: %s, %d, and must be %s, %d", typed[i], role, r.Result, r.UserID, want, p.id)
		}
		if want == service.ResultEnrolled || want == service.ResultNamed {
			at := in.at(p)
			at.role, at.roleAt, at.roleBy = role, w.now, by
		}
	}
}

func (w *world) setRole() {
	c, by := w.caller()
	in := w.course()
	p := w.personIn(in)
	role := rapid.SampledFrom(roleNames).Draw(w.t, "role")
	_, err := w.svc.SetRole(ctx, c, service.RoleChange{CourseID: in.id, UserID: p.id, Role: role})
	a, may := w.staff(by, in)
	at := in.places[p]
	may = may && !at.none() && p.status != lms.StatusErased && a.mayTouch(p, at) && a.mayGive(role) && (roles[at.role] == 0 || a.holds.has("staff.manage")) &&
		(role != "owner" || at.deny == 0) && (role == "owner" || !in.lastOwner(p))
	w.told(fmt.Sprintf("making %d %s", p.id, role), err, may)
	if may && at.role != role {
		if at.role == "" {
			at.roleAt = w.now
		}
		at.role, at.roleBy = role, by
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
	if p == nil {
		w.isNew(m.User.ID)
	}
	p = w.named(address, m.User.ID, by)
	at := in.at(p)
	if at.allow != allow || at.deny != deny {
		at.allow, at.deny, at.grantAt, at.grantBy = allow, deny, w.now, by
	}
	if allow|deny == 0 {
		at.grantAt, at.grantBy = time.Time{}, nil
	}
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

// restart happens now and then: everything has to be prepared anew.
func (w *world) restart() {
	if rapid.IntRange(0, 3).Draw(w.t, "restart") > 0 {
		return
	}
	w.db.restart(w.t)
	w.start()
}
