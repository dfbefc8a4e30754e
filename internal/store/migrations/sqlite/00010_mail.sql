-- +goose Up
-- What is to be sent, and what became of it. data is what the text needs, and is
-- emptied once the mail has ended, since it can hold a code. user_id is whom it is
-- for; the service account 1 where nobody has the address yet. An event is told once.
CREATE TABLE mails (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    kind         TEXT NOT NULL,
    user_id      INTEGER NOT NULL REFERENCES users (id),
    address      TEXT NOT NULL,
    event        TEXT NOT NULL UNIQUE,
    course_id    INTEGER REFERENCES courses (id),
    language     TEXT NOT NULL,
    data         TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'bounced', 'failed', 'canceled')),
    fault        TEXT NOT NULL DEFAULT '',
    attempts     INTEGER NOT NULL DEFAULT 0,
    created_by   INTEGER NOT NULL REFERENCES users (id),
    created_at   TIMESTAMP NOT NULL,
    next_at      TIMESTAMP NOT NULL,
    ended_at     TIMESTAMP,
    lease_node   TEXT NOT NULL DEFAULT '',
    leased_until TIMESTAMP NOT NULL
);
CREATE INDEX mails_work ON mails (next_at, id) WHERE state = 'queued';
CREATE INDEX mails_user ON mails (user_id, id);
CREATE INDEX mails_created_by ON mails (created_by);
CREATE INDEX mails_address ON mails (address, id);
CREATE INDEX mails_ended ON mails (ended_at) WHERE ended_at IS NOT NULL;

-- An address that somebody says is theirs, until the code that was sent to it comes
-- back. A proof of a sign-in belongs to a browser, by secret_hash, and keeps what the
-- provider said in token; that of a further address belongs to a session.
CREATE TABLE proofs (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    kind        TEXT NOT NULL CHECK (kind IN ('sign-in', 'address')),
    secret_hash BLOB NOT NULL UNIQUE,
    user_id     INTEGER NOT NULL REFERENCES users (id),
    session_id  INTEGER NOT NULL,
    address     TEXT NOT NULL,
    provider    TEXT NOT NULL,
    token       TEXT NOT NULL,
    next        TEXT NOT NULL,
    code_hash   BLOB NOT NULL,
    tries       INTEGER NOT NULL DEFAULT 0,
    sends       INTEGER NOT NULL DEFAULT 1,
    sent_at     TIMESTAMP NOT NULL,
    created_at  TIMESTAMP NOT NULL,
    expires_at  TIMESTAMP NOT NULL
);
CREATE INDEX proofs_expiry ON proofs (expires_at);
CREATE INDEX proofs_user ON proofs (user_id);

-- Who was told by mail that they had been named, by whom, and whether they objected.
-- answer_hash is of the secret in the mail by which they can.
CREATE TABLE notices (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id     INTEGER NOT NULL REFERENCES users (id),
    course_id   INTEGER NOT NULL REFERENCES courses (id),
    told_by     INTEGER NOT NULL REFERENCES users (id),
    answer_hash BLOB NOT NULL UNIQUE,
    created_at  TIMESTAMP NOT NULL,
    objected_at TIMESTAMP
);
CREATE INDEX notices_user ON notices (user_id, id);
CREATE INDEX notices_told_by ON notices (told_by, created_at);

-- Until when somebody has been told by mail who arrived of those whom they named;
-- empty for whoever does not want to be told.
ALTER TABLE users ADD COLUMN arrivals_told_at TIMESTAMP;
CREATE INDEX users_told_of_arrivals ON users (arrivals_told_at) WHERE arrivals_told_at IS NOT NULL;
CREATE INDEX users_claimed ON users (claimed_at) WHERE claimed_at IS NOT NULL;
