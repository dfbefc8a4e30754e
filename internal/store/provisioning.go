package store

import (
	"context"
	"fmt"
	"time"

	"matricula/internal/lms"
)

// Provisioned is a person as a directory sees them.
type Provisioned struct {
	lms.User
	ExternalID string
	Subject    string    // to which the directory has linked them
	ChangedAt  time.Time // by the directory, else when they were named
	Known      bool      // whether the directory has ever said anything about them
	Suspended  bool      // by the directory
	HeldBack   bool      // the directory has deleted them, so that it does not see them
}

// A directory sees everybody of whom it has an entry that is not deleted, and everybody
// of whom it has none: those whom it is about to find. Of two who were merged there
// may be two entries, of which the later one counts.
const (
	provisionedColumns = userColumns + `, p.external_id, l.subject, coalesce(p.changed_at, u.claimed_at, u.created_at), p.id, CASE WHEN p.suspended THEN 1 ELSE 0 END, CASE WHEN p.deleted_at IS NULL THEN 0 ELSE 1 END`
	provisionedFrom    = ` FROM users u` + joinEmail + provisionedJoin
	provisionedJoin    = `
		LEFT JOIN directory_people p ON p.id = (SELECT x.id FROM directory_people x WHERE x.user_id = u.id AND x.directory_id = $1
			ORDER BY CASE WHEN x.deleted_at IS NULL THEN 0 ELSE 1 END, x.id DESC LIMIT 1)
		LEFT JOIN directory_links l ON l.id = (SELECT max(y.id) FROM directory_links y WHERE y.user_id = u.id AND y.directory_id = $1)`
	provisionedPeople = ` WHERE u.kind = 'person' AND u.status <> 'erased'`
	provisionedSeen   = provisionedPeople + ` AND p.deleted_at IS NULL`
)

var (
	sqlProvisioned          = stmt(`SELECT ` + provisionedColumns + provisionedFrom + provisionedPeople + ` AND u.id = $2`)
	sqlProvisionedAfter     = stmt(`SELECT ` + provisionedColumns + provisionedFrom + provisionedSeen + ` AND u.id > $2 ORDER BY u.id LIMIT $3`)
	sqlProvisionedPage      = stmt(`SELECT ` + provisionedColumns + provisionedFrom + provisionedSeen + ` ORDER BY u.id LIMIT $2 OFFSET $3`)
	sqlProvisionedCount     = stmt(`SELECT count(*) FROM users u` + provisionedJoin + provisionedSeen)
	sqlProvisionedByAddress = stmt(`SELECT ` + provisionedColumns + ` FROM emails a JOIN users u ON u.id = a.user_id` + joinEmail + provisionedJoin + provisionedSeen + ` AND a.address = $2`)
	sqlProvisionedByName    = stmt(`SELECT ` + provisionedColumns + ` FROM directory_people n JOIN users u ON u.id = n.user_id` + joinEmail + provisionedJoin + provisionedSeen + `
		AND n.directory_id = $1 AND n.external_id = $2 AND n.external_id <> ''`)

	sqlAddEntry = stmt(`INSERT INTO directory_people (directory_id, user_id, external_id, suspended, created_at, changed_at)
		SELECT $1, u.id, '', FALSE, $3, $3 FROM users u WHERE u.id = $2
			AND NOT EXISTS (SELECT 1 FROM directory_people x WHERE x.directory_id = $1 AND x.user_id = $2)`)
	sqlNoteEntry = stmt(`UPDATE directory_people SET external_id = $3, changed_at = $4, deleted_at = NULL
		WHERE id = (SELECT x.id FROM directory_people x WHERE x.directory_id = $1 AND x.user_id = $2
			ORDER BY CASE WHEN x.deleted_at IS NULL THEN 0 ELSE 1 END, x.id DESC LIMIT 1)`)
	sqlDeleteEntries = stmt(`UPDATE directory_people SET external_id = '', changed_at = $3, deleted_at = $3 WHERE directory_id = $1 AND user_id = $2 AND deleted_at IS NULL`)
	sqlMarkSuspended = stmt(`UPDATE directory_people SET suspended = $3 WHERE user_id = $2 AND ($1 = 0 OR directory_id = $1) AND suspended <> $3`)

	sqlUnlinkOf   = stmt(`DELETE FROM directory_links WHERE directory_id = $1 AND user_id = $2`)
	sqlLink       = stmt(`INSERT INTO directory_links (directory_id, issuer, claim, subject, user_id, linked_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (issuer, claim, subject) DO NOTHING`)
	sqlLinkHolder = stmt(`SELECT u.id, u.status FROM directory_links l JOIN users u ON u.id = l.user_id
		WHERE l.issuer = $1 AND ((l.claim = 'sub' AND l.subject = $2) OR (l.claim = 'oid' AND l.subject = $3)) ORDER BY l.claim LIMIT 1`)
	sqlIsLinked = stmt(`SELECT 1 FROM directory_links WHERE user_id = $1 AND issuer = $2 LIMIT 1`)

	sqlOtherAdmins = stmt(`SELECT count(*) FROM users WHERE kind = 'person' AND site_role = 'admin' AND status = 'active' AND id <> $1`)
)

