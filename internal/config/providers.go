package config

import (
	"errors"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"matricula/internal/signin"
)

// The settings of one provider, each the end of a variable's name.
const (
	fieldIssuer       = "ISSUER"
	fieldClientID     = "CLIENT_ID"
	fieldClientSecret = "CLIENT_SECRET"
	fieldDomains      = "DOMAINS"
	fieldLabel        = "LABEL"
	fieldTenant       = "TENANT"
	fieldClients      = "CLIENTS"

	googlePrefix = prefix + "GOOGLE_"
	oidcPrefix   = prefix + "OIDC_"
)

var (
	googleFields = []string{fieldClientID, fieldClientSecret, fieldDomains, fieldClients}
	oidcFields   = []string{fieldIssuer, fieldClientID, fieldClientSecret, fieldDomains, fieldLabel, fieldTenant, fieldClients}
	oidcName     = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,31}$`)
)

// cutOIDC takes the name and the setting of a further provider out of a
// variable's name. The name may hold underscores, and no setting ends as
// another does, so that there is one way to read it.
func cutOIDC(variable string) (name, field string, ok bool) {
	rest, ok := strings.CutPrefix(variable, oidcPrefix)
	if !ok {
		return "", "", false
	}
	for _, field := range oidcFields {
		if name, ok := strings.CutSuffix(rest, "_"+field); ok {
			return name, field, oidcName.MatchString(name)
		}
	}
	return "", "", false
}

// providers reads Google first and then the others by name, which is the order
// of the buttons on the sign-in page.
func (v variables) providers(c *Config) error {
	if slices.ContainsFunc(googleFields, func(f string) bool { return v[googlePrefix+f] != "" }) {
		p, err := v.provider("google", googlePrefix, fieldClientID, fieldClientSecret)
		if err != nil {
			return err
		}
		c.Providers = append(c.Providers, p)
	}
	names := map[string]bool{}
	for variable := range v {
		if name, _, ok := cutOIDC(variable); ok {
			names[name] = true
		}
	}
	issuers := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		begin := oidcPrefix + name + "_"
		p, err := v.provider(strings.ToLower(name), begin, fieldIssuer, fieldClientID)
		if err != nil {
			return err
		}
		if p.Name == "google" && len(c.Providers) > 0 && c.Providers[0].Name == "google" {
			return wrong(begin+fieldIssuer, "is for a second provider called google: choose another name than GOOGLE")
		}
		if other, twice := issuers[p.Issuer]; twice {
			return wrong(begin+fieldIssuer, "is the same as %s: an issuer can be configured once", other)
		}
		issuers[p.Issuer] = begin + fieldIssuer
		c.Providers = append(c.Providers, p)
	}
	return nil
}

// provider reads the provider whose variables begin with begin.
func (v variables) provider(name, begin string, required ...string) (signin.Provider, error) {
	for _, field := range required {
		if v[begin+field] == "" {
			return signin.Provider{}, wrong(begin+field, "must be set, because other %s… variables are", begin)
		}
	}
	p := signin.Provider{
		Name: name, Label: v.or(begin+fieldLabel, label(name)), Issuer: v[begin+fieldIssuer],
		ClientID: v[begin+fieldClientID], ClientSecret: v[begin+fieldClientSecret],
		Clients: v.list(begin + fieldClients),
	}
	var err error
	if v[begin+fieldDomains] == "*" {
		p.TrustAll = true
	} else if p.Domains, err = v.domains(begin + fieldDomains); err != nil {
		return p, err
	}
	if begin == googlePrefix {
		p.Label, p.Issuer, p.Kind = "Google", signin.GoogleIssuer, signin.KindGoogle
	} else if err := v.kind(&p, begin); err != nil {
		return p, err
	}
	var fault *signin.ProviderError
	switch err := signin.ValidateProvider(p); {
	case err == nil:
		return p, nil
	case !errors.As(err, &fault):
		return p, err
	case fault.Field == "NAME":
		return p, wrong(begin+fieldIssuer, "has a NAME that cannot be used: %s", fault.Reason)
	default:
		return p, wrong(begin+fault.Field, "%s", fault.Reason)
	}
}

// kind tells the kind of a further provider from its issuer. An issuer on
// loopback can stand in for Entra when a tenant is given.
func (v variables) kind(p *signin.Provider, begin string) error {
	var tenant string
	p.Kind, tenant = signin.DetectKind(p.Issuer)
	p.Tenant = v.or(begin+fieldTenant, tenant)
	switch {
	case p.Kind == signin.KindGoogle:
		return wrong(begin+fieldIssuer, "is Google's, which is configured by %s and %s", googlePrefix+fieldClientID, googlePrefix+fieldClientSecret)
	case p.Kind == signin.KindOIDC && p.Tenant != "":
		if u, err := url.Parse(p.Issuer); err != nil || !isLoopback(u.Hostname()) {
			return wrong(begin+fieldTenant, "is for Microsoft Entra only, and %s is another provider's", begin+fieldIssuer)
		}
		p.Kind = signin.KindEntra
	case p.Kind == signin.KindEntra && tenant != p.Tenant:
		return wrong(begin+fieldTenant, "is not the tenant that %s holds", begin+fieldIssuer)
	}
	return nil
}

// label is what the sign-in button says when the operator says nothing.
func label(name string) string {
	words := strings.ReplaceAll(name, "_", " ")
	return strings.ToUpper(words[:1]) + words[1:]
}
