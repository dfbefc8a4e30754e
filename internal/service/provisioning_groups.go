package service

import (
	"context"
	"slices"
	"strings"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/store"
)

// GroupMember is somebody in a group; the type is the store's.
type GroupMember = store.GroupMember

// Group is a course as a directory sees it: a group of those in it who are no staff.
type Group struct {
	store.Group
	Members []GroupMember // when they were asked for
}

// DisplayName is what the directory calls the group, else the course's code and title.
func (g *Group) DisplayName() string {
	if g.Name != "" {
		return g.Name
	}
	return strings.TrimSpace(g.Code + " " + g.Title)
}

// maxListedMembers bounds the members in one answer about several groups.
const maxListedMembers = 100_000

// Groups lists courses as the caller, a directory, sees them.
func (s *Service) Groups(ctx context.Context, c access.Caller, q ProvisioningQuery[Group], members bool) ([]Group, int, error) {
	if err := access.Decide(c, access.ProvisioningView, nil); err != nil {
		return nil, 0, err
	}
	tx := s.store.Reader()
	var out found[Group]
	var err error
	switch {
	case q.ID != nil:
		var list []store.Group
		g, ok, readErr := tx.Group(ctx, c.UserID, *q.ID)
		if ok && !g.HeldBack {
			list = append(list, g)
		}
		out, err = q.gather(once(groupsOf(list, readErr)))
	case q.Member != nil:
		out, err = q.gather(once(groupsOf(tx.GroupsOf(ctx, c.UserID, *q.Member))))
	case q.ExternalID != nil:
		out, err = q.gather(once(groupsOf(tx.GroupsByExternalID(ctx, c.UserID, *q.ExternalID))))
	case q.Match == nil:
		if out.Total, err = tx.CountGroups(ctx, c.UserID); err == nil && q.Limit > 0 {
			out.Items, err = groupsOf(tx.GroupsPage(ctx, c.UserID, q.First, q.Limit))
		}
	default:
		out, err = q.gather(func(last *Group) ([]Group, error) {
			after := int64(0)
			if last != nil {
				after = last.CourseID
			}
			return groupsOf(tx.GroupsAfter(ctx, c.UserID, after, scanPortion))
		})
	}
	if err != nil || !members {
		return out.Items, out.Total, err
	}
	return out.Items, out.Total, withMembers(ctx, tx, c.UserID, out.Items)
}

func groupsOf(list []store.Group, err error) ([]Group, error) {
	out := make([]Group, len(list))
	for i, g := range list {
		out[i].Group = g
	}
	return out, err
}

func withMembers(ctx context.Context, tx *store.Tx, directory int64, groups []Group) error {
	ids := make([]int64, len(groups))
	at := make(map[int64]*Group, len(groups))
	for i := range groups {
		ids[i] = groups[i].CourseID
		at[ids[i]] = &groups[i]
	}
	list, err := tx.GroupMembers(ctx, directory, ids, maxListedMembers+1)
	if err != nil {
		return err
	}
	if len(list) > maxListedMembers {
		return lms.Errorf(lms.CodeTooLarge, "too-many-members", "These groups have more than %d members together. Ask for fewer groups, or with excludedAttributes=members.", maxListedMembers)
	}
	for _, m := range list {
		at[m.CourseID].Members = append(at[m.CourseID].Members, m)
	}
	return nil
}

var errNoGroup = lms.NotFound("course")

// Group reads one course as the caller, a directory, sees it.
func (s *Service) Group(ctx context.Context, c access.Caller, id int64, members bool) (Group, error) {
	list, _, err := s.Groups(ctx, c, ProvisioningQuery[Group]{ID: &id, Limit: 1}, members)
	if err != nil {
		return Group{}, err
	}
	if len(list) == 0 {
		return Group{}, errNoGroup
	}
	return list[0], nil
}

// GroupChange is what a directory wants a group to be: what is not nil, and of the
// members those that are there, or with Anew nobody, without Remove and with Add.
type GroupChange struct {
	Name       *string
	ExternalID *string
	Anew       bool
	Add        []int64
	Remove     []int64
}

// MaxGroupChange is how many members one request may add or remove.
const MaxGroupChange = 50_000

// clean checks what was said. Places are named as in SCIM.
func (ch *GroupChange) clean() error {
	if len(ch.Add) > MaxGroupChange || len(ch.Remove) > MaxGroupChange {
		return lms.Errorf(lms.CodeTooLarge, "too-many-members", "One request can add or remove at most %d members. Send several.", MaxGroupChange)
	}
	if ch.ExternalID != nil {
		clean, err := lms.CleanText(*ch.ExternalID, "externalId", lms.MaxExternalIDRunes)
		if err != nil {
			return err
		}
		ch.ExternalID = &clean
	}
	if ch.Name == nil {
		return nil
	}
	clean, err := lms.CleanText(*ch.Name, "displayName", lms.MaxTitleRunes)
	if err == nil && clean == "" {
		err = lms.Invalid("name-missing", "displayName", "A group needs a displayName.")
	}
	ch.Name = &clean
	return err
}

