package store

import (
	"context"
	"fmt"
	"time"

	"matricula/internal/lms"
)

const directorySelect = `SELECT d.account_id, u.name, d.issuer, d.claim, CASE WHEN d.by_external_id THEN 1 ELSE 0 END, CASE WHEN d.makes_courses THEN 1 ELSE 0 END,
	d.created_at, d.last_call_at FROM directories d JOIN users u ON u.id = d.account_id`

var (
	sqlDirectories  = stmt(directorySelect + ` ORDER BY u.name, u.id`)
	sqlDirectory    = stmt(directorySelect + ` WHERE d.account_id = $1`)
	sqlAddDirectory = stmt(`INSERT INTO directories (account_id, issuer, claim, by_external_id, makes_courses, created_at)
		VALUES ($1, '', 'sub', FALSE, TRUE, $2) ON CONFLICT (account_id) DO NOTHING`)
	sqlSetDirectory    = stmt(`UPDATE directories SET issuer = $2, claim = $3, by_external_id = $4, makes_courses = $5 WHERE account_id = $1`)
	sqlDirectoryCalled = stmt(`UPDATE directories SET last_call_at = $2 WHERE account_id = $1`)
	sqlDirectoryCounts = stmt(`SELECT
		(SELECT count(DISTINCT p.user_id) FROM directory_people p WHERE p.directory_id = $1 AND p.deleted_at IS NULL),
		(SELECT count(DISTINCT p.user_id) FROM directory_people p JOIN users u ON u.id = p.user_id AND u.status = 'pending' WHERE p.directory_id = $1 AND p.deleted_at IS NULL),
		(SELECT count(DISTINCT l.user_id) FROM directory_links l WHERE l.directory_id = $1),
		(SELECT count(DISTINCT p.user_id) FROM directory_people p JOIN users u ON u.id = p.user_id AND u.status = 'suspended' WHERE p.directory_id = $1 AND p.suspended),
		(SELECT count(*) FROM directory_groups g WHERE g.directory_id = $1 AND g.deleted_at IS NULL)`)

	sqlAddFault    = stmt(`INSERT INTO directory_faults (directory_id, at, call, status, problem) VALUES ($1, $2, $3, $4, $5)`)
	sqlForgetFault = stmt(`DELETE FROM directory_faults WHERE directory_id = $1 AND id NOT IN (
		SELECT f.id FROM directory_faults f WHERE f.directory_id = $1 ORDER BY f.id DESC LIMIT $2)`)
	sqlFaults = stmt(`SELECT at, call, status, problem FROM directory_faults WHERE directory_id = $1 ORDER BY id DESC LIMIT $2`)

	sqlUnlinkAll    = stmt(`DELETE FROM directory_links WHERE directory_id = $1`)
	sqlLinkExternal = stmt(`INSERT INTO directory_links (directory_id, issuer, claim, subject, user_id, linked_at)
		SELECT p.directory_id, $2, $3, p.external_id, p.user_id, $4 FROM directory_people p
		WHERE p.directory_id = $1 AND p.external_id <> '' AND p.deleted_at IS NULL
			AND NOT EXISTS (SELECT 1 FROM identities i WHERE i.issuer = $2 AND $3 = 'sub' AND i.subject = p.external_id AND i.user_id <> p.user_id)
		ON CONFLICT (issuer, claim, subject) DO NOTHING`)
)

// MaxFaults is how many faults are kept of each directory.
const MaxFaults = 20

func scanDirectory(r scanner) (d lms.Directory, err error) {
	var external, courses int64
	err = r.Scan(&d.AccountID, &d.Name, &d.Issuer, (*string)(&d.Claim), &external, &courses, timestamp{&d.CreatedAt}, timestamp{&d.LastCallAt})
	d.ByExternalID, d.MakesCourses = external != 0, courses != 0
	return d, err
}

// Directories lists the directories by name.
func (tx *Tx) Directories(ctx context.Context) ([]lms.Directory, error) {
	rows, err := tx.query(ctx, sqlDirectories)
	list, err := collect(rows, err, scanDirectory)
	if err != nil {
		return nil, fmt.Errorf("list directories: %w", err)
	}
	return list, nil
}

