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

// refusedBy tells whether an error is one of the database's own refusals.
func refusedBy(err error, reason string) bool {
	return err != nil && strings.Contains(err.Error(), reason)
}

func TestC20APendingPersonHoldsNothingAndDoesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		ada := active(t, st, "ada@uni.example")
		pending := nameOne(t, st, "grace@uni.example")
		id, roles := course(t, st, "Algorithms")
		student := nameOne(t, st, "student@uni.example")
		entry := func(actor int64) lms.AuditEntry {
			return lms.AuditEntry{At: now, ActorID: actor, Action: "course.create", Outcome: lms.OutcomeDone, SubjectID: student, CourseID: id}
		}
		const cannotAct = "a pending person cannot act"
		things := []struct {
			name, reason string
			do           func(tx *store.Tx, who int64) error
		}{
			{"have a session", "only an active person has sessions", func(tx *store.Tx, who int64) error {
				_, err := tx.AddSession(ctx, fmt.Append(nil, "session of ", who), lms.Session{UserID: who, CreatedAt: now, ExpiresAt: now.Add(time.Hour)})
				return err
			}},
			{"be signed in to a program", "only an active person has sessions", func(tx *store.Tx, who int64) error {
				k := store.ProgramKeys{Family: fmt.Append(nil, "family of ", who), Refresh: []byte("r"), Access: fmt.Append(nil, "access of ", who), AccessUntil: now.Add(time.Minute)}
				_, err := tx.AddProgram(ctx, k, lms.Session{UserID: who, CreatedAt: now, ExpiresAt: now.Add(time.Hour), Program: "app"})
				return err
			}},
			{"have an API token", "only an active user has tokens", func(tx *store.Tx, who int64) error {
				_, err := tx.AddToken(ctx, fmt.Append(nil, "token of ", who), lms.APIToken{UserID: who, CreatedAt: now})
				return err
			}},
			{"be an actor in the audit", cannotAct, func(tx *store.Tx, who int64) error {
				return tx.AddAudit(ctx, entry(who))
			}},
			{"be the actor of many audit entries", cannotAct, func(tx *store.Tx, who int64) error {
				return tx.AddAuditMany(ctx, entry(who), []lms.AuditEntry{{SubjectID: student}, {SubjectID: ada}})
			}},
			{"enroll anybody", cannotAct, func(tx *store.Tx, who int64) error {
				e := lms.Enrollment{CourseID: id, Role: roles["student"], Source: lms.SourceManual, AddedBy: who, CreatedAt: now}
				_, err := tx.Enroll(ctx, []int64{student}, e)
				return err
			}},
			{"grant anything", cannotAct, func(tx *store.Tx, who int64) error {
				return tx.SetGrant(ctx, lms.Grant{UserID: student, CourseID: id, Allow: lms.SetOf(lms.RosterView), GrantedBy: who, GrantedAt: now})
			}},
			{"change what was granted", cannotAct, func(tx *store.Tx, who int64) error {
				g := lms.Grant{UserID: student, CourseID: id, Allow: lms.SetOf(lms.RosterView), GrantedBy: ada, GrantedAt: now}
				if err := tx.SetGrant(ctx, g); err != nil {
					return err
				}
				g.GrantedBy = who
				return tx.SetGrant(ctx, g)
			}},
			{"ask whether two people are one", cannotAct, func(tx *store.Tx, who int64) error {
				m := lms.Merge{Kept: lms.User{ID: student}, Gone: lms.User{ID: lms.SystemUserID}, Was: lms.StatusActive, AskedBy: lms.User{ID: who}, AskedAt: now, Expires: now}
				_, _, err := tx.AddMerge(ctx, m)
				return err
			}},
			{"tell two people apart", cannotAct, func(tx *store.Tx, who int64) error {
				_, err := tx.Dismiss(ctx, student, lms.SystemUserID, who, now)
				return err
			}},
			{"have an identity", "a pending person has no identity", func(tx *store.Tx, who int64) error {
				_, err := tx.AddIdentity(ctx, "https://id.example", fmt.Sprint(who), who, "x@uni.example", now)
				return err
			}},
		}
		for _, thing := range things {
			do := func(who int64) error {
				return st.Write(ctx, func(_ ctxT, tx *store.Tx) error { return thing.do(tx, who) })
			}
			if err := do(pending); !refusedBy(err, thing.reason) {
				t.Errorf("a pending person can %s (%v)", thing.name, err)
			}
			if err := do(ada); err != nil {
				t.Errorf("an active person cannot %s: %v", thing.name, err)
			}
		}
	})
}

