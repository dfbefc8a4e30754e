package apptest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// The scripts by which a page is asked about its elements. Each is a function;
// they work with the page's own scripts turned off and under any content
// security policy. Those used by waitJS return "" when all is well and otherwise
// what is missing.
const (
	jsFind = `
const visible = (el) => {
	const box = el.getBoundingClientRect(), style = getComputedStyle(el);
	return box.width > 0 && box.height > 0 && style.visibility === "visible" && style.display !== "none";
};
const find = (sel, text = "") => [...document.querySelectorAll(sel)].find(
	(el) => visible(el) && (text === "" || (el.innerText || el.value || "").includes(text)));
const missing = (sel, text = "") => {
	const all = [...document.querySelectorAll(sel)];
	if (all.length === 0) return "no such element";
	if (!all.some(visible)) return "no such element is visible";
	return "none of the visible ones says " + JSON.stringify(text);
};
`
	// A styled switch is often a label drawn over its checkbox: a click that
	// lands on the label of the element still reaches it.
	jsSpot = `(sel, text) => {` + jsFind + `
	const el = find(sel, text);
	if (!el) return {Trouble: missing(sel, text)};
	if (el.matches(":disabled")) return {Trouble: "it is disabled"};
	el.scrollIntoView({block: "center", inline: "center", behavior: "instant"});
	// The first of an inline element's boxes: the middle of a link that is
	// broken over two lines may lie beside it.
	const box = el.getClientRects()[0];
	const X = box.x + box.width / 2, Y = box.y + box.height / 2;
	const hit = document.elementFromPoint(X, Y);
	const label = hit && hit.closest("label");
	if (!hit || !(el.contains(hit) || hit.contains(el) && hit.tagName === "LABEL" || label && label.control === el))
		return {Trouble: "it is covered by " + (hit ? hit.outerHTML.slice(0, 120) : "nothing (outside the window)")};
	// What still moves, as a panel that is being put in its place, would be missed.
	const before = window.apptestSpot;
	window.apptestSpot = {el, X, Y};
	if (!before || before.el !== el || before.X !== X || before.Y !== Y) return {Trouble: "it moves"};
	return {X, Y, Trouble: ""};
}`
	jsFocus = `(sel) => {` + jsFind + `
	const el = find(sel);
	if (!el) return missing(sel);
	if (el.matches(":disabled")) return "it is disabled";
	if (el.readOnly) return "it is read-only";
	el.focus();
	if (el.select) el.select();
	return document.activeElement === el ? "" : "it does not take the focus";
}`
	jsSelect = `(sel, value) => {` + jsFind + `
	const el = find(sel);
	if (!el) return missing(sel);
	if (el.matches(":disabled")) return "it is disabled";
	if (![...el.options].some((o) => o.value === value && !o.disabled))
		return "it has only " + [...el.options].map((o) => JSON.stringify(o.value)).join(", ");
	el.value = value;
	el.dispatchEvent(new Event("input", {bubbles: true}));
	el.dispatchEvent(new Event("change", {bubbles: true}));
	return "";
}`
	jsText = `(sel) => {` + jsFind + `
	const el = find(sel);
	return el ? {Text: el.innerText, Trouble: ""} : {Text: "", Trouble: missing(sel)};
}`
	jsVisible = `(sel) => {` + jsFind + ` return find(sel) ? "" : missing(sel); }`
	jsGone    = `(sel) => {` + jsFind + ` return find(sel) ? "it is still there" : ""; }`
	jsHasText = `(sel, text) => {` + jsFind + `
	const squeeze = (s) => s.replace(/\s+/g, " ");
	const ok = [...document.querySelectorAll(sel)].some((el) => visible(el) && squeeze(el.innerText).includes(squeeze(text)));
	return ok ? "" : missing(sel, text);
}`
	jsFocused = `() => {
	const el = document.activeElement;
	if (!el) return "";
	const name = el.id ? "#" + el.id : el.getAttribute("name") ? "[name=" + el.getAttribute("name") + "]" : "";
	const text = (el === document.body ? "" : el.innerText || "").trim().replace(/\s+/g, " ");
	return el.tagName.toLowerCase() + name + (text ? " " + JSON.stringify(text) : "");
}`
)

