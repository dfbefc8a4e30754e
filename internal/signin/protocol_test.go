package signin_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"matricula/internal/apptest"
	"matricula/internal/lms"
	"matricula/internal/signin"
)

func TestA29ACodeIsWorthNothingOutsideTheAttemptItAnswers(t *testing.T) {
	d := open(t, signin.KindOIDC)
	d.issuer.SignInAs(apptest.Somebody(ada, "Ada", "Lovelace"))

	t.Run("the state must be that of this browser", func(t *testing.T) {
		mine, other := signin.NewAttempt(), signin.NewAttempt()
		for _, state := range []string{"", other.State, mine.State + "x", strings.ToUpper(mine.State), mine.Nonce} {
			if mine.Answers(state) {
				t.Errorf("state %q was taken for %q", state, mine.State)
			}
		}
		if !mine.Answers(mine.State) || (signin.Attempt{}).Answers("") {
			t.Error("the right state was refused, or an empty one accepted")
		}
	})
	t.Run("a code with the verifier of another attempt", func(t *testing.T) {
		a, code := d.begin(t)
		a.Verifier = signin.NewAttempt().Verifier
		_, err := d.exchange(code, a)
		mustRefuse(t, err)
	})
	t.Run("somebody else's code in my attempt", func(t *testing.T) {
		mine, _ := d.begin(t)
		_, theirs := d.begin(t)
		_, err := d.exchange(theirs, mine)
		mustRefuse(t, err)
	})
	t.Run("the nonce of another login", func(t *testing.T) {
		a, code := d.begin(t)
		a.Nonce = signin.NewAttempt().Nonce
		_, err := d.exchange(code, a)
		mustRefuse(t, err)
	})
	t.Run("a code twice", func(t *testing.T) {
		a, code := d.begin(t)
		if _, err := d.exchange(code, a); err != nil {
			t.Fatal(err)
		}
		_, err := d.exchange(code, a)
		mustRefuse(t, err)
	})
	t.Run("a code that is too old", func(t *testing.T) {
		a, code := d.begin(t)
		d.clock.Advance(2 * time.Minute)
		_, err := d.exchange(code, a)
		mustRefuse(t, err)
	})
	t.Run("no code, an invented one, an endless one, an empty attempt", func(t *testing.T) {
		a, code := d.begin(t)
		_, err := d.exchange("", a)
		mustFail(t, err, "sign-in-failed", lms.CodeMalformed)
		_, err = d.exchange(strings.Repeat("c", 10_000), a)
		mustFail(t, err, "sign-in-failed", lms.CodeMalformed)
		_, err = d.exchange("invented", a)
		mustRefuse(t, err)
		_, err = d.exchange(code, signin.Attempt{})
		mustRefuse(t, err)
		if _, err := d.rp.AuthURL(context.Background(), "uni", signin.Attempt{State: a.State}); err == nil {
			t.Error("an attempt without nonce and verifier was sent to the provider")
		}
	})
	t.Run("each code is presented once, even when it is refused", func(t *testing.T) {
		before := d.issuer.Requests("token")
		a, _ := d.begin(t)
		_, err := d.exchange("invented", a)
		mustRefuse(t, err)
		if n := d.issuer.Requests("token") - before; n != 1 {
			t.Errorf("%d requests to the token endpoint", n)
		}
	})
	t.Run("the next honest sign-in works", func(t *testing.T) {
		if _, err := d.signIn(t); err != nil {
			t.Fatal(err)
		}
	})
}

