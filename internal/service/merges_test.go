package service_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"matricula/internal/access"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/signin"
	"matricula/internal/store/storetest"
)

// dump is every table as text, row by row, without those that are to be left out.
func (s *school) dump(without ...string) map[string][]string {
	s.tb.Helper()
	columns := map[string][]string{}
	for _, c := range s.db.Columns(s.tb, s.raw) {
		if !slices.Contains(without, c.Table) {
			columns[c.Table] = append(columns[c.Table], c.Name)
		}
	}
	tables := map[string][]string{}
	for table, names := range columns {
		var texts []string
		for _, n := range names {
			texts = append(texts, `coalesce(CAST(`+n+` AS TEXT), 'NULL')`)
		}
		rows, err := s.raw.Query(`SELECT ` + strings.Join(texts, ` || '|' || `) + ` FROM ` + table)
		if err != nil {
			s.tb.Fatal(err)
		}
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				s.tb.Fatal(err)
			}
			tables[table] = append(tables[table], line)
		}
		if err := rows.Err(); err != nil {
			s.tb.Fatal(err)
		}
		rows.Close()
		slices.Sort(tables[table])
	}
	return tables
}

func differences(a, b map[string][]string) string {
	var out strings.Builder
	for table := range a {
		for _, line := range a[table] {
			if !slices.Contains(b[table], line) {
				fmt.Fprintf(&out, "only before: %s %s\n", table, line)
			}
		}
	}
	for table := range b {
		for _, line := range b[table] {
			if !slices.Contains(a[table], line) {
				fmt.Fprintf(&out, "only after:  %s %s\n", table, line)
			}
		}
	}
	return out.String()
}

// remembered are the tables in which a merge leaves its own traces.
var remembered = []string{"audit_entries", "merges", "merge_rows"}

func (s *school) merge(by access.Caller, keep, gone int64) lms.Merge {
	s.tb.Helper()
	m, err := s.MergePeople(ctx, by, service.MergeRequest{Keep: byID(keep), Merge: byID(gone)}, nil)
	if err != nil {
		s.tb.Fatal(err)
	}
	return m
}

func (s *school) idOfEmail(email string) int64 {
	s.tb.Helper()
	return storetest.Query1[int64](s.tb, s.raw, `SELECT user_id FROM emails WHERE address = $1`, email)
}

// proved is a merge of two who have signed in, to which both have agreed.
func (s *school) proved(keep, gone access.Caller) lms.Merge {
	s.tb.Helper()
	m := s.merge(s.admin, keep.UserID, gone.UserID)
	for _, c := range []access.Caller{keep, gone} {
		if _, err := s.AcceptMerge(ctx, c, m.ID); err != nil {
			s.tb.Fatal(err)
		}
	}
	m, err := s.CompleteMerge(ctx, s.admin, m.ID)
	if err != nil {
		s.tb.Fatal(err)
	}
	return m
}

