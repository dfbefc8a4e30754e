package oauth_test

import (
	"context"
	"database/sql"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"matricula/internal/access"
	"matricula/internal/apptest"
	"matricula/internal/apptest/app"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
	"matricula/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var ctx = context.Background()

// The client ids of an app and of a single-page application at the provider,
// beside that of the server itself.
const (
	appClient  = "the-app.uni.example"
	pageClient = "the-page.uni.example"
)

const (
	exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange"
	idTokenType   = "urn:ietf:params:oauth:token-type:id_token"
)

// school is the program with a teacher, Ada, who has a course.
type school struct {
	*app.App
	t      *testing.T
	engine string
	ada    access.Caller
	course int64
	raw    *sql.DB
}

func each(t *testing.T, test func(t *testing.T, s *school), opts ...app.Option) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		opts := append([]app.Option{app.WithProvider(func(p *signin.Provider) { p.Clients = []string{appClient, pageClient} })}, opts...)
		s := &school{App: app.StartOn(t, db.DSN, opts...), t: t, engine: db.Engine, raw: db.SQL(t)}
		root, secret := s.Admin("root@uni.example")
		if root.ID == 0 {
			t.Fatal("there is no administrator")
		}
		ada, session := s.Active("ada@uni.example", "Ada", "Lovelace")
		role := string(lms.SiteTeacher)
		if _, err := s.Service.UpdateUser(ctx, s.As(secret), ada.ID, service.UserPatch{SiteRole: &role}); err != nil {
			t.Fatal(err)
		}
		s.ada = s.As(session)
		v, err := s.Service.CreateCourse(ctx, s.ada, lms.CourseFields{Title: "Algorithms"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.course = v.Course.ID
		test(t, s)
	})
}

// name puts an address into Ada's course, and gives the id of the person.
func (s *school) name(email string) int64 {
	s.t.Helper()
	rows, err := s.Service.Enroll(ctx, s.ada, service.EnrollRequest{CourseID: s.course, Role: lms.RoleStudent, Emails: []string{email}})
	if err != nil {
		s.t.Fatal(err)
	}
	return rows[0].UserID
}

func (s *school) count(from string, args ...any) int {
	s.t.Helper()
	var n int
	if err := s.raw.QueryRow(`SELECT count(*) FROM `+from, args...).Scan(&n); err != nil {
		s.t.Fatal(err)
	}
	return n
}

// issue makes an ID token for the app, with further claims or without some.
func (s *school) issue(p apptest.Person, claims ...any) string {
	f := apptest.Faults{Claims: map[string]any{"aud": appClient}}
	for i := 0; i+1 < len(claims); i += 2 {
		f.Claims[claims[i].(string)] = claims[i+1]
	}
	s.Issuer.Misbehave(f)
	defer s.Issuer.Misbehave(apptest.Faults{})
	return s.Issuer.IDToken(p, "the app's nonce")
}

func grace() apptest.Person { return apptest.Somebody("grace@uni.example", "Grace", "Hopper") }

func exchange(idToken string, more ...string) url.Values {
	f := url.Values{"grant_type": {exchangeGrant}, "subject_token": {idToken}, "subject_token_type": {idTokenType}}
	for i := 0; i+1 < len(more); i += 2 {
		f.Set(more[i], more[i+1])
	}
	return f
}

func refresh(token string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
}

// tokens is what the token endpoint answers.
type tokens struct {
	Access     string `json:"access_token"`
	IssuedType string `json:"issued_token_type"`
	Type       string `json:"token_type"`
	ExpiresIn  int    `json:"expires_in"`
	Refresh    string `json:"refresh_token"`
	Scope      string `json:"scope"`
}

func (s *school) post(form url.Values) app.Answer {
	s.t.Helper()
	return s.Anonymous().Post("/oauth/token", form)
}

func (s *school) granted(form url.Values) tokens {
	s.t.Helper()
	var got tokens
	s.post(form).Want(http.StatusOK).Into(&got)
	return got
}

// signIn exchanges a new ID token of Grace's.
func (s *school) signIn() tokens {
	s.t.Helper()
	return s.granted(exchange(s.issue(grace(), "jti", s.jti())))
}

// jti makes tokens of the same second differ, as those of a provider do.
func (s *school) jti() string {
	serial++
	return strings.Repeat("x", serial)
}

var serial int

// refused wants an error in the form of RFC 6749, section 5.2.
func refused(t *testing.T, what string, a app.Answer, status int, code, typ string) {
	t.Helper()
	var got struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
		Type        string `json:"type"`
	}
	a.Into(&got)
	if a.Status != status || got.Error != code || !strings.HasSuffix(got.Type, "/problems/"+typ) || got.Description == "" {
		t.Errorf("%s: %d %s", what, a.Status, a.Body)
	}
	if h := a.Header; h.Get("Content-Type") != "application/json" || h.Get("Cache-Control") != "no-store" || h.Get("Pragma") != "no-cache" {
		t.Errorf("%s: the headers are %v", what, h)
	}
}

// works wants an access token to open the API, or not to.
func (s *school) works(what, access string, want bool) {
	s.t.Helper()
	status := s.WithToken(access).Get("/api/v1/me").Status
	if (status == http.StatusOK) != want || (!want && status != http.StatusUnauthorized) {
		s.t.Errorf("%s: the access token answers %d", what, status)
	}
}

// tokenOf is Grace as the provider describes her in the code flow.
func tokenOf(s *school) signin.Token {
	p, err := s.RelyingParty.Present(ctx, s.issue(grace(), "jti", s.jti()), "")
	if err != nil {
		s.t.Fatal(err)
	}
	return p.Token
}
