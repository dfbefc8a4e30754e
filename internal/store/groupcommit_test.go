package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"modernc.org/sqlite"

	"matricula/internal/lms"
	"matricula/internal/store"
	"matricula/internal/store/storetest"
)

// commits counts the commits of the writer from now on. A commit that veto
// returns true for becomes a rollback, as when the disk fails.
func commits(t *testing.T, st *store.Store, veto func() bool) *atomic.Int64 {
	t.Helper()
	n := new(atomic.Int64)
	err := st.OnWriter(func(c *sql.Conn) error {
		return c.Raw(func(driverConn any) error {
			driverConn.(sqlite.HookRegisterer).RegisterCommitHook(func() int32 {
				if veto != nil && veto() {
					return 1
				}
				n.Add(1)
				return 0
			})
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	// The hook saw the commit that ended its own registration.
	write(t, st, func(*store.Tx) error { return nil })
	n.Store(0)
	return n
}

// gate keeps the writer busy until open is called; everything that is written
// meanwhile waits together.
func gate(t *testing.T, st *store.Store) (open func()) {
	t.Helper()
	entered, leave := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- st.Write(ctx, func(context.Context, *store.Tx) error {
			close(entered)
			<-leave
			return nil
		})
	}()
	<-entered
	return sync.OnceFunc(func() {
		close(leave)
		if err := <-done; err != nil {
			t.Errorf("the write that held the others: %v", err)
		}
	})
}

// addPerson is a small write with something to look for.
func addPerson(ctx context.Context, st *store.Store, address string) error {
	return st.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.NamePeople(ctx, lms.SystemUserID, now, []store.Naming{{Address: lms.Email(address), AsTyped: address}})
		return err
	})
}

func addresses(t *testing.T, db *sql.DB) []string {
	t.Helper()
	text := storetest.Query1[sql.NullString](t, db, `SELECT group_concat(address) FROM emails`).String
	list := strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
	slices.Sort(list)
	return list
}

func TestWritesThatWaitTogetherShareACommit(t *testing.T) {
	db := storetest.New(t, storetest.SQLite)
	st := db.Open(t)
	n := commits(t, st, nil)
	open := gate(t, st)
	const writers = 100
	errs := make([]error, writers)
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() { errs[i] = addPerson(ctx, st, fmt.Sprintf("p%d@uni.example", i)) })
	}
	time.Sleep(50 * time.Millisecond) // until all of them wait
	open()
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if got := len(addresses(t, db.SQL(t))); got != writers {
		t.Errorf("%d of %d writes are there", got, writers)
	}
	if n.Load() > writers/2 { // a slow machine ends a batch by its time
		t.Errorf("%d writes that waited together took %d commits", writers, n.Load())
	}
	t.Logf("%d writes in %d commits", writers, n.Load())
}

func TestNothingIsAcknowledgedBeforeItIsCommitted(t *testing.T) {
	db := storetest.New(t, storetest.SQLite)
	st := db.Open(t)
	raw := db.SQL(t)
	together(40, func(i int) {
		for j := range 10 {
			address := fmt.Sprintf("p%d-%d@uni.example", i, j)
			if err := addPerson(ctx, st, address); err != nil {
				t.Error(err)
				return
			}
			// Another connection sees only what is committed.
			var n int
			if err := raw.QueryRow(`SELECT count(*) FROM emails WHERE address = $1`, address).Scan(&n); err != nil || n != 1 {
				t.Errorf("%s was acknowledged and is not there (%d, %v)", address, n, err)
			}
		}
	})
}

