-- Components that a workspace describes itself, in the catalog's format.
CREATE TABLE components (
    workspace TEXT NOT NULL REFERENCES workspaces (id),
    slug TEXT NOT NULL,
    -- The one in force.
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (workspace, slug)
);

CREATE TABLE component_versions (
    workspace TEXT NOT NULL,
    slug TEXT NOT NULL,
    version BIGINT NOT NULL,
    -- As it was given, as JSON, without its icon.
    definition TEXT NOT NULL,
    -- Empty: a letter tile.
    icon TEXT NOT NULL,
    at BIGINT NOT NULL,
    -- As people read it.
    actor_name TEXT NOT NULL,
    PRIMARY KEY (workspace, slug, version),
    FOREIGN KEY (workspace, slug) REFERENCES components (workspace, slug) ON DELETE CASCADE
);

-- Their pictures, by a name that nobody guesses: pictures in a frame are fetched without saying who asks.
CREATE TABLE component_icons (
    workspace TEXT NOT NULL,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    bytes BYTEA NOT NULL,
    PRIMARY KEY (workspace, name),
    FOREIGN KEY (workspace, slug) REFERENCES components (workspace, slug) ON DELETE CASCADE
);

-- Grows with every change of the workspace's components, so that every replica notices.
ALTER TABLE workspaces ADD COLUMN components_revision BIGINT NOT NULL DEFAULT 0;
