package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"matricula/internal/lms"
)

// StayReason is why something stays with the person who was kept.
type StayReason string

// The reasons.
const (
	StaysChanged   StayReason = "changed"    // it was changed or removed since the merge
	StaysLastOwner StayReason = "last-owner" // the course would be left without an active owner
)

// SplitPlan is what splitting a merge would give back, and what it would not.
type SplitPlan struct {
	Back []PartCount
	Stay []PartCount // what is not as the merge left it
	// Places are the rows of courses, with what is given back of them.
	Places   []SplitPlace
	NoHome   lms.Email // the main address of the one who was gone, when it cannot be given back
	parts    map[string]string
	SiteRole bool // the kept person's role on the site becomes what it was
}

// SplitPlace is a course of which both people have what they had, or nothing is
// changed, for a reason.
type SplitPlace struct {
	CourseID int64
	Title    string
	Stays    StayReason // empty: it is given back
}

// row is a row as JSON.
type row map[string]any

func readRow(text string) (r row, err error) {
	if text == "" {
		return nil, nil
	}
	return r, json.Unmarshal([]byte(text), &r)
}

// asLeft tells whether a row is as a merge left it. That another account stands in it for
// whoever did something is the doing of a merge or a split, of this person or of that
// one, and no change.
func (tx *Tx) asLeft(ctx context.Context, now, left string) (bool, error) {
	is, err := readRow(now)
	if err != nil {
		return false, err
	}
	was, err := readRow(left)
	if err != nil || (is == nil) != (was == nil) {
		return false, err
	}
	for name, value := range was {
		if is[name] == value {
			continue
		}
		one, isID := is[name].(float64)
		other, wasID := value.(float64)
		if actor := name == "added_by" || name == "granted_by"; !actor || !isID || !wasID {
			return false, nil
		}
		same := false
		if same, err = tx.one(ctx, sqlOneHuman, []any{int64(one), int64(other)}, new(int64)); err != nil || !same {
			return false, err
		}
	}
	return true, nil
}

var (
	// Whether two accounts are one human's, or were taken for that.
	sqlOneHuman = stmt(`WITH RECURSIVE same (id) AS (
			SELECT CAST($1 AS BIGINT)
			UNION SELECT CASE WHEN m.kept_id = s.id THEN m.gone_id ELSE m.kept_id END
			FROM same s JOIN merges m ON m.done_at IS NOT NULL AND (m.kept_id = s.id OR m.gone_id = s.id)
		) SELECT id FROM same WHERE id = $2`)
	sqlRoleThere    = stmt(`SELECT id FROM course_roles WHERE id = $1 AND course_id = $2`)
	sqlSectionThere = stmt(`SELECT id FROM sections WHERE id = $1 AND course_id = $2`)
	sqlCourseTitle  = stmt(`SELECT title FROM courses WHERE id = $1`)
	sqlOwnersBut    = stmt(`SELECT count(*) FROM enrollments en JOIN course_roles r ON r.id = en.role_id JOIN users u ON u.id = en.user_id
		WHERE en.course_id = $1 AND r.is_preset AND r.key = 'owner' AND u.status = 'active' AND u.id <> $2`)
	sqlIsOwnerRole = stmt(`SELECT id FROM course_roles WHERE id = $1 AND is_preset AND key = 'owner'`)
	sqlAddressNow  = stmt(`SELECT user_id, is_primary, coalesce(CAST(verified_at AS TEXT), '') FROM emails WHERE address = $1`)
	sqlLeaveEmail  = stmt(`UPDATE emails SET user_id = $2, is_primary = $3 WHERE address = $1`)
	sqlUnmergeUser = stmt(`UPDATE users SET status = $2, merged_into = NULL WHERE id = $1`)
	sqlTokensSince = stmt(`DELETE FROM api_tokens WHERE user_id = $1 AND created_at >= $2`)
)

