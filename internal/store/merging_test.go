package store_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"matricula/internal/lms"
	"matricula/internal/store"
	"matricula/internal/store/storetest"
)

// everywhere refers to a person from each column that moves, in rows of which the
// values are right for nothing else. $1 is the person, $2 a course, $3 somebody else.
var everywhere = []string{
	`INSERT INTO identities (issuer, subject, user_id, email_at_link, linked_at, last_used_at) VALUES ('https://id.example', 'gone', $1, 'g@uni.example', $4, $4)`,
	`INSERT INTO past_places (course_id, user_id, role_key, role_name, is_preset, allow, deny, added_by, began_at, ended_by, ended_at) VALUES ($2, $1, 'student', 'Student', TRUE, '[]', '[]', $1, $4, $1, $4)`,
	`INSERT INTO past_places (course_id, user_id, role_key, role_name, is_preset, allow, deny, added_by, began_at, ended_by, ended_at) VALUES ($2, $3, 'student', 'Student', TRUE, '[]', '[]', $1, $4, $1, $4)`,
	`INSERT INTO users (kind, status, site_role, search_key, sort_key, created_by, created_at, merged_into) VALUES ('person', 'erased', 'member', '', '', 1, $4, $1)`,
	`UPDATE users SET created_by = $1 WHERE id = $3`,
	`UPDATE courses SET created_by = $1 WHERE id = $2`,
	`UPDATE enrollments SET added_by = $1 WHERE course_id = $2`,
	`UPDATE course_privileges SET granted_by = $1 WHERE course_id = $2`,
	`INSERT INTO sections (course_id, name, name_key, created_by, created_at) VALUES ($2, 'A', 'a', $1, $4)`,
	`INSERT INTO terms (name, name_key, begins_on, ends_on, created_by, created_at) VALUES ('2026', '2026', '2026-01-01', '2026-12-31', $1, $4)`,
	`INSERT INTO announcements (course_id, title, body, pinned, publish_at, author_id, created_at) VALUES ($2, 'x', 'x', FALSE, $4, $1, $4)`,
	`INSERT INTO imports (course_id, created_by, created_at, name, fingerprint, state, options, heading, columns, row_count, chunk_count, done_count, counts, new_sections, started_by, undone_by, leased_until, turn_at)
		VALUES ($2, $1, $4, 'x', 'x', 'done', '{}', '[]', '[]', 0, 0, 0, '{}', '[]', $1, $1, $4, $4)`,
	`INSERT INTO import_columns (course_id, fingerprint, columns, chosen_by, chosen_at) VALUES ($2, 'x', '[]', $1, $4)`,
	`INSERT INTO sources (name, kind, place, role, every_minutes, exact, brake, enabled, created_by, created_at, next_at, leased_until) VALUES ('SIS', 'upload', '', 'student', 0, FALSE, 10, TRUE, $1, $4, $4, $4)`,
	`INSERT INTO source_runs (source_id, started_by, started_at, state, name, fingerprint, counts, people, courses, notes) SELECT id, $1, $4, 'done', 'x', 'x', '{}', 0, 0, '[]' FROM sources`,
	`INSERT INTO sourced_ids (source_id, kind, sourced_id, local_id) SELECT id, 'user', 'u1', $1 FROM sources`,
	`INSERT INTO sourced_ids (source_id, kind, sourced_id, local_id) SELECT id, 'course', 'c1', $1 FROM sources`, // a course that happens to have the number
	`INSERT INTO merges (kept_id, gone_id, was, state, asked_by, asked_at, done_by, ended_by, expires_at) VALUES ($3, 1, 'active', 'withdrawn', $1, $4, $1, $1, $4)`,
	`INSERT INTO mails (kind, user_id, address, event, language, data, state, created_by, created_at, next_at, leased_until) VALUES ('named', $1, 'g@uni.example', 'named:1', '', '{}', 'sent', $1, $4, $4, $4)`,
	`INSERT INTO notices (user_id, course_id, told_by, answer_hash, created_at) VALUES ($1, $2, $1, 'x', $4)`,
	`INSERT INTO directories (account_id, issuer, claim, by_external_id, makes_courses, created_at) VALUES (1, '', 'sub', FALSE, FALSE, $4)`,
	`INSERT INTO directory_people (directory_id, user_id, external_id, suspended, created_at, changed_at) VALUES (1, $1, 'e1', FALSE, $4, $4)`,
	`INSERT INTO directory_links (directory_id, issuer, claim, subject, user_id, linked_at) VALUES (1, 'https://id.example', 'sub', 'other', $1, $4)`,
	`INSERT INTO gone_people (user_id, gone_at, gone_by, expired, address_hash, masked) VALUES (1, $4, $1, FALSE, '', '')`,
	`INSERT INTO erasure_requests (user_id, state, note, asked_at, decided_by) VALUES ($3, 'refused', '', $4, $1)`,
	`INSERT INTO limits (name, amount, set_by, set_at) VALUES ('naming-person', 5, $1, $4)`,
	`INSERT INTO limit_lifts (limit_name, user_id, subject, reason, lifted_by, lifted_at, until_at, ended_by) VALUES ('naming-person', $1, '', '', $1, $4, $4, $1)`,
	`INSERT INTO claim_requests (requester_id, waits_id, address, masked, state, asked_at, expires_at, decided_by) VALUES ($3, 1, 'g@uni.example', '', 'refused', $4, $4, $1)`,
	`INSERT INTO claim_decisions (request_id, course_id, approved, decided_by, decided_at) SELECT id, $2, FALSE, $1, $4 FROM claim_requests`,
	`INSERT INTO distinct_people (one_id, other_id, said_by, said_at) VALUES (1, $3, $1, $4)`,
	`INSERT INTO webhooks (owned_by, url, description, events, enabled, salt, created_at, next_at, leased_until) VALUES ($1, 'https://x.example', '', '[]', TRUE, 'x', $4, $4, $4)`,
}

