package signin_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"matricula/internal/apptest"
	"matricula/internal/lms"
	"matricula/internal/signin"
)

func TestA46TheIDTokenWinsOverUserinfo(t *testing.T) {
	elsewhere := func(userInfo map[string]any) apptest.Faults {
		return apptest.Faults{EmailElsewhere: true, UserInfo: userInfo}
	}
	t.Run("userinfo fills in what the ID token left out", func(t *testing.T) {
		d := open(t, signin.KindOIDC)
		d.issuer.Misbehave(elsewhere(nil))
		mustDecide(t, d.arrive(t, apptest.Somebody(ada, "Ada", "Lovelace")), signin.Claim, "")
		if d.issuer.Requests("userinfo") != 1 {
			t.Errorf("userinfo was asked %d times", d.issuer.Requests("userinfo"))
		}
	})
	t.Run("another subject is refused", func(t *testing.T) {
		d := open(t, signin.KindOIDC)
		d.issuer.SignInAs(apptest.Person{Subject: "ada", Email: ada, EmailVerified: true})
		for _, sub := range []any{"grace", "ADA", "ada ", "", nil, 5, apptest.Omit} {
			d.issuer.Misbehave(elsewhere(map[string]any{"sub": sub}))
			_, err := d.signIn(t)
			mustRefuse(t, err)
		}
	})
	t.Run("another address is not even asked for", func(t *testing.T) {
		d := open(t, signin.KindOIDC)
		d.issuer.Misbehave(apptest.Faults{UserInfo: map[string]any{"email": "grace@uni.example", "sub": "grace"}})
		if token := d.mustSignIn(t, apptest.Somebody(ada, "", "")); token.Email != ada {
			t.Errorf("the address is %s", token.Email)
		}
	})
	t.Run("an email_verified in the ID token cannot be overruled, or lent to another address", func(t *testing.T) {
		d := open(t, signin.KindOIDC)
		for _, c := range []struct {
			idToken, userInfo any
			verified          signin.Verified
		}{
			{false, true, signin.VerifiedNot},
			{"true", true, signin.VerifiedNot},
			{true, false, signin.VerifiedNot},
			{true, apptest.Omit, signin.VerifiedAbsent},
			{true, true, signin.VerifiedTrue},
		} {
			f := elsewhere(map[string]any{"email_verified": c.userInfo})
			f.Claims = map[string]any{"email_verified": c.idToken}
			d.issuer.Misbehave(f)
			if token := d.mustSignIn(t, apptest.Somebody(ada, "", "")); token.EmailVerified != c.verified {
				t.Errorf("ID token %v, userinfo %v: %s", c.idToken, c.userInfo, token.EmailVerified)
			}
		}
	})
	t.Run("an address of null in the ID token is an answer", func(t *testing.T) {
		d := open(t, signin.KindOIDC)
		d.issuer.Misbehave(apptest.Faults{Claims: map[string]any{"email": nil}})
		mustDecide(t, d.arrive(t, apptest.Somebody(ada, "", "")), signin.Refuse, signin.ReasonAddressMissing)
		if d.issuer.Requests("userinfo") != 0 {
			t.Error("userinfo was asked")
		}
	})
}

