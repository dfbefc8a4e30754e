package store_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"matricula/internal/lms"
	"matricula/internal/store"
	"matricula/internal/store/storetest"
)

// sound is a small database in which everything holds, and what stands in it.
func sound(t *testing.T, st *store.Store) *strings.Replacer {
	t.Helper()
	arrived := func(typed string) int64 {
		id := active(t, st, typed)
		write(t, st, func(tx *store.Tx) error {
			_, err := tx.AddIdentity(ctx, "https://id.example", "sub of "+typed, id, email(t, typed), now)
			return err
		})
		return id
	}
	ada, bob, erased := arrived("ada@uni.example"), arrived("bob@uni.example"), arrived("gone@uni.example")
	grace := nameOne(t, st, "grace@uni.example")
	one, roles := course(t, st, "Algorithms")
	other, roles2 := course(t, st, "Logic")
	enroll(t, st, roles["owner"], ada)
	enroll(t, st, roles2["owner"], ada)
	enroll(t, st, roles["teacher"], bob)
	enroll(t, st, roles["student"], grace)
	entry := func(actor, subject int64, action string, after any) lms.AuditEntry {
		b, err := json.Marshal(after)
		if err != nil {
			t.Fatal(err)
		}
		return lms.AuditEntry{At: now, ActorID: actor, Action: action, Outcome: lms.OutcomeDone, SubjectID: subject, CourseID: one, After: b, Before: json.RawMessage(`{}`)}
	}
	write(t, st, func(tx *store.Tx) error {
		for _, e := range []lms.AuditEntry{
			entry(ada, ada, "course.create", map[string]string{"title": "Algorithms"}),
			entry(ada, bob, "enrollment.add", map[string]string{"role": "teacher"}),
			entry(bob, grace, "privileges.set", map[string][]string{"allow": {"roster.view"}, "deny": {}}),
		} {
			if err := tx.AddAudit(ctx, e); err != nil {
				return err
			}
		}
		if err := tx.SetGrant(ctx, lms.Grant{UserID: grace, CourseID: one, Allow: lms.SetOf(lms.RosterView), GrantedBy: bob, GrantedAt: now}); err != nil {
			return err
		}
		k := store.Key{UserID: ada, Route: "POST /courses", Key: "k", Fingerprint: []byte("f")}
		if _, _, _, err := tx.TakeKey(ctx, k, now); err != nil {
			return err
		}
		if err := tx.AnswerKey(ctx, k, "{}"); err != nil {
			return err
		}
		if _, err := tx.AddSession(ctx, []byte("hash"), lms.Session{UserID: ada, CreatedAt: now, ExpiresAt: now.Add(time.Hour)}); err != nil {
			return err
		}
		if _, err := tx.AddToken(ctx, []byte("hash"), lms.APIToken{UserID: ada, CreatedAt: now}); err != nil {
			return err
		}
		id, err := tx.CreateImport(ctx, lms.Import{CourseID: one, CreatedBy: ada, CreatedAt: now, State: lms.ImportDone, Rows: 3, Chunks: 1})
		if err != nil {
			return err
		}
		i := lms.Import{ID: id, CourseID: one, State: lms.ImportDone, Rows: 3, Chunks: 1, Done: 3, StartedBy: ada, UndoneBy: ada, Counts: lms.ImportCount{lms.DidName: 2, lms.PlanRefused: 1}}
		if err := tx.UpdateImport(ctx, i); err != nil {
			return err
		}
		if err := tx.PutChunk(ctx, &lms.ImportChunk{ImportID: id, Step: lms.ChunkDone, Counts: i.Counts, Rows: make([]lms.ImportRow, 3)}); err != nil {
			return err
		}
		return tx.SetStatus(ctx, erased, lms.StatusErased)
	})
	ids := []string{"{student2}", fmt.Sprint(roles2["student"].ID), "{student}", fmt.Sprint(roles["student"].ID)}
	for name, id := range map[string]int64{"ada": ada, "bob": bob, "grace": grace, "erased": erased, "one": one, "other": other} {
		ids = append(ids, "{"+name+"}", fmt.Sprint(id))
	}
	return strings.NewReplacer(ids...)
}

