-- OAuth clients (RFC 6749, section 2) that a workspace brings itself, one for each environment.
CREATE TABLE oauth_clients (
    workspace TEXT NOT NULL,
    environment TEXT NOT NULL,
    -- As the catalog names it: components that name the same one share it.
    client TEXT NOT NULL,
    client_id TEXT NOT NULL,
    -- The client secret, sealed; empty for a public client.
    sealed BYTEA NOT NULL,
    version BIGINT NOT NULL,
    stored_at BIGINT NOT NULL,
    -- What the provider last said against it, in words; NULL: nothing.
    problem TEXT,
    PRIMARY KEY (workspace, environment, client),
    FOREIGN KEY (workspace, environment) REFERENCES environments (workspace, environment)
);

-- Somebody is connecting an account: from the click until the page has learned how it ended.
CREATE TABLE oauth_flows (
    id TEXT NOT NULL PRIMARY KEY,
    workspace TEXT NOT NULL,
    environment TEXT NOT NULL,
    -- The connection to be reconnected; NULL: a new one.
    connection TEXT,
    -- Who asked, as the audit trail names them.
    actor TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    -- Of the code behind the # of the page's address, or of the link's ticket.
    code_hash BYTEA NOT NULL UNIQUE,
    -- Of the state sent to the provider; NULL before and after.
    state_hash BYTEA UNIQUE,
    -- Of the cookie of the browser that opened the page: only that one may come back.
    browser_hash BYTEA,
    -- What was asked for, as JSON; never a secret.
    request TEXT NOT NULL,
    -- Secret fields, the PKCE verifier, a device code, tokens that wait for a decision: sealed.
    sealed BYTEA NOT NULL,
    version BIGINT NOT NULL,
    -- How far it is, as JSON.
    stage TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    FOREIGN KEY (workspace, environment) REFERENCES environments (workspace, environment)
);

CREATE INDEX oauth_flows_expiry ON oauth_flows (expires_at);

-- What is known of the tokens sealed in a connection.
CREATE TABLE oauth_grants (
    workspace TEXT NOT NULL,
    environment TEXT NOT NULL,
    connection TEXT NOT NULL,
    client TEXT NOT NULL,
    -- Scopes asked for, as JSON.
    asked TEXT NOT NULL,
    -- Scopes granted, as JSON; NULL: not told.
    granted TEXT,
    -- When somebody last allowed access.
    connected_at BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    -- When the access token ends; NULL: not told.
    access_expires_at BIGINT,
    -- When the refresh token ends, as told or known of the provider; NULL: not known.
    refresh_expires_at BIGINT,
    -- When it is renewed next; NULL: never.
    refresh_at BIGINT,
    lease_until BIGINT NOT NULL DEFAULT 0,
    fence BIGINT NOT NULL DEFAULT 0,
    -- How often the present refresh token was shown to the provider without its answer being stored.
    presented BIGINT NOT NULL DEFAULT 0,
    -- Renewals in a row that brought no evidence.
    failures BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (workspace, environment, connection),
    FOREIGN KEY (workspace, environment, connection) REFERENCES connections (workspace, environment, id)
        ON DELETE CASCADE
);

CREATE INDEX oauth_grants_refresh ON oauth_grants (refresh_at) WHERE refresh_at IS NOT NULL;

-- Tokens of purged connections that the provider has not been told of yet.
CREATE TABLE oauth_revocations (
    workspace TEXT NOT NULL,
    environment TEXT NOT NULL,
    connection TEXT NOT NULL,
    component TEXT NOT NULL,
    method TEXT NOT NULL,
    config TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    secret_version BIGINT NOT NULL,
    purged_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    retry_at BIGINT NOT NULL,
    PRIMARY KEY (workspace, environment, connection),
    FOREIGN KEY (workspace, environment) REFERENCES environments (workspace, environment)
);

CREATE INDEX oauth_revocations_retry ON oauth_revocations (retry_at);
