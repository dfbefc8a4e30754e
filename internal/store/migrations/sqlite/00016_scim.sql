-- +goose Up
-- A directory of the institution, such as Entra, Okta or Google Workspace: a service
-- account that provisions people by SCIM. Issuer says for whose subjects it speaks,
-- empty for nobody's, and claim in which of a token's claims they stand.
CREATE TABLE directories (
    account_id     INTEGER NOT NULL PRIMARY KEY REFERENCES users (id),
    issuer         TEXT NOT NULL,
    claim          TEXT NOT NULL CHECK (claim IN ('sub', 'oid')),
    by_external_id BOOLEAN NOT NULL,
    makes_courses  BOOLEAN NOT NULL,
    created_at     TIMESTAMP NOT NULL,
    last_call_at   TIMESTAMP
);

-- What a directory calls a person, whether it has suspended them, and whether it has
-- deleted them, which hides them from it. Two rows of one person are of two who were
-- merged.
CREATE TABLE directory_people (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    directory_id INTEGER NOT NULL REFERENCES directories (account_id),
    user_id      INTEGER NOT NULL REFERENCES users (id),
    external_id  TEXT NOT NULL,
    suspended    BOOLEAN NOT NULL,
    created_at   TIMESTAMP NOT NULL,
    changed_at   TIMESTAMP NOT NULL,
    deleted_at   TIMESTAMP
);
CREATE UNIQUE INDEX directory_people_external ON directory_people (directory_id, external_id) WHERE external_id <> '';
CREATE INDEX directory_people_user ON directory_people (user_id);

-- Whose a subject will be that has never signed in here: a fact that a directory
-- knows, and no identity, which only a sign-in makes.
CREATE TABLE directory_links (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    directory_id INTEGER NOT NULL REFERENCES directories (account_id),
    issuer       TEXT NOT NULL CHECK (issuer <> ''),
    claim        TEXT NOT NULL CHECK (claim IN ('sub', 'oid')),
    subject      TEXT NOT NULL CHECK (subject <> ''),
    user_id      INTEGER NOT NULL REFERENCES users (id),
    linked_at    TIMESTAMP NOT NULL,
    UNIQUE (issuer, claim, subject)
);
CREATE INDEX directory_links_user ON directory_links (user_id);
CREATE INDEX directory_links_directory ON directory_links (directory_id);

-- What a directory calls a course, and whether it has deleted its group, which hides
-- the course from it.
CREATE TABLE directory_groups (
    directory_id INTEGER NOT NULL REFERENCES directories (account_id),
    course_id    INTEGER NOT NULL REFERENCES courses (id),
    external_id  TEXT NOT NULL,
    name         TEXT NOT NULL,
    changed_at   TIMESTAMP NOT NULL,
    deleted_at   TIMESTAMP,
    PRIMARY KEY (directory_id, course_id)
);
CREATE UNIQUE INDEX directory_groups_external ON directory_groups (directory_id, external_id) WHERE external_id <> '';
CREATE INDEX directory_groups_course ON directory_groups (course_id);

-- What a directory asked for and did not get, the last of them.
CREATE TABLE directory_faults (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    directory_id INTEGER NOT NULL REFERENCES directories (account_id),
    at           TIMESTAMP NOT NULL,
    call         TEXT NOT NULL,
    status       INTEGER NOT NULL,
    problem      TEXT NOT NULL
);
CREATE INDEX directory_faults_directory ON directory_faults (directory_id, id);
