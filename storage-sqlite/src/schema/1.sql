CREATE TABLE users (
    app TEXT NOT NULL,
    id BLOB NOT NULL,
    kind TEXT NOT NULL,
    disabled INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    identities BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    last_login_at INTEGER NOT NULL,
    PRIMARY KEY (app, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE identities (
    app TEXT NOT NULL,
    provider TEXT NOT NULL,
    id TEXT NOT NULL,
    user BLOB NOT NULL,
    PRIMARY KEY (app, provider, id),
    FOREIGN KEY (app, user) REFERENCES users (app, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_by_user ON identities (app, user);

CREATE TABLE registrations (
    app TEXT NOT NULL,
    email TEXT NOT NULL,
    identity_id TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    confirmed INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (app, email)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    app TEXT NOT NULL,
    id BLOB NOT NULL,
    user BLOB NOT NULL,
    provider TEXT NOT NULL,
    device BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    PRIMARY KEY (app, id),
    FOREIGN KEY (app, user) REFERENCES users (app, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (app, user);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE tickets (
    app TEXT NOT NULL,
    kind TEXT NOT NULL,
    hash BLOB NOT NULL,
    payload BLOB NOT NULL,
    count INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (app, kind, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX tickets_by_expiry ON tickets (expires_at);

CREATE TABLE signing_keys (
    seq INTEGER PRIMARY KEY,
    app TEXT NOT NULL,
    id TEXT NOT NULL,
    secret BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (app, id)
) STRICT;

CREATE TABLE meta (
    app TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (app, key)
) STRICT, WITHOUT ROWID;

-- Documents lie in one table per collection (`docs_<id>`), index keys in one per index (`idx_<id>`).
CREATE TABLE collections (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    data_group TEXT NOT NULL,
    service TEXT NOT NULL,
    database TEXT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (data_group, service, database, name)
) STRICT;

CREATE TABLE indexes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    collection INTEGER NOT NULL REFERENCES collections (id),
    definition TEXT NOT NULL,
    is_unique INTEGER NOT NULL,
    multikey INTEGER NOT NULL,
    UNIQUE (collection, definition, is_unique)
) STRICT;

-- Grows with every change of the two tables above, so that a connection knows when to read them anew.
CREATE TABLE catalog_version (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL) STRICT;
INSERT INTO catalog_version (one, version) VALUES (1, 1);
