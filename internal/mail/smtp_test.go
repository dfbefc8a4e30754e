package mail_test

import (
	"context"
	"errors"
	"mime"
	"net"
	"strings"
	"testing"

	"matricula/internal/lms"
	"matricula/internal/mail"
	"matricula/internal/mail/mailtest"
)

func open(t *testing.T, s mail.SMTP) mail.Session {
	t.Helper()
	session, err := s.Open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return session
}

func TestAMailArrivesAsItWasWritten(t *testing.T) {
	sink := mailtest.Start(t)
	session := open(t, sink.Sender())
	text := "Hello,\n\nyour code is K7QF-2MXD.\n.\nperché è così\n"
	for _, to := range []lms.Email{"ada@uni.example", "grace@uni.example"} {
		if err := session.Send(context.Background(), mail.Message{ID: "m7." + strings.ToLower(to.Local()), To: to, Subject: "Il tuo codice è qui", Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	got := sink.Mails("")
	if len(got) != 2 || got[0].To != "ada@uni.example" || got[1].To != "grace@uni.example" {
		t.Fatalf("taken: %+v", got)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(got[0].Subject)
	if err != nil || subject != "Il tuo codice è qui" {
		t.Errorf("subject %q (%v)", got[0].Subject, err)
	}
	if got[0].ID != "<m7.ada@lms.uni.example>" || got[0].From != "lms@uni.example" || got[0].Header.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("header %+v", got[0].Header)
	}
	if strings.TrimRight(got[0].Text, "\n") != strings.TrimRight(text, "\n") {
		t.Errorf("text %q, want %q", got[0].Text, text)
	}
}

// A subject, a name or an address adds no header and no recipient, and no program is
// run for it.
func TestF24NothingInAMailActs(t *testing.T) {
	sink := mailtest.Start(t)
	session := open(t, sink.Sender())
	for _, hostile := range []string{"a\r\nBcc: x@evil.example", "=?utf-8?q?=0d=0aBcc:_x@evil.example?=", strings.Repeat("W", 10_000), "-oQ/tmp@x", "\u202e\u0000gnp"} {
		if err := session.Send(context.Background(), mail.Message{ID: "m1", To: "-oq/tmp@uni.example", Subject: hostile, Text: hostile}); err != nil {
			t.Fatalf("%.20q: %v", hostile, err)
		}
	}
	for _, m := range sink.Mails("") {
		if m.To != "-oq/tmp@uni.example" || m.Header.Get("Bcc") != "" || len(m.Header["To"]) != 1 {
			t.Errorf("header %.300v", m.Header)
		}
	}
	if n := len(sink.Mails("")); n != 5 {
		t.Errorf("%d mails, want 5", n)
	}
}

func TestWhatTheServerSaysOfAMailIsToldApart(t *testing.T) {
	sink := mailtest.Start(t)
	sink.Refuse("gone@uni.example", 550, "no such user")
	sink.Refuse("full@uni.example", 452, "mailbox full")
	sink.Refuse("bye@uni.example", 421, "closing")
	session := open(t, sink.Sender())
	send := func(to lms.Email) error {
		return session.Send(context.Background(), mail.Message{ID: "m1", To: to, Subject: "s", Text: "t"})
	}
	for to, permanent := range map[lms.Email]bool{"gone@uni.example": true, "full@uni.example": false} {
		var f *mail.Fault
		if err := send(to); !errors.As(err, &f) || f.Permanent != permanent || strings.Contains(f.Text, "\n") {
			t.Errorf("to %s: %v", to, err)
		}
	}
	if err := send("fine@uni.example"); err != nil {
		t.Errorf("after refusals: %v", err)
	}
	var f *mail.Fault
	if err := send("bye@uni.example"); err == nil || errors.As(err, &f) {
		t.Errorf("421 is about the conversation, not the mail: %v", err)
	}
}

func TestAServerThatIsNotThereIsNoFaultOfAMail(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	var f *mail.Fault
	if _, err := (mail.SMTP{Host: "127.0.0.1", Port: port, From: "lms@uni.example", Domain: "lms.uni.example"}).Open(context.Background()); err == nil || errors.As(err, &f) {
		t.Errorf("opened: %v", err)
	}
}
