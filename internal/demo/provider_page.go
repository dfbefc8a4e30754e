package demo

import (
	"bytes"
	_ "embed" // for the page and its style
	"errors"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"matricula/internal/lms"
)

// maxOffered is how many people the page offers by name. It is no directory:
// everybody else is typed.
const maxOffered = 12

//go:embed provider_page.html
var providerPageHTML string

//go:embed provider_style.css
var providerStyleCSS []byte

// providerIconSVG is there because browsers ask for an icon in any case.
const providerIconSVG = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7" fill="#1f4e8c"/><circle cx="8" cy="6" r="2.5" fill="#fff"/><path d="M3.5 12.5a4.5 4 0 0 1 9 0z" fill="#fff"/></svg>`

var providerPage = template.Must(template.New("page").Parse(providerPageHTML))

// pageData is what the sign-in page shows.
type pageData struct {
	Base     string
	Request  map[string]string // the authorization request, carried in hidden fields
	Accounts []Account
	More     int // accounts that are not offered by name

	Email, GivenName, FamilyName string // what was typed
	Error, ErrorField            string
}

// carried are the parameters of an authorization request that the page brings
// along, so that the provider need not remember anything until somebody chose.
var carried = []string{"response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method"}

// readRequest checks an authorization request. A wrong client or redirect
// address is a plain error, because there is nobody whom it would be safe to
// tell; any other fault is told to the client as the returned error code.
func (p *Provider) readRequest(q url.Values) (request map[string]string, code string, err error) {
	request = map[string]string{}
	for _, name := range carried {
		if len(q[name]) > 1 {
			return nil, "", errTwice
		}
		request[name] = q.Get(name)
	}
	if request["client_id"] != p.options.ClientID || request["redirect_uri"] != p.options.RedirectURI {
		return nil, "", errUnknownClient
	}
	switch {
	case request["response_type"] != "code":
		return request, "unsupported_response_type", nil
	case !slices.Contains(strings.Fields(request["scope"]), "openid"):
		return request, "invalid_scope", nil
	case request["code_challenge_method"] != "S256" || len(request["code_challenge"]) != 43:
		return request, "invalid_request", nil
	}
	return request, "", nil
}

var (
	errTwice         = errors.New("a parameter occurs twice")
	errUnknownClient = errors.New("unknown client or redirect address")
)

// admit answers a request that cannot be served, and tells whether it did not.
func (p *Provider) admit(w http.ResponseWriter, r *http.Request, q url.Values) (map[string]string, bool) {
	request, code, err := p.readRequest(q)
	if err != nil {
		http.Error(w, "This page was opened in a way that the demo does not know. Go back to the demo school and start again.", http.StatusBadRequest)
		return nil, false
	}
	if code != "" {
		p.goBack(w, r, url.Values{"error": {code}, "state": {request["state"]}})
		return nil, false
	}
	return request, true
}

func (p *Provider) showPage(w http.ResponseWriter, r *http.Request) {
	if request, ok := p.admit(w, r, r.URL.Query()); ok {
		p.render(w, http.StatusOK, pageData{Request: request})
	}
}

// choose issues a code for the account that was clicked, or for the person
// who was typed.
func (p *Provider) choose(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, "The form could not be read. Go back and send it again.", http.StatusBadRequest)
		return
	}
	request, ok := p.admit(w, r, r.PostForm)
	if !ok {
		return
	}
	if r.PostForm.Get("cancel") != "" {
		p.goBack(w, r, url.Values{"error": {"access_denied"}, "state": {request["state"]}})
		return
	}
	g, data := p.readChoice(r.PostForm)
	if data.Error != "" {
		data.Request = request
		p.render(w, http.StatusUnprocessableEntity, data)
		return
	}
	g.redirectURI, g.nonce, g.codeChallenge = request["redirect_uri"], request["nonce"], request["code_challenge"]
	p.goBack(w, r, url.Values{"code": {p.remember(p.codes, g, codeLife)}, "state": {request["state"]}})
}

// readChoice reads who was chosen. The names of a person whom the school
// knows are filled in when none were typed.
func (p *Provider) readChoice(form url.Values) (grant, pageData) {
	typed := form.Get("account")
	if typed == "" {
		typed = form.Get("email")
	}
	data := pageData{Email: typed, GivenName: form.Get("given_name"), FamilyName: form.Get("family_name")}
	email, err := lms.ParseEmail(typed)
	if err != nil {
		data.Error, data.ErrorField = messageOf(err), "email"
		return grant{}, data
	}
	g := grant{email: email}
	if g.givenName, err = lms.CleanText(data.GivenName, "given_name", lms.MaxNameRunes); err != nil {
		data.Error, data.ErrorField = messageOf(err), "given_name"
		return grant{}, data
	}
	if g.familyName, err = lms.CleanText(data.FamilyName, "family_name", lms.MaxNameRunes); err != nil {
		data.Error, data.ErrorField = messageOf(err), "family_name"
		return grant{}, data
	}
	if g.givenName == "" && g.familyName == "" {
		for _, a := range p.options.Accounts() {
			if known, err := lms.ParseEmail(a.Email); err == nil && known == email {
				g.givenName, g.familyName = a.GivenName, a.FamilyName
				break
			}
		}
	}
	return g, data
}

func messageOf(err error) string {
	var e *lms.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return "This cannot be used. Type it again."
}

// goBack sends the browser to the one registered redirect address.
func (p *Provider) goBack(w http.ResponseWriter, r *http.Request, parameters url.Values) {
	back, err := url.Parse(p.options.RedirectURI)
	if err != nil {
		http.Error(w, "The demo's redirect address is wrong.", http.StatusInternalServerError)
		return
	}
	q := back.Query()
	for name, values := range parameters {
		q[name] = values
	}
	back.RawQuery = q.Encode()
	http.Redirect(w, r, back.String(), http.StatusSeeOther)
}

func (p *Provider) render(w http.ResponseWriter, status int, data pageData) {
	data.Base = p.base
	data.Accounts = p.options.Accounts()
	if len(data.Accounts) > maxOffered {
		data.More = len(data.Accounts) - maxOffered
		data.Accounts = data.Accounts[:maxOffered]
	}
	var page bytes.Buffer
	if err := providerPage.Execute(&page, data); err != nil {
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	// Browsers hold a redirect that answers a form to form-action as well, so
	// the place to go back to is listed.
	back, _ := url.Parse(p.options.RedirectURI)
	w.Header().Set("Content-Security-Policy",
		"default-src 'self'; script-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self' "+back.Scheme+"://"+back.Host)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(page.Bytes())
}

func (p *Provider) style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Write(providerStyleCSS)
}

func (p *Provider) icon(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "image/svg+xml")
	io.WriteString(w, providerIconSVG)
}
