package api

import (
	"context"
	"net/http"
	"time"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// Provider is a way to sign in.
type Provider struct {
	Name       string     `json:"name" doc:"Empty for an issuer that is configured no more."`
	Label      string     `json:"label"`
	Issuer     string     `json:"issuer"`
	Kind       string     `json:"kind" enum:"oidc,google,entra,"`
	Domains    []string   `json:"domains" doc:"For whose addresses its word is a proof."`
	TrustAll   bool       `json:"trust_all" doc:"Its word is a proof for every address that it calls verified."`
	Clients    []string   `json:"clients" doc:"Further client ids whose ID tokens may be exchanged at /oauth/token."`
	People     int64      `json:"people" doc:"How many have signed in with it."`
	LastUsedAt *time.Time `json:"last_used_at" doc:"null: never."`
}

// Setting is a decision of the operator.
type Setting struct {
	Name    string  `json:"name" example:"MATRICULA_TIME_ZONE"`
	Value   *string `json:"value" doc:"As it is in force, without secrets; null when it is not set."`
	Meaning string  `json:"meaning"`
}

func (a *API) registerSettings() {
	register(a, op(http.MethodGet, "/providers", "list-providers", tagUsers, "Ways to sign in", "The configured OpenID providers with how they are used, for administrators."), a.listProviders)
	register(a, op(http.MethodGet, "/settings", "list-settings", tagUsers, "Settings as they are in force", "What the operator decided, without secrets, for administrators."), a.listSettings)
}

func (a *API) listProviders(ctx context.Context, c *call, _ *nothing) (*page[Provider], error) {
	list, err := a.svc.Providers(ctx, c.caller)
	if err != nil {
		return nil, err
	}
	return listOf(list, func(p *service.ProviderState) Provider {
		w := Provider{
			Name: p.Name, Label: p.Label, Issuer: p.Issuer, Kind: string(p.Kind), Domains: p.Domains, TrustAll: p.TrustAll, Clients: p.Clients, People: p.People, LastUsedAt: timeOrNull(p.LastUsedAt),
		}
		if w.Domains == nil {
			w.Domains = []string{}
		}
		if w.Clients == nil {
			w.Clients = []string{}
		}
		return w
	}, nil), nil
}

func (a *API) listSettings(_ context.Context, c *call, _ *nothing) (*page[Setting], error) {
	list, err := a.svc.Settings(c.caller)
	if err != nil {
		return nil, err
	}
	return listOf(list, func(s *lms.Setting) Setting { return Setting{s.Name, textOrNull(s.Value), string(s.Meaning)} }, nil), nil
}
