-- +goose Up
-- What people have asked about their own account: to be erased. While a request is
-- open, decided_by is whoever asked. Note is theirs, answer is why it was refused.
CREATE TABLE erasure_requests (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id    INTEGER NOT NULL REFERENCES users (id),
    state      TEXT NOT NULL CHECK (state IN ('open', 'withdrawn', 'refused', 'done')),
    note       TEXT NOT NULL,
    asked_at   TIMESTAMP NOT NULL,
    decided_by INTEGER NOT NULL REFERENCES users (id),
    decided_at TIMESTAMP,
    answer     TEXT NOT NULL DEFAULT ''
);
-- One open request of a person, whatever two browsers do at once.
CREATE UNIQUE INDEX erasure_requests_open ON erasure_requests (user_id) WHERE state = 'open';
CREATE INDEX erasure_requests_user ON erasure_requests (user_id, id);
CREATE INDEX erasure_requests_decided_by ON erasure_requests (decided_by);
CREATE INDEX erasure_requests_state ON erasure_requests (state, id);

-- +goose StatementBegin
CREATE TRIGGER erasure_requests_asked BEFORE INSERT ON erasure_requests
WHEN EXISTS (SELECT 1 FROM users WHERE id = NEW.user_id AND status = 'pending')
BEGIN
    SELECT RAISE(ABORT, 'a pending person cannot act');
END;
-- +goose StatementEnd

-- Whoever was erased stays so.
-- +goose StatementBegin
CREATE TRIGGER users_erased_for_good BEFORE UPDATE OF status ON users
WHEN OLD.status = 'erased' AND NEW.status <> 'erased' AND (OLD.claimed_at IS NULL OR NEW.status <> 'pending')
BEGIN
    SELECT RAISE(ABORT, 'an erased account stays erased');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER identities_not_erased BEFORE INSERT ON identities
WHEN EXISTS (SELECT 1 FROM users WHERE id = NEW.user_id AND status = 'erased')
BEGIN
    SELECT RAISE(ABORT, 'an erased account has no identity');
END;
-- +goose StatementEnd

-- What erasing takes out of the audit are the texts about whoever was erased. That
-- something was done, when and by whom is never changed.
DROP TRIGGER audit_entries_keep;
-- +goose StatementBegin
CREATE TRIGGER audit_entries_keep BEFORE UPDATE ON audit_entries
WHEN NOT (NEW.id = OLD.id AND NEW.at = OLD.at AND NEW.actor_id = OLD.actor_id AND NEW.action = OLD.action
    AND NEW.outcome = OLD.outcome AND NEW.reason = OLD.reason AND NEW.subject_id = OLD.subject_id
    AND NEW.course_id IS OLD.course_id AND NEW.request_id = OLD.request_id
    AND EXISTS (SELECT 1 FROM users WHERE id = OLD.subject_id AND status = 'erased'))
BEGIN
    SELECT RAISE(ABORT, 'audit entries are only added');
END;
-- +goose StatementEnd

-- Lists that are over and whose rows are still kept.
CREATE INDEX imports_ended ON imports (ended_at) WHERE state IN ('done', 'canceled', 'failed', 'undone') AND chunk_count > 0;
