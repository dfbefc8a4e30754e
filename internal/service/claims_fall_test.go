package service_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
)

// A request is worth nothing once it means nobody, or is nobody's, and comes to life
// again by nothing.
func TestA42ARequestFallsWithWhomItIsAboutAndWithWhoeverMadeIt(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		s.enroll(ada, course, "student", "keep@uni.example")
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		for i, c := range []struct {
			what  string
			do    func(email string, waits int64, x access.Caller, id int64)
			typ   string // of approving it then
			state lms.ClaimAnswer
		}{
			{"claimed", func(email string, _ int64, _ access.Caller, _ int64) { s.person(email) }, "claim-over", lms.AnswerWaiting},
			{"corrected", func(_ string, waits int64, _ access.Caller, _ int64) {
				u := s.user(waits)
				_, err := s.CorrectAddress(ctx, ada, waits, to("right@uni.example"))
				must(err)
				_, err = s.CorrectAddress(ctx, ada, waits, to(string(u.Email))) // and back
				must(err)
			}, "claim-over", lms.AnswerWaiting},
			{"withdrawn", func(_ string, waits int64, _ access.Caller, _ int64) { must(s.Withdraw(ctx, ada, waits)) }, "not-found", lms.AnswerWaiting},
			{"removed from the course", func(_ string, waits int64, _ access.Caller, _ int64) {
				_, err := s.Remove(ctx, ada, course, []int64{waits})
				must(err)
			}, "not-found", lms.AnswerWaiting},
			{"erased", func(_ string, waits int64, _ access.Caller, _ int64) {
				_, err := s.EraseUser(ctx, s.admin, waits, service.Leaving{})
				must(err)
			}, "not-found", lms.AnswerWaiting},
			{"merged into somebody else", func(_ string, waits int64, _ access.Caller, _ int64) {
				s.merge(s.admin, s.idOfEmail("keep@uni.example"), waits)
			}, "not-found", lms.AnswerWaiting},
			{"suspended and restored", func(_ string, waits int64, _ access.Caller, _ int64) {
				s.suspend(waits)
				_, err := s.UpdateUser(ctx, s.admin, waits, service.UserPatch{Status: ptr("active")})
				must(err)
			}, "claim-over", lms.AnswerWaiting},
			{"the requester suspended and restored", func(_ string, _ int64, x access.Caller, _ int64) {
				s.suspend(x.UserID)
				_, err := s.UpdateUser(ctx, s.admin, x.UserID, service.UserPatch{Status: ptr("active")})
				must(err)
			}, "claim-over", lms.AnswerOver},
			{"the requester withdrew it", func(_ string, _ int64, x access.Caller, id int64) { must(s.WithdrawClaim(ctx, x, id)) }, "claim-over", lms.AnswerWithdrawn},
			{"the requester was erased", func(_ string, _ int64, x access.Caller, _ int64) {
				_, err := s.EraseUser(ctx, s.admin, x.UserID, service.Leaving{})
				must(err)
			}, "not-found", ""},
			{"the requester was merged", func(_ string, _ int64, x access.Caller, _ int64) {
				s.proved(s.person("other."+s.user(x.UserID).Email.Local()+"@gmail.com"), x)
			}, "claim-over", ""},
			{"too late", func(_ string, _ int64, _ access.Caller, _ int64) { s.clock.advance(14 * 24 * time.Hour) }, "claim-over", lms.AnswerOver},
		} {
			email := fmt.Sprintf("grace%d@uni.example", i)
			waits := s.enroll(ada, course, "student", email)[0]
			x := s.person(fmt.Sprintf("x%d@gmail.com", i))
			id := s.asks(x, email)
			if ids := s.shownIn(ada, course); !slices.Equal(ids, []int64{id}) {
				t.Fatalf("%s: before, the teacher sees %v", c.what, ids)
			}
			c.do(email, waits, x, id)
			if ids := s.shownIn(ada, course); len(ids) != 0 {
				t.Errorf("%s: the teacher sees %v", c.what, ids)
			}
			before := s.count("enrollments") + s.count("past_places")
			for _, err := range []error{s.ApproveClaim(ctx, ada, course, id), s.RefuseClaim(ctx, ada, course, id, "")} {
				if lms.TypeOf(err) != c.typ {
					t.Errorf("%s: decided: %v (%s), want %s", c.what, err, lms.TypeOf(err), c.typ)
				}
			}
			if p, err := s.OpenClaims(ctx, s.admin, 0, 10); c.what != "removed from the course" && (err != nil || len(p.Requests) != 0) {
				t.Errorf("%s: the administrator sees %+v (%v)", c.what, p.Requests, err)
			}
			if after := s.count("enrollments") + s.count("past_places"); after != before {
				t.Errorf("%s: %d places became %d", c.what, before, after)
			}
			if c.state != "" {
				q := s.answered(x)
				if q.Answer != c.state {
					t.Errorf("%s: the requester sees %+v", c.what, q)
				}
				// H-02: nor does asking again tell that it has fallen.
				if c.state == lms.AnswerWaiting {
					if again, err := s.AskClaim(ctx, x, email); err != nil || again != q {
						t.Errorf("%s, asked again: %+v (%v), want %+v", c.what, again, err, q)
					}
				}
			}
			if c.what == "removed from the course" { // else it would be in the way of the next
				must(s.Withdraw(ctx, s.admin, waits))
			}
		}
		s.clock.advance(200 * 24 * time.Hour)
		must(s.Expire(ctx))
		if n := s.count("claim_requests") + s.count("claim_decisions"); n != 0 {
			t.Errorf("H-18: %d rows are kept for ever", n)
		}
	}, func(o *service.Options) { o.PendingDays = 180 })
}

