package api_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/rosterfile"
)

// upload sends a file.
func (s *school) upload(as access.Caller, path, content string, headers ...string) *reply {
	s.Helper()
	return s.uploadFrom(as, path, strings.NewReader(content), headers...)
}

func (s *school) uploadFrom(as access.Caller, path string, content io.Reader, headers ...string) *reply {
	s.Helper()
	r := httptest.NewRequest(http.MethodPost, schoolURL+path, content)
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

// imported is an import as GET shows it.
func (s *school) imported(as access.Caller, id int64) object {
	s.Helper()
	return s.ask(as, "GET", path("/imports/%d", id), nil).is(200).body
}

// counted are an import's counts, without those that count nobody.
func counted(i object) string {
	counts := i["counts"].(object)
	maps.DeleteFunc(counts, func(_ string, n any) bool { return n == 0.0 })
	return fmt.Sprint(counts)
}

// startList carries a list out that is checked.
func (s *school) startList(as access.Caller, id int64, leaving int) object {
	s.Helper()
	s.ask(as, "POST", path("/imports/%d/start", id), object{"leaving": leaving}).is(202)
	s.work()
	return s.imported(as, id)
}

// listRows are rows of an import as "row plan-or-result address", joined.
func (s *school) listRows(as access.Caller, id int64, query string) string {
	s.Helper()
	var list []string
	for _, r := range s.ask(as, "GET", path("/imports/%d/rows?%s", id, query), nil).is(200).items() {
		what := r["result"]
		if what == nil {
			what = r["plan"]
		}
		list = append(list, fmt.Sprint(r["row"], " ", what, " ", r["says"].(object)["email"]))
	}
	return strings.Join(list, ", ")
}

// inCourse is who is in a course, as address and role.
func (s *school) inCourse(as access.Caller, course int64) string {
	s.Helper()
	var list []string
	for _, m := range s.ask(as, "GET", path("/courses/%d/enrollments?limit=200", course), nil).is(200).items() {
		list = append(list, fmt.Sprint(strings.TrimSuffix(m["email"].(string), "@uni.example"), " ", m["enrollment"].(object)["role"]))
	}
	return strings.Join(list, ", ")
}

const classOfThree = "Email;Nome;Cognome;Ruolo;Matricola\nada.b@uni.example;Ada;Byron;assistente;\nmario@uni.example;Mario;Rossi;;00123\ngrace@uni.example;Grace;Hopper;docente;\n"

// spreadsheet is a list as XLSX.
func spreadsheet(t *testing.T, text string) string {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		cells := strings.Split(line, ";")
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &cells); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// utf16Text is a text as Excel's "Unicode text" has it.
func utf16Text(t *testing.T, text string) string {
	t.Helper()
	b, err := binary.Append([]byte{0xff, 0xfe}, binary.LittleEndian, utf16.Encode([]rune(text)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAListComesThroughTheAPIInEveryDress(t *testing.T) {
	onEachEngine(t, func(s *school) {
		for name, content := range map[string]string{
			"text": classOfThree, "UTF-16": utf16Text(t, strings.ReplaceAll(classOfThree, ";", "\t")), "spreadsheet": spreadsheet(t, classOfThree),
		} {
			course := s.course(s.ada, "Algorithms as "+name)
			made := s.upload(s.ada, path("/courses/%d/imports?name=class.x", course), content).is(201)
			id := made.id()
			same(t, "Location", made.header.Get("Location"), path("/imports/%d", id))
			same(t, name+": the state", made.body["state"], "checking")
			same(t, name+": the rows", made.body["rows"], 3)
			s.work()
			i := s.imported(s.ada, id)
			same(t, name+": the state", i["state"], "ready")
			same(t, name+": the name", i["name"], "class.x")
			same(t, name+": the plan", counted(i), "map[add:3]")
			same(t, name+": the columns", fmt.Sprint(i["columns"]), "map[email:0 family_name:2 given_name:1 role:3 student_number:4]")
			same(t, name+": who is there before it starts", s.inCourse(s.ada, course), "ada owner")
			i = s.startList(s.ada, id, 0)
			same(t, name+": the state", i["state"], "done")
			same(t, name+": who is there", s.inCourse(s.ada, course), "ada.b assistant, grace teacher, ada owner, mario student")
		}
	})
}

func TestTheSameListTwiceIsOneImport(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		to := path("/courses/%d/imports", course)
		key := "Idempotency-Key: class of today"
		first := s.upload(s.ada, to, classOfThree, key).is(201).id()
		same(t, "the same key and the same list", s.upload(s.ada, to, classOfThree, key).is(201).id(), first)
		s.upload(s.ada, to, "x@uni.example\n", key).refused(422, "idempotency-key-reused")
		same(t, "the same list without a key", s.upload(s.ada, to, classOfThree).is(201).id(), first)
		same(t, "the same list with another key", s.upload(s.ada, to, classOfThree, "Idempotency-Key: other").is(201).id(), first)
		if s.upload(s.ada, to+"?exact=true", classOfThree).is(201).id() == first {
			t.Error("the same list, meant in another way, was taken for the first")
		}
		s.work()
		s.startList(s.ada, first, 0)
		same(t, "the key when the list is done", s.upload(s.ada, to, classOfThree, key).is(201).body["state"], "done")
		if s.upload(s.ada, to, classOfThree).is(201).id() == first {
			t.Error("a list that is done was taken for a second try")
		}
		s.upload(s.ada, to, classOfThree, "Idempotency-Key: "+strings.Repeat("k", 201)).refused(400, "idempotency-key")
	})
}

func TestColumnsThatAreNotPlainAreAskedForAndRemembered(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		const odd = "x,y,z\nteacher,a@uni.example,b@uni.example\nstudent,c@uni.example,d@uni.example\n"
		id := s.list(s.ada, course, odd)
		i := s.imported(s.ada, id)
		same(t, "the state", i["state"], "columns")
		same(t, "the headings", words(i["headings"]), "x y z")
		one := path("/imports/%d", id)
		s.ask(s.ada, "POST", one+"/start", object{}).refused(409, "import-over")
		none := s.list(s.ada, course, "v,w\n1,2\n")
		s.ask(s.ada, "PATCH", path("/imports/%d", none), object{"role": "student"}).refused(422, "no-address-column").at("body.columns")
		for _, wrong := range []object{{"mail": 1}, {"email": -1}, {"email": 1000}, {"email": 1, "role": 1}} {
			s.ask(s.ada, "PATCH", one, object{"columns": wrong}).refused(422, "unknown-column").at("body.columns")
		}
		s.ask(s.ada, "PATCH", one, object{"columns": object{"email": 1, "role": 0}}).is(200)
		s.ask(s.ada, "PATCH", one, object{"columns": object{"email": 2}}).refused(409, "import-busy")
		s.work()
		same(t, "the plan", s.listRows(s.ada, id, ""), "1 add a@uni.example, 2 add c@uni.example")
		s.ask(s.ada, "PATCH", one, object{"columns": object{"email": 2}}).is(200)
		s.work()
		same(t, "the plan with another column", s.listRows(s.ada, id, ""), "1 add b@uni.example, 2 add d@uni.example")
		again := s.list(s.ada, course, odd+"student,e@uni.example,f@uni.example\n")
		same(t, "the plan of a list with the same headings", s.listRows(s.ada, again, ""), "1 add b@uni.example, 2 add d@uni.example, 3 add f@uni.example")
	})
}

