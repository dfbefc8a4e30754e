-- +goose Up
-- Where rosters come from by themselves: a folder or an https address that is looked
-- at now and then, or bundles that somebody uploads.
CREATE TABLE sources (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    name          TEXT NOT NULL,
    kind          TEXT NOT NULL CHECK (kind IN ('upload', 'folder', 'https')),
    place         TEXT NOT NULL,
    course_id     INTEGER REFERENCES courses (id),
    role          TEXT NOT NULL,
    every_minutes INTEGER NOT NULL,
    exact         BOOLEAN NOT NULL,
    brake         INTEGER NOT NULL,
    enabled       BOOLEAN NOT NULL,
    created_by    INTEGER NOT NULL REFERENCES users (id),
    created_at    TIMESTAMP NOT NULL,
    next_at       TIMESTAMP NOT NULL,
    deleted_at    TIMESTAMP,
    lease_node    TEXT NOT NULL DEFAULT '',
    leased_until  TIMESTAMP NOT NULL
);
CREATE INDEX sources_created_by ON sources (created_by);

CREATE TABLE source_runs (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    source_id   INTEGER NOT NULL REFERENCES sources (id),
    started_by  INTEGER NOT NULL REFERENCES users (id),
    started_at  TIMESTAMP NOT NULL,
    ended_at    TIMESTAMP,
    state       TEXT NOT NULL CHECK (state IN ('reading', 'checking', 'waiting', 'running', 'done', 'unchanged', 'failed', 'canceled')),
    name        TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    counts      TEXT NOT NULL,
    people      INTEGER NOT NULL,
    courses     INTEGER NOT NULL,
    notes       TEXT NOT NULL
);
CREATE INDEX source_runs_source ON source_runs (source_id, id);
CREATE INDEX source_runs_started_by ON source_runs (started_by);

-- What the things of a student system are here.
CREATE TABLE sourced_ids (
    source_id  INTEGER NOT NULL REFERENCES sources (id),
    kind       TEXT NOT NULL CHECK (kind IN ('session', 'course', 'class', 'user')),
    sourced_id TEXT NOT NULL,
    local_id   INTEGER NOT NULL,
    PRIMARY KEY (source_id, kind, sourced_id)
) WITHOUT ROWID;

ALTER TABLE imports ADD COLUMN run_id INTEGER REFERENCES source_runs (id);
CREATE INDEX imports_run ON imports (run_id) WHERE run_id IS NOT NULL;
