package lms

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestSlipsInDomainsAreNoticed(t *testing.T) {
	schools := []string{"uni.example", "cs.uni.example", "hochschule-koeln.example"}
	for typed, want := range map[string]Email{
		"a@gmial.com": "a@gmail.com", "a@gmail.con": "a@gmail.com", "a@gamil.com": "a@gmail.com", "a@gmail.co": "a@gmail.com", "a@hotmial.com": "a@hotmail.com",
		"a@uni.exmaple": "a@uni.example", "a@uni.exampel": "a@uni.example", "a@unii.example": "a@uni.example", "a@un.example": "a@uni.example",
		"a@hochschule-keoln.example": "a@hochschule-koeln.example", "a@hochshule-koeln.exmple": "a@hochschule-koeln.example",
	} {
		if got, ok := DomainSlip(mustParse(t, typed), schools); !ok || got != want {
			t.Errorf("%s: %q %v, want %s", typed, got, ok, want)
		}
	}
	for _, right := range []string{
		"a@gmail.com", "a@mail.com", "a@ymail.com", "a@uni.example", "a@cs.uni.example", "a@math.uni.example", "a@unimi.it", "a@uni.edu", "a@elsewhere.example", "a@gmx.net", "a@me.com",
	} {
		if got, ok := DomainSlip(mustParse(t, right), schools); ok {
			t.Errorf("%s is taken for %s", right, got)
		}
	}
}

func TestNearTwinsAreNoticed(t *testing.T) {
	known := []Email{"ada.lovelace@uni.example", "grace@uni.example", "s123456@uni.example", "bo@uni.example", "maria-rossi@uni.example"}
	twins := NewTwins(known)
	for typed, want := range map[string]Email{
		"ada.lovelacce@uni.example": "ada.lovelace@uni.example", "ada.lovlace@uni.example": "ada.lovelace@uni.example", "ada.lovelaec@uni.example": "ada.lovelace@uni.example",
		"ada.lovelaca@uni.example": "ada.lovelace@uni.example", "adalovelace@uni.example": "ada.lovelace@uni.example", "lovelace.ada@uni.example": "ada.lovelace@uni.example",
		"garce@uni.example": "grace@uni.example", "rossi.maria@uni.example": "maria-rossi@uni.example",
	} {
		if got, ok := twins.Of(mustParse(t, typed)); !ok || got != want {
			t.Errorf("%s: %q %v, want %s", typed, got, ok, want)
		}
	}
	for _, other := range []string{
		"ada.lovelace@uni.example", "ada.lovelacce@other.example", "s123457@uni.example", "s12345@uni.example", "s1234567@uni.example", "bob@uni.example", "grace2@uni.example", "gracie.h@uni.example",
	} {
		if got, ok := twins.Of(mustParse(t, other)); ok {
			t.Errorf("%s is taken for %s", other, got)
		}
	}
}

func TestSuggestionsAreValidAndOtherAddresses(t *testing.T) {
	local := rapid.StringMatching(`[a-z][a-z.]{2,8}[a-z]`)
	domain := rapid.SampledFrom([]string{"uni.example", "uni.exampl", "gmail.com", "gmal.com", "x.org"})
	rapid.Check(t, func(t *rapid.T) {
		address := rapid.Custom(func(t *rapid.T) Email {
			e, err := ParseEmail(local.Draw(t, "local") + "@" + domain.Draw(t, "domain"))
			if err != nil {
				return "plain@uni.example"
			}
			return e
		})
		known := rapid.SliceOfN(address, 1, 20).Draw(t, "known")
		typed := address.Draw(t, "typed")
		twin, ok := NewTwins(known).Of(typed)
		if slices.Contains(known, typed) && ok {
			t.Fatalf("%s is known, and taken for %s", typed, twin)
		}
		if ok && (twin == typed || !slices.Contains(known, twin)) {
			t.Fatalf("%s is taken for %s, which nobody has", typed, twin)
		}
		for _, k := range known { // the index misses nobody
			near := k != typed && k.Domain() == typed.Domain() && len(k.Local()) >= minTwin && slipDistance(k.Local(), typed.Local(), 2) == 1
			if near && !ok && !slices.Contains(known, typed) && len(typed.Local()) >= minTwin {
				t.Fatalf("%s is a twin of %s and was not noticed", typed, k)
			}
		}
		if meant, ok := DomainSlip(typed, []string{"uni.example"}); ok {
			again, err := ParseEmail(string(meant))
			if err != nil || again != meant || meant == typed {
				t.Fatalf("%s is taken for %q", typed, meant)
			}
			if _, more := DomainSlip(meant, []string{"uni.example"}); more {
				t.Fatalf("what is suggested for %s is a slip itself", typed)
			}
		}
	})
}

func BenchmarkTwins(b *testing.B) {
	var roster, list []Email
	for i := range 10_000 {
		roster = append(roster, Email(fmt.Sprintf("person.%c%c%c.surname@uni.example", 'a'+i%26, 'a'+i/26%26, 'a'+i/676%26)))
		list = append(list, Email(fmt.Sprintf("other.%c%c%c.surname@uni.example", 'a'+i%26, 'a'+i/26%26, 'a'+i/676%26)))
	}
	for b.Loop() {
		twins := NewTwins(roster)
		for _, e := range list {
			twins.Of(e)
		}
	}
}