// pointing counts the rows that refer to a person, by the name of the reference.
func pointing(t *testing.T, raw *sql.DB, person int64) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, r := range store.References {
		where := r.Column + ` = $1`
		if r.Where != "" {
			where += ` AND ` + r.Where
		}
		if n := storetest.Query1[int](t, raw, `SELECT count(*) FROM `+r.Table+` WHERE `+where, person); n > 0 {
			counts[r.Name()] = n
		}
	}
	return counts
}

func tableOf(t *testing.T, db *storetest.Database, raw *sql.DB, table string) string {
	t.Helper()
	var columns []string
	for _, c := range db.Columns(t, raw) {
		if c.Table == table {
			columns = append(columns, `coalesce(CAST(`+c.Name+` AS TEXT), 'NULL')`)
		}
	}
	rows, err := raw.Query(`SELECT ` + strings.Join(columns, ` || '|' || `) + ` FROM ` + table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestI5EveryReferenceMovesWhenTwoAreMergedAndComesBack has a row for each column of
// the registry that moves, so that a column that is written there wrongly is found.
func TestI5EveryReferenceMovesWhenTwoAreMergedAndComesBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		raw := db.SQL(t)
		gone, kept, other := active(t, st, "gone@uni.example"), active(t, st, "kept@uni.example"), active(t, st, "other@uni.example")
		id, roles := course(t, st, "Algorithms")
		enroll(t, st, roles["teacher"], gone, other)
		write(t, st, func(tx *store.Tx) error {
			return tx.SetGrant(ctx, lms.Grant{UserID: other, CourseID: id, Allow: lms.SetOf(lms.AuditView), GrantedBy: lms.SystemUserID, GrantedAt: now})
		})
		stamp := now.Format("2006-01-02 15:04:05.999999-07:00")
		for _, statement := range everywhere {
			// Each engine takes only the parameters that a statement names.
			args := []any{gone, id, other, stamp}
			for i := len(args); i > 0; i-- {
				statement = strings.ReplaceAll(statement, fmt.Sprint("$", i), fmt.Sprintf("'%v'", args[i-1]))
			}
			storetest.Exec(t, raw, strings.NewReplacer(fmt.Sprintf("'%d'", gone), fmt.Sprint(gone), fmt.Sprintf("'%d'", id), fmt.Sprint(id), fmt.Sprintf("'%d'", other), fmt.Sprint(other)).Replace(statement))
		}
		before := pointing(t, raw, gone)
		for _, r := range store.References {
			if r.Fate == store.FateMoves && before[r.Name()] == 0 {
				t.Errorf("no row refers to them from %s: add one to this test", r.Name())
			}
		}
		tables := map[string]string{}
		for _, r := range store.References {
			tables[r.Table] = tableOf(t, db, raw, r.Table)
		}

		m := lms.Merge{Was: lms.StatusActive, AskedAt: now, Expires: now.Add(time.Hour)}
		m.AskedBy.ID = lms.SystemUserID
		var counts []store.PartCount
		write(t, st, func(tx *store.Tx) error {
			var err error
			if m.Kept, _, err = tx.User(ctx, kept); err != nil {
				return err
			}
			if m.Gone, _, err = tx.User(ctx, gone); err != nil {
				return err
			}
			if m.ID, _, err = tx.AddMerge(ctx, m); err != nil {
				return err
			}
			members, err := tx.MembersByID(ctx, id, []int64{gone, kept})
			if err != nil {
				return err
			}
			p := store.PlaceUnion{CourseID: id, Gone: members[0], Kept: members[1], MergedPlace: lms.MergePlaces(&members[1], &members[0], now)}
			counts, err = tx.CarryOutMerge(ctx, store.Merging{Merge: m, Places: []store.PlaceUnion{p}, By: lms.SystemUserID, Now: now, Until: now.Add(time.Hour)})
			return err
		})
		for name, n := range pointing(t, raw, gone) {
			if i := slices.IndexFunc(store.References, func(r store.Reference) bool { return r.Name() == name }); store.References[i].Fate != store.FateStays {
				t.Errorf("%d rows of %s still refer to them", n, name)
			}
		}
		told := map[string]int64{}
		for _, c := range counts {
			told[c.Part] = c.Rows
		}
		for name, n := range pointing(t, raw, kept) {
			if name == "users.merged_into" {
				n-- // who is gone is one of these now
			}
			if before[name] > 0 && name != "emails.user_id" && told[name] != int64(n) {
				t.Errorf("%d rows of %s refer to the kept person, and %d were told", n, name, told[name])
			}
		}
		if n := storetest.Query1[int](t, raw, `SELECT count(*) FROM sourced_ids WHERE kind = 'course' AND local_id = $1`, gone); n != 1 {
			t.Error("a course with the number of the person was moved")
		}
		write(t, st, func(tx *store.Tx) error {
			m, _, err := tx.Merge(ctx, m.ID)
			if err != nil {
				return err
			}
			plan, err := tx.PlanSplit(ctx, m)
			if err != nil {
				return err
			}
			if len(plan.Stay) > 0 {
				t.Errorf("these would stay: %v", plan.Stay)
			}
			return tx.SplitMerge(ctx, m, plan, lms.SystemUserID, now)
		})
		storetest.Exec(t, raw, `DELETE FROM merges WHERE id = `+fmt.Sprint(m.ID))
		for table, was := range tables {
			if is := tableOf(t, db, raw, table); is != was {
				t.Errorf("%s was\n%s\nand is\n%s", table, was, is)
			}
		}
	})
}
