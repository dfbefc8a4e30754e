package service_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
)

func TestD01FiftyAtOnceNameOnePersonInTenSpellings(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		node := s.grow(3)
		owners, courses := make([]access.Caller, 5), make([]int64, 5)
		for i := range owners {
			owners[i] = s.teacher(fmt.Sprintf("t%d@uni.example", i))
			courses[i] = s.course(owners[i], fmt.Sprint("Course ", i))
		}
		for round := range 4 {
			name := fmt.Sprintf("grace%d", round)
			spellings := []string{
				name + "@uni.example", "G" + name[1:] + "@uni.example", name + "@UNI.example", " " + name + "@uni.example", name + "@uni.example\r\n",
				"\ufeff" + name + "@uni.example", name + "@Uni.Example\u00a0", "GRACE" + name[5:] + "@uni.example", "\t" + name + "@uni.EXAMPLE", "  gRACE" + name[5:] + "@UNI.EXAMPLE ",
			}
			before := s.count(`users`)
			ids := make([]int64, 50)
			together(50, func(i int) {
				who, typed := i%len(owners), spellings[i%10]
				if i%2 == 0 {
					m, err := node(i).SetPrivileges(ctx, owners[who], service.PrivilegeChange{CourseID: courses[who], Person: byEmail(typed), Allow: []string{"roster.view"}})
					if err != nil {
						t.Errorf("%q: %v", typed, err)
					}
					ids[i] = m.User.ID
					return
				}
				rows, err := node(i).Enroll(ctx, owners[who], service.EnrollRequest{CourseID: courses[who], Role: "student", Emails: []string{typed}})
				if err != nil || rows[0].Result == service.ResultRefused {
					t.Errorf("%q: %+v (%v)", typed, rows, err)
					return
				}
				ids[i] = rows[0].UserID
			})
			if n := s.count(`users`) - before; n != 1 {
				t.Errorf("round %d: %d people for one address", round, n)
			}
			if slices.Sort(ids); len(slices.Compact(slices.Clone(ids))) != 1 || ids[0] == 0 {
				t.Errorf("round %d: told of the people %v", round, slices.Compact(ids))
			}
		}
		if n := s.count(`audit_entries WHERE after LIKE '%"named":true%' AND action IN ('privileges.set', 'enrollment.add')`); n != 4 {
			t.Errorf("%d entries say that somebody was named, want 4", n)
		}
	})
}

func TestD02OnePersonOnTwoDevicesAtOnceIsOnePersonWithTwoSessions(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		node := s.grow(2)
		for round := range 30 {
			email := fmt.Sprintf("v%d@uni.example", round)
			named := round%3 != 0 // else nobody has named them, and both sign up
			var id int64
			if named {
				id = s.enroll(ada, course, "student", email)[0]
			}
			in, errs := make([]service.SignedIn, 2), make([]error, 2)
			together(2, func(i int) {
				in[i], errs[i] = node(i).SignIn(ctx, campus, token("sub "+email, email), fmt.Sprint("device ", i), "")
			})
			if err := errors.Join(errs...); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			if !named {
				id = in[0].User.ID
			}
			if in[0].User.ID != id || in[1].User.ID != id || in[0].Secret == in[1].Secret {
				t.Errorf("round %d: people %d and %d, want %d", round, in[0].User.ID, in[1].User.ID, id)
			}
			outcomes := []string{string(in[0].Outcome), string(in[1].Outcome)}
			if slices.Sort(outcomes); outcomes[1] != string(signin.SignIn) || outcomes[0] == outcomes[1] {
				t.Errorf("round %d: outcomes %v", round, outcomes)
			}
			if a, b := s.count(`identities WHERE user_id = $1`, id), s.count(`sessions WHERE user_id = $1`, id); a != 1 || b != 2 {
				t.Errorf("round %d: %d identities, %d sessions", round, a, b)
			}
		}
	})
}

