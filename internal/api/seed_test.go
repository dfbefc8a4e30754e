package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// The endpoint of the seed, PATCH /api/v1/users/{user_id}/privileges, in all
// that the thread asked for and all that it got wrong.

func privileges(user, course int64) string {
	return path("/users/%d/privileges?course_id=%d", user, course)
}

func TestSeedEndpointSetsThePrivilegesOfAKnownUser(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		s.enroll(s.ada, course, "observer", "grace@uni.example")

		re := s.ask(s.ada, "PATCH", privileges(s.grace.UserID, course), object{"course_privileges": []string{"roster.manage", "audit.view"}}).is(200)
		same(t, "id", re.id(), s.grace.UserID)
		same(t, "email", re.text("email"), "grace@uni.example")
		same(t, "status", re.text("status"), "active")
		same(t, "privileges", words(re.body["course_privileges"]), "roster.view roster.manage audit.view")
		same(t, "allow", words(re.body["allow"]), "roster.manage audit.view")
		same(t, "deny", words(re.body["deny"]), "")
		same(t, "role", re.body["enrollment"].(object)["role"], "observer")

		re = s.ask(s.ada, "PATCH", privileges(s.grace.UserID, course), object{"course_privileges": []string{}}).is(200)
		same(t, "privileges", words(re.body["course_privileges"]), "")
		same(t, "deny", words(re.body["deny"]), "roster.view")
		same(t, "what is listed", words(s.ask(s.ada, "GET", path("/users?course_id=%d&search=grace", course), nil).items()[0]["course_privileges"]), "")
	})
}

func TestSeedEndpointNamesThePersonOfTheDummyID(t *testing.T) {
	for where, ask := range map[string]func(s *school, course int64) *reply{
		"in the query": func(s *school, course int64) *reply {
			return s.ask(s.ada, "PATCH", privileges(-1, course)+"&email=edsger@uni.example", object{"course_privileges": []string{"roster.manage"}})
		},
		"in the body": func(s *school, course int64) *reply {
			return s.ask(s.ada, "PATCH", privileges(-1, course), object{"course_privileges": []string{"roster.manage"}, "email": "edsger@uni.example"})
		},
		"in both, spelled differently": func(s *school, course int64) *reply {
			return s.ask(s.ada, "PATCH", privileges(-1, course)+"&email=Edsger@uni.example", object{"course_privileges": []string{"roster.manage"}, "email": "edsger@UNI.example"})
		},
		"with an id that nobody has": func(s *school, course int64) *reply {
			return s.ask(s.ada, "PATCH", privileges(987654, course), object{"course_privileges": []string{"roster.manage"}, "email": "edsger@uni.example"})
		},
	} {
		t.Run(where, func(t *testing.T) {
			onEachEngine(t, func(s *school) {
				course := s.course(s.ada, "Algorithms")
				re := ask(s, course).is(200)
				same(t, "email", re.text("email"), "edsger@uni.example")
				same(t, "status", re.text("status"), "pending")
				same(t, "claimed_at", re.body["claimed_at"], nil)
				same(t, "enrollment", re.body["enrollment"], nil)
				same(t, "privileges", words(re.body["course_privileges"]), "roster.view roster.manage")
				if id := s.idOf("edsger@uni.example"); id != re.id() || id <= 0 {
					t.Errorf("the answer has the id %d, the user table %d", re.id(), id)
				}
			})
		})
	}
}

func TestSeedEndpointUsesAKnownAddressAndMakesNoTwins_A39(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		before := s.countUsers()
		re := s.ask(s.ada, "PATCH", privileges(-1, course), object{"allow": []string{"audit.view"}, "deny": []string{}, "email": "GRACE@Uni.Example"}).is(200)
		same(t, "id", re.id(), s.grace.UserID)
		same(t, "status", re.text("status"), "active")
		first := s.ask(s.ada, "PATCH", privileges(-1, course), object{"course_privileges": []string{}, "email": "Edsger@uni.example"}).is(200)
		again := s.ask(s.ada, "PATCH", privileges(-1, course), object{"course_privileges": []string{}, "email": "eDSGER@UNI.EXAMPLE"}).is(200)
		same(t, "id", again.id(), first.id())
		same(t, "users", s.countUsers(), before+1)
	})
}

