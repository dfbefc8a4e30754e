package service

import (
	"context"
	"fmt"
	"slices"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/mail"
	"matricula/internal/store"
)

// MaxAddresses is how many addresses a person can have.
const MaxAddresses = 10

// Address is one address of a person; the type is the store's, for the faces that may
// not import it.
type Address = store.Address

// addressAudit is how the audit shows an address: masked.
type addressAudit struct {
	Address string `json:"address"`
}

// Addresses lists the caller's addresses.
func (s *Service) Addresses(ctx context.Context, c access.Caller) ([]Address, error) {
	if err := access.Decide(c, access.AccountView, nil); err != nil {
		return nil, err
	}
	return s.store.Reader().Addresses(ctx, c.UserID)
}

// BeginAddress sends a code to an address that the caller wants to add to their
// account, and returns the secret that goes with it. Whether the address is
// somebody's already is not told: its holder gets a mail that says so, and there is
// no code.
func (s *Service) BeginAddress(ctx context.Context, c access.Caller, typed, language string) (secret string, err error) {
	secret, hash := newSecret("")
	code := newCode()
	err = s.do(ctx, c, access.AddressProve, 0, func(ctx context.Context, w *work) error {
		if !w.mails {
			return errNoMail
		}
		address, err := lms.ParseEmail(typed)
		if err != nil {
			return err
		}
		own, err := w.tx.Addresses(ctx, c.UserID)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(own, func(a store.Address) bool { return a.Email == address }) {
			return lms.Errorf(lms.CodeConflict, "address-yours", "This address is yours already.")
		}
		if len(own) >= MaxAddresses {
			return lms.Errorf(lms.CodeConflict, "too-many-addresses", "You have %d addresses, which is as many as an account can have. Remove one first.", len(own))
		}
		proof := store.Proof{
			Kind: store.ProofAddress, SecretHash: hash, UserID: c.UserID, SessionID: c.SessionID, Address: address,
			CodeHash: codeHash(secret, code), CreatedAt: w.now, ExpiresAt: w.now.Add(codeLife),
		}
		if err := w.tx.LockUser(ctx, c.UserID); err != nil {
			return err
		}
		if err := w.tx.DropProofs(ctx, c.UserID); err != nil { // one at a time
			return err
		}
		holder, held, err := w.tx.AddressHolder(ctx, address)
		if err != nil {
			return err
		}
		if held && holder.Status != lms.StatusPending {
			err = w.tellHolder(ctx, proof, holder.UserID)
		} else {
			err = w.sendCode(ctx, proof, code, language)
		}
		if err != nil {
			return err
		}
		return w.record(ctx, 0, nil, addressAudit{address.Masked()})
	})
	if err != nil {
		return "", err
	}
	s.mailQueued()
	return secret, nil
}

// tellHolder does what sendCode does, as far as others can tell, for an address that
// is another account's.
func (w *work) tellHolder(ctx context.Context, p store.Proof, holder int64) error {
	w.useHashed(lms.LimitCodes, string(p.Address), 1)
	id, err := w.tx.AddProof(ctx, p)
	if err != nil {
		return err
	}
	u, ok, err := w.tx.User(ctx, holder)
	if err != nil || !ok {
		return err
	}
	return w.queue(ctx, lms.Mail{Kind: lms.MailAddressHeld, UserID: holder, Address: p.Address, Language: u.Language, Event: fmt.Sprintf("code:%d:1", id)})
}

// ConfirmAddress adds the address to which the code was sent. It has to come from the
// session in which the code was asked for.
func (s *Service) ConfirmAddress(ctx context.Context, c access.Caller, secret, code string) error {
	if err := access.Decide(c, access.AddressAdd, nil); err != nil {
		return err
	}
	if knownSecret(secret) {
		p, ok, err := s.store.Reader().Proof(ctx, hashSecret(secret), s.now())
		if err != nil {
			return err
		}
		if !ok || p.UserID != c.UserID || p.SessionID != c.SessionID {
			return errNoProof
		}
	}
	proof, err := s.redeem(ctx, store.ProofAddress, secret, code)
	if err != nil {
		if lms.TypeOf(err) == errCodeWrong {
			s.recordWrongCode(ctx, proof, c.RequestID)
		}
		return err
	}
	return s.do(ctx, c, access.AddressAdd, 0, func(ctx context.Context, w *work) error {
		if err := w.takeProof(ctx, proof.ID); err != nil {
			return err
		}
		holder, held, err := w.tx.AddressHolder(ctx, proof.Address)
		if err != nil {
			return err
		}
		if held && holder.Status == lms.StatusPending {
			if err := w.joinProved(ctx, c.UserID, holder.UserID, proof.Address); err != nil {
				return err
			}
			return w.record(ctx, 0, nil, addressAudit{proof.Address.Masked()})
		}
		added, err := w.tx.AddAddress(ctx, c.UserID, proof.Address, string(proof.Address), w.now)
		if err != nil {
			return err
		}
		if !added {
			return errAddressTaken
		}
		return w.record(ctx, 0, nil, addressAudit{proof.Address.Masked()})
	})
}

