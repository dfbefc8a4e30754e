package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"matricula/internal/config"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
)

const (
	tenant      = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
	entraIssuer = "https://login.microsoftonline.com/" + tenant + "/v2.0"
)

// lines turns "NAME=value" lines without their prefix into an environment.
func lines(vars ...string) []string {
	environ := []string{"PATH=/bin", "HOME=/root", "MATRICULATION=no", "="}
	for _, v := range vars {
		environ = append(environ, "MATRICULA_"+v)
	}
	return environ
}

func load(t *testing.T, vars ...string) config.Config {
	t.Helper()
	c, err := config.Load(lines(vars...))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAnEmptyEnvironmentIsTheDocumentedDefaults(t *testing.T) {
	c := load(t)
	want := config.Config{
		Addr: "127.0.0.1:8080", URL: "http://localhost:8080", Database: config.FileDatabase("matricula.db"),
		SignUp: signin.SignUpDomains, Directory: service.DirectoryStaff, PendingDays: 180, TimeZone: "UTC",
	}
	if diff := cmp.Diff(want, c, cmp.AllowUnexported(config.Database{})); diff != "" {
		t.Error(diff)
	}
	if empty := load(t, "ADDR=", "URL= ", "ADMINS=,", "SMTP=", "OIDC_UNI_ISSUER=", "PENDING_DAYS="); !cmp.Equal(empty, c, cmp.AllowUnexported(config.Database{})) {
		t.Errorf("variables that are set to nothing change something: %+v", empty)
	}
	if err := c.RequireProvider(); err == nil || !strings.Contains(err.Error(), "MATRICULA_GOOGLE_CLIENT_ID") {
		t.Errorf("nobody could sign in, and the error is %v", err)
	}
}

func TestEveryVariableIsRead(t *testing.T) {
	c := load(
		t, "ADDR=0.0.0.0:80", "URL=HTTPS://LMS.Uni.Example:443/", "DATABASE=postgres://me:hidden@db:5432/lms?sslmode=require",
		"ADMINS=Ada@Uni.Example, grace@uni.example,ada@uni.example,", "SIGNUP=named", "DIRECTORY=everyone",
		"NAMING_DOMAINS=Uni.Example,bücher.example", "SMTP=smtps://post:p%40ss@mail.uni.example", "MAIL_FROM=LMS@uni.example",
		"TRUSTED_PROXIES=10.1.2.3/8, 127.0.0.1,::1,fd00::/8", "PENDING_DAYS=30", "TIME_ZONE=Europe/Rome",
		"GOOGLE_CLIENT_ID=id", "GOOGLE_CLIENT_SECRET=hidden", "GOOGLE_DOMAINS=UNI.example", "GOOGLE_CLIENTS=android, web,",
		"OIDC_UNI_ISSUER=https://id.uni.example/realms/uni", "OIDC_UNI_CLIENT_ID=matricula", "OIDC_UNI_CLIENT_SECRET=hidden",
		"OIDC_UNI_DOMAINS=*", "OIDC_UNI_LABEL=University account", "OIDC_UNI_CLIENTS=app",
		"CORS_ORIGINS=HTTPS://App.Uni.Example:443/, http://localhost:5173,https://app.uni.example",
		"OIDC_MY_OWN_ISSUER=http://127.0.0.1:9000/id", "OIDC_MY_OWN_CLIENT_ID=matricula",
		"OIDC_AZ_ISSUER="+entraIssuer, "OIDC_AZ_CLIENT_ID=app", "OIDC_AZ_CLIENT_SECRET=hidden", "OIDC_AZ_DOMAINS=a.example, B.example", "OIDC_AZ_TENANT="+tenant,
	)
	want := config.Config{
		Addr: "0.0.0.0:80", URL: "https://lms.uni.example",
		Admins: []lms.Email{"ada@uni.example", "grace@uni.example"}, SignUp: signin.SignUpNamed, Directory: service.DirectoryEveryone,
		NamingDomains: []string{"uni.example", "xn--bcher-kva.example"},
		Mail:          &config.Mail{Host: "mail.uni.example", Port: 465, TLS: true, User: "post", Password: "p@ss", From: "lms@uni.example"},
		TrustedProxies: []netip.Prefix{
			netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("fd00::/8"),
		},
		PendingDays: 30, TimeZone: "Europe/Rome", CORSOrigins: []string{"https://app.uni.example", "http://localhost:5173"},
		Providers: []signin.Provider{
			{Name: "google", Label: "Google", Issuer: signin.GoogleIssuer, Kind: signin.KindGoogle, ClientID: "id", ClientSecret: "hidden", Domains: []string{"uni.example"}, Clients: []string{"android", "web"}},
			{Name: "az", Label: "Az", Issuer: entraIssuer, Kind: signin.KindEntra, Tenant: tenant, ClientID: "app", ClientSecret: "hidden", Domains: []string{"a.example", "b.example"}},
			{Name: "my_own", Label: "My own", Issuer: "http://127.0.0.1:9000/id", Kind: signin.KindOIDC, ClientID: "matricula"},
			{Name: "uni", Label: "University account", Issuer: "https://id.uni.example/realms/uni", Kind: signin.KindOIDC, ClientID: "matricula", ClientSecret: "hidden", TrustAll: true, Clients: []string{"app"}},
		},
	}
	if diff := cmp.Diff(want, c, cmpopts.IgnoreFields(config.Config{}, "Database"), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	if c.Database.DSN() != "postgres://me:hidden@db:5432/lms?sslmode=require" || c.Database.String() != "postgres at db:5432/lms" {
		t.Errorf("the database is %s", c.Database)
	}
	if err := c.RequireProvider(); err != nil {
		t.Error(err)
	}
	if _, err := signin.New(c.Providers, c.URL, nil, nil); err != nil {
		t.Errorf("providers that were accepted cannot be used: %v", err)
	}
}

func TestTheTenantOfEntraIsInItsIssuer(t *testing.T) {
	c := load(t, "OIDC_AZ_ISSUER="+entraIssuer, "OIDC_AZ_CLIENT_ID=app", "OIDC_AZ_CLIENT_SECRET=s")
	if p := c.Providers[0]; p.Kind != signin.KindEntra || p.Tenant != tenant {
		t.Errorf("%+v", p)
	}
	c = load(t, "OIDC_AZ_ISSUER=http://localhost:9000", "OIDC_AZ_CLIENT_ID=app", "OIDC_AZ_TENANT="+tenant)
	if p := c.Providers[0]; p.Kind != signin.KindEntra || p.Tenant != tenant {
		t.Errorf("a stand-in on loopback: %+v", p)
	}
}

func TestABadValueIsOneLineThatNamesTheVariable(t *testing.T) {
	uni := []string{"OIDC_UNI_ISSUER=https://id.example", "OIDC_UNI_CLIENT_ID=matricula"}
	google := []string{"GOOGLE_CLIENT_ID=id", "GOOGLE_CLIENT_SECRET=s"}
	with := func(list []string, more ...string) []string { return append(append([]string{}, more...), list...) }
	for _, c := range []struct {
		vars     []string
		variable string // without the prefix
		cure     string // what the line must hold besides
	}{
		{[]string{"DATABSE=sqlite:x.db"}, "DATABSE", "MATRICULA_DATABASE"},
		{[]string{"SIGN_UP=named"}, "SIGN_UP", "MATRICULA_SIGNUP"},
		{[]string{"=x"}, "", "not known"},
		{[]string{"COLOUR_SCHEME=dark"}, "COLOUR_SCHEME", "MATRICULA_ADDR"},
		{[]string{"GOOGLE_TENANT=x"}, "GOOGLE_TENANT", "MATRICULA_GOOGLE_DOMAINS"},
		{[]string{"OIDC_ISSUER=https://id.example"}, "OIDC_ISSUER", "OIDC_<NAME>_"},
		{[]string{"OIDC_UNI_SECRET=hidden"}, "OIDC_UNI_SECRET", "CLIENT_SECRET"},
		{[]string{"OIDC_uni_ISSUER=https://id.example"}, "OIDC_uni_ISSUER", "capital letters"},
		{[]string{"OIDC_4_ISSUER=https://id.example"}, "OIDC_4_ISSUER", "beginning with a letter"},

		{[]string{"CORS_ORIGINS=*"}, "CORS_ORIGINS", "https://app.uni.example"},
		{[]string{"CORS_ORIGINS=https://*.uni.example"}, "CORS_ORIGINS", "pattern"},
		{[]string{"CORS_ORIGINS=https://a.example,null"}, "CORS_ORIGINS", "number 2"},
		{[]string{"CORS_ORIGINS=http://app.uni.example"}, "CORS_ORIGINS", "localhost"},
		{[]string{"CORS_ORIGINS=https://app.uni.example/app"}, "CORS_ORIGINS", "path"},
		{[]string{"CORS_ORIGINS=https://me:hidden@app.uni.example"}, "CORS_ORIGINS", "whole origin"},
		{[]string{"CORS_ORIGIN=https://app.uni.example"}, "CORS_ORIGIN", "MATRICULA_CORS_ORIGINS"},
		{with(google, "GOOGLE_CLIENTS=two words"), "GOOGLE_CLIENTS", "client id"},
		{[]string{"GOOGLE_CLIENTS=app"}, "GOOGLE_CLIENT_ID", "must be set"},

		{[]string{"ADDR=8080"}, "ADDR", ":8080"},
		{[]string{"ADDR=localhost"}, "ADDR", "127.0.0.1:8080"},
		{[]string{"ADDR=localhost:http"}, "ADDR", "port"},
		{[]string{"ADDR=localhost:65536"}, "ADDR", "port"},
		{[]string{"URL=lms.uni.example"}, "URL", "https://lms.uni.example"},
		{[]string{"URL=ftp://lms.uni.example"}, "URL", "https://lms.uni.example"},
		{[]string{"URL=https:lms.uni.example"}, "URL", "https://lms.uni.example"},
		{[]string{"URL=https:///x"}, "URL", "https://lms.uni.example"},
		{[]string{"URL=http://lms.uni.example"}, "URL", "https://"},
		{[]string{"URL=http://127.0.0.1.evil.example"}, "URL", "https://"},
		{[]string{"URL=https://lms.uni.example/lms"}, "URL", "after the host"},
		{[]string{"URL=https://lms.uni.example?x=1"}, "URL", "after the host"},
		{[]string{"URL=https://lms.uni.example?"}, "URL", "after the host"},
		{[]string{"URL=https://lms.uni.example/#x"}, "URL", "after the host"},
		{[]string{"URL=https://hidden:hidden@lms.uni.example"}, "URL", "password"},
		{[]string{"URL=https://lms.uni.example:0"}, "URL", "port"},
		{[]string{"URL=https://bücher.example"}, "URL", "xn--"},
		{[]string{"DATABASE=matricula.db"}, "DATABASE", "sqlite:matricula.db"},
		{[]string{"DATABASE=sqlite:"}, "DATABASE", "sqlite:matricula.db"},
		{[]string{"DATABASE=sqlite://matricula.db"}, "DATABASE", "sqlite:matricula.db"},
		{[]string{"DATABASE=sqlite::memory:"}, "DATABASE", "sqlite:matricula.db"},
		{[]string{"DATABASE=mysql://me:hidden@db/lms"}, "DATABASE", "postgres://"},
		{[]string{"DATABASE=postgres://me:hid%zzden@db/lms"}, "DATABASE", "%40"},
		{[]string{"ADMINS=ada@uni.example,hidden"}, "ADMINS", "number 2"},
		{[]string{"ADMINS=Hidden <hidden@uni.example>"}, "ADMINS", "number 1"},
		{[]string{"SIGNUP=everyone"}, "SIGNUP", "anyone"},
		{[]string{"DIRECTORY=Staff"}, "DIRECTORY", "staff"},
		{[]string{"NAMING_DOMAINS=uni.example,@uni.example"}, "NAMING_DOMAINS", `"@uni.example"`},
		{[]string{"NAMING_DOMAINS=*.uni.example"}, "NAMING_DOMAINS", "subdomains"},
		{[]string{"NAMING_DOMAINS=localhost"}, "NAMING_DOMAINS", "uni.example"},
		{[]string{"SMTP=smtp://post:hidden@mail.example:587"}, "MAIL_FROM", "MATRICULA_SMTP"},
		{[]string{"SMTP=mail.example:587", "MAIL_FROM=a@b.example"}, "SMTP", "smtp://"},
		{[]string{"SMTP=https://mail.example", "MAIL_FROM=a@b.example"}, "SMTP", "smtps://"},
		{[]string{"SMTP=smtp://post:hid%zzden@mail.example", "MAIL_FROM=a@b.example"}, "SMTP", "%40"},
		{[]string{"SMTP=smtp://:hidden@mail.example", "MAIL_FROM=a@b.example"}, "SMTP", "no user"},
		{[]string{"SMTP=smtp://mail.example:0", "MAIL_FROM=a@b.example"}, "SMTP", "port"},
		{[]string{"MAIL_FROM=hidden"}, "MAIL_FROM", "@"},
		{[]string{"TRUSTED_PROXIES=10.0.0.0/8,proxy.uni.example"}, "TRUSTED_PROXIES", "10.0.0.0/8"},
		{[]string{"TRUSTED_PROXIES=10.0.0.0/33"}, "TRUSTED_PROXIES", "10.0.0.0/8"},
		{[]string{"PENDING_DAYS=never"}, "PENDING_DAYS", "days"},
		{[]string{"PENDING_DAYS=0"}, "PENDING_DAYS", "days"},
		{[]string{"TIME_ZONE=Rome"}, "TIME_ZONE", "Europe/Rome"},
		{[]string{"TIME_ZONE=Local"}, "TIME_ZONE", "Europe/Rome"},

		{[]string{"GOOGLE_CLIENT_ID=id"}, "GOOGLE_CLIENT_SECRET", "must be set"},
		{[]string{"GOOGLE_CLIENT_SECRET=hidden"}, "GOOGLE_CLIENT_ID", "must be set"},
		{[]string{"GOOGLE_DOMAINS=uni.example"}, "GOOGLE_CLIENT_ID", "must be set"},
		{with(google, "GOOGLE_DOMAINS=*"), "GOOGLE_DOMAINS", "*"},
		{with(google, "GOOGLE_DOMAINS=*.uni.example"), "GOOGLE_DOMAINS", "*"},
		{[]string{"OIDC_UNI_CLIENT_SECRET=hidden"}, "OIDC_UNI_ISSUER", "must be set"},
		{uni[:1], "OIDC_UNI_CLIENT_ID", "must be set"},
		{with(uni, "OIDC_UNI_ISSUER=http://id.example"), "OIDC_UNI_ISSUER", "https://"},
		{with(uni, "OIDC_UNI_ISSUER=https://me:hidden@id.example"), "OIDC_UNI_ISSUER", "no user"},
		{with(uni, "OIDC_UNI_DOMAINS=*,uni.example"), "OIDC_UNI_DOMAINS", "*"},
		{with(uni, "OIDC_UNI_DOMAINS=uni"), "OIDC_UNI_DOMAINS", `"uni"`},
		{with(uni, "OIDC_UNI_LABEL="+strings.Repeat("x", 61)), "OIDC_UNI_LABEL", "60"},
		{with(uni, "OIDC_UNI_TENANT="+tenant), "OIDC_UNI_TENANT", "Entra"},
		{with(uni, "OIDC_UNI_ISSUER=https://login.microsoftonline.com/common/v2.0"), "OIDC_UNI_ISSUER", "TENANT-ID"},
		{with(uni, "OIDC_UNI_ISSUER="+entraIssuer, "OIDC_UNI_TENANT=another"), "OIDC_UNI_TENANT", "OIDC_UNI_ISSUER"},
		{with(uni, "OIDC_UNI_ISSUER=https://accounts.google.com"), "OIDC_UNI_ISSUER", "MATRICULA_GOOGLE_CLIENT_ID"},
		{with(uni, "OIDC_TWO_ISSUER=https://id.example", "OIDC_TWO_CLIENT_ID=x"), "OIDC_UNI_ISSUER", "OIDC_TWO_ISSUER"},
		{[]string{"OIDC_GOOGLE_ISSUER=https://id.example", "OIDC_GOOGLE_CLIENT_ID=x"}, "OIDC_GOOGLE_ISSUER", "reserved"},
		{with(google, "OIDC_GOOGLE_ISSUER=http://localhost:9000", "OIDC_GOOGLE_CLIENT_ID=x"), "OIDC_GOOGLE_ISSUER", "another name"},
	} {
		_, err := config.Load(lines(c.vars...))
		var fault *config.Error
		if !errors.As(err, &fault) {
			t.Errorf("%q: accepted, or %v", c.vars, err)
			continue
		}
		text := err.Error()
		if fault.Variable != "MATRICULA_"+c.variable || !strings.HasPrefix(text, fault.Variable+" ") || !strings.Contains(text, c.cure) {
			t.Errorf("%q: %s\n  should begin with MATRICULA_%s and say %q", c.vars, text, c.variable, c.cure)
		}
		if strings.Contains(text, "hid") || strings.ContainsAny(text, "\n\r") {
			t.Errorf("%q: the line shows a secret or is several: %s", c.vars, text)
		}
	}
}

func TestNoSecretIsShown(t *testing.T) {
	c := load(
		t, "DATABASE=postgres://me:hidden@db/lms?password=hidden", "SMTP=smtp://post:hidden@mail.example", "MAIL_FROM=lms@uni.example",
		"GOOGLE_CLIENT_ID=id", "GOOGLE_CLIENT_SECRET=hidden", "ADMINS=hidden@uni.example",
	)
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	logger.Info("config", "config", c, "database", c.Database, "mail", *c.Mail, "provider", c.Providers[0])
	shown := log.String() + c.String() + c.Database.String() + c.Mail.String()
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		shown += fmt.Sprintf(format, c) + fmt.Sprintf(format, c.Database) + fmt.Sprintf(format, *c.Mail)
	}
	if strings.Contains(shown, "hidden") {
		t.Errorf("a secret is shown: %s", shown)
	}
	if !strings.Contains(shown, "postgres at db/lms") || !strings.Contains(shown, "mail.example:587") {
		t.Errorf("not even the names are shown: %s", shown)
	}
	var line map[string]any
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Error(err)
	}
}

