-- The id of the client that the tokens were given to; NULL: stored before this was noted.
ALTER TABLE oauth_grants ADD COLUMN client_id TEXT;
-- 1: the provider has ended it, and what it refused is not presented again.
ALTER TABLE oauth_grants ADD COLUMN ended BIGINT NOT NULL DEFAULT 0;
-- Where the secrets may be sent, as with the connection itself; NULL: not noted.
ALTER TABLE oauth_revocations ADD COLUMN destination BYTEA;

-- The digest now covers the provider's addresses: it is noted anew, as for secrets that never had one.
UPDATE connections SET destination = NULL WHERE method = 'client_credentials' OR id IN (SELECT connection FROM oauth_grants);
