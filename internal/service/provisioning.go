package service

import (
	"context"
	"slices"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/signin"
	"matricula/internal/store"
)

// ProvisionedUser is a person as a directory sees them; the type is the store's, for
// the face that may not import it.
type ProvisionedUser = store.Provisioned

// lookUpLinks reads what directories say about a token's subject, and about whoever
// holds its address.
func (s *Service) lookUpLinks(ctx context.Context, tx *store.Tx, t signin.Token, account *signin.AccountState) error {
	if account.Identity != nil {
		return nil // they have signed in before, which is all that counts
	}
	h, ok, err := tx.LinkHolder(ctx, t.Issuer, t.Subject, t.ObjectID)
	if err != nil {
		return err
	}
	if ok {
		account.Link = &signin.Holder{UserID: h.UserID, Status: h.Status}
		return nil
	}
	if account.Address != nil {
		account.AddressLinked, err = tx.Linked(ctx, account.Address.UserID, t.Issuer)
	}
	return err
}

// claimLinked is claim for somebody whom a directory has linked to the token's subject.
// The address under which the directory provisioned them counts as proved: it is the
// institution that hands both out.
func (w *work) claimLinked(ctx context.Context, id int64, t signin.Token) error {
	u, ok, err := w.tx.User(ctx, id)
	if err != nil {
		return err
	}
	if !ok {
		return errAgain
	}
	if err := w.claim(ctx, id, t, u.Email); err != nil {
		return err
	}
	// The person is held now. A directory that took the link back had gone before.
	h, ok, err := w.tx.LinkHolder(ctx, t.Issuer, t.Subject, t.ObjectID)
	if err == nil && (!ok || h.UserID != id) {
		err = errAgain
	}
	return err
}

// ProvisioningQuery asks for people or groups. Of the narrowing fields at most one is
// set; Match decides about those who are left.
type ProvisioningQuery[T any] struct {
	First, Limit int // of what matches; Limit 0 only counts
	Address      *string
	ExternalID   *string
	ID           *int64
	Member       *int64 // groups in which somebody is
	Match        func(*T) bool
}

// found is a page of what a query finds, with how much there is in all.
type found[T any] struct {
	Items []T
	Total int
}

// scanPortion is how many rows a filter looks at in one go.
const scanPortion = 2000

// gather runs over portions and keeps the page that was asked for.
func (q *ProvisioningQuery[T]) gather(next func(last *T) ([]T, error)) (out found[T], err error) {
	var last *T
	for {
		list, err := next(last)
		if err != nil {
			return out, err
		}
		for i := range list {
			if q.Match != nil && !q.Match(&list[i]) {
				continue
			}
			if out.Total++; out.Total > q.First && len(out.Items) < q.Limit {
				out.Items = append(out.Items, list[i])
			}
		}
		if len(list) < scanPortion {
			return out, nil
		}
		last = &list[len(list)-1]
	}
}

// once makes a portion of what is found in one go.
func once[T any](list []T, err error) func(*T) ([]T, error) {
	return func(last *T) ([]T, error) {
		if last != nil {
			return nil, err
		}
		return list, err
	}
}

// ProvisionedUsers lists people as the caller, a directory, sees them.
func (s *Service) ProvisionedUsers(ctx context.Context, c access.Caller, q ProvisioningQuery[ProvisionedUser]) ([]ProvisionedUser, int, error) {
	if err := access.Decide(c, access.ProvisioningView, nil); err != nil {
		return nil, 0, err
	}
	tx := s.store.Reader()
	var out found[ProvisionedUser]
	var err error
	switch {
	case q.ID != nil:
		p, ok, err := tx.Provisioned(ctx, c.UserID, *q.ID)
		if err != nil {
			return nil, 0, err
		}
		var list []ProvisionedUser
		if ok && seen(p) {
			list = append(list, p)
		}
		out, err = q.gather(once(list, err))
		return out.Items, out.Total, err
	case q.Address != nil:
		address, parseErr := lms.ParseEmail(*q.Address)
		if parseErr != nil {
			return nil, 0, nil // nobody has what is no address
		}
		out, err = q.gather(once(tx.ProvisionedByAddress(ctx, c.UserID, address)))
	case q.ExternalID != nil:
		out, err = q.gather(once(tx.ProvisionedByExternalID(ctx, c.UserID, *q.ExternalID)))
	case q.Match == nil:
		if out.Total, err = tx.CountProvisioned(ctx, c.UserID); err == nil && q.Limit > 0 {
			out.Items, err = tx.ProvisionedPage(ctx, c.UserID, q.First, q.Limit)
		}
	default:
		out, err = q.gather(func(last *ProvisionedUser) ([]ProvisionedUser, error) {
			after := int64(0)
			if last != nil {
				after = last.ID
			}
			return tx.ProvisionedAfter(ctx, c.UserID, after, scanPortion)
		})
	}
	return out.Items, out.Total, err
}

