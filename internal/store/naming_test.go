package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"matricula/internal/lms"
	"matricula/internal/store"
	"matricula/internal/store/storetest"
)

// tenSpellings are ten ways in which people type one address.
func tenSpellings(local, domain string) []string {
	up := func(s string) string { return string(s[0]-'a'+'A') + s[1:] }
	return []string{
		local + "@" + domain, up(local) + "@" + domain, local + "@" + up(domain), up(local) + "@" + up(domain),
		"  " + local + "@" + domain, local + "@" + domain + "\r", "\ufeff" + local + "@" + domain, local + "@" + domain + "\u00a0",
		"\t" + up(local) + "@" + domain + "\n", " " + local + "@" + up(domain) + " ",
	}
}

// nodes opens a database as often as the engine allows: SQLite has one program
// on its file, PostgreSQL as many as one likes.
func nodes(t *testing.T, db *storetest.Database, n int) []*store.Store {
	t.Helper()
	if db.Engine == storetest.SQLite {
		n = 1
	}
	list := make([]*store.Store, n)
	for i := range list {
		list[i] = db.Open(t)
	}
	return list
}

func TestD01FiftySimultaneousNamingsOfOneAddressMakeOnePersonAndFiftySuccesses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		nodes := nodes(t, db, 3)
		raw := db.SQL(t)
		for round := range 10 {
			spellings := tenSpellings(fmt.Sprintf("grace%d", round), "uni.example")
			ids, errs, created := make([]int64, 50), make([]error, 50), make([]bool, 50)
			together(50, func(i int) {
				typed := spellings[i%len(spellings)]
				address, err := lms.ParseEmail(typed)
				if err != nil {
					errs[i] = err
					return
				}
				errs[i] = nodes[i%len(nodes)].Write(ctx, func(ctx context.Context, tx *store.Tx) error {
					named, err := tx.NamePeople(ctx, lms.SystemUserID, now, []store.Naming{{Address: address, AsTyped: typed}})
					ids[i], created[i] = named[address].UserID, named[address].Created
					return err
				})
			})
			if err := errors.Join(errs...); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			if distinct := slices.Compact(slices.Sorted(slices.Values(ids))); len(distinct) != 1 {
				t.Fatalf("round %d: one address led to the people %v", round, distinct)
			}
			makers := 0
			for _, c := range created {
				if c {
					makers++
				}
			}
			if makers != 1 {
				t.Errorf("round %d: %d of fifty were told that they named somebody new, want 1", round, makers)
			}
			if n := storetest.Query1[int](t, raw, `SELECT count(*) FROM users WHERE kind = 'person'`); n != round+1 {
				t.Fatalf("round %d: there are %d people, want %d", round, n, round+1)
			}
		}
		if n := storetest.Query1[int](t, raw, `SELECT count(*) FROM emails`); n != 10 {
			t.Errorf("there are %d addresses, want 10", n)
		}
	})
}

func TestNamingLongListsThatOverlapInOppositeOrdersNeitherDeadlocksNorDoubles(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		nodes := nodes(t, db, 3)
		const lists, size, step = 12, 200, 40
		results := make([]map[lms.Email]store.Named, lists)
		errs := make([]error, lists)
		begun := time.Now()
		together(lists, func(i int) {
			people := make([]store.Naming, size)
			for j := range people {
				typed := fmt.Sprintf("student%04d@uni.example", i*step+j)
				people[j] = store.Naming{Address: lms.Email(typed), AsTyped: typed}
			}
			switch i % 3 {
			case 1:
				slices.Reverse(people)
			case 2:
				rand.Shuffle(size, func(a, b int) { people[a], people[b] = people[b], people[a] })
			}
			errs[i] = nodes[i%len(nodes)].Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
				results[i], err = tx.NamePeople(ctx, lms.SystemUserID, now, people)
				return err
			})
		})
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		// A deadlock would be found by PostgreSQL after a second and retried;
		// that the lists wait in one order keeps it from happening at all.
		if db.Engine == storetest.PostgreSQL {
			n := storetest.Query1[int](t, db.SQL(t), `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`)
			if n != 0 {
				t.Errorf("%d deadlocks within %v", n, time.Since(begun))
			}
		}
		holder, created := map[lms.Email]int64{}, 0
		for _, r := range results {
			if len(r) != size {
				t.Errorf("a list of %d got %d answers", size, len(r))
			}
			for address, n := range r {
				if first, known := holder[address]; known && first != n.UserID {
					t.Fatalf("%s is person %d for one and %d for another", address, first, n.UserID)
				}
				holder[address] = n.UserID
				if n.Created {
					created++
				}
			}
		}
		want := (lists-1)*step + size
		people := storetest.Query1[int](t, db.SQL(t), `SELECT count(*) FROM users WHERE status = 'pending'`)
		if len(holder) != want || created != want || people != want {
			t.Errorf("%d addresses, %d told as new, %d people; want %d of each", len(holder), created, people, want)
		}
	})
}