func TestAPendingPersonIsMergedIntoOneWhoHasSignedIn(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		both, only := s.course(ada, "Algorithms"), s.course(ada, "Compilers")
		grace := s.member(ada, both, "student", "grace@uni.example")
		slip := s.enroll(ada, both, "assistant", "grace@uin.example")[0]
		s.enroll(ada, only, "student", "grace@uin.example")
		s.set(ada, only, byID(slip), []string{"roster.view"}, nil)
		s.set(ada, both, byID(slip), nil, []string{"roster.manage"})

		r := service.MergeRequest{Keep: byEmail("grace@uni.example"), Merge: byID(slip)}
		before := s.dump(remembered...)
		p, err := s.PreviewMerge(ctx, ada, r)
		if err != nil || p.Keep.ID != grace.UserID || p.Merge.ID != slip || p.Asks || len(p.Places) != 2 || len(p.Addresses) != 1 {
			t.Fatalf("the preview: %+v (%v)", p, err)
		}
		if len(p.Places[0].Notes) != 1 || !p.Places[0].FromGone || len(p.Places[1].Notes) != 0 {
			t.Errorf("what it says of the places: %+v", p.Places)
		}
		if d := differences(before, s.dump(remembered...)); d != "" {
			t.Errorf("looking changed something:\n%s", d)
		}
		m, err := s.MergePeople(ctx, ada, r, nil)
		if err != nil || m.State != lms.MergeDone || m.Kept.ID != grace.UserID || m.Gone.ID != slip || m.Gone.Email != "grace@uin.example" {
			t.Fatalf("%+v (%v)", m, err)
		}
		if got := s.held(both, grace.UserID); got != "roster.view" {
			t.Errorf("an assistant who may not manage the roster may %s", got)
		}
		if got := s.held(only, grace.UserID); got != "roster.view" {
			t.Errorf("in the other course she may %s", got)
		}
		if n := s.count(`enrollments WHERE user_id = $1`, grace.UserID); n != 2 {
			t.Errorf("she is in %d courses", n)
		}
		for _, table := range []string{"enrollments", "course_privileges", "past_places", "emails"} {
			if n := s.count(table+` WHERE user_id = $1`, slip); n != 0 {
				t.Errorf("%d rows of %s are left", n, table)
			}
		}
		// The address is hers, and not proved by that.
		if n := s.count(`emails WHERE address = 'grace@uin.example' AND user_id = $1 AND NOT is_primary AND verified_at IS NULL`, grace.UserID); n != 1 {
			t.Error("the address is not hers, or proved")
		}
		if ids, err := s.Enroll(ctx, ada, service.EnrollRequest{CourseID: only, Role: "student", Emails: []string{"grace@uin.example"}}); err != nil || ids[0].UserID != grace.UserID {
			t.Errorf("naming the address means %+v (%v)", ids, err)
		}
		refused(t, "whoever has the address", second(s.SignIn(ctx, campus, token("another", "grace@uin.example"), "", "")), lms.CodeConflict, "address-in-use")
		if n := s.audited(access.UserMerge, lms.OutcomeDone); n != 3 {
			t.Errorf("%d entries, want one for each course and one for all", n)
		}
	})
}

func TestI13F20AMergedIDLeadsToNobodyElse(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada, bob := s.teacher("ada@uni.example"), s.teacher("bob@uni.example")
		course := s.course(ada, "Algorithms")
		grace := s.member(ada, course, "student", "grace@uni.example")
		slip := s.enroll(ada, course, "student", "grace@uin.example")[0]
		s.merge(ada, grace.UserID, slip)
		for who, c := range map[string]access.Caller{"the teacher": ada, "an administrator": s.admin, "she herself": grace} {
			_, err := s.User(ctx, c, slip)
			refused(t, who, err, lms.CodeGone, "merged")
			if into := service.MergedInto(err); into != grace.UserID {
				t.Errorf("%s is led to %d", who, into)
			}
		}
		_, err := s.User(ctx, bob, slip)
		refused(t, "a stranger", err, lms.CodeNotFound, "not-found")
		if service.MergedInto(err) != 0 {
			t.Error("a stranger is told who it is now")
		}
		if _, err := s.Access(ctx, ada, course, slip); lms.CodeOf(err) != lms.CodeNotFound {
			t.Errorf("her place under the old id: %v", err)
		}
		rows, err := s.Enroll(ctx, ada, service.EnrollRequest{CourseID: course, Role: "student", UserIDs: []int64{slip}})
		if err != nil || rows[0].Result != service.ResultRefused {
			t.Errorf("the old id is enrolled: %+v (%v)", rows, err)
		}
		// The database itself gives the old id no place, whoever asks.
		_, err = s.raw.Exec(`INSERT INTO course_privileges (course_id, user_id, allow, deny, granted_by, granted_at) VALUES ($1, $2, '[]', '[]', 1, '2026-09-01 00:00:00+00:00')`, course, slip)
		if err == nil || !strings.Contains(err.Error(), "an erased person has no place") {
			t.Errorf("the database: %v", err)
		}
	})
}

