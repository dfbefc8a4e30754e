package store

import (
	"slices"
	"strings"
)

// Fate is what merging does with what refers to a person.
type Fate string

// The fates.
const (
	// FateMoves: the row refers to the person who is kept.
	FateMoves Fate = "moves"
	// FateUnites: a course has one row for each person, so that two become one.
	FateUnites Fate = "unites"
	// FateJoins: an address, which is not the main one of the person who is kept.
	FateJoins Fate = "joins"
	// FateEnds: the row is deleted, since it lets somebody in as who is gone.
	FateEnds Fate = "ends"
	// FateStays: the row tells of the past, or means the two accounts as such. Whoever
	// reads it is led to the person who is kept by users.merged_into.
	FateStays Fate = "stays"
)

// Reference is a column that refers to a person.
type Reference struct {
	Table, Column string
	Fate          Fate

	// Key tells a row that moves from all others, and also whether it was written
	// anew since.
	Key []string
	// Acts is set where the column says who did something: nobody who is pending
	// ever did, so that there is nothing to look for.
	Acts bool
	// Where limits the column to the rows in which it refers to a person.
	Where string
}

// Name is the reference as the database calls it, such as "courses.created_by".
func (r Reference) Name() string { return r.Table + "." + r.Column }

func moved(table, column string, key ...string) Reference {
	return Reference{Table: table, Column: column, Fate: FateMoves, Key: key}
}

// done is a reference to whoever did something.
func done(table, column string, key ...string) Reference {
	return Reference{Table: table, Column: column, Fate: FateMoves, Key: key, Acts: true}
}

func fated(fate Fate, table, column string) Reference {
	return Reference{Table: table, Column: column, Fate: fate}
}

// References is every column that refers to a person, and what becomes of it when
// two of them turn out to be one (ADR 0040). A test compares it with the foreign
// keys that both engines declare: a new one needs its line here, and its words in
// partWords of the pages. Places go first and back last, since what others did
// is found again by the place to which they did it.
var References = []Reference{
	fated(FateUnites, "enrollments", "user_id"),
	fated(FateUnites, "course_privileges", "user_id"),
	fated(FateJoins, "emails", "user_id"),
	moved("identities", "user_id", "id"),
	fated(FateEnds, "sessions", "user_id"),
	fated(FateEnds, "api_tokens", "user_id"),
	fated(FateEnds, "proofs", "user_id"),
	moved("past_places", "user_id", "id"),
	moved("mails", "user_id", "id"),
	moved("notices", "user_id", "id"),
	moved("limit_lifts", "user_id", "id"),
	moved("directory_people", "user_id", "id"),
	moved("directory_links", "user_id", "id"),
	moved("users", "merged_into", "id"),

	// What a student system calls this person. It is no declared key, since the
	// column refers to courses and sections too.
	{Table: "sourced_ids", Column: "local_id", Fate: FateMoves, Key: []string{"source_id", "sourced_id"}, Where: "kind = 'user'"},

	done("users", "created_by", "id"),
	done("courses", "created_by", "id"),
	done("enrollments", "added_by", "course_id", "user_id", "created_at"),
	done("course_privileges", "granted_by", "course_id", "user_id", "granted_at"),
	done("past_places", "added_by", "id"),
	done("past_places", "ended_by", "id"),
	done("sections", "created_by", "id"),
	done("terms", "created_by", "id"),
	done("announcements", "author_id", "id"),
	done("imports", "created_by", "id"),
	done("imports", "started_by", "id", "started_at"),
	done("imports", "undone_by", "id", "state"),
	done("import_columns", "chosen_by", "course_id", "fingerprint", "chosen_at"),
	done("sources", "created_by", "id"),
	done("source_runs", "started_by", "id"),
	done("mails", "created_by", "id"),
	done("notices", "told_by", "id"),
	done("gone_people", "gone_by", "user_id"),
	done("erasure_requests", "decided_by", "id", "state"),
	done("merges", "asked_by", "id"),
	done("merges", "done_by", "id", "state"),
	done("merges", "ended_by", "id", "state"),
	done("distinct_people", "said_by", "one_id", "other_id"),
	done("webhooks", "owned_by", "id"),
	done("limits", "set_by", "name", "set_at"),
	done("limit_lifts", "lifted_by", "id"),
	done("limit_lifts", "ended_by", "id", "ended_at"),
	done("claim_requests", "decided_by", "id", "state"),
	done("claim_decisions", "decided_by", "request_id", "course_id"),

	// Entries are only ever added.
	fated(FateStays, "audit_entries", "actor_id"),
	fated(FateStays, "audit_entries", "subject_id"),
	// They answer a repeated request of the same account, for a day.
	fated(FateStays, "idempotency_keys", "user_id"),
	// They count what the account did, and are gone within a day.
	fated(FateStays, "limit_uses", "user_id"),
	// Service accounts are not merged.
	fated(FateStays, "directories", "account_id"),
	// Whoever is gone for good is not merged.
	fated(FateStays, "gone_people", "user_id"),
	// They are about the account; an open one is withdrawn when that goes.
	fated(FateStays, "erasure_requests", "user_id"),
	// They are about the accounts; those that are open end when one goes.
	fated(FateStays, "claim_requests", "requester_id"),
	fated(FateStays, "claim_requests", "waits_id"),
	// They mean the accounts, and not who is behind them.
	fated(FateStays, "merges", "kept_id"),
	fated(FateStays, "merges", "gone_id"),
	fated(FateStays, "distinct_people", "one_id"),
	fated(FateStays, "distinct_people", "other_id"),
	// They say what was told of the account, and are gone within weeks.
	fated(FateStays, "webhook_deliveries", "user_id"),
}

