package service

import (
	"context"
	"slices"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/signin"
	"matricula/internal/store"
)

// DirectoryView is a directory as administrators see it.
type DirectoryView struct {
	lms.Directory
	Counts   lms.DirectoryCounts
	Provider *signin.Provider // for whose subjects it speaks; nil: for nobody's, or for one that is not configured any more
	Tokens   []lms.APIToken   // newest first
	Faults   []lms.DirectoryFault
}

// The ways in which a directory says who somebody will be at its provider.
const (
	LinkByAttribute  = "attribute"   // in the attribute subject of Matricula's own schema
	LinkByExternalID = "external_id" // the externalId is the subject
)

// Link is how the directory says it.
func (d *DirectoryView) Link() string {
	if d.ByExternalID {
		return LinkByExternalID
	}
	return LinkByAttribute
}

func (s *Service) directoryOf(ctx context.Context, tx *store.Tx, d lms.Directory) (out DirectoryView, err error) {
	out.Directory = d
	for i := range s.opts.Providers {
		if p := s.opts.Providers[i]; d.Issuer != "" && p.Issuer == d.Issuer {
			p.ClientSecret = ""
			out.Provider = &p
		}
	}
	if out.Counts, err = tx.DirectoryCounts(ctx, d.AccountID); err != nil {
		return out, err
	}
	if out.Tokens, err = tx.Tokens(ctx, d.AccountID, maxID, store.MaxTokens); err != nil {
		return out, err
	}
	out.Faults, err = tx.Faults(ctx, d.AccountID, store.MaxFaults)
	return out, err
}

// Directories lists the directories by name.
func (s *Service) Directories(ctx context.Context, c access.Caller) ([]DirectoryView, error) {
	if err := access.Decide(c, access.DirectoriesView, nil); err != nil {
		return nil, err
	}
	tx := s.store.Reader()
	list, err := tx.Directories(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]DirectoryView, len(list))
	for i, d := range list {
		if out[i], err = s.directoryOf(ctx, tx, d); err != nil {
			return nil, err
		}
	}
	return out, nil
}

var errNoDirectory = lms.NotFound("directory")

// DirectoryByID reads one directory.
func (s *Service) DirectoryByID(ctx context.Context, c access.Caller, id int64) (DirectoryView, error) {
	if err := access.Decide(c, access.DirectoriesView, nil); err != nil {
		return DirectoryView{}, err
	}
	return s.readDirectory(ctx, s.store.Reader(), id)
}

func (s *Service) readDirectory(ctx context.Context, tx *store.Tx, id int64) (DirectoryView, error) {
	d, ok, err := tx.DirectoryOf(ctx, id)
	if err != nil || !ok {
		return DirectoryView{}, orElse(err, errNoDirectory)
	}
	return s.directoryOf(ctx, tx, d)
}

// MadeDirectory is a new directory, or one with a new token, which is shown once.
type MadeDirectory struct {
	DirectoryView
	Secret string `json:"-"` // so that an idempotency key cannot keep it
}

type directoryAudit struct {
	Directory    int64  `json:"directory"`
	Name         string `json:"name,omitempty"`
	Issuer       string `json:"issuer,omitempty"`
	Link         string `json:"link,omitempty"`
	MakesCourses *bool  `json:"makes_courses,omitempty"`
}

func auditOfDirectory(d lms.Directory) directoryAudit {
	view := DirectoryView{Directory: d}
	a := directoryAudit{Directory: d.AccountID, Name: d.Name, Issuer: d.Issuer, MakesCourses: &d.MakesCourses}
	if d.Issuer != "" {
		a.Link = view.Link()
	}
	return a
}

// CreateDirectory makes a directory: a service account that administers the site and
// whose token opens /scim/v2 alone.
func (s *Service) CreateDirectory(ctx context.Context, c access.Caller, name string, once *Once) (MadeDirectory, error) {
	m, err := doOnce(ctx, s, c, access.DirectoryCreate, 0, once, func(ctx context.Context, w *work) (out MadeDirectory, err error) {
		clean, err := lms.CleanText(name, "name", 80)
		if err != nil {
			return out, err
		}
		if clean == "" {
			return out, lms.Invalid("name-missing", "name", "Give the directory a name, such as \"Entra\".")
		}
		id, created, err := w.tx.ServiceAccount(ctx, clean, lms.SiteAdmin, w.caller.UserID, w.now)
		if err != nil {
			return out, err
		}
		if !created {
			return out, lms.Invalid("directory-name-taken", "name", "There is a service account called %s already. Choose another name.", clean)
		}
		if err := w.tx.AddDirectory(ctx, id, w.now); err != nil {
			return out, err
		}
		if err := w.record(ctx, id, nil, directoryAudit{Directory: id, Name: clean}); err != nil {
			return out, err
		}
		return s.withToken(ctx, w, id)
	})
	return m, shownOnce(m.Secret, err)
}

func shownOnce(secret string, err error) error {
	if err == nil && secret == "" {
		return lms.Errorf(lms.CodeConflict, "token-shown-once", "This request was answered before, and a token is shown only once. If it was lost, revoke it and make a new one.")
	}
	return err
}

