-- +goose Up
-- Two rows that turned out to be one human: gone_id was merged into kept_id. A
-- merged user refers to who they are now, is erased for everybody who does not ask
-- for that, and has nothing of their own left.
ALTER TABLE users ADD COLUMN merged_into INTEGER REFERENCES users (id)
    CHECK (merged_into IS NULL OR (status = 'erased' AND merged_into <> id));
CREATE INDEX users_merged_into ON users (merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE merges (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    kept_id      INTEGER NOT NULL REFERENCES users (id),
    gone_id      INTEGER NOT NULL REFERENCES users (id),
    was          TEXT NOT NULL CHECK (was IN ('pending', 'active')),
    state        TEXT NOT NULL CHECK (state IN ('asked', 'done', 'split', 'withdrawn')),
    asked_by     INTEGER NOT NULL REFERENCES users (id),
    asked_at     TIMESTAMP NOT NULL,
    kept_said_at TIMESTAMP,
    gone_said_at TIMESTAMP,
    done_by      INTEGER NOT NULL REFERENCES users (id),
    done_at      TIMESTAMP,
    ended_by     INTEGER NOT NULL REFERENCES users (id),
    ended_at     TIMESTAMP,
    expires_at   TIMESTAMP NOT NULL,
    CHECK (kept_id <> gone_id)
);
-- Nobody is merged into two people, or asked about the same two accounts twice.
CREATE UNIQUE INDEX merges_done ON merges (gone_id) WHERE state = 'done';
CREATE UNIQUE INDEX merges_open ON merges (min(kept_id, gone_id), max(kept_id, gone_id)) WHERE state = 'asked';
CREATE INDEX merges_kept ON merges (kept_id, id);
CREATE INDEX merges_gone ON merges (gone_id, id);
CREATE INDEX merges_asked_by ON merges (asked_by, id);
CREATE INDEX merges_done_by ON merges (done_by);
CREATE INDEX merges_ended_by ON merges (ended_by);
CREATE INDEX merges_expiry ON merges (expires_at) WHERE state IN ('asked', 'done');

-- What a merge has done to each reference to a person, so that it can be split. It
-- is removed when that is over.
CREATE TABLE merge_rows (
    merge_id INTEGER NOT NULL REFERENCES merges (id),
    part     TEXT NOT NULL,
    rows     TEXT NOT NULL,
    PRIMARY KEY (merge_id, part)
) WITHOUT ROWID;

-- Whom somebody with a say in it has called two people, so that they are not taken
-- for one again.
CREATE TABLE distinct_people (
    one_id   INTEGER NOT NULL REFERENCES users (id),
    other_id INTEGER NOT NULL REFERENCES users (id),
    said_by  INTEGER NOT NULL REFERENCES users (id),
    said_at  TIMESTAMP NOT NULL,
    PRIMARY KEY (one_id, other_id),
    CHECK (one_id < other_id)
) WITHOUT ROWID;
CREATE INDEX distinct_people_other ON distinct_people (other_id);
CREATE INDEX distinct_people_said_by ON distinct_people (said_by);

-- +goose StatementBegin
CREATE TRIGGER merges_asked_by BEFORE INSERT ON merges
WHEN EXISTS (SELECT 1 FROM users WHERE id = NEW.asked_by AND status = 'pending')
BEGIN
    SELECT RAISE(ABORT, 'a pending person cannot act');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER distinct_people_said_by BEFORE INSERT ON distinct_people
WHEN EXISTS (SELECT 1 FROM users WHERE id = NEW.said_by AND status = 'pending')
BEGIN
    SELECT RAISE(ABORT, 'a pending person cannot act');
END;
-- +goose StatementEnd
-- Whoever was merged gets no further address; the main one comes with the person or
-- in a sign-in. Nor do they get places, since they count as erased.
-- +goose StatementBegin
CREATE TRIGGER emails_merged BEFORE INSERT ON emails
WHEN NOT NEW.is_primary AND EXISTS (SELECT 1 FROM users WHERE id = NEW.user_id AND merged_into IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'whoever was merged has no address');
END;
-- +goose StatementEnd

-- Whoever was erased stays so; whoever was merged can come back, when that is split.
DROP TRIGGER users_erased_for_good;
-- +goose StatementBegin
CREATE TRIGGER users_erased_for_good BEFORE UPDATE OF status ON users
WHEN OLD.status = 'erased' AND NEW.status <> 'erased' AND OLD.merged_into IS NULL AND (OLD.claimed_at IS NULL OR NEW.status <> 'pending')
BEGIN
    SELECT RAISE(ABORT, 'an erased account stays erased');
END;
-- +goose StatementEnd