// movement is the statements for a reference that moves.
type movement struct {
	Reference
	count, move, back, left *statement
}

// placeTable is a table with one row for each person in a course.
type placeTable struct {
	Reference
	read, all, insert, remove, give, by *statement
}

var (
	movements   []movement
	placeTables []placeTable
	endings     []ending
)

// ending is the statements for rows that end with the account.
type ending struct {
	Reference
	count, end *statement
}

// placeColumns are all columns of the tables that unite, which a test compares with
// the schema: what is not here would not come back when a merge is split.
var placeColumns = map[string][]string{
	"enrollments": {
		"course_id", "user_id", "role_id", "source", "added_by", "created_at", "section_id", "number", "begins_at", "ends_at",
		"limited_to", "by_hand", "import_id",
	},
	"course_privileges": {"course_id", "user_id", "allow", "deny", "granted_by", "granted_at"},
}

// PlaceColumns tells the columns that are kept of a table in which rows unite.
func PlaceColumns(table string) []string { return slices.Clone(placeColumns[table]) }

func init() {
	for _, r := range References {
		switch r.Fate {
		case FateMoves:
			movements = append(movements, moveStatements(r))
		case FateUnites:
			placeTables = append(placeTables, placeStatements(r))
		case FateEnds:
			endings = append(endings, ending{
				r, stmt(`SELECT count(*) FROM ` + r.Table + ` WHERE ` + r.Column + ` = $1`),
				stmt(`DELETE FROM ` + r.Table + ` WHERE ` + r.Column + ` = $1`),
			})
		}
	}
}

// moveStatements changes a column from $1 to $2. A row that was moved is known by
// the texts of its key, and what has another key by now was written anew.
func moveStatements(r Reference) movement {
	where := r.Column + ` = $1`
	if r.Where != "" {
		where += ` AND ` + r.Where
	}
	var keys, elements []string
	for i, k := range r.Key {
		keys = append(keys, `coalesce(CAST(`+k+` AS TEXT), '')`)
		elements = append(elements, `j.value->>`+string(rune('0'+i)))
	}
	key := strings.Join(keys, ", ")
	update := `UPDATE ` + r.Table + ` SET ` + r.Column + ` = $2 WHERE ` + where
	same := ` AND (` + key + `) IN (SELECT ` + strings.Join(elements, ", ") + ` FROM {rows:$3})`
	// A column in which the place itself is named is part of the key and of the
	// change at once: what comes back is what was there before the change.
	return movement{
		Reference: r,
		count:     stmt(`SELECT count(*) FROM ` + r.Table + ` WHERE ` + where),
		move:      stmtFor(update+` RETURNING json_array(`+key+`)`, update+` RETURNING CAST(jsonb_build_array(`+key+`) AS TEXT)`),
		back:      stmt(update + same),
		left:      stmt(`SELECT count(*) FROM ` + r.Table + ` WHERE ` + where + strings.ReplaceAll(same, "$3", "$2")),
	}
}

// placeStatements reads and writes whole rows as JSON, in the form in which the
// database itself keeps their values, so that a row that comes back is the same.
func placeStatements(r Reference) placeTable {
	columns := placeColumns[r.Table]
	var pairs, values []string
	for _, c := range columns {
		pairs = append(pairs, `'`+c+`', t.`+c)
		values = append(values, `CAST($1 AS TEXT)->>'`+c+`'`)
	}
	list := strings.Join(columns, ", ")
	object := strings.Join(pairs, ", ")
	one := ` FROM ` + r.Table + ` t WHERE t.course_id = $1 AND t.user_id = $2`
	all := ` FROM ` + r.Table + ` t WHERE t.user_id = $1 ORDER BY t.course_id`
	actor := "added_by"
	if r.Table == "course_privileges" {
		actor = "granted_by"
	}
	return placeTable{
		Reference: r,
		read:      stmtFor(`SELECT json_object(`+object+`)`+one, `SELECT CAST(jsonb_build_object(`+object+`) AS TEXT)`+one),
		all:       stmtFor(`SELECT t.course_id, json_object(`+object+`)`+all, `SELECT t.course_id, CAST(jsonb_build_object(`+object+`) AS TEXT)`+all),
		insert: stmtFor(`INSERT INTO `+r.Table+` (`+list+`) VALUES (`+strings.Join(values, ", ")+`)`,
			`INSERT INTO `+r.Table+` (`+list+`) SELECT `+list+` FROM jsonb_populate_record(CAST(NULL AS `+r.Table+`), CAST($1 AS jsonb))`),
		remove: stmt(`DELETE FROM ` + r.Table + ` WHERE course_id = $1 AND user_id = $2`),
		give:   stmt(`UPDATE ` + r.Table + ` SET user_id = $3 WHERE course_id = $1 AND user_id = $2`),
		// Whoever did it was perhaps merged meanwhile.
		by: stmt(`UPDATE ` + r.Table + ` SET ` + actor + ` = (SELECT u.merged_into FROM users u WHERE u.id = ` + actor + `)
			WHERE course_id = $1 AND user_id = $2 AND ` + actor + ` IN (SELECT u.id FROM users u WHERE u.merged_into IS NOT NULL)`),
	}
}
