package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"
)

type bareResult struct {
	Location   string  `json:"location"`
	Typed      string  `json:"typed"`
	Email      string  `json:"email"`
	UserID     int64   `json:"user_id"`
	Result     string  `json:"result"`
	Reason     *string `json:"reason"`
	Message    *string `json:"message"`
	Suggestion *string `json:"suggestion"`
}

// enroll names the addresses that nobody has and enrolls all of them.
func (b *bare) enroll(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Emails []string `json:"emails"`
		Role   string   `json:"role"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return err
	}
	course, err := strconv.ParseInt(r.PathValue("course_id"), 10, 64)
	if err != nil {
		return err
	}
	var results []bareResult
	err = b.db.write(r.Context(), func(q queryer) error {
		results, err = b.nameAndEnroll(r.Context(), q, course, body.Role, body.Emails)
		return err
	})
	if err != nil {
		return err
	}
	counts := map[string]int{}
	for _, r := range results {
		counts[r.Result]++
	}
	return answer(w, map[string]any{"items": results, "counts": counts})
}

func (b *bare) nameAndEnroll(ctx context.Context, q queryer, course int64, role string, addresses []string) ([]bareResult, error) {
	e, now := b.db.engine(), b.now().UTC()
	ids, err := b.findAddresses(ctx, q, addresses)
	if err != nil {
		return nil, err
	}
	known := len(ids)
	var missing []string
	for _, a := range addresses {
		if _, ok := ids[a]; !ok {
			missing = append(missing, a)
		}
	}
	if err := b.insertPeople(ctx, q, missing, now, ids); err != nil {
		return nil, err
	}
	if known > 0 {
		return nil, errors.New("all addresses were to be unknown")
	}
	var roleID int64
	if _, err := one(ctx, q, bareRole[e], []any{course, role}, &roleID); err != nil {
		return nil, err
	}
	enrolled, err := b.ids(ctx, q, bareEnroll, pairs(addresses, ids), course, roleID, now)
	if err != nil {
		return nil, err
	}
	results := make([]bareResult, len(addresses))
	for i, a := range addresses {
		results[i] = bareResult{Location: "body.emails[" + strconv.Itoa(i) + "]", Typed: a, Email: a, UserID: ids[a], Result: "already"}
		if enrolled[ids[a]] {
			results[i].Result = "named"
		}
	}
	return results, nil
}

// pairs are addresses with their ids as a JSON array of arrays.
func pairs(addresses []string, ids map[string]int64) string {
	list := make([][2]any, len(addresses))
	for i, a := range addresses {
		list[i] = [2]any{a, ids[a]}
	}
	encoded, err := json.Marshal(list)
	if err != nil {
		panic(err) // strings and numbers can be encoded
	}
	return string(encoded)
}

func (b *bare) findAddresses(ctx context.Context, q queryer, addresses []string) (map[string]int64, error) {
	rows, err := q.query(ctx, bareFindAddresses[b.db.engine()], pairs(addresses, nil))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	ids := make(map[string]int64, len(addresses))
	for rows.Next() {
		var address string
		var id int64
		if err := rows.Scan(&address, &id); err != nil {
			return nil, err
		}
		ids[address] = id
	}
	return ids, errors.Join(rows.Err(), rows.Close())
}

func (b *bare) insertPeople(ctx context.Context, q queryer, addresses []string, now time.Time, ids map[string]int64) error {
	e := b.db.engine()
	if e == postgres {
		rows, err := q.query(ctx, bareInsertPeople[e], pairs(addresses, nil), now)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var address string
			var id int64
			if err := rows.Scan(&address, &id); err != nil {
				return err
			}
			ids[address] = id
		}
		return errors.Join(rows.Err(), rows.Close())
	}
	var last int64
	if _, err := one(ctx, q, bareLastID[e], nil, &last); err != nil {
		return err
	}
	for i, a := range addresses {
		ids[a] = last + int64(i) + 1
	}
	list := pairs(addresses, ids)
	if err := q.exec(ctx, bareInsertPeople[e], list, now); err != nil {
		return err
	}
	if err := q.exec(ctx, bareInsertEmails[e], list, now); err != nil {
		return err
	}
	return q.exec(ctx, bareIndexPeople[e], list)
}

func (b *bare) ids(ctx context.Context, q queryer, st text, args ...any) (map[int64]bool, error) {
	rows, err := q.query(ctx, st[b.db.engine()], args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := map[int64]bool{}
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		found[id] = true
	}
	return found, errors.Join(rows.Err(), rows.Close())
}