func TestAWriteThatFailsHarmsNoneOfThoseThatShareItsCommit(t *testing.T) {
	db := storetest.New(t, storetest.SQLite)
	st := db.Open(t)
	open := gate(t, st)
	errs := make([]error, 30)
	boom := errors.New("boom")
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			address := fmt.Sprintf("p%02d@uni.example", i)
			switch i % 3 {
			case 0:
				errs[i] = addPerson(ctx, st, address)
			case 1: // fails by itself, after it has written
				errs[i] = st.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
					_, err := tx.NamePeople(ctx, lms.SystemUserID, now, []store.Naming{{Address: lms.Email(address)}})
					return errors.Join(err, boom)
				})
			case 2: // is refused by the database, after it has written
				errs[i] = st.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
					named, err := tx.NamePeople(ctx, lms.SystemUserID, now, []store.Naming{{Address: lms.Email(address)}})
					if err != nil {
						return err
					}
					return tx.SetStatus(ctx, named[lms.Email(address)].UserID, lms.StatusActive)
				})
			}
		})
	}
	time.Sleep(50 * time.Millisecond)
	open()
	all.Wait()
	var want []string
	for i, err := range errs {
		switch i % 3 {
		case 0:
			want = append(want, fmt.Sprintf("p%02d@uni.example", i))
			if err != nil {
				t.Errorf("write %d, which did nothing wrong: %v", i, err)
			}
		case 1:
			if !errors.Is(err, boom) {
				t.Errorf("write %d was told %v, not its own error", i, err)
			}
		case 2:
			if err == nil {
				t.Errorf("write %d was told nothing", i)
			}
		}
	}
	if got := addresses(t, db.SQL(t)); !slices.Equal(got, want) {
		t.Errorf("there are %v, want %v", got, want)
	}
}

func TestE24APanicInOneWriteIsRaisedInItsCallerAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				defer func() {
					if p := recover(); (p != nil) != (i%2 == 1) || (p != nil && p != fmt.Sprint("panic ", i)) {
						t.Errorf("caller %d recovered %v", i, p)
					}
				}()
				err := st.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
					address := lms.Email(fmt.Sprintf("p%d@uni.example", i))
					if _, err := tx.NamePeople(ctx, lms.SystemUserID, now, []store.Naming{{Address: address}}); err != nil {
						return err
					}
					if i%2 == 1 {
						panic(fmt.Sprint("panic ", i))
					}
					return nil
				})
				if err != nil {
					t.Errorf("caller %d: %v", i, err)
				}
			})
		}
		all.Wait()
		if n := storetest.Query1[int](t, db.SQL(t), `SELECT count(*) FROM emails`); n != 10 {
			t.Errorf("%d writes are there, want the 10 that did not panic", n)
		}
		if err := addPerson(ctx, st, "after@uni.example"); err != nil {
			t.Errorf("the writer after the panics: %v", err)
		}
		if in := st.ReadPool().Stats().InUse; db.Engine == storetest.PostgreSQL && in != 0 {
			t.Errorf("%d connections were not given back", in)
		}
	})
}

func TestACommitThatFailsIsToldToEveryoneWhoSharedIt(t *testing.T) {
	db := storetest.New(t, storetest.SQLite)
	st := db.Open(t)
	var fail atomic.Bool
	commits(t, st, fail.Load)
	fail.Store(true)
	errs := make([]error, 20)
	together(len(errs), func(i int) { errs[i] = addPerson(ctx, st, fmt.Sprintf("p%d@uni.example", i)) })
	for i, err := range errs {
		if err == nil {
			t.Errorf("write %d was acknowledged, and the commit failed", i)
		}
	}
	fail.Store(false)
	if err := addPerson(ctx, st, "after@uni.example"); err != nil {
		t.Errorf("once commits work again: %v", err)
	}
	if got := addresses(t, db.SQL(t)); !slices.Equal(got, []string{"after@uni.example"}) {
		t.Errorf("there are %v", got)
	}
}

