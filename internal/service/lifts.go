package service

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// LimitState is a limit as it holds at the moment.
type LimitState struct {
	lms.Limit
	Amount int64
	SetBy  int64     // 0: nobody has set it
	SetAt  time.Time // zero then
}

// Limits lists all limits, for administrators.
func (s *Service) Limits(ctx context.Context, c access.Caller) ([]LimitState, error) {
	if err := access.Decide(c, access.LimitView, nil); err != nil {
		return nil, err
	}
	set, err := s.store.Reader().SetLimits(ctx)
	if err != nil {
		return nil, err
	}
	var list []LimitState
	for _, l := range lms.Limits() {
		list = append(list, stateOf(l, set))
	}
	return list, nil
}

func stateOf(l lms.Limit, set []store.SetLimit) LimitState {
	state := LimitState{Limit: l, Amount: l.Default}
	if i := slices.IndexFunc(set, func(s store.SetLimit) bool { return s.Name == l.Name }); i >= 0 {
		state.Amount, state.SetBy, state.SetAt = set[i].Amount, set[i].SetBy, set[i].SetAt
	}
	return state
}

var errNoLimit = lms.NotFound("limit")

// limitAudit is how the audit shows a limit that was set or lifted.
type limitAudit struct {
	Limit  string     `json:"limit"`
	Amount int64      `json:"amount,omitempty"`
	Lift   int64      `json:"lift,omitempty"`
	Domain string     `json:"domain,omitempty"`
	Course int64      `json:"limit_course,omitempty"`
	Until  *time.Time `json:"until,omitempty"`
}

// SetLimit sets a limit for the whole site; 0 has it be as the program has it.
func (s *Service) SetLimit(ctx context.Context, c access.Caller, name lms.LimitName, amount int64) (LimitState, error) {
	out, err := doOnce(ctx, s, c, access.LimitUpdate, 0, nil, func(ctx context.Context, w *work) (LimitState, error) {
		l, ok := lms.LimitOf(name)
		if !ok {
			return LimitState{}, errNoLimit
		}
		if amount < 0 || amount > lms.MaxLimit {
			return LimitState{}, lms.Invalid("limit-amount", "amount", "A limit is a number from 1 to %d.", lms.MaxLimit)
		}
		had, set, err := w.tx.LockLimit(ctx, name)
		if err != nil {
			return LimitState{}, err
		}
		before := l.Default
		if set {
			before = had.Amount
		}
		after := store.SetLimit{Name: name, Amount: amount, SetBy: w.caller.UserID, SetAt: w.now}
		switch {
		case amount == 0 && !set, set && amount == had.Amount:
			w.nothingChanged()
			return stateOf(l, []store.SetLimit{had}), nil
		case amount == 0:
			after = store.SetLimit{}
			err = w.tx.DropLimit(ctx, name)
		default:
			err = w.tx.PutLimit(ctx, after)
		}
		if err != nil {
			return LimitState{}, err
		}
		out := stateOf(l, []store.SetLimit{after})
		if err := w.tx.WakeImports(ctx, w.now); err != nil {
			return out, err
		}
		return out, w.record(ctx, 0, limitAudit{Limit: string(name), Amount: before}, limitAudit{Limit: string(name), Amount: out.Amount})
	})
	if err == nil {
		s.Wake()
	}
	return out, err
}

// LiftOf is a lifted limit with whom or what it is about; the type is the store's, for
// the faces that may not import it.
type LiftOf = store.Lift

// LiftsPage is a page of lifted limits, newest first.
type LiftsPage struct {
	Lifts []LiftOf
	Next  int64 // 0 when there are no more
}

// Lifts lists lifted limits, for administrators; those in force alone, or all of the
// last year.
func (s *Service) Lifts(ctx context.Context, c access.Caller, inForce bool, before int64, limit int) (LiftsPage, error) {
	if err := access.Decide(c, access.LimitView, nil); err != nil {
		return LiftsPage{}, err
	}
	if before == 0 {
		before = maxID
	}
	list, err := s.store.Reader().Lifts(ctx, before, limit+1, inForce, s.now())
	if err != nil {
		return LiftsPage{}, err
	}
	lifts, more := page(list, limit)
	out := LiftsPage{Lifts: lifts}
	if more {
		out.Next = lifts[len(lifts)-1].ID
	}
	return out, nil
}

// NewLift lifts a limit for one person, course or domain: that of which it is counted.
type NewLift struct {
	Limit    lms.LimitName
	Person   PersonRef
	CourseID int64
	Domain   string
	Until    time.Time
	Reason   string
}

