package signin_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"matricula/internal/apptest"
	"matricula/internal/lms"
	"matricula/internal/signin"
)

func TestA12OnlyTheConfiguredTenantOfEntraSignsIn(t *testing.T) {
	for _, shared := range []string{"common", "organizations", "consumers", "Common", "{tenantid}"} {
		p := signin.Provider{
			Name: "uni", Label: "University", Kind: signin.KindEntra, ClientID: "c",
			Issuer: "https://login.microsoftonline.com/" + shared + "/v2.0", Tenant: shared,
		}
		var fault *signin.ProviderError
		if err := signin.ValidateProvider(p); !errors.As(err, &fault) || fault.Field != "ISSUER" || !strings.Contains(err.Error(), "TENANT-ID") {
			t.Errorf("issuer with %s: %v", shared, err)
		}
	}

	d := open(t, signin.KindEntra)
	mustDecide(t, d.arrive(t, apptest.EntraPerson(ada, tenant, true)), signin.Claim, "")
	mustDecide(t, d.arrive(t, apptest.EntraPerson(ada, otherTenant, true)), signin.Refuse, signin.ReasonTenant)
	without := apptest.EntraPerson(ada, tenant, true)
	without.Claims["tid"] = apptest.Omit
	mustDecide(t, d.arrive(t, without), signin.Refuse, signin.ReasonTenant)

	// The issuer in the token names another tenant than the one configured.
	d.issuer.SignInAs(apptest.EntraPerson(ada, tenant, true))
	d.issuer.Misbehave(apptest.Faults{Claims: map[string]any{"iss": "https://login.microsoftonline.com/" + otherTenant + "/v2.0"}})
	_, err := d.signIn(t)
	mustRefuse(t, err)
}

func TestA13OnlyTheJSONTrueOfXmsEdovStandsInForAnAbsentEmailVerified(t *testing.T) {
	d := open(t, signin.KindEntra)
	for _, c := range []struct {
		name                string
		edov, emailVerified any
		claims              bool
	}{
		{"neither claim", nil, nil, false},
		{"xms_edov false", false, nil, false},
		{"xms_edov true", true, nil, true},
		{"xms_edov \"1\"", "1", nil, false},
		{"xms_edov 1", 1, nil, false},
		{"xms_edov \"true\"", "true", nil, false},
		{"xms_edov true, email_verified false", true, false, false},
		{"xms_edov true, email_verified null", true, json.RawMessage("null"), false},
		{"xms_edov false, email_verified true", false, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := apptest.EntraPerson(ada, tenant, c.edov)
			p.EmailVerified = c.emailVerified
			if c.claims {
				mustDecide(t, d.arrive(t, p), signin.Claim, "")
			} else {
				mustDecide(t, d.arrive(t, p), signin.Refuse, signin.ReasonNotVerified)
			}
		})
	}
	t.Run("at a provider that is not Entra it says nothing", func(t *testing.T) {
		d := open(t, signin.KindOIDC)
		p := apptest.EntraPerson(ada, tenant, true)
		mustDecide(t, d.arrive(t, p), signin.Refuse, signin.ReasonNotVerified)
	})
}

// refusedEverywhere tries the person against a pending row, and as a stranger
// under each policy.
func refusedEverywhere(t *testing.T, d *door, p apptest.Person, reason signin.Reason) {
	t.Helper()
	mustDecide(t, d.arrive(t, p), signin.Refuse, reason)
	for _, signUp := range []signin.SignUp{signin.SignUpNamed, signin.SignUpDomains, signin.SignUpAnyone} {
		mustDecide(t, d.arriveUnnamed(t, p, signUp), signin.Refuse, reason)
	}
}

func TestA16AnAddressThatIsNotVerifiedClaimsAndCreatesNothing(t *testing.T) {
	refusedEverywhere(t, open(t, signin.KindOIDC), apptest.Person{Email: ada, EmailVerified: false}, signin.ReasonNotVerified)
}

func TestA17AMissingEmailVerifiedIsTheSameAsFalse(t *testing.T) {
	refusedEverywhere(t, open(t, signin.KindOIDC), apptest.Person{Email: ada}, signin.ReasonNotVerified)
}