func TestI4TheAuditOfBothAccountsIsReadAsOne(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		grace := s.member(ada, course, "student", "grace@uni.example")
		slip := s.enroll(ada, course, "student", "grace@uin.example")[0]
		s.set(ada, course, byID(slip), []string{"roster.view"}, nil)
		all := func(person int64) []lms.AuditRecord {
			t.Helper()
			p, err := s.Audit(ctx, s.admin, service.AuditRequest{PersonID: person, Limit: 100})
			if err != nil {
				t.Fatal(err)
			}
			return p.Entries
		}
		separate := len(all(grace.UserID)) + len(all(slip))
		s.merge(ada, grace.UserID, slip)
		entries := all(grace.UserID)
		if len(entries) != separate+2 {
			t.Errorf("%d entries of one person, and %d before of both", len(entries), separate)
		}
		if old := all(slip); len(old) != len(entries) {
			t.Errorf("the old id leads to %d entries, the new one to %d", len(old), len(entries))
		}
		for i, e := range entries {
			if e.SubjectID == slip || e.ActorID == slip {
				t.Errorf("%s is shown as of the old account", e.Action)
			}
			if i > 0 && entries[i-1].ID <= e.ID {
				t.Error("they are out of order")
			}
		}
		// Page by page they are the same.
		var paged []int64
		for before := int64(0); ; {
			p, err := s.Audit(ctx, s.admin, service.AuditRequest{PersonID: grace.UserID, Limit: 2, Before: before})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range p.Entries {
				paged = append(paged, e.ID)
			}
			if before = p.Next; before == 0 {
				break
			}
		}
		if len(paged) != len(entries) {
			t.Errorf("%d entries page by page, %d at once", len(paged), len(entries))
		}
		if n := s.count(`audit_entries WHERE subject_id = $1`, slip); n == 0 {
			t.Error("entries were rewritten")
		}
	})
}

func TestBothWaysOfSigningInLeadToTheKeptAccount(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		old := s.member(ada, course, "teacher", "hopper@uni.example")
		is := s.member(ada, course, "student", "murray@uni.example")
		own := s.course(s.teacher("hopper@uni.example"), "Compilers")
		tok, err := s.CreateToken(ctx, old, service.NewToken{Name: "mine"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.enroll(old, own, "student", "x@uni.example")
		m := s.proved(is, old)
		if m.State != lms.MergeDone || m.Was != lms.StatusActive {
			t.Fatalf("%+v", m)
		}
		if again := s.person("hopper@uni.example"); again.UserID != is.UserID {
			t.Errorf("the other way leads to %d, not %d", again.UserID, is.UserID)
		}
		if c := s.person("murray@uni.example"); c.UserID != is.UserID {
			t.Errorf("her own way leads to %d", c.UserID)
		}
		if _, _, err := s.ByToken(ctx, tok.Secret, ""); lms.CodeOf(err) != lms.CodeUnauthenticated {
			t.Errorf("the token of who is gone: %v", err)
		}
		if n := s.count(`sessions WHERE user_id = $1`, old.UserID); n != 0 {
			t.Errorf("%d sessions of who is gone", n)
		}
		if u := s.user(is.UserID); u.SiteRole != lms.SiteTeacher {
			t.Errorf("on the site she is a %s", u.SiteRole)
		}
		if got := s.held(course, is.UserID); !strings.Contains(got, "staff.manage") {
			t.Errorf("as a teacher she may %s", got)
		}
		if n := s.count(`enrollments WHERE added_by = $1`, old.UserID) + s.count(`courses WHERE created_by = $1`, old.UserID); n != 0 {
			t.Errorf("%d things were still done by who is gone", n)
		}
		refused(t, "splitting as a member", second(s.SplitMerge(ctx, s.person("x@uni.example"), m.ID)), lms.CodeNotFound, "not-found")
		if _, err := s.SplitMerge(ctx, s.admin, m.ID); err != nil {
			t.Fatal(err)
		}
		if u := s.user(is.UserID); u.SiteRole != lms.SiteMember {
			t.Errorf("after the split she is a %s", u.SiteRole)
		}
		if c := s.person("hopper@uni.example"); c.UserID != old.UserID {
			t.Errorf("after the split, the other way leads to %d", c.UserID)
		}
		if n := s.count(`courses WHERE created_by = $1`, old.UserID); n != 1 {
			t.Error("the course is not theirs again")
		}
	})
}

