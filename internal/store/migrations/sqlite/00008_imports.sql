-- +goose Up
-- Class lists on their way into a course. The rows lie in chunks, each of which is
-- checked and carried out in one transaction. A node works on an import while it
-- holds the lease.
CREATE TABLE imports (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    course_id    INTEGER NOT NULL REFERENCES courses (id),
    created_by   INTEGER NOT NULL REFERENCES users (id),
    created_at   TIMESTAMP NOT NULL,
    name         TEXT NOT NULL,
    fingerprint  TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('reading', 'columns', 'checking', 'ready', 'running', 'done', 'canceled', 'failed', 'undoing', 'undone')),
    options      TEXT NOT NULL,
    heading      TEXT NOT NULL,
    columns      TEXT NOT NULL,
    row_count    INTEGER NOT NULL,
    chunk_count  INTEGER NOT NULL,
    done_count   INTEGER NOT NULL,
    counts       TEXT NOT NULL,
    new_sections TEXT NOT NULL,
    fault        TEXT NOT NULL DEFAULT '',
    checked_at   TIMESTAMP,
    started_by   INTEGER NOT NULL REFERENCES users (id),
    started_at   TIMESTAMP,
    ended_at     TIMESTAMP,
    undone_by    INTEGER NOT NULL REFERENCES users (id),
    lease_node   TEXT NOT NULL DEFAULT '',
    leased_until TIMESTAMP NOT NULL,
    turn_at      TIMESTAMP NOT NULL
);
CREATE INDEX imports_course ON imports (course_id, id);
CREATE INDEX imports_work ON imports (turn_at) WHERE state IN ('checking', 'running', 'undoing');
CREATE INDEX imports_started_by ON imports (started_by);
CREATE INDEX imports_undone_by ON imports (undone_by);
CREATE INDEX imports_created_by ON imports (created_by);

CREATE TABLE import_chunks (
    import_id   INTEGER NOT NULL REFERENCES imports (id),
    n           INTEGER NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('file', 'remove')),
    row_count   INTEGER NOT NULL,
    step        TEXT NOT NULL CHECK (step IN ('read', 'checked', 'done', 'undone')),
    counts      TEXT NOT NULL,
    rows        TEXT NOT NULL,
    PRIMARY KEY (import_id, n)
) WITHOUT ROWID;

-- Which column of a list holds what, as somebody in the course chose it once, by
-- the headings.
CREATE TABLE import_columns (
    course_id   INTEGER NOT NULL REFERENCES courses (id),
    fingerprint TEXT NOT NULL,
    columns     TEXT NOT NULL,
    chosen_by   INTEGER NOT NULL REFERENCES users (id),
    chosen_at   TIMESTAMP NOT NULL,
    PRIMARY KEY (course_id, fingerprint)
) WITHOUT ROWID;
CREATE INDEX import_columns_chosen_by ON import_columns (chosen_by);

-- The import that set an enrollment last, 0 for none. Not a reference, since each
-- reference costs a look-up for every row of a list.
ALTER TABLE enrollments ADD COLUMN import_id INTEGER NOT NULL DEFAULT 0;
