-- Params and tags lie in the order of their primary key, so that those of a run are together, and
-- the start of a value is a column: an index on it alone answers, where one on an expression would
-- read the row, too.
CREATE TABLE run_params_by_key (
    run_key       BIGINT NOT NULL REFERENCES runs(key),
    key           TEXT NOT NULL,
    start         TEXT NOT NULL, -- of the value: 100 characters, or all of it
    value         TEXT,          -- NULL: the start is all of it
    experiment_id BIGINT NOT NULL,
    PRIMARY KEY (run_key, key)
) WITHOUT ROWID;

INSERT INTO run_params_by_key(run_key, key, start, value, experiment_id)
SELECT run_key, key, substr(value, 1, 100), CASE WHEN length(value) > 100 THEN value END,
       experiment_id
  FROM run_params
 ORDER BY run_key, key;
DROP TABLE run_params;
ALTER TABLE run_params_by_key RENAME TO run_params;
CREATE INDEX run_params_by_value ON run_params(experiment_id, key, start, run_key);

CREATE TABLE run_tags_by_key (
    run_key       BIGINT NOT NULL REFERENCES runs(key),
    key           TEXT NOT NULL,
    start         TEXT NOT NULL,
    value         TEXT,
    experiment_id BIGINT NOT NULL,
    PRIMARY KEY (run_key, key)
) WITHOUT ROWID;

INSERT INTO run_tags_by_key(run_key, key, start, value, experiment_id)
SELECT run_key, key, substr(value, 1, 100), CASE WHEN length(value) > 100 THEN value END,
       experiment_id
  FROM run_tags
 ORDER BY run_key, key;
DROP TABLE run_tags;
ALTER TABLE run_tags_by_key RENAME TO run_tags;
CREATE INDEX run_tags_by_value ON run_tags(experiment_id, key, start, run_key);
