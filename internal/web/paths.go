package web

import (
	"strconv"

	"matricula/internal/lms"
)

// The addresses of pages. They hold ids and never anything about a person.

func num(n int64) string { return strconv.FormatInt(n, 10) }

func coursePath(id int64, rest string) string { return "/courses/" + num(id) + rest }

func personPath(courseID, userID int64, rest string) string {
	return coursePath(courseID, "/people/"+num(userID)+rest)
}

func rolePath(courseID, roleID int64, rest string) string {
	return coursePath(courseID, "/roles/"+num(roleID)+rest)
}

func announcementsPath(courseID int64, rest string) string {
	return coursePath(courseID, "/announcements"+rest)
}

func announcementPath(courseID, id int64, rest string) string {
	return announcementsPath(courseID, "/"+num(id)+rest)
}

func adminPersonPath(userID int64, rest string) string { return "/admin/people/" + num(userID) + rest }

func tokenPath(id int64, rest string) string { return "/account/tokens/" + num(id) + rest }

func sessionPath(id int64, rest string) string { return "/account/sessions/" + num(id) + rest }

// pathID reads an id out of the path. What is no id leads nowhere: there is no
// such noun.
func pathID(r *request, name string, noun lms.Term) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue(name), 10, 64)
	if err != nil || id <= 0 || num(id) != r.PathValue(name) {
		return 0, lms.NotFound(noun)
	}
	return id, nil
}

func courseID(r *request) (int64, error) { return pathID(r, "course_id", "course") }

// before reads where a list is continued: the id of the last row before.
func before(r *request) (int64, error) {
	s := r.URL.Query().Get("before")
	if s == "" {
		return 0, nil
	}
	id, err := strconv.ParseInt(s, 10, 64)
	if err != nil || id <= 0 {
		return 0, errNoPage
	}
	return id, nil
}
