package store_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"matricula/internal/lms"
	"matricula/internal/store"
	"matricula/internal/store/storetest"
)

// pages reads all pages of a course's people.
func pages(t *testing.T, st *store.Store, q store.PeopleQuery) []store.Person {
	t.Helper()
	var all []store.Person
	for {
		list, err := st.Reader().People(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) > q.Limit {
			t.Fatalf("a page of %d has %d people", q.Limit, len(list))
		}
		all = append(all, list...)
		if len(list) < q.Limit {
			return all
		}
		q.After = list[len(list)-1].Cursor
	}
}

func idsOf(people []store.Person) []int64 {
	ids := make([]int64, len(people))
	for i, p := range people {
		ids[i] = p.User.ID
	}
	return ids
}

// manyPeople names people whose names collide, differ by accents and come in
// several scripts, and gives their ids.
func manyPeople(t *testing.T, st *store.Store, n int) []int64 {
	t.Helper()
	families := []string{"Müller", "Muller", "müller", "Ångström", "Zola", "zola", "Ørsted", "李", "Иванов", "O'Brien", "O’Brien", "", "de la Cruz", "de  la Cruz", "Ñuñez", "\U0001f393"}
	people := make([]store.Naming, n)
	for i := range people {
		people[i] = store.Naming{Address: lms.Email(fmt.Sprintf("p%04d@uni.example", i)), FamilyName: families[i%len(families)], GivenName: []string{"Ana", "Bo", ""}[i%3]}
	}
	ids := make([]int64, n)
	write(t, st, func(tx *store.Tx) error {
		named, err := tx.NamePeople(ctx, lms.SystemUserID, now, people)
		for i, p := range people {
			ids[i] = named[p.Address].UserID
		}
		return err
	})
	return ids
}

func TestPagesOfAnyLengthHaveEveryPersonOnceInTheSameOrder(t *testing.T) {
	orders := map[string][]string{}
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		ids := manyPeople(t, st, 120)
		_, roles := course(t, st, "Algorithms")
		enroll(t, st, roles["student"], slices.Sorted(slices.Values(ids))...)
		q := store.PeopleQuery{CourseID: roles["student"].CourseID, Limit: 1000}
		whole := pages(t, st, q)
		if got, want := slices.Sorted(slices.Values(idsOf(whole))), slices.Sorted(slices.Values(ids)); !slices.Equal(got, want) {
			t.Fatalf("the list has %d of %d people", len(got), len(want))
		}
		if !slices.IsSortedFunc(whole, func(a, b store.Person) int {
			return cmp.Or(cmp.Compare(a.Cursor.SortKey, b.Cursor.SortKey), cmp.Compare(a.User.ID, b.User.ID))
		}) {
			t.Error("the list is not in the order of its sort keys, byte by byte, then ids")
		}
		for _, limit := range []int{1, 2, 7, 50, 119, 120, 121} {
			q.Limit = limit
			if got := pages(t, st, q); !slices.Equal(idsOf(got), idsOf(whole)) {
				t.Errorf("in pages of %d, the list differs", limit)
			}
		}
		for _, p := range whole {
			orders[db.Engine] = append(orders[db.Engine], p.Cursor.SortKey)
		}
	})
	if !slices.Equal(orders[storetest.SQLite], orders[storetest.PostgreSQL]) {
		t.Error("the engines sort differently")
	}
}

func TestPeopleWhoComeAndGoWhileSomebodyTurnsThePagesHideNobodyElse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		ids := manyPeople(t, st, 60)
		id, roles := course(t, st, "Algorithms")
		slices.Sort(ids)
		enroll(t, st, roles["student"], ids[:40]...)
		var got []int64
		q := store.PeopleQuery{CourseID: id, Limit: 5}
		rest := ids[40:]
		gone := map[int64]bool{}
		for {
			list, err := st.Reader().People(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, idsOf(list)...)
			if len(list) < q.Limit {
				break
			}
			q.After = list[len(list)-1].Cursor
			// The person at the cursor leaves, and somebody new comes.
			leaves := q.After.UserID
			gone[leaves] = true
			write(t, st, func(tx *store.Tx) error { return tx.RemoveMembers(ctx, id, []int64{leaves}, lms.SystemUserID, now) })
			if len(rest) > 0 {
				enroll(t, st, roles["student"], rest[0])
				rest = rest[1:]
			}
		}
		seen := map[int64]int{}
		for _, id := range got {
			seen[id]++
		}
		for _, id := range ids[:40] {
			if seen[id] != 1 {
				t.Errorf("person %d, who was there from the beginning, was seen %d times", id, seen[id])
			}
		}
	})
}

