package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/quick"

	"matricula/internal/lms"
)

// writes are all routes that take a body, with one that is right. {course},
// {user} and {role} stand for ids.
var writes = []struct{ method, path, body string }{
	{"POST", "/users", `{"email": "new@uni.example"}`},
	{"PATCH", "/users/{user}", `{"site_role": "teacher"}`},
	{"PATCH", "/users/{user}/privileges?course_id={course}", `{"course_privileges": ["roster.view"]}`},
	{"POST", "/courses", `{"title": "Compilers"}`},
	{"PATCH", "/courses/{course}", `{"title": "Compilers"}`},
	{"PUT", "/courses/{course}/enrollments", `{"emails": ["new@uni.example"], "role": "student"}`},
	{"DELETE", "/courses/{course}/enrollments", `{"user_ids": [{user}]}`},
	{"PATCH", "/courses/{course}/enrollments", `{"user_ids": [{user}], "role": "assistant"}`},
	{"PATCH", "/courses/{course}/privileges", `{"user_ids": [{user}], "on": ["audit.view"]}`},
	{"POST", "/courses/{course}/enrollment-check", `{"emails": ["new@uni.example"], "role": "student"}`},
	{"PATCH", "/courses/{course}/enrollments/{user}", `{"role": "student"}`},
	{"POST", "/courses/{course}/lookup", `{"email": "new@uni.example"}`},
	{"POST", "/courses/{course}/roles", `{"name": "Lab tutor", "privileges": ["roster.view"]}`},
	{"PATCH", "/courses/{course}/roles/{role}", `{"name": "Lab tutors"}`},
	{"POST", "/courses/{course}/sections", `{"name": "Lab B"}`},
	{"PATCH", "/courses/{course}/sections/{section}", `{"name": "Lab C"}`},
	{"PATCH", "/imports/{import}", `{"sure": true}`},
	{"POST", "/imports/{import}/start", `{"leaving": 0}`},
	{"POST", "/sources", `{"name": "SIS", "kind": "upload"}`},
	{"PATCH", "/sources/{source}", `{"name": "Student office"}`},
	{"POST", "/webhooks", `{"url": "https://hooks.uni.example/in", "events": ["user.named"]}`},
	{"POST", "/courses/{course}/webhooks", `{"url": "https://hooks.uni.example/in", "events": ["user.named"]}`},
	{"PATCH", "/webhooks/{webhook}", `{"description": "The door"}`},
	{"POST", "/directories", `{"name": "Entra"}`},
	{"PATCH", "/directories/{directory}", `{"makes_courses": false}`},
	{"POST", "/courses/{course}/announcements", `{"title": "Welcome", "body": "Bring a pen."}`},
	{"PATCH", "/courses/{course}/announcements/{announcement}", `{"title": "Welcome"}`},
	{"POST", "/courses/{course}/hand-over", `{"email": "new@uni.example"}`},
	{"POST", "/courses/{course}/copy", `{"title": "Compilers"}`},
	{"POST", "/terms", `{"name": "2027/28", "begins_on": "2027-10-01", "ends_on": "2028-09-30"}`},
	{"PATCH", "/terms/{term}", `{"name": "Year"}`},
	{"POST", "/tokens", `{"name": "sync"}`},
	{"PATCH", "/me", `{"language": "it"}`},
	{"POST", "/courses/{course}/notices", `{"user_ids": [{user}]}`},
	{"POST", "/lookup", `{"email": "sam@uni.example"}`},
	{"PUT", "/users/{pending}/address", `{"email": "right@uni.example"}`},
	{"POST", "/courses/{course}/renewals", `{"user_ids": [{user}]}`},
	{"POST", "/me/addresses", `{"email": "further@home.example"}`},
	{"POST", "/me/addresses/confirm", `{"proof": "none", "code": "BCDF-GHJK"}`},
	{"POST", "/me/addresses/primary", `{"email": "further@home.example"}`},
	{"DELETE", "/me/addresses", `{"email": "further@home.example"}`},
	{"POST", "/duplicates/dismiss", `{"one_id": {user}, "other_id": {other}}`},
	{"POST", "/merge-preview", `{"keep": {"user_id": {user}}, "merge": {"user_id": {pending}}}`},
	{"POST", "/merges", `{"keep": {"user_id": {user}}, "merge": {"user_id": {pending}}}`},
	{"POST", "/me/erasure-request", `{"note": "I leave."}`},
	{"PATCH", "/limits", `{"limit": "naming-course", "amount": 3000}`},
	{"POST", "/limit-lifts", `{"limit": "naming-person", "user_id": {user}, "until": "2020-01-31T12:00:00Z"}`},
	{"POST", "/erasure-requests/{request}/refuse", `{"reason": "Not before June."}`},
	{"POST", "/me/claim-requests", `{"email": "other@uni.example"}`},
	{"POST", "/courses/{course}/claim-requests/{claim}/refuse", `{"reason": "I asked her."}`},
	{"POST", "/claim-requests/{claim}/refuse", `{"reason": "I asked her."}`},
}

