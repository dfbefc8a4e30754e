package scim_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"matricula/internal/access"
	"matricula/internal/apptest/app"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
	"matricula/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var ctx = context.Background()

const tenant = "11111111-2222-3333-4444-555555555555"

// entra is a provider that calls people by an object id in all applications.
var entra = signin.Provider{
	Name: "entra", Label: "Entra", Issuer: "https://login.microsoftonline.com/" + tenant + "/v2.0", ClientID: "m", ClientSecret: "s", Kind: signin.KindEntra, Tenant: tenant, Domains: []string{"uni.example"},
}

// school is the program with a directory, as which the client calls.
type school struct {
	*app.App
	t         *testing.T
	raw       *sql.DB
	admin     access.Caller
	directory int64
	idp       *app.Client
}

func each(t *testing.T, test func(t *testing.T, s *school)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := &school{App: app.StartOn(t, db.DSN, app.WithFurtherProviders(entra)), t: t, raw: db.SQL(t)}
		_, secret := s.Admin("root@uni.example")
		s.admin = s.As(secret)
		made, err := s.Service.CreateDirectory(ctx, s.admin, "IdP", nil)
		if err != nil {
			t.Fatal(err)
		}
		s.directory, s.idp = made.AccountID, s.WithToken(made.Secret)
		test(t, s)
		if !t.Failed() {
			storetest.Invariants(t, s.Store)
		}
	})
}

// speakFor has the directory speak for a provider.
func (s *school) speakFor(provider, link string) {
	s.t.Helper()
	if _, err := s.Service.UpdateDirectory(ctx, s.admin, s.directory, service.DirectoryPatch{Provider: &provider, Link: &link}); err != nil {
		s.t.Fatal(err)
	}
}

type doc = map[string]any

// answer is what came back, as JSON.
type answer struct {
	app.Answer
	t    *testing.T
	what string
	doc  doc
}

// ask sends a request to the directory's interface. A body is text in JSON, or a value.
func (s *school) ask(method, path string, body any, header ...string) answer {
	s.t.Helper()
	return askAs(s.t, s.idp, method, path, body, header...)
}

func askAs(t *testing.T, c *app.Client, method, path string, body any, header ...string) answer {
	t.Helper()
	var raw []byte
	switch b := body.(type) {
	case nil:
	case string:
		raw = []byte(b)
	default:
		var err error
		if raw, err = json.Marshal(b); err != nil {
			t.Fatal(err)
		}
	}
	kind := ""
	if raw != nil {
		kind = "application/scim+json"
	}
	a := answer{Answer: c.Do(method, "/scim/v2"+path, kind, bytes.NewReader(raw), header...), t: t, what: method + " " + path}
	if len(a.Body) > 0 {
		if got := a.Header.Get("Content-Type"); got != "application/scim+json" {
			t.Errorf("%s answered as %q", a.what, got)
		}
		a.Into(&a.doc)
	}
	return a
}

func (a answer) is(status int) answer {
	a.t.Helper()
	if a.Status != status {
		a.t.Fatalf("%s answered %d, want %d: %s", a.what, a.Status, status, lms.Clip(string(a.Body), 500))
	}
	return a
}

// refused wants an error in the form of RFC 7644, section 3.12.
func (a answer) refused(status int, scimType string) answer {
	a.t.Helper()
	a.is(status)
	got, _ := a.doc["scimType"].(string)
	if fmt.Sprint(a.doc["schemas"]) != "[urn:ietf:params:scim:api:messages:2.0:Error]" || a.doc["status"] != fmt.Sprint(status) || got != scimType || a.doc["detail"] == "" {
		a.t.Errorf("%s: %s, want %s", a.what, a.Body, scimType)
	}
	return a
}

// at is a value inside of the answer, by the names and numbers that lead to it.
func (a answer) at(path ...any) any {
	var v any = a.doc
	for _, p := range path {
		switch p := p.(type) {
		case string:
			o, _ := v.(doc)
			v = o[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

// has wants a value at a path of names.
func (a answer) has(want any, path ...any) answer {
	a.t.Helper()
	if got := a.at(path...); fmt.Sprint(got) != fmt.Sprint(want) {
		a.t.Errorf("%s: %v is %v, want %v", a.what, path, got, want)
	}
	return a
}

func (a answer) id() string {
	id, _ := a.doc["id"].(string)
	if id == "" {
		a.t.Fatalf("%s: there is no id: %s", a.what, a.Body)
	}
	return id
}

// found are the ids of a list.
func (a answer) found() string {
	a.t.Helper()
	a.is(http.StatusOK)
	var ids []string
	list, _ := a.doc["Resources"].([]any)
	for _, one := range list {
		o, _ := one.(doc)
		ids = append(ids, fmt.Sprint(o["id"]))
	}
	return strings.Join(ids, " ")
}

func filtered(kind, filter string) string { return "/" + kind + "?filter=" + url.QueryEscape(filter) }

const userURN = "urn:ietf:params:scim:schemas:core:2.0:User"

// person is a user as directories send one.
func person(userName string, more ...any) doc {
	d := doc{"schemas": []string{userURN}, "userName": userName}
	for i := 0; i+1 < len(more); i += 2 {
		d[more[i].(string)] = more[i+1]
	}
	return d
}

// create provisions somebody and gives the id.
func (s *school) create(userName string, more ...any) string {
	s.t.Helper()
	return s.ask("POST", "/Users", person(userName, more...)).is(http.StatusCreated).id()
}

// patch is a PATCH of operations, each an op, a path and a value.
func patch(ops ...doc) doc {
	return doc{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": ops}
}

func op(name, path string, value any) doc {
	d := doc{"op": name}
	if path != "" {
		d["path"] = path
	}
	if value != nil {
		d["value"] = value
	}
	return d
}

// course makes a course that Ada owns.
func (s *school) course(title, code string) (access.Caller, int64) {
	s.t.Helper()
	ada, session := s.Active("ada@uni.example", "Ada", "Lovelace")
	role := string(lms.SiteTeacher)
	if _, err := s.Service.UpdateUser(ctx, s.admin, ada.ID, service.UserPatch{SiteRole: &role}); err != nil {
		s.t.Fatal(err)
	}
	caller := s.As(session)
	v, err := s.Service.CreateCourse(ctx, caller, lms.CourseFields{Title: title, Code: code}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return caller, v.Course.ID
}

func (s *school) status(email string) string {
	s.t.Helper()
	var status string
	if err := s.raw.QueryRow(`SELECT u.status FROM users u JOIN emails e ON e.user_id = u.id WHERE e.address = $1`, email).Scan(&status); err != nil {
		s.t.Fatal(err)
	}
	return status
}

func (s *school) count(from string, args ...any) int {
	s.t.Helper()
	return storetest.Query1[int](s.t, s.raw, `SELECT count(*) FROM `+from, args...)
}
