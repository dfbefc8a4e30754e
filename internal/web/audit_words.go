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
