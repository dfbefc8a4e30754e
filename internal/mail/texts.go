package mail

import (
	"fmt"
	"net/url"
	"strings"

	"matricula/internal/lang"
	"matricula/internal/lms"
)

// Site is the installation, as mails speak of it.
type Site struct {
	URL string // as people type it, without a slash at the end
}

// Host is what people call the site.
func (s Site) Host() string {
	u, err := url.Parse(s.URL)
	if err != nil || u.Hostname() == "" {
		return s.URL
	}
	return u.Hostname()
}

// The names in the data of a mail.
const (
	DataCode    = "code"    // a one-time code
	DataMinutes = "minutes" // for which it is good
	DataWas     = "was"     // an address, masked
	DataIs      = "is"      // the one that took its place, masked
)

// Compose writes a mail in the reader's language. Nothing in it is somebody's free
// text. It is an error when a kind has no text.
func Compose(m lms.Mail, p *lang.Printer, s Site) (Message, error) {
	c := composer{p: p, site: s, data: m.Data}
	var subject string
	var paragraphs []string
	switch m.Kind {
	case lms.MailSignInCode:
		subject, paragraphs = c.signInCode()
	case lms.MailAddressCode:
		subject, paragraphs = c.addressCode()
	case lms.MailAddressHeld:
		subject, paragraphs = c.addressHeld()
	case lms.MailAddressChanged:
		subject, paragraphs = c.addressChanged()
	default:
		return Message{}, fmt.Errorf("no text for a mail of the kind %q", m.Kind)
	}
	return Message{ID: fmt.Sprintf("mail-%d", m.ID), To: m.Address, Subject: subject, Text: strings.Join(paragraphs, "\n\n") + "\n"}, nil
}

type composer struct {
	p    *lang.Printer
	site Site
	data map[string]string
}

func (c composer) signInCode() (string, []string) {
	return c.p.T("Your code for %s", c.site.Host()), append([]string{
		c.p.T("Somebody, and we hope that it is you, wants to sign in to %s and says that this address is theirs.", c.site.Host()),
	}, c.code(c.p.T("If it was not you, do nothing: without the code nobody comes in. Do not give it to anybody who asks you for it, whoever they say they are."))...)
}

func (c composer) addressCode() (string, []string) {
	return c.p.T("Your code for %s", c.site.Host()), append([]string{
		c.p.T("Somebody, and we hope that it is you, wants to add this address to their account at %s.", c.site.Host()),
	}, c.code(c.p.T("If it was not you, do nothing: without the code the address is not added. Do not give it to anybody who asks you for it, whoever they say they are."))...)
}

// code is what both mails with a code have in common. The link holds the code
// behind a #, which browsers send to nobody, and opening it uses nothing up.
func (c composer) code(otherwise string) []string {
	return []string{
		c.p.T("The code: %s", c.data[DataCode]),
		c.p.T("Type it into the page from which you came, within %s minutes. Or open this link in the same browser:", c.data[DataMinutes]) + "\n" + c.site.URL + "/prove#" + c.data[DataCode],
		otherwise,
	}
}

func (c composer) addressHeld() (string, []string) {
	return c.p.T("Your address at %s", c.site.Host()), []string{
		c.p.T("Somebody wanted to add this address to another account at %s. It belongs to an account already, so nothing has changed.", c.site.Host()),
		c.p.T("If it was you, you have two accounts there: sign in with the one that has this address, or ask the administrator of the site to join the two."),
		c.p.T("If it was not you, you need do nothing."),
	}
}

func (c composer) addressChanged() (string, []string) {
	return c.p.T("Your address at %s has changed", c.site.Host()), []string{
		c.p.T("The address of your account at %s was %s and is now %s.", c.site.Host(), c.data[DataWas], c.data[DataIs]),
		c.p.T("If this is not what you wanted, look at your account, and tell the administrator of the site:") + "\n" + c.site.URL + "/account",
	}
}
