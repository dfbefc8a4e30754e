// Package mail writes what Matricula has to tell people by mail, and hands it to a
// mail server.
package mail

import (
	"context"
	"fmt"

	"matricula/internal/lms"
)

// Message is a mail as it is handed over: plain text, so that nothing in it can act.
type Message struct {
	ID      string // the part of the Message-ID before the @; the same whenever it is tried again
	To      lms.Email
	Subject string
	Text    string
}

// Sender is a mail server.
type Sender interface {
	// Open greets the server. Its errors are of the server and of no mail.
	Open(ctx context.Context) (Session, error)
}

// Session is one conversation with a mail server.
type Session interface {
	// Send hands a message over. An error is a *Fault when it is about this message;
	// any other means that the conversation is over.
	Send(ctx context.Context, m Message) error
	Close() error
}

// Fault is what a server says about a message that it does not take.
type Fault struct {
	Permanent bool   // it never will
	Text      string // as the server put it, cut
}

func (f *Fault) Error() string {
	if f.Permanent {
		return fmt.Sprintf("refused for good: %s", f.Text)
	}
	return fmt.Sprintf("refused for now: %s", f.Text)
}