const (
	anEmail      = `INSERT INTO emails (address, user_id, as_typed, is_primary, created_at) VALUES `
	aSession     = `INSERT INTO sessions (token_hash, user_id, created_at, last_used_at, expires_at, user_agent) VALUES ('x', {who}, '2026-09-01 00:00:00+00:00', '2026-09-01 00:00:00+00:00', '2030-01-01 00:00:00+00:00', '')`
	anIdentity   = `INSERT INTO identities (issuer, subject, user_id, email_at_link, linked_at, last_used_at) VALUES `
	anEnrollment = `INSERT INTO enrollments (course_id, user_id, role_id, source, added_by, created_at) VALUES `
	aGrant       = `INSERT INTO course_privileges (course_id, user_id, allow, deny, granted_by, granted_at) VALUES `
	anEntry      = `INSERT INTO audit_entries (at, actor_id, action, outcome, subject_id, course_id, after) VALUES `
	aDirectory   = `INSERT INTO directories (account_id, issuer, claim, by_external_id, makes_courses, created_at) VALUES (1, '', 'sub', FALSE, FALSE, ` + then + `)`
	then         = `'2026-09-01 00:00:00+00:00'`
)

func aMail(data, state string) string {
	return `INSERT INTO mails (id, kind, user_id, address, event, language, data, state, created_by, created_at, next_at, leased_until)
		VALUES ((SELECT COALESCE(max(id), 0) + 1 FROM mails), 'code', {grace}, 'grace@uni.example', 'e', '', ` + data + `, '` + state + `', 1, ` + then + `, ` + then + `, ` + then + `)`
}

// twice lets a table hold rows of which its constraints would refuse the second.
func twice(engine, table string, constraints ...string) []string {
	if engine == storetest.SQLite {
		return []string{
			`CREATE TABLE copied AS SELECT * FROM ` + table,
			`DROP TABLE ` + table,
			`ALTER TABLE copied RENAME TO ` + table,
		}
	}
	var list []string
	for _, c := range constraints {
		list = append(list, `ALTER TABLE `+table+` DROP CONSTRAINT `+c)
	}
	return list
}

