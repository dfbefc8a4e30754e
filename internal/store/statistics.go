package store

import "context"

// PostgreSQL keeps the plans of prepared statements, and of the checks of foreign
// keys, for as long as a connection lasts. Made while a table was nearly empty, as
// in a new installation, they read all of it for each row: the first list of
// 100,000 people then takes six times as long, and pages of other courses seconds,
// until autovacuum comes round after a minute and a plan is made anew.

// manyPeople is for how many new people at once it pays to see to the plans.
const manyPeople = 100

var sqlForgetPlans = stmtFor(`SELECT 1`, `DISCARD PLANS`)

// forgetPlans has this connection plan anew. It takes a few milliseconds.
func (tx *Tx) forgetPlans(ctx context.Context) error {
	tx.grown = true
	return tx.later(ctx, "forget plans", sqlForgetPlans)
}

// outgrown lists the tables that have several times the pages of which the planner
// knows, among those into which many rows come at once.
const outgrown = `SELECT relname FROM pg_class
	WHERE oid IN ('users'::regclass, 'emails'::regclass, 'enrollments'::regclass, 'audit_entries'::regclass)
		AND pg_relation_size(oid) / current_setting('block_size')::bigint > 16 + 4 * greatest(relpages, 0)`
