package service

import (
	"context"
	"errors"
	"slices"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// AddressCorrection is the right address of somebody who was named by a wrong one.
type AddressCorrection struct {
	Email          string
	ConfirmOutside bool
}

// correctedAudit is how the audit shows addresses: masked, since whose a wrong one is
// nobody knows.
type correctedAudit struct {
	Address string `json:"address"`
}

// CorrectAddress gives somebody who was named and has not arrived another address.
// Everything that was given to them stays as it is, with the same id; the address that
// they had can no longer claim it. It takes what withdrawing everything would take.
func (s *Service) CorrectAddress(ctx context.Context, c access.Caller, id int64, r AddressCorrection) (lms.User, error) {
	return again(func() (lms.User, error) {
		return doOnce(ctx, s, c, access.AddressCorrect, 0, nil, func(ctx context.Context, w *work) (lms.User, error) {
			u, places, err := s.mending(ctx, w, id)
			if err != nil {
				return u, err
			}
			to, err := lms.ParseEmail(r.Email)
			if err != nil {
				return u, at(err, "email")
			}
			if to == u.Email {
				w.nothingChanged()
				return u, nil
			}
			if _, known, err := w.tx.AddressHolder(ctx, to); err != nil {
				return u, err
			} else if known {
				return u, addressTaken(u, to)
			}
			if s.outside(to) && !r.ConfirmOutside {
				return u, outsideError(to, "email")
			}
			taken, err := w.tx.CorrectAddress(ctx, u, to, r.Email, w.now)
			if err != nil {
				return u, err
			}
			if taken { // somebody was named with it at this moment
				return u, addressTaken(u, to)
			}
			was := u.Email
			u.Email = to
			return u, w.recordInPlaces(ctx, u.ID, places, correctedAudit{was.Masked()}, correctedAudit{to.Masked()})
		})
	})
}

func addressTaken(u lms.User, to lms.Email) error {
	e := lms.Errorf(lms.CodeConflict, "address-taken", "There is somebody with the address %s already, so %s cannot have it too. If both are one person, merge them: nothing that was given to either is lost.", to, u.Email)
	e.Fields = []lms.FieldError{lms.At("email", e.Text)}
	return e
}

// Withdraw takes back all that was given to somebody who has not arrived. Their
// places end as if they had been removed from each course, nothing personal is left of
// them, and the address is free: whoever has it is a new person from then on.
func (s *Service) Withdraw(ctx context.Context, c access.Caller, id int64) error {
	key, err := s.addressKey(ctx)
	if err != nil {
		return err
	}
	_, err = again(func() (struct{}, error) {
		return struct{}{}, s.do(ctx, c, access.UserWithdraw, 0, func(ctx context.Context, w *work) error {
			u, places, err := s.mending(ctx, w, id)
			if err != nil {
				return err
			}
			return w.endAll(ctx, key, []lms.User{u}, places, false, nil)
		})
	})
	return err
}

// MayMend gives somebody whose address the caller may correct, or whom they may
// withdraw; else an error says why not.
func (s *Service) MayMend(ctx context.Context, c access.Caller, id int64) (lms.User, error) {
	if c.Anonymous() {
		return lms.User{}, access.ErrAnonymous
	}
	if err := access.Decide(c, access.AddressCorrect, nil); err != nil {
		return lms.User{}, err
	}
	w := &work{tx: s.store.Reader(), caller: c, action: access.AddressCorrect, now: s.now()}
	u, ok, err := w.tx.User(ctx, id)
	if err != nil || !ok {
		return lms.User{}, orElse(err, errNoUser)
	}
	places, err := w.tx.PlacesOf(ctx, []int64{id})
	if err != nil {
		return lms.User{}, err
	}
	return u, s.mayMend(ctx, w, u, places)
}

// again runs a change anew when something was given to the person while it waited for
// the courses that it knew of.
func again[T any](fn func() (T, error)) (out T, err error) {
	for range signInTries {
		if out, err = fn(); !errors.Is(err, errAgain) {
			return out, err
		}
	}
	return out, lms.Errorf(lms.CodeConflict, "changed-meanwhile", "Somebody is giving something to this person at this very moment. Please try again.")
}

// mending holds a pending person, with all the courses in which they have something,
// and decides whether the caller may change what becomes of that.
func (s *Service) mending(ctx context.Context, w *work, id int64) (u lms.User, places []store.PlaceOf, err error) {
	if u, places, err = w.hold(ctx, id); err != nil {
		return u, nil, err
	}
	return u, places, s.mayMend(ctx, w, u, places)
}

// hold keeps everybody else from changing a person, and all the courses in which they
// have something, until the transaction ends.
func (w *work) hold(ctx context.Context, id int64) (u lms.User, places []store.PlaceOf, err error) {
	ids := []int64{id}
	known, err := w.tx.PlacesOf(ctx, ids)
	if err != nil {
		return u, nil, err
	}
	if err := w.tx.LockCourses(ctx, coursesOf(known)); err != nil {
		return u, nil, err
	}
	if err := w.tx.HoldPeople(ctx, ids); err != nil {
		return u, nil, err
	}
	if places, err = w.tx.PlacesOf(ctx, ids); err != nil {
		return u, nil, err
	}
	for _, p := range places {
		if !slices.Contains(known, p) {
			return u, nil, errAgain
		}
	}
	u, ok, err := w.tx.User(ctx, id)
	if err != nil {
		return u, nil, err
	}
	if !ok || u.Kind != lms.KindPerson {
		return u, nil, errNoUser
	}
	return u, places, nil
}

func coursesOf(places []store.PlaceOf) []int64 {
	ids := make([]int64, len(places))
	for i, p := range places {
		ids[i] = p.CourseID
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// mayMend decides about a person as a whole: an administrator may, and else whoever
// might take each single thing away from them. A teacher of one course would otherwise
// redirect what another course has given. Who has been given nothing is the concern of
// whoever named them.
func (s *Service) mayMend(ctx context.Context, w *work, u lms.User, places []store.PlaceOf) error {
	if !w.caller.Admin() {
		named := u.CreatedBy == w.caller.UserID
		sees, err := s.sees(ctx, w.tx, w.caller, u.ID)
		if err != nil {
			return err
		}
		if !sees && !named {
			return errNoUser
		}
		all, err := w.mayTakeAll(ctx, u, places, named)
		if err != nil {
			return err
		}
		if !all {
			return lms.Errorf(lms.CodeForbidden, "not-all-yours", "Not all that waits for %s is yours to take away. Ask an administrator of this site.", u.DisplayName())
		}
	}
	switch u.Status {
	case lms.StatusPending:
		return nil
	case lms.StatusSuspended:
		return lms.Errorf(lms.CodeConflict, "not-pending", "The account of %s is suspended. An administrator can restore it first.", u.DisplayName())
	}
	return lms.Errorf(lms.CodeConflict, "not-pending", "%s has signed in, so the account is theirs, with its address. They can be removed from a course.", u.DisplayName())
}

// mayTakeAll tells whether the caller might take away each single thing that somebody
// was given.
func (w *work) mayTakeAll(ctx context.Context, u lms.User, places []store.PlaceOf, named bool) (bool, error) {
	if u.SiteRole != lms.SiteMember {
		return false, nil // an administrator gave that
	}
	mine := named
	for _, p := range places {
		if p.Deleted {
			continue
		}
		course, self, ok, err := w.tx.Standing(ctx, p.CourseID, w.caller.UserID)
		if err != nil || !ok {
			return false, err
		}
		st := &access.Standing{Course: course, Member: self.At(w.now)}
		if access.Decide(w.caller, access.EnrollmentRemove, st) != nil {
			return false, nil
		}
		m, ok, err := w.tx.Member(ctx, p.CourseID, u.ID)
		if err != nil || !ok {
			return false, err
		}
		if access.DelegatorOf(w.caller, st).MayRemove(&m) != nil {
			return false, nil
		}
		mine = true
	}
	return mine, nil
}

// recordInPlaces records a change of somebody who has something in several courses
// once for each, so that it stands in the record of each; once without a course when
// they have nothing.
func (w *work) recordInPlaces(ctx context.Context, id int64, places []store.PlaceOf, before, after any) error {
	if len(places) == 0 {
		return w.record(ctx, id, before, after)
	}
	for _, p := range places {
		w.courseID = p.CourseID
		if err := w.record(ctx, id, before, after); err != nil {
			return err
		}
	}
	w.courseID = 0
	return nil
}

// DoubtAddress finds the address that was probably meant when one looks like a slip
// of the fingers, as for those who are named. It takes the right to see the people of
// the course, whose usual domains count; without a course the school's own do.
func (s *Service) DoubtAddress(ctx context.Context, c access.Caller, courseID int64, typed string) (meant lms.Email, ok bool, err error) {
	address, err := lms.ParseEmail(typed)
	if err != nil {
		return "", false, nil // which is refused for that
	}
	schools := s.opts.NamingDomains
	if courseID != 0 {
		st, err := s.look(ctx, c, access.EnrollmentCheck, courseID)
		if err != nil {
			return "", false, err
		}
		roster, err := s.store.Reader().RosterAddresses(ctx, courseID, st.Within(c), c.UserID)
		if err != nil {
			return "", false, err
		}
		schools = slices.Concat(schools, usualDomains(roster))
	}
	meant, ok = lms.DomainSlip(address, schools)
	return meant, ok, nil
}
