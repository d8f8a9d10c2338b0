-- Registered models, their versions and aliases. last_version only grows: a number is never given
-- twice, also when its version is deleted.

CREATE TABLE models (
    id           INTEGER PRIMARY KEY,
    name         TEXT NOT NULL UNIQUE,
    description  TEXT NOT NULL,
    last_version BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL
);

CREATE TABLE model_tags (
    model_id BIGINT NOT NULL REFERENCES models(id),
    key      TEXT NOT NULL,
    value    TEXT NOT NULL,
    PRIMARY KEY (model_id, key)
);

-- The references to runs and data sets are copies, so that lineage outlives what it names.
CREATE TABLE model_versions (
    id              INTEGER PRIMARY KEY,
    model_id        BIGINT NOT NULL REFERENCES models(id),
    version         BIGINT NOT NULL,
    description     TEXT NOT NULL,
    package         TEXT NOT NULL,
    run_id          TEXT,
    dataset         TEXT,
    dataset_version BIGINT,
    dataset_digest  TEXT,
    holdout_digest  TEXT,
    code_commit     TEXT,
    environment     TEXT,
    created_by      TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    deleted_at      BIGINT,
    UNIQUE (model_id, version)
);

CREATE INDEX model_versions_by_run ON model_versions(run_id);

CREATE TABLE model_version_tags (
    model_version_id BIGINT NOT NULL REFERENCES model_versions(id),
    key              TEXT NOT NULL,
    value            TEXT NOT NULL,
    PRIMARY KEY (model_version_id, key)
);

CREATE TABLE model_aliases (
    model_id BIGINT NOT NULL REFERENCES models(id),
    alias    TEXT NOT NULL,
    version  BIGINT NOT NULL,
    PRIMARY KEY (model_id, alias)
);
