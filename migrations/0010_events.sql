-- What happened to connections, for the platform to follow and for webhooks. Numbers are taken under the workspace's
-- row, so that they become visible in their order.
ALTER TABLE workspaces ADD COLUMN event_sequence BIGINT NOT NULL DEFAULT 0;

CREATE TABLE events (
    workspace TEXT NOT NULL REFERENCES workspaces (id),
    sequence BIGINT NOT NULL,
    id TEXT NOT NULL,
    environment TEXT NOT NULL,
    type TEXT NOT NULL,
    at BIGINT NOT NULL,
    -- JSON; never a secret.
    data TEXT NOT NULL,
    PRIMARY KEY (workspace, sequence)
);

CREATE INDEX events_at ON events (at);

-- What events have told of a connection so far: whatever differs from it is news.
CREATE TABLE told_connections (
    workspace TEXT NOT NULL,
    environment TEXT NOT NULL,
    connection TEXT NOT NULL,
    version BIGINT NOT NULL,
    secret_version BIGINT NOT NULL,
    name TEXT NOT NULL,
    tags TEXT NOT NULL,
    active BIGINT NOT NULL,
    deleted BIGINT NOT NULL,
    -- When its credential ends, and the end that was foretold; NULL: none.
    expires_at BIGINT,
    foretold BIGINT,
    -- Whether there will be something to tell by time alone.
    awaits BIGINT NOT NULL,
    PRIMARY KEY (workspace, environment, connection),
    FOREIGN KEY (workspace, environment, connection) REFERENCES connections (workspace, environment, id)
        ON DELETE CASCADE
);

CREATE INDEX told_connections_expiry ON told_connections (expires_at) WHERE awaits = 1;

-- Connections that are there already are no news. An unreachable one is taken for active: the next check corrects it.
INSERT INTO told_connections (workspace, environment, connection, version, secret_version, name, tags, active, deleted,
    expires_at, foretold, awaits)
SELECT workspace, environment, id, version, secret_version, name, tags,
    CASE WHEN substr(health, 1, 8) IN ('{"valid"', '{"vouche', '{"unreac') THEN 1 ELSE 0 END,
    CASE WHEN deleted_at IS NULL THEN 0 ELSE 1 END,
    expires_at, NULL,
    CASE WHEN expires_at IS NOT NULL AND deleted_at IS NULL THEN 1 ELSE 0 END
FROM connections;

CREATE INDEX workflow_changes_at ON workflow_changes (at);

-- Endpoints of the platform that events are sent to.
CREATE TABLE webhooks (
    id TEXT NOT NULL PRIMARY KEY,
    workspace TEXT NOT NULL REFERENCES workspaces (id),
    url TEXT NOT NULL,
    -- Types of events, as JSON; an empty list: all.
    types TEXT NOT NULL,
    environments TEXT NOT NULL,
    enabled BIGINT NOT NULL,
    -- 1: it answered that it is gone (410), and was disabled because of that.
    gone BIGINT NOT NULL DEFAULT 0,
    -- The signing secret, sealed.
    sealed BYTEA NOT NULL,
    secret_version BIGINT NOT NULL,
    -- The secret of the version before, which signs as well until then; empty: none.
    former BYTEA NOT NULL,
    former_until BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Attempts in a row that failed, and until when the next one waits because of that.
    failures BIGINT NOT NULL DEFAULT 0,
    paused_until BIGINT NOT NULL DEFAULT 0,
    -- One replica at a time sends to it.
    lease_until BIGINT NOT NULL DEFAULT 0,
    fence BIGINT NOT NULL DEFAULT 0
);

CREATE INDEX webhooks_workspace ON webhooks (workspace, id);

CREATE TABLE deliveries (
    workspace TEXT NOT NULL,
    webhook TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    event TEXT NOT NULL,
    -- Of the event; 0: a test.
    sequence BIGINT NOT NULL,
    type TEXT NOT NULL,
    body TEXT NOT NULL,
    -- waiting, delivered or failed.
    state TEXT NOT NULL,
    -- Since it was queued or replayed.
    attempts BIGINT NOT NULL DEFAULT 0,
    next_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (webhook, event)
);

CREATE INDEX deliveries_due ON deliveries (webhook, next_at) WHERE state = 'waiting';
CREATE INDEX deliveries_listed ON deliveries (webhook, created_at, event);
CREATE INDEX deliveries_created ON deliveries (created_at);

CREATE TABLE delivery_attempts (
    webhook TEXT NOT NULL,
    event TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    at BIGINT NOT NULL,
    milliseconds BIGINT NOT NULL,
    -- NULL: no answer.
    status BIGINT,
    -- What was answered, scrubbed, or why there was no answer.
    said TEXT NOT NULL,
    PRIMARY KEY (webhook, event, sequence),
    FOREIGN KEY (webhook, event) REFERENCES deliveries (webhook, event) ON DELETE CASCADE
);