// refusedAnyway are those of the writes whose bodies are fine, but not what they ask
// for, with the type of that problem.
var refusedAnyway = map[string]string{
	"POST /courses/{course}/notices": "no-mail",
	"POST /me/addresses":             "no-mail",
	"POST /me/addresses/confirm":     "no-proof",
	"POST /me/addresses/primary":     "not-found",
	"DELETE /me/addresses":           "not-found",

	"POST /erasure-requests/{request}/refuse": "not-found",

	"POST /limit-lifts": "lift-until",
	"POST /courses/{course}/claim-requests/{claim}/refuse": "not-found",
	"POST /claim-requests/{claim}/refuse":                  "not-found",
}

func TestEveryWriteIsInTheListOfWrites_F11(t *testing.T) {
	listed := map[string]bool{}
	for _, w := range writes {
		p, _, _ := strings.Cut(w.path, "?")
		p = strings.NewReplacer("{claim}", "{claim_id}", "{request}", "{request_id}", "{pending}", "{user_id}", "{term}", "{term_id}", "{course}", "{course_id}", "{user}", "{user_id}", "{role}", "{role_id}", "{import}", "{import_id}", "{directory}", "{directory_id}", "{source}", "{source_id}", "{webhook}", "{webhook_id}", "{section}", "{section_id}", "{announcement}", "{announcement_id}").Replace(p)
		listed[w.method+" /api/v1"+p] = true
	}
	var d struct {
		Paths map[string]map[string]struct {
			RequestBody json.RawMessage `json:"requestBody"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(newDocument(t).OpenAPI(), &d); err != nil {
		t.Fatal(err)
	}
	for path, methods := range d.Paths {
		for method, o := range methods {
			if route := strings.ToUpper(method) + " " + path; o.RequestBody != nil && !listed[route] && route != "POST /api/v1/courses/{course_id}/imports" && route != "POST /api/v1/sources/{source_id}/runs" {
				t.Errorf("%s takes a body and is not among the writes", route)
			}
		}
	}
}

// state is what a refused body must not change.
func (s *school) state() string {
	s.Helper()
	_, users := s.request(s.admin, "GET", "/api/v1/users?limit=200", nil)
	_, courses := s.request(s.admin, "GET", "/api/v1/courses?all=true", nil)
	_, tokens := s.request(s.admin, "GET", "/api/v1/tokens", nil)
	_, me := s.request(s.admin, "GET", "/api/v1/me", nil)
	return users.Body.String() + courses.Body.String() + tokens.Body.String() + me.Body.String()
}

func TestBodiesAreReadStrictly_F11(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.admin, "Algorithms")
		role := s.ask(s.admin, "POST", path("/courses/%d/roles", course), object{"name": "Tutor", "privileges": []string{}}).is(201).id()
		s.enroll(s.admin, course, "student", "sam@uni.example")
		announcement := s.ask(s.admin, "POST", path("/courses/%d/announcements", course), object{"title": "x", "body": "x"}).is(201).id()
		term := s.ask(s.admin, "POST", "/api/v1/terms", object{"name": "2026/27", "begins_on": "2026-10-01", "ends_on": "2027-09-30"}).is(201).id()
		source := s.ask(s.admin, "POST", "/api/v1/sources", object{"name": "SIS", "kind": "upload"}).is(201).id()
		webhook := s.ask(s.admin, "POST", "/api/v1/webhooks", object{"url": "https://hooks.uni.example/in", "events": []string{"user.named"}}).is(201).id()
		directory := s.ask(s.admin, "POST", "/api/v1/directories", object{"name": "IdP"}).is(201).id()
		list := s.list(s.admin, course, "a@uni.example\n")
		section := s.ask(s.admin, "POST", path("/courses/%d/sections", course), object{"name": "Lab A"}).is(201).id()
		s.enroll(s.admin, course, "student", "pending@uni.example")
		fill := strings.NewReplacer("{claim}", "987654", "{request}", "987654", "{pending}", fmt.Sprint(s.idOf("pending@uni.example")), "{other}", fmt.Sprint(s.ada.UserID), "{directory}", fmt.Sprint(directory), "{source}", fmt.Sprint(source), "{webhook}", fmt.Sprint(webhook), "{import}", fmt.Sprint(list), "{term}", fmt.Sprint(term), "{section}", fmt.Sprint(section), "{announcement}", fmt.Sprint(announcement), "{course}", fmt.Sprint(course), "{user}", fmt.Sprint(s.sam.UserID), "{role}", fmt.Sprint(role))
		before := s.state()
		for _, w := range writes {
			to, body := "/api/v1"+fill.Replace(w.path), fill.Replace(w.body)
			first := body[1:strings.Index(body, ":")] // the first field's name, quoted
			inside := strings.TrimSuffix(body, "}")
			for what, c := range map[string]struct {
				body   string
				status int
			}{
				"nothing":                      {"", 400},
				"white space":                  {" \n", 400},
				"a byte order mark":            {"\xef\xbb\xbf" + body, 400},
				"trailing garbage":             {body + "x", 400},
				"a second value":               {body + body, 400},
				"a comment":                    {"/* no */" + body, 400},
				"a trailing comma":             {inside + ",}", 400},
				"half of it":                   {inside, 400},
				"single quotes":                {strings.ReplaceAll(body, `"`, `'`), 400},
				"invalid UTF-8":                {inside + ",\"x\":\"\xff\"}", 400},
				"invalid UTF-8 in a key":       {inside + ",\"\xc3\":1}", 400},
				"a lone high surrogate":        {inside + `,"x":"\ud800"}`, 400},
				"a lone low surrogate":         {inside + `,"x":"\udc00 "}`, 400},
				"two high surrogates":          {inside + `,"x":"\ud800\ud800"}`, 400},
				"a lone surrogate in a key":    {inside + `,"\ud800":1}`, 400},
				"depth 65":                     {inside + `,"x":` + strings.Repeat("[", 65) + strings.Repeat("]", 65) + "}", 400},
				"depth 10,000":                 {strings.Repeat(`{"a":`, 9999) + "1" + strings.Repeat("}", 9999), 400},
				"depth 200,000":                {strings.Repeat("[", 200_000) + strings.Repeat("]", 200_000), 400},
				"an unknown field":             {inside + `,"x":1}`, 422},
				"a key twice":                  {inside + "," + body[1:], 422},
				"a key twice, once escaped":    {inside + `,"\u00` + fmt.Sprintf("%02x", first[1]) + first[2:] + ":1}", 422},
				"a key twice further down":     {inside + `,"x":{"a":1,"a":1}}`, 422},
				"a key in another case":        {inside + "," + strings.ToUpper(first) + ":1}", 422},
				"a key that folds to another":  {inside + `,"ſtatuſ":1}`, 422},
				"the prototype":                {inside + `,"__proto__":{}}`, 422},
				"a number beyond all":          {inside + `,"x":1e400}`, 422},
				"a number beyond 64 bits":      {inside + `,"x":9223372036854775808}`, 422},
				"a fraction":                   {inside + `,"x":1.5}`, 422},
				"an exponent":                  {inside + `,"x":1e3}`, 422},
				"a list in place of an object": {"[" + body + "]", 422},
				"a number in place of it":      {"42", 422},
				"a text in place of it":        {`"` + strings.Repeat("x", 20) + `"`, 422},
				"null in place of it":          {"null", 422},
				"true in place of it":          {"true", 422},
				"null for the first field":     {"{" + first + ":null}", 422},
				"an object for the first":      {"{" + first + ":{}}", 422},
				"a number for the first":       {"{" + first + ":7}", 422},
				"lists in lists for the first": {"{" + first + ":[[]]}", 422},
			} {
				re := s.ask(s.admin, w.method, to, c.body)
				if re.status != c.status {
					t.Errorf("%s %s with %s: got %d, want %d: %s", w.method, w.path, what, re.status, c.status, re.raw)
				}
			}
			s.ask(s.admin, w.method, to, strings.Repeat(" ", 1<<20)+body).refused(413, "too-large")
			for _, contentType := range []string{"text/plain", "", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx", "application/xml", "application/merge-patch+json", "application/json; charset=utf-16", "json"} {
				s.ask(s.admin, w.method, to, body, "Content-Type: "+contentType).refused(415, "content-type")
			}
		}
		same(t, "what there is", s.state(), before)

		// And all that was wrong with them was that.
		for i, w := range writes {
			s.work() // what is checked can be started
			contentType := []string{"application/json", "Application/JSON; charset=UTF-8"}[i%2]
			re := s.ask(s.admin, w.method, "/api/v1"+fill.Replace(w.path), fill.Replace(w.body), "Content-Type: "+contentType)
			if typ := refusedAnyway[w.method+" "+w.path]; typ != "" {
				if !strings.HasSuffix(re.text("type"), "/"+typ) {
					t.Errorf("%s %s: %d %s, want %s", w.method, w.path, re.status, re.raw, typ)
				}
				continue
			}
			if re.status >= 300 && w.method != "PATCH" || re.status >= 400 && !strings.Contains(w.path, "enrollments") {
				t.Errorf("%s %s: %d %s", w.method, w.path, re.status, re.raw)
			}
		}
	})
}

