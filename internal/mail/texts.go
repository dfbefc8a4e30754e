package mail

import (
	"fmt"
	"net/url"
	"strconv"
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
	DataWho     = "who"     // the name of whoever named the person, as their provider has it
	DataWhoIs   = "who-is"  // their address
	DataRoles   = "roles"   // the names of built-in roles, separated by commas
	DataCourses = "courses" // in how many
	DataPeople  = "people"  // how many
	DataDays    = "days"    // after which whoever never came is forgotten
	DataDay     = "day"     // the first day of a week
	DataRequest = "request" // the number of a request for an address
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
	case lms.MailNamed:
		subject, paragraphs = c.named()
	case lms.MailArrived:
		subject, paragraphs = c.arrived()
	case lms.MailMerged:
		subject, paragraphs = c.merged()
	case lms.MailExpiring:
		subject, paragraphs = c.expiring()
	case lms.MailClaimAsked:
		subject, paragraphs = c.claimAsked()
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

// named tells somebody who named them, where and for what, what is kept about them and
// how to object (GDPR, article 14). Titles of courses are left out: they are somebody's
// free text.
func (c composer) named() (string, []string) {
	courses, _ := strconv.ParseInt(c.data[DataCourses], 10, 64) // 0 reads well enough
	var roles []lms.Term
	for _, r := range strings.Split(c.data[DataRoles], ",") {
		if r != "" {
			roles = append(roles, lms.Term(r))
		}
	}
	where := c.p.N(courses, "You have a place in %d course there.", "You have a place in %d courses there.")
	if len(roles) > 0 {
		where = c.p.N(courses, "You have a place in %d course there: %s.", "You have a place in %d courses there: %s.", lms.Terms(roles))
	}
	return c.p.T("You were named at %s", c.site.Host()), []string{
		c.p.T("%s (%s) has named you at %s, where courses are held.", c.data[DataWho], c.data[DataWhoIs], c.site.Host()) + " " + where,
		c.p.T("There is nothing to register. Sign in with the account that has this address, and you find what you were given:") + "\n" + c.site.URL + "/",
		c.p.T("What is kept until then: this address, your name as it was typed, and your places, for the school's teaching. If you do not sign in, it is forgotten after %s days.", c.data[DataDays]),
		c.p.T("If this is not for you, or you do not want it, say so here. You need no account:") + "\n" + c.site.URL + "/not-me#" + c.data[DataCode],
	}
}

// arrived tells how many have come of those whom the reader named. Names are left out:
// who they are stands on the site, for whoever may see it then.
func (c composer) arrived() (string, []string) {
	people, _ := strconv.ParseInt(c.data[DataPeople], 10, 64)
	return c.p.N(people, "%d person has arrived at %s", "%d people have arrived at %s", c.site.Host()), []string{
		c.p.N(people, "%d person whom you named has signed in for the first time.", "%d people whom you named have signed in for the first time."),
		c.p.T("Who they are, and who is still missing, stands on the pages “Arrivals” of your courses:") + "\n" + c.site.URL + "/",
		c.p.T("You asked to be told. Your account is where to end it:") + "\n" + c.site.URL + "/account",
	}
}

// claimAsked tells whoever reads an address that somebody says it is theirs, and how to
// object. Of whoever asked it says the masked address alone: names are free text.
func (c composer) claimAsked() (string, []string) {
	return c.p.T("Somebody says that your address at %s is theirs", c.site.Host()), []string{
		c.p.T("Something waits at %s for this address. Somebody who signed in there as %s says that the address is theirs, and asks for it.", c.site.Host(), c.data[DataWhoIs]),
		c.p.T("If it was you, you need not wait for anybody's answer: sign in with the account that has this address, or prove it under “My account”:") + "\n" + c.site.URL + "/account",
		c.p.T("If it was not you, say so here, and nothing is given to them. You need no account:") + "\n" + c.site.URL + "/not-me#" + c.data[DataCode],
	}
}

// expiring tells how many are about to be forgotten of those whom the reader named.
func (c composer) expiring() (string, []string) {
	people, _ := strconv.ParseInt(c.data[DataPeople], 10, 64)
	day := c.p.Date(lms.Day(c.data[DataDay]))
	return c.p.N(people, "%d person has not come to %s, and will be forgotten", "%d people have not come to %s, and will be forgotten", c.site.Host()), []string{
		c.p.N(people, "%d person whom you named, or to whom you gave something, has not signed in, and is forgotten in the week of %s: their places end, and their name and address are deleted.",
			"%d people whom you named, or to whom you gave something, have not signed in, and are forgotten in the week of %s: their places end, and their names and addresses are deleted.", day),
		c.p.T("Who they are stands on the pages “Arrivals” of your courses, where you can keep them, look whether an address is wrong, or tell them:") + "\n" + c.site.URL + "/",
		c.p.T("If nobody is missing, you need do nothing."),
	}
}

// merged tells somebody that another account became a part of theirs.
func (c composer) merged() (string, []string) {
	return c.p.T("An account was merged into yours at %s", c.site.Host()), []string{
		c.p.T("Another account at %s, %s, is a part of yours now: what it had in courses is yours, and its address leads to you.", c.site.Host(), c.data[DataWas]),
		c.p.T("Who did it, and what it changed, stands on your account page:") + "\n" + c.site.URL + "/account",
		c.p.T("If that other account is not yours, tell whoever merged them, or the administrator of the site: it can be split for 30 days."),
	}
}