// call writes a call of a script's function with these arguments.
func call(function string, args ...string) string {
	quoted := make([]string, len(args))
	for i, arg := range args {
		// JSON is a subset of what a script may hold.
		text, err := json.Marshal(arg)
		if err != nil {
			panic(err) // no string fails to marshal
		}
		quoted[i] = string(text)
	}
	return "(" + function + ")(" + strings.Join(quoted, ", ") + ")"
}

// Eval evaluates an expression in the page, waiting for it if it is a promise.
func Eval[T any](p *Page, expression string) T {
	p.tb.Helper()
	var got T
	p.wait("evaluate a script", func(ctx context.Context) (string, error) {
		return "", p.evaluate(ctx, expression, &got)
	})
	return got
}

func (p *Page) evaluate(ctx context.Context, expression string, into any) error {
	wait, value := true, true
	got, err := cdp.Call(ctx, p.target, runtime.Evaluate, runtime.EvaluateParams{
		Expression: expression, AwaitPromise: &wait, ReturnByValue: &value,
	})
	if err != nil {
		return err
	}
	if got.ExceptionDetails != nil {
		return &scriptError{&chromedp.ExceptionError{ExceptionDetails: got.ExceptionDetails}}
	}
	if len(got.Result.Value) == 0 {
		return nil // undefined
	}
	return json.Unmarshal(got.Result.Value, into)
}

// scriptError is a script's own failure, such as a selector that cannot be
// read: waiting does not mend it.
type scriptError struct{ error }

// run runs one action of the browser within the limit.
func run[T any](p *Page, what string, action chromedp.Action[T]) T {
	p.tb.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, p.limit)
	defer cancel()
	got, err := chromedp.Run(ctx, action)
	if err != nil {
		p.fail(what, err.Error())
	}
	return got
}

// wait asks again and again until there is no trouble. An error of the browser
// is asked again too: between two pages there is nobody to answer.
func (p *Page) wait(what string, ask func(context.Context) (trouble string, err error)) {
	p.tb.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, p.limit)
	defer cancel()
	last := "the browser did not answer"
	for {
		if !p.isLoading() {
			trouble, err := ask(ctx)
			var script *scriptError
			switch {
			case errors.As(err, &script):
				p.fail(what, err.Error())
			case err == nil && trouble == "":
				return
			case err == nil:
				last = trouble
			case ctx.Err() == nil:
				last = err.Error()
			}
		} else {
			last = "the page is still loading"
		}
		select {
		case <-ctx.Done():
			p.fail(what, fmt.Sprintf("waited %v: %s", p.limit, last))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (p *Page) waitJS(what, expression string) {
	p.tb.Helper()
	p.wait(what, func(ctx context.Context) (string, error) {
		var trouble string
		err := p.evaluate(ctx, expression, &trouble)
		return trouble, err
	})
}

func (p *Page) isLoading() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.loading) > 0
}

func (p *Page) isFetching() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.fetching) > 0
}

// settle lets what an action started come to its end, so that the next line of
// the test sees the new page and not the old one.
func (p *Page) settle() {
	p.tb.Helper()
	// The event that begins a navigation or a fetch can follow the answer to
	// the click by a moment.
	time.Sleep(30 * time.Millisecond)
	deadline := time.Now().Add(settleLimit)
	fetched := false
	for p.isLoading() || p.isFetching() {
		fetched = true
		if time.Now().After(deadline) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	if fetched {
		// A response is swapped into the page after it has arrived.
		time.Sleep(50 * time.Millisecond)
	}
}

func (p *Page) fail(what, why string) {
	p.tb.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 2*time.Second)
	defer cancel()
	var now struct{ URL, Text string }
	err := p.evaluate(ctx, `({URL: location.href, Text: document.body ? document.body.innerText : ""})`, &now)
	if err != nil {
		p.tb.Fatalf("%s: %s; the page does not say where it is: %v", what, why, err)
	}
	text := []rune(strings.Join(strings.Fields(now.Text), " "))
	p.tb.Fatalf("%s: %s\n  at   %s\n  page %q", what, why, now.URL, string(text[:min(500, len(text))]))
}
