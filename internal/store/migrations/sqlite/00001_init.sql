-- +goose Up
CREATE TABLE users (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    kind         TEXT NOT NULL CHECK (kind IN ('person', 'service')),
    status       TEXT NOT NULL CHECK (status IN ('pending', 'active', 'suspended', 'erased')),
    site_role    TEXT NOT NULL CHECK (site_role IN ('member', 'teacher', 'admin')),
    given_name   TEXT NOT NULL DEFAULT '',
    family_name  TEXT NOT NULL DEFAULT '',
    name         TEXT NOT NULL DEFAULT '',
    search_key   TEXT NOT NULL,
    sort_key     TEXT NOT NULL,
    created_by   INTEGER NOT NULL REFERENCES users (id),
    created_at   TIMESTAMP NOT NULL,
    claimed_at   TIMESTAMP,
    last_seen_at TIMESTAMP,
    CHECK (status <> 'pending' OR (claimed_at IS NULL AND kind = 'person')),
    CHECK (status <> 'active' OR kind = 'service' OR claimed_at IS NOT NULL)
);
CREATE UNIQUE INDEX users_service_name ON users (name) WHERE kind = 'service';
CREATE INDEX users_staff ON users (id) WHERE site_role <> 'member';

-- What a part of a name or an address is searched in. The store keeps it; the
-- text itself is users.search_key.
CREATE VIRTUAL TABLE user_search USING fts5 (
    search_key, content = '', contentless_delete = 1, tokenize = 'trigram case_sensitive 1'
);

CREATE TABLE emails (
    address     TEXT PRIMARY KEY,
    user_id     INTEGER NOT NULL REFERENCES users (id),
    as_typed    TEXT NOT NULL,
    is_primary  BOOLEAN NOT NULL,
    verified_at TIMESTAMP,
    created_at  TIMESTAMP NOT NULL
) WITHOUT ROWID;
-- is_primary stands in the index too, so that the address is read from it alone.
CREATE UNIQUE INDEX emails_primary ON emails (user_id, is_primary) WHERE is_primary;

CREATE TABLE identities (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    issuer        TEXT NOT NULL,
    subject       TEXT NOT NULL,
    user_id       INTEGER NOT NULL REFERENCES users (id),
    email_at_link TEXT NOT NULL,
    linked_at     TIMESTAMP NOT NULL,
    last_used_at  TIMESTAMP NOT NULL,
    UNIQUE (issuer, subject)
);
CREATE INDEX identities_user ON identities (user_id);

CREATE TABLE courses (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    title       TEXT NOT NULL,
    code        TEXT NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '',
    created_by  INTEGER NOT NULL REFERENCES users (id),
    created_at  TIMESTAMP NOT NULL,
    archived_at TIMESTAMP,
    deleted_at  TIMESTAMP
);

CREATE TABLE course_roles (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    course_id  INTEGER NOT NULL REFERENCES courses (id),
    key        TEXT NOT NULL,
    name       TEXT NOT NULL,
    is_preset  BOOLEAN NOT NULL,
    privileges TEXT NOT NULL,
    UNIQUE (course_id, key)
);

CREATE TABLE enrollments (
    course_id  INTEGER NOT NULL REFERENCES courses (id),
    user_id    INTEGER NOT NULL REFERENCES users (id),
    role_id    INTEGER NOT NULL REFERENCES course_roles (id),
    source     TEXT NOT NULL,
    added_by   INTEGER NOT NULL REFERENCES users (id),
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (course_id, user_id)
) WITHOUT ROWID;
CREATE INDEX enrollments_user ON enrollments (user_id);

CREATE TABLE course_privileges (
    course_id  INTEGER NOT NULL REFERENCES courses (id),
    user_id    INTEGER NOT NULL REFERENCES users (id),
    allow      TEXT NOT NULL,
    deny       TEXT NOT NULL,
    granted_by INTEGER NOT NULL REFERENCES users (id),
    granted_at TIMESTAMP NOT NULL,
    PRIMARY KEY (course_id, user_id)
) WITHOUT ROWID;
CREATE INDEX course_privileges_user ON course_privileges (user_id);

CREATE TABLE audit_entries (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at         TIMESTAMP NOT NULL,
    actor_id   INTEGER NOT NULL REFERENCES users (id),
    action     TEXT NOT NULL,
    outcome    TEXT NOT NULL CHECK (outcome IN ('done', 'refused')),
    reason     TEXT NOT NULL DEFAULT '',
    subject_id INTEGER NOT NULL REFERENCES users (id),
    course_id  INTEGER REFERENCES courses (id),
    before     TEXT NOT NULL DEFAULT '{}',
    after      TEXT NOT NULL DEFAULT '{}',
    request_id TEXT NOT NULL DEFAULT ''
);
CREATE INDEX audit_entries_course ON audit_entries (course_id, id);

