package store

import (
	"context"
	"fmt"
	"time"

	"matricula/internal/lms"
)

// PeopleQuery asks for a page of a course's people. The zero values of its
// filters do not filter, and the zero order is that of the sort keys.
type PeopleQuery struct {
	CourseID  int64
	Enrolled  bool   // leave out those who have privileges but no role
	Role      string // a role's key
	Status    lms.UserStatus
	Group     PeopleGroup
	Privilege lms.Privilege // who may do this, by role or by themselves
	Section   int64         // only who is in this section; NoSection: in none
	Within    lms.IDs       // only who is in one of these sections, and Self; empty: everybody
	Self      int64
	Search    string // folded with lms.FoldSearch; a part of a name or an address
	Order     PeopleOrder
	Down      bool // the reverse
	After     PeopleCursor
	Limit     int
}

// NoSection asks for people who are in no section.
const NoSection = -1

// PeopleGroup is staff, students (whoever is no staff), or both.
type PeopleGroup int

// The groups.
const (
	Everybody PeopleGroup = iota
	StaffOnly
	StudentsOnly
)

// PeopleOrder is by what a list of people is ordered. Those who are equal in
// it follow in the order of their names.
type PeopleOrder int

// The orders.
const (
	ByName    PeopleOrder = iota
	ByRole                // the highest first, those without a role last
	ByAdded               // when they were added, or given what they may do
	ByArrival             // their first sign-in, those who have not arrived last
)

// PeopleCursor is the last person of the page before: the zero cursor begins.
type PeopleCursor struct {
	Role    int64     // of ByRole
	Time    time.Time // of ByAdded and ByArrival
	SortKey string
	UserID  int64
}

// peopleShape picks one of the statements for a query: only what changes the
// plan is a shape, everything else is a parameter.
type peopleShape struct {
	order PeopleOrder
	down  bool
	wide  bool // asks for roles or grants, so that they are joined first
}

var peopleStatements = map[peopleShape]*statement{}

func init() {
	for order := range peopleOrders {
		for _, down := range []bool{false, true} {
			for _, wide := range []bool{false, true} {
				sh := peopleShape{order, down, wide || order == ByRole || order == ByAdded}
				if peopleStatements[sh] == nil {
					peopleStatements[sh] = stmt(peopleText(sh)).eachTime()
				}
			}
		}
	}
}

// peopleOrders are what each order compares before the name.
var peopleOrders = map[PeopleOrder]string{
	ByName:    "1",
	ByRole:    "coalesce(en.role_id, {last})",
	ByAdded:   "coalesce(en.created_at, p.granted_at, {never})",
	ByArrival: "coalesce(u.claimed_at, {never})",
}

// withinSections holds for users u, with the enrollment en, who are in one of the
// sections of a parameter or are a user themselves; for everybody when it lists
// none.
func withinSections(sections, self string) string {
	return `(` + sections + ` = '[]' OR u.id = ` + self + ` OR en.section_id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:` + sections + `}))`
}

// peopleText first finds the page among all who are in the course, with as
// little as that takes, and then reads all about those on it.
func peopleText(sh peopleShape) string {
	key, sign, direction := peopleOrders[sh.order], ">", "ASC"
	if sh.down {
		sign, direction = "<", "DESC"
	}
	joins, filters := "", ""
	if sh.wide {
		joins = joinMembershipIn("$1")
		filters = `
			AND ($10 = '' OR r.key = $10)
			AND ($11 = 0 OR ($11 = 1) = (coalesce(r.privileges, '[]') <> '[]' OR coalesce(p.allow, '[]') <> '[]'))
			AND ($12 = '[]' OR (r.is_preset AND r.key = 'owner') OR (
				EXISTS (SELECT 1 FROM {rows:$12} WHERE coalesce(r.privileges, '') || coalesce(p.allow, '') LIKE '%"' || (j.value->>0) || '"%')
				AND NOT EXISTS (SELECT 1 FROM {rows:$13} WHERE coalesce(p.deny, '') LIKE '%"' || (j.value->>0) || '"%')))
			AND ($14 = 0 OR coalesce(en.section_id, -1) = $14)
			AND ` + withinSections("$15", "$16")
	}
	return `
		SELECT ` + memberColumns + `, u.sort_key, t.k
		FROM (
			SELECT u.id, u.sort_key, ` + key + ` AS k
			FROM (
				SELECT user_id FROM enrollments WHERE course_id = $1
				UNION ALL
				SELECT g.user_id FROM course_privileges g WHERE g.course_id = $1 AND $2 = 0
					AND NOT EXISTS (SELECT 1 FROM enrollments x WHERE x.course_id = $1 AND x.user_id = g.user_id)
			) m
			JOIN users u ON u.id = m.user_id` + joins + `
			WHERE ($3 = '' OR u.status = $3)
				AND ($4 = '' OR u.search_key LIKE $4 ESCAPE '\')
				AND ($5 = 0 OR (` + key + `, u.sort_key, u.id) ` + sign + ` ($6, $7, $8))` + filters + `
			ORDER BY k ` + direction + `, u.sort_key ` + direction + `, u.id ` + direction + ` LIMIT $9
		) t
		JOIN users u ON u.id = t.id` + joinEmail + joinMembershipIn("$1") + `
		ORDER BY t.k ` + direction + `, t.sort_key ` + direction + `, t.id ` + direction
}

