package documents_test

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// A document is what matters of a Markdown file here.
type document struct {
	links   []string
	anchors map[string]bool
}

var reader = goldmark.New(goldmark.WithExtensions(extension.Table))

func read(source []byte) document {
	d := document{anchors: map[string]bool{}}
	root := reader.Parser().Parse(text.NewReader(source))
	err := ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Link:
			d.links = append(d.links, string(n.Destination))
		case *ast.Image:
			d.links = append(d.links, string(n.Destination))
		case *ast.Heading:
			d.addAnchor(anchorOf(words(n, source)))
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		panic(err) // nothing above answers an error
	}
	return d
}

// words are the text of a heading, without its marks.
func words(n ast.Node, source []byte) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			b.Write(t.Segment.Value(source))
		} else {
			b.WriteString(words(c, source))
		}
	}
	return b.String()
}

// anchorOf is the fragment by which GitHub knows a heading: in lower case, letters,
// digits, hyphens and underscores alone, and a hyphen for each space.
func anchorOf(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}

// addAnchor numbers those that occur more than once, as GitHub does.
func (d *document) addAnchor(anchor string) {
	name := anchor
	for n := 1; d.anchors[name]; n++ {
		name = fmt.Sprint(anchor, "-", n)
	}
	d.anchors[name] = true
}

// faults are the relative links of the Markdown files in a tree that lead nowhere.
func faults(tree fs.FS) (list []string, links int, err error) {
	documents := map[string]document{}
	err = fs.WalkDir(tree, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && name != "." && strings.HasPrefix(e.Name(), ".") {
			return fs.SkipDir
		}
		if e.IsDir() || path.Ext(name) != ".md" {
			return nil
		}
		source, err := fs.ReadFile(tree, name)
		documents[name] = read(source)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	for name, d := range documents {
		for _, link := range d.links {
			u, err := url.Parse(link)
			if err == nil && (u.Scheme != "" || u.Host != "") {
				continue // another site's
			}
			links++
			if err != nil {
				list = append(list, fmt.Sprintf("%s: %q is no link", name, link))
			} else if fault := follow(tree, documents, name, u); fault != "" {
				list = append(list, fmt.Sprintf("%s: %s %s", name, link, fault))
			}
		}
	}
	slices.Sort(list)
	return list, links, nil
}

// follow tells what is wrong with a link of a file.
func follow(tree fs.FS, documents map[string]document, from string, u *url.URL) string {
	target := from
	if u.Path != "" {
		target = path.Join(path.Dir(from), u.Path)
		if strings.HasPrefix(u.Path, "/") || !fs.ValidPath(target) {
			return "leads out of the repository"
		}
		if _, err := fs.Stat(tree, target); err != nil {
			return "leads to no file"
		}
	}
	if u.Fragment == "" {
		return ""
	}
	d, ok := documents[target]
	if !ok {
		return "has an anchor, and what it leads to is no Markdown file"
	}
	if !d.anchors[u.Fragment] {
		return "leads to no heading of that file"
	}
	return ""
}

func TestLinksBetweenDocumentsLeadSomewhere(t *testing.T) {
	list, links, err := faults(os.DirFS("../../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range list {
		t.Error(fault)
	}
	if links < 50 {
		t.Errorf("only %d links were found: this test looks in the wrong place", links)
	}
}

func TestALinkThatLeadsNowhereIsFound(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	list, links, err := faults(fstest.MapFS{
		"README.md": file("# Read `me` – first!\n\n[good](docs/a.md), [good](docs/a.md#two-words), [good](#read-me--first), [elsewhere](https://go.dev/#x)\n\n" +
			"```\n[code](nowhere.md)\n```\n\n| a |\n|---|\n| [cell](docs/b.md) |\n"),
		"docs/a.md":    file("# Two words\n\n## Two words\n\n[up](../README.md), [again](#two-words-1), [gone](#two-words-2), [out](../../etc/passwd), [root](/README.md)\n\n![picture](a.png)\n"),
		"docs/pic.txt": file(""),
		"docs/c.md":    file("[a file](pic.txt), [its line](pic.txt#L1), [a folder](../docs)\n\n[named]: a.md#none\n\n[by name][named]\n"),
		".git/x.md":    file("[not ours](nowhere.md)"),
	})
	want := []string{
		"README.md: docs/b.md leads to no file",
		"docs/a.md: #two-words-2 leads to no heading of that file",
		"docs/a.md: ../../etc/passwd leads out of the repository",
		"docs/a.md: /README.md leads out of the repository",
		"docs/a.md: a.png leads to no file",
		"docs/c.md: a.md#none leads to no heading of that file",
		"docs/c.md: pic.txt#L1 has an anchor, and what it leads to is no Markdown file",
	}
	if err != nil || !slices.Equal(list, want) || links != 14 {
		t.Errorf("%v, %d links:\n%s", err, links, strings.Join(list, "\n"))
	}
}