// CreateGroup makes a course of a group, or takes up one whose group the directory had
// deleted. One that the directory sees is refused, so that it finds it.
func (s *Service) CreateGroup(ctx context.Context, c access.Caller, ch GroupChange) (Group, error) {
	cleanErr := ch.clean()
	if cleanErr == nil && ch.Name == nil {
		cleanErr = lms.Invalid("name-missing", "displayName", "A group needs a displayName.")
	}
	id, err := doOnce(ctx, s, c, access.ProvisionGroup, 0, nil, func(ctx context.Context, w *work) (int64, error) {
		if cleanErr != nil {
			return 0, cleanErr
		}
		d, err := w.directory(ctx)
		if err != nil {
			return 0, err
		}
		id, err := w.courseForGroup(ctx, d, *ch.Name)
		if err != nil {
			return 0, err
		}
		if err := w.intoCourse(ctx, id); err != nil {
			return 0, err
		}
		return id, s.changeGroup(ctx, w, d, store.Group{CourseID: id, HeldBack: true}, ch)
	})
	if err != nil {
		return Group{}, err
	}
	return s.Group(ctx, c, id, true)
}

// courseForGroup finds the course of a group that the directory makes, or makes it.
func (w *work) courseForGroup(ctx context.Context, d lms.Directory, name string) (int64, error) {
	folded := lms.FoldSearch(name)
	for after := int64(0); ; {
		list, err := groupsOf(w.tx.GroupsAfter(ctx, d.AccountID, after, scanPortion))
		if err != nil {
			return 0, err
		}
		for i := range list {
			if lms.FoldSearch(list[i].DisplayName()) == folded {
				return 0, lms.Errorf(lms.CodeConflict, "group-taken", "There is a group with this displayName already. Find it with a filter, and change it.")
			}
		}
		if len(list) < scanPortion {
			break
		}
		after = list[len(list)-1].CourseID
	}
	hidden, err := groupsOf(w.tx.HiddenGroups(ctx, d.AccountID))
	if err != nil {
		return 0, err
	}
	for i := range hidden {
		if lms.FoldSearch(hidden[i].DisplayName()) == folded {
			return hidden[i].CourseID, nil
		}
	}
	if !d.MakesCourses {
		return 0, lms.Errorf(lms.CodeForbidden, "no-new-courses", "This directory may not make courses, and no course has this displayName. Give the group the name of its course, or ask an administrator of this site.")
	}
	f, err := lms.CourseFields{Title: name}.Clean()
	if err != nil {
		return 0, err
	}
	w.action = access.CourseCreate
	v, err := w.createCourse(ctx, f)
	return v.Course.ID, err
}

// intoCourse goes on in a course after a change that began outside of any.
func (w *work) intoCourse(ctx context.Context, id int64) error {
	if err := w.tx.LockCourse(ctx, id); err != nil {
		return err
	}
	course, member, ok, err := w.tx.Standing(ctx, id, w.caller.UserID)
	if err != nil {
		return err
	}
	if !ok {
		return errNoGroup
	}
	w.courseID, w.standing = id, &access.Standing{Course: course, Member: member.At(w.now)}
	return access.Decide(w.caller, access.ProvisionRoster, w.standing)
}

// ChangeGroup changes a group: what the directory calls it, and who is in its course
// without being staff. Check, when there is one, is told how it is and may refuse.
func (s *Service) ChangeGroup(ctx context.Context, c access.Caller, id int64, ch GroupChange, check func(Group) error) error {
	cleanErr := ch.clean()
	return s.do(ctx, c, access.ProvisionRoster, id, func(ctx context.Context, w *work) error {
		if cleanErr != nil {
			return cleanErr
		}
		d, err := w.directory(ctx)
		if err != nil {
			return err
		}
		g, ok, err := w.tx.Group(ctx, d.AccountID, id)
		if err != nil {
			return err
		}
		if !ok || g.HeldBack {
			return errNoGroup
		}
		if check != nil {
			if err := check(Group{Group: g}); err != nil {
				return err
			}
		}
		return s.changeGroup(ctx, w, d, g, ch)
	})
}

type groupAudit struct {
	Name    string `json:"name,omitempty"`
	Known   bool   `json:"known,omitempty"`
	Deleted bool   `json:"deleted,omitempty"`
}

