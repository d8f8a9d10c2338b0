-- The audit trail, chained by hash, which is also the event feed.
CREATE TABLE events (
    id         BIGINT PRIMARY KEY, -- 1, 2, 3 ... without a gap
    created_at BIGINT NOT NULL,
    principal  TEXT   NOT NULL,
    action     TEXT   NOT NULL,
    object     TEXT   NOT NULL,
    detail     TEXT   NOT NULL, -- a JSON object
    request_id TEXT,
    hash       TEXT   NOT NULL
);

CREATE INDEX events_by_object ON events (object, id);

-- Only the SHA-256 of a token's secret is kept.
CREATE TABLE tokens (
    id         BIGINT PRIMARY KEY,
    name       TEXT   NOT NULL UNIQUE,
    role       TEXT   NOT NULL,
    secret     TEXT   NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    created_by TEXT   NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
);