func TestBodiesOfExactlyTheLimitAreRead(t *testing.T) {
	s := newSchool(t, "sqlite:"+t.TempDir()+"/school.db", noOptions)
	body := `{"title": "Algorithms"}`
	s.ask(s.ada, "POST", "/api/v1/courses", strings.Repeat(" ", 1<<20-len(body))+body).is(201)
	s.ask(s.ada, "POST", "/api/v1/courses", strings.Repeat(" ", 1<<20-len(body)+1)+body).refused(413, "too-large")
}

func TestRefusalsDoNotEchoWhatWasSent_F11(t *testing.T) {
	s := newSchool(t, "sqlite:"+t.TempDir()+"/school.db", noOptions)
	course := s.course(s.ada, "Algorithms")
	for _, body := range []string{
		`{"emails": "canary", "role": "student"}`, `{"emails": [{"x": "canary"}], "role": "student"}`, `{"emails": ["a@uni.example"], "role": ["canary"]}`,
		`{"emails": ["canary`, `{"user_ids": ["canary"], "role": "student"}`,
	} {
		re := s.ask(s.ada, "PUT", path("/courses/%d/enrollments", course), body)
		if re.status != 422 && re.status != 400 || strings.Contains(string(re.raw), "canary") {
			t.Errorf("%s: %d %s", body, re.status, re.raw)
		}
	}
	for _, query := range []string{"limit=canary", "course_id=canary", "status=canary", "has_privileges=canary", "cursor=canary"} {
		if re := s.ask(s.ada, "GET", "/api/v1/users?"+query, nil).is(400); strings.Contains(string(re.raw), "canary") {
			t.Errorf("%s: %s", query, re.raw)
		}
	}
	if strings.Contains(s.log.String(), "canary") {
		t.Errorf("it stands in the log:\n%s", s.log)
	}
}

