package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"matricula/internal/lms"
)

// joinedAddress is an address of the account that is gone, as it was.
type joinedAddress struct {
	Address  lms.Email `json:"address"`
	Primary  bool      `json:"primary,omitempty"`
	Verified string    `json:"verified,omitempty"` // as the time was written
}

// unitedPlace is a row of each of two people in a course, as they were, and what
// became of them. Texts are empty where there was no row.
type unitedPlace struct {
	Course int64  `json:"course"`
	Gone   string `json:"gone,omitempty"`
	Kept   string `json:"kept,omitempty"`
	After  string `json:"after,omitempty"`
}

// userPart is the part of a merge's rows that is about the kept person's own row.
const userPart = "users"

type keptUser struct {
	SiteRole lms.SiteRole `json:"site_role"`
	After    lms.SiteRole `json:"after"`
}

// PlaceUnion is what two people who are one hold in a course.
type PlaceUnion struct {
	CourseID int64
	Kept     lms.Member
	Gone     lms.Member
	lms.MergedPlace
}

// Merging is what is to be done to two people who are one.
type Merging struct {
	Merge  lms.Merge // with the people as they are now
	Places []PlaceUnion
	By     int64
	Now    time.Time
	Until  time.Time // it can be split
}

var (
	sqlAddresses2  = stmt(`SELECT address, is_primary, coalesce(CAST(verified_at AS TEXT), '') FROM emails WHERE user_id = $1 ORDER BY address`)
	sqlJoinEmails  = stmt(`UPDATE emails SET user_id = $2, is_primary = FALSE WHERE user_id = $1`)
	sqlMergeUser   = stmt(`UPDATE users SET status = 'erased', merged_into = $2 WHERE id = $1`)
	sqlAddPart     = stmt(`INSERT INTO merge_rows (merge_id, part, rows) VALUES ($1, $2, $3)`)
	sqlParts       = stmt(`SELECT part, rows FROM merge_rows WHERE merge_id = $1 ORDER BY part`)
	sqlRemoveParts = stmt(`DELETE FROM merge_rows WHERE merge_id = $1`)
)

// CarryOutMerge makes one person of two: it walks every reference to the one that
// goes, as References says, and keeps what is needed to split them again.
func (tx *Tx) CarryOutMerge(ctx context.Context, m Merging) ([]PartCount, error) {
	id, gone, kept := m.Merge.ID, m.Merge.Gone, m.Merge.Kept
	var counts []PartCount
	keep := func(part string, n int, rows any) error {
		if n == 0 {
			return nil
		}
		counts = append(counts, PartCount{part, int64(n)})
		return tx.later(ctx, "keep rows of a merge", sqlAddPart, id, part, mustJSON(rows))
	}
	if _, err := tx.DecideErasure(ctx, gone.ID, lms.ErasureWithdrawn, m.By, "", m.Now); err != nil {
		return nil, err
	}
	if err := tx.mergeClaims(ctx, gone.ID, kept.ID, m.By, m.Now); err != nil {
		return nil, err
	}
	for _, t := range placeTables {
		list, err := tx.unite(ctx, t, m)
		if err != nil {
			return nil, fmt.Errorf("unite %s of users %d and %d: %w", t.Table, gone.ID, kept.ID, err)
		}
		if err := keep(t.Name(), len(list), list); err != nil {
			return nil, err
		}
	}
	addresses, err := tx.joinAddresses(ctx, gone.ID, kept.ID)
	if err != nil {
		return nil, fmt.Errorf("join addresses of users %d and %d: %w", gone.ID, kept.ID, err)
	}
	if err := keep("emails.user_id", len(addresses), addresses); err != nil {
		return nil, err
	}
	for _, mv := range movements {
		if mv.Acts && gone.Pending() {
			continue
		}
		rows, err := tx.query(ctx, mv.move, gone.ID, kept.ID)
		keys, err := collect(rows, err, func(r scanner) (key json.RawMessage, err error) {
			var s string
			err = r.Scan(&s)
			return json.RawMessage(s), err
		})
		if err != nil {
			return nil, fmt.Errorf("move %s of user %d: %w", mv.Name(), gone.ID, err)
		}
		if err := keep(mv.Name(), len(keys), keys); err != nil {
			return nil, err
		}
	}
	for _, e := range endings {
		n, err := tx.exec(ctx, e.end, gone.ID)
		if err != nil {
			return nil, fmt.Errorf("end %s of user %d: %w", e.Name(), gone.ID, err)
		}
		if n > 0 {
			counts = append(counts, PartCount{e.Name(), n})
		}
	}
	if after := lms.HigherSiteRole(kept.SiteRole, gone.SiteRole); after != kept.SiteRole {
		if err := tx.SetSiteRole(ctx, kept.ID, after); err != nil {
			return nil, err
		}
		if err := keep(userPart, 1, keptUser{kept.SiteRole, after}); err != nil {
			return nil, err
		}
	}
	if err := tx.later(ctx, "merge user", sqlMergeUser, gone.ID, kept.ID); err != nil {
		return nil, fmt.Errorf("merge user %d into %d: %w", gone.ID, kept.ID, err)
	}
	if err := tx.later(ctx, "finish merge", sqlMergeDone, id, m.By, at(m.Now), at(m.Until)); err != nil {
		return nil, fmt.Errorf("finish merge %d: %w", id, err)
	}
	return counts, nil
}

