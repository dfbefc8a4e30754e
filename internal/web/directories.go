package web

import (
	"net/http"

	"matricula/internal/lms"
	"matricula/internal/service"
)

var directoryRoutes = []route{
	{"GET /admin/directories", false, (*Web).directories},
	{"POST /admin/directories", false, (*Web).createDirectory},
	{"GET /admin/directories/{directory_id}", false, (*Web).directory},
	{"POST /admin/directories/{directory_id}", false, (*Web).saveDirectory},
	{"GET /admin/directories/{directory_id}/token", false, (*Web).backToDirectory},
	{"POST /admin/directories/{directory_id}/token", false, (*Web).renewDirectory},
	{"POST /admin/directories/{directory_id}/end", false, (*Web).endDirectory},
}

func directoryPath(id int64, rest string) string { return "/admin/directories/" + num(id) + rest }

// scimPath is where directories call.
const scimPath = "/scim/v2"

// directoriesView is the page of all directories.
type directoriesView struct {
	Shell       shell
	Directories []service.DirectoryView
	Name, Key   string
	Problem     problem
}

// directoryView is the page of one.
type directoryView struct {
	Shell     shell
	Directory service.DirectoryView
	Address   string // to paste
	Secret    string // of a new token, shown this once
	Providers []service.ProviderState
	Key       string
	Problem   problem
}

func (w *Web) directories(rw http.ResponseWriter, r *request) error {
	return w.showDirectories(rw, r, http.StatusOK, "", problem{})
}

func (w *Web) showDirectories(rw http.ResponseWriter, r *request, status int, name string, p problem) error {
	list, err := w.svc.Directories(r.Context(), r.caller)
	if err != nil {
		return err
	}
	v := directoriesView{Shell: w.shell(r, r.words.T("Directories")), Directories: list, Name: name, Key: formKey(), Problem: p}
	v.Shell.Section = "admin-settings"
	w.render(rw, r, status, directoriesPage(v))
	return nil
}

// createDirectory sets a directory up and shows its token, once. There is no redirect:
// a secret has no place in an address.
func (w *Web) createDirectory(rw http.ResponseWriter, r *request) error {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	name := f.text("name")
	made, err := w.svc.CreateDirectory(r.Context(), r.caller, name, once("POST /admin/directories", f.text("key"), name))
	if err == nil {
		return w.showDirectory(rw, r, http.StatusOK, made.AccountID, made.Secret, problem{})
	}
	p, status, ok := asProblem(r.words, err)
	if !ok || lms.CodeOf(err) == lms.CodeForbidden {
		return err
	}
	return w.showDirectories(rw, r, status, name, sentTwice(r.words, p))
}

func (w *Web) directory(rw http.ResponseWriter, r *request) error {
	id, err := pathID(r, "directory_id", "directory")
	if err != nil {
		return err
	}
	return w.showDirectory(rw, r, http.StatusOK, id, "", problem{})
}

func (w *Web) showDirectory(rw http.ResponseWriter, r *request, status int, id int64, secret string, p problem) error {
	d, err := w.svc.DirectoryByID(r.Context(), r.caller, id)
	if err != nil {
		return err
	}
	providers, err := w.svc.Providers(r.Context(), r.caller)
	if err != nil {
		return err
	}
	v := directoryView{Shell: w.shell(r, d.Name), Directory: d, Address: w.opts.URL + scimPath, Secret: secret, Key: formKey(), Problem: p}
	for _, provider := range providers {
		if provider.Name != "" {
			v.Providers = append(v.Providers, provider)
		}
	}
	v.Shell.Section = "admin-settings"
	w.render(rw, r, status, directoryPage(v))
	return nil
}

func (w *Web) backToDirectory(rw http.ResponseWriter, r *request) error {
	id, err := pathID(r, "directory_id", "directory")
	if err != nil {
		return err
	}
	if _, err := w.svc.DirectoryByID(r.Context(), r.caller, id); err != nil {
		return err
	}
	w.redirect(rw, r, directoryPath(id, ""))
	return nil
}

// onDirectory runs what a form of a directory's page asks for.
func (w *Web) onDirectory(rw http.ResponseWriter, r *request, do func(form, int64) error) error {
	id, err := pathID(r, "directory_id", "directory")
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	if err = do(f, id); err == nil {
		return nil
	}
	p, status, ok := asProblem(r.words, err)
	if !ok || lms.CodeOf(err) == lms.CodeForbidden {
		return err
	}
	return w.showDirectory(rw, r, status, id, "", sentTwice(r.words, p))
}

func (w *Web) saveDirectory(rw http.ResponseWriter, r *request) error {
	return w.onDirectory(rw, r, func(f form, id int64) error {
		provider, link, courses := f.text("provider"), f.text("link"), f.flag("makes_courses")
		if _, err := w.svc.UpdateDirectory(r.Context(), r.caller, id, service.DirectoryPatch{Provider: &provider, Link: &link, MakesCourses: &courses}); err != nil {
			return err
		}
		return w.done(rw, r, directoryPath(id, ""), "saved")
	})
}

func (w *Web) renewDirectory(rw http.ResponseWriter, r *request) error {
	return w.onDirectory(rw, r, func(f form, id int64) error {
		m, err := w.svc.RenewDirectoryToken(r.Context(), r.caller, id, once("POST /admin/directories/token", f.text("key"), num(id)))
		if err != nil {
			return err
		}
		return w.showDirectory(rw, r, http.StatusOK, id, m.Secret, problem{})
	})
}

func (w *Web) endDirectory(rw http.ResponseWriter, r *request) error {
	return w.onDirectory(rw, r, func(_ form, id int64) error {
		if err := w.svc.EndDirectory(r.Context(), r.caller, id); err != nil {
			return err
		}
		return w.done(rw, r, directoryPath(id, ""), "directory-ended")
	})
}

// linkWays say where a directory tells who somebody will be.
var linkWays = []struct {
	Value string
	Label lms.Term
}{
	{service.LinkByExternalID, "In the externalId"},
	{service.LinkByAttribute, "In the attribute subject of Matricula's own schema"},
}

// faultReasons say in a few words what a directory did not get; others are told by
// their names.
var faultReasons = map[string]lms.Term{
	"address-taken": "Somebody has this address already", "external-id-taken": "The externalId is somebody else's", "subject-taken": "The subject is somebody else's",
	"group-taken": "There is a course of this name already", "no-new-courses": "It may not make courses", "last-administrator": "It is the last administrator",
	"course-archived": "The course is archived", "unknown-member": "A member is nobody here", "token-scope": "Its token lacks the scope scim", "no-provider": "It speaks for no provider",
	"invalid-email": "Not an address", "scim-invalidsyntax": "The request cannot be read", "scim-invalidvalue": "A value cannot be used", "scim-invalidfilter": "The filter cannot be used", "scim-invalidpath": "There is nothing at the path",
}
