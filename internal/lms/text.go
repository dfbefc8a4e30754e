package lms

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// What is said to people is English here, in the code and in the API. Pages say
// it in the reader's language; for that, a text keeps its format and what was
// put into it.

// Term is a word or a sentence for people. Each has a translation in package
// lang, which a test demands; names of people and courses are plain strings.
type Term string

// Terms are several, which a sentence lists.
type Terms []Term

func (t Terms) String() string {
	words := make([]string, len(t))
	for i, one := range t {
		words[i] = string(one)
	}
	return strings.Join(words, ", ")
}

// Moment is a time that a sentence tells to the minute; a time.Time in one is a day.
type Moment struct{ Time time.Time }

func (m Moment) String() string { return m.Time.UTC().Format("2006-01-02 15:04 UTC") }

// Text is a sentence for people with what was put into it: a format of package
// fmt and its arguments, of which those of type Term, Terms and Text are words
// for people themselves. The zero Text says nothing.
type Text struct {
	Format string
	Args   []any
}

// Say makes a text, in which addresses are shown as people read them.
func Say(format string, args ...any) Text {
	shown := slices.Clone(args) // which may be the caller's own list
	for i, a := range shown {
		if e, ok := a.(Email); ok {
			shown[i] = e.Display()
		}
	}
	return Text{format, shown}
}

// String is the text in English.
func (t Text) String() string {
	if len(t.Args) == 0 {
		return t.Format
	}
	return fmt.Sprintf(t.Format, t.Args...)
}
