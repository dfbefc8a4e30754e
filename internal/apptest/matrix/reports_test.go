package matrix

// The policy of tables to be downloaded, of the filters of the audit and of
// arrivals.
var (
	reportAPIPolicy = []row{
		{route: "GET /api/v1/courses/{course_id}/arrivals", policy: rosterViewer},
		{route: "POST /api/v1/courses/{course_id}/users/{user_id}/preview", policy: rosterViewer},
		{route: "GET /api/v1/arrivals", policy: admins},
	}
	reportWebPolicy = []row{
		{route: "POST /courses/{course_id}/people/csv", policy: rosterViewer, form: formOf()},
		{route: "GET /courses/{course_id}/people/{user_id}/look", policy: signedIn}, // leads back to the person, whoever that is
		{route: "POST /courses/{course_id}/people/{user_id}/look", policy: rosterViewer, form: formOf()},
		{route: "GET /courses/{course_id}/arrivals", policy: rosterViewer},
		{route: "POST /courses/{course_id}/arrivals", policy: rosterViewer, form: formOf("after", "")},
		{route: "POST /courses/{course_id}/arrivals/days", policy: rosterViewer, form: formOf()},
		{route: "POST /admin/arrivals/days", policy: admins, form: formOf()},
		{route: "POST /admin/settings/csv", policy: admins, form: formOf()},
		{route: "POST /courses/{course_id}/arrivals/csv", policy: rosterViewer, form: formOf()},
		{route: "GET /courses/{course_id}/audit/search", policy: auditor},
		{route: "POST /courses/{course_id}/audit/search", policy: auditor, form: formOf("outcome", "done")},
		{route: "POST /courses/{course_id}/audit/csv", policy: auditor, form: formOf()},
		{route: "GET /admin/arrivals", policy: admins},
		{route: "POST /admin/arrivals", policy: admins, form: formOf("after", "")},
		{route: "POST /admin/arrivals/csv", policy: admins, form: formOf()},
		{route: "POST /admin/people/csv", policy: admins, form: formOf()},
		{route: "POST /admin/courses/csv", policy: admins, form: formOf()},
		{route: "GET /admin/audit/search", policy: admins},
		{route: "POST /admin/audit/search", policy: admins, form: formOf("outcome", "done")},
		{route: "POST /admin/audit/csv", policy: admins, form: formOf()},
	}
)