// searched are people as the search tests need them: by address, with names.
var searched = []store.Naming{
	{Address: "percent100@uni.example", GivenName: "100% Sure", FamilyName: "Person"},
	{Address: "under_score@uni.example", GivenName: "Under_Score", FamilyName: `Back\slash`},
	{Address: "underxscore@uni.example", GivenName: "UnderXScore", FamilyName: "Slash"},
	{Address: "quote@uni.example", GivenName: `Jo "The Quote" Ann`, FamilyName: "O'Brien"},
	{Address: "star@uni.example", GivenName: "Star * Wild", FamilyName: "NEAR(a b)"},
	{Address: "ana@uni.example", GivenName: "Ána", FamilyName: "Müller"},
	{Address: "anna@uni.example", GivenName: "Anna", FamilyName: "Mueller"},
	{Address: "li@uni.example", GivenName: "小龙", FamilyName: "李"},
	{Address: "ivan@uni.example", GivenName: "Иван", FamilyName: "Ёлкин"},
	{Address: "emoji@uni.example", GivenName: "Grad 🎓", FamilyName: "Straße"},
	{Address: "turk@uni.example", GivenName: "İpek", FamilyName: "Işık"},
	{Address: "ab@uni.example", GivenName: "Al", FamilyName: "Bo"},
	{Address: "semi@uni.example", GivenName: "Robert'); DROP", FamilyName: "TABLE users;--"},
	{Address: "ligature@uni.example", GivenName: "ﬁona", FamilyName: "Ｗｉｄｅ"},
}

// searches are what people type, each with the addresses that it must find:
// literally, whatever the characters mean to a database.
var searches = map[string][]string{
	"%":             {"percent100"},
	"0%":            {"percent100"},
	"100%":          {"percent100"},
	"%%":            nil,
	"_":             {"under_score"},
	"r_s":           {"under_score"},
	"under_score":   {"under_score"},
	"____":          nil,
	`\`:             {"under_score"},
	`k\s`:           {"under_score"},
	`\\`:            nil,
	`"`:             {"quote"},
	`"the quote"`:   {"quote"},
	`"the" "quote"`: nil,
	`o'b`:           {"quote"},
	`'`:             {"quote", "semi"},
	`''`:            nil,
	"*":             {"star"},
	"st*":           nil,
	"star *":        {"star"},
	"near(a b)":     {"star"},
	"NEAR":          {"star"},
	"ana AND ana":   nil,
	"anna OR ana":   nil,
	"search_key:an": nil,
	"ana":           {"ana"},
	"ANA":           {"ana"},
	"ána":           {"ana"},
	"muller":        {"ana"},
	"MÜLLER":        {"ana"},
	"mueller":       {"anna"},
	"an":            {"ana", "anna", "ivan", "quote"},
	"李":             {"li"},
	"小龙":            {"li"},
	"小龙 李":          {"li"},
	"иван":          {"ivan"},
	"ИВА":           {"ivan"},
	"елкин":         {"ivan"}, // Ё folds to е, as accents do
	"🎓":             {"emoji"},
	"d 🎓":           {"emoji"},
	"straße":        {"emoji"},
	"strasse":       nil, // ß is a letter of its own
	"ipek":          {"turk"},
	"IŞIK":          {"turk"},
	"al bo":         {"ab"},
	"l b":           {"ab"},
	"table users;":  {"semi"},
	"');":           {"semi"},
	"fiona":         {"ligature"},
	"wide":          {"ligature"},
	"ab@uni":        {"ab"},
	"b@uni.example": {"ab"},
	"xyzzy":         nil,
	".*":            nil,
	"[a-z]":         nil,
	"$1":            nil,
	"?":             nil,
}

