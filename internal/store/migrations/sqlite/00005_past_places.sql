-- +goose Up
-- The places in courses that people had once. A row is added when somebody leaves
-- or is removed, and stays as it is.
CREATE TABLE past_places (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    course_id  INTEGER NOT NULL REFERENCES courses (id),
    user_id    INTEGER NOT NULL REFERENCES users (id),
    role_key   TEXT NOT NULL,
    role_name  TEXT NOT NULL,
    is_preset  BOOLEAN NOT NULL,
    allow      TEXT NOT NULL,
    deny       TEXT NOT NULL,
    added_by   INTEGER NOT NULL REFERENCES users (id),
    began_at   TIMESTAMP NOT NULL,
    ended_by   INTEGER NOT NULL REFERENCES users (id),
    ended_at   TIMESTAMP NOT NULL
);
CREATE INDEX past_places_course ON past_places (course_id, id);
CREATE INDEX past_places_user ON past_places (user_id, course_id, id);