func (s *Service) changeGroup(ctx context.Context, w *work, d lms.Directory, g store.Group, ch GroupChange) error {
	after := g
	if ch.Name != nil {
		shown := Group{Group: g}
		if g.HeldBack || *ch.Name != shown.DisplayName() {
			after.Name = *ch.Name
		}
	}
	if ch.ExternalID != nil {
		after.ExternalID = *ch.ExternalID
	}
	if after != g || g.HeldBack {
		taken, err := w.tx.SetGroup(ctx, d.AccountID, after, w.now)
		if err != nil {
			return err
		}
		if taken {
			return externalTaken(after.ExternalID)
		}
		w.action = access.ProvisionGroup
		if err := w.record(ctx, 0, groupAudit{Name: g.Name}, groupAudit{Name: after.Name, Known: true}); err != nil {
			return err
		}
	}
	if !ch.Anew && len(ch.Add) == 0 && len(ch.Remove) == 0 {
		if !w.recorded {
			w.nothingChanged()
		}
		return nil
	}
	return s.changeMembers(ctx, w, d, ch)
}

// changeMembers adds and removes in one statement each, however many they are.
func (s *Service) changeMembers(ctx context.Context, w *work, d lms.Directory, ch GroupChange) error {
	add := slices.Clone(ch.Add)
	slices.Sort(add)
	add = slices.Compact(add)
	known, err := w.tx.SeenPeople(ctx, d.AccountID, add)
	if err != nil {
		return err
	}
	if unknown := difference(add, known); len(unknown) > 0 {
		return lms.Invalid("unknown-member", "members", "There is no user with the id %d. Provision people before their groups.", unknown[0])
	}
	is, err := w.tx.GroupMemberIDs(ctx, d.AccountID, w.courseID)
	if err != nil {
		return err
	}
	leave := difference(is, difference(is, ch.Remove)) // those in the group
	if ch.Anew {
		leave = difference(is, add)
	}
	leave = difference(leave, add)
	if err := w.leaveGroup(ctx, leave); err != nil {
		return err
	}
	recorded := w.recorded
	if add = difference(add, is); len(add) > 0 {
		if err := s.joinGroup(ctx, w, add); err != nil {
			return err
		}
	}
	if w.recorded = w.recorded || recorded; !w.recorded {
		w.nothingChanged()
	}
	return nil
}

// joinGroup enrolls people as students. Whoever is in the course with another role,
// which is a staff's, stays what they are.
func (s *Service) joinGroup(ctx context.Context, w *work, ids []int64) error {
	role, err := w.roleToGive(ctx, lms.RoleStudent)
	if err != nil {
		return err
	}
	r := EnrollRequest{CourseID: w.courseID, UserIDs: ids, Source: lms.SourceDirectory}
	rows, err := parseRows(r)
	if err != nil {
		return err
	}
	e := &enrolling{s: s, w: w, role: role, request: r, rows: rows}
	return e.run(ctx)
}

// leaveGroup takes people out of the course as if each had been removed; what they had
// stays on record.
func (w *work) leaveGroup(ctx context.Context, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	members, err := w.tx.MembersByID(ctx, w.courseID, ids)
	if err != nil {
		return err
	}
	entries := make([]lms.AuditEntry, 0, len(members))
	for i := range members {
		m := &members[i]
		if m.Enrollment == nil {
			continue
		}
		entry, err := w.entry(access.EnrollmentRemove, m.User.ID, removedAudit{Role: m.Enrollment.Role.Key, grantAudit: grantView(m.Grant)}, nil)
		if err != nil {
			return err
		}
		entries = append(entries, entry)
	}
	if len(entries) == 0 {
		return nil
	}
	if err := w.tx.RemoveMembers(ctx, w.courseID, ids, w.caller.UserID, w.now); err != nil {
		return err
	}
	w.recorded = true
	return w.tx.AddAuditMany(ctx, entries[0], entries)
}

// EndGroup is what a directory's deleting a group means: those whom it added leave the
// course, which itself stays, and it sees the course no longer.
func (s *Service) EndGroup(ctx context.Context, c access.Caller, id int64) error {
	return s.do(ctx, c, access.ProvisionRoster, id, func(ctx context.Context, w *work) error {
		d, err := w.directory(ctx)
		if err != nil {
			return err
		}
		g, ok, err := w.tx.Group(ctx, d.AccountID, id)
		if err != nil {
			return err
		}
		if !ok || g.HeldBack {
			return errNoGroup
		}
		ids, err := w.tx.AddedByDirectory(ctx, d.AccountID, id)
		if err != nil {
			return err
		}
		if err := w.leaveGroup(ctx, ids); err != nil {
			return err
		}
		if err := w.tx.DeleteGroup(ctx, d.AccountID, g, w.now); err != nil {
			return err
		}
		w.action = access.ProvisionGroup
		return w.record(ctx, 0, groupAudit{Name: g.Name}, groupAudit{Deleted: true})
	})
}
