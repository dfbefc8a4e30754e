package signin

import (
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"matricula/internal/lms"
)

// Kind is the family of a provider. It matters only where a family departs
// from OpenID Connect, or says more than the standard does.
type Kind string

// The kinds of provider.
const (
	KindOIDC   Kind = "oidc"
	KindGoogle Kind = "google" // has hd, the Workspace domain that hosts the account
	KindEntra  Kind = "entra"  // has tid and xms_edov, and usually no email_verified
)

// GoogleIssuer is the issuer of Sign in with Google. Google may leave the
// scheme out of the iss claim; both spellings are this one issuer.
const GoogleIssuer = "https://accounts.google.com"

// Provider is one configured OpenID provider.
type Provider struct {
	Name         string // the {provider} in /auth/{provider}/start
	Label        string // what the sign-in button says
	Issuer       string // exactly as the provider spells it in its discovery document
	ClientID     string
	ClientSecret string   // empty for a public client
	Clients      []string // further client ids, of mobile and single-page programs, whose ID tokens may be exchanged
	Kind         Kind
	Domains      []string // canonical domains (lower case, A-labels) for which it is authoritative here
	TrustAll     bool     // DOMAINS=*: believed about every address that it calls verified
	Tenant       string   // the one Entra tenant whose people may sign in
}

// String names the provider without its secret.
func (p Provider) String() string { return p.Name + " (" + p.Issuer + ")" }

// LogValue keeps the client secret out of the log.
func (p Provider) LogValue() slog.Value { return slog.StringValue(p.String()) }

// lists tells whether the operator named the domain as this provider's own.
// Domains are compared whole: a subdomain is another domain.
func (p Provider) lists(domain string) bool {
	if p.TrustAll && p.Kind != KindGoogle {
		return true
	}
	return slices.Contains(p.Domains, domain)
}

// authoritative tells whether the provider itself hands out the addresses of
// the domain, so that its word is as good as a message sent to the address.
//
// Google verifies foreign addresses once, when an account is made, and never
// again: for those it is a witness, not an authority. It is one for its own
// mail domains, and for a Workspace domain when hd says that the account is
// hosted there (https://developers.google.com/identity/gsi/web/guides/verify-google-id-token).
func (p Provider) authoritative(domain string, token Token) bool {
	switch p.Kind {
	case KindGoogle:
		if domain == "gmail.com" || domain == "googlemail.com" {
			return true
		}
		return token.HostedDomain == domain && p.lists(domain)
	case KindOIDC, KindEntra:
		return p.lists(domain)
	default:
		return false
	}
}

// addressVerified tells whether the token calls its address verified. Entra's
// xms_edov stands in for an absent email_verified and for nothing else; where
// it contradicts email_verified, neither is believed.
func (p Provider) addressVerified(token Token) bool {
	if p.Kind != KindEntra {
		return token.EmailVerified == VerifiedTrue
	}
	switch token.DomainOwnerVerified {
	case VerifiedTrue:
		return token.EmailVerified == VerifiedTrue || token.EmailVerified == VerifiedAbsent
	case VerifiedAbsent:
		return token.EmailVerified == VerifiedTrue
	default:
		return false
	}
}

// entraHosts are the sign-in hosts of Microsoft's clouds.
var entraHosts = []string{"login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"}

// DetectKind tells the kind of a provider, and the tenant of an Entra one,
// from its issuer.
func DetectKind(issuer string) (kind Kind, tenant string) {
	if issuer == GoogleIssuer {
		return KindGoogle, ""
	}
	u, err := url.Parse(issuer)
	if err != nil || !slices.Contains(entraHosts, strings.ToLower(u.Hostname())) {
		return KindOIDC, ""
	}
	tenant, _, _ = strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	return KindEntra, tenant
}

// ProviderError is a fault in a provider's configuration. Field is the name
// of the setting as in the environment, such as ISSUER or CLIENT_ID.
type ProviderError struct {
	Provider string
	Field    string
	Reason   string
}

func (e *ProviderError) Error() string {
	return fmt.Sprintf("provider %s: %s %s", e.Provider, e.Field, e.Reason)
}

var (
	providerName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)
	entraTenant  = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
)

