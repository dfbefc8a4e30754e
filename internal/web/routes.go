package web

import (
	"net/http"
	"slices"
)

// route is one page, or one form that a page sends.
type route struct {
	pattern string
	public  bool // for anonymous callers too
	handle  func(*Web, http.ResponseWriter, *request) error
}

// routes is every page there is: the one table that registers them and that
// Routes tells. Newer nouns have their part of it in their own file.
var routes = slices.Concat(
	assetRoutes,
	signInRoutes,
	courseRoutes,
	peopleRoutes,
	roleRoutes,
	auditRoutes,
	settingsRoutes,
	accountRoutes,
	addressRoutes,
	proveRoutes,
	adminRoutes,
	erasingRoutes,
	reviewRoutes,
	languageRoutes,
	announcementRoutes,
	arrivalRoutes,
	noticeRoutes,
	exportRoutes,
	lookRoutes,
	handOverRoutes,
	settingsOfSiteRoutes,
	adminMailRoutes,
	designRoutes,
	importRoutes,
	sourceRoutes,
	webhookRoutes,
	directoryRoutes,
	pastRoutes,
	waitingRoutes,
	sectionRoutes,
	termRoutes,
	limitRoutes,
	mergeRoutes,
	claimRoutes,
)

var assetRoutes = []route{
	{"GET /static/{version}/{name}", true, (*Web).static},
	{"GET /favicon.ico", true, (*Web).favicon},
}

var signInRoutes = []route{
	{"GET /sign-in", true, (*Web).signInPage},
	{"GET /auth/{provider}/start", true, (*Web).startSignIn},
	{"GET /auth/{provider}/callback", true, (*Web).finishSignIn},
	{"POST /auth/sign-out", true, (*Web).signOut},
	{"GET /auth/another", true, (*Web).signInPage},
	{"POST /auth/another", true, (*Web).signInAnother},
}

var courseRoutes = []route{
	{"GET /{$}", false, (*Web).home},
	{"GET /courses/new", false, (*Web).newCourse},
	{"POST /courses", false, (*Web).createCourse},
	{"GET /courses/{course_id}", false, (*Web).coursePage},
}

var peopleRoutes = []route{
	{"GET /courses/{course_id}/people", false, (*Web).people},
	{"GET /courses/{course_id}/people/search", false, (*Web).backToPeople},
	{"POST /courses/{course_id}/people/search", false, (*Web).searchPeople},
	{"GET /courses/{course_id}/people/find", false, (*Web).backToPeople},
	{"POST /courses/{course_id}/people/find", false, (*Web).findPerson},
	{"GET /courses/{course_id}/people/privileges", false, (*Web).backToPeople},
	{"POST /courses/{course_id}/people/privileges", false, (*Web).savePerson},
	{"GET /courses/{course_id}/people/selected", false, (*Web).backToPeople},
	{"POST /courses/{course_id}/people/selected", false, (*Web).changeMany},
	{"GET /courses/{course_id}/people/undo", false, (*Web).backToPeople},
	{"POST /courses/{course_id}/people/undo", false, (*Web).undo},
	{"GET /courses/{course_id}/people/suggest", false, (*Web).backToPeople},
	{"POST /courses/{course_id}/people/suggest", false, (*Web).suggestPeople},
	{"GET /courses/{course_id}/people/check", false, (*Web).backToPeople},
	{"POST /courses/{course_id}/people/check", false, (*Web).checkPeople},
	{"GET /courses/{course_id}/people/add", false, (*Web).addPeoplePage},
	{"POST /courses/{course_id}/people/add", false, (*Web).addPeople},
	{"GET /courses/{course_id}/people/{user_id}", false, (*Web).person},
	{"POST /courses/{course_id}/people/{user_id}/role", false, (*Web).setRole},
	{"GET /courses/{course_id}/people/{user_id}/remove", false, (*Web).confirmRemove},
	{"POST /courses/{course_id}/people/{user_id}/remove", false, (*Web).removePerson},
}

var roleRoutes = []route{
	{"GET /courses/{course_id}/roles", false, (*Web).roles},
	{"POST /courses/{course_id}/roles", false, (*Web).createRole},
	{"GET /courses/{course_id}/roles/{role_id}", false, (*Web).editRole},
	{"POST /courses/{course_id}/roles/{role_id}", false, (*Web).updateRole},
	{"POST /courses/{course_id}/roles/{role_id}/delete", false, (*Web).deleteRole},
}

var settingsRoutes = []route{
	{"GET /courses/{course_id}/settings", false, (*Web).settings},
	{"POST /courses/{course_id}/settings", false, (*Web).updateCourse},
	{"POST /courses/{course_id}/settings/archive", false, (*Web).archiveCourse},
	{"POST /courses/{course_id}/settings/restore", false, (*Web).restoreCourse},
	{"GET /courses/{course_id}/settings/delete", false, (*Web).confirmDeleteCourse},
	{"POST /courses/{course_id}/settings/delete", false, (*Web).deleteCourse},
}

var accountRoutes = []route{
	{"GET /account", false, (*Web).account},
	{"POST /account/sessions/{session_id}/end", false, (*Web).endSession},
	{"POST /account/sessions/end-others", false, (*Web).endOtherSessions},
	{"POST /account/data", false, (*Web).accountData},
	{"GET /account/tokens", false, (*Web).backToAccount},
	{"POST /account/tokens", false, (*Web).createToken},
	{"POST /account/tokens/{token_id}/revoke", false, (*Web).revokeToken},
}

var adminRoutes = []route{
	{"GET /admin/people", false, (*Web).adminPeople},
	{"POST /admin/people", false, (*Web).adminNamePerson},
	{"GET /admin/people/search", false, (*Web).backToAdminPeople},
	{"POST /admin/people/search", false, (*Web).adminSearchPeople},
	{"GET /admin/people/{user_id}", false, (*Web).adminPerson},
	{"POST /admin/people/{user_id}/site-role", false, (*Web).adminSetSiteRole},
	{"POST /admin/people/{user_id}/status", false, (*Web).adminSetStatus},
	{"GET /admin/courses", false, (*Web).adminCourses},
	{"POST /admin/courses", false, (*Web).filterAdminCourses},
}
