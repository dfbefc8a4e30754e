package service

import (
	"context"
	"fmt"
	"slices"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
)

// MaxRows is how many people one request may enroll or remove.
const MaxRows = 10_000

// EnrollRequest puts people into a course, known or not.
type EnrollRequest struct {
	CourseID       int64
	Role           string // a role's key
	Emails         []string
	UserIDs        []int64
	SectionID      int64 // 0: none, or the only one that the caller works in
	Source         lms.EnrollmentSource
	ConfirmOutside bool
}

// EnrollResult is what became of one row.
type EnrollResult string

// The results of a row.
const (
	ResultEnrolled EnrollResult = "enrolled" // known before, and in the course now
	ResultNamed    EnrollResult = "named"    // nobody knew them before; they exist now and are in the course
	ResultAlready  EnrollResult = "already"  // was in the course, in this role
	ResultRefused  EnrollResult = "refused"
	ResultRemoved  EnrollResult = "removed"
)

// RowResult answers one row of a request.
type RowResult struct {
	Location   string       // where the row stands in the request, such as emails[3]
	Typed      string       // the address as it was sent; empty for an id
	Email      lms.Email    // canonical; empty when it was refused as no address
	UserID     int64        // 0 when refused before anybody was found
	Result     EnrollResult //
	Reason     string       // problem type of a refusal, or why it is "already"
	Message    string       // for people, in English; set with Reason
	Text       lms.Text     // the same, for other languages
	Suggestion lms.Email    // what the address was perhaps meant to be
	Name       string       // of a person who is known; set by CheckEnroll alone

	code lms.Code // of a refusal
}

func (r *RowResult) refuse(err error) error {
	e := lmsError(err)
	if e == nil {
		return err
	}
	r.Result, r.Reason, r.Message, r.Text, r.code = ResultRefused, e.Type, e.Message, e.Text, e.Code
	r.Suggestion, _ = lms.SuggestedEmail(err)
	return nil
}

func (r *RowResult) already(reason string, text lms.Text) {
	r.Result, r.Reason, r.Message, r.Text = ResultAlready, reason, text.String(), text
}

// Enroll puts people into a course and answers row by row, in the order of the
// request, addresses first. Good rows are kept whatever the others are.
func (s *Service) Enroll(ctx context.Context, c access.Caller, r EnrollRequest) ([]RowResult, error) {
	if n := len(r.Emails) + len(r.UserIDs); n > MaxRows {
		return nil, lms.Errorf(lms.CodeTooLarge, "too-many-rows", "These are %d people: at most %d can be added at once. Split the list.", n, MaxRows)
	}
	rows, err := parseRows(r)
	if err != nil {
		return nil, err
	}
	return doOnce(ctx, s, c, access.EnrollmentAdd, r.CourseID, nil, func(ctx context.Context, w *work) ([]RowResult, error) {
		role, err := w.roleToGive(ctx, r.Role)
		if err != nil {
			return nil, err
		}
		if r.SectionID, err = w.sectionToFill(ctx, r.SectionID); err != nil {
			return nil, err
		}
		// On PostgreSQL the whole may run again after a collision.
		results := slices.Clone(rows)
		e := &enrolling{s: s, w: w, role: role, request: r, rows: results}
		if err := e.run(ctx); err != nil {
			return nil, err
		}
		return results, w.recordRefusedRows(ctx, results)
	})
}

// roleToGive finds a role that the caller may give.
func (w *work) roleToGive(ctx context.Context, key string) (lms.Role, error) {
	role, err := w.roleByKey(ctx, key)
	if err != nil {
		return role, err
	}
	return role, w.delegator().MayEnroll(role)
}

// sectionToFill is the section into which people are put: the one that was asked
// for or, for whoever works in a single one, that.
func (w *work) sectionToFill(ctx context.Context, asked int64) (int64, error) {
	d := w.delegator()
	if own := d.Within.List(); asked == 0 && len(own) == 1 {
		return own[0], nil
	}
	if asked != 0 {
		if _, _, err := w.section(ctx, asked); err != nil {
			return 0, lms.Invalid("unknown-section", "section_id", "This course has no such section. Choose one of its sections, or none.")
		}
	}
	return asked, d.MayPlaceIn(asked)
}

