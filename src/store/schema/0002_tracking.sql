-- Experiments and their runs. Ids are given by the program (greatest + 1), so that the same SQL
-- serves SQLite and PostgreSQL. Times are milliseconds UTC; deleted_at says that a row is deleted.

CREATE TABLE experiments (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);

-- MLflow's clients take experiment 0 for granted.
INSERT INTO experiments(id, name, created_at, updated_at) VALUES (0, 'Default', 0, 0);

CREATE TABLE experiment_tags (
    experiment_id BIGINT NOT NULL REFERENCES experiments(id),
    key           TEXT NOT NULL,
    value         TEXT NOT NULL,
    PRIMARY KEY (experiment_id, key)
);

-- id is what users see; key is what the other tables hold, because it is small.
CREATE TABLE runs (
    key           INTEGER PRIMARY KEY,
    id            TEXT NOT NULL UNIQUE,
    experiment_id BIGINT NOT NULL REFERENCES experiments(id),
    name          TEXT NOT NULL,
    user_name     TEXT NOT NULL,
    status        TEXT NOT NULL,
    failure       TEXT,
    started_at    BIGINT NOT NULL,
    ended_at      BIGINT,
    deleted_at    BIGINT
);

CREATE INDEX runs_by_experiment ON runs(experiment_id, started_at, id);
CREATE INDEX runs_by_start ON runs(started_at, id);

CREATE TABLE run_params (
    run_key BIGINT NOT NULL REFERENCES runs(key),
    key     TEXT NOT NULL,
    value   TEXT NOT NULL,
    PRIMARY KEY (run_key, key)
);

CREATE TABLE run_tags (
    run_key BIGINT NOT NULL REFERENCES runs(key),
    key     TEXT NOT NULL,
    value   TEXT NOT NULL,
    PRIMARY KEY (run_key, key)
);

-- The names of metrics, once each.
CREATE TABLE metric_keys (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- Every point that was logged. NaN is value 0 with is_nan 1; an infinity is the greatest number.
CREATE TABLE metric_points (
    run_key   BIGINT NOT NULL,
    key_id    BIGINT NOT NULL,
    step      BIGINT NOT NULL,
    timestamp BIGINT NOT NULL,
    value     DOUBLE PRECISION NOT NULL,
    is_nan    BIGINT NOT NULL,
    PRIMARY KEY (run_key, key_id, step, timestamp, value, is_nan)
);

-- Of each run and metric the greatest point by (step, timestamp, value).
CREATE TABLE latest_metrics (
    run_key       BIGINT NOT NULL,
    key_id        BIGINT NOT NULL,
    experiment_id BIGINT NOT NULL,
    step          BIGINT NOT NULL,
    timestamp     BIGINT NOT NULL,
    value         DOUBLE PRECISION NOT NULL,
    is_nan        BIGINT NOT NULL,
    PRIMARY KEY (run_key, key_id)
);

-- For "runs of this experiment by this metric" without reading the others.
CREATE INDEX latest_metrics_by_value ON latest_metrics(experiment_id, key_id, value, run_key);

CREATE TABLE run_artifacts (
    run_key BIGINT NOT NULL REFERENCES runs(key),
    path    TEXT NOT NULL,
    digest  TEXT NOT NULL,
    size    BIGINT NOT NULL,
    PRIMARY KEY (run_key, path)
);
