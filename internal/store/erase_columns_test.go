package store_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"matricula/internal/store/storetest"
)

// What becomes of a column when somebody is erased.
const (
	nothing = "nothing: it holds no personal data"
	staff   = "nothing: what staff or administrators wrote about a course or the site; whoever wrote it is shown by a pseudonym"
	emptied = "emptied or replaced by the pseudonym, by EraseUser"
	rowGoes = "the row goes, by EraseUser"
	cleaned = "what names the person is taken out of it, by eraseTexts"
	short   = "nothing: it refers to nobody, and is gone within minutes"
)

// erasing is the one place in which every text of the database is declared. A column
// that is missing here fails the test below: think of what may stand in it, see to it
// in erase.go or erase_texts.go, and extend the test of the canary (package service).
var erasing = map[string]string{
	"announcements.body": staff, "announcements.title": staff,

	"api_tokens.course_ids": rowGoes, "api_tokens.hint": rowGoes, "api_tokens.name": rowGoes, "api_tokens.scopes": rowGoes, "api_tokens.token_hash": rowGoes,

	"audit_entries.action": nothing, "audit_entries.outcome": nothing, "audit_entries.reason": nothing, "audit_entries.request_id": nothing,
	"audit_entries.after": cleaned, "audit_entries.before": cleaned,

	"claim_requests.address": "emptied, by forgetClaims and eraseTexts; the rows of whoever asked go", "claim_requests.answer_hash": emptied, "claim_requests.address_hash": "nothing: a hash with the site's own key, gone 90 days after the request", "claim_requests.reason": emptied,
	"claim_requests.state": nothing, "claim_decisions.reason": emptied,
	"claim_requests.masked": "nothing: a masked address, gone 90 days after the request",

	"course_privileges.allow": rowGoes, "course_privileges.deny": rowGoes,
	"course_roles.key": nothing, "course_roles.name": staff, "course_roles.privileges": nothing,
	"courses.code": staff, "courses.description": staff, "courses.title": staff,

	"directories.claim": nothing, "directories.issuer": nothing,
	"directory_faults.call": nothing, "directory_faults.problem": nothing,
	"directory_groups.external_id": nothing, "directory_groups.name": staff,
	"directory_links.claim": rowGoes, "directory_links.issuer": rowGoes, "directory_links.subject": rowGoes,
	"directory_people.external_id": rowGoes,

	"emails.address": rowGoes, "emails.as_typed": rowGoes,
	"enrollments.limited_to": nothing, "enrollments.number": emptied, "enrollments.source": nothing,

	"erasure_requests.answer": emptied, "erasure_requests.note": emptied, "erasure_requests.state": nothing,

	"gone_people.address_hash": "nothing: a hash with the site's own key, which leads to nobody without the address",
	"gone_people.masked":       "nothing: a masked address, forgotten after 90 days",

	"idempotency_keys.answer":      cleaned + "; those of the person go",
	"idempotency_keys.fingerprint": "nothing: a hash of the whole request, gone within a day; those of the person go",
	"idempotency_keys.key":         "nothing: what a program made up, gone within a day; those of the person go",
	"idempotency_keys.route":       nothing,

	"identities.email_at_link": rowGoes, "identities.issuer": rowGoes, "identities.subject": rowGoes,

	"import_chunks.counts": nothing, "import_chunks.kind": nothing, "import_chunks.step": nothing, "import_chunks.rows": cleaned,
	"import_columns.columns": nothing, "import_columns.fingerprint": nothing,
	"imports.columns": nothing, "imports.counts": nothing, "imports.fault": nothing, "imports.lease_node": nothing, "imports.options": nothing, "imports.state": nothing,
	"imports.fingerprint": "nothing: a hash of the whole list",
	"imports.heading":     cleaned, "imports.name": cleaned,
	"imports.new_sections": staff,

	"limit_lifts.limit_name": nothing, "limit_lifts.reason": staff + "; that of a lift for the person goes, by EraseUser", "limit_lifts.subject": nothing, "limits.name": nothing,
	"limit_uses.limit_name": nothing, "limit_uses.subject": "nothing: an id, a domain or a hash, gone within a day", "imports.paused_for": nothing,

	"mails.address": rowGoes, "mails.data": rowGoes, "mails.event": rowGoes, "mails.fault": rowGoes, "mails.kind": rowGoes, "mails.language": rowGoes,
	"mails.lease_node": nothing, "mails.state": rowGoes,
	"merge_rows.part": rowGoes, "merge_rows.rows": rowGoes, "merges.state": nothing, "merges.was": nothing,

	"notices.answer_hash": rowGoes,

	"past_places.allow": nothing, "past_places.deny": nothing, "past_places.limited_to": nothing, "past_places.role_key": nothing,
	"past_places.role_name": staff, "past_places.section": staff, "past_places.number": emptied,

	"proofs.address": rowGoes, "proofs.code_hash": rowGoes, "proofs.kind": rowGoes, "proofs.next": rowGoes, "proofs.provider": rowGoes, "proofs.secret_hash": rowGoes, "proofs.token": rowGoes,

	"secrets.name": nothing, "secrets.value": nothing,
	"sections.name": staff, "sections.name_key": staff,
	"sessions.access_hash": rowGoes, "sessions.program": rowGoes, "sessions.refresh_hash": rowGoes, "sessions.scopes": rowGoes, "sessions.token_hash": rowGoes, "sessions.user_agent": rowGoes,
	"signin_attempts.browser_hash": short, "signin_attempts.next": short, "signin_attempts.nonce": short, "signin_attempts.provider": short,
	"signin_attempts.state_hash": short, "signin_attempts.verifier": short,

	"source_runs.counts": nothing, "source_runs.fingerprint": "nothing: a hash of the whole bundle", "source_runs.name": staff, "source_runs.notes": cleaned, "source_runs.state": nothing,
	"sourced_ids.kind": nothing, "sourced_ids.sourced_id": rowGoes,
	"sources.kind": nothing, "sources.lease_node": nothing, "sources.name": staff, "sources.place": staff, "sources.role": nothing,

	"spent_id_tokens.fingerprint": "nothing: a hash that says nothing about whose it was, gone within a day",

	"terms.name": staff, "terms.name_key": staff,

	"users.family_name": emptied, "users.given_name": emptied, "users.language": emptied, "users.name": emptied, "users.search_key": emptied, "users.sort_key": emptied,
	"users.kind": nothing, "users.site_role": emptied, "users.status": emptied,

	"webhook_deliveries.data":  "nothing: it holds ids and roles, never a name or an address; all but what tells that they left and are erased goes",
	"webhook_deliveries.event": nothing, "webhook_deliveries.event_id": nothing, "webhook_deliveries.fault": nothing, "webhook_deliveries.state": nothing,
	"webhooks.description": staff, "webhooks.url": staff,
	"webhooks.events": nothing, "webhooks.lease_node": nothing, "webhooks.old_salt": nothing, "webhooks.paused": nothing, "webhooks.salt": nothing,
}

func TestH08EveryTextOfTheDatabaseIsDeclaredForErasing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		left := maps.Clone(erasing)
		for _, c := range db.Texts(t, db.SQL(t)) {
			if _, ok := left[c.String()]; !ok {
				t.Errorf("nobody has said what becomes of %s when somebody is erased: declare it in erase_columns_test.go", c)
			}
			delete(left, c.String())
		}
		if len(left) > 0 {
			t.Errorf("these are declared, and there are no such columns: %s", strings.Join(slices.Sorted(maps.Keys(left)), ", "))
		}
	})
}
