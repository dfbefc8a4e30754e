-- +goose Up
-- What a statement adds is checked row by row, each person by their key. As joins
-- these checks were the planner's to turn round: where it knew nothing of a new
-- database, it walked everybody who is pending and for each of them all that was
-- added, so that the time grew with the square of a list. A subquery that stands for
-- one value stays where it is.

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION audit_entries_actor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM added a WHERE (SELECT u.status FROM users u WHERE u.id = a.actor_id) = 'pending') THEN
        RAISE EXCEPTION 'a pending person cannot act' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION enrollments_added_by() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM added a WHERE (SELECT u.status FROM users u WHERE u.id = a.added_by) = 'pending') THEN
        RAISE EXCEPTION 'a pending person cannot act' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION places_not_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM added a WHERE (SELECT u.status FROM users u WHERE u.id = a.user_id) = 'erased') THEN
        RAISE EXCEPTION 'an erased person has no place' USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION emails_merged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM added a WHERE (SELECT u.merged_into FROM users u WHERE u.id = a.user_id) IS NOT NULL) THEN
        RAISE EXCEPTION 'whoever was merged has no address' USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
