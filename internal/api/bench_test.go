package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// What the API costs is the difference between each pair.

func benchSchool(b *testing.B) (*school, int64) {
	s := newSchool(b, "sqlite:"+filepath.Join(b.TempDir(), "school.db"), service.Options{})
	course := s.course(s.ada, "Algorithms")
	emails := make([]string, 60)
	for i := range emails {
		emails[i] = fmt.Sprintf("student%02d@uni.example", i)
	}
	s.enroll(s.ada, course, "student", emails...)
	return s, course
}

func BenchmarkPeopleTable(b *testing.B) {
	s, course := benchSchool(b)
	b.Run("service", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.svc.Directory(b.Context(), s.ada, service.DirectoryRequest{CourseID: course, Search: "student", Limit: 50}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("api", func(b *testing.B) {
		h := s.api.Handler()
		ctx := access.WithCaller(context.Background(), s.ada, lms.User{})
		for b.Loop() {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", path("/users?course_id=%d&search=student", course), nil).WithContext(ctx))
			if w.Code != 200 {
				b.Fatal(w.Body)
			}
		}
	})
	b.Run("plain JSON of the same", func(b *testing.B) {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", path("/users?course_id=%d&search=student", course), nil)
		s.api.Handler().ServeHTTP(w, r.WithContext(access.WithCaller(context.Background(), s.ada, lms.User{})))
		var v struct{ Items []map[string]any }
		if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || len(v.Items) != 50 {
			b.Fatal(err, len(v.Items))
		}
		for b.Loop() {
			if _, err := json.Marshal(v); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// Setting what is set already writes nothing, so that the disk is not measured.
func BenchmarkSetPrivileges(b *testing.B) {
	s, course := benchSchool(b)
	wanted := []string{"roster.view"}
	set := service.PrivilegeChange{CourseID: course, Person: service.PersonRef{UserID: s.idOf("student07@uni.example")}, Exactly: &wanted}
	b.Run("service", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.svc.SetPrivileges(b.Context(), s.ada, set); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("api", func(b *testing.B) {
		h := s.api.Handler()
		ctx := access.WithCaller(context.Background(), s.ada, lms.User{})
		for b.Loop() {
			w := httptest.NewRecorder()
			r := httptest.NewRequest("PATCH", privileges(set.Person.UserID, course), strings.NewReader(`{"course_privileges":["roster.view"]}`)).WithContext(ctx)
			r.Header.Set("Content-Type", "application/json")
			h.ServeHTTP(w, r)
			if w.Code != 200 {
				b.Fatal(w.Body)
			}
		}
	})
}

// The gate and huma alone: an answer that needs no database.
func BenchmarkPrivilegesList(b *testing.B) {
	s, _ := benchSchool(b)
	h := s.api.Handler()
	ctx := access.WithCaller(context.Background(), s.ada, lms.User{})
	for b.Loop() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/privileges", nil).WithContext(ctx))
		if w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
}
