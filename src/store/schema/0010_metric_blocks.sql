-- Points of long metrics, folded together; metric_points keeps the newest of them.
CREATE TABLE metric_blocks (
    run_key         BIGINT NOT NULL,
    key_id          BIGINT NOT NULL,
    number          BIGINT NOT NULL, -- 1, 2, 3 ... as they were folded
    first_timestamp BIGINT NOT NULL, -- of its first point by (timestamp, step, value)
    first_step      BIGINT NOT NULL,
    last_timestamp  BIGINT NOT NULL,
    last_step       BIGINT NOT NULL,
    point_count     BIGINT NOT NULL,
    bytes           BYTEA  NOT NULL, -- src/tracking/metric_block.h says how to read them
    PRIMARY KEY (run_key, key_id, number)
);

-- How many points are in metric_points, and up to which time and step there are some in blocks.
ALTER TABLE latest_metrics ADD COLUMN tail_count BIGINT NOT NULL DEFAULT 0;
ALTER TABLE latest_metrics ADD COLUMN folded_until BIGINT;
ALTER TABLE latest_metrics ADD COLUMN folded_step BIGINT;

UPDATE latest_metrics
   SET tail_count = (SELECT count(*) FROM metric_points
                      WHERE metric_points.run_key = latest_metrics.run_key
                        AND metric_points.key_id = latest_metrics.key_id);
