package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"matricula/internal/access"
	"matricula/internal/lang"
	"matricula/internal/lms"
)

// verbs say what an action is, to be read between the actor and the person
// concerned. A second form is for what concerns the actor alone.
var verbs = map[access.Action]struct{ of, alone lms.Term }{
	access.CourseCreate:       {"created the course for", "created the course"},
	access.CourseUpdate:       {"edited the course for", "edited the course"},
	access.CourseArchive:      {"archived the course for", "archived the course"},
	access.CourseRestore:      {"restored the course for", "restored the course"},
	access.CourseDelete:       {"deleted the course for", "deleted the course"},
	access.CourseHandOver:     {"handed the course over to", "stepped back as an owner of the course"},
	access.CourseCopy:         {"copied a course for", "made the course as a copy"},
	access.AccountExport:      {"downloaded the data of", "downloaded their own data"},
	access.EnrollmentAdd:      {"added", "joined the course"},
	access.EnrollmentChange:   {"changed the role of", "changed a role"},
	access.EnrollmentRemove:   {"removed", "left the course"},
	access.EnrollmentRestore:  {"took back", "came back to the course"},
	access.EnrollmentEnd:      {"ended the place of", "left at the end of their time"},
	access.ImportCreate:       {"brought a class list for", "brought a class list"},
	access.ImportChange:       {"changed a class list for", "changed a class list"},
	access.ImportStart:        {"began to carry out a class list for", "began to carry out a class list"},
	access.ImportRun:          {"carried out a class list for", "carried out a class list"},
	access.ImportCancel:       {"stopped a class list for", "stopped a class list"},
	access.ImportUndo:         {"began to undo a class list for", "began to undo a class list"},
	access.ProvisionUser:      {"provisioned", "provisioned somebody"},
	access.ProvisionGroup:     {"provisioned a group for", "provisioned a group"},
	access.ProvisionRoster:    {"provisioned a roster for", "provisioned a roster"},
	access.DirectoryCreate:    {"set up the directory", "set up a directory"},
	access.DirectoryUpdate:    {"changed the directory", "changed a directory"},
	access.DirectoryToken:     {"gave a new token to the directory", "gave a directory a new token"},
	access.DirectoryEnd:       {"stopped the directory", "stopped a directory"},
	access.SourceCreate:       {"set up a roster source for", "set up a roster source"},
	access.SourceUpdate:       {"changed a roster source for", "changed a roster source"},
	access.SourceDelete:       {"deleted a roster source for", "deleted a roster source"},
	access.SourceRun:          {"ran a roster source for", "ran a roster source"},
	access.SectionCreate:      {"made the section", "made the section"},
	access.SectionUpdate:      {"renamed the section", "renamed the section"},
	access.SectionDelete:      {"deleted the section", "deleted the section"},
	access.PrivilegesSet:      {"set what may be done by", "set privileges"},
	access.RoleCreate:         {"made a role for", "made a role"},
	access.RoleUpdate:         {"edited a role for", "edited a role"},
	access.RoleDelete:         {"deleted a role for", "deleted a role"},
	access.CoursePreview:      {"looked at the course as it appears to", "looked at the course as it appears to oneself"},
	access.RosterExport:       {"downloaded the people of the course for", "downloaded the people of the course"},
	access.AuditExport:        {"downloaded the audit of the course for", "downloaded the audit of the course"},
	access.SiteExport:         {"downloaded a table of the site for", "downloaded a table of the site"},
	access.AnnouncementCreate: {"announced something for", "announced something"},
	access.AnnouncementUpdate: {"edited an announcement for", "edited an announcement"},
	access.AnnouncementDelete: {"deleted an announcement for", "deleted an announcement"},
	access.TermCreate:         {"added to the academic calendar for", "added to the academic calendar"},
	access.TermUpdate:         {"changed the academic calendar for", "changed the academic calendar"},
	access.TermDelete:         {"deleted from the academic calendar for", "deleted from the academic calendar"},
	access.LimitUpdate:        {"set a limit for", "set a limit"},
	access.LimitLift:          {"lifted a limit for", "lifted a limit"},
	access.LimitRestore:       {"ended the lifting of a limit for", "ended the lifting of a limit"},
	access.UserName:           {"named", "named somebody"},
	access.UserUpdate:         {"changed the account of", "changed an account"},
	access.UserErase:          {"erased", "erased an account"},
	access.UserExport:         {"downloaded the data of", "downloaded their own data"},
	access.ErasureAsk:         {"asked to erase", "asked to be erased"},
	access.ErasureRecall:      {"withdrew the request of", "no longer asks to be erased"},
	access.ErasureRefuse:      {"refused to erase", "refused a request to be erased"},
	access.GrantConfirm:       {"confirmed what was given to", "confirmed what was given"},
	access.GrantTake:          {"took away what was given to", "took away what was given"},
	access.AccountUpdate:      {"changed the settings of", "changed their own settings"},
	access.UserMerge:          {"merged an account into that of", "merged accounts"},
	access.UserSplit:          {"split off the account of", "split accounts"},
	access.MergeAsk:           {"asked about a second account of", "asked about a second account"},
	access.MergeAccept:        {"said that two accounts are one, for", "said that two accounts are one"},
	access.MergeWithdraw:      {"withdrew the question about a second account of", "withdrew the question about a second account"},
	access.DuplicatesDismiss:  {"told from another person", "told two people apart"},
	access.SessionEnd:         {"ended sessions of", "ended sessions"},
	access.SessionReused:      {"ended a program's session, whose refresh token was used twice, of", "ended a program's session, whose refresh token was used twice"},
	access.TokenCreate:        {"made an API token for", "made an API token"},
	access.TokenRevoke:        {"revoked an API token of", "revoked an API token"},
	access.UserSignIn:         {"signed in as", "signed in"},
	access.UserClaim:          {"signed in for the first time as", "signed in for the first time"},
	access.UserSignUp:         {"signed up as", "signed up"},
	access.AddressChange:      {"got another address for", "got another address"},
	access.NoticeSend:         {"told, by mail, that they had been named:", "told people by mail that they had been named"},
	access.NoticeObject:       {"noted the objection of", "noted an objection"},
	access.UserProve:          {"sent a code to somebody who wants to sign in as", "sent a code to somebody who wants to sign in"},
	access.AddressProve:       {"asked for a code for another address of", "asked for a code for another address"},
	access.AddressAdd:         {"added an address to the account of", "added an address to their account"},
	access.AddressRemove:      {"took an address from the account of", "took an address from their account"},
	access.AddressPrimary:     {"changed the main address of", "changed their main address"},
	access.AddressCorrect:     {"corrected the address of", "corrected an address"},
	access.UserWithdraw:       {"withdrew", "withdrew somebody"},
	access.UserExpire:         {"ended the waiting for", "ended the waiting for somebody"},
	access.UserRenew:          {"expects for longer", "expects somebody for longer"},
}