func TestRowsArePagedAndFiltered(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		var b strings.Builder
		b.WriteString("Email,Role\n")
		for n := 1; n <= 2500; n++ {
			switch {
			case n%1000 == 0:
				b.WriteString("nobody,student\n")
			case n == 1500:
				b.WriteString("p1500@uni.example,wizard\n")
			default:
				fmt.Fprintf(&b, "p%d@uni.example,student\n", n)
			}
		}
		id := s.list(s.ada, course, b.String())
		same(t, "the plan", counted(s.imported(s.ada, id)), "map[add:2497 refused:3]")
		all, cursor := 0, ""
		for pages := 0; ; pages++ {
			page := s.ask(s.ada, "GET", path("/imports/%d/rows?limit=200%s", id, cursor), nil).is(200)
			for _, r := range page.items() {
				all++
				same(t, "the row", r["row"], all)
				same(t, "the line", r["line"], all+1)
			}
			if page.body["next_cursor"] == nil {
				same(t, "pages after the first", pages, 12)
				break
			}
			cursor = "&cursor=" + page.text("next_cursor")
		}
		same(t, "rows", all, 2500)
		page := s.ask(s.ada, "GET", path("/imports/%d/rows?show=refused&limit=2", id), nil).is(200)
		same(t, "rows of a page", len(page.items()), 2)
		first, second := page.items()[0], page.items()[1]
		same(t, "what the first says", fmt.Sprint(first["row"], " ", first["reason"], " ", first["column"]), "1000 address-no-at 0")
		same(t, "what the second says", fmt.Sprint(second["row"], " ", second["reason"], " ", second["column"]), "1500 unknown-role 1")
		same(t, "the rest", s.listRows(s.ada, id, "show=refused&limit=2&cursor="+page.text("next_cursor")), "2000 refused nobody")
		same(t, "rows that nothing holds", s.listRows(s.ada, id, "show=conflict"), "")
		s.ask(s.ada, "GET", path("/imports/%d/rows?cursor=x", id), nil).is(400)
	})
}

