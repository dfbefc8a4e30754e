package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"matricula/internal/lms"
)

var (
	endsOfCourses = stmt(portionEnds("courses", "id"))
	// A course that a roster source made waits for its teachers, see ADR 0032 and the
	// administrators' page of courses without an owner.
	sqlOwnerless = stmt(`SELECT c.id FROM courses c WHERE c.id > $1 AND c.id <= $2 AND c.deleted_at IS NULL AND ` + isOrphaned + `
		AND c.id NOT IN (SELECT local_id FROM sourced_ids WHERE kind = 'course')`)
	// Whatever may leave a course without an owner says so in its entry.
	sqlOrphanings = stmt(`SELECT a.after FROM audit_entries a WHERE a.action IN ('user.update', 'user.erase', 'user.merge')
		AND a.outcome = 'done' AND a.after LIKE '%orphaned_courses%'`)
)

// checkOwners looks for courses without an active owner of which nobody was
// told. The entries are read last, so that one is there whenever its course was
// seen without an owner.
func checkOwners(ctx context.Context, tx *Tx, f *findings) error {
	var without []int64
	err := f.eachPortion(ctx, tx, endsOfCourses, func(above, to int64) error {
		rows, err := tx.query(ctx, sqlOwnerless, above, to)
		return each(rows, err, func(r scanner) error {
			var id int64
			err := r.Scan(&id)
			without = append(without, id)
			return err
		})
	})
	if err != nil || len(without) == 0 {
		return err
	}
	told := map[int64]bool{}
	rows, err := tx.query(ctx, sqlOrphanings)
	err = each(rows, err, func(r scanner) error {
		var after struct {
			Orphaned []int64 `json:"orphaned_courses"`
		}
		err := r.Scan(jsonValue{&after})
		for _, id := range after.Orphaned {
			told[id] = true
		}
		return err
	})
	for _, id := range without {
		if !told[id] {
			f.broken(fmt.Sprintf("course %d", id))
		}
	}
	return err
}

// grantsAtOnce is for how many grants the audit is read at once.
const grantsAtOnce = 500

var (
	endsOfGrants = stmt(portionEnds("course_privileges", "course_id"))
	sqlGrantsIn  = stmt(`SELECT p.course_id, p.user_id, p.allow, p.deny, p.granted_by, p.granted_at, u.kind, u.site_role
		FROM course_privileges p JOIN users u ON u.id = p.granted_by WHERE p.course_id > $1 AND p.course_id <= $2 ORDER BY p.course_id, p.user_id`)
	// What the audit says about people's places and site roles.
	sqlPlaceEntries = stmt(`SELECT a.id, a.at, a.actor_id, a.action, a.subject_id, a.course_id, a.before, a.after
		FROM {rows:$1} JOIN audit_entries a ON a.subject_id = CAST(j.value->>0 AS BIGINT)
		WHERE a.outcome = 'done' AND a.action IN ('enrollment.add', 'enrollment.change', 'enrollment.remove', 'enrollment.restore', 'enrollment.end',
			'privileges.set', 'grant.confirm', 'course.create', 'course.copy', 'course.hand-over', 'user.name', 'user.update', 'user.merge', 'claim.approve')
		ORDER BY a.id`)
	sqlSplitOfThese = stmt(`SELECT m.id FROM {rows:$1} JOIN merges m ON m.kept_id = CAST(j.value->>0 AS BIGINT) AND m.state = 'split'`)
	// Also of a merge that was split: what was changed in between stays with who was kept.
	sqlMergedIntoThese = stmt(`WITH RECURSIVE accounts (person, account) AS (
			SELECT CAST(j.value->>0 AS BIGINT), CAST(j.value->>0 AS BIGINT) FROM {rows:$1}
			UNION SELECT a.person, m.gone_id FROM accounts a JOIN merges m ON m.kept_id = a.account AND m.done_at IS NOT NULL
		) SELECT person, account FROM accounts WHERE person <> account`)
)

// givenGrant is a grant with what is known of who gave it.
type givenGrant struct {
	lms.Grant
	kind     lms.UserKind
	siteRole lms.SiteRole
}

// checkGrants compares what is given beside roles with the audit.
func checkGrants(ctx context.Context, tx *Tx, f *findings) error {
	return f.eachPortion(ctx, tx, endsOfGrants, func(above, to int64) error {
		rows, err := tx.query(ctx, sqlGrantsIn, above, to)
		list, err := collect(rows, err, func(r scanner) (g givenGrant, err error) {
			err = r.Scan(&g.CourseID, &g.UserID, privileges{&g.Allow}, privileges{&g.Deny}, &g.GrantedBy, timestamp{&g.GrantedAt}, &g.kind, &g.siteRole)
			return g, err
		})
		if err != nil {
			return err
		}
		for some := range slices.Chunk(list, grantsAtOnce) {
			h, err := tx.histories(ctx, some)
			if err != nil {
				return err
			}
			for _, g := range some {
				if fault := h.fault(g); fault != "" {
					f.broken(fmt.Sprintf("what user %d gave user %d in course %d %s", g.GrantedBy, g.UserID, g.CourseID, fault))
				}
			}
		}
		return nil
	})
}

// histories are what the audit says of accounts, oldest first, and of which accounts
// somebody is made: entries stay with the account that they were written about, also
// when it was merged.
type histories struct {
	entries  map[int64][]placeEntry
	accounts map[int64][]int64
	split    map[int64]bool // merges that were split, of which the entries do not tell what went back
}

// of lists the accounts of somebody.
func (h histories) of(person int64) []int64 { return append([]int64{person}, h.accounts[person]...) }

type placeEntry struct {
	id, actor, course int64
	at                time.Time
	action            string
	before, after     placeRecord
}

