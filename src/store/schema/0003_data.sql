-- Data sets, their immutable versions, and the frozen hold-outs of projects.

CREATE TABLE datasets (
    id           INTEGER PRIMARY KEY,
    name         TEXT NOT NULL UNIQUE,
    last_version BIGINT NOT NULL,
    created_at   BIGINT NOT NULL
);

-- inputs: the digest of the files and options alone, by which the same bytes are known again
-- before they are read.
CREATE TABLE dataset_versions (
    id              INTEGER PRIMARY KEY,
    dataset_id      BIGINT NOT NULL REFERENCES datasets(id),
    version         BIGINT NOT NULL,
    digest          TEXT NOT NULL,
    inputs          TEXT NOT NULL,
    row_count       BIGINT NOT NULL,
    set_aside_count BIGINT NOT NULL,
    columns         TEXT NOT NULL,
    rows_digest     TEXT NOT NULL,
    files           TEXT NOT NULL,
    options         TEXT NOT NULL,
    profile         TEXT NOT NULL,
    set_aside       TEXT NOT NULL,
    source          TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    created_by      TEXT NOT NULL,
    UNIQUE (dataset_id, version),
    UNIQUE (dataset_id, inputs)
);

CREATE INDEX dataset_versions_by_digest ON dataset_versions(digest);

CREATE TABLE holdouts (
    id                  INTEGER PRIMARY KEY,
    project             TEXT NOT NULL,
    dataset_id          BIGINT NOT NULL REFERENCES datasets(id),
    dataset_version     BIGINT NOT NULL,
    drawn_by            TEXT NOT NULL,
    share               DOUBLE PRECISION NOT NULL,
    seed                BIGINT NOT NULL,
    group_values        TEXT NOT NULL,
    row_count           BIGINT NOT NULL,
    duplicate_row_count BIGINT NOT NULL,
    rows_digest         TEXT NOT NULL,
    classes             TEXT NOT NULL,
    created_at          BIGINT NOT NULL,
    created_by          TEXT NOT NULL,
    UNIQUE (project, dataset_id)
);
