package lms

import (
	"slices"
	"time"
)

// MergeState is how far the merging of two accounts has come.
type MergeState string

// The states.
const (
	MergeAsked     MergeState = "asked"     // both people have to say that they are one
	MergeDone      MergeState = "done"      // it was carried out
	MergeSplit     MergeState = "split"     // it was taken back
	MergeWithdrawn MergeState = "withdrawn" // it was given up, or nobody answered in time
)

// Merge is two accounts of which one was merged into the other, or of which
// somebody asks whether they are one human's.
type Merge struct {
	ID       int64
	Kept     User
	Gone     User       // with the address that was theirs while the record has it
	Was      UserStatus // of Gone before: pending or active
	State    MergeState
	AskedBy  User
	AskedAt  time.Time
	KeptSaid time.Time // when each of the two said that they are one; zero: not yet
	GoneSaid time.Time
	Done     time.Time // zero until then
	Ended    time.Time // when it was split or withdrawn
	Expires  time.Time // until when it can be answered or, once done, be split
}

// Open tells whether the two people are still asked.
func (m *Merge) Open(now time.Time) bool { return m.State == MergeAsked && now.Before(m.Expires) }

// Proved tells whether both people have said that they are one.
func (m *Merge) Proved() bool { return !m.KeptSaid.IsZero() && !m.GoneSaid.IsZero() }

// Splittable tells whether the merge can be taken back.
func (m *Merge) Splittable(now time.Time) bool {
	return m.State == MergeDone && now.Before(m.Expires)
}

// Asks tells whether somebody is one of the two who are asked and has not answered.
func (m *Merge) Asks(userID int64, now time.Time) bool {
	return m.Open(now) && ((m.Kept.ID == userID && m.KeptSaid.IsZero()) || (m.Gone.ID == userID && m.GoneSaid.IsZero()))
}

// MergedPlace is what two people who are one hold in a course together.
type MergedPlace struct {
	Member Member
	// FromGone: the enrollment is that of the person who goes, also when both had one.
	FromGone bool
	Notes    []Text // what somebody should know beforehand
}

// MergePlaces unites the places of one human in a course. What both hold together
// is what they hold: of two roles the higher one stays, and what the other gave
// beside it is allowed; denials are united, and deny wins.
func MergePlaces(kept, gone *Member, now time.Time) MergedPlace {
	out := MergedPlace{Member: Member{User: kept.User}}
	var extra PrivilegeSet
	out.Member.Enrollment, out.FromGone, extra = mergeEnrollments(kept, gone, now)
	if kept.Enrollment != nil && gone.Enrollment != nil && kept.Enrollment.Role.ID != gone.Enrollment.Role.ID {
		is, was := gone.Enrollment, kept.Enrollment
		if !out.FromGone {
			is, was = was, is
		}
		out.Notes = append(out.Notes, Say("Of the roles %s and %s, %s stays.", kept.Enrollment.Role.Title(), gone.Enrollment.Role.Title(), is.Role.Title()))
		if missing := extra; missing != 0 {
			out.Notes = append(out.Notes, Say("What the role %s gave beside it is allowed to them: %s.", was.Role.Title(), missing.Labels()))
		}
	}
	out.Member.Grant = mergeGrants(&out, kept.Grant, gone.Grant, extra)
	return out
}

// mergeEnrollments picks the higher of two enrollments and says what the other
// gave that this one does not.
func mergeEnrollments(kept, gone *Member, now time.Time) (e *Enrollment, fromGone bool, extra PrivilegeSet) {
	k, g := kept.Enrollment, gone.Enrollment
	switch {
	case g == nil && k == nil:
		return nil, false, 0
	case g == nil:
		one := *k
		return &one, false, 0
	case k == nil:
		one := *g
		one.UserID = kept.User.ID
		return &one, true, 0
	}
	fromGone = higher(g, k, now)
	is, was := *k, g
	if fromGone {
		is, was = *g, k
		is.UserID = kept.User.ID
	}
	if is.Number == "" {
		is.Number = was.Number
	}
	if is.SectionID == 0 {
		is.SectionID, is.Section = was.SectionID, was.Section
	}
	if is.Role.ID == was.Role.ID {
		is.Begins, is.Ends = earlier(is.Begins, was.Begins), later(is.Ends, was.Ends)
		if is.LimitedTo == "" || was.LimitedTo == "" {
			is.LimitedTo = ""
		} else {
			is.LimitedTo = MakeIDs(append(is.LimitedTo.List(), was.LimitedTo.List()...)...)
		}
	}
	if was.Current(now) && !is.Role.Owner() && !was.Limited() {
		extra = was.Role.Privileges &^ is.Role.Privileges
	}
	return &is, fromGone, extra
}

// earlier is the first of two beginnings, of which zero is the first of all.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.IsZero() {
		return time.Time{}
	}
	if b.Before(a) {
		return b
	}
	return a
}

// later is the last of two ends, of which zero is the last of all.
func later(a, b time.Time) time.Time {
	if a.IsZero() || b.IsZero() {
		return time.Time{}
	}
	if b.After(a) {
		return b
	}
	return a
}

// higher tells whether enrollment a is more than b: it gives its place now and b
// does not; its role stands before the other in the list of presets; or it gives
// all that the other gives, and more.
func higher(a, b *Enrollment, now time.Time) bool {
	if x, y := a.Current(now), b.Current(now); x != y {
		return x
	}
	if a.Role.Preset && b.Role.Preset {
		return presetRank(a.Role.Key) < presetRank(b.Role.Key)
	}
	if a.Role.Owner() || b.Role.Owner() {
		return a.Role.Owner()
	}
	return a.Role.Privileges != b.Role.Privileges && a.Role.Privileges.Contains(b.Role.Privileges)
}

func presetRank(key string) int {
	return slices.IndexFunc(PresetRoles(), func(r Role) bool { return r.Key == key })
}

// mergeGrants unites what was set beside two roles.
func mergeGrants(out *MergedPlace, kept, gone *Grant, extra PrivilegeSet) *Grant {
	var k, g Grant
	if kept != nil {
		k = *kept
	}
	if gone != nil {
		g = *gone
	}
	is := Grant{UserID: out.Member.User.ID, Allow: k.Allow | g.Allow | extra, Deny: k.Deny | g.Deny}
	switch {
	case out.Member.Enrollment != nil && out.Member.Enrollment.Role.Owner() && is.Deny != 0:
		// An owner holds everything, and nothing is denied to them.
		out.Notes = append(out.Notes, Say("They own the course, so that nothing can be denied to them. These denials end: %s.", is.Deny.Labels()))
		is.Deny = 0
	case is.Allow&is.Deny != 0:
		out.Notes = append(out.Notes, Say("Allowed to one account and denied to the other, and so denied: %s.", (is.Allow&is.Deny).Labels()))
		is.Allow &^= is.Deny
	}
	switch {
	case is.Allow|is.Deny == 0:
		return nil
	case kept != nil && is.Allow == k.Allow && is.Deny == k.Deny:
		return kept
	case kept == nil && gone != nil && is.Allow == g.Allow && is.Deny == g.Deny:
		same := *gone
		same.UserID = is.UserID
		return &same
	}
	if kept != nil || gone != nil {
		is.CourseID = max(k.CourseID, g.CourseID)
	}
	return &is
}

// HigherSiteRole is the higher of two roles on the site.
func HigherSiteRole(a, b SiteRole) SiteRole {
	order := []SiteRole{SiteMember, SiteTeacher, SiteAdmin}
	if slices.Index(order, a) > slices.Index(order, b) {
		return a
	}
	return b
}