// attempts say the same of what was refused.
var attempts = map[access.Action]lms.Term{
	access.CourseCreate:       "wanted to create a course",
	access.CourseUpdate:       "wanted to edit the course",
	access.CourseArchive:      "wanted to archive the course",
	access.CourseRestore:      "wanted to restore the course",
	access.CourseDelete:       "wanted to delete the course",
	access.CourseHandOver:     "wanted to hand the course over",
	access.CourseCopy:         "wanted to copy the course",
	access.AccountExport:      "wanted to download their own data",
	access.EnrollmentAdd:      "wanted to add people",
	access.EnrollmentChange:   "wanted to change a role",
	access.EnrollmentRemove:   "wanted to remove people",
	access.EnrollmentRestore:  "wanted to take somebody back",
	access.ImportCreate:       "wanted to bring a class list",
	access.ImportChange:       "wanted to change a class list",
	access.ImportStart:        "wanted to carry out a class list",
	access.ImportRun:          "had begun a class list and may no longer carry it out",
	access.ImportCancel:       "wanted to stop a class list",
	access.ImportUndo:         "wanted to undo a class list",
	access.ProvisionUser:      "wanted to provision people",
	access.ProvisionGroup:     "wanted to provision a group",
	access.ProvisionRoster:    "wanted to provision a roster",
	access.DirectoryCreate:    "wanted to set up a directory",
	access.DirectoryUpdate:    "wanted to change a directory",
	access.DirectoryToken:     "wanted a new token for a directory",
	access.DirectoryEnd:       "wanted to stop a directory",
	access.SourceCreate:       "wanted to set up a roster source",
	access.SourceUpdate:       "wanted to change a roster source",
	access.SourceDelete:       "wanted to delete a roster source",
	access.SourceRun:          "wanted to run a roster source",
	access.SectionCreate:      "wanted to make a section",
	access.SectionUpdate:      "wanted to rename a section",
	access.SectionDelete:      "wanted to delete a section",
	access.PrivilegesSet:      "wanted to set what somebody may do",
	access.RoleCreate:         "wanted to make a role",
	access.RoleUpdate:         "wanted to edit a role",
	access.RoleDelete:         "wanted to delete a role",
	access.CoursePreview:      "wanted to look at the course as somebody else",
	access.RosterExport:       "wanted to download the people of the course",
	access.AuditExport:        "wanted to download the audit of the course",
	access.SiteExport:         "wanted to download a table of the site",
	access.AnnouncementCreate: "wanted to announce something",
	access.AnnouncementUpdate: "wanted to edit an announcement",
	access.AnnouncementDelete: "wanted to delete an announcement",
	access.TermCreate:         "wanted to add to the academic calendar",
	access.TermUpdate:         "wanted to change the academic calendar",
	access.TermDelete:         "wanted to take something out of the academic calendar",
	access.UserName:           "wanted to name somebody",
	access.UserUpdate:         "wanted to change an account",
	access.UserErase:          "wanted to erase an account",
	access.UserExport:         "wanted to download the data of somebody",
	access.ErasureAsk:         "wanted to ask to be erased",
	access.ErasureRecall:      "wanted to withdraw a request to be erased",
	access.ErasureRefuse:      "wanted to refuse a request to be erased",
	access.GrantConfirm:       "wanted to confirm what was given",
	access.GrantTake:          "wanted to take away what was given",
	access.AccountUpdate:      "wanted to change their own settings",
	access.UserMerge:          "wanted to merge two accounts",
	access.UserSplit:          "wanted to split two accounts",
	access.MergeAsk:           "wanted to ask about a second account",
	access.MergeAccept:        "wanted to say that two accounts are one",
	access.MergeWithdraw:      "wanted to withdraw the question about a second account",
	access.DuplicatesDismiss:  "wanted to tell two people apart",
	access.SessionEnd:         "wanted to end a session",
	access.TokenCreate:        "wanted to make an API token",
	access.TokenRevoke:        "wanted to revoke an API token",
	access.UserSignIn:         "turned away a sign-in",
	access.NoticeSend:         "wanted to tell people by mail that they had been named",
	access.UserProve:          "was given a wrong code for a sign-in",
	access.AddressProve:       "wanted a code for another address",
	access.AddressAdd:         "wanted to add an address",
	access.AddressRemove:      "wanted to take an address from their account",
	access.AddressPrimary:     "wanted to change their main address",
	access.AddressCorrect:     "wanted to correct an address",
	access.UserWithdraw:       "wanted to withdraw somebody",
	access.UserRenew:          "wanted to expect people for longer",
	access.LimitUpdate:        "wanted to set a limit",
	access.LimitLift:          "wanted to lift a limit",
	access.LimitRestore:       "wanted to end the lifting of a limit",
	access.DirectoryView:      "wanted to search for people",
}