// parseRows reads the addresses and finds those that are listed twice.
func parseRows(r EnrollRequest) ([]RowResult, error) {
	rows := make([]RowResult, 0, len(r.Emails)+len(r.UserIDs))
	seen := make(map[lms.Email]bool, len(r.Emails))
	for i, typed := range r.Emails {
		row := RowResult{Location: fmt.Sprintf("emails[%d]", i), Typed: typed}
		address, err := lms.ParseEmail(typed)
		switch {
		case err != nil:
			if err := row.refuse(err); err != nil {
				return nil, err
			}
		case seen[address]:
			row.Email = address
			row.already("listed-twice", lms.Say("This address is in the list more than once."))
		default:
			seen[address], row.Email = true, address
		}
		rows = append(rows, row)
	}
	ids := make(map[int64]bool, len(r.UserIDs))
	for i, id := range r.UserIDs {
		row := RowResult{Location: locationOf(i), UserID: id}
		if ids[id] {
			row.already("listed-twice", lms.Say("This person is in the list more than once."))
		}
		ids[id] = true
		rows = append(rows, row)
	}
	return rows, nil
}

// locationOf is where an id stands in a request.
func locationOf(i int) string { return fmt.Sprintf("user_ids[%d]", i) }

var errLastOwner = lms.Errorf(lms.CodeConflict, "last-owner", "A course always has an owner who has signed in. Make somebody else an owner first.")

// keepOwner refuses a change that took an active owner away and left none.
func (w *work) keepOwner(ctx context.Context, before *lms.Member) error {
	if before.Enrollment == nil || !before.Enrollment.Role.Owner() || before.User.Status != lms.StatusActive {
		return nil
	}
	n, err := w.tx.ActiveOwners(ctx, w.courseID)
	if err != nil {
		return err
	}
	if n == 0 {
		return errLastOwner
	}
	return nil
}

// RoleChange changes the role of somebody, or enrolls somebody who has only
// privileges so far.
type RoleChange struct {
	CourseID int64
	UserID   int64
	Role     string // a role's key
}

// SetRole changes somebody's role in a course.
func (s *Service) SetRole(ctx context.Context, c access.Caller, r RoleChange) (lms.Member, error) {
	return doOnce(ctx, s, c, access.EnrollmentChange, r.CourseID, nil, func(ctx context.Context, w *work) (lms.Member, error) {
		role, err := w.roleByKey(ctx, r.Role)
		if err != nil {
			return lms.Member{}, err
		}
		m, err := s.memberByID(ctx, w, r.UserID)
		if err != nil {
			return m, err
		}
		if m.Enrollment == nil && m.Grant == nil {
			return m, errNotMember
		}
		return m, w.changeRole(ctx, &m, role)
	})
}

var errNotMember = lms.Errorf(lms.CodeNotFound, "not-in-course", "This person is not in this course. Add them first.")

// errDeniedOwner is for making somebody an owner to whom something is denied.
func errDeniedOwner(m *lms.Member) error {
	return lms.Errorf(lms.CodeConflict, "owner-holds-all", "Something is denied to %s here, and an owner holds everything. Lift the denial first.", m.User.DisplayName())
}

func (w *work) changeRole(ctx context.Context, m *lms.Member, role lms.Role) error {
	d := w.delegator()
	if err := d.MayTouch(m); err != nil {
		return err
	}
	if m.Enrollment != nil && m.Enrollment.Role.Staff() && !d.Holds.Has(lms.StaffManage) {
		return lms.Errorf(lms.CodeForbidden, "forbidden", "You need the privilege %q in this course to change the role of staff.", lms.StaffManage.Label())
	}
	if err := d.MayEnroll(role); err != nil {
		return err
	}
	if role.Owner() && m.Grant != nil && m.Grant.Deny != 0 {
		return errDeniedOwner(m)
	}
	before := *m
	after := enrollmentAudit{Role: role.Key, Named: w.named}
	if m.Enrollment == nil {
		e := lms.Enrollment{UserID: m.User.ID, CourseID: w.courseID, Role: role, Source: lms.SourceManual, AddedBy: w.caller.UserID, CreatedAt: w.now, ByHand: lms.FieldRole}
		past, err := w.pastDetails(ctx, []int64{m.User.ID})
		if err != nil {
			return err
		}
		if e.Details = past[m.User.ID]; role.Owner() {
			e.Begins, e.Ends, e.LimitedTo = time.Time{}, time.Time{}, ""
		}
		e.ByHand |= differ(lms.Details{}, e.Details)
		if own := d.Within.List(); len(own) > 0 && !d.Within.Has(e.SectionID) {
			e.SectionID = own[0]
		}
		if _, err := w.tx.Enroll(ctx, []int64{m.User.ID}, e); err != nil {
			return err
		}
		m.Enrollment = &e
		return w.record(ctx, m.User.ID, nil, after)
	}
	if m.Enrollment.Role.ID == role.ID {
		w.nothingChanged()
		return nil
	}
	changed := *m.Enrollment
	changed.Role, changed.AddedBy = role, w.caller.UserID
	m.Enrollment = &changed
	changed.ByHand |= lms.FieldRole
	if role.Owner() {
		changed.Begins, changed.Ends, changed.LimitedTo = time.Time{}, time.Time{}, ""
		if err := w.tx.SetDetails(ctx, changed); err != nil {
			return err
		}
	}
	if err := w.tx.SetRole(ctx, changed); err != nil {
		return err
	}
	if err := w.keepOwner(ctx, &before); err != nil {
		return err
	}
	return w.record(ctx, m.User.ID, enrollmentAudit{Role: before.Enrollment.Role.Key}, after)
}

