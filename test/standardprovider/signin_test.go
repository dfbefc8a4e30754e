package standardprovider

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The accounts at the provider. Of Matricula's people, grace, katherine, alan
// and mallory are named before they come.
var accounts = people{
	account("248289761001", "Grace.Hopper@uni.example", true, "grace", "Hopper"),
	account("248289761002", "ida@uni.example", true, "ida", "Rhodes"),
	account("248289761003", "alan@uni.example", false, "alan", "Turing"),
	account("248289761004", "mallory@elsewhere.example", true, "mallory", "Archer"),
	account("248289761005", "trudy@elsewhere.example", true, "trudy", "Dusk"),
	account("248289761007", "katherine@uni.example", true, "katherine", "Johnson"),
	account("248289761006", "grace.hopper@uni.example", true, "eve", "Dropper"),
}

// A user as the API writes one, as far as these tests look.
type user struct {
	ID               int64    `json:"id"`
	Email            string   `json:"email"`
	GivenName        string   `json:"given_name"`
	FamilyName       string   `json:"family_name"`
	Status           string   `json:"status"`
	CoursePrivileges []string `json:"course_privileges"`
}

type me struct {
	User    user `json:"user"`
	Courses []struct {
		ID         int64    `json:"id"`
		Title      string   `json:"title"`
		Privileges []string `json:"privileges"`
	} `json:"courses"`
}

// school is the running program with one course, and the service account that
// looks after it.
type school struct {
	program  *program
	url      string
	provider *provider
	sis      *browser
	claims   bool // whether the provider's ID tokens hold addresses
	course   int64
}

// Both ways in which a standard provider tells an address, and both spellings
// of an issuer: discovery has to keep the slash at the end apart from the path.
func TestPeopleNamedBeforeTheyCameSignInThroughAStandardProvider(t *testing.T) {
	binary := build(t)
	for _, c := range []struct {
		name            string
		issuer          func(address string) string
		claimsInIDToken bool
	}{
		{"which tells addresses at its userinfo endpoint", func(address string) string { return "http://" + address }, false},
		{"which tells addresses in the ID token and has a slash in its issuer", func(address string) string {
			return "http://" + strings.Replace(address, "127.0.0.1", "localhost", 1) + "/"
		}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t, binary, c.issuer, c.claimsInIDToken)
			t.Run("the doctor finds the provider well", s.doctor)
			t.Run("Matricula keeps to the protocol", s.protocol)
			t.Run("a mobile app trades its ID token, which claims what waits if it holds the address", s.app)
			t.Run("the first sign-in finds everything, and the second is the same account", s.claim)
			t.Run("another account at the provider with her address does not get hers", s.sameAddress)
			t.Run("somebody whom nobody named gets an account when the provider hands out their address", s.signUp)
			t.Run("an address that the provider does not call verified proves nothing", s.unverified)
			t.Run("an ID token of somebody known needs no address", s.appAgain)
			t.Run("a stranger from outside the domains is refused", s.stranger)
			t.Run("somebody named from outside the domains is refused and keeps waiting", s.outside)
			if got := s.provider.requests("/userinfo"); (got > 0) == c.claimsInIDToken {
				t.Errorf("the userinfo endpoint was asked %d times", got)
			}
		})
	}
}

func open(t *testing.T, binary string, issuer func(string) string, claimsInIDToken bool) *school {
	t.Helper()
	address := freeAddress(t)
	url := "http://" + address
	p := startProvider(t, issuer, url+"/auth/campus/callback", claimsInIDToken, accounts)
	folder := t.TempDir()
	prog := &program{path: binary, folder: folder, env: []string{
		"MATRICULA_ADDR=" + address,
		"MATRICULA_URL=" + url,
		"MATRICULA_DATABASE=sqlite:" + filepath.Join(folder, "matricula.db"),
		"MATRICULA_OIDC_CAMPUS_ISSUER=" + p.issuer,
		"MATRICULA_OIDC_CAMPUS_CLIENT_ID=" + clientID,
		"MATRICULA_OIDC_CAMPUS_CLIENT_SECRET=" + clientSecret,
		"MATRICULA_OIDC_CAMPUS_CLIENTS=" + appID,
		"MATRICULA_OIDC_CAMPUS_DOMAINS=uni.example",
		"MATRICULA_OIDC_CAMPUS_LABEL=Campus account",
	}}
	prog.serve(t, url)
	s := &school{program: prog, url: url, provider: p, sis: newBrowser(t, url), claims: claimsInIDToken}
	s.sis.token = strings.TrimSpace(prog.run(t, "token", "create", "--service", "sis", "--site-role", "admin"))

	var course struct {
		ID int64 `json:"id"`
	}
	s.sis.json(http.MethodPost, "/api/v1/courses", map[string]any{"title": "Algorithms"}).want(http.StatusCreated).into(&course)
	s.course = course.ID
	return s
}

// name sets what somebody may do in the course who has never been here.
func (s *school) name(t *testing.T, address string, privileges ...string) user {
	t.Helper()
	var u user
	s.sis.json(http.MethodPatch, path("/api/v1/users/-1/privileges?course_id=%d", s.course),
		map[string]any{"email": address, "course_privileges": privileges}).want(http.StatusOK).into(&u)
	if u.Status != "pending" || u.ID <= 0 {
		t.Fatalf("the person who was named is %+v", u)
	}
	return u
}

