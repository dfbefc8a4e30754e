package lang_test

import (
	"testing"
	"time"

	"matricula/internal/lang"
	"matricula/internal/lms"
)

func TestDaysOfTheCalendarAreWrittenTheSameInEveryZone(t *testing.T) {
	west := time.FixedZone("", -11*3600)
	for _, p := range []*lang.Printer{lang.English(), lang.English().In(west), lang.English().In(time.FixedZone("", 13*3600))} {
		for got, want := range map[string]string{
			p.Date("2026-10-01"):                    "1 Oct 2026",
			p.Span("2026-10-01", "2027-01-31"):      "1 Oct 2026 – 31 Jan 2027",
			p.Span("2027-03-01", "2027-07-31"):      "1 Mar – 31 Jul 2027",
			p.ShortSpan("2026-10-01", "2027-01-31"): "1 Oct – 31 Jan",
			p.T("From %s", lms.Day("2026-10-01")):   "From 1 Oct 2026",
		} {
			if got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
	}
	if got := lang.Pick("", "it").ShortSpan("2026-10-01", "2027-01-31"); got != "1 ott – 31 gen" {
		t.Errorf("in Italian it is %q", got)
	}
}