func TestD03OfTwoSubjectsWithOneAddressOneGetsIt(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		node := s.grow(3)
		for round := range 60 {
			email := fmt.Sprintf("v%d@uni.example", round)
			people := s.count(`users`)
			if round%3 != 0 { // else both are strangers
				s.enroll(ada, course, "student", email)
			}
			contenders := 2 + round%3
			in, errs := make([]service.SignedIn, contenders), make([]error, contenders)
			together(contenders, func(i int) {
				in[i], errs[i] = node(i).SignIn(ctx, campus, token(fmt.Sprintf("sub %d %d", round, i), email), "Test", "")
			})
			winners := 0
			for i, err := range errs {
				if err == nil {
					winners++
					if s.bySession(in[i].Secret).UserID != in[i].User.ID {
						t.Errorf("round %d: the winner's session is not theirs", round)
					}
					continue
				}
				refused(t, fmt.Sprint("round ", round), err, lms.CodeConflict, "address-in-use")
				if in[i].Secret != "" {
					t.Errorf("round %d: a loser has a session", round)
				}
			}
			if winners != 1 {
				t.Fatalf("round %d: %d of %d won", round, winners, contenders)
			}
			if s.count(`users`) != people+1 || s.count(`identities WHERE subject LIKE $1`, fmt.Sprintf("sub %d %%", round)) != 1 {
				t.Errorf("round %d: more than one person or identity", round)
			}
		}
		if claims, ups := s.audited(access.UserClaim, lms.OutcomeDone), s.audited(access.UserSignUp, lms.OutcomeDone); claims < 40 || ups < 20 {
			t.Errorf("%d claims and %d sign-ups are in the audit", claims, ups)
		}
	})
}

func TestD04AClaimAndGrantsAtTheSameMomentBothHold(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, bob := s.teacher("ada@uni.example"), s.teacher("bob@uni.example")
		one, two, three := s.course(ada, "One"), s.course(bob, "Two"), s.course(bob, "Three")
		node := s.grow(3)
		for round := range 40 {
			email := fmt.Sprintf("v%d@uni.example", round)
			id := s.enroll(ada, one, "student", email)[0]
			errs := make([]error, 4)
			var in service.SignedIn
			together(4, func(i int) {
				switch i {
				case 0:
					in, errs[i] = node(i).SignIn(ctx, campus, token("s "+email, email), "Test", "")
				case 1:
					_, errs[i] = node(i).SetPrivileges(ctx, bob, service.PrivilegeChange{CourseID: two, Person: byEmail(email), Allow: []string{"audit.view"}})
				case 2:
					_, errs[i] = node(i).Enroll(ctx, bob, service.EnrollRequest{CourseID: three, Role: "observer", Emails: []string{email}})
				case 3:
					_, errs[i] = node(i).SetRole(ctx, ada, service.RoleChange{CourseID: one, UserID: id, Role: "assistant"})
				}
			})
			if err := errors.Join(errs...); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			me := s.bySession(in.Secret)
			for course, want := range map[int64]string{one: "roster.view roster.manage", two: "audit.view", three: "roster.view"} {
				v, err := s.Course(ctx, me, course)
				if err != nil || names(v.Holds) != want {
					t.Errorf("round %d: in course %d they hold %q, want %q (%v)", round, course, names(v.Holds), want, err)
				}
			}
			if in.User.ID != id {
				t.Errorf("round %d: person %d, not %d", round, in.User.ID, id)
			}
		}
	})
}

// owned makes a course with two owners who have arrived.
func owned(s *school, round int) (course int64, one, two access.Caller) {
	s.tb.Helper()
	one = s.teacher(fmt.Sprintf("one%d@uni.example", round))
	course = s.course(one, fmt.Sprint("Course ", round))
	two = s.member(one, course, "owner", fmt.Sprintf("two%d@uni.example", round))
	return course, one, two
}

