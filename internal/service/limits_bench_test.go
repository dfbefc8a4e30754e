package service_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/service"
	"matricula/internal/store/storetest"
)

// BenchmarkNamingCounted compares naming that is counted, by a teacher, with naming that
// is not, by an administrator, in turns on one database, so that whatever else the
// machine does weighs on both alike. The ratio is of the medians.
func BenchmarkNamingCounted(b *testing.B) {
	for _, engine := range []string{storetest.SQLite, storetest.PostgreSQL} {
		s := open(b, storetest.New(b, engine))
		s.unlimited()
		ada := s.teacher("ada@uni.example")
		callers := []access.Caller{s.admin, ada}
		serial := 0
		for _, n := range []int{1, 400} {
			courses := []int64{s.course(s.admin, "Uncounted"), s.course(ada, "Counted")}
			b.Run(fmt.Sprintf("%s/%d", engine, n), func(b *testing.B) {
				var took [2][]time.Duration
				for b.Loop() {
					for i, by := range callers {
						serial++
						emails := addressesAt(fmt.Sprintf("p%d-", serial), "uni.example", n)
						began := time.Now()
						if _, err := s.Enroll(ctx, by, service.EnrollRequest{CourseID: courses[i], Role: "student", Emails: emails}); err != nil {
							b.Fatal(err)
						}
						took[i] = append(took[i], time.Since(began))
					}
				}
				median := func(i int) float64 {
					slices.Sort(took[i])
					return float64(took[i][len(took[i])/2])
				}
				b.ReportMetric(median(0)/1e6, "uncounted-ms")
				b.ReportMetric(median(1)/1e6, "counted-ms")
				b.ReportMetric(median(1)/median(0), "ratio")
			})
		}
	}
}
