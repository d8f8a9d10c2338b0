-- A metric's rows lie in the order of their primary key, in one tree instead of a table with an
-- index beside it: half the bytes of a point, and one page to read instead of two.
-- (WITHOUT ROWID is of SQLite alone; PostgreSQL takes the same tables without these words.)
CREATE TABLE metric_points_by_key (
    run_key   BIGINT NOT NULL,
    key_id    BIGINT NOT NULL,
    step      BIGINT NOT NULL,
    timestamp BIGINT NOT NULL,
    value     DOUBLE PRECISION NOT NULL,
    is_nan    BIGINT NOT NULL,
    PRIMARY KEY (run_key, key_id, step, timestamp, value, is_nan)
) WITHOUT ROWID;

INSERT INTO metric_points_by_key(run_key, key_id, step, timestamp, value, is_nan)
SELECT run_key, key_id, step, timestamp, value, is_nan
  FROM metric_points
 ORDER BY run_key, key_id, step, timestamp, value, is_nan;
DROP TABLE metric_points;
ALTER TABLE metric_points_by_key RENAME TO metric_points;

CREATE TABLE latest_metrics_by_key (
    run_key       BIGINT NOT NULL,
    key_id        BIGINT NOT NULL,
    experiment_id BIGINT NOT NULL,
    step          BIGINT NOT NULL,
    timestamp     BIGINT NOT NULL,
    value         DOUBLE PRECISION NOT NULL,
    is_nan        BIGINT NOT NULL,
    tail_count    BIGINT NOT NULL DEFAULT 0,
    folded_until  BIGINT,
    folded_step   BIGINT,
    PRIMARY KEY (run_key, key_id)
) WITHOUT ROWID;

INSERT INTO latest_metrics_by_key(run_key, key_id, experiment_id, step, timestamp, value, is_nan,
                                  tail_count, folded_until, folded_step)
SELECT run_key, key_id, experiment_id, step, timestamp, value, is_nan, tail_count, folded_until,
       folded_step
  FROM latest_metrics
 ORDER BY run_key, key_id;
DROP TABLE latest_metrics;
ALTER TABLE latest_metrics_by_key RENAME TO latest_metrics;
CREATE INDEX latest_metrics_by_value ON latest_metrics(experiment_id, key_id, is_nan, value, run_key);
