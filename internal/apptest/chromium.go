// Package apptest is the kit with which the whole program is tested as people
// and other programs meet it: in a real browser, over real HTTP, against a real
// OpenID provider. It decides nothing about Matricula, and production code
// never imports it.
package apptest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"matricula/internal/apptest/leash"
	"matricula/internal/store/storetest"
)

// browserStartLimit is generous: on a busy machine of two cores the first start
// reads some hundred megabytes from disk.
const browserStartLimit = 60 * time.Second

// chromium is the one browser process of this test process.
type chromium struct {
	ctx    context.Context
	cancel context.CancelFunc
	leash  *leash.Leash
}

var (
	sharedChromium  = sync.OnceValues(startChromium)
	chromiumStarted atomic.Bool
)

// BrowserOption prepares a page before its first address is opened. Methods of
// Page without further arguments serve as options:
//
//	page := apptest.Browser(t, (*apptest.Page).NoJavaScript)
type BrowserOption = func(*Page)

// Browser opens a page in a browser profile of its own, with no cookies, cache
// or history of any other: two of them are two people at two machines. All
// share one Chromium process, which starts when the first test asks. A missing
// Chromium fails the test. The page is closed when the test ends.
func Browser(tb testing.TB, opts ...BrowserOption) *Page {
	tb.Helper()
	chromiumStarted.Store(true)
	c, err := sharedChromium()
	if err != nil {
		tb.Fatalf("Chromium: %v", err)
	}
	p, err := newPage(tb, c)
	if err != nil {
		tb.Fatalf("Chromium: open a page: %v", err)
	}
	for _, opt := range opts {
		opt(p)
	}
	return p
}

// MainBrowser runs the tests of a package, then ends the browser and the
// database server that they shared:
//
//	func TestMain(m *testing.M) { apptest.MainBrowser(m) }
//
// Without it both end with the test process all the same.
func MainBrowser(m *testing.M) {
	code := m.Run()
	if err := errors.Join(CloseBrowser(), storetest.Close()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// CloseBrowser ends the shared browser, if any test started it, and removes its
// profile. It is for a TestMain that has more to do than MainBrowser.
func CloseBrowser() error {
	if !chromiumStarted.Load() {
		return nil
	}
	c, err := sharedChromium()
	if err != nil {
		return nil // the tests that asked for it have said why
	}
	return c.close()
}

func (c *chromium) close() error {
	c.cancel() // returns when the process has ended
	return errors.Join(c.leash.Release(), c.leash.Close())
}

func startChromium() (*chromium, error) {
	path, err := findChromium()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "matricula-chromium-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the profile: %w", err)
	}
	l, err := leash.New(folder)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	allocator, cancelAllocator := chromedp.NewExecAllocator(context.Background(), chromiumOptions(path, folder)...)
	ctx, cancelBrowser := chromedp.NewContext(allocator)
	c := &chromium{ctx: ctx, leash: l, cancel: func() { cancelBrowser(); cancelAllocator() }}

	// The context of this first call is the life of the browser, so the limit
	// cannot be a deadline on it.
	started := make(chan error, 1)
	go func() { started <- chromedp.Do(ctx) }()
	select {
	case err = <-started:
	case <-time.After(browserStartLimit):
		err = fmt.Errorf("no answer after %v", browserStartLimit)
	}
	if err == nil {
		err = l.Hold(chromedp.FromContext(ctx).Browser.Process().Pid, "TERM")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", path, err), c.close())
	}
	return c, nil
}

// chromiumOptions is a browser that shows pages as it shows them to people and
// does nothing by itself: no updates, no sync, no first-run pages.
func chromiumOptions(path, folder string) []chromedp.ExecAllocatorOption {
	opts := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path),
		chromedp.UserDataDir(filepath.Join(folder, "profile")),
		// What the libraries below the browser write goes into the folder too.
		chromedp.Env("HOME="+folder, "XDG_CONFIG_HOME="+folder, "XDG_CACHE_HOME="+folder, "TZ=UTC"),
		chromedp.Headless,
		chromedp.NoFirstRun,
		chromedp.NoDefaultBrowserCheck,
		chromedp.WindowSize(1280, 900),
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-default-apps", true),
		chromedp.Flag("disable-extensions", true),
		chromedp.Flag("disable-breakpad", true),
		chromedp.Flag("disable-dev-shm-usage", true), // small in containers
		chromedp.Flag("metrics-recording-only", true),
		chromedp.Flag("password-store", "basic"),
		chromedp.Flag("force-color-profile", "srgb"),
		chromedp.Flag("lang", "en-US"),
		// Pages in the background run at full speed: several people click in
		// turn in one test.
		chromedp.Flag("disable-background-timer-throttling", true),
		chromedp.Flag("disable-backgrounding-occluded-windows", true),
		chromedp.Flag("disable-renderer-backgrounding", true),
		// A test never depends on another machine. A page that asks for one
		// gets an error, and Page.Requests shows that it asked.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE [::1], EXCLUDE localhost, EXCLUDE *.localhost"),
	}
	if os.Getuid() == 0 {
		// Chromium's sandbox refuses to run as root.
		opts = append(opts, chromedp.NoSandbox)
	}
	return opts
}

func findChromium() (string, error) {
	for _, name := range []string{"/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("the browser is not installed; `make deps` installs it (Debian: apt-get install chromium fonts-dejavu-core)")
}