func TestTheAuthorizationAddressCarriesWhatTheProtocolAsks(t *testing.T) {
	d := open(t, signin.KindGoogle)
	a := signin.NewAttempt()
	address, err := d.rp.AuthURL(context.Background(), "uni", a)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for name, want := range map[string]string{
		"response_type": "code", "client_id": apptest.ClientID, "scope": "openid email profile", "state": a.State,
		"nonce": a.Nonce, "code_challenge_method": "S256", "redirect_uri": "http://127.0.0.1:1/auth/uni/callback",
		"prompt": "select_account",
	} {
		if q.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, q.Get(name), want)
		}
	}
	if strings.Contains(address, a.Verifier) || strings.Contains(address, apptest.ClientSecret) {
		t.Error("a secret is in the address")
	}
	b := signin.NewAttempt()
	for _, part := range []string{a.State, a.Nonce, a.Verifier, b.State, b.Nonce, b.Verifier} {
		if len(part) != 43 || strings.Count(a.State+a.Nonce+a.Verifier+b.State+b.Nonce+b.Verifier, part) != 1 {
			t.Errorf("%q is short or occurs twice", part)
		}
	}
	if s := fmt.Sprintf("%v %s", a, a.LogValue()); strings.Contains(s, a.State) || strings.Contains(s, a.Nonce) || strings.Contains(s, a.Verifier) {
		t.Errorf("the attempt's text gives it away: %s", s)
	}
	if _, err := d.rp.AuthURL(context.Background(), "nobody", a); lms.CodeOf(err) != lms.CodeNotFound {
		t.Errorf("an unknown provider: %v", err)
	}
}

// ending adds a claim after all others, where a reader that does not mind the
// case of a name takes it for the last word.
func ending(name, value string) func(map[string]any) []byte {
	return func(claims map[string]any) []byte {
		b, err := json.Marshal(claims)
		if err != nil {
			panic(err)
		}
		return fmt.Appendf(b[:len(b)-1], ",%q:%q}", name, value)
	}
}

