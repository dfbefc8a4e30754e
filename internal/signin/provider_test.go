package signin_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"matricula/internal/signin"
)

func goodProvider() signin.Provider {
	return signin.Provider{
		Name: "uni", Label: "University", Issuer: "https://id.uni.example/realms/all", ClientID: "matricula",
		ClientSecret: "a secret", Kind: signin.KindOIDC, Domains: []string{"uni.example", "xn--bcher-kva.example"},
	}
}

func TestProvidersThatCanBeUsedAreAccepted(t *testing.T) {
	for name, change := range map[string]func(*signin.Provider){
		"a usual one":      func(*signin.Provider) {},
		"a public client":  func(p *signin.Provider) { p.ClientSecret = "" },
		"for everybody":    func(p *signin.Provider) { p.Domains, p.TrustAll = nil, true },
		"for no domain":    func(p *signin.Provider) { p.Domains = nil },
		"on loopback":      func(p *signin.Provider) { p.Issuer = "http://127.0.0.1:5556/dex" },
		"on loopback IPv6": func(p *signin.Provider) { p.Issuer = "http://[::1]:5556" },
		"on localhost":     func(p *signin.Provider) { p.Issuer = "http://localhost:5556" },
		"with programs":    func(p *signin.Provider) { p.Clients = []string{"1234-abc.apps.googleusercontent.example", "the-app"} },
		"with a slash":     func(p *signin.Provider) { p.Issuer = "https://uni.eu.auth0.example/" },
		"Google": func(p *signin.Provider) {
			p.Name, p.Kind, p.Issuer = "google", signin.KindGoogle, signin.GoogleIssuer
		},
		"Entra": func(p *signin.Provider) {
			p.Kind, p.Issuer, p.Tenant = signin.KindEntra, "https://login.microsoftonline.com/"+tenant+"/v2.0", tenant
		},
	} {
		p := goodProvider()
		change(&p)
		if err := signin.ValidateProvider(p); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if kind, inIssuer := signin.DetectKind(p.Issuer); kind != p.Kind || inIssuer != p.Tenant {
			t.Errorf("%s: detected as %s %s", name, kind, inIssuer)
		}
	}
}