// withToken gives a directory a token in the place of those that it had.
func (s *Service) withToken(ctx context.Context, w *work, id int64) (out MadeDirectory, err error) {
	if _, err := w.tx.RevokeTokens(ctx, id); err != nil {
		return out, err
	}
	d, _, err := w.tx.DirectoryOf(ctx, id)
	if err != nil {
		return out, err
	}
	t, err := NewToken{Name: d.Name, Scopes: []string{string(lms.ScopeSCIM)}}.parse(id, w.now)
	if err != nil {
		return out, err
	}
	w.action = access.TokenCreate
	minted, err := w.mint(ctx, t)
	if err != nil {
		return out, err
	}
	out.Secret = minted.Secret
	out.DirectoryView, err = s.readDirectory(ctx, w.tx, id)
	return out, err
}

// RenewDirectoryToken gives a directory a new token. Those that it had end at once.
func (s *Service) RenewDirectoryToken(ctx context.Context, c access.Caller, id int64, once *Once) (MadeDirectory, error) {
	m, err := doOnce(ctx, s, c, access.DirectoryToken, 0, once, func(ctx context.Context, w *work) (MadeDirectory, error) {
		if _, err := s.readDirectory(ctx, w.tx, id); err != nil {
			return MadeDirectory{}, err
		}
		return s.withToken(ctx, w, id)
	})
	return m, shownOnce(m.Secret, err)
}

// EndDirectory takes a directory's tokens away, at once. What it did stays, and a new
// token lets it go on.
func (s *Service) EndDirectory(ctx context.Context, c access.Caller, id int64) error {
	return s.do(ctx, c, access.DirectoryEnd, 0, func(ctx context.Context, w *work) error {
		d, err := s.readDirectory(ctx, w.tx, id)
		if err != nil {
			return err
		}
		n, err := w.tx.RevokeTokens(ctx, id)
		if err != nil {
			return err
		}
		if n == 0 {
			w.nothingChanged()
			return nil
		}
		return w.record(ctx, id, directoryAudit{Directory: id, Name: d.Name}, nil)
	})
}

// DirectoryPatch changes what is not nil.
type DirectoryPatch struct {
	Provider     *string // the name of a provider; empty: none
	Link         *string // LinkByAttribute or LinkByExternalID
	MakesCourses *bool
}

// UpdateDirectory changes for which provider a directory speaks, and how. The links
// that it has made are made anew from what it has told, or forgotten.
func (s *Service) UpdateDirectory(ctx context.Context, c access.Caller, id int64, p DirectoryPatch) (DirectoryView, error) {
	return doOnce(ctx, s, c, access.DirectoryUpdate, 0, nil, func(ctx context.Context, w *work) (DirectoryView, error) {
		if err := w.tx.LockUser(ctx, id); err != nil {
			return DirectoryView{}, err
		}
		was, err := s.readDirectory(ctx, w.tx, id)
		if err != nil {
			return was, err
		}
		d := was.Directory
		if p.Provider != nil {
			if err := s.speakFor(&d, *p.Provider); err != nil {
				return was, err
			}
		}
		if p.Link != nil {
			switch *p.Link {
			case LinkByAttribute, LinkByExternalID:
				d.ByExternalID = *p.Link == LinkByExternalID
			default:
				return was, lms.Invalid("unknown-link", "link", "Say how the directory tells who somebody will be: attribute or external_id.")
			}
		}
		if d.Issuer == "" {
			d.ByExternalID = false
		}
		if p.MakesCourses != nil {
			d.MakesCourses = *p.MakesCourses
		}
		if d == was.Directory {
			w.nothingChanged()
			return was, nil
		}
		if err := w.tx.SetDirectory(ctx, d); err != nil {
			return was, err
		}
		if d.Issuer != was.Issuer || d.Claim != was.Claim || d.ByExternalID != was.ByExternalID {
			if err := w.tx.RelinkDirectory(ctx, d, w.now); err != nil {
				return was, err
			}
		}
		if err := w.record(ctx, id, auditOfDirectory(was.Directory), auditOfDirectory(d)); err != nil {
			return was, err
		}
		return s.readDirectory(ctx, w.tx, id)
	})
}

// speakFor has a directory speak for a provider, in the claim that both know.
func (s *Service) speakFor(d *lms.Directory, name string) error {
	if name == "" {
		d.Issuer, d.Claim = "", lms.ClaimSubject
		return nil
	}
	i := slices.IndexFunc(s.opts.Providers, func(p signin.Provider) bool { return p.Name == name })
	if i < 0 {
		return lms.Invalid("unknown-provider", "provider", "There is no way to sign in called %q. Choose one of those that are set up, or none.", lms.Clip(name, 40))
	}
	p := s.opts.Providers[i]
	d.Issuer, d.Claim = p.Issuer, lms.ClaimSubject
	if p.Kind == signin.KindEntra {
		d.Claim = lms.ClaimObjectID
	}
	return nil
}
