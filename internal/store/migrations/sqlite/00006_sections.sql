-- +goose Up
-- The groups into which a course is parted, such as its labs.
CREATE TABLE sections (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    course_id  INTEGER NOT NULL REFERENCES courses (id),
    name       TEXT NOT NULL,
    name_key   TEXT NOT NULL,
    created_by INTEGER NOT NULL REFERENCES users (id),
    created_at TIMESTAMP NOT NULL,
    UNIQUE (course_id, name_key)
);

-- by_hand has a bit for each value that a person has set: 1 the role, 2 the
-- section, 4 the number, 8 and 16 the dates. An import does not change these by
-- itself. limited_to lists the sections to which staff is limited.
ALTER TABLE enrollments ADD COLUMN section_id INTEGER REFERENCES sections (id);
ALTER TABLE enrollments ADD COLUMN number TEXT NOT NULL DEFAULT '';
ALTER TABLE enrollments ADD COLUMN begins_at TIMESTAMP;
ALTER TABLE enrollments ADD COLUMN ends_at TIMESTAMP;
ALTER TABLE enrollments ADD COLUMN limited_to TEXT NOT NULL DEFAULT '[]';
ALTER TABLE enrollments ADD COLUMN by_hand INTEGER NOT NULL DEFAULT 1;
CREATE INDEX enrollments_section ON enrollments (section_id) WHERE section_id IS NOT NULL;
CREATE INDEX enrollments_ending ON enrollments (ends_at) WHERE ends_at IS NOT NULL;

ALTER TABLE past_places ADD COLUMN section TEXT NOT NULL DEFAULT '';
ALTER TABLE past_places ADD COLUMN number TEXT NOT NULL DEFAULT '';
ALTER TABLE past_places ADD COLUMN begins_at TIMESTAMP;
ALTER TABLE past_places ADD COLUMN ends_at TIMESTAMP;
ALTER TABLE past_places ADD COLUMN limited_to TEXT NOT NULL DEFAULT '[]';