func TestTheFirstOfTwoValuesCountsAsItDoesForTheSystem(t *testing.T) {
	if c := load(t, "ADDR=127.0.0.1:1", "ADDR=127.0.0.1:2"); c.Addr != "127.0.0.1:1" {
		t.Errorf("listens on %s", c.Addr)
	}
}

func TestAClientReadsTheAddressAndTheTokenAloneAndShowsNoToken(t *testing.T) {
	environ := lines("URL=https://LMS.uni.example/", "TOKEN= mat_secret ", "PENDING_DAYS=soon") // the last is the server's
	c, err := config.LoadClient(environ, "")
	if err != nil || c.URL != "https://lms.uni.example" || c.Token != "mat_secret" {
		t.Errorf("%s %v", c.URL, err)
	}
	if c, err = config.LoadClient(environ, "http://127.0.0.1:8080/"); err != nil || c.URL != "http://127.0.0.1:8080" || c.Token != "mat_secret" {
		t.Errorf("%s %v", c.URL, err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("client", "client", c)
	for _, text := range []string{fmt.Sprint(c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c), log.String()} {
		if strings.Contains(text, "secret") {
			t.Errorf("the token is shown: %s", text)
		}
	}
	for address, environ := range map[string][]string{
		"--url": nil, "MATRICULA_TOKNE": lines("TOKNE=x"), "MATRICULA_URL": lines("URL=ftp://x"),
	} {
		given := ""
		if environ == nil {
			given = "http://lms.uni.example"
		}
		if _, err := config.LoadClient(environ, given); err == nil || !strings.HasPrefix(err.Error(), address+" ") {
			t.Errorf("%s: %v", address, err)
		}
	}
	// A server takes no notice of it, and the settings in force do not list it.
	server := load(t, "TOKEN=mat_secret")
	if text := fmt.Sprintf("%#v %+v", server, server.InForce()); strings.Contains(text, "secret") || strings.Contains(text, "MATRICULA_TOKEN") {
		t.Errorf("the token is shown: %s", text)
	}
}
