package service_test

import (
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	generated "matricula/bench/school"
	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/store/storetest"
)

func TestTheTableOfPeopleCostsAsManyStatementsForTwoHundredAsForFive(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		var emails []string
		for i := range 230 {
			emails = append(emails, fmt.Sprintf("person%d@uni.example", i))
		}
		ids := s.enroll(ada, course, lms.RoleStudent, emails...)
		for _, id := range ids[:60] {
			s.set(ada, course, byID(id), []string{string(lms.AuditView)}, nil)
		}
		tables := map[string]func(limit int) (members []lms.Member, err error){
			"the course's people": func(limit int) (members []lms.Member, err error) {
				page, err := s.Roster(ctx, ada, service.RosterRequest{CourseID: course, Limit: limit})
				for _, p := range page.People {
					members = append(members, p.Member)
				}
				return members, err
			},
			"the user table, for an administrator": func(limit int) ([]lms.Member, error) {
				page, err := s.Directory(ctx, s.admin, service.DirectoryRequest{CourseID: course, Search: "person", Limit: limit})
				return page.Members, err
			},
			"the user table, for a teacher": func(limit int) ([]lms.Member, error) {
				page, err := s.Directory(ctx, ada, service.DirectoryRequest{CourseID: course, Search: "person", Limit: limit})
				return page.Members, err
			},
		}
		for name, read := range tables {
			cost := map[int]int64{}
			for _, limit := range []int{5, 50, 200} {
				before := s.store.Ran()
				members, err := read(limit)
				cost[limit] = s.store.Ran() - before
				if err != nil {
					t.Fatal(err)
				}
				granted := 0
				for _, m := range members {
					if m.Grant != nil {
						granted++
					}
				}
				if len(members) != limit || granted == 0 {
					t.Errorf("%s: %d people, %d of them with privileges, want %d", name, len(members), granted, limit)
				}
			}
			if cost[5] == 0 || cost[50] != cost[5] || cost[200] != cost[5] {
				t.Errorf("%s: statements by the number of people: %v, which should be the same", name, cost)
			}
		}
	})
}

// What the table of a course's people is by hand: the caller's place in the
// course, and the people.
const (
	bareStanding = `SELECT c.title, c.archived_at, u.status, r.privileges, p.allow, p.deny
		FROM courses c JOIN users u ON u.id = $2
		LEFT JOIN enrollments en ON en.course_id = c.id AND en.user_id = u.id LEFT JOIN course_roles r ON r.id = en.role_id
		LEFT JOIN course_privileges p ON p.course_id = c.id AND p.user_id = u.id
		WHERE c.id = $1 AND c.deleted_at IS NULL`
	barePeople = `SELECT u.id, u.status, u.site_role, e.address, u.given_name, u.family_name, u.name, u.created_at, u.claimed_at, u.last_seen_at,
			r.key, r.name, r.privileges, en.source, en.created_at, p.allow, p.deny
		FROM (
			SELECT u.id, u.sort_key
			FROM (
				SELECT user_id FROM enrollments WHERE course_id = $1
				UNION ALL
				SELECT g.user_id FROM course_privileges g WHERE g.course_id = $1
					AND NOT EXISTS (SELECT 1 FROM enrollments x WHERE x.course_id = $1 AND x.user_id = g.user_id)
			) m
			JOIN users u ON u.id = m.user_id WHERE u.status <> 'erased' ORDER BY u.sort_key, u.id LIMIT +$2
		) t
		JOIN users u ON u.id = t.id LEFT JOIN emails e ON e.user_id = u.id AND e.is_primary
		LEFT JOIN enrollments en ON en.course_id = $1 AND en.user_id = u.id LEFT JOIN course_roles r ON r.id = en.role_id
		LEFT JOIN course_privileges p ON p.course_id = $1 AND p.user_id = u.id
		ORDER BY t.sort_key, t.id`
)

// BenchmarkPeopleTable reads the table of 50 people with their privileges, of
// a course of a thousand in a school of 100,000 people and a million
// enrollments, through the service and by the bare queries.
func BenchmarkPeopleTable(b *testing.B) {
	path := filepath.Join(b.TempDir(), "school.db")
	db := &storetest.Database{Engine: storetest.SQLite, DSN: "sqlite:" + path}
	made, err := generated.Build(ctx, db.DSN, generated.Size{People: 100_000, Courses: 1000, Enrollments: 1_000_000})
	if err != nil {
		b.Fatal(err)
	}
	// As the store reads: with the same cache.
	raw, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: "mode=ro&_pragma=query_only(1)&_pragma=cache_size(-8000)"}).String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := raw.Close(); err != nil {
			b.Error(err)
		}
	})
	course := made.Courses[len(made.Courses)/2].ID
	owner := storetest.Query1[int64](b, raw, `SELECT en.user_id FROM enrollments en JOIN course_roles r ON r.id = en.role_id
		WHERE r.key = 'owner' AND en.course_id = $1`, course)

	b.Run("service", func(b *testing.B) {
		svc := service.New(db.Open(b), service.Options{Now: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
		caller := access.Caller{UserID: owner, Kind: lms.KindPerson, SiteRole: lms.SiteMember, SessionID: 1}
		b.ReportAllocs()
		for b.Loop() {
			page, err := svc.Roster(ctx, caller, service.RosterRequest{CourseID: course, Limit: 50})
			if err != nil || len(page.People) != 50 || !page.More {
				b.Fatalf("%d people (%v)", len(page.People), err)
			}
		}
	})
	b.Run("bare", func(b *testing.B) {
		standing, people := prepared(b, raw, bareStanding), prepared(b, raw, barePeople)
		b.ReportAllocs()
		for b.Loop() {
			if n := readAll(b, standing, 6, course, owner); n != 1 {
				b.Fatalf("the owner stands in the course %d times", n)
			}
			if n := readAll(b, people, 17, course, 51); n != 51 {
				b.Fatalf("%d people", n)
			}
		}
	})
}

func prepared(b *testing.B, db *sql.DB, query string) *sql.Stmt {
	b.Helper()
	st, err := db.Prepare(query)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := st.Close(); err != nil {
			b.Error(err)
		}
	})
	return st
}

// readAll reads the rows of a query, of so many columns, and counts them.
func readAll(b *testing.B, st *sql.Stmt, columns int, args ...any) (n int) {
	b.Helper()
	rows, err := st.Query(args...)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	values, dest := make([]any, columns), make([]any, columns)
	for i := range values {
		dest[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			b.Fatal(err)
		}
		n++
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return n
}