func TestD09TwoOwnersWhoGoAtOnceLeaveOneBehind(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		node := s.grow(2)
		remove := func(i int, by access.Caller, course, whom int64) error {
			_, err := node(i).Remove(ctx, by, course, []int64{whom})
			return err
		}
		demote := func(i int, by access.Caller, course, whom int64) error {
			_, err := node(i).SetRole(ctx, by, service.RoleChange{CourseID: course, UserID: whom, Role: "student"})
			return err
		}
		suspend := func(i int, whom int64) error {
			_, err := node(i).UpdateUser(ctx, s.admin, whom, service.UserPatch{Status: ptr("suspended")})
			return err
		}
		ways := map[string]func(i int, course int64, one, two access.Caller) error{
			"each removes the other": func(i int, course int64, one, two access.Caller) error {
				if i == 0 {
					return remove(i, one, course, two.UserID)
				}
				return remove(i, two, course, one.UserID)
			},
			"both leave": func(i int, course int64, one, two access.Caller) error {
				who := []access.Caller{one, two}[i]
				return remove(i, who, course, who.UserID)
			},
			"each demotes the other": func(i int, course int64, one, two access.Caller) error {
				if i == 0 {
					return demote(i, one, course, two.UserID)
				}
				return demote(i, two, course, one.UserID)
			},
			"one leaves while the other is suspended": func(i int, course int64, one, two access.Caller) error {
				if i == 0 {
					return remove(i, one, course, one.UserID)
				}
				return suspend(i, two.UserID)
			},
			"one is demoted while the other is suspended": func(i int, course int64, one, two access.Caller) error {
				if i == 0 {
					return demote(i, s.admin, course, one.UserID)
				}
				return suspend(i, two.UserID)
			},
			"both are suspended": func(i int, _ int64, one, two access.Caller) error {
				return suspend(i, []access.Caller{one, two}[i].UserID)
			},
		}
		round := 0
		for name, way := range ways {
			for range 7 {
				round++
				course, one, two := owned(s, round)
				errs := make([]error, 2)
				together(2, func(i int) { errs[i] = way(i, course, one, two) })
				n, err := s.store.Reader().ActiveOwners(ctx, course)
				if err != nil || n != 1 {
					t.Errorf("%s: %d owners are left (%v); they were told %v and %v", name, n, err, errs[0], errs[1])
				}
				if (errs[0] == nil) == (errs[1] == nil) {
					t.Errorf("%s: they were told %v and %v", name, errs[0], errs[1])
				}
				for _, err := range errs {
					if c := lms.CodeOf(err); err != nil && c != lms.CodeConflict && c != lms.CodeNotFound && c != lms.CodeForbidden {
						t.Errorf("%s: %v", name, err)
					}
				}
			}
		}
	})
}

func TestD09TwoAdministratorsWhoDeposeEachOtherLeaveOne(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		node := s.grow(2)
		ways := map[string]func(i int, by access.Caller, whom int64, email string) error{
			"suspend": func(i int, by access.Caller, whom int64, _ string) error {
				return second(node(i).UpdateUser(ctx, by, whom, service.UserPatch{Status: ptr("suspended")}))
			},
			"demote": func(i int, by access.Caller, whom int64, _ string) error {
				return second(node(i).UpdateUser(ctx, by, whom, service.UserPatch{SiteRole: ptr("member")}))
			},
			"name as members": func(i int, by access.Caller, _ int64, email string) error {
				return second(node(i).NamePerson(ctx, by, service.NewPerson{Email: email, SiteRole: "member"}, nil))
			},
		}
		for name, way := range ways {
			for round := range 6 {
				emails := []string{fmt.Sprintf("a%d-%.3s@uni.example", round, name), fmt.Sprintf("b%d-%.3s@uni.example", round, name)}
				if err := s.NameAdmins(ctx, []lms.Email{lms.Email(emails[0]), lms.Email(emails[1])}); err != nil {
					t.Fatal(err)
				}
				pair := []access.Caller{s.person(emails[0]), s.person(emails[1])}
				errs := make([]error, 2)
				together(2, func(i int) { errs[i] = way(i, pair[i], pair[1-i].UserID, emails[1-i]) })
				left := 0
				for _, c := range pair {
					if u := s.user(c.UserID); u.Status == lms.StatusActive && u.SiteRole == lms.SiteAdmin {
						left++
					}
				}
				if left != 1 || (errs[0] == nil) == (errs[1] == nil) {
					t.Errorf("%s each other: %d are left, told %v and %v", name, left, errs[0], errs[1])
				}
			}
		}
	})
}

