package web

import (
	"net/http"
	"strconv"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// adminPeopleView is the table of everybody on the site.
type adminPeopleView struct {
	Shell   shell
	Search  string
	Status  string
	After   bool // not the first page
	People  []lms.User
	Courses map[int64]int64 // how many each has, by id
	Next    int64
	Problem problem // of the search
	Form    nameForm
	Wrong   problem // of the form
	Find    findForm
}

// nameForm is somebody to be named, as typed.
type nameForm struct {
	Email, GivenName, FamilyName, SiteRole, Key string

	Suggest lms.Email
}

// adminOnly is for pages whose reads the service would narrow rather than
// refuse.
func adminOnly(r *request) error { return access.Decide(r.caller, access.SiteAuditView, nil) }

func (w *Web) adminPeople(rw http.ResponseWriter, r *request) error {
	return w.showAdminPeople(rw, r, http.StatusOK, service.DirectoryRequest{}, nameForm{}, problem{}, findForm{})
}

func (w *Web) backToAdminPeople(rw http.ResponseWriter, r *request) error {
	if err := adminOnly(r); err != nil {
		return err
	}
	w.redirect(rw, r, "/admin/people")
	return nil
}

func (w *Web) adminSearchPeople(rw http.ResponseWriter, r *request) error {
	if err := adminOnly(r); err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	return w.showAdminPeople(rw, r, http.StatusOK, directoryRequest(f), nameForm{}, problem{}, findForm{})
}

// directoryRequest reads a search for people of the site.
func directoryRequest(f form) service.DirectoryRequest {
	q := service.DirectoryRequest{Search: f.text("search"), After: f.id("after")}
	switch s := lms.UserStatus(f.text("status")); s {
	case lms.StatusActive, lms.StatusPending, lms.StatusSuspended:
		q.Status = s
	}
	return q
}

func (w *Web) showAdminPeople(rw http.ResponseWriter, r *request, status int, q service.DirectoryRequest, f nameForm, wrong problem, find findForm) error {
	if err := adminOnly(r); err != nil {
		return err
	}
	f.Key = formKey()
	v := adminPeopleView{Shell: w.shell(r, r.words.T("People of the site")), Search: q.Search, Status: string(q.Status), After: q.After > 0, Form: f, Wrong: wrong, Find: find}
	v.Shell.Section = "admin-people"
	q.Limit = peopleOnPage
	page, err := w.svc.Directory(r.Context(), r.caller, q)
	if err != nil {
		p, s, ok := asProblem(r.words, err)
		if !ok || lms.CodeOf(err) == lms.CodeForbidden {
			return err
		}
		v.Problem, status = p, s
	}
	var ids []int64
	for _, m := range page.Members {
		v.People = append(v.People, m.User)
		ids = append(ids, m.User.ID)
	}
	if len(ids) > 0 {
		if v.Courses, err = w.svc.CoursesPerUser(r.Context(), r.caller, ids); err != nil {
			return err
		}
	}
	v.Next = page.Next
	if r.enhanced() {
		w.renderPart(rw, r, status, adminResults(v))
		return nil
	}
	w.render(rw, r, status, adminPeoplePage(v))
	return nil
}

func (w *Web) adminNamePerson(rw http.ResponseWriter, r *request) error {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	typed := nameForm{Email: f.text("email"), GivenName: f.text("given_name"), FamilyName: f.text("family_name"), SiteRole: f.text("site_role")}
	u, err := w.svc.NamePerson(r.Context(), r.caller, service.NewPerson{
		Email: typed.Email, GivenName: typed.GivenName, FamilyName: typed.FamilyName, SiteRole: typed.SiteRole,
	}, once("POST /admin/people", f.text("key"), typed.Email, typed.GivenName, typed.FamilyName, typed.SiteRole))
	if err == nil {
		return w.done(rw, r, adminPersonPath(u.ID, ""), "named-on-site")
	}
	p, status, ok := asProblem(r.words, err)
	if !ok || adminOnly(r) != nil {
		return err
	}
	typed.Suggest, _ = lms.SuggestedEmail(err)
	return w.showAdminPeople(rw, r, status, service.DirectoryRequest{}, typed, sentTwice(r.words, p), findForm{})
}

// adminPersonView is one account as administrators see it.
type adminPersonView struct {
	Shell   shell
	Person  lms.User
	You     bool
	Problem problem
	Places  service.UserPlaces
	Labels  map[string]string // of issuers
	Orphans bool              // suspending leaves courses without an owner, and needs a confirmation
	Waiting service.Waiting
	Address correctForm
	Days    int // for which somebody is expected who was named; 0: for ever
}

// changeable tells whether an administrator may change anything about the person.
func (v adminPersonView) changeable() bool { return v.Person.Status != lms.StatusErased && !v.You }

func (w *Web) adminPerson(rw http.ResponseWriter, r *request) error {
	return w.showAdminPerson(rw, r, http.StatusOK, problem{}, correctForm{})
}

func (w *Web) showAdminPerson(rw http.ResponseWriter, r *request, status int, p problem, f correctForm) error {
	if err := adminOnly(r); err != nil {
		return err
	}
	id, err := pathID(r, "user_id", "person")
	if err != nil {
		return err
	}
	_, err = w.svc.User(r.Context(), r.caller, id)
	if into := service.MergedInto(err); into != 0 {
		w.redirect(rw, r, adminPersonPath(into, ""))
		return nil
	}
	waiting, err := w.svc.Waiting(r.Context(), r.caller, id)
	if err != nil {
		return err
	}
	u := waiting.User
	v := adminPersonView{Shell: w.shell(r, callName(r.words, &u)), Person: u, You: id == r.caller.UserID, Problem: p, Orphans: p.Type == "last-owner" || p.Type == "no-successor"}
	v.Shell.Section = "admin-people"
	v.Labels = map[string]string{}
	for _, p := range w.rp.Providers() {
		v.Labels[p.Issuer] = p.Label
	}
	v.Waiting, v.Places, v.Address, v.Days = waiting, waiting.Places, f, w.svc.PendingDays()
	v.Address.of(&v.Person, adminPersonPath(id, "/address"))
	w.render(rw, r, status, adminPersonPage(v))
	return nil
}

func (w *Web) adminSetSiteRole(rw http.ResponseWriter, r *request) error {
	return w.patchAccount(rw, r, func(f form) (service.UserPatch, string) {
		role := f.text("site_role")
		return service.UserPatch{SiteRole: &role}, "saved"
	})
}

func (w *Web) adminSetStatus(rw http.ResponseWriter, r *request) error {
	return w.patchAccount(rw, r, func(f form) (service.UserPatch, string) {
		status, code := f.text("status"), "status-set"
		if status == string(lms.StatusSuspended) {
			code = "suspended"
		}
		return service.UserPatch{Status: &status, OrphanCourses: f.flag("orphan_courses"), Successor: leaving(f).Successor}, code
	})
}

// patchAccount changes an account as its form says; read gives the change and
// the code of what is said about it.
func (w *Web) patchAccount(rw http.ResponseWriter, r *request, read func(form) (service.UserPatch, string)) error {
	id, err := pathID(r, "user_id", "person")
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	patch, code := read(f)
	if _, err := w.svc.UpdateUser(r.Context(), r.caller, id, patch); err != nil {
		p, status, ok := asProblem(r.words, err)
		if !ok || adminOnly(r) != nil {
			return err
		}
		return w.showAdminPerson(rw, r, status, p, correctForm{})
	}
	return w.done(rw, r, adminPersonPath(id, ""), code)
}

// olderPage is the address of the next page of a list that is continued by id.
func olderPage(path string, before int64) string {
	return path + "?before=" + strconv.FormatInt(before, 10)
}

func siteRoleOr(typed string) lms.SiteRole {
	if typed == "" {
		return lms.SiteMember
	}
	return lms.SiteRole(typed)
}

// label is what people call an issuer: the issuer itself when it is no longer
// configured.
func (v adminPersonView) label(issuer string) string {
	if l := v.Labels[issuer]; l != "" {
		return l
	}
	return issuer
}
