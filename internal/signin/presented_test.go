package signin_test

import (
	"context"
	"testing"
	"time"

	"matricula/internal/apptest"
	"matricula/internal/lms"
	"matricula/internal/signin"
)

func (d *door) present(f apptest.Faults, nonce string) (signin.Presented, error) {
	d.issuer.Misbehave(f)
	defer d.issuer.Misbehave(apptest.Faults{})
	return d.rp.Present(context.Background(), d.issuer.IDToken(apptest.GooglePerson(ada, "uni.example"), "n"), nonce)
}

func claiming(pairs ...any) apptest.Faults {
	f := apptest.Faults{Claims: map[string]any{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		f.Claims[pairs[i].(string)] = pairs[i+1]
	}
	return f
}

// TestA30BothSpellingsOfGoogleAreOneIssuerForPrograms: and nothing else is Google.
func TestA30BothSpellingsOfGoogleAreOneIssuerForPrograms(t *testing.T) {
	d := open(t, signin.KindGoogle, func(i *apptest.Issuer, p *signin.Provider) {
		i.Named(signin.GoogleIssuer)
		p.Name, p.Clients = "google", []string{"android"}
	})
	for _, iss := range []string{"https://accounts.google.com", "accounts.google.com"} {
		got, err := d.present(claiming("iss", iss, "azp", "android"), "n")
		if err != nil {
			t.Fatalf("%s: %v", iss, err)
		}
		if got.Token.Issuer != signin.GoogleIssuer || got.Client != "android" || got.Provider.Name != "google" || got.Token.HostedDomain != "uni.example" {
			t.Errorf("%s became %+v", iss, got)
		}
	}
	for _, iss := range []string{"http://accounts.google.com", "https://accounts.google.com/", "accounts.google.com.evil.example", "ACCOUNTS.google.com"} {
		_, err := d.present(claiming("iss", iss), "n")
		mustRefuse(t, err)
	}
}

func TestAClientOfAnotherProviderIsNoClientHere(t *testing.T) {
	one, two := apptest.NewIssuer(t), apptest.NewIssuer(t)
	clock := newClock()
	one.SetClock(clock.Now)
	two.SetClock(clock.Now)
	provider := func(name string, i *apptest.Issuer, client string) signin.Provider {
		return signin.Provider{Name: name, Label: name, Kind: signin.KindOIDC, Issuer: i.URL, ClientID: "m", Clients: []string{client}}
	}
	rp, err := signin.New([]signin.Provider{provider("one", one, "first"), provider("two", two, "second")}, "http://127.0.0.1:1", nil, clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	mint := func(i *apptest.Issuer, claims ...any) string {
		i.Misbehave(claiming(claims...))
		return i.IDToken(apptest.Somebody(ada, "Ada", "Lovelace"), "n")
	}
	_, err = rp.Present(context.Background(), mint(one, "aud", "second"), "")
	mustRefuse(t, err)
	// A token of one that says to be of the other is verified with the other's keys.
	one.RotateKeys()
	_, err = rp.Present(context.Background(), mint(one, "aud", "second", "iss", two.URL), "")
	mustRefuse(t, err)
	got, err := rp.Present(context.Background(), mint(two, "aud", "second"), "")
	if err != nil || got.Provider.Name != "two" || got.Token.Issuer != two.URL || got.Client != "second" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestAnIDTokenIsRememberedByWhatWasSignedUntilItEnds(t *testing.T) {
	d := open(t, signin.KindOIDC)
	now := d.clock.Now()
	short, err := d.present(claiming("jti", "1"), "")
	if err != nil {
		t.Fatal(err)
	}
	long, err := d.present(claiming("jti", "2", "exp", now.Add(365*24*time.Hour).Unix()), "")
	if err != nil {
		t.Fatal(err)
	}
	if short.Fingerprint == long.Fingerprint || !short.Until.Equal(now.Add(5*time.Minute)) || !long.Until.Equal(now.Add(24*time.Hour)) {
		t.Errorf("remembered until %s and %s", short.Until, long.Until)
	}
	d.clock.Advance(10*time.Minute + time.Second)
	_, err = d.present(claiming("iat", now.Unix(), "exp", now.Add(365*24*time.Hour).Unix()), "")
	mustFail(t, err, "id-token-old", lms.CodeForbidden)
}

// TestA47UnknownKeysAtThisDoorDoNotReachTheProvider: nobody has to begin anything
// here before a token is looked at.
func TestA47UnknownKeysAtThisDoorDoNotReachTheProvider(t *testing.T) {
	d := open(t, signin.KindOIDC)
	for range 200 {
		_, err := d.present(apptest.Faults{Sign: apptest.SignUnknownKey}, "")
		mustRefuse(t, err)
	}
	if n := d.issuer.Requests("jwks"); n > 2 {
		t.Errorf("the key set was asked for %d times", n)
	}
	if _, err := d.present(apptest.Faults{}, ""); err != nil {
		t.Error(err)
	}
	d.issuer.Shut()
	if _, err := d.present(apptest.Faults{}, ""); err != nil {
		t.Errorf("a provider that is down stops those whose keys are known: %v", err)
	}
}
