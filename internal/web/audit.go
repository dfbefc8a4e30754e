package web

import (
	"net/http"

	"matricula/internal/lms"
)

// auditOnPage is how many entries a page lists.
const auditOnPage = 50

// auditView is a page of the audit, of one course or of the site.
type auditView struct {
	Shell   shell
	Heading string
	Site    bool
	Entries []auditLine
	Path    string
	Next    int64
	Later   bool
}

// auditLine is one entry in words.
type auditLine struct {
	lms.AuditRecord
	Verb    string // what was done, to be read after the actor
	Whom    string // the person concerned; empty when it is the actor alone
	Changes []auditChange
	Refusal string // why it was refused; empty when it was done
}

// auditChange is one thing that became something else.
type auditChange struct{ Label, Before, After string } // in the reader's language

func (w *Web) courseAudit(rw http.ResponseWriter, r *request) error {
	v, err := w.readCourse(r)
	if err != nil {
		return err
	}
	names := map[string]string{}
	if v.Holds.Has(lms.RosterView) {
		roles, err := w.svc.Roles(r.Context(), r.caller, v.Course.ID)
		if err != nil {
			return err
		}
		for _, role := range roles {
			names[role.Role.Key] = role.Role.Name
		}
	}
	return w.showAudit(rw, r, v.Course.ID, names, auditView{
		Shell: w.courseShell(r, v, r.words.T("Audit"), "audit"), Heading: r.words.T("Audit"), Path: coursePath(v.Course.ID, "/audit"),
	})
}

func (w *Web) adminAudit(rw http.ResponseWriter, r *request) error {
	s := w.shell(r, r.words.T("Audit of the site"))
	s.Section = "admin-audit"
	return w.showAudit(rw, r, 0, nil, auditView{Shell: s, Heading: r.words.T("Audit of the site"), Path: "/admin/audit", Site: true})
}

func (w *Web) showAudit(rw http.ResponseWriter, r *request, course int64, roles map[string]string, v auditView) error {
	from, err := before(r)
	if err != nil {
		return err
	}
	page, err := w.svc.Audit(r.Context(), r.caller, course, from, auditOnPage)
	if err != nil {
		return err
	}
	for _, e := range page.Entries {
		v.Entries = append(v.Entries, inWords(r.words, e, roles))
	}
	v.Next, v.Later = page.Next, from > 0
	w.render(rw, r, http.StatusOK, auditPage(v))
	return nil
}
