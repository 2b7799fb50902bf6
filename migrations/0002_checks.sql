-- When a connection's service is asked next by itself; NULL: never.
ALTER TABLE connections ADD COLUMN check_at BIGINT;
-- Who claimed a check has until then to write down what it found; the fence tells a late one that it lost its claim.
ALTER TABLE connections ADD COLUMN lease_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN fence BIGINT NOT NULL DEFAULT 0;

CREATE INDEX connections_check ON connections (check_at) WHERE check_at IS NOT NULL AND deleted_at IS NULL;

-- What was known before is asked again soon.
UPDATE connections SET check_at = 0 WHERE evidence IS NOT NULL AND deleted_at IS NULL;

-- The outcome of each check, the latest ones of each connection.
CREATE TABLE checks (
    workspace TEXT NOT NULL,
    environment TEXT NOT NULL,
    connection TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    -- Moment, outcome, words and duration, as JSON.
    found TEXT NOT NULL,
    PRIMARY KEY (workspace, environment, connection, sequence),
    FOREIGN KEY (workspace, environment, connection) REFERENCES connections (workspace, environment, id)
        ON DELETE CASCADE
);
