package histories_test

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"matricula/internal/lms"
)

// request is that somebody says that what waits for an address is theirs.
type request struct {
	id      int64
	by      *person
	address string
	about   *person // who waited with the address when it was asked for
	expires time.Time
	over    bool // withdrawn, fallen, or decided wherever something waits
	decided map[*course]bool
}

func (q *request) GoString() string {
	return fmt.Sprintf("%d: %d for %s", q.id, q.by.id, q.address)
}

// live tells whether a request can be decided: both are who they were.
func (q *request) live(now time.Time) bool {
	return !q.over && now.Before(q.expires) && q.by.status == lms.StatusActive &&
		q.about != nil && q.about.status == lms.StatusPending && q.about.primary == q.address
}

// fall ends requests of which either side is not who they were: that they are again
// later, such as when a suspension is over or a merge is split, does not bring it back.
func (m *model) fall() {
	for _, q := range m.requests {
		q.over = q.over || !q.live(m.now)
	}
}

// mayApprove tells whether an actor may give what waits in a course to whoever asked: as
// for a merge in this course, and only an administrator gives the course itself.
func (w *world) mayApprove(by *person, c *course, q *request) bool {
	a, ok := w.staff(by, c)
	if !ok || q.about == nil || c.places[q.about] == nil || q.decided[c] || by == q.by || !q.live(w.now) {
		return false
	}
	kept, gone := valueOf(c.places[q.by]), *c.places[q.about]
	if gone.role == "owner" && !by.administers() {
		return false
	}
	return a.mayUnite(&kept, &gone, united(kept, gone, by, w.now))
}

// approved moves the place, for which whoever approved answers from now on. The address
// stays with whoever waits.
func (w *world) approved(by *person, c *course, q *request) {
	kept, gone := valueOf(c.places[q.by]), *c.places[q.about]
	after := united(kept, gone, by, w.now)
	switch {
	case after.role == kept.role:
		after.roleAt, after.roleBy = kept.roleAt, kept.roleBy
	case kept.role == "":
		after.roleAt, after.roleBy = w.now, by
	default:
		after.roleAt, after.roleBy = kept.roleAt, by
	}
	if after.hasGrant() && (after.allow != kept.allow || after.deny != kept.deny) {
		after.grantAt, after.grantBy = w.now, by
	}
	*c.at(q.by) = after
	delete(c.places, q.about)
	w.settle(c, q)
}

// settle notes that a request was decided in a course. When nothing of whom it is about is
// left to decide, it is over; a role on the site is an administrator's to give.
func (w *world) settle(in *course, q *request) {
	q.decided[in] = true
	left := q.about.role != lms.SiteMember || slices.ContainsFunc(w.courses, func(c *course) bool {
		return !c.deleted && c.places[q.about] != nil && !q.decided[c]
	})
	q.over = q.over || !left
}

// askForAnother has somebody say that they are another, and mostly somebody decide at
// once.
func (w *world) askForAnother() {
	c, by := w.caller()
	about := w.person(pending)
	address := about.primary
	if address == "" || rapid.IntRange(0, 5).Draw(w.t, "any address") == 0 {
		address = w.address()
	}
	asked, err := w.svc.AskClaim(ctx, c, w.typed(address))
	switch {
	case by == nil && err == nil:
		w.t.Fatal("nobody asked for what waits, and it was noted")
	case err != nil:
		if code := lms.CodeOf(err); code == lms.CodeInternal || code == lms.CodeUnavailable {
			w.t.Fatalf("asking for what waits: a fault and not a refusal: %v", err)
		}
		w.count(w.doing + ", refused")
		return
	}
	w.count(w.doing)
	i := slices.IndexFunc(w.requests, func(q *request) bool { return q.id == asked.ID })
	if i < 0 {
		i = len(w.requests)
		q := &request{id: asked.ID, by: by, address: address, expires: w.now.Add(14 * day), decided: map[*course]bool{}}
		if p := w.holder(address); p != nil && p.status == lms.StatusPending {
			q.about = p
		}
		w.requests = append(w.requests, q)
	}
	if rapid.IntRange(0, 4).Draw(w.t, "decided at once") > 0 {
		w.decide(w.requests[i])
	}
}

func (w *world) decideRequest() {
	if len(w.requests) == 0 {
		w.askForAnother()
		return
	}
	// Those about somebody who was there tell more, over or not.
	some := slices.DeleteFunc(slices.Clone(w.requests), func(q *request) bool { return q.about == nil })
	if len(some) == 0 || rapid.IntRange(0, 5).Draw(w.t, "any request") == 0 {
		some = w.requests
	}
	w.decide(rapid.SampledFrom(some).Draw(w.t, "request"))
}

// decide approves a request in a course, mostly one in which something waits, or refuses
// it, or has it withdrawn.
func (w *world) decide(q *request) {
	in := w.course()
	for _, c := range w.courses {
		if q.about != nil && c.places[q.about] != nil && rapid.Bool().Draw(w.t, "where it waits") {
			in = c
		}
	}
	how := rapid.IntRange(0, 9).Draw(w.t, "how")
	if how == 0 {
		c := w.as(q.by)
		may := c.by == q.by && c.by != nil
		err := w.svc.WithdrawClaim(ctx, c.Caller, q.id)
		if err == nil && !may {
			w.t.Fatalf("request %d was withdrawn by another", q.id)
		}
		q.over = q.over || err == nil
		return
	}
	c, by := w.caller()
	if q.about != nil {
		c, by = w.near(q.about)
	}
	if how == 1 {
		err := w.svc.RefuseClaim(ctx, c, in.id, q.id, "No.")
		if _, ok := w.staff(by, in); err == nil && !ok {
			w.t.Fatalf("request %d was refused by somebody who manages nobody", q.id)
		}
		if err == nil {
			w.settle(in, q)
		}
		return
	}
	err := w.svc.ApproveClaim(ctx, c, in.id, q.id)
	may := w.mayApprove(by, in, q)
	w.told(fmt.Sprintf("giving what waits, by request %d", q.id), err, may)
	if may {
		w.count("what waits was given: " + yes(by.administers()))
		w.approved(by, in, q)
	}
}
