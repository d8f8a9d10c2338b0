-- What a run tries at an endpoint on its way to production: one row from its first canary step until
-- the run has promoted it, gave it up, or ended.
CREATE TABLE release_canaries (
    run_id       TEXT   PRIMARY KEY REFERENCES pipeline_runs(id),
    endpoint     TEXT   NOT NULL,
    candidate_id BIGINT NOT NULL, -- that the run has set last
    position     BIGINT NOT NULL, -- of the step that has set it
    holds        BIGINT NOT NULL, -- 1: that step is under way; 0: the next one is to begin
    until_at     BIGINT NOT NULL, -- it holds at least so long
    limit_at     BIGINT NOT NULL, -- and for want of requests no longer than this
    looked_at    BIGINT NOT NULL, -- when this was last written
    record       TEXT   NOT NULL  -- JSON: what the candidate did, also in processes that have ended
);
