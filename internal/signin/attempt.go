package signin

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"log/slog"
)

// Attempt is the secret half of one sign-in that is under way. It belongs to
// one browser, is used once, and never appears in a log.
type Attempt struct {
	State    string // comes back with the browser: this callback answers that start (RFC 6749, section 10.12)
	Nonce    string // comes back in the ID token: the token was made for this attempt
	Verifier string // shown to the token endpoint: whoever redeems the code began the attempt (RFC 7636)

	// Anew asks the provider not to take the account that it remembers (OpenID
	// Connect Core 1.0, section 3.1.2.1, prompt).
	Anew bool
}

// NewAttempt makes an attempt of 256 random bits in each part.
func NewAttempt() Attempt {
	return Attempt{State: randomText(), Nonce: randomText(), Verifier: randomText()}
}

func randomText() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails, see its documentation
	return base64.RawURLEncoding.EncodeToString(b)
}

// Answers tells whether a callback with this state belongs to the attempt.
func (a Attempt) Answers(state string) bool {
	return a.State != "" && subtle.ConstantTimeCompare([]byte(a.State), []byte(state)) == 1
}

func (a Attempt) complete() bool { return a.State != "" && a.Nonce != "" && a.Verifier != "" }

// String hides the secrets.
func (a Attempt) String() string { return "sign-in attempt" }

// LogValue keeps the secrets out of the log.
func (a Attempt) LogValue() slog.Value { return slog.StringValue(a.String()) }
