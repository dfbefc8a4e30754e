-- +goose Up
-- What the staff of a course tell everybody in it, as Markdown.
CREATE TABLE announcements (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    course_id  INTEGER NOT NULL REFERENCES courses (id),
    title      TEXT NOT NULL,
    body       TEXT NOT NULL,
    pinned     BOOLEAN NOT NULL,
    publish_at TIMESTAMP NOT NULL,
    author_id  INTEGER NOT NULL REFERENCES users (id),
    created_at TIMESTAMP NOT NULL,
    edited_at  TIMESTAMP,
    deleted_at TIMESTAMP
);
CREATE INDEX announcements_course ON announcements (course_id, pinned, publish_at, id) WHERE deleted_at IS NULL;
CREATE INDEX announcements_author ON announcements (author_id);
-- +goose StatementBegin
CREATE TRIGGER announcements_author BEFORE INSERT ON announcements
WHEN EXISTS (SELECT 1 FROM users WHERE id = NEW.author_id AND status = 'pending')
BEGIN
    SELECT RAISE(ABORT, 'a pending person cannot act');
END;
-- +goose StatementEnd