func TestI3ASuspendedPersonGetsNoSessionAndNoToken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		id := active(t, st, "ada@uni.example")
		write(t, st, func(tx *store.Tx) error { return tx.SetStatus(ctx, id, lms.StatusSuspended) })
		err := st.Write(ctx, func(_ ctxT, tx *store.Tx) error {
			_, err := tx.AddSession(ctx, []byte("hash"), lms.Session{UserID: id, CreatedAt: now, ExpiresAt: now.Add(time.Hour)})
			return err
		})
		if !refusedBy(err, "only an active person has sessions") {
			t.Errorf("a session: %v", err)
		}
		err = st.Write(ctx, func(_ ctxT, tx *store.Tx) error {
			_, err := tx.AddToken(ctx, []byte("hash"), lms.APIToken{UserID: id, CreatedAt: now})
			return err
		})
		if !refusedBy(err, "only an active user has tokens") {
			t.Errorf("a token: %v", err)
		}
	})
}

func TestAServiceAccountNeverHasASession(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		err := db.Open(t).Write(ctx, func(_ ctxT, tx *store.Tx) error {
			_, err := tx.AddSession(ctx, []byte("hash"), lms.Session{UserID: lms.SystemUserID, CreatedAt: now, ExpiresAt: now.Add(time.Hour)})
			return err
		})
		if !refusedBy(err, "only an active person has sessions") {
			t.Errorf("got %v", err)
		}
	})
}

func TestA50AClaimedAccountNeverBecomesPendingAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		raw := db.SQL(t)
		for _, from := range []lms.UserStatus{lms.StatusActive, lms.StatusSuspended, lms.StatusErased} {
			id := active(t, st, string(from)+"@uni.example")
			write(t, st, func(tx *store.Tx) error { return tx.SetStatus(ctx, id, from) })
			err := st.Write(ctx, func(_ ctxT, tx *store.Tx) error { return tx.SetStatus(ctx, id, lms.StatusPending) })
			if !refusedBy(err, "a claimed account cannot become pending again") {
				t.Errorf("from %s, the store: %v", from, err)
			}
			for _, set := range []string{"status = 'pending'", "claimed_at = NULL", "status = 'pending', claimed_at = NULL"} {
				if _, err := raw.Exec(`UPDATE users SET `+set+` WHERE id = $1`, id); !refusedBy(err, "a claimed account cannot become pending again") {
					t.Errorf("from %s, set %s: %v", from, set, err)
				}
			}
			if got := storetest.Query1[string](t, raw, `SELECT status FROM users WHERE id = $1`, id); got != string(from) {
				t.Errorf("it was %s and is %s", from, got)
			}
		}
	})
}

func TestNobodyIsActiveWithoutHavingClaimed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		id := nameOne(t, st, "grace@uni.example")
		if err := st.Write(ctx, func(_ ctxT, tx *store.Tx) error { return tx.SetStatus(ctx, id, lms.StatusActive) }); err == nil {
			t.Error("a pending person became active without a claim")
		}
	})
}

func TestAuditEntriesAreOnlyAdded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		write(t, st, func(tx *store.Tx) error {
			return tx.AddAudit(ctx, lms.AuditEntry{At: now, ActorID: lms.SystemUserID, SubjectID: lms.SystemUserID, Action: "user.name", Outcome: lms.OutcomeDone})
		})
		raw := db.SQL(t)
		for _, statement := range []string{
			`UPDATE audit_entries SET action = 'nothing'`, `DELETE FROM audit_entries`, `DELETE FROM audit_entries WHERE id = 1`,
			`UPDATE audit_entries SET actor_id = actor_id`,
		} {
			if _, err := raw.Exec(statement); !refusedBy(err, "audit entries are only added") {
				t.Errorf("%s: %v", statement, err)
			}
		}
		if db.Engine == storetest.PostgreSQL {
			if _, err := raw.Exec(`TRUNCATE audit_entries`); !refusedBy(err, "audit entries are only added") {
				t.Errorf("TRUNCATE: %v", err)
			}
		}
		if got := storetest.Query1[string](t, raw, `SELECT action FROM audit_entries`); got != "user.name" {
			t.Errorf("the entry says %q", got)
		}
	})
}

