package service

import (
	"context"

	"matricula/internal/access"
	"matricula/internal/lms"
)

// The reasons why a row stays when an import is undone, beside the types of
// problems.
const (
	undone           = "yes"
	staysBuiltOn     = "built-on"     // somebody, or a later list, has changed the place since
	staysGone        = "gone"         // is no longer in the course
	staysBack        = "back"         // is in the course again
	staysRoleGone    = "role-gone"    // the role from before is gone
	staysSectionGone = "section-gone" // the section from before is gone
)

// undo takes back what the rows of a chunk did, as far as nobody has built on it.
// Whoever was named stays known: others may have named them too by now.
func (im *importing) undo(ctx context.Context) error {
	im.chunk.Step = lms.ChunkUndone
	var ids []int64
	for _, row := range im.chunk.Rows {
		if row.Before != nil {
			ids = append(ids, row.UserID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	members, err := im.w.tx.MembersByID(ctx, im.imp.CourseID, ids)
	if err != nil {
		return err
	}
	u := &undoing{im: im, byID: make(map[int64]*lms.Member, len(members))}
	for i := range members {
		u.byID[members[i].User.ID] = &members[i]
	}
	if u.roles, err = im.w.tx.Roles(ctx, im.imp.CourseID); err != nil {
		return err
	}
	if u.sections, err = im.w.sectionNames(ctx); err != nil {
		return err
	}
	for i := range im.chunk.Rows {
		row := &im.chunk.Rows[i]
		if row.Before == nil {
			continue
		}
		if row.Undone, err = u.one(ctx, row); err != nil {
			return err
		}
	}
	if len(u.out) == 0 {
		return nil
	}
	if err := im.w.tx.UndoEnroll(ctx, im.imp.CourseID, u.out); err != nil {
		return err
	}
	return im.w.tx.AddAuditMany(ctx, u.entries[0], u.entries)
}

type undoing struct {
	im       *importing
	byID     map[int64]*lms.Member
	roles    []lms.Role
	sections map[int64]string
	out      []int64 // who goes out of the course again
	entries  []lms.AuditEntry
}

// one undoes one row, and says "yes" or why it stays.
func (u *undoing) one(ctx context.Context, row *lms.ImportRow) (string, error) {
	m := u.byID[row.UserID]
	if m == nil {
		return staysGone, nil
	}
	if row.Result == lms.DidRemove {
		return u.comeBack(ctx, row, m)
	}
	switch e := m.Enrollment; {
	case e == nil:
		return staysGone, nil
	case e.ImportID != u.im.imp.ID || u.granted(row, m):
		return staysBuiltOn, nil
	case row.Result == lms.DidChange:
		return u.changeBack(ctx, row, m)
	case e.ByHand != 0:
		return staysBuiltOn, nil
	}
	w := u.im.w
	if err := w.delegator().MayRemove(m); err != nil {
		return why(err)
	}
	if err := w.leavesOwner(ctx, m, Place{}); err != nil {
		return why(err)
	}
	e, err := w.entry(access.EnrollmentRemove, m.User.ID, removedAudit{grantAudit: grantView(m.Grant), Role: m.Enrollment.Role.Key}, nil)
	if err != nil {
		return "", err
	}
	u.out, u.entries = append(u.out, m.User.ID), append(u.entries, e)
	return undone, nil
}

// granted tells whether somebody has given or taken privileges beside the role
// since, other than the import itself.
func (u *undoing) granted(row *lms.ImportRow, m *lms.Member) bool {
	if m.Grant == nil || (m.Grant.Allow == 0 && m.Grant.Deny == 0) {
		return false
	}
	return !row.Before.Granted || m.Grant.GrantedAt.UnixMicro() != row.Before.GrantedAt
}

// why is the type of a refusal; other errors stay errors.
func why(err error) (string, error) {
	if e := lmsError(err); e != nil && e.Code != lms.CodeUnavailable {
		return e.Type, nil
	}
	return "", err
}

// changeBack gives somebody back what they had before.
func (u *undoing) changeBack(ctx context.Context, row *lms.ImportRow, m *lms.Member) (string, error) {
	w, b, is := u.im.w, row.Before, *m.Enrollment
	role, err := lms.FindRole(u.roles, b.Role, "role")
	if err != nil {
		return staysRoleGone, nil
	}
	if b.Section != 0 && u.sections[b.Section] == "" {
		return staysSectionGone, nil
	}
	to := is
	to.Role, to.ByHand, to.ImportID = role, b.ByHand, 0
	to.SectionID, to.Number, to.Begins, to.Ends = b.Section, b.Number, readInstant(b.Begins), readInstant(b.Ends)
	changed := differ(is.Details, to.Details)
	if role.ID != is.Role.ID {
		changed |= lms.FieldRole
		to.AddedBy = u.im.w.caller.UserID
	}
	if is.ByHand&changed&^b.ByHand != 0 {
		return staysBuiltOn, nil
	}
	d := w.delegator()
	if err := d.MayTouch(m); err != nil {
		return why(err)
	}
	if role.ID != is.Role.ID {
		if err := d.MayEnroll(role); err != nil {
			return why(err)
		}
		if err := w.leavesOwner(ctx, m, Place{Role: role.Key}); err != nil {
			return why(err)
		}
	}
	action := w.action
	defer func() { w.action = action }()
	w.action = access.EnrollmentChange
	if err := w.tx.SetRole(ctx, to); err != nil {
		return "", err
	}
	if err := w.tx.SetDetails(ctx, to); err != nil {
		return "", err
	}
	if b.Granted && m.Grant != nil {
		if err := w.tx.RemoveGrant(ctx, u.im.imp.CourseID, m.User.ID); err != nil {
			return "", err
		}
	}
	type both struct {
		Role string `json:"role"`
		detailsAudit
	}
	return undone, w.record(ctx, m.User.ID, both{is.Role.Key, w.detailsView(is.Details, u.sections)}, both{role.Key, w.detailsView(to.Details, u.sections)})
}

// comeBack puts somebody who was removed into the course again.
func (u *undoing) comeBack(ctx context.Context, row *lms.ImportRow, m *lms.Member) (string, error) {
	w := u.im.w
	if m.Enrollment != nil || m.Grant != nil {
		return staysBack, nil
	}
	past, err := w.tx.PastPlaces(ctx, m.User.ID, u.im.imp.CourseID, 1)
	if err != nil {
		return "", err
	}
	if len(past) == 0 {
		return staysGone, nil
	}
	if _, err := lms.FindRole(u.roles, past[0].Role.Key, "role"); err != nil {
		return staysRoleGone, nil
	}
	to := Place{Role: past[0].Role.Key, Allow: past[0].Allow, Deny: past[0].Deny}
	if err := w.mayPlace(ctx, m, u.roles, to); err != nil {
		return why(err)
	}
	action := w.action
	defer func() { w.action = action }()
	if err := w.place(ctx, m, u.roles, to); err != nil {
		return "", err
	}
	if m.Enrollment != nil {
		e := *m.Enrollment
		e.ByHand = row.Before.ByHand
		if err := w.tx.SetDetails(ctx, e); err != nil {
			return "", err
		}
	}
	return undone, nil
}
