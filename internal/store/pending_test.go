package store_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"matricula/internal/lms"
	"matricula/internal/store"
	"matricula/internal/store/storetest"
)

func TestWhoIsHeldElsewhereIsLeftAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		ctx := context.Background()
		st := db.Open(t)
		now := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
		ids := make([]int64, 2)
		write := func(fn func(ctx context.Context, tx *store.Tx) error) {
			t.Helper()
			if err := st.Write(ctx, fn); err != nil {
				t.Fatal(err)
			}
		}
		write(func(ctx context.Context, tx *store.Tx) error {
			named, err := tx.NamePeople(ctx, lms.SystemUserID, now, []store.Naming{{Address: "a@uni.example"}, {Address: "b@uni.example"}})
			ids[0], ids[1] = named["a@uni.example"].UserID, named["b@uni.example"].UserID
			return err
		})
		if db.Engine == storetest.SQLite { // whose one writer holds everybody
			write(func(ctx context.Context, tx *store.Tx) error {
				free, err := tx.HoldFree(ctx, ids)
				if !slices.Equal(free, ids) {
					t.Errorf("free are %v, want %v", free, ids)
				}
				return err
			})
			return
		}
		write(func(ctx context.Context, tx *store.Tx) error {
			if err := tx.HoldPeople(ctx, ids[:1]); err != nil {
				return err
			}
			write(func(ctx context.Context, tx *store.Tx) error {
				free, err := tx.HoldFree(ctx, ids)
				if !slices.Equal(free, ids[1:]) {
					t.Errorf("free are %v, want %v", free, ids[1:])
				}
				return err
			})
			return nil
		})
		// Whoever is being named is not free either.
		write(func(ctx context.Context, tx *store.Tx) error {
			if _, err := tx.NamePeople(ctx, lms.SystemUserID, now, []store.Naming{{Address: "b@uni.example"}}); err != nil {
				return err
			}
			write(func(ctx context.Context, tx *store.Tx) error {
				free, err := tx.HoldFree(ctx, ids)
				if !slices.Equal(free, ids[:1]) {
					t.Errorf("free are %v, want %v", free, ids[:1])
				}
				return err
			})
			return nil
		})
	})
}

func TestAPersonIsDueOnceNobodyHasNamedThemForLong(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		ctx := context.Background()
		st := db.Open(t)
		now := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
		var id int64
		write := func(fn func(ctx context.Context, tx *store.Tx) error) {
			t.Helper()
			if err := st.Write(ctx, fn); err != nil {
				t.Fatal(err)
			}
		}
		due := func(since time.Time) bool {
			t.Helper()
			list, err := st.Reader().PendingDue(ctx, since, 0, 10)
			if err != nil {
				t.Fatal(err)
			}
			return slices.Contains(list, id)
		}
		write(func(ctx context.Context, tx *store.Tx) error {
			named, err := tx.NamePeople(ctx, lms.SystemUserID, now, []store.Naming{{Address: "a@uni.example"}})
			id = named["a@uni.example"].UserID
			return err
		})
		if !due(now) || due(now.Add(-time.Microsecond)) {
			t.Error("not due exactly when they were named")
		}
		later := now.Add(time.Hour)
		write(func(ctx context.Context, tx *store.Tx) error { return tx.Renew(ctx, []int64{id}, later, now) })
		if !due(now) {
			t.Error("renewed although they were not named before the bound")
		}
		write(func(ctx context.Context, tx *store.Tx) error { return tx.Renew(ctx, []int64{id}, later, later) })
		if due(now) || !due(later) {
			t.Error("not renewed")
		}
		var taken bool
		write(func(ctx context.Context, tx *store.Tx) (err error) {
			if _, err := tx.NamePeople(ctx, lms.SystemUserID, now, []store.Naming{{Address: "b@uni.example"}}); err != nil {
				return err
			}
			u, _, err := tx.User(ctx, id)
			if err != nil {
				return err
			}
			if taken, err = tx.CorrectAddress(ctx, u, "c@uni.example", "C@uni.example", now); taken || err != nil {
				return err
			}
			won, err := tx.Claim(ctx, id, "a@uni.example", store.Names{}, now)
			if won {
				t.Error("the old address claims")
			}
			return err
		})
		if u, _, err := st.Reader().User(ctx, id); err != nil || u.Email != "c@uni.example" || taken {
			t.Errorf("corrected to %s, taken %v (%v)", u.Email, taken, err)
		}
		err := st.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
			u, _, err := tx.User(ctx, id)
			if err != nil {
				return err
			}
			if taken, err = tx.CorrectAddress(ctx, u, "b@uni.example", "b@uni.example", now); taken {
				return lms.Errorf(lms.CodeConflict, "address-taken", "It is taken.")
			}
			return err
		})
		if lms.TypeOf(err) != "address-taken" || !taken {
			t.Errorf("an address that somebody has: %v", err)
		}
	})
}
