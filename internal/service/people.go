package service

import (
	"context"
	"slices"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// naming is how a person may be named.
type naming struct {
	ConfirmOutside bool
	Source         lms.EnrollmentSource
}

// outside tells whether an address lies outside the domains in which people
// are usually named.
func (s *Service) outside(e lms.Email) bool {
	return len(s.opts.NamingDomains) > 0 && !slices.Contains(s.opts.NamingDomains, e.Domain())
}

func outsideError(e lms.Email, location string) error {
	return lms.Invalid("outside-address", location, "%s is not an address of this school, and nobody with it is known here. If it is right, confirm that you mean somebody outside.", e)
}

// person finds the member of the course that a reference means, naming them
// when the address is nobody's yet. It is called after the decision, so that
// nobody who may not name people can make a row. The id is tried first.
func (s *Service) person(ctx context.Context, w *work, ref PersonRef, opts naming) (m lms.Member, created bool, err error) {
	if ref.UserID > 0 {
		m, err := s.memberByID(ctx, w, ref.UserID)
		if err == nil || !isNotFound(err) || ref.Email == "" {
			return m, false, err
		}
	}
	if ref.Email == "" {
		return m, false, errNoUser
	}
	address, err := lms.ParseEmail(ref.Email)
	if err != nil {
		return m, false, at(err, "email")
	}
	people := []store.Naming{{Address: address, AsTyped: ref.Email}}
	if s.outside(address) && !opts.ConfirmOutside {
		_, known, err := w.tx.AddressHolder(ctx, address)
		if err != nil {
			return m, false, err
		}
		if !known {
			return m, false, outsideError(address, "email")
		}
	}
	named, err := s.namePeople(ctx, w, people)
	if err != nil {
		return m, false, err
	}
	n := named[address]
	if n.Created {
		return lms.Member{User: people[0].Pending(n.UserID, w.caller.UserID, w.now)}, true, nil
	}
	if err := s.renewNamed(ctx, w, []int64{n.UserID}); err != nil {
		return m, false, err
	}
	m, ok, err := w.tx.Member(ctx, w.courseID, n.UserID)
	if err == nil && !ok {
		err = store.ErrMoved
	}
	return m, false, err
}

// memberByID reads somebody whom the caller may see: a member of the course at
// hand, or a person whom the directory shows them.
func (s *Service) memberByID(ctx context.Context, w *work, id int64) (lms.Member, error) {
	m, err := s.anyMemberByID(ctx, w, id)
	if err == nil && m.User.Status == lms.StatusErased {
		return lms.Member{}, errNoUser
	}
	return m, err
}

// anyMemberByID is memberByID for what shows somebody who was erased as long as they
// have a place in the course.
func (s *Service) anyMemberByID(ctx context.Context, w *work, id int64) (lms.Member, error) {
	m, ok, err := w.tx.AnyMember(ctx, w.courseID, id)
	if err != nil {
		return lms.Member{}, err
	}
	if !ok {
		return lms.Member{}, errNoUser
	}
	if m.Enrollment != nil || m.Grant != nil {
		if !w.delegator().Reaches(&m) {
			return lms.Member{}, errNoUser
		}
		return m, nil
	}
	if m.User.Status == lms.StatusErased && !w.caller.Admin() {
		return lms.Member{}, errNoUser
	}
	sees, err := s.sees(ctx, w.tx, w.caller, id)
	if err != nil {
		return lms.Member{}, err
	}
	if !sees {
		return lms.Member{}, errNoUser
	}
	return m, nil
}

// at moves an error about an address to the place in the input where it stood.
func at(err error, location string) error {
	e := lmsError(err)
	if e == nil {
		return err
	}
	moved := *e
	moved.Fields = []lms.FieldError{{Location: location, Message: e.Message, Text: e.Text}}
	moved.Err = err
	return &moved
}

// DirectoryRequest asks for users whom the caller may see.
type DirectoryRequest struct {
	Search        string // a part of a name or an address, or a whole address
	Status        lms.UserStatus
	CourseID      int64 // decorates each user with their place in this course; 0: none
	HasPrivileges bool  // only who has privileges in CourseID
	After         int64 // the last id of the page before
	Limit         int
}

// DirectoryPage is a page of users, with their places in the course asked for.
type DirectoryPage struct {
	Members []lms.Member
	Next    int64 // 0 when there are no more
}

const minSearchBytes = 2

// CheckSearch folds what people type into a search box. A single letter finds
// too many to be of use.
func CheckSearch(search string) (string, error) {
	clean, err := lms.CleanText(search, "search", lms.MaxNameRunes)
	if err != nil {
		return "", err
	}
	folded := lms.FoldSearch(clean)
	if folded != "" && len(folded) < minSearchBytes {
		return "", lms.Invalid("search-too-short", "search", "Type at least two letters to search.")
	}
	return folded, nil
}

// Directory lists the users whom the caller may see: everybody for an
// administrator; else themselves, the people of the courses whose roster they
// may see and, for whoever manages a course, what MATRICULA_DIRECTORY adds.
func (s *Service) Directory(ctx context.Context, c access.Caller, r DirectoryRequest) (DirectoryPage, error) {
	if err := access.Decide(c, access.DirectoryView, nil); err != nil {
		return DirectoryPage{}, err
	}
	folded, err := CheckSearch(r.Search)
	if err != nil {
		return DirectoryPage{}, err
	}
	if r.CourseID != 0 {
		if _, err := s.look(ctx, c, access.RosterView, r.CourseID); err != nil {
			return DirectoryPage{}, err
		}
	}
	if folded != "" {
		if err := s.useAlone(ctx, c, access.DirectoryView, lms.LimitFinding); err != nil {
			return DirectoryPage{}, err
		}
	}
	tx := s.store.Reader()
	q := store.DirectoryQuery{
		Search: folded, Status: r.Status, CourseID: r.CourseID, HasPrivileges: r.HasPrivileges,
		// Matricula itself, the first of all ids, is nobody to be found.
		After: max(r.After, lms.SystemUserID), Limit: r.Limit + 1, All: c.Admin(), Services: c.Admin(), Caller: c.UserID,
	}
	if !q.All {
		if err := s.narrow(ctx, tx, c, r.Search, &q); err != nil {
			return DirectoryPage{}, err
		}
	}
	list, err := tx.Directory(ctx, q)
	if err != nil {
		return DirectoryPage{}, err
	}
	members, more := page(list, r.Limit)
	out := DirectoryPage{Members: members}
	if more {
		out.Next = members[len(members)-1].User.ID
	}
	return out, nil
}

// narrow restricts a directory query to what a caller without site rights may
// see.
func (s *Service) narrow(ctx context.Context, tx *store.Tx, c access.Caller, search string, q *store.DirectoryQuery) error {
	courses, manages, err := s.visibleCourses(ctx, tx, c)
	if err != nil {
		return err
	}
	q.Courses = courses
	if !manages {
		return nil
	}
	if s.opts.Directory == DirectoryEveryone && len(c.CourseIDs) == 0 {
		q.All = true
		return nil
	}
	q.Staff = s.opts.Directory != DirectoryExact && q.Search != ""
	if address, err := lms.ParseEmail(search); err == nil {
		h, ok, err := tx.AddressHolder(ctx, address)
		if err != nil {
			return err
		}
		if ok {
			q.Exact = h.UserID
		}
	}
	return nil
}

// visibleCourses lists the courses whose roster the caller may see, and tells
// whether they manage people in any.
func (s *Service) visibleCourses(ctx context.Context, tx *store.Tx, c access.Caller) (ids []int64, manages bool, err error) {
	list, err := tx.Courses(ctx, store.CoursesQuery{UserID: c.UserID, Before: maxID, Limit: maxCoursesOfOne})
	if err != nil {
		return nil, false, err
	}
	for _, co := range list {
		st := access.Standing{Course: co.Course, Member: co.Member.At(s.now())}
		if access.Decide(c, access.RosterView, &st) != nil {
			continue
		}
		// Whoever is limited to sections finds their people in the course, and
		// nobody else anywhere.
		if st.Within(c) == "" {
			ids = append(ids, co.Course.ID)
		}
		holds := st.Holds(c)
		manages = manages || holds.Has(lms.RosterManage) || holds.Has(lms.StaffManage)
	}
	return ids, manages, nil
}

// maxCoursesOfOne bounds the courses of one person that are looked at to
// decide whom they may see. Nobody teaches more.
const maxCoursesOfOne = 5000

const maxID = int64(1) << 62

// sees tells whether the directory shows a user to the caller.
func (s *Service) sees(ctx context.Context, tx *store.Tx, c access.Caller, id int64) (bool, error) {
	if c.Admin() || id == c.UserID {
		return true, nil
	}
	courses, manages, err := s.visibleCourses(ctx, tx, c)
	if err != nil {
		return false, err
	}
	if manages && s.opts.Directory == DirectoryEveryone && len(c.CourseIDs) == 0 {
		return true, nil
	}
	return tx.Sees(ctx, id, courses, manages && s.opts.Directory == DirectoryStaff)
}

// User reads one user whom the caller may see. Who was erased is shown to
// administrators alone; about an id that was merged, whoever may see who that is now is
// told it, and nobody else.
func (s *Service) User(ctx context.Context, c access.Caller, id int64) (lms.User, error) {
	if err := access.Decide(c, access.DirectoryView, nil); err != nil {
		return lms.User{}, err
	}
	tx := s.store.Reader()
	u, ok, err := tx.AnyUser(ctx, id)
	if err != nil {
		return lms.User{}, err
	}
	if !ok || u.Status == lms.StatusErased {
		if err := s.merged(ctx, tx, c, id); !ok || !c.Admin() || !isNotFound(err) {
			return lms.User{}, err
		}
	}
	if ok, err = s.sees(ctx, tx, c, id); err != nil {
		return lms.User{}, err
	}
	if !ok {
		return lms.User{}, errNoUser
	}
	return u, nil
}

// LookUpRef finds what a reference means for a page that asks before it
// changes anything: the member when the person is known and may be found by
// the caller, else only the address, canonical, of somebody who would be named.
func (s *Service) LookUpRef(ctx context.Context, c access.Caller, courseID int64, ref PersonRef) (m *lms.Member, address lms.Email, err error) {
	st, err := s.look(ctx, c, access.RosterView, courseID)
	if err != nil {
		return nil, "", err
	}
	d := access.DelegatorOf(c, st)
	tx := s.store.Reader()
	id := ref.UserID
	if id == 0 {
		if !d.Holds.Has(lms.RosterManage) && !d.Holds.Has(lms.StaffManage) {
			return nil, "", lms.Errorf(lms.CodeForbidden, "forbidden", "You need the privilege %q in this course to add people.", lms.RosterManage.Label())
		}
		if address, err = lms.ParseEmail(ref.Email); err != nil {
			return nil, "", at(err, "email")
		}
		if err := s.useAlone(ctx, c, access.DirectoryView, lms.LimitFinding); err != nil {
			return nil, "", err
		}
		h, ok, err := tx.AddressHolder(ctx, address)
		if err != nil || !ok {
			return nil, address, err
		}
		id = h.UserID
	}
	w := &work{tx: tx, caller: c, courseID: courseID, standing: st}
	if ref.UserID == 0 {
		members, err := tx.MembersByID(ctx, courseID, []int64{id})
		if err != nil || len(members) == 0 {
			return nil, address, err
		}
		return &members[0], address, nil
	}
	found, err := s.memberByID(ctx, w, id)
	if err != nil {
		return nil, "", err
	}
	return &found, found.User.Email, nil
}