func (s *school) user(t *testing.T, id int64) user {
	t.Helper()
	var u user
	s.sis.get(path("/api/v1/users/%d", id)).want(http.StatusOK).into(&u)
	return u
}

// known counts the users who have an address.
func (s *school) known(t *testing.T, address string) int {
	t.Helper()
	var list struct {
		Items []user `json:"items"`
	}
	s.sis.get("/api/v1/users?search=" + address).want(http.StatusOK).into(&list)
	return len(list.Items)
}

func (s *school) me(t *testing.T, b *browser) me {
	t.Helper()
	var m me
	b.get("/api/v1/me").want(http.StatusOK).into(&m)
	return m
}

func (s *school) doctor(t *testing.T) {
	if out := s.program.run(t, "doctor"); !strings.Contains(out, s.provider.issuer) {
		t.Errorf("the doctor says nothing of the provider:\n%s", out)
	}
}

func (s *school) protocol(t *testing.T) {
	q := newBrowser(t, s.url).authorization()
	if q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 ||
		q.Get("state") == "" || q.Get("nonce") == "" || q.Get("client_id") != clientID || q.Get("redirect_uri") != s.url+"/auth/campus/callback" {
		t.Errorf("the authorization request is %v", q)
	}
	if scopes := strings.Fields(q.Get("scope")); !slices.Contains(scopes, "openid") || !slices.Contains(scopes, "email") {
		t.Errorf("the scopes are %q", scopes)
	}
}

func (s *school) claim(t *testing.T) {
	granted := []string{"audit.view", "roster.manage", "roster.view"} // managing implies viewing
	before := s.name(t, "grace.hopper@UNI.example", "roster.manage", "audit.view")

	var first me
	for _, b := range []*browser{newBrowser(t, s.url), newBrowser(t, s.url)} {
		b.get("/api/v1/me").want(http.StatusUnauthorized)
		back := b.signIn(s.provider, "grace").want(http.StatusOK)
		if got := back.url.Scheme + "://" + back.url.Host; got != s.url {
			t.Fatalf("the sign-in ended at %s", back.url)
		}
		m := s.me(t, b)
		if m.User.ID != before.ID || m.User.Status != "active" || m.User.GivenName != "grace" || m.User.FamilyName != "Hopper" {
			t.Errorf("she was user %d, and is %+v", before.ID, m.User)
		}
		if len(m.Courses) != 1 || m.Courses[0].ID != s.course {
			t.Fatalf("her courses are %+v", m.Courses)
		}
		slices.Sort(m.Courses[0].Privileges)
		if !slices.Equal(m.Courses[0].Privileges, granted) {
			t.Errorf("she may do %q, and %q was set", m.Courses[0].Privileges, granted)
		}
		if first.User.ID != 0 && first.User.ID != m.User.ID {
			t.Errorf("the second sign-in is another account: %+v", m.User)
		}
		first = m
		// What she was given, she can use.
		b.get(path("/api/v1/courses/%d/audit", s.course)).want(http.StatusOK)
	}
	if got := s.known(t, "grace.hopper@uni.example"); got != 1 {
		t.Errorf("%d users have her address", got)
	}
}

func (s *school) sameAddress(t *testing.T) {
	s.refused(t, "eve", http.StatusConflict)
	if got := s.known(t, "grace.hopper@uni.example"); got != 1 {
		t.Errorf("%d users have the address", got)
	}
}

func (s *school) signUp(t *testing.T) {
	b := newBrowser(t, s.url)
	b.signIn(s.provider, "ida").want(http.StatusOK)
	if m := s.me(t, b); m.User.Email != "ida@uni.example" || m.User.Status != "active" || len(m.Courses) != 0 {
		t.Errorf("she is %+v", m)
	}
}

func (s *school) unverified(t *testing.T) {
	before := s.name(t, "alan@uni.example", "roster.view")
	s.refused(t, "alan", http.StatusForbidden)
	if got := s.user(t, before.ID); got.Status != "pending" {
		t.Errorf("he is %+v", got)
	}
}

func (s *school) stranger(t *testing.T) {
	s.refused(t, "trudy", http.StatusForbidden)
	if got := s.known(t, "trudy@elsewhere.example"); got != 0 {
		t.Errorf("the refused sign-in left %d users behind", got)
	}
}

func (s *school) outside(t *testing.T) {
	before := s.name(t, "mallory@elsewhere.example", "roster.view")
	s.refused(t, "mallory", http.StatusForbidden)
	if got := s.user(t, before.ID); got.Status != "pending" {
		t.Errorf("the person is %+v", got)
	}
}

// refused signs in at the provider, which lets everybody in, and expects that
// Matricula does not.
func (s *school) refused(t *testing.T, username string, status int) {
	t.Helper()
	b := newBrowser(t, s.url)
	page := b.signIn(s.provider, username).want(status)
	if got := page.url.Scheme + "://" + page.url.Host; got != s.url {
		t.Errorf("the refusal is shown at %s", page.url)
	}
	b.get("/api/v1/me").want(http.StatusUnauthorized)
}
