package store

import (
	"context"
	"errors"
	"fmt"

	"matricula/internal/lms"
)

// Invariant is something that holds of the data at every moment, and what was
// found where it does not. The names are those of the security plan.
type Invariant struct {
	Name       string
	Says       string
	Violations int64
	Examples   []string // up to ten, by id: never an address
}

// maxExamples bounds what is told of each invariant.
const maxExamples = 10

// invariants are all that are checked. To add one, add a line; to have one say
// more, add a check to its line. Each statement of a check sees the data at one
// moment, and checks that need several must not be misled by what happens
// between them: the program is running meanwhile.
//
// Every declared reference is looked at whatever table declares it, see
// checkReferences, so that a new table needs nothing here for that.
var invariants = []struct {
	name, says string
	checks     []check
}{
	{"I1", "one living person for each address, every address in its one form, and one primary address for each person", []check{
		{run: checkAddresses},
		inPortions("users", "id", `SELECT 'user ' || u.id FROM users u WHERE u.id > $1 AND u.id <= $2
			AND u.kind = 'person' AND u.status IN ('pending', 'active', 'suspended')
			AND NOT EXISTS (SELECT 1 FROM emails e WHERE e.user_id = u.id AND e.is_primary)`),
	}},
	{"I2", "an identity is one person's; who was only named has neither an identity nor a proven address, who has arrived has both", []check{
		inPortions("identities", "id", `SELECT 'identity ' || i.id FROM identities i WHERE i.id > $1 AND i.id <= $2
			AND (i.issuer = 'accounts.google.com' OR EXISTS (SELECT 1 FROM identities o WHERE o.issuer = i.issuer AND o.subject = i.subject AND o.id <> i.id)
				OR EXISTS (SELECT 1 FROM users u WHERE u.id = i.user_id AND u.kind = 'service'))`),
		inPortions("users", "id", `SELECT 'user ' || u.id FROM users u WHERE u.id > $1 AND u.id <= $2
			AND u.kind = 'person' AND u.status IN ('pending', 'active', 'suspended')
			AND ((u.claimed_at IS NULL) = EXISTS (SELECT 1 FROM identities i WHERE i.user_id = u.id)
				OR (u.claimed_at IS NULL) = EXISTS (SELECT 1 FROM emails e WHERE e.user_id = u.id AND e.is_primary AND e.verified_at IS NOT NULL))`),
	}},
	{"I3", "who has not arrived has no session, no token and no code for a further address and has done nothing, and who is suspended has no session", []check{
		inPortions("sessions", "id", `SELECT 'session ' || s.id || ' of user ' || u.id FROM sessions s JOIN users u ON u.id = s.user_id
			WHERE s.id > $1 AND s.id <= $2 AND (u.status IN ('pending', 'suspended') OR u.kind <> 'person')`),
		inPortions("api_tokens", "id", `SELECT 'token ' || t.id || ' of user ' || u.id FROM api_tokens t JOIN users u ON u.id = t.user_id
			WHERE t.id > $1 AND t.id <= $2 AND u.kind = 'person' AND u.claimed_at IS NULL`),
		inPortions("proofs", "id", `SELECT 'code ' || p.id || ' of user ' || u.id FROM proofs p JOIN users u ON u.id = p.user_id
			WHERE p.id > $1 AND p.id <= $2 AND p.kind = 'address' AND u.claimed_at IS NULL`),
		inPortions("users", "id", `SELECT 'user ' || u.id || ' acts in the audit' FROM users u WHERE u.id > $1 AND u.id <= $2
			AND u.kind = 'person' AND u.claimed_at IS NULL AND EXISTS (SELECT 1 FROM audit_entries a WHERE a.actor_id = u.id)`),
		// That nobody who has not arrived is named as a maker or a granter is found by checkReferences.
	}},
	{"I5", "every reference leads somewhere, none to a person is empty, and a person has one place in a course, with a role and a section of that course", []check{
		{run: checkReferences},
		inPortions("enrollments", "course_id", `SELECT 'course ' || en.course_id || ' has user ' || en.user_id || ' ' || count(*) || ' times' FROM enrollments en
			WHERE en.course_id > $1 AND en.course_id <= $2 GROUP BY en.course_id, en.user_id HAVING count(*) > 1`),
		inPortions("enrollments", "course_id", `SELECT 'user ' || en.user_id || ' in course ' || en.course_id || ' has what is of another course' FROM enrollments en
			LEFT JOIN course_roles r ON r.id = en.role_id LEFT JOIN sections s ON s.id = en.section_id
			WHERE en.course_id > $1 AND en.course_id <= $2 AND (r.course_id <> en.course_id OR s.course_id <> en.course_id)`),
	}},
	{"I6", "what was answered to a request that may be repeated was done with it", []check{
		inPortions("idempotency_keys", "user_id", `SELECT 'a request of user ' || k.user_id FROM idempotency_keys k
			WHERE k.user_id > $1 AND k.user_id <= $2 AND k.answer = ''`),
	}},
	{"I7", "every course has an owner who has arrived, or it is on record that it has none", []check{{run: checkOwners}}},
	{"I8", "what is given beside a role is on record, was given by somebody else, and the giver held it then", []check{{run: checkGrants}}},
	{"I9", "nobody is told of one thing twice, and mail that has ended holds no code", []check{
		inPortions("mails", "id", `SELECT 'mail ' || m.id FROM mails m WHERE m.id > $1 AND m.id <= $2
			AND ((m.state <> 'queued' AND m.data <> '{}') OR EXISTS (SELECT 1 FROM mails o WHERE o.event = m.event AND o.id <> m.id))`),
	}},
	{"I12", "the rows of a list that was carried out are each counted once", []check{
		{run: checkImports},
		inPortions("enrollments", "course_id", `SELECT 'user ' || en.user_id || ' in course ' || en.course_id || ' is of import ' || en.import_id || ', which is not there'
			FROM enrollments en LEFT JOIN imports i ON i.id = en.import_id
			WHERE en.course_id > $1 AND en.course_id <= $2 AND en.import_id <> 0 AND (i.id IS NULL OR i.course_id <> en.course_id)`),
	}},
	{"I13", "who was erased or merged has no address, session, token or link of a directory, who was merged no place, and no id is given twice or leads to somebody who was merged", []check{
		inPortions("users", "id", `SELECT 'user ' || u.id FROM users u WHERE u.id > $1 AND u.id <= $2 AND u.status = 'erased'
			AND (EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = u.id) OR EXISTS (SELECT 1 FROM api_tokens t WHERE t.user_id = u.id))`),
		inPortions("users", "id", `SELECT 'user ' || u.id FROM users u WHERE u.id > $1 AND u.id <= $2 AND u.merged_into IS NOT NULL
			AND (EXISTS (SELECT 1 FROM users k WHERE k.id = u.merged_into AND k.merged_into IS NOT NULL)
				OR EXISTS (SELECT 1 FROM enrollments e WHERE e.user_id = u.id) OR EXISTS (SELECT 1 FROM course_privileges p WHERE p.user_id = u.id))`),
		inPortions("directory_links", "id", `SELECT 'link ' || l.id || ' leads to user ' || u.id FROM directory_links l JOIN users u ON u.id = l.user_id
			WHERE l.id > $1 AND l.id <= $2 AND (u.status = 'erased' OR u.kind <> 'person')`),
		inPortions("directory_people", "id", `SELECT 'directory entry ' || d.id || ' is of user ' || u.id FROM directory_people d JOIN users u ON u.id = d.user_id
			WHERE d.id > $1 AND d.id <= $2 AND (u.status = 'erased' OR u.kind <> 'person')`),
		// That they have no address is found by checkAddresses.
		{run: checkNextID},
	}},
}

