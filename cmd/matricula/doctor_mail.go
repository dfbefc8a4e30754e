package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/smtp"

	"matricula/internal/config"
)

// checkMail greets the mail server as a sender would: with encryption when it
// is offered, and with the password when there is one. It sends nothing.
func checkMail(ctx context.Context, cfg config.Config) (string, error) {
	if cfg.Mail == nil {
		return "not configured, so that none is sent", nil
	}
	if err := greetMail(ctx, *cfg.Mail); err != nil {
		return "", fmt.Errorf("MATRICULA_SMTP: %s: %w", cfg.Mail, err)
	}
	return cfg.Mail.String() + " answers", nil
}

func greetMail(ctx context.Context, m config.Mail) (err error) {
	secure := &tls.Config{ServerName: m.Host, MinVersion: tls.VersionTLS12}
	var conn net.Conn
	if m.TLS {
		conn, err = (&tls.Dialer{Config: secure}).DialContext(ctx, "tcp", m.Addr())
	} else {
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", m.Addr())
	}
	if err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return errors.Join(err, conn.Close())
		}
	}
	client, err := smtp.NewClient(conn, m.Host) // closes the connection when it fails
	if err != nil {
		return err
	}
	// Quitting in order is courtesy; what was found counts.
	defer func() { _ = client.Quit(); _ = client.Close() }()
	if err := client.Hello("localhost"); err != nil {
		return err
	}
	if offered, _ := client.Extension("STARTTLS"); offered && !m.TLS {
		if err := client.StartTLS(secure); err != nil {
			return err
		}
	}
	if m.User == "" {
		return nil
	}
	// PlainAuth itself refuses to send a password unencrypted beyond this machine.
	return client.Auth(smtp.PlainAuth("", m.User, m.Password, m.Host))
}