func TestA46ABrokenUserinfoIsACleanErrorAndTheNextSignInWorks(t *testing.T) {
	for name, failure := range map[string]apptest.Failure{
		"500": {Status: 500}, "404": {Status: 404}, "HTML": {HTML: true}, "2 MB": {Size: 2 << 20}, "a redirect": {Redirect: "/jwks"},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, signin.KindOIDC)
			d.issuer.SignInAs(apptest.Somebody(ada, "", ""))
			d.issuer.Misbehave(apptest.Faults{EmailElsewhere: true, At: map[string]apptest.Failure{"userinfo": failure}})
			_, err := d.signIn(t)
			mustBeUnavailable(t, err)
			d.issuer.Misbehave(apptest.Faults{EmailElsewhere: true})
			if _, err := d.signIn(t); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestA46ASlowEndpointIsGivenUpAfterFiveSeconds(t *testing.T) {
	var all sync.WaitGroup // all at once, because each takes its five seconds
	for _, endpoint := range []string{"userinfo", "token", "jwks"} {
		d := open(t, signin.KindOIDC)
		d.issuer.SignInAs(apptest.Somebody(ada, "", ""))
		a, code := d.begin(t)
		d.issuer.Misbehave(apptest.Faults{EmailElsewhere: true, At: map[string]apptest.Failure{endpoint: {Delay: 30 * time.Second}}})
		all.Go(func() {
			began := time.Now()
			_, err := d.exchange(code, a)
			if lms.TypeOf(err) != "provider-unavailable" || strings.Contains(err.Error(), "@") {
				t.Errorf("slow %s: %v", endpoint, err)
			}
			if took := time.Since(began); took < 4*time.Second || took > 20*time.Second {
				t.Errorf("slow %s: it took %s", endpoint, took)
			}
		})
	}
	all.Wait()
}

func TestABrokenTokenEndpointIsACleanError(t *testing.T) {
	var carried atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { carried.Add(1) }))
	defer elsewhere.Close()
	for name, failure := range map[string]apptest.Failure{
		"500": {Status: 500}, "HTML": {HTML: true}, "10 MB": {Size: 10 << 20}, "a redirect": {Redirect: elsewhere.URL}, "429": {Status: 429},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, signin.KindOIDC)
			d.issuer.SignInAs(apptest.Somebody(ada, "", ""))
			d.issuer.Misbehave(apptest.Faults{At: map[string]apptest.Failure{"token": failure}})
			_, err := d.signIn(t)
			mustBeUnavailable(t, err)
		})
	}
	if carried.Load() != 0 {
		t.Error("the code was carried to another address")
	}
	t.Run("our client is unknown there", func(t *testing.T) {
		d := open(t, signin.KindOIDC, func(_ *apptest.Issuer, p *signin.Provider) { p.ClientSecret = "wrong" })
		_, err := d.signIn(t)
		mustBeUnavailable(t, err)
		if n := d.issuer.Requests("token"); n != 1 {
			t.Errorf("the code was presented %d times", n)
		}
	})
	t.Run("the secret goes where the provider wants it", func(t *testing.T) {
		for _, methods := range [][]string{{"client_secret_post"}, {"client_secret_basic"}, {"private_key_jwt", "client_secret_post"}} {
			d := open(t, signin.KindOIDC)
			d.issuer.Misbehave(apptest.Faults{Discovery: map[string]any{"token_endpoint_auth_methods_supported": methods}})
			d.mustSignIn(t, apptest.Somebody(ada, "", ""))
		}
	})
}

func TestA47RotatedKeysAreFetchedOncePerInterval(t *testing.T) {
	d := open(t, signin.KindOIDC)
	d.mustSignIn(t, apptest.Somebody(ada, "", ""))
	d.mustSignIn(t, apptest.Somebody(ada, "", ""))
	if n := d.issuer.Requests("jwks"); n != 1 {
		t.Fatalf("%d fetches for two sign-ins", n)
	}
	d.clock.Advance(time.Minute)
	d.issuer.RotateKeys()
	d.mustSignIn(t, apptest.Somebody(ada, "", ""))
	d.mustSignIn(t, apptest.Somebody(ada, "", ""))
	if n := d.issuer.Requests("jwks"); n != 2 {
		t.Errorf("%d fetches after one rotation", n)
	}
}

func TestA47KeysThatDisappearedFromTheSetAreForgottenWithinAnHour(t *testing.T) {
	d := open(t, signin.KindOIDC)
	d.mustSignIn(t, apptest.Somebody(ada, "", ""))
	old := signedWithFirstKey(t, d)
	d.issuer.RotateKeys()
	if err := old(); err != nil {
		t.Fatalf("before the set was fetched again: %v", err)
	}
	d.clock.Advance(time.Hour + time.Second)
	old = signedWithFirstKey(t, d)
	mustRefuse(t, old())
}

// signedWithFirstKey answers a sign-in whose ID token is signed with the key
// that the issuer began with, whatever its set holds when it is called.
func signedWithFirstKey(t *testing.T, d *door) func() error {
	t.Helper()
	minter := apptest.NewIssuer(t).Named(d.issuer.URL)
	minter.SetClock(d.clock.Now)
	return func() error {
		a, code := d.begin(t)
		d.issuer.Misbehave(apptest.Faults{TokenAnswer: map[string]any{"id_token": minter.IDToken(apptest.Somebody(ada, "", ""), a.Nonce)}})
		defer d.issuer.Misbehave(apptest.Faults{})
		_, err := d.exchange(code, a)
		return err
	}
}