func nameSearched(t *testing.T, st *store.Store) []int64 {
	t.Helper()
	var ids []int64
	write(t, st, func(tx *store.Tx) error {
		ids = nil
		named, err := tx.NamePeople(ctx, lms.SystemUserID, now, searched)
		for _, n := range named {
			ids = append(ids, n.UserID)
		}
		return err
	})
	slices.Sort(ids)
	return ids
}

func local(e lms.Email) string {
	l, _, _ := strings.Cut(string(e), "@")
	return l
}

func TestF16EverySearchIsLiteralOnBothEnginesThroughEveryIndex(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		ids := nameSearched(t, st)
		id, roles := course(t, st, "Algorithms")
		enroll(t, st, roles["student"], ids...)
		for typed, want := range searches {
			folded := lms.FoldSearch(typed)
			slices.Sort(want)
			check := func(how string, got []string) {
				slices.Sort(got)
				if !slices.Equal(got, want) {
					t.Errorf("%q %s finds %v, want %v", typed, how, got, want)
				}
			}
			all, err := st.Reader().Directory(ctx, store.DirectoryQuery{Search: folded, All: true, Limit: 100})
			if err != nil {
				t.Errorf("%q: %v", typed, err)
			}
			check("in the whole table", membersLocal(all))
			some, err := st.Reader().Directory(ctx, store.DirectoryQuery{Search: folded, Courses: []int64{id}, Limit: 100})
			if err != nil {
				t.Errorf("%q: %v", typed, err)
			}
			check("among the people of a course", membersLocal(some))
			var roster []string
			for _, p := range pages(t, st, store.PeopleQuery{CourseID: id, Search: folded, Limit: 100}) {
				roster = append(roster, local(p.User.Email))
			}
			check("in the roster", roster)
		}
	})
}

func membersLocal(list []lms.Member) []string {
	var out []string
	for _, m := range list {
		out = append(out, local(m.User.Email))
	}
	return out
}

// TestBothEnginesFindTheSamePeopleByOneTwoAndThreeLetters searches random
// parts of random names, as short as they come, and compares with a plain
// search of the texts.
func TestBothEnginesFindTheSamePeopleByOneTwoAndThreeLetters(t *testing.T) {
	letters := []rune("abAB%_\\\"' é小🎓")
	random := rand.New(rand.NewPCG(1, 2))
	word := func(n int) string {
		out := make([]rune, n)
		for i := range out {
			out[i] = letters[random.IntN(len(letters))]
		}
		return string(out)
	}
	people := make([]store.Naming, 60)
	for i := range people {
		people[i] = store.Naming{Address: lms.Email(fmt.Sprintf("q%d@x.example", i)), GivenName: word(4), FamilyName: word(3)}
	}
	var typed []string
	for n := 1; n <= 4; n++ {
		for range 60 {
			typed = append(typed, word(n))
		}
	}
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		write(t, st, func(tx *store.Tx) error {
			_, err := tx.NamePeople(ctx, lms.SystemUserID, now, people)
			return err
		})
		found := 0
		for _, s := range typed {
			folded := lms.FoldSearch(s)
			if folded == "" {
				continue
			}
			var want []string
			for _, p := range people {
				if strings.Contains(lms.SearchKey(p.Address, p.GivenName, p.FamilyName, ""), folded) {
					want = append(want, local(p.Address))
				}
			}
			list, err := st.Reader().Directory(ctx, store.DirectoryQuery{Search: folded, All: true, Limit: 100})
			if err != nil {
				t.Fatalf("%q: %v", s, err)
			}
			got := membersLocal(list)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%q finds %v, want %v", s, got, want)
			}
			found += len(got)
		}
		if found < 100 {
			t.Errorf("all searches together found %d people: they try nothing", found)
		}
	})
}

