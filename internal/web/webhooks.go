package web

import (
	"net/http"
	"slices"
	"strings"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

var webhookRoutes = []route{
	{"GET /admin/webhooks", false, (*Web).siteWebhooks},
	{"POST /admin/webhooks", false, (*Web).createSiteWebhook},
	{"GET /courses/{course_id}/webhooks", false, (*Web).courseWebhooks},
	{"POST /courses/{course_id}/webhooks", false, (*Web).createCourseWebhook},
	{"GET /webhooks/{webhook_id}", false, (*Web).webhook},
	{"POST /webhooks/{webhook_id}", false, (*Web).saveWebhook},
	{"GET /webhooks/{webhook_id}/secret", false, (*Web).webhook},
	{"POST /webhooks/{webhook_id}/secret", false, (*Web).renewWebhookSecret},
	{"POST /webhooks/{webhook_id}/test", false, (*Web).testWebhook},
	{"POST /webhooks/{webhook_id}/delete", false, (*Web).deleteWebhook},
	{"POST /webhooks/{webhook_id}/deliveries/{delivery_id}/again", false, (*Web).sendWebhookAgain},
}

const deliveriesOnPage = 30

func webhookPath(id int64, rest string) string { return "/webhooks/" + num(id) + rest }

// webhooksPath is where the webhooks of a course are listed, or those of the site.
func webhooksPath(course int64) string {
	if course == 0 {
		return "/admin/webhooks"
	}
	return coursePath(course, "/webhooks")
}

// webhookForm is a webhook as typed.
type webhookForm struct {
	URL, Description string
	Events           []string
	Enabled          bool
	Key              string // see formKey
}

func readWebhookForm(f form) webhookForm {
	return webhookForm{URL: f.text("url"), Description: f.text("description"), Events: f.list("event"), Enabled: f.flag("enabled"), Key: f.text("key")}
}

func (f webhookForm) wants(e lms.WebhookEvent) bool { return slices.Contains(f.Events, string(e)) }

func formOfWebhook(h *lms.Webhook) webhookForm {
	f := webhookForm{URL: h.URL, Description: h.Description, Enabled: h.Enabled}
	for _, e := range h.Events {
		f.Events = append(f.Events, string(e))
	}
	return f
}

// webhooksView is the list of a course's webhooks, or of the site's, with the form for
// a new one.
type webhooksView struct {
	Shell    shell
	CourseID int64 // 0: the site
	Webhooks []lms.Webhook
	MayMake  bool
	Form     webhookForm
	Problem  problem
}

// webhookShell makes what stands around a page of the webhooks of a course, or of the
// site's.
func (w *Web) webhookShell(r *request, course int64, title string) (shell, *service.CourseView, error) {
	if course == 0 {
		s := w.shell(r, title)
		s.Section = "admin-settings"
		return s, nil, nil
	}
	v, err := w.svc.Course(r.Context(), r.caller, course)
	return w.courseShell(r, v, title, "settings"), &v, err
}

func (w *Web) siteWebhooks(rw http.ResponseWriter, r *request) error {
	return w.showWebhooks(rw, r, 0, http.StatusOK, webhookForm{}, problem{})
}

func (w *Web) courseWebhooks(rw http.ResponseWriter, r *request) error {
	id, err := courseID(r)
	if err != nil {
		return err
	}
	return w.showWebhooks(rw, r, id, http.StatusOK, webhookForm{}, problem{})
}

func (w *Web) showWebhooks(rw http.ResponseWriter, r *request, course int64, status int, typed webhookForm, p problem) error {
	list, err := w.svc.Webhooks(r.Context(), r.caller, course)
	if err != nil {
		return err
	}
	s, of, err := w.webhookShell(r, course, r.words.T("Webhooks"))
	if err != nil {
		return err
	}
	v := webhooksView{Shell: s, CourseID: course, Webhooks: list, MayMake: of == nil || may(r, access.WebhookCreate, *of), Form: typed, Problem: p}
	v.Form.Key = formKey()
	w.render(rw, r, status, webhooksPage(v))
	return nil
}

func (w *Web) createSiteWebhook(rw http.ResponseWriter, r *request) error {
	return w.createWebhook(rw, r, 0)
}

func (w *Web) createCourseWebhook(rw http.ResponseWriter, r *request) error {
	id, err := courseID(r)
	if err != nil {
		return err
	}
	return w.createWebhook(rw, r, id)
}

func (w *Web) createWebhook(rw http.ResponseWriter, r *request, course int64) error {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	typed := readWebhookForm(f)
	made, err := w.svc.CreateWebhook(r.Context(), r.caller, course, service.WebhookFields{URL: typed.URL, Description: typed.Description, Events: typed.Events},
		once("POST "+webhooksPath(course), typed.Key, typed.URL, typed.Description, strings.Join(typed.Events, ",")))
	if err == nil {
		return w.showWebhook(rw, r, made.Webhook.ID, http.StatusOK, webhookShown{Secret: made.Secret})
	}
	p, status, ok := asProblem(r.words, err)
	if !ok || lms.CodeOf(err) == lms.CodeForbidden {
		return err
	}
	return w.showWebhooks(rw, r, course, status, typed, sentTwice(r.words, p))
}

// webhookView is the page of one webhook with its log.
type webhookView struct {
	Shell      shell
	Webhook    lms.Webhook
	Overlap    bool // the secret before signs too
	Deliveries []lms.WebhookDelivery
	Next       int64
	Later      bool
	Form       webhookForm
	Secret     string // one that was just made
	Problem    problem
}

// webhookShown is what the page of a webhook shows beside what is stored.
type webhookShown struct {
	Secret  string
	Typed   *webhookForm
	Problem problem
}

func (w *Web) webhook(rw http.ResponseWriter, r *request) error {
	id, err := pathID(r, "webhook_id", "webhook")
	if err != nil {
		return err
	}
	return w.showWebhook(rw, r, id, http.StatusOK, webhookShown{})
}

func (w *Web) showWebhook(rw http.ResponseWriter, r *request, id int64, status int, show webhookShown) error {
	h, err := w.svc.Webhook(r.Context(), r.caller, id)
	if err != nil {
		return err
	}
	from := int64(0)
	if r.Method == http.MethodGet {
		if from, err = before(r); err != nil {
			return err
		}
	}
	log, err := w.svc.WebhookDeliveries(r.Context(), r.caller, id, "", from, deliveriesOnPage)
	if err != nil {
		return err
	}
	s, _, err := w.webhookShell(r, h.CourseID, r.words.T("Webhook to %s", webhookHost(&h)))
	if err != nil {
		return err
	}
	v := webhookView{
		Shell: s, Webhook: h, Overlap: h.OldUntil.After(w.opts.Now()), Deliveries: log.Deliveries, Next: log.Next, Later: from > 0,
		Form: formOfWebhook(&h), Secret: show.Secret, Problem: show.Problem,
	}
	if show.Typed != nil {
		v.Form = *show.Typed
	}
	w.render(rw, r, status, webhookPage(v))
	return nil
}

// onWebhook runs what a form of a webhook's page asks for, and shows the page again
// when that is refused.
func (w *Web) onWebhook(rw http.ResponseWriter, r *request, do func(f form, h lms.Webhook) (done, to string, err error)) error {
	id, err := pathID(r, "webhook_id", "webhook")
	if err != nil {
		return err
	}
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	h, err := w.svc.Webhook(r.Context(), r.caller, id)
	if err != nil {
		return err
	}
	done, to, err := do(f, h)
	if err == nil {
		return w.done(rw, r, to, done)
	}
	p, status, ok := asProblem(r.words, err)
	if !ok || lms.CodeOf(err) == lms.CodeForbidden {
		return err
	}
	show := webhookShown{Problem: p}
	if f.has("url") {
		typed := readWebhookForm(f)
		show.Typed = &typed
	}
	return w.showWebhook(rw, r, id, status, show)
}

func (w *Web) saveWebhook(rw http.ResponseWriter, r *request) error {
	return w.onWebhook(rw, r, func(f form, h lms.Webhook) (string, string, error) {
		typed := readWebhookForm(f)
		if typed.Events == nil {
			typed.Events = []string{}
		}
		_, err := w.svc.UpdateWebhook(r.Context(), r.caller, h.ID, service.WebhookPatch{
			URL: &typed.URL, Description: &typed.Description, Events: &typed.Events, Enabled: &typed.Enabled,
		})
		return "saved", webhookPath(h.ID, ""), err
	})
}

// renewWebhookSecret shows the page with the new secret, which nobody is shown again.
func (w *Web) renewWebhookSecret(rw http.ResponseWriter, r *request) error {
	id, err := pathID(r, "webhook_id", "webhook")
	if err != nil {
		return err
	}
	if _, err := readForm(rw, r, formLimit); err != nil {
		return err
	}
	made, err := w.svc.RenewWebhookSecret(r.Context(), r.caller, id)
	if err != nil {
		return err
	}
	return w.showWebhook(rw, r, id, http.StatusOK, webhookShown{Secret: made.Secret})
}

func (w *Web) testWebhook(rw http.ResponseWriter, r *request) error {
	return w.onWebhook(rw, r, func(_ form, h lms.Webhook) (string, string, error) {
		_, err := w.svc.TestWebhook(r.Context(), r.caller, h.ID)
		return "webhook-soon", webhookPath(h.ID, ""), err
	})
}

func (w *Web) deleteWebhook(rw http.ResponseWriter, r *request) error {
	return w.onWebhook(rw, r, func(_ form, h lms.Webhook) (string, string, error) {
		return "webhook-deleted", webhooksPath(h.CourseID), w.svc.DeleteWebhook(r.Context(), r.caller, h.ID)
	})
}

func (w *Web) sendWebhookAgain(rw http.ResponseWriter, r *request) error {
	delivery, err := pathID(r, "delivery_id", "delivery")
	if err != nil {
		return err
	}
	return w.onWebhook(rw, r, func(_ form, h lms.Webhook) (string, string, error) {
		_, err := w.svc.SendWebhookAgain(r.Context(), r.caller, h.ID, delivery)
		return "webhook-soon", webhookPath(h.ID, ""), err
	})
}