// badTokens are the sub-cases of A-30, each a fault of the ID token.
func badTokens(d *door) map[string]apptest.Faults {
	now, us := d.clock.Now(), apptest.ClientID
	claim := func(name string, value any) apptest.Faults {
		return apptest.Faults{Claims: map[string]any{name: value}}
	}
	claims := func(pairs ...any) apptest.Faults {
		m := map[string]any{}
		for n := 0; n < len(pairs); n += 2 {
			m[pairs[n].(string)] = pairs[n+1]
		}
		return apptest.Faults{Claims: m}
	}
	header := func(name string, value any) apptest.Faults {
		return apptest.Faults{Header: map[string]any{name: value}}
	}
	at := func(ahead time.Duration) int64 { return now.Add(ahead).Unix() }
	return map[string]apptest.Faults{
		"alg none":                         {Sign: apptest.SignNone},
		"alg None":                         {Sign: apptest.SignNone, Header: map[string]any{"alg": "None"}},
		"alg missing":                      header("alg", apptest.Omit),
		"alg of another key type":          header("alg", "ES256"),
		"alg not advertised":               header("alg", "RS512"),
		"HS256 with the public key":        {Sign: apptest.SignWithPublicKey},
		"another key under a known id":     {Sign: apptest.SignWithOtherKey},
		"unknown key id":                   {Sign: apptest.SignUnknownKey},
		"key id that is a path":            header("kid", "../../first"),
		"key id that is a number":          header("kid", 1),
		"jku although the key is ours":     header("jku", "https://keys.example/jwks"),
		"x5u although the key is ours":     header("x5u", "https://keys.example/x5u"),
		"jwk although the key is ours":     header("jwk", apptest.ForeignKey("first")),
		"critical extension":               header("crit", []string{"exp"}),
		"access token instead of ID token": header("typ", "at+jwt"),
		"logout token instead of ID token": header("typ", "logout+jwt"),
		"expired":                          claim("exp", at(-time.Second)),
		"expiring now":                     claim("exp", at(0)),
		"exp missing":                      claim("exp", apptest.Omit),
		"exp that is a string":             claim("exp", fmt.Sprint(at(time.Hour))),
		"exp without end":                  claim("exp", json.RawMessage("1e300")),
		"nbf ahead":                        claim("nbf", at(3*time.Minute)),
		"nbf that is a string":             claim("nbf", "now"),
		"iat a day ahead":                  claim("iat", at(24*time.Hour)),
		"iat three minutes ahead":          claim("iat", at(3*time.Minute)),
		"iat missing":                      claim("iat", apptest.Omit),
		"aud with another, no azp":         claim("aud", []string{us, "other"}),
		"aud with another, azp the other":  claims("aud", []string{us, "other"}, "azp", "other"),
		"aud ours, azp another":            claims("azp", "other"),
		"azp that is not a string":         claims("azp", []string{us}),
		"aud another":                      claim("aud", "other"),
		"aud others only":                  claims("aud", []string{"other", us + "x"}, "azp", us),
		"aud empty":                        claim("aud", []string{}),
		"aud missing":                      claim("aud", apptest.Omit),
		"aud with something else in it":    claims("aud", []any{us, 5}, "azp", us),
		"aud in another case":              claim("aud", strings.ToUpper(us)),
		"aud another, then AUD ours":       {Claims: map[string]any{"aud": "other"}, Payload: ending("AUD", us)},
		"iss with a slash":                 claim("iss", d.issuer.URL+"/"),
		"iss with https":                   claim("iss", strings.Replace(d.issuer.URL, "http:", "https:", 1)),
		"iss without scheme":               claim("iss", strings.TrimPrefix(d.issuer.URL, "http://")),
		"iss of another host":              claim("iss", "https://accounts.google.com"),
		"iss missing":                      claim("iss", apptest.Omit),
		"iss another, then ISS ours":       {Claims: map[string]any{"iss": "https://evil.example"}, Payload: ending("ISS", d.issuer.URL)},
		"sub empty":                        claim("sub", ""),
		"sub of 256 characters":            claim("sub", strings.Repeat("s", 256)),
		"sub missing":                      claim("sub", apptest.Omit),
		"sub that is a number":             claim("sub", 5),
		"sub that is null":                 claim("sub", nil),
		"sub outside ASCII":                claim("sub", "\u212Aarl"),
		"sub with a NUL":                   claim("sub", "a\x00b"),
		"sub with a blank at the end":      claim("sub", "s "),
		"nonce missing":                    claim("nonce", apptest.Omit),
		"nonce empty":                      claim("nonce", ""),
		"nonce of another login":           claim("nonce", signin.NewAttempt().Nonce),
		"at_hash of another access token":  claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
		"no ID token":                      {TokenAnswer: map[string]any{"id_token": apptest.Omit}},
		"ID token that is not one":         {TokenAnswer: map[string]any{"id_token": "x.y.z"}},
		"ID token that is a number":        {TokenAnswer: map[string]any{"id_token": 5}},
		"ID token of many kilobytes":       claim("groups", strings.Repeat("g", 70_000)),
		"ID token in JSON serialization":   {TokenAnswer: map[string]any{"id_token": `{"payload":"e30","signatures":[]}`}},
	}
}

func TestA30ATokenWithAnyFaultIsRefused(t *testing.T) {
	d := open(t, signin.KindOIDC)
	d.issuer.SignInAs(apptest.Somebody(ada, "", ""))
	for name, faults := range badTokens(d) {
		t.Run(name, func(t *testing.T) {
			d.issuer.Misbehave(faults)
			_, err := d.signIn(t)
			mustRefuse(t, err)
		})
	}
	d.issuer.Misbehave(apptest.Faults{})
	if _, err := d.signIn(t); err != nil {
		t.Fatalf("the same token without a fault: %v", err)
	}
}

func TestA30AKeyThatTheTokenPointsAtIsNeverFetched(t *testing.T) {
	var asked atomic.Int32
	attacker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{apptest.ForeignKey("first")}})
	}))
	defer attacker.Close()
	d := open(t, signin.KindOIDC)
	d.issuer.SignInAs(apptest.Somebody(ada, "", ""))
	for _, sign := range []apptest.SignatureFault{apptest.SignWithOtherKey, apptest.SignUnknownKey} {
		for _, name := range []string{"jku", "x5u"} {
			d.issuer.Misbehave(apptest.Faults{Sign: sign, Header: map[string]any{name: attacker.URL}})
			_, err := d.signIn(t)
			mustRefuse(t, err)
		}
	}
	if asked.Load() != 0 {
		t.Errorf("the attacker's keys were asked for %d times", asked.Load())
	}
}

