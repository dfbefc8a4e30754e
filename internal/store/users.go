package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"matricula/internal/lms"
)

// userColumns are the columns of users u with its primary address in emails e,
// in the order of scanUser.
const userColumns = `u.id, u.kind, u.status, u.site_role, e.address, u.given_name, u.family_name, u.name,
	u.created_by, u.created_at, u.claimed_at, u.last_seen_at, u.language`

const joinEmail = ` LEFT JOIN emails e ON e.user_id = u.id AND e.is_primary`

func userDest(u *lms.User) []any {
	return []any{
		&u.ID, &u.Kind, &u.Status, &u.SiteRole,
		text{(*string)(&u.Email)},
		&u.GivenName, &u.FamilyName, &u.Name,
		&u.CreatedBy,
		timestamp{&u.CreatedAt},
		timestamp{&u.ClaimedAt},
		timestamp{&u.LastSeenAt},
		&u.Language,
	}
}

var sqlUser = stmt(`SELECT ` + userColumns + ` FROM users u` + joinEmail + ` WHERE u.id = $1 AND u.status <> 'erased'`)

// User reads one user who was not erased; ok is false when there is none.
func (tx *Tx) User(ctx context.Context, id int64) (u lms.User, ok bool, err error) {
	ok, err = tx.one(ctx, sqlUser, []any{id}, userDest(&u)...)
	if err != nil {
		return u, false, fmt.Errorf("read user %d: %w", id, err)
	}
	return u, ok, nil
}

var sqlUserByAddress = stmt(`SELECT ` + userColumns + `
	FROM emails a JOIN users u ON u.id = a.user_id` + joinEmail + ` WHERE a.address = $1`)

// UserByAddress reads the user to whom an address belongs, be it their primary
// address or another.
func (tx *Tx) UserByAddress(ctx context.Context, address lms.Email) (u lms.User, ok bool, err error) {
	ok, err = tx.one(ctx, sqlUserByAddress, []any{string(address)}, userDest(&u)...)
	if err != nil {
		return u, false, fmt.Errorf("read user by address: %w", err)
	}
	return u, ok, nil
}

const addressHolders = `SELECT a.address, a.user_id FROM {rows:$1} JOIN emails a ON a.address = j.value->>0`

// Whoever is about to give something to the holder of an address holds the address
// until then: nobody corrects it meanwhile, and what was meant for one address does
// not get to another.
var (
	sqlAddressHolders = stmt(addressHolders)
	sqlHoldAddresses  = stmtFor(addressHolders, addressHolders+` FOR KEY SHARE OF a`)
)

// Naming is a person named by address, by whoever may name people.
type Naming struct {
	Address    lms.Email
	AsTyped    string // as it was typed, for display only
	GivenName  string
	FamilyName string
}

// Pending is the person that the naming makes when nobody has the address.
func (n Naming) Pending(id, by int64, now time.Time) lms.User {
	return lms.User{
		ID: id, Kind: lms.KindPerson, Status: lms.StatusPending, SiteRole: lms.SiteMember, Email: n.Address,
		GivenName: n.GivenName, FamilyName: n.FamilyName, CreatedBy: by, CreatedAt: at(now),
	}
}

// Named is who an address belongs to.
type Named struct {
	UserID  int64
	Created bool // the person did not exist before
}