func scanProvisioned(r scanner) (p Provisioned, err error) {
	var entry, suspended, deleted int64
	err = r.Scan(append(userDest(&p.User), text{&p.ExternalID}, text{&p.Subject}, timestamp{&p.ChangedAt}, number{&entry}, &suspended, &deleted)...)
	p.Known, p.Suspended, p.HeldBack = entry != 0, suspended != 0, deleted != 0
	return p, err
}

func (tx *Tx) provisioned(ctx context.Context, st *statement, args ...any) ([]Provisioned, error) {
	rows, err := tx.query(ctx, st, args...)
	list, err := collect(rows, err, scanProvisioned)
	if err != nil {
		return nil, fmt.Errorf("read people of a directory: %w", err)
	}
	return list, nil
}

// Provisioned reads a person as a directory sees them, also one whom it has deleted;
// ok is false when there is no such person.
func (tx *Tx) Provisioned(ctx context.Context, directory, id int64) (p Provisioned, ok bool, err error) {
	list, err := tx.provisioned(ctx, sqlProvisioned, directory, id)
	if err != nil || len(list) == 0 {
		return p, false, err
	}
	return list[0], true, nil
}

// ProvisionedAfter lists people with an id above after whom a directory sees.
func (tx *Tx) ProvisionedAfter(ctx context.Context, directory, after int64, limit int) ([]Provisioned, error) {
	return tx.provisioned(ctx, sqlProvisionedAfter, directory, after, limit)
}

// ProvisionedPage lists people whom a directory sees, by id.
func (tx *Tx) ProvisionedPage(ctx context.Context, directory int64, first, limit int) ([]Provisioned, error) {
	return tx.provisioned(ctx, sqlProvisionedPage, directory, limit, first)
}

// CountProvisioned counts whom a directory sees.
func (tx *Tx) CountProvisioned(ctx context.Context, directory int64) (n int, err error) {
	if _, err := tx.one(ctx, sqlProvisionedCount, []any{directory}, &n); err != nil {
		return 0, fmt.Errorf("count people of directory %d: %w", directory, err)
	}
	return n, nil
}

// ProvisionedByAddress finds whoever has an address, if the directory sees them.
func (tx *Tx) ProvisionedByAddress(ctx context.Context, directory int64, address lms.Email) ([]Provisioned, error) {
	return tx.provisioned(ctx, sqlProvisionedByAddress, directory, string(address))
}

// ProvisionedByExternalID finds whom a directory knows by an identifier of its own.
func (tx *Tx) ProvisionedByExternalID(ctx context.Context, directory int64, external string) ([]Provisioned, error) {
	return tx.provisioned(ctx, sqlProvisionedByName, directory, external)
}

