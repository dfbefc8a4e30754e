package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"matricula/internal/lms"
)

// SMTP is a mail server that is spoken to by SMTP (RFC 5321).
type SMTP struct {
	Host     string
	Port     int
	TLS      bool // from the first byte (RFC 8314); else STARTTLS when it is offered
	User     string
	Password string
	From     lms.Email
	Domain   string // after the @ of Message-IDs, and of our own greeting
}

// How long each step of a conversation may take.
const smtpTimeout = 20 * time.Second

// maxSubject keeps the header within a line of SMTP (RFC 5321, section 4.5.3.1.6), in
// bytes.
const maxSubject = 200

// maxFault bounds what is kept of a server's words, in bytes.
const maxFault = 300

// Open greets the server, with encryption when it is offered, and with the password
// when there is one: never an unencrypted one beyond this machine.
func (s SMTP) Open(ctx context.Context) (Session, error) {
	opts := []gomail.Option{
		gomail.WithPort(s.Port), gomail.WithTimeout(smtpTimeout), gomail.WithHELO(s.Domain), gomail.WithoutSMTPUTF8(),
		gomail.WithTLSConfig(&tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12}),
	}
	if s.TLS {
		opts = append(opts, gomail.WithSSL())
	} else {
		opts = append(opts, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	}
	if s.User != "" {
		opts = append(opts, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(s.User), gomail.WithPassword(s.Password))
		if !s.TLS && loopback(s.Host) {
			opts = append(opts, gomail.WithSMTPAuth(gomail.SMTPAuthPlainNoEnc))
		}
	}
	client, err := gomail.NewClient(s.Host, opts...)
	if err != nil {
		return nil, fmt.Errorf("mail server %s: %w", s.Host, err)
	}
	if err := client.DialWithContext(ctx); err != nil {
		return nil, fmt.Errorf("greet mail server %s: %w", s.Host, err)
	}
	return &smtpSession{client, s}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

type smtpSession struct {
	client *gomail.Client
	server SMTP
}

func (s *smtpSession) Close() error { return s.client.Close() }

func (s *smtpSession) Send(ctx context.Context, m Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	msg := gomail.NewMsg()
	if err := errors.Join(msg.From(string(s.server.From)), msg.To(string(m.To))); err != nil {
		return &Fault{Permanent: true, Text: "the address cannot be written into a mail"}
	}
	msg.Subject(lms.Clip(oneLine(m.Subject), maxSubject))
	msg.SetMessageIDWithValue(m.ID + "@" + s.server.Domain)
	msg.SetDate()
	// Vacation notices and the like are not to answer (RFC 3834).
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	err := s.client.Send(msg)
	if err == nil || msg.IsDelivered() {
		return nil
	}
	return fault(err)
}

// fault sorts what went wrong: the server's refusal of this message, or the end of
// the conversation.
func fault(err error) error {
	var e *gomail.SendError
	if !errors.As(err, &e) || e.ErrorCode() == 0 {
		return err
	}
	switch e.Reason {
	case gomail.ErrSMTPRcptTo, gomail.ErrSMTPData, gomail.ErrSMTPDataClose:
		// 421 says that the server closes the conversation (RFC 5321, section 4.2.3).
		if e.ErrorCode() == 421 {
			return err
		}
		return &Fault{Permanent: e.ErrorCode() >= 500, Text: lms.Clip(oneLine(e.Error()), maxFault)}
	}
	return err
}

// oneLine keeps line breaks out of headers and of what is shown in one line.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
