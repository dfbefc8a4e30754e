package web_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// A selector is one or more steps such as `tr#p17 input[name=privilege][checked]`,
// each below the one before. It knows tags, ids, classes and attributes, which
// is what the tests of these pages ask for.
type step struct {
	tag, id string
	classes []string
	attrs   []attrTest
}

type attrTest struct{ name, value string } // an empty value: the attribute is there

var (
	selectorStep  = regexp.MustCompile(`(?:[^\s\[]|\[[^\]]*\])+`)
	selectorPiece = regexp.MustCompile(`\[([\w-]+)(?:=([^\]]*))?\]|([.#]?)([\w-]+)`)
)

func parseSelector(selector string) []step {
	var steps []step
	for _, text := range selectorStep.FindAllString(selector, -1) {
		var s step
		for _, m := range selectorPiece.FindAllStringSubmatch(text, -1) {
			switch {
			case m[1] != "":
				s.attrs = append(s.attrs, attrTest{m[1], strings.Trim(m[2], `"'`)})
			case m[3] == "#":
				s.id = m[4]
			case m[3] == ".":
				s.classes = append(s.classes, m[4])
			default:
				s.tag = m[4]
			}
		}
		steps = append(steps, s)
	}
	return steps
}

func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func (s step) matches(n *html.Node) bool {
	if n.Type != html.ElementNode || (s.tag != "" && n.Data != s.tag) {
		return false
	}
	if id, _ := attr(n, "id"); s.id != "" && id != s.id {
		return false
	}
	classes, _ := attr(n, "class")
	for _, c := range s.classes {
		if !slices.Contains(strings.Fields(classes), c) {
			return false
		}
	}
	for _, a := range s.attrs {
		if v, ok := attr(n, a.name); !ok || (a.value != "" && v != a.value) {
			return false
		}
	}
	return true
}

// all finds every element that a selector means, in the order of the page.
func all(root *html.Node, selector string) []*html.Node {
	steps := parseSelector(selector)
	var found []*html.Node
	var walk func(n *html.Node, at int)
	walk = func(n *html.Node, at int) {
		next := at
		if steps[at].matches(n) {
			if at == len(steps)-1 {
				found = append(found, n)
			} else {
				next = at + 1
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c, next)
		}
	}
	walk(root, 0)
	return found
}

// text is what an element says, with white space made single.
func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
			b.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func TestSelectorsFindWhatTheyMean(t *testing.T) {
	root, err := html.Parse(strings.NewReader(`<ul id=a class="x y"><li title="two words">one<li class=y>two <b>three</b></ul><b>four</b>`))
	if err != nil {
		t.Fatal(err)
	}
	for selector, want := range map[string]int{
		"li": 2, "ul b": 1, "b": 2, "ul#a.x.y li": 2, "ul.z": 0, "li[title]": 1, "li[title=two words]": 1, `li[title="two"]`: 0, ".y": 2, "ul.y li.y b": 1, "li li": 0,
	} {
		if got := len(all(root, selector)); got != want {
			t.Errorf("%s finds %d elements, want %d", selector, got, want)
		}
	}
}