// check looks for violations of one invariant, or of several: by a function, or by a
// statement that selects a text for each violation among the rows of a table whose key
// lies above $1 and up to $2.
type check struct {
	run   func(context.Context, *Tx, *findings) error
	table string
	key   string
	text  string
	ends  *statement
	st    *statement
}

// findings are what the checks have found so far.
type findings struct {
	checking string // the invariant whose checks run
	tables   []tableCheck
	whole    bool // the tables are small, and all statements were run as one
	list     map[string]*Invariant
}

func (f *findings) broken(where string) { f.brokenFor(f.checking, where) }

func (f *findings) brokenFor(name, where string) {
	i := f.list[name]
	if i.Violations++; len(i.Examples) < maxExamples {
		i.Examples = append(i.Examples, where)
	}
}

// CheckInvariants looks whether the invariants hold. It reads the whole
// database, in portions, so that no statement keeps others from their work for
// long; the program may run meanwhile.
func (s *Store) CheckInvariants(ctx context.Context) ([]Invariant, error) {
	known, err := s.allChecks(ctx)
	if err != nil {
		return nil, err
	}
	f := &findings{tables: known.tables, list: make(map[string]*Invariant, len(invariants))}
	list := make([]Invariant, len(invariants))
	for i, inv := range invariants {
		list[i] = Invariant{Name: inv.name, Says: inv.says}
		f.list[inv.name] = &list[i]
	}
	if f.whole, err = s.checkWhole(ctx, known, f); err != nil {
		return nil, err
	}
	tx := s.Reader()
	for _, inv := range invariants {
		f.checking = inv.name
		for _, c := range inv.checks {
			if err := c.look(ctx, tx, f); err != nil {
				return nil, fmt.Errorf("check %s: %w", inv.name, err)
			}
		}
	}
	return list, nil
}