func TestNamingMakesAPendingPersonWithWhatIsKnownOfThem(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		by := active(t, st, "ada@uni.example")
		var id int64
		write(t, st, func(tx *store.Tx) error {
			n := store.Naming{Address: "grace@uni.example", AsTyped: " Grace@Uni.Example", GivenName: "Grace", FamilyName: "Hopper"}
			named, err := tx.NamePeople(ctx, by, now, []store.Naming{n})
			id = named[n.Address].UserID
			return err
		})
		u, ok, err := st.Reader().User(ctx, id)
		if err != nil || !ok {
			t.Fatalf("read the person: %v %v", ok, err)
		}
		want := lms.User{
			ID: id, Kind: lms.KindPerson, Status: lms.StatusPending, SiteRole: lms.SiteMember, Email: "grace@uni.example",
			GivenName: "Grace", FamilyName: "Hopper", CreatedBy: by, CreatedAt: now,
		}
		if u != want {
			t.Errorf("got  %+v\nwant %+v", u, want)
		}
		if typed := storetest.Query1[string](t, db.SQL(t), `SELECT as_typed FROM emails WHERE user_id = $1`, id); typed != " Grace@Uni.Example" {
			t.Errorf("as typed: %q", typed)
		}
	})
}

func TestNamingAKnownPersonChangesNothingAboutThem(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		id := active(t, st, "grace@uni.example")
		changes := db.WatchChanges(t)
		if again := nameOne(t, st, "GRACE@uni.example"); again != id {
			t.Errorf("named again, she is person %d, not %d", again, id)
		}
		if got := changes(); len(got) != 0 {
			t.Errorf("naming a known person wrote %v", got)
		}
	})
}

func TestNamesThatLookLikeJSONOrSQLAreKeptAsTheyAre(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		for i, name := range []string{`"]`, `\u0000`, `'; DROP TABLE users; --`, `Ünï <b>&amp;</b>`, "👩‍🏫", `$1 {rows:$1} {lock}`, `null`, "line\u2028separator"} {
			address := lms.Email(fmt.Sprintf("n%d@uni.example", i))
			var id int64
			write(t, st, func(tx *store.Tx) error {
				named, err := tx.NamePeople(ctx, lms.SystemUserID, now, []store.Naming{{Address: address, AsTyped: name, GivenName: name, FamilyName: name}})
				id = named[address].UserID
				return err
			})
			if u, _, err := st.Reader().User(ctx, id); err != nil || u.GivenName != name || u.FamilyName != name {
				t.Errorf("%q came back as %q %q (%v)", name, u.GivenName, u.FamilyName, err)
			}
		}
	})
}

func TestD03OfTwoClaimsOfOnePersonExactlyOneWins(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		nodes := nodes(t, db, 2)
		for round := range 50 {
			typed := fmt.Sprintf("v%d@uni.example", round)
			id := nameOne(t, nodes[0], typed)
			won := make([]bool, 2)
			errs := make([]error, 2)
			together(2, func(i int) {
				errs[i] = nodes[i%len(nodes)].Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
					won[i], err = tx.Claim(ctx, id, lms.Email(typed), store.Names{Given: fmt.Sprint(i)}, now)
					return err
				})
			})
			if err := errors.Join(errs...); err != nil {
				t.Fatal(err)
			}
			if won[0] == won[1] {
				t.Fatalf("round %d: both were told %v", round, won[0])
			}
			u, _, err := nodes[0].Reader().User(ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			winner := "0"
			if won[1] {
				winner = "1"
			}
			if u.Status != lms.StatusActive || u.GivenName != winner || !u.ClaimedAt.Equal(now) {
				t.Errorf("round %d: after the claim of %s: %+v", round, winner, u)
			}
		}
	})
}

func TestAServiceAccountIsFoundAgainByItsName(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		make1 := func() (id int64, created bool) {
			write(t, st, func(tx *store.Tx) (err error) {
				id, created, err = tx.ServiceAccount(ctx, "grade sync", lms.SiteTeacher, lms.SystemUserID, now)
				return err
			})
			return id, created
		}
		first, created := make1()
		second, again := make1()
		if !created || again || first != second {
			t.Errorf("first %d (created %v), then %d (created %v)", first, created, second, again)
		}
		u, _, err := st.Reader().User(ctx, first)
		if err != nil || u.Kind != lms.KindService || u.Status != lms.StatusActive || u.SiteRole != lms.SiteTeacher || u.Email != "" || u.Name != "grade sync" {
			t.Errorf("the account is %+v (%v)", u, err)
		}
		// Ids come from one row of numbers: the next person is somebody else.
		if id := nameOne(t, st, "next@uni.example"); id <= first {
			t.Errorf("the next person has the id %d, after the account's %d", id, first)
		}
	})
}