func TestA30UnusualTokensThatTheStandardAllowsPass(t *testing.T) {
	d := open(t, signin.KindOIDC)
	d.issuer.SignInAs(apptest.Somebody(ada, "", ""))
	now, us := d.clock.Now(), apptest.ClientID
	for name, claims := range map[string]map[string]any{
		"aud a list of us":              {"aud": []string{us}},
		"aud with another, azp ours":    {"aud": []string{"other", us}, "azp": us},
		"sub of 255 characters":         {"sub": strings.Repeat("s", 255)},
		"iat a little ahead":            {"iat": now.Add(time.Minute).Unix()},
		"nbf a little ahead":            {"nbf": now.Add(time.Minute).Unix()},
		"times with fractions":          {"iat": json.RawMessage(fmt.Sprintf("%d.5", now.Unix()-1)), "exp": json.RawMessage(fmt.Sprintf("%d.25", now.Unix()+60))},
		"no at_hash":                    {"at_hash": apptest.Omit},
		"claims that we have no use of": {"groups": []string{"a", "b"}, "address": map[string]any{"country": "IT"}},
	} {
		d.issuer.Misbehave(apptest.Faults{Claims: claims})
		if _, err := d.signIn(t); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, omitted := range []string{"kid", "typ"} {
		d.issuer.Misbehave(apptest.Faults{Header: map[string]any{omitted: apptest.Omit}})
		if _, err := d.signIn(t); err != nil {
			t.Errorf("a header without %s: %v", omitted, err)
		}
	}
}

func TestA30SubjectsThatDifferByCaseAreTwo(t *testing.T) {
	d := open(t, signin.KindOIDC)
	upper := d.mustSignIn(t, apptest.Person{Subject: "ABC", Email: ada, EmailVerified: true})
	lower := d.mustSignIn(t, apptest.Person{Subject: "abc", Email: ada, EmailVerified: true})
	if upper.Subject != "ABC" || lower.Subject != "abc" {
		t.Errorf("subjects %q and %q", upper.Subject, lower.Subject)
	}
}

func TestA30BothSpellingsOfGoogleAreOneIssuer(t *testing.T) {
	d := open(t, signin.KindGoogle, func(i *apptest.Issuer, p *signin.Provider) {
		i.Named(signin.GoogleIssuer)
		p.Name = "google"
	})
	for _, iss := range []string{"https://accounts.google.com", "accounts.google.com"} {
		d.issuer.Misbehave(apptest.Faults{Claims: map[string]any{"iss": iss}})
		token := d.mustSignIn(t, apptest.GooglePerson(ada, "uni.example"))
		if token.Issuer != "https://accounts.google.com" {
			t.Errorf("iss %s became the issuer %s", iss, token.Issuer)
		}
		mustDecide(t, d.arrive(t, apptest.GooglePerson(ada, "uni.example")), signin.Claim, "")
	}
	for _, iss := range []string{"https://accounts.google.com/", "http://accounts.google.com", "https://accounts.google.com.evil.example", "google.com"} {
		d.issuer.Misbehave(apptest.Faults{Claims: map[string]any{"iss": iss}})
		_, err := d.signIn(t)
		mustRefuse(t, err)
	}
}

func TestAProvidersErrorInTheCallbackBecomesAMessage(t *testing.T) {
	p := signin.Provider{Label: "University"}
	for code, typ := range map[string]string{
		"access_denied": "sign-in-canceled", "login_required": "sign-in-canceled",
		"server_error": "provider-unavailable", "temporarily_unavailable": "provider-unavailable", "unauthorized_client": "provider-unavailable",
		"invalid_request": "sign-in-failed", "": "sign-in-failed", "<script>": "sign-in-failed",
	} {
		err := signin.CallbackError(p, code)
		if lms.TypeOf(err) != typ || strings.Contains(err.Error(), "<") {
			t.Errorf("%q: %v (%s), want %s", code, err, lms.TypeOf(err), typ)
		}
	}
}