// TestI5EveryReferenceToAPersonIsDeclaredAndNeverNull reads the schema of both
// engines: whatever column by its name says that it holds a person is a
// declared foreign key to users, none may be null, and both engines agree.
func TestI5EveryReferenceToAPersonIsDeclaredAndNeverNull(t *testing.T) {
	found := map[string][]string{}
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		raw := db.SQL(t)
		declared := map[string]bool{}
		for _, c := range db.References(t, raw, "users") {
			declared[c.String()] = true
			found[db.Engine] = append(found[db.Engine], c.String())
			// Most people were never merged into anybody, and the column names nobody
			// who is meant by the row.
			if c.Nullable && c.String() != "users.merged_into" {
				t.Errorf("%s refers to a person and may be null", c)
			}
		}
		for _, c := range db.Columns(t, raw) {
			person := strings.HasSuffix(c.Name, "user_id") || strings.HasSuffix(c.Name, "_by") ||
				slices.Contains([]string{"actor_id", "subject_id", "person_id", "owner_id"}, c.Name)
			if person && !declared[c.String()] {
				t.Errorf("%s names a person without a declared foreign key to users", c)
			}
		}
		for _, want := range []string{
			"audit_entries.actor_id", "audit_entries.subject_id", "course_privileges.granted_by", "course_privileges.user_id",
			"courses.created_by", "emails.user_id", "enrollments.added_by", "enrollments.user_id", "sessions.user_id", "users.created_by",
		} {
			if !declared[want] {
				t.Errorf("%s is not found: does the test still read the schema?", want)
			}
		}
	})
	if a, b := found[storetest.SQLite], found[storetest.PostgreSQL]; !slices.Equal(a, b) {
		t.Errorf("the engines differ:\nSQLite     %v\nPostgreSQL %v", a, b)
	}
}

func TestBothEnginesHaveTheSameTablesAndColumns(t *testing.T) {
	found := map[string][]string{}
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		for _, c := range db.Columns(t, db.SQL(t)) {
			found[db.Engine] = append(found[db.Engine], fmt.Sprintf("%v nullable=%v", c, c.Nullable && !primary(c)))
		}
	})
	a, b := found[storetest.SQLite], found[storetest.PostgreSQL]
	for _, x := range a {
		if !slices.Contains(b, x) {
			t.Errorf("only SQLite has %s", x)
		}
	}
	for _, x := range b {
		if !slices.Contains(a, x) {
			t.Errorf("only PostgreSQL has %s", x)
		}
	}
}

// primary tells of a column that is never null because it is the primary key,
// which SQLite's table_info does not say.
func primary(c storetest.Column) bool {
	return c.Name == "id" || c.Name == "address" || strings.HasSuffix(c.Name, "_hash") || c.Table == "secrets"
}

func TestI5NoReferenceToAPersonCanDangle(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		id, roles := course(t, st, "Algorithms")
		grace := nameOne(t, st, "grace@uni.example")
		enroll(t, st, roles["student"], grace)
		const nobody = 999_999
		err := st.Write(ctx, func(_ ctxT, tx *store.Tx) error {
			e := lms.Enrollment{CourseID: id, Role: roles["student"], AddedBy: nobody, CreatedAt: now}
			_, err := tx.Enroll(ctx, []int64{lms.SystemUserID}, e)
			return err
		})
		if err == nil {
			t.Error("somebody who does not exist could add a person")
		}
		raw := db.SQL(t)
		for _, statement := range []string{`DELETE FROM users WHERE id = $1`, `UPDATE users SET id = 4711 WHERE id = $1`} {
			if res, err := raw.Exec(statement, grace); err == nil {
				n, _ := res.RowsAffected()
				t.Errorf("%s: %d rows, although an enrollment refers to her", statement, n)
			}
		}
		if _, err := raw.Exec(`DELETE FROM courses WHERE id = $1`, id); err == nil {
			t.Error("a course with people in it could be deleted")
		}
	})
}

func TestAWriteThatFailsLeavesNothingBehind(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		changes := db.WatchChanges(t)
		var inside int64
		err := st.Write(ctx, func(_ ctxT, tx *store.Tx) error {
			named, err := tx.NamePeople(ctx, lms.SystemUserID, now, []store.Naming{{Address: "grace@uni.example"}})
			if err != nil {
				return err
			}
			inside = named["grace@uni.example"].UserID
			if _, ok, err := tx.User(ctx, inside); !ok || err != nil {
				t.Errorf("the transaction does not see what it wrote: %v", err)
			}
			return sql.ErrNoRows // whatever error
		})
		if err == nil || inside == 0 {
			t.Fatalf("id %d, error %v", inside, err)
		}
		if got := changes(); len(got) != 0 {
			t.Errorf("left behind: %v", got)
		}
		if _, ok, err := st.Reader().UserByAddress(ctx, "grace@uni.example"); ok || err != nil {
			t.Errorf("the person is there (%v)", err)
		}
		// The search index forgot her, too.
		got, err := st.Reader().Directory(ctx, store.DirectoryQuery{Search: "grace", All: true, Limit: 10})
		if err != nil || len(got) != 0 {
			t.Errorf("the search finds %v (%v)", got, err)
		}
	})
}
