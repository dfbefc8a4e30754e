package matrix

import (
	"net/url"
	"strconv"
	"time"
)

// The policy of limits: administrators alone see, set and lift them.
var (
	limitAPIPolicy = []row{
		{route: "GET /api/v1/limits", policy: admins},
		{route: "PATCH /api/v1/limits", policy: admins, write: true, body: func(f *fixture) any { return object{"limit": "finding-person", "amount": 5000 + f.serial} }},
		{route: "GET /api/v1/limit-lifts", policy: admins},
		{route: "POST /api/v1/limit-lifts", policy: admins, write: true, body: func(*fixture) any {
			return object{"limit": "naming-domain", "domain": "mail.example", "until": time.Now().AddDate(0, 1, 0).UTC().Format(time.RFC3339)}
		}},
		{route: "DELETE /api/v1/limit-lifts/{lift_id}", policy: admins, write: true},
	}
	limitWebPolicy = []row{
		{route: "GET /admin/limits", policy: admins},
		{route: "POST /admin/limits", policy: admins, write: true, form: func(f *fixture) url.Values {
			return url.Values{"limit": {"finding-person"}, "amount": {strconv.Itoa(7000 + f.serial)}}
		}},
		{route: "GET /admin/limits/lift", policy: admins},
		{route: "POST /admin/limits/lift", policy: admins, write: true, form: func(*fixture) url.Values {
			return url.Values{"limit": {"naming-domain"}, "for": {"mail.example"}, "until": {time.Now().AddDate(0, 1, 0).UTC().Format(time.DateOnly)}}
		}},
		{route: "GET /admin/limits/end", policy: admins},
		{route: "POST /admin/limits/end", policy: admins, write: true, form: func(f *fixture) url.Values { return url.Values{"lift": {strconv.FormatInt(f.lift, 10)}} }},
	}
)
