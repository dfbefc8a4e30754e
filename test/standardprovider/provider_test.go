package standardprovider

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"
	"golang.org/x/text/language"
)

// The clients that are registered at every provider: Matricula, and a mobile app.
const (
	clientID     = "matricula"
	clientSecret = "known to both: +/%&=~" // RFC 6749, section 2.3.1, has it encoded on its way
	appID        = "campus-app"
	appRedirect  = "custom://auth/callback"
)

// people are the accounts at a provider. The example storage calls them users.
type people []*storage.User

func (p people) find(is func(*storage.User) bool) *storage.User {
	for _, u := range p {
		if is(u) {
			return u
		}
	}
	return nil
}

// GetUserByID finds an account by its subject.
func (p people) GetUserByID(id string) *storage.User {
	return p.find(func(u *storage.User) bool { return u.ID == id })
}

// GetUserByUsername finds an account by what is typed into the login page.
func (p people) GetUserByUsername(name string) *storage.User {
	return p.find(func(u *storage.User) bool { return u.Username == name })
}

// ExampleClientID is a client that the storage registers for itself.
func (people) ExampleClientID() string { return "not used here" }

func account(subject, address string, verified bool, given, family string) *storage.User {
	return &storage.User{
		ID: subject, Username: given, Password: passwordOf(given), FirstName: given, LastName: family,
		Email: address, EmailVerified: verified, PreferredLanguage: language.English,
	}
}

func passwordOf(username string) string { return "the password of " + username }

// provider is a running OpenID provider.
type provider struct {
	issuer string

	mu   sync.Mutex
	seen map[string]int // requests, by path
}

func (p *provider) requests(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen[path]
}

// startProvider starts a provider whose issuer is spelled by a function of its
// address, such as 127.0.0.1:4711. The library sends addresses and names from
// its userinfo endpoint, as OpenID Connect Core 1.0, section 5.4, has it for the
// code flow; with claimsInIDToken it puts them into the ID token as well.
func startProvider(t *testing.T, issuer func(address string) string, redirectURI string, claimsInIDToken bool, accounts people) *provider {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{issuer: issuer(l.Addr().String()), seen: map[string]int{}}
	plain := storage.NewStorageWithClients(accounts, map[string]*storage.Client{
		clientID: storage.WebClient(clientID, clientSecret, redirectURI),
		appID:    storage.NativeClient(appID, appRedirect),
	})
	var kept exampleop.Storage = plain
	if claimsInIDToken {
		kept = talkative{plain}
	}
	log := &journal{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the provider's log:\n%s", log)
		}
	})
	router := exampleop.SetupServer(p.issuer, kept, slog.New(slog.NewTextHandler(log, nil)), false)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.seen[r.URL.Path]++
		p.mu.Unlock()
		router.ServeHTTP(w, r)
	}))
	if err := s.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	return p
}

// talkative is a storage whose clients get everything in the ID token.
type talkative struct{ *storage.Storage }

// GetClientByClientID finds a client.
func (s talkative) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	c, err := s.Storage.GetClientByClientID(ctx, id)
	if err != nil {
		return nil, err
	}
	return talkativeClient{c}, nil
}

type talkativeClient struct{ op.Client }

// IDTokenUserinfoClaimsAssertion puts the address and the name into the token.
func (talkativeClient) IDTokenUserinfoClaimsAssertion() bool { return true }

// journal is a log that is read when something went wrong.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

var _ io.Writer = (*journal)(nil)

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}
