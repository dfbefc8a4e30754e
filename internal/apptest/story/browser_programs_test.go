package story_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"matricula/internal/apptest"
	"matricula/internal/apptest/app"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// documented is the JavaScript of docs/programs.md, for a server at an address.
func documented(t *testing.T, address string) string {
	t.Helper()
	page, err := os.ReadFile("../../../docs/programs.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```js\n(.*?)```").FindAllSubmatch(page, -1)
	if len(blocks) != 1 {
		t.Fatalf("docs/programs.md has %d blocks of JavaScript", len(blocks))
	}
	const there = `"https://lms.uni.example"`
	script := string(blocks[0][1])
	if strings.Count(script, there) != 1 {
		t.Fatalf("the JavaScript of docs/programs.md does not name %s once", there)
	}
	return strings.Replace(script, there, `"`+address+`"`, 1)
}

// The page of somebody else's application: what people press, and what it then
// shows. Its own server hands the ID token out, where a provider's button would.
const elsewhere = `<!doctype html><title>Timetable</title>
<button id="in">Sign in</button> <button id="name">Add a colleague</button> <button id="again">Renew</button> <button id="out">Sign out</button>
<p id="said">ready</p>
<script>%s</script>
<script>
const said = document.getElementById("said");
const press = (id, fn) => document.getElementById(id).addEventListener("click", async () => {
  said.textContent = "…";
  try { said.textContent = await fn(); } catch (e) { said.textContent = "failed: " + e.message; }
});
press("in", async () => {
  await signIn(await (await fetch("/id-token")).text(), "of this page");
  const me = await (await api("/me")).json();
  return me.user.display_name + " in " + me.courses.map((c) => c.title).join(", ");
});
press("name", async () => {
  const course = (await (await api("/me")).json()).courses[0].id;
  const answer = await api("/courses/" + course + "/enrollments", {
    method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ emails: ["edsger@uni.example"], role: "student" }),
  });
  return answer.status + " " + (await answer.json()).items[0].result;
});
press("again", async () => {
  const before = tokens.access_token;
  await Promise.all([renew(), renew(), renew()]);
  return (await api("/me")).status + " " + (tokens.access_token !== before);
});
press("out", async () => {
  const kept = { ...tokens };
  await signOut();
  tokens = kept;
  return String((await api("/me")).status);
});
</script>`

// openElsewhere starts the program, and the site of the page above; listed gives
// the origin that the operator listed.
func openElsewhere(t *testing.T, listed func(site string) string) (a *app.App, address string) {
	t.Helper()
	mux := http.NewServeMux()
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	a = app.Start(t, "sqlite", app.WithOrigins(listed(site.URL)))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, elsewhere, documented(t, a.URL))
	})
	mux.HandleFunc("GET /id-token", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, a.Issuer.IDToken(apptest.Somebody("grace@uni.example", "Grace", "Hopper"), "of this page"))
	})
	return a, site.URL
}

// TestThePageOfAnotherSiteUsesTheAPIAsItsUser runs what the documentation tells
// developers, in a real browser, on a page of another origin.
func TestThePageOfAnotherSiteUsesTheAPIAsItsUser(t *testing.T) {
	a, site := openElsewhere(t, func(site string) string { return site })
	_, secret := a.Admin("root@uni.example")
	root := a.As(secret)
	course, err := a.Service.CreateCourse(t.Context(), root, lms.CourseFields{Title: "Algorithms"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Service.Enroll(t.Context(), root, service.EnrollRequest{CourseID: course.Course.ID, Role: lms.RoleTeacher, Emails: []string{"grace@uni.example"}}); err != nil {
		t.Fatal(err)
	}

	page := apptest.Browser(t)
	page.Open(site)
	page.Click("#in")
	page.WaitText("#said", "Grace Hopper in Algorithms")
	page.Click("#name")
	page.WaitText("#said", "200 named")
	page.Click("#again")
	page.WaitText("#said", "200 true")
	page.Click("#out")
	page.WaitText("#said", "failed: This refresh token is not valid")
	for _, c := range page.Cookies() {
		t.Errorf("the page of another site got the cookie %s", c.Name)
	}
	for _, request := range page.Requests() {
		if strings.Contains(request, "maa_") || strings.Contains(request, "mar_") || strings.Contains(request, "eyJ") {
			t.Errorf("a token stands in an address: %s", request)
		}
	}
}

// TestF13TheBrowserKeepsAPageOfAnUnknownSiteOut is the same page where its origin is
// not listed.
func TestF13TheBrowserKeepsAPageOfAnUnknownSiteOut(t *testing.T) {
	a, site := openElsewhere(t, func(string) string { return "https://friend.example" })
	page := apptest.Browser(t)
	page.Open(site)
	page.Click("#in")
	page.WaitText("#said", "failed: Failed to fetch")
	if a.Issuer.Requests("jwks") != 0 {
		t.Error("the token was looked at all the same")
	}
}
