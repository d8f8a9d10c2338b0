-- Runs of pipelines, their steps, and the attempts at them. The queue is here: what is ready, and
-- what is under way, is found again by whatever program opens the store next.
CREATE TABLE pipeline_runs (
    id TEXT PRIMARY KEY,
    project TEXT NOT NULL,
    number BIGINT NOT NULL,
    status TEXT NOT NULL,           -- queued, running, succeeded, failed, cancelled
    reason TEXT,
    file TEXT NOT NULL,             -- of the tree: slipway.yaml, dvc.yaml
    tree TEXT,                      -- digest of the listing of the project's files
    params TEXT NOT NULL,           -- a JSON object
    origin TEXT NOT NULL,           -- JSON: trigger, commit, branch
    trigger_key TEXT,               -- at most one run of each
    run_id TEXT,                    -- the tracked run that those of the steps belong to
    follows TEXT,                   -- the run that must have ended before this one begins
    is_forced BIGINT NOT NULL,      -- nothing is taken from the cache
    open_steps BIGINT NOT NULL,
    bad_steps BIGINT NOT NULL,      -- that failed
    cancelled_at BIGINT,
    cancelled_by TEXT,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    started_at BIGINT,
    ended_at BIGINT
);
CREATE UNIQUE INDEX pipeline_runs_by_number ON pipeline_runs(project, number);
CREATE UNIQUE INDEX pipeline_runs_by_trigger ON pipeline_runs(project, trigger_key);
CREATE INDEX pipeline_runs_open ON pipeline_runs(created_at) WHERE ended_at IS NULL;

CREATE TABLE pipeline_steps (
    run_id TEXT NOT NULL REFERENCES pipeline_runs(id),
    position BIGINT NOT NULL,
    name TEXT NOT NULL,
    spec TEXT NOT NULL,             -- JSON: plan.h
    status TEXT NOT NULL,           -- waiting, ready, running, succeeded, failed, skipped, cancelled
    reason TEXT,
    waits_for BIGINT NOT NULL,      -- steps that have not ended
    bad_needs BIGINT NOT NULL,      -- of those that have: did not succeed
    attempts BIGINT NOT NULL,
    losses BIGINT NOT NULL,         -- of them: lost, which is nobody's failure
    ready_at BIGINT,                -- not before
    inputs TEXT,                    -- JSON: what it depended on, by name and digest
    cache_key TEXT,
    cached_run TEXT,                -- where its outs were taken from
    cached_position BIGINT,
    outs TEXT,                      -- JSON
    result TEXT,                    -- JSON, of a built-in step
    metrics TEXT,                   -- JSON
    started_at BIGINT,
    ended_at BIGINT,
    PRIMARY KEY (run_id, position)
);
CREATE UNIQUE INDEX pipeline_steps_by_name ON pipeline_steps(run_id, name);
CREATE INDEX pipeline_steps_ready ON pipeline_steps(ready_at, run_id, position) WHERE status = 'ready';

CREATE TABLE pipeline_edges (
    run_id TEXT NOT NULL REFERENCES pipeline_runs(id),
    step BIGINT NOT NULL,
    next BIGINT NOT NULL,           -- waits for step
    PRIMARY KEY (run_id, step, next)
);

CREATE TABLE step_attempts (
    run_id TEXT NOT NULL REFERENCES pipeline_runs(id),
    position BIGINT NOT NULL,
    attempt BIGINT NOT NULL,        -- 1, 2, 3 ...
    key TEXT NOT NULL UNIQUE,       -- how executors know it
    status TEXT NOT NULL,           -- running, succeeded, failed, lost, cancelled, timed_out
    reason TEXT,
    executor TEXT NOT NULL,
    handle TEXT,
    boot TEXT NOT NULL,             -- of the machine, when it was begun
    tracked_run TEXT,
    exit_code BIGINT,
    signal BIGINT,
    usage TEXT,                     -- JSON: cpu_ms, memory_bytes, host
    log_digest TEXT,
    log_size BIGINT,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    ended_at BIGINT,
    PRIMARY KEY (run_id, position, attempt)
);
CREATE INDEX step_attempts_open ON step_attempts(created_at) WHERE ended_at IS NULL;

-- The newest step that has done a thing.
CREATE TABLE step_cache (
    project TEXT NOT NULL,
    cache_key TEXT NOT NULL,
    run_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (project, cache_key)
);
