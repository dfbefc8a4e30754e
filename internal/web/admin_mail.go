package web

import (
	"net/http"
	"strconv"

	"matricula/internal/lms"
	"matricula/internal/service"
)

var adminMailRoutes = []route{
	{"GET /admin/mail", false, (*Web).adminMail},
}

const mailsOnPage = 50

// adminMailView is what became of mail.
type adminMailView struct {
	Shell shell
	On    bool // mail can be sent
	State lms.MailState
	Page  service.MailsPage
}

// mailStates are the states of a mail with what they mean to people.
var mailStates = []struct {
	State lms.MailState
	Name  lms.Term
	Badge string
}{
	{lms.MailQueued, "Waiting", "pending"},
	{lms.MailSent, "Handed over", "staff"},
	{lms.MailBounced, "Refused", "refused"},
	{lms.MailFailed, "Given up", "refused"},
	{lms.MailCanceled, "Not needed any more", "archived"},
}

func mailState(s lms.MailState) (name lms.Term, badge string) {
	for _, m := range mailStates {
		if m.State == s {
			return m.Name, m.Badge
		}
	}
	return "", ""
}

// mailKinds are what mails are about, for people.
var mailKinds = map[lms.MailKind]lms.Term{
	lms.MailSignInCode:     "Code for a sign-in",
	lms.MailAddressCode:    "Code for a further address",
	lms.MailAddressHeld:    "Somebody else wanted this address",
	lms.MailAddressChanged: "The main address has changed",
	lms.MailNamed:          "Tells that they were named",
	lms.MailArrived:        "Tells who has arrived",
	lms.MailMerged:         "Tells that accounts were merged",
	lms.MailExpiring:       "Tells who expires soon",
	lms.MailClaimAsked:     "Somebody else asks for what waits for this address",
}

func (w *Web) adminMail(rw http.ResponseWriter, r *request) error {
	q := r.URL.Query()
	v := adminMailView{Shell: w.shell(r, r.words.T("Mail")), On: w.svc.SendsMail()}
	v.Shell.Section = "admin-settings"
	if name, _ := mailState(lms.MailState(q.Get("state"))); name != "" {
		v.State = lms.MailState(q.Get("state"))
	}
	before, err := strconv.ParseInt(q.Get("before"), 10, 64)
	if err != nil || before < 0 {
		before = 0
	}
	if v.Page, err = w.svc.Mails(r.Context(), r.caller, v.State, before, mailsOnPage); err != nil {
		return err
	}
	w.render(rw, r, http.StatusOK, adminMailPage(v))
	return nil
}

func mailPath(s lms.MailState, before int64) string {
	path := "/admin/mail"
	if s != "" {
		path += "?state=" + string(s)
	}
	if before != 0 {
		sep := "?"
		if s != "" {
			sep = "&"
		}
		path += sep + "before=" + num(before)
	}
	return path
}
