-- An endpoint's name never changes; the rule is that of its gate.
CREATE TABLE endpoints (
    id           BIGINT PRIMARY KEY,
    name         TEXT   NOT NULL UNIQUE,
    project      TEXT   NOT NULL,
    rule_metric  TEXT   NOT NULL,
    rule_margin  DOUBLE PRECISION NOT NULL,
    rule_relative_margin DOUBLE PRECISION NOT NULL, -- a share of the champion's value
    rule_minimum DOUBLE PRECISION, -- NULL: none
    rule_level   DOUBLE PRECISION NOT NULL,
    rule_demand  TEXT   NOT NULL,
    created_at   BIGINT NOT NULL
);

-- Every change of what an endpoint serves; the newest is live.
CREATE TABLE deployments (
    id          BIGINT PRIMARY KEY, -- grows with each change
    endpoint_id BIGINT NOT NULL REFERENCES endpoints (id),
    model       TEXT   NOT NULL,
    version     BIGINT NOT NULL,
    package     TEXT   NOT NULL, -- digest of the tree
    reason      TEXT   NOT NULL, -- deploy, promote, rollback
    comment     TEXT,
    gate        TEXT,            -- the verdict as JSON
    origin_id   BIGINT NOT NULL, -- the deployment whose version this is: its own id, or what a rollback brought back
    created_at  BIGINT NOT NULL,
    created_by  TEXT   NOT NULL
);

CREATE INDEX deployments_by_endpoint ON deployments (endpoint_id, id);

-- One row per answered request.
CREATE TABLE predictions (
    id            BIGINT PRIMARY KEY, -- grows; readers follow by it
    request_id    TEXT   NOT NULL,
    endpoint      TEXT   NOT NULL,
    model         TEXT   NOT NULL,
    version       BIGINT NOT NULL,
    deployment_id BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    duration_us   BIGINT NOT NULL,
    row_count     BIGINT NOT NULL,
    answers       TEXT   NOT NULL, -- JSON: one object with label and confidence per row
    inputs        TEXT   NOT NULL  -- JSON: the rows by column; the first ones where all would be too long
);

CREATE INDEX predictions_by_request ON predictions (request_id);
CREATE INDEX predictions_by_endpoint ON predictions (endpoint, id);