func TestHugeNumbersOfFaultsAreAnsweredBriefly_F11(t *testing.T) {
	s := newSchool(t, "sqlite:"+t.TempDir()+"/school.db", noOptions)
	course := s.course(s.ada, "Algorithms")
	many := strings.Repeat(`[],`, 200_000) + `[]`
	var keys strings.Builder
	for i := range 60_000 {
		fmt.Fprintf(&keys, `"k%d":1,`, i)
	}
	for _, body := range []string{`{"emails":[` + many + `],"role":"student"}`, `{` + keys.String() + `"role":"student"}`} {
		if re := s.ask(s.ada, "PUT", path("/courses/%d/enrollments", course), body).refused(422, "invalid"); len(re.raw) > 20_000 || len(re.list("errors")) != 50 {
			t.Errorf("the answer has %d bytes and %d places", len(re.raw), len(re.list("errors")))
		}
	}
}

func TestNoBodyMakesTheServerPanic_F11(t *testing.T) {
	s := newSchool(t, "sqlite:"+t.TempDir()+"/school.db", noOptions)
	course := s.course(s.ada, "Algorithms")
	seed := []byte(`{"people":[{"email":"a\u0041\ud83d\ude00@uni.example"},{"user_id":-12}],"role":"x","emails":[null,true,1.5e3],"y":{"z":[]}}`)
	mangle := func(cuts [4]uint16, b byte) bool {
		body := append([]byte{}, seed...)
		for _, c := range cuts {
			i := int(c) % len(body)
			switch c % 3 {
			case 0:
				body = append(body[:i], body[i+1:]...)
			case 1:
				body[i] = b
			default:
				body = append(body[:i], append([]byte{b}, body[i:]...)...)
			}
		}
		_, w := s.request(s.ada, "PUT", path("/courses/%d/enrollments", course), string(body))
		return w.Code == 400 || w.Code == 422 || w.Code == 200
	}
	if err := quick.Check(mangle, &quick.Config{MaxCount: 3000}); err != nil {
		t.Error(err)
	}
}