// TestTheInvariantsNameWhatIsBroken breaks each invariant in each of its ways,
// going round whatever forbids it, and sees that it is named and no other.
func TestTheInvariantsNameWhatIsBroken(t *testing.T) {
	ways := []struct {
		invariant, how string
		where          string // the example
		table          string // that first loses its constraints, named thereafter
		constraints    []string
		do             []string
	}{
		{invariant: "I1", how: "an address in capitals", where: "user {grace} has an address", do: []string{`UPDATE emails SET address = 'Grace@uni.example' WHERE user_id = {grace}`}},
		{invariant: "I1", how: "an address that is none", where: "user {grace} has an address", do: []string{`UPDATE emails SET address = 'grace' WHERE user_id = {grace}`}},
		{invariant: "I1", how: "one address of two people", where: "have the same address", table: "emails", constraints: []string{"emails_pkey"}, do: []string{
			anEmail + `('ada@uni.example', {grace}, '', FALSE, ` + then + `)`,
		}},
		{invariant: "I1", how: "a person without an address", where: "user {grace}", do: []string{`DELETE FROM emails WHERE user_id = {grace}`}},
		{invariant: "I1", how: "a person without a primary address", where: "user {grace}", do: []string{`UPDATE emails SET is_primary = FALSE WHERE user_id = {grace}`}},

		{invariant: "I2", how: "a pending person with an identity", where: "user {grace}", do: []string{anIdentity + `('i', 's', {grace}, '', ` + then + `, ` + then + `)`}},
		{invariant: "I2", how: "an active person without an identity", where: "user {bob}", do: []string{`DELETE FROM identities WHERE user_id = {bob}`}},
		{invariant: "I2", how: "a pending person with a proven address", where: "user {grace}", do: []string{`UPDATE emails SET verified_at = ` + then + ` WHERE user_id = {grace}`}},
		{invariant: "I2", how: "an active person without a proven address", where: "user {bob}", do: []string{`UPDATE emails SET verified_at = NULL WHERE user_id = {bob}`}},
		{invariant: "I2", how: "one identity of two people", where: "identity ", table: "identities", constraints: []string{"identities_issuer_subject_key"}, do: []string{
			`UPDATE identities SET subject = 'one' WHERE user_id IN ({ada}, {bob})`,
		}},
		{invariant: "I2", how: "Google in two spellings", where: "identity ", do: []string{`UPDATE identities SET issuer = 'accounts.google.com' WHERE user_id = {ada}`}},
		{invariant: "I2", how: "a service that signs in", where: "identity ", do: []string{anIdentity + `('i', 's', 1, '', ` + then + `, ` + then + `)`}},

		{invariant: "I3", how: "a session of a pending person", where: "of user {grace}", do: []string{strings.ReplaceAll(aSession, "{who}", "{grace}")}},
		{invariant: "I3", how: "a session of a suspended person", where: "of user {ada}", do: []string{
			`UPDATE users SET status = 'suspended' WHERE id = {ada}`,
			anEnrollment + `({one}, 1, (SELECT role_id FROM enrollments WHERE course_id = {one} AND user_id = {ada}), '', 1, ` + then + `), ({other}, 1, (SELECT role_id FROM enrollments WHERE course_id = {other} AND user_id = {ada}), '', 1, ` + then + `)`,
		}},
		{invariant: "I3", how: "a token of a pending person", where: "of user {grace}", do: []string{`UPDATE api_tokens SET user_id = {grace}`}},
		{invariant: "I3", how: "a code of a pending person", where: "of user {grace}", do: []string{
			`INSERT INTO proofs (kind, secret_hash, user_id, session_id, address, provider, token, next, code_hash, sent_at, created_at, expires_at)
				VALUES ('address', 'x', {grace}, 1, 'y@uni.example', '', '', '', 'x', ` + then + `, ` + then + `, ` + then + `)`,
		}},
		{invariant: "I3", how: "a pending actor", where: "user {grace} acts", do: []string{anEntry + `(` + then + `, {grace}, 'course.create', 'done', {grace}, {one}, '{}')`}},
		{invariant: "I3", how: "a pending person who has enrolled somebody", where: "enrollments.added_by is {grace}", do: []string{`UPDATE enrollments SET added_by = {grace} WHERE user_id = {bob}`}},
		{invariant: "I3", how: "a pending person who has named somebody", where: "users.created_by is {grace}", do: []string{`UPDATE users SET created_by = {grace} WHERE id = {bob}`}},

		{invariant: "I5", how: "a place of nobody", where: "enrollments.user_id is 999", do: []string{`UPDATE enrollments SET user_id = 999 WHERE user_id = {grace}`}},
		{invariant: "I5", how: "an address of nobody", where: "emails.user_id is 999", do: []string{anEmail + `('x@uni.example', 999, '', TRUE, ` + then + `)`}},
		{invariant: "I5", how: "a role that is not there", where: "enrollments.role_id is 999", do: []string{`UPDATE enrollments SET role_id = 999 WHERE user_id = {grace}`}},
		{invariant: "I5", how: "a role of another course", where: "user {grace} in course {one}", do: []string{`UPDATE enrollments SET role_id = {student2} WHERE user_id = {grace}`}},
		{invariant: "I5", how: "two places in one course", where: "course {one} has user {grace} 2 times", table: "enrollments", constraints: []string{"enrollments_pkey"}, do: []string{
			anEnrollment + `({one}, {grace}, {student}, '', 1, ` + then + `)`,
			// SQLite's copy has no defaults.
			`UPDATE enrollments SET limited_to = '[]', number = '', by_hand = 1, import_id = 0 WHERE user_id = {grace}`,
		}},
		{invariant: "I5", how: "a course of a maker who is not there", where: "courses.created_by is 999", do: []string{`UPDATE courses SET created_by = 999 WHERE id = {other}`}},

		{invariant: "I6", how: "a request that was answered by half", where: "a request of user {ada}", do: []string{`UPDATE idempotency_keys SET answer = ''`}},

		{invariant: "I7", how: "a course without an owner", where: "course {other}", do: []string{`DELETE FROM enrollments WHERE course_id = {other}`}},
		{invariant: "I7", how: "a course whose owner has not arrived", where: "course {other}", do: []string{`UPDATE enrollments SET user_id = {grace} WHERE course_id = {other}`}},
		{invariant: "I7", how: "a course that another entry is about", where: "course {other}", do: []string{
			`DELETE FROM enrollments WHERE course_id = {other}`,
			anEntry + `(` + then + `, 1, 'user.update', 'done', {ada}, NULL, '{"orphaned_courses":[{one}]}')`,
		}},

		{invariant: "I8", how: "something given without an entry", where: "what user {bob} gave user {grace}", do: []string{`UPDATE course_privileges SET allow = '["roster.view","audit.view"]'`}},
		{invariant: "I8", how: "something given to oneself", where: "gave themselves", do: []string{`UPDATE course_privileges SET user_id = {bob}`}},
		{invariant: "I8", how: "something that the giver did not hold", where: "more than they held", do: []string{
			`UPDATE course_privileges SET allow = '["course.archive"]'`,
			anEntry + `((SELECT granted_at FROM course_privileges), {bob}, 'privileges.set', 'done', {grace}, {one}, '{"allow":["course.archive"],"deny":[]}')`,
		}},
		{invariant: "I8", how: "something given by somebody who had left", where: "more than they held", do: []string{
			`INSERT INTO audit_entries (at, actor_id, action, outcome, subject_id, course_id, before) VALUES (` + then + `, {ada}, 'enrollment.remove', 'done', {bob}, {one}, '{"role":"teacher"}')`,
			`UPDATE course_privileges SET allow = '["audit.view"]'`,
			anEntry + `((SELECT granted_at FROM course_privileges), {bob}, 'privileges.set', 'done', {grace}, {one}, '{"allow":["audit.view"],"deny":[]}')`,
		}},

		{invariant: "I9", how: "one event told twice", where: "mail ", table: "mails", constraints: []string{"mails_event_key"}, do: []string{aMail("'{}'", "sent"), aMail("'{}'", "sent")}},
		{invariant: "I9", how: "a code in mail that was sent", where: "mail ", do: []string{aMail(`'{"code":"x"}'`, "sent")}},

		{invariant: "I12", how: "an import that tells other numbers", where: "tells other numbers", do: []string{`UPDATE imports SET counts = '{"named":3}'`}},
		{invariant: "I12", how: "a row that is counted twice", where: "not counted once", do: []string{`UPDATE import_chunks SET counts = '{"named":3,"refused":1}'`}},
		{invariant: "I12", how: "a row that is lost", where: "of its rows are not", do: []string{`UPDATE imports SET row_count = 4`}},
		{invariant: "I12", how: "a place of an import that is not there", where: "which is not there", do: []string{`UPDATE enrollments SET import_id = 999 WHERE user_id = {grace}`}},

		{invariant: "I13", how: "an address of somebody who was erased", where: "user {erased}", do: []string{anEmail + `('y@uni.example', {erased}, '', TRUE, ` + then + `)`}},
		{invariant: "I13", how: "a session of somebody who was erased", where: "user {erased}", do: []string{strings.ReplaceAll(aSession, "{who}", "{erased}")}},
		{invariant: "I13", how: "a link of a directory to somebody who was erased", where: "leads to user {erased}", do: []string{
			aDirectory,
			`INSERT INTO directory_links (directory_id, issuer, claim, subject, user_id, linked_at) VALUES (1, 'https://id.example', 'sub', 's', {erased}, ` + then + `)`,
		}},
		{invariant: "I13", how: "an entry of a directory about somebody who was erased", where: "is of user {erased}", do: []string{
			aDirectory,
			`INSERT INTO directory_people (directory_id, user_id, external_id, suspended, created_at, changed_at) VALUES (1, {erased}, '', FALSE, ` + then + `, ` + then + `)`,
		}},
		{invariant: "I13", how: "an id that will be given again", where: "there is a user 5000", do: []string{
			`INSERT INTO users (id, kind, status, site_role, name, search_key, sort_key, created_by, created_at) VALUES (5000, 'service', 'active', 'member', 'x', '', '', 1, ` + then + `)`,
			`{forget}`,
		}},
	}
	forget := map[string]string{
		storetest.SQLite:     `UPDATE sqlite_sequence SET seq = 100 WHERE name = 'users'`,
		storetest.PostgreSQL: `SELECT setval('users_id_seq', 100)`,
	}
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		for _, way := range ways {
			t.Run(way.invariant+" "+way.how, func(t *testing.T) {
				db := storetest.New(t, db.Engine)
				st := db.Open(t)
				ids := sound(t, st)
				raw := db.Unguarded(t)
				// An address goes with whoever was erased.
				storetest.Exec(t, raw, ids.Replace(`DELETE FROM emails WHERE user_id = {erased}`))
				storetest.Invariants(t, st)
				steps := way.do
				if way.table != "" {
					steps = append(twice(db.Engine, way.table, way.constraints...), steps...)
				}
				for _, s := range steps {
					storetest.Exec(t, raw, strings.ReplaceAll(ids.Replace(s), "{forget}", forget[db.Engine]))
				}
				found := broken(t, st)
				var names []string
				for _, i := range found {
					names = append(names, i.Name)
				}
				if !slices.Equal(names, []string{way.invariant}) {
					t.Fatalf("found %+v", found)
				}
				i := found[0]
				where := ids.Replace(way.where)
				if i.Violations == 0 || !slices.ContainsFunc(i.Examples, func(e string) bool { return strings.Contains(e, where) }) {
					t.Errorf("%d times, %q; want %q", i.Violations, i.Examples, where)
				}
				if strings.Contains(strings.Join(i.Examples, ""), "@") {
					t.Errorf("an address is shown: %q", i.Examples)
				}
			})
		}
	})
}

