// Package config turns the environment into one checked struct. It is the only
// place that reads MATRICULA_* variables, so that an unknown one or a bad value
// stops the start. It opens nothing and connects to nothing. What it holds is
// secret in parts: neither its errors nor its String show a password, a client
// secret or an address.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // so that a machine without zone files knows every zone

	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
)

// prefix begins every variable that is meant for Matricula.
const prefix = "MATRICULA_"

// The variables, without those of the OpenID providers.
const (
	varAddr           = prefix + "ADDR"
	varURL            = prefix + "URL"
	varDatabase       = prefix + "DATABASE"
	varAdmins         = prefix + "ADMINS"
	varSignUp         = prefix + "SIGNUP"
	varDirectory      = prefix + "DIRECTORY"
	varNamingDomains  = prefix + "NAMING_DOMAINS"
	varSMTP           = prefix + "SMTP"
	varMailFrom       = prefix + "MAIL_FROM"
	varTrustedProxies = prefix + "TRUSTED_PROXIES"
	varPendingDays    = prefix + "PENDING_DAYS"
	varTimeZone       = prefix + "TIME_ZONE"
	varSourcesFolder  = prefix + "SOURCES_FOLDER"
	varSourcesHosts   = prefix + "SOURCES_HOSTS"
	varWebhooksHosts  = prefix + "WEBHOOKS_HOSTS"
	varCORSOrigins    = prefix + "CORS_ORIGINS"
	varToken          = prefix + "TOKEN" // of the commands that ask a running server
)

// Config is everything that the operator decides.
type Config struct {
	Addr           string // host:port to listen on
	URL            string // the address that people type, without a slash at the end
	Database       Database
	Admins         []lms.Email
	SignUp         signin.SignUp
	Directory      service.Directory
	NamingDomains  []string // canonical
	Providers      []signin.Provider
	Mail           *Mail // nil: no mail is sent
	TrustedProxies []netip.Prefix
	PendingDays    int      // days after which a person who was named and never came expires
	TimeZone       string   // in which pages show times: a name of the IANA database
	SourcesFolder  string   // below which roster sources may read folders; empty: none
	SourcesHosts   []string // from which roster sources may fetch
	WebhooksHosts  []string // that webhooks may call although they have no public address
	CORSOrigins    []string // whose scripts may call the API, as browsers write them
}

// String names what is safe to show.
func (c Config) String() string {
	return c.URL + ", listening on " + c.Addr + ", " + c.Database.String()
}

// GoString keeps secrets out of %#v.
func (c Config) GoString() string { return "config.Config(" + c.String() + ")" }

// LogValue keeps secrets out of the log.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// Error is a variable that cannot be used. Its text names the variable and
// says what to do, and holds no value that may be secret.
type Error struct {
	Variable string
	Reason   string
}

func (e *Error) Error() string { return e.Variable + " " + e.Reason }

func wrong(variable, format string, args ...any) error {
	return &Error{Variable: variable, Reason: fmt.Sprintf(format, args...)}
}

// variables are those of the environment that are meant for Matricula and not
// empty: a variable that is set to nothing is as good as unset.
type variables map[string]string

// Load reads the environment, given as "NAME=value" as by os.Environ. The
// error is the first *Error in a fixed order.
func Load(environ []string) (Config, error) {
	vars, err := known(environ)
	if err != nil {
		return Config{}, err
	}
	var c Config
	for _, read := range []func(*Config) error{
		vars.addr, vars.url, vars.database, vars.admins, vars.policies, vars.namingDomains, vars.providers, vars.mail,
		vars.trustedProxies, vars.pendingDays, vars.timeZone, vars.sources, vars.corsOrigins,
	} {
		if err := read(&c); err != nil {
			return Config{}, err
		}
	}
	return c, nil
}

// known are the variables, none of which is unknown.
func known(environ []string) (variables, error) {
	vars := variables{}
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		if _, twice := vars[name]; strings.HasPrefix(name, prefix) && strings.TrimSpace(value) != "" && !twice {
			vars[name] = strings.TrimSpace(value)
		}
	}
	return vars, vars.refuseUnknown()
}

// RequireProvider tells that nobody could sign in. It is no error for the
// commands that serve nobody.
func (c Config) RequireProvider() error {
	if len(c.Providers) > 0 {
		return nil
	}
	return errors.New("no sign-in provider is configured, so that nobody could sign in: set " +
		prefix + "GOOGLE_CLIENT_ID and " + prefix + "GOOGLE_CLIENT_SECRET, or " + prefix + "OIDC_<NAME>_ISSUER and " + prefix + "OIDC_<NAME>_CLIENT_ID")
}

func (v variables) or(name, fallback string) string {
	if s, ok := v[name]; ok {
		return s
	}
	return fallback
}

