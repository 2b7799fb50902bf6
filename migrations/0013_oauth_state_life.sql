-- A link waits for days; what it sent to a provider is good for minutes.
ALTER TABLE oauth_flows ADD COLUMN state_expires_at BIGINT NOT NULL DEFAULT 0;
