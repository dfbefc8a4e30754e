package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"matricula/internal/config"
	"matricula/internal/fetch"
	"matricula/internal/jobs"
	"matricula/internal/lms"
	"matricula/internal/mail"
	"matricula/internal/server"
	"matricula/internal/service"
	"matricula/internal/signin"
	"matricula/internal/store"
)

// Options are how the demo is run.
type Options struct {
	Addr    string // where to listen, on loopback; port 0 takes any that is free
	Stdout  io.Writer
	Log     *slog.Logger
	Now     func() time.Time
	Version string
}

const (
	providerName = "demo"
	banner       = "This is a demo. Its people are invented, and everything is thrown away when it ends."
)

// Run makes the school, tells on Stdout where it is open and what to try, and
// serves it until ctx ends. Nothing stays behind.
func Run(ctx context.Context, o Options) (err error) {
	listener, base, err := listen(ctx, o.Addr)
	if err != nil {
		return err
	}
	defer listener.Close() // closed already when it was served
	folder, err := os.MkdirTemp("", "matricula-demo-")
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	st, err := store.Open(ctx, config.FileDatabase(filepath.Join(folder, "demo.db")).DSN())
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if err := st.Migrate(ctx); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	mailbox := &Mailbox{now: o.Now}
	provider, closeProvider, err := openProvider(ctx, base, mailbox, o)
	if err != nil {
		return err
	}
	defer closeProvider()
	svc, err := newSchool(ctx, st, provider, &service.MailOptions{Sender: mailbox, Site: mail.Site{URL: base}}, o)
	if err != nil {
		return err
	}
	srv, err := newServer(ctx, st, svc, provider, base, o)
	if err != nil {
		return err
	}
	if err := tell(o.Stdout, base, provider.Issuer+"/mail"); err != nil {
		return err
	}
	defer jobs.Start(ctx, svc, o.Log)()
	return srv.Serve(ctx, listener)
}

// openProvider serves the demo's provider beside the school, on the same
// address and another port.
func openProvider(ctx context.Context, base string, mailbox *Mailbox, o Options) (p signin.Provider, closeIt func(), err error) {
	u, err := url.Parse(base)
	if err != nil {
		return p, nil, fmt.Errorf("demo provider: %w", err)
	}
	listener, issuer, err := listen(ctx, net.JoinHostPort(u.Hostname(), "0"))
	if err != nil {
		return p, nil, fmt.Errorf("demo provider: %w", err)
	}
	p = signin.Provider{
		Name: providerName, Label: "the demo's accounts", Issuer: issuer, Kind: signin.KindOIDC, Domains: domains(),
		ClientID: "matricula-demo", ClientSecret: rand.Text(),
	}
	accounts := Accounts()
	handler, err := NewProvider(ProviderOptions{
		Issuer: issuer, ClientID: p.ClientID, ClientSecret: p.ClientSecret, RedirectURI: base + "/auth/" + p.Name + "/callback",
		Accounts: func() []Account { return accounts }, Now: o.Now, Mailbox: mailbox,
	})
	if err != nil {
		return p, nil, errors.Join(err, listener.Close())
	}
	hs := &http.Server{
		Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn),
	}
	go func() {
		if err := hs.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			o.Log.Error("the demo's sign-in page has ended", "error", err)
		}
	}()
	return p, func() { _ = hs.Close() }, nil // what it remembers is worth nothing after the end
}

// domains are those of the school's accounts, about which they are believed. Whoever
// comes with another address proves it by a code.
func domains() (list []string) {
	for _, a := range Accounts() {
		if address, err := lms.ParseEmail(a.Email); err == nil && !slices.Contains(list, address.Domain()) {
			list = append(list, address.Domain())
		}
	}
	return list
}