func TestA18WhatIsNotTheJSONTrueIsNotVerified(t *testing.T) {
	d := open(t, signin.KindOIDC)
	for _, value := range []string{`"true"`, `"True"`, `"false"`, `"TRUE"`, `1`, `0`, `-1`, `1.0`, `null`, `[]`, `{}`, `[true]`, `{"true":true}`, `""`} {
		t.Run(value, func(t *testing.T) {
			refusedEverywhere(t, d, apptest.Person{Email: ada, EmailVerified: json.RawMessage(value)}, signin.ReasonNotVerified)
		})
	}
	t.Run("a second claim in other case changes nothing", func(t *testing.T) {
		p := apptest.Person{Email: ada, EmailVerified: false, Claims: map[string]any{"EMAIL_VERIFIED": true, "Email_Verified": true}}
		refusedEverywhere(t, d, p, signin.ReasonNotVerified)
	})
	t.Run("from userinfo too", func(t *testing.T) {
		d := open(t, signin.KindOIDC)
		d.issuer.Misbehave(apptest.Faults{EmailElsewhere: true})
		mustDecide(t, d.arrive(t, apptest.Person{Email: ada, EmailVerified: true}), signin.Claim, "")
		mustDecide(t, d.arrive(t, apptest.Person{Email: ada, EmailVerified: "true"}), signin.Refuse, signin.ReasonNotVerified)
	})
}

func TestAnAddressIsTakenOnlyAsItStands(t *testing.T) {
	d := open(t, signin.KindOIDC)
	for _, value := range []any{" " + ada, ada + "\n", "Ada <" + ada + ">", "ada@uni.example@evil.example", "ad\u212a@uni.example", "\u0430da@uni.example"} {
		p := apptest.Person{Subject: "s", Email: "x", EmailVerified: true, Claims: map[string]any{"email": value}}
		mustDecide(t, d.arrive(t, p), signin.Refuse, signin.ReasonAddressUnclean)
	}
	for _, value := range []any{5, nil, true, []string{ada}, map[string]any{"value": ada}, ""} {
		p := apptest.Person{Subject: "s", Email: "x", EmailVerified: true, Claims: map[string]any{"email": value}}
		mustDecide(t, d.arrive(t, p), signin.Refuse, signin.ReasonAddressMissing)
	}
	mixed := d.arrive(t, apptest.Person{Subject: "s", Email: "ADA@Uni.Example", EmailVerified: true})
	mustDecide(t, mixed, signin.Claim, "")
	if mixed.Email != ada {
		t.Errorf("the canonical address is %s", mixed.Email)
	}
}

func TestA22DomainsAreComparedWholeAndHdMustBeTheAddressesDomain(t *testing.T) {
	google := open(t, signin.KindGoogle)
	for _, c := range []struct {
		email, hd string
		kind      signin.Outcome
	}{
		{"x@uni.example", "uni.example", signin.Claim},
		{"X@UNI.EXAMPLE", "uni.example", signin.Claim},
		{"x@gmail.com", "", signin.Claim},
		{"x@googlemail.com", "", signin.Claim},
		{"x@evil.example", "uni.example", signin.ProveAddress},
		{"x@evil.example", "evil.example", signin.ProveAddress}, // hd of a domain that is not configured
		{"x@notuni.example", "uni.example", signin.ProveAddress},
		{"x@uni.example.evil.com", "uni.example", signin.ProveAddress},
		{"x@sub.uni.example", "uni.example", signin.ProveAddress},
		{"x@sub.uni.example", "sub.uni.example", signin.ProveAddress},
		{"x@uni.example", "UNI.EXAMPLE", signin.ProveAddress},
		{"x@uni.example", "uni.example.", signin.ProveAddress},
		{"x@uni.example", " uni.example", signin.ProveAddress},
		{"x@uni.example", "", signin.ProveAddress},
		{"x@notgmail.com", "", signin.ProveAddress},
		{"x@gmail.com.evil.com", "gmail.com", signin.ProveAddress},
	} {
		t.Run("google "+c.email+" hd "+c.hd, func(t *testing.T) {
			d := google.arrive(t, apptest.GooglePerson(c.email, c.hd))
			if d.Kind != c.kind {
				t.Errorf("decided %s %s, want %s", d.Kind, d.Reason, c.kind)
			}
			stranger := google.arriveUnnamed(t, apptest.GooglePerson(c.email, c.hd), signin.SignUpDomains)
			if invited := c.kind == signin.Claim && d.Email.Domain() == "uni.example"; (stranger.Kind == signin.Create) != invited {
				t.Errorf("as a stranger: %s %s", stranger.Kind, stranger.Reason)
			}
		})
	}
	for _, hd := range []any{true, []string{"uni.example"}, map[string]any{"uni.example": true}, nil} {
		p := apptest.Person{Email: "x@uni.example", EmailVerified: true, Claims: map[string]any{"hd": hd}}
		mustDecide(t, google.arrive(t, p), signin.ProveAddress, signin.ReasonNotAuthoritative)
	}

	oidc := open(t, signin.KindOIDC)
	for email, kind := range map[string]signin.Outcome{
		"x@uni.example": signin.Claim, "x@sub.uni.example": signin.ProveAddress, "x@notuni.example": signin.ProveAddress,
		"x@uni.example.evil.com": signin.ProveAddress, "x@gmail.com": signin.ProveAddress,
	} {
		if d := oidc.arrive(t, apptest.Somebody(email, "", "")); d.Kind != kind {
			t.Errorf("oidc, %s: decided %s %s, want %s", email, d.Kind, d.Reason, kind)
		}
	}
	trusted := open(t, signin.KindOIDC, func(_ *apptest.Issuer, p *signin.Provider) { p.Domains, p.TrustAll = nil, true })
	mustDecide(t, trusted.arrive(t, apptest.Somebody("x@anything.example", "", "")), signin.Claim, "")
	mustDecide(t, trusted.arrive(t, apptest.Person{Email: "x@anything.example"}), signin.Refuse, signin.ReasonNotVerified)
}

