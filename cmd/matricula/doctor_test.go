package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"unicode"

	"matricula/internal/apptest"
	"matricula/internal/store/storetest"
)

// mailServer is a mail server that greets, and counts what it was asked.
func mailServer(t *testing.T, greeting string) (addr string, greeted *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	greeted = &atomic.Int32{}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				fmt.Fprintf(conn, "%s\r\n", greeting)
				for s := bufio.NewScanner(conn); s.Scan(); {
					switch verb, _, _ := strings.Cut(s.Text(), " "); verb {
					case "EHLO":
						greeted.Add(1)
						fmt.Fprint(conn, "250-mail.example\r\n250 AUTH PLAIN\r\n")
					case "AUTH":
						fmt.Fprint(conn, "535 no such user\r\n")
					default:
						fmt.Fprint(conn, "221 bye\r\n")
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String(), greeted
}

func TestTheDoctorFindsNothingAmiss(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		issuer := apptest.NewIssuer(t)
		mail, greeted := mailServer(t, "220 mail.example")
		environ := []string{
			"MATRICULA_DATABASE=" + db.DSN, "MATRICULA_URL=http://127.0.0.1:1",
			"MATRICULA_OIDC_UNI_ISSUER=" + issuer.URL, "MATRICULA_OIDC_UNI_CLIENT_ID=" + apptest.ClientID, "MATRICULA_OIDC_UNI_CLIENT_SECRET=" + apptest.ClientSecret,
			"MATRICULA_SMTP=smtp://" + mail, "MATRICULA_MAIL_FROM=lms@uni.example",
		}
		r := command(t, environ, "doctor")
		var names []string
		for line := range strings.Lines(r.stdout) {
			name, _, _ := strings.Cut(line, ":")
			names = append(names, name)
		}
		want := "ok   configuration,ok   database,ok   schema,ok   durability,ok   sign-in uni,ok   mail,ok   address"
		if r.code != exitDone || r.stderr != "" || strings.Join(names, ",") != want || greeted.Load() != 1 {
			t.Errorf("%+v, the mail server was greeted %d times", r, greeted.Load())
		}
		if !strings.Contains(r.stdout, "http://127.0.0.1:1/auth/uni/callback") {
			t.Errorf("the redirect address is not told: %s", r.stdout)
		}
		r = command(t, environ[:len(environ)-2], "doctor")
		if r.code != exitDone || !strings.Contains(r.stdout, "ok   mail: not configured") {
			t.Errorf("without mail: %+v", r)
		}
	})
}

func TestTheDoctorNamesWhatIsAmissAndEndsWithOne(t *testing.T) {
	migrated := storetest.New(t, storetest.SQLite).DSN
	gone := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(gone.Close)
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	refusing, _ := mailServer(t, "554 go away")
	asking, _ := mailServer(t, "220 mail.example")
	issuer := apptest.NewIssuer(t)
	good := []string{"MATRICULA_URL=http://127.0.0.1:1", "MATRICULA_OIDC_UNI_ISSUER=" + issuer.URL, "MATRICULA_OIDC_UNI_CLIENT_ID=" + apptest.ClientID}
	with := func(more ...string) []string { return append(more, good...) } // the first of two counts

	for _, c := range []struct {
		environ []string
		line    string
		failed  int
		hidden  string
	}{
		{[]string{"MATRICULA_URL=ftp://x"}, "FAIL configuration: MATRICULA_URL", 1, ""},
		{[]string{"MATRICULA_DATABASE=" + migrated}, "FAIL sign-in: no sign-in provider", 1, ""},
		{with("MATRICULA_DATABASE=" + emptyFile(t)), "FAIL database: MATRICULA_DATABASE", 1, ""},
		{with("MATRICULA_DATABASE=postgres://me:hidden@127.0.0.1:1/lms"), "FAIL database: MATRICULA_DATABASE", 1, "hidden"},
		{with("MATRICULA_DATABASE=" + storetest.Postgres(t)), "FAIL schema: ", 1, ""},
		{with("MATRICULA_DATABASE="+migrated, "MATRICULA_OIDC_UNI_ISSUER="+gone.URL), "FAIL sign-in uni: provider uni: discovery", 1, ""},
		{with("MATRICULA_DATABASE="+migrated, "MATRICULA_OIDC_UNI_ISSUER="+issuer.URL+"/"), "FAIL sign-in uni: ", 1, ""},
		{with("MATRICULA_DATABASE="+migrated, "MATRICULA_SMTP=smtp://127.0.0.1:1", "MATRICULA_MAIL_FROM=lms@uni.example"), "FAIL mail: MATRICULA_SMTP: 127.0.0.1:1", 1, ""},
		{with("MATRICULA_DATABASE="+migrated, "MATRICULA_SMTP=smtp://"+refusing, "MATRICULA_MAIL_FROM=lms@uni.example"), `554 "go away"`, 1, ""},
		{with("MATRICULA_DATABASE="+migrated, "MATRICULA_SMTP=smtp://me:hidden@"+asking, "MATRICULA_MAIL_FROM=lms@uni.example"), `535 "no such user"`, 1, "hidden"},
		{with("MATRICULA_DATABASE="+migrated, "MATRICULA_SMTP=smtps://"+asking, "MATRICULA_MAIL_FROM=lms@uni.example"), "FAIL mail: ", 1, ""},
		{with("MATRICULA_DATABASE="+migrated, "MATRICULA_URL="+untrusted.URL), "FAIL address: MATRICULA_URL: browsers will refuse", 1, ""},
	} {
		r := command(t, c.environ, "doctor")
		fails := 0
		for line := range strings.Lines(r.stdout) {
			if strings.HasPrefix(line, "FAIL ") {
				fails++
			} else if !strings.HasPrefix(line, "ok   ") {
				t.Errorf("%v: a line is neither ok nor FAIL: %s", c.environ, line)
			}
		}
		if r.code != exitFailed || !strings.Contains(r.stdout, c.line) || fails != c.failed || !strings.Contains(r.stderr, "checks failed") {
			t.Errorf("%v: %+v, want %q", c.environ, r, c.line)
		}
		if c.hidden != "" && strings.Contains(r.stdout+r.stderr, c.hidden) {
			t.Errorf("%v: a password is shown: %+v", c.environ, r)
		}
	}
}

