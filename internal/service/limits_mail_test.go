package service_test

import (
	"strings"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
)

// outsiders has mail.example and others lie outside the school.
func outsiders(o *service.Options) { o.NamingDomains = []string{"uni.example"} }

func (s *school) tellAll(by access.Caller, course int64) error {
	return second(s.Tell(ctx, by, course, nil))
}

func TestTellingByMailIsLimitedPerPersonCourseAndDomain(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		ada := s.teacher("ada@uni.example")
		small, large, mixed := s.course(ada, "Small"), s.course(ada, "Large"), s.course(ada, "Mixed")
		s.enroll(ada, small, "student", addressesAt("a", "uni.example", 5)...)
		s.enroll(ada, large, "student", addressesAt("b", "uni.example", 450)...)
		if err := s.tryEnroll(ada, mixed, addressesAt("c", "mail.example", 4)...); err != nil {
			t.Fatal(err)
		}
		s.limit(lms.LimitNoticesPerson, 300)
		before := s.count("mails")
		tooMany(t, "450, in batches", s.tellAll(ada, large), "too-many-notices")
		if s.count("mails") != before || s.count("notices") != 0 {
			t.Errorf("%d of them were told all the same", s.count("notices"))
		}
		if err := s.tellAll(ada, small); err != nil {
			t.Error(err)
		}
		s.limit(lms.LimitNoticesPerson, 0)
		s.limit(lms.LimitNoticesCourse, 449)
		tooMany(t, "one too many for the course", s.tellAll(ada, large), "too-many-notices")
		s.lift(service.NewLift{Limit: lms.LimitNoticesCourse, CourseID: large}, time.Hour)
		if told, err := s.Tell(ctx, ada, large, nil); err != nil || told.Told != 450 {
			t.Errorf("lifted: %+v (%v)", told, err)
		}
		s.limit(lms.LimitNoticesDomain, 3)
		tooMany(t, "a fourth at the domain", s.tellAll(ada, mixed), "too-many-notices")
		if told, err := s.Tell(ctx, s.admin, mixed, nil); err != nil || told.Told != 4 {
			t.Errorf("an administrator: %+v (%v)", told, err)
		}
	}, outsiders)
}

// F-37: whoever tells many people outside who do not come, or do not want to, can tell
// no more of them.
func TestF37OpenInvitationsThrottle(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		eve := s.teacher("eve@uni.example")
		s.limit(lms.LimitInvitations, 30)
		course, next := s.course(eve, "WIN 1M at x.cn"), s.course(eve, "Again")
		if err := s.tryEnroll(eve, course, addressesAt("a", "mail.example", 31)...); err != nil {
			t.Fatal(err)
		}
		err := s.tellAll(eve, course)
		if tooMany(t, "31 at once", err, "too-many-invitations"); s.count("notices") != 0 || !strings.Contains(err.Error(), "at most 30 open invitations") {
			t.Errorf("%d were told: %v", s.count("notices"), err)
		}
		gone := s.idOf("a30@mail.example")
		if _, err := s.Remove(ctx, eve, course, []int64{gone}); err != nil {
			t.Fatal(err)
		}
		if told, err := s.Tell(ctx, eve, course, nil); err != nil || told.Told != 30 {
			t.Fatalf("thirty: %+v (%v)", told, err)
		}
		if err := s.tryEnroll(eve, next, "b0@mail.example", "b1@mail.example", "b2@mail.example", "b3@mail.example"); err != nil {
			t.Fatal(err)
		}
		tooMany(t, "a further one", second(s.Tell(ctx, eve, next, []int64{s.idOf("b0@mail.example")})), "too-many-invitations")
		// Of the school's own people, as many as there are.
		s.enroll(eve, next, "student", "pupil@uni.example")
		if err := second(s.Tell(ctx, eve, next, []int64{s.idOf("pupil@uni.example")})); err != nil {
			t.Errorf("one of the school's own: %v", err)
		}
		// One who comes makes room for three more beside their own place.
		s.person("a0@mail.example")
		for _, n := range []string{"b0", "b1", "b2", "b3"} {
			if err := second(s.Tell(ctx, eve, next, []int64{s.idOf(n + "@mail.example")})); err != nil {
				t.Errorf("%s: %v", n, err)
			}
		}
		if err := s.tryEnroll(eve, next, "c0@mail.example"); err != nil {
			t.Fatal(err)
		}
		c0 := []int64{s.idOf("c0@mail.example")}
		tooMany(t, "one more", second(s.Tell(ctx, eve, next, c0)), "too-many-invitations")
		// Whoever is told again was counted before.
		s.clock.advance(4 * 24 * time.Hour)
		if told, err := s.Tell(ctx, eve, course, []int64{s.idOf("a1@mail.example")}); err != nil || told.Told != 1 {
			t.Errorf("a reminder: %+v (%v)", told, err)
		}
		// One who objects costs twenty, so that not even many who come make up for it.
		s.deliver()
		s.clock.advance(3 * time.Minute)
		s.deliver()
		list := s.sink.Mails("a2@mail.example")
		_, secret, _ := strings.Cut(list[len(list)-1].Text, "/not-me#")
		secret, _, _ = strings.Cut(secret, "\n")
		if _, err := s.Object(ctx, secret, "r"); err != nil {
			t.Fatal(err)
		}
		s.person("a3@mail.example")
		s.person("a4@mail.example")
		tooMany(t, "after an objection", second(s.Tell(ctx, eve, next, c0)), "too-many-invitations")
		s.lift(service.NewLift{Limit: lms.LimitInvitations, Person: byID(eve.UserID)}, time.Hour)
		if err := second(s.Tell(ctx, eve, next, c0)); err != nil {
			t.Errorf("lifted: %v", err)
		}
	}, outsiders)
}

