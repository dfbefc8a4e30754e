package service_test

import (
	"slices"
	"testing"
	"time"

	"matricula/internal/lms"
)

// H-07: what class lists say about somebody, the mails to them, and who asked for what
// waited for them are among their data; what is about others in the same list is not.
func TestH07OnesOwnDataHasListsMailsAndRequests(t *testing.T) {
	eachWithMail(t, func(t *testing.T, s *post) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		s.carry(ada, s.list(ada, course, "E-mail\tName\tStudent number\ngrace@uni.example\tGrace\t4711\nemmy@uni.example\tEmmy\t4712\n").ID)
		s.list(ada, course, "E-mail\tRemark\nGRACE@uni.example\tlate\nx@uni.example\tgrace@uni.example helps\n") // nobody carries it out
		if _, err := s.Tell(ctx, ada, course, nil); err != nil {
			t.Fatal(err)
		}
		s.clock.advance(3 * time.Minute)
		s.deliver()
		x := s.person("x.canary@gmail.com")
		s.asks(x, "grace@uni.example")
		pending, err := s.DataOf(ctx, s.admin, s.idOfEmail("grace@uni.example"))
		if err != nil {
			t.Fatal(err)
		}
		grace := s.person("grace@uni.example")
		s.asks(grace, "g.hopper@uni.example")
		own, err := s.OwnData(ctx, grace)
		if err != nil {
			t.Fatal(err)
		}
		for what, doc := range map[string]struct {
			listed, mails, asked int
		}{
			"while she is waited for": {len(pending.Document().ListRows), len(pending.Document().Mails), len(pending.Document().ClaimedBy)},
			"once she has come":       {len(own.Document().ListRows), len(own.Document().Mails), len(own.Document().ClaimedBy)},
		} {
			if doc.listed != 2 || doc.mails != 1 || doc.asked != 1 {
				t.Errorf("%s: %+v", what, doc)
			}
		}
		d := own.Document()
		first := d.ListRows[len(d.ListRows)-1]
		if first.Result != "named" || first.Line != 2 || !slices.Equal(first.Headings, []string{"E-mail", "Name", "Student number"}) || !slices.Equal(first.Cells, []string{"grace@uni.example", "Grace", "4711"}) || first.Course != "Algorithms" || first.CourseID != course {
			t.Errorf("the row is %+v", first)
		}
		if m := d.Mails[0]; m.Kind != lms.MailNamed || m.Email != "grace@uni.example" || m.State != lms.MailSent || m.EndedAt == nil {
			t.Errorf("the mail is %+v", m)
		}
		if by := d.ClaimedBy[0]; by.By != "x***@gmail.com" {
			t.Errorf("who asked is %+v", by)
		}
		if len(d.Claims) != 1 || d.Claims[0].Email != "g***@uni.example" || d.Claims[0].State != lms.AnswerWaiting {
			t.Errorf("what she asked for: %+v", d.Claims)
		}
	})
}