// insertNamed adds the addresses that nobody has, and a pending person for
// each, and returns only those that it added. The unique address decides, so
// that of any number of simultaneous namings of one address one adds it and
// the others find it.
//
// On PostgreSQL one statement does it all, in the order of the addresses, so
// that two lists cannot wait for each other in a circle. SQLite has one writer
// and no data-modifying CTEs: there the ids are taken first.
var (
	namedRow = `SELECT j.value->>0 AS address, j.value->>1 AS as_typed, j.value->>2 AS given_name, j.value->>3 AS family_name,
		j.value->>4 AS search_key, j.value->>5 AS sort_key`
	sqlInsertNamedPostgres = stmtFor(`SELECT 1 WHERE $1 = $2 AND $2 = $3`, `
		WITH input AS MATERIALIZED (
			SELECT nextval('users_id_seq') AS id, r.* FROM (`+namedRow+` FROM {rows:$1} ORDER BY 1) r
		), added AS (
			INSERT INTO emails (address, user_id, as_typed, is_primary, created_at)
			SELECT address, id, as_typed, TRUE, $3 FROM input ORDER BY address
			ON CONFLICT (address) DO NOTHING RETURNING address, user_id
		), people AS (
			INSERT INTO users (id, kind, status, site_role, given_name, family_name, search_key, sort_key, created_by, created_at)
			SELECT id, 'person', 'pending', 'member', given_name, family_name, search_key, sort_key, $2, $3
			FROM input WHERE id IN (SELECT user_id FROM added)
		)
		SELECT address, user_id FROM added`)

	sqlLastUserID       = stmtFor(`SELECT seq FROM sqlite_sequence WHERE name = 'users'`, `SELECT last_value FROM users_id_seq`)
	sqlInsertNamedUsers = stmt(`
		INSERT INTO users (id, kind, status, site_role, given_name, family_name, search_key, sort_key, created_by, created_at)
		SELECT CAST(j.value->>6 AS BIGINT), 'person', 'pending', 'member', j.value->>2, j.value->>3, j.value->>4, j.value->>5, $2, $3
		FROM {rows:$1}`)
	sqlInsertNamedEmails = stmt(`
		INSERT INTO emails (address, user_id, as_typed, is_primary, created_at)
		SELECT j.value->>0, CAST(j.value->>6 AS BIGINT), j.value->>1, TRUE, $2 FROM {rows:$1}`)
)

// NamePeople finds the people to whom addresses belong and makes a pending
// person for each address that nobody has. Addresses must be distinct. The
// result has an entry for each.
func (tx *Tx) NamePeople(ctx context.Context, by int64, now time.Time, people []Naming) (map[lms.Email]Named, error) {
	found := make(map[lms.Email]Named, len(people))
	if err := tx.findAddresses(ctx, sqlHoldAddresses, people, found); err != nil {
		return nil, err
	}
	return found, tx.NameUnknown(ctx, by, now, people, found)
}

// NameUnknown is NamePeople for whoever has looked up the addresses before, in the
// same transaction, and holds in found whose they are.
func (tx *Tx) NameUnknown(ctx context.Context, by int64, now time.Time, people []Naming, found map[lms.Email]Named) error {
	// The second round is about those whom somebody else named in between.
	for range 3 {
		people = slices.DeleteFunc(slices.Clone(people), func(n Naming) bool { _, ok := found[n.Address]; return ok })
		if len(people) == 0 {
			return nil
		}
		slices.SortFunc(people, func(a, b Naming) int { return strings.Compare(string(a.Address), string(b.Address)) })
		added, err := tx.insertNamed(ctx, by, now, people)
		if err != nil {
			return fmt.Errorf("name %d people: %w", len(people), err)
		}
		for address, id := range added {
			found[address] = Named{UserID: id, Created: true}
		}
		if len(added) == len(people) {
			return nil
		}
		if err := tx.findAddresses(ctx, sqlHoldAddresses, people, found); err != nil {
			return err
		}
	}
	return fmt.Errorf("name %d people: addresses came and went", len(people))
}

// AddressHolders tells whose addresses these are; nobody's are left out.
func (tx *Tx) AddressHolders(ctx context.Context, addresses []lms.Email) (map[lms.Email]int64, error) {
	return tx.addressHolders(ctx, sqlAddressHolders, addresses)
}

// HoldAddresses is AddressHolders for whoever is about to give something to the
// holders: until the transaction ends, these addresses stay theirs.
func (tx *Tx) HoldAddresses(ctx context.Context, addresses []lms.Email) (map[lms.Email]int64, error) {
	return tx.addressHolders(ctx, sqlHoldAddresses, addresses)
}

func (tx *Tx) addressHolders(ctx context.Context, st *statement, addresses []lms.Email) (map[lms.Email]int64, error) {
	people := make([]Naming, len(addresses))
	for i, a := range addresses {
		people[i].Address = a
	}
	found := make(map[lms.Email]Named, len(addresses))
	if err := tx.findAddresses(ctx, st, people, found); err != nil {
		return nil, err
	}
	holders := make(map[lms.Email]int64, len(found))
	for a, n := range found {
		holders[a] = n.UserID
	}
	return holders, nil
}

