package service

import (
	"context"

	"matricula/internal/access"
	"matricula/internal/lms"
)

// After says what becomes of an owner who hands a course over.
type After string

// What an owner may become.
const (
	AfterStay    After = "stay"    // an owner beside the new one
	AfterTeacher After = "teacher" // has the role teacher
	AfterLeave   After = "leave"   // is no longer in the course
)

// HandOver makes somebody an owner in place of the caller, or beside them.
type HandOver struct {
	CourseID       int64
	Person         PersonRef // known or not
	Then           After     // empty: stay
	ConfirmOutside bool
}

// HandOverCourse makes somebody an owner, whether or not they have signed in,
// and makes of the caller, who owns the course, what they ask for. A course
// always has an owner who has signed in, so nobody steps back before that.
func (s *Service) HandOverCourse(ctx context.Context, c access.Caller, h HandOver) (lms.Member, error) {
	return doOnce(ctx, s, c, access.CourseHandOver, h.CourseID, nil, func(ctx context.Context, w *work) (m lms.Member, err error) {
		switch h.Then {
		case "":
			h.Then = AfterStay
		case AfterStay, AfterTeacher, AfterLeave:
		default:
			return m, lms.Invalid("unknown-after", "then", "Say what you want to be afterwards: stay (an owner too), teacher or leave.")
		}
		if !w.delegator().Owner {
			return m, lms.Errorf(lms.CodeForbidden, "forbidden", "Only an owner of the course can hand it over.")
		}
		if h.Person.UserID == 0 && h.Person.Email == "" {
			return m, lms.Invalid("nobody-named", "email", "Write the address of the person to whom you hand the course over.")
		}
		if m, w.named, err = s.person(ctx, w, h.Person, naming{ConfirmOutside: h.ConfirmOutside}); err != nil {
			return m, err
		}
		switch {
		case m.User.ID == c.UserID:
			return m, lms.Invalid("self-change", "email", "This is you. Write the address of the person to whom you hand the course over.")
		case m.User.Status == lms.StatusSuspended:
			return m, lms.Errorf(lms.CodeConflict, "not-active", "The account of %s is suspended. Ask an administrator to restore it first.", m.User.DisplayName())
		}
		owner, err := w.roleByKey(ctx, lms.RoleOwner)
		if err != nil {
			return m, err
		}
		if err := w.changeRole(ctx, &m, owner); err != nil {
			return m, err
		}
		return m, w.stepBack(ctx, h.Then, &m)
	})
}

// stepBack makes of the caller what they want to be beside the new owner.
func (w *work) stepBack(ctx context.Context, then After, to *lms.Member) error {
	self := w.standing.Member
	if then == AfterStay || self.Enrollment == nil {
		return nil
	}
	var after any
	if then == AfterLeave {
		if err := w.tx.RemoveMembers(ctx, w.courseID, []int64{self.User.ID}, w.caller.UserID, w.now); err != nil {
			return err
		}
	} else {
		role, err := w.roleByKey(ctx, lms.RoleTeacher)
		if err != nil {
			return err
		}
		if err := w.tx.SetRole(ctx, lms.Enrollment{CourseID: w.courseID, UserID: self.User.ID, Role: role, AddedBy: w.caller.UserID, ByHand: self.Enrollment.ByHand | lms.FieldRole}); err != nil {
			return err
		}
		after = enrollmentAudit{Role: role.Key}
	}
	if err := w.keepOwner(ctx, &self); err != nil {
		if lms.TypeOf(err) == "last-owner" {
			return lms.Errorf(lms.CodeConflict, "last-owner", "%s has not signed in yet, and a course always has an owner who has. Stay an owner until then.", to.User.DisplayName())
		}
		return err
	}
	// The new owner answers for the course from now on, and so for what they have in
	// it: who steps back could no longer give it.
	if err := w.tx.SetAddedBy(ctx, w.courseID, to.User.ID, to.User.ID); err != nil {
		return err
	}
	w.unchanged = false
	return w.record(ctx, self.User.ID, enrollmentAudit{Role: self.Enrollment.Role.Key}, after)
}