func TestListsTakeOnlyTheirOwnParameters_F17_F30(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		for _, list := range []string{"/users", "/courses", path("/courses/%d/enrollments", course)[7:], path("/courses/%d/audit", course)[7:], "/tokens"} {
			for _, query := range []string{
				"limit=-1", "limit=0", "limit=201", "limit=1e9", "limit=1000000000", "limit=99999999999999999999", "limit=ten", "limit=1.5", "limit=0x10",
				"offset=0", "offset=99999999999999999999", "page=2", "sort=password", "sort=(select+1)", "order=desc", "filter[role][$ne]=x",
				"limit=1&limit=2", "limit[]=1", "Limit=1", "fields=*", "q=%", "%ff=1", "a;b", "limit=%zz", "cursor=x", "cursor=" + strings.Repeat("A", 5000), "cursor=%00",
			} {
				re := s.ask(s.ada, "GET", "/api/v1"+list+"?"+query, nil)
				if re.status != 400 {
					t.Errorf("%s?%s: got %d, want 400: %s", list, query, re.status, re.raw)
				}
			}
			s.ask(s.ada, "GET", "/api/v1"+list+"?limit=1", nil).is(200)
			s.ask(s.ada, "GET", "/api/v1"+list+"?limit=200&cursor=", nil).is(200)
			s.ask(s.ada, "GET", "/api/v1"+list, nil).is(200)
		}
		for _, query := range []string{"role=%00", "role=%ff", "search=%00", "search=a%0ab", "status=erased", "status=Pending", "group=all"} {
			s.ask(s.ada, "GET", path("/courses/%d/enrollments?%s", course, query), nil).refused(400, "malformed")
		}
		s.ask(s.ada, "GET", "/api/v1/me?x=1", nil).refused(400, "malformed").at("query.x")
		s.ask(s.ada, "POST", "/api/v1/courses?title=x", object{"title": "x"}).refused(400, "malformed")
		s.ask(s.ada, "GET", "/api/v1/users?has_privileges=true", nil).refused(400, "malformed").at("query.has_privileges")
	})
}

