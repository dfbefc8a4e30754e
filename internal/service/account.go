package service

import (
	"context"
	"slices"
	"time"

	"matricula/internal/access"
	"matricula/internal/lang"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// Me reads the caller's own account.
func (s *Service) Me(ctx context.Context, c access.Caller) (lms.User, error) {
	if err := access.Decide(c, access.AccountView, nil); err != nil {
		return lms.User{}, err
	}
	u, ok, err := s.store.Reader().User(ctx, c.UserID)
	if err == nil && !ok {
		err = access.ErrAnonymous
	}
	return u, err
}

// SetLanguage chooses the language in which the caller reads Matricula, one of
// lang.Choices; empty leaves it to their browser.
func (s *Service) SetLanguage(ctx context.Context, c access.Caller, language string) (lms.User, error) {
	return doOnce(ctx, s, c, access.AccountUpdate, 0, nil, func(ctx context.Context, w *work) (lms.User, error) {
		if language != "" && !lang.Known(language) {
			return lms.User{}, lms.Invalid("unknown-language", "language", "There is no language %q here: choose one of the list, or none to follow the browser.", lms.Clip(language, 40))
		}
		u, ok, err := w.tx.User(ctx, c.UserID)
		if err != nil || !ok {
			return u, err
		}
		if u.Language == language {
			w.nothingChanged()
			return u, nil
		}
		before := u.Language
		u.Language = language
		if err := w.tx.SetLanguage(ctx, u.ID, language); err != nil {
			return u, err
		}
		return u, w.record(ctx, 0, languageAudit{before}, languageAudit{language})
	})
}

type languageAudit struct {
	Language string `json:"language"`
}

// Identities lists the ways in which the caller signs in.
func (s *Service) Identities(ctx context.Context, c access.Caller) ([]lms.Identity, error) {
	if err := access.Decide(c, access.AccountView, nil); err != nil {
		return nil, err
	}
	return s.store.Reader().Identities(ctx, c.UserID)
}

// Sessions lists the browsers in which the caller is signed in, newest first.
func (s *Service) Sessions(ctx context.Context, c access.Caller) ([]lms.Session, error) {
	if err := access.Decide(c, access.AccountView, nil); err != nil {
		return nil, err
	}
	return s.store.Reader().Sessions(ctx, c.UserID, s.now())
}

// EndSession ends one of the caller's sessions, at once on every node.
func (s *Service) EndSession(ctx context.Context, c access.Caller, id int64) error {
	return s.do(ctx, c, access.SessionEnd, 0, func(ctx context.Context, w *work) error {
		ended, err := w.tx.EndSession(ctx, c.UserID, id)
		if err != nil {
			return err
		}
		if !ended {
			return lms.NotFound("session")
		}
		return w.record(ctx, 0, map[string]int64{"session": id}, nil)
	})
}

// SignOut ends the session in which the caller asks. It is no error when it
// has ended already.
func (s *Service) SignOut(ctx context.Context, c access.Caller) error {
	if c.Anonymous() || c.SessionID == 0 {
		return nil
	}
	err := s.EndSession(ctx, c, c.SessionID)
	if isNotFound(err) {
		return nil
	}
	return err
}

// EndOtherSessions ends all of the caller's sessions but the one in which they
// ask, and tells how many.
func (s *Service) EndOtherSessions(ctx context.Context, c access.Caller) (int64, error) {
	return doOnce(ctx, s, c, access.SessionEnd, 0, nil, func(ctx context.Context, w *work) (int64, error) {
		n, err := w.tx.EndSessions(ctx, c.UserID, c.SessionID)
		if err != nil {
			return 0, err
		}
		if n == 0 {
			w.nothingChanged()
			return 0, nil
		}
		return n, w.record(ctx, 0, map[string]int64{"sessions": n}, nil)
	})
}

// TokensPage is a page of API tokens, newest first.
type TokensPage struct {
	Tokens []lms.APIToken
	Next   int64 // 0 when there are no more
}

// Tokens lists the caller's API tokens.
func (s *Service) Tokens(ctx context.Context, c access.Caller, before int64, limit int) (TokensPage, error) {
	if err := access.Decide(c, access.TokenView, nil); err != nil {
		return TokensPage{}, err
	}
	if before == 0 {
		before = maxID
	}
	list, err := s.store.Reader().Tokens(ctx, c.UserID, before, limit+1)
	if err != nil {
		return TokensPage{}, err
	}
	tokens, more := page(list, limit)
	out := TokensPage{Tokens: tokens}
	if more {
		out.Next = tokens[len(tokens)-1].ID
	}
	return out, nil
}

// NewToken asks for an API token.
type NewToken struct {
	Name      string
	Scopes    []string      // none: all
	CourseIDs []int64       // none: no limit
	Life      time.Duration // 0: does not expire
}

// TokenPrefix begins every API token, so that leaked ones can be found.
const TokenPrefix = "mat_"

// MaxTokenLife bounds an expiry; a token may also have none.
const MaxTokenLife = 5 * 366 * 24 * time.Hour

func (n NewToken) parse(user int64, now time.Time) (lms.APIToken, error) {
	t := lms.APIToken{UserID: user, CourseIDs: n.CourseIDs, CreatedAt: now}
	var err error
	if t.Name, err = lms.CleanText(n.Name, "name", 80); err != nil {
		return t, err
	}
	if t.Name == "" {
		return t, lms.Invalid("name-missing", "name", "Give the token a name by which you will know it later, such as \"grade sync\".")
	}
	if t.Scopes, err = lms.ParseScopes(n.Scopes, "scopes"); err != nil {
		return t, err
	}
	if len(n.CourseIDs) > 200 {
		return t, lms.Invalid("too-many-courses", "course_ids", "A token can be limited to at most 200 courses.")
	}
	switch {
	case n.Life < 0 || n.Life > MaxTokenLife:
		return t, lms.Invalid("expiry", "expires_at", "A token's end must lie in the future, at most five years from now.")
	case n.Life > 0:
		t.ExpiresAt = now.Add(n.Life)
	}
	return t, nil
}

type tokenAudit struct {
	Token  int64       `json:"token"`
	Name   string      `json:"name"`
	Scopes []lms.Scope `json:"scopes,omitempty"`
}

// Minted is a new API token. Secret is shown once and stored nowhere.
type Minted struct {
	Token  lms.APIToken
	Secret string `json:"-"` // so that an idempotency key cannot keep it
}

// CreateToken makes an API token of the caller's. It cannot be done with a
// token.
func (s *Service) CreateToken(ctx context.Context, c access.Caller, n NewToken, once *Once) (Minted, error) {
	m, err := doOnce(ctx, s, c, access.TokenCreate, 0, once, func(ctx context.Context, w *work) (Minted, error) {
		t, err := n.parse(c.UserID, w.now)
		if err != nil {
			return Minted{}, err
		}
		return w.mint(ctx, t)
	})
	if err == nil && m.Secret == "" {
		err = lms.Errorf(lms.CodeConflict, "token-shown-once", "This request was answered before, and a token is shown only once. If it was lost, revoke it and make a new one.")
	}
	return m, err
}

func (w *work) mint(ctx context.Context, t lms.APIToken) (Minted, error) {
	n, err := w.tx.CountTokens(ctx, t.UserID)
	if err != nil {
		return Minted{}, err
	}
	if n >= store.MaxTokens {
		return Minted{}, lms.Errorf(lms.CodeConflict, "too-many-tokens", "There are %d tokens already, the most that are allowed. Revoke one that is not used any more.", n)
	}
	if err := w.checkCourses(ctx, t.CourseIDs); err != nil {
		return Minted{}, err
	}
	if slices.Contains(t.Scopes, lms.ScopeSCIM) {
		u, ok, err := w.tx.User(ctx, t.UserID)
		if err != nil {
			return Minted{}, err
		}
		if !ok || u.Kind != lms.KindService {
			return Minted{}, lms.Invalid("scope-of-services", "scopes", "Only the token of a service account can have the scope scim: a directory is nobody's. An administrator makes one at /admin/directories.")
		}
	}
	secret, hash := newSecret(TokenPrefix)
	t.Hint = secret[len(secret)-4:]
	if t.ID, err = w.tx.AddToken(ctx, hash, t); err != nil {
		return Minted{}, err
	}
	return Minted{Token: t, Secret: secret}, w.record(ctx, t.UserID, nil, tokenAudit{t.ID, t.Name, t.Scopes})
}

// checkCourses refuses to limit a token to courses that its maker does not see,
// with the same words as for those that do not exist.
func (w *work) checkCourses(ctx context.Context, ids []int64) error {
	for _, id := range ids {
		course, member, ok, err := w.tx.Standing(ctx, id, w.caller.UserID)
		if err != nil {
			return err
		}
		seen := ok && (w.caller.UserID == lms.SystemUserID ||
			access.Decide(w.caller, access.CourseView, &access.Standing{Course: course, Member: member}) == nil)
		if !seen {
			return lms.Invalid("unknown-course", "course_ids", "There is no course %d, or it is not yours to see.", id)
		}
	}
	return nil
}

// RevokeToken ends one of the caller's tokens at once.
func (s *Service) RevokeToken(ctx context.Context, c access.Caller, id int64) error {
	return s.do(ctx, c, access.TokenRevoke, 0, func(ctx context.Context, w *work) error {
		revoked, err := w.tx.RevokeToken(ctx, c.UserID, id)
		if err != nil {
			return err
		}
		if !revoked {
			return lms.NotFound("token")
		}
		return w.record(ctx, 0, map[string]int64{"token": id}, nil)
	})
}

// ServiceToken makes an API token for a service account, which it makes when
// there is none of that name, or for an active person. It is for the operator
// at the command line, not for callers. Exactly one of name and email is set.
func (s *Service) ServiceToken(ctx context.Context, name, email string, role lms.SiteRole, n NewToken) (Minted, error) {
	var m Minted
	err := s.system(ctx, access.TokenCreate, func(ctx context.Context, w *work) error {
		id, err := w.tokenHolder(ctx, name, email, role)
		if err != nil {
			return err
		}
		t, err := n.parse(id, w.now)
		if err != nil {
			return err
		}
		m, err = w.mint(ctx, t)
		return err
	})
	return m, err
}

func (w *work) tokenHolder(ctx context.Context, name, email string, role lms.SiteRole) (int64, error) {
	if email != "" {
		address, err := lms.ParseEmail(email)
		if err != nil {
			return 0, err
		}
		u, ok, err := w.tx.UserByAddress(ctx, address)
		switch {
		case err != nil:
			return 0, err
		case !ok:
			return 0, lms.Errorf(lms.CodeNotFound, "not-found", "Nobody with this address is known.")
		case u.Status != lms.StatusActive:
			return 0, lms.Errorf(lms.CodeConflict, "not-active", "This person is %s, and only an active person can have a token.", u.Status)
		}
		return u.ID, nil
	}
	clean, err := lms.CleanText(name, "service", 80)
	if err != nil {
		return 0, err
	}
	if clean == "" {
		return 0, lms.Invalid("name-missing", "service", "A service account needs a name.")
	}
	id, created, err := w.tx.ServiceAccount(ctx, clean, role, lms.SystemUserID, w.now)
	if err != nil {
		return 0, err
	}
	if !created {
		u, ok, err := w.tx.User(ctx, id)
		switch {
		case err != nil:
			return 0, err
		case !ok || id == lms.SystemUserID || u.Status != lms.StatusActive:
			return 0, lms.Errorf(lms.CodeConflict, "not-active", "The account %s cannot have tokens.", clean)
		case u.SiteRole != role:
			return 0, lms.Errorf(lms.CodeConflict, "other-site-role", "The service account %s exists with the site role %s. Use that, or another name.", clean, u.SiteRole)
		}
	}
	return id, nil
}
