package web

import (
	"context"
	"net/http"
	"sync"
	"time"

	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/sheet"
	"matricula/internal/signin"
)

var settingsOfSiteRoutes = []route{
	{"GET /admin/settings", false, (*Web).siteSettings},
	{"GET /admin/settings/check", false, (*Web).siteSettings},
	{"POST /admin/settings/check", false, (*Web).checkProviders},
	{"POST /admin/settings/csv", false, (*Web).settingsCSV},
}

// siteSettingsView is how the site is set up.
type siteSettingsView struct {
	Shell     shell
	Providers []providerLine
	Settings  []lms.Setting
	Checked   bool // the providers were just asked
}

// providerLine is one way to sign in.
type providerLine struct {
	service.ProviderState
	Fault string // why it does not answer; empty when it does, or was not asked
}

func (w *Web) siteSettings(rw http.ResponseWriter, r *request) error {
	v, err := w.siteSettingsOf(r)
	if err != nil {
		return err
	}
	w.render(rw, r, http.StatusOK, siteSettingsPage(v))
	return nil
}

func (w *Web) siteSettingsOf(r *request) (v siteSettingsView, err error) {
	v.Shell = w.shell(r, r.words.T("Sign-in and settings"))
	v.Shell.Section = "admin-settings"
	if v.Settings, err = w.svc.Settings(r.caller); err != nil {
		return v, err
	}
	list, err := w.svc.Providers(r.Context(), r.caller)
	for _, p := range list {
		v.Providers = append(v.Providers, providerLine{ProviderState: p})
	}
	return v, err
}

// checkPatience is how long a provider may take to answer.
const checkPatience = 10 * time.Second

// checkProviders asks every provider whether it answers and is who it should be.
func (w *Web) checkProviders(rw http.ResponseWriter, r *request) error {
	if _, err := readForm(rw, r, formLimit); err != nil {
		return err
	}
	v, err := w.siteSettingsOf(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), checkPatience)
	defer cancel()
	var asked sync.WaitGroup
	for i := range v.Providers {
		if v.Providers[i].Name == "" {
			continue
		}
		asked.Go(func() {
			if err := w.rp.Check(ctx, v.Providers[i].Name); err != nil {
				v.Providers[i].Fault = err.Error()
			}
		})
	}
	asked.Wait()
	v.Checked = true
	w.render(rw, r, http.StatusOK, siteSettingsPage(v))
	return nil
}

// authority says for whose addresses a provider's word is a proof.
func authority(p signin.Provider) lms.Text {
	switch {
	case p.Name == "":
		return lms.Say("It is configured no more: nobody can sign in with it.")
	case p.TrustAll && p.Kind != signin.KindGoogle:
		return lms.Say("Its word is a proof for every address that it calls verified.")
	case p.Kind == signin.KindGoogle && len(p.Domains) == 0:
		return lms.Say("Its word is a proof for Gmail's own addresses.")
	case p.Kind == signin.KindGoogle:
		return lms.Say("Its word is a proof for Gmail's own addresses and those of %s.", domainList(p.Domains))
	case len(p.Domains) > 0:
		return lms.Say("Its word is a proof for addresses of %s.", domainList(p.Domains))
	}
	return lms.Say("Its word is a proof for no address: set its domains.")
}

func (w *Web) settingsCSV(rw http.ResponseWriter, r *request) error {
	if _, err := readForm(rw, r, formLimit); err != nil {
		return err
	}
	list, err := w.svc.ExportSettings(r.Context(), r.caller)
	if err != nil {
		return err
	}
	return w.download(rw, r, "settings.csv", func(s *sheet.Writer) error {
		if err := headOnce(s, r.words, []lms.Term{"Setting", "Value", "What it does"})(); err != nil {
			return err
		}
		for _, one := range list {
			if err := s.Row(one.Name, one.Value, r.words.Term(one.Meaning)); err != nil {
				return err
			}
		}
		return nil
	})
}