// refusals say why something was refused, for the commonest reasons.
var refusals = map[string]lms.Term{
	"forbidden":                  "they lacked the privilege",
	"beyond-own-privileges":      "nobody gives what they do not hold",
	"higher-person":              "the person owns the course",
	"self-change":                "nobody changes what they themselves may do",
	"last-owner":                 "a course needs an owner who has signed in",
	"other-role":                 "the person has another role",
	"outside-address":            "the address is not of this school",
	"not-found":                  "there is no such thing, or it is not theirs to see",
	"not-in-course":              "the person was not in the course",
	"course-archived":            "the course is archived",
	"course-not-archived":        "the course was still in use",
	"preset-role":                "built-in roles stay as they are",
	"role-in-use":                "people have this role",
	"term-in-use":                "something still belonged to it",
	"not-all-yours":              "others had given something to the person",
	"not-pending":                "the person had signed in or was suspended",
	"address-taken":              "somebody has the address",
	"owner-holds-all":            "an owner holds everything",
	"address-in-use":             "the address belongs to an account with another way of signing in",
	"not-named":                  "nobody has named the address",
	"account-suspended":          "the account is suspended",
	"account-erased":             "the person was erased",
	"already-decided":            "it had been decided already",
	"import-too-old":             "its rows are no longer kept",
	"no-person":                  "it is a service account",
	"address-not-verified":       "the address is not verified",
	"provider-not-authoritative": "the provider does not hand out such addresses",
	"rows-refused":               "some rows were not carried out",
	"token-scope":                "the API token does not reach so far",
	"token-not-enough":           "it takes more than an API token",
	"too-many-named":             "more people were named than a limit allows",
	"too-many-notices":           "more people were told than a limit allows",
	"too-many-invitations":       "too many of those outside have not come",
	"too-many-codes":             "more codes were asked for than a limit allows",
	"too-many-searches":          "more searches were made than a limit allows",
	"too-many-token-requests":    "more tokens were asked for than a limit allows",
}