// PlanSplit says what splitting a merge would do now.
func (tx *Tx) PlanSplit(ctx context.Context, m lms.Merge) (p SplitPlan, err error) {
	if p.parts, err = tx.mergeParts(ctx, m.ID); err != nil {
		return p, err
	}
	for _, mv := range movements {
		keys, n, err := p.keys(mv.Name())
		if err != nil || n == 0 {
			if err != nil {
				return p, err
			}
			continue
		}
		var left int64
		if _, err := tx.one(ctx, mv.left, []any{m.Kept.ID, keys}, &left); err != nil {
			return p, fmt.Errorf("count %s of merge %d: %w", mv.Name(), m.ID, err)
		}
		p.add(mv.Name(), left, n-left)
	}
	addresses, err := p.addresses()
	if err != nil {
		return p, err
	}
	for _, a := range addresses {
		there, err := tx.addressAsLeft(ctx, m, a)
		if err != nil {
			return p, err
		}
		if there {
			p.add("emails.user_id", 1, 0)
			continue
		}
		p.add("emails.user_id", 0, 1)
		if a.Primary {
			p.NoHome = a.Address
		}
	}
	var u keptUser
	if text, ok := p.parts[userPart]; ok {
		if err := json.Unmarshal([]byte(text), &u); err != nil {
			return p, err
		}
		p.SiteRole = m.Kept.SiteRole == u.After
	}
	return p, tx.planPlaces(ctx, m, &p)
}

