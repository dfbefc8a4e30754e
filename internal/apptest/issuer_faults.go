package apptest

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

// Faults are the ways in which an Issuer can be broken or hostile. The zero
// value is an issuer that keeps every rule.
type Faults struct {
	// Claims override those of the ID token, such as iss, aud, azp, nonce,
	// exp, iat and nbf; the value Omit leaves one out.
	Claims map[string]any
	// Payload, if set, replaces the ID token's claims by these bytes, for what
	// no map can hold, such as a name that occurs twice. It is given the claims.
	Payload func(claims map[string]any) []byte
	// Header adds to the ID token's header or overrides it, as Claims does.
	Header map[string]any
	// Sign is how the ID token is signed.
	Sign SignatureFault

	UserInfo       map[string]any // overrides the userinfo answer, as Claims does
	Discovery      map[string]any // overrides the discovery document
	TokenAnswer    map[string]any // overrides the token endpoint's answer
	EmailElsewhere bool           // email and email_verified are in userinfo only
	CodesWorkTwice bool
	ExtraKeys      int // more keys in the key set

	// At makes whole endpoints fail, by the names that Requests counts.
	At map[string]Failure
}

// SignatureFault is a way to sign an ID token wrongly.
type SignatureFault string

// The wrong signatures.
const (
	SignRightly       SignatureFault = ""
	SignNone          SignatureFault = "none"                  // alg none, empty signature
	SignWithPublicKey SignatureFault = "HS256 with public key" // the key set's public key as HMAC secret
	SignWithOtherKey  SignatureFault = "another key"           // RS256 with a key of somebody else, under our key id
	SignUnknownKey    SignatureFault = "unknown key id"        // as before, under an id that is in no set
)

// Failure is an endpoint that does not answer as it should.
type Failure struct {
	Status   int           // answered instead of 200, with an HTML page
	HTML     bool          // 200 with an HTML page
	Size     int           // 200 with a JSON object of so many bytes
	Redirect string        // 307 to there
	Delay    time.Duration // before everything else
}

// interfere answers in the place of the endpoint when it is to fail.
func (f Faults) interfere(w http.ResponseWriter, r *http.Request, endpoint string) bool {
	failure, broken := f.At[endpoint]
	if !broken {
		return false
	}
	r.ParseForm() // a server notices that the client has gone only once it has read the body
	select {
	case <-time.After(failure.Delay):
	case <-r.Context().Done():
		return true
	}
	switch {
	case failure.Redirect != "":
		http.Redirect(w, r, failure.Redirect, http.StatusTemporaryRedirect)
	case failure.Status != 0 || failure.HTML:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(max(failure.Status, http.StatusOK))
		w.Write([]byte("<!doctype html><title>Sorry</title><p>Something went wrong."))
	case failure.Size > 0:
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(`{"keys":[],"padding":"`))
		w.Write(bytes.Repeat([]byte("x"), failure.Size))
		w.Write([]byte(`"}`))
	default:
		return false // only slow
	}
	return true
}

// wantsBasic tells whether the client has to authenticate with a header, when
// it may choose and did as said.
func (f Faults) wantsBasic(did bool) bool {
	methods, limited := f.Discovery["token_endpoint_auth_methods_supported"].([]string)
	if !limited || slices.Contains(methods, "client_secret_basic") && slices.Contains(methods, "client_secret_post") {
		return did
	}
	return slices.Contains(methods, "client_secret_basic")
}

// claims are what the issuer says about the person, wherever it is asked.
func (p Person) claims() map[string]any {
	c := map[string]any{"sub": p.subject()}
	for name, value := range map[string]string{
		"email": p.Email, "given_name": p.GivenName, "family_name": p.FamilyName,
	} {
		if value != "" {
			c[name] = value
		}
	}
	if p.GivenName != "" && p.FamilyName != "" {
		c["name"] = p.GivenName + " " + p.FamilyName
	}
	if p.EmailVerified != nil {
		c["email_verified"] = p.EmailVerified
	}
	return override(c, p.Claims)
}