var errAddressTaken = lms.Errorf(lms.CodeConflict, "address-waits", "The address is yours, but it belongs to another account here by now. Sign in with an account that has this address, or ask the administrator of this site to join the two.")

// joinProved gives somebody what waits for an address that they have proved to be
// theirs: the person who was named with it becomes one with them. The proof stands in
// for whoever would have to agree, as it does for a claim. It is a merge like any
// other, with its record. As long as they have the address, there is nobody to whom
// a split could give it back.
func (w *work) joinProved(ctx context.Context, keepID, goneID int64, address lms.Email) error {
	action := w.action
	defer func() { w.action = action }()
	if err := w.lockPair(ctx, keepID, goneID); err != nil {
		return err
	}
	w.action = access.UserMerge
	keep, ok, err := w.tx.User(ctx, keepID)
	if err != nil || !ok {
		return orElse(err, errNoUser)
	}
	gone, ok, err := w.tx.User(ctx, goneID)
	if err != nil {
		return err
	}
	if !ok || !gone.Pending() || gone.Email != address {
		return errAddressTaken // somebody corrected, withdrew or claimed them meanwhile
	}
	if err := mergeable(keep, gone); err != nil {
		return err
	}
	p := MergePreview{Keep: keep, Merge: gone, SiteRole: lms.HigherSiteRole(keep.SiteRole, gone.SiteRole)}
	if p.Places, err = w.mergePlaces(ctx, keep, gone); err != nil {
		return err
	}
	m := lms.Merge{Kept: keep, Gone: gone, Was: gone.Status, AskedAt: w.now, Expires: w.now.Add(mergeSplit)}
	m.AskedBy.ID = keepID
	if m.ID, ok, err = w.tx.AddMerge(ctx, m); err != nil || !ok {
		return orElse(err, errMergeOpen)
	}
	if _, err := w.carryOut(ctx, m, p); err != nil {
		return err
	}
	return w.tx.ProveAddress(ctx, keepID, address, w.now)
}

// RemoveAddress takes one of the caller's addresses from their account. It is free
// then for whoever proves that it is theirs.
func (s *Service) RemoveAddress(ctx context.Context, c access.Caller, typed string) error {
	return s.do(ctx, c, access.AddressRemove, 0, func(ctx context.Context, w *work) error {
		address, err := lms.ParseEmail(typed)
		if err != nil {
			return err
		}
		u, ok, err := w.tx.User(ctx, c.UserID)
		if err != nil {
			return err
		}
		if ok && u.Email == address {
			return lms.Errorf(lms.CodeConflict, "address-primary", "This is your main address. Make another one the main address first.")
		}
		removed, err := w.tx.RemoveAddress(ctx, c.UserID, address)
		if err != nil {
			return err
		}
		if !removed {
			return lms.NotFound("address")
		}
		return w.record(ctx, 0, addressAudit{address.Masked()}, nil)
	})
}

// MakePrimary makes a proven address of the caller the one by which others know them.
func (s *Service) MakePrimary(ctx context.Context, c access.Caller, typed string) error {
	err := s.do(ctx, c, access.AddressPrimary, 0, func(ctx context.Context, w *work) error {
		address, err := lms.ParseEmail(typed)
		if err != nil {
			return err
		}
		u, ok, err := w.tx.User(ctx, c.UserID)
		if err != nil || !ok {
			return err
		}
		before := u.Email
		if before == address {
			w.nothingChanged()
			return nil
		}
		done, err := w.tx.PromoteAddress(ctx, u, address)
		if err != nil {
			return err
		}
		if !done {
			return lms.NotFound("address")
		}
		u.Email = address
		if err := w.tellChanged(ctx, &u, before); err != nil {
			return err
		}
		return w.record(ctx, 0, addressAudit{before.Masked()}, addressAudit{address.Masked()})
	})
	if err == nil {
		s.mailQueued()
	}
	return err
}

// tellChanged tells both addresses that one has taken the other's place (OWASP ASVS
// 5.0, 6.3.7).
func (w *work) tellChanged(ctx context.Context, u *lms.User, before lms.Email) error {
	for which, to := range map[string]lms.Email{"was": before, "is": u.Email} {
		err := w.queue(ctx, lms.Mail{
			Kind: lms.MailAddressChanged, UserID: u.ID, Address: to, Language: u.Language, Event: fmt.Sprintf("changed:%d:%d:%s", u.ID, w.now.UnixNano(), which),
			Data: map[string]string{mail.DataWas: before.Masked(), mail.DataIs: u.Email.Masked()},
		})
		if err != nil {
			return err
		}
	}
	return nil
}
