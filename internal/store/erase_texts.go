package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"matricula/internal/lms"
)

// Some texts hold what somebody is called beside what is about others: the rows of
// class lists, answers that are kept for requests that are sent twice, the notes of
// roster sources, and the audit. A database finds those in which an address may
// stand; which it is, is decided here.

// personal is by what somebody is found in texts, in lower case.
type personal struct {
	id        int64
	addresses []lms.Email
	spellings []string // of the addresses, as they stand here and as they were typed
	names     []string // and student numbers; looked for only in what is about the person
}

var (
	sqlSpellings = stmt(`SELECT address, as_typed FROM emails WHERE user_id = $1 UNION SELECT email_at_link, email_at_link FROM identities WHERE user_id = $1`)
	sqlCalled    = stmt(`SELECT given_name, family_name, name FROM users WHERE id = $1
		UNION SELECT number, '', '' FROM enrollments WHERE user_id = $1 UNION SELECT number, '', '' FROM past_places WHERE user_id = $1`)
)

// personalOf reads by what somebody is found, before it is removed.
func (tx *Tx) personalOf(ctx context.Context, id int64) (*personal, error) {
	p := &personal{id: id}
	rows, err := tx.query(ctx, sqlSpellings, id)
	_, err = collect(rows, err, func(r scanner) (struct{}, error) {
		var address, typed string
		err := r.Scan(&address, &typed)
		e := lms.Email(address)
		p.addresses = append(p.addresses, e)
		p.spellings = append(p.spellings, strings.ToLower(address), strings.ToLower(e.Display()), strings.ToLower(strings.TrimSpace(typed)))
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("read addresses of user %d: %w", id, err)
	}
	rows, err = tx.query(ctx, sqlCalled, id)
	_, err = collect(rows, err, func(r scanner) (struct{}, error) {
		var called [3]string
		err := r.Scan(&called[0], &called[1], &called[2])
		for _, c := range called {
			p.names = append(p.names, strings.ToLower(c))
		}
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("read names of user %d: %w", id, err)
	}
	for _, list := range []*[]string{&p.spellings, &p.names} {
		slices.Sort(*list)
		*list = slices.DeleteFunc(slices.Compact(*list), func(s string) bool { return s == "" })
	}
	return p, nil
}

// hides is what a text becomes: nothing, when the person is named in it. Names count
// only in what is about the person, since others have them too.
func (p *personal) hides(s string, about bool) bool {
	lower := strings.ToLower(s)
	in := func(what string) bool { return strings.Contains(lower, what) }
	return slices.ContainsFunc(p.spellings, in) || about && slices.ContainsFunc(p.names, func(name string) bool { return hasWord(lower, name) })
}

// hasWord tells whether a text holds words by themselves, and not as the part of
// another.
func hasWord(text, words string) bool {
	letter := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	for from := 0; ; {
		i := strings.Index(text[from:], words)
		if i < 0 {
			return false
		}
		begins, ends := from+i, from+i+len(words)
		before, _ := utf8.DecodeLastRuneInString(text[:begins])
		after, _ := utf8.DecodeRuneInString(text[ends:])
		if !letter(before) && !letter(after) {
			return true
		}
		from = ends
	}
}

// auditTexts are the fields of audit entries that tell something of a person
// alone, whatever it was at the time.
var auditTexts = []string{"address", "student_number"}

// clean takes the person out of a JSON value. About says that all of it is about
// them; objects that carry their id are in any case.
func (p *personal) clean(v any, about bool) any {
	switch v := v.(type) {
	case string:
		if p.hides(v, about) {
			return ""
		}
	case []any:
		for i := range v {
			v[i] = p.clean(v[i], about)
		}
	case map[string]any:
		about := about || p.is(v["ID"]) && v["Email"] != nil || p.is(v["UserID"])
		for k := range v {
			v[k] = p.clean(v[k], about)
		}
	}
	return v
}

func (p *personal) is(v any) bool {
	n, ok := v.(json.Number)
	return ok && n.String() == fmt.Sprint(p.id)
}

// cleanJSON is clean for a text; changed tells whether there was anything. A text
// that is no JSON stays.
func (p *personal) cleanJSON(s string, about bool, drop ...string) (out string, changed bool) {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return s, false
	}
	before := mustJSON(v)
	if m, ok := v.(map[string]any); ok {
		for _, k := range drop {
			delete(m, k)
		}
	}
	out = mustJSON(p.clean(v, about))
	return out, out != before
}

// patterns find texts in which one of the addresses may stand, however its domain
// is written, or that carry the id in one of some ways.
func (p *personal) patterns(ids ...string) string {
	var list [][1]string
	add := func(s string) { list = append(list, [1]string{"%" + likeEscaper.Replace(strings.ToLower(s)) + "%"}) }
	for _, a := range p.addresses {
		local := mustJSON(a.Local())
		add(local[1:len(local)-1] + "@")
	}
	for _, way := range ids {
		add(fmt.Sprintf(`"%s":%d,`, way, p.id))
		add(fmt.Sprintf(`"%s":%d}`, way, p.id))
	}
	return mustJSON(list)
}

func inText(column string) string {
	return `EXISTS (SELECT 1 FROM {rows:$1} WHERE lower(` + column + `) LIKE j.value->>0 ESCAPE '\')`
}

var (
	sqlAnswersWith = stmt(`SELECT user_id, route, key, answer FROM idempotency_keys WHERE ` + inText("answer"))
	sqlNotesWith   = stmt(`SELECT id, notes FROM source_runs WHERE ` + inText("notes"))
	sqlSetNotes    = stmt(`UPDATE source_runs SET notes = $2 WHERE id = $1`)
	sqlListsWith   = stmt(`SELECT i.id FROM imports i WHERE EXISTS (SELECT 1 FROM import_chunks c WHERE c.import_id = i.id AND ` + inText("c.rows") + `) ORDER BY i.id {lock}`)
	sqlChunksWith  = stmt(`SELECT import_id, n FROM import_chunks WHERE import_id IN (SELECT CAST(j.value->>0 AS BIGINT) FROM {rows:$2}) AND ` + inText("rows"))
	sqlHeadsWith   = stmt(`SELECT id, name, heading FROM imports WHERE ` + inText("name || heading"))
	sqlSetHead     = stmt(`UPDATE imports SET name = $2, heading = $3 WHERE id = $1`)
	sqlEraseMails  = stmt(`DELETE FROM mails WHERE address IN (SELECT j.value->>0 FROM {rows:$1})`)
	sqlEraseProofs = stmt(`DELETE FROM proofs WHERE address IN (SELECT j.value->>0 FROM {rows:$1})`)
	sqlEntriesOf   = stmt(`SELECT id, before, after FROM audit_entries WHERE subject_id = $1 AND (before <> '{}' OR after <> '{}')`)
	sqlSetEntry    = stmt(`UPDATE audit_entries SET before = $2, after = $3 WHERE id = $1`)
)

// eraseTexts takes somebody, who is erased, out of the texts about others: of all of
// them, or only of those in which it is known to look.
func (tx *Tx) eraseTexts(ctx context.Context, p *personal, all bool) error {
	parts := []func(context.Context, *personal) error{tx.eraseEntries, tx.eraseMails}
	if all {
		parts = append(parts, tx.eraseAnswers, tx.eraseNotes, tx.eraseLists, tx.eraseHeads)
	}
	for _, part := range parts {
		if err := part(ctx, p); err != nil {
			return fmt.Errorf("erase texts about user %d: %w", p.id, err)
		}
	}
	return nil
}

func (tx *Tx) eraseAnswers(ctx context.Context, p *personal) error {
	type answer struct {
		Key
		text string
	}
	rows, err := tx.query(ctx, sqlAnswersWith, p.patterns("ID", "UserID"))
	list, err := collect(rows, err, func(r scanner) (a answer, err error) {
		return a, r.Scan(&a.UserID, &a.Route, &a.Key.Key, &a.text)
	})
	if err != nil {
		return err
	}
	for _, a := range list {
		if clean, changed := p.cleanJSON(a.text, false); changed {
			if err := tx.AnswerKey(ctx, a.Key, clean); err != nil {
				return err
			}
		}
	}
	return nil
}

func (tx *Tx) eraseNotes(ctx context.Context, p *personal) error {
	type note struct {
		id   int64
		text string
	}
	rows, err := tx.query(ctx, sqlNotesWith, p.patterns())
	list, err := collect(rows, err, func(r scanner) (n note, err error) { return n, r.Scan(&n.id, &n.text) })
	if err != nil {
		return err
	}
	for _, n := range list {
		if clean, changed := p.cleanJSON(n.text, false); changed {
			if err := tx.later(ctx, "erase notes", sqlSetNotes, n.id, clean); err != nil {
				return err
			}
		}
	}
	return nil
}

// eraseLists takes somebody out of the rows of class lists. A list that is being
// carried out waits, or sees the row without the person.
func (tx *Tx) eraseLists(ctx context.Context, p *personal) error {
	patterns := p.patterns("u")
	rows, err := tx.query(ctx, sqlListsWith, patterns)
	lists, err := collect(rows, err, func(r scanner) (id int64, err error) { return id, r.Scan(&id) })
	if err != nil || len(lists) == 0 {
		return err
	}
	rows, err = tx.query(ctx, sqlChunksWith, patterns, idList(lists))
	chunks, err := collect(rows, err, func(r scanner) (at [2]int64, err error) { return at, r.Scan(&at[0], &at[1]) })
	if err != nil {
		return err
	}
	for _, at := range chunks {
		c, ok, err := tx.Chunk(ctx, at[0], at[1])
		if err != nil {
			return err
		}
		if !ok || !p.cleanRows(c.Rows) {
			continue
		}
		if err := tx.PutChunk(ctx, &c); err != nil {
			return err
		}
	}
	return nil
}

// cleanRows takes the person out of rows, which are then left out of what the list
// does.
func (p *personal) cleanRows(rows []lms.ImportRow) (changed bool) {
	for i := range rows {
		r := &rows[i]
		switch {
		case r.UserID == p.id || slices.ContainsFunc(r.Cells, p.isAddress):
			r.Cells, r.Differ, r.Other, r.Text = nil, nil, "", lms.Text{}
			if r.Before != nil {
				r.Before.Number = ""
			}
			if r.Result == "" {
				r.Choice, r.Plan, r.Reason = lms.ChooseLeave, lms.PlanLeft, "erased"
			}
			changed = true
		case p.hides(r.Other, false):
			// Somebody else's row, which was perhaps meant to be theirs.
			r.Other, r.Text, changed = "", lms.Text{}, true
		case slices.ContainsFunc(r.Cells, func(c string) bool { return p.hides(c, false) }):
			// A remark, or two addresses in one cell.
			for k, c := range r.Cells {
				if p.hides(c, false) {
					r.Cells[k] = ""
				}
			}
			r.Text, changed = lms.Text{}, true
		}
	}
	return changed
}

func (p *personal) isAddress(cell string) bool {
	if !strings.Contains(cell, "@") {
		return false
	}
	e, err := lms.ParseEmail(cell)
	return err == nil && slices.Contains(p.addresses, e)
}

// eraseHeads is for lists whose file is called after the person, and for those whose
// first row was taken for headings.
func (tx *Tx) eraseHeads(ctx context.Context, p *personal) error {
	type head struct {
		id            int64
		name, heading string
	}
	rows, err := tx.query(ctx, sqlHeadsWith, p.patterns())
	list, err := collect(rows, err, func(r scanner) (h head, err error) { return h, r.Scan(&h.id, &h.name, &h.heading) })
	if err != nil {
		return err
	}
	for _, h := range list {
		name := h.name
		if p.hides(name, false) {
			name = ""
		}
		heading, changed := p.cleanJSON(h.heading, false)
		if changed || name != h.name {
			if err := tx.later(ctx, "erase heading", sqlSetHead, h.id, name, heading); err != nil {
				return err
			}
		}
	}
	return nil
}

// eraseEntries takes out of the audit what it says of whoever was erased. What they
// did to others stays, and so does that it was done: the database allows no other
// change.
func (tx *Tx) eraseEntries(ctx context.Context, p *personal) error {
	type entry struct {
		id            int64
		before, after string
	}
	rows, err := tx.query(ctx, sqlEntriesOf, p.id)
	list, err := collect(rows, err, func(r scanner) (e entry, err error) { return e, r.Scan(&e.id, &e.before, &e.after) })
	if err != nil {
		return err
	}
	for _, e := range list {
		before, was := p.cleanJSON(e.before, true, auditTexts...)
		after, is := p.cleanJSON(e.after, true, auditTexts...)
		if was || is {
			if err := tx.later(ctx, "erase audit text", sqlSetEntry, e.id, before, after); err != nil {
				return err
			}
		}
	}
	return nil
}

// eraseMails removes what was sent, or is to be sent, to an address that was nobody's
// at the time, such as a code to prove it.
func (tx *Tx) eraseMails(ctx context.Context, p *personal) error {
	list := make([][1]string, len(p.addresses))
	for i, a := range p.addresses {
		list[i][0] = string(a)
	}
	for label, st := range map[string]*statement{"erase mails to an address": sqlEraseMails, "erase proofs of an address": sqlEraseProofs, "forget requests for an address": sqlForgetAddressees} {
		if err := tx.later(ctx, label, st, mustJSON(list)); err != nil {
			return err
		}
	}
	return nil
}
