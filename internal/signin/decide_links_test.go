package signin

import (
	"fmt"
	"testing"

	"matricula/internal/lms"
)

const linkedUserID = 9

// TestALinkDecidesByIdentityAndNeverByAddress runs over everything that Decide may
// depend on, and each state of whoever a directory has linked to the subject.
func TestALinkDecidesByIdentityAndNeverByAddress(t *testing.T) {
	want := map[lms.UserStatus]Decision{
		lms.StatusPending:   {Kind: Claim, UserID: linkedUserID, Linked: true},
		lms.StatusActive:    {Kind: Refuse, Reason: ReasonLinkedElsewhere, UserID: linkedUserID},
		lms.StatusSuspended: {Kind: Refuse, Reason: ReasonSuspended, UserID: linkedUserID},
		lms.StatusErased:    {Kind: Refuse, Reason: ReasonInconsistent, UserID: linkedUserID},
	}
	everything(func(p Provider, name string, token Token, identity, address string, account AccountState) {
		for _, signUp := range signUps {
			policy := Policy{Provider: p, SignUp: signUp}
			without := Decide(policy, token, account)
			for status, w := range want {
				linked := account
				linked.Link = &Holder{UserID: linkedUserID, Status: status}
				got := Decide(policy, token, linked)
				if account.Identity != nil {
					if got != without {
						t.Fatalf("a subject that has signed in is decided by a link: %+v, not %+v (%s, %s, %s)", got, without, name, identity, address)
					}
					continue
				}
				w.Email = got.Email
				if got != w {
					t.Fatalf("linked to somebody %s: %+v, want %+v (%s, %s, %s)", status, got, w, name, identity, address)
				}
				// A code for the address changes nothing about it.
				if redeemed := Redeem(policy, token, linked, got.Email); redeemed != got {
					t.Fatalf("a code changes %+v to %+v", got, redeemed)
				}
			}
		}
	})
}

// TestWhomADirectoryLinkedIsNotClaimedByAnotherSubject: the address is proved, by the
// provider or by a code, and still is no more than an address.
func TestWhomADirectoryLinkedIsNotClaimedByAnotherSubject(t *testing.T) {
	everything(func(p Provider, name string, token Token, identity, address string, account AccountState) {
		policy := Policy{Provider: p, SignUp: SignUpAnyone}
		without := Redeem(policy, token, account, mustAddress(token))
		account.AddressLinked = account.Address != nil
		got := Redeem(policy, token, account, mustAddress(token))
		if account.Identity == nil && account.Address != nil && account.Address.Status == lms.StatusPending && without.Kind == Claim {
			if got.Kind != Refuse || got.Reason != ReasonLinkedElsewhere {
				t.Fatalf("another subject claims: %+v (%s, %s)", got, name, address)
			}
			return
		}
		if got != without {
			t.Fatalf("a link changes %+v to %+v (%s, %s, %s)", without, got, name, identity, address)
		}
	})
}

func mustAddress(token Token) lms.Email {
	address, err := token.Address()
	if err != nil {
		return ""
	}
	return address
}

// TestA11ALinkOpensNoOtherDoor: a token of another issuer, subject or tenant is refused
// whatever a directory says.
func TestA11ALinkOpensNoOtherDoor(t *testing.T) {
	p := providerOf("entra for uni.example")
	account := AccountState{Link: &Holder{UserID: linkedUserID, Status: lms.StatusPending}}
	for reason, change := range map[Reason]func(*Token){
		ReasonIssuer:  func(t *Token) { t.Issuer = "https://evil.example" },
		ReasonTenant:  func(t *Token) { t.Tenant = otherTenant },
		ReasonSubject: func(t *Token) { t.Subject = "" },
	} {
		token := tokenOf("ada@uni.example", "true", "true", "absent")
		change(&token)
		if d := Decide(Policy{Provider: p, SignUp: SignUpAnyone}, token, account); d.Kind != Refuse || d.Reason != reason {
			t.Errorf("%s: %+v", reason, d)
		}
	}
}

func TestOnlyEntraSaysAnObjectID(t *testing.T) {
	id := claims{"sub": []byte(`"s"`), "oid": []byte(`"o"`)}
	for kind, want := range map[Kind]string{KindEntra: "o", KindOIDC: "", KindGoogle: ""} {
		if got := newToken(Provider{Kind: kind}, id, claims{"oid": []byte(`"other"`)}).ObjectID; got != want {
			t.Errorf("%s: the object id is %q", kind, got)
		}
	}
	if got := newToken(Provider{Kind: KindEntra}, claims{"sub": []byte(`"s"`)}, claims{"oid": []byte(`"other"`)}).ObjectID; got != "" {
		t.Error(fmt.Sprint("an object id from the userinfo answer counts: ", got))
	}
}
