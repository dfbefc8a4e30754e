package apptest_test

import (
	"bytes"
	"fmt"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"matricula/internal/apptest"
)

func TestMain(m *testing.M) { apptest.MainBrowser(m) }

const samplePage = `<!doctype html><html lang="en"><head><meta name="viewport" content="width=device-width">
<title>Sample</title><link rel="stylesheet" href="/style.css"><script src="/script.js" defer></script></head><body>
<h1>People  of <em>Algorithms</em></h1>
<noscript><p id="noscript">Works without scripts.</p></noscript>
<p id="scripted"></p>
<p id="hidden" style="display:none">You cannot see me</p>
<form method="post" action="/people"><label>Address <input name="email" value="old@uni.example"></label>
<textarea name="list"></textarea>
<select name="role"><option value="student">Student</option><option value="teacher">Teacher</option></select>
<label><input type="checkbox" name="manage"> may manage</label>
<button id="save">Save</button><button id="other" name="other" value="1">Do something else</button><button id="off" disabled>Never</button></form>
<a id="slow" href="/slow">A slow page</a>
<button id="ask" type="button">Ask</button><button id="later" type="button">Later</button><p id="answer"></p>
<div style="position:relative;height:40px"><button id="under">Under</button><div id="over" style="position:absolute;inset:0">over</div></div>
</body></html>`

const sampleScript = `
document.getElementById("scripted").textContent = "Works with scripts.";
document.getElementById("ask").onclick = () => {
	document.getElementById("answer").textContent = confirm("Remove Grace?") ? "removed" : "kept";
};
document.getElementById("later").onclick = async () => {
	const text = await (await fetch("/fragment")).text();
	document.getElementById("answer").textContent = text;
};`

func sample(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	page := func(w http.ResponseWriter, format string, args ...any) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'self'; style-src 'self' 'unsafe-inline'")
		fmt.Fprintf(w, format, args...)
	}
	release := make(chan struct{}, 10)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "visited", Value: "yes", HttpOnly: true})
		page(w, "%s", samplePage)
	})
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css")
		fmt.Fprint(w, `@media (prefers-color-scheme: dark) { body { background: rgb(1, 2, 3) } }`)
	})
	mux.HandleFunc("GET /script.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, sampleScript)
	})
	mux.HandleFunc("GET /fragment", func(w http.ResponseWriter, r *http.Request) {
		// Slow enough that a test which does not wait sees the old text.
		select {
		case <-release:
		case <-r.Context().Done():
		}
		page(w, "fetched")
	})
	mux.HandleFunc("GET /slow", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
		page(w, "<h1>Slow page</h1>")
	})
	mux.HandleFunc("GET /plain", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<h1>A page that may ask anybody</h1>")
	})
	mux.HandleFunc("GET /bad", func(w http.ResponseWriter, _ *http.Request) {
		page(w, `<h1>Bad</h1><img src="https://elsewhere.example/spy.gif"><script>inline()</script>`)
	})
	mux.HandleFunc("POST /people", func(w http.ResponseWriter, r *http.Request) {
		page(w, "<h1>Saved %s</h1><p>%s/%s/%s/%s</p>", r.FormValue("email"),
			strings.ReplaceAll(r.FormValue("list"), "\r\n", "+"), r.FormValue("role"), r.FormValue("manage"), r.FormValue("other"))
	})
	mux.HandleFunc("POST /release", func(http.ResponseWriter, *http.Request) { release <- struct{}{} })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

