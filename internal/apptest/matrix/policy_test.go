package matrix

import (
	"net/url"
	"strconv"
)

// actor is a kind of caller. Course C is the one that is asked about; D is
// another.
type actor string

const (
	anonymous      actor = "anonymous"
	forged         actor = "with a session that never was"
	suspended      actor = "suspended owner of C"
	stranger       actor = "signed in, in no course"
	studentOfD     actor = "student of D"
	ownerOfD       actor = "owner of D"
	studentOfC     actor = "student of C"
	assistantOfC   actor = "assistant of C"
	teacherOfC     actor = "teacher of C"
	ownerOfC       actor = "owner of C"
	admin          actor = "administrator"
	adminToken     actor = "administrator's token"
	readToken      actor = "administrator's token with scope read"
	tokenForD      actor = "administrator's token limited to D"
	program        actor = "program in which an administrator signed in"
	refreshAsToken actor = "with a program's refresh token in the access token's place"
	accessAsCookie actor = "with a program's access token in the cookie's place"
	forgedToken    actor = "with a token that never was"
	tokenAsCookie  actor = "with a token in the cookie's place"
	sessionAsToken actor = "with a session in the token's place"
)

// browsers are who can ask for pages, programs who else can ask the API.
var (
	browsers = []actor{anonymous, forged, tokenAsCookie, accessAsCookie, suspended, stranger, studentOfD, ownerOfD, studentOfC, assistantOfC, teacherOfC, ownerOfC, admin}
	programs = []actor{directory, forgedToken, sessionAsToken, refreshAsToken, tokenForD, readToken, adminToken, program}
)

// answer is what an actor gets.
type answer string

const (
	served     answer = "served"    // whatever was asked for was done
	signInPage answer = "sign-in"   // 401, or for a page the way to the sign-in page
	hidden     answer = "404"       // must not learn whether it exists
	refused    answer = "403"       // may know, may not do
	badToken   answer = "bad token" // 401
)

// policy tells what an actor who is known to the program gets.
type policy func(actor) answer

// inCourse is the policy of what is about course C: the actors of C who may,
// and the administrator; others of C are refused, and everybody else does not
// learn that C exists.
func inCourse(may ...actor) policy {
	return func(a actor) answer {
		for _, m := range may {
			if a == m {
				return served
			}
		}
		switch a {
		case admin, adminToken, readToken:
			return served
		case studentOfC, assistantOfC, teacherOfC, ownerOfC:
			return refused
		}
		return hidden
	}
}

var (
	everybodyOfC = inCourse(studentOfC, assistantOfC, teacherOfC, ownerOfC)
	rosterViewer = inCourse(assistantOfC, teacherOfC, ownerOfC)
	rosterKeeper = rosterViewer // assistants manage the roster
	staffKeeper  = inCourse(teacherOfC, ownerOfC)
	courseEditor = inCourse(teacherOfC, ownerOfC)
	auditor      = inCourse(teacherOfC, ownerOfC)
	archivist    = inCourse(ownerOfC)
)

// signedIn is for whoever is anybody.
func signedIn(actor) answer { return served }

// authors are those who may create courses.
func authors(a actor) answer {
	switch a {
	case ownerOfC, ownerOfD, admin, adminToken, readToken:
		return served
	case tokenForD:
		return refused
	}
	return refused
}

// admins is for administrators alone.
func admins(a actor) answer {
	switch a {
	case admin, adminToken, readToken:
		return served
	}
	return refused
}

// nobodys is for what belongs to a further person: there is nothing to see for
// anybody else, and tokens that may not ask at all are told so.
func nobodys(a actor) answer {
	switch a {
	case tokenForD, readToken:
		return refused
	}
	return hidden
}

// row is the policy of one route, with a request that is good in itself.
type row struct {
	route  string
	policy policy
	write  bool                 // changes something: needs the scope write
	people bool                 // only in a browser: no token is enough
	public bool                 // served to anybody at all
	body   func(f *fixture) any // of the API: JSON
	form   func(f *fixture) url.Values
	file   string // of the API: the body is this file
	query  string
	allow  []int // further statuses that mean that the policy let it pass
}

func formOf(pairs ...string) func(*fixture) url.Values {
	return func(*fixture) url.Values {
		v := url.Values{}
		for i := 0; i+1 < len(pairs); i += 2 {
			v.Add(pairs[i], pairs[i+1])
		}
		return v
	}
}

