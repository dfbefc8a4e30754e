package main

import "regexp"

type engine int

const (
	sqlite engine = iota
	postgres
)

func (e engine) String() string { return [...]string{"SQLite", "PostgreSQL"}[e] }

// text is one statement in the words of both engines.
type text [2]string

var elements = regexp.MustCompile(`\{rows:(\$\d+)\}`)

// both writes a statement once. {rows:$1} is the elements of a JSON array as
// the table j with the column value.
func both(s string) text {
	return text{elements.ReplaceAllString(s, "json_each($1) j"), elements.ReplaceAllString(s, "jsonb_array_elements($1::jsonb) AS j(value)")}
}

// The statements of the use cases, and nothing of who asks, what they may do
// and what is kept about it.
const memberColumns = `u.id, u.status, u.site_role, e.address, u.given_name, u.family_name, u.name, u.created_at, u.claimed_at, u.last_seen_at,
	r.key, r.name, r.is_preset, r.privileges, en.source, en.created_at, p.allow, p.deny,
	en.section_id, sec.name, en.number, en.begins_at, en.ends_at, en.limited_to`

const memberJoins = ` LEFT JOIN emails e ON e.user_id = u.id AND e.is_primary
	LEFT JOIN enrollments en ON en.course_id = $2 AND en.user_id = u.id
	LEFT JOIN course_roles r ON r.id = en.role_id
	LEFT JOIN sections sec ON sec.id = en.section_id
	LEFT JOIN course_privileges p ON p.course_id = $2 AND p.user_id = u.id`

var (
	// The page of users in whose name or address $1 is found, with their places
	// in the course $2.
	bareSearch = text{
		`SELECT ` + memberColumns + ` FROM user_search s CROSS JOIN users u ON u.id = s.rowid` + memberJoins + `
			WHERE s.search_key MATCH $1 AND u.status <> 'erased' ORDER BY s.rowid LIMIT +$3`,
		`SELECT ` + memberColumns + ` FROM users u` + memberJoins + `
			WHERE u.search_key LIKE $1 AND u.status <> 'erased' ORDER BY u.id LIMIT $3`,
	}

	bareMember = both(`SELECT ` + memberColumns + ` FROM users u` + memberJoins + ` WHERE u.id = $1 AND u.status <> 'erased'`)

	bareGrant = both(`INSERT INTO course_privileges (course_id, user_id, allow, deny, granted_by, granted_at) VALUES ($1, $2, $3, '[]', 1, $4)
		ON CONFLICT (course_id, user_id) DO UPDATE SET allow = excluded.allow, deny = excluded.deny,
			granted_by = excluded.granted_by, granted_at = excluded.granted_at`)

	bareFindAddress  = both(`SELECT user_id FROM emails WHERE address = $1`)
	bareInsertPerson = both(`INSERT INTO users (kind, status, site_role, search_key, sort_key, created_by, created_at)
		VALUES ('person', 'pending', 'member', $1, $1, 1, $2) RETURNING id`)
	bareInsertEmail = both(`INSERT INTO emails (address, user_id, as_typed, is_primary, created_at) VALUES ($1, $2, $1, TRUE, $3)`)
	bareIndex       = text{`INSERT INTO user_search (rowid, search_key) VALUES ($1, $2)`}

	bareFindAddresses = both(`SELECT e.address, e.user_id FROM {rows:$1} JOIN emails e ON e.address = j.value->>0`)
	// A thousand people at once, with ids that the handler chose (SQLite has one
	// writer) or that the sequence gives.
	bareLastID       = both(`SELECT coalesce(max(id), 0) FROM users`)
	bareInsertPeople = text{
		`INSERT INTO users (id, kind, status, site_role, search_key, sort_key, created_by, created_at)
			SELECT j.value->>1, 'person', 'pending', 'member', j.value->>0, j.value->>0, 1, $2 FROM json_each($1) j`,
		`WITH input AS MATERIALIZED (SELECT nextval('users_id_seq') AS id, j.value->>0 AS address FROM jsonb_array_elements($1::jsonb) AS j(value)),
			people AS (
				INSERT INTO users (id, kind, status, site_role, search_key, sort_key, created_by, created_at)
				SELECT id, 'person', 'pending', 'member', address, address, 1, $2 FROM input
			), addresses AS (
				INSERT INTO emails (address, user_id, as_typed, is_primary, created_at) SELECT address, id, address, TRUE, $2 FROM input
			)
			SELECT address, id FROM input`,
	}
	bareInsertEmails = text{`INSERT INTO emails (address, user_id, as_typed, is_primary, created_at)
		SELECT j.value->>0, j.value->>1, j.value->>0, TRUE, $2 FROM json_each($1) j`}
	bareIndexPeople = text{`INSERT INTO user_search (rowid, search_key) SELECT j.value->>1, j.value->>0 FROM json_each($1) j`}
	bareRole        = both(`SELECT id FROM course_roles WHERE course_id = $1 AND key = $2`)
	bareEnroll      = both(`INSERT INTO enrollments (course_id, user_id, role_id, source, added_by, created_at)
		SELECT $2, CAST(j.value->>1 AS BIGINT), $3, 'paste', 1, $4 FROM {rows:$1} WHERE TRUE
		ON CONFLICT (course_id, user_id) DO NOTHING RETURNING user_id`)

	// The sign-in.
	bareAddAttempt = both(`INSERT INTO signin_attempts (state_hash, browser_hash, provider, nonce, verifier, next, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`)
	bareTakeAttempt  = both(`DELETE FROM signin_attempts WHERE state_hash = $1 RETURNING browser_hash, nonce, verifier, next, expires_at`)
	bareFindIdentity = both(`SELECT user_id FROM identities WHERE issuer = $1 AND subject = $2`)
	bareFindPending  = both(`SELECT u.id, u.status FROM emails a JOIN users u ON u.id = a.user_id WHERE a.address = $1`)
	bareClaim        = both(`UPDATE users SET status = 'active', claimed_at = $2, last_seen_at = $2,
			given_name = $3, family_name = $4, name = $5, search_key = $6, sort_key = $7
		WHERE id = $1 AND status = 'pending' RETURNING id`)
	bareVerifyAddress = both(`UPDATE emails SET verified_at = $2 WHERE address = $1 AND verified_at IS NULL`)
	bareUnindex       = text{`DELETE FROM user_search WHERE rowid = $1`}
	bareAddIdentity   = both(`INSERT INTO identities (issuer, subject, user_id, email_at_link, linked_at, last_used_at)
		VALUES ($1, $2, $3, $4, $5, $5)`)
	bareAddSession = both(`INSERT INTO sessions (token_hash, user_id, created_at, last_used_at, expires_at, user_agent)
		VALUES ($1, $2, $3, $3, $4, $5)`)
)
