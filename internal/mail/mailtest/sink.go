// Package mailtest is a real mail server for tests: it speaks SMTP on loopback, keeps
// what it is given, and refuses what it is told to refuse.
package mailtest

import (
	"errors"
	"io"
	"mime/quotedprintable"
	"net"
	stdmail "net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"matricula/internal/mail"
)

// Mail is what the sink was given.
type Mail struct {
	From, To string // of the envelope
	ID       string // the Message-ID
	Subject  string // as it stands in the header
	Header   stdmail.Header
	Text     string
}

// Sink is the mail server.
type Sink struct {
	address string

	mu     sync.Mutex
	mails  []Mail
	refuse map[string]error // by the address of the recipient
	after  func(Mail) error // what to answer once a mail has been taken
	wake   chan struct{}
}

// Start starts a sink, and ends it with the test.
func Start(tb testing.TB) *Sink {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	s := &Sink{address: l.Addr().String(), refuse: map[string]error{}, wake: make(chan struct{}, 1)}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{sink: s}, nil }))
	server.Domain, server.ReadTimeout, server.WriteTimeout, server.MaxMessageBytes = "localhost", time.Minute, time.Minute, 1<<20
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	tb.Cleanup(func() {
		err := errors.Join(server.Close(), <-done)
		if err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			tb.Error(err)
		}
	})
	return s
}

// Address is the sink's host:port.
func (s *Sink) Address() string { return s.address }

// Sender speaks to the sink.
func (s *Sink) Sender() mail.SMTP {
	addr, err := net.ResolveTCPAddr("tcp", s.address)
	if err != nil {
		panic(err) // it is the address on which it listens
	}
	return mail.SMTP{Host: addr.IP.String(), Port: addr.Port, From: "lms@uni.example", Domain: "lms.uni.example"}
}

// Refuse has the sink answer so to mails for an address; nil takes them again.
func (s *Sink) Refuse(to string, code int, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if code == 0 {
		delete(s.refuse, to)
		return
	}
	s.refuse[to] = &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: text}
}

// After has the sink call fn when it has taken a mail, and answer what it returns.
func (s *Sink) After(fn func(Mail) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.after = fn
}

// Mails are those that were taken, in their order; to one address when it is given.
func (s *Sink) Mails(to string) []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.Clone(s.mails)
	if to == "" {
		return list
	}
	return slices.DeleteFunc(list, func(m Mail) bool { return m.To != to })
}

// Await waits until n mails to an address have come.
func (s *Sink) Await(tb testing.TB, to string, n int) []Mail {
	tb.Helper()
	late := time.After(30 * time.Second)
	for {
		if list := s.Mails(to); len(list) >= n {
			return list
		}
		select {
		case <-s.wake:
		case <-late:
			tb.Fatalf("%d mails to %s, want %d", len(s.Mails(to)), to, n)
		}
	}
}

type session struct {
	sink *Sink
	mail Mail
}

func (s *session) Reset()        { s.mail = Mail{} }
func (s *session) Logout() error { return nil }

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.mail.From = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	s.mail.To = to
	return s.sink.refuse[to]
}

func (s *session) Data(r io.Reader) error {
	msg, err := stdmail.ReadMessage(r)
	if err != nil {
		return err
	}
	body := msg.Body
	if strings.EqualFold(msg.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	m := s.mail
	m.ID, m.Subject, m.Header = msg.Header.Get("Message-ID"), msg.Header.Get("Subject"), msg.Header
	m.Text = strings.ReplaceAll(string(text), "\r\n", "\n")
	s.sink.mu.Lock()
	s.sink.mails = append(s.sink.mails, m)
	after := s.sink.after
	s.sink.mu.Unlock()
	select {
	case s.sink.wake <- struct{}{}:
	default:
	}
	if after != nil {
		return after(m)
	}
	return nil
}