func override(claims, by map[string]any) map[string]any {
	out := maps.Clone(claims)
	for name, value := range by {
		if out[name] = value; value == Omit {
			delete(out, name)
		}
	}
	return out
}

func payload(claims, by map[string]any) []byte {
	b, err := json.Marshal(override(claims, by))
	if err != nil {
		panic("apptest: claims: " + err.Error())
	}
	return b
}

// sign makes the ID token of a grant, with the faults that are set. It is
// called with the lock held.
func (i *Issuer) sign(g grant, accessToken string) string {
	f, now := i.faults, i.now()
	claims := g.person.claims()
	if f.EmailElsewhere {
		delete(claims, "email")
		delete(claims, "email_verified")
	}
	standard := map[string]any{
		"iss": i.URL, "aud": g.clientID, "nonce": g.nonce,
		"iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(),
	}
	if accessToken != "" {
		half := sha256.Sum256([]byte(accessToken))
		standard["at_hash"] = base64.RawURLEncoding.EncodeToString(half[:16])
	}
	for name, value := range standard {
		if _, set := claims[name]; !set {
			claims[name] = value
		}
	}
	claims = override(claims, f.Claims)
	body := payload(claims, nil)
	if f.Payload != nil {
		body = f.Payload(claims)
	}
	return i.keys[0].token(f.Sign, f.Header, body)
}

// signer is a key of an issuer.
type signer struct {
	id  string
	key *rsa.PrivateKey
}

// Making an RSA key takes a noticeable part of a second: tests share one, and
// one that belongs to nobody.
var (
	sharedKey  = sync.OnceValue(newRSAKey)
	foreignKey = sync.OnceValue(newRSAKey)
)

func newRSAKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic("apptest: making a key: " + err.Error())
	}
	return key
}

func firstSigner() *signer           { return &signer{id: "first", key: sharedKey()} }
func newSigner(keyID string) *signer { return &signer{id: keyID, key: newRSAKey()} }

func (s *signer) public() jose.JSONWebKey {
	return jose.JSONWebKey{Key: s.key.Public(), KeyID: s.id, Algorithm: "RS256", Use: "sig"}
}

// token signs by hand what a well-behaved library would refuse to sign.
func (s *signer) token(fault SignatureFault, headerFaults map[string]any, body []byte) string {
	header := map[string]any{"typ": "JWT", "alg": "RS256", "kid": s.id}
	key := s.key
	switch fault {
	case SignNone:
		header["alg"] = "none"
	case SignWithPublicKey:
		header["alg"] = "HS256"
	case SignWithOtherKey:
		key = foreignKey()
	case SignUnknownKey:
		key = foreignKey()
		header["kid"] = "unknown-" + randomText()
	}
	encode := base64.RawURLEncoding.EncodeToString
	input := encode(payload(header, headerFaults)) + "." + encode(body)
	return input + "." + encode(signature(fault, key, []byte(input)))
}

func signature(fault SignatureFault, key *rsa.PrivateKey, input []byte) []byte {
	switch fault {
	case SignNone:
		return nil
	case SignWithPublicKey:
		der, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			panic("apptest: public key: " + err.Error())
		}
		mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
		mac.Write(input)
		return mac.Sum(nil)
	}
	digest := sha256.Sum256(input)
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		panic("apptest: signing: " + err.Error())
	}
	return sig
}

// ForeignKey is the public half of the key with which SignWithOtherKey and
// SignUnknownKey sign, for a key set that a token may try to point at.
func ForeignKey(keyID string) jose.JSONWebKey {
	return jose.JSONWebKey{Key: foreignKey().Public(), KeyID: keyID, Algorithm: "RS256", Use: "sig"}
}

func randomText() string {
	b := make([]byte, 18)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}
