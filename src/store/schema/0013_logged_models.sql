-- What MLflow's clients log as a model, with its params, tags and metrics, long before anybody
-- registers it; and what runs took and gave: data sets and such models.

CREATE TABLE logged_models (
    key           INTEGER PRIMARY KEY,
    id            TEXT   NOT NULL UNIQUE, -- "m-" and 32 hexadecimal digits: what users see
    experiment_id BIGINT NOT NULL REFERENCES experiments(id),
    name          TEXT   NOT NULL, -- several may have one
    user_name     TEXT   NOT NULL,
    model_type    TEXT   NOT NULL, -- what the client calls its kind; "": none
    source_run_id TEXT   NOT NULL, -- as the client says it; "": none
    status        TEXT   NOT NULL, -- PENDING, READY, FAILED
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    deleted_at    BIGINT
);

CREATE INDEX logged_models_by_experiment ON logged_models(experiment_id, created_at, id);
CREATE INDEX logged_models_by_run ON logged_models(source_run_id);

CREATE TABLE logged_model_params (
    model_key BIGINT NOT NULL REFERENCES logged_models(key),
    key       TEXT   NOT NULL,
    value     TEXT   NOT NULL,
    PRIMARY KEY (model_key, key)
);

CREATE TABLE logged_model_tags (
    model_key BIGINT NOT NULL REFERENCES logged_models(key),
    key       TEXT   NOT NULL,
    value     TEXT   NOT NULL,
    PRIMARY KEY (model_key, key)
);

-- Points of runs that judge a logged model, on a data set or none (""). They are the run's as well.
CREATE TABLE logged_model_metrics (
    model_key      BIGINT NOT NULL REFERENCES logged_models(key),
    key_id         BIGINT NOT NULL, -- of metric_keys
    timestamp      BIGINT NOT NULL,
    step           BIGINT NOT NULL,
    run_key        BIGINT NOT NULL,
    dataset_name   TEXT   NOT NULL,
    dataset_digest TEXT   NOT NULL,
    value          DOUBLE PRECISION NOT NULL,
    is_nan         BIGINT NOT NULL,
    PRIMARY KEY (model_key, key_id, timestamp, step, run_key, dataset_name, dataset_digest, value, is_nan)
);

-- The data that runs of an experiment say they used, each once; the data itself is elsewhere.
CREATE TABLE logged_datasets (
    key           INTEGER PRIMARY KEY,
    experiment_id BIGINT NOT NULL REFERENCES experiments(id),
    name          TEXT   NOT NULL,
    digest        TEXT   NOT NULL,
    source_type   TEXT   NOT NULL,
    source        TEXT   NOT NULL,
    schema        TEXT, -- NULL: not said
    profile       TEXT,
    UNIQUE (experiment_id, name, digest)
);

CREATE TABLE run_datasets (
    run_key     BIGINT NOT NULL REFERENCES runs(key),
    dataset_key BIGINT NOT NULL REFERENCES logged_datasets(key),
    PRIMARY KEY (run_key, dataset_key)
);

CREATE INDEX run_datasets_by_dataset ON run_datasets(dataset_key, run_key);

-- "mlflow.data.context": "training"
CREATE TABLE run_dataset_tags (
    run_key     BIGINT NOT NULL,
    dataset_key BIGINT NOT NULL,
    key         TEXT   NOT NULL,
    value       TEXT   NOT NULL,
    PRIMARY KEY (run_key, dataset_key, key)
);

-- The models that a run took (is_output 0) and gave. The model may be unknown here.
CREATE TABLE run_models (
    run_key   BIGINT NOT NULL REFERENCES runs(key),
    is_output BIGINT NOT NULL,
    step      BIGINT NOT NULL,
    model_id  TEXT   NOT NULL,
    PRIMARY KEY (run_key, is_output, step, model_id)
);
