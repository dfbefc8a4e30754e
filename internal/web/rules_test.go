package web_test

import (
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// What holds for everything that the web app answers is checked on every
// answer that any test gets.

// checkAddresses fails when something that becomes a URL holds an address.
func (a *answer) checkAddresses() {
	a.tb.Helper()
	holds := func(s string) bool {
		decoded, err := url.QueryUnescape(s)
		return strings.Contains(s, "@") || (err == nil && strings.Contains(decoded, "@"))
	}
	for _, name := range []string{"Location", "HX-Redirect", "HX-Location", "HX-Push-Url", "HX-Replace-Url", "Content-Location", "Link"} {
		if v := a.header.Get(name); holds(v) {
			a.tb.Errorf("%s: the header %s holds an address: %s", a.url, name, v)
		}
	}
	for n := range a.root.Descendants() {
		for _, at := range n.Attr {
			switch at.Key {
			case "href", "action", "src", "formaction", "hx-get", "hx-post", "hx-push-url":
				if holds(at.Val) {
					a.tb.Errorf("%s: %s %s=%q holds an address", a.url, n.Data, at.Key, at.Val)
				}
			}
		}
		// A form that is sent by GET puts what was typed into the URL.
		if method, _ := attr(n, "method"); n.Type == html.ElementNode && n.Data == "form" && !strings.EqualFold(method, "post") {
			for _, field := range all(n, "input") {
				if name, _ := attr(field, "name"); name != "next" && name != "other" {
					a.tb.Errorf("%s: a form sends %q by GET", a.url, name)
				}
			}
		}
	}
}

// checkPolicy fails when a page has what the content security policy forbids.
func (a *answer) checkPolicy() {
	a.tb.Helper()
	for n := range a.root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if _, src := attr(n, "src"); n.Data == "style" || n.Data == "base" || n.Data == "iframe" || n.Data == "object" || (n.Data == "script" && !src) {
			a.tb.Errorf("%s: a %s stands in the page", a.url, n.Data)
		}
		for _, at := range n.Attr {
			switch {
			case at.Key == "style", strings.HasPrefix(at.Key, "on"), strings.HasPrefix(at.Key, "hx-on"):
				a.tb.Errorf("%s: %s has the attribute %s", a.url, n.Data, at.Key)
			case strings.HasPrefix(at.Key, "hx-") && (strings.Contains(at.Val, "javascript:") || strings.HasPrefix(at.Val, "js:")), at.Key == "hx-trigger" && strings.Contains(at.Val, "click["):
				a.tb.Errorf("%s: %s %s=%q would run text as a script", a.url, n.Data, at.Key, at.Val)
			}
			if (at.Key == "href" || at.Key == "src" || at.Key == "action") && !strings.HasPrefix(at.Val, "/") && !strings.HasPrefix(at.Val, "#") && !writtenLink(n) {
				a.tb.Errorf("%s: %s %s=%q leads elsewhere", a.url, n.Data, at.Key, at.Val)
			}
		}
	}
	if got := a.header.Get("Cache-Control"); got != "no-store" {
		a.tb.Errorf("%s: Cache-Control is %q", a.url, got)
	}
}

// writtenLink tells a link in a text that somebody has written, which tells the
// site that it leads to nothing.
func writtenLink(n *html.Node) bool {
	rel, _ := attr(n, "rel")
	if n.Data != "a" || rel != "nofollow noreferrer" {
		return false
	}
	for p := n.Parent; p != nil; p = p.Parent {
		if class, _ := attr(p, "class"); class == "prose" {
			return true
		}
	}
	return false
}

// checkPage fails when a page cannot be used by everybody: its language,
// headings, labels and landmarks.
func (a *answer) checkPage() {
	a.tb.Helper()
	if lang, _ := attr(a.one("html"), "lang"); lang != "en" && lang != "it" {
		a.tb.Errorf("%s: lang is %q", a.url, lang)
	}
	a.one("main#main")
	a.one("a.skip[href=#main]")
	if text(a.one("title")) == "" {
		a.tb.Errorf("%s has no title", a.url)
	}
	a.checkHeadings()
	a.checkLabels()
	ids := map[string]bool{}
	for n := range a.root.Descendants() {
		if id, ok := attr(n, "id"); ok {
			if ids[id] {
				a.tb.Errorf("%s: the id %q is there twice", a.url, id)
			}
			ids[id] = true
		}
		if n.Data == "table" && len(all(n, "caption")) != 1 {
			a.tb.Errorf("%s: a table has no caption", a.url)
		}
		if scope, _ := attr(n, "scope"); n.Type == html.ElementNode && n.Data == "th" && scope == "" {
			a.tb.Errorf("%s: a heading of a table has no scope", a.url)
		}
	}
	for n := range a.root.Descendants() {
		for _, name := range []string{"for", "aria-describedby", "aria-labelledby", "form"} {
			v, _ := attr(n, name)
			for _, id := range strings.Fields(v) {
				if !ids[id] {
					a.tb.Errorf("%s: %s of %s names %q, which is not there", a.url, name, n.Data, id)
				}
			}
		}
	}
}

func (a *answer) checkHeadings() {
	a.tb.Helper()
	last := 0
	for n := range a.root.Descendants() {
		if n.Type != html.ElementNode || len(n.Data) != 2 || n.Data[0] != 'h' || n.Data[1] < '1' || n.Data[1] > '6' {
			continue
		}
		level := int(n.Data[1] - '0')
		if level > last+1 {
			a.tb.Errorf("%s: the heading %q is an h%d after an h%d", a.url, text(n), level, last)
		}
		if level == 1 && last != 0 {
			a.tb.Errorf("%s has more than one h1, or one that is not the first", a.url)
		}
		last = level
	}
	if last == 0 {
		a.tb.Errorf("%s has no heading", a.url)
	}
}

func (a *answer) checkLabels() {
	a.tb.Helper()
	labels := map[string]bool{}
	for _, l := range a.all("label") {
		if id, ok := attr(l, "for"); ok && text(l) != "" {
			labels[id] = true
		}
	}
	for n := range a.root.Descendants() {
		switch {
		case n.Type != html.ElementNode:
		case n.Data == "button" || (n.Data == "a" && n.FirstChild != nil):
			if spoken, _ := attr(n, "aria-label"); text(n) == "" && spoken == "" {
				a.tb.Errorf("%s: a %s says nothing", a.url, n.Data)
			}
		case n.Data == "input" || n.Data == "select" || n.Data == "textarea":
			if kind, _ := attr(n, "type"); kind == "hidden" {
				continue
			}
			id, _ := attr(n, "id")
			wrapped := false
			for p := n.Parent; p != nil; p = p.Parent {
				wrapped = wrapped || (p.Data == "label" && text(p) != "")
			}
			spoken, _ := attr(n, "aria-label")
			if by, ok := attr(n, "aria-labelledby"); ok {
				spoken = by // that it is there is looked at elsewhere
			}
			if name, _ := attr(n, "name"); !labels[id] && !wrapped && spoken == "" {
				a.tb.Errorf("%s: the field %q has no label", a.url, name)
			}
		}
	}
}