type object = map[string]any

func bodyOf(o object) func(*fixture) any { return func(*fixture) any { return o } }

// apiPolicy is the policy of the JSON API.
var apiPolicy = []row{
	{route: "GET /api/openapi.json", public: true},
	{route: "GET /api/docs", public: true},
	{route: "GET /api/docs.css", public: true},
	{route: "GET /api/v1/privileges", policy: signedIn},
	{route: "GET /api/v1/me", policy: signedIn},
	{route: "PATCH /api/v1/me", policy: signedIn, write: true, body: bodyOf(object{"language": ""})},

	{route: "GET /api/v1/users", policy: signedIn},
	{route: "POST /api/v1/users", policy: admins, write: true, body: bodyOf(object{"email": "new@uni.example"})},
	{route: "GET /api/v1/users/{user_id}", policy: func(a actor) answer {
		// {user_id} is a student of C.
		switch a {
		case assistantOfC, teacherOfC, ownerOfC, admin, adminToken, readToken:
			return served
		case studentOfC:
			return served // it is themselves
		}
		return hidden
	}},
	{route: "PATCH /api/v1/users/{user_id}", policy: admins, write: true, body: bodyOf(object{"site_role": "teacher"})},
	{route: "PATCH /api/v1/users/{user_id}/privileges", policy: staffKeeper, write: true, query: "course_id={course_id}", body: bodyOf(object{"course_privileges": []string{"roster.view"}})},

	{route: "GET /api/v1/courses", policy: signedIn},
	{route: "POST /api/v1/courses", policy: authors, write: true, body: bodyOf(object{"title": "New"})},
	{route: "GET /api/v1/courses/{course_id}", policy: everybodyOfC},
	{route: "PATCH /api/v1/courses/{course_id}", policy: courseEditor, write: true, body: bodyOf(object{"title": "Renamed"})},
	{route: "DELETE /api/v1/courses/{course_id}", policy: archivist, write: true, allow: []int{409}}, // it is not archived

	{route: "GET /api/v1/courses/{course_id}/enrollments", policy: rosterViewer},
	{route: "PUT /api/v1/courses/{course_id}/enrollments", policy: rosterKeeper, write: true, body: bodyOf(object{"emails": []string{"someone@uni.example"}, "role": "student"})},
	{route: "PATCH /api/v1/courses/{course_id}/enrollments", policy: staffKeeper, write: true, body: func(f *fixture) any { return object{"user_ids": []int64{f.pupil}, "role": "assistant"} }},
	{route: "PATCH /api/v1/courses/{course_id}/privileges", policy: staffKeeper, write: true, body: func(f *fixture) any { return object{"user_ids": []int64{f.pupil}, "on": []string{"roster.view"}} }},
	{route: "POST /api/v1/courses/{course_id}/enrollment-check", policy: rosterKeeper, body: bodyOf(object{"emails": []string{"someone@uni.example"}, "role": "student"})},
	{route: "DELETE /api/v1/courses/{course_id}/enrollments", policy: rosterKeeper, write: true, body: func(f *fixture) any { return object{"user_ids": []int64{f.pupil}} }},
	{route: "PATCH /api/v1/courses/{course_id}/enrollments/{user_id}", policy: staffKeeper, write: true, body: bodyOf(object{"role": "assistant"})},

	{route: "GET /api/v1/courses/{course_id}/roles", policy: rosterViewer},
	{route: "GET /api/v1/courses/{course_id}/roles/{role_id}", policy: rosterViewer},
	{route: "POST /api/v1/courses/{course_id}/roles", policy: staffKeeper, write: true, body: bodyOf(object{"name": "Tutor", "privileges": []string{"roster.view"}})},
	{route: "PATCH /api/v1/courses/{course_id}/roles/{role_id}", policy: staffKeeper, write: true, body: bodyOf(object{"name": "Renamed"})},
	{route: "DELETE /api/v1/courses/{course_id}/roles/{role_id}", policy: staffKeeper, write: true},

	{route: "GET /api/v1/courses/{course_id}/users/{user_id}/access", policy: inCourse(studentOfC, assistantOfC, teacherOfC, ownerOfC)},
	{route: "GET /api/v1/courses/{course_id}/audit", policy: auditor},
	{route: "GET /api/v1/audit", policy: admins},

	{route: "GET /api/v1/tokens", policy: signedIn},
	{route: "POST /api/v1/tokens", policy: signedIn, write: true, people: true, body: bodyOf(object{"name": "mine"})},
	{route: "GET /api/v1/tokens/{token_id}", policy: func(actor) answer { return hidden }}, // it is somebody else's
	{route: "DELETE /api/v1/tokens/{token_id}", policy: nobodys, write: true},
	{route: "GET /api/v1/sessions", policy: signedIn},
	{route: "DELETE /api/v1/sessions", policy: signedIn, write: true, people: true},
	{route: "GET /api/v1/me/identities", policy: signedIn},
	{route: "GET /api/v1/courses/{course_id}/counts", policy: rosterViewer},
	{route: "POST /api/v1/courses/{course_id}/lookup", policy: rosterKeeper, body: bodyOf(object{"email": "someone@uni.example"})},
	{route: "DELETE /api/v1/sessions/{session_id}", policy: func(actor) answer { return hidden }, write: true, people: true},
}