// G-09: codes to one address, asked for by many accounts on three nodes at once.
func TestG09CodesToOneAddressHoldOverAllNodes(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		pendingPerson(s.school, "grace@uni.example")
		node := s.grow(3)
		results := make(chan error, 20)
		for i := range cap(results) {
			go func() {
				_, err := node(i).BeginProof(ctx, hotel, hotelToken(string(rune('a'+i)), "grace@uni.example"), "/", "en", "r")
				results <- err
			}()
		}
		sent := 0
		for range cap(results) {
			if err := <-results; err == nil {
				sent++
			} else {
				tooMany(t, "a code", err, "too-many-codes")
			}
		}
		if sent != 6 || s.count(`mails WHERE kind = 'sign-in-code'`) != 6 {
			t.Errorf("%d codes, %d mails, want 6", sent, s.count(`mails WHERE kind = 'sign-in-code'`))
		}
		if n := s.audited(access.UserProve, lms.OutcomeRefused); n != 1 {
			t.Errorf("%d refusals on record, want 1", n)
		}
	})
}

func TestOneProgramGetsTokensForOnePersonWithinALimit(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.limit(lms.LimitTokens, 4)
		node := s.grow(3)
		s.person("ada@uni.example")
		exchange := func(i int, who, client string) (service.ProgramSignIn, error) {
			return node(i).SignInProgram(ctx, signin.Presented{
				Provider: campus, Token: token("sub of "+who, who), Client: client, Until: s.clock.now().Add(time.Hour), Fingerprint: [32]byte{byte(s.count("spent_id_tokens") + 1)},
			}, []lms.Scope{lms.ScopeRead}, "Test", "r")
		}
		in, err := exchange(0, "ada@uni.example", "app")
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			if in, err = node(i).RefreshProgram(ctx, in.Refresh, "app", nil, "r"); err != nil {
				t.Fatal(err)
			}
		}
		spent := s.count("spent_id_tokens")
		tooMany(t, "a fifth", second(exchange(1, "ada@uni.example", "app")), "too-many-token-requests")
		if s.count("spent_id_tokens") != spent {
			t.Error("a refused exchange has spent the ID token")
		}
		tooMany(t, "a renewal", second(s.RefreshProgram(ctx, in.Refresh, "app", nil, "r")), "too-many-token-requests")
		if _, err := exchange(2, "ada@uni.example", "another app"); err != nil {
			t.Errorf("in another program: %v", err)
		}
		if _, err := exchange(2, "bob@uni.example", "app"); err != nil {
			t.Errorf("somebody else: %v", err)
		}
		// The refresh token is as good as before.
		s.clock.advance(61 * time.Minute)
		if _, err := s.RefreshProgram(ctx, in.Refresh, "app", nil, "r"); err != nil {
			t.Errorf("an hour later: %v", err)
		}
	})
}

// Unknown tokens from one network are counted over all nodes, and what is known of them
// is told as ever, so that nobody can keep out others behind the same address.
func TestUnknownTokensAreLimitedAndKnownOnesAreNot(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.limit(lms.LimitFailures, 6)
		node := s.grow(3)
		for i := range 6 {
			if err := node(i).Presented(ctx, "192.0.2.7", "app"); err != nil {
				t.Errorf("number %d: %v", i+1, err)
			}
		}
		for i := range 6 {
			if wait := tooMany(t, "a seventh", node(i).Presented(ctx, "192.0.2.7", ""), "too-many-failures"); wait != 5*time.Minute {
				t.Errorf("free again in %s", wait)
			}
		}
		if err := s.Presented(ctx, "192.0.2.8", ""); err != nil {
			t.Errorf("another network: %v", err)
		}
		ran := s.store.Ran()
		if err := s.Presented(ctx, "192.0.2.7", ""); err == nil || s.store.Ran() != ran {
			t.Errorf("a flood goes to the database: %d statements (%v)", s.store.Ran()-ran, err)
		}
		s.clock.advance(5*time.Minute + time.Second)
		for i := range 3 {
			if err := node(i).Presented(ctx, "192.0.2.7", ""); err != nil {
				t.Errorf("later: %v", err)
			}
		}
		s.limit(lms.LimitFailuresOf, 2)
		for _, n := range []string{"192.0.2.20", "192.0.2.21"} {
			if err := s.Presented(ctx, n, "loud"); err != nil {
				t.Error(err)
			}
		}
		tooMany(t, "of one program, from a third network", s.Presented(ctx, "192.0.2.22", "loud"), "too-many-failures")
		_, minted := s.mint(s.person("ada@uni.example"), service.NewToken{Life: 24 * time.Hour})
		s.clock.advance(48 * time.Hour)
		if known, err := s.KnownToken(ctx, minted.Secret); err != nil || !known {
			t.Errorf("a token that has ended is not known (%v)", err)
		}
		if known, err := s.KnownToken(ctx, minted.Secret+"x"); err != nil || known {
			t.Errorf("an invented one is known (%v)", err)
		}
	})
}
