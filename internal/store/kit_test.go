package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"matricula/internal/lms"
	"matricula/internal/store"
)

type ctxT = context.Context

var (
	ctx = context.Background()
	now = time.Date(2026, 9, 1, 8, 30, 0, 123456000, time.UTC)
)

// email makes an address canonical as every caller of the store does.
func email(t testing.TB, typed string) lms.Email {
	t.Helper()
	e, err := lms.ParseEmail(typed)
	if err != nil {
		t.Fatalf("%q: %v", typed, err)
	}
	return e
}

// write runs a transaction that must succeed.
func write(t testing.TB, st *store.Store, fn func(tx *store.Tx) error) {
	t.Helper()
	if err := st.Write(ctx, func(_ context.Context, tx *store.Tx) error { return fn(tx) }); err != nil {
		t.Fatal(err)
	}
}

// nameAll names people by address and gives their ids, in the same order.
func nameAll(t testing.TB, st *store.Store, typed ...string) []int64 {
	t.Helper()
	people := make([]store.Naming, len(typed))
	for i, s := range typed {
		people[i] = store.Naming{Address: email(t, s), AsTyped: s}
	}
	ids := make([]int64, len(typed))
	write(t, st, func(tx *store.Tx) error {
		named, err := tx.NamePeople(ctx, lms.SystemUserID, now, people)
		for i, p := range people {
			ids[i] = named[p.Address].UserID
		}
		return err
	})
	return ids
}

func nameOne(t testing.TB, st *store.Store, typed string) int64 {
	t.Helper()
	return nameAll(t, st, typed)[0]
}

// activate claims a pending person.
func activate(t testing.TB, st *store.Store, id int64, typed string) {
	t.Helper()
	write(t, st, func(tx *store.Tx) error {
		won, err := tx.Claim(ctx, id, email(t, typed), store.Names{}, now)
		if err == nil && !won {
			err = fmt.Errorf("person %d was not pending", id)
		}
		return err
	})
}

// active names somebody and claims them.
func active(t testing.TB, st *store.Store, typed string) int64 {
	t.Helper()
	id := nameOne(t, st, typed)
	activate(t, st, id, typed)
	return id
}

// course makes a course and gives its id with its roles by key.
func course(t testing.TB, st *store.Store, title string) (int64, map[string]lms.Role) {
	t.Helper()
	var id int64
	roles := map[string]lms.Role{}
	write(t, st, func(tx *store.Tx) error {
		var err error
		if id, err = tx.CreateCourse(ctx, lms.Course{Title: title, CreatedBy: lms.SystemUserID, CreatedAt: now}); err != nil {
			return err
		}
		list, err := tx.Roles(ctx, id)
		for _, r := range list {
			roles[r.Key] = r
		}
		return err
	})
	return id, roles
}

// enroll puts people into a course.
func enroll(t testing.TB, st *store.Store, role lms.Role, ids ...int64) {
	t.Helper()
	write(t, st, func(tx *store.Tx) error {
		e := lms.Enrollment{CourseID: role.CourseID, Role: role, Source: lms.SourceManual, AddedBy: lms.SystemUserID, CreatedAt: now}
		_, err := tx.Enroll(ctx, ids, e)
		return err
	})
}

// together runs n functions that all begin at the same moment, and waits.
func together(n int, fn func(i int)) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			<-start
			fn(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
}
