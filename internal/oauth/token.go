package oauth

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// The grants, and the types of token of RFC 8693, section 3.
const (
	grantExchange = "urn:ietf:params:oauth:grant-type:token-exchange"
	grantRefresh  = "refresh_token"

	typeIDToken     = "urn:ietf:params:oauth:token-type:id_token"
	typeAccessToken = "urn:ietf:params:oauth:token-type:access_token"
)

// tokens is the answer of the token endpoint (RFC 6749, section 5.1; RFC 8693,
// section 2.2.1).
type tokens struct {
	Access     string `json:"access_token"`
	IssuedType string `json:"issued_token_type,omitempty"`
	Type       string `json:"token_type"`
	ExpiresIn  int64  `json:"expires_in"` // seconds
	Refresh    string `json:"refresh_token"`
	Scope      string `json:"scope"`
}

func answerOf(p service.ProgramSignIn, issuedType string) tokens {
	scopes := make([]string, len(p.Session.Scopes))
	for i, s := range p.Session.Scopes {
		scopes[i] = string(s)
	}
	return tokens{p.Access, issuedType, "Bearer", int64(p.Life / time.Second), p.Refresh, strings.Join(scopes, " ")}
}

func (o *OAuth) token(w http.ResponseWriter, r *http.Request) error {
	f, err := readForm(w, r)
	if err != nil {
		return err
	}
	switch f.get("grant_type") {
	case "":
		return malformed("The parameter grant_type is missing.")
	case grantExchange:
		return o.exchange(w, r, f)
	case grantRefresh:
		return o.refresh(w, r, f)
	}
	return &refusal{http.StatusBadRequest, unsupported, "grant-type", "There are the grants " + grantExchange + " and " + grantRefresh + "."}
}

// checkExchange refuses what RFC 8693 has and Matricula has not.
func (o *OAuth) checkExchange(f form) error {
	switch {
	case f.get("subject_token") == "":
		return malformed("The parameter subject_token is missing: it holds the provider's ID token.")
	case f.get("subject_token_type") != typeIDToken:
		return malformed("The parameter subject_token_type must be " + typeIDToken + ".")
	case f.get("actor_token") != "" || f.get("actor_token_type") != "":
		return malformed("Nobody acts for another here: leave actor_token and actor_token_type out.")
	case f.get("requested_token_type") != "" && f.get("requested_token_type") != typeAccessToken:
		return malformed("The parameter requested_token_type can only be " + typeAccessToken + ".")
	}
	for _, name := range repeatable {
		for _, target := range f.values[name] {
			if target != "" && !o.ours(target) {
				return &refusal{http.StatusBadRequest, invalidTarget, "target", "The tokens are for " + o.url + " alone: leave " + name + " out."}
			}
		}
	}
	return nil
}

// exchange gives a program tokens for the ID token of a provider. RFC 8693, section
// 2.2.2, has invalid_request for every subject token that is not accepted.
func (o *OAuth) exchange(w http.ResponseWriter, r *http.Request, f form) error {
	if err := o.checkExchange(f); err != nil {
		return err
	}
	scopes, err := f.scopes()
	if err != nil {
		return err
	}
	if scopes == nil {
		scopes = []lms.Scope{lms.ScopeRead, lms.ScopeWrite}
	}
	presented, err := o.rp.Present(r.Context(), f.get("subject_token"), f.get("nonce"))
	if err != nil {
		o.logRefused(r, "", err)
		if lms.TypeOf(err) == "sign-in-failed" {
			if err := o.presented(r, f); err != nil {
				return err
			}
		}
		return notAccepted(err)
	}
	if id := f.get("client_id"); id != "" && id != presented.Client {
		return malformed("The ID token was made for another client than client_id says.")
	}
	c, _ := access.CallerOf(r.Context())
	in, err := o.svc.SignInProgram(r.Context(), presented, scopes, r.UserAgent(), c.RequestID)
	if err != nil {
		o.logRefused(r, presented.Provider.Name, err)
		return err
	}
	write(w, r, http.StatusOK, answerOf(in, typeAccessToken))
	return nil
}

// notAccepted says to whoever wrote the program what is wrong with an ID token. It
// is theirs: nothing is told that they could not read in it.
func notAccepted(err error) error {
	var e *lms.Error
	if errors.As(err, &e) && e.Type == "sign-in-failed" && e.Err != nil {
		return &refusal{http.StatusBadRequest, invalidRequest, e.Type, "The ID token is not accepted: " + lms.Clip(e.Err.Error(), 200) + "."}
	}
	return err
}

func (o *OAuth) refresh(w http.ResponseWriter, r *http.Request, f form) error {
	if f.get("refresh_token") == "" {
		return malformed("The parameter refresh_token is missing.")
	}
	scopes, err := f.scopes()
	if err != nil {
		return err
	}
	c, _ := access.CallerOf(r.Context())
	in, err := o.svc.RefreshProgram(r.Context(), f.get("refresh_token"), f.get("client_id"), scopes, c.RequestID)
	switch {
	case lms.CodeOf(err) == lms.CodeForbidden:
		o.logRefused(r, "", err)
		if service.UnknownRefresh(err) {
			if err := o.presented(r, f); err != nil {
				return err
			}
		}
		return &refusal{http.StatusBadRequest, invalidGrant, lms.TypeOf(err), messageOf(err)}
	case lms.CodeOf(err) == lms.CodeInvalid:
		return &refusal{http.StatusBadRequest, invalidScope, lms.TypeOf(err), messageOf(err)}
	case err != nil:
		return err
	}
	write(w, r, http.StatusOK, answerOf(in, ""))
	return nil
}

// presented counts a token that is nobody's. When too many have come, the answer to one
// more says so; see service.Presented.
func (o *OAuth) presented(r *http.Request, f form) error {
	if o.from == nil {
		return nil
	}
	return o.svc.Presented(r.Context(), o.from(r), lms.Clip(f.get("client_id"), 200))
}

// revoke gives up what was given for a sign-in (RFC 7009). Which kind of token it
// is can be seen, so that token_type_hint is of no account.
func (o *OAuth) revoke(w http.ResponseWriter, r *http.Request) error {
	f, err := readForm(w, r)
	if err != nil {
		return err
	}
	if f.get("token") == "" {
		return malformed("The parameter token is missing.")
	}
	c, _ := access.CallerOf(r.Context())
	if err := o.svc.RevokeProgram(r.Context(), f.get("token"), c.RequestID); err != nil {
		return err
	}
	write(w, r, http.StatusOK, struct{}{})
	return nil
}

func messageOf(err error) string {
	var e *lms.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return ""
}

// logRefused notes why somebody was not let in. What the service and the relying
// party say about it names no address and no token, so their cause may be logged.
func (o *OAuth) logRefused(r *http.Request, provider string, err error) {
	var e *lms.Error
	if !errors.As(err, &e) || e.Code == lms.CodeInternal {
		return // logged as what it is
	}
	c, _ := access.CallerOf(r.Context())
	attrs := []slog.Attr{slog.String("provider", provider), slog.String("type", e.Type), slog.String("request", c.RequestID)}
	if e.Err != nil {
		attrs = append(attrs, slog.Any("cause", e.Err))
	}
	o.log.LogAttrs(r.Context(), slog.LevelInfo, "program sign-in refused", attrs...)
}
