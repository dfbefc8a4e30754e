// Package lang says what Matricula says, in the reader's language. English
// stands in the code and is the key; each further language is a set of Go files
// with one entry for each English text. Numbers and dates follow the language
// too. It knows nothing of pages or HTTP.
package lang

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"matricula/internal/lms"
)

// entries are English texts with what another language says for them.
type entries map[string]string

// catalog is one language.
type catalog struct {
	tag    language.Tag
	name   string // of the language, in itself
	texts  entries
	moment string // layouts of package time, with the English names of months
	day    string
	months []string // short, from January; nil: English
}

// add adds entries. The same text may be added again with the same
// translation: nouns share words.
func (c *catalog) add(e entries) {
	for text, translated := range e {
		if was, ok := c.texts[text]; ok && was != translated {
			panic(fmt.Sprintf("lang: %s says both %q and %q for %q", c.tag, was, translated, text))
		}
		c.texts[text] = translated
	}
}

var english = &catalog{tag: language.English, name: "English", moment: "2 Jan 2006, 15:04 MST", day: "2 Jan 2006"}

var italian = &catalog{
	tag: language.Italian, name: "Italiano", texts: entries{}, moment: "2 Jan 2006, 15:04 MST", day: "2 Jan 2006",
	months: []string{"gen", "feb", "mar", "apr", "mag", "giu", "lug", "ago", "set", "ott", "nov", "dic"},
}

// catalogs are the languages, the default one first.
var catalogs = []*catalog{english, italian}

var matcher = language.NewMatcher([]language.Tag{english.tag, italian.tag})

// Choice is a language that people can choose.
type Choice struct{ Tag, Name string }

// Choices are the languages that people can choose.
func Choices() []Choice {
	list := make([]Choice, len(catalogs))
	for i, c := range catalogs {
		list[i] = Choice{c.tag.String(), c.name}
	}
	return list
}

// Known tells whether tag is a language of ours, such as "it".
func Known(tag string) bool {
	for _, c := range catalogs {
		if c.tag.String() == tag {
			return true
		}
	}
	return false
}

// Pick finds the language for a reader: the first of the wishes that is a
// language of ours, else what suits the browser's Accept-Language (RFC 9110,
// section 12.5.4) best, else English.
func Pick(acceptLanguage string, wishes ...string) *Printer {
	for _, w := range wishes {
		for i, c := range catalogs {
			if w != "" && c.tag.String() == w {
				return printers[i]
			}
		}
	}
	const sane = 500 // a browser sends a few dozen bytes
	if acceptLanguage == "" || len(acceptLanguage) > sane {
		return printers[0]
	}
	tags, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil || len(tags) == 0 {
		return printers[0]
	}
	_, i, confidence := matcher.Match(tags...)
	if confidence == language.No {
		return printers[0]
	}
	return printers[i]
}

// English says everything as it stands in the code.
func English() *Printer { return printers[0] }

// Printer says things in one language. It may be used by many at once.
type Printer struct {
	c      *catalog
	format *message.Printer
	zone   *time.Location
	pseudo bool
}

var printers = func() []*Printer {
	list := make([]*Printer, len(catalogs))
	for i, c := range catalogs {
		list[i] = &Printer{c: c, format: message.NewPrinter(c.tag), zone: time.UTC}
	}
	return list
}()

// Pseudo is English with a mark around everything that went through a printer,
// so that a test sees what did not.
func Pseudo() *Printer {
	return &Printer{c: english, format: message.NewPrinter(language.English), zone: time.UTC, pseudo: true}
}

// In gives a printer that shows times in another zone than UTC.
func (p *Printer) In(zone *time.Location) *Printer {
	if zone == p.zone {
		return p
	}
	other := *p
	other.zone = zone
	return &other
}

// The marks of the pseudo language.
const (
	PseudoOpen  = "⟦"
	PseudoClose = "⟧"
)

