package service_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/store"
)

// historian makes people, courses and places at random.
type historian struct {
	*school
	t       *rapid.T
	serial  *int
	courses []int64
	owner   access.Caller
}

func (h *historian) next() int { *h.serial++; return *h.serial }

// unlessDenied fails for whatever is wrong beside that somebody may not do it.
func (h *historian) unlessDenied(err error) {
	if err != nil && lms.CodeOf(err) != lms.CodeForbidden && lms.CodeOf(err) != lms.CodeNotFound {
		h.t.Fatal(err)
	}
}

// somebody is a person who is pending or has signed in.
func (h *historian) somebody(label string) (id int64, c *access.Caller) {
	email := fmt.Sprintf("%s%d@uni.example", label, h.next())
	u, err := h.NamePerson(ctx, h.admin, service.NewPerson{Email: email, SiteRole: rapid.SampledFrom([]string{"member", "teacher", "admin"}).Draw(h.t, label+" site role")}, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	if rapid.Bool().Draw(h.t, label+" has signed in") {
		who := h.school.person(email)
		c = &who
	}
	return u.ID, c
}

// place puts somebody into some of the courses, and lets them do what people do.
func (h *historian) place(label string, id int64, c *access.Caller) {
	privileges := rapid.SliceOfDistinct(rapid.SampledFrom([]string{"roster.view", "roster.manage", "audit.view", "course.update"}), rapid.ID[string])
	for i, course := range h.courses {
		kind := rapid.SampledFrom([]string{"none", "none", "owner", "teacher", "assistant", "student", "tutor"}).Draw(h.t, fmt.Sprint(label, " in course ", i))
		if kind != "none" {
			rows, err := h.Enroll(ctx, h.admin, service.EnrollRequest{CourseID: course, Role: kind, UserIDs: []int64{id}})
			if err != nil || rows[0].Result == service.ResultRefused {
				h.t.Fatalf("%v %+v", err, rows)
			}
			if rapid.Bool().Draw(h.t, "with details") {
				change := service.DetailsChange{CourseID: course, UserID: id, Number: ptr(fmt.Sprint(h.next()))}
				if kind != "owner" && rapid.Bool().Draw(h.t, "with an end") {
					change.Ends = ptr(rapid.SampledFrom([]string{"2026-09-30", "2027-01-31"}).Draw(h.t, "end"))
				}
				if _, err := h.ChangePlace(ctx, h.admin, change); err != nil {
					h.t.Fatal(err)
				}
			}
		}
		if kind != "owner" && rapid.Bool().Draw(h.t, "with privileges") {
			allow, deny := privileges.Draw(h.t, "allow"), privileges.Draw(h.t, "deny")
			_, err := h.SetPrivileges(ctx, h.admin, service.PrivilegeChange{CourseID: course, Person: byID(id), Allow: allow, Deny: deny})
			if err != nil && lms.TypeOf(err) != "allowed-and-denied" {
				h.t.Fatal(err)
			}
		}
		if kind == "student" && rapid.Bool().Draw(h.t, "and left") {
			if _, err := h.Remove(ctx, h.admin, course, []int64{id}); err != nil {
				h.t.Fatal(err)
			}
		}
		if c != nil && (kind == "owner" || kind == "teacher") && rapid.Bool().Draw(h.t, "acts") {
			_, err := h.Enroll(ctx, *c, service.EnrollRequest{CourseID: course, Role: "student", Emails: []string{fmt.Sprintf("pupil%d@uni.example", h.next())}})
			h.unlessDenied(err)
			_, err = h.CreateSection(ctx, *c, course, fmt.Sprint("Section ", h.next()), nil)
			h.unlessDenied(err)
			_, err = h.ChangeMany(ctx, *c, service.ManyChange{CourseID: course, UserIDs: []int64{h.owner.UserID, id}, On: []string{"audit.view"}})
			h.unlessDenied(err)
		}
	}
}

// Whatever two people have and have done: what is merged and split at once is as it
// was before, in every table. What was ended stays so: whoever had signed in signs
// in anew.
func TestAMergeThatIsSplitAtOnceChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		serial := 0
		owner := s.teacher("ada@uni.example")
		without := append([]string{"sessions", "api_tokens"}, remembered...)
		rapid.Check(t, func(rt *rapid.T) {
			h := &historian{school: s, t: rt, serial: &serial, owner: owner}
			for range 3 {
				course := s.course(owner, fmt.Sprint("Course ", h.next()))
				if _, err := s.CreateRole(ctx, owner, course, service.RoleFields{Name: "Tutor", Privileges: []string{"roster.view"}}, nil); err != nil {
					rt.Fatal(err)
				}
				h.courses = append(h.courses, course)
			}
			keep, k := h.somebody("keep")
			gone, g := h.somebody("gone")
			if k == nil && g != nil {
				keep, gone, k, g = gone, keep, g, k
			}
			h.place("keep", keep, k)
			h.place("gone", gone, g)
			var m lms.Merge
			var before map[string][]string
			if g == nil {
				before = s.dump(without...)
				m = s.merge(s.admin, keep, gone)
			} else {
				m = s.merge(s.admin, keep, gone)
				for _, c := range []access.Caller{*k, *g} {
					if _, err := s.AcceptMerge(ctx, c, m.ID); err != nil {
						rt.Fatal(err)
					}
				}
				before = s.dump(without...)
				var err error
				if m, err = s.CompleteMerge(ctx, s.admin, m.ID); err != nil {
					rt.Fatal(err)
				}
			}
			s.afterRace("after the merge")
			for _, r := range store.References {
				if where := "TRUE"; r.Fate != store.FateStays {
					if r.Where != "" {
						where = r.Where
					}
					if n := s.count(r.Table+` WHERE `+r.Column+` = $1 AND `+where, gone); n != 0 {
						rt.Fatalf("%d rows of %s still refer to who is gone", n, r.Name())
					}
				}
			}
			for _, course := range h.courses {
				if n, err := s.store.Reader().ActiveOwners(ctx, course); err != nil || n < 1 {
					rt.Fatalf("%d owners (%v)", n, err)
				}
			}
			p, err := s.SplitMerge(ctx, s.admin, m.ID)
			if err != nil || len(p.Stay) != 0 {
				rt.Fatalf("the split: %+v (%v)", p, err)
			}
			if d := differences(before, s.dump(without...)); d != "" {
				rt.Fatalf("it is not as it was:\n%s", d)
			}
		})
	})
}