func TestAPersonFillsAFormWithAndWithoutScripts(t *testing.T) {
	for name, opts := range map[string][]apptest.BrowserOption{
		"with scripts":    nil,
		"without scripts": {(*apptest.Page).NoJavaScript},
	} {
		t.Run(name, func(t *testing.T) {
			page := apptest.Browser(t, opts...)
			page.Open(sample(t).URL)
			if got, want := page.Text("h1"), "People of Algorithms"; got != want {
				t.Errorf("the heading is %q, want %q", got, want)
			}
			scripted := page.Text("body")
			if got, want := strings.Contains(scripted, "Works with scripts."), opts == nil; got != want {
				t.Errorf("the page's script ran: %v, want %v", got, want)
			}
			if got, want := strings.Contains(scripted, "Works without scripts."), opts != nil; got != want {
				t.Errorf("the noscript text shows: %v, want %v", got, want)
			}
			page.Fill("[name=email]", "grace@uni.example")
			page.Fill("[name=list]", "a@uni.example\nb@uni.example")
			page.Select("[name=role]", "teacher")
			page.Click("[name=manage]")
			page.Click("#save")
			if got, want := page.Text("h1"), "Saved grace@uni.example"; got != want {
				t.Errorf("after saving the heading is %q, want %q", got, want)
			}
			if got, want := page.Text("p"), "a@uni.example+b@uni.example/teacher/on/"; got != want {
				t.Errorf("what arrived is %q, want %q", got, want)
			}
			page.WaitURL("/people")
			page.Back()
			page.ClickText("button", "something else")
			page.WaitText("p", "/teacher/on/1") // going back keeps what was filled in
		})
	}
}

func TestAPersonWithoutAMouseUsesTheKeyboard(t *testing.T) {
	page := apptest.Browser(t)
	page.Open(sample(t).URL)
	page.Press("Tab")
	if got, want := page.Focused(), `input[name=email]`; got != want {
		t.Fatalf("the first stop is %s, want %s", got, want)
	}
	page.Press("Tab")
	page.Press("Shift+Tab")
	page.Type("[name=email]", "typed@uni.example")
	page.Press("Enter")
	page.WaitText("h1", "Saved typed@uni.example")
}

func TestEachBrowserIsAnotherPerson(t *testing.T) {
	server := sample(t)
	ada, grace := apptest.Browser(t), apptest.Browser(t)
	ada.Open(server.URL)
	if got := ada.Cookies(); len(got) != 1 || got[0].Name != "visited" || !got[0].HTTPOnly {
		t.Errorf("Ada's browser holds the cookies %v, want visited", got)
	}
	if got := grace.Cookies(); len(got) != 0 {
		t.Errorf("Grace's browser holds the cookies %v before she opened anything", got)
	}
}

func TestActionsWaitForWhatTheyStart(t *testing.T) {
	server := sample(t)
	page := apptest.Browser(t)
	page.Open(server.URL)
	releaseSoon := func() {
		go func() {
			if resp, err := http.Post(server.URL+"/release", "", nil); err == nil {
				resp.Body.Close()
			}
		}()
	}
	releaseSoon()
	page.Click("#later")
	if got, want := page.Text("#answer"), "fetched"; got != want {
		t.Errorf("after a click that fetches, the text is %q, want %q", got, want)
	}
	releaseSoon()
	page.Click("#slow")
	if got, want := page.Text("h1"), "Slow page"; got != want {
		t.Errorf("after a click that loads a page, the heading is %q, want %q", got, want)
	}
}

func TestDialogsAreAnswered(t *testing.T) {
	page := apptest.Browser(t)
	page.Open(sample(t).URL)
	page.Click("#ask")
	page.WaitText("#answer", "removed")
	page.DismissDialogs()
	page.Click("#ask")
	page.WaitText("#answer", "kept")
	if got := page.Dialogs(); !slices.Equal(got, []string{"Remove Grace?", "Remove Grace?"}) {
		t.Errorf("the page asked %q", got)
	}
}

