-- Some providers end all that a client holds of an account when one token is revoked: whose it was has to be known.
ALTER TABLE oauth_revocations ADD COLUMN client TEXT NOT NULL DEFAULT '';
ALTER TABLE oauth_revocations ADD COLUMN account TEXT NOT NULL DEFAULT '';
