package store

import (
	"context"
	"fmt"
	"time"

	"matricula/internal/lms"
)

// Holder is the account that an identity or an address leads to, as far as
// the decision about a sign-in needs to know it.
type Holder struct {
	UserID int64
	Status lms.UserStatus
}

var (
	sqlIdentityHolder = stmt(`SELECT u.id, u.status FROM identities i JOIN users u ON u.id = i.user_id WHERE i.issuer = $1 AND i.subject = $2`)
	sqlAddressHolder  = stmt(`SELECT u.id, u.status FROM emails a JOIN users u ON u.id = a.user_id WHERE a.address = $1`)
	sqlAddIdentity    = stmt(`INSERT INTO identities (issuer, subject, user_id, email_at_link, linked_at, last_used_at)
		VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (issuer, subject) DO NOTHING`)
	sqlTouchIdentity = stmt(`UPDATE identities SET last_used_at = $3 WHERE issuer = $1 AND subject = $2`)
	sqlIdentities    = stmt(`SELECT id, user_id, issuer, subject, linked_at, last_used_at FROM identities WHERE user_id = $1 ORDER BY id`)
)

// IdentityHolder tells whose identity (issuer, subject) is.
func (tx *Tx) IdentityHolder(ctx context.Context, issuer, subject string) (h Holder, ok bool, err error) {
	ok, err = tx.one(ctx, sqlIdentityHolder, []any{issuer, subject}, &h.UserID, &h.Status)
	if err != nil {
		return h, false, fmt.Errorf("find identity: %w", err)
	}
	return h, ok, nil
}

// AddressHolder tells whose address it is.
func (tx *Tx) AddressHolder(ctx context.Context, address lms.Email) (h Holder, ok bool, err error) {
	ok, err = tx.one(ctx, sqlAddressHolder, []any{string(address)}, &h.UserID, &h.Status)
	if err != nil {
		return h, false, fmt.Errorf("find address: %w", err)
	}
	return h, ok, nil
}

// AddIdentity attaches an identity to a person; added is false when it is
// attached already, to whomever.
func (tx *Tx) AddIdentity(ctx context.Context, issuer, subject string, userID int64, address lms.Email, now time.Time) (added bool, err error) {
	n, err := tx.exec(ctx, sqlAddIdentity, issuer, subject, userID, string(address), at(now))
	if err != nil {
		return false, fmt.Errorf("add identity to user %d: %w", userID, err)
	}
	return n == 1, nil
}

// TouchIdentity records that an identity was used.
func (tx *Tx) TouchIdentity(ctx context.Context, issuer, subject string, now time.Time) error {
	if err := tx.later(ctx, "touch identity", sqlTouchIdentity, issuer, subject, at(now)); err != nil {
		return fmt.Errorf("touch identity: %w", err)
	}
	return nil
}

// IssuerUse is how an issuer is used.
type IssuerUse struct {
	Issuer     string
	People     int64
	LastUsedAt time.Time
}

var sqlIssuerUse = stmt(`SELECT issuer, count(*), max(last_used_at) FROM identities GROUP BY issuer ORDER BY issuer`)

// IssuerUse tells how each issuer is used.
func (tx *Tx) IssuerUse(ctx context.Context) ([]IssuerUse, error) {
	rows, err := tx.query(ctx, sqlIssuerUse)
	list, err := collect(rows, err, func(r scanner) (u IssuerUse, err error) {
		return u, r.Scan(&u.Issuer, &u.People, timestamp{&u.LastUsedAt})
	})
	if err != nil {
		return nil, fmt.Errorf("count identities: %w", err)
	}
	return list, nil
}

// Identities lists the ways in which a person signs in.
func (tx *Tx) Identities(ctx context.Context, userID int64) ([]lms.Identity, error) {
	rows, err := tx.query(ctx, sqlIdentities, userID)
	list, err := collect(rows, err, func(r scanner) (i lms.Identity, err error) {
		err = r.Scan(&i.ID, &i.UserID, &i.Issuer, &i.Subject, timestamp{&i.LinkedAt}, timestamp{&i.LastUsedAt})
		return i, err
	})
	if err != nil {
		return nil, fmt.Errorf("list identities of user %d: %w", userID, err)
	}
	return list, nil
}

var sqlAddresses = stmt(`SELECT address, as_typed, is_primary, verified_at, created_at FROM emails WHERE user_id = $1 ORDER BY created_at, address`)

// Address is one address of a person.
type Address struct {
	Email      lms.Email
	AsTyped    string // by whoever named them
	Primary    bool
	VerifiedAt time.Time // zero while nobody has proved it
	CreatedAt  time.Time
}