func TestDarkAndSmallScreensAreSeenByThePage(t *testing.T) {
	const background = `getComputedStyle(document.body).backgroundColor`
	light := apptest.Browser(t)
	server := sample(t)
	light.Open(server.URL)
	if got := apptest.Eval[string](light, background); got != "rgba(0, 0, 0, 0)" {
		t.Errorf("the background is %s for a person who asked for nothing", got)
	}
	dark := apptest.Browser(t, (*apptest.Page).Dark)
	dark.Emulate(390, 844, true)
	dark.Open(server.URL)
	if got := apptest.Eval[string](dark, background); got != "rgb(1, 2, 3)" {
		t.Errorf("the background is %s for a person who prefers dark pages", got)
	}
	if got := apptest.Eval[int](dark, `innerWidth`); got != 390 {
		t.Errorf("the page is %d pixels wide on a telephone of 390", got)
	}
	file := filepath.Join(t.TempDir(), "deep", "page.png")
	dark.Screenshot(file)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if got := picture.Bounds().Dx(); got != 390 {
		t.Errorf("the picture is %d pixels wide, want 390", got)
	}
}

func TestConsoleErrorsAndForeignRequestsAreNoticed(t *testing.T) {
	server := sample(t)
	host := strings.TrimPrefix(server.URL, "http://")
	page := apptest.Browser(t)
	page.Open(server.URL)
	if got := page.ForeignRequests(host); len(got) != 0 {
		t.Errorf("a page of its own host asked for %v", got)
	}
	if got := page.Requests(); !slices.Contains(got, server.URL+"/script.js") {
		t.Errorf("the requests %v lack the script", got)
	}
	page.Open(server.URL + "/bad")
	console := strings.Join(page.ConsoleErrors(), "\n")
	for _, want := range []string{"inline script", "elsewhere.example"} {
		if !strings.Contains(console, want) {
			t.Errorf("the console's errors do not mention %q:\n%s", want, console)
		}
	}
}

func TestAForeignHostIsNeverReached(t *testing.T) {
	page := apptest.Browser(t)
	page.Open(sample(t).URL + "/plain")
	got := apptest.Eval[string](page, `fetch("http://elsewhere.example/", {mode: "no-cors"}).then(() => "reached", () => "refused")`)
	if got != "refused" {
		t.Errorf("another host was %s", got)
	}
	if got := page.ForeignRequests(strings.TrimSuffix(strings.TrimPrefix(page.URL(), "http://"), "/plain")); !slices.Contains(got, "http://elsewhere.example/") {
		t.Errorf("the attempt is not among the foreign requests %v", got)
	}
}

// witness stands in for the test that a page would fail.
type witness struct {
	testing.TB
	message string
}

func (w *witness) Helper() {}

type failed struct{}

func (w *witness) Fatalf(format string, args ...any) {
	w.message = fmt.Sprintf(format, args...)
	panic(failed{})
}

func TestAFailureSaysWhatWhereAndWhatThePageShows(t *testing.T) {
	server := sample(t)
	cases := map[string]struct {
		act  func(*apptest.Page)
		want []string
	}{
		"missing":   {func(p *apptest.Page) { p.Click("#nobody") }, []string{"click #nobody", "no such element"}},
		"invisible": {func(p *apptest.Page) { p.WaitVisible("#hidden") }, []string{"wait for #hidden", "visible"}},
		"disabled":  {func(p *apptest.Page) { p.Click("#off") }, []string{"click #off", "disabled"}},
		"covered":   {func(p *apptest.Page) { p.Click("#under") }, []string{"click #under", "covered by", `id="over"`}},
		"text":      {func(p *apptest.Page) { p.WaitText("h1", "Chemistry") }, []string{`"Chemistry" in h1`}},
		"option":    {func(p *apptest.Page) { p.Select("[name=role]", "owner") }, []string{`"owner"`, `"student", "teacher"`}},
		"selector":  {func(p *apptest.Page) { p.Text("h1[") }, []string{"h1[", "not a valid selector"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			w := &witness{TB: t}
			page := apptest.Browser(w, apptest.Patience(time.Second))
			page.Open(server.URL)
			func() {
				defer func() {
					if r := recover(); r != nil && r != (failed{}) {
						panic(r)
					}
				}()
				c.act(page)
			}()
			for _, want := range append(c.want, server.URL, "People of Algorithms") {
				if !strings.Contains(w.message, want) {
					t.Errorf("the failure does not say %q:\n%s", want, w.message)
				}
			}
		})
	}
}
