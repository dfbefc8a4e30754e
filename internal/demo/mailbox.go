package demo

import (
	"context"
	_ "embed"
	"html/template"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"time"

	"matricula/internal/mail"
)

// Mailbox takes the mail of the demo, which goes nowhere, and shows it.
type Mailbox struct {
	now func() time.Time

	mu    sync.Mutex
	mails []delivered // the newest last
}

// delivered is a mail with the time at which it came.
type delivered struct {
	mail.Message
	At time.Time
}

// Link is the first one in the mail's text, empty when there is none.
func (d delivered) Link() string { return linkInMail.FindString(d.Text) }

var linkInMail = regexp.MustCompile(`http://[^\s]+`)

// maxMails is how many mails are kept; older ones are forgotten.
const maxMails = 200

// Open begins to take mail.
func (m *Mailbox) Open(context.Context) (mail.Session, error) { return mailboxSession{m}, nil }

type mailboxSession struct{ box *Mailbox }

func (s mailboxSession) Send(_ context.Context, msg mail.Message) error {
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	s.box.mails = append(s.box.mails, delivered{msg, s.box.now()})
	if more := len(s.box.mails) - maxMails; more > 0 {
		s.box.mails = slices.Delete(s.box.mails, 0, more)
	}
	return nil
}

func (mailboxSession) Close() error { return nil }

//go:embed mailbox.html
var mailboxHTML string

var mailboxPage = template.Must(template.New("mailbox").Parse(mailboxHTML))

// ServeHTTP shows what has come, the newest first.
func (m *Mailbox) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	m.mu.Lock()
	list := slices.Clone(m.mails)
	m.mu.Unlock()
	slices.Reverse(list)
	w.Header().Set("Content-Security-Policy", "default-src 'self'; script-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Refresh", "10")
	_ = mailboxPage.Execute(w, list) // whoever reads it went away
}
