-- For "runs of this experiment by this metric, param or tag" from an index alone. Long values are
-- there by their beginning.
DROP INDEX latest_metrics_by_value;
CREATE INDEX latest_metrics_by_value ON latest_metrics(experiment_id, key_id, is_nan, value, run_key);

ALTER TABLE run_params ADD COLUMN experiment_id BIGINT NOT NULL DEFAULT 0;
UPDATE run_params
   SET experiment_id = (SELECT runs.experiment_id FROM runs WHERE runs.key = run_params.run_key);
CREATE INDEX run_params_by_value ON run_params(experiment_id, key, substr(value, 1, 100), run_key);

ALTER TABLE run_tags ADD COLUMN experiment_id BIGINT NOT NULL DEFAULT 0;
UPDATE run_tags
   SET experiment_id = (SELECT runs.experiment_id FROM runs WHERE runs.key = run_tags.run_key);
CREATE INDEX run_tags_by_value ON run_tags(experiment_id, key, substr(value, 1, 100), run_key);

-- Newest first, as clients list them.
DROP INDEX runs_by_experiment;
CREATE INDEX runs_by_experiment ON runs(experiment_id, started_at DESC, id);
