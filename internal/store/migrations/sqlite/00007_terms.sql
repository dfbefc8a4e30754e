-- +goose Up
-- Academic years, and the terms of each. A year has no year_id. name_key is the
-- name as names are compared.
CREATE TABLE terms (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    year_id    INTEGER REFERENCES terms (id),
    name       TEXT NOT NULL,
    name_key   TEXT NOT NULL,
    begins_on  DATE NOT NULL,
    ends_on    DATE NOT NULL,
    created_by INTEGER NOT NULL REFERENCES users (id),
    created_at TIMESTAMP NOT NULL,
    CHECK (begins_on < ends_on)
);
-- A name once in its year, and the years' own names once on the site.
CREATE UNIQUE INDEX terms_name ON terms (COALESCE(year_id, 0), name_key);
CREATE INDEX terms_year ON terms (year_id);

ALTER TABLE courses ADD COLUMN term_id INTEGER REFERENCES terms (id);
CREATE INDEX courses_term ON courses (term_id, id);

-- +goose StatementBegin
CREATE TRIGGER terms_created_by BEFORE INSERT ON terms
WHEN EXISTS (SELECT 1 FROM users WHERE id = NEW.created_by AND status = 'pending')
BEGIN
    SELECT RAISE(ABORT, 'a pending person cannot act');
END;
-- +goose StatementEnd
