package config

import (
	"log/slog"
	"strings"
)

// Client is what a command needs that asks a running server. The server itself
// takes no notice of the token.
type Client struct {
	URL   string // without a slash at the end
	Token string // secret; empty when the environment has none
}

// String names what is safe to show.
func (c Client) String() string { return c.URL }

// GoString keeps the token out of %#v.
func (c Client) GoString() string { return "config.Client(" + c.String() + ")" }

// LogValue keeps the token out of the log.
func (c Client) LogValue() slog.Value { return slog.StringValue(c.String()) }

// LoadClient reads what a client needs from the environment, given as by
// os.Environ. An address that is not empty goes before that of the environment. A
// variable that is for the server alone is not looked into, and may be wrong.
func LoadClient(environ []string, address string) (Client, error) {
	vars, err := known(environ)
	if err != nil {
		return Client{}, err
	}
	c := Client{Token: vars[varToken]}
	if address = strings.TrimSpace(address); address != "" {
		c.URL, err = readURL("--url", address)
		return c, err
	}
	var all Config
	err = vars.url(&all)
	c.URL = all.URL
	return c, err
}