func TestC12MergingTheLastOwnerKeepsAnOwner(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		twin := s.person("countess@uni.example")
		m := s.proved(twin, ada)
		owner := s.person("countess@uni.example")
		if _, err := s.UpdateCourse(ctx, owner, course, service.CoursePatch{Title: ptr("Analysis")}); err != nil {
			t.Errorf("the owner that is kept: %v", err)
		}
		if n, err := s.store.Reader().ActiveOwners(ctx, course); err != nil || n != 1 {
			t.Errorf("%d owners (%v)", n, err)
		}
		if _, err := s.SplitMerge(ctx, s.admin, m.ID); err != nil {
			t.Fatal(err)
		}
		if n, err := s.store.Reader().ActiveOwners(ctx, course); err != nil || n != 1 || s.count(`enrollments WHERE course_id = $1 AND user_id = $2`, course, ada.UserID) != 1 {
			t.Errorf("after the split %d owners (%v)", n, err)
		}
	})
}

// Somebody became an owner by a merge, and the other owner left because of that: the
// split does not leave the course without one.
func TestC10ASplitLeavesTheLastOwnerWhereTheyAre(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		grace := s.member(ada, course, "student", "grace@uni.example")
		slip := s.enroll(ada, course, "owner", "grace@uin.example")[0]
		m := s.merge(ada, grace.UserID, slip)
		if _, err := s.Remove(ctx, ada, course, []int64{ada.UserID}); err != nil {
			t.Fatal(err)
		}
		p, err := s.SplitMerge(ctx, s.admin, m.ID)
		if err != nil || len(p.Places) != 1 || p.Places[0].Stays != "last-owner" {
			t.Fatalf("%+v (%v)", p, err)
		}
		if n, err := s.store.Reader().ActiveOwners(ctx, course); err != nil || n != 1 {
			t.Errorf("%d owners (%v)", n, err)
		}
		if u := s.user(slip); u.Status != lms.StatusPending {
			t.Errorf("the other is %s", u.Status)
		}
	})
}

func TestWhatWasChangedSinceStaysWhenAMergeIsSplit(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		changed, same := s.course(ada, "Algorithms"), s.course(ada, "Compilers")
		grace := s.member(ada, changed, "student", "grace@uni.example")
		slip := s.enroll(ada, changed, "assistant", "grace@uin.example")[0]
		s.enroll(ada, same, "student", "grace@uin.example")
		m := s.merge(ada, grace.UserID, slip)
		if _, err := s.SetRole(ctx, ada, service.RoleChange{CourseID: changed, UserID: grace.UserID, Role: "observer"}); err != nil {
			t.Fatal(err)
		}
		v, err := s.Merge(ctx, s.admin, m.ID)
		if err != nil || v.Split == nil || len(v.Split.Places) != 2 || v.Split.Places[0].Stays != "changed" || v.Split.Places[0].Title != "Algorithms" || v.Split.Places[1].Stays != "" {
			t.Fatalf("beforehand: %+v (%v)", v.Split, err)
		}
		if _, err := s.SplitMerge(ctx, ada, m.ID); err != nil {
			t.Fatal(err)
		}
		if got := s.everything(grace.UserID); got != "Algorithms: Observer, roster.view\n" {
			t.Errorf("she has %s", got)
		}
		if got := s.everything(slip); got != "Compilers: Student, \n" {
			t.Errorf("the other has %s", got)
		}
		refused(t, "again", second(s.SplitMerge(ctx, s.admin, m.ID)), lms.CodeConflict, "merge-final")
	})
}

