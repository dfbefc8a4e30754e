package matrix

import (
	"net/url"
	"strconv"
)

// The policy of academic years and terms: everybody reads them, administrators
// change them. {term_id} is a term without courses.
var (
	termAPIPolicy = []row{
		{route: "GET /api/v1/terms", policy: signedIn},
		{route: "POST /api/v1/terms", policy: admins, write: true, body: func(f *fixture) any {
			return object{"name": "Further " + strconv.Itoa(f.serial), "begins_on": "2026-10-01", "ends_on": "2027-09-30"}
		}},
		{route: "GET /api/v1/terms/{term_id}", policy: signedIn},
		{route: "PATCH /api/v1/terms/{term_id}", policy: admins, write: true, body: bodyOf(object{"ends_on": "2027-02-07"})},
		{route: "DELETE /api/v1/terms/{term_id}", policy: admins, write: true},
	}
	termWebPolicy = []row{
		{route: "GET /admin/terms", policy: admins},
		{route: "POST /admin/terms", policy: admins, write: true, form: func(f *fixture) url.Values {
			return url.Values{"name": {"Further " + strconv.Itoa(f.serial) + " by a form"}, "begins_on": {"2026-10-01"}, "ends_on": {"2027-09-30"}}
		}},
		{route: "GET /admin/terms/{term_id}", policy: admins},
		{route: "POST /admin/terms/{term_id}", policy: admins, write: true, form: formOf("name", "Renamed", "begins_on", "2026-10-01", "ends_on", "2027-01-31")},
		{route: "GET /admin/terms/{term_id}/delete", policy: admins},
		{route: "POST /admin/terms/{term_id}/delete", policy: admins, write: true, form: formOf()},
		{route: "POST /admin/courses", policy: admins, form: formOf("term", "")},
	}
)