func TestA47OldKeysServeOnWhileTheKeySetIsBroken(t *testing.T) {
	for name, faults := range map[string]apptest.Faults{
		"down":         {At: map[string]apptest.Failure{"jwks": {Status: 503}}},
		"HTML":         {At: map[string]apptest.Failure{"jwks": {HTML: true}}},
		"10 MB":        {At: map[string]apptest.Failure{"jwks": {Size: 10 << 20}}},
		"no keys":      {At: map[string]apptest.Failure{"jwks": {Size: 1}}},
		"10,000 keys":  {ExtraKeys: 10_000},
		"not redirect": {At: map[string]apptest.Failure{"jwks": {Redirect: "/jwks?again"}}},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, signin.KindOIDC)
			d.mustSignIn(t, apptest.Somebody(ada, "", ""))
			d.issuer.Misbehave(faults)
			for range 3 {
				d.clock.Advance(2 * time.Hour) // past the age at which keys are asked for again
				d.mustSignIn(t, apptest.Somebody(ada, "", ""))
			}
			if n := d.issuer.Requests("jwks"); n != 4 {
				t.Errorf("%d fetches, want one at first and one after each two hours", n)
			}

			cold := open(t, signin.KindOIDC)
			cold.issuer.SignInAs(apptest.Somebody(ada, "", ""))
			cold.issuer.Misbehave(faults)
			_, err := cold.signIn(t)
			mustBeUnavailable(t, err)
			cold.issuer.Misbehave(apptest.Faults{})
			cold.clock.Advance(2 * time.Second)
			cold.mustSignIn(t, apptest.Somebody(ada, "", ""))
		})
	}
}

func TestA47AFloodOfUnknownKeysIsNotAmplified(t *testing.T) {
	d := open(t, signin.KindOIDC)
	d.mustSignIn(t, apptest.Somebody(ada, "", ""))
	flood := func() {
		d.issuer.Misbehave(apptest.Faults{Sign: apptest.SignUnknownKey})
		together(50, func() {
			for range 4 {
				a, code := d.begin(t)
				_, err := d.exchange(code, a)
				if lms.TypeOf(err) != "sign-in-failed" {
					t.Errorf("an unknown key: %v", err)
				}
			}
		})
		d.issuer.Misbehave(apptest.Faults{})
	}
	flood()
	if n := d.issuer.Requests("jwks"); n != 1 {
		t.Errorf("%d fetches within the interval after the first", n)
	}
	d.clock.Advance(11 * time.Second)
	flood()
	if n := d.issuer.Requests("jwks"); n != 2 {
		t.Errorf("%d fetches in two intervals", n)
	}
	d.mustSignIn(t, apptest.Somebody(ada, "", ""))
}

// together runs fn n times at once; fn must not call t.Fatal.
func together(n int, fn func()) {
	var all sync.WaitGroup
	for range n {
		all.Go(fn)
	}
	all.Wait()
}

func TestManyFirstSignInsShareOneDiscoveryAndOneKeySet(t *testing.T) {
	d := open(t, signin.KindOIDC)
	d.issuer.SignInAs(apptest.Somebody(ada, "", ""))
	d.issuer.Misbehave(apptest.Faults{At: map[string]apptest.Failure{"discovery": {Delay: 100 * time.Millisecond}, "jwks": {Delay: 100 * time.Millisecond}}})
	together(50, func() {
		if _, err := d.signIn(t); err != nil {
			t.Error(err)
		}
	})
	if a, b := d.issuer.Requests("discovery"), d.issuer.Requests("jwks"); a != 1 || b != 1 {
		t.Errorf("%d discoveries and %d key sets", a, b)
	}
}