// Lift lifts a limit until a time, in the place of a lift of the same that is in force. What is used meanwhile is counted all the same, so
// that the limit holds again when that is over.
func (s *Service) Lift(ctx context.Context, c access.Caller, n NewLift, once *Once) (LiftOf, error) {
	out, err := doOnce(ctx, s, c, access.LimitLift, 0, once, func(ctx context.Context, w *work) (LiftOf, error) {
		l, ok := lms.LimitOf(n.Limit)
		if !ok || !l.CanLift() {
			return LiftOf{}, lms.Invalid("unknown-limit", "limit", "There is no such limit that can be lifted. Choose one from the list.")
		}
		lift := lms.LimitLift{Limit: n.Limit, UserID: lms.SystemUserID, LiftedBy: w.caller.UserID, LiftedAt: w.now, Until: n.Until}
		if !n.Until.After(w.now) || n.Until.After(w.now.AddDate(0, 0, lms.MaxLiftDays)) {
			return LiftOf{}, lms.Invalid("lift-until", "until", "A limit is lifted until a time that is to come, within a year. Choose another one.")
		}
		var before any
		var err error
		if lift.Reason, err = lms.CleanText(n.Reason, "reason", lms.MaxLiftReasonRunes); err != nil {
			return LiftOf{}, err
		}
		subject, err := w.liftFor(ctx, &l, &lift, n)
		if err != nil {
			return LiftOf{}, err
		}
		if ended, err := w.tx.EndLiftsOf(ctx, lift, subject, w.now); err != nil {
			return LiftOf{}, err
		} else if before, err = w.auditOfLifts(ctx, ended); err != nil {
			return LiftOf{}, err
		}
		if lift.ID, err = w.tx.AddLift(ctx, lift, subject); err != nil {
			return LiftOf{}, err
		}
		if err := w.tx.WakeImports(ctx, w.now); err != nil {
			return LiftOf{}, err
		}
		made, _, err := w.tx.Lift(ctx, lift.ID)
		if err != nil {
			return made, err
		}
		return made, w.record(ctx, liftSubject(&made), before, auditOfLift(&made))
	})
	if err == nil {
		s.Wake()
	}
	return out, err
}

// auditOfLifts is how the audit shows the lift whose place another takes; nil when there
// was none.
func (w *work) auditOfLifts(ctx context.Context, ids []int64) (any, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	was, _, err := w.tx.Lift(ctx, slices.Max(ids))
	return auditOfLift(&was), err
}

// liftFor finds whom or what a limit is lifted for, and how that is counted.
func (w *work) liftFor(ctx context.Context, l *lms.Limit, lift *lms.LimitLift, n NewLift) (subject string, err error) {
	switch l.Per {
	case lms.PerPerson:
		id := n.Person.UserID
		if id == 0 {
			address, err := lms.ParseEmail(n.Person.Email)
			if err != nil {
				return "", at(err, "email")
			}
			h, ok, err := w.tx.AddressHolder(ctx, address)
			if err != nil {
				return "", err
			}
			if ok {
				id = h.UserID
			}
		}
		u, ok, err := w.tx.User(ctx, id)
		if err != nil {
			return "", err
		}
		if !ok || u.ID == lms.SystemUserID || u.Status == lms.StatusErased {
			return "", lms.Invalid("unknown-person", "email", "Nobody with this address is known here, so that there is nothing to lift.")
		}
		lift.UserID = u.ID
		return "", nil
	case lms.PerCourse:
		_, ok, err := w.tx.Course(ctx, n.CourseID)
		if err != nil {
			return "", err
		}
		if !ok {
			return "", lms.Invalid("unknown-course", "course_id", "There is no such course. Its number stands in the address of its pages.")
		}
		lift.CourseID = n.CourseID
		return strconv.FormatInt(n.CourseID, 10), nil
	}
	someone, err := lms.ParseEmail("someone@" + strings.TrimPrefix(strings.TrimSpace(n.Domain), "@"))
	if err != nil {
		return "", lms.Invalid("unknown-domain", "domain", "This is no domain, such as uni.example.")
	}
	lift.Domain = someone.Domain()
	return lift.Domain, nil
}

func liftSubject(l *LiftOf) int64 {
	if l.UserID == lms.SystemUserID {
		return 0
	}
	return l.UserID
}

func auditOfLift(l *LiftOf) limitAudit {
	until := l.Until.UTC()
	return limitAudit{Limit: string(l.Limit), Lift: l.ID, Domain: l.Domain, Course: l.CourseID, Until: &until}
}

// EndLift ends a lifted limit early. Ending what is over changes nothing.
func (s *Service) EndLift(ctx context.Context, c access.Caller, id int64) error {
	return s.do(ctx, c, access.LimitRestore, 0, func(ctx context.Context, w *work) error {
		l, ok, err := w.tx.Lift(ctx, id)
		if err != nil {
			return err
		}
		if !ok {
			return lms.NotFound("lifted limit")
		}
		done, err := w.tx.EndLift(ctx, id, w.caller.UserID, w.now)
		if err != nil {
			return err
		}
		if !done {
			w.nothingChanged()
			return nil
		}
		return w.record(ctx, liftSubject(&l), auditOfLift(&l), nil)
	})
}
