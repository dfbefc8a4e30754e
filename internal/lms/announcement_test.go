package lms

import (
	"strings"
	"testing"
	"time"
)

func TestAnnouncementFieldsAreCleaned(t *testing.T) {
	now := time.Date(2026, 9, 7, 8, 55, 0, 123, time.UTC)
	f, err := AnnouncementFields{Title: "  Room \n 12 ", Body: "\r\n \r\nMonday:\r\n\r\n- bring a *pen*\u2028- e\u0301\n\n\n"}.Clean(now)
	if err != nil {
		t.Fatal(err)
	}
	if f.Title != "Room 12" || f.Body != "Monday:\n\n- bring a *pen*\n- é" || !f.PublishAt.Equal(now.Truncate(time.Second)) {
		t.Errorf("got %+v", f)
	}
	if code, _ := (AnnouncementFields{Title: "x", Body: "    indented code"}.Clean(now)); code.Body != "    indented code" {
		t.Errorf("the indent of code is lost: %q", code.Body)
	}
	for _, c := range []struct {
		f        AnnouncementFields
		typ, loc string
	}{
		{AnnouncementFields{Body: "x"}, "title-missing", "title"},
		{AnnouncementFields{Title: "x", Body: " \n\t\n "}, "text-missing", "body"},
		{AnnouncementFields{Title: strings.Repeat("x", MaxTitleRunes+1), Body: "x"}, "text-too-long", "title"},
		{AnnouncementFields{Title: "x", Body: strings.Repeat("é", MaxAnnouncementRunes+1)}, "text-too-long", "body"},
		{AnnouncementFields{Title: "x", Body: strings.Repeat("x", 8*MaxAnnouncementRunes+1)}, "text-too-long", "body"},
		{AnnouncementFields{Title: "x", Body: "a\u202eb"}, "text-control-character", "body"},
		{AnnouncementFields{Title: "x", Body: "a\x00b"}, "text-control-character", "body"},
		{AnnouncementFields{Title: "x", Body: "a\ufffdb"}, "text-not-utf8", "body"},
		{AnnouncementFields{Title: "x", Body: "x", PublishAt: now.AddDate(6, 0, 0)}, "publish-time", "publish_at"},
		{AnnouncementFields{Title: "x", Body: "x", PublishAt: time.Date(20, 1, 1, 0, 0, 0, 0, time.UTC)}, "publish-time", "publish_at"},
	} {
		_, err := c.f.Clean(now)
		if TypeOf(err) != c.typ || !strings.Contains(strings.Join(locationsOf(err), " "), c.loc) {
			t.Errorf("%.40q %.40q: %v at %v, want %s at %s", c.f.Title, c.f.Body, err, locationsOf(err), c.typ, c.loc)
		}
	}
	if f, err := (AnnouncementFields{Title: "x", Body: strings.Repeat("é", MaxAnnouncementRunes)}).Clean(now); err != nil || f.Body == "" {
		t.Errorf("the longest text is refused: %v", err)
	}
}

func locationsOf(err error) (list []string) {
	if e, ok := err.(*Error); ok {
		for _, f := range e.Fields {
			list = append(list, f.Location)
		}
	}
	return list
}