// webPolicy is the policy of the pages.
var webPolicy = []row{
	{route: "GET /static/{version}/{name}", public: true, allow: []int{404}},
	{route: "GET /favicon.ico", public: true},
	{route: "GET /sign-in", public: true},
	{route: "GET /language", public: true},
	{route: "POST /language", public: true, form: formOf("language", "en")},
	{route: "GET /auth/{provider}/start", public: true},
	{route: "GET /auth/{provider}/callback", public: true, allow: []int{400}},
	{route: "POST /auth/sign-out", public: true, form: formOf()},

	{route: "GET /{$}", policy: signedIn},
	{route: "GET /courses/new", policy: authors},
	{route: "POST /courses", policy: authors, write: true, form: formOf("title", "New")},
	{route: "GET /courses/{course_id}", policy: everybodyOfC},

	{route: "GET /courses/{course_id}/people", policy: rosterViewer},
	{route: "GET /courses/{course_id}/people/search", policy: signedIn}, // leads back to the table, whatever the course
	{route: "POST /courses/{course_id}/people/search", policy: rosterViewer, form: formOf("search", "ada")},
	{route: "GET /courses/{course_id}/people/find", policy: signedIn},
	{route: "POST /courses/{course_id}/people/find", policy: rosterKeeper, form: formOf("email", "someone@uni.example")},
	{route: "GET /courses/{course_id}/people/privileges", policy: signedIn},
	{route: "POST /courses/{course_id}/people/privileges", policy: staffKeeper, write: true, form: formOf("email", "someone@uni.example", "privilege", "roster.view")},
	{route: "GET /courses/{course_id}/people/selected", policy: signedIn},
	{route: "POST /courses/{course_id}/people/selected", policy: rosterKeeper, write: true, form: func(f *fixture) url.Values {
		return url.Values{"selected": {strconv.FormatInt(f.pupil, 10)}, "do": {"remove"}}
	}},
	{route: "GET /courses/{course_id}/people/undo", policy: signedIn},
	{route: "POST /courses/{course_id}/people/undo", policy: rosterKeeper, write: true, form: formOf("undo", "1|student|||||")},
	{route: "GET /courses/{course_id}/people/suggest", policy: signedIn},
	{route: "POST /courses/{course_id}/people/suggest", policy: rosterKeeper, form: formOf("email", "someone")},
	{route: "GET /courses/{course_id}/people/check", policy: signedIn},
	{route: "POST /courses/{course_id}/people/check", policy: rosterKeeper, form: formOf("emails", "someone@uni.example", "role", "student")},
	{route: "GET /courses/{course_id}/people/add", policy: rosterKeeper},
	{route: "POST /courses/{course_id}/people/add", policy: rosterKeeper, write: true, form: formOf("emails", "someone@uni.example", "role", "student")},
	{route: "GET /courses/{course_id}/people/{user_id}", policy: func(a actor) answer {
		if a == studentOfC {
			return served // it is themselves
		}
		return rosterViewer(a)
	}},
	{route: "POST /courses/{course_id}/people/{user_id}/role", policy: staffKeeper, write: true, form: formOf("role", "assistant")},
	{route: "GET /courses/{course_id}/people/{user_id}/remove", policy: rosterKeeper},
	{route: "POST /courses/{course_id}/people/{user_id}/remove", policy: rosterKeeper, write: true, form: formOf()},

	{route: "GET /courses/{course_id}/roles", policy: rosterViewer},
	{route: "POST /courses/{course_id}/roles", policy: staffKeeper, write: true, form: formOf("name", "Tutor", "privileges", "roster.view")},
	{route: "GET /courses/{course_id}/roles/{role_id}", policy: staffKeeper},
	{route: "POST /courses/{course_id}/roles/{role_id}", policy: staffKeeper, write: true, form: formOf("name", "Renamed")},
	{route: "POST /courses/{course_id}/roles/{role_id}/delete", policy: staffKeeper, write: true, form: formOf()},

	{route: "GET /courses/{course_id}/audit", policy: auditor},
	{route: "GET /courses/{course_id}/settings", policy: courseEditor},
	{route: "POST /courses/{course_id}/settings", policy: courseEditor, write: true, form: formOf("title", "Renamed")},
	{route: "POST /courses/{course_id}/settings/archive", policy: archivist, write: true, form: formOf()},
	{route: "POST /courses/{course_id}/settings/restore", policy: archivist, write: true, form: formOf()},
	{route: "GET /courses/{course_id}/settings/delete", policy: archivist, allow: []int{409}},
	{route: "POST /courses/{course_id}/settings/delete", policy: archivist, write: true, form: formOf(), allow: []int{409}},

	{route: "GET /account", policy: signedIn},
	{route: "POST /account/sessions/{session_id}/end", policy: func(actor) answer { return hidden }, form: formOf()},
	{route: "POST /account/sessions/end-others", policy: signedIn, write: true, form: formOf()},
	{route: "GET /account/tokens", policy: signedIn},
	{route: "POST /account/tokens", policy: signedIn, write: true, form: formOf("name", "mine", "scope", "read", "days", "30")},
	{route: "POST /account/tokens/{token_id}/revoke", policy: func(actor) answer { return hidden }, form: formOf()},

	{route: "GET /admin/people", policy: admins},
	{route: "POST /admin/people", policy: admins, write: true, form: formOf("email", "new@uni.example", "site_role", "teacher")},
	{route: "GET /admin/people/search", policy: admins},
	{route: "POST /admin/people/search", policy: admins, form: formOf("search", "ada")},
	{route: "GET /admin/people/{user_id}", policy: admins},
	{route: "POST /admin/people/{user_id}/site-role", policy: admins, write: true, form: formOf("site_role", "teacher")},
	{route: "POST /admin/people/{user_id}/status", policy: admins, write: true, form: formOf("status", "suspended")},
	{route: "GET /admin/courses", policy: admins},
	{route: "GET /admin/audit", policy: admins},
}

