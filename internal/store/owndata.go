package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"matricula/internal/lms"
)

var (
	sqlMailsOf   = stmt(`SELECT ` + mailColumns + ` FROM mails m WHERE m.user_id = $1 AND m.id < $2 ORDER BY m.id DESC LIMIT $3`)
	sqlRowsAbout = stmt(`SELECT i.id, c.n, i.course_id, k.title, i.name, i.created_by, i.created_at, i.heading, c.rows
		FROM import_chunks c JOIN imports i ON i.id = c.import_id JOIN courses k ON k.id = i.course_id
		WHERE ` + inText("c.rows") + ` ORDER BY i.id DESC, c.n`)
)

// MailsOf lists the mails to somebody, newest first, with an id below before.
func (tx *Tx) MailsOf(ctx context.Context, userID, before int64, limit int) ([]lms.Mail, error) {
	rows, err := tx.query(ctx, sqlMailsOf, userID, before, limit)
	list, err := collect(rows, err, mailOf)
	if err != nil {
		return nil, fmt.Errorf("list mails to user %d: %w", userID, err)
	}
	return list, nil
}

// ListedRow is a row of a class list that is about somebody.
type ListedRow struct {
	CourseID  int64
	Course    string
	List      string // the file's name; empty for what was pasted
	CreatedBy int64  // who brought the list
	CreatedAt time.Time
	Heading   []string
	Row       lms.ImportRow
}

// RowsAbout finds the rows of class lists that are about somebody, by who the list found
// them to be or by one of their addresses, as erasing does.
func (tx *Tx) RowsAbout(ctx context.Context, userID int64) ([]ListedRow, error) {
	p, err := tx.personalOf(ctx, userID)
	if err != nil {
		return nil, err
	}
	merged, err := tx.mergedFrom(ctx, userID)
	if err != nil {
		return nil, err
	}
	ids := append(merged, userID)
	var list []ListedRow
	seen := map[[2]int64]bool{}
	for _, p.id = range ids {
		rows, err := tx.query(ctx, sqlRowsAbout, p.patterns("u"))
		_, err = collect(rows, err, func(r scanner) (struct{}, error) {
			one := ListedRow{}
			var chunk [2]int64
			var found []lms.ImportRow
			err := r.Scan(&chunk[0], &chunk[1], &one.CourseID, &one.Course, &one.List, &one.CreatedBy, timestamp{&one.CreatedAt}, jsonValue{&one.Heading}, jsonValue{&found})
			if err != nil || seen[chunk] {
				return struct{}{}, err
			}
			seen[chunk] = true
			for _, row := range found {
				if slices.Contains(ids, row.UserID) || slices.ContainsFunc(row.Cells, p.isAddress) {
					one.Row = row
					list = append(list, one)
				}
			}
			return struct{}{}, nil
		})
		if err != nil {
			return nil, fmt.Errorf("find rows about user %d: %w", userID, err)
		}
	}
	return list, nil
}
