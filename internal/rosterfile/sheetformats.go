package rosterfile

import (
	"strings"

	"github.com/xuri/excelize/v2"
)

// A day in a cell is a number, and the cell's format says how it is shown: often
// with two digits of the year, or as the reader's system has it, which is not in
// the file. So every format of a day is made year first, which can be read in one
// way only.
const isoDay, isoMoment = "yyyy-mm-dd", "yyyy-mm-dd hh:mm"

// Number formats that every spreadsheet has without saying so.
const (
	general     = 0
	shortDay    = 14
	shortMoment = 22
	unknown     = 1 << 30 // excelize leaves a number alone whose format it does not know
)

// plainFormats changes the formats of a spreadsheet that is only read.
func plainFormats(x *excelize.File) {
	own := map[int]bool{}
	if x.Styles == nil || x.Styles.CellXfs == nil {
		return
	}
	if x.Styles.NumFmts != nil {
		for _, f := range x.Styles.NumFmts.NumFmt {
			own[f.NumFmtID] = true
			code := f.FormatCode
			if f.FormatCode16 != "" {
				code = f.FormatCode16
			}
			if day, clock := dateFormat(code); day {
				f.FormatCode, f.FormatCode16 = isoDay, ""
				if clock {
					f.FormatCode = isoMoment
				}
			} else if strings.EqualFold(code, "general") {
				f.FormatCode, f.FormatCode16 = "", ""
			}
		}
	}
	for i := range x.Styles.CellXfs.Xf {
		id := x.Styles.CellXfs.Xf[i].NumFmtID
		if id == nil || own[*id] {
			continue
		}
		switch n := *id; {
		case n == general: // which would write a long student number as 2.026E+11
			*id = unknown
		case n >= 14 && n <= 17, n >= 27 && n <= 31, n == 36, n >= 50 && n <= 58:
			*id = shortDay
		}
	}
}

// dateFormat tells whether a number format shows a day, and whether it shows a
// time of day too. Letters in quotation marks, behind a backslash or in brackets
// are no places of a date.
func dateFormat(code string) (day, clock bool) {
	for i := 0; i < len(code); i++ {
		switch c := code[i]; c {
		case '"', '[':
			end := byte('"')
			if c == '[' {
				end = ']'
			}
			next := strings.IndexByte(code[i+1:], end)
			if next < 0 {
				return day, clock
			}
			i += next + 1
		case '\\', '_', '*':
			i++
		case ';': // a format of its own for numbers below zero follows
			return day, clock
		case 'y', 'Y', 'd', 'D':
			day = true
		case 'h', 'H', 's', 'S':
			clock = true
		}
	}
	return day, clock
}