// inWords says an entry in the reader's words. Roles holds the names of the
// course's own roles by their keys.
func inWords(p *lang.Printer, e lms.AuditRecord, roles map[string]string) auditLine {
	line := auditLine{AuditRecord: e}
	action := access.Action(e.Action)
	if e.SubjectID != e.ActorID {
		line.Whom = actorName(p, &e.Subject)
	}
	if e.Outcome == lms.OutcomeRefused {
		line.Verb = p.Term(attempts[action])
		line.Refusal = because(p, e.Reason)
	} else {
		v := verbs[action]
		line.Verb = p.Term(v.alone)
		if line.Whom != "" {
			line.Verb = p.Term(v.of)
		}
	}
	if line.Verb == "" {
		line.Verb = p.T("did: %s", e.Action)
	}
	line.Changes = changes(p, e.Before, e.After, roles)
	return line
}

// because says why something was refused.
func because(p *lang.Printer, reason string) string {
	if known := refusals[reason]; known != "" {
		return p.Term(known)
	}
	if reason == "" {
		return p.T("no reason is on record")
	}
	return strings.ReplaceAll(reason, "-", " ")
}

// labels name what an entry holds, in the order in which pages show it.
var labels = []struct {
	key   string
	label lms.Term
}{
	{"role", "Role"},
	{"section", "Section"},
	{"student_number", "Student number"},
	{"limited_to_sections", "Works in single sections"},
	{"people", "People"},
	{"file", "File"},
	{"rows", "Rows"},
	{"counts", "Counted"},
	{"run_state", "How far it is"},
	{"request_state", "The request"},
	{"every_minutes", "Minutes between two looks"},
	{"exact", "Who is not named leaves"},
	{"brake_percent", "Asks above this percentage"},
	{"enabled", "Switched on"},
	{"place_changed", "Place changed"},
	{"host", "Host"},
	{"event", "Event"},
	{"events", "Events"},
	{"paused", "Paused"},
	{"address_changed", "Address changed"},
	{"secret_renewed", "Secret renewed"},
	{"name", "Name"},
	{"title", "Title"},
	{"code", "Code"},
	{"description", "Description"},
	{"year", "Academic year"},
	{"term", "Term"},
	{"begins_on", "First day"},
	{"ends_on", "Last day"},
	{"pinned", "Pinned"},
	{"publish_at", "Published at"},
	{"table", "Table"},
	{"text_changed", "Text changed"},
	{"allow", "Given"},
	{"deny", "Taken away"},
	{"privileges", "Privileges"},
	{"site_role", "Role on the site"},
	{"status", "Status"},
	{"language", "Language"},
	{"named", "Known here before"},
	{"copied_from", "Copied from course"},
	{"staff", "People of staff"},
	{"orphaned_courses", "Courses left without an owner"},
	{"refused_rows", "Refused rows"},
	{"provider", "Signed in with"},
	{"program", "Program"},
	{"address", "Address"},
	{"address_hash", "Keyed hash of the address"},
	{"courses", "Courses"},
	{"expires_at", "Expires"},
	{"token", "Token"},
	{"scopes", "Scopes"},
	{"session", "Session"},
	{"sessions", "Sessions"},
	{"merge", "Merge"},
	{"kept", "Account that is kept"},
	{"merged", "Account that is merged"},
	{"issuer", "Speaks for"},
	{"link", "Where it says who somebody will be"},
	{"makes_courses", "Its groups become courses"},
	{"names", "Names told"},
	{"known", "Known to the directory"},
	{"linked", "Linked to a sign-in"},
	{"unlinked", "No longer linked"},
	{"deleted", "Deleted in the directory"},
	{"moved", "What moved"},
	{"stays", "What stayed"},
	{"limit", "Limit"},
	{"amount", "How many"},
	{"lift", "Number"},
	{"domain", "Domain"},
	{"limit_course", "Course"},
	{"until", "Until"},
}

