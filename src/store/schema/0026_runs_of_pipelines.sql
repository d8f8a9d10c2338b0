-- Which run of a pipeline a tracked run belongs to, for who would remove it.
CREATE INDEX pipeline_runs_by_tracked_run ON pipeline_runs(run_id) WHERE run_id IS NOT NULL;
CREATE INDEX step_attempts_by_tracked_run ON step_attempts(tracked_run) WHERE tracked_run IS NOT NULL;
