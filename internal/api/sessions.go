package api

import (
	"context"
	"net/http"
	"time"

	"matricula/internal/lms"
)

// Session is one browser, or one program, in which the caller is signed in.
type Session struct {
	ID         int64       `json:"id"`
	Kind       string      `json:"kind" enum:"browser,program"`
	ClientID   string      `json:"client_id" doc:"Of a program, at the provider with which the caller signed in; empty for a browser."`
	Scopes     []lms.Scope `json:"scopes" doc:"What it may be used for; a browser for everything."`
	CreatedAt  time.Time   `json:"created_at"`
	LastUsedAt time.Time   `json:"last_used_at" doc:"To within five minutes."`
	ExpiresAt  time.Time   `json:"expires_at" doc:"When it ends if it is not used until then."`
	UserAgent  string      `json:"user_agent" doc:"What the browser or the program calls itself."`
	Current    bool        `json:"current" doc:"The one in which this was asked."`
}

// EndedSessions tells how many sessions were ended.
type EndedSessions struct {
	Ended int64 `json:"ended"`
}

type sessionIn struct {
	SessionID int64 `path:"session_id" minimum:"1"`
}

func (a *API) registerSessions() {
	register(a, op(http.MethodGet, "/sessions", "list-sessions", tagAccount, "Where the caller is signed in", "Browsers, and programs that signed in by POST /oauth/token. Newest first."), a.listSessions)
	register(a, op(http.MethodDelete, "/sessions", "end-other-sessions", tagAccount, "Sign out everywhere else",
		"Ends all of the caller's sessions but the one in which this is asked. In a session only."), a.endOtherSessions)
	register(a, op(http.MethodDelete, "/sessions/{session_id}", "end-session", tagAccount, "Sign out somewhere",
		"Ends one of the caller's sessions at once, on every node; the current one too. In a session only."), a.endSession)
}

func (a *API) listSessions(ctx context.Context, c *call, _ *nothing) (*page[Session], error) {
	list, err := a.svc.Sessions(ctx, c.caller)
	if err != nil {
		return nil, err
	}
	return listOf(list, func(s *lms.Session) Session {
		w := Session{
			ID: s.ID, Kind: "browser", Scopes: []lms.Scope{lms.ScopeRead, lms.ScopeWrite},
			CreatedAt: s.CreatedAt.UTC(), LastUsedAt: s.LastUsedAt.UTC(), ExpiresAt: s.ExpiresAt.UTC(),
			UserAgent: s.UserAgent, Current: c.caller.In(s.ID),
		}
		if s.Program != "" {
			w.Kind, w.ClientID, w.Scopes = "program", s.Program, s.Scopes
		}
		return w
	}, nil), nil
}

func (a *API) endOtherSessions(ctx context.Context, c *call, _ *nothing) (*answer[EndedSessions], error) {
	n, err := a.svc.EndOtherSessions(ctx, c.caller)
	if err != nil {
		return nil, err
	}
	return &answer[EndedSessions]{EndedSessions{n}}, nil
}

func (a *API) endSession(ctx context.Context, c *call, in *sessionIn) (*empty, error) {
	return nil, a.svc.EndSession(ctx, c.caller, in.SessionID)
}