func broken(t *testing.T, st *store.Store) []store.Invariant {
	t.Helper()
	var found [2][]store.Invariant
	for i := range found {
		list, err := st.CheckInvariants(ctx)
		if err != nil {
			t.Fatal(err)
		}
		found[i] = slices.DeleteFunc(list, func(i store.Invariant) bool { return i.Violations == 0 })
		if err := st.AsIfLarge(ctx, i == 0); err != nil {
			t.Fatal(err)
		}
	}
	if small, large := names(found[0]), names(found[1]); small != large {
		t.Errorf("all at once, these are broken: %s; in portions, these: %s", small, large)
	}
	return found[0]
}

// names are which invariants are broken, and how often.
func names(list []store.Invariant) string {
	var out []string
	for _, i := range list {
		out = append(out, fmt.Sprintf("%s %d times", i.Name, i.Violations))
	}
	return strings.Join(out, ", ")
}

func TestACourseWithoutAnOwnerIsFineWhenItIsOnRecord(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		id, _ := course(t, st, "Algorithms")
		if found := broken(t, st); len(found) != 1 || found[0].Name != "I7" {
			t.Fatalf("found %+v", found)
		}
		write(t, st, func(tx *store.Tx) error {
			return tx.AddAudit(ctx, lms.AuditEntry{
				At: now, ActorID: lms.SystemUserID, SubjectID: lms.SystemUserID, Action: "user.update", Outcome: lms.OutcomeDone,
				Before: json.RawMessage(`{}`), After: fmt.Appendf(nil, `{"orphaned_courses":[%d]}`, id),
			})
		})
		storetest.Invariants(t, st)
	})
}

