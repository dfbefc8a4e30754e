package matrix

import (
	"fmt"
	"net/url"
	"strconv"
)

// The policy of what waits for somebody who has not arrived. {user_id} is a student
// of C who never signed in, named by the administrator; for the student of C it is
// they themselves.
var (
	// menders may take away all that the person was given.
	menders = func(a actor) answer {
		switch a {
		case assistantOfC, teacherOfC, ownerOfC, admin, adminToken, readToken:
			return served
		case studentOfC, tokenForD:
			return refused
		}
		return hidden
	}
	rightAddress = func(f *fixture) string { return fmt.Sprintf("right%d@uni.example", f.serial) }
	rightBody    = func(f *fixture) any { return object{"email": rightAddress(f)} }
	rightForm    = func(f *fixture) url.Values { return url.Values{"email": {rightAddress(f)}} }

	waitingAPIPolicy = []row{
		{route: "POST /api/v1/lookup", policy: admins, body: func(f *fixture) any { return object{"email": f.pupilAddress()} }},
		{route: "GET /api/v1/users/{user_id}/waiting", policy: admins},
		{route: "PUT /api/v1/users/{user_id}/address", policy: menders, write: true, body: rightBody},
		{route: "POST /api/v1/users/{user_id}/withdrawal", policy: menders, write: true},
		{route: "GET /api/v1/courses/{course_id}/expiring", policy: rosterViewer},
		{route: "POST /api/v1/courses/{course_id}/renewals", policy: rosterKeeper, write: true, body: func(f *fixture) any { return object{"user_ids": []int64{f.pupil}} }},
		{route: "GET /api/v1/courses/{course_id}/gone", policy: rosterViewer},
	}
	waitingWebPolicy = []row{
		{route: "GET /courses/{course_id}/people/{user_id}/address", policy: rosterKeeper},
		{route: "POST /courses/{course_id}/people/{user_id}/address", policy: rosterKeeper, write: true, form: rightForm},
		{route: "POST /courses/{course_id}/people/{user_id}/withdraw", policy: rosterKeeper, write: true, form: formOf("confirm", "yes")},
		{route: "POST /courses/{course_id}/arrivals/renew", policy: rosterKeeper, write: true, form: func(f *fixture) url.Values {
			return url.Values{"selected": {strconv.FormatInt(f.pupil, 10)}}
		}},
		{route: "GET /admin/people/find", policy: admins},
		{route: "POST /admin/people/find", policy: admins, form: func(f *fixture) url.Values { return url.Values{"email": {f.pupilAddress()}} }},
		{route: "POST /admin/people/{user_id}/address", policy: admins, write: true, form: rightForm},
		{route: "POST /admin/people/{user_id}/withdraw", policy: admins, write: true, form: formOf("confirm", "yes")},
		{route: "POST /admin/people/{user_id}/renew", policy: admins, write: true, form: formOf()},
	}
)
