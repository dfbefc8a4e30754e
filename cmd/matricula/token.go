package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"matricula/internal/config"
	"matricula/internal/lms"
	"matricula/internal/service"
)

type tokenCommand struct {
	Service  string   `xor:"holder" required:"" placeholder:"NAME" help:"The service account that the token is for; it is made when there is none of this name. It is no person and can never sign in."`
	User     string   `xor:"holder" required:"" placeholder:"EMAIL" help:"The person that the token is for, who must have signed in before."`
	SiteRole string   `enum:"member,teacher,admin" default:"member" help:"What a service account may do outside of courses: member, teacher or admin."`
	Scopes   []string `placeholder:"read,write" help:"What the token may be used for: read, write or both, or scim for a directory. Without this, read and write."`
	Expires  life     `placeholder:"90d" help:"When the token ends, counted from now, such as 90d or 12h. Without this, never."`
}

// life is a duration that can be written in days.
type life time.Duration

// UnmarshalText reads 90d, or what Go reads as a duration.
func (l *life) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if days, ok := strings.CutSuffix(string(text), "d"); ok {
		var n int
		n, err = strconv.Atoi(days)
		d = time.Duration(n) * 24 * time.Hour
		if n > int(service.MaxTokenLife/(24*time.Hour)) {
			err = errors.New("too many days") // and more would not fit into a duration
		}
	}
	if err != nil || d <= 0 || d > service.MaxTokenLife {
		return fmt.Errorf("%q is no time from now of at most five years, such as 90d or 12h", lms.Clip(string(text), 40))
	}
	*l = life(d)
	return nil
}

// Run makes the token and prints it alone, so that a script can take it.
func (t *tokenCommand) Run(ctx context.Context, p *program) (err error) {
	if t.User != "" && t.SiteRole != string(lms.SiteMember) {
		return usageError("--site-role is for service accounts: a person's site role is set by an administrator")
	}
	cfg, err := config.Load(p.environ)
	if err != nil {
		return err
	}
	st, err := openExisting(ctx, cfg.Database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if err := st.Start(ctx); err != nil {
		return databaseFault(cfg.Database, err)
	}
	svc := service.New(st, service.Options{Now: p.now, Log: slog.New(slog.NewJSONHandler(p.stderr, nil))})
	made, err := svc.ServiceToken(ctx, t.Service, t.User, lms.SiteRole(t.SiteRole), service.NewToken{
		Name: "made by matricula token create", Scopes: t.Scopes, Life: time.Duration(t.Expires),
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, made.Secret)
	return err
}
