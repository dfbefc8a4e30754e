package matrix

// The policy of erasing, of what people ask about their own account, and of what is
// reviewed in a course. {user_id} is a student of C, about whom nothing is in doubt.
var (
	erasingAPIPolicy = []row{
		{route: "DELETE /api/v1/users/{user_id}", policy: admins, write: true},
		{route: "POST /api/v1/users/{user_id}/data", policy: admins, people: true},
		{route: "GET /api/v1/me/erasure-request", policy: signedIn, allow: []int{404}}, // they have not asked
		{route: "POST /api/v1/me/erasure-request", policy: signedIn, people: true, body: bodyOf(object{})},
		{route: "DELETE /api/v1/me/erasure-request", policy: signedIn, people: true, allow: []int{404}},
		{route: "GET /api/v1/erasure-requests", policy: admins},
		{route: "POST /api/v1/erasure-requests/{request_id}/refuse", policy: admins, write: true, body: bodyOf(object{"reason": "x"})},
		{route: "GET /api/v1/courses/{course_id}/grants-to-review", policy: staffKeeper},
		{route: "POST /api/v1/courses/{course_id}/grants-to-review/{user_id}/confirm", policy: staffKeeper, write: true},
		{route: "DELETE /api/v1/courses/{course_id}/grants-to-review/{user_id}", policy: staffKeeper, write: true},
	}
	erasingWebPolicy = []row{
		{route: "GET /admin/people/{user_id}/erase", policy: admins},
		{route: "POST /admin/people/{user_id}/erase", policy: admins, write: true, form: formOf("sure", "yes")},
		{route: "POST /admin/people/{user_id}/data", policy: admins, form: formOf()},
		{route: "GET /admin/erasures", policy: admins},
		{route: "GET /admin/erasures/{request_id}/refuse", policy: admins},
		{route: "POST /admin/erasures/{request_id}/refuse", policy: admins, form: formOf("reason", "x")},
		{route: "GET /account/erasure", policy: signedIn},
		{route: "POST /account/erasure", policy: signedIn, form: formOf("note", "x")},
		{route: "GET /account/erasure/withdraw", policy: signedIn},
		{route: "POST /account/erasure/withdraw", policy: signedIn, form: formOf(), allow: []int{404}},
		{route: "GET /courses/{course_id}/people/review", policy: staffKeeper},
		{route: "GET /courses/{course_id}/people/{user_id}/confirm", policy: staffKeeper},
		{route: "POST /courses/{course_id}/people/{user_id}/confirm", policy: staffKeeper, write: true, form: formOf()},
		{route: "GET /courses/{course_id}/people/{user_id}/take", policy: staffKeeper},
		{route: "POST /courses/{course_id}/people/{user_id}/take", policy: staffKeeper, write: true, form: formOf()},
	}
)
