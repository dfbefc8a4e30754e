package matrix

// The policy of sections and of what a course notes about people.
var (
	sectionsAPIPolicy = []row{
		{route: "GET /api/v1/courses/{course_id}/sections", policy: rosterViewer},
		{route: "POST /api/v1/courses/{course_id}/sections", policy: rosterKeeper, write: true, body: bodyOf(object{"name": "Lab C"})},
		{route: "GET /api/v1/courses/{course_id}/sections/{section_id}", policy: rosterViewer},
		{route: "PATCH /api/v1/courses/{course_id}/sections/{section_id}", policy: rosterKeeper, write: true, body: bodyOf(object{"name": "Lab D"})},
		{route: "DELETE /api/v1/courses/{course_id}/sections/{section_id}", policy: rosterKeeper, write: true},
	}
	sectionsWebPolicy = []row{
		{route: "GET /courses/{course_id}/sections", policy: rosterViewer},
		{route: "POST /courses/{course_id}/sections", policy: rosterKeeper, write: true, form: formOf("name", "Lab C")},
		{route: "GET /courses/{course_id}/sections/{section_id}", policy: rosterKeeper},
		{route: "POST /courses/{course_id}/sections/{section_id}", policy: rosterKeeper, write: true, form: formOf("name", "Lab D")},
		{route: "GET /courses/{course_id}/sections/{section_id}/delete", policy: rosterKeeper},
		{route: "POST /courses/{course_id}/sections/{section_id}/delete", policy: rosterKeeper, write: true, form: formOf()},
		{route: "GET /courses/{course_id}/people/{user_id}/place", policy: rosterKeeper},
		{route: "POST /courses/{course_id}/people/{user_id}/place", policy: rosterKeeper, write: true, form: formOf("section_id", "0", "student_number", "7")},
	}
)
