package markdown

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func TestWhatPeopleWriteBecomesHTML(t *testing.T) {
	for source, want := range map[string]string{
		"Bring a *pen*\nand **paper**":               "<p>Bring a <em>pen</em><br>\nand <strong>paper</strong></p>\n",
		"# One\n### Three\n## Two":                   "<h3>One</h3>\n<h4>Three</h4>\n<h4>Two</h4>\n",
		"##### Deep":                                 "<h3>Deep</h3>\n",
		"- a\n- b":                                   "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n",
		"3. c\n4. d":                                 "<ol start=\"3\">\n<li>c</li>\n<li>d</li>\n</ol>\n",
		"~~old~~ `x < y`":                            "<p><del>old</del> <code>x &lt; y</code></p>\n",
		"[Notes](https://uni.example/n)":             "<p><a href=\"https://uni.example/n\" rel=\"nofollow noreferrer\">Notes</a></p>\n",
		"See https://uni.example/n":                  "<p>See <a href=\"https://uni.example/n\" rel=\"nofollow noreferrer\">https://uni.example/n</a></p>\n",
		"![A map](https://uni.example/map.png)":      "<p><a href=\"https://uni.example/map.png\" rel=\"nofollow noreferrer\">A map</a></p>\n",
		"![](/map.png)":                              "<p><a href=\"/map.png\" rel=\"nofollow noreferrer\">/map.png</a></p>\n",
		"Ask <ada@uni.example> or grace@uni.example": "<p>Ask ada@uni.example or grace@uni.example</p>\n",
		"": "",
	} {
		got, err := HTML(source, 3)
		if err != nil || got != want {
			t.Errorf("%q becomes %q (%v), want %q", source, got, err, want)
		}
	}
}

func TestHeadingsBeginWhereTheTextStands(t *testing.T) {
	for level, want := range map[int]string{2: "<h2>a</h2>\n<h3>b</h3>\n", 4: "<h4>a</h4>\n<h5>b</h5>\n", 6: "<h6>a</h6>\n<h6>b</h6>\n"} {
		if got, err := HTML("### a\n##### b", level); err != nil || got != want {
			t.Errorf("from %d on: %q (%v), want %q", level, got, err, want)
		}
	}
}

// F-09: what people write is text, whatever they write.
func TestF09HostileTextIsText(t *testing.T) {
	for _, hostile := range []string{
		`<script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `[x](javascript:alert(1))`, `[x](JaVaScRiPt:alert(1))`, "[x](java\tscript:alert(1))",
		`[x](&#106;avascript:alert(1))`, `[x](data:text/html,<script>alert(1)</script>)`, `[x](vbscript:x)`, `![x](javascript:alert(1))`, `<javascript:alert(1)>`,
		`<a href="https://x" onclick="alert(1)">x</a>`, `<svg/onload=alert(1)>`, `<iframe src=//evil.example></iframe>`, `<style>*{display:none}</style>`,
		`<hx-partial hx-target="body">x</hx-partial>`, `<div hx-get="/x">x</div>`, `<form action=/x><button>x</button></form>`, `<b id=main>x</b>`, "```html\n<script>alert(1)</script>\n```",
		`[a]: javascript:alert(1)` + "\n\n[a]", `<https://x" onmouseover="alert(1)>`, `[x](https://x "a\" onmouseover=\"alert(1)")`, strings.Repeat("> ", 2000) + "x", strings.Repeat("[", 20000), strings.Repeat("*a ", 6000),
		`<!--><script>alert(1)</script>-->`, `<x:script xmlns:x="http://www.w3.org/1999/xhtml">alert(1)</x:script>`, `<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>`,
	} {
		got, err := HTML(hostile, 3)
		if err != nil {
			t.Errorf("%.60q: %v", hostile, err)
		}
		onlyHarmless(t, hostile, got)
	}
}

func FuzzHTMLIsHarmless(f *testing.F) {
	f.Add("# x\n\n[a](b) <i>c</i> ![d](e)")
	f.Fuzz(func(t *testing.T, source string) {
		got, err := HTML(source, 3)
		if err != nil {
			t.Fatal(err)
		}
		onlyHarmless(t, source, got)
	})
}

var harmless = []string{"p", "br", "hr", "h2", "h3", "h4", "h5", "h6", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "a"}

func onlyHarmless(t *testing.T, source, got string) {
	t.Helper()
	z := html.NewTokenizer(strings.NewReader(got))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.StartTagToken, html.SelfClosingTagToken:
			tag := z.Token()
			if !slices.Contains(harmless, tag.Data) {
				t.Errorf("%.60q has become the element %s", source, tag.Data)
			}
			for _, a := range tag.Attr {
				switch {
				case tag.Data == "ol" && a.Key == "start", tag.Data == "a" && a.Key == "rel":
				case tag.Data == "a" && a.Key == "href":
					scheme, _, found := strings.Cut(strings.ToLower(a.Val), ":")
					if found && !strings.ContainsAny(scheme, "/?#") && !slices.Contains([]string{"http", "https"}, scheme) {
						t.Errorf("%.60q has become a link to %q", source, a.Val)
					}
				default:
					t.Errorf("%.60q has become the attribute %s of %s", source, a.Key, tag.Data)
				}
			}
		}
	}
}