func (tx *Tx) joinAddresses(ctx context.Context, gone, kept int64) ([]joinedAddress, error) {
	list, err := tx.joined(ctx, gone)
	if err != nil {
		return nil, err
	}
	_, err = tx.exec(ctx, sqlJoinEmails, gone, kept)
	return list, err
}

// joined reads the addresses of somebody in the form in which a merge keeps them.
func (tx *Tx) joined(ctx context.Context, user int64) ([]joinedAddress, error) {
	rows, err := tx.query(ctx, sqlAddresses2, user)
	return collect(rows, err, func(r scanner) (a joinedAddress, err error) {
		return a, r.Scan((*string)(&a.Address), &a.Primary, &a.Verified)
	})
}

// readPlace reads a row as JSON, empty when there is none.
func (tx *Tx) readPlace(ctx context.Context, t placeTable, course, user int64) (row string, err error) {
	_, err = tx.one(ctx, t.read, []any{course, user}, &row)
	return row, err
}

// unite makes one row of the two that people have in a table of places, course by
// course, and gives the rows as they were and are.
func (tx *Tx) unite(ctx context.Context, t placeTable, m Merging) ([]unitedPlace, error) {
	var list []unitedPlace
	for i := range m.Places {
		p := &m.Places[i]
		u := unitedPlace{Course: p.CourseID}
		var err error
		if u.Gone, err = tx.readPlace(ctx, t, p.CourseID, p.Gone.User.ID); err != nil {
			return nil, err
		}
		if u.Kept, err = tx.readPlace(ctx, t, p.CourseID, p.Kept.User.ID); err != nil {
			return nil, err
		}
		if t.Table == "enrollments" {
			err = tx.uniteEnrollments(ctx, t, p)
		} else {
			err = tx.uniteGrants(ctx, t, p, m)
		}
		if err != nil {
			return nil, err
		}
		if u.After, err = tx.readPlace(ctx, t, p.CourseID, p.Kept.User.ID); err != nil {
			return nil, err
		}
		if u.Gone != "" || u.After != u.Kept {
			list = append(list, u)
		}
	}
	return list, nil
}

func (tx *Tx) uniteEnrollments(ctx context.Context, t placeTable, p *PlaceUnion) error {
	if p.Gone.Enrollment == nil {
		return nil
	}
	loser := p.Kept.User.ID
	if !p.FromGone {
		loser = p.Gone.User.ID
	}
	if p.Kept.Enrollment != nil {
		if err := tx.later(ctx, "remove place", t.remove, p.CourseID, loser); err != nil {
			return err
		}
	}
	if p.FromGone {
		if err := tx.later(ctx, "move place", t.give, p.CourseID, p.Gone.User.ID, p.Kept.User.ID); err != nil {
			return err
		}
	}
	if p.Kept.Enrollment == nil {
		return nil
	}
	return tx.SetDetails(ctx, *p.Member.Enrollment)
}

func (tx *Tx) uniteGrants(ctx context.Context, t placeTable, p *PlaceUnion, m Merging) error {
	is, kept, gone := p.Member.Grant, p.Kept.Grant, p.Gone.Grant
	if is != nil && gone != nil && kept == nil && is.Allow == gone.Allow && is.Deny == gone.Deny {
		return tx.later(ctx, "move privileges", t.give, p.CourseID, p.Gone.User.ID, p.Kept.User.ID)
	}
	if gone != nil {
		if err := tx.later(ctx, "remove privileges", t.remove, p.CourseID, p.Gone.User.ID); err != nil {
			return err
		}
	}
	switch {
	case is == nil && kept == nil:
		return nil
	case is == nil:
		return tx.later(ctx, "remove privileges", t.remove, p.CourseID, p.Kept.User.ID)
	case kept != nil && is.Allow == kept.Allow && is.Deny == kept.Deny:
		return nil
	}
	return tx.SetGrant(ctx, lms.Grant{
		UserID: p.Kept.User.ID, CourseID: p.CourseID, Allow: is.Allow, Deny: is.Deny, GrantedBy: m.By, GrantedAt: m.Now,
	})
}
