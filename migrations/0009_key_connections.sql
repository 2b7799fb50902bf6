-- The connections that a key hands out, as a JSON list of their ids; NULL: every one.
ALTER TABLE api_keys ADD COLUMN connections TEXT;
