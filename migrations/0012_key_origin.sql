-- What people tell a key by: its first characters, and who made it; NULL for keys made before.
ALTER TABLE api_keys ADD COLUMN prefix TEXT;
ALTER TABLE api_keys ADD COLUMN created_by TEXT;