// TestATransactionThatSQLiteGaveUpIsLostForAllAndToldToAll does to the shared
// transaction what SQLite does by itself when it cannot go on.
func TestATransactionThatSQLiteGaveUpIsLostForAllAndToldToAll(t *testing.T) {
	db := storetest.New(t, storetest.SQLite)
	st := db.Open(t)
	open := gate(t, st)
	errs := make([]error, 12)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			if i%4 != 3 {
				errs[i] = addPerson(ctx, st, fmt.Sprintf("p%02d@uni.example", i))
				return
			}
			errs[i] = st.OnWriter(func(c *sql.Conn) error {
				_, err := c.ExecContext(ctx, "ROLLBACK")
				return errors.Join(err, &lms.Error{Code: lms.CodeUnavailable, Type: "storage-full"})
			})
		})
	}
	time.Sleep(50 * time.Millisecond)
	open()
	all.Wait()
	var want []string
	for i, err := range errs {
		if err == nil {
			want = append(want, fmt.Sprintf("p%02d@uni.example", i))
		} else if lms.TypeOf(err) != "storage-full" {
			t.Errorf("write %d was told %v", i, err)
		}
	}
	if got := addresses(t, db.SQL(t)); !slices.Equal(got, want) {
		t.Errorf("acknowledged are %v, there are %v", want, got)
	}
	if err := addPerson(ctx, st, "zz-after@uni.example"); err != nil {
		t.Errorf("after it: %v", err)
	}
	t.Logf("%d of %d were acknowledged", len(want), len(errs))
}

func TestE05AFullDiskLosesNothingAcknowledgedAndNeedsNoRestart(t *testing.T) {
	db := storetest.New(t, storetest.SQLite)
	st := db.Open(t)
	limit := func(pages string) {
		if err := st.OnWriter(func(c *sql.Conn) error {
			_, err := c.ExecContext(ctx, "PRAGMA max_page_count = "+pages)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	var pages int
	if err := st.OnWriter(func(c *sql.Conn) error { return c.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages) }); err != nil {
		t.Fatal(err)
	}
	limit(strconv.Itoa(pages + 6)) // there are more tables with each version
	var mu sync.Mutex
	var kept []string
	full := 0
	together(20, func(i int) {
		for j := range 20 {
			address := fmt.Sprintf("person-with-a-long-address-%d-%d@a-department.of-some.university.example", i, j)
			err := addPerson(ctx, st, address)
			mu.Lock()
			switch {
			case err == nil:
				kept = append(kept, address)
			case lms.CodeOf(err) == lms.CodeUnavailable && lms.TypeOf(err) == "storage-full":
				full++
			default:
				t.Errorf("a full disk is told as %v", err)
			}
			mu.Unlock()
		}
	})
	if full == 0 || len(kept) == 0 {
		t.Fatalf("%d writes were kept and %d refused: the disk was to fill up in between", len(kept), full)
	}
	raw := db.SQL(t)
	slices.Sort(kept)
	if got := addresses(t, raw); !slices.Equal(got, kept) {
		t.Errorf("%d writes were acknowledged and %d are there", len(kept), len(got))
	}
	if _, _, err := st.Reader().User(ctx, 1); err != nil {
		t.Errorf("reading while the disk is full: %v", err)
	}
	limit("100000")
	if err := addPerson(ctx, st, "after@uni.example"); err != nil {
		t.Errorf("after space was made: %v", err)
	}
	if got := storetest.Query1[string](t, raw, `PRAGMA integrity_check`); got != "ok" {
		t.Errorf("integrity check: %s", got)
	}
	t.Logf("%d kept, %d refused", len(kept), full)
}

func TestClosingWaitsForWhoIsWritingAndRefusesWhoComesLater(t *testing.T) {
	db := storetest.New(t, storetest.SQLite)
	st, err := store.Open(ctx, db.DSN)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Start(ctx); err != nil {
		t.Fatal(err)
	}
	open := gate(t, st)
	errs := make([]error, 20)
	var begun, writers sync.WaitGroup
	begun.Add(len(errs))
	for i := range errs {
		writers.Go(func() {
			begun.Done()
			errs[i] = addPerson(ctx, st, fmt.Sprintf("p%d@uni.example", i))
		})
	}
	begun.Wait()
	time.Sleep(50 * time.Millisecond)
	closed := make(chan error, 1)
	go func() { closed <- st.Close() }()
	select {
	case err := <-closed:
		t.Fatalf("closed (%v) while somebody was writing", err)
	case <-time.After(50 * time.Millisecond):
	}
	open()
	writers.Wait()
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	acknowledged := 0
	for i, err := range errs {
		if err == nil {
			acknowledged++
		} else if lms.TypeOf(err) != "shutting-down" {
			t.Errorf("write %d: %v", i, err)
		}
	}
	if acknowledged < len(errs)/2 {
		t.Errorf("%d of %d who were waiting were served", acknowledged, len(errs))
	}
	if got := len(addresses(t, db.SQL(t))); got != acknowledged {
		t.Errorf("%d were acknowledged and %d are there", acknowledged, got)
	}
	if err := addPerson(ctx, st, "late@uni.example"); lms.CodeOf(err) != lms.CodeUnavailable {
		t.Errorf("a write after the end: %v", err)
	}
}

func TestAWriteWhoseCallerWentAwayBeforeItsTurnDoesNotHappen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		gone, cancel := context.WithCancel(ctx)
		if db.Engine == storetest.SQLite {
			open := gate(t, st)
			defer open()
			done := make(chan error, 1)
			go func() { done <- addPerson(gone, st, "gone@uni.example") }()
			time.Sleep(20 * time.Millisecond)
			cancel()
			open()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		} else {
			cancel()
			if err := addPerson(gone, st, "gone@uni.example"); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		}
		if err := addPerson(ctx, st, "here@uni.example"); err != nil {
			t.Fatal(err)
		}
		if n := storetest.Query1[int](t, db.SQL(t), `SELECT count(*) FROM emails`); n != 1 {
			t.Errorf("%d writes are there, want 1", n)
		}
	})
}

