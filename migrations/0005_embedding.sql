-- What the platform says of a workspace that it embeds: exact origins that may frame it, its look and settings, as JSON.
ALTER TABLE workspaces ADD COLUMN allowed_origins TEXT NOT NULL DEFAULT '[]';
ALTER TABLE workspaces ADD COLUMN theme TEXT NOT NULL DEFAULT '{}';
ALTER TABLE workspaces ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
ALTER TABLE workspaces ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;

-- The name of the end user a connection belongs to, as the platform told it then.
ALTER TABLE connections ADD COLUMN owner_name TEXT NOT NULL DEFAULT '';
-- Whose it was: nobody else learns that it is gone.
ALTER TABLE purged_connections ADD COLUMN owner TEXT NOT NULL DEFAULT '';
-- The end user who is connecting an account; empty: a member.
ALTER TABLE oauth_flows ADD COLUMN owner TEXT NOT NULL DEFAULT '';

-- Keys of the platform itself: they make workspaces and embed tickets, and nothing else.
CREATE TABLE instance_keys (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    key_hash BYTEA NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT
);

-- One-time tickets that sign an end user in to a frame. A used one is kept until it would have expired, so that who
-- shows it again learns what happened.
CREATE TABLE embed_tickets (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    workspace TEXT NOT NULL REFERENCES workspaces (id),
    user_id TEXT NOT NULL,
    user_name TEXT NOT NULL,
    role TEXT NOT NULL,
    environments TEXT NOT NULL,
    -- The page that may use it.
    origin TEXT NOT NULL,
    used_at BIGINT,
    expires_at BIGINT NOT NULL
);

CREATE INDEX embed_tickets_expiry ON embed_tickets (expires_at);

-- What a frame got for its ticket, and keeps in memory.
CREATE TABLE embed_bearers (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    workspace TEXT NOT NULL REFERENCES workspaces (id),
    user_id TEXT NOT NULL,
    user_name TEXT NOT NULL,
    role TEXT NOT NULL,
    environments TEXT NOT NULL,
    origin TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX embed_bearers_expiry ON embed_bearers (expires_at);