func TestAProviderThatIsDownIsAskedSeldomAndComesBack(t *testing.T) {
	d := open(t, signin.KindOIDC)
	d.issuer.SignInAs(apptest.Somebody(ada, "", ""))
	d.issuer.Misbehave(apptest.Faults{At: map[string]apptest.Failure{"discovery": {Status: 503}}})
	fail := func() {
		t.Helper()
		_, err := d.rp.AuthURL(context.Background(), "uni", signin.NewAttempt())
		mustBeUnavailable(t, err)
	}
	for range 20 {
		fail()
	}
	if n := d.issuer.Requests("discovery"); n != 1 {
		t.Errorf("%d requests in the first second", n)
	}
	for range 60 { // two minutes of somebody trying every two seconds
		d.clock.Advance(2 * time.Second)
		fail()
	}
	if n := d.issuer.Requests("discovery"); n < 5 || n > 10 {
		t.Errorf("%d requests in two minutes, want the pauses to grow to half a minute", n)
	}
	d.issuer.Misbehave(apptest.Faults{})
	d.clock.Advance(30 * time.Second)
	d.mustSignIn(t, apptest.Somebody(ada, "", ""))

	// Once known, it may be down without stopping anybody.
	d.issuer.Misbehave(apptest.Faults{At: map[string]apptest.Failure{"discovery": {Status: 503}, "jwks": {Status: 503}}})
	d.clock.Advance(3 * time.Hour)
	d.mustSignIn(t, apptest.Somebody(ada, "", ""))
}

func TestAnImpatientBrowserDoesNotSpoilTheFetchForOthers(t *testing.T) {
	d := open(t, signin.KindOIDC)
	d.issuer.Misbehave(apptest.Faults{At: map[string]apptest.Failure{"discovery": {Delay: 200 * time.Millisecond}}})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := d.rp.AuthURL(ctx, "uni", signin.NewAttempt())
	mustBeUnavailable(t, err)
	if _, err := d.rp.AuthURL(context.Background(), "uni", signin.NewAttempt()); err != nil {
		t.Fatal(err)
	}
	if n := d.issuer.Requests("discovery"); n != 1 {
		t.Errorf("%d discoveries", n)
	}
}

func TestADeadProviderDoesNotStopTheStart(t *testing.T) {
	d := open(t, signin.KindOIDC)
	d.issuer.Shut()
	_, err := d.rp.AuthURL(context.Background(), "uni", signin.NewAttempt())
	mustBeUnavailable(t, err)
	if err := d.rp.Check(context.Background(), "uni"); err == nil {
		t.Error("the check found nothing")
	}
}

func TestCheckTellsTheOperatorWhatIsWrong(t *testing.T) {
	d := open(t, signin.KindOIDC)
	if err := d.rp.Check(context.Background(), "uni"); err != nil {
		t.Fatalf("a good provider: %v", err)
	}
	if err := d.rp.Check(context.Background(), "nobody"); lms.CodeOf(err) != lms.CodeNotFound {
		t.Errorf("an unknown provider: %v", err)
	}
	for want, faults := range map[string]apptest.Faults{
		"status 404":                        {At: map[string]apptest.Failure{"discovery": {Status: 404}}},
		"not one JSON object":               {At: map[string]apptest.Failure{"discovery": {HTML: true}}},
		"larger than a megabyte":            {At: map[string]apptest.Failure{"discovery": {Size: 2 << 20}}},
		"https://other.example":             {Discovery: map[string]any{"issuer": "https://other.example"}},
		"the issuer":                        {Discovery: map[string]any{"issuer": d.issuer.URL + "/"}},
		"token_endpoint is not":             {Discovery: map[string]any{"token_endpoint": "http://169.254.169.254/latest"}},
		"userinfo_endpoint is not":          {Discovery: map[string]any{"userinfo_endpoint": "file:///etc/passwd"}},
		"jwks_uri is not":                   {Discovery: map[string]any{"jwks_uri": apptest.Omit}},
		"authorization_endpoint is not":     {Discovery: map[string]any{"authorization_endpoint": "javascript:alert(1)"}},
		"signs with none of":                {Discovery: map[string]any{"id_token_signing_alg_values_supported": []string{"none", "HS256"}}},
		"keys: get " + d.issuer.URL:         {At: map[string]apptest.Failure{"jwks": {Status: 500}}},
		"keys: the key set holds no key":    {At: map[string]apptest.Failure{"jwks": {Size: 1}}},
		"keys: the key set holds 1001 keys": {ExtraKeys: 1000},
	} {
		d.issuer.Misbehave(faults)
		if err := d.rp.Check(context.Background(), "uni"); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "provider uni: ") {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
