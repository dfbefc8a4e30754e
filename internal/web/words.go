package web

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"matricula/internal/lang"
	"matricula/internal/lms"
)

// What pages say goes through the functions of this file, which find the
// reader's language in the context of the page that is rendered.

type wordsKey struct{}

func withWords(ctx context.Context, p *lang.Printer) context.Context {
	return context.WithValue(ctx, wordsKey{}, p)
}

func wordsOf(ctx context.Context) *lang.Printer {
	if p, ok := ctx.Value(wordsKey{}).(*lang.Printer); ok {
		return p
	}
	return lang.English()
}

// t says a text in the reader's language: see lang.Printer.T.
func t(ctx context.Context, text string, args ...any) string { return wordsOf(ctx).T(text, args...) }

// n says a text about a number of things: see lang.Printer.N.
func n(ctx context.Context, count int64, one, other string, args ...any) string {
	return wordsOf(ctx).N(count, one, other, args...)
}

// term says a word, say a text that was made elsewhere.
func term(ctx context.Context, w lms.Term) string { return wordsOf(ctx).Term(w) }
func say(ctx context.Context, w lms.Text) string  { return wordsOf(ctx).Text(w) }

// day and moment write a date and a time to the minute.
func day(ctx context.Context, at time.Time) string { return wordsOf(ctx).Day(at) }

// calendar writes a day, which is the same in every zone.
func calendar(ctx context.Context, d lms.Day) string {
	return wordsOf(ctx).Date(d)
}

func moment(ctx context.Context, at time.Time) string { return wordsOf(ctx).Moment(at) }

// phrase is a sentence with components in the places of its %s, or %[2]s where
// a language wants another order.
func phrase(text string, parts ...templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		format := wordsOf(ctx).T(text)
		next := 0
		for {
			i := strings.IndexByte(format, '%')
			if i < 0 {
				return word(format).Render(ctx, w)
			}
			if err := word(format[:i]).Render(ctx, w); err != nil {
				return err
			}
			which, rest := verb(format[i+1:])
			format = rest
			switch {
			case which == percent:
				if err := word("%").Render(ctx, w); err != nil {
					return err
				}
				continue
			case which != inOrder:
				next = which
			}
			if next < len(parts) {
				if err := parts[next].Render(ctx, w); err != nil {
					return err
				}
			}
			next++
		}
	})
}

const (
	inOrder = -1
	percent = -2
)

// verb reads what follows a % in a phrase: s, [2]s or another %. It gives the
// part that is meant, from 0.
func verb(format string) (which int, rest string) {
	if rest, ok := strings.CutPrefix(format, "%"); ok {
		return percent, rest
	}
	if inside, ok := strings.CutPrefix(format, "["); ok {
		number, rest, _ := strings.Cut(inside, "]s")
		if i, err := strconv.Atoi(number); err == nil {
			return i - 1, rest
		}
	}
	return inOrder, strings.TrimPrefix(format, "s")
}

// word is text as it stands: a name, an address, a title.
func word(s string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, templ.EscapeString(s))
		return err
	})
}

// languageCookie keeps the choice of whoever is not signed in.
const (
	languageCookie     = "matricula-language"
	languageCookieLife = 365 * 24 * time.Hour
)

// wordsFor finds the language for a request, with the zone of the site: what the person has chosen, else
// what was chosen in this browser, else what the browser asks for.
func (w *Web) wordsFor(r *http.Request, u lms.User) *lang.Printer {
	return lang.Pick(r.Header.Get("Accept-Language"), u.Language, w.cookie(r, languageCookie)).In(w.opts.Zone)
}

var languageRoutes = []route{
	{"GET /language", true, (*Web).backFromLanguage},
	{"POST /language", true, (*Web).chooseLanguage},
}

// backFromLanguage is where the address of the form leads when it is opened as
// a page.
func (w *Web) backFromLanguage(rw http.ResponseWriter, r *request) error {
	w.redirect(rw, r, "/")
	return nil
}

// chooseLanguage changes the language for this browser and, for whoever is
// signed in, for the person.
func (w *Web) chooseLanguage(rw http.ResponseWriter, r *request) error {
	f, err := readForm(rw, r, formLimit)
	if err != nil {
		return err
	}
	chosen := f.text("language")
	if chosen != "" && !lang.Known(chosen) {
		return lms.Invalid("unknown-language", "language", "There is no language %q here: choose one of the list, or none to follow the browser.", lms.Clip(chosen, 40))
	}
	if !r.caller.Anonymous() {
		if _, err := w.svc.SetLanguage(r.Context(), r.caller, chosen); err != nil {
			return err
		}
	}
	w.setCookie(rw, languageCookie, chosen, languageCookieLife)
	w.redirect(rw, r, w.refererPath(r))
	return nil
}