func TestSeedEndpointNamesOnceHoweverManyAskAtOnce_D01(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		spellings := []string{"edsger@uni.example", "EDSGER@uni.example", "Edsger@Uni.Example", " edsger@uni.example ", "edsger@UNI.EXAMPLE"}
		ids := make([]int64, 20)
		var wg sync.WaitGroup
		for i := range ids {
			wg.Go(func() {
				_, w := s.request(s.ada, "PATCH", privileges(-1, course), object{"course_privileges": []string{"roster.view"}, "email": spellings[i%len(spellings)]})
				if w.Code != http.StatusOK {
					t.Errorf("got %d: %s", w.Code, w.Body)
					return
				}
				_, after, _ := strings.Cut(w.Body.String(), `"id":`)
				_, _ = fmt.Sscan(strings.SplitN(after, ",", 2)[0], &ids[i])
			})
		}
		wg.Wait()
		for _, id := range ids {
			if id != ids[0] || id == 0 {
				t.Fatalf("one address has led to the ids %v", ids)
			}
		}
	})
}

func TestSeedEndpointTriesTheIDFirst(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		s.enroll(s.ada, course, "student", "sam@uni.example")
		before := s.countUsers()
		re := s.ask(s.ada, "PATCH", privileges(s.sam.UserID, course)+"&email=nobody@uni.example", object{"course_privileges": []string{"roster.view"}}).is(200)
		same(t, "id", re.id(), s.sam.UserID)
		same(t, "users", s.countUsers(), before)
	})
}

func TestSeedEndpointWithoutUserAndAddressIs404(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		body := object{"course_privileges": []string{"roster.view"}}
		for _, id := range []int64{-1, 987654, 1 << 62} {
			s.ask(s.ada, "PATCH", privileges(id, course), body).refused(404, "not-found")
			s.ask(s.ada, "PATCH", privileges(id, course)+"&email=", body).refused(404, "not-found")
		}
	})
}

func TestSeedEndpointWithoutOrWithAnUnknownCourse(t *testing.T) {
	onEachEngine(t, func(s *school) {
		body := object{"course_privileges": []string{"roster.view"}, "email": "new@uni.example"}
		before := s.countUsers()
		for _, query := range []string{"", "?course_id=", "?course_id=abc", "?course_id=1.5", "?course_id=0", "?course_id=-3", "?course_id=9223372036854775808"} {
			s.ask(s.ada, "PATCH", path("/users/-1/privileges")+query, body).refused(400, "malformed").at("query.course_id")
		}
		s.ask(s.ada, "PATCH", privileges(-1, 987654), body).refused(404, "not-found")
		foreign := s.course(s.grace, "Compilers")
		s.ask(s.ada, "PATCH", privileges(-1, foreign), body).refused(404, "not-found")
		same(t, "users", s.countUsers(), before)
	})
}

func TestSeedEndpointRefusesTwoAddressesThatDiffer_F30(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		before := s.countUsers()
		body := object{"course_privileges": []string{"roster.view"}, "email": "one@uni.example"}
		s.ask(s.ada, "PATCH", privileges(-1, course)+"&email=other@uni.example", body).refused(400, "two-addresses")
		s.ask(s.ada, "PATCH", privileges(-1, course)+"&email=one", body).refused(400, "two-addresses")
		s.ask(s.ada, "PATCH", privileges(-1, course)+"&email=one@uni.example&email=one@uni.example", body).refused(400, "malformed").at("query.email")
		s.ask(s.ada, "PATCH", privileges(-1, course)+"&email[]=one@uni.example", body).refused(400, "malformed").at("query.email[]")
		s.ask(s.ada, "PATCH", privileges(-1, course)+fmt.Sprintf("&course_id=%d", course), body).refused(400, "malformed").at("query.course_id")
		same(t, "users", s.countUsers(), before)
	})
}