func TestRowsAreCorrectedAndDecided(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		s.enroll(s.ada, course, "student", "sam@uni.example", "alexander@uni.example")
		s.ask(s.ada, "PATCH", path("/courses/%d/enrollments/%d", course, s.sam.UserID), object{"student_number": "1"}).is(200)
		id := s.list(s.ada, course, "Email,Matricola\nwrong,\nsam@uni.example,2\nalexandre@uni.example,\ny@uni.example,\n")
		same(t, "the plan", s.listRows(s.ada, id, ""), "1 refused wrong, 2 conflict sam@uni.example, 3 ask alexandre@uni.example, 4 add y@uni.example")
		change := s.ask(s.ada, "GET", path("/imports/%d/rows?show=conflict", id), nil).items()[0]["changes"]
		same(t, "the conflict", fmt.Sprint(change), "[map[by_hand:true field:student_number is:1 would:2]]")
		same(t, "the suggestion", s.ask(s.ada, "GET", path("/imports/%d/rows?show=ask", id), nil).items()[0]["suggestion"], "alexander@uni.example")
		one := path("/imports/%d", id)
		s.ask(s.ada, "PATCH", one, object{"rows": []object{{"row": 9}}}).refused(422, "unknown-row")
		s.ask(s.ada, "PATCH", one, object{"rows": []object{{"row": 1, "choice": "perhaps"}}}).refused(422, "unknown-choice")
		s.ask(s.ada, "PATCH", one, object{"rows": []object{{"row": 1, "cells": object{"section": "A"}}}}).refused(422, "unknown-column")
		s.ask(s.ada, "PATCH", one, object{"rows": make([]object, 1001)}).is(422)
		s.ask(s.ada, "PATCH", one, object{"row": 1}).is(422)
		s.ask(s.ada, "PATCH", one, object{"rows": []object{
			{"row": 1, "cells": object{"email": "right@uni.example"}}, {"row": 2, "choice": "file"}, {"row": 3, "choice": "sure"}, {"row": 4, "choice": "leave"},
		}}).is(200)
		s.work()
		same(t, "the plan", s.listRows(s.ada, id, ""), "1 add right@uni.example, 2 change sam@uni.example, 3 add alexandre@uni.example, 4 left y@uni.example")
		i := s.startList(s.ada, id, 0)
		same(t, "the report", counted(i), "map[changed:1 left:1 named:2]")
		same(t, "the rows", s.listRows(s.ada, id, ""), "1 named right@uni.example, 2 changed sam@uni.example, 3 named alexandre@uni.example, 4 left y@uni.example")
		s.ask(s.ada, "PATCH", one, object{"sure": true}).refused(409, "import-over")
	})
}

