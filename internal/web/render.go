package web

import (
	"bytes"
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"matricula/internal/lang"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// shell is what stands around every page.
type shell struct {
	Title    string
	User     lms.User // zero when nobody is signed in
	Admin    bool
	Section  string // of the main menu or the course's menu; the current one
	Course   *service.CourseView
	Done     lms.Term // what was just done
	Banner   string
	Design   bool   // there is the page of all components
	Style    string // addresses of what the browser loads
	Script   string
	HTMX     string
	Icon     string
	SignedIn bool
	Language string // the reader's, as HTML has it
	Reload   int    // seconds after which a reader without scripts sees the page anew; 0: never
}

// shell makes what stands around a page of this title.
func (w *Web) shell(r *request, title string) shell {
	return shell{
		Title: title, User: r.user, SignedIn: !r.caller.Anonymous(), Admin: r.caller.Admin(),
		Done: doneMessages[r.URL.Query().Get("done")], Banner: w.opts.DemoBanner, Design: w.opts.Design,
		Style: w.assets.url("app.css"), Script: w.assets.url("app.js"), HTMX: w.assets.url("htmx.min.js"), Icon: w.assets.url("favicon.svg"),
		Language: r.words.Tag(),
	}
}

// courseShell makes what stands around a page of a course.
func (w *Web) courseShell(r *request, v service.CourseView, title, section string) shell {
	s := w.shell(r, title)
	s.Course, s.Section = &v, section
	return s
}

// doneMessages are what a page says after a change that led to it. The codes
// travel in URLs, so the messages name nobody.
var doneMessages = map[string]lms.Term{
	"saved":           "Saved.",
	"named":           "Saved. Everything is waiting for their first sign-in. No e-mail was sent: tell them that they can sign in.",
	"added":           "Saved. They are in the course now.",
	"unchanged":       "Nothing was changed: it already was like this.",
	"left":            "Saved. With nothing left to do here, this person is no longer in the course.",
	"removed":         "Removed from the course.",
	"course-created":  "Your course is ready. You are its owner. Next, add your people.",
	"archived":        "Archived. The course can be read, but not changed.",
	"restored":        "Restored. The course can be changed again.",
	"course-deleted":  "The course is deleted.",
	"role-created":    "The role is ready to be given.",
	"role-saved":      "Saved, for everybody who has this role.",
	"role-deleted":    "The role is deleted.",
	"address-added":   "The address is yours: you are found by it from now on.",
	"address-primary": "Saved. Others see this address from now on. Both addresses were told by mail.",
	"address-removed": "Removed from your account.",
	"session-ended":   "That browser is signed out.",
	"sessions-ended":  "You are signed out everywhere else.",
	"token-revoked":   "The token is revoked: it no longer works.",
	"named-on-site":   "Named. They can be found and given things now; their first sign-in will find it all.",
	"suspended":       "Suspended, and signed out everywhere.",
	"status-set":      "The account is restored.",
	"directory-ended": "The directory is stopped: its token no longer works.",
	"source-made":     "The source is set up.",
	"source-deleted":  "The source is deleted. What it brought stays.",
	"source-soon":     "It is looked at now. What comes of it stands below in a moment.",
	"webhook-soon":    "It is on its way. What becomes of it stands below in a moment.",
	"webhook-deleted": "The webhook is deleted.",
	"run-approved":    "It goes on.",
	"run-canceled":    "Stopped. What has begun before stays, and can be undone on its course's page.",
	"section-made":    "The section is there. Put people into it on their pages, or with a class list.",
	"section-saved":   "The section has its new name.",
	"section-deleted": "The section is deleted. Its people are still in the course.",
	"back":            "They are in the course again, with what they had.",
	"address-right":   "Corrected. Everything that was given to them waits for the new address now.",
	"withdrawn":       "Withdrawn. Nothing of this person is left, and the address is free.",
	"renewed":         "They are expected for longer.",
	"handed-over":     "Handed over. Everything is in their hands now.",
	"course-copied":   "Your new course is ready, with everybody who came along.",
	"told":            "Published. Everybody in the course can read it.",
	"told-later":      "Scheduled. Until then, only those who may write announcements see it.",
	"untold":          "The announcement is deleted.",
	"pinned":          "Pinned: it stands on top.",
	"unpinned":        "It is no longer pinned.",
	"signed-out":      "You are signed out.",
	"year-created":    "The academic year is ready. Next, add its terms.",
	"term-created":    "The term is ready. Courses are put into it in their settings.",
	"term-deleted":    "Deleted. No course was in it.",
	"list-corrected":  "Your corrections were taken, and the list is checked with them. Nothing is saved yet: look at it, and carry it out.",
	"limit-set":       "The limit is set, on all nodes.",
	"limit-lifted":    "Lifted. Class lists that waited for it go on.",
	"lift-ended":      "Ended. The limit holds again.",
	"merged":          "Both are one person now.",
	"merge-asked":     "Both people are asked. They find the question under “My account”.",
	"merge-accepted":  "Thank you. Nothing has changed yet: an administrator merges the accounts when both have been said to be one.",
	"merge-withdrawn": "The question is withdrawn. Nothing has changed.",
	"split":           "They are two people again.",
	"told-apart":      "They are two people, and are not listed again.",
}

// render writes a page. It is made whole before anything is sent, so that a
// fault cannot leave half a page behind a good status.
func (w *Web) render(rw http.ResponseWriter, r *request, status int, c templ.Component) {
	var b bytes.Buffer
	if err := c.Render(withWords(r.Context(), r.words), &b); err != nil {
		w.opts.Log.ErrorContext(r.Context(), "page not rendered", "route", r.Pattern, "request_id", r.caller.RequestID, "error", err)
		status = http.StatusInternalServerError
		b.Reset()
		b.WriteString(r.words.T("This page could not be made. Please try again."))
	}
	h := rw.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	h.Add("Vary", "HX-Request")
	rw.WriteHeader(status)
	rw.Write(b.Bytes())
}

// renderPart writes a part of a page, for htmx.
func (w *Web) renderPart(rw http.ResponseWriter, r *request, status int, c templ.Component) {
	w.render(rw, r, status, c)
}

// stamp is a time for the datetime attribute; what people read is package
// lang's.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// callName is what pages call somebody: the name, else the address as people
// read it.
func callName(p *lang.Printer, u *lms.User) string { return p.Text(callText(u)) }

// callText is callName as a text: whoever was erased is called by a pseudonym, which
// has words.
func callText(u *lms.User) lms.Text {
	switch {
	case u.Anonymized():
		return lms.PseudonymText(u.ID)
	case u.Named():
		return lms.Say("%s", u.DisplayName())
	}
	return lms.Say("%s", u.Email.Display())
}

// authorName is what readers of a course call whoever wrote something.
func authorName(p *lang.Printer, u *lms.User) string {
	if u.Anonymized() {
		return callName(p, u)
	}
	return u.DisplayName()
}

func siteRoleName(r lms.SiteRole) lms.Term {
	switch r {
	case lms.SiteAdmin:
		return "Administrator"
	case lms.SiteTeacher:
		return "Teacher"
	default:
		return "Member"
	}
}

func siteRoleMeaning(r lms.SiteRole) lms.Term {
	switch r {
	case lms.SiteAdmin:
		return "manages people and holds every privilege in every course"
	case lms.SiteTeacher:
		return "may create courses"
	default:
		return "takes part in courses"
	}
}
