package service

import (
	"context"
	"slices"

	"matricula/internal/access"
	"matricula/internal/lms"
)

// CheckEnroll tells, row by row, what Enroll would do, and writes nothing. A
// row that would be good and is probably a slip of the fingers has a Reason, a
// Text that asks, and a Suggestion: the reasons are "slip-domain" and
// "slip-twin". It takes the privilege that enrolling takes.
func (s *Service) CheckEnroll(ctx context.Context, c access.Caller, r EnrollRequest) ([]RowResult, error) {
	if n := len(r.Emails) + len(r.UserIDs); n > MaxRows {
		return nil, lms.Errorf(lms.CodeTooLarge, "too-many-rows", "These are %d people: at most %d can be added at once. Split the list.", n, MaxRows)
	}
	rows, err := parseRows(r)
	if err != nil {
		return nil, err
	}
	st, err := s.look(ctx, c, access.EnrollmentCheck, r.CourseID)
	if err != nil {
		return nil, err
	}
	if err := s.useAlone(ctx, c, access.DirectoryView, lms.LimitFinding); err != nil {
		return nil, err
	}
	w := &work{tx: s.store.Reader(), caller: c, action: access.EnrollmentCheck, standing: st, courseID: r.CourseID, now: s.now()}
	role, err := w.roleToGive(ctx, r.Role)
	if err != nil {
		return nil, err
	}
	e := &enrolling{s: s, w: w, role: role, request: r, rows: rows, created: map[int64]bool{}}
	if err := e.lookUp(ctx); err != nil {
		return nil, err
	}
	return e.rows, e.ask(ctx)
}

// lookUp settles every row as Enroll would.
func (e *enrolling) lookUp(ctx context.Context) error {
	var addresses []lms.Email
	for row := range e.open {
		if row.Email != "" {
			addresses = append(addresses, row.Email)
		}
	}
	holders, err := e.w.tx.AddressHolders(ctx, addresses)
	if err != nil {
		return err
	}
	var ids []int64
	for row := range e.open {
		switch id := holders[row.Email]; {
		case row.Email == "":
			ids = append(ids, row.UserID)
		case id != 0:
			row.UserID = id
			ids = append(ids, id)
		case e.s.outside(row.Email) && !e.request.ConfirmOutside:
			if err := row.refuse(outsideError(row.Email, row.Location)); err != nil {
				return err
			}
		default:
			row.Result = ResultNamed
		}
	}
	return e.lookAtMembers(ctx, ids)
}

func (e *enrolling) lookAtMembers(ctx context.Context, ids []int64) error {
	members, err := e.w.tx.MembersByID(ctx, e.request.CourseID, ids)
	if err != nil {
		return err
	}
	byID := make(map[int64]*lms.Member, len(members))
	for i := range members {
		byID[members[i].User.ID] = &members[i]
	}
	seen := map[int64]bool{}
	for row := range e.open {
		m := byID[row.UserID]
		if err := e.checkMember(ctx, row, m, seen[row.UserID]); err != nil {
			return err
		}
		seen[row.UserID] = true
		if m != nil && row.Reason != "not-found" {
			row.Name, row.Email = m.User.DisplayName(), m.User.Email
		}
		if row.Result == "" {
			row.Result = ResultEnrolled
		}
	}
	return nil
}

// ask marks the rows of people whom nobody knows yet that are probably slips.
func (e *enrolling) ask(ctx context.Context) error {
	if !slices.ContainsFunc(e.rows, func(r RowResult) bool { return r.Result == ResultNamed || r.Reason == "outside-address" }) {
		return nil
	}
	roster, err := e.w.tx.RosterAddresses(ctx, e.request.CourseID, e.w.delegator().Within, e.w.caller.UserID)
	if err != nil {
		return err
	}
	schools := slices.Concat(e.s.opts.NamingDomains, usualDomains(roster))
	twins := lms.NewTwins(roster)
	for _, row := range e.rows {
		if row.Result == ResultEnrolled && row.Email != "" {
			twins.Add(row.Email)
		}
	}
	for i := range e.rows {
		row := &e.rows[i]
		if row.Result != ResultNamed && row.Reason != "outside-address" {
			continue
		}
		if meant, ok := lms.DomainSlip(row.Email, schools); ok {
			row.question("slip-domain", meant, lms.Say("Nobody with this address is known here. Did you mean %s?", meant.Display()))
		} else if twin, ok := twins.Of(row.Email); ok && row.Result == ResultNamed {
			row.question("slip-twin", twin, lms.Say("This is nearly %s, who is in the course or in this list. Is it the same person?", twin.Display()))
		}
		twins.Add(row.Email)
	}
	return nil
}

// question puts a doubt beside a row. One that is refused for another reason
// stays refused.
func (r *RowResult) question(reason string, meant lms.Email, text lms.Text) {
	r.Suggestion = meant
	if r.Result == ResultNamed {
		r.Reason, r.Text, r.Message = reason, text, text.String()
	}
}

// Doubtful tells whether a row that could be carried out is probably a slip.
func (r *RowResult) Doubtful() bool { return r.Result == ResultNamed && r.Suggestion != "" }

// usualDomains are the domains at which many of a roster's people have their
// addresses.
func usualDomains(roster []lms.Email) []string {
	const few = 3
	counts := map[string]int{}
	for _, e := range roster {
		counts[e.Domain()]++
	}
	var usual []string
	for d, n := range counts {
		if n >= few && n*10 >= len(roster) {
			usual = append(usual, d)
		}
	}
	slices.Sort(usual)
	return usual
}