func TestNobodyLeavesWhomNobodyHasCounted(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		s.enroll(s.ada, course, "student", "a@uni.example", "b@uni.example", "c@uni.example")
		id := s.upload(s.ada, path("/courses/%d/imports?exact=true&role=student", course), "a@uni.example\nd@uni.example\n").is(201).id()
		start := path("/imports/%d/start", id)
		s.ask(s.ada, "POST", start, object{}).refused(409, "import-busy")
		s.work()
		same(t, "the plan", counted(s.imported(s.ada, id)), "map[add:1 already:1 remove:2]")
		for _, wrong := range []any{object{}, object{"leaving": 1}, object{"leaving": 3}} {
			s.ask(s.ada, "POST", start, wrong).refused(422, "confirm-leaving").at("body.leaving")
		}
		s.ask(s.ada, "POST", start, object{"leaving": -1}).is(422)
		began := s.ask(s.ada, "POST", start, object{"leaving": 2}).is(202)
		same(t, "the state", began.body["state"], "running")
		same(t, "started again", s.ask(s.ada, "POST", start, object{"leaving": 2}).is(202).body["state"], "running")
		s.ask(s.ada, "POST", path("/imports/%d/undo", id), nil).refused(409, "import-busy")
		s.work()
		i := s.imported(s.ada, id)
		same(t, "the report", fmt.Sprint(i["state"], " ", counted(i)), "done map[already:1 named:1 removed:2]")
		if i["started_at"] == nil || i["ended_at"] == nil {
			t.Errorf("no times: %v", i)
		}
		same(t, "who is there", s.inCourse(s.ada, course), "a student, d student, ada owner")
		removed := s.ask(s.ada, "GET", path("/imports/%d/rows?show=removed", id), nil).is(200).items()
		if len(removed) != 2 || removed[0]["line"] != nil || removed[0]["user_id"] == nil {
			t.Errorf("who left: %v", removed)
		}
		newest := s.ask(s.ada, "GET", path("/courses/%d/imports", course), nil).is(200).items()
		same(t, "the list of imports", fmt.Sprint(len(newest), " ", newest[0]["id"], " ", newest[0]["state"]), fmt.Sprintf("1 %d done", id))
	})
}

func TestUndoingThroughTheAPISaysWhatStays(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		id := s.list(s.ada, course, "Email\na@uni.example\nb@uni.example\n")
		undo := path("/imports/%d/undo", id)
		s.ask(s.ada, "POST", undo, nil).refused(409, "import-not-begun")
		s.startList(s.ada, id, 0)
		s.ask(s.ada, "PATCH", path("/courses/%d/enrollments/%d", course, s.idOf("a@uni.example")), object{"student_number": "7"}).is(200)
		same(t, "the state", s.ask(s.ada, "POST", undo, nil).is(202).body["state"], "undoing")
		same(t, "undone twice", s.ask(s.ada, "POST", undo, nil).is(202).body["state"], "undoing")
		s.work()
		same(t, "the state", s.imported(s.ada, id)["state"], "undone")
		stays := s.ask(s.ada, "GET", path("/imports/%d/rows?show=stays", id), nil).is(200).items()
		if len(stays) != 1 || stays[0]["undone"] != "built-on" || stays[0]["row"] != 1.0 {
			t.Errorf("what stays: %v", stays)
		}
		same(t, "who is there", s.inCourse(s.ada, course), "a student, ada owner")
		s.ask(s.ada, "POST", path("/imports/%d/start", id), object{}).is(202) // changes nothing
		same(t, "the state", s.imported(s.ada, id)["state"], "undone")
	})
}

func TestAListIsThrownAwayOrStopped(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		for _, checked := range []bool{false, true} {
			id := s.upload(s.ada, path("/courses/%d/imports", course), classOfThree).is(201).id()
			if checked {
				s.work()
			}
			for range 2 {
				same(t, "the state", s.ask(s.ada, "POST", path("/imports/%d/cancel", id), nil).is(200).body["state"], "canceled")
			}
			s.work()
			same(t, "the rows of a list that was thrown away", s.listRows(s.ada, id, ""), "")
			s.ask(s.ada, "POST", path("/imports/%d/start", id), object{}).refused(409, "import-over")
			s.ask(s.ada, "POST", path("/imports/%d/undo", id), nil).refused(409, "import-not-begun")
		}
		id := s.list(s.ada, course, classOfThree)
		s.ask(s.ada, "POST", path("/imports/%d/start", id), object{}).is(202)
		same(t, "stopped", s.ask(s.ada, "POST", path("/imports/%d/cancel", id), nil).is(200).body["state"], "canceled")
		s.work()
		same(t, "who is there", s.inCourse(s.ada, course), "ada owner")
		s.ask(s.ada, "POST", path("/imports/%d/undo", id), nil).is(202)
		s.work()
		same(t, "the state", s.imported(s.ada, id)["state"], "undone")
	})
}

