package service_test

import (
	"fmt"
	"testing"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/store/storetest"
)

// BenchmarkNaming compares naming that is counted, by a teacher, with naming that is
// not, by an administrator, one person and four hundred at a time; and counting alone,
// as a search does it.
func BenchmarkNaming(b *testing.B) {
	for _, engine := range []string{storetest.SQLite, storetest.PostgreSQL} {
		db := storetest.Empty(b, engine)
		s := open(b, db)
		for _, l := range lms.Limits() {
			s.limit(l.Name, lms.MaxLimit)
		}
		ada := s.teacher("ada@uni.example")
		serial := 0
		for _, n := range []int{1, 400} {
			for _, who := range []struct {
				name string
				by   access.Caller
			}{{"uncounted", s.admin}, {"counted", ada}} {
				course := s.course(ada, who.name)
				b.Run(fmt.Sprintf("%s/%d/%s", engine, n, who.name), func(b *testing.B) {
					for b.Loop() {
						serial++
						emails := addressesAt(fmt.Sprintf("p%d-", serial), "uni.example", n)
						if _, err := s.Enroll(ctx, who.by, service.EnrollRequest{CourseID: course, Role: "student", Emails: emails, Source: lms.SourcePaste}); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
		b.Run(engine+"/search", func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Directory(ctx, ada, service.DirectoryRequest{Search: "p1-", Limit: 10}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