// seen tells whether a directory sees a person: it has no use for service accounts.
func seen(p ProvisionedUser) bool {
	return p.Kind == lms.KindPerson && !p.HeldBack
}

// ProvisionedUser reads one person as the caller, a directory, sees them.
func (s *Service) ProvisionedUser(ctx context.Context, c access.Caller, id int64) (ProvisionedUser, error) {
	list, _, err := s.ProvisionedUsers(ctx, c, ProvisioningQuery[ProvisionedUser]{ID: &id, Limit: 1})
	if err != nil {
		return ProvisionedUser{}, err
	}
	if len(list) == 0 {
		return ProvisionedUser{}, errNoUser
	}
	return list[0], nil
}

// MayProvision tells whether the caller is a directory that may ask for anything at
// all: nil, or why not, which is recorded of whoever wanted to change something.
func (s *Service) MayProvision(ctx context.Context, c access.Caller, change bool) error {
	if !change {
		return access.Decide(c, access.ProvisioningView, nil)
	}
	err := access.Decide(c, access.ProvisionUser, nil)
	if err != nil && !c.Anonymous() {
		s.recordRefusal(ctx, c, access.ProvisionUser, 0, err)
	}
	return err
}

// directory is the caller as a directory, which its first change makes it.
func (w *work) directory(ctx context.Context) (lms.Directory, error) {
	if err := w.tx.AddDirectory(ctx, w.caller.UserID, w.now); err != nil {
		return lms.Directory{}, err
	}
	d, ok, err := w.tx.DirectoryOf(ctx, w.caller.UserID)
	if err == nil && !ok {
		err = access.ErrAnonymous
	}
	return d, err
}

// DirectoryCall is a request of a directory and what came of it.
type DirectoryCall struct {
	Call    string // such as "GET /scim/v2/Users/{id}", without anything personal
	Status  int
	Problem string // the stable name; empty when it got what it asked for
}

// callNoted is how exactly the last call of a directory is known.
const callNoted = time.Minute

// NoteDirectoryCall keeps when a directory called last, and what it did not get, for
// the administrators. Somebody who is no directory yet is not noted, nor is it a fault
// to look for somebody who is not there.
func (s *Service) NoteDirectoryCall(ctx context.Context, c access.Caller, call DirectoryCall) error {
	if access.Decide(c, access.ProvisioningView, nil) != nil {
		return nil
	}
	now := s.now()
	fault := call.Status >= 400 && call.Status != 404
	d, ok, err := s.store.Reader().DirectoryOf(ctx, c.UserID)
	if err != nil || (ok && !fault && now.Sub(d.LastCallAt) < callNoted) {
		return err
	}
	return s.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.AddDirectory(ctx, c.UserID, now); err != nil {
			return err
		}
		if err := tx.DirectoryCalled(ctx, c.UserID, now); err != nil {
			return err
		}
		if !fault {
			return nil
		}
		return tx.AddFault(ctx, c.UserID, lms.DirectoryFault{At: now, Call: call.Call, Status: call.Status, Problem: call.Problem})
	})
}

// difference is what is in one list of ids and not in another.
func difference(of, without []int64) []int64 {
	gone := make(map[int64]bool, len(without))
	for _, id := range without {
		gone[id] = true
	}
	return slices.DeleteFunc(slices.Clone(of), func(id int64) bool { return gone[id] })
}
