package matrix

// The policy of announcements. {announcement_id} is one of course C that
// everybody there can read.
var (
	announcementAPIPolicy = []row{
		{route: "GET /api/v1/courses/{course_id}/announcements", policy: everybodyOfC},
		{route: "POST /api/v1/courses/{course_id}/announcements", policy: announcer, write: true, body: bodyOf(object{"title": "New", "body": "x"})},
		{route: "GET /api/v1/courses/{course_id}/announcements/{announcement_id}", policy: everybodyOfC},
		{route: "PATCH /api/v1/courses/{course_id}/announcements/{announcement_id}", policy: announcer, write: true, body: bodyOf(object{"title": "Changed"})},
		{route: "DELETE /api/v1/courses/{course_id}/announcements/{announcement_id}", policy: announcer, write: true},
	}
	announcementWebPolicy = []row{
		{route: "GET /courses/{course_id}/announcements", policy: everybodyOfC},
		{route: "POST /courses/{course_id}/announcements", policy: announcer, write: true, form: formOf("title", "New", "body", "x")},
		{route: "GET /courses/{course_id}/announcements/new", policy: announcer},
		{route: "GET /courses/{course_id}/announcements/preview", policy: signedIn}, // leads back to the list, whatever the course
		{route: "POST /courses/{course_id}/announcements/preview", policy: announcer, form: formOf("title", "New", "body", "x")},
		{route: "GET /courses/{course_id}/announcements/{announcement_id}", policy: everybodyOfC},
		{route: "POST /courses/{course_id}/announcements/{announcement_id}", policy: announcer, write: true, form: formOf("title", "Changed", "body", "x")},
		{route: "GET /courses/{course_id}/announcements/{announcement_id}/edit", policy: announcer},
		{route: "GET /courses/{course_id}/announcements/{announcement_id}/delete", policy: announcer},
		{route: "POST /courses/{course_id}/announcements/{announcement_id}/delete", policy: announcer, write: true, form: formOf()},
		{route: "POST /courses/{course_id}/announcements/{announcement_id}/pin", policy: announcer, write: true, form: formOf("pinned", "yes")},
	}
	announcer = inCourse(teacherOfC, ownerOfC)
)
