package standardprovider

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

// browser is somebody's browser as far as signing in needs one: it keeps
// cookies, follows redirects and fills forms in.
type browser struct {
	t      *testing.T
	base   string // where Matricula is
	token  string // of a program that calls the API instead
	client *http.Client
}

func newBrowser(t *testing.T, base string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, base: base, client: &http.Client{Jar: jar, Timeout: 30 * time.Second}}
}

// answer is what a request led to, after all redirects.
type answer struct {
	t      *testing.T
	method string
	status int
	url    *url.URL
	body   []byte
}

func (b *browser) do(method, target, contentType string, body io.Reader) answer {
	b.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = b.base + target
	}
	req, err := http.NewRequestWithContext(context.Background(), method, target, body)
	if err != nil {
		b.t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if b.token != "" {
		req.Header.Set("Authorization", "Bearer "+b.token)
	}
	res, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{t: b.t, method: method, status: res.StatusCode, url: res.Request.URL, body: text}
}

func (b *browser) get(target string) answer {
	b.t.Helper()
	return b.do(http.MethodGet, target, "", nil)
}

func (b *browser) json(method, target string, body any) answer {
	b.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(method, target, "application/json", bytes.NewReader(text))
}

// want fails the test unless the status is this one.
func (a answer) want(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s %s answered %d, want %d: %.800s", a.method, a.url.Path, a.status, status, a.body)
	}
	return a
}

func (a answer) into(v any) {
	a.t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		a.t.Fatalf("%s %s: %v: %.400s", a.method, a.url.Path, err, a.body)
	}
}

// form is the one form of a page, with what its fields hold.
type form struct {
	action *url.URL
	fields url.Values
}

// form reads the page's form; a page with none, or with several, is not the
// login page.
func (a answer) form() form {
	a.t.Helper()
	page, err := html.Parse(bytes.NewReader(a.body))
	if err != nil {
		a.t.Fatal(err)
	}
	var forms []form
	for n := range page.Descendants() {
		switch {
		case n.Type != html.ElementNode:
		case n.Data == "form":
			action, err := a.url.Parse(attribute(n, "action"))
			if err != nil || !strings.EqualFold(attribute(n, "method"), http.MethodPost) {
				a.t.Fatalf("%s has a form that cannot be sent (%v): %.800s", a.url, err, a.body)
			}
			forms = append(forms, form{action, url.Values{}})
		case n.Data == "input" && len(forms) > 0:
			forms[len(forms)-1].fields.Set(attribute(n, "name"), attribute(n, "value"))
		}
	}
	if len(forms) != 1 {
		a.t.Fatalf("%s has %d forms and is no login page: %.800s", a.url, len(forms), a.body)
	}
	return forms[0]
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// signIn goes from Matricula to the provider's login page, types name and
// password there, and comes back to wherever that leads.
func (b *browser) signIn(p *provider, username string) answer {
	b.t.Helper()
	page := b.get("/auth/campus/start?next=/").want(http.StatusOK)
	if got := page.url.Scheme + "://" + page.url.Host; got != strings.TrimSuffix(p.issuer, "/") {
		b.t.Fatalf("the sign-in led to %s and not to the provider %s", page.url.Host, p.issuer)
	}
	f := page.form()
	for _, field := range []string{"username", "password"} {
		if !f.fields.Has(field) {
			b.t.Fatalf("the login page has no field %s: %.800s", field, page.body)
		}
	}
	f.fields.Set("username", username)
	f.fields.Set("password", passwordOf(username))
	return b.do(http.MethodPost, f.action.String(), "application/x-www-form-urlencoded", strings.NewReader(f.fields.Encode()))
}

// authorization answers the parameters with which Matricula sends a browser to
// the provider.
func (b *browser) authorization() url.Values {
	b.t.Helper()
	still := *b.client
	still.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := still.Get(b.base + "/auth/campus/start?next=/")
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	to, err := res.Location()
	if err != nil {
		b.t.Fatalf("the sign-in begins with status %d and leads nowhere: %v", res.StatusCode, err)
	}
	return to.Query()
}

func path(format string, args ...any) string { return fmt.Sprintf(format, args...) }
