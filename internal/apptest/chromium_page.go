package apptest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const (
	// actLimit is how long each action waits for what it needs, unless
	// Patience says otherwise.
	actLimit = 15 * time.Second
	// settleLimit is how long an action waits, after it has acted, for the
	// page's own requests; a page that never rests is not held up for longer.
	settleLimit = 5 * time.Second
)

// Page is one tab of one person. Its methods wait for what they need, and fail
// the test with the selector, the address and the visible text of the page when
// it does not come. They belong to the goroutine that runs the test. A selector
// is a CSS selector, and means the first visible element that matches it.
type Page struct {
	tb     testing.TB
	ctx    context.Context
	target *chromedp.Target
	limit  time.Duration

	mu       sync.Mutex // guards what hear writes
	loading  map[cdp.FrameID]bool
	fetching map[network.RequestID]bool
	requests []string
	errors   []string
	dialogs  []string
	dismiss  bool
	pressing chan *page.EventJavascriptDialogOpening
}

func newPage(tb testing.TB, c *chromium) (*Page, error) {
	p := &Page{
		tb: tb, limit: actLimit, loading: map[cdp.FrameID]bool{}, fetching: map[network.RequestID]bool{},
		pressing: make(chan *page.EventJavascriptDialogOpening, 16),
	}
	ctx, cancel := chromedp.NewContext(c.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(p.hear))
	tb.Cleanup(cancel)
	p.ctx = ctx
	opened := make(chan error, 1)
	go func() { opened <- chromedp.Do(ctx) }()
	select {
	case err := <-opened:
		if err != nil {
			return nil, err
		}
	case <-time.After(actLimit):
		return nil, fmt.Errorf("no answer after %v", actLimit)
	}
	p.target = chromedp.FromContext(ctx).Target
	go p.answerDialogs()
	return p, nil
}

// hear runs on the goroutine that reads the browser's messages: it takes notes
// and asks nothing.
func (p *Page) hear(ev any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch ev := ev.(type) {
	case *page.EventFrameStartedLoading:
		p.loading[ev.FrameID] = true
	case *page.EventFrameStoppedLoading:
		delete(p.loading, ev.FrameID)
	case *page.EventFrameDetached:
		delete(p.loading, ev.FrameID)
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, ev.Request.URL)
		if ev.Type == network.ResourceTypeXHR || ev.Type == network.ResourceTypeFetch {
			p.fetching[ev.RequestID] = true
		}
	case *network.EventLoadingFinished:
		delete(p.fetching, ev.RequestID)
	case *network.EventLoadingFailed:
		delete(p.fetching, ev.RequestID)
	case *runtime.EventConsoleAPICalled:
		if ev.Type == runtime.ConsoleAPICalledTypeError {
			p.errors = append(p.errors, consoleText(ev.Args))
		}
	case *runtime.EventExceptionThrown:
		text := ev.ExceptionDetails.Text
		if ev.ExceptionDetails.Exception != nil {
			text += " " + ev.ExceptionDetails.Exception.Description
		}
		p.errors = append(p.errors, text)
	case *log.EventEntryAdded:
		if ev.Entry.Level == log.EntryLevelError {
			p.errors = append(p.errors, strings.TrimSpace(ev.Entry.Text+" "+ev.Entry.URL))
		}
	case *page.EventJavascriptDialogOpening:
		p.dialogs = append(p.dialogs, ev.Message)
		select {
		case p.pressing <- ev:
		default: // the page asks without end; the test will see it stand still
		}
	}
}

func consoleText(args []*runtime.RemoteObject) string {
	var words []string
	for _, arg := range args {
		var text string
		switch {
		case json.Unmarshal(arg.Value, &text) == nil:
			words = append(words, text)
		case arg.Description != "":
			words = append(words, arg.Description)
		default:
			words = append(words, string(arg.Value))
		}
	}
	return strings.Join(words, " ")
}

func (p *Page) answerDialogs() {
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-p.pressing:
			p.mu.Lock()
			accept := !p.dismiss
			p.mu.Unlock()
			// An error means that the page is gone, and its question with it.
			_, _ = cdp.Call(p.ctx, p.target, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: accept})
		}
	}
}

// Open goes to an address, as typed into the address bar, and waits until the
// page has loaded.
func (p *Page) Open(address string) {
	p.tb.Helper()
	run(p, "open "+address, chromedp.Navigate(address))
	p.settle()
}

// Reload loads the page again.
func (p *Page) Reload() {
	p.tb.Helper()
	run(p, "reload", chromedp.Reload())
	p.settle()
}

