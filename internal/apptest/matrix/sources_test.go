package matrix

// The policy of roster sources. {source_id} is one of the site, {run_id} a run of
// it that failed.
var (
	sourcesAPIPolicy = []row{
		{route: "GET /api/v1/sources", policy: admins},
		{route: "POST /api/v1/sources", policy: admins, write: true, body: bodyOf(object{"name": "SIS", "kind": "upload"})},
		{route: "GET /api/v1/sources/{source_id}", policy: admins},
		{route: "PATCH /api/v1/sources/{source_id}", policy: admins, write: true, body: bodyOf(object{"brake_percent": 10})},
		{route: "DELETE /api/v1/sources/{source_id}", policy: admins, write: true},
		{route: "GET /api/v1/sources/{source_id}/runs", policy: admins},
		{route: "POST /api/v1/sources/{source_id}/runs", policy: admins, write: true, file: "no archive", allow: []int{422}},
		{route: "POST /api/v1/sources/{source_id}/look", policy: admins, write: true, allow: []int{409}}, // nothing is fetched for it
		{route: "GET /api/v1/source-runs/{run_id}", policy: admins},
		{route: "GET /api/v1/source-runs/{run_id}/imports", policy: admins},
		{route: "POST /api/v1/source-runs/{run_id}/approve", policy: admins, write: true, allow: []int{409}}, // it does not wait
		{route: "POST /api/v1/source-runs/{run_id}/cancel", policy: admins, write: true},
	}
	sourcesWebPolicy = []row{
		{route: "GET /admin/sources", policy: admins},
		{route: "POST /admin/sources", policy: admins, write: true, form: formOf("name", "SIS", "kind", "upload", "brake", "10", "minutes", "60")},
		{route: "GET /admin/sources/{source_id}", policy: admins},
		{route: "POST /admin/sources/{source_id}", policy: admins, write: true, form: formOf("name", "SIS", "brake", "10", "minutes", "60")},
		{route: "POST /admin/sources/{source_id}/delete", policy: admins, write: true, form: formOf()},
		{route: "POST /admin/sources/{source_id}/look", policy: admins, write: true, form: formOf(), allow: []int{409}},
		{route: "GET /admin/sources/{source_id}/runs", policy: admins},
		{route: "POST /admin/sources/{source_id}/runs", policy: admins, form: formOf(), allow: []int{400}}, // a form without a file
		{route: "GET /admin/runs/{run_id}", policy: admins},
		{route: "POST /admin/runs/{run_id}/approve", policy: admins, write: true, form: formOf(), allow: []int{409}},
		{route: "POST /admin/runs/{run_id}/cancel", policy: admins, write: true, form: formOf()},
	}
)
