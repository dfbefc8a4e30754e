package demo_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"matricula/internal/apptest"
	"matricula/internal/demo"
	"matricula/internal/signin"
)

// The redirect back leads to another origin, which the page's own policy has
// to allow: only a browser can tell.
func TestAPersonSignsInAtTheDemosProviderInABrowser(t *testing.T) {
	var s *providerSite
	var mu sync.Mutex
	attempts := map[string]signin.Attempt{}
	program := http.NewServeMux()
	program.HandleFunc("GET /start", func(w http.ResponseWriter, r *http.Request) {
		a := signin.NewAttempt()
		mu.Lock()
		attempts[a.State] = a
		mu.Unlock()
		address, err := s.rp.AuthURL(r.Context(), "demo", a)
		if err != nil {
			t.Error(err)
		}
		http.Redirect(w, r, address, http.StatusSeeOther)
	})
	program.HandleFunc("GET /auth/demo/callback", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		a := attempts[r.FormValue("state")]
		mu.Unlock()
		token, err := s.rp.Exchange(r.Context(), "demo", r.FormValue("code"), a)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<!doctype html><link rel=icon href=data:,><h1>Welcome %s, %s</h1>", token.Name, token.Email)
	})
	server := httptest.NewServer(program)
	defer server.Close()
	s = newProviderSite(t, func(o *demo.ProviderOptions) { o.RedirectURI = server.URL + "/auth/demo/callback" })

	t.Run("with the mouse, from the list", func(t *testing.T) {
		page := apptest.Browser(t)
		page.Open(server.URL + "/start")
		page.Click(`button[value="Ada@uni.example"]`)
		page.WaitText("h1", "Welcome Ada Lovelace, ada@uni.example")
		if trouble := page.ConsoleErrors(); len(trouble) > 0 {
			t.Errorf("the browser complains: %q", trouble)
		}
	})
	t.Run("with the keyboard and without scripts, as somebody new, after a slip", func(t *testing.T) {
		page := apptest.Browser(t, (*apptest.Page).NoJavaScript)
		page.Open(server.URL + "/start")
		page.Fill("#email", "new elsewhere.example")
		page.Press("Enter")
		page.WaitVisible("#error")
		if focused := page.Focused(); focused != "input#email" {
			t.Errorf("the focus is on %s", focused)
		}
		page.Fill("#email", "new@elsewhere.example")
		page.Fill("#given_name", "New")
		page.Fill("#family_name", "Person")
		page.Press("Enter")
		page.WaitText("h1", "Welcome New Person, new@elsewhere.example")
	})
}
