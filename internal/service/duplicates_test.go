package service_test

import (
	"fmt"
	"strings"
	"testing"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// duplicates lists every pair of local parts that is found, with its reasons.
func (s *school) duplicates(limit int) (list []string) {
	s.tb.Helper()
	after := int64(0)
	for range 100 {
		p, err := s.Duplicates(ctx, s.admin, after, limit)
		if err != nil {
			s.tb.Fatal(err)
		}
		for _, d := range p.Pairs {
			var kinds []string
			for _, k := range d.Kinds {
				kinds = append(kinds, string(k))
			}
			list = append(list, fmt.Sprintf("%s = %s (%s)", d.One.Email, d.Other.Email, strings.Join(kinds, ", ")))
		}
		if after = p.Next; after == 0 {
			return list
		}
	}
	s.tb.Fatal("the list has no end")
	return nil
}

func TestB13B14B15PeopleWhoLookLikeOneAreFoundAndToldApart(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		s.enroll(ada, course, "student", "alice.smith@gmail.com", "alicesmith@gmail.com", "bob@gmail.com", "bob+x@gmail.com", "carol@gmail.com", "carol@googlemail.com",
			"s1001@uni.example", "s1002@uni.example", "unlike@uni.example")
		grace := s.member(ada, course, "student", "grace@uni.example")
		slip := s.enroll(ada, course, "student", "grace@uin.example")[0]
		s.enroll(ada, course, "student", "garce@uni.example")
		for i, name := range []string{"number1@uni.example", "zahl@home.example"} {
			id := s.enroll(ada, course, "student", name)[0]
			if i == 0 || id != 0 {
				s.detail(ada, service.DetailsChange{CourseID: course, UserID: id, Number: ptr("0042")})
			}
		}
		for _, email := range []string{"e.noether@uni.example", "emmy@home.example"} {
			if _, err := s.NamePerson(ctx, s.admin, service.NewPerson{Email: email, GivenName: "Émmy", FamilyName: "Noether"}, nil); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{
			"alice.smith@gmail.com = alicesmith@gmail.com (provider)",
			"bob+x@gmail.com = bob@gmail.com (provider)",
			"carol@gmail.com = carol@googlemail.com (provider, address)",
			"grace@uni.example = grace@uin.example (address)",
			"grace@uni.example = garce@uni.example (slip)",
			"number1@uni.example = zahl@home.example (number)",
			"e.noether@uni.example = emmy@home.example (name)",
		}
		same(t, "all", s.duplicates(100), want)
		if err := s.TellApart(ctx, s.admin, slip, grace.UserID); err != nil {
			t.Fatal(err)
		}
		if err := s.TellApart(ctx, s.admin, grace.UserID, slip); err != nil {
			t.Errorf("said again: %v", err)
		}
		same(t, "without those who were told apart", s.duplicates(100), append(append([]string{}, want[:3]...), want[4:]...))
		s.merge(s.admin, s.idOfEmail("alice.smith@gmail.com"), s.idOfEmail("alicesmith@gmail.com"))
		same(t, "without those who were merged", s.duplicates(1), append(append([]string{}, want[1:3]...), want[4:]...))
		refused(t, "a teacher", second(s.Duplicates(ctx, ada, 0, 10)), lms.CodeForbidden, "forbidden")
		refused(t, "a teacher who tells apart", s.TellApart(ctx, ada, slip, grace.UserID), lms.CodeForbidden, "forbidden")
		refused(t, "oneself", s.TellApart(ctx, s.admin, slip, slip), lms.CodeInvalid, "merge-same")
		refused(t, "nobody", s.TellApart(ctx, s.admin, slip, 4711), lms.CodeNotFound, "not-found")
	})
}

// A page takes a bounded number of statements, however many people there are.
func TestLookingForDuplicatesIsBounded(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		var emails []string
		for i := range 700 {
			emails = append(emails, fmt.Sprintf("person.%s@uni.example", strings.Repeat(string(rune('a'+i%26)), 1+i/26)))
		}
		s.enroll(ada, course, "student", emails...)
		before := s.store.Ran()
		p, err := s.Duplicates(ctx, s.admin, 0, 1000)
		if err != nil || p.Next == 0 {
			t.Fatalf("all of them at once: %+v (%v)", p.Next, err)
		}
		if n := s.store.Ran() - before; n > 60 {
			t.Errorf("%d statements for one page", n)
		}
	})
}
