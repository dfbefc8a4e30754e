package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
	"matricula/internal/store/storetest"
)

func TestATokenIsPrintedAloneAndIsWhatWasAskedFor(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		environ := environment(db.DSN)
		svc := service.New(db.Open(t), service.Options{Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		ctx := context.Background()
		for _, c := range []struct {
			args   []string
			role   lms.SiteRole
			scopes string
			life   time.Duration
		}{
			{nil, lms.SiteMember, "[read write]", 0},
			{[]string{"--site-role=teacher", "--scopes=read,write", "--expires=90d"}, lms.SiteTeacher, "[read write]", 90 * 24 * time.Hour},
			{[]string{"--site-role", "admin", "--scopes", "read", "--expires", "12h"}, lms.SiteAdmin, "[read]", 12 * time.Hour},
		} {
			name := fmt.Sprintf("robot %v", c.args)
			secret := newToken(t, environ, append([]string{"--service=" + name}, c.args...)...)
			caller, user, err := svc.ByToken(ctx, secret, "")
			if err != nil {
				t.Fatal(err)
			}
			if user.Kind != lms.KindService || user.Name != name || user.SiteRole != c.role || fmt.Sprint(caller.Scopes) != c.scopes {
				t.Errorf("%v: %+v with %v", c.args, user, caller.Scopes)
			}
			tokens, err := svc.Tokens(ctx, caller, 0, 10)
			if err != nil {
				t.Fatal(err)
			}
			ends := tokens.Tokens[0].ExpiresAt
			if left := time.Until(ends); ends.IsZero() != (c.life == 0) || (c.life > 0 && (left > c.life || left < c.life-time.Minute)) {
				t.Errorf("%v: ends at %s", c.args, ends)
			}
			again := newToken(t, environ, append([]string{"--service=" + name}, c.args...)...)
			if other, _, err := svc.ByToken(ctx, again, ""); err != nil || other.UserID != caller.UserID || again == secret {
				t.Errorf("a second token is of user %d, the first of %d: %v", other.UserID, caller.UserID, err)
			}
		}
		command(t, environ, "token", "create", "--service=robot []", "--site-role=admin").wantRefusal(t, exitFailed, "member")
		command(t, environ, "token", "create", "--service= ").wantRefusal(t, exitFailed, "name")
		command(t, environ, "token", "create", "--service=x", "--scopes=delete").wantRefusal(t, exitFailed, "delete")
	})
}

func TestOnlyAnActivePersonHasTokens(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		environ := environment(db.DSN)
		svc := service.New(db.Open(t), service.Options{Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		ctx := context.Background()
		create := func() result { return command(t, environ, "token", "create", "--user=ADA@uni.example") }

		create().wantRefusal(t, exitFailed, "Nobody with this address")
		if err := svc.NameAdmins(ctx, []lms.Email{"ada@uni.example"}); err != nil {
			t.Fatal(err)
		}
		create().wantRefusal(t, exitFailed, "pending")
		ada := signIn(t, svc, "ada@uni.example")
		secret := newToken(t, environ, "--user=ADA@uni.example")
		if c, _, err := svc.ByToken(ctx, secret, ""); err != nil || c.UserID != ada.UserID {
			t.Errorf("the token is of user %d: %v", c.UserID, err)
		}
		if err := svc.NameAdmins(ctx, []lms.Email{"grace@uni.example"}); err != nil {
			t.Fatal(err)
		}
		suspended := "suspended"
		if _, err := svc.UpdateUser(ctx, signIn(t, svc, "grace@uni.example"), ada.UserID, service.UserPatch{Status: &suspended}); err != nil {
			t.Fatal(err)
		}
		create().wantRefusal(t, exitFailed, "suspended")
	})
}

func signIn(t *testing.T, svc *service.Service, email string) access.Caller {
	t.Helper()
	p := signin.Provider{Name: "test", Issuer: "http://127.0.0.1:1", Kind: signin.KindOIDC, TrustAll: true}
	in, err := svc.SignIn(context.Background(), p, signin.Token{Issuer: p.Issuer, Subject: email, Email: email, EmailVerified: signin.VerifiedTrue}, "", "")
	if err != nil {
		t.Fatal(err)
	}
	return access.Caller{UserID: in.User.ID, Kind: in.User.Kind, SiteRole: in.User.SiteRole, SessionID: in.Session.ID}
}

func TestATokenIsNotMadeInADatabaseThatIsNotThere(t *testing.T) {
	dsn := emptyFile(t)
	command(t, environment(dsn), "token", "create", "--service=x").wantRefusal(t, exitFailed, "MATRICULA_DATABASE", "matricula migrate")
	if _, err := os.Stat(strings.TrimPrefix(dsn, "sqlite:")); !os.IsNotExist(err) {
		t.Errorf("the file was made: %v", err)
	}
}