func TestTheRosterFiltersByRoleStatusAndGroup(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		id, roles := course(t, st, "Algorithms")
		other, otherRoles := course(t, st, "Botany")
		owner := active(t, st, "owner@uni.example")
		student := active(t, st, "student@uni.example")
		waiting := nameOne(t, st, "waiting@uni.example")
		helper := nameOne(t, st, "helper@uni.example") // privileges, but no role
		denied := nameOne(t, st, "denied@uni.example") // a denial, and no role
		enroll(t, st, roles["owner"], owner)
		enroll(t, st, roles["student"], student, waiting)
		enroll(t, st, otherRoles["student"], nameOne(t, st, "elsewhere@uni.example"))
		grant := func(user int64, allow, deny lms.PrivilegeSet) {
			write(t, st, func(tx *store.Tx) error {
				return tx.SetGrant(ctx, lms.Grant{UserID: user, CourseID: id, Allow: allow, Deny: deny, GrantedBy: owner, GrantedAt: now})
			})
		}
		grant(helper, lms.SetOf(lms.RosterView), 0)
		grant(denied, 0, lms.SetOf(lms.AuditView))
		for name, c := range map[string]struct {
			q    store.PeopleQuery
			want string
		}{
			"everybody":         {store.PeopleQuery{}, "denied helper owner student waiting"},
			"enrolled":          {store.PeopleQuery{Enrolled: true}, "owner student waiting"},
			"role":              {store.PeopleQuery{Role: "student"}, "student waiting"},
			"status":            {store.PeopleQuery{Status: lms.StatusPending}, "denied helper waiting"},
			"staff":             {store.PeopleQuery{Group: store.StaffOnly}, "helper owner"},
			"students":          {store.PeopleQuery{Group: store.StudentsOnly}, "denied student waiting"},
			"role and status":   {store.PeopleQuery{Role: "student", Status: lms.StatusActive}, "student"},
			"staff who arrived": {store.PeopleQuery{Group: store.StaffOnly, Status: lms.StatusActive}, "owner"},
			"no such role":      {store.PeopleQuery{Role: "tutor"}, ""},
		} {
			c.q.CourseID, c.q.Limit = id, 50
			var got []string
			for _, p := range pages(t, st, c.q) {
				got = append(got, local(p.User.Email))
			}
			slices.Sort(got)
			if strings.Join(got, " ") != c.want {
				t.Errorf("%s: %v, want %s", name, got, c.want)
			}
		}
		counts, err := st.Reader().PeopleCounts(ctx, id, "", 0)
		if want := (store.PeopleCounts{All: 5, Staff: 2, Pending: 3}); err != nil || counts != want {
			t.Errorf("counts %+v, want %+v (%v)", counts, want, err)
		}
		if counts, err := st.Reader().PeopleCounts(ctx, other, "", 0); err != nil || counts.All != 1 {
			t.Errorf("counts of the other course: %+v (%v)", counts, err)
		}
	})
}