// Back goes back in the page's history.
func (p *Page) Back() {
	p.tb.Helper()
	var before page.NavigationEntry
	run(p, "go back", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		history, err := cdp.Call(ctx, t, page.GetNavigationHistory, cdp.Empty{})
		if err != nil {
			return err
		}
		if history.CurrentIndex == 0 {
			return errors.New("this is the first page")
		}
		before = *history.Entries[history.CurrentIndex-1]
		_, err = cdp.Call(ctx, t, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: before.ID})
		return err
	}))
	// A page that the browser kept whole comes back without loading, so there
	// is no load event to wait for.
	p.waitJS("go back to "+before.URL, call(`(url) => location.href === url ? "" : "still elsewhere"`, before.URL))
	p.settle()
}

// Click clicks with the mouse in the middle of an element that is visible,
// enabled and not covered by another, and waits for the page that this loads or
// the request that it makes.
func (p *Page) Click(selector string) {
	p.tb.Helper()
	p.ClickText(selector, "")
}

// ClickText clicks the first element that matches the selector and whose
// visible text contains text: p.ClickText("button", "Save").
func (p *Page) ClickText(selector, text string) {
	p.tb.Helper()
	what := "click " + selector
	if text != "" {
		what += fmt.Sprintf(" saying %q", text)
	}
	var spot struct {
		X, Y    float64
		Trouble string
	}
	p.wait(what, func(ctx context.Context) (string, error) {
		err := p.evaluate(ctx, call(jsSpot, selector, text), &spot)
		return spot.Trouble, err
	})
	run(p, what, chromedp.MouseClickXY(spot.X, spot.Y))
	p.settle()
}

// Fill replaces what stands in a field, all at once, as pasting does.
func (p *Page) Fill(selector, text string) {
	p.tb.Helper()
	what := "fill " + selector
	p.focus(what, selector)
	if text == "" {
		run(p, what, chromedp.KeyEvent(kb.Delete))
		return
	}
	run(p, what, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.InsertText, input.InsertTextParams{Text: text})
		return err
	}))
}

// Type replaces what stands in a field, key by key.
func (p *Page) Type(selector, text string) {
	p.tb.Helper()
	p.focus("type into "+selector, selector)
	run(p, "type into "+selector, chromedp.KeyEvent(text))
	p.settle()
}

func (p *Page) focus(what, selector string) {
	p.tb.Helper()
	p.waitJS(what, call(jsFocus, selector))
}

// Select chooses the option of a select element that has this value.
func (p *Page) Select(selector, value string) {
	p.tb.Helper()
	p.waitJS(fmt.Sprintf("select %q in %s", value, selector), call(jsSelect, selector, value))
	p.settle()
}

// Upload puts a file of this machine into a file field.
func (p *Page) Upload(selector, path string) {
	p.tb.Helper()
	run(p, "upload into "+selector, chromedp.SetUploadFiles(chromedp.CSS(selector), []string{path}))
	p.settle()
}

// keys are the names that Press knows besides single characters.
var keys = map[string]string{
	"Enter": kb.Enter, "Tab": kb.Tab, "Escape": kb.Escape, "Space": " ", "Backspace": kb.Backspace, "Delete": kb.Delete,
	"ArrowUp": kb.ArrowUp, "ArrowDown": kb.ArrowDown, "ArrowLeft": kb.ArrowLeft, "ArrowRight": kb.ArrowRight,
	"Home": kb.Home, "End": kb.End, "PageUp": kb.PageUp, "PageDown": kb.PageDown,
}

// Press presses one key, such as "Enter", "Tab", "Shift+Tab" or "Control+k".
func (p *Page) Press(key string) {
	p.tb.Helper()
	modifiers := map[string]chromedp.Modifier{
		"Shift": chromedp.ModifierShift, "Control": chromedp.ModifierCtrl, "Alt": chromedp.ModifierAlt, "Meta": chromedp.ModifierMeta,
	}
	parts := strings.Split(key, "+")
	var held []chromedp.Modifier
	for _, name := range parts[:len(parts)-1] {
		m, known := modifiers[name]
		if !known {
			p.tb.Fatalf("press %s: no modifier is called %q", key, name)
		}
		held = append(held, m)
	}
	last := parts[len(parts)-1]
	code, known := keys[last]
	if !known {
		if len([]rune(last)) != 1 {
			p.tb.Fatalf("press %s: no key is called %q", key, last)
		}
		code = last
	}
	run(p, "press "+key, chromedp.KeyEvent(code, chromedp.KeyModifiers(held...)))
	p.settle()
}

// Text is the visible text of an element, with white space made single.
func (p *Page) Text(selector string) string {
	p.tb.Helper()
	var got struct{ Text, Trouble string }
	p.wait("read the text of "+selector, func(ctx context.Context) (string, error) {
		err := p.evaluate(ctx, call(jsText, selector), &got)
		return got.Trouble, err
	})
	return strings.Join(strings.Fields(got.Text), " ")
}

