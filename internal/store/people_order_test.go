package store_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"matricula/internal/lms"
	"matricula/internal/store"
	"matricula/internal/store/storetest"
)

// mixedCourse is a course with people in every role and without one, some of
// whom were allowed or denied something, added and arrived at various times.
func mixedCourse(t *testing.T, st *store.Store) int64 {
	t.Helper()
	id, roles := course(t, st, "Algorithms")
	owner := active(t, st, "owner@uni.example")
	enroll(t, st, roles["owner"], owner)
	ids := manyPeople(t, st, 90)
	random := rand.New(rand.NewPCG(1, 2))
	keys := []string{"student", "student", "assistant", "teacher", "observer", ""}
	write(t, st, func(tx *store.Tx) error {
		for i, user := range ids {
			added := now.Add(time.Duration(random.IntN(5)) * time.Hour) // often at the same moment
			key := keys[i%len(keys)]
			if key != "" {
				if _, err := tx.Enroll(ctx, []int64{user}, lms.Enrollment{CourseID: id, Role: roles[key], Source: lms.SourcePaste, AddedBy: owner, CreatedAt: added}); err != nil {
					return err
				}
			}
			if key == "" || i%4 == 0 {
				all := uint64(lms.AllPrivileges())
				g := lms.Grant{
					UserID: user, CourseID: id, GrantedBy: owner, GrantedAt: added,
					Allow: lms.PrivilegeSet(random.Uint64() & all), Deny: lms.PrivilegeSet(random.Uint64() & random.Uint64() & all),
				}
				if err := tx.SetGrant(ctx, g); err != nil {
					return err
				}
			}
			if i%3 == 0 {
				names := store.Names{Given: "Ana", Family: "Arrived"}
				if _, err := tx.Claim(ctx, user, "", names, now.Add(time.Duration(random.IntN(4))*time.Minute)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return id
}

func TestPeopleInEveryOrderAreListedOnceAndAsAsked(t *testing.T) {
	rank := func(p store.Person) int64 {
		if p.Enrollment == nil {
			return 1 << 62
		}
		return p.Enrollment.Role.ID
	}
	added := func(p store.Person) time.Time {
		if p.Enrollment != nil {
			return p.Enrollment.CreatedAt
		}
		return p.Grant.GrantedAt
	}
	arrived := func(p store.Person) time.Time {
		if p.User.ClaimedAt.IsZero() {
			return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		return p.User.ClaimedAt
	}
	before := map[store.PeopleOrder]func(a, b store.Person) int{
		store.ByName:    func(a, b store.Person) int { return 0 },
		store.ByRole:    func(a, b store.Person) int { return cmp.Compare(rank(a), rank(b)) },
		store.ByAdded:   func(a, b store.Person) int { return added(a).Compare(added(b)) },
		store.ByArrival: func(a, b store.Person) int { return arrived(a).Compare(arrived(b)) },
	}
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		id := mixedCourse(t, st)
		for order, compare := range before {
			for _, down := range []bool{false, true} {
				for _, limit := range []int{1, 7, 200} {
					q := store.PeopleQuery{CourseID: id, Order: order, Down: down, Limit: limit}
					list := pages(t, st, q)
					seen := map[int64]bool{}
					for _, p := range list {
						seen[p.User.ID] = true
					}
					if len(list) != 91 || len(seen) != 91 {
						t.Fatalf("order %d, down %v, in pages of %d: %d rows of %d people, want 91", order, down, limit, len(list), len(seen))
					}
					if !slices.IsSortedFunc(list, func(a, b store.Person) int {
						c := cmp.Or(compare(a, b), cmp.Compare(a.Cursor.SortKey, b.Cursor.SortKey), cmp.Compare(a.User.ID, b.User.ID))
						if down {
							return -c
						}
						return c
					}) {
						t.Errorf("order %d, down %v: not in order", order, down)
					}
				}
			}
		}
	})
}

func TestPeopleAreFoundByWhatTheyMayDo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		id := mixedCourse(t, st)
		everybody := pages(t, st, store.PeopleQuery{CourseID: id, Limit: 200})
		for _, info := range lms.Privileges() {
			var want []int64
			for _, p := range everybody {
				if p.Member.Effective().Has(info.Privilege) {
					want = append(want, p.User.ID)
				}
			}
			if len(want) == 0 || len(want) == len(everybody) {
				t.Fatalf("%s tells nobody from anybody", info.Privilege)
			}
			for _, order := range []store.PeopleOrder{store.ByName, store.ByArrival, store.ByRole} {
				got := idsOf(pages(t, st, store.PeopleQuery{CourseID: id, Privilege: info.Privilege, Order: order, Limit: 9}))
				if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
					t.Errorf("%s in order %d: %d people, want %d", info.Privilege, order, len(got), len(want))
				}
			}
			// Together with another filter.
			for _, p := range pages(t, st, store.PeopleQuery{CourseID: id, Privilege: info.Privilege, Role: "student", Status: lms.StatusPending, Limit: 50}) {
				if !p.Member.Effective().Has(info.Privilege) || p.Enrollment.Role.Key != "student" || !p.User.Pending() {
					t.Errorf("%s among pending students finds %s", info.Privilege, p.User.Email)
				}
			}
		}
	})
}
