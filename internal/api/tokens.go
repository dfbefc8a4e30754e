package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"matricula/internal/lms"
	"matricula/internal/service"
)

// Token is an API token, without its secret.
type Token struct {
	ID         int64       `json:"id"`
	Name       string      `json:"name"`
	Hint       string      `json:"hint" doc:"The last four characters of the secret."`
	Scopes     []lms.Scope `json:"scopes"`
	CourseIDs  []int64     `json:"course_ids" doc:"The courses to which it is limited; empty: no limit."`
	CreatedAt  time.Time   `json:"created_at"`
	ExpiresAt  *time.Time  `json:"expires_at" doc:"null: it does not expire."`
	LastUsedAt *time.Time  `json:"last_used_at" doc:"To within five minutes; null: never used."`
}

// MintedToken is a new API token.
type MintedToken struct {
	Token
	Secret string `json:"token" doc:"The token itself, shown this once."`
}

// NewToken asks for an API token.
type NewToken struct {
	Name      string     `json:"name" doc:"By which you will know it later." example:"grade sync"`
	Scopes    []string   `json:"scopes,omitempty" doc:"read, write; both when left out."`
	CourseIDs []int64    `json:"course_ids,omitempty" doc:"Limits the token to these courses."`
	ExpiresAt *time.Time `json:"expires_at,omitempty" nullable:"true" doc:"At most five years from now; null or left out: it does not expire."`
}

func tokenWire(t *lms.APIToken) Token {
	w := Token{
		ID: t.ID, Name: t.Name, Hint: t.Hint, Scopes: t.Scopes, CourseIDs: t.CourseIDs,
		CreatedAt: t.CreatedAt.UTC(), ExpiresAt: timeOrNull(t.ExpiresAt), LastUsedAt: timeOrNull(t.LastUsedAt),
	}
	if w.Scopes == nil {
		w.Scopes = []lms.Scope{}
	}
	if w.CourseIDs == nil {
		w.CourseIDs = []int64{}
	}
	return w
}

type (
	listTokensIn  struct{ Paging }
	createTokenIn struct {
		Repeatable
		Body NewToken
	}
	tokenIn struct {
		TokenID int64 `path:"token_id" minimum:"1"`
	}
)

func (a *API) registerTokens() {
	register(a, op(http.MethodGet, "/tokens", "list-tokens", tagAccount, "The caller's API tokens", "Newest first."), a.listTokens)
	register(a, op(http.MethodPost, "/tokens", "create-token", tagAccount, "Make an API token",
		"In a session only: a token cannot make tokens. Sent again with the same Idempotency-Key, it is refused with token-shown-once, since the secret is stored nowhere.",
		http.StatusConflict), a.createToken)
	register(a, op(http.MethodGet, "/tokens/{token_id}", "get-token", tagAccount, "One API token", "One of the caller's tokens."), a.getToken)
	register(a, op(http.MethodDelete, "/tokens/{token_id}", "revoke-token", tagAccount, "Revoke an API token",
		"Ends one of the caller's tokens at once, on every node."), a.revokeToken)
}

func (a *API) listTokens(ctx context.Context, c *call, in *listTokensIn) (*page[Token], error) {
	from, err := c.from(in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := a.svc.Tokens(ctx, c.caller, from.id, in.Limit)
	if err != nil {
		return nil, err
	}
	return listOf(found.Tokens, tokenWire, c.next(place{id: found.Next})), nil
}

func (a *API) createToken(ctx context.Context, c *call, in *createTokenIn) (*created[MintedToken], error) {
	n := service.NewToken{Name: in.Body.Name, Scopes: in.Body.Scopes, CourseIDs: in.Body.CourseIDs}
	if in.Body.ExpiresAt != nil {
		// A life of 0 would mean "for ever" to the service; what is over is
		// refused by it.
		if n.Life = in.Body.ExpiresAt.Sub(a.now()); n.Life == 0 {
			n.Life = -1
		}
	}
	m, err := a.svc.CreateToken(ctx, c.caller, n, c.once())
	if err != nil {
		return nil, err
	}
	return &created[MintedToken]{
		Location: v1 + "/tokens/" + strconv.FormatInt(m.Token.ID, 10), Body: MintedToken{tokenWire(&m.Token), m.Secret},
	}, nil
}

func (a *API) getToken(ctx context.Context, c *call, in *tokenIn) (*answer[Token], error) {
	// Tokens are listed newest first, so that the one before the next id is it.
	found, err := a.svc.Tokens(ctx, c.caller, in.TokenID+1, 1)
	if err != nil {
		return nil, err
	}
	if len(found.Tokens) == 0 || found.Tokens[0].ID != in.TokenID {
		return nil, lms.NotFound("token")
	}
	return &answer[Token]{tokenWire(&found.Tokens[0])}, nil
}

func (a *API) revokeToken(ctx context.Context, c *call, in *tokenIn) (*empty, error) {
	return nil, a.svc.RevokeToken(ctx, c.caller, in.TokenID)
}
