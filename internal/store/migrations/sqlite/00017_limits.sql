-- +goose Up
-- How often something happened within the present period of a limit: one row for each
-- limit and subject, until the period ends. A use is counted in the transaction of what
-- it counts. user_id is the subject of a limit per person, and 1 for all others, whose
-- subject is the id of a course, a domain, or the hash of an address, a network or a
-- program.
CREATE TABLE limit_uses (
    limit_name TEXT NOT NULL,
    user_id    INTEGER NOT NULL REFERENCES users (id),
    subject    TEXT NOT NULL,
    used       INTEGER NOT NULL,
    ends_at    TIMESTAMP NOT NULL,
    PRIMARY KEY (limit_name, user_id, subject)
) WITHOUT ROWID;
CREATE INDEX limit_uses_user ON limit_uses (user_id);
CREATE INDEX limit_uses_ends ON limit_uses (ends_at);

-- Limits that administrators have set; the others are as the program has them.
CREATE TABLE limits (
    name   TEXT PRIMARY KEY,
    amount INTEGER NOT NULL CHECK (amount > 0),
    set_by INTEGER NOT NULL REFERENCES users (id),
    set_at TIMESTAMP NOT NULL
) WITHOUT ROWID;
CREATE INDEX limits_set_by ON limits (set_by);

-- For whom a limit does not hold, until when. subject is as in limit_uses.
CREATE TABLE limit_lifts (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    limit_name TEXT NOT NULL,
    user_id    INTEGER NOT NULL REFERENCES users (id),
    course_id  INTEGER REFERENCES courses (id),
    subject    TEXT NOT NULL,
    reason     TEXT NOT NULL,
    lifted_by  INTEGER NOT NULL REFERENCES users (id),
    lifted_at  TIMESTAMP NOT NULL,
    until_at   TIMESTAMP NOT NULL,
    ended_by   INTEGER NOT NULL REFERENCES users (id),
    ended_at   TIMESTAMP
);
CREATE INDEX limit_lifts_subject ON limit_lifts (limit_name, user_id, subject);
CREATE INDEX limit_lifts_user ON limit_lifts (user_id);
CREATE INDEX limit_lifts_lifted_by ON limit_lifts (lifted_by);
CREATE INDEX limit_lifts_ended_by ON limit_lifts (ended_by);

-- +goose StatementBegin
CREATE TRIGGER limit_lifts_lifted_by BEFORE INSERT ON limit_lifts
WHEN EXISTS (SELECT 1 FROM users WHERE id = NEW.lifted_by AND status = 'pending')
BEGIN
    SELECT RAISE(ABORT, 'a pending person cannot act');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER limits_set_by BEFORE INSERT ON limits
WHEN EXISTS (SELECT 1 FROM users WHERE id = NEW.set_by AND status = 'pending')
BEGIN
    SELECT RAISE(ABORT, 'a pending person cannot act');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER limits_set_by_again BEFORE UPDATE ON limits
WHEN EXISTS (SELECT 1 FROM users WHERE id = NEW.set_by AND status = 'pending')
BEGIN
    SELECT RAISE(ABORT, 'a pending person cannot act');
END;
-- +goose StatementEnd

-- A list that has met a limit waits and goes on by itself. names is how many people a
-- checked list would name.
ALTER TABLE imports ADD COLUMN names INTEGER NOT NULL DEFAULT 0;
ALTER TABLE imports ADD COLUMN paused_for TEXT NOT NULL DEFAULT '';
ALTER TABLE imports ADD COLUMN paused_until TIMESTAMP;

-- Whether whoever was told lies outside the school's domains, as these were then.
ALTER TABLE notices ADD COLUMN outside BOOLEAN NOT NULL DEFAULT FALSE;
