-- +goose Up
-- Somebody who has signed in says that what waits for an address is theirs. waits_id
-- is who waits with the address; the service account 1 while nobody does. While a
-- request is open, decided_by is whoever asks. The address goes when whoever has it is
-- erased; to whoever asked only the masked one is shown. By a keyed hash it is known
-- when they ask for it again.
CREATE TABLE claim_requests (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    requester_id INTEGER NOT NULL REFERENCES users (id),
    waits_id     INTEGER NOT NULL REFERENCES users (id),
    address      TEXT NOT NULL,
    masked       TEXT NOT NULL,
    address_hash TEXT NOT NULL DEFAULT '',
    state        TEXT NOT NULL CHECK (state IN ('open', 'approved', 'refused', 'withdrawn', 'fallen')),
    asked_at     TIMESTAMP NOT NULL,
    expires_at   TIMESTAMP NOT NULL,
    told_at      TIMESTAMP,
    answer_hash  BLOB,
    objected_at  TIMESTAMP,
    decided_by   INTEGER NOT NULL REFERENCES users (id),
    decided_at   TIMESTAMP,
    reason       TEXT NOT NULL DEFAULT ''
);
-- One open request of a person for an address, whatever two browsers do at once.
CREATE UNIQUE INDEX claim_requests_open ON claim_requests (requester_id, address_hash) WHERE state = 'open';
CREATE INDEX claim_requests_requester ON claim_requests (requester_id, id);
CREATE INDEX claim_requests_waits ON claim_requests (waits_id) WHERE state = 'open';
CREATE INDEX claim_requests_address ON claim_requests (address);
CREATE INDEX claim_requests_expiry ON claim_requests (expires_at);
CREATE INDEX claim_requests_decided_by ON claim_requests (decided_by);
CREATE UNIQUE INDEX claim_requests_answer ON claim_requests (answer_hash) WHERE answer_hash IS NOT NULL;

-- What was decided in one course about what waits there. An administrator's decision
-- about all of it stands in the request itself.
CREATE TABLE claim_decisions (
    request_id INTEGER NOT NULL REFERENCES claim_requests (id),
    course_id  INTEGER NOT NULL REFERENCES courses (id),
    approved   BOOLEAN NOT NULL,
    reason     TEXT NOT NULL DEFAULT '',
    decided_by INTEGER NOT NULL REFERENCES users (id),
    decided_at TIMESTAMP NOT NULL,
    PRIMARY KEY (request_id, course_id)
) WITHOUT ROWID;
CREATE INDEX claim_decisions_decided_by ON claim_decisions (decided_by);

-- +goose StatementBegin
CREATE TRIGGER claim_requests_asked BEFORE INSERT ON claim_requests
WHEN EXISTS (SELECT 1 FROM users WHERE id = NEW.requester_id AND status = 'pending')
BEGIN
    SELECT RAISE(ABORT, 'a pending person cannot act');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER claim_decisions_decided BEFORE INSERT ON claim_decisions
WHEN EXISTS (SELECT 1 FROM users WHERE id = NEW.decided_by AND status = 'pending')
BEGIN
    SELECT RAISE(ABORT, 'a pending person cannot act');
END;
-- +goose StatementEnd