// SetEntry notes what a directory calls a person, whom the transaction holds; taken
// says that it calls somebody else so, and then the transaction must be given up.
func (tx *Tx) SetEntry(ctx context.Context, directory, user int64, external string, now time.Time) (taken bool, err error) {
	if _, err := tx.exec(ctx, sqlAddEntry, directory, user, at(now)); err != nil {
		return false, fmt.Errorf("add user %d to directory %d: %w", user, directory, err)
	}
	_, err = tx.exec(ctx, sqlNoteEntry, directory, user, external, at(now))
	if isUnique(err) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("note user %d in directory %d: %w", user, directory, err)
	}
	return false, nil
}

// DeleteEntries hides a person from a directory, and takes its links to them away.
func (tx *Tx) DeleteEntries(ctx context.Context, directory, user int64, now time.Time) error {
	if _, err := tx.exec(ctx, sqlAddEntry, directory, user, at(now)); err != nil {
		return fmt.Errorf("add user %d to directory %d: %w", user, directory, err)
	}
	if _, err := tx.exec(ctx, sqlDeleteEntries, directory, user, at(now)); err != nil {
		return fmt.Errorf("hide user %d from directory %d: %w", user, directory, err)
	}
	return tx.Unlink(ctx, directory, user)
}

// MarkSuspended notes that a directory has suspended a person, or no longer; 0 stands
// for every directory.
func (tx *Tx) MarkSuspended(ctx context.Context, directory, user int64, suspended bool) error {
	if err := tx.later(ctx, "mark suspended", sqlMarkSuspended, directory, user, suspended); err != nil {
		return fmt.Errorf("mark user %d suspended: %w", user, err)
	}
	return nil
}

// Unlink takes a directory's links to a person away.
func (tx *Tx) Unlink(ctx context.Context, directory, user int64) error {
	if err := tx.later(ctx, "unlink", sqlUnlinkOf, directory, user); err != nil {
		return fmt.Errorf("unlink user %d of directory %d: %w", user, directory, err)
	}
	return nil
}

// Link says whose a subject will be, in the place of what the directory said before
// about the person; done is false when it is somebody's already, and then the
// transaction must be given up.
func (tx *Tx) Link(ctx context.Context, d lms.Directory, subject string, user int64, now time.Time) (done bool, err error) {
	if err := tx.Unlink(ctx, d.AccountID, user); err != nil {
		return false, err
	}
	n, err := tx.exec(ctx, sqlLink, d.AccountID, d.Issuer, string(d.Claim), subject, user, at(now))
	if err != nil {
		return false, fmt.Errorf("link user %d: %w", user, err)
	}
	if n == 1 {
		return true, nil
	}
	h, _, err := tx.LinkHolder(ctx, d.Issuer, subject, subject)
	return err == nil && h.UserID == user, err // another directory says the same
}

// LinkHolder tells to whom a directory has linked a subject, or an object id, of an
// issuer.
func (tx *Tx) LinkHolder(ctx context.Context, issuer, subject, objectID string) (h Holder, ok bool, err error) {
	ok, err = tx.one(ctx, sqlLinkHolder, []any{issuer, subject, objectID}, &h.UserID, &h.Status)
	if err != nil {
		return h, false, fmt.Errorf("find a link: %w", err)
	}
	return h, ok, nil
}

// Linked tells whether a directory has linked a person to a subject of an issuer.
func (tx *Tx) Linked(ctx context.Context, user int64, issuer string) (bool, error) {
	var one int64
	ok, err := tx.one(ctx, sqlIsLinked, []any{user, issuer}, &one)
	if err != nil {
		return false, fmt.Errorf("find links of user %d: %w", user, err)
	}
	return ok, nil
}

// OtherAdmins counts the people beside one who can administer the site.
func (tx *Tx) OtherAdmins(ctx context.Context, user int64) (n int64, err error) {
	if _, err := tx.one(ctx, sqlOtherAdmins, []any{user}, &n); err != nil {
		return 0, fmt.Errorf("count administrators: %w", err)
	}
	return n, nil
}
