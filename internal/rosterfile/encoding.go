package rosterfile

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"matricula/internal/lms"
)

// encodingOf tells how a text is encoded: by its byte order mark, by the zeros of
// UTF-16 without one, else UTF-8 when all of it is valid, else what lettersOf says.
func encodingOf(f source) (name string, enc encoding.Encoding, err error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", nil, err
	}
	r := bufio.NewReaderSize(f, 64<<10)
	begin, err := r.Peek(256)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", nil, err
	}
	little, big := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	switch {
	case bytes.HasPrefix(begin, []byte("\xff\xfe")):
		return "UTF-16LE", little, nil
	case bytes.HasPrefix(begin, []byte("\xfe\xff")):
		return "UTF-16BE", big, nil
	case zeros(begin, 1) > len(begin)/4:
		return "UTF-16LE", unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), nil
	case zeros(begin, 0) > len(begin)/4:
		return "UTF-16BE", unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), nil
	case bytes.IndexByte(begin, 0) >= 0:
		return "", nil, lms.Invalid("file-kind", "file", "This is no text and no spreadsheet. Save the list as CSV or XLSX and choose that file.")
	}
	valid, err := isUTF8(r)
	if err != nil || valid {
		return "UTF-8", nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", nil, err
	}
	r.Reset(f)
	return lettersOf(r)
}

// zeros counts the zero bytes at odd or even places.
func zeros(b []byte, at int) (n int) {
	for i := at; i < len(b); i += 2 {
		if b[i] == 0 {
			n++
		}
	}
	return n
}

func isUTF8(r io.Reader) (bool, error) {
	buf := make([]byte, 64<<10)
	begun := 0 // bytes of a character that lies across two chunks
	for {
		n, err := r.Read(buf[begun:])
		chunk := buf[:begun+n]
		keep := 0
		for keep < min(utf8.UTFMax-1, len(chunk)) && !utf8.FullRune(chunk[len(chunk)-keep-1:]) {
			keep++
		}
		if !utf8.Valid(chunk[:len(chunk)-keep]) {
			return false, nil
		}
		begun = copy(buf, chunk[len(chunk)-keep:])
		if errors.Is(err, io.EOF) {
			return begun == 0, nil
		}
		if err != nil {
			return false, err
		}
	}
}

// lettersOf tells how a text is encoded that is not UTF-8: Mac Roman when its
// lines end as only the old Macintosh ended them, and otherwise Windows-1252, as
// Excel writes "CSV" in Western Europe. A file that is neither is refused with the
// line, since nobody finds a wrong name again once it is stored: one that is
// UTF-8 but for some bytes, and one in which signs stand inside of words.
func lettersOf(r *bufio.Reader) (name string, enc encoding.Encoding, err error) {
	var whole, broken, firstBroken, odd int // characters of UTF-8, bytes that are none, and lines
	var carriageReturns, lineFeeds int
	line, quoted, before := 1, false, byte(0)
	for {
		b, err := r.ReadByte()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", nil, err
		}
		switch {
		case b == '"':
			quoted = !quoted
		case b == '\n':
			if before != '\r' {
				line++
			}
			if !quoted {
				lineFeeds++
			}
		case b == '\r':
			line++
			if next, _ := r.Peek(1); !quoted && (len(next) == 0 || next[0] != '\n') {
				carriageReturns++
			}
		case b >= utf8.RuneSelf:
			rest, _ := r.Peek(utf8.UTFMax - 1)
			if c, n := utf8.DecodeRune(append([]byte{b}, rest...)); c != utf8.RuneError {
				whole++
				r.Discard(n - 1) // what was peeked can be discarded
				break
			}
			if broken++; firstBroken == 0 {
				firstBroken = line
			}
			if odd == 0 && insideWord(before, b, first(rest)) {
				odd = line
			}
		}
		before = b
	}
	switch {
	case whole > 0 && whole >= broken/4:
		return "", nil, lms.Invalid("letters-unknown", "file", "Line %d holds a character that is no UTF-8, while the rest of the file is. Correct it there, or save the list as XLSX and choose that file.", firstBroken)
	case carriageReturns > 0 && lineFeeds == 0:
		return "Macintosh", charmap.Macintosh, nil
	case odd > 0:
		return "", nil, lms.Invalid("letters-unknown", "file", "Line %d holds letters in an encoding that cannot be told. Save the list as CSV UTF-8 or as XLSX and choose that file.", odd)
	}
	return "Windows-1252", charmap.Windows1252, nil
}

func first(b []byte) byte {
	if len(b) == 0 {
		return 0
	}
	return b[0]
}

// insideWord tells whether a byte of Windows-1252, between its neighbors, is
// what no name has: the accented letters of Mac Roman are signs there, or
// capital letters in the middle of a word.
func insideWord(before, b, after byte) bool {
	letter := func(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
	small := func(c byte) bool { return 'a' <= c && c <= 'z' }
	switch b {
	case 0x81, 0x8d, 0x8f, 0x90, 0x9d: // not assigned
		return true
	case 0x8a, 0x8c, 0x8e, 0x9f: // Š Œ Ž Ÿ
		return letter(before) && (small(before) || small(after))
	case 0x86, 0x87, 0x88, 0x89, 0x98: // † ‡ ˆ ‰ ˜
		return letter(before) || letter(after)
	case 0x80: // €
		return letter(after)
	case 0xa7, 0xbf: // § ¿
		return letter(before)
	case 0x82, 0x84, 0x85, 0x8b, 0x93, 0x94, 0x95, 0x99, 0x9b: // quotation marks, … • ™
		return letter(before) && letter(after)
	case 0x96, 0x97: // dashes, which also join two names
		return small(before) && small(after)
	}
	return false
}
