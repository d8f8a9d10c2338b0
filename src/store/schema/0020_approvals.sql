-- Where releases go, and what is demanded before anything begins there. One that is not here
-- demands nothing.
CREATE TABLE environments (
    name            TEXT   PRIMARY KEY,
    approvals       BIGINT NOT NULL, -- by so many people
    four_eyes       BIGINT NOT NULL, -- none of them is who asked
    expires_seconds BIGINT NOT NULL,
    windows         TEXT   NOT NULL, -- JSON: a list of texts
    branches        TEXT   NOT NULL, -- JSON: a list of patterns
    updated_at      BIGINT NOT NULL,
    updated_by      TEXT   NOT NULL
);

INSERT INTO environments
    (name, approvals, four_eyes, expires_seconds, windows, branches, updated_at, updated_by)
    VALUES ('production', 1, 0, 2592000, '[]', '[]', 0, 'slipway');

-- What people were asked to approve, by its digest, under the rules of the moment they were asked.
CREATE TABLE approvals (
    id          BIGINT PRIMARY KEY, -- 1, 2, 3 ...
    subject     TEXT   NOT NULL,    -- what waits, as a key: there is one pending approval of it
    digest      TEXT   NOT NULL,    -- of what is approved
    environment TEXT   NOT NULL,
    project     TEXT   NOT NULL,
    title       TEXT   NOT NULL,
    detail      TEXT   NOT NULL,    -- a JSON object
    run_id      TEXT,               -- the step of a pipeline's run that waits
    position    BIGINT,
    needed      BIGINT NOT NULL,
    four_eyes   BIGINT NOT NULL,
    status      TEXT   NOT NULL,    -- pending, approved, rejected, expired, withdrawn
    reason      TEXT,
    asked_by    TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    ended_at    BIGINT
);
CREATE UNIQUE INDEX approvals_pending ON approvals(subject) WHERE status = 'pending';
CREATE INDEX approvals_by_subject ON approvals(subject, digest, id);
CREATE INDEX approvals_by_run ON approvals(run_id, id);

CREATE TABLE approval_decisions (
    approval_id BIGINT NOT NULL REFERENCES approvals(id),
    decided_by  TEXT   NOT NULL,
    is_approved BIGINT NOT NULL,
    comment     TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (approval_id, decided_by)
);
