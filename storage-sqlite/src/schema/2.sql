-- Empty for sessions that are older than this column.
ALTER TABLE sessions ADD COLUMN identity TEXT NOT NULL DEFAULT '';

-- What clients said of their devices, apart from what every request reads.
CREATE TABLE session_clients (
    app TEXT NOT NULL,
    session BLOB NOT NULL,
    client BLOB NOT NULL,
    PRIMARY KEY (app, session),
    FOREIGN KEY (app, session) REFERENCES sessions (app, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
    app TEXT NOT NULL,
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    user BLOB NOT NULL,
    hash BLOB NOT NULL,
    disabled INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (app, id),
    FOREIGN KEY (app, user) REFERENCES users (app, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX api_keys_by_hash ON api_keys (app, hash);
CREATE UNIQUE INDEX api_keys_of_the_app ON api_keys (app, name) WHERE owner = 'server';
CREATE UNIQUE INDEX api_keys_of_users ON api_keys (app, user, name) WHERE owner = 'user';
-- For the foreign key; the index above leaves out server keys.
CREATE INDEX api_keys_by_user ON api_keys (app, user);

CREATE INDEX registrations_by_identity ON registrations (app, identity_id);
CREATE INDEX registrations_pending ON registrations (app, email) WHERE confirmed = 0;

ALTER TABLE signing_keys ADD COLUMN algorithm TEXT NOT NULL DEFAULT 'HS256';
