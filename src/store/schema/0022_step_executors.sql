-- Where a step is to run: what is ready for a cluster does not wait behind what is ready for this
-- machine.
ALTER TABLE pipeline_steps ADD COLUMN executor TEXT NOT NULL DEFAULT 'local';
CREATE INDEX pipeline_steps_ready_for ON pipeline_steps(executor, ready_at, run_id, position)
    WHERE status = 'ready';
