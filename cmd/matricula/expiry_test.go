package main

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"matricula/internal/lms"
	"matricula/internal/store"
	"matricula/internal/store/storetest"
)

// TestA42TheServerLetsPeopleExpireWhoNeverCame is about the setting and the work in
// the background; the rules are tested in package service.
func TestA42TheServerLetsPeopleExpireWhoNeverCame(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.PostgreSQL} {
		t.Run(engine, func(t *testing.T) {
			dsn := storetest.Empty(t, engine).DSN
			environ := environment(dsn, "MATRICULA_PENDING_DAYS=3")
			ids := nameThen(t, dsn, map[lms.Email]time.Duration{"long.ago@uni.example": 73 * time.Hour, "of.late@uni.example": 71 * time.Hour})
			p := serve(t, environ)
			admin := newToken(t, environ, "--service=reports", "--site-role=admin", "--scopes=read")
			gone := ""
			for deadline := time.Now().Add(30 * time.Second); !strings.Contains(gone, `"erased"`) && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
				_, _, gone = p.get("/api/v1/users/"+strconv.FormatInt(ids["long.ago@uni.example"], 10), admin)
			}
			if !strings.Contains(gone, `"erased"`) || strings.Contains(gone, "long.ago") {
				t.Errorf("who was named 73 hours ago is %s", gone)
			}
			if status, _, body := p.get("/api/v1/users/"+strconv.FormatInt(ids["of.late@uni.example"], 10), admin); status != http.StatusOK {
				t.Errorf("who was named 71 hours ago answers %d: %s", status, body)
			}
			p.stop()
		})
	}
}

// nameThen names people so long ago.
func nameThen(t *testing.T, dsn string, people map[lms.Email]time.Duration) map[lms.Email]int64 {
	t.Helper()
	ctx := context.Background()
	st, err := store.Open(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if err := st.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	ids := map[lms.Email]int64{}
	err = st.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		for address, ago := range people {
			named, err := tx.NamePeople(ctx, lms.SystemUserID, time.Now().Add(-ago), []store.Naming{{Address: address, AsTyped: string(address)}})
			if err != nil {
				return err
			}
			ids[address] = named[address].UserID
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}
