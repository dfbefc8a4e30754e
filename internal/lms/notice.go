package lms

import "time"

// How often somebody who has not arrived is told by mail that they were named: so
// many times in all, and not sooner than that after the last.
const (
	MaxNotices  = 4
	NoticeEvery = 72 * time.Hour
)

// NoticeState is what is known about telling a person that they were named.
type NoticeState struct {
	Times    int       // they were told, or are about to be
	Last     time.Time // zero when they never were
	Objected time.Time // when they said that they do not want to be here; zero: they did not
	Mail     MailState // what became of the last mail; empty when it is not known any more
}

// Why a person is not told, as a stable name; empty when they can be.
const (
	NoticeObjected = "objected"
	NoticeEnough   = "told-often"
	NoticeTooSoon  = "told-lately"
)

// Held tells why a person cannot be told now; empty when they can.
func (n NoticeState) Held(now time.Time) string {
	switch {
	case !n.Objected.IsZero():
		return NoticeObjected
	case n.Times >= MaxNotices:
		return NoticeEnough
	case !n.Last.IsZero() && now.Sub(n.Last) < NoticeEvery:
		return NoticeTooSoon
	}
	return ""
}