func TestSeedEndpointDecidesBeforeItNamesAnybody_C02_C03(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		s.enroll(s.ada, course, "assistant", "grace@uni.example")
		s.enroll(s.ada, course, "student", "sam@uni.example")
		before := s.countUsers()
		for _, email := range []string{"new@uni.example", "ada@uni.example", "no address"} {
			body := object{"course_privileges": []string{"roster.view"}, "email": email}
			s.ask(anonymous, "PATCH", privileges(-1, course), body).refused(401, "sign-in-required")
			s.ask(s.sam, "PATCH", privileges(-1, course), body).refused(403, "forbidden")
			s.ask(s.grace, "PATCH", privileges(-1, course), body).refused(403, "forbidden")
			s.ask(withToken(s.ada, lms.ScopeRead), "PATCH", privileges(-1, course), body).refused(403, "token-scope")
			stranger := s.arrive("stranger"+email[:2]+"@uni.example", "A", "Stranger", lms.SiteTeacher)
			s.ask(stranger, "PATCH", privileges(-1, course), body).refused(404, "not-found")
			before++
		}
		same(t, "users", s.countUsers(), before)
	})
}

func TestSeedEndpointWithABadPrivilegeLeavesNobodyBehind(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		before := s.countUsers()
		re := s.ask(s.ada, "PATCH", privileges(-1, course), object{"course_privileges": []string{"roster.view", "roster.fly", "Roster.View"}, "email": "new@uni.example"}).
			refused(422, "unknown-privilege").at("body.course_privileges[1]").at("body.course_privileges[2]")
		if !strings.Contains(re.text("detail"), "roster.manage") {
			t.Errorf("the refusal does not say which privileges there are: %s", re.raw)
		}
		s.ask(s.ada, "PATCH", privileges(-1, course), object{"allow": []string{"roster.view"}, "deny": []string{"x"}, "email": "new@uni.example"}).refused(422, "unknown-privilege").at("body.deny[0]")
		s.ask(s.ada, "PATCH", privileges(-1, course), object{"allow": []string{"roster.view"}, "deny": []string{"roster.view"}, "email": "new@uni.example"}).refused(422, "allowed-and-denied")
		s.ask(s.ada, "PATCH", privileges(-1, course), object{"course_privileges": []string{"roster.view"}, "allow": []string{}, "email": "new@uni.example"}).refused(422, "two-forms")
		s.ask(s.ada, "PATCH", privileges(-1, course), object{"email": "new@uni.example"}).refused(422, "invalid").at("body.course_privileges")
		s.ask(s.ada, "PATCH", privileges(-1, course), `{"course_privileges": null, "email": "new@uni.example"}`).refused(422, "invalid").at("body.course_privileges")
		same(t, "users", s.countUsers(), before)
	})
}

func TestSeedEndpointSaysWhatIsWrongWithAnAddressAndWhere(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		s.ask(s.ada, "PATCH", privileges(-1, course), object{"course_privileges": []string{}, "email": "Grace <grace@uni.example>"}).refused(422, "address-name-and-address").at("body.email")
		s.ask(s.ada, "PATCH", privileges(-1, course)+"&email=grace", object{"course_privileges": []string{}}).refused(422, "address-no-at").at("query.email")
		if log := s.log.String(); strings.Contains(log, "grace") || strings.Contains(log, "address-") {
			t.Errorf("a refused address stands in the log:\n%s", log)
		}
	})
}

