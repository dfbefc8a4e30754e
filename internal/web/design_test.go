package web_test

import (
	"bytes"
	"compress/gzip"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"matricula/internal/service"
	"matricula/internal/signin"
	"matricula/internal/web"
)

func withDesign(_ *service.Options, o *web.Options, _ *signin.Provider) { o.Design = true }

func TestThePageOfAllComponentsIsThereWhereItWasAskedFor(t *testing.T) {
	newSite(t).stranger().get("/design").want(http.StatusNotFound)
	c := algorithms(t, withDesign)
	page := c.ada.get("/design").want(http.StatusOK)
	for _, component := range []string{
		"button.second", "button.danger", "button.quiet", "button[disabled]", ".field .hint", ".wrong .fault", "input[role=switch][checked]", "input[role=switch][disabled]",
		".badge.pending", ".flash", ".notice", ".summary", ".question", ".toast button", "dialog form", "table caption", "svg[role=img]", ".empty .button", ".skeleton.shown",
	} {
		if !page.has(component) {
			t.Errorf("the page shows no %s", component)
		}
	}
	c.ada.get("/").says("footer a", "Visual language")
	c.web.InPseudo()
	data = regexp.MustCompile(data.String() + "|Charles Babbage")
	c.ada.get("/design").checkMarked()
}

// colors reads the custom properties of the base sheet: of the light theme and,
// on top of them, of the dark one.
func colors(t *testing.T) (light, dark map[string]string) {
	t.Helper()
	sheet, err := os.ReadFile("static/css/00-base.css")
	if err != nil {
		t.Fatal(err)
	}
	property := regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`)
	blocks := regexp.MustCompile(`(?s):root \{.*?\}`).FindAllString(string(sheet), -1)
	if len(blocks) != 2 {
		t.Fatalf("%d themes", len(blocks))
	}
	light, dark = map[string]string{}, map[string]string{}
	for _, m := range property.FindAllStringSubmatch(blocks[0], -1) {
		light[m[1]], dark[m[1]] = m[2], m[2]
	}
	for _, m := range property.FindAllStringSubmatch(blocks[1], -1) {
		if dark[m[1]] == "" {
			t.Errorf("--%s exists in the dark theme alone", m[1])
		}
		dark[m[1]] = m[2]
	}
	return light, dark
}

// luminance is that of WCAG 2.2.
func luminance(t *testing.T, color string) float64 {
	t.Helper()
	var sum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(color[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

// Whatever is written in a color of ours can be read on whatever it is written
// on (WCAG 2.2, 1.4.3: 4.5 to 1), and what one operates is seen (1.4.11: 3 to 1).
func TestColorsHaveContrastInBothThemes(t *testing.T) {
	light, dark := colors(t)
	pairs := []struct {
		front, back string
		least       float64
	}{
		{"text", "page", 4.5},
		{"text", "card", 4.5},
		{"text", "tint", 4.5},
		{"quiet", "page", 4.5},
		{"quiet", "card", 4.5},
		{"quiet", "tint", 4.5},
		{"accent", "page", 4.5},
		{"accent", "card", 4.5},
		{"accent-strong", "tint", 4.5},
		{"accent-strong", "card", 4.5},
		{"on-accent", "accent", 4.5},
		{"on-accent", "accent-strong", 4.5},
		{"pending-text", "pending-bg", 4.5},
		{"good", "card", 4.5},
		{"bad", "card", 4.5},
		{"bad", "page", 4.5},
		{"bad", "bad-bg", 4.5},
		{"text", "bad-bg", 4.5},
		{"page", "text", 4.5},
		{"edge", "card", 3},
		{"edge", "page", 3},
		{"focus", "page", 3},
		{"focus", "card", 3},
		{"accent", "tint", 3},
	}
	for theme, c := range map[string]map[string]string{"light": light, "dark": dark} {
		for _, p := range pairs {
			if c[p.front] == "" || c[p.back] == "" {
				t.Fatalf("there is no --%s or --%s", p.front, p.back)
			}
			a, b := luminance(t, c[p.front]), luminance(t, c[p.back])
			if got := (max(a, b) + 0.05) / (min(a, b) + 0.05); got < p.least {
				t.Errorf("%s: --%s on --%s is %.2f to 1, want %.1f", theme, p.front, p.back, got, p.least)
			}
		}
	}
}

// The colors that the design page and its document show are those that exist.
func TestEveryColorIsOnThePageAndInTheDocument(t *testing.T) {
	light, _ := colors(t)
	document, err := os.ReadFile("../../docs/design.md")
	if err != nil {
		t.Fatal(err)
	}
	page := newSite(t, withDesign).stranger().get("/design").want(http.StatusOK)
	for name := range light {
		if !page.has(".swatch-" + name) {
			t.Errorf("the page does not show --%s", name)
		}
		if !strings.Contains(string(document), "`--"+name+"`") {
			t.Errorf("docs/design.md does not speak of --%s", name)
		}
	}
	if n := len(page.all(".swatch")); n != len(light) {
		t.Errorf("%d colors are shown, and there are %d", n, len(light))
	}
}

// The whole site's styles and scripts, htmx among them, are what one picture
// weighs.
func TestStylesAndScriptsWeighLittle(t *testing.T) {
	const most = 60_000 // bytes, compressed
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.DefaultCompression)
	if err != nil {
		t.Fatal(err)
	}
	files := []string{"static/htmx.min.js"}
	for _, pattern := range []string{"static/css/*.css", "static/js/*.js"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %d files (%v)", pattern, len(found), err)
		}
		files = append(files, found...)
	}
	for _, f := range files {
		content, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := z.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files are %d bytes compressed", len(files), b.Len())
	if b.Len() > most {
		t.Errorf("styles and scripts are %d bytes compressed, want at most %d", b.Len(), most)
	}
}