func (tx *Tx) mergeParts(ctx context.Context, id int64) (map[string]string, error) {
	parts := map[string]string{}
	rows, err := tx.query(ctx, sqlParts, id)
	_, err = collect(rows, err, func(r scanner) (struct{}, error) {
		var part, text string
		err := r.Scan(&part, &text)
		parts[part] = text
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("read rows of merge %d: %w", id, err)
	}
	return parts, nil
}

// CoursesOfMerge lists the courses in which a merge has changed something.
func (tx *Tx) CoursesOfMerge(ctx context.Context, id int64) ([]int64, error) {
	parts, err := tx.mergeParts(ctx, id)
	if err != nil {
		return nil, err
	}
	p := SplitPlan{parts: parts}
	var ids []int64
	for _, t := range placeTables {
		list, err := p.united(t)
		if err != nil {
			return nil, fmt.Errorf("read courses of merge %d: %w", id, err)
		}
		for _, u := range list {
			ids = append(ids, u.Course)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

func (p *SplitPlan) add(part string, back, stay int64) {
	for _, to := range []struct {
		list *[]PartCount
		n    int64
	}{{&p.Back, back}, {&p.Stay, stay}} {
		switch last := len(*to.list) - 1; {
		case to.n == 0:
		case last >= 0 && (*to.list)[last].Part == part:
			(*to.list)[last].Rows += to.n
		default:
			*to.list = append(*to.list, PartCount{part, to.n})
		}
	}
}

func (p *SplitPlan) keys(part string) (text string, n int64, err error) {
	text, ok := p.parts[part]
	if !ok {
		return "", 0, nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return "", 0, fmt.Errorf("read rows of %s: %w", part, err)
	}
	return text, int64(len(list)), nil
}

func (p *SplitPlan) addresses() (list []joinedAddress, err error) {
	text, ok := p.parts["emails.user_id"]
	if !ok {
		return nil, nil
	}
	return list, json.Unmarshal([]byte(text), &list)
}

func (p *SplitPlan) united(t placeTable) (list []unitedPlace, err error) {
	text, ok := p.parts[t.Name()]
	if !ok {
		return nil, nil
	}
	return list, json.Unmarshal([]byte(text), &list)
}

// addressAsLeft tells whether an address is as the merge left it: further, and not
// proved by the person who was kept.
func (tx *Tx) addressAsLeft(ctx context.Context, m lms.Merge, a joinedAddress) (bool, error) {
	var user int64
	var primary bool
	var verified string
	ok, err := tx.one(ctx, sqlAddressNow, []any{string(a.Address)}, &user, &primary, &verified)
	if err != nil {
		return false, fmt.Errorf("read address of merge %d: %w", m.ID, err)
	}
	return ok && user == m.Kept.ID && !primary && verified == a.Verified, nil
}

// planPlaces decides course by course. The role and what is set beside it are one
// place: when either has changed, both stay.
func (tx *Tx) planPlaces(ctx context.Context, m lms.Merge, p *SplitPlan) error {
	stays := map[int64]StayReason{}
	var courses []int64
	for _, t := range placeTables {
		list, err := p.united(t)
		if err != nil {
			return err
		}
		for _, u := range list {
			if _, seen := stays[u.Course]; !seen {
				stays[u.Course] = ""
				courses = append(courses, u.Course)
			}
			reason, err := tx.placeStays(ctx, t, m, u)
			if err != nil {
				return fmt.Errorf("look at course %d of merge %d: %w", u.Course, m.ID, err)
			}
			if stays[u.Course] == "" {
				stays[u.Course] = reason
			}
		}
	}
	for _, id := range courses {
		sp := SplitPlace{CourseID: id, Stays: stays[id]}
		if _, err := tx.one(ctx, sqlCourseTitle, []any{id}, &sp.Title); err != nil {
			return fmt.Errorf("read course %d: %w", id, err)
		}
		p.Places = append(p.Places, sp)
	}
	return nil
}

func (tx *Tx) placeStays(ctx context.Context, t placeTable, m lms.Merge, u unitedPlace) (StayReason, error) {
	now, err := tx.readPlace(ctx, t, u.Course, m.Kept.ID)
	if err != nil {
		return "", err
	}
	same, err := tx.asLeft(ctx, now, u.After)
	if err != nil || !same {
		return StaysChanged, err
	}
	if t.Table != "enrollments" {
		return "", nil
	}
	for _, text := range []string{u.Gone, u.Kept} {
		r, err := readRow(text)
		if err != nil || r == nil {
			if err != nil {
				return "", err
			}
			continue
		}
		there, err := tx.there(ctx, sqlRoleThere, r["role_id"], u.Course)
		if err != nil || !there {
			return StaysChanged, err
		}
	}
	return tx.needsOwner(ctx, m, u)
}

// there tells whether a row of an id, as JSON has it, is still in the course.
func (tx *Tx) there(ctx context.Context, st *statement, id any, course int64) (bool, error) {
	n, ok := id.(float64)
	if !ok {
		return false, nil
	}
	var found int64
	return tx.one(ctx, st, []any{int64(n), course}, &found)
}

// needsOwner tells whether the course would be without an active owner if the kept
// person were again what they were.
func (tx *Tx) needsOwner(ctx context.Context, m lms.Merge, u unitedPlace) (StayReason, error) {
	owns := func(text string) (bool, error) {
		r, err := readRow(text)
		if err != nil || r == nil {
			return false, err
		}
		id, _ := r["role_id"].(float64)
		var found int64
		return tx.one(ctx, sqlIsOwnerRole, []any{int64(id)}, &found)
	}
	is, err := owns(u.After)
	if err != nil || !is || m.Kept.Status != lms.StatusActive {
		return "", err
	}
	was, err := owns(u.Kept)
	if err != nil || was {
		return "", err
	}
	if goneOwns, err := owns(u.Gone); err != nil || (goneOwns && m.Was == lms.StatusActive) {
		return "", err
	}
	var others int64
	if _, err := tx.one(ctx, sqlOwnersBut, []any{u.Course, m.Kept.ID}, &others); err != nil || others > 0 {
		return "", err
	}
	return StaysLastOwner, nil
}

// SplitMerge makes two people of one again, as the plan says, which was made in the
// same transaction. Whoever could come in as the kept person through what was the
// other's signs in anew.
func (tx *Tx) SplitMerge(ctx context.Context, m lms.Merge, p SplitPlan, by int64, now time.Time) error {
	for i := len(movements) - 1; i >= 0; i-- {
		mv := movements[i]
		keys, n, err := p.keys(mv.Name())
		if err != nil || n == 0 {
			if err != nil {
				return err
			}
			continue
		}
		if _, err := tx.exec(ctx, mv.back, m.Kept.ID, m.Gone.ID, keys); err != nil {
			return fmt.Errorf("give back %s of merge %d: %w", mv.Name(), m.ID, err)
		}
	}
	if err := tx.leaveAddresses(ctx, m, p); err != nil {
		return err
	}
	if err := tx.later(ctx, "split user", sqlUnmergeUser, m.Gone.ID, string(m.Was)); err != nil {
		return fmt.Errorf("split user %d: %w", m.Gone.ID, err)
	}
	if err := tx.giveBackPlaces(ctx, m, p); err != nil {
		return err
	}
	if p.SiteRole {
		var u keptUser
		if err := json.Unmarshal([]byte(p.parts[userPart]), &u); err != nil {
			return err
		}
		if err := tx.SetSiteRole(ctx, m.Kept.ID, u.SiteRole); err != nil {
			return err
		}
	}
	if m.Was == lms.StatusActive {
		if _, err := tx.EndSessions(ctx, m.Kept.ID, 0); err != nil {
			return err
		}
		if err := tx.later(ctx, "end tokens", sqlTokensSince, m.Kept.ID, at(m.Done)); err != nil {
			return fmt.Errorf("end tokens of user %d: %w", m.Kept.ID, err)
		}
	}
	if err := tx.later(ctx, "forget rows of a merge", sqlRemoveParts, m.ID); err != nil {
		return fmt.Errorf("forget rows of merge %d: %w", m.ID, err)
	}
	return tx.EndMerge(ctx, m.ID, lms.MergeSplit, by, now)
}

func (tx *Tx) leaveAddresses(ctx context.Context, m lms.Merge, p SplitPlan) error {
	addresses, err := p.addresses()
	if err != nil {
		return err
	}
	for _, a := range addresses {
		there, err := tx.addressAsLeft(ctx, m, a)
		if err != nil {
			return err
		}
		if !there {
			continue
		}
		if err := tx.later(ctx, "give back address", sqlLeaveEmail, string(a.Address), m.Gone.ID, a.Primary); err != nil {
			return fmt.Errorf("give back address of user %d: %w", m.Gone.ID, err)
		}
	}
	return nil
}

func (tx *Tx) giveBackPlaces(ctx context.Context, m lms.Merge, p SplitPlan) error {
	stays := map[int64]bool{}
	for _, sp := range p.Places {
		stays[sp.CourseID] = sp.Stays != ""
	}
	for _, t := range placeTables {
		list, err := p.united(t)
		if err != nil {
			return err
		}
		for _, u := range list {
			if stays[u.Course] {
				continue
			}
			if err := tx.later(ctx, "take place", t.remove, u.Course, m.Kept.ID); err != nil {
				return err
			}
			for _, one := range []struct {
				text string
				user int64
			}{{u.Gone, m.Gone.ID}, {u.Kept, m.Kept.ID}} {
				if err := tx.insertPlace(ctx, t, u.Course, one.user, one.text); err != nil {
					return fmt.Errorf("give back course %d of user %d: %w", u.Course, one.user, err)
				}
			}
		}
	}
	return nil
}

// insertPlace writes a row as it was, without a section that is gone.
func (tx *Tx) insertPlace(ctx context.Context, t placeTable, course, user int64, text string) error {
	r, err := readRow(text)
	if err != nil || r == nil {
		return err
	}
	if section := r["section_id"]; section != nil {
		there, err := tx.there(ctx, sqlSectionThere, section, course)
		if err != nil {
			return err
		}
		if !there {
			r["section_id"] = nil
			text = mustJSON(r)
		}
	}
	if err := tx.later(ctx, "give back place", t.insert, text); err != nil {
		return err
	}
	return tx.later(ctx, "name who gave it", t.by, course, user)
}

var (
	sqlExpireAsked = stmt(`UPDATE merges SET state = 'withdrawn', ended_at = $1 WHERE state = 'asked' AND expires_at <= $1`)
	sqlOverMerges  = stmt(`SELECT m.id, m.gone_id FROM merges m
		WHERE m.state = 'done' AND m.expires_at <= $1 AND EXISTS (SELECT 1 FROM merge_rows x WHERE x.merge_id = m.id) ORDER BY m.id LIMIT 200`)
	sqlForgetNames = stmt(`UPDATE users SET given_name = '', family_name = '', name = '', search_key = '', sort_key = '' WHERE id = $1 AND merged_into IS NOT NULL`)
)

// ExpireMerges closes what nobody has answered in time, and forgets how to split
// what can be split no more, with the names of who is gone.
func (tx *Tx) ExpireMerges(ctx context.Context, now time.Time) error {
	if err := tx.later(ctx, "close unanswered merges", sqlExpireAsked, at(now)); err != nil {
		return fmt.Errorf("close unanswered merges: %w", err)
	}
	type over struct{ id, gone int64 }
	rows, err := tx.query(ctx, sqlOverMerges, at(now))
	list, err := collect(rows, err, func(r scanner) (o over, err error) { return o, r.Scan(&o.id, &o.gone) })
	if err != nil {
		return fmt.Errorf("find merges that are over: %w", err)
	}
	for _, o := range list {
		if err := tx.later(ctx, "forget rows of a merge", sqlRemoveParts, o.id); err != nil {
			return fmt.Errorf("forget rows of merge %d: %w", o.id, err)
		}
		if err := tx.later(ctx, "forget names", sqlForgetNames, o.gone); err != nil {
			return fmt.Errorf("forget names of user %d: %w", o.gone, err)
		}
		tx.search.add(searchEntry{id: o.gone})
	}
	return nil
}