// TestTheDirectoryShowsOnlyWhomItIsTold builds a small school and asks with
// every shape of the query who is seen.
func TestTheDirectoryShowsOnlyWhomItIsTold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		mine, myRoles := course(t, st, "Mine")
		theirs, theirRoles := course(t, st, "Theirs")
		person := map[string]int64{}
		for _, name := range []string{"me", "mystudent", "myhelper", "theirteacher", "theirstudent", "theirhelper", "siteteacher", "nobody", "erased"} {
			person[name] = active(t, st, name+"@uni.example")
		}
		enroll(t, st, myRoles["teacher"], person["me"])
		enroll(t, st, myRoles["student"], person["mystudent"])
		enroll(t, st, theirRoles["teacher"], person["theirteacher"])
		enroll(t, st, theirRoles["student"], person["theirstudent"])
		enroll(t, st, myRoles["student"], person["erased"])
		write(t, st, func(tx *store.Tx) error {
			for _, g := range []lms.Grant{
				{UserID: person["myhelper"], CourseID: mine, Allow: lms.SetOf(lms.RosterView)},
				{UserID: person["theirhelper"], CourseID: theirs, Allow: lms.SetOf(lms.RosterView)},
			} {
				g.GrantedBy, g.GrantedAt = person["me"], now
				if err := tx.SetGrant(ctx, g); err != nil {
					return err
				}
			}
			if err := tx.SetStatus(ctx, person["erased"], lms.StatusErased); err != nil {
				return err
			}
			if _, _, err := tx.ServiceAccount(ctx, "robot uni", lms.SiteTeacher, lms.SystemUserID, now); err != nil {
				return err
			}
			return tx.SetSiteRole(ctx, person["siteteacher"], lms.SiteTeacher)
		})
		me := person["me"]
		const everyone = "me myhelper mystudent nobody siteteacher theirhelper theirstudent theirteacher"
		for name, c := range map[string]struct {
			q    store.DirectoryQuery
			want string
		}{
			"nothing but oneself":        {store.DirectoryQuery{Caller: me}, "me"},
			"one's courses":              {store.DirectoryQuery{Caller: me, Courses: []int64{mine}}, "me myhelper mystudent"},
			"one's courses and one more": {store.DirectoryQuery{Caller: me, Courses: []int64{mine}, Exact: person["nobody"]}, "me myhelper mystudent nobody"},
			"staff":                      {store.DirectoryQuery{Caller: me, Courses: []int64{mine}, Staff: true}, "me myhelper mystudent siteteacher theirhelper theirteacher"},
			"everybody":                  {store.DirectoryQuery{Caller: me, All: true}, everyone},
			"with services":              {store.DirectoryQuery{Caller: me, All: true, Services: true, Search: "robot"}, "robot uni"},
			"who has privileges":         {store.DirectoryQuery{All: true, CourseID: mine, HasPrivileges: true}, "me myhelper"},
			"pending":                    {store.DirectoryQuery{All: true, Status: lms.StatusPending}, ""},
		} {
			for _, search := range []string{"", "un", "uni.example"} {
				q := c.q
				if q.Search == "" {
					q.Search = search
				}
				var got []string
				for q.Limit = 3; ; {
					list, err := st.Reader().Directory(ctx, q)
					if err != nil {
						t.Fatal(err)
					}
					for _, m := range list {
						got = append(got, cmp.Or(local(m.User.Email), m.User.Name))
						q.After = m.User.ID
					}
					if len(list) < q.Limit {
						break
					}
				}
				slices.Sort(got)
				if strings.Join(got, " ") != c.want {
					t.Errorf("%s, searching %q: %v, want %s", name, search, got, c.want)
				}
			}
		}
		for who, want := range map[string][2]bool{ // seen without, and with, staff
			"mystudent": {true, true}, "myhelper": {true, true}, "theirteacher": {false, true}, "theirhelper": {false, true},
			"theirstudent": {false, false}, "siteteacher": {false, true}, "nobody": {false, false},
		} {
			for i, staff := range []bool{false, true} {
				if got, err := st.Reader().Sees(ctx, person[who], []int64{mine}, staff); err != nil || got != want[i] {
					t.Errorf("%s is seen: %v, want %v (staff %v, %v)", who, got, want[i], staff, err)
				}
			}
		}
	})
}

func TestTheDirectoryDecoratesWithThePlaceInACourse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		id, roles := course(t, st, "Algorithms")
		grace := nameOne(t, st, "grace@uni.example")
		enroll(t, st, roles["assistant"], grace)
		g := lms.Grant{UserID: grace, CourseID: id, Allow: lms.SetOf(lms.AuditView), Deny: lms.SetOf(lms.RosterManage), GrantedBy: lms.SystemUserID, GrantedAt: now}
		write(t, st, func(tx *store.Tx) error { return tx.SetGrant(ctx, g) })
		list, err := st.Reader().Directory(ctx, store.DirectoryQuery{All: true, CourseID: id, Limit: 5})
		if err != nil || len(list) != 1 || list[0].Enrollment == nil || list[0].Grant == nil {
			t.Fatalf("%+v (%v)", list, err)
		}
		m := list[0]
		wantRole := roles["assistant"]
		if m.Enrollment.Role != wantRole || m.Enrollment.CourseID != id || m.Enrollment.AddedBy != lms.SystemUserID || !m.Enrollment.CreatedAt.Equal(now) || m.Enrollment.Source != lms.SourceManual {
			t.Errorf("enrollment %+v", *m.Enrollment)
		}
		if *m.Grant != g {
			t.Errorf("grant %+v, want %+v", *m.Grant, g)
		}
		if want := lms.SetOf(lms.RosterView, lms.AuditView); m.Effective() != want {
			t.Errorf("may do %v, want %v", m.Effective().List(), want.List())
		}
		if list, err := st.Reader().Directory(ctx, store.DirectoryQuery{All: true, Limit: 5}); err != nil || list[0].Enrollment != nil || list[0].Grant != nil {
			t.Errorf("without a course, %+v (%v)", list[0], err)
		}
	})
}
