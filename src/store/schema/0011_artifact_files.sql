-- What MLflow's clients keep with the server outside of runs (logged models, traces), by the whole
-- path. Paths are compared by their bytes; those of a folder are a range of the key.

CREATE TABLE artifact_files (
    path       TEXT NOT NULL PRIMARY KEY,
    digest     TEXT NOT NULL,
    size       BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
