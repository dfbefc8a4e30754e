-- +goose Up
-- Of PostgreSQL alone: SQLite's triggers look at each row by its key as it is.
SELECT 1;