// ValidateProvider tells what is wrong with a provider's configuration, as a
// *ProviderError, before anybody tries to sign in with it.
func ValidateProvider(p Provider) error {
	wrong := func(field, format string, args ...any) error {
		return &ProviderError{Provider: p.Name, Field: field, Reason: fmt.Sprintf(format, args...)}
	}
	if !providerName.MatchString(p.Name) {
		return wrong("NAME", "must be 1 to 32 lower-case letters, digits, - or _, beginning with a letter")
	}
	if (p.Name == "google") != (p.Kind == KindGoogle) && !loopbackIssuer(p.Issuer) {
		return wrong("NAME", "google is reserved for Sign in with Google; set MATRICULA_GOOGLE_CLIENT_ID for it")
	}
	if reason := labelFault(p.Label); reason != "" {
		return wrong("LABEL", "%s", reason)
	}
	if p.ClientID == "" || strings.TrimSpace(p.ClientID) != p.ClientID {
		return wrong("CLIENT_ID", "must be set, without spaces around it")
	}
	if reason := clientsFault(p.Clients); reason != "" {
		return wrong("CLIENTS", "%s", reason)
	}
	if strings.TrimSpace(p.ClientSecret) != p.ClientSecret {
		return wrong("CLIENT_SECRET", "has spaces around it")
	}
	if p.Kind == KindGoogle && p.ClientSecret == "" {
		return wrong("CLIENT_SECRET", "must be set: Google needs it")
	}
	if reason := issuerFault(p); reason != "" {
		return wrong("ISSUER", "%s", reason)
	}
	if reason := domainsFault(p); reason != "" {
		return wrong("DOMAINS", "%s", reason)
	}
	return nil
}

// maxClientID is far above what providers give out, and what a session keeps.
const maxClientID = 255

func clientsFault(clients []string) string {
	for _, c := range clients {
		if c == "" || len(c) > maxClientID {
			return "must be client ids of 1 to 255 characters"
		}
		// What RFC 6749, appendix A.1, lets a client id be made of, without the blank.
		if strings.ContainsFunc(c, func(r rune) bool { return r <= 0x20 || r > 0x7e }) {
			return fmt.Sprintf("holds %q, which is no client id", lms.Clip(c, 80))
		}
	}
	return ""
}

func labelFault(label string) string {
	if label == "" || strings.TrimSpace(label) != label {
		return "must be set, without spaces around it"
	}
	if !utf8.ValidString(label) || utf8.RuneCountInString(label) > 60 || strings.ContainsFunc(label, unicode.IsControl) {
		return "must be at most 60 characters on one line"
	}
	return ""
}

func issuerFault(p Provider) string {
	u, err := url.Parse(p.Issuer)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return "must be an address such as https://id.uni.example"
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(p.Issuer, "#"):
		return "must have no user, query or fragment"
	case u.Scheme != "https" && !isLoopback(u):
		return "must begin with https:// (plain http is accepted on this machine's loopback only)"
	}
	kind, tenant := DetectKind(p.Issuer)
	switch {
	case kind != p.Kind && !loopbackIssuer(p.Issuer):
		return fmt.Sprintf("belongs to a provider of kind %s, not %s", kind, p.Kind)
	case p.Kind == KindEntra:
		if kind != KindEntra { // a stand-in on loopback, whose path says nothing
			tenant = p.Tenant
		}
		return tenantFault(tenant, p.Tenant)
	case p.Kind != KindGoogle && p.Kind != KindOIDC:
		return fmt.Sprintf("has the unknown kind %q", p.Kind)
	}
	return ""
}

func tenantFault(inIssuer, configured string) string {
	switch strings.ToLower(inIssuer) {
	case "common", "organizations", "consumers":
		// These issuers speak for every tenant in the world, and a token's
		// address means nothing without knowing whose administrator set it.
		return fmt.Sprintf("is Microsoft's shared %q endpoint, where anyone's tenant may sign in; use https://login.microsoftonline.com/TENANT-ID/v2.0 with your own tenant's id", inIssuer)
	}
	if !entraTenant.MatchString(inIssuer) {
		return "must hold the tenant's id, as in https://login.microsoftonline.com/TENANT-ID/v2.0 (lower-case hexadecimal, not the tenant's domain name)"
	}
	if configured != inIssuer {
		return "names another tenant than the one configured"
	}
	return ""
}

func domainsFault(p Provider) string {
	if p.TrustAll && p.Kind == KindGoogle {
		return "cannot be * for Google: it vouches for gmail.com, googlemail.com and the Workspace domains that are listed"
	}
	if p.TrustAll && len(p.Domains) > 0 {
		return "must be either * or a list, not both"
	}
	for _, d := range p.Domains {
		if strings.Contains(d, "*") {
			return fmt.Sprintf("holds %q: a domain cannot hold *; list each domain (subdomains are domains of their own)", d)
		}
		// The rules for a domain are those for the domain of an address.
		email, err := lms.ParseProviderEmail("someone@" + d)
		if err != nil || email.Domain() != d {
			return fmt.Sprintf("holds %q, which is not a domain in lower case (with xn-- for letters outside a to z)", d)
		}
	}
	return ""
}

func loopbackIssuer(issuer string) bool {
	u, err := url.Parse(issuer)
	return err == nil && isLoopback(u)
}

// isLoopback tells whether an http or https address is on this machine.
// RFC 6761 reserves the name localhost for it.
func isLoopback(u *url.URL) bool {
	if u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	host := u.Hostname()
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