func TestA42ARequestFallsWhenWhoIsWaitedForExpires(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		s.enroll(ada, course, "student", "grace@uni.example")
		s.clock.advance(9 * 24 * time.Hour)
		id := s.asks(s.person("x@gmail.com"), "grace@uni.example")
		s.clock.advance(2 * 24 * time.Hour)
		if n, err := s.ExpirePending(ctx); err != nil || n != 1 {
			t.Fatalf("%d expired (%v)", n, err)
		}
		refused(t, "approved", s.ApproveClaim(ctx, ada, course, id), lms.CodeNotFound, "not-found")
		if n := s.count(`claim_requests WHERE address <> ''`); n != 0 || s.claimState(id) != "fallen" {
			t.Errorf("H-09: %d requests still hold the address, the request is %s", n, s.claimState(id))
		}
	}, func(o *service.Options) { o.PendingDays = 10 })
}

func TestH08ErasingTakesPeopleOutOfTheRequestsOfOthers(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		waits := s.enroll(ada, course, "student", "canary@uni.example")[0]
		if _, err := s.SignIn(ctx, campus, token("c", "canary.active@uni.example"), "T", ""); err != nil {
			t.Fatal(err)
		}
		x := s.person("x@gmail.com")
		id := s.asks(x, "canary@uni.example")
		s.asks(x, "canary.active@uni.example")
		if err := s.RefuseClaim(ctx, ada, course, id, "She is canary@uni.example herself."); err != nil {
			t.Fatal(err)
		}
		for _, erased := range []int64{waits, s.idOfEmail("canary.active@uni.example")} {
			if _, err := s.EraseUser(ctx, s.admin, erased, service.Leaving{}); err != nil {
				t.Fatal(err)
			}
		}
		for table, lines := range s.dump() {
			for _, line := range lines {
				if strings.Contains(line, "canary") {
					t.Errorf("%s still has %s", table, line)
				}
			}
		}
		if _, err := s.EraseUser(ctx, s.admin, x.UserID, service.Leaving{}); err != nil {
			t.Fatal(err)
		}
		if n := s.count("claim_requests") + s.count("claim_decisions"); n != 0 {
			t.Errorf("%d rows of whoever asked are left", n)
		}
	})
}

// An administrator approves all of it by merging, which can be split for 30 days.
func TestAnAdministratorGivesAllThatWaits(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		one, other := s.course(ada, "Algorithms"), s.course(ada, "Compilers")
		waits := s.enroll(ada, one, "student", "grace@uni.example")[0]
		s.enroll(ada, other, "owner", "grace@uni.example")
		x, y := s.person("x@gmail.com"), s.person("y@gmail.com")
		id, rival := s.asks(x, "grace@uni.example"), s.asks(y, "grace@uni.example")
		if n, err := s.CountClaims(ctx, s.admin); err != nil || n != 2 {
			t.Errorf("%d requests (%v)", n, err)
		}
		if _, err := s.OpenClaims(ctx, ada, 0, 10); lms.CodeOf(err) != lms.CodeForbidden {
			t.Errorf("a teacher looks: %v", err)
		}
		s.merge(s.admin, x.UserID, waits)
		if got := s.everything(x.UserID); !strings.Contains(got, "Algorithms: Student") || !strings.Contains(got, "Compilers: Owner") {
			t.Errorf("they have %s", got)
		}
		if q := s.answered(x); q.Answer != lms.AnswerApproved || s.claimState(id) != "approved" {
			t.Errorf("the requester sees %+v", q)
		}
		if q := s.answered(y); q.Answer != lms.AnswerWaiting || s.claimState(rival) != "fallen" {
			t.Errorf("the other sees %+v", q)
		}
	})
}

