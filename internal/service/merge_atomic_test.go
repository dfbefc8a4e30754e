package service_test

import (
	"strings"
	"testing"

	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/store/storetest"
)

// whoever is meant is named, and nobody is picked because they come first.
func TestA36OfSeveralWhoAreAlikeTheOneWhoIsNamedIsMerged(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		grace := s.member(ada, course, "student", "grace@uni.example")
		slips := s.enroll(ada, course, "student", "grace@uin.example", "grace@nui.example", "garce@uni.example")
		r := service.MergeRequest{Keep: byEmail("GRACE@uni.example"), Merge: byEmail("grace@NUI.example")}
		if m, err := s.MergePeople(ctx, ada, r, nil); err != nil || m.Gone.ID != slips[1] || m.Kept.ID != grace.UserID {
			t.Fatalf("%+v (%v)", m, err)
		}
		for _, id := range []int64{slips[0], slips[2]} {
			if u := s.user(id); u.Status != lms.StatusPending {
				t.Errorf("%s is %s", u.Email, u.Status)
			}
		}
		// An id is tried before an address, as everywhere, and never another one instead.
		r = service.MergeRequest{Keep: service.PersonRef{UserID: 4711, Email: "grace@uni.example"}, Merge: byID(slips[0])}
		refused(t, "an id that nobody has, with an address", second(s.MergePeople(ctx, ada, r, nil)), lms.CodeNotFound, "not-found")
	})
}

// failing makes the database refuse a change, as a full disk or a crash would in the
// middle of a transaction.
func (s *school) failing(change string) (mend func()) {
	s.tb.Helper()
	table := strings.Fields(change)[len(strings.Fields(change))-1]
	if s.db.Engine == storetest.PostgreSQL {
		storetest.Exec(s.tb, s.raw, `CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'it fails'; END $$`)
		storetest.Exec(s.tb, s.raw, `CREATE TRIGGER fail BEFORE `+change+` FOR EACH ROW EXECUTE FUNCTION fail()`)
		return func() { storetest.Exec(s.tb, s.raw, `DROP TRIGGER fail ON `+table) }
	}
	storetest.Exec(s.tb, s.raw, `CREATE TRIGGER fail BEFORE `+change+` BEGIN SELECT RAISE(ABORT, 'it fails'); END`)
	return func() { storetest.Exec(s.tb, s.raw, `DROP TRIGGER fail`) }
}

func TestE01AMergeThatFailsInTheMiddleLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		ada := s.teacher("ada@uni.example")
		course := s.course(ada, "Algorithms")
		grace := s.member(ada, course, "student", "grace@uni.example")
		slip := s.enroll(ada, course, "assistant", "grace@uin.example")[0]
		r := service.MergeRequest{Keep: byID(grace.UserID), Merge: byID(slip)}
		before := s.dump()
		for _, change := range []string{"UPDATE OF merged_into ON users", "UPDATE ON emails", "INSERT ON merge_rows", "INSERT ON audit_entries", "UPDATE ON merges"} {
			mend := s.failing(change)
			if _, err := s.MergePeople(ctx, s.admin, r, nil); err == nil {
				t.Errorf("%s failed and nobody was told", change)
			}
			mend()
			if d := differences(before, s.dump()); d != "" {
				t.Errorf("%s failed:\n%s", change, d)
			}
		}
		m := s.merge(s.admin, grace.UserID, slip)
		before = s.dump()
		for _, change := range []string{"INSERT ON enrollments", "UPDATE OF merged_into ON users", "DELETE ON merge_rows", "INSERT ON audit_entries"} {
			mend := s.failing(change)
			if _, err := s.SplitMerge(ctx, s.admin, m.ID); err == nil {
				t.Errorf("%s failed and nobody was told", change)
			}
			mend()
			if d := differences(before, s.dump()); d != "" {
				t.Errorf("%s failed in the split:\n%s", change, d)
			}
		}
		if _, err := s.SplitMerge(ctx, s.admin, m.ID); err != nil {
			t.Error(err)
		}
	})
}
