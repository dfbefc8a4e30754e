package store

import (
	"context"
	"fmt"

	"matricula/internal/lms"
)

// DirectoryQuery asks for a page of the user table, in the order of ids. The
// zero values of its filters do not filter.
type DirectoryQuery struct {
	Search        string // folded with lms.FoldSearch; a part of a name or an address
	Status        lms.UserStatus
	CourseID      int64 // decorates each user with their place in this course
	HasPrivileges bool  // only who has a role with privileges, or own privileges, in CourseID
	Services      bool  // also service accounts
	After         int64
	Limit         int

	// Who may be seen. All sees everybody; else the caller, Exact, everybody in
	// Courses, and with Staff whoever teaches somewhere.
	All     bool
	Caller  int64
	Exact   int64
	Courses []int64
	Staff   bool
}

// directoryShape picks one of the statements for a query: only what changes
// the plan is a shape, everything else is a parameter.
type directoryShape struct{ search, indexed, all, staff bool }

var directoryStatements = map[directoryShape]*statement{}

func init() {
	for _, search := range []bool{false, true} {
		for _, indexed := range []bool{false, true} {
			for _, all := range []bool{false, true} {
				for _, staff := range []bool{false, true} {
					sh := directoryShape{search, indexed, all, staff}
					if (indexed && !search) || (staff && all) {
						continue
					}
					directoryStatements[sh] = stmtFor(directoryText(engineSQLite, sh), directoryText(enginePostgres, sh))
				}
			}
		}
	}
}

// isStaff holds for users u who teach somewhere.
const isStaff = `(u.site_role <> 'member'
	OR EXISTS (SELECT 1 FROM enrollments x JOIN course_roles y ON y.id = x.role_id WHERE x.user_id = u.id AND y.privileges <> '[]')
	OR EXISTS (SELECT 1 FROM course_privileges x WHERE x.user_id = u.id AND x.allow <> '[]'))`

// inCourses holds for users u who are in one of the courses of a parameter.
func inCourses(param string) string {
	courses := `(SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:` + param + `})`
	return `(EXISTS (SELECT 1 FROM enrollments x WHERE x.user_id = u.id AND x.course_id IN ` + courses + `)
		OR EXISTS (SELECT 1 FROM course_privileges x WHERE x.user_id = u.id AND x.course_id IN ` + courses + `))`
}

var sqlSees = stmt(`SELECT u.id FROM users u WHERE u.id = $1 AND u.kind = 'person'
	AND (` + inCourses("$2") + ` OR ($3 = 1 AND ` + isStaff + `))`)

// Sees tells whether a user is in one of the courses or, when staff counts,
// teaches somewhere.
func (tx *Tx) Sees(ctx context.Context, userID int64, courses []int64, staff bool) (bool, error) {
	var id int64
	ok, err := tx.one(ctx, sqlSees, []any{userID, idList(courses), flag(staff)}, &id)
	if err != nil {
		return false, fmt.Errorf("look for user %d: %w", userID, err)
	}
	return ok, nil
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// idList is a list of ids as a parameter of {rows}.
func idList(ids []int64) string {
	list := make([][1]int64, len(ids))
	for i, id := range ids {
		list[i][0] = id
	}
	return mustJSON(list)
}

func directoryText(e engine, sh directoryShape) string {
	from, where, id := "users u", "CAST($1 AS TEXT) = ''", "u.id"
	if sh.search {
		from, where = e.searchFrom(sh.indexed, "$1")
		id = e.idColumn(sh.indexed)
	}
	visible := "CAST($8 AS BIGINT) = $8 AND CAST($9 AS BIGINT) = $9 AND CAST($10 AS TEXT) = $10"
	if !sh.all {
		staff := "FALSE"
		if sh.staff {
			staff = isStaff
		}
		visible = `(u.id = $8 OR u.id = $9 OR ` + inCourses("$10") + ` OR ` + staff + `)`
	}
	return `SELECT ` + memberColumns + ` FROM ` + from + joinEmail + `
		` + joinMembershipIn("$2") + `
		WHERE ` + where + ` AND ` + id + ` > $3 AND u.status <> 'erased'
			AND ($4 = '' OR u.status = $4)
			AND ($5 = 0 OR coalesce(r.privileges, '[]') <> '[]' OR coalesce(p.allow, '[]') <> '[]')
			AND ($6 = 1 OR u.kind = 'person')
			AND ` + visible + `
		ORDER BY ` + id + ` LIMIT $7`
}

// Directory lists users whom the caller may see.
func (tx *Tx) Directory(ctx context.Context, q DirectoryQuery) ([]lms.Member, error) {
	sh := directoryShape{search: q.Search != "", all: q.All, staff: q.Staff && !q.All}
	arg := ""
	if sh.search {
		sh.indexed = len([]rune(q.Search)) >= minIndexedSearch
		arg = tx.engine.searchArg(q.Search)
	}
	rows, err := tx.query(ctx, directoryStatements[sh], arg, q.CourseID, q.After, string(q.Status), flag(q.HasPrivileges), flag(q.Services),
		q.Limit, q.Caller, q.Exact, idList(q.Courses))
	list, err := collect(rows, err, scanMember)
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	return list, nil
}
