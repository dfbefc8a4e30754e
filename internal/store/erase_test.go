package store_test

import (
	"errors"
	"testing"
	"time"

	"matricula/internal/lms"
	"matricula/internal/store"
	"matricula/internal/store/storetest"
)

func eraseUser(t testing.TB, st *store.Store, id int64) (erased bool) {
	t.Helper()
	write(t, st, func(tx *store.Tx) (err error) {
		erased, err = tx.EraseUser(ctx, id, lms.SystemUserID, now)
		return err
	})
	return erased
}

func TestI13TheErasedStaySoAndTheirIdIsNeverGivenAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		id := active(t, st, "grace@uni.example")
		write(t, st, func(tx *store.Tx) error {
			_, err := tx.AddIdentity(ctx, "https://id.example", "grace", id, "grace@uni.example", now)
			return err
		})
		if !eraseUser(t, st, id) || eraseUser(t, st, id) || eraseUser(t, st, 1<<40) {
			t.Error("erasing does not tell whether it did")
		}
		if again := nameOne(t, st, "grace@uni.example"); again == id {
			t.Error("the id was given again")
		}
		for _, status := range []lms.UserStatus{lms.StatusActive, lms.StatusSuspended} {
			err := st.Write(ctx, func(_ ctxT, tx *store.Tx) error { return tx.SetStatus(ctx, id, status) })
			if !refusedBy(err, "an erased account stays erased") {
				t.Errorf("the erased became %s (%v)", status, err)
			}
		}
		err := st.Write(ctx, func(_ ctxT, tx *store.Tx) error {
			_, err := tx.AddIdentity(ctx, "https://id.example", "grace", id, "grace@uni.example", now)
			return err
		})
		if !refusedBy(err, "an erased account has no identity") {
			t.Errorf("an identity: %v", err)
		}
		if _, ok, err := st.Reader().User(ctx, id); ok || err != nil {
			t.Errorf("the erased is read as a user (%v)", err)
		}
		if u, ok, err := st.Reader().AnyUser(ctx, id); !ok || err != nil || u.DisplayName() != lms.Pseudonym(id) {
			t.Errorf("%+v (%v)", u, err)
		}
	})
}

func TestH08TheErasedAreNotFoundBySearching(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		id := active(t, st, "canarius@uni.example")
		write(t, st, func(tx *store.Tx) error {
			return tx.SetNames(ctx, lms.User{ID: id, Email: "canarius@uni.example"}, store.Names{Given: "Canaria", Family: "Birdsong"})
		})
		find := func(text string) int {
			list, err := st.Reader().Directory(ctx, store.DirectoryQuery{Search: text, All: true, Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			return len(list)
		}
		if find("canaria") != 1 || find("birdsong") != 1 {
			t.Fatal("the person is not found before")
		}
		eraseUser(t, st, id)
		for _, text := range []string{"canaria", "birdsong", "canarius@", "bi"} {
			if n := find(text); n != 0 {
				t.Errorf("%q finds %d", text, n)
			}
		}
		if db.Engine == storetest.SQLite {
			if n := storetest.Query1[int](t, db.SQL(t), `SELECT count(*) FROM user_search WHERE user_search MATCH '"canari"'`); n != 0 {
				t.Error("the index still finds the name")
			}
		}
	})
}

// The audit is only added to. What erasing may take out is what an entry says about
// whoever was erased.
func TestErasingTakesTextsOutOfTheAuditAndNothingElse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		raw := db.SQL(t)
		grace, other := active(t, st, "grace@uni.example"), active(t, st, "other@uni.example")
		write(t, st, func(tx *store.Tx) error {
			e := lms.AuditEntry{At: now, ActorID: other, Action: "enrollment.change", Outcome: lms.OutcomeDone, After: []byte(`{"role":"student","student_number":"4711"}`)}
			for _, subject := range []int64{grace, other} {
				e.SubjectID = subject
				if err := tx.AddAudit(ctx, e); err != nil {
					return err
				}
			}
			return nil
		})
		eraseUser(t, st, grace)
		if got := storetest.Query1[string](t, raw, `SELECT after FROM audit_entries WHERE subject_id = $1`, grace); got != `{"role":"student"}` {
			t.Errorf("the entry about the erased says %s", got)
		}
		if got := storetest.Query1[string](t, raw, `SELECT after FROM audit_entries WHERE subject_id = $1`, other); got != `{"role":"student","student_number":"4711"}` {
			t.Errorf("the entry about another says %s", got)
		}
		for what, args := range map[string][]any{
			`UPDATE audit_entries SET after = '{}' WHERE subject_id = $1`:                              {other},
			`UPDATE audit_entries SET actor_id = $2 WHERE subject_id = $1`:                             {grace, grace},
			`UPDATE audit_entries SET subject_id = $2 WHERE subject_id = $1`:                           {grace, other},
			`UPDATE audit_entries SET action = 'x', after = '{}' WHERE subject_id = $1`:                {grace},
			`UPDATE audit_entries SET outcome = 'refused' WHERE subject_id = $1`:                       {grace},
			`UPDATE audit_entries SET at = at, course_id = NULL, id = id + 1000 WHERE subject_id = $1`: {grace},
			`DELETE FROM audit_entries WHERE subject_id = $1`:                                          {grace},
		} {
			if _, err := raw.Exec(what, args...); !refusedBy(err, "audit entries are only added") {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

// E-01's sibling: erasing is one transaction.
func TestE01ErasingIsWhollyThereOrNotAtAll(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		id := active(t, st, "grace@uni.example")
		write(t, st, func(tx *store.Tx) error {
			_, err := tx.AddSession(ctx, []byte("hash"), lms.Session{UserID: id, CreatedAt: now, ExpiresAt: now.Add(time.Hour)})
			return err
		})
		dead := errors.New("the node died")
		err := st.Write(ctx, func(_ ctxT, tx *store.Tx) error {
			if _, err := tx.EraseUser(ctx, id, lms.SystemUserID, now); err != nil {
				return err
			}
			return dead
		})
		if !errors.Is(err, dead) {
			t.Fatal(err)
		}
		u, ok, err := st.Reader().User(ctx, id)
		if err != nil || !ok || u.Email != "grace@uni.example" || u.Status != lms.StatusActive {
			t.Errorf("%+v %v (%v)", u, ok, err)
		}
		if _, _, ok, err := st.Reader().Session(ctx, []byte("hash"), now); !ok || err != nil {
			t.Errorf("the session is gone (%v)", err)
		}
		if list, err := st.Reader().Directory(ctx, store.DirectoryQuery{Search: "grace", All: true, Limit: 10}); err != nil || len(list) != 1 {
			t.Errorf("found %d (%v)", len(list), err)
		}
	})
}
