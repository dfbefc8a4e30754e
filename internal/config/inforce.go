package config

import (
	"strconv"
	"strings"

	"matricula/internal/lms"
)

// InForce lists the settings as they are in force, also those that were left to
// their default, for administrators to read. It holds no secret and no address
// of a person. Sign-in providers are a list of their own.
func (c Config) InForce() []lms.Setting {
	mail := ""
	if c.Mail != nil {
		mail = c.Mail.String()
	}
	proxies := make([]string, len(c.TrustedProxies))
	for i, p := range c.TrustedProxies {
		proxies[i] = p.String()
	}
	return []lms.Setting{
		{Name: varURL, Value: c.URL, Meaning: "The address that people type."},
		{Name: varAddr, Value: c.Addr, Meaning: "Where the server listens."},
		{Name: varDatabase, Value: c.Database.String(), Meaning: "Where everything is kept."},
		{Name: varAdmins, Value: strconv.Itoa(len(c.Admins)), Meaning: "How many addresses become administrators at each start."},
		{Name: varSignUp, Value: string(c.SignUp), Meaning: "Who may sign in without having been named: nobody (named), people of the providers' own domains (domains), or anyone."},
		{Name: varDirectory, Value: string(c.Directory), Meaning: "Whom somebody who manages a course may find: exact addresses, staff, or everyone."},
		{Name: varNamingDomains, Value: strings.Join(c.NamingDomains, ", "), Meaning: "The school's own domains. An address outside them has to be confirmed; when none is set, none is outside."},
		{Name: varTimeZone, Value: c.TimeZone, Meaning: "In which pages show times."},
		{Name: varSourcesFolder, Value: c.SourcesFolder, Meaning: "The folder below which roster sources may read. When it is not set, none reads folders."},
		{Name: varSourcesHosts, Value: strings.Join(c.SourcesHosts, ", "), Meaning: "The hosts from which roster sources may fetch. When none is set, nothing is fetched."},
		{Name: varWebhooksHosts, Value: strings.Join(c.WebhooksHosts, ", "), Meaning: "The hosts that webhooks may call although they have no public address. When none is set, webhooks go to public addresses."},
		{Name: varCORSOrigins, Value: strings.Join(c.CORSOrigins, ", "), Meaning: "The web pages elsewhere, by their origins, that may call the API in their users' browsers. When none is set, none may."},
		{Name: varPendingDays, Value: strconv.Itoa(c.PendingDays), Meaning: "Days after which somebody who was named and never came expires, unless they are named again or given something."},
		{Name: varTrustedProxies, Value: strings.Join(proxies, ", "), Meaning: "Whose word about the caller's own address is believed."},
		{Name: varSMTP, Value: mail, Meaning: "The mail server through which codes and notices are sent."},
	}
}
