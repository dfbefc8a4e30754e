package web_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/net/html"

	"matricula/internal/fetch"
	"matricula/internal/lang"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// Everything that a page says goes through the catalog: in the pseudo language,
// which marks what does, nothing but data is left without a mark.
func TestEveryPageSaysEverythingThroughTheCatalog(t *testing.T) {
	c := algorithms(t)
	grace := c.enroll("assistant", "grace@uni.example")
	sam := c.enroll("student", "sam@uni.example")
	role, err := c.svc.CreateRole(t.Context(), c.ada.caller, c.id, service.RoleFields{Name: "Tutors", Privileges: []string{"roster.view"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := c.svc.CreateAnnouncement(t.Context(), c.ada.caller, c.id, lms.AnnouncementFields{Title: "0", Body: "0", Pinned: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.svc.CreateAnnouncement(t.Context(), c.ada.caller, c.id, lms.AnnouncementFields{Title: "1", Body: "1", PublishAt: c.now.AddDate(0, 0, 9)}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.svc.CreateToken(t.Context(), c.ada.caller, service.NewToken{Name: "2", CourseIDs: []int64{c.id}}, nil); err != nil {
		t.Fatal(err)
	}
	section, err := c.svc.CreateSection(t.Context(), c.ada.caller, c.id, "7", nil)
	if err != nil {
		t.Fatal(err)
	}
	begins := "2031-12-01"
	from := "2001-12-01"
	if _, err := c.svc.ChangePlace(t.Context(), c.ada.caller, service.DetailsChange{CourseID: c.id, UserID: sam, SectionID: &section.ID, Begins: &from, Ends: &begins, Number: &begins}); err != nil {
		t.Fatal(err)
	}
	year := c.term(0, "2026", "2026-01-01", "2026-12-31")
	term := c.term(year, "1", "2026-09-01", "2026-12-31")
	old := c.term(year, "0", "2026-01-01", "2026-01-31")
	for _, id := range []int64{term, old} {
		if _, err := c.svc.CreateCourse(t.Context(), c.ada.caller, lms.CourseFields{Title: "3", TermID: id}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.svc.UpdateCourse(t.Context(), c.ada.caller, c.id, service.CoursePatch{TermID: &year}); err != nil {
		t.Fatal(err)
	}
	c.term(0, "2025", "2025-01-01", "2025-12-31") // without terms
	source, err := c.svc.CreateSource(t.Context(), c.admin.caller, service.SourceFields{Name: "6", Kind: "upload", Enabled: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	hook, err := c.svc.CreateWebhook(t.Context(), c.ada.caller, c.id, service.WebhookFields{URL: "http://127.0.0.1:9/", Description: "3", Events: []string{"user.named"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.svc.TestWebhook(t.Context(), c.ada.caller, hook.Webhook.ID); err != nil {
		t.Fatal(err)
	}
	got, err := fetch.Upload(strings.NewReader("5"), "4")
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	run, err := c.svc.UploadBundle(t.Context(), c.admin.caller, source.ID, got)
	if err == nil {
		t.Fatal("what is no archive was read")
	}
	list, err := c.svc.CreateImport(t.Context(), c.ada.caller, service.NewImport{CourseID: c.id, Text: "E-mail\tNumber\nq@uni.example\t7\n1\t8\n"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.svc.AwaitImport(t.Context(), c.ada.caller, list.ID, time.Minute); err != nil {
		t.Fatal(err)
	}
	c.svc.SetPrivileges(t.Context(), c.ada.caller, service.PrivilegeChange{CourseID: c.id, Person: service.PersonRef{UserID: sam}, Allow: []string{"audit.view"}})
	c.ada.post(c.path + "/people/" + itoa(c.ada.user.ID) + "/remove").want(http.StatusConflict) // a refusal for the audit
	request, err := c.svc.AskErasure(t.Context(), c.ada.caller, "0")
	if err != nil {
		t.Fatal(err)
	}
	c.enroll("assistant", "giver@uni.example")
	giver := c.signedIn("giver@uni.example", "Sam", "Okoro")
	c.svc.SetPrivileges(t.Context(), c.ada.caller, service.PrivilegeChange{CourseID: c.id, Person: service.PersonRef{UserID: giver.user.ID}, Allow: []string{"staff.manage"}})
	c.svc.SetPrivileges(t.Context(), giver.caller, service.PrivilegeChange{CourseID: c.id, Person: service.PersonRef{UserID: sam}, Allow: []string{"audit.view", "staff.manage"}})
	suspended := string(lms.StatusSuspended)
	if _, err := c.svc.UpdateUser(t.Context(), c.admin.caller, giver.user.ID, service.UserPatch{Status: &suspended}); err != nil {
		t.Fatal(err)
	}
	merge, err := c.svc.MergePeople(t.Context(), c.ada.caller, service.MergeRequest{
		Keep: service.PersonRef{UserID: c.enroll("student", "one@uni.example")}, Merge: service.PersonRef{UserID: c.enroll("student", "0ne@uni.example")},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.enroll("student", "waits@uni.example")
	claim, err := c.svc.AskClaim(t.Context(), c.ada.caller, "nobody@uni.example")
	if err != nil {
		t.Fatal(err)
	}
	c.name(c.admin, "else@uni.example", "member")
	for _, email := range []string{"waits@uni.example", "x@uni.example"} {
		if _, err := c.svc.AskClaim(t.Context(), c.signedIn("else@uni.example", "Sam", "Okoro").caller, email); err != nil {
			t.Fatal(err)
		}
	}
	directory, err := c.svc.CreateDirectory(t.Context(), c.admin.caller, "00", nil)
	if err != nil {
		t.Fatal(err)
	}
	c.web.InPseudo()

	fill := strings.NewReplacer("{$}", "", "{course_id}", itoa(c.id), "{user_id}", itoa(grace), "{role_id}", itoa(role.ID), "{announcement_id}", itoa(a.ID), "{term_id}", itoa(term), "{section_id}", itoa(section.ID), "{import_id}", itoa(list.ID), "{source_id}", itoa(source.ID), "{run_id}", itoa(run.ID), "{webhook_id}", itoa(hook.Webhook.ID), "{request_id}", itoa(request.ID), "{merge_id}", itoa(merge.ID),
		"{claim_id}", itoa(claim.ID), "{directory_id}", itoa(directory.AccountID))
	seen := 0
	for _, pattern := range c.web.Routes() {
		method, path, _ := strings.Cut(pattern, " ")
		if method != http.MethodGet || strings.HasPrefix(path, "/static") || strings.HasPrefix(path, "/auth") || strings.HasSuffix(path, "/events") || path == "/favicon.ico" || path == "/design" {
			continue
		}
		by := c.ada
		if strings.HasPrefix(path, "/admin") {
			by = c.admin
		}
		page := by.get(fill.Replace(path))
		if page.status == http.StatusSeeOther {
			continue
		}
		page.want(http.StatusOK).checkMarked()
		seen++
	}
	if seen < 25 {
		t.Errorf("only %d pages were looked at", seen)
	}
	for path, form := range map[string][]string{
		c.path + "/people/find":                     {"email", "new@uni.example"},
		c.path + "/people/search":                   {"search", "nobody", "show", "staff"},
		c.path + "/people/selected":                 {"selected", itoa(sam), "do", "role", "give", "assistant"},
		c.path + "/people/check":                    {"emails", "a@uni.example\nx\nb@gmial.com\nsam@uni.example", "role", "student"},
		c.path + "/people/add":                      {"emails", "c@uni.example\nx\nsam@uni.example", "role", "student"},
		c.path + "/announcements/preview":           {"title", "0", "body", "0"},
		c.path + "/announcements":                   {"title", "", "body", ""},
		c.path + "/audit/search":                    {"who", "nobody"},
		c.path + "/arrivals":                        {"after", ""},
		c.path + "/hand-over":                       {"email", "x", "then", "stay"},
		c.path + "/copy":                            {"title", ""},
		c.path + "/roles":                           {"name", ""},
		c.path + "/settings":                        {"title", ""},
		c.path + "/people/" + itoa(grace) + "/look": {"page", "people"},
		"/account/tokens":                           {"name", "", "days", "30"},
		"/courses":                                  {"title", ""},
	} {
		c.ada.post(path, form...).checkMarked()
	}
	for path, form := range map[string][]string{"/admin/limits": {"limit", "naming-person", "amount", "none"}, "/admin/limits/lift": {"limit", "naming-person", "for", "nobody@uni.example", "until", "2026-01-01"}} {
		c.admin.post(path, form...).want(http.StatusUnprocessableEntity).checkMarked()
	}
	c.admin.post("/admin/settings/check").want(http.StatusOK).checkMarked()
	for _, form := range [][]string{{"name", ""}, {"name", "3", "year_id", itoa(year), "begins_on", "2025-12-31", "ends_on", "2026-01-31"}} {
		c.admin.post("/admin/terms", form...).want(http.StatusUnprocessableEntity).checkMarked()
	}
	for _, id := range []int64{year, old} {
		c.admin.post("/admin/terms/" + itoa(id) + "/delete").want(http.StatusConflict).checkMarked()
	}
	c.admin.get("/admin/courses?show=orphaned&term=" + itoa(old)).want(http.StatusOK).checkMarked()
	c.admin.post("/admin/people/search", "search", "nobody").want(http.StatusOK).checkMarked()
	c.admin.post("/admin/people", "email", "x").checkMarked()
	c.ada.post("/account/claims", "email", "x").want(http.StatusUnprocessableEntity).checkMarked()
	c.ada.post(c.path+"/people/requests/"+itoa(claim.ID+1)+"/refuse", "reason", strings.Repeat("0", 501)).want(http.StatusUnprocessableEntity).checkMarked()
	c.admin.post("/admin/claims/"+itoa(claim.ID)+"/refuse", "reason", "").want(http.StatusConflict).checkMarked()
	c.admin.post("/admin/erasures/"+itoa(request.ID)+"/refuse", "reason", "").want(http.StatusUnprocessableEntity).checkMarked()
	c.admin.post("/admin/people/" + itoa(c.ada.user.ID) + "/erase").want(http.StatusUnprocessableEntity).checkMarked()
	c.admin.post("/admin/people/"+itoa(c.ada.user.ID)+"/erase", "sure", "yes").want(http.StatusConflict).checkMarked()
	c.ada.get("/no-such-page").want(http.StatusNotFound).checkMarked()
	c.stranger().get("/sign-in?other=yes").checkMarked()
	c.signedIn("sam@uni.example", "Sam", "Okoro").get(c.path).want(http.StatusOK).checkMarked()
}

// data is what pages show as it is: names, titles and addresses of this test,
// names of variables, keys and languages.
var data = regexp.MustCompile(`\S+@\S+|MATRICULA_\w+|https?://\S+|` + strings.Join([]string{
	"Ada Lovelace", "Radia Root", "Sam Okoro", "Algorithms", "Tutors", "CS-201", "Matricula", "English", "Italiano", "the school", "school", "UTC", "Firefox", "Linux", "ZlR0",
}, "|"))

// checkMarked fails at letters outside of the marks of the pseudo language.
func (a *answer) checkMarked() {
	a.tb.Helper()
	look := func(where, s string, depth *int) {
		a.tb.Helper()
		if left := strings.TrimSpace(data.ReplaceAllString(unmarked(s, depth), "")); strings.ContainsFunc(left, unicode.IsLetter) {
			a.tb.Errorf("%s: %s says %q, which did not go through the catalog", a.url, where, left)
		}
	}
	// A sentence with elements inside begins in one text and ends in another.
	depth := 0
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode && slices.Contains([]string{"code", "kbd", "script", "textarea", "svg"}, n.Data) {
			return
		}
		if n.Type == html.TextNode {
			look("<"+n.Parent.Data+">", n.Data, &depth)
		}
		for _, at := range n.Attr {
			if slices.Contains([]string{"aria-label", "placeholder", "title", "alt", "data-copied", "data-unreachable"}, at.Key) {
				look(n.Data+" "+at.Key, at.Val, new(int))
			}
		}
		for child := range n.ChildNodes() {
			walk(child)
		}
	}
	walk(a.root)
}

// unmarked is what stands outside of all marks; depth is how many were open
// before, and are open after.
func unmarked(s string, depth *int) string {
	var b strings.Builder
	for _, r := range s {
		switch string(r) {
		case lang.PseudoOpen:
			*depth++
		case lang.PseudoClose:
			*depth--
		default:
			if *depth == 0 {
				b.WriteRune(r)
			}
		}
	}
	return b.String()
}
