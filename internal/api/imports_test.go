package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"

	"matricula/internal/access"
	"matricula/internal/lms"
)

// upload sends a file.
func (s *school) upload(as access.Caller, path, content string, headers ...string) *reply {
	s.Helper()
	r := httptest.NewRequest(http.MethodPost, schoolURL+path, strings.NewReader(content))
	r.Header.Set("Content-Type", "text/csv")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	r = r.WithContext(access.WithCaller(r.Context(), as, lms.User{}))
	w := httptest.NewRecorder()
	s.api.Handler().ServeHTTP(w, r)
	return s.read(r, w)
}

// work has the imports that wait carried out.
func (s *school) work() {
	s.Helper()
	for {
		worked, err := s.svc.WorkOnImport(s.Context(), "node")
		if err != nil {
			s.Fatal(err)
		}
		if !worked {
			return
		}
	}
}

// list brings a list into a course and has it checked.
func (s *school) list(as access.Caller, course int64, content string) int64 {
	s.Helper()
	id := s.upload(as, path("/courses/%d/imports", course), content).is(201).id()
	s.work()
	return id
}
