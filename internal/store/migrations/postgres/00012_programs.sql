-- +goose Up
-- A program in which a person signed in is a session too, so that whatever ends
-- sessions ends it. token_hash is that of the part that all its refresh tokens
-- share; program is the client id at the provider, empty for a browser.
ALTER TABLE sessions ADD COLUMN program TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN scopes TEXT NOT NULL DEFAULT '[]';
ALTER TABLE sessions ADD COLUMN refresh_hash BYTEA;
ALTER TABLE sessions ADD COLUMN access_hash BYTEA;
ALTER TABLE sessions ADD COLUMN access_until TIMESTAMPTZ;
CREATE UNIQUE INDEX sessions_access ON sessions (access_hash) WHERE access_hash IS NOT NULL;

-- ID tokens that were exchanged, until they end by themselves.
CREATE TABLE spent_id_tokens (
    fingerprint BYTEA PRIMARY KEY,
    expires_at  TIMESTAMPTZ NOT NULL
);
CREATE INDEX spent_id_tokens_expiry ON spent_id_tokens (expires_at);
