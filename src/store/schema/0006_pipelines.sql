-- A project is its file: slipway.yaml as it was last put.
CREATE TABLE projects (
    id         BIGINT PRIMARY KEY,
    name       TEXT   NOT NULL UNIQUE,
    yaml       TEXT   NOT NULL,
    settings   TEXT   NOT NULL, -- JSON: the file's meaning with every default filled in
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT   NOT NULL
);

-- What each training run was asked for, so that it can be asked for again.
CREATE TABLE trainings (
    run_id     TEXT   NOT NULL PRIMARY KEY,
    project    TEXT   NOT NULL,
    spec       TEXT   NOT NULL, -- JSON: see training_spec_fields
    created_at BIGINT NOT NULL,
    ended_at   BIGINT           -- NULL: waiting or under way
);

CREATE INDEX trainings_open ON trainings (ended_at);

-- Every judgement of a version that was to be promoted, whatever came out.
CREATE TABLE gates (
    id         BIGINT PRIMARY KEY,
    endpoint   TEXT   NOT NULL,
    model      TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    outcome    TEXT   NOT NULL, -- accepted, rejected, refused
    reason     TEXT   NOT NULL,
    verdict    TEXT   NOT NULL, -- JSON: numbers, rule, hold-out
    created_at BIGINT NOT NULL,
    created_by TEXT   NOT NULL
);

CREATE INDEX gates_by_endpoint ON gates (endpoint, id);
