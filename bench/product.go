package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"matricula/internal/demo"
	"matricula/internal/lms"
	"matricula/internal/server"
	"matricula/internal/service"
	"matricula/internal/signin"
	"matricula/internal/store"
)

const (
	providerName = "school"
	clientID     = "matricula"
	clientSecret = "a secret of this process alone"
	schoolDomain = "uni.example"
	logName      = "server.log"
)

// provider is a real OpenID provider on loopback, which sends people back to
// one place.
type provider struct {
	issuer string
	stop   func() error
}

func startProvider(redirect string) (*provider, error) {
	l, err := listen()
	if err != nil {
		return nil, err
	}
	issuer := "http://" + l.Addr().String()
	p, err := demo.NewProvider(demo.ProviderOptions{
		Issuer: issuer, ClientID: clientID, ClientSecret: clientSecret, RedirectURI: redirect,
		Accounts: func() []demo.Account { return nil }, Now: time.Now,
	})
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &provider{issuer, serve(l, p)}, nil
}

func listen() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }

// serve answers until stop is called.
func serve(l net.Listener, h http.Handler) (stop func() error) {
	hs := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	done := make(chan error, 1)
	go func() { done <- hs.Serve(l) }()
	return func() error {
		err := hs.Close()
		if ended := <-done; !errors.Is(ended, http.ErrServerClosed) {
			err = errors.Join(err, ended)
		}
		return err
	}
}

// product is the whole server, as "matricula serve" runs it, with its log in a
// file.
type product struct {
	url      string
	token    string // of a service account that is a site administrator
	service  *service.Service
	provider signin.Provider
	close    func() error
}

func startProduct(ctx context.Context, dsn, folder string) (_ *product, err error) {
	var closers []func() error
	closeAll := func() error {
		var err error
		for i := len(closers) - 1; i >= 0; i-- {
			err = errors.Join(err, closers[i]())
		}
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, closeAll())
		}
	}()
	log, err := os.OpenFile(filepath.Join(folder, logName), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	closers = append(closers, log.Close)
	logger := slog.New(slog.NewJSONHandler(log, nil))

	st, err := store.Open(ctx, dsn)
	if err != nil {
		return nil, err
	}
	closers = append(closers, st.Close)
	if err := st.Start(ctx); err != nil {
		return nil, err
	}
	problems, err := st.CheckDurability(ctx)
	if err != nil || len(problems) > 0 {
		return nil, errors.Join(err, errors.New(strings.Join(problems, "; ")))
	}
	key, err := st.Secret(ctx, "cursor")
	if err != nil {
		return nil, err
	}
	l, err := listen()
	if err != nil {
		return nil, err
	}
	p := &product{url: "http://" + l.Addr().String(), close: closeAll}
	issuer, err := startProvider(p.url + "/auth/" + providerName + "/callback")
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	closers = append(closers, issuer.stop)
	p.provider = signin.Provider{
		Name: providerName, Label: "School account", Issuer: issuer.issuer, ClientID: clientID, ClientSecret: clientSecret,
		Kind: signin.KindOIDC, Domains: []string{schoolDomain},
	}
	rp, err := signin.New([]signin.Provider{p.provider}, p.url, nil, time.Now)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	p.service = service.New(st, service.Options{Now: time.Now, Log: logger})
	srv, err := server.New(server.Options{
		Service: p.service, RelyingParty: rp, URL: p.url, Log: logger, Now: time.Now, Version: "bench", CursorKey: key,
	})
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	serving, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- srv.Serve(serving, l) }()
	closers = append(closers, func() error { stop(); return <-done })
	minted, err := p.service.ServiceToken(ctx, "bench "+rid(), "", lms.SiteAdmin, service.NewToken{Name: "bench"})
	p.token = minted.Secret
	return p, err
}

// rid tells two service accounts of one database apart.
func rid() string { return fmt.Sprint(time.Now().UnixNano()) }

// startBare serves the bare handlers on a pool of their own.
func startBare(ctx context.Context, dsn string, grouped bool) (b *bare, address string, closeBare func() error, err error) {
	db, err := openBare(ctx, dsn, grouped)
	if err != nil {
		return nil, "", nil, err
	}
	l, err := listen()
	if err != nil {
		return nil, "", nil, errors.Join(err, db.close())
	}
	address = "http://" + l.Addr().String()
	redirect := address + "/auth/" + providerName + "/callback"
	issuer, err := startProvider(redirect)
	if err != nil {
		return nil, "", nil, errors.Join(err, l.Close(), db.close())
	}
	b = &bare{db: db, now: time.Now}
	if b.rp, err = newBareRelyingParty(ctx, issuer.issuer, clientID, clientSecret, redirect); err != nil {
		return nil, "", nil, errors.Join(err, l.Close(), db.close(), issuer.stop())
	}
	stop := serve(l, b.handler())
	return b, address, func() error { return errors.Join(stop(), issuer.stop(), db.close()) }, nil
}