// A proof by mail of what was asked for meets the request.
func TestAProofByMailMeetsTheRequest(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		s.enroll(ada, course, "student", "grace@uni.example")
		x := s.person("x@gmail.com")
		id := s.asks(x, "grace@uni.example")
		secret, err := s.BeginAddress(ctx, x, "grace@uni.example", "en")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.ConfirmAddress(ctx, x, secret, s.code("grace@uni.example")); err != nil {
			t.Fatal(err)
		}
		if q := s.answered(x); q.Answer != lms.AnswerApproved || s.claimState(id) != "approved" {
			t.Errorf("the requester sees %+v", q)
		}
		refused(t, "approved again", s.ApproveClaim(ctx, ada, course, id), lms.CodeNotFound, "not-found")
	})
}

// Whoever reads the address can object, without an account, and that ends it.
func TestH06WhoeverReadsTheAddressIsToldOnceAndCanObject(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "WIN 1M at x.cn")
		s.enroll(ada, course, "student", "grace@uni.example")
		tok := token("x", "x.eve@gmail.com")
		tok.Name = "Grace Hopper, call 555"
		in, err := s.SignIn(ctx, campus, tok, "T", "")
		if err != nil {
			t.Fatal(err)
		}
		x := s.bySession(in.Secret)
		id := s.asks(x, "grace@uni.example")
		s.asks(x, "nobody@uni.example")
		s.deliver()
		for range 3 {
			if err := s.TellClaims(ctx); err != nil {
				t.Fatal(err)
			}
			s.deliver()
		}
		list := s.sink.Mails("")
		if len(list) != 1 || list[0].To != "grace@uni.example" {
			t.Fatalf("I9: mails %+v", list)
		}
		for _, free := range []string{"WIN", "555", "x.eve"} {
			if strings.Contains(list[0].Text+list[0].Subject, free) {
				t.Errorf("F-37: the mail holds %q:\n%s", free, list[0].Text)
			}
		}
		p, err := s.ClaimsIn(ctx, ada, course, 0, 10)
		if err != nil || len(p.Requests) != 1 || p.Requests[0].ToldAt.IsZero() {
			t.Errorf("the teacher sees %+v (%v)", p, err)
		}
		_, secret, _ := strings.Cut(list[0].Text, "/not-me#")
		secret, _, _ = strings.Cut(secret, "\n")
		for range 2 {
			if asked, err := s.Object(ctx, secret, "r"); err != nil || !asked {
				t.Fatal(err)
			}
		}
		refused(t, "approved", s.ApproveClaim(ctx, ada, course, id), lms.CodeConflict, "claim-over")
		if q := s.answered(x); q.Answer != lms.AnswerWaiting { // of the two, the newer; the older stands alike
			t.Errorf("the requester sees %+v", q)
		}
		if n := s.audited(access.ClaimObject, lms.OutcomeDone); n != 1 {
			t.Errorf("%d objections in the audit, want 1", n)
		}
		// Somebody who asks again and again through many accounts is no nuisance.
		for i := range 6 {
			s.asks(s.person(fmt.Sprintf("z%d@gmail.com", i)), "grace@uni.example")
		}
		if err := s.TellClaims(ctx); err != nil {
			t.Fatal(err)
		}
		s.deliver()
		if n := len(s.sink.Mails("grace@uni.example")); n != 3 {
			t.Errorf("%d mails in a day, want 3", n)
		}
		// Once it is over, its mail is not sent any more.
		s.clock.advance(25 * time.Hour)
		if err := s.TellClaims(ctx); err != nil {
			t.Fatal(err)
		}
		s.person("grace@uni.example")
		s.deliver()
		if n := len(s.sink.Mails("grace@uni.example")); n != 3 {
			t.Errorf("%d mails after she has come, want 3", n)
		}
	})
}

// Two teachers at once, on two nodes: of one course one of them decides, of two both.
func TestD19TwoTeachersApproveAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, bob := s.teacher("ada@uni.example"), s.teacher("bob@uni.example")
		shared, own := s.course(ada, "Algorithms"), s.course(bob, "Compilers")
		s.member(ada, shared, "teacher", "bob@uni.example")
		node := s.grow(3)
		for round := range 15 {
			email := fmt.Sprintf("grace%d@uni.example", round)
			waits := s.enroll(ada, shared, "student", email)[0]
			s.enroll(bob, own, "student", email)
			x := s.person(fmt.Sprintf("x%d@gmail.com", round))
			id := s.asks(x, email)
			errs := make([]error, 3)
			together(3, func(i int) {
				switch (i + round) % 3 {
				case 0:
					errs[0] = node(i).ApproveClaim(ctx, ada, shared, id)
				case 1:
					errs[1] = node(i).ApproveClaim(ctx, bob, shared, id)
				default:
					errs[2] = node(i).ApproveClaim(ctx, bob, own, id)
				}
			})
			if (errs[0] == nil) == (errs[1] == nil) || errs[2] != nil {
				t.Fatalf("round %d: %v", round, errs)
			}
			for _, err := range errs[:2] {
				if err != nil && lms.TypeOf(err) != "already-decided" {
					t.Errorf("round %d: %v", round, err)
				}
			}
			if n := s.count(`enrollments WHERE user_id = $1`, x.UserID); n != 2 {
				t.Errorf("round %d: they are in %d courses", round, n)
			}
			if n := s.count(`past_places WHERE user_id = $1`, waits); n != 2 || s.claimState(id) != "approved" {
				t.Errorf("round %d: %d places have ended, the request is %s", round, n, s.claimState(id))
			}
		}
	})
}

