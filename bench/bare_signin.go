package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"matricula/internal/lms"
)

// bareRelyingParty redeems codes by hand: one request to the token endpoint,
// the signature of the ID token under a key that was fetched once, and its
// issuer, audience, end and nonce.
type bareRelyingParty struct {
	issuer, clientID, clientSecret, redirect string
	client                                   *http.Client
	keys                                     jose.JSONWebKeySet
}

func newBareRelyingParty(ctx context.Context, issuer, clientID, clientSecret, redirect string) (*bareRelyingParty, error) {
	rp := &bareRelyingParty{
		issuer: issuer, clientID: clientID, clientSecret: clientSecret, redirect: redirect,
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, issuer+"/jwks", nil)
	if err != nil {
		return nil, err
	}
	body, err := rp.do(req)
	if err != nil {
		return nil, err
	}
	return rp, json.Unmarshal(body, &rp.keys)
}

func (rp *bareRelyingParty) do(req *http.Request) ([]byte, error) {
	resp, err := rp.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: status %d", req.URL.Path, resp.StatusCode)
	}
	return body, err
}

// bareClaims are what the bare handler reads of an ID token.
type bareClaims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	Expires  int64  `json:"exp"`
	Nonce    string `json:"nonce"`
	Email    string `json:"email"`
	Given    string `json:"given_name"`
	Family   string `json:"family_name"`
	Name     string `json:"name"`
}

func (rp *bareRelyingParty) exchange(ctx context.Context, code, verifier, nonce string, now time.Time) (bareClaims, error) {
	var c bareClaims
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {rp.redirect}, "code_verifier": {verifier},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, rp.issuer+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		return c, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(rp.clientID), url.QueryEscape(rp.clientSecret))
	body, err := rp.do(req)
	if err != nil {
		return c, err
	}
	var tokens struct {
		IDToken string `json:"id_token"`
	}
	if err := json.Unmarshal(body, &tokens); err != nil {
		return c, err
	}
	signed, err := jose.ParseSignedCompact(tokens.IDToken, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return c, err
	}
	payload, err := signed.Verify(rp.keys)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(payload, &c); err != nil {
		return c, err
	}
	if c.Issuer != rp.issuer || c.Audience != rp.clientID || now.Unix() >= c.Expires || c.Nonce != nonce {
		return c, errors.New("the ID token is not for this sign-in")
	}
	return c, nil
}

const bareCookie = "bare-start"

func randomText() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails, see its documentation
	return base64.RawURLEncoding.EncodeToString(b)
}

func digest(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}

// start sends the browser to the provider. It is not measured.
func (b *bare) start(w http.ResponseWriter, r *http.Request) error {
	state, browser, nonce, verifier := randomText(), randomText(), randomText(), randomText()
	err := b.db.write(r.Context(), func(q queryer) error {
		return q.exec(r.Context(), bareAddAttempt[b.db.engine()], digest(state), digest(browser), r.PathValue("provider"), nonce, verifier, "/",
			b.now().UTC().Add(15*time.Minute))
	})
	if err != nil {
		return err
	}
	challenge := base64.RawURLEncoding.EncodeToString(digest(verifier))
	target := b.rp.issuer + "/authorize?" + url.Values{
		"client_id": {b.rp.clientID}, "redirect_uri": {b.rp.redirect}, "response_type": {"code"}, "scope": {"openid email profile"},
		"state": {state}, "nonce": {nonce}, "code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}.Encode()
	http.SetCookie(w, &http.Cookie{Name: bareCookie, Value: browser, Path: "/", HttpOnly: true})
	http.Redirect(w, r, target, http.StatusFound)
	return nil
}

func (b *bare) callback(w http.ResponseWriter, r *http.Request) error {
	cookie, err := r.Cookie(bareCookie)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	var browser []byte
	var nonce, verifier, next string
	var expires time.Time
	err = b.db.write(r.Context(), func(q queryer) error {
		ok, err := one(r.Context(), q, bareTakeAttempt[b.db.engine()], []any{digest(query.Get("state"))}, &browser, &nonce, &verifier, &next, &expires)
		if err == nil && !ok {
			err = errors.New("there is no such attempt")
		}
		return err
	})
	if err != nil {
		return err
	}
	now := b.now().UTC()
	if subtle.ConstantTimeCompare(browser, digest(cookie.Value)) != 1 || now.After(expires) {
		return errors.New("the attempt is of another browser, or old")
	}
	claims, err := b.rp.exchange(r.Context(), query.Get("code"), verifier, nonce, now)
	if err != nil {
		return err
	}
	session, err := b.claim(r.Context(), claims, r.UserAgent())
	if err != nil {
		return err
	}
	http.SetCookie(w, &http.Cookie{Name: "bare", Value: session, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

// claim is the first sign-in in the database.
func (b *bare) claim(ctx context.Context, c bareClaims, userAgent string) (session string, err error) {
	session = randomText()
	err = b.db.write(ctx, func(q queryer) error {
		e, now := b.db.engine(), b.now().UTC()
		var id int64
		var status string
		if found, err := one(ctx, q, bareFindIdentity[e], []any{c.Issuer, c.Subject}, &id); err != nil || found {
			return errors.Join(err, errors.New("the identity was to be unknown"))
		}
		if found, err := one(ctx, q, bareFindPending[e], []any{c.Email}, &id, &status); err != nil || !found || status != "pending" {
			return errors.Join(err, fmt.Errorf("the person is %q, not pending", status))
		}
		key := lms.SearchKey(lms.Email(c.Email), c.Given, c.Family, c.Name)
		sort := lms.SortKey(lms.Email(c.Email), c.Given, c.Family, c.Name)
		if won, err := one(ctx, q, bareClaim[e], []any{id, now, c.Given, c.Family, c.Name, key, sort}, &id); err != nil || !won {
			return errors.Join(err, errors.New("somebody else was quicker"))
		}
		if err := q.exec(ctx, bareVerifyAddress[e], c.Email, now); err != nil {
			return err
		}
		if e == sqlite {
			if err := q.exec(ctx, bareUnindex[e], id); err != nil {
				return err
			}
			if err := q.exec(ctx, bareIndex[e], id, key); err != nil {
				return err
			}
		}
		if err := q.exec(ctx, bareAddIdentity[e], c.Issuer, c.Subject, id, c.Email, now); err != nil {
			return err
		}
		return q.exec(ctx, bareAddSession[e], digest(session), id, now, now.Add(7*24*time.Hour), userAgent)
	})
	return session, err
}