// Tag is the language as HTML's lang attribute has it.
func (p *Printer) Tag() string { return p.c.tag.String() }

// T says a text: the English format is the key. Numbers are written as the
// language writes them, so an id is handed over as a string; arguments of type
// lms.Term, lms.Terms and lms.Text are translated themselves, and a time is
// written as a date.
func (p *Printer) T(text string, args ...any) string {
	format := text
	if translated, ok := p.c.texts[text]; ok {
		format = translated
	}
	if len(args) > 0 {
		format = p.format.Sprintf(message.Key(format, format), p.translated(args)...)
	}
	if p.pseudo {
		return PseudoOpen + format + PseudoClose
	}
	return format
}

func (p *Printer) translated(args []any) []any {
	out := args
	copied := false
	for i, a := range args {
		s, ok := p.word(a)
		if !ok {
			continue
		}
		if !copied {
			out, copied = append([]any(nil), args...), true
		}
		out[i] = s
	}
	return out
}

func (p *Printer) word(arg any) (string, bool) {
	switch a := arg.(type) {
	case lms.Term:
		return p.T(string(a)), true
	case lms.Terms:
		return p.Terms(a), true
	case lms.Text:
		return p.Text(a), true
	case time.Time:
		return p.Day(a), true
	case lms.Moment:
		return p.Moment(a.Time), true
	case lms.Day:
		return p.Date(a), true
	}
	return "", false
}

// Term says a word.
func (p *Printer) Term(t lms.Term) string {
	if t == "" {
		return ""
	}
	return p.T(string(t))
}

// Terms lists words.
func (p *Printer) Terms(list lms.Terms) string {
	words := make([]string, len(list))
	for i, t := range list {
		words[i] = p.T(string(t))
	}
	return strings.Join(words, ", ")
}

// Text says a text; the zero Text is empty.
func (p *Printer) Text(t lms.Text) string {
	if t.Format == "" {
		return ""
	}
	if t.Format == "%s" && len(t.Args) == 1 {
		if s, ok := p.word(t.Args[0]); ok {
			return s
		}
		return fmt.Sprint(t.Args[0])
	}
	return p.T(t.Format, t.Args...)
}

// N says a text about n things, in the form that goes with n. Both forms are
// formats whose first argument is n, such as "%d person" and "%d people".
func (p *Printer) N(n int64, one, other string, args ...any) string {
	form := other
	if plural.Cardinal.MatchPlural(p.c.tag, int(n), 0, 0, 0, 0) == plural.One {
		form = one
	}
	return p.T(form, append([]any{n}, args...)...)
}

// Error says what an error says to whoever caused it.
func (p *Printer) Error(e *lms.Error) string { return p.said(e.Text, e.Message) }

// Field says what is wrong in one place.
func (p *Printer) Field(f lms.FieldError) string { return p.said(f.Text, f.Message) }

func (p *Printer) said(t lms.Text, message string) string {
	if t.Format == "" {
		return p.T(message)
	}
	return p.Text(t)
}

// Number writes a whole number.
func (p *Printer) Number(n int64) string { return p.format.Sprintf("%d", n) }

// Percent writes a share of 100, rounded down, so that only all is 100.
func (p *Printer) Percent(part, whole int64) string {
	if whole <= 0 {
		return p.T("%d %%", 0)
	}
	return p.T("%d %%", part*100/whole)
}

// Moment writes a time to the minute, with its zone.
func (p *Printer) Moment(t time.Time) string { return p.date(t, p.c.moment) }

// Day writes a date.
func (p *Printer) Day(t time.Time) string { return p.date(t, p.c.day) }

func (p *Printer) date(t time.Time, layout string) string {
	t = t.In(p.zone)
	s := t.Format(layout)
	if p.c.months != nil {
		s = strings.Replace(s, t.Format("Jan"), p.c.months[t.Month()-1], 1)
	}
	if p.pseudo {
		return PseudoOpen + s + PseudoClose
	}
	return s
}
