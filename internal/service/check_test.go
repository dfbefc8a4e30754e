package service_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"matricula/internal/lms"
	"matricula/internal/service"
)

func checkRows(tb testing.TB, rows []service.RowResult) string {
	tb.Helper()
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, "%s %s %s|", r.Result, r.Reason, r.Suggestion)
	}
	return b.String()
}

func TestCheckingAListSaysWhatEnrollingWouldDoAndWritesNothing(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		s.enroll(ada, course, "student", "grace.hopper@uni.example", "b.two@uni.example", "c.three@uni.example")
		s.enroll(ada, course, "assistant", "helper@uni.example")
		s.person("known@uni.example")
		before := [3]int{s.count("users"), s.count("audit_entries"), s.count("enrollments")}
		list := []string{
			"known@uni.example", "new.person@uni.example", "GRACE.hopper@uni.example", "helper@uni.example", "nonsense", "new.person@uni.example",
			"grace.hoper@uni.example", "x@uni.exmaple", "y@gmial.com", "new.persom@uni.example", "guest@elsewhere.example",
		}
		request := service.EnrollRequest{CourseID: course, Role: "student", Emails: list}
		rows, err := s.CheckEnroll(ctx, ada, request)
		if err != nil {
			t.Fatal(err)
		}
		want := "enrolled  |named  |already already-enrolled |refused other-role |refused address-no-at |already listed-twice |" +
			"named slip-twin grace.hopper@uni.example|named slip-domain x@uni.example|named slip-domain y@gmail.com|named slip-twin new.person@uni.example|named  |"
		if got := checkRows(t, rows); got != want {
			t.Errorf("checked:\n%s, want\n%s", got, want)
		}
		if rows[2].Name == "" || rows[2].Email != "grace.hopper@uni.example" {
			t.Errorf("whoever is known has no name: %+v", rows[2])
		}
		if after := [3]int{s.count("users"), s.count("audit_entries"), s.count("enrollments")}; after != before {
			t.Fatalf("checking wrote something: %v, was %v", after, before)
		}
		// Enrolling agrees, row by row: a doubt is no refusal.
		done, err := s.Enroll(ctx, ada, request)
		if err != nil {
			t.Fatal(err)
		}
		for i := range rows {
			if rows[i].Result != done[i].Result {
				t.Errorf("%s was to be %s and was %s", list[i], rows[i].Result, done[i].Result)
			}
		}
	})
}

func TestC02CheckingTellsNothingToWhoMayNotEnroll(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		student := s.member(ada, course, "student", "s@uni.example")
		outsider := s.person("x@uni.example")
		request := service.EnrollRequest{CourseID: course, Role: "student", Emails: []string{"ada@uni.example"}}
		_, err := s.CheckEnroll(ctx, student, request)
		refused(t, "a student checking", err, lms.CodeForbidden, "forbidden")
		_, err = s.CheckEnroll(ctx, outsider, request)
		refused(t, "an outsider checking", err, lms.CodeNotFound, "not-found")
		aide := s.member(ada, course, "assistant", "aide@uni.example")
		request.Role = "teacher"
		_, err = s.CheckEnroll(ctx, aide, request)
		refused(t, "an assistant giving a staff role", err, lms.CodeForbidden, "forbidden")
	})
}

func TestH17OutsideAddressesAreAskedAboutWithWhatWasMeant(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		request := service.EnrollRequest{CourseID: course, Role: "student", Emails: []string{"a@uni.exmaple", "guest@elsewhere.example"}}
		rows, err := s.CheckEnroll(ctx, ada, request)
		if got := checkRows(t, rows); err != nil || got != "refused outside-address a@uni.example|refused outside-address |" {
			t.Errorf("%v %s", err, got)
		}
		request.ConfirmOutside = true
		rows, err = s.CheckEnroll(ctx, ada, request)
		if got := checkRows(t, rows); err != nil || got != "named slip-domain a@uni.example|named  |" {
			t.Errorf("confirmed: %v %s", err, got)
		}
	}, func(o *service.Options) { o.NamingDomains = []string{"uni.example"} })
}

func TestAsManyAsARequestMayHoldAreChecked(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.unlimited()
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		list := make([]string, service.MaxRows)
		for i := range list {
			list[i] = fmt.Sprintf("person.number%c%c%c@uni.example", 'a'+i%26, 'a'+i/26%26, 'a'+i/676)
		}
		if _, err := s.Enroll(ctx, ada, service.EnrollRequest{CourseID: course, Role: "student", Emails: list[:service.MaxRows/2]}); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		rows, err := s.CheckEnroll(ctx, ada, service.EnrollRequest{CourseID: course, Role: "student", Emails: list})
		if err != nil || len(rows) != len(list) {
			t.Fatalf("%v, %d rows", err, len(rows))
		}
		t.Logf("%d rows beside %d people took %v", len(list), service.MaxRows/2, time.Since(start))
	})
}