func TestH18After30DaysAMergeIsFinal(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		grace := s.member(ada, course, "student", "grace@uni.example")
		slip := s.enroll(ada, course, "student", "grace@uin.example")[0]
		m := s.merge(s.admin, grace.UserID, slip)
		s.clock.advance(30*24*time.Hour - time.Second)
		if err := s.Expire(ctx); err != nil {
			t.Fatal(err)
		}
		root := s.person("root@uni.example")
		if v, err := s.Merge(ctx, root, m.ID); err != nil || v.Split == nil || s.count(`merge_rows`) == 0 {
			t.Fatalf("a second before: %+v (%v)", v, err)
		}
		s.clock.advance(time.Second)
		refused(t, "after 30 days", second(s.SplitMerge(ctx, root, m.ID)), lms.CodeConflict, "merge-final")
		if err := s.Expire(ctx); err != nil {
			t.Fatal(err)
		}
		if n := s.count(`merge_rows`); n != 0 {
			t.Errorf("%d rows are still kept", n)
		}
		if v, err := s.Merge(ctx, root, m.ID); err != nil || v.State != lms.MergeDone || v.Gone.Email != "" || v.Split != nil {
			t.Errorf("what is left: %+v (%v)", v, err)
		}
	})
}

func TestAnAddressThatWasProvedSinceIsNotTakenAway(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		grace := s.member(ada, course, "student", "grace@uni.example")
		slip := s.enroll(ada, course, "student", "grace@uin.example")[0]
		m := s.merge(s.admin, grace.UserID, slip)
		storetest.Exec(t, s.raw, `UPDATE emails SET verified_at = '2026-09-01 09:00:00+00:00' WHERE address = 'grace@uin.example'`)
		refused(t, "the split", second(s.SplitMerge(ctx, s.admin, m.ID)), lms.CodeConflict, "merge-address")
		if n := s.count(`emails WHERE user_id = $1`, grace.UserID); n != 2 {
			t.Errorf("she has %d addresses", n)
		}
	})
}

// Who was merged twice is led to who they are in one step, and the merges are split
// in the reverse order.
func TestMergesOfMergesAreSplitInReverse(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		ids := s.enroll(ada, course, "student", "a@uni.example", "b@uni.example", "c@uni.example")
		start := s.dump(remembered...)
		first := s.merge(s.admin, ids[1], ids[0])
		between := s.dump(remembered...)
		last := s.merge(s.admin, ids[2], ids[1])
		_, err := s.User(ctx, s.admin, ids[0])
		if into := service.MergedInto(err); into != ids[2] {
			t.Errorf("the first leads to %d (%v)", into, err)
		}
		refused(t, "the first before the last", second(s.SplitMerge(ctx, s.admin, first.ID)), lms.CodeConflict, "merge-not-last")
		if _, err := s.SplitMerge(ctx, s.admin, last.ID); err != nil {
			t.Fatal(err)
		}
		if d := differences(between, s.dump(remembered...)); d != "" {
			t.Errorf("after the first split:\n%s", d)
		}
		if _, err := s.SplitMerge(ctx, s.admin, first.ID); err != nil {
			t.Fatal(err)
		}
		if d := differences(start, s.dump(remembered...)); d != "" {
			t.Errorf("after the second split:\n%s", d)
		}
	})
}

// Two pending people with two addresses are one, and whichever address is proved
// first claims them.
func TestOfTwoPendingPeopleBecomesOneWithTwoAddresses(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		ids := s.enroll(ada, course, "student", "grace@uni.example", "grace@home.example")
		s.merge(ada, ids[0], ids[1])
		in, err := s.SignIn(ctx, campus, token("g", "grace@home.example"), "", "")
		if err != nil || in.User.ID != ids[0] || in.Outcome != signin.Claim {
			t.Fatalf("%+v (%v)", in, err)
		}
		if n := s.count(`emails WHERE user_id = $1 AND verified_at IS NOT NULL`, ids[0]); n != 1 || s.user(ids[0]).Email != "grace@home.example" {
			t.Errorf("%d addresses are proved by that, and she is known by %s", n, s.user(ids[0]).Email)
		}
	})
}
