-- Workflows that use another connection since theirs was deleted: what an undo takes back.
CREATE TABLE workflow_replacements (
    workspace TEXT NOT NULL,
    environment TEXT NOT NULL,
    -- The deleted one.
    connection TEXT NOT NULL,
    workflow TEXT NOT NULL,
    replacement TEXT NOT NULL,
    -- Whether the workflow used the replacement before as well: then an undo leaves it there.
    used_both BIGINT NOT NULL,
    PRIMARY KEY (workspace, environment, connection, workflow),
    FOREIGN KEY (workspace, environment, connection) REFERENCES connections (workspace, environment, id)
        ON DELETE CASCADE,
    FOREIGN KEY (workspace, environment, workflow) REFERENCES workflows (workspace, environment, id)
        ON DELETE CASCADE
);

-- What Patchbay changed in the mapping of workflows to connections, for the platform to follow. Outlives both.
CREATE TABLE workflow_changes (
    workspace TEXT NOT NULL,
    environment TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    at BIGINT NOT NULL,
    workflow TEXT NOT NULL,
    from_connection TEXT NOT NULL,
    to_connection TEXT NOT NULL,
    -- deletion, replacement or undo.
    cause TEXT NOT NULL,
    -- As people read it.
    actor_name TEXT NOT NULL,
    PRIMARY KEY (workspace, environment, sequence),
    FOREIGN KEY (workspace, environment) REFERENCES environments (workspace, environment)
);
