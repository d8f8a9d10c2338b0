-- What an endpoint serves beside its live deployment: a row for each step of its share. The one
-- that has not ended, if any, is served.
CREATE TABLE candidates (
    id          BIGINT PRIMARY KEY, -- no deployment has the same: answers name either
    endpoint_id BIGINT NOT NULL REFERENCES endpoints (id),
    model       TEXT   NOT NULL,
    version     BIGINT NOT NULL,
    package     TEXT   NOT NULL, -- digest of the tree
    share       BIGINT NOT NULL, -- of 1000 requests, how many it answers
    is_shadow   BIGINT NOT NULL, -- 1: it is asked beside the live one, and answers nobody
    comment     TEXT,
    created_at  BIGINT NOT NULL,
    created_by  TEXT   NOT NULL,
    ended_at    BIGINT,
    ended_by    TEXT,
    end_reason  TEXT, -- replaced, cleared, promoted, deployed, rolled back
    end_comment TEXT
);

CREATE UNIQUE INDEX candidates_served ON candidates (endpoint_id) WHERE ended_at IS NULL;
CREATE INDEX candidates_by_endpoint ON candidates (endpoint_id, id);
CREATE INDEX candidates_shadows ON candidates (id) WHERE is_shadow = 1;
