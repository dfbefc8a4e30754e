package service

import (
	"context"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
)

// Waiting is everything that waits for somebody who has not arrived, or that somebody
// who has was given: where, by whom and since when.
type Waiting struct {
	User      lms.User
	Places    UserPlaces
	ExpiresAt time.Time // zero for whoever does not
	Givers    map[int64]lms.User
}

// goneError says that whoever had an address was withdrawn or expired.
func goneError(g lms.GonePerson) error {
	if g.Expired {
		return lms.Errorf(lms.CodeNotFound, "person-gone", "Nobody has this address now. Somebody was named with it, never came, and expired on %s.", lms.DayOf(g.At))
	}
	return lms.Errorf(lms.CodeNotFound, "person-gone", "Nobody has this address now. Somebody was named with it, never came, and was withdrawn on %s.", lms.DayOf(g.At))
}

// WaitingFor finds, for administrators, who has an address. It says when somebody
// had it who is gone.
func (s *Service) WaitingFor(ctx context.Context, c access.Caller, typed string) (Waiting, error) {
	if err := access.Decide(c, access.SiteAuditView, nil); err != nil {
		return Waiting{}, err
	}
	address, err := lms.ParseEmail(typed)
	if err != nil {
		return Waiting{}, at(err, "email")
	}
	tx := s.store.Reader()
	h, ok, err := tx.AddressHolder(ctx, address)
	if err != nil {
		return Waiting{}, err
	}
	if ok {
		return s.Waiting(ctx, c, h.UserID)
	}
	key, err := s.addressKey(ctx)
	if err != nil {
		return Waiting{}, err
	}
	g, ok, err := tx.GoneByHash(ctx, hashAddress(key, address))
	if err != nil {
		return Waiting{}, err
	}
	if ok {
		return Waiting{}, goneError(g)
	}
	return Waiting{}, lms.Errorf(lms.CodeNotFound, "address-unknown", "Nobody has the address %s, and nobody was named with it.", address)
}

// Waiting tells administrators everything that waits for somebody.
func (s *Service) Waiting(ctx context.Context, c access.Caller, id int64) (out Waiting, err error) {
	if err := access.Decide(c, access.SiteAuditView, nil); err != nil {
		return out, err
	}
	if out.User, err = s.User(ctx, c, id); err != nil {
		return out, err
	}
	if out.Places, err = s.UserPlaces(ctx, c, id); err != nil {
		return out, err
	}
	tx := s.store.Reader()
	ends, err := s.expiresAt(ctx, tx, []int64{id})
	if err != nil {
		return out, err
	}
	out.ExpiresAt = ends[id]
	out.Givers = map[int64]lms.User{}
	for _, v := range out.Places.Courses {
		for _, by := range giversOf(&v.Member) {
			if _, known := out.Givers[by]; known {
				continue
			}
			u, ok, err := tx.User(ctx, by)
			if err != nil {
				return out, err
			}
			if ok {
				out.Givers[by] = u
			}
		}
	}
	return out, nil
}

func giversOf(m *lms.Member) (ids []int64) {
	if m.Enrollment != nil {
		ids = append(ids, m.Enrollment.AddedBy)
	}
	if m.Grant != nil {
		ids = append(ids, m.Grant.GrantedBy)
	}
	return ids
}

// GonePage is a page of places of those who are gone.
type GonePage struct {
	Places []lms.GonePlace // the last to go first
	Next   int64           // 0 when there are no more
}

// GonePeople lists those who were named for a course, never came, and were withdrawn
// or expired in the last ninety days.
func (s *Service) GonePeople(ctx context.Context, c access.Caller, courseID, before int64, limit int) (GonePage, error) {
	st, err := s.look(ctx, c, access.RosterView, courseID)
	if err != nil {
		return GonePage{}, err
	}
	if before == 0 {
		before = maxID
	}
	list, err := s.store.Reader().GonePlaces(ctx, courseID, before, limit+1, st.Within(c))
	if err != nil {
		return GonePage{}, err
	}
	rows, more := page(list, limit)
	out := GonePage{Places: rows}
	if more {
		out.Next = rows[len(rows)-1].ID
	}
	return out, nil
}
