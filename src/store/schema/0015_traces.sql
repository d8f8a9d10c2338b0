-- Traces of MLflow's clients: what one call of an application did, span by span.
CREATE TABLE traces (
    key               INTEGER PRIMARY KEY,
    id                TEXT NOT NULL UNIQUE,
    experiment_id     BIGINT NOT NULL REFERENCES experiments(id),
    requested_at      BIGINT NOT NULL,
    duration          BIGINT, -- ms
    status            TEXT NOT NULL,
    client_request_id TEXT,
    request_preview   TEXT,
    response_preview  TEXT,
    is_told           BIGINT NOT NULL, -- 1: by the client; 0: as its spans let it be
    span_count        BIGINT NOT NULL, -- in all blocks, also of spans that were sent again
    span_bytes        BIGINT NOT NULL  -- before they were packed
);

CREATE INDEX traces_by_time ON traces(experiment_id, requested_at, id);

CREATE TABLE trace_tags (
    trace_key BIGINT NOT NULL REFERENCES traces(key),
    key       TEXT NOT NULL,
    value     TEXT NOT NULL,
    PRIMARY KEY (trace_key, key)
);

CREATE TABLE trace_metadata (
    trace_key BIGINT NOT NULL REFERENCES traces(key),
    key       TEXT NOT NULL,
    value     TEXT NOT NULL,
    PRIMARY KEY (trace_key, key)
);

-- Spans as they came; of a span that came twice the later one counts.
CREATE TABLE trace_spans (
    trace_key BIGINT NOT NULL REFERENCES traces(key),
    number    BIGINT NOT NULL, -- 1, 2, 3 ... as they came
    bytes     BYTEA NOT NULL,  -- src/tracking/span_block.h says how to read them
    PRIMARY KEY (trace_key, number)
);

-- What people, programs and other models think of a trace.
CREATE TABLE trace_assessments (
    trace_key   BIGINT NOT NULL REFERENCES traces(key),
    id          TEXT NOT NULL,
    name        TEXT NOT NULL,
    kind        TEXT NOT NULL, -- feedback, expectation or issue
    value       TEXT NOT NULL, -- JSON
    source_type TEXT,
    source_id   TEXT,
    span_id     TEXT,
    rationale   TEXT,
    metadata    TEXT, -- JSON
    overrides   TEXT, -- the assessment that this one is instead of
    is_valid    BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (trace_key, id)
);

CREATE TABLE trace_runs (
    trace_key BIGINT NOT NULL REFERENCES traces(key),
    run_id    TEXT NOT NULL,
    PRIMARY KEY (trace_key, run_id)
);

CREATE INDEX trace_runs_by_run ON trace_runs(run_id, trace_key);
