package store_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"matricula/internal/lms"
	"matricula/internal/store"
	"matricula/internal/store/storetest"
)

func useOf(limit lms.LimitName, user int64, subject string, n int64, from time.Time) store.Use {
	return store.Use{Limit: limit, UserID: user, Subject: subject, N: n, Until: from.Add(time.Hour)}
}

func countUses(t testing.TB, st *store.Store, at time.Time, list ...store.Use) []store.Used {
	t.Helper()
	var out []store.Used
	write(t, st, func(tx *store.Tx) (err error) {
		out, err = tx.CountUses(ctx, list, at)
		return err
	})
	return out
}

func TestUsesAreCountedWithinAPeriodThatBeginsWithTheFirst(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		ada := active(t, st, "ada@uni.example")
		own, other := useOf(lms.LimitNamingPerson, ada, "", 3, now), useOf(lms.LimitNamingDomain, lms.SystemUserID, "mail.example", 2, now)
		first := countUses(t, st, now, other, own)
		if len(first) != 2 {
			t.Fatalf("%+v", first)
		}
		for _, u := range first {
			if u.Used != u.N || !u.Ends.Equal(now.Add(time.Hour)) || u.Amount != 0 || u.Lifted {
				t.Errorf("the first: %+v", u)
			}
		}
		half := now.Add(30 * time.Minute)
		if u := countUses(t, st, half, useOf(lms.LimitNamingPerson, ada, "", 4, half))[0]; u.Used != 7 || !u.Ends.Equal(now.Add(time.Hour)) {
			t.Errorf("within the period: %+v", u)
		}
		read, err := st.Reader().Uses(ctx, []store.Use{own, useOf(lms.LimitNamingPerson, ada, "x", 1, now)}, half)
		if err != nil || len(read) != 2 || read[0].Used+read[1].Used != 7 {
			t.Errorf("read: %+v (%v)", read, err)
		}
		over := now.Add(time.Hour)
		if u := countUses(t, st, over, useOf(lms.LimitNamingPerson, ada, "", 1, over))[0]; u.Used != 1 || !u.Ends.Equal(over.Add(time.Hour)) {
			t.Errorf("the next period: %+v", u)
		}
		// What is rolled back was never used.
		stop := errors.New("stop")
		err = st.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.CountUses(ctx, []store.Use{useOf(lms.LimitNamingPerson, ada, "", 5, over)}, over)
			return errors.Join(err, stop)
		})
		if read, err2 := st.Reader().Uses(ctx, []store.Use{own}, over); !errors.Is(err, stop) || err2 != nil || read[0].Used != 1 {
			t.Errorf("rolled back: %+v (%v, %v)", read, err, err2)
		}
		write(t, st, func(tx *store.Tx) error {
			if err := tx.PutLimit(ctx, store.SetLimit{Name: lms.LimitNamingPerson, Amount: 9, SetBy: ada, SetAt: now}); err != nil {
				return err
			}
			_, err := tx.AddLift(ctx, lms.LimitLift{Limit: lms.LimitNamingPerson, UserID: ada, LiftedBy: ada, LiftedAt: now, Until: over.Add(time.Minute)}, "")
			return err
		})
		if u := countUses(t, st, over, useOf(lms.LimitNamingPerson, ada, "", 1, over))[0]; u.Amount != 9 || !u.Lifted {
			t.Errorf("set and lifted: %+v", u)
		}
		later := over.Add(time.Minute)
		if u := countUses(t, st, later, useOf(lms.LimitNamingPerson, ada, "", 1, later))[0]; u.Lifted || u.Used != 3 {
			t.Errorf("no longer lifted: %+v", u)
		}
	})
}

// Transactions that use the same limits in another order neither lose a use nor wait for
// each other in a circle.
func TestUsesAreExactHoweverManyCountAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		const many = 60
		var highest atomic.Int64
		together(many, func(i int) {
			list := []store.Use{useOf(lms.LimitNamingDomain, lms.SystemUserID, "a.example", 1, now), useOf(lms.LimitNamingDomain, lms.SystemUserID, "b.example", 2, now)}
			if i%2 == 1 {
				list[0], list[1] = list[1], list[0]
			}
			for _, u := range countUses(t, st, now, list...) {
				if u.Subject == "b.example" {
					for old := highest.Load(); u.Used > old && !highest.CompareAndSwap(old, u.Used); old = highest.Load() {
						continue
					}
				}
			}
		})
		if highest.Load() != 2*many {
			t.Errorf("%d uses were seen, want %d", highest.Load(), 2*many)
		}
	})
}
