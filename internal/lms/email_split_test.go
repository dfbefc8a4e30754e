package lms

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSplitEmails(t *testing.T) {
	tests := []struct {
		what, pasted string
		want         []string
	}{
		{"nothing", "", nil},
		{"blanks alone", " \t\r\n,;,\n\u00A0\n", nil},
		{"one address", "ada@uni.example", []string{"ada@uni.example"}},
		{"one a line, in each manner of ending it", "a@u.e\nb@u.e\r\nc@u.e\rd@u.e\u2028e@u.e\n", []string{"a@u.e", "b@u.e", "c@u.e", "d@u.e", "e@u.e"}},
		{"commas and semicolons", "a@u.e, b@u.e; c@u.e;;d@u.e，e@u.e；f@u.e", []string{"a@u.e", "b@u.e", "c@u.e", "d@u.e", "e@u.e", "f@u.e"}},
		{"a row of a spreadsheet", "a@u.e\tb@u.e\tc@u.e", []string{"a@u.e", "b@u.e", "c@u.e"}},
		{"spaces between addresses", "a@u.e b@u.e  c@u.e", []string{"a@u.e", "b@u.e", "c@u.e"}},
		{"a byte order mark and no-break spaces", "\uFEFFa@u.e\u00A0\n\u00A0b@u.e", []string{"a@u.e", "b@u.e"}},
		{"the same twice", "a@u.e\na@u.e", []string{"a@u.e", "a@u.e"}},
		{"names with addresses", "Ada <a@u.e>, Grace Hopper <g@u.e>; <b@u.e>\nEdsger< e@u.e >", []string{"a@u.e", "g@u.e", "b@u.e", "e@u.e"}},
		{"quoted names with commas", `"Lovelace, Ada" <ada@uni.example>, "Hopper; Grace" <grace@uni.example>`, []string{"ada@uni.example", "grace@uni.example"}},
		{"quoted names with quotes", `"Ada \"Countess, of\" L" <a@u.e>, b@u.e`, []string{"a@u.e", "b@u.e"}},
		{"surnames first, as mail programs write them", "Lovelace, Ada <ada@uni.example>; Hopper, Grace <grace@uni.example>", []string{"ada@uni.example", "grace@uni.example"}},
		{"a surname first, alone", "Lovelace, Ada <ada@uni.example>", []string{"ada@uni.example"}},
		{"an address before a name", "b@u.e, Ada <a@u.e>", []string{"b@u.e", "a@u.e"}},
		{"quoted addresses", `"a@u.e","b@u.e",'c@u.e',“d@u.e”`, []string{"a@u.e", "b@u.e", "c@u.e", "d@u.e"}},
		{"names in cells beside the address", "Ada\tLovelace\tada@uni.example\t1815\nGrace\tHopper\tgrace@uni.example\t1906", []string{"ada@uni.example", "grace@uni.example"}},
		{"a cell that lost its @", "ada@uni.example\tgrace.uni.example\tB.Sc.", []string{"ada@uni.example", "grace.uni.example", "B.Sc."}},
		{"what is no address stays", "ada\na@u.e, Bob; <>; Eve <>, @, x y", []string{"ada", "a@u.e", "Bob", "<>", "Eve <>", "@", "x y"}},
		{"a quotation that never ends", "a@u.e, \"b@u.e, c@u.e\nd@u.e, e@u.e", []string{"a@u.e", `"b@u.e`, "c@u.e", "d@u.e", "e@u.e"}},
		{"a name that is another address", `"v@uni.edu" <x@evil.com>`, []string{`"v@uni.edu" <x@evil.com>`}},
		{"a bare name that is another address", "v@uni.edu <x@evil.com>", []string{"v@uni.edu <x@evil.com>"}},
		{"a name that is the same address", "A@u.e <a@u.e>", []string{"a@u.e"}},
		{"bracketed addresses side by side", "<a@u.e> <b@u.e>", []string{"a@u.e", "b@u.e"}},
		{"bytes that are no text", "a@u.e,\xff\xfe\",b@u.e", []string{"a@u.e", "\xff\xfe\"", "b@u.e"}},
	}
	for _, test := range tests {
		if got := SplitEmails(test.pasted); !slices.Equal(got, test.want) {
			t.Errorf("%s: SplitEmails(%q) = %q, want %q", test.what, test.pasted, got, test.want)
		}
	}
}

// Whatever separates them, and whether names stand before them, the addresses
// come out in the order they went in.
func TestSplitEmailsFindsEverybodyInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		separator := rapid.SampledFrom([]string{",", ", ", ";", "; ", "\n", "\r\n", "\t", " ,\n"}).Draw(t, "separator")
		var want, parts []string
		for i := range rapid.IntRange(0, 40).Draw(t, "people") {
			address := fmt.Sprintf("p%d@uni.example", i)
			want = append(want, address)
			parts = append(parts, fmt.Sprintf(rapid.SampledFrom([]string{"%s", " %s ", "<%s>", "Ada <%s>", `"Lovelace, Ada; \"x\"" <%s>`, "'%s'"}).Draw(t, "form"), address))
		}
		if got := SplitEmails(strings.Join(parts, separator)); !slices.Equal(got, want) {
			t.Fatalf("SplitEmails(%q) = %q, want %q", strings.Join(parts, separator), got, want)
		}
	})
}

// Nothing that is not blank or a separator gets lost, except names and the
// signs around an address.
func TestSplitEmailsKeepsWhatItCannotRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[a-z@.]{1,9}`).Filter(func(s string) bool { return s != "" })
		words := rapid.SliceOf(word).Draw(t, "words")
		if got := SplitEmails(strings.Join(words, "\n")); !slices.Equal(got, words) && len(words)+len(got) > 0 {
			t.Fatalf("SplitEmails of %q = %q", words, got)
		}
	})
}

// Ten times the input takes about ten times as long, whatever it is made of: a
// square would show as a hundred.
func TestSplitEmailsTakesLinearTime(t *testing.T) {
	for _, part := range []string{"a@b.c\n", "a@b.c ", "\"", "\"a", "\\\"", "<", ">", "A <a@b.c>, ", "\"A, B\" <a@b.c>;", "\t", "a\t", "x, ", "x@", "'", "“", "\uFEFF", "A, ", "<\"@,;\t", "<a@b.c> "} {
		small, large := strings.Repeat(part, 50_000/len(part)), strings.Repeat(part, 500_000/len(part))
		if a, b, ok := growsAtMost(35, func() { SplitEmails(small) }, func() { SplitEmails(large) }); !ok {
			t.Errorf("%q: 50 kB take %v and 500 kB %v", part, a, b)
		}
	}
}

func BenchmarkSplitEmails(b *testing.B) {
	block := strings.Repeat("\"Lovelace, Ada\" <ada@uni.example>; grace@uni.example\nEdsger\tedsger@uni.example\n", 10_000)
	b.SetBytes(int64(len(block)))
	for b.Loop() {
		SplitEmails(block)
	}
}