func TestTheDoctorChecksTheInvariants(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		environ := []string{"MATRICULA_DATABASE=" + db.DSN}
		raw := db.SQL(t)
		storetest.Exec(t, raw, `INSERT INTO users (kind, status, site_role, search_key, sort_key, created_by, created_at) VALUES ('person', 'pending', 'member', '', '', 1, '2026-09-01 00:00:00+00:00')`)
		storetest.Exec(t, raw, `INSERT INTO emails (address, user_id, as_typed, is_primary, created_at) VALUES ('grace@uni.example', 2, '', TRUE, '2026-09-01 00:00:00+00:00')`)
		r := command(t, environ, "doctor", "--invariants")
		var names []string
		for line := range strings.Lines(r.stdout) {
			name, _, _ := strings.Cut(line, ":")
			names = append(names, name)
		}
		want := "ok   configuration,ok   database,ok   schema,ok   I1,ok   I2,ok   I3,ok   I5,ok   I6,ok   I7,ok   I8,ok   I9,ok   I12,ok   I13"
		if r.code != exitDone || r.stderr != "" || strings.Join(names, ",") != want {
			t.Errorf("a sound database: %+v", r)
		}
		storetest.Exec(t, raw, `UPDATE emails SET address = 'Grace@uni.example'`)
		r = command(t, environ, "doctor", "--invariants")
		if r.code != exitFailed || strings.Count(r.stdout, "FAIL ") != 1 || !strings.Contains(r.stdout, "FAIL I1: ") || !strings.Contains(r.stdout, "not so once: user 2 ") || !strings.Contains(r.stderr, "1 of 13 checks failed") {
			t.Errorf("an address in another form: %+v", r)
		}
		if strings.Contains(strings.ToLower(r.stdout+r.stderr), "grace") {
			t.Errorf("an address is shown: %+v", r)
		}
	})
}

// Go's net/textproto put what a server had sent into its errors as it was, and
// so into the logs of whoever wrote them.
func TestCVE202642507WhatAMailServerSaysIsShownOnOneLineWithoutControlCharacters(t *testing.T) {
	for _, greeting := range []string{"554 go\x1b[2Jaway", "nonsense\x1b[2J", "554-first\r\n554 ok   database: all is well\x07", "\x00\x9b2J"} {
		hostile, _ := mailServer(t, greeting)
		r := command(t, []string{
			"MATRICULA_DATABASE=" + storetest.New(t, storetest.SQLite).DSN, "MATRICULA_URL=http://127.0.0.1:1",
			"MATRICULA_OIDC_UNI_ISSUER=" + apptest.NewIssuer(t).URL, "MATRICULA_OIDC_UNI_CLIENT_ID=" + apptest.ClientID,
			"MATRICULA_SMTP=smtp://" + hostile, "MATRICULA_MAIL_FROM=lms@uni.example",
		}, "doctor")
		if r.code != exitFailed || !strings.Contains(r.stdout, "FAIL mail: ") || strings.Count(r.stdout, "\n") != 7 {
			t.Errorf("%q: %+v", greeting, r)
		}
		if strings.ContainsFunc(r.stdout+r.stderr, func(c rune) bool { return c != '\n' && unicode.IsControl(c) }) {
			t.Errorf("%q: a control character is shown: %q", greeting, r.stdout)
		}
	}
}
