package config

import (
	"log/slog"
	"net"
	"net/url"
	"strconv"

	"matricula/internal/lms"
)

// Mail is the server through which mail is sent.
type Mail struct {
	Host     string
	Port     int
	TLS      bool // from the first byte (RFC 8314); else STARTTLS when it is offered
	User     string
	Password string
	From     lms.Email
}

// Addr is the server's host:port.
func (m Mail) Addr() string { return net.JoinHostPort(m.Host, strconv.Itoa(m.Port)) }

// String names the server without its user and password.
func (m Mail) String() string { return m.Addr() }

// GoString keeps the password out of %#v.
func (m Mail) GoString() string { return "config.Mail(" + m.String() + ")" }

// LogValue keeps the password out of the log.
func (m Mail) LogValue() slog.Value { return slog.StringValue(m.String()) }

func (v variables) mail(c *Config) error {
	var from lms.Email
	if typed, ok := v[varMailFrom]; ok {
		var err error
		if from, err = lms.ParseEmail(typed); err != nil {
			return wrong(varMailFrom, "cannot be used: %s", addressFault(err))
		}
	}
	typed, ok := v[varSMTP]
	if !ok {
		return nil
	}
	// The parser's message can hold the password.
	u, err := url.Parse(typed)
	if err != nil || (u.Scheme != "smtp" && u.Scheme != "smtps") || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" || (u.Path != "" && u.Path != "/") {
		return wrong(varSMTP, "must look like smtp://user:password@mail.uni.example:587 or smtps://user:password@mail.uni.example (special characters in the password are written as %%40 for @ and so on)")
	}
	if from == "" {
		return wrong(varMailFrom, "must be set together with %s: the address that mail comes from, such as lms@uni.example", varSMTP)
	}
	m := Mail{Host: u.Hostname(), TLS: u.Scheme == "smtps", User: u.User.Username(), From: from}
	m.Password, _ = u.User.Password()
	if m.Password != "" && m.User == "" {
		return wrong(varSMTP, "has a password but no user")
	}
	m.Port = 587
	if m.TLS {
		m.Port = 465
	}
	if p := u.Port(); p != "" {
		if m.Port, err = strconv.Atoi(p); err != nil || m.Port < 1 || m.Port > 65535 {
			return wrong(varSMTP, "has a port that is not from 1 to 65535")
		}
	}
	c.Mail = &m
	return nil
}
