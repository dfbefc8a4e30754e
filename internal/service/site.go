package service

import (
	"context"
	"fmt"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// NewPerson names somebody without any course.
type NewPerson struct {
	Email      string
	GivenName  string
	FamilyName string
	SiteRole   string // empty: member
}

type userAudit struct {
	SiteRole lms.SiteRole   `json:"site_role,omitempty"`
	Status   lms.UserStatus `json:"status,omitempty"`
	Named    bool           `json:"named,omitempty"`
	Orphaned []int64        `json:"orphaned_courses,omitempty"`
}

// NamePerson makes sure that the person of an address exists, for an
// administrator who gives them a site role before they arrive. A known person
// keeps their names; the site role is set when one is given.
func (s *Service) NamePerson(ctx context.Context, c access.Caller, p NewPerson, once *Once) (lms.User, error) {
	parsed, parseErr := p.parse()
	return doOnce(ctx, s, c, access.UserName, 0, once, func(ctx context.Context, w *work) (lms.User, error) {
		if parseErr != nil {
			return lms.User{}, parseErr
		}
		return s.nameWithRole(ctx, w, parsed.naming, parsed.role)
	})
}

type parsedPerson struct {
	naming store.Naming
	role   lms.SiteRole // empty: leave as it is
}

func (p NewPerson) parse() (out parsedPerson, err error) {
	if out.naming.Address, err = lms.ParseEmail(p.Email); err != nil {
		return out, at(err, "email")
	}
	out.naming.AsTyped = p.Email
	if out.naming.GivenName, err = lms.CleanText(p.GivenName, "given_name", lms.MaxNameRunes); err != nil {
		return out, err
	}
	if out.naming.FamilyName, err = lms.CleanText(p.FamilyName, "family_name", lms.MaxNameRunes); err != nil {
		return out, err
	}
	if p.SiteRole != "" {
		out.role, err = lms.ParseSiteRole(p.SiteRole)
	}
	return out, err
}

func (s *Service) nameWithRole(ctx context.Context, w *work, n store.Naming, role lms.SiteRole) (lms.User, error) {
	named, err := w.tx.NamePeople(ctx, w.caller.UserID, w.now, []store.Naming{n})
	if err != nil {
		return lms.User{}, err
	}
	who := named[n.Address]
	if !who.Created {
		if err := s.renewNamed(ctx, w, []int64{who.UserID}); err != nil {
			return lms.User{}, err
		}
	}
	u, ok, err := w.tx.User(ctx, who.UserID)
	if err != nil {
		return u, err
	}
	if !ok {
		return u, errNoUser
	}
	before := userAudit{SiteRole: u.SiteRole}
	if role != "" && role != u.SiteRole {
		if u.ID == w.caller.UserID {
			return u, errSelfSite
		}
		if err := w.lockWith(ctx, u.ID); err != nil {
			return u, err
		}
		if err := w.tx.SetSiteRole(ctx, u.ID, role); err != nil {
			return u, err
		}
		u.SiteRole = role
	} else if !who.Created {
		w.nothingChanged()
		return u, nil
	}
	return u, w.record(ctx, u.ID, before, userAudit{SiteRole: u.SiteRole, Named: who.Created})
}

var errSelfSite = lms.Errorf(lms.CodeForbidden, "self-change", "Nobody can change their own site role or status. Ask another administrator.")

// UserPatch changes what is not nil.
type UserPatch struct {
	SiteRole *string
	Status   *string // "suspended", or "active" to restore
	// OrphanCourses confirms that courses may be left without an active owner.
	OrphanCourses bool
	// Successor becomes the owner of what nobody else owns; the zero one is nobody.
	Successor PersonRef
}

// UpdateUser gives somebody a site role, suspends or restores them.
// Suspending ends their sessions at once.
func (s *Service) UpdateUser(ctx context.Context, c access.Caller, id int64, p UserPatch) (lms.User, error) {
	return doOnce(ctx, s, c, access.UserUpdate, 0, nil, func(ctx context.Context, w *work) (lms.User, error) {
		// Of two who own a course together, one is suspended at a time.
		if p.Status != nil {
			if err := w.tx.LockOwnedCourses(ctx, id); err != nil {
				return lms.User{}, err
			}
		}
		if err := w.lockWith(ctx, id); err != nil {
			return lms.User{}, err
		}
		u, ok, err := w.tx.User(ctx, id)
		if err != nil {
			return u, err
		}
		if !ok || u.ID == lms.SystemUserID {
			return u, errNoUser
		}
		if u.ID == w.caller.UserID {
			return u, errSelfSite
		}
		return w.patchUser(ctx, u, p)
	})
}

// lockWith holds the caller and another user until the transaction ends, and
// decides again about the caller as they are then: of two administrators who
// depose each other at the same moment, one does.
func (w *work) lockWith(ctx context.Context, id int64) error {
	for _, one := range []int64{min(id, w.caller.UserID), max(id, w.caller.UserID)} {
		if err := w.tx.LockUser(ctx, one); err != nil {
			return err
		}
	}
	if w.caller.UserID == lms.SystemUserID {
		return nil
	}
	return w.decide(ctx)
}

func (w *work) patchUser(ctx context.Context, u lms.User, p UserPatch) (lms.User, error) {
	before := userAudit{SiteRole: u.SiteRole, Status: u.Status}
	var orphaned []int64
	if p.SiteRole != nil {
		role, err := lms.ParseSiteRole(*p.SiteRole)
		if err != nil {
			return u, err
		}
		if role != u.SiteRole {
			if err := w.tx.SetSiteRole(ctx, u.ID, role); err != nil {
				return u, err
			}
			u.SiteRole = role
		}
	}
	if p.Status != nil {
		var err error
		if u.Status, orphaned, err = w.setStatus(ctx, u, *p.Status, Leaving{p.OrphanCourses, p.Successor}); err != nil {
			return u, err
		}
	}
	if before.SiteRole == u.SiteRole && before.Status == u.Status {
		w.nothingChanged()
		return u, nil
	}
	return u, w.record(ctx, u.ID, before, userAudit{SiteRole: u.SiteRole, Status: u.Status, Orphaned: orphaned})
}

// titlesShown is how many courses a refusal names.
const titlesShown = 20

func (w *work) setStatus(ctx context.Context, u lms.User, wanted string, leaving Leaving) (lms.UserStatus, []int64, error) {
	var orphaned []int64
	var to lms.UserStatus
	switch lms.UserStatus(wanted) {
	case lms.StatusSuspended:
		to = lms.StatusSuspended
	case lms.StatusActive, lms.StatusPending:
		// Restoring brings back what was: somebody who never arrived waits again.
		to = lms.StatusActive
		if u.ClaimedAt.IsZero() && u.Kind == lms.KindPerson {
			to = lms.StatusPending
		}
		if string(to) != wanted && u.Status == lms.StatusSuspended && wanted == string(lms.StatusPending) {
			return u.Status, nil, lms.Invalid("status", "status", "An account that has been claimed cannot become pending again.")
		}
		if u.Status != lms.StatusSuspended {
			if string(u.Status) == wanted {
				return u.Status, nil, nil
			}
			return u.Status, nil, lms.Invalid("status", "status", "%s is %s: only a suspended account can be restored, and only a person's own sign-in makes a pending account active.", u.DisplayName(), u.Status)
		}
	default:
		return u.Status, nil, lms.Invalid("status", "status", "The status can be set to suspended, or to active to restore a suspended account.")
	}
	if to == u.Status {
		return to, nil, nil
	}
	if to == lms.StatusSuspended && u.Status == lms.StatusActive {
		var err error
		if orphaned, err = w.leaveOwned(ctx, u, leaving); err != nil {
			return u.Status, nil, err
		}
	}
	if err := w.tx.SetStatus(ctx, u.ID, to); err != nil {
		return u.Status, nil, err
	}
	// Whoever decides last has decided: a directory restores only whom it suspended.
	if err := w.tx.MarkSuspended(ctx, 0, u.ID, false); err != nil {
		return u.Status, nil, err
	}
	if to == lms.StatusPending { // who was suspended for long is not gone a moment later
		if err := w.tx.Renew(ctx, []int64{u.ID}, w.now, w.now); err != nil {
			return u.Status, nil, err
		}
	}
	if to == lms.StatusSuspended {
		if _, err := w.tx.EndSessions(ctx, u.ID, 0); err != nil {
			return u.Status, nil, err
		}
		if err := w.tx.DropClaims(ctx, u.ID, w.now); err != nil {
			return u.Status, nil, err
		}
	}
	return to, orphaned, nil
}

// system runs a change that Matricula makes by itself, with its audit entry.
func (s *Service) system(ctx context.Context, a access.Action, fn func(context.Context, *work) error) error {
	return s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		w := &work{tx: tx, caller: access.Caller{UserID: lms.SystemUserID}, action: a, now: s.now()}
		return w.finish(ctx, fn(ctx, w))
	})
}

// NameAdmins makes the people of addresses administrators, known or not: what
// MATRICULA_ADMINS asks for at start.
func (s *Service) NameAdmins(ctx context.Context, addresses []lms.Email) error {
	for _, address := range addresses {
		err := s.system(ctx, access.UserName, func(ctx context.Context, w *work) error {
			_, err := s.nameWithRole(ctx, w, store.Naming{Address: address, AsTyped: string(address)}, lms.SiteAdmin)
			return err
		})
		if err != nil {
			return fmt.Errorf("name an administrator: %w", err)
		}
	}
	return nil
}