const (
	portion = "20000" // rows looked at by one statement
	lastKey = int64(9_000_000_000_000_000_000)
)

// inPortions is a check by one statement.
func inPortions(table, key, text string) check {
	return check{table: table, key: key, text: text, ends: stmt(portionEnds(table, key)), st: stmt(text)}
}

func (c *check) look(ctx context.Context, tx *Tx, f *findings) error {
	switch {
	case c.run != nil:
		return c.run(ctx, tx, f)
	case f.whole:
		return nil
	}
	return f.eachPortion(ctx, tx, c.ends, func(above, to int64) error {
		rows, err := tx.query(ctx, c.st, above, to)
		return each(rows, err, func(r scanner) error {
			var where string
			err := r.Scan(&where)
			f.broken(where)
			return err
		})
	})
}

// portionEnds finds the key at which a portion ends that begins above another.
func portionEnds(table, key string) string {
	return `SELECT ` + key + ` FROM ` + table + ` WHERE ` + key + ` > $1 ORDER BY ` + key + ` LIMIT 1 OFFSET ` + portion
}

// eachPortion calls look for consecutive ranges of a table's key, the last of
// which is open.
func (f *findings) eachPortion(ctx context.Context, tx *Tx, ends *statement, look func(above, to int64) error) error {
	if f.whole {
		return look(-1, lastKey)
	}
	for above := int64(-1); above < lastKey; {
		to := lastKey
		if _, err := tx.one(ctx, ends, []any{above}, &to); err != nil {
			return err
		}
		if err := look(above, to); err != nil {
			return err
		}
		above = to
	}
	return nil
}

// each runs over the rows of a query without keeping them.
func each(rows rowSet, err error, row func(scanner) error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return classify(errors.Join(rows.Err(), rows.Close()))
}

// The pair is the key, so that an address that two people have is seen also
// where a portion ends between them.
var sqlAddressesAfter = stmt(`SELECT e.address, e.user_id, u.status FROM emails e LEFT JOIN users u ON u.id = e.user_id
	WHERE e.address >= $1 AND (e.address > $1 OR e.user_id > $2) ORDER BY e.address, e.user_id LIMIT ` + portion)

// checkAddresses reads every address: only Go knows the form in which it must
// be (ADR 0019).
func checkAddresses(ctx context.Context, tx *Tx, f *findings) error {
	address, holder := "", int64(0)
	for more := true; more; {
		more = false
		rows, err := tx.query(ctx, sqlAddressesAfter, address, holder)
		err = each(rows, err, func(r scanner) error {
			more = true
			before, other := address, holder
			var status string
			if err := r.Scan(&address, &holder, text{&status}); err != nil {
				return err
			}
			if address == before {
				f.broken(fmt.Sprintf("users %d and %d have the same address", other, holder))
			}
			if lms.UserStatus(status) == lms.StatusErased {
				f.brokenFor("I13", fmt.Sprintf("user %d", holder))
			}
			if canonical, err := lms.ParseProviderEmail(address); err != nil || string(canonical) != address {
				f.broken(fmt.Sprintf("user %d has an address that is not in its one form", holder))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

var sqlHighestUserID = stmt(`SELECT COALESCE(max(id), 0) FROM users`)

// checkNextID makes sure that the next person gets an id that nobody had.
func checkNextID(ctx context.Context, tx *Tx, f *findings) error {
	var highest, last int64
	if _, err := tx.one(ctx, sqlHighestUserID, nil, &highest); err != nil {
		return err
	}
	if _, err := tx.one(ctx, sqlLastUserID, nil, &last); err != nil {
		return err
	}
	if last < highest {
		f.broken(fmt.Sprintf("the last id given out is %d, and there is a user %d", last, highest))
	}
	return nil
}
