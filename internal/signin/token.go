package signin

import (
	"log/slog"
	"strings"

	"matricula/internal/lms"
)

// Verified is what a provider says about an address in a claim that should be
// a boolean. Only the JSON value true counts: "true", 1, null and whatever
// else arrives are VerifiedNot.
type Verified uint8

// The three things that such a claim can say.
const (
	VerifiedAbsent Verified = iota
	VerifiedTrue
	VerifiedNot
)

func (v Verified) String() string {
	return [...]string{"absent", "true", "other"}[v]
}

// Token is what a provider said about the person who just signed in there,
// after every check of the protocol. Text is as it was sent: an address or a
// name has still to be parsed before it is kept.
type Token struct {
	Issuer  string // the configured issuer; for Google always GoogleIssuer
	Subject string // 1 to 255 printable ASCII characters, compared byte for byte

	Email               string   // "" when there is none, or when it is no string
	EmailVerified       Verified // email_verified
	DomainOwnerVerified Verified // xms_edov: Entra checked that the tenant owns the address's domain
	HostedDomain        string   // hd: the Google Workspace domain that hosts the account
	Tenant              string   // tid: the Entra tenant
	ObjectID            string   // oid: what an Entra tenant calls the person in all applications; only of Entra, else empty

	GivenName, FamilyName, Name string
}

// String names the token without anything personal.
func (t Token) String() string { return "token of " + t.Issuer }

// LogValue keeps the person out of the log.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// Address is the token's address in canonical form. A provider has to send a
// clean one: nothing is trimmed. Look the address up with it before Decide.
func (t Token) Address() (lms.Email, error) { return lms.ParseProviderEmail(t.Email) }

// validSubject follows OpenID Connect Core 1.0, section 2: never more than
// 255 ASCII characters. Control characters and blanks at an end would only
// serve to make two subjects look like one.
func validSubject(sub string) bool {
	if sub == "" || len(sub) > 255 || strings.TrimSpace(sub) != sub {
		return false
	}
	for i := range len(sub) {
		if sub[i] < 0x20 || sub[i] > 0x7e {
			return false
		}
	}
	return true
}

// newToken reads a verified ID token and, when that held no address, the
// userinfo answer. The ID token wins wherever both speak: an address from
// userinfo is not verified when the ID token says that it is not.
func newToken(p Provider, id, info claims) Token {
	t := Token{
		Issuer: p.Issuer, Subject: id.text("sub"), Tenant: id.text("tid"),
		Email:               id.text("email"),
		EmailVerified:       id.verified("email_verified"),
		DomainOwnerVerified: id.verified("xms_edov"),
	}
	if p.Kind == KindEntra {
		t.ObjectID = id.text("oid")
	}
	if !id.has("email") && info != nil {
		t.Email = info.text("email")
		t.EmailVerified = agreed(t.EmailVerified, info.verified("email_verified"))
		t.DomainOwnerVerified = agreed(t.DomainOwnerVerified, info.verified("xms_edov"))
	}
	either := func(name string) string {
		if id.has(name) {
			return id.text(name)
		}
		return info.text(name)
	}
	t.HostedDomain = either("hd")
	t.GivenName, t.FamilyName, t.Name = either("given_name"), either("family_name"), either("name")
	return t
}

// agreed joins what the ID token and the userinfo answer say about an address
// that only the second one holds: the first can deny, but not affirm.
func agreed(idToken, userInfo Verified) Verified {
	if idToken == VerifiedNot {
		return VerifiedNot
	}
	return userInfo
}
