package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"matricula/internal/lms"
	"matricula/internal/store"
	"matricula/internal/store/storetest"
)

// TestE07ADatabaseThatGoesAwayComesBack stops PostgreSQL as a crash does while
// many write, and starts it again: meanwhile everybody is told to try again,
// afterwards everything works without a restart, and what was acknowledged is
// there.
func TestE07ADatabaseThatGoesAwayComesBack(t *testing.T) {
	t.Parallel()
	cluster := storetest.PrivateCluster(t)
	db := &storetest.Database{Engine: storetest.PostgreSQL, DSN: cluster.DSN()}
	st := db.OpenUnstarted(t)
	if err := st.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var kept, unknown []string
	refused := 0
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for w := range 8 {
		writers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				address := fmt.Sprintf("w%d-%d@uni.example", w, i)
				err := addPerson(ctx, st, address)
				_, _, readErr := st.Reader().User(ctx, lms.SystemUserID)
				mu.Lock()
				switch {
				case err == nil:
					kept = append(kept, address)
				case lms.TypeOf(err) == "commit-unknown":
					unknown = append(unknown, address)
				default:
					refused++
				}
				for _, err := range []error{err, readErr} {
					if err != nil && lms.CodeOf(err) != lms.CodeUnavailable {
						t.Errorf("while the database was away, somebody was told: %v", err)
					}
				}
				mu.Unlock()
				if err != nil {
					time.Sleep(20 * time.Millisecond)
				}
			}
		})
	}
	for range 2 {
		time.Sleep(300 * time.Millisecond)
		if err := cluster.StopImmediate(); err != nil {
			t.Error(err)
			break
		}
		if err := st.Ping(ctx); lms.CodeOf(err) != lms.CodeUnavailable {
			t.Errorf("ping without a server: %v", err)
		}
		time.Sleep(200 * time.Millisecond)
		if err := cluster.Start(); err != nil {
			t.Error(err)
			break
		}
		back := time.Now()
		for addPerson(ctx, st, fmt.Sprintf("back%d@uni.example", back.UnixNano())) != nil {
			if time.Since(back) > 20*time.Second {
				t.Error("writes do not work twenty seconds after the database came back")
				break
			}
		}
		t.Logf("writes work again %v after the server", time.Since(back).Round(time.Millisecond))
	}
	close(stop)
	writers.Wait()
	if err := st.Ping(ctx); err != nil {
		t.Errorf("ping at the end: %v", err)
	}
	there := map[string]bool{}
	for _, a := range pgAddresses(t, db) {
		there[a] = true
	}
	for _, a := range kept {
		if !there[a] {
			t.Errorf("%s was acknowledged and is lost", a)
		}
		delete(there, a)
	}
	for _, a := range unknown {
		delete(there, a) // may be there or not
	}
	for a := range there {
		if a[0] == 'w' {
			t.Errorf("%s was refused, and is there", a)
		}
	}
	if refused == 0 || len(kept) < 20 {
		t.Errorf("%d writes were kept and %d refused: the outages were to be felt", len(kept), refused)
	}
	t.Logf("%d kept, %d refused, %d unknown", len(kept), refused, len(unknown))
}

func pgAddresses(t *testing.T, db *storetest.Database) []string {
	t.Helper()
	rows, err := db.SQL(t).Query(`SELECT address FROM emails`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var a string
		if err := rows.Scan(&a); err != nil {
			t.Fatal(err)
		}
		list = append(list, a)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestADatabaseThatWasNeverThereIsUnavailable(t *testing.T) {
	st, err := store.Open(ctx, "postgres://matricula@127.0.0.1:1/nothing?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	begun := time.Now()
	for name, err := range map[string]error{
		"ping":    st.Ping(ctx),
		"start":   st.Start(ctx),
		"migrate": st.Migrate(ctx),
		"write":   addPerson(ctx, st, "grace@uni.example"),
	} {
		if lms.CodeOf(err) != lms.CodeUnavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := st.Reader().User(ctx, 1); err == nil {
		t.Error("somebody could be read")
	}
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("it took %v to say so", took)
	}
}

// TestTransactionsThatCollideAreRunAgain makes two transactions wait for each
// other in a circle: PostgreSQL ends one of them, which then runs again, and
// neither caller notices.
func TestTransactionsThatCollideAreRunAgain(t *testing.T) {
	t.Parallel()
	st := storetest.New(t, storetest.PostgreSQL).Open(t)
	ids := []int64{active(t, st, "a@uni.example"), active(t, st, "b@uni.example")}
	var first sync.WaitGroup
	first.Add(2)
	runs := make([]int, 2)
	errs := make([]error, 2)
	together(2, func(i int) {
		errs[i] = st.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
			runs[i]++
			if err := tx.LockUser(ctx, ids[i]); err != nil {
				return err
			}
			if runs[i] == 1 {
				first.Done()
				first.Wait()
			}
			if err := tx.LockUser(ctx, ids[1-i]); err != nil {
				return err
			}
			return tx.Seen(ctx, ids[i], now)
		})
	})
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if slices.Max(runs) < 2 {
		t.Errorf("the transactions ran %v times: they were to collide", runs)
	}
}

func TestALongWaitForALockIsToldAsBusy(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, storetest.PostgreSQL)
	impatient := storetest.Database{Engine: db.Engine, DSN: db.DSN + "&lock_timeout=50ms"}
	st, other := db.Open(t), impatient.Open(t)
	id := active(t, st, "a@uni.example")
	write(t, st, func(tx *store.Tx) error {
		if err := tx.LockUser(ctx, id); err != nil {
			return err
		}
		err := other.Write(ctx, func(ctx context.Context, tx *store.Tx) error { return tx.LockUser(ctx, id) })
		if lms.CodeOf(err) != lms.CodeUnavailable || lms.TypeOf(err) != "database-busy" {
			t.Errorf("got %v", err)
		}
		return nil
	})
}