// Person is a member with the place where the list can be continued.
type Person struct {
	lms.Member
	Cursor PeopleCursor
}

// People lists a course's people.
func (tx *Tx) People(ctx context.Context, q PeopleQuery) ([]Person, error) {
	pattern := ""
	if q.Search != "" {
		pattern = likePattern(q.Search)
	}
	sh := peopleShape{q.Order, q.Down, q.Role != "" || q.Group != Everybody || q.Privilege != "" || q.Order == ByRole || q.Order == ByAdded || q.Section != 0 || q.Within != ""}
	args := []any{
		q.CourseID, flag(q.Enrolled), string(q.Status), pattern, flag(q.After.UserID != 0), q.After.key(q.Order), q.After.SortKey, q.After.UserID, q.Limit,
	}
	if sh.wide {
		givers, deniers := privilegeLists(q.Privilege)
		args = append(args, q.Role, int(q.Group), givers, deniers, q.Section, idList(q.Within.List()), q.Self)
	}
	rows, err := tx.query(ctx, peopleStatements[sh], args...)
	list, err := collect(rows, err, func(r scanner) (p Person, err error) {
		m := memberScan{}
		err = r.Scan(append(m.dest(), &p.Cursor.SortKey, p.Cursor.dest(q.Order))...)
		p.Member = m.member()
		p.Cursor.UserID = m.user.ID
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("list people of course %d: %w", q.CourseID, err)
	}
	return list, nil
}

// key is the cursor's place in an order, in the type that the database compares.
func (c *PeopleCursor) key(o PeopleOrder) any {
	switch o {
	case ByRole:
		return c.Role
	case ByAdded, ByArrival:
		return at(c.Time)
	}
	return 1
}

func (c *PeopleCursor) dest(o PeopleOrder) any {
	switch o {
	case ByRole:
		return &c.Role
	case ByAdded, ByArrival:
		return timestamp{&c.Time}
	}
	return new(int64)
}

// privilegeLists are the privileges of which one gives p, and those of which a
// denial of one takes it away, as lists for {rows}; both are empty for none.
func privilegeLists(p lms.Privilege) (givers, deniers string) {
	if p == "" {
		return "[]", "[]"
	}
	give, deny := [][1]lms.Privilege{}, [][1]lms.Privilege{}
	for _, g := range lms.GivenBy(p) {
		give = append(give, [1]lms.Privilege{g})
	}
	for _, d := range lms.DeniedBy(p) {
		deny = append(deny, [1]lms.Privilege{d})
	}
	return mustJSON(give), mustJSON(deny)
}

var sqlRosterAddresses = stmt(`SELECT e.address FROM (
		SELECT user_id FROM enrollments WHERE course_id = $1
		UNION
		SELECT user_id FROM course_privileges WHERE course_id = $1
	) m JOIN users u ON u.id = m.user_id JOIN emails e ON e.user_id = u.id AND e.is_primary
	LEFT JOIN enrollments en ON en.course_id = $1 AND en.user_id = u.id
	WHERE ` + withinSections("$2", "$3"))

// RosterAddresses lists the addresses of a course's people; of some sections alone
// when these are given, and then of self.
func (tx *Tx) RosterAddresses(ctx context.Context, courseID int64, within lms.IDs, self int64) ([]lms.Email, error) {
	rows, err := tx.query(ctx, sqlRosterAddresses, courseID, idList(within.List()), self)
	list, err := collect(rows, err, func(r scanner) (e lms.Email, err error) { return e, r.Scan((*string)(&e)) })
	if err != nil {
		return nil, fmt.Errorf("list addresses of course %d: %w", courseID, err)
	}
	return list, nil
}

// PeopleCounts counts a course's people.
type PeopleCounts struct{ All, Staff, Pending int64 }

var sqlPeopleCounts = stmt(`
	SELECT count(*),
		count(CASE WHEN coalesce(r.privileges, '[]') <> '[]' OR coalesce(p.allow, '[]') <> '[]' THEN 1 END),
		count(CASE WHEN u.status = 'pending' THEN 1 END)
	FROM (
		SELECT user_id FROM enrollments WHERE course_id = $1
		UNION
		SELECT user_id FROM course_privileges WHERE course_id = $1
	) m
	JOIN users u ON u.id = m.user_id
	JOIN courses c ON c.id = $1` + joinMembership + `
	WHERE ` + withinSections("$2", "$3")).eachTime()

// PeopleCounts counts a course's people, its staff and those who have not
// arrived; of some sections alone when these are given, and then self.
func (tx *Tx) PeopleCounts(ctx context.Context, courseID int64, within lms.IDs, self int64) (n PeopleCounts, err error) {
	if _, err := tx.one(ctx, sqlPeopleCounts, []any{courseID, idList(within.List()), self}, &n.All, &n.Staff, &n.Pending); err != nil {
		return n, fmt.Errorf("count people of course %d: %w", courseID, err)
	}
	return n, nil
}
