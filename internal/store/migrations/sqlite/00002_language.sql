-- +goose Up
-- The language in which somebody reads Matricula, such as 'it'; empty for
-- whoever leaves it to their browser.
ALTER TABLE users ADD COLUMN language TEXT NOT NULL DEFAULT '';
