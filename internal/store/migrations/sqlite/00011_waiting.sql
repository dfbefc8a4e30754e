-- +goose Up
-- When somebody who has not arrived was last named again, so that they are expected
-- for longer; NULL until that happens.
ALTER TABLE users ADD COLUMN renewed_at TIMESTAMP;
-- Whoever waits when this comes is expected for the whole time from then on: until
-- then nobody expired, and nobody was warned.
UPDATE users SET renewed_at = strftime('%Y-%m-%d %H:%M:%S+00:00', 'now') WHERE status = 'pending';
CREATE INDEX users_waiting ON users (coalesce(renewed_at, created_at)) WHERE status = 'pending';

-- Those who were named, never came, and were withdrawn or expired. Their rows in
-- users are erased; what they had stands in past_places. Of the address there is a
-- keyed hash and, for a while, its masked form, so that whoever gave them something
-- knows of whom the list speaks.
CREATE TABLE gone_people (
    user_id      INTEGER PRIMARY KEY NOT NULL REFERENCES users (id),
    gone_at      TIMESTAMP NOT NULL,
    gone_by      INTEGER NOT NULL REFERENCES users (id),
    expired      BOOLEAN NOT NULL,
    address_hash TEXT NOT NULL,
    masked       TEXT NOT NULL
);
CREATE INDEX gone_people_hash ON gone_people (address_hash);
CREATE INDEX gone_people_by ON gone_people (gone_by);
CREATE INDEX gone_people_masked ON gone_people (gone_at) WHERE masked <> '';

-- +goose StatementBegin
CREATE TRIGGER gone_people_not_pending BEFORE INSERT ON gone_people
WHEN EXISTS (SELECT 1 FROM users WHERE id = NEW.gone_by AND status = 'pending')
BEGIN
    SELECT RAISE(ABORT, 'a pending person cannot act');
END;
-- +goose StatementEnd

-- Nobody gives anything to somebody who is gone.
-- +goose StatementBegin
CREATE TRIGGER enrollments_not_erased BEFORE INSERT ON enrollments
WHEN EXISTS (SELECT 1 FROM users WHERE id = NEW.user_id AND status = 'erased')
BEGIN
    SELECT RAISE(ABORT, 'an erased person has no place');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER course_privileges_not_erased BEFORE INSERT ON course_privileges
WHEN EXISTS (SELECT 1 FROM users WHERE id = NEW.user_id AND status = 'erased')
BEGIN
    SELECT RAISE(ABORT, 'an erased person has no place');
END;
-- +goose StatementEnd