// endless is a list that is longer than anybody reads.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	return copy(b, bytes.Repeat([]byte("sam@uni.example\n"), len(b)/16+1)), nil
}

func TestAFileThatIsNoListIsRefused(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		to := path("/courses/%d/imports", course)
		for _, c := range []struct{ content, problem string }{
			{"", "file-empty"},
			{"%PDF-1.7\n", "file-kind"},
			{"Email,Role\n", "no-rows"},
			{"Email" + strings.Repeat(",x", rosterfile.MaxColumns) + "\na@uni.example\n", "too-many-columns"},
		} {
			s.upload(s.ada, to, c.content).refused(422, c.problem).at("body")
		}
		s.upload(s.ada, to+"?role=wizard", classOfThree).refused(422, "unknown-role").at("query.role")
		s.upload(s.ada, to+"?rolle=student", classOfThree).refused(400, "malformed").at("query.rolle")
		s.uploadFrom(s.ada, to, endless{}).refused(413, "file-too-large")
		s.uploadFrom(s.ada, to, http.MaxBytesReader(nil, io.NopCloser(endless{}), 1000)).refused(413, "file-too-large")
		same(t, "imports that failed are on record and hold no rows", fmt.Sprint(len(s.ask(s.ada, "GET", to, nil).is(200).items())), "4")
		for _, i := range s.ask(s.ada, "GET", to, nil).is(200).items() {
			same(t, "the state", fmt.Sprint(i["state"], " ", i["rows"]), "failed 0")
		}
		same(t, "who is there", s.inCourse(s.ada, course), "ada owner")
	})
}

func TestAnImportIsNobodyElsesToSee(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course, other := s.course(s.ada, "Algorithms"), s.course(s.ada, "Compilers")
		id := s.list(s.ada, course, "Email\na@uni.example\n")
		limited := withToken(s.ada, lms.ScopeRead, lms.ScopeWrite)
		limited.CourseIDs = []int64{other}
		reader := withToken(s.ada, lms.ScopeRead)
		student := s.sam
		s.enroll(s.ada, course, "student", "sam@uni.example")
		for _, r := range []struct {
			method, path string
			body         any
		}{
			{"GET", "", nil},
			{"GET", "/rows", nil},
			{"PATCH", "", object{"sure": true}},
			{"POST", "/start", object{}},
			{"POST", "/cancel", nil},
			{"POST", "/undo", nil},
		} {
			to := path("/imports/%d%s", id, r.path)
			s.ask(s.grace, r.method, to, r.body).refused(404, "not-found")
			s.ask(limited, r.method, to, r.body).refused(404, "not-found")
			s.ask(anonymous, r.method, to, r.body).refused(401, "sign-in-required")
			s.ask(student, r.method, to, r.body).refused(403, "forbidden")
			s.ask(s.ada, r.method, path("/imports/%d%s", id+99, r.path), r.body).refused(404, "not-found")
			if r.method != "GET" {
				s.ask(reader, r.method, to, r.body).is(403)
			}
		}
		for _, as := range []access.Caller{s.grace, limited} {
			s.upload(as, path("/courses/%d/imports", course), classOfThree).refused(404, "not-found")
			s.ask(as, "GET", path("/courses/%d/imports", course), nil).refused(404, "not-found")
		}
		s.upload(student, path("/courses/%d/imports", course), classOfThree).refused(403, "forbidden")
		s.upload(reader, path("/courses/%d/imports", course), classOfThree).is(403)
		s.upload(limited, path("/courses/%d/imports", other), "b@uni.example\n").is(201)
		same(t, "the list, after all of that", s.imported(s.ada, id)["state"], "ready")
	})
}

func TestAnImportEndsWhenWhoeverBeganItMayNoLonger(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		s.enroll(s.ada, course, "teacher", "grace@uni.example")
		id := s.list(s.grace, course, "Email\na@uni.example\n")
		s.ask(s.grace, "POST", path("/imports/%d/start", id), object{}).is(202)
		s.ask(s.ada, "DELETE", path("/courses/%d/enrollments", course), object{"user_ids": []int64{s.grace.UserID}}).is(200)
		s.work()
		i := s.imported(s.ada, id)
		same(t, "the end", fmt.Sprint(i["state"], " ", i["fault"] != nil), "failed true")
		same(t, "who is there", s.inCourse(s.ada, course), "ada owner")
	})
}
