-- Answered requests of one deployment that were logged together; predictions keeps those of before.
CREATE TABLE prediction_batches (
    id            BIGINT PRIMARY KEY, -- of its last record; those before it count down to the first's
    record_count  BIGINT NOT NULL,
    endpoint      TEXT   NOT NULL,
    model         TEXT   NOT NULL,
    version       BIGINT NOT NULL,
    deployment_id BIGINT NOT NULL,
    first_at      BIGINT NOT NULL, -- no time in it, also in a request id of ours, is before it
    last_at       BIGINT NOT NULL, -- or after it
    bytes         BYTEA  NOT NULL  -- src/serving/prediction_batch.h says how to read them
);

CREATE INDEX prediction_batches_by_endpoint ON prediction_batches (endpoint, id);
CREATE INDEX prediction_batches_by_endpoint_time ON prediction_batches (endpoint, first_at);
CREATE INDEX prediction_batches_by_time ON prediction_batches (first_at, last_at);
CREATE INDEX predictions_by_endpoint_time ON predictions (endpoint, created_at);

-- Where request ids are that were given by callers: they do not tell the time.
CREATE TABLE prediction_request_ids (
    hash     BIGINT NOT NULL, -- of the id
    batch_id BIGINT NOT NULL,
    PRIMARY KEY (hash, batch_id)
);