// newSchool fills the database and gives the use cases for it. The history is
// made by use cases of their own, whose clock runs behind.
func newSchool(ctx context.Context, st *store.Store, p signin.Provider, m *service.MailOptions, o Options) (*service.Service, error) {
	var ago atomic.Int64
	options := service.Options{Log: o.Log, SignUp: signin.SignUpAnyone, Now: func() time.Time {
		return o.Now().Add(-time.Duration(ago.Load()))
	}}
	err := School(ctx, service.New(st, options), SchoolOptions{Provider: p, Ago: func(d time.Duration) { ago.Store(int64(d)) }})
	if err != nil {
		return nil, err
	}
	options.Now, options.Mail, options.PendingDays = o.Now, m, 180
	poster := fetch.NewPoster(fetch.PostOptions{Loopback: true}) // nobody but this machine reaches the demo
	options.Webhooks = &service.WebhookOptions{Check: poster.Check, Post: poster.Post}
	options.Providers = []signin.Provider{p}
	options.Settings = (config.Config{
		SignUp: options.SignUp, Directory: service.DirectoryStaff, TimeZone: time.Local.String(), PendingDays: options.PendingDays,
	}).InForce()
	svc := service.New(st, options)
	if err := svc.Expire(ctx); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	return svc, nil
}

func newServer(ctx context.Context, st *store.Store, svc *service.Service, p signin.Provider, base string, o Options) (*server.Server, error) {
	rp, err := signin.New([]signin.Provider{p}, base, nil, o.Now)
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	key, err := st.Secret(ctx, "cursor")
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	return server.New(server.Options{
		Service: svc, RelyingParty: rp, URL: base, Log: o.Log, Now: o.Now, Version: o.Version, CursorKey: key, Zone: time.Local, Design: true, DemoBanner: banner,
	})
}

// ClassList is the class list of the story, as it is pasted: somebody whom the
// school knows, two whom it does not, and a slip of the pen.
func ClassList() string {
	known := student(0)
	return "E-mail,Name,Section,Student number\n" +
		known.Email + "," + known.GivenName + " " + known.FamilyName + ",Lab 1,4711\n" +
		"another.one@uni.example,Another One,Lab 1,4712\n" +
		"emmy.noether@uni.example,Emmy Noether,Lab 2,4713\n" +
		"max.planck(at)uni.example,Max Planck,Lab 2,4714\n"
}

// indented stands each line of a text below the steps of the story.
func indented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("    " + line)
	}
	return b.String()
}

// tell says where the school is open and what to try.
func tell(w io.Writer, base, mailbox string) error {
	named, arrived := student(algorithmsFrom+1), student(algorithmsFrom)
	_, err := fmt.Fprintf(w, `
A small school is open at  %s

Its 200 people are invented, only this computer can reach it, and everything
is thrown away when you press Ctrl+C.

The story to try:
 1. Sign in as Ada Lovelace, %s. She owns the course Algorithms.
 2. On its People page, let her colleague Grace manage the roster and see the
    audit. Nobody has named Grace yet, so she is not in the table: type
    %s and go on as with anybody else.
 3. Paste a class, known and unknown, such as
    %s, %s,
    NEW.STUDENT@uni.example, another.one@uni.example
 4. Bring a class list: follow "Class lists" below the table, and paste these
    lines, the headings too, or choose a file that your spreadsheet wrote.

%s
    You see what it would do before anything is saved. One address is a slip:
    correct it in place, check again, and carry it out. It makes the sections
    Lab 1 and Lab 2, and can be undone on its page.
 5. Sign out, and sign in as Grace Hopper. It is her first time here, and
    Algorithms is on her page, with precisely what Ada gave her.
 6. Do the same as another.one@uni.example: type any address on the sign-in page.
 7. Now as grace@home.example, for which the school's accounts cannot vouch: a
    code is mailed to it. No mail leaves this computer; all of it is shown at
    %s

Others to sign in as:
    %-34s administrator
    %-34s assistant in Algorithms
    %-34s student
    %-34s was named as a student, and has never been here

`, base, ada, grace, student(0).Email, student(1).Email, indented(ClassList()), mailbox, florence, niels, arrived.Email, named.Email)
	return err
}
