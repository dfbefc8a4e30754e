package service

import (
	"context"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
)

// PrivilegeChange sets what a person may do in a course, and with Role their
// role too, in one transaction. One of three forms is used: Exactly is the
// whole of what they may do, from which what must be allowed or denied beside
// their role is worked out; Allow and Deny set these directly; On and Off
// change what they could do with their role, and leave the rest.
type PrivilegeChange struct {
	CourseID int64
	Person   PersonRef
	Role     string // a role's key; empty: as it is

	Exactly *[]string
	Allow   []string
	Deny    []string
	On      []string
	Off     []string

	ConfirmOutside bool
	Within         bool // only somebody who is in the course already
}

// ErrLeft is for changing what somebody may do who was in the course a moment ago.
var ErrLeft = lms.Errorf(lms.CodeConflict, "left-meanwhile", "This person is not in the course any more, and nothing was saved. Add them again if that is meant.")

// wish is a PrivilegeChange as sets.
type wish struct{ exactly, allow, deny, on, off lms.PrivilegeSet }

// parse reads the names before anything is looked up, so that a bad privilege
// leaves no person behind.
func (p *PrivilegeChange) parse() (wish, error) {
	var out wish
	lists := []struct {
		names    []string
		location string
		set      *lms.PrivilegeSet
	}{{p.Allow, "allow", &out.allow}, {p.Deny, "deny", &out.deny}, {p.On, "on", &out.on}, {p.Off, "off", &out.off}}
	if p.Exactly != nil {
		if len(p.Allow)+len(p.Deny)+len(p.On)+len(p.Off) > 0 {
			return out, lms.Invalid("two-forms", "course_privileges", "Send either course_privileges or allow and deny, not both.")
		}
		lists = lists[:1]
		lists[0].names, lists[0].location, lists[0].set = *p.Exactly, "course_privileges", &out.exactly
	}
	for _, l := range lists {
		set, err := lms.ParsePrivileges(l.names, l.location)
		if err != nil {
			return out, err
		}
		*l.set = set
	}
	if both := out.allow&out.deny | out.on&out.off; both != 0 {
		return out, lms.Invalid("allowed-and-denied", "deny", "%s is both allowed and denied. Decide for one.", both.Labels())
	}
	return out, nil
}

// grant works out what is to be set beside the member's role.
func (p *PrivilegeChange) grant(m *lms.Member, want wish) (allow, deny lms.PrivilegeSet) {
	switch {
	case p.Exactly != nil:
		return grantFor(m, want.exactly)
	case len(p.On)+len(p.Off) > 0:
		return grantFor(m, m.Effective()&^want.off|want.on)
	case p.Role != "" && p.Allow == nil && p.Deny == nil:
		had := grantOf(m)
		return had.Allow, had.Deny
	}
	return want.allow, want.deny
}

// grantFor works out what must be allowed and denied beside a role, so that
// the person may do exactly what is wanted. Managing implies viewing, so the
// wanted set is completed first.
func grantFor(m *lms.Member, wanted lms.PrivilegeSet) (allow, deny lms.PrivilegeSet) {
	var role lms.PrivilegeSet
	if m.Enrollment != nil {
		role = m.Enrollment.Role.Privileges
	}
	wanted = lms.Effective(wanted, 0, 0)
	base := lms.Effective(role, 0, 0)
	return wanted &^ base, base &^ wanted
}

// SetPrivileges sets what a person, known or not, may do in a course beside
// their role. It needs the privilege to manage staff, and everything that it
// changes must be the caller's own.
func (s *Service) SetPrivileges(ctx context.Context, c access.Caller, p PrivilegeChange) (lms.Member, error) {
	res, err := s.ChangePrivileges(ctx, c, p)
	return res.Member, err
}

// ChangePrivileges is SetPrivileges for whoever also wants to know what was
// before, to be able to undo it.
func (s *Service) ChangePrivileges(ctx context.Context, c access.Caller, p PrivilegeChange) (PlaceResult, error) {
	want, parseErr := p.parse()
	return doOnce(ctx, s, c, access.PrivilegesSet, p.CourseID, nil, func(ctx context.Context, w *work) (res PlaceResult, err error) {
		if parseErr != nil {
			return res, parseErr
		}
		m, created, err := s.person(ctx, w, p.Person, naming{ConfirmOutside: p.ConfirmOutside})
		if err != nil {
			return res, err
		}
		if p.Within && m.Enrollment == nil && m.Grant == nil {
			return res, ErrLeft
		}
		res.Before = PlaceOf(&m)
		if p.Role != "" {
			if err := w.giveRole(ctx, &m, p.Role); err != nil {
				return res, err
			}
		}
		allow, deny := p.grant(&m, want)
		err = w.setGrant(ctx, &m, allow, deny, created)
		res.UserID, res.Email, res.Member, res.After, res.Result = m.User.ID, m.User.Email, m, PlaceOf(&m), ResultChanged
		if res.After == res.Before {
			res.Result = ResultAlready
		}
		return res, err
	})
}