// list splits a comma list; empty parts, as after a comma at the end, do not
// count.
func (v variables) list(name string) []string {
	var list []string
	for part := range strings.SplitSeq(v[name], ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

func (v variables) addr(c *Config) error {
	c.Addr = v.or(varAddr, "127.0.0.1:8080")
	_, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return wrong(varAddr, "must be host:port, such as 127.0.0.1:8080, or :8080 for all of this machine's addresses")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return wrong(varAddr, "must end in a port from 1 to 65535, such as 127.0.0.1:8080")
	}
	return nil
}

func (v variables) url(c *Config) (err error) {
	c.URL, err = readURL(varURL, v.or(varURL, "http://localhost:8080"))
	return err
}

// readURL reads the address of a server; name is what it was given as.
func readURL(name, typed string) (string, error) {
	const example = "it should look like https://lms.uni.example"
	u, err := url.Parse(typed)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.Opaque != "":
		return "", wrong(name, "is not an http or https address: %s", example)
	case u.User != nil:
		return "", wrong(name, "must not hold a user or a password: %s", example)
	case (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", wrong(name, "must end after the host and port, because Matricula needs a host name of its own: %s", example)
	case strings.ContainsFunc(u.Hostname(), func(r rune) bool { return r > 0x7e }):
		return "", wrong(name, "has letters outside of a to z in its host name: write that in its xn-- form")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return "", wrong(name, "must begin with https://, because a sign-in or a token over plain http can be read on its way (http is accepted for localhost only)")
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.ParseUint(p, 10, 16); err != nil || n == 0 {
			return "", wrong(name, "has a port that is not from 1 to 65535: %s", example)
		}
	}
	// Browsers write an origin in lower case and without its usual port, and
	// forms are checked against what they write.
	host := strings.ToLower(u.Host)
	host = strings.TrimSuffix(host, map[string]string{"http": ":80", "https": ":443"}[u.Scheme])
	return u.Scheme + "://" + strings.TrimSuffix(host, ":"), nil
}

// isLoopback tells whether a host is this machine's own. RFC 6761 reserves the
// name localhost for it.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || (ip != nil && ip.IsLoopback())
}

func (v variables) admins(c *Config) error {
	for i, typed := range v.list(varAdmins) {
		address, err := lms.ParseEmail(typed)
		if err != nil {
			return wrong(varAdmins, "cannot be used because of address number %d: %s", i+1, addressFault(err))
		}
		if !slices.Contains(c.Admins, address) {
			c.Admins = append(c.Admins, address)
		}
	}
	return nil
}

// addressFault says what is wrong with an address without repeating it: what
// stops the start ends up in the system's log.
func addressFault(err error) string {
	var e *lms.Error
	if _, repeats := lms.SuggestedEmail(err); !repeats && errors.As(err, &e) {
		return e.Message
	}
	return "it must be plainly one address, such as name@uni.example"
}

func (v variables) policies(c *Config) error {
	var err error
	if c.SignUp, err = signin.ParseSignUp(v.or(varSignUp, string(signin.SignUpDomains))); err != nil {
		return wrong(varSignUp, "must be named, domains or anyone")
	}
	switch c.Directory = service.Directory(v.or(varDirectory, string(service.DirectoryStaff))); c.Directory {
	case service.DirectoryExact, service.DirectoryStaff, service.DirectoryEveryone:
		return nil
	}
	return wrong(varDirectory, "must be exact, staff or everyone")
}

func (v variables) namingDomains(c *Config) (err error) {
	c.NamingDomains, err = v.domains(varNamingDomains)
	return err
}

// domains reads a list of domains. The rules are those for the domain of an
// address, so that the two can be compared byte by byte.
func (v variables) domains(name string) ([]string, error) {
	var domains []string
	for _, typed := range v.list(name) {
		if strings.Contains(typed, "*") {
			return nil, wrong(name, "holds %q, but a domain cannot hold *: list each domain (subdomains are domains of their own)", lms.Clip(typed, 80))
		}
		email, err := lms.ParseEmail("x@" + typed)
		if err != nil {
			return nil, wrong(name, "holds %q, which is not a domain such as uni.example", lms.Clip(typed, 80))
		}
		if domain := email.Domain(); !slices.Contains(domains, domain) {
			domains = append(domains, domain)
		}
	}
	return domains, nil
}

func (v variables) trustedProxies(c *Config) error {
	for _, typed := range v.list(varTrustedProxies) {
		network, err := netip.ParsePrefix(typed)
		if err != nil {
			var single netip.Addr
			if single, err = netip.ParseAddr(typed); err == nil {
				network, err = single.Prefix(single.BitLen())
			}
		}
		if err != nil {
			return wrong(varTrustedProxies, "holds %q, which is not a network such as 10.0.0.0/8 or an address such as 127.0.0.1", lms.Clip(typed, 80))
		}
		c.TrustedProxies = append(c.TrustedProxies, network.Masked())
	}
	return nil
}

func (v variables) pendingDays(c *Config) (err error) {
	c.PendingDays, err = strconv.Atoi(v.or(varPendingDays, "180"))
	if err != nil || c.PendingDays < 1 || c.PendingDays > 3650 {
		return wrong(varPendingDays, "must be a number of days from 1 to 3650")
	}
	return nil
}

func (v variables) timeZone(c *Config) error {
	c.TimeZone = v.or(varTimeZone, "UTC")
	if _, err := time.LoadLocation(c.TimeZone); err != nil || c.TimeZone == "Local" {
		return wrong(varTimeZone, "must be the name of a time zone such as Europe/Rome")
	}
	return nil
}

// sources reads from where rosters may come by themselves.
func (v variables) sources(c *Config) (err error) {
	c.SourcesFolder = v.or(varSourcesFolder, "")
	if c.SourcesHosts, err = v.hosts(varSourcesHosts, "sis.uni.example"); err != nil {
		return err
	}
	c.WebhooksHosts, err = v.hosts(varWebhooksHosts, "hooks.intra.example")
	return err
}

// hosts reads a list of hosts, with a port or without.
func (v variables) hosts(name, example string) ([]string, error) {
	var list []string
	for _, host := range v.list(name) {
		if u, err := url.Parse("https://" + host); err != nil || u.Host != host || u.Hostname() == "" {
			return nil, wrong(name, "holds %q, which is no host such as %s or %s:8443", lms.Clip(host, 80), example, example)
		}
		list = append(list, host)
	}
	return list, nil
}

// OnLoopback tells whether only this machine reaches the server by its address.
func (c Config) OnLoopback() bool {
	u, err := url.Parse(c.URL)
	return err == nil && isLoopback(u.Hostname())
}
