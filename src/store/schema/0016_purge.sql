-- What is being removed for good, in several steps: nobody can restore it any more.
ALTER TABLE runs ADD COLUMN purged_at BIGINT;
ALTER TABLE experiments ADD COLUMN purged_at BIGINT;

CREATE INDEX runs_by_deletion ON runs(deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX logged_model_metrics_by_run ON logged_model_metrics(run_key);

-- The greatest id of what was removed for good: none is given again.
CREATE TABLE purged_ids (
    noun TEXT   NOT NULL PRIMARY KEY, -- "experiment", "run" (its key)
    id   BIGINT NOT NULL
);
