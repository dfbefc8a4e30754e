package matrix

// The policy of class lists. {import_id} is one of course C that is ready to be
// started.
var (
	importsAPIPolicy = []row{
		{route: "GET /api/v1/courses/{course_id}/imports", policy: rosterKeeper},
		{route: "POST /api/v1/courses/{course_id}/imports", policy: rosterKeeper, write: true, file: "listed@uni.example"},
		{route: "GET /api/v1/imports/{import_id}", policy: rosterKeeper},
		{route: "GET /api/v1/imports/{import_id}/rows", policy: rosterKeeper},
		{route: "PATCH /api/v1/imports/{import_id}", policy: rosterKeeper, write: true, body: bodyOf(object{"sure": true})},
		{route: "POST /api/v1/imports/{import_id}/start", policy: rosterKeeper, write: true, body: bodyOf(object{})},
		{route: "POST /api/v1/imports/{import_id}/cancel", policy: rosterKeeper, write: true},
		{route: "POST /api/v1/imports/{import_id}/undo", policy: rosterKeeper, write: true, allow: []int{409}}, // it has changed nothing
	}
	importsWebPolicy = []row{
		{route: "GET /courses/{course_id}/imports", policy: rosterKeeper},
		{route: "POST /courses/{course_id}/imports", policy: rosterKeeper, form: formOf(), allow: []int{400}}, // a form without a file
		{route: "GET /courses/{course_id}/imports/{import_id}", policy: rosterKeeper},
		{route: "GET /courses/{course_id}/imports/{import_id}/events", policy: rosterKeeper},
		{route: "GET /courses/{course_id}/imports/{import_id}/change", policy: rosterKeeper},
		{route: "POST /courses/{course_id}/imports/{import_id}/change", policy: rosterKeeper, write: true, form: formOf("options", "yes", "role", "student")},
		{route: "GET /courses/{course_id}/imports/{import_id}/rows", policy: rosterKeeper},
		{route: "POST /courses/{course_id}/imports/{import_id}/rows", policy: rosterKeeper, write: true, form: formOf("choice.1", "leave")},
		{route: "GET /courses/{course_id}/imports/{import_id}/start", policy: rosterKeeper},
		{route: "POST /courses/{course_id}/imports/{import_id}/start", policy: rosterKeeper, write: true, form: formOf()},
		{route: "POST /courses/{course_id}/imports/{import_id}/cancel", policy: rosterKeeper, write: true, form: formOf()},
		{route: "POST /courses/{course_id}/imports/{import_id}/undo", policy: rosterKeeper, write: true, form: formOf(), allow: []int{409}},
		{route: "POST /courses/{course_id}/imports/{import_id}/report", policy: rosterKeeper, form: formOf()},
	}
)
