package service

import (
	"context"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// maxStaff is how many people a course may be copied with.
const maxStaff = 1000

// CourseCopy is a new course that is to be like another.
type CourseCopy struct {
	Title  string
	Code   string
	Staff  bool  // also the people who have a say, pending included
	TermID int64 // of the new course; 0: none
}

// Copied is what became of it.
type Copied struct {
	CourseID int64
	Staff    int       // who came along, the caller aside
	Left     []LeftOut // who did not
}

// LeftOut is somebody who did not come along, and why.
type LeftOut struct {
	UserID  int64
	Name    string
	Message string   // in English
	Text    lms.Text `json:"-"` // the same, for other languages
}

type copyAudit struct {
	Title string `json:"title"`
	Code  string `json:"code,omitempty"`
	From  int64  `json:"copied_from"`
	Staff int    `json:"staff,omitempty"`
	Term  string `json:"term,omitempty"` // its name
	Role  string `json:"role"`           // of whoever copied it
}

// CopyCourse makes a course with the description, the own roles and, when asked
// for, the staff of another, archived or not. The caller owns it. Nobody brings
// along what they do not hold in the old course (C-29): who may do more there
// than the caller stays out, and so does who is suspended.
func (s *Service) CopyCourse(ctx context.Context, c access.Caller, from int64, r CourseCopy, once *Once) (Copied, error) {
	return doOnce(ctx, s, c, access.CourseCopy, from, once, func(ctx context.Context, w *work) (out Copied, err error) {
		if err := access.Decide(w.caller, access.CourseCreate, nil); err != nil {
			return out, err
		}
		f, err := lms.CourseFields{Title: r.Title, Code: r.Code, Description: w.standing.Course.Description}.Clean()
		if err != nil {
			return out, err
		}
		term, err := w.termForCourse(ctx, r.TermID)
		if err != nil {
			return out, err
		}
		var staff []store.Person
		if r.Staff {
			if staff, err = w.tx.People(ctx, store.PeopleQuery{CourseID: from, Group: store.StaffOnly, Limit: maxStaff + 1}); err != nil {
				return out, err
			}
			if len(staff) > maxStaff {
				return out, lms.Errorf(lms.CodeTooLarge, "too-many-rows", "This course has more than %d people of staff, which is more than can be copied at once. Copy it without its staff.", maxStaff)
			}
		}
		k := &copying{w: w, delegator: w.delegator(), from: from}
		if out.CourseID, err = w.tx.CreateCourse(ctx, lms.Course{Title: f.Title, Code: f.Code, Description: f.Description, TermID: r.TermID, CreatedBy: c.UserID, CreatedAt: w.now}); err != nil {
			return out, err
		}
		w.courseID = out.CourseID
		if err := k.copyRoles(ctx); err != nil {
			return out, err
		}
		if err := k.enroll(ctx, c.UserID, lms.RoleOwner); err != nil {
			return out, err
		}
		for i := range staff {
			if err := k.bring(ctx, &staff[i].Member, &out); err != nil {
				return out, err
			}
		}
		if err := w.record(ctx, 0, nil, copyAudit{f.Title, f.Code, from, out.Staff, term, lms.RoleOwner}); err != nil {
			return out, err
		}
		if len(k.entries) > 0 {
			err = w.tx.AddAuditMany(ctx, k.entries[0], k.entries)
		}
		return out, err
	})
}

// copying is the state of one copy.
type copying struct {
	w         *work
	delegator access.Delegator // the caller, as they stand in the old course
	from      int64
	roles     map[string]lms.Role // of the new course, by key
	entries   []lms.AuditEntry
}

// copyRoles makes the roles of the new course: the presets, and those own roles
// of the old one that give no more than the caller holds there.
func (k *copying) copyRoles(ctx context.Context) error {
	old, err := k.w.tx.Roles(ctx, k.from)
	if err != nil {
		return err
	}
	for _, r := range old {
		if r.Preset || !k.delegator.Holds.Contains(r.Privileges) {
			continue
		}
		r.CourseID = k.w.courseID
		if _, _, err := k.w.tx.CreateRole(ctx, r); err != nil {
			return err
		}
	}
	list, err := k.w.tx.Roles(ctx, k.w.courseID)
	if err != nil {
		return err
	}
	k.roles = make(map[string]lms.Role, len(list))
	for _, r := range list {
		k.roles[r.Key] = r
	}
	return nil
}

func (k *copying) enroll(ctx context.Context, id int64, role string) error {
	_, err := k.w.tx.Enroll(ctx, []int64{id}, lms.Enrollment{
		CourseID: k.w.courseID, Role: k.roles[role], Source: lms.SourceManual, AddedBy: k.w.caller.UserID, CreatedAt: k.w.now, ByHand: lms.FieldRole,
	})
	return err
}

// bring gives one of the old course's staff the same place in the new one.
func (k *copying) bring(ctx context.Context, m *lms.Member, out *Copied) error {
	if m.User.ID == k.w.caller.UserID || m.User.Status == lms.StatusErased {
		return nil
	}
	if text, ok := k.mayNotBring(m); ok {
		out.Left = append(out.Left, LeftOut{m.User.ID, m.User.DisplayName(), text.String(), text})
		return nil
	}
	var after any = struct{}{}
	if m.Enrollment != nil {
		if err := k.enroll(ctx, m.User.ID, m.Enrollment.Role.Key); err != nil {
			return err
		}
		after = enrollmentAudit{Role: m.Enrollment.Role.Key}
	}
	if g := m.Grant; g != nil && (g.Allow != 0 || g.Deny != 0) {
		err := k.w.tx.SetGrant(ctx, lms.Grant{
			UserID: m.User.ID, CourseID: k.w.courseID, Allow: g.Allow, Deny: g.Deny, GrantedBy: k.w.caller.UserID, GrantedAt: k.w.now,
		})
		if err != nil {
			return err
		}
		after = placeAudit(m)
	}
	entry, err := k.w.entry(access.EnrollmentAdd, m.User.ID, nil, after)
	if err != nil {
		return err
	}
	k.entries = append(k.entries, entry)
	out.Staff++
	return nil
}

// placeAudit is a role and what was set beside it, as the audit shows them.
func placeAudit(m *lms.Member) any {
	a := struct {
		Role  string          `json:"role,omitempty"`
		Allow []lms.Privilege `json:"allow,omitempty"`
		Deny  []lms.Privilege `json:"deny,omitempty"`
	}{Allow: m.Grant.Allow.List(), Deny: m.Grant.Deny.List()}
	if m.Enrollment != nil {
		a.Role = m.Enrollment.Role.Key
	}
	return a
}

// mayNotBring tells why somebody stays out of the copy.
func (k *copying) mayNotBring(m *lms.Member) (lms.Text, bool) {
	d := k.delegator
	switch {
	case m.User.Status == lms.StatusSuspended:
		return lms.Say("The account is suspended."), true
	case m.Enrollment != nil && m.Enrollment.Role.Owner() && !d.Owner:
		return lms.Say("Owns the old course, which you do not."), true
	case m.Enrollment != nil && k.roles[m.Enrollment.Role.Key].ID == 0:
		return lms.Say("Has a role that gives more than you hold in the old course."), true
	}
	held := m.Effective()
	if m.Grant != nil {
		held |= m.Grant.Allow
	}
	if missing := held &^ d.Holds; missing != 0 {
		return lms.Say("May do more in the old course than you: %s.", missing.Labels()), true
	}
	return lms.Text{}, false
}