func (tx *Tx) findAddresses(ctx context.Context, st *statement, people []Naming, found map[lms.Email]Named) error {
	if len(people) == 0 {
		return nil
	}
	list := make([][1]string, len(people))
	for i, p := range people {
		list[i][0] = string(p.Address)
	}
	rows, err := tx.query(ctx, st, mustJSON(list))
	_, err = collect(rows, err, func(r scanner) (struct{}, error) {
		var address string
		var id int64
		err := r.Scan(&address, &id)
		if _, ok := found[lms.Email(address)]; !ok {
			found[lms.Email(address)] = Named{UserID: id}
		}
		return struct{}{}, err
	})
	if err != nil {
		return fmt.Errorf("find %d addresses: %w", len(people), err)
	}
	return nil
}

func (tx *Tx) insertNamed(ctx context.Context, by int64, now time.Time, people []Naming) (map[lms.Email]int64, error) {
	var base int64
	if tx.engine == engineSQLite {
		if _, err := tx.one(ctx, sqlLastUserID, nil, &base); err != nil {
			return nil, err
		}
	}
	list := make([][7]any, len(people))
	added := make(map[lms.Email]int64, len(people))
	for i, p := range people {
		id := base + int64(i) + 1
		list[i] = [7]any{
			string(p.Address), p.AsTyped, p.GivenName, p.FamilyName,
			lms.SearchKey(p.Address, p.GivenName, p.FamilyName, ""), lms.SortKey(p.Address, p.GivenName, p.FamilyName, ""), id,
		}
	}
	param := mustJSON(list)
	if tx.engine == enginePostgres {
		if len(people) >= manyPeople {
			if err := tx.forgetPlans(ctx); err != nil {
				return nil, err
			}
		}
		rows, err := tx.query(ctx, sqlInsertNamedPostgres, param, by, at(now))
		_, err = collect(rows, err, func(r scanner) (struct{}, error) {
			var address string
			var id int64
			err := r.Scan(&address, &id)
			added[lms.Email(address)] = id
			return struct{}{}, err
		})
		return added, err
	}
	if _, err := tx.exec(ctx, sqlInsertNamedUsers, param, by, at(now)); err != nil {
		return nil, err
	}
	if _, err := tx.exec(ctx, sqlInsertNamedEmails, param, at(now)); err != nil {
		return nil, err
	}
	for i, p := range people {
		tx.search.add(searchEntry{id: base + int64(i) + 1, key: list[i][4].(string), added: true})
		added[p.Address] = base + int64(i) + 1
	}
	return added, nil
}

var (
	sqlClaim = stmt(`UPDATE users SET status = 'active', claimed_at = $2, last_seen_at = $2,
			given_name = $3, family_name = $4, name = $5, search_key = $6, sort_key = $7
		WHERE id = $1 AND status = 'pending' AND EXISTS (SELECT 1 FROM emails a WHERE a.address = $8 AND a.user_id = $1)`)
	sqlLockAddress   = stmt(`SELECT address FROM emails WHERE address = $1 {lock}`)
	sqlVerifyAddress = stmt(`UPDATE emails SET verified_at = $2 WHERE address = $1 AND verified_at IS NULL`)
)

// Names are what a person is called.
type Names struct{ Given, Family, Full string }

// Claim makes a pending person active. It is a compare-and-set: won is false
// when the person is no longer pending, or the address no longer theirs. Nothing
// that refers to the person is written. The address is the one that was proven; it is
// locked first, as by whoever corrects it.
func (tx *Tx) Claim(ctx context.Context, id int64, address lms.Email, n Names, now time.Time) (won bool, err error) {
	if err := tx.lock(ctx, "lock address", sqlLockAddress, string(address)); err != nil {
		return false, fmt.Errorf("lock the address of user %d: %w", id, err)
	}
	count, err := tx.exec(ctx, sqlClaim, id, at(now), n.Given, n.Family, n.Full,
		lms.SearchKey(address, n.Given, n.Family, n.Full), lms.SortKey(address, n.Given, n.Family, n.Full), string(address))
	if err != nil {
		return false, fmt.Errorf("claim user %d: %w", id, err)
	}
	if count == 0 {
		return false, nil
	}
	if err := tx.later(ctx, "verify address", sqlVerifyAddress, string(address), at(now)); err != nil {
		return false, fmt.Errorf("verify address of user %d: %w", id, err)
	}
	tx.search.add(searchEntry{id: id, key: lms.SearchKey(address, n.Given, n.Family, n.Full)})
	return true, nil
}