// TestD11NothingIsWrittenAfterASuspension lets somebody write from every node
// while they are suspended: what begins after the suspension was acknowledged
// is refused, and no session survives.
func TestD11NothingIsWrittenAfterASuspension(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		node := s.grow(3)
		for round := range 4 {
			email := fmt.Sprintf("t%d@uni.example", round)
			v := s.teacher(email)
			_, minted := s.mint(v, service.NewToken{})
			course := s.course(v, "Theirs")
			s.member(v, course, "owner", "heir@uni.example")
			var suspended atomic.Bool
			var late, done atomic.Int32
			together(9, func(i int) {
				if i == 0 {
					for done.Load() < 10 {
						continue // let them begin
					}
					if _, err := node(i).UpdateUser(ctx, s.admin, v.UserID, service.UserPatch{Status: ptr("suspended")}); err != nil {
						t.Error(err)
					}
					suspended.Store(true)
					return
				}
				for j := range 40 {
					after := suspended.Load()
					var err error
					switch i {
					case 1:
						_, err = node(i).SignIn(ctx, campus, token("sub of "+email, email), "Test", "")
						if err != nil && lms.TypeOf(err) != "account-suspended" {
							t.Errorf("a sign-in was told %v", err)
						}
					case 2:
						var c access.Caller
						if c, _, err = node(i).ByToken(ctx, minted.Secret, ""); err == nil {
							_, err = node(i).UpdateCourse(ctx, c, course, service.CoursePatch{Code: ptr(fmt.Sprint(j))})
						}
					default:
						_, err = node(i).Enroll(ctx, v, service.EnrollRequest{CourseID: course, Role: "student", Emails: []string{fmt.Sprintf("s%d-%d-%d@uni.example", round, i, j)}})
						if err != nil && lms.CodeOf(err) != lms.CodeUnauthenticated {
							t.Errorf("a write was told %v", err)
						}
					}
					if err == nil {
						done.Add(1)
						if after {
							late.Add(1)
						}
					}
				}
			})
			if late.Load() != 0 {
				t.Errorf("round %d: %d requests were served that began after the suspension", round, late.Load())
			}
			if n := s.count(`sessions WHERE user_id = $1`, v.UserID); n != 0 {
				t.Errorf("round %d: %d sessions survived", round, n)
			}
		}
	})
}

func TestD19OfFiftyCallbacksWithOneStateOneIsServed(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		node := s.grow(3)
		for range 8 {
			a := signin.NewAttempt()
			browser, err := s.StartSignIn(ctx, "campus", a, "/", "")
			if err != nil {
				t.Fatal(err)
			}
			var served atomic.Int32
			together(50, func(i int) {
				got, _, err := node(i).TakeAttempt(ctx, "campus", a.State, browser)
				if err == nil {
					served.Add(1)
					if got != a {
						t.Error("another attempt was served")
					}
					return
				}
				refused(t, "a second callback", err, lms.CodeMalformed, "sign-in-expired")
			})
			if served.Load() != 1 {
				t.Fatalf("%d were served", served.Load())
			}
		}
	})
}

// TestA25ANewAddressAndANamingOfItAtOnce lets a known person come with an
// address at the moment in which a teacher names it: either the address was
// theirs first, and the teacher means them, or it waits for somebody, and they
// keep their old one. Nobody is told of an inner fault.
func TestA25ANewAddressAndANamingOfItAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		node := s.grow(2)
		first := [2]int{}
		for round := range 60 {
			subject, fresh := fmt.Sprint("s", round), fmt.Sprintf("new%d@uni.example", round)
			known, err := s.SignIn(ctx, campus, token(subject, fmt.Sprintf("old%d@uni.example", round)), "Test", "")
			if err != nil {
				t.Fatal(err)
			}
			var in service.SignedIn
			var rows []service.RowResult
			errs := make([]error, 2)
			together(2, func(i int) {
				if i == 0 {
					in, errs[i] = node(i).SignIn(ctx, campus, token(subject, fresh), "Test", "")
					return
				}
				rows, errs[i] = node(i).Enroll(ctx, ada, service.EnrollRequest{CourseID: course, Role: "student", Emails: []string{fresh}})
			})
			if err := errors.Join(errs...); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			h, ok, err := s.store.Reader().AddressHolder(ctx, lms.Email(fresh))
			if err != nil || !ok || in.User.ID != known.User.ID || rows[0].UserID != h.UserID {
				t.Fatalf("round %d: signed in as %d, enrolled %d, the address is %+v (%v)", round, in.User.ID, rows[0].UserID, h, err)
			}
			theirs := h.UserID == known.User.ID
			if theirs != (in.User.Email == lms.Email(fresh)) || theirs == (rows[0].Result == service.ResultNamed) {
				t.Errorf("round %d: they are %s, the row says %s, the address is %+v", round, in.User.Email, rows[0].Result, h)
			}
			if theirs {
				first[0]++
			} else {
				first[1]++
			}
		}
		t.Logf("the person was first %d times, the teacher %d times", first[0], first[1])
	})
}

