package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"matricula/internal/lang"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// tokensOnPage is how many API tokens a page lists; nobody may have more.
const tokensOnPage = 200

// accountView is the page about oneself.
type accountView struct {
	Shell      shell
	Me         lms.User
	Identities []identityLine
	Addresses  []service.Address
	Address    addressForm
	Mail       bool // can be sent
	Arrivals   bool // the caller is told of
	Sessions   []lms.Session
	This       int64 // the session that asks
	Tokens     []lms.APIToken
	Courses    []service.CourseView // to which a token can be limited
	Form       tokenForm
	Problem    problem
	Minted     *service.Minted // a token that was just made
	Claims     claimsOfAccount
	Merged     []lms.Merge         // of late, into this account
	Asking     []lms.Merge         // whether this and another account are one person's
	Erasure    *lms.ErasureRequest // the last request to be erased
	Note       string              // of a new one, as typed
	Refused    problem             // why it was not made
}

// identityLine is one way of signing in, as people know it.
type identityLine struct {
	lms.Identity
	Provider string
}

// tokenForm is a new API token as typed.
type tokenForm struct {
	Name    string
	Scopes  []string
	Courses []int64
	Days    int // 0: does not expire
	Key     string
}

// tokenLives are the lives that can be chosen, in days.
var tokenLives = []struct {
	Days  int
	Label lms.Term
}{
	{30, "30 days"}, {90, "90 days"}, {365, "1 year"}, {0, "It does not expire"},
}

const defaultTokenDays = 90

func newTokenForm() tokenForm {
	return tokenForm{Days: defaultTokenDays, Scopes: []string{string(lms.ScopeRead)}, Key: formKey()}
}

func (f tokenForm) scope(s lms.Scope) bool { return slices.Contains(f.Scopes, string(s)) }
func (f tokenForm) course(id int64) bool   { return slices.Contains(f.Courses, id) }

func (w *Web) account(rw http.ResponseWriter, r *request) error {
	v, err := w.accountOf(r)
	if err != nil {
		return err
	}
	v.Form = newTokenForm()
	w.render(rw, r, http.StatusOK, accountPage(v))
	return nil
}

func (w *Web) backToAccount(rw http.ResponseWriter, r *request) error {
	w.redirect(rw, r, "/account")
	return nil
}

func (w *Web) accountOf(r *request) (v accountView, err error) {
	ctx, c := r.Context(), r.caller
	v = accountView{Shell: w.shell(r, r.words.T("My account")), This: c.SessionID}
	v.Shell.Section = "account"
	if v.Me, err = w.svc.Me(ctx, c); err != nil {
		return v, err
	}
	identities, err := w.svc.Identities(ctx, c)
	if err != nil {
		return v, err
	}
	for _, i := range identities {
		v.Identities = append(v.Identities, identityLine{i, w.providerLabel(i.Issuer)})
	}
	v.Mail = w.svc.SendsMail()
	if v.Arrivals, err = w.svc.WatchesArrivals(ctx, c); err != nil {
		return v, err
	}
	if v.Addresses, err = w.svc.Addresses(ctx, c); err != nil {
		return v, err
	}
	if v.Sessions, err = w.svc.Sessions(ctx, c); err != nil {
		return v, err
	}
	if v.Claims, err = w.ownClaims(r); err != nil {
		return v, err
	}
	if v.Erasure, err = w.svc.OwnErasure(ctx, c); err != nil {
		return v, err
	}
	tokens, err := w.svc.Tokens(ctx, c, 0, tokensOnPage)
	if err != nil {
		return v, err
	}
	v.Tokens = tokens.Tokens
	if v.Asking, err = w.svc.MergesAsking(ctx, c); err != nil {
		return v, err
	}
	if v.Merged, err = w.svc.MergesOfLate(ctx, c); err != nil {
		return v, err
	}
	courses, err := w.svc.Courses(ctx, c, service.CoursesRequest{Limit: tokensOnPage})
	v.Courses = courses.Courses
	return v, err
}

// providerLabel is the button's name of an issuer; the issuer itself when it
// is no longer configured.
func (w *Web) providerLabel(issuer string) string {
	for _, p := range w.rp.Providers() {
		if p.Issuer == issuer {
			return p.Label
		}
	}
	return issuer
}

func (w *Web) endSession(rw http.ResponseWriter, r *request) error {
	id, err := pathID(r, "session_id", "session")
	if err != nil {
		return err
	}
	if id == r.caller.SessionID {
		return w.signOut(rw, r)
	}
	if err := w.svc.EndSession(r.Context(), r.caller, id); err != nil {
		return err
	}
	return w.done(rw, r, "/account", "session-ended")
}

func (w *Web) endOtherSessions(rw http.ResponseWriter, r *request) error {
	if _, err := w.svc.EndOtherSessions(r.Context(), r.caller); err != nil {
		return err
	}
	return w.done(rw, r, "/account", "sessions-ended")
}

func readTokenForm(f form) (tokenForm, error) {
	t := tokenForm{Name: f.text("name"), Scopes: f.list("scope"), Key: f.text("key")}
	for _, s := range f.list("course_id") {
		id, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return t, lms.Invalid("unknown-course", "course_ids", "One of the courses is none. Choose from the list.")
		}
		t.Courses = append(t.Courses, id)
	}
	days, err := strconv.Atoi(f.text("days"))
	if err != nil || days < 0 || days > 5*366 {
		t.Days = defaultTokenDays
		return t, lms.Invalid("expiry", "expires_at", "Choose from the list how long the token is to work.")
	}
	t.Days = days
	if len(t.Scopes) == 0 {
		return t, lms.Invalid("no-scope", "scopes", "Choose what the token may be used for.")
	}
	return t, nil
}