func TestFinderTakesEverythingLiterally_F16(t *testing.T) {
	onEachEngine(t, func(s *school) {
		for _, search := range []string{"%25", "%25%25", "__", "a%25", "%5C%5C", "**", "%27%27", "%22a", "%3B--", "gr.ce", "%5Ba-z%5D", "%F0%9F%98%80%F0%9F%98%80", "grace%27+OR+1%3D1"} {
			if got := s.ask(s.admin, "GET", "/api/v1/users?search="+search, nil); got.status == 200 && len(got.items()) > 0 || got.status != 200 && got.status != 422 {
				t.Errorf("search %s: %d %s", search, got.status, got.raw)
			}
		}
		s.ask(s.admin, "GET", "/api/v1/users?search=a", nil).refused(422, "search-too-short").at("query.search")
		s.ask(s.admin, "GET", "/api/v1/users?search="+strings.Repeat("x", 10_000), nil).refused(422, "text-too-long").at("query.search")
		same(t, "found", len(s.ask(s.admin, "GET", "/api/v1/users?search=GRÀCE", nil).is(200).items()), 1)
	})
}

func TestCursorsAreTheCallersOwnOfOneListWithItsFilters_F17(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course, other := s.course(s.ada, "Algorithms"), s.course(s.ada, "Compilers")
		for _, c := range []int64{course, other} {
			s.enroll(s.ada, c, "student", "a@uni.example", "b@uni.example", "c@uni.example")
		}
		cursor := func(as string, to string) string {
			caller := s.ada
			if as == "admin" {
				caller = s.admin
			}
			return s.ask(caller, "GET", to, nil).is(200).text("next_cursor")
		}
		roster := path("/courses/%d/enrollments?limit=2&status=pending", course)
		c := cursor("ada", roster)
		s.ask(s.ada, "GET", roster+"&cursor="+c, nil).is(200)
		s.ask(s.ada, "GET", path("/courses/%d/enrollments?status=pending&role=&limit=1", course)+"&cursor="+c, nil).is(200)
		for _, to := range []string{
			path("/courses/%d/enrollments?limit=2&status=pending", other), path("/courses/%d/enrollments?limit=2", course),
			path("/courses/%d/enrollments?limit=2&status=pending&role=student", course), path("/courses/%d/audit?limit=2", course), "/api/v1/users?limit=2",
		} {
			s.ask(s.ada, "GET", to+"&cursor="+c, nil).refused(400, "cursor").at("query.cursor")
		}
		s.ask(s.admin, "GET", roster+"&cursor="+c, nil).refused(400, "cursor")
		s.ask(s.ada, "GET", roster+"&cursor="+cursor("admin", roster), nil).refused(400, "cursor")
		for i := range len(c) {
			forged := c[:i] + string(c[i]^1) + c[i+1:]
			if w := s.ask(s.ada, "GET", roster+"&cursor="+strings.ReplaceAll(forged, "`", "A"), nil); w.status != 400 {
				t.Fatalf("a cursor with character %d changed: %d", i, w.status)
			}
		}
		s.ask(s.ada, "GET", roster+"&cursor="+c+"A", nil).refused(400, "cursor")
		s.ask(s.ada, "GET", roster+"&cursor="+c[:len(c)-4], nil).refused(400, "cursor")
		if strings.Contains(c, "example") || len(c) > 400 {
			t.Errorf("the cursor is %q", c)
		}
	})
}

func TestPagesTogetherAreTheList(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		var emails []string
		for i := range 23 {
			emails = append(emails, fmt.Sprintf("student%02d@uni.example", i))
		}
		s.enroll(s.ada, course, "student", emails...)
		for range 4 {
			s.ask(s.ada, "POST", "/api/v1/tokens", object{"name": "t"}).is(201)
			s.course(s.ada, "Another")
		}
		for _, list := range []string{path("/courses/%d/enrollments?", course), path("/users?course_id=%d&", course), path("/courses/%d/audit?", course), "/api/v1/courses?", "/api/v1/tokens?"} {
			whole := s.ask(s.ada, "GET", list+"limit=200", nil).is(200)
			same(t, "cursor at the end", whole.body["next_cursor"], nil)
			var pages []object
			for to := list + "limit=3"; ; {
				p := s.ask(s.ada, "GET", to, nil).is(200)
				pages = append(pages, p.items()...)
				if p.body["next_cursor"] == nil {
					break
				}
				to = list + "limit=3&cursor=" + p.text("next_cursor")
			}
			if len(pages) < 4 {
				t.Errorf("%s has only %d items", list, len(pages))
			}
			same(t, list, pages, whole.items())
		}
	})
}