// giveRole changes the role as a part of another change, with an audit entry
// of its own.
func (w *work) giveRole(ctx context.Context, m *lms.Member, key string) error {
	role, err := w.roleByKey(ctx, key)
	if err != nil {
		return err
	}
	action := w.action
	defer func() { w.action = action }()
	w.action = access.EnrollmentChange
	if m.Enrollment == nil {
		w.action = access.EnrollmentAdd
	}
	return w.changeRole(ctx, m, role)
}

func (w *work) roleByKey(ctx context.Context, key string) (lms.Role, error) {
	roles, err := w.tx.Roles(ctx, w.courseID)
	if err != nil {
		return lms.Role{}, err
	}
	return lms.FindRole(roles, key, "role")
}

func (w *work) setGrant(ctx context.Context, m *lms.Member, allow, deny lms.PrivilegeSet, created bool) error {
	if err := w.delegator().MaySetGrant(m, allow, deny); err != nil {
		return err
	}
	if had := grantOf(m); !created && had.Allow == allow && had.Deny == deny {
		w.nothingChanged()
		return nil
	}
	before := grantView(m.Grant)
	var err error
	if allow == 0 && deny == 0 {
		m.Grant = nil
		err = w.tx.RemoveGrant(ctx, w.courseID, m.User.ID)
	} else {
		m.Grant = &lms.Grant{
			UserID: m.User.ID, CourseID: w.courseID, Allow: allow, Deny: deny,
			GrantedBy: w.caller.UserID, GrantedAt: w.now.UTC().Truncate(time.Microsecond),
		}
		err = w.tx.SetGrant(ctx, *m.Grant)
	}
	if err != nil {
		return err
	}
	after := grantView(m.Grant)
	after.Named = created
	return w.record(ctx, m.User.ID, before, after)
}

// grantAudit is how the audit shows a grant.
type grantAudit struct {
	Allow []lms.Privilege `json:"allow"`
	Deny  []lms.Privilege `json:"deny"`
	Named bool            `json:"named,omitempty"` // the person was named by this change
}

func grantView(g *lms.Grant) grantAudit {
	if g == nil {
		return grantAudit{Allow: []lms.Privilege{}, Deny: []lms.Privilege{}}
	}
	return grantAudit{Allow: g.Allow.List(), Deny: g.Deny.List()}
}

func grantOf(m *lms.Member) lms.Grant {
	if m.Grant == nil {
		return lms.Grant{}
	}
	return *m.Grant
}

// AccessReport tells what a person may do in a course and why.
type AccessReport struct {
	Member       lms.Member
	Explanations []access.Explanation
	GrantedBy    *lms.User       // who set what is beside the role; nil when nothing is
	AddedBy      *lms.User       // who enrolled them; nil when they are not enrolled
	NamedBy      *lms.User       // who named them first; nil when they came by themselves
	Past         []lms.PastPlace // the places that they had in this course before, the last first
	MayEdit      bool            // the caller may change what this person may do
	MayRemove    bool            // the caller may remove this person
}

// Access tells what a person may do in a course and why. One may always ask
// about oneself.
func (s *Service) Access(ctx context.Context, c access.Caller, courseID, userID int64) (AccessReport, error) {
	action := access.AccessView
	if userID == c.UserID {
		action = access.CourseView
	}
	st, err := s.look(ctx, c, action, courseID)
	if err != nil {
		return AccessReport{}, err
	}
	tx := s.store.Reader()
	m, err := s.anyMemberByID(ctx, &work{tx: tx, caller: c, courseID: courseID, standing: st}, userID)
	if err != nil {
		return AccessReport{}, err
	}
	d := access.DelegatorOf(c, st)
	r := AccessReport{
		Member: m, Explanations: access.Explain(&m),
		MayEdit:   d.Holds.Has(lms.StaffManage) && d.MayTouch(&m) == nil && !st.Course.Archived(),
		MayRemove: (m.Enrollment != nil || m.Grant != nil) && d.MayRemove(&m) == nil && !st.Course.Archived(),
	}
	who := func(id int64) (*lms.User, error) {
		u, ok, err := tx.AnyUser(ctx, id)
		if err != nil || !ok {
			return nil, err
		}
		return &u, nil
	}
	if r.Past, err = tx.PastPlaces(ctx, userID, courseID, pastShown); err != nil {
		return r, err
	}
	if m.Grant != nil {
		if r.GrantedBy, err = who(m.Grant.GrantedBy); err != nil {
			return r, err
		}
	}
	if m.Enrollment != nil {
		if r.AddedBy, err = who(m.Enrollment.AddedBy); err != nil {
			return r, err
		}
	}
	if m.User.CreatedBy != lms.SystemUserID {
		if r.NamedBy, err = who(m.User.CreatedBy); err != nil {
			return r, err
		}
	}
	return r, nil
}
