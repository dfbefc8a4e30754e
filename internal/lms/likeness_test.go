package lms_test

import (
	"slices"
	"strings"
	"testing"

	"matricula/internal/lms"
)

// like tells how one address finds another.
func like(a, b lms.Email) (kinds []lms.Likeness) {
	for _, r := range lms.LikeAddresses(a) {
		if r.Address == string(b) || (!r.Whole() && strings.HasPrefix(string(b), r.Address)) {
			kinds = append(kinds, r.Kind)
		}
	}
	return kinds
}

func TestB13B14B15AddressesThatAProviderTakesForTheSameAreHints(t *testing.T) {
	for _, c := range []struct {
		id   string
		a, b lms.Email
		kind lms.Likeness // empty: they are not alike
	}{
		{"B-13", "alice.smith@gmail.com", "alicesmith@gmail.com", lms.LikeProvider},
		{"B-13 across both names", "alice.smith@googlemail.com", "alicesmith@gmail.com", lms.LikeProvider},
		{"B-14", "alice@gmail.com", "alice+x@gmail.com", lms.LikeProvider},
		{"B-15", "alice@gmail.com", "alice@googlemail.com", lms.LikeProvider},
		{"plus elsewhere", "alice+lms@uni.example", "alice@uni.example", lms.LikeProvider},
		{"B-16", "alice+1@uni.example", "alice+2@uni.example", ""},
		{"dots elsewhere are a slip at most", "alice.smith@uni.example", "alicesmith@uni.example", lms.LikeSlip},
		{"another domain", "grace@uni.example", "grace@uin.example", lms.LikeLocal},
		{"a letter less", "garce.hopper@uni.example", "garce.hoper@uni.example", lms.LikeSlip},
		{"two letters changed", "garce@uni.example", "grace@uni.example", lms.LikeSlip},
		{"numbered", "s123456@uni.example", "s12346@uni.example", ""},
		{"another person", "ada@uni.example", "grace@uni.example", ""},
		{"a beginning", "grace@uni.example", "graceful@uni.example", ""},
		{"the same", "grace@uni.example", "grace@uni.example", lms.LikeLocal}, // whose own it is
	} {
		kinds := append(like(c.a, c.b), like(c.b, c.a)...)
		if (c.kind == "") != (len(kinds) == 0) || (c.kind != "" && !slices.Contains(kinds, c.kind)) {
			t.Errorf("%s: %s and %s are alike by %v, want %q", c.id, c.a, c.b, kinds, c.kind)
		}
	}
}

func TestDifferentNamesMakeDifferentPeopleOfLikeAddresses(t *testing.T) {
	grace := &lms.User{GivenName: "Grace", FamilyName: "Hopper", Status: lms.StatusActive}
	same := &lms.User{Name: "GRACE hopper", Status: lms.StatusActive}
	other := &lms.User{Name: "Grace Kelly", Status: lms.StatusPending}
	nameless := &lms.User{Status: lms.StatusPending}
	for _, c := range []struct {
		a, b *lms.User
		kind lms.Likeness
		want bool
	}{
		{grace, same, lms.LikeName, true},
		{grace, other, lms.LikeName, false},
		{nameless, nameless, lms.LikeName, false},
		{grace, other, lms.LikeLocal, false},
		{grace, same, lms.LikeLocal, true},
		{grace, nameless, lms.LikeSlip, true},
		{grace, &lms.User{Status: lms.StatusActive}, lms.LikeSlip, false},
		{grace, other, lms.LikeProvider, true},
		{grace, other, lms.LikeNumber, true},
	} {
		if got := lms.StillLike(c.a, c.b, c.kind); got != c.want {
			t.Errorf("%s and %s by %s: %v", c.a.DisplayName(), c.b.DisplayName(), c.kind, got)
		}
	}
	if n := lms.SearchedName(&lms.User{GivenName: "Madonna"}); n != "" {
		t.Errorf("one word is searched: %q", n)
	}
}
