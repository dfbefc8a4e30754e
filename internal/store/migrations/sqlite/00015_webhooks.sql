-- +goose Up
-- Programs that are told what happens: of the whole site, or of one course. What a
-- webhook tells, owned_by may see; whoever saves it last owns it. The secret with
-- which it signs is derived from salt with a key of the site's; the one before signs
-- too until old_until. paused says why it stopped by itself.
CREATE TABLE webhooks (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    course_id     INTEGER REFERENCES courses (id),
    owned_by      INTEGER NOT NULL REFERENCES users (id),
    url           TEXT NOT NULL,
    description   TEXT NOT NULL,
    events        TEXT NOT NULL,
    enabled       BOOLEAN NOT NULL,
    paused        TEXT NOT NULL DEFAULT '' CHECK (paused = '' OR (paused IN ('owner', 'failing', 'gone') AND NOT enabled)),
    salt          BLOB NOT NULL,
    old_salt      BLOB,
    old_until     TIMESTAMP,
    created_at    TIMESTAMP NOT NULL,
    failures      INTEGER NOT NULL DEFAULT 0,
    failing_since TIMESTAMP,
    next_at       TIMESTAMP NOT NULL,
    lease_node    TEXT NOT NULL DEFAULT '',
    leased_until  TIMESTAMP NOT NULL
);
CREATE INDEX webhooks_course ON webhooks (course_id, id);
CREATE INDEX webhooks_owner ON webhooks (owned_by);

-- What a webhook has to tell, and what became of it. It is written in the transaction
-- of the change that it tells of. user_id is whom it is about, and the service account
-- 1 where that is nobody in particular; data holds ids and roles, never a name or an
-- address.
CREATE TABLE webhook_deliveries (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook_id INTEGER NOT NULL REFERENCES webhooks (id),
    event_id   TEXT NOT NULL,
    event      TEXT NOT NULL,
    user_id    INTEGER NOT NULL REFERENCES users (id),
    course_id  INTEGER REFERENCES courses (id),
    data       TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('queued', 'delivered', 'failed', 'canceled')),
    status     INTEGER NOT NULL DEFAULT 0,
    fault      TEXT NOT NULL DEFAULT '',
    attempts   INTEGER NOT NULL DEFAULT 0,
    took_ms    INTEGER NOT NULL DEFAULT 0,
    created_at TIMESTAMP NOT NULL,
    next_at    TIMESTAMP NOT NULL,
    give_up_at TIMESTAMP NOT NULL,
    tried_at   TIMESTAMP
);
CREATE INDEX webhook_deliveries_log ON webhook_deliveries (webhook_id, id);
CREATE INDEX webhook_deliveries_work ON webhook_deliveries (webhook_id, next_at, id) WHERE state = 'queued';
CREATE INDEX webhook_deliveries_user ON webhook_deliveries (user_id);
CREATE INDEX webhook_deliveries_age ON webhook_deliveries (created_at);

-- +goose StatementBegin
CREATE TRIGGER webhooks_owner BEFORE INSERT ON webhooks
WHEN EXISTS (SELECT 1 FROM users WHERE id = NEW.owned_by AND status = 'pending')
BEGIN
    SELECT RAISE(ABORT, 'a pending person cannot act');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER webhooks_new_owner BEFORE UPDATE OF owned_by ON webhooks
WHEN EXISTS (SELECT 1 FROM users WHERE id = NEW.owned_by AND status = 'pending')
BEGIN
    SELECT RAISE(ABORT, 'a pending person cannot act');
END;
-- +goose StatementEnd