// Value is what stands in a field.
func (p *Page) Value(selector string) string {
	p.tb.Helper()
	p.WaitVisible(selector)
	return Eval[string](p, call(`(sel) => document.querySelector(sel).value`, selector))
}

// Count is how many elements match the selector now, visible or not.
func (p *Page) Count(selector string) int {
	p.tb.Helper()
	return Eval[int](p, call(`(sel) => document.querySelectorAll(sel).length`, selector))
}

// WaitVisible waits until an element is there and visible.
func (p *Page) WaitVisible(selector string) {
	p.tb.Helper()
	p.waitJS("wait for "+selector, call(jsVisible, selector))
}

// WaitGone waits until no visible element matches the selector.
func (p *Page) WaitGone(selector string) {
	p.tb.Helper()
	p.waitJS("wait until "+selector+" is gone", call(jsGone, selector))
}

// WaitText waits until an element that matches the selector is visible and its
// text contains text.
func (p *Page) WaitText(selector, text string) {
	p.tb.Helper()
	p.waitJS(fmt.Sprintf("wait for %q in %s", text, selector), call(jsHasText, selector, text))
}

// WaitURL waits until the address contains part.
func (p *Page) WaitURL(part string) {
	p.tb.Helper()
	p.waitJS(fmt.Sprintf("wait for the address to contain %q", part),
		call(`(part) => location.href.includes(part) ? "" : "it does not"`, part))
}

// URL is the address of the page.
func (p *Page) URL() string {
	p.tb.Helper()
	return Eval[string](p, `location.href`)
}

// Focused describes the element that has the keyboard's focus by its tag, its
// id or name, and its text, such as `button#save "Save"`.
func (p *Page) Focused() string {
	p.tb.Helper()
	return Eval[string](p, call(jsFocused))
}

// Cookies are the cookies that this person's browser holds, for all hosts.
func (p *Page) Cookies() []*network.Cookie {
	p.tb.Helper()
	return run(p, "read the cookies", func(ctx context.Context, t *chromedp.Target) ([]*network.Cookie, error) {
		got, err := cdp.Call(ctx, t, network.GetCookies, network.GetCookiesParams{})
		return got.Cookies, err
	})
}

// Screenshot writes the whole page as a PNG and makes the folder for it.
func (p *Page) Screenshot(file string) {
	p.tb.Helper()
	png := run(p, "take a screenshot", chromedp.FullScreenshot(100))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		p.tb.Fatalf("screenshot: %v", err)
	}
	if err := os.WriteFile(file, png, 0o644); err != nil {
		p.tb.Fatalf("screenshot: %v", err)
	}
}

// Emulate gives the page a screen of this size in CSS pixels; a mobile one also
// has touch and obeys the viewport tag.
func (p *Page) Emulate(width, height int, mobile bool) {
	p.tb.Helper()
	var opts []chromedp.EmulateViewportOption
	if mobile {
		opts = append(opts, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulatePortrait)
	}
	run(p, "emulate a screen", chromedp.EmulateViewport(int64(width), int64(height), opts...))
}

// Patience sets how long each action of a page waits for what it needs.
func Patience(limit time.Duration) BrowserOption {
	return func(p *Page) { p.limit = limit }
}

// Dark makes this person prefer dark pages.
func (p *Page) Dark() { p.tb.Helper(); p.media("prefers-color-scheme", "dark") }

// ReducedMotion makes this person prefer pages that do not move.
func (p *Page) ReducedMotion() { p.tb.Helper(); p.media("prefers-reduced-motion", "reduce") }

func (p *Page) media(feature, value string) {
	p.tb.Helper()
	run(p, "prefer "+value, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: feature, Value: value}},
		})
		return err
	}))
}

// NoJavaScript turns scripts off, for pages opened from now on.
func (p *Page) NoJavaScript() {
	p.tb.Helper()
	run(p, "turn scripts off", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
}

// DismissDialogs answers the page's questions with Cancel from now on; without
// it they are answered with OK.
func (p *Page) DismissDialogs() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dismiss = true
}

// Dialogs are the questions (alert, confirm, prompt) that the page has asked.
func (p *Page) Dialogs() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.dialogs)
}

// ConsoleErrors are the errors in the browser's console since the page was
// made: of scripts, of the content security policy, and of each response of 400
// and above.
func (p *Page) ConsoleErrors() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.errors)
}

// Requests are the addresses that the browser has asked for, redirects included.
func (p *Page) Requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.requests)
}

// ForeignRequests are the addresses asked for whose host (with its port) is
// none of those given.
func (p *Page) ForeignRequests(hosts ...string) []string {
	return slices.DeleteFunc(p.Requests(), func(address string) bool {
		u, err := url.Parse(address)
		if err != nil {
			return false
		}
		return slices.Contains(hosts, u.Host) || u.Scheme == "data" || u.Scheme == "about" || u.Scheme == "blob"
	})
}
