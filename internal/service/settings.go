package service

import (
	"context"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/signin"
)

// ProviderState is a configured way to sign in, with how it is used.
type ProviderState struct {
	signin.Provider
	People     int64     // who have signed in with it
	LastUsedAt time.Time // zero: never
}

// Settings lists what the operator has decided, for administrators.
func (s *Service) Settings(c access.Caller) ([]lms.Setting, error) {
	if err := access.Decide(c, access.SiteAuditView, nil); err != nil {
		return nil, err
	}
	return s.opts.Settings, nil
}

// Providers lists the configured ways to sign in, and then those issuers with
// which people have signed in that are configured no more, for administrators.
func (s *Service) Providers(ctx context.Context, c access.Caller) ([]ProviderState, error) {
	if err := access.Decide(c, access.SiteAuditView, nil); err != nil {
		return nil, err
	}
	used, err := s.store.Reader().IssuerUse(ctx)
	if err != nil {
		return nil, err
	}
	var list []ProviderState
	known := map[string]bool{}
	for _, p := range s.opts.Providers {
		p.ClientSecret = ""
		state := ProviderState{Provider: p}
		for _, u := range used {
			if u.Issuer == p.Issuer {
				state.People, state.LastUsedAt = u.People, u.LastUsedAt
			}
		}
		known[p.Issuer] = true
		list = append(list, state)
	}
	for _, u := range used {
		if !known[u.Issuer] {
			list = append(list, ProviderState{Provider: signin.Provider{Issuer: u.Issuer}, People: u.People, LastUsedAt: u.LastUsedAt})
		}
	}
	return list, nil
}