func TestAProviderThatCannotBeUsedIsRefusedByTheNameOfTheSetting(t *testing.T) {
	issuer := func(s string) func(*signin.Provider) { return func(p *signin.Provider) { p.Issuer = s } }
	domain := func(s string) func(*signin.Provider) { return func(p *signin.Provider) { p.Domains = []string{s} } }
	entra := func(issuer, tenant string) func(*signin.Provider) {
		return func(p *signin.Provider) { p.Kind, p.Issuer, p.Tenant = signin.KindEntra, issuer, tenant }
	}
	for _, c := range []struct {
		field  string
		change func(*signin.Provider)
	}{
		{"NAME", func(p *signin.Provider) { p.Name = "" }},
		{"NAME", func(p *signin.Provider) { p.Name = "Uni" }},
		{"NAME", func(p *signin.Provider) { p.Name = "../uni" }},
		{"NAME", func(p *signin.Provider) { p.Name = strings.Repeat("u", 33) }},
		{"NAME", func(p *signin.Provider) { p.Name = "google" }},
		{"NAME", func(p *signin.Provider) { p.Kind, p.Issuer = signin.KindGoogle, signin.GoogleIssuer }},
		{"LABEL", func(p *signin.Provider) { p.Label = "" }},
		{"LABEL", func(p *signin.Provider) { p.Label = "two\nlines" }},
		{"LABEL", func(p *signin.Provider) { p.Label = strings.Repeat("l", 61) }},
		{"CLIENT_ID", func(p *signin.Provider) { p.ClientID = "" }},
		{"CLIENT_ID", func(p *signin.Provider) { p.ClientID = "id\n" }},
		{"CLIENT_SECRET", func(p *signin.Provider) { p.ClientSecret = " s" }},
		{"CLIENT_SECRET", func(p *signin.Provider) {
			p.Name, p.Kind, p.Issuer, p.ClientSecret = "google", signin.KindGoogle, signin.GoogleIssuer, ""
		}},
		{"CLIENTS", func(p *signin.Provider) { p.Clients = []string{"app", ""} }},
		{"CLIENTS", func(p *signin.Provider) { p.Clients = []string{"two words"} }},
		{"CLIENTS", func(p *signin.Provider) { p.Clients = []string{strings.Repeat("c", 256)} }},
		{"ISSUER", issuer("")},
		{"ISSUER", issuer("id.uni.example")},
		{"ISSUER", issuer("http://id.uni.example")},
		{"ISSUER", issuer("http://localhost.uni.example")},
		{"ISSUER", issuer("http://127.0.0.1.uni.example")},
		{"ISSUER", issuer("http://10.0.0.1")},
		{"ISSUER", issuer("ftp://localhost")},
		{"ISSUER", issuer("https://user:pass@id.uni.example")},
		{"ISSUER", issuer("https://id.uni.example?tenant=1")},
		{"ISSUER", issuer("https://id.uni.example?")},
		{"ISSUER", issuer("https://id.uni.example#x")},
		{"ISSUER", issuer("https:id.uni.example")},
		{"ISSUER", issuer("https://login.microsoftonline.com/common/v2.0")}, // Entra, but not said to be
		{"ISSUER", issuer(signin.GoogleIssuer)},
		{"ISSUER", entra("https://login.microsoftonline.com/common/v2.0", "common")},
		{"ISSUER", entra("https://login.microsoftonline.com/uni.example/v2.0", "uni.example")},
		{"ISSUER", entra("https://login.microsoftonline.com/"+tenant+"/v2.0", otherTenant)},
		{"ISSUER", entra("https://login.microsoftonline.com/"+tenant+"/v2.0", "")},
		{"ISSUER", entra("https://id.uni.example", tenant)},
		{"ISSUER", func(p *signin.Provider) { p.Kind, p.Issuer = "saml", "http://localhost" }},
		{"DOMAINS", domain("UNI.example")},
		{"DOMAINS", domain("*.uni.example")},
		{"DOMAINS", domain("*")},
		{"DOMAINS", domain("@uni.example")},
		{"DOMAINS", domain(".uni.example")},
		{"DOMAINS", domain("uni.example.")},
		{"DOMAINS", domain("bücher.example")},
		{"DOMAINS", domain(" uni.example")},
		{"DOMAINS", domain("localhost")},
		{"DOMAINS", domain("")},
		{"DOMAINS", domain("uni.example, other.example")},
		{"DOMAINS", func(p *signin.Provider) { p.TrustAll = true }},
		{"DOMAINS", func(p *signin.Provider) {
			p.Name, p.Kind, p.Issuer, p.Domains, p.TrustAll = "google", signin.KindGoogle, signin.GoogleIssuer, nil, true
		}},
	} {
		p := goodProvider()
		c.change(&p)
		err := signin.ValidateProvider(p)
		var fault *signin.ProviderError
		if !errors.As(err, &fault) || fault.Field != c.field || strings.Contains(err.Error(), "secret ") {
			t.Errorf("%+v: %v, want a fault of %s", p, err, c.field)
		}
		if _, err := signin.New([]signin.Provider{p}, "https://lms.uni.example", nil, newClock().Now); err == nil {
			t.Errorf("%+v: became a relying party", p)
		}
	}
}

func TestNamesAndIssuersAreConfiguredOnce(t *testing.T) {
	a, b := goodProvider(), goodProvider()
	b.Name = "other"
	var fault *signin.ProviderError
	if _, err := signin.New([]signin.Provider{a, b}, "https://lms.uni.example", nil, newClock().Now); !errors.As(err, &fault) || fault.Field != "ISSUER" {
		t.Errorf("one issuer under two names: %v", err)
	}
	b = goodProvider()
	b.Issuer = "https://other.example"
	if _, err := signin.New([]signin.Provider{a, b}, "https://lms.uni.example", nil, newClock().Now); !errors.As(err, &fault) || fault.Field != "NAME" {
		t.Errorf("one name for two issuers: %v", err)
	}
	b.Name = "other"
	rp, err := signin.New([]signin.Provider{a, b}, "https://lms.uni.example", nil, newClock().Now)
	if err != nil {
		t.Fatal(err)
	}
	if ps := rp.Providers(); len(ps) != 2 || ps[0].Name != "uni" || ps[1].Name != "other" {
		t.Errorf("providers %v", ps)
	}
	if p, ok := rp.Provider("other"); !ok || p.Issuer != b.Issuer {
		t.Errorf("provider other: %v, %t", p, ok)
	}
	if _, ok := rp.Provider("Uni"); ok {
		t.Error("a provider that is not configured was found")
	}
	if s := fmt.Sprintf("%v %+v %s", a, a, a.LogValue()); strings.Contains(s, a.ClientSecret) {
		t.Errorf("the provider's text gives the secret away: %s", s)
	}
}
