package fetch

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"matricula/internal/lms"
)

func read(t *testing.T, g *Got, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	b, err := io.ReadAll(g.Kept.File)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func refused(t *testing.T, what string, err error, typ string) {
	t.Helper()
	if lms.TypeOf(err) != typ {
		t.Errorf("%s: %v, want %s", what, err, typ)
	}
}

func TestTheNewestListOfAFolderIsTakenOnceItIsWhole(t *testing.T) {
	root := t.TempDir()
	now := time.Now()
	f := New(Options{Folder: root, Now: func() time.Time { return now }})
	write := func(name, text string, age time.Duration) {
		t.Helper()
		path := filepath.Join(root, "sis", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	write("note.md", "no list", time.Minute)
	_, err := f.Fetch(context.Background(), lms.SourceFolder, "sis")
	refused(t, "a folder without lists", err, "source-empty")
	write("old.csv", "old", 2*time.Hour)
	write("new.csv", "new", time.Hour)
	g, err := f.Fetch(context.Background(), lms.SourceFolder, "sis")
	if got := read(t, g, err); got != "new" || g.Name != "new.csv" || g.Fingerprint == "" {
		t.Errorf("%q, %+v", got, g)
	}
	write("newest.csv", "half of i", time.Second)
	_, err = f.Fetch(context.Background(), lms.SourceFolder, "sis")
	refused(t, "a file that is being written", err, "source-unsettled")
	write("manifest.csv", "propertyName,value\n", time.Hour)
	write("newest.csv", "t", time.Hour)
	bundle, err := f.Fetch(context.Background(), lms.SourceFolder, "sis")
	if err != nil || bundle.Kept != nil || bundle.Folder != filepath.Join(root, "sis") {
		t.Fatalf("a folder that is a bundle: %+v (%v)", bundle, err)
	}
	write("newest.csv", "u", time.Hour)
	changed, err := f.Fetch(context.Background(), lms.SourceFolder, "sis")
	if err != nil || changed.Fingerprint == bundle.Fingerprint {
		t.Errorf("another table has the same fingerprint (%v)", err)
	}
}

// F-31: what a source may reach is what the operator has listed, and nothing else.
func TestF31ASourceReachesNothingButWhatIsAllowed(t *testing.T) {
	root := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret.csv")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(root, "sis"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(root, "sis", "list.csv")); err != nil {
		t.Fatal(err)
	}
	f := New(Options{Folder: root, Hosts: []string{"sis.uni.example"}, Now: time.Now})
	for _, place := range []string{"../", "/etc", "sis/../../", "nowhere", "", "..", "sis\x00"} {
		refused(t, place, f.Check(lms.SourceFolder, place), "source-place")
	}
	_, err := f.Fetch(context.Background(), lms.SourceFolder, "sis")
	refused(t, "a link out of the folder", err, "source-empty")
	refused(t, "a folder, when none is allowed", New(Options{Now: time.Now}).Check(lms.SourceFolder, "sis"), "source-not-allowed")
	refused(t, "an address, when none is allowed", New(Options{Now: time.Now}).Check(lms.SourceHTTPS, "https://sis.uni.example/"), "source-not-allowed")
	for place, typ := range map[string]string{
		"http://sis.uni.example/x": "source-place", "file:///etc/passwd": "source-place", "gopher://sis.uni.example/": "source-place", "https://user:pass@sis.uni.example/": "source-place",
		"sis.uni.example": "source-place", "https://": "source-place", "https://other.example/x": "source-not-allowed", "https://sis.uni.example:8443/": "source-not-allowed",
		"https://127.0.0.1/": "source-not-allowed", "https://169.254.169.254/": "source-not-allowed", "https://[::1]/": "source-not-allowed", "https://2130706433/": "source-not-allowed",
		"https://sis.uni.example.evil.example/": "source-not-allowed", "https://sis.uni.example@evil.example/": "source-place", `https://sis.uni.example\@evil.example/`: "source-place",
	} {
		refused(t, place, f.Check(lms.SourceHTTPS, place), typ)
	}
	if err := f.Check(lms.SourceHTTPS, "https://sis.uni.example/a/secret/path.zip?x=1"); err != nil {
		t.Error(err)
	}
	// A listed name that leads to this machine, or to its link, is not followed there.
	control := refuseOdd([]string{"sis.uni.example", "10.1.2.3"})
	for address, ok := range map[string]bool{
		"127.0.0.1:443": false, "[::1]:443": false, "169.254.169.254:443": false, "0.0.0.0:443": false, "[fe80::1]:443": false, "224.0.0.1:443": false, "10.1.2.3:443": true, "192.0.2.1:443": true,
	} {
		if err := control("tcp", address, nil); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestAnAddressIsFetchedWithoutRedirectsAndWithinLimits(t *testing.T) {
	var answer http.HandlerFunc
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(w, r) }))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "https://")
	f := New(Options{Hosts: []string{host}, Now: time.Now, Client: server.Client()})
	get := func() (*Got, error) {
		return f.Fetch(context.Background(), lms.SourceHTTPS, server.URL+"/lists/roster.csv")
	}
	answer = func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "E-mail\na@uni.example\n") }
	g, err := get()
	if got := read(t, g, err); !strings.HasPrefix(got, "E-mail") || g.Name != "roster.csv" {
		t.Errorf("%q, %+v", got, g)
	}
	for what, h := range map[string]http.HandlerFunc{
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.example/", http.StatusFound)
		},
		"an error": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"half a file": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "E-mail\n")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		},
	} {
		answer = h
		_, err := get()
		refused(t, what, err, "source-unreachable")
	}
	// By a name that is listed, an address of this machine is not reached all the same.
	_, err = New(Options{Hosts: []string{"localhost:1"}, Now: time.Now}).Fetch(context.Background(), lms.SourceHTTPS, "https://localhost:1/x")
	refused(t, "this machine by a name", err, "source-unreachable")
}
