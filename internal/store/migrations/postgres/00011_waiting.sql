-- +goose Up
-- When somebody who has not arrived was last named again, so that they are expected
-- for longer; NULL until that happens.
ALTER TABLE users ADD COLUMN renewed_at TIMESTAMPTZ;
-- Whoever waits when this comes is expected for the whole time from then on: until
-- then nobody expired, and nobody was warned.
UPDATE users SET renewed_at = now() WHERE status = 'pending';
CREATE INDEX users_waiting ON users (coalesce(renewed_at, created_at)) WHERE status = 'pending';

-- Those who were named, never came, and were withdrawn or expired. Their rows in
-- users are erased; what they had stands in past_places. Of the address there is a
-- keyed hash and, for a while, its masked form, so that whoever gave them something
-- knows of whom the list speaks.
CREATE TABLE gone_people (
    user_id      BIGINT PRIMARY KEY REFERENCES users (id),
    gone_at      TIMESTAMPTZ NOT NULL,
    gone_by      BIGINT NOT NULL REFERENCES users (id),
    expired      BOOLEAN NOT NULL,
    address_hash TEXT NOT NULL,
    masked       TEXT NOT NULL
);
CREATE INDEX gone_people_hash ON gone_people (address_hash);
CREATE INDEX gone_people_by ON gone_people (gone_by);
CREATE INDEX gone_people_masked ON gone_people (gone_at) WHERE masked <> '';

-- +goose StatementBegin
CREATE FUNCTION gone_people_not_pending() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM users WHERE id = NEW.gone_by AND status = 'pending') THEN
        RAISE EXCEPTION 'a pending person cannot act' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER gone_people_not_pending BEFORE INSERT ON gone_people FOR EACH ROW EXECUTE FUNCTION gone_people_not_pending();

-- Nobody gives anything to somebody who is gone. When the statement ends, the
-- reference to the person has waited for whoever was erasing them. It is a failure
-- to serialize, so that the transaction runs again and sees how things stand.
-- +goose StatementBegin
CREATE FUNCTION places_not_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM added JOIN users ON users.id = added.user_id WHERE users.status = 'erased') THEN
        RAISE EXCEPTION 'an erased person has no place' USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER enrollments_not_erased AFTER INSERT ON enrollments REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION places_not_erased();
CREATE TRIGGER course_privileges_not_erased AFTER INSERT ON course_privileges REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION places_not_erased();
