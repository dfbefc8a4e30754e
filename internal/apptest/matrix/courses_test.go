package matrix

// The policy of handing over and copying courses, of one's own data and of how
// the site is set up.
var (
	// copiers may create courses and manage the staff of C.
	copiers = func(a actor) answer {
		if a == teacherOfC {
			return refused // a member of the site, who creates no courses
		}
		return inCourse(ownerOfC)(a)
	}

	courseAPIPolicy = []row{
		{route: "POST /api/v1/courses/{course_id}/hand-over", policy: archivist, write: true, body: bodyOf(object{"email": "someone@uni.example"})},
		{route: "POST /api/v1/courses/{course_id}/copy", policy: copiers, write: true, body: bodyOf(object{"title": "Copy"})},
		{route: "POST /api/v1/me/data", policy: signedIn, people: true},
		{route: "GET /api/v1/me/audit", policy: signedIn},
		{route: "GET /api/v1/courses/{course_id}/past-enrollments", policy: rosterViewer},
		{route: "POST /api/v1/courses/{course_id}/past-enrollments/{user_id}", policy: rosterKeeper, write: true},
		{route: "GET /api/v1/providers", policy: admins},
		{route: "GET /api/v1/settings", policy: admins},
	}
	courseWebPolicy = []row{
		{route: "GET /courses/{course_id}/hand-over", policy: archivist},
		{route: "POST /courses/{course_id}/hand-over", policy: archivist, write: true, form: formOf("email", "someone@uni.example", "then", "stay")},
		{route: "GET /courses/{course_id}/copy", policy: copiers},
		{route: "POST /courses/{course_id}/copy", policy: copiers, write: true, form: formOf("title", "Copy")},
		{route: "GET /courses/{course_id}/people/left", policy: rosterViewer},
		{route: "POST /courses/{course_id}/people/left", policy: rosterViewer, form: formOf()},
		{route: "POST /courses/{course_id}/people/{user_id}/back", policy: rosterKeeper, write: true, form: formOf()},
		{route: "POST /account/data", policy: signedIn, form: formOf()},
		{route: "GET /admin/settings", policy: admins},
		{route: "GET /admin/settings/check", policy: admins},
		{route: "POST /admin/settings/check", policy: admins, form: formOf()},
		{route: "GET /auth/another", public: true},
		{route: "GET /design", public: true, allow: []int{404}}, // there is none outside of the demo
		{route: "POST /auth/another", public: true, form: formOf()},
	}
)