// TestACallerWhoGoesAwayInTheMiddleHarmsNobodyElse cancels one write of many
// while it runs: whatever it was told is true, and the others are there.
func TestACallerWhoGoesAwayInTheMiddleHarmsNobodyElse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		errs := make([]error, 30)
		together(len(errs), func(i int) {
			mine, cancel := context.WithCancel(ctx)
			defer cancel()
			errs[i] = st.Write(mine, func(ctx context.Context, tx *store.Tx) error {
				if i%5 == 0 {
					cancel()
				}
				address := lms.Email(fmt.Sprintf("p%02d@uni.example", i))
				_, err := tx.NamePeople(ctx, lms.SystemUserID, now, []store.Naming{{Address: address}})
				return err
			})
		})
		raw := db.SQL(t)
		for i, err := range errs {
			there := storetest.Query1[int](t, raw, `SELECT count(*) FROM emails WHERE address = $1`, fmt.Sprintf("p%02d@uni.example", i)) == 1
			if there != (err == nil) {
				t.Errorf("write %d was told %v, and is there: %v", i, err, there)
			}
			if i%5 != 0 && err != nil {
				t.Errorf("write %d, which nobody canceled: %v", i, err)
			}
		}
	})
}

func TestAReaderSeesWhatIsCommittedWhileSomebodyWrites(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		entered, leave := make(chan struct{}), make(chan struct{})
		done := make(chan error, 1)
		go func() {
			done <- st.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.NamePeople(ctx, lms.SystemUserID, now, []store.Naming{{Address: "grace@uni.example"}})
				close(entered)
				<-leave
				return err
			})
		}()
		<-entered
		if _, ok, err := st.Reader().UserByAddress(ctx, "grace@uni.example"); ok || err != nil {
			t.Errorf("somebody who is not committed is seen: %v (%v)", ok, err)
		}
		close(leave)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if _, ok, err := st.Reader().UserByAddress(ctx, "grace@uni.example"); !ok || err != nil {
			t.Errorf("somebody who is committed is not seen (%v)", err)
		}
	})
}