// createToken makes an API token and shows it, once. There is no redirect: a
// secret has no place in an address.
func (w *Web) createToken(rw http.ResponseWriter, r *request) error {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	typed, err := readTokenForm(f)
	var minted service.Minted
	if err == nil {
		minted, err = w.mint(r, typed)
	}
	p, status, ok := asProblem(r.words, err)
	if err != nil && !ok {
		return err
	}
	v, viewErr := w.accountOf(r)
	if viewErr != nil {
		return viewErr
	}
	if err != nil {
		typed.Key = formKey()
		v.Form, v.Problem = typed, sentTwice(r.words, p)
		w.render(rw, r, status, accountPage(v))
		return nil
	}
	v.Minted = &minted
	v.Form = newTokenForm()
	w.render(rw, r, http.StatusOK, accountPage(v))
	return nil
}

func (w *Web) mint(r *request, t tokenForm) (service.Minted, error) {
	ids := make([]string, len(t.Courses))
	for i, id := range t.Courses {
		ids[i] = num(id)
	}
	return w.svc.CreateToken(r.Context(), r.caller, service.NewToken{
		Name: t.Name, Scopes: t.Scopes, CourseIDs: t.Courses, Life: time.Duration(t.Days) * 24 * time.Hour,
	}, once("POST /account/tokens", t.Key, t.Name, strings.Join(t.Scopes, ","), strings.Join(ids, ","), strconv.Itoa(t.Days)))
}

func (w *Web) revokeToken(rw http.ResponseWriter, r *request) error {
	id, err := pathID(r, "token_id", "token")
	if err != nil {
		return err
	}
	if err := w.svc.RevokeToken(r.Context(), r.caller, id); err != nil {
		return err
	}
	return w.done(rw, r, "/account", "token-revoked")
}

// courseNames writes to what a token is limited.
func (v accountView) courseNames(p *lang.Printer, ids []int64) string {
	var names []string
	for _, id := range ids {
		name := p.T("course %s", num(id))
		for _, c := range v.Courses {
			if c.Course.ID == id {
				name = c.Course.Title
			}
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// browserName makes of what a browser says about itself something that people
// recognize.
func browserName(userAgent string) lms.Text {
	pick := func(table [][2]string, otherwise string) string {
		for _, t := range table {
			if strings.Contains(userAgent, t[0]) {
				return t[1]
			}
		}
		return otherwise
	}
	// The order matters: most browsers also name those that they are like.
	browser := pick([][2]string{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chromium/", "Chromium"}, {"Chrome/", "Chrome"}, {"CriOS/", "Chrome"}, {"Safari/", "Safari"},
	}, "")
	system := pick([][2]string{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "Mac"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"},
	}, "")
	switch {
	case browser == "" && system == "":
		return lms.Say("Unknown browser")
	case browser == "":
		return lms.Say("Browser on %s", system)
	case system == "":
		return lms.Say("%s", browser)
	}
	return lms.Say("%s on %s", browser, system)
}

// sessionName is the browser or the program of a session. Of a program the client
// id is known, which the provider gave it.
func sessionName(s lms.Session) lms.Text {
	if s.Program != "" {
		return lms.Say("Program %s", s.Program)
	}
	return browserName(s.UserAgent)
}

// mayDo says what a program may do in its user's name.
func mayDo(scopes []lms.Scope) lms.Term {
	if slices.Contains(scopes, lms.ScopeWrite) {
		return "It sees and changes what you may."
	}
	return "It sees what you may see, and changes nothing."
}

// reach says what a token may be used for, and where.
func (v accountView) reach(p *lang.Printer, t lms.APIToken) string {
	may := mayDo(t.Scopes)
	if len(t.CourseIDs) > 0 {
		return p.T("Ends in %s. %s Only in: %s.", t.Hint, may, v.courseNames(p, t.CourseIDs))
	}
	return p.T("Ends in %s. %s", t.Hint, may)
}

// accountData answers with all that is kept about the reader: one JSON document,
// whose last part, what stands in the audit, is written as it is read.
func (w *Web) accountData(rw http.ResponseWriter, r *request) error {
	if _, err := readForm(rw, r, formLimit); err != nil {
		return err
	}
	d, err := w.svc.OwnData(r.Context(), r.caller)
	if err != nil {
		return err
	}
	return w.sendData(rw, r, &d, "matricula-my-data.json", func(before int64) (service.AuditPage, error) {
		return w.svc.OwnAudit(r.Context(), r.caller, before, auditOnPage)
	})
}

// sendData answers with what is kept about somebody. Audit reads a page of what
// stands in the audit about them.
func (w *Web) sendData(rw http.ResponseWriter, r *request, d *service.OwnData, name string, audit func(before int64) (service.AuditPage, error)) error {
	document, err := json.MarshalIndent(d.Document(), "", "  ")
	if err != nil {
		return fmt.Errorf("write own data: %w", err)
	}
	return w.send(rw, r, "application/json", name, func(out io.Writer) error {
		// The audit becomes the document's last field.
		if _, err := fmt.Fprintf(out, "%s,\n  \"audit\": [", bytes.TrimSuffix(document, []byte("\n}"))); err != nil {
			return err
		}
		between := "\n    "
		for before := int64(0); ; {
			page, err := audit(before)
			if err != nil {
				return err
			}
			for i := range page.Entries {
				entry, err := json.Marshal(service.EntryOf(&page.Entries[i]))
				if err != nil {
					return err
				}
				if _, err := fmt.Fprintf(out, "%s%s", between, entry); err != nil {
					return err
				}
				between = ",\n    "
			}
			if before = page.Next; before == 0 {
				_, err := io.WriteString(out, "\n  ]\n}\n")
				return err
			}
		}
	})
}