// changes sets side by side what was before and after.
func changes(p *lang.Printer, before, after json.RawMessage, roles map[string]string) []auditChange {
	b, a := decode(before), decode(after)
	for _, m := range []map[string]any{b, a} {
		if _, whole := m["name"]; whole {
			delete(m, "role") // the key of a role, beside its name
		}
		if key, ok := m["role"].(string); ok && roles[key] != "" {
			m["role"] = roles[key]
		}
		delete(m,
			"announcement") // an id, beside the title
		delete(m, "section_id")                                                                                       // the same
		for _, id := range []string{"import", "source", "run", "course", "kind", "request", "webhook", "directory"} { // beside the name
			delete(m, id)
		}
		delete(m, "period") // an id, beside the name
		if m["named"] == true {
			m["named"] = p.T("no")
		}
	}
	var keys []string
	for _, l := range labels {
		keys = append(keys, l.key)
	}
	var others []string
	for _, m := range []map[string]any{b, a} {
		for k := range m {
			if !slices.Contains(keys, k) && !slices.Contains(others, k) {
				others = append(others, k)
			}
		}
	}
	slices.Sort(others)
	var list []auditChange
	for _, k := range append(keys, others...) {
		was, is := words(p, k, b[k]), words(p, k, a[k])
		if was != is {
			list = append(list, auditChange{labelOf(p, k), was, is})
		}
	}
	return list
}

func labelOf(p *lang.Printer, key string) string {
	for _, l := range labels {
		if l.key == key {
			return p.Term(l.label)
		}
	}
	return strings.ReplaceAll(key, "_", " ")
}

func decode(raw json.RawMessage) map[string]any {
	var m map[string]any
	if json.Unmarshal(raw, &m) != nil {
		return nil
	}
	return m
}

// words writes a value of an entry; empty for nothing.
func words(p *lang.Printer, key string, v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case bool:
		if v {
			return p.T("yes")
		}
		return p.T("no")
	case float64:
		return p.Number(int64(v))
	case []any:
		var parts []string
		for _, one := range v {
			parts = append(parts, words(p, key, one))
		}
		return strings.Join(parts, ", ")
	case string:
		return wordFor(p, key, v)
	case map[string]any:
		var parts []string
		if key == "counts" {
			counts := lms.ImportCount{}
			for k, n := range v {
				if n, ok := n.(float64); ok {
					counts[k] = int64(n)
				}
			}
			for _, g := range groupsOfRun(counts) {
				parts = append(parts, p.Number(g.N)+" "+p.Term(g.Label))
			}
			return strings.Join(parts, ", ")
		}
		if key == "moved" || key == "stays" {
			for _, k := range slices.Sorted(maps.Keys(v)) {
				parts = append(parts, p.T("%s: %s", partWords[k], words(p, k, v[k])))
			}
			return strings.Join(parts, ", ")
		}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, p.T("%s because %s", words(p, k, v[k]), because(p, k)))
		}
		return strings.Join(parts, ", ")
	}
	return fmt.Sprint(v)
}

func wordFor(p *lang.Printer, key, v string) string {
	switch key {
	case "allow", "deny", "privileges":
		return p.Term(lms.Privilege(v).Label())
	case "site_role":
		return p.Term(siteRoleName(lms.SiteRole(v)))
	case "publish_at":
		if at, err := time.Parse(time.RFC3339, v); err == nil {
			return p.Moment(at)
		}
	case "begins_on", "ends_on":
		return p.Date(lms.Day(v))
	case "event", "events":
		return p.Term(eventLabel(lms.WebhookEvent(v)))
	case "paused":
		return p.Term(pauseWords[lms.WebhookPause(v)])
	case "link":
		for _, l := range linkWays {
			if l.Value == v {
				return p.Term(l.Label)
			}
		}
	case "scopes":
		return p.Term(scopeNames[lms.Scope(v)])
	case "run_state":
		return p.Term(runStates[lms.RunState(v)])
	case "request_state":
		for _, s := range erasureStates {
			if string(s.State) == v {
				return p.Term(s.Label)
			}
		}
	case "table":
		return p.Term(tableNames[v])
	case "status":
		return p.Term(statusNames[lms.UserStatus(v)])
	case "role":
		for _, r := range lms.PresetRoles() {
			if r.Key == v {
				return p.Text(r.Title())
			}
		}
	}
	return v
}

// statusNames say where a person stands.
var statusNames = map[lms.UserStatus]lms.Term{
	lms.StatusPending: "has not signed in yet", lms.StatusActive: "active", lms.StatusSuspended: "suspended", lms.StatusErased: "erased",
}

var scopeNames = map[lms.Scope]lms.Term{lms.ScopeRead: "see", lms.ScopeWrite: "change", lms.ScopeSCIM: "provision"}

// tableNames are the tables that can be downloaded.
var tableNames = map[string]lms.Term{"people": "People", "courses": "Courses", "audit": "Audit", "arrivals": "Arrivals", "left": "Who has left", "import": "Class list", "settings": "Settings"}

func orNothing(p *lang.Printer, s string) string {
	if s == "" {
		return p.T("nothing")
	}
	return s
}
