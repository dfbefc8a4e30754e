package matrix

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"matricula/internal/lms"
)

// directory is a directory with the token that it was given. It may ask for nothing but
// what directories ask for, and nobody else may ask for that.
const directory actor = "directory"

// inBrowser is for administrators in a session of theirs.
func inBrowser(a actor) answer {
	if a == admin {
		return served
	}
	return refused
}

// directories is what only a directory may ask for: whoever is known otherwise is
// refused. Cookies are nobody's at that door.
func directories(a actor) answer {
	if a == directory {
		return served
	}
	return refused
}

var (
	directoryAPIPolicy = []row{
		{route: "GET /api/v1/directories", policy: admins},
		{route: "POST /api/v1/directories", policy: inBrowser, write: true, body: func(f *fixture) any { return object{"name": "Directory " + strconv.Itoa(f.serial)} }},
		{route: "GET /api/v1/directories/{directory_id}", policy: admins},
		{route: "PATCH /api/v1/directories/{directory_id}", policy: admins, write: true, body: bodyOf(object{"makes_courses": false})},
		{route: "POST /api/v1/directories/{directory_id}/token", policy: inBrowser, write: true},
		{route: "DELETE /api/v1/directories/{directory_id}/token", policy: admins, write: true},
	}
	directoryWebPolicy = []row{
		{route: "GET /admin/directories", policy: admins},
		{route: "POST /admin/directories", policy: admins, write: true, form: func(f *fixture) url.Values {
			return url.Values{"name": {"Directory by a form " + strconv.Itoa(f.serial)}}
		}},
		{route: "GET /admin/directories/{directory_id}", policy: admins},
		{route: "POST /admin/directories/{directory_id}", policy: admins, write: true, form: formOf("link", "attribute")},
		{route: "GET /admin/directories/{directory_id}/token", policy: admins},
		{route: "POST /admin/directories/{directory_id}/token", policy: admins, write: true, form: formOf()},
		{route: "POST /admin/directories/{directory_id}/end", policy: admins, write: true, form: formOf()},
	}

	patchBody  = bodyOf(object{"Operations": []object{{"op": "replace", "value": object{"displayName": "Renamed"}}}})
	userBody   = func(f *fixture) any { return object{"userName": "scim" + strconv.Itoa(f.serial) + "@uni.example"} }
	groupBody  = func(f *fixture) any { return object{"displayName": "Group " + strconv.Itoa(f.serial)} }
	scimPolicy = []row{
		{route: "GET /scim/v2/ServiceProviderConfig", policy: directories},
		{route: "GET /scim/v2/ResourceTypes", policy: directories},
		{route: "GET /scim/v2/ResourceTypes/{name}", policy: directories, allow: []int{http.StatusNotFound}},
		{route: "GET /scim/v2/Schemas", policy: directories},
		{route: "GET /scim/v2/Schemas/{name}", policy: directories, allow: []int{http.StatusNotFound}},
		{route: "POST /scim/v2/.search", policy: directories, body: bodyOf(object{})},
		{route: "GET /scim/v2/Users", policy: directories},
		{route: "POST /scim/v2/Users", policy: directories, write: true, body: userBody},
		{route: "POST /scim/v2/Users/.search", policy: directories, body: bodyOf(object{})},
		{route: "GET /scim/v2/Users/{id}", policy: directories},
		{route: "PUT /scim/v2/Users/{id}", policy: directories, write: true, body: userBody},
		{route: "PATCH /scim/v2/Users/{id}", policy: directories, write: true, body: patchBody},
		{route: "DELETE /scim/v2/Users/{id}", policy: directories, write: true},
		{route: "GET /scim/v2/Groups", policy: directories},
		{route: "POST /scim/v2/Groups", policy: directories, write: true, body: groupBody},
		{route: "POST /scim/v2/Groups/.search", policy: directories, body: bodyOf(object{})},
		{route: "GET /scim/v2/Groups/{id}", policy: directories},
		{route: "PUT /scim/v2/Groups/{id}", policy: directories, write: true, body: groupBody},
		{route: "PATCH /scim/v2/Groups/{id}", policy: directories, write: true, body: patchBody},
		{route: "DELETE /scim/v2/Groups/{id}", policy: directories, write: true},
	}
)

// makeDirectory makes the directory that a route is about.
func (f *fixture) makeDirectory() {
	f.t.Helper()
	m, err := f.Service.CreateDirectory(context.Background(), f.adminBy, "IdP "+strconv.Itoa(f.serial), nil)
	f.must(err)
	f.directory = m.AccountID
}

// scimID is the person or the course that a directory asks about: the one who never
// signed in, or C.
func (f *fixture) scimID(r row) int64 {
	if strings.Contains(r.route, "/Groups/") {
		return f.course
	}
	return f.pupil
}

// asDirectory is the token of a directory for the whole matrix.
func (f *fixture) asDirectory() {
	f.tokens[directory] = f.Token("a directory", lms.SiteAdmin, string(lms.ScopeSCIM))
}

// scimDoor tells who somebody is at the door of directories: nobody without a token.
func scimDoor(r row, a actor) (answer, bool) {
	if !strings.Contains(r.route, " /scim/") {
		switch {
		case a != directory, r.public:
			return "", false
		case r.route == "GET /api/v1/privileges": // what there is to be had, and nobody's
			return served, true
		}
		return refused, true
	}
	switch a {
	case anonymous, forged, tokenAsCookie, accessAsCookie, suspended, stranger, studentOfD, ownerOfD, studentOfC, assistantOfC, teacherOfC, ownerOfC, admin, forgedToken, sessionAsToken, refreshAsToken:
		return badToken, true
	}
	return directories(a), true
}