CREATE TABLE sessions (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    token_hash   BLOB NOT NULL UNIQUE,
    user_id      INTEGER NOT NULL REFERENCES users (id),
    created_at   TIMESTAMP NOT NULL,
    last_used_at TIMESTAMP NOT NULL,
    expires_at   TIMESTAMP NOT NULL,
    user_agent   TEXT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE api_tokens (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    token_hash   BLOB NOT NULL UNIQUE,
    user_id      INTEGER NOT NULL REFERENCES users (id),
    name         TEXT NOT NULL,
    hint         TEXT NOT NULL,
    scopes       TEXT NOT NULL,
    course_ids   TEXT NOT NULL,
    created_at   TIMESTAMP NOT NULL,
    expires_at   TIMESTAMP,
    last_used_at TIMESTAMP
);
CREATE INDEX api_tokens_user ON api_tokens (user_id);

-- One browser on its way to a provider and back. A row is used once.
CREATE TABLE signin_attempts (
    state_hash   BLOB PRIMARY KEY,
    browser_hash BLOB NOT NULL,
    provider     TEXT NOT NULL,
    nonce        TEXT NOT NULL,
    verifier     TEXT NOT NULL,
    next         TEXT NOT NULL,
    expires_at   TIMESTAMP NOT NULL
) WITHOUT ROWID;
CREATE INDEX signin_attempts_expiry ON signin_attempts (expires_at);

CREATE TABLE idempotency_keys (
    user_id     INTEGER NOT NULL REFERENCES users (id),
    route       TEXT NOT NULL,
    key         TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    answer      TEXT NOT NULL,
    created_at  TIMESTAMP NOT NULL,
    PRIMARY KEY (user_id, route, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- Random keys that all nodes share, such as the one that signs cursors.
CREATE TABLE secrets (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

-- What no code may do, whatever its bugs: a claimed account never becomes
-- pending again, and a pending person neither signs in, holds a token nor acts.
-- +goose StatementBegin
CREATE TRIGGER users_claimed_once BEFORE UPDATE OF status, claimed_at ON users
WHEN OLD.claimed_at IS NOT NULL AND (NEW.claimed_at IS NULL OR NEW.status = 'pending')
BEGIN
    SELECT RAISE(ABORT, 'a claimed account cannot become pending again');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER sessions_active_only BEFORE INSERT ON sessions
WHEN NOT EXISTS (SELECT 1 FROM users WHERE id = NEW.user_id AND status = 'active' AND kind = 'person')
BEGIN
    SELECT RAISE(ABORT, 'only an active person has sessions');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER api_tokens_active_only BEFORE INSERT ON api_tokens
WHEN NOT EXISTS (SELECT 1 FROM users WHERE id = NEW.user_id AND status = 'active')
BEGIN
    SELECT RAISE(ABORT, 'only an active user has tokens');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_entries_actor BEFORE INSERT ON audit_entries
WHEN EXISTS (SELECT 1 FROM users WHERE id = NEW.actor_id AND status = 'pending')
BEGIN
    SELECT RAISE(ABORT, 'a pending person cannot act');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER identities_not_pending BEFORE INSERT ON identities
WHEN EXISTS (SELECT 1 FROM users WHERE id = NEW.user_id AND status = 'pending')
BEGIN
    SELECT RAISE(ABORT, 'a pending person has no identity');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER enrollments_added_by BEFORE INSERT ON enrollments
WHEN EXISTS (SELECT 1 FROM users WHERE id = NEW.added_by AND status = 'pending')
BEGIN
    SELECT RAISE(ABORT, 'a pending person cannot act');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER course_privileges_granted_by BEFORE INSERT ON course_privileges
WHEN EXISTS (SELECT 1 FROM users WHERE id = NEW.granted_by AND status = 'pending')
BEGIN
    SELECT RAISE(ABORT, 'a pending person cannot act');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER course_privileges_regranted_by BEFORE UPDATE ON course_privileges
WHEN EXISTS (SELECT 1 FROM users WHERE id = NEW.granted_by AND status = 'pending')
BEGIN
    SELECT RAISE(ABORT, 'a pending person cannot act');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_entries_keep BEFORE UPDATE ON audit_entries
BEGIN
    SELECT RAISE(ABORT, 'audit entries are only added');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_entries_keep_all BEFORE DELETE ON audit_entries
BEGIN
    SELECT RAISE(ABORT, 'audit entries are only added');
END;
-- +goose StatementEnd

INSERT INTO users (id, kind, status, site_role, name, search_key, sort_key, created_by, created_at)
VALUES (1, 'service', 'active', 'member', 'Matricula', '', '', 1, '1970-01-01 00:00:00+00:00');
