package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"matricula/internal/config"
	"matricula/internal/fetch"
	"matricula/internal/jobs"
	"matricula/internal/mail"
	"matricula/internal/server"
	"matricula/internal/service"
	"matricula/internal/signin"
	"matricula/internal/store"
)

type serveCommand struct {
	NoMigrate bool `help:"Do not migrate the database; stop if it is not at this version."`
}

// Run serves until the context ends.
func (s *serveCommand) Run(ctx context.Context, p *program) (err error) {
	cfg, err := config.Load(p.environ)
	if err != nil {
		return err
	}
	if err := cfg.RequireProvider(); err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(p.stderr, nil))
	unlock, err := lockDatabase(cfg.Database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	st, err := openDatabase(ctx, cfg.Database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if err := s.prepare(ctx, cfg, st); err != nil {
		return err
	}
	zone, err := time.LoadLocation(cfg.TimeZone)
	if err != nil {
		return err
	}
	if cfg.SourcesFolder != "" { // else it would be noticed when the first list is missed
		if info, err := os.Stat(cfg.SourcesFolder); err != nil || !info.IsDir() {
			return errors.New("MATRICULA_SOURCES_FOLDER must be a folder that is there")
		}
	}
	fetcher := fetch.New(fetch.Options{Folder: cfg.SourcesFolder, Hosts: cfg.SourcesHosts, Now: p.now})
	poster := fetch.NewPoster(fetch.PostOptions{Hosts: cfg.WebhooksHosts, Loopback: cfg.OnLoopback()})
	svc := service.New(st, service.Options{
		Now: p.now, Log: log, SignUp: cfg.SignUp, Directory: cfg.Directory, NamingDomains: cfg.NamingDomains,
		Settings: cfg.InForce(), Providers: cfg.Providers, Zone: zone,
		Fetch: fetcher.Fetch, CheckPlace: fetcher.Check, Mail: mailOptions(cfg), PendingDays: cfg.PendingDays,
		Webhooks: &service.WebhookOptions{Check: poster.Check, Post: poster.Post},
	})
	if err := svc.NameAdmins(ctx, cfg.Admins); err != nil {
		return fmt.Errorf("MATRICULA_ADMINS: %w", err)
	}
	srv, err := p.server(ctx, cfg, st, svc, zone, log)
	if err != nil {
		return err
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", cfg.Addr)
	if err != nil {
		return fmt.Errorf("MATRICULA_ADDR: %w", err)
	}
	log.Info("listening", "url", cfg.URL, "address", listener.Addr().String(), "database", cfg.Database, "version", readBuild().version)
	defer jobs.Start(ctx, svc, log)()
	err = srv.Serve(ctx, listener)
	log.Info("stopped")
	return err
}

// mailOptions is how mail is sent, nil when none is.
func mailOptions(cfg config.Config) *service.MailOptions {
	if cfg.Mail == nil {
		return nil
	}
	site, m := mail.Site{URL: cfg.URL}, cfg.Mail
	return &service.MailOptions{
		Sender: mail.SMTP{Host: m.Host, Port: m.Port, TLS: m.TLS, User: m.User, Password: m.Password, From: m.From, Domain: site.Host()}, Site: site,
	}
}

// prepare brings the database to this version, and refuses one that could lose
// what it has acknowledged.
func (s *serveCommand) prepare(ctx context.Context, cfg config.Config, st *store.Store) error {
	ready := st.Migrate
	if s.NoMigrate {
		ready = st.Start
	}
	if err := ready(ctx); err != nil {
		return databaseFault(cfg.Database, err)
	}
	problems, err := st.CheckDurability(ctx)
	if err != nil {
		return databaseFault(cfg.Database, err)
	}
	if len(problems) > 0 {
		return databaseFault(cfg.Database, errors.New(strings.Join(problems, "; ")))
	}
	return nil
}

func (p *program) server(ctx context.Context, cfg config.Config, st *store.Store, svc *service.Service, zone *time.Location, log *slog.Logger) (*server.Server, error) {
	rp, err := signin.New(cfg.Providers, cfg.URL, nil, p.now)
	if err != nil {
		return nil, err
	}
	key, err := st.Secret(ctx, "cursor")
	if err != nil {
		return nil, databaseFault(cfg.Database, err)
	}
	return server.New(server.Options{
		Service: svc, RelyingParty: rp, URL: cfg.URL, TrustedProxies: cfg.TrustedProxies, CORSOrigins: cfg.CORSOrigins,
		// Nothing sends mail yet, so no page may promise any.
		MailEnabled: false,
		Zone:        zone,
		Log:         log, Now: p.now, Version: readBuild().version, CursorKey: key,
	})
}
