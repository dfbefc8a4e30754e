package service

import (
	"context"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// ProvisionedFields is what a directory says about a person.
type ProvisionedFields struct {
	UserName    string // their address
	GivenName   string
	FamilyName  string
	DisplayName string
	ExternalID  string
	Subject     string // at the provider for which the directory speaks; empty: it does not say
	Active      bool
}

// FieldsOf is what a directory says about a person who is as it sees them.
func FieldsOf(p *ProvisionedUser) ProvisionedFields {
	return ProvisionedFields{
		UserName: string(p.Email), GivenName: p.GivenName, FamilyName: p.FamilyName, DisplayName: p.Name,
		ExternalID: p.ExternalID, Subject: p.Subject, Active: p.Status != lms.StatusSuspended,
	}
}

// clean checks what was said. Places are named as in SCIM.
func (f ProvisionedFields) clean() (ProvisionedFields, lms.Email, error) {
	address, err := lms.ParseEmail(f.UserName)
	if err != nil {
		return f, "", at(err, "userName")
	}
	for _, t := range []struct {
		text     *string
		location string
		most     int
	}{{&f.GivenName, "name.givenName", lms.MaxNameRunes}, {&f.FamilyName, "name.familyName", lms.MaxNameRunes}, {&f.DisplayName, "displayName", lms.MaxNameRunes}, {&f.ExternalID, "externalId", lms.MaxExternalIDRunes}} {
		if *t.text, err = lms.CleanText(*t.text, t.location, t.most); err != nil {
			return f, "", err
		}
	}
	f.Subject, err = lms.ParseLinkSubject(f.Subject, "subject")
	return f, address, err
}

func userNameTaken(typed string) error {
	return lms.Errorf(lms.CodeConflict, "address-taken", "There is somebody with the userName %s already. Find them with a filter, and change them.", lms.Clip(typed, 100))
}

// ProvisionUser names a person for a directory. Whoever the directory sees already is
// refused, so that it finds them; whom it had deleted comes back as they were.
func (s *Service) ProvisionUser(ctx context.Context, c access.Caller, f ProvisionedFields) (ProvisionedUser, error) {
	f, address, cleanErr := f.clean()
	return again(func() (ProvisionedUser, error) {
		return doOnce(ctx, s, c, access.ProvisionUser, 0, nil, func(ctx context.Context, w *work) (p ProvisionedUser, err error) {
			if cleanErr != nil {
				return p, cleanErr
			}
			d, err := w.directory(ctx)
			if err != nil {
				return p, err
			}
			u, places, created, err := w.nameForDirectory(ctx, store.Naming{Address: address, AsTyped: f.UserName, GivenName: f.GivenName, FamilyName: f.FamilyName})
			if err != nil {
				return p, err
			}
			if p, err = w.provisioned(ctx, d, u.ID); err != nil {
				return p, err
			}
			if !created && !p.HeldBack {
				return p, userNameTaken(f.UserName)
			}
			if created {
				w.action = access.UserName
				if err := w.record(ctx, u.ID, nil, userAudit{SiteRole: lms.SiteMember, Named: true}); err != nil {
					return p, err
				}
			} else {
				f.UserName = string(p.Email)
			}
			return w.provision(ctx, d, p, places, f)
		})
	})
}

// nameForDirectory finds whoever has an address, or makes them, and holds them. Whoever
// names somebody else holds the address only against its being taken away, which of
// many who do it at once each would keep the others from holding the person.
func (w *work) nameForDirectory(ctx context.Context, n store.Naming) (u lms.User, places []store.PlaceOf, created bool, err error) {
	holder, known, err := w.tx.AddressHolder(ctx, n.Address)
	if err != nil {
		return u, nil, false, err
	}
	id := holder.UserID
	if !known {
		found := map[lms.Email]store.Named{}
		if err := w.tx.NameUnknown(ctx, w.caller.UserID, w.now, []store.Naming{n}, found); err != nil {
			return u, nil, false, err
		}
		if !found[n.Address].Created { // somebody else has at this moment
			return u, nil, false, errAgain
		}
		id = found[n.Address].UserID
	}
	u, places, err = w.hold(ctx, id)
	if isNotFound(err) { // they were erased at this moment, and the address is free
		err = errAgain
	}
	if err != nil {
		return u, nil, false, err
	}
	if holder, ok, err := w.tx.AddressHolder(ctx, n.Address); err != nil || !ok || holder.UserID != id {
		return u, nil, false, orElse(err, errAgain)
	}
	return u, places, !known, nil
}

func (w *work) provisioned(ctx context.Context, d lms.Directory, id int64) (ProvisionedUser, error) {
	p, ok, err := w.tx.Provisioned(ctx, d.AccountID, id)
	if err == nil && !ok {
		err = errNoUser
	}
	return p, err
}

// ChangeProvisioned changes a person for a directory. Change is told how they are, and
// answers how they should be, or why not.
func (s *Service) ChangeProvisioned(ctx context.Context, c access.Caller, id int64, change func(ProvisionedUser) (ProvisionedFields, error)) (ProvisionedUser, error) {
	return again(func() (ProvisionedUser, error) {
		return doOnce(ctx, s, c, access.ProvisionUser, 0, nil, func(ctx context.Context, w *work) (p ProvisionedUser, err error) {
			d, err := w.directory(ctx)
			if err != nil {
				return p, err
			}
			_, places, err := w.hold(ctx, id)
			if err != nil {
				return p, err
			}
			if p, err = w.provisioned(ctx, d, id); err != nil {
				return p, err
			}
			if !seen(p) {
				return p, errNoUser
			}
			f, err := change(p)
			if err != nil {
				return p, err
			}
			return w.provision(ctx, d, p, places, f)
		})
	})
}

// provisionAudit is how the audit shows what a directory said beside an address and a
// status.
type provisionAudit struct {
	Names    bool `json:"names,omitempty"`
	Linked   bool `json:"linked,omitempty"`
	Unlinked bool `json:"unlinked,omitempty"`
	Known    bool `json:"known,omitempty"`
	Deleted  bool `json:"deleted,omitempty"`
}

// provision makes a person, whom the transaction holds with their places, as a
// directory says that they are.
func (w *work) provision(ctx context.Context, d lms.Directory, p ProvisionedUser, places []store.PlaceOf, f ProvisionedFields) (ProvisionedUser, error) {
	f, address, err := f.clean()
	if err != nil {
		return p, err
	}
	if d.ByExternalID {
		if f.Subject, err = lms.ParseLinkSubject(f.ExternalID, "externalId"); err != nil {
			return p, err
		}
	}
	if address != p.Email {
		if err := w.readdress(ctx, &p.User, places, address, f.UserName); err != nil {
			return p, err
		}
	}
	var done provisionAudit
	if n := (store.Names{Given: f.GivenName, Family: f.FamilyName, Full: f.DisplayName}); n != (store.Names{Given: p.GivenName, Family: p.FamilyName, Full: p.Name}) {
		if err := w.tx.SetNames(ctx, p.User, n); err != nil {
			return p, err
		}
		p.GivenName, p.FamilyName, p.Name, done.Names = n.Given, n.Family, n.Full, true
	}
	if !p.Known || p.HeldBack || f.ExternalID != p.ExternalID {
		taken, err := w.tx.SetEntry(ctx, d.AccountID, p.ID, f.ExternalID, w.now)
		if err != nil {
			return p, err
		}
		if taken {
			return p, externalTaken(f.ExternalID)
		}
		done.Known = true
	}
	if f.Subject != p.Subject {
		if err := w.link(ctx, d, &p, f.Subject); err != nil {
			return p, err
		}
		done.Linked, done.Unlinked = f.Subject != "", f.Subject == ""
	}
	if active := p.Status != lms.StatusSuspended; active != f.Active {
		if err := w.activate(ctx, d, &p, f.Active); err != nil {
			return p, err
		}
	}
	if done == (provisionAudit{}) {
		if !w.recorded {
			w.nothingChanged()
			return p, nil
		}
	} else {
		// What a directory says of a person is of this moment, which SetEntry notes.
		if _, err := w.tx.SetEntry(ctx, d.AccountID, p.ID, f.ExternalID, w.now); err != nil {
			return p, err
		}
		w.action = access.ProvisionUser
		if err := w.record(ctx, p.ID, nil, done); err != nil {
			return p, err
		}
	}
	return w.provisioned(ctx, d, p.ID)
}

func externalTaken(id string) error {
	e := lms.Errorf(lms.CodeConflict, "external-id-taken", "The externalId %s is somebody else's already.", lms.Clip(id, 100))
	e.Fields = []lms.FieldError{lms.At("externalId", e.Text)}
	return e
}

// readdress gives a person another address. Whoever has not arrived has it in the
// place of the one that they had, which no longer claims them; whoever has keeps the
// old one too, so that nobody else comes by it, and is told. An address that somebody
// has is never taken from them, nor does it bring along what waits for it.
func (w *work) readdress(ctx context.Context, u *lms.User, places []store.PlaceOf, to lms.Email, typed string) error {
	holder, known, err := w.tx.AddressHolder(ctx, to)
	if err != nil {
		return err
	}
	if known && holder.UserID != u.ID {
		return userNameTaken(typed)
	}
	was := u.Email
	if u.ClaimedAt.IsZero() {
		taken, err := w.tx.CorrectAddress(ctx, *u, to, typed, w.now)
		if err != nil {
			return err
		}
		if taken {
			return userNameTaken(typed)
		}
		u.Email, w.action = to, access.AddressCorrect
		return w.recordInPlaces(ctx, u.ID, places, correctedAudit{was.Masked()}, correctedAudit{to.Masked()})
	}
	done := false
	if known {
		// Theirs already. It is proved by the word of the institution, if not before.
		if err := w.tx.ProveAddress(ctx, u.ID, to, w.now); err != nil {
			return err
		}
		done, err = w.tx.PromoteAddress(ctx, *u, to)
	} else {
		done, err = w.tx.AddPrimaryAddress(ctx, *u, to, w.now)
	}
	if err != nil {
		return err
	}
	if !done {
		return errAgain
	}
	u.Email = to
	if err := w.tellChanged(ctx, u, was); err != nil {
		return err
	}
	w.action = access.AddressChange
	return w.record(ctx, u.ID, correctedAudit{was.Masked()}, correctedAudit{to.Masked()})
}

// link says whose a subject will be.
func (w *work) link(ctx context.Context, d lms.Directory, p *ProvisionedUser, subject string) error {
	if subject == "" {
		return w.tx.Unlink(ctx, d.AccountID, p.ID)
	}
	if d.Issuer == "" {
		return lms.Invalid("no-provider", "subject", "This directory speaks for no provider yet. An administrator chooses one at /admin/directories.")
	}
	taken := lms.Errorf(lms.CodeConflict, "subject-taken", "This subject is somebody else's already.")
	if d.Claim == lms.ClaimSubject {
		h, ok, err := w.tx.IdentityHolder(ctx, d.Issuer, subject)
		if err != nil {
			return err
		}
		if ok && h.UserID != p.ID {
			return taken
		}
	}
	done, err := w.tx.Link(ctx, d, subject, p.ID, w.now)
	if err == nil && !done {
		err = taken
	}
	return err
}

var errLastAdmin = lms.Errorf(lms.CodeConflict, "last-administrator", "This is the only person who can administer the site. Make somebody else an administrator first.")

// activate suspends a person, or restores one whom the directory suspended: whom an
// administrator has suspended stays so, whatever a directory says.
func (w *work) activate(ctx context.Context, d lms.Directory, p *ProvisionedUser, active bool) error {
	if active && !p.Suspended {
		return nil
	}
	wanted := string(lms.StatusActive)
	if !active {
		wanted = string(lms.StatusSuspended)
		if p.SiteRole == lms.SiteAdmin && p.Status == lms.StatusActive {
			n, err := w.tx.OtherAdmins(ctx, p.ID)
			if err != nil {
				return err
			}
			if n == 0 {
				return errLastAdmin
			}
		}
	}
	before := userAudit{SiteRole: p.SiteRole, Status: p.Status}
	status, orphaned, err := w.setStatus(ctx, p.User, wanted, Leaving{OrphanCourses: true})
	if err != nil {
		return err
	}
	p.Status, p.Suspended = status, !active
	if !active {
		if err := w.tx.MarkSuspended(ctx, d.AccountID, p.ID, true); err != nil {
			return err
		}
	}
	w.action = access.UserUpdate
	return w.record(ctx, p.ID, before, userAudit{SiteRole: p.SiteRole, Status: status, Orphaned: orphaned})
}

// EndProvisioned is what a directory's deleting means: whoever has never arrived is
// withdrawn, unless an administrator has suspended them, and anybody else is suspended
// and hidden from the directory. Erasing is for administrators.
func (s *Service) EndProvisioned(ctx context.Context, c access.Caller, id int64) error {
	key, err := s.addressKey(ctx)
	if err != nil {
		return err
	}
	_, err = again(func() (struct{}, error) {
		return struct{}{}, s.do(ctx, c, access.ProvisionUser, 0, func(ctx context.Context, w *work) error {
			d, err := w.directory(ctx)
			if err != nil {
				return err
			}
			u, places, err := w.hold(ctx, id)
			if err != nil {
				return err
			}
			p, err := w.provisioned(ctx, d, id)
			if err != nil {
				return err
			}
			if !seen(p) {
				return errNoUser
			}
			// Whom an administrator has suspended keeps the address: as somebody new they
			// would come in with it.
			if u.ClaimedAt.IsZero() && (u.Status == lms.StatusPending || p.Suspended) {
				if u.Status == lms.StatusSuspended {
					if err := w.tx.SetStatus(ctx, id, lms.StatusPending); err != nil {
						return err
					}
				}
				w.action = access.UserWithdraw
				return w.endAll(ctx, key, []lms.User{u}, places, false, nil)
			}
			if _, err := w.tx.SetEntry(ctx, d.AccountID, id, p.ExternalID, w.now); err != nil {
				return err
			}
			if u.Status == lms.StatusActive {
				if err := w.activate(ctx, d, &p, false); err != nil {
					return err
				}
			}
			if err := w.tx.DeleteEntries(ctx, d.AccountID, id, w.now); err != nil {
				return err
			}
			w.action = access.ProvisionUser
			return w.record(ctx, id, nil, provisionAudit{Deleted: true})
		})
	})
	return err
}