func TestIDsInPathsHaveOneSpelling_F20(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course := s.course(s.ada, "Algorithms")
		bad := []string{
			"0", "-1", "-5", "01", "+1", "1e3", "0x1", "1.0", "9223372036854775808", "99999999999999999999", "abc", "null", "1%20", "%31%00", "1;x=1", "1,2", "１",
			"f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "{1}", "1%2Faudit", "..", "%2e%2e", "*", "9223372036854775807", "987654321",
		}
		for _, id := range bad {
			for _, to := range []string{
				"/users/" + id, "/courses/" + id, "/courses/" + id + "/enrollments", "/courses/" + id + "/audit", "/courses/" + id + "/roles",
				path("/courses/%d/roles/", course)[7:] + id, path("/courses/%d/users/", course)[7:] + id + "/access", "/courses/" + id + fmt.Sprintf("/users/%d/access", s.ada.UserID),
				"/tokens/" + id,
			} {
				if re := s.ask(s.ada, "GET", "/api/v1"+to, nil); re.status != 404 {
					t.Errorf("GET %s: got %d, want 404: %s", to, re.status, re.raw)
				}
			}
			s.ask(s.ada, "DELETE", "/api/v1/sessions/"+id, nil).is(404)
			s.ask(s.ada, "PATCH", path("/courses/%d/enrollments/%s", course, id), object{"role": "student"}).is(404)
			if id != "-1" {
				s.ask(s.ada, "PATCH", "/api/v1/users/"+id+fmt.Sprintf("/privileges?course_id=%d", course), object{"course_privileges": []string{}}).is(404)
			}
		}
		// The id of another kind of thing.
		s.ask(s.ada, "GET", path("/courses/%d/roles/%d", course, 1<<40), nil).is(404)
		same(t, "ids in bodies", s.ask(s.ada, "PUT", path("/courses/%d/enrollments", course), object{"user_ids": []int64{0, -1, 1 << 60, 9007199254740993}, "role": "student"}).is(200).body["counts"], object{"refused": 4.0})
	})
}

func TestNestedIDsBelongTogether_C16(t *testing.T) {
	onEachEngine(t, func(s *school) {
		mine, hers := s.course(s.ada, "Algorithms"), s.course(s.grace, "Compilers")
		role := s.ask(s.grace, "POST", path("/courses/%d/roles", hers), object{"name": "Tutor", "privileges": []string{}}).is(201).id()
		for _, method := range []string{"GET", "DELETE"} {
			s.ask(s.ada, method, path("/courses/%d/roles/%d", mine, role), nil).refused(404, "not-found")
			s.ask(s.ada, method, path("/courses/%d/roles/%d", hers, role), nil).refused(404, "not-found")
		}
		s.ask(s.ada, "PATCH", path("/courses/%d/roles/%d", mine, role), object{"name": "Mine"}).refused(404, "not-found")
		same(t, "name", s.ask(s.grace, "GET", path("/courses/%d/roles/%d", hers, role), nil).is(200).text("name"), "Tutor")
	})
}

func TestPathsAndMethodsHaveOneSpelling_C30(t *testing.T) {
	s := newSchool(t, "sqlite:"+t.TempDir()+"/school.db", noOptions)
	course := s.course(s.ada, "Algorithms")
	for _, to := range []string{"/api/v1/", "/api/v1/courses/", "/api//v1/courses", "/api/v1/./courses", "/api/v1/x/../courses", "/api/v1/%2e/courses", "/api/V1/courses", "/api/v1/Courses", "/api/v1/courses;x=1", "/api/v2/courses", "/api/", "/api/nothing", "/api/v1/courses%2f", "/api/v1/users/" + fmt.Sprint(s.ada.UserID) + "/"} {
		for _, as := range []bool{true, false} {
			caller := anonymous
			if as {
				caller = s.ada
			}
			s.ask(caller, "GET", to, nil).refused(404, "no-route")
		}
	}
	for method, allow := range map[string]string{"PUT": "DELETE, GET, HEAD, PATCH", "POST": "DELETE, GET, HEAD, PATCH", "OPTIONS": "DELETE, GET, HEAD, PATCH", "TRACE": "DELETE, GET, HEAD, PATCH", "QUERY": "DELETE, GET, HEAD, PATCH"} {
		re := s.ask(s.ada, method, path("/courses/%d", course), nil, "X-HTTP-Method-Override: DELETE").refused(405, "method")
		same(t, "Allow", re.header.Get("Allow"), allow)
	}
	s.ask(anonymous, "HEAD", path("/courses/%d", course), nil, "X-HTTP-Method-Override: GET").is(401)
	s.ask(s.ada, "HEAD", path("/courses/%d", course), nil).is(200)
	s.ask(s.grace, "HEAD", path("/courses/%d", course), nil).is(404)
	s.ask(s.ada, "GET", "/api/v1/me", nil, "X-HTTP-Method-Override: DELETE", "Accept: text/html").is(200)
}

