-- How many runs of pipelines are kept, and for how long. Without a rule all of them are.
CREATE TABLE retentions (
    project    TEXT   PRIMARY KEY, -- '*': all that have no rule of their own
    runs       BIGINT NOT NULL,    -- the newest so many stay
    days       BIGINT NOT NULL,    -- and what ended within so many days
    updated_at BIGINT NOT NULL,
    updated_by TEXT   NOT NULL
);

-- A run that is purged keeps its row: its number and the key of its trigger are never used again.
ALTER TABLE pipeline_runs ADD COLUMN purged_at BIGINT;

-- Who has taken something from a run, and what a run has released.
CREATE INDEX pipeline_steps_by_source ON pipeline_steps(cached_run) WHERE cached_run IS NOT NULL;
CREATE INDEX pipeline_runs_by_reproduced ON pipeline_runs(reproduces) WHERE reproduces IS NOT NULL;
CREATE INDEX deployments_by_comment ON deployments(comment) WHERE comment IS NOT NULL;
CREATE INDEX candidates_by_comment ON candidates(comment) WHERE comment IS NOT NULL;