// TestBulkEnrollmentsThatOverlapAllSucceed pastes lists that overlap into
// several courses at once, in different orders.
func TestBulkEnrollmentsThatOverlapAllSucceed(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		node := s.grow(3)
		const lists, size, step = 6, 120, 40
		owners, courses := make([]access.Caller, lists), make([]int64, lists)
		for i := range owners {
			owners[i] = s.teacher(fmt.Sprintf("t%d@uni.example", i))
			courses[i] = s.course(owners[i], fmt.Sprint("Course ", i))
		}
		var named atomic.Int32
		together(lists, func(i int) {
			emails := make([]string, size)
			for j := range emails {
				emails[j] = fmt.Sprintf("s%04d@uni.example", i*step+j)
			}
			if i%2 == 1 {
				slices.Reverse(emails)
			}
			rows, err := node(i).Enroll(ctx, owners[i], service.EnrollRequest{CourseID: courses[i], Role: "student", Emails: emails})
			if err != nil {
				t.Error(err)
			}
			for _, r := range rows {
				switch r.Result {
				case service.ResultNamed:
					named.Add(1)
				case service.ResultEnrolled:
				default:
					t.Errorf("%s: %s %s", r.Typed, r.Result, r.Message)
				}
			}
		})
		want := (lists-1)*step + size
		if n := s.count(`users WHERE status = 'pending'`); n != want || int(named.Load()) != want {
			t.Errorf("%d people, %d told as named, want %d", n, named.Load(), want)
		}
		for i, c := range courses {
			n, err := s.RosterCounts(ctx, owners[i], c)
			if err != nil || n.All != size+1 || n.Pending != size {
				t.Errorf("course %d has %+v (%v)", i, n, err)
			}
		}
	})
}

// TestPeopleWhoGoAwayInTheMiddleLeaveWholeThings cancels requests at random
// moments: whatever was told, each is wholly there or wholly absent.
func TestPeopleWhoGoAwayInTheMiddleLeaveWholeThings(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		var mu sync.Mutex
		told := map[string]error{}
		together(12, func(i int) {
			for j := range 10 {
				mine, cancel := context.WithCancel(ctx)
				email := fmt.Sprintf("v%d-%d@uni.example", i, j)
				if j%4 != 0 { // the others stay
					time.AfterFunc(time.Duration(i*10+j)*100*time.Microsecond, cancel)
				}
				_, err := s.SetPrivileges(mine, ada, service.PrivilegeChange{CourseID: course, Person: byEmail(email), Allow: []string{"roster.view"}})
				cancel()
				mu.Lock()
				told[email] = err
				mu.Unlock()
			}
		})
		done := 0
		for email, err := range told {
			people := s.count(`emails WHERE address = $1`, email)
			whole := s.count(`course_privileges p JOIN emails e ON e.user_id = p.user_id JOIN audit_entries a ON a.subject_id = p.user_id AND a.action = 'privileges.set' WHERE e.address = $1`, email)
			if people != whole {
				t.Errorf("%s is there by half: %d people, %d with privileges and an entry (%v)", email, people, whole, err)
			}
			if err == nil && whole != 1 {
				t.Errorf("%s was acknowledged and is not there", email)
			}
			done += whole
		}
		t.Logf("%d of %d were done", done, len(told))
		if done < 36 {
			t.Error("not even those who stayed were served")
		}
	})
}
