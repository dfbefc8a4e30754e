package lms

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func TestAPersonIsCalledByTheBestThatIsKnown(t *testing.T) {
	for _, c := range []struct {
		u    User
		want string
	}{
		{User{Name: "Adm. Hopper", GivenName: "Grace", FamilyName: "Hopper", Email: "g@uni.example"}, "Adm. Hopper"},
		{User{GivenName: "Grace", FamilyName: "Hopper", Email: "g@uni.example"}, "Grace Hopper"},
		{User{FamilyName: "Hopper", Email: "g@uni.example"}, "Hopper"},
		{User{GivenName: "Grace", Email: "g@uni.example"}, "Grace"},
		{User{Email: "g@uni.example"}, "g@uni.example"},
		{User{Name: "grade sync", Kind: KindService}, "grade sync"},
	} {
		if got := c.u.DisplayName(); got != c.want {
			t.Errorf("%+v is called %q, want %q", c.u, got, c.want)
		}
	}
}

func TestOnlySiteRolesAreSiteRoles(t *testing.T) {
	for _, s := range []string{"member", "teacher", "admin"} {
		if r, err := ParseSiteRole(s); err != nil || string(r) != s {
			t.Errorf("%q: %v (%v)", s, r, err)
		}
	}
	for _, s := range []string{"", "Admin", "owner", "admin ", "root"} {
		if _, err := ParseSiteRole(s); CodeOf(err) != CodeInvalid || TypeOf(err) != "unknown-site-role" {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestTextIsCleanedOrRefusedWithAReason(t *testing.T) {
	for typed, want := range map[string]string{
		"":                     "",
		"  Ada  ":              "Ada",
		"Ada\t\n King":         "Ada King",
		"Ada\u00a0King":        "Ada King",
		"A\u030angstro\u0308m": "Ångström", // composed
		"O’Brien":              "O’Brien",
		"مريم":                 "مريم",
		"👩\u200d🏫":             "👩\u200d🏫",
		`<b>"x"</b> & =1+1`:    `<b>"x"</b> & =1+1`,
	} {
		if got, err := CleanText(typed, "name", 20); err != nil || got != want {
			t.Errorf("%q became %q (%v), want %q", typed, got, err, want)
		}
	}
	for typed, problem := range map[string]string{
		strings.Repeat("a", 21):   "text-too-long",
		strings.Repeat("é", 21):   "text-too-long",
		strings.Repeat("a", 1000): "text-too-long",
		"a\x00b":                  "text-control-character",
		"a\x1bb":                  "text-control-character",
		"a\u202eb":                "text-control-character",
		"a\u2066b":                "text-control-character",
		"a\xffb":                  "text-not-utf8",
		"a\ufffdb":                "text-not-utf8",
	} {
		_, err := CleanText(typed, "name", 20)
		if CodeOf(err) != CodeInvalid || TypeOf(err) != problem || !strings.Contains(err.Error(), "name: ") {
			t.Errorf("%q: %v, want %s at name", typed, err, problem)
		}
	}
	if got, err := CleanText(strings.Repeat("é", 20), "name", 20); err != nil || len([]rune(got)) != 20 {
		t.Errorf("twenty letters of twenty allowed: %q (%v)", got, err)
	}
}

func TestCleanTextStaysAsItIsWhenItIsCleanedAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clean, err := CleanText(rapid.String().Draw(t, "typed"), "name", 40)
		if err != nil {
			return
		}
		if again, err := CleanText(clean, "name", 40); err != nil || again != clean {
			t.Fatalf("%q became %q (%v)", clean, again, err)
		}
		if strings.ContainsFunc(clean, unicode.IsControl) {
			t.Fatalf("%q holds a control character", clean)
		}
	})
}

func TestSearchingIgnoresCaseAndAccents(t *testing.T) {
	for _, same := range [][]string{
		{"müller", "MÜLLER", "Muller", "mu\u0308ller", "muller"},
		{"Ångström", "angstrom", "ANGSTROM"},
		{"ﬁona", "fiona", "FIONA"},
		{"Ｗｉｄｅ", "wide"},
		{"İpek", "ipek", "IPEK"},
		{"Işık", "IŞIK", "ışık", "isik"},
		{"Ёлкин", "елкин"},
		{"ﾊﾝｶｸ", "ハンカク"},
	} {
		for _, s := range same[1:] {
			if FoldSearch(s) != FoldSearch(same[0]) {
				t.Errorf("%q folds to %q, %q to %q", s, FoldSearch(s), same[0], FoldSearch(same[0]))
			}
		}
	}
	for _, different := range [][2]string{{"ß", "ss"}, {"ø", "o"}, {"a b", "ab"}, {"o'brien", "obrien"}, {"100%", "100"}} {
		if FoldSearch(different[0]) == FoldSearch(different[1]) {
			t.Errorf("%q finds %q", different[0], different[1])
		}
	}
}

func TestFoldingForSearchIsStableAndLeavesNoControlCharacters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		folded := FoldSearch(rapid.String().Draw(t, "text"))
		if again := FoldSearch(folded); again != folded {
			t.Fatalf("%q folds to %q", folded, again)
		}
		if strings.ContainsFunc(folded, unicode.IsControl) {
			t.Fatalf("%q holds a control character", folded)
		}
	})
}

func TestAPersonIsSearchedByEverythingAndSortedByFamilyName(t *testing.T) {
	if got := SearchKey("grace@uni.example", "Grace", "Höpper", "Adm. G. Hopper"); got != "grace hopper adm. g. hopper grace@uni.example" {
		t.Errorf("search key %q", got)
	}
	if got := SearchKey("grace@uni.example", "Grace", "Hopper", "Grace Hopper"); got != "grace hopper grace@uni.example" {
		t.Errorf("search key %q", got)
	}
	if got := SearchKey("grace@uni.example", "", "", ""); got != "grace@uni.example" {
		t.Errorf("search key %q", got)
	}
	for _, c := range [][5]string{
		{"grace@uni.example", "Grace", "Höpper", "Adm.", "hopper grace grace@uni.example"},
		{"grace@uni.example", "", "", "Adm. G.", "adm. g. grace@uni.example"},
		{"grace@uni.example", "Grace", "", "", "grace@uni.example"},
	} {
		if got := SortKey(Email(c[0]), c[1], c[2], c[3]); got != c[4] {
			t.Errorf("%q sorts as %q, want %q", c[:4], got, c[4])
		}
	}
}

func TestWhatIsEchoedIsShort(t *testing.T) {
	if got := Clip("äöü", 3); got != "äöü" {
		t.Errorf("%q", got)
	}
	if got := Clip("äöüß", 3); got != "äöü…" {
		t.Errorf("%q", got)
	}
}
