package lms

import (
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// MaxAnnouncementRunes is the most that one announcement may say.
const MaxAnnouncementRunes = 20_000

// Announcement is something that the staff of a course tell everybody in it.
type Announcement struct {
	ID        int64
	CourseID  int64
	Title     string
	Body      string // Markdown (CommonMark), as it was written
	Pinned    bool
	PublishAt time.Time // from when everybody in the course can read it
	Author    User
	CreatedAt time.Time
	EditedAt  time.Time // zero when it was never edited
}

// Published tells whether everybody in the course can read it.
func (a *Announcement) Published(now time.Time) bool { return !a.PublishAt.After(now) }

// AnnouncementFields is what people write.
type AnnouncementFields struct {
	Title     string
	Body      string
	Pinned    bool
	PublishAt time.Time // zero: at once
}

// Clean checks the fields and makes them fit to store, with times in UTC to the
// second. Now is when an announcement without a time is published.
func (f AnnouncementFields) Clean(now time.Time) (AnnouncementFields, error) {
	var err error
	if f.Title, err = CleanText(f.Title, "title", MaxTitleRunes); err != nil {
		return f, err
	}
	if f.Title == "" {
		return f, Invalid("title-missing", "title", "An announcement needs a title, such as \"Monday's lecture is in room 12\".")
	}
	if f.Body, err = CleanLines(f.Body, "body", MaxAnnouncementRunes); err != nil {
		return f, err
	}
	if f.Body == "" {
		return f, Invalid("text-missing", "body", "Write what you want to tell the course.")
	}
	if f.PublishAt.IsZero() {
		f.PublishAt = now
	}
	f.PublishAt = f.PublishAt.UTC().Truncate(time.Second)
	if y := f.PublishAt.Year(); y < 2000 || f.PublishAt.After(now.AddDate(5, 0, 0)) {
		return f, Invalid("publish-time", "publish_at", "Choose a time within the next five years.")
	}
	return f, nil
}

// CleanLines is CleanText for a text of several lines, which keeps them: lines
// end with a line feed, and empty ones at the beginning and end are dropped.
func CleanLines(s, location string, max int) (string, error) {
	if len(s) > 8*max {
		return "", Invalid("text-too-long", location, "This text is too long: at most %d characters are allowed.", max)
	}
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n").Replace(s)
	for _, r := range s {
		switch {
		case r == unicode.ReplacementChar:
			return "", Invalid("text-not-utf8", location, "This text has a character that cannot be read. Type it again, or save the file as UTF-8.")
		case r == '\n' || r == '\t':
		case unicode.IsControl(r) || isBidiControl(r):
			return "", Invalid("text-control-character", location, "This text contains an invisible control character (U+%04X). Delete it, or type the text again.", r)
		}
	}
	s = strings.TrimRightFunc(norm.NFC.String(s), unicode.IsSpace)
	for {
		line, rest, more := strings.Cut(s, "\n")
		if !more || strings.TrimSpace(line) != "" {
			break
		}
		s = rest
	}
	if strings.TrimSpace(s) == "" {
		s = ""
	}
	if n := len([]rune(s)); n > max {
		return "", Invalid("text-too-long", location, "This text has %d characters: at most %d are allowed.", n, max)
	}
	return s, nil
}
