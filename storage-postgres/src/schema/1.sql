-- Texts are compared by their bytes. Where `bytea` holds BSON, that is the truth; the `jsonb` beside it is for people.

CREATE TABLE users (
    app text COLLATE "C" NOT NULL,
    id bytea NOT NULL,
    kind text COLLATE "C" NOT NULL,
    disabled boolean NOT NULL,
    epoch bigint NOT NULL,
    identities bytea NOT NULL,
    profile jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    last_login_at timestamptz NOT NULL,
    PRIMARY KEY (app, id)
);

CREATE TABLE identities (
    app text COLLATE "C" NOT NULL,
    provider text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    user_id bytea NOT NULL,
    PRIMARY KEY (app, provider, id),
    FOREIGN KEY (app, user_id) REFERENCES users (app, id) ON DELETE CASCADE
);
CREATE INDEX identities_by_user ON identities (app, user_id);

CREATE TABLE registrations (
    app text COLLATE "C" NOT NULL,
    email text COLLATE "C" NOT NULL,
    identity_id text COLLATE "C" NOT NULL,
    password_hash text COLLATE "C" NOT NULL,
    confirmed boolean NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (app, email)
);
CREATE INDEX registrations_by_identity ON registrations (app, identity_id);
CREATE INDEX registrations_pending ON registrations (app, email) WHERE NOT confirmed;

CREATE TABLE sessions (
    app text COLLATE "C" NOT NULL,
    id bytea NOT NULL,
    user_id bytea NOT NULL,
    provider text COLLATE "C" NOT NULL,
    identity text COLLATE "C" NOT NULL,
    device bytea NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    epoch bigint NOT NULL,
    generation bigint NOT NULL,
    -- What the client said of its device; NULL when it said nothing.
    client bytea,
    PRIMARY KEY (app, id),
    FOREIGN KEY (app, user_id) REFERENCES users (app, id) ON DELETE CASCADE
);
CREATE INDEX sessions_by_user ON sessions (app, user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE api_keys (
    app text COLLATE "C" NOT NULL,
    id bytea NOT NULL,
    name text COLLATE "C" NOT NULL,
    owner text COLLATE "C" NOT NULL,
    user_id bytea NOT NULL,
    hash bytea NOT NULL,
    disabled boolean NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (app, id),
    FOREIGN KEY (app, user_id) REFERENCES users (app, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX api_keys_by_hash ON api_keys (app, hash);
CREATE UNIQUE INDEX api_keys_of_the_app ON api_keys (app, name) WHERE owner = 'server';
CREATE UNIQUE INDEX api_keys_of_users ON api_keys (app, user_id, name) WHERE owner = 'user';
-- For the foreign key; the index above leaves out server keys.
CREATE INDEX api_keys_by_user ON api_keys (app, user_id);

CREATE TABLE tickets (
    app text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    hash bytea NOT NULL,
    payload bytea NOT NULL,
    count bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (app, kind, hash)
);
CREATE INDEX tickets_by_expiry ON tickets (expires_at);

CREATE TABLE signing_keys (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    app text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    algorithm text COLLATE "C" NOT NULL,
    secret bytea NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (app, id)
);

CREATE TABLE meta (
    app text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL,
    PRIMARY KEY (app, key)
);

-- Documents lie in one table per collection (`docs_<id>`), index keys in one per index (`idx_<id>`).
CREATE TABLE collections (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    data_group text COLLATE "C" NOT NULL,
    service text COLLATE "C" NOT NULL,
    database text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    -- No key of an `_id` was too long to be kept whole.
    whole_ids boolean NOT NULL DEFAULT true,
    UNIQUE (data_group, service, database, name)
);

CREATE TABLE indexes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    collection bigint NOT NULL REFERENCES collections (id),
    definition text COLLATE "C" NOT NULL,
    is_unique boolean NOT NULL,
    multikey boolean NOT NULL DEFAULT false,
    UNIQUE (collection, definition, is_unique)
);

-- Grows with every change of the two tables above, so that processes know when to read them anew. Whoever writes documents
-- holds a lock on it; whoever makes or drops an index holds one that excludes them.
CREATE TABLE catalog_version (one boolean PRIMARY KEY DEFAULT true CHECK (one), version bigint NOT NULL);
INSERT INTO catalog_version (version) VALUES (1);

-- Holds nothing: transactions that are begun again take turns by its lock.
CREATE TABLE turns ();
