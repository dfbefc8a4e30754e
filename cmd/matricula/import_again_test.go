package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"matricula/internal/store/storetest"
)

// A node that ends while it reads a list leaves one that nobody reads any more: once
// its lease is over, the same list sent again goes on with it.
func TestAListThatWasReadByHalfIsSentAgain(t *testing.T) {
	c := openCampus(t, storetest.SQLite)
	list := file(t, "ada@uni.example\n")
	c.run(nil, "CS-201", list, "--yes").wants(t, exitDone)
	storetest.Exec(t, c.db.SQL(t), `UPDATE imports SET state = 'reading', started_at = NULL, ended_at = NULL, leased_until = $1`, time.Now().Add(1500*time.Millisecond))
	var mu sync.Mutex
	began := time.Now()
	at := began
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		at = at.Add(time.Minute) // so that nobody waits in earnest
		return at
	}
	var stdout, stderr bytes.Buffer
	p := &program{environ: c.client(), stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, now: clock}
	if err := (&importCommand{Course: "CS-201", File: list, Role: "student", Yes: true}).Run(t.Context(), p); err != nil {
		t.Fatalf("%v\n%s%s", err, stdout.String(), stderr.String())
	}
	is(t, "the imports", c.imports(), "done")
	is(t, "the roster", c.roster(), "ada student")
	if at.Sub(began) < 2*time.Minute {
		t.Error("the list was not sent again")
	}
}

// Every request is answered only when it is sent again: first the server says that
// it is not ready, then it does what is asked and its answer is lost.
func TestEveryRequestIsSafeToBeSentAgain(t *testing.T) {
	c := openCampus(t, storetest.SQLite)
	base := must(url.Parse(c.server.base))
	var mu sync.Mutex
	times := map[string]int{}
	lossy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		key := r.Method + " " + r.URL.Path
		times[key]++
		n := times[key]
		mu.Unlock()
		switch n {
		case 1:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
		case 2:
			httputil.NewSingleHostReverseProxy(base).ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler) // closes the connection without an answer
		default:
			httputil.NewSingleHostReverseProxy(base).ServeHTTP(w, r)
		}
	}))
	defer lossy.Close()
	environ := []string{"MATRICULA_URL=" + lossy.URL, "MATRICULA_TOKEN=" + c.token}
	list := file(t, "x,y\n1,ada@uni.example\n2,grace@uni.example\n")
	began := time.Now()
	runImport(t, environ, nil, "CS-201", list, "--yes", "--columns=email=2").wants(t, exitDone, "2  named and enrolled", "does not answer at the moment", "answers again")
	if took := time.Since(began); took < 5*time.Second {
		t.Errorf("Retry-After was not heeded: all took %s", took)
	}
	is(t, "the imports", c.imports(), "done")
	is(t, "the roster", c.roster(), "ada student, grace student")
	var page struct{ Items []struct{ ID int64 } }
	c.ask("GET", fmt.Sprintf("/courses/%d/imports", c.course), nil, &page)
	runImport(t, environ, nil, "--undo", strconv.FormatInt(page.Items[0].ID, 10)).wants(t, exitDone)
	is(t, "the roster", c.roster(), "")
	for _, key := range []string{"POST /api/v1/courses/1/imports", "PATCH /api/v1/imports/1", "POST /api/v1/imports/1/start", "POST /api/v1/imports/1/undo"} {
		if times[key] < 3 {
			t.Errorf("%s was sent %d times", key, times[key])
		}
	}
}
