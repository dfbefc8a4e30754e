package matrix

// The policy of codes, addresses and mail. A proof belongs to a browser and not to a
// caller, so its page is everybody's; without one there is nothing to prove.
var (
	mailAPIPolicy = []row{
		{route: "GET /api/v1/me/addresses", policy: signedIn},
		{route: "POST /api/v1/me/addresses", policy: signedIn, write: true, people: true, body: bodyOf(object{"email": "further@home.example"}), allow: []int{409}},
		{route: "POST /api/v1/me/addresses/confirm", policy: func(actor) answer { return hidden }, write: true, people: true, body: bodyOf(object{"proof": "none", "code": "BCDF-GHJK"})},
		{route: "POST /api/v1/me/addresses/primary", policy: func(actor) answer { return hidden }, write: true, people: true, body: bodyOf(object{"email": "further@home.example"})},
		{route: "DELETE /api/v1/me/addresses", policy: func(actor) answer { return hidden }, write: true, people: true, body: bodyOf(object{"email": "further@home.example"})},
		{route: "GET /api/v1/mails", policy: admins},
		{route: "GET /api/v1/courses/{course_id}/notices", policy: rosterViewer},
		{route: "POST /api/v1/courses/{course_id}/notices", policy: rosterKeeper, write: true, body: bodyOf(object{"user_ids": []int64{}}), allow: []int{409}},
	}
	mailWebPolicy = []row{
		{route: "GET /prove", public: true},
		{route: "POST /prove", public: true, form: formOf("code", "BCDF-GHJK"), allow: []int{404}},
		{route: "GET /prove/resend", public: true},
		{route: "POST /prove/resend", public: true, form: formOf(), allow: []int{404, 409}},
		{route: "GET /account/addresses", policy: signedIn},
		{route: "POST /account/addresses", policy: signedIn, write: true, form: formOf("email", "further@home.example"), allow: []int{409}},
		{route: "GET /account/addresses/primary", policy: signedIn},
		{route: "POST /account/addresses/primary", policy: func(actor) answer { return hidden }, form: formOf("email", "further@home.example")},
		{route: "GET /account/mail", policy: signedIn},
		{route: "POST /account/mail", policy: signedIn, write: true, form: formOf("arrivals", "yes")},
		{route: "GET /account/addresses/remove", policy: signedIn},
		{route: "POST /account/addresses/remove", policy: func(actor) answer { return hidden }, form: formOf("email", "further@home.example")},
		{route: "GET /admin/mail", policy: admins},
		{route: "GET /courses/{course_id}/arrivals/tell", policy: signedIn},
		{route: "POST /courses/{course_id}/arrivals/tell", policy: rosterKeeper, write: true, form: formOf(), allow: []int{409}},
		{route: "GET /not-me", public: true},
		{route: "POST /not-me", public: true, form: formOf("code", "NONE"), allow: []int{404}},
	}
)