func TestTokensReachOnlyWhatTheyAreFor_C17(t *testing.T) {
	onEachEngine(t, func(s *school) {
		course, other := s.course(s.ada, "Algorithms"), s.course(s.ada, "Compilers")
		reader := withToken(s.ada, lms.ScopeRead)
		announcement := s.ask(s.admin, "POST", path("/courses/%d/announcements", course), object{"title": "x", "body": "x"}).is(201).id()
		term := s.ask(s.admin, "POST", "/api/v1/terms", object{"name": "2026/27", "begins_on": "2026-10-01", "ends_on": "2027-09-30"}).is(201).id()
		source := s.ask(s.admin, "POST", "/api/v1/sources", object{"name": "SIS", "kind": "upload"}).is(201).id()
		webhook := s.ask(s.admin, "POST", "/api/v1/webhooks", object{"url": "https://hooks.uni.example/in", "events": []string{"user.named"}}).is(201).id()
		directory := s.ask(s.admin, "POST", "/api/v1/directories", object{"name": "IdP"}).is(201).id()
		list := s.list(s.ada, course, "a@uni.example\n")
		section := s.ask(s.ada, "POST", path("/courses/%d/sections", course), object{"name": "Lab A"}).is(201).id()
		fill := strings.NewReplacer("{claim}", "987654", "{request}", "987654", "{pending}", fmt.Sprint(s.sam.UserID), "{other}", fmt.Sprint(s.ada.UserID), "{directory}", fmt.Sprint(directory), "{source}", fmt.Sprint(source), "{webhook}", fmt.Sprint(webhook), "{import}", fmt.Sprint(list), "{term}", fmt.Sprint(term), "{section}", fmt.Sprint(section), "{announcement}", fmt.Sprint(announcement), "{course}", fmt.Sprint(course), "{user}", fmt.Sprint(s.sam.UserID), "{role}", "1")
		for _, w := range writes {
			if strings.HasSuffix(w.path, "/lookup") || strings.HasSuffix(w.path, "/enrollment-check") {
				continue // reads only
			}
			re := s.ask(reader, w.method, "/api/v1"+fill.Replace(w.path), fill.Replace(w.body))
			if re.status != 403 {
				t.Errorf("%s %s with a token to read: %d", w.method, w.path, re.status)
			}
		}
		limited := withToken(s.ada, lms.ScopeRead, lms.ScopeWrite)
		limited.CourseIDs = []int64{course}
		s.ask(limited, "GET", path("/courses/%d", course), nil).is(200)
		s.ask(limited, "GET", path("/courses/%d", other), nil).refused(404, "not-found")
		s.ask(limited, "POST", "/api/v1/courses", object{"title": "x"}).refused(403, "token-scope")
		s.ask(limited, "POST", "/api/v1/tokens", object{"name": "x"}).refused(403, "token-not-enough")
		s.ask(limited, "DELETE", "/api/v1/sessions", nil).refused(403, "token-not-enough")
		me := s.ask(limited, "GET", "/api/v1/me", nil).is(200)
		same(t, "scopes", words(me.body["scopes"]), "read write")
		same(t, "course_ids", me.list("course_ids")[0], course)
		same(t, "courses", len(me.list("courses")), 1)
	})
}
