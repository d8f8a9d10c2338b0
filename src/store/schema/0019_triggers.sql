-- What starts runs of pipelines when nobody sends files: the project's own, and the times, pushes
-- and other things that its file names.
CREATE TABLE pipelines (
    project TEXT PRIMARY KEY,
    file TEXT NOT NULL,             -- of the tree: slipway.yaml, dvc.yaml
    tree TEXT NOT NULL,             -- digest of the listing of the project's files
    commit_id TEXT,
    branch TEXT,
    settings TEXT NOT NULL,         -- JSON: params, on, concurrency, as the file has them
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL
);

CREATE TABLE schedules (
    project TEXT NOT NULL REFERENCES pipelines(project),
    cron TEXT NOT NULL,
    timezone TEXT NOT NULL,
    missed TEXT NOT NULL,           -- latest, skip, all
    seen_at BIGINT NOT NULL,        -- the last tick that was seen to, or when it was put
    next_at BIGINT,                 -- the next one
    run_id TEXT,                    -- of the last tick that started one
    reason TEXT,                    -- why the last tick started none
    PRIMARY KEY (project, cron, timezone)
);

-- Where a project's code is pushed to.
CREATE TABLE hooks (
    project TEXT PRIMARY KEY,
    repository TEXT NOT NULL,       -- a path or a URL
    secret TEXT NOT NULL,           -- signatures are checked with it
    looked_at BIGINT,               -- when its branches were last looked at
    reason TEXT,                    -- why that failed
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL
);

CREATE TABLE pushes (
    project TEXT NOT NULL,
    ref TEXT NOT NULL,              -- refs/heads/main
    commit_id TEXT NOT NULL,
    status TEXT NOT NULL,           -- waiting, started, ignored, failed
    reason TEXT,
    run_id TEXT,
    told_by TEXT NOT NULL,          -- hook, look, set
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project, ref, commit_id)
);
CREATE INDEX pushes_waiting ON pushes(created_at) WHERE status = 'waiting';

-- How far those have read who follow the events.
CREATE TABLE event_followers (
    name TEXT PRIMARY KEY,
    event_id BIGINT NOT NULL
);

CREATE INDEX pipeline_runs_open_by_project ON pipeline_runs(project, number) WHERE ended_at IS NULL;
CREATE INDEX pipeline_runs_by_follows ON pipeline_runs(follows) WHERE follows IS NOT NULL;
