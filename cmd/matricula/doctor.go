package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"matricula/internal/config"
	"matricula/internal/signin"
	"matricula/internal/store"
)

// checkTimeout bounds each check, so that the doctor answers soon whatever is
// amiss.
const checkTimeout = 10 * time.Second

type doctorCommand struct {
	Invariants bool `help:"Check instead whether what must always hold of the data does, a line for each invariant. It reads the whole database, while the program runs or not."`
}

// check is one line of the doctor's. It answers what was found, in a few
// words, or what is amiss.
type check struct {
	name string
	look func(context.Context) (found string, err error)
}

// doctor goes through the checks and writes a line for each.
type doctor struct {
	program *program
	checks  int
	failed  int
}

func (d *doctor) check(ctx context.Context, c check) bool {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	d.checks++
	found, err := c.look(ctx)
	if err != nil {
		d.failed++
		fmt.Fprintf(d.program.stdout, "FAIL %s: %s\n", c.name, explain(err))
		return false
	}
	fmt.Fprintf(d.program.stdout, "ok   %s: %s\n", c.name, explain(errors.New(found)))
	return true
}

// Run checks everything beside a running server or before the first one. It
// changes nothing that anybody could notice. What depends on
// something that failed is left out: its line would say the same again.
func (c doctorCommand) Run(ctx context.Context, p *program) error {
	d := &doctor{program: p}
	var cfg config.Config
	if d.check(ctx, check{"configuration", func(context.Context) (_ string, err error) {
		cfg, err = config.Load(p.environ)
		return "every variable is known and has a possible value", err
	}}) && c.Invariants {
		d.database(ctx, cfg, d.invariants)
	} else if d.failed == 0 {
		d.database(ctx, cfg, d.durability)
		d.providers(ctx, cfg)
		d.check(ctx, check{"mail", func(ctx context.Context) (string, error) { return checkMail(ctx, cfg) }})
		d.check(ctx, check{"address", func(ctx context.Context) (string, error) { return checkURL(ctx, cfg.URL) }})
	}
	if d.failed > 0 {
		return fmt.Errorf("%d of %d checks failed", d.failed, d.checks)
	}
	return nil
}

// database opens the database and has something looked at in it.
func (d *doctor) database(ctx context.Context, cfg config.Config, look func(context.Context, *store.Store)) {
	var st *store.Store
	if !d.check(ctx, check{"database", func(ctx context.Context) (_ string, err error) {
		st, err = openExisting(ctx, cfg.Database)
		return cfg.Database.String() + " answers", err
	}}) {
		return
	}
	d.check(ctx, check{"schema", func(ctx context.Context) (string, error) {
		return fmt.Sprintf("version %d, this program's", store.SchemaVersion()), st.Start(ctx)
	}})
	look(ctx, st)
	if err := st.Close(); err != nil {
		d.check(ctx, check{"database", func(context.Context) (string, error) { return "", err }})
	}
}

func (d *doctor) durability(ctx context.Context, st *store.Store) {
	d.check(ctx, check{"durability", func(ctx context.Context) (string, error) {
		problems, err := st.CheckDurability(ctx)
		if err == nil && len(problems) > 0 {
			err = errors.New(strings.Join(problems, "; "))
		}
		return "what is acknowledged survives a crash", err
	}})
}

// invariants writes a line for each invariant, however long it takes to look.
func (d *doctor) invariants(ctx context.Context, st *store.Store) {
	if d.failed > 0 {
		return // of another schema nothing can be said
	}
	list, err := st.CheckInvariants(ctx)
	if err != nil {
		d.check(ctx, check{"invariants", func(context.Context) (string, error) { return "", err }})
	}
	for _, i := range list {
		d.check(ctx, check{i.Name, func(context.Context) (string, error) {
			if i.Violations == 0 {
				return i.Says, nil
			}
			times, more := fmt.Sprintf("%d times", i.Violations), ""
			if i.Violations == 1 {
				times = "once"
			}
			if i.Violations > int64(len(i.Examples)) {
				more = ", and more"
			}
			return "", fmt.Errorf("%s: not so %s: %s%s", i.Says, times, strings.Join(i.Examples, ", "), more)
		}})
	}
}

func (d *doctor) providers(ctx context.Context, cfg config.Config) {
	if err := cfg.RequireProvider(); err != nil {
		d.check(ctx, check{"sign-in", func(context.Context) (string, error) { return "", err }})
		return
	}
	rp, err := signin.New(cfg.Providers, cfg.URL, nil, d.program.now)
	if err != nil {
		d.check(ctx, check{"sign-in", func(context.Context) (string, error) { return "", err }})
		return
	}
	for _, p := range cfg.Providers {
		d.check(ctx, check{"sign-in " + p.Name, func(ctx context.Context) (string, error) {
			return fmt.Sprintf("%s is there; its redirect address must be %s/auth/%s/callback", p.Issuer, cfg.URL, p.Name), rp.Check(ctx, p.Name)
		}})
	}
}

// checkURL asks for the address that people type. That nothing answers is no
// fault, because the doctor is asked before the first start too; a certificate
// that people's browsers would refuse is one.
func checkURL(ctx context.Context, address string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/healthz", nil)
	if err != nil {
		return "", err
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	var untrusted *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &untrusted), errors.As(err, &unknown):
		return "", fmt.Errorf("MATRICULA_URL: browsers will refuse the certificate of %s: %w", address, err)
	case err != nil:
		return address + ", where nothing answers at the moment", nil
	}
	if err := resp.Body.Close(); err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Sprintf("%s, where something answers with status %d", address, resp.StatusCode), nil
	}
	return address + ", where a server answers", nil
}