// placeRecord is how entries show a place or a site role.
type placeRecord struct {
	Role     *string          `json:"role"`
	Allow    *[]lms.Privilege `json:"allow"`
	Deny     *[]lms.Privilege `json:"deny"`
	SiteRole lms.SiteRole     `json:"site_role"`
	Merge    int64            `json:"merge"`
}

func (p placeRecord) allow() lms.PrivilegeSet { return setOrNone(p.Allow) }
func (p placeRecord) deny() lms.PrivilegeSet  { return setOrNone(p.Deny) }
func (p placeRecord) grants() bool            { return p.Allow != nil || p.Deny != nil }

func setOrNone(list *[]lms.Privilege) lms.PrivilegeSet {
	if list == nil {
		return 0
	}
	return lms.SetOf(*list...)
}

func (tx *Tx) histories(ctx context.Context, grants []givenGrant) (histories, error) {
	asked := map[int64]bool{lms.SystemUserID: true} // of whom nothing needs to be known
	var people [][1]int64
	for _, g := range grants {
		for _, id := range []int64{g.UserID, g.GrantedBy} {
			if !asked[id] {
				asked[id] = true
				people = append(people, [1]int64{id})
			}
		}
	}
	h := histories{entries: make(map[int64][]placeEntry, len(people)), accounts: map[int64][]int64{}, split: map[int64]bool{}}
	if len(people) == 0 {
		return h, nil
	}
	rows, err := tx.query(ctx, sqlMergedIntoThese, mustJSON(people))
	err = each(rows, err, func(r scanner) error {
		var into, id int64
		err := r.Scan(&into, &id)
		h.accounts[into] = append(h.accounts[into], id)
		people = append(people, [1]int64{id})
		return err
	})
	if err != nil {
		return h, err
	}
	rows, err = tx.query(ctx, sqlSplitOfThese, mustJSON(people))
	err = each(rows, err, func(r scanner) error {
		var id int64
		err := r.Scan(&id)
		h.split[id] = true
		return err
	})
	if err != nil {
		return h, err
	}
	rows, err = tx.query(ctx, sqlPlaceEntries, mustJSON(people))
	return h, each(rows, err, func(r scanner) error {
		var e placeEntry
		var subject int64
		var before, after string
		if err := r.Scan(&e.id, timestamp{&e.at}, &e.actor, &e.action, &subject, number{&e.course}, &before, &after); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(before), &e.before); err != nil {
			return fmt.Errorf("audit entry %d: %w", e.id, err)
		}
		if err := json.Unmarshal([]byte(after), &e.after); err != nil {
			return fmt.Errorf("audit entry %d: %w", e.id, err)
		}
		h.entries[subject] = append(h.entries[subject], e)
		return nil
	})
}

// fault tells what is wrong with a grant, as far as the audit tells.
func (h histories) fault(g givenGrant) string {
	fault := "is not on record"
	if g.UserID == g.GrantedBy {
		fault = "they gave themselves"
	}
	for _, account := range h.of(g.UserID) {
		for _, e := range h.entries[account] {
			merged := e.action == "user.merge"
			if e.course != g.CourseID || (e.actor == account && !merged) || !slices.Contains(h.of(g.GrantedBy), e.actor) || !e.at.Equal(g.GrantedAt) ||
				e.after.allow() != g.Allow || e.after.deny() != g.Deny {
				continue
			}
			if e.actor == account {
				return "" // it waited for an address that they have proved, and was given by others
			}
			changed := (e.before.allow() ^ g.Allow) | (e.before.deny() ^ g.Deny)
			if g.kind == lms.KindService || h.held(g, e.actor, e.id).Contains(changed) {
				return ""
			}
			fault = "is more than they held then"
		}
	}
	return fault
}

// held is what the giver of a grant held in the course before an entry: the
// audit read from its beginning. A role of the course's own may have been
// changed since, and counts as any. What they held by a merge that was split counts, and
// what they held without it.
func (h histories) held(g givenGrant, giver, before int64) lms.PrivilegeSet {
	held := h.heldWith(g, giver, before, true)
	if len(h.split) > 0 {
		held |= h.heldWith(g, giver, before, false)
	}
	return held
}

func (h histories) heldWith(g givenGrant, giver, before int64, splitToo bool) lms.PrivilegeSet {
	site, told := lms.SiteMember, false
	role := ""
	var allow, deny lms.PrivilegeSet
	for _, e := range h.entries[giver] {
		switch {
		case e.id >= before, !splitToo && h.split[e.after.Merge]:
		case e.course == 0:
			if e.after.SiteRole != "" {
				site, told = e.after.SiteRole, true
			}
		case e.course != g.CourseID:
		case e.action == "course.create", e.action == "course.copy":
			role = lms.RoleOwner
		case e.after.Role == nil && !e.after.grants():
			if e.before.Role != nil || e.before.grants() {
				role, allow, deny = "", 0, 0
			}
		default:
			if e.after.Role != nil {
				role = *e.after.Role
			}
			if e.after.grants() {
				allow, deny = e.after.allow(), e.after.deny()
			}
		}
	}
	if site == lms.SiteAdmin || (!told && g.siteRole == lms.SiteAdmin) || role == lms.RoleOwner {
		return lms.AllPrivileges()
	}
	return lms.Effective(rolePrivileges(role), allow, deny)
}

// rolePrivileges is what a role gives, by its key.
func rolePrivileges(key string) lms.PrivilegeSet {
	for _, r := range lms.PresetRoles() {
		if r.Key == key {
			return r.Privileges
		}
	}
	if key == "" {
		return 0
	}
	return lms.AllPrivileges()
}
