-- One text for SQLite and PostgreSQL: TEXT, BIGINT, BYTEA and DOUBLE PRECISION only. Booleans are 0 or 1, times
-- milliseconds since 1970 in UTC, whatever is compared regardless of case a key folded by the program (BYTEA).

CREATE TABLE workspaces (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Whether a workflow was ever registered: only then is it known that nothing uses a connection.
    knows_workflows BIGINT NOT NULL DEFAULT 0,
    -- The end of the audit chain, so that cutting lines off it shows.
    audit_sequence BIGINT NOT NULL DEFAULT 0,
    audit_hash BYTEA NOT NULL
);

CREATE TABLE environments (
    workspace TEXT NOT NULL REFERENCES workspaces (id),
    environment TEXT NOT NULL,
    -- Grows with every change to what the environment holds.
    revision BIGINT NOT NULL,
    PRIMARY KEY (workspace, environment)
);

CREATE TABLE connections (
    workspace TEXT NOT NULL,
    environment TEXT NOT NULL,
    id TEXT NOT NULL,
    -- The host's end user it belongs to; empty: the workspace.
    owner TEXT NOT NULL,
    component TEXT NOT NULL,
    name TEXT NOT NULL,
    name_key BYTEA NOT NULL,
    -- A copy of connection_tags as JSON, so that a snapshot reads one table.
    tags TEXT NOT NULL,
    method TEXT NOT NULL,
    config TEXT NOT NULL,
    -- Sealed by the vault; empty where there is no secret.
    sealed BYTEA NOT NULL,
    -- Which secrets are sealed and since when, as JSON; never their values.
    secrets TEXT NOT NULL,
    secret_version BIGINT NOT NULL,
    health TEXT NOT NULL,
    identity TEXT,
    scopes TEXT NOT NULL,
    evidence TEXT,
    expires_at BIGINT,
    workflows BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    deleted_at BIGINT,
    version BIGINT NOT NULL,
    -- The environment's revision of the latest change.
    revision BIGINT NOT NULL,
    request_id TEXT,
    PRIMARY KEY (workspace, environment, id),
    FOREIGN KEY (workspace, environment) REFERENCES environments (workspace, environment)
);

CREATE UNIQUE INDEX connections_name ON connections (workspace, environment, component, owner, name_key)
    WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX connections_request ON connections (workspace, environment, request_id);
CREATE INDEX connections_revision ON connections (workspace, environment, revision);
CREATE INDEX connections_created ON connections (workspace, environment, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX connections_deleted ON connections (deleted_at, workspace, environment) WHERE deleted_at IS NOT NULL;

CREATE TABLE connection_tags (
    workspace TEXT NOT NULL,
    environment TEXT NOT NULL,
    connection TEXT NOT NULL,
    tag_key BYTEA NOT NULL,
    tag TEXT NOT NULL,
    PRIMARY KEY (workspace, environment, connection, tag_key),
    FOREIGN KEY (workspace, environment, connection) REFERENCES connections (workspace, environment, id)
        ON DELETE CASCADE
);

CREATE INDEX connection_tags_tag ON connection_tags (workspace, environment, tag_key);

-- What was purged, so that a page that was away learns of it.
CREATE TABLE purged_connections (
    workspace TEXT NOT NULL,
    environment TEXT NOT NULL,
    id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (workspace, environment, id),
    FOREIGN KEY (workspace, environment) REFERENCES environments (workspace, environment)
);

CREATE INDEX purged_connections_revision ON purged_connections (workspace, environment, revision);

CREATE TABLE workflows (
    workspace TEXT NOT NULL,
    environment TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    url TEXT,
    PRIMARY KEY (workspace, environment, id),
    FOREIGN KEY (workspace, environment) REFERENCES environments (workspace, environment)
);

CREATE TABLE workflow_connections (
    workspace TEXT NOT NULL,
    environment TEXT NOT NULL,
    workflow TEXT NOT NULL,
    connection TEXT NOT NULL,
    PRIMARY KEY (workspace, environment, workflow, connection),
    FOREIGN KEY (workspace, environment, workflow) REFERENCES workflows (workspace, environment, id)
        ON DELETE CASCADE,
    FOREIGN KEY (workspace, environment, connection) REFERENCES connections (workspace, environment, id)
        ON DELETE CASCADE
);

CREATE INDEX workflow_connections_connection ON workflow_connections (workspace, environment, connection);

CREATE TABLE audit (
    workspace TEXT NOT NULL REFERENCES workspaces (id),
    sequence BIGINT NOT NULL,
    environment TEXT,
    -- What it is about: a connection, a workflow, a key.
    subject TEXT,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    address TEXT,
    action TEXT NOT NULL,
    about TEXT NOT NULL,
    -- SHA-256 over the line before and this one.
    hash BYTEA NOT NULL,
    PRIMARY KEY (workspace, sequence)
);

CREATE INDEX audit_subject ON audit (workspace, environment, subject, sequence);

CREATE TABLE members (
    id TEXT NOT NULL PRIMARY KEY,
    workspace TEXT NOT NULL REFERENCES workspaces (id),
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    environments TEXT NOT NULL,
    operator BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX members_workspace ON members (workspace, created_at);

CREATE TABLE sign_in_links (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    workspace TEXT NOT NULL REFERENCES workspaces (id),
    member TEXT NOT NULL REFERENCES members (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);

CREATE TABLE sessions (
    id_hash BYTEA NOT NULL PRIMARY KEY,
    workspace TEXT NOT NULL REFERENCES workspaces (id),
    member TEXT NOT NULL REFERENCES members (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    idle_until BIGINT NOT NULL,
    absolute_until BIGINT NOT NULL
);

CREATE INDEX sessions_member ON sessions (member);

CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    workspace TEXT NOT NULL REFERENCES workspaces (id),
    name TEXT NOT NULL,
    key_hash BYTEA NOT NULL UNIQUE,
    environments TEXT NOT NULL,
    permissions TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    last_used_at BIGINT
);

-- Keys that seal secrets, themselves sealed by the key-encryption key.
CREATE TABLE data_keys (
    workspace TEXT NOT NULL,
    environment TEXT NOT NULL,
    key_id BYTEA NOT NULL,
    wrapped BYTEA NOT NULL,
    PRIMARY KEY (workspace, environment),
    FOREIGN KEY (workspace, environment) REFERENCES environments (workspace, environment)
);

-- Which key-encryption key is in use; at most one row.
CREATE TABLE key_canary (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    key_id BYTEA NOT NULL
);