// Addresses lists the addresses of a person.
func (tx *Tx) Addresses(ctx context.Context, userID int64) ([]Address, error) {
	rows, err := tx.query(ctx, sqlAddresses, userID)
	list, err := collect(rows, err, func(r scanner) (a Address, err error) {
		return a, r.Scan((*string)(&a.Email), &a.AsTyped, &a.Primary, timestamp{&a.VerifiedAt}, timestamp{&a.CreatedAt})
	})
	if err != nil {
		return nil, fmt.Errorf("list addresses of user %d: %w", userID, err)
	}
	return list, nil
}

var (
	sqlDemoteAddresses = stmt(`UPDATE emails SET is_primary = FALSE WHERE user_id = $1 AND is_primary`)
	sqlPromoteAddress  = stmt(`UPDATE emails SET is_primary = TRUE WHERE user_id = $1 AND address = $2 AND verified_at IS NOT NULL`)
	sqlProveAddress    = stmt(`UPDATE emails SET verified_at = $3 WHERE user_id = $1 AND address = $2`)
	sqlRemoveAddress   = stmt(`DELETE FROM emails WHERE user_id = $1 AND address = $2 AND NOT is_primary`)
	sqlAddFurther      = stmt(`INSERT INTO emails (address, user_id, as_typed, is_primary, verified_at, created_at)
		VALUES ($1, $2, $3, FALSE, $4, $4) ON CONFLICT (address) DO NOTHING`)
	sqlAddAddress = stmt(`INSERT INTO emails (address, user_id, as_typed, is_primary, verified_at, created_at)
		VALUES ($1, $2, $1, TRUE, $3, $3) ON CONFLICT (address) DO NOTHING`)
)

// AddPrimaryAddress gives a person a further, proven address and makes it the
// primary one; added is false when the address is somebody's, and then the
// transaction must be given up.
func (tx *Tx) AddPrimaryAddress(ctx context.Context, u lms.User, address lms.Email, now time.Time) (added bool, err error) {
	if _, err := tx.exec(ctx, sqlDemoteAddresses, u.ID); err != nil {
		return false, fmt.Errorf("demote addresses of user %d: %w", u.ID, err)
	}
	n, err := tx.exec(ctx, sqlAddAddress, string(address), u.ID, at(now))
	if err != nil {
		return false, fmt.Errorf("add address to user %d: %w", u.ID, err)
	}
	if n == 0 {
		return false, nil
	}
	u.Email = address
	return true, tx.SetNames(ctx, u, Names{Given: u.GivenName, Family: u.FamilyName, Full: u.Name})
}

// AddAddress gives a person a further, proven address; added is false when it is
// somebody's.
func (tx *Tx) AddAddress(ctx context.Context, userID int64, address lms.Email, typed string, now time.Time) (added bool, err error) {
	n, err := tx.exec(ctx, sqlAddFurther, string(address), userID, typed, at(now))
	if err != nil {
		return false, fmt.Errorf("add address to user %d: %w", userID, err)
	}
	return n == 1, nil
}

// RemoveAddress takes an address that is not the primary one from a person.
func (tx *Tx) RemoveAddress(ctx context.Context, userID int64, address lms.Email) (removed bool, err error) {
	n, err := tx.exec(ctx, sqlRemoveAddress, userID, string(address))
	if err != nil {
		return false, fmt.Errorf("remove address of user %d: %w", userID, err)
	}
	return n == 1, nil
}

// PromoteAddress makes a proven address of a person their primary one; done is false
// when they have no such address, and then the transaction must be given up.
func (tx *Tx) PromoteAddress(ctx context.Context, u lms.User, address lms.Email) (done bool, err error) {
	if _, err := tx.exec(ctx, sqlDemoteAddresses, u.ID); err != nil {
		return false, fmt.Errorf("demote addresses of user %d: %w", u.ID, err)
	}
	n, err := tx.exec(ctx, sqlPromoteAddress, u.ID, string(address))
	if err != nil {
		return false, fmt.Errorf("promote address of user %d: %w", u.ID, err)
	}
	if n == 0 {
		return false, nil
	}
	u.Email = address
	return true, tx.SetNames(ctx, u, Names{Given: u.GivenName, Family: u.FamilyName, Full: u.Name})
}

// ProveAddress notes that an address of a person was proved to be theirs.
func (tx *Tx) ProveAddress(ctx context.Context, userID int64, address lms.Email, now time.Time) error {
	if err := tx.later(ctx, "prove address", sqlProveAddress, userID, string(address), at(now)); err != nil {
		return fmt.Errorf("note a proved address of user %d: %w", userID, err)
	}
	return nil
}