func TestSeedEndpointTakesAllowAndDeny(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		s.enroll(s.ada, course, "assistant", "grace@uni.example")
		re := s.ask(s.ada, "PATCH", privileges(s.grace.UserID, course), object{"allow": []string{"audit.view"}, "deny": []string{"roster.manage"}}).is(200)
		same(t, "privileges", words(re.body["course_privileges"]), "roster.view audit.view")
		same(t, "allow", words(re.body["allow"]), "audit.view")
		same(t, "deny", words(re.body["deny"]), "roster.manage")
		re = s.ask(s.ada, "PATCH", privileges(s.grace.UserID, course), object{"allow": []string{"course.update"}}).is(200)
		same(t, "what replaces it", words(re.body["allow"])+"/"+words(re.body["deny"]), "course.update/")
	})
}

func TestSeedEndpointGivesNothingThatTheCallerDoesNotHold_C05(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		s.enroll(s.ada, course, "teacher", "grace@uni.example")
		before := s.countUsers()
		s.ask(s.grace, "PATCH", privileges(-1, course), object{"course_privileges": []string{"roster.view", "course.archive"}, "email": "new@uni.example"}).refused(403, "beyond-own-privileges")
		s.ask(s.grace, "PATCH", privileges(s.grace.UserID, course), object{"course_privileges": []string{}}).refused(403, "self-change")
		s.ask(s.grace, "PATCH", privileges(s.ada.UserID, course), object{"course_privileges": []string{}}).refused(403, "higher-person")
		same(t, "users", s.countUsers(), before)
	})
}

func TestSeedEndpointRefusesAnArchivedCourse(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		s.ask(s.ada, "PATCH", path("/courses/%d", course), object{"archived": true}).is(200)
		s.ask(s.ada, "PATCH", privileges(-1, course), object{"course_privileges": []string{}, "email": "new@uni.example"}).refused(409, "course-archived")
	})
}

func TestSeedEndpointAsksOnceMoreForOutsideAddresses(t *testing.T) {
	s := newSchool(t, postgres(t), service.Options{NamingDomains: []string{"uni.example"}})
	course := s.course(s.ada, "Algorithms")
	body := object{"course_privileges": []string{"roster.view"}, "email": "friend@elsewhere.example"}
	s.ask(s.ada, "PATCH", privileges(-1, course), body).refused(422, "outside-address").at("body.email")
	body["confirm_outside"] = true
	same(t, "email", s.ask(s.ada, "PATCH", privileges(-1, course), body).is(200).text("email"), "friend@elsewhere.example")
}

func TestSeedEndpointPersonFindsItAllOnTheirFirstSignIn(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		named := s.ask(s.ada, "PATCH", privileges(-1, course), object{"course_privileges": []string{"roster.manage", "audit.view"}, "email": "Edsger@uni.example"}).is(200).id()
		edsger := s.arrive("edsger@uni.example", "Edsger", "Dijkstra", lms.SiteMember)
		same(t, "id", edsger.UserID, named)
		me := s.ask(edsger, "GET", "/api/v1/me", nil).is(200)
		courses := me.list("courses")
		if len(courses) != 1 || courses[0].(object)["title"] != "Algorithms" {
			t.Fatalf("the first page shows %v", courses)
		}
		same(t, "privileges", words(courses[0].(object)["privileges"]), "roster.view roster.manage audit.view")
		same(t, "role", courses[0].(object)["role"], nil)
		same(t, "status", me.body["user"].(object)["status"], "active")
	})
}

func TestSeedEndpointTakesNoOtherFieldOnAPendingPerson_A05_C13(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		before := s.countUsers()
		for _, field := range []string{
			"status", "is_admin", "roles", "site_role", "email_verified", "iss", "sub", "created_by", "grantor", "id", "course_id", "expires_at",
			"emails", "phone", "recovery_address", "avatar_url", "webhook", "Email", "EMAIL", "ſtatus", "course_Privileges", "given_name",
		} {
			s.ask(s.ada, "PATCH", privileges(-1, course), object{"course_privileges": []string{}, "email": "new@uni.example", field: "x"}).
				refused(422, "invalid").at("body." + field)
		}
		same(t, "users", s.countUsers(), before)
	})
}