// TestTheInvariantsAreCheckedInPortions has more rows than one portion holds: what is
// broken is found at the edges too, each once, and ten examples are given.
func TestTheInvariantsAreCheckedInPortions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		raw := db.Unguarded(t)
		const n = 45_000
		numbers := `WITH RECURSIVE numbers (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < ` + fmt.Sprint(n+1) + `) `
		storetest.Exec(t, raw, `INSERT INTO users (id, kind, status, site_role, search_key, sort_key, created_by, created_at)
			`+numbers+`SELECT n, 'person', 'pending', 'member', '', '', 1, `+then+` FROM numbers`)
		storetest.Exec(t, raw, `INSERT INTO emails (address, user_id, as_typed, is_primary, created_at)
			`+numbers+`SELECT 'p' || n || '@uni.example', n, '', TRUE, `+then+` FROM numbers`)
		if db.Engine == storetest.PostgreSQL {
			storetest.Exec(t, raw, `SELECT setval('users_id_seq', `+fmt.Sprint(n+1)+`)`)
		}
		storetest.Invariants(t, st)
		for _, id := range []int{2, 20_001, 20_002, 20_003, 40_001, 40_002, n + 1} {
			storetest.Exec(t, raw, `UPDATE users SET created_by = 999999 WHERE id = $1`, id)
		}
		storetest.Exec(t, raw, `DELETE FROM emails WHERE user_id > 30000`)
		got := map[string]store.Invariant{}
		for _, i := range broken(t, st) {
			got[i.Name] = i
		}
		if len(got) != 2 || got["I5"].Violations != 7 || got["I1"].Violations != n+1-30_000 {
			t.Errorf("found %d of I5 and %d of I1: %+v", got["I5"].Violations, got["I1"].Violations, got)
		}
		if got := got["I1"].Examples; len(got) != 10 || got[0] != "user 30001" {
			t.Errorf("examples %q", got)
		}
	})
}
