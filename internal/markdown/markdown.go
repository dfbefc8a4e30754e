// Package markdown makes HTML of what people write: CommonMark with struck-out
// text and bare links, read by goldmark, and whatever comes out of it passes
// bluemonday, so that nothing a person writes becomes more than text, lists,
// links and emphasis. It knows nothing of pages.
package markdown

import (
	"bytes"
	"fmt"
	"regexp"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

var reader = goldmark.New(
	goldmark.WithExtensions(
		extension.Strikethrough,
		extension.NewLinkify(extension.WithLinkifyAllowedProtocols([]string{"http:", "https:"})),
	),
	goldmark.WithParserOptions(parser.WithASTTransformers(util.Prioritized(shape{}, 500))),
	goldmark.WithRendererOptions(html.WithHardWraps()), // a line that was begun anew is meant so
)

var policy = func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "h2", "h3", "h4", "h5", "h6", "strong", "em", "del", "code", "pre", "blockquote", "ul", "li")
	p.AllowAttrs("start").Matching(regexp.MustCompile(`^[0-9]{1,9}$`)).OnElements("ol")
	p.AllowElements("ol")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("http", "https") // not mailto: no address stands in a URL
	p.AllowRelativeURLs(true)
	p.RequireParseableURLs(true)
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	return p
}()

// top is under which a context keeps the level of the highest heading.
var top = parser.NewContextKey()

// HTML makes HTML of a text, whose headings begin with a level from 2 on: below
// the heading under which the text stands. It is safe to stand in a page as it
// is.
func HTML(source string, level int) (string, error) {
	context := parser.NewContext()
	context.Set(top, level)
	var b bytes.Buffer
	if err := reader.Convert([]byte(source), &b, parser.WithContext(context)); err != nil {
		return "", fmt.Errorf("read markdown: %w", err)
	}
	return string(policy.SanitizeBytes(b.Bytes())), nil
}

// shape fits what was written into a page: headings follow each other without
// gaps from the level asked for on, and a picture, which would be fetched from
// elsewhere, becomes a link to it.
type shape struct{}

func (shape) Transform(doc *ast.Document, _ text.Reader, context parser.Context) {
	level, _ := context.Get(top).(int)
	var open []int // the levels, as written, of the headings that contain the next one
	var images []*ast.Image
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			for len(open) > 0 && open[len(open)-1] >= n.Level {
				open = open[:len(open)-1]
			}
			open = append(open, n.Level)
			n.Level = min(level+len(open)-1, 6)
		case *ast.Image:
			images = append(images, n)
		}
		return ast.WalkContinue, nil
	})
	for _, image := range images {
		link := ast.NewLink()
		link.Destination = image.Destination
		for c := image.FirstChild(); c != nil; {
			next := c.NextSibling()
			link.AppendChild(link, c)
			c = next
		}
		if link.ChildCount() == 0 {
			link.AppendChild(link, ast.NewString(image.Destination))
		}
		image.Parent().ReplaceChild(image.Parent(), image, link)
	}
}