// Whoever has the address signs in while a teacher approves: what waits goes to one of
// the two, whole, and never to both.
func TestD04AClaimWhileATeacherApproves(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		node := s.grow(2)
		given, claimed := 0, 0
		for round := range 30 {
			email := fmt.Sprintf("grace%d@uni.example", round)
			waits := s.enroll(ada, course, "student", email)[0]
			s.set(ada, course, byID(waits), []string{"audit.view"}, nil)
			x := s.person(fmt.Sprintf("x%d@gmail.com", round))
			id := s.asks(x, email)
			var in service.SignedIn
			var signIn, approve error
			together(2, func(i int) {
				if i == round%2 {
					in, signIn = node(i).SignIn(ctx, campus, token("s-"+email, email), "", "")
					return
				}
				approve = node(i).ApproveClaim(ctx, ada, course, id)
			})
			if signIn != nil || in.User.ID != waits || in.Outcome != signin.Claim {
				t.Fatalf("round %d: the sign-in %+v (%v)", round, in.User, signIn)
			}
			who := waits
			switch {
			case approve == nil:
				given++
				who = x.UserID
			case lms.TypeOf(approve) == "claim-over":
				claimed++
			default:
				t.Fatalf("round %d: approving %v", round, approve)
			}
			for _, table := range []string{"enrollments", "course_privileges"} {
				all, theirs := s.count(table+` WHERE user_id IN ($1, $2)`, waits, x.UserID), s.count(table+` WHERE user_id = $1`, who)
				if all != 1 || theirs != 1 {
					t.Errorf("round %d: %d rows of %s, %d with whom they should be", round, all, table, theirs)
				}
			}
		}
		if given+claimed != 30 {
			t.Errorf("%d given and %d claimed", given, claimed)
		}
	})
}

// Nor does a correction, a withdrawal, a merge or a suspension at the same moment leave
// anything by half.
func TestD04AnApprovalAndWhatEndsItAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		keep := s.member(ada, course, "student", "keep@uni.example")
		node := s.grow(2)
		for round := range 24 {
			email := fmt.Sprintf("grace%d@uni.example", round)
			waits := s.enroll(ada, course, "assistant", email)[0]
			x := s.person(fmt.Sprintf("x%d@gmail.com", round))
			id := s.asks(x, email)
			var approve, other error
			together(2, func(i int) {
				if i == round%2 {
					approve = node(i).ApproveClaim(ctx, ada, course, id)
					return
				}
				switch round % 4 {
				case 0:
					_, other = node(i).CorrectAddress(ctx, ada, waits, to(fmt.Sprintf("right%d@uni.example", round)))
				case 1:
					other = node(i).Withdraw(ctx, ada, waits)
				case 2:
					_, other = node(i).MergePeople(ctx, s.admin, service.MergeRequest{Keep: byID(keep.UserID), Merge: byID(waits)}, nil)
				default:
					_, other = node(i).UpdateUser(ctx, s.admin, x.UserID, service.UserPatch{Status: ptr("suspended")})
				}
			})
			if approve != nil && lms.TypeOf(approve) != "claim-over" && lms.TypeOf(approve) != "not-found" {
				t.Errorf("round %d: approving %v", round, approve)
			}
			// Whoever has no place in the course any more is not this teacher's to mend.
			if other != nil && (approve != nil || lms.TypeOf(other) != "not-found") {
				t.Errorf("round %d: the other %v", round, other)
			}
			if n := s.count(`enrollments WHERE user_id = $1`, x.UserID); (n == 1) != (approve == nil) {
				t.Errorf("round %d: approving %v, and they have %d places", round, approve, n)
			}
			if n := s.count(`enrollments WHERE user_id IN ($1, $2)`, x.UserID, waits); n > 1 {
				t.Errorf("round %d: the place is there %d times", round, n)
			}
			s.afterRace(fmt.Sprint("round ", round))
		}
	})
}