var sqlSetUserNames = stmt(`UPDATE users SET given_name = $2, family_name = $3, name = $4, search_key = $5, sort_key = $6 WHERE id = $1`)

// SetNames changes what a person is called.
func (tx *Tx) SetNames(ctx context.Context, u lms.User, n Names) error {
	key := lms.SearchKey(u.Email, n.Given, n.Family, n.Full)
	if _, err := tx.exec(ctx, sqlSetUserNames, u.ID, n.Given, n.Family, n.Full, key, lms.SortKey(u.Email, n.Given, n.Family, n.Full)); err != nil {
		return fmt.Errorf("set names of user %d: %w", u.ID, err)
	}
	tx.search.add(searchEntry{id: u.ID, key: key})
	return nil
}

var (
	sqlSetSiteRole = stmt(`UPDATE users SET site_role = $2 WHERE id = $1`)
	sqlSetStatus   = stmt(`UPDATE users SET status = $2 WHERE id = $1`)
	sqlSeen        = stmt(`UPDATE users SET last_seen_at = $2 WHERE id = $1`)
	sqlSetLanguage = stmt(`UPDATE users SET language = $2 WHERE id = $1`)
)

// SetSiteRole changes what somebody may do outside of courses.
func (tx *Tx) SetSiteRole(ctx context.Context, id int64, role lms.SiteRole) error {
	if _, err := tx.exec(ctx, sqlSetSiteRole, id, string(role)); err != nil {
		return fmt.Errorf("set site role of user %d: %w", id, err)
	}
	return nil
}

// SetStatus changes a user's status. The database refuses to make a claimed
// account pending again.
func (tx *Tx) SetStatus(ctx context.Context, id int64, status lms.UserStatus) error {
	if _, err := tx.exec(ctx, sqlSetStatus, id, string(status)); err != nil {
		return fmt.Errorf("set status of user %d: %w", id, err)
	}
	return nil
}

// Seen records that a person used Matricula.
func (tx *Tx) Seen(ctx context.Context, id int64, now time.Time) error {
	if err := tx.later(ctx, "touch user", sqlSeen, id, at(now)); err != nil {
		return fmt.Errorf("touch user %d: %w", id, err)
	}
	return nil
}

// SetLanguage changes the language in which somebody reads; empty leaves it to
// their browser.
func (tx *Tx) SetLanguage(ctx context.Context, id int64, language string) error {
	if _, err := tx.exec(ctx, sqlSetLanguage, id, language); err != nil {
		return fmt.Errorf("set language of user %d: %w", id, err)
	}
	return nil
}

var sqlLockUser = stmt(`SELECT id FROM users WHERE id = $1 {lock}`)

// LockUser keeps others from changing a user until the transaction ends.
func (tx *Tx) LockUser(ctx context.Context, id int64) error {
	var locked int64
	if _, err := tx.one(ctx, sqlLockUser, []any{id}, &locked); err != nil {
		return fmt.Errorf("lock user %d: %w", id, err)
	}
	return nil
}

var (
	sqlServiceByName = stmt(`SELECT id FROM users WHERE kind = 'service' AND name = $1`)
	sqlInsertService = stmt(`INSERT INTO users (kind, status, site_role, name, search_key, sort_key, created_by, created_at)
		VALUES ('service', 'active', $2, $1, $3, $3, $4, $5) RETURNING id`)
)

// ServiceAccount finds or makes the service account of a name.
func (tx *Tx) ServiceAccount(ctx context.Context, name string, role lms.SiteRole, by int64, now time.Time) (id int64, created bool, err error) {
	ok, err := tx.one(ctx, sqlServiceByName, []any{name}, &id)
	if err != nil {
		return 0, false, fmt.Errorf("find service account %s: %w", name, err)
	}
	if ok {
		return id, false, nil
	}
	key := lms.FoldSearch(name)
	if _, err := tx.one(ctx, sqlInsertService, []any{name, string(role), key, by, at(now)}, &id); err != nil {
		return 0, false, fmt.Errorf("make service account %s: %w", name, err)
	}
	tx.search.add(searchEntry{id: id, key: key, added: true})
	return id, true, nil
}