// DirectoryOf reads the directory of a service account.
func (tx *Tx) DirectoryOf(ctx context.Context, account int64) (d lms.Directory, ok bool, err error) {
	rows, err := tx.query(ctx, sqlDirectory, account)
	list, err := collect(rows, err, scanDirectory)
	if err != nil {
		return d, false, fmt.Errorf("read directory %d: %w", account, err)
	}
	if len(list) == 0 {
		return d, false, nil
	}
	return list[0], true, nil
}

// AddDirectory makes a service account a directory, unless it is one.
func (tx *Tx) AddDirectory(ctx context.Context, account int64, now time.Time) error {
	if _, err := tx.exec(ctx, sqlAddDirectory, account, at(now)); err != nil {
		return fmt.Errorf("add directory %d: %w", account, err)
	}
	return nil
}

// SetDirectory changes what an administrator decides about a directory.
func (tx *Tx) SetDirectory(ctx context.Context, d lms.Directory) error {
	if _, err := tx.exec(ctx, sqlSetDirectory, d.AccountID, d.Issuer, string(d.Claim), d.ByExternalID, d.MakesCourses); err != nil {
		return fmt.Errorf("change directory %d: %w", d.AccountID, err)
	}
	return nil
}

// RelinkDirectory forgets to whom a directory has linked subjects, and where its
// external ids are subjects makes new links of those that it has told.
func (tx *Tx) RelinkDirectory(ctx context.Context, d lms.Directory, now time.Time) error {
	if _, err := tx.exec(ctx, sqlUnlinkAll, d.AccountID); err != nil {
		return fmt.Errorf("unlink directory %d: %w", d.AccountID, err)
	}
	if d.Issuer == "" || !d.ByExternalID {
		return nil
	}
	if _, err := tx.exec(ctx, sqlLinkExternal, d.AccountID, d.Issuer, string(d.Claim), at(now)); err != nil {
		return fmt.Errorf("link directory %d: %w", d.AccountID, err)
	}
	return nil
}

// DirectoryCounts counts the people and the groups of a directory.
func (tx *Tx) DirectoryCounts(ctx context.Context, account int64) (n lms.DirectoryCounts, err error) {
	if _, err := tx.one(ctx, sqlDirectoryCounts, []any{account}, &n.People, &n.Pending, &n.Linked, &n.Suspended, &n.Groups); err != nil {
		return n, fmt.Errorf("count the people of directory %d: %w", account, err)
	}
	return n, nil
}

// DirectoryCalled notes that a directory called.
func (tx *Tx) DirectoryCalled(ctx context.Context, account int64, now time.Time) error {
	if err := tx.later(ctx, "note a call", sqlDirectoryCalled, account, at(now)); err != nil {
		return fmt.Errorf("note a call of directory %d: %w", account, err)
	}
	return nil
}

// AddFault notes what a directory did not get, and forgets the oldest of that.
func (tx *Tx) AddFault(ctx context.Context, account int64, f lms.DirectoryFault) error {
	if _, err := tx.exec(ctx, sqlAddFault, account, at(f.At), f.Call, f.Status, f.Problem); err != nil {
		return fmt.Errorf("note a fault of directory %d: %w", account, err)
	}
	if _, err := tx.exec(ctx, sqlForgetFault, account, MaxFaults); err != nil {
		return fmt.Errorf("forget faults of directory %d: %w", account, err)
	}
	return nil
}

// Faults lists what a directory did not get, the last first.
func (tx *Tx) Faults(ctx context.Context, account int64, limit int) ([]lms.DirectoryFault, error) {
	rows, err := tx.query(ctx, sqlFaults, account, limit)
	list, err := collect(rows, err, func(r scanner) (f lms.DirectoryFault, err error) {
		return f, r.Scan(timestamp{&f.At}, &f.Call, &f.Status, &f.Problem)
	})
	if err != nil {
		return nil, fmt.Errorf("list faults of directory %d: %w", account, err)
	}
	return list, nil
}
