-- The training's run that a run is a trial of. Lists show trainings without their trials, and what happens to a training
-- happens to its trials.
ALTER TABLE runs ADD COLUMN trial_of BIGINT;
CREATE INDEX runs_by_training ON runs(trial_of) WHERE trial_of IS NOT NULL;