func TestTheTokenCarriesWhatTheProviderSaysAboutThePerson(t *testing.T) {
	d := open(t, signin.KindGoogle)
	p := apptest.GooglePerson(ada, "uni.example")
	p.Subject, p.GivenName, p.FamilyName = "Sub-1", "Ada", "Lovelace"
	got := d.mustSignIn(t, p)
	want := signin.Token{
		Issuer: d.issuer.URL, Subject: "Sub-1", Email: ada, EmailVerified: signin.VerifiedTrue,
		HostedDomain: "uni.example", GivenName: "Ada", FamilyName: "Lovelace", Name: "Ada Lovelace",
	}
	if got != want {
		t.Errorf("token %#v, want %#v", got, want)
	}
	if s := got.String() + got.LogValue().String(); strings.Contains(s, "Ada") || strings.Contains(s, "@") {
		t.Errorf("the token's text gives the person away: %s", s)
	}
	if d.issuer.Requests("userinfo") != 0 {
		t.Error("userinfo was asked although the ID token said everything")
	}
}

func TestATokenWithAClaimTwiceIsRefused(t *testing.T) {
	d := open(t, signin.KindOIDC)
	d.issuer.SignInAs(apptest.Person{Email: ada, EmailVerified: false})
	for name, extra := range map[string]string{
		"the same name":             `,"email_verified":true}`,
		"the same name, escaped":    `,"email\u005fverified":true}`,
		"a second object":           `}{"email_verified":true}`,
		"bytes that are not UTF-8":  ",\"x\":\"\xff\"}",
		"an open object":            `,"x":`,
		"a name without quotes":     `,x:1}`,
		"something after the claim": `} x`,
	} {
		t.Run(name, func(t *testing.T) {
			d.issuer.Misbehave(apptest.Faults{Payload: func(claims map[string]any) []byte {
				b, err := json.Marshal(claims)
				if err != nil {
					t.Error(err)
				}
				return append(bytes.TrimSuffix(b, []byte("}")), extra...)
			}})
			_, err := d.signIn(t)
			mustRefuse(t, err)
		})
	}
	for _, whole := range []string{``, `null`, `[]`, `"x"`, `true`} {
		d.issuer.Misbehave(apptest.Faults{Payload: func(map[string]any) []byte { return []byte(whole) }})
		_, err := d.signIn(t)
		mustRefuse(t, err)
	}
}

func TestRefusalsTellThePersonWhatToDo(t *testing.T) {
	p := signin.Provider{Label: "University"}
	seen := map[string]signin.Reason{}
	for _, reason := range []signin.Reason{
		signin.ReasonTenant, signin.ReasonAddressMissing, signin.ReasonAddressUnclean, signin.ReasonNotVerified,
		signin.ReasonNotAuthoritative, signin.ReasonAddressInUse, signin.ReasonSuspended, signin.ReasonErased,
		signin.ReasonNotNamed, signin.ReasonInconsistent, signin.ReasonSubject,
	} {
		err := signin.Decision{Kind: signin.Refuse, Reason: reason, Email: ada}.Err(p)
		var e *lms.Error
		if !errors.As(err, &e) || e.Type != string(reason) || len(e.Message) < 40 || strings.Contains(e.Message, ada) {
			t.Errorf("%s: %v", reason, err)
			continue
		}
		if other, twice := seen[e.Message]; twice {
			t.Errorf("%s says the same as %s", reason, other)
		}
		seen[e.Message] = reason
	}
}