// Remove takes people out of a course, with their role and their privileges in
// it, and answers row by row.
func (s *Service) Remove(ctx context.Context, c access.Caller, courseID int64, ids []int64) ([]RowResult, error) {
	if len(ids) > MaxRows {
		return nil, lms.Errorf(lms.CodeTooLarge, "too-many-rows", "These are %d people: at most %d can be removed at once.", len(ids), MaxRows)
	}
	return doOnce(ctx, s, c, access.EnrollmentRemove, courseID, nil, func(ctx context.Context, w *work) ([]RowResult, error) {
		members, err := w.tx.AnyMembersByID(ctx, courseID, ids)
		if err != nil {
			return nil, err
		}
		byID := make(map[int64]*lms.Member, len(members))
		for i := range members {
			byID[members[i].User.ID] = &members[i]
		}
		rows := make([]RowResult, len(ids))
		for i, id := range ids {
			rows[i] = RowResult{Location: locationOf(i), UserID: id}
			if err := w.removeOne(ctx, &rows[i], byID); err != nil {
				return nil, err
			}
		}
		if !w.recorded {
			w.nothingChanged()
			// One person, refused: the refusal is the answer, and it is recorded.
			if len(rows) == 1 && rows[0].Reason != "" && rows[0].Reason != errNotMember.Type {
				return nil, w.refusal(rows[0], byID)
			}
		}
		return rows, w.recordRefusedRows(ctx, rows)
	})
}

// recordRefusedRows leaves one entry for the rows of a request that were
// refused because of who asked or of the state of things, with how many there
// were for each reason, so that trying out ids leaves a trace too.
func (w *work) recordRefusedRows(ctx context.Context, rows []RowResult) error {
	reasons := map[string]int{}
	for _, r := range rows {
		if refusalCounts(r.code) && r.Reason != errNotMember.Type {
			reasons[r.Reason]++
		}
	}
	if len(reasons) == 0 {
		return nil
	}
	e, err := w.entry(w.action, 0, nil, map[string]any{"refused_rows": reasons})
	if err != nil {
		return err
	}
	e.Outcome, e.Reason = lms.OutcomeRefused, "rows-refused"
	return w.tx.AddAudit(ctx, e)
}

// refusal is the error behind a refused row.
func (w *work) refusal(row RowResult, byID map[int64]*lms.Member) error {
	if m := byID[row.UserID]; m != nil {
		if err := w.delegator().MayRemove(m); err != nil {
			return err
		}
	}
	return errLastOwner
}

func (w *work) removeOne(ctx context.Context, row *RowResult, byID map[int64]*lms.Member) error {
	m := byID[row.UserID]
	if m == nil || (m.Enrollment == nil && m.Grant == nil) || !w.delegator().Reaches(m) {
		return row.refuse(errNotMember)
	}
	row.Email = m.User.Email
	if err := w.delegator().MayRemove(m); err != nil {
		return row.refuse(err)
	}
	if m.Enrollment != nil && m.Enrollment.Role.Owner() && m.User.Status == lms.StatusActive {
		n, err := w.tx.ActiveOwners(ctx, w.courseID)
		if err != nil {
			return err
		}
		if n <= 1 {
			return row.refuse(errLastOwner)
		}
	}
	if err := w.tx.RemoveMembers(ctx, w.courseID, []int64{m.User.ID}, w.caller.UserID, w.now); err != nil {
		return err
	}
	delete(byID, row.UserID)
	row.Result = ResultRemoved
	before := removedAudit{grantAudit: grantView(m.Grant)}
	if m.Enrollment != nil {
		before.Role = m.Enrollment.Role.Key
	}
	return w.record(ctx, m.User.ID, before, nil)
}