// operationsPolicy is the policy of what is for whoever runs the server. The
// test asks from loopback, where metrics are open.
var operationsPolicy = []row{
	{route: "GET /healthz", public: true},
	{route: "GET /readyz", public: true},
	{route: "GET /metrics", public: true},
	{route: "POST /oauth/token", public: true, form: formOf(), allow: []int{400}},
	{route: "POST /oauth/revoke", public: true, form: formOf("token", "nobody's")},
	{route: "GET /.well-known/oauth-authorization-server", public: true},
}

// want is what an actor gets from a route.
func (r row) want(a actor) answer {
	if door, ok := scimDoor(r, a); ok {
		return door
	}
	switch a { // what is new at these doors is treated as what was there before
	case program:
		a = adminToken
	case refreshAsToken:
		a = forgedToken
	case accessAsCookie:
		a = tokenAsCookie
	}
	switch {
	case a == forgedToken, a == sessionAsToken:
		return badToken // also where nobody is asked who they are
	case r.route == "POST /auth/sign-out", r.route == "POST /auth/another":
		return signInPage // where whoever is signed out belongs
	case r.public:
		return served
	case a == anonymous, a == forged, a == suspended, a == tokenAsCookie:
		return signInPage
	}
	by := r.policy(a)
	if by != served && !(by == hidden && r.people) {
		return by
	}
	switch {
	case r.people && (a == adminToken || a == readToken || a == tokenForD):
		return refused
	case r.write && a == readToken:
		return refused
	case r.write && a == tokenForD:
		return refused
	}
	return by
}
