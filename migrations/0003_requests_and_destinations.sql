-- A keyed digest of the request that made the connection: the same id with another request is no repetition.
-- NULL: made before this was noted.
ALTER TABLE connections ADD COLUMN request_digest BYTEA;
-- A digest of where its secrets are sent, as their component's file said when they were stored; NULL: stored before
-- this was noted, or no secrets.
ALTER TABLE connections ADD COLUMN destination BYTEA;
