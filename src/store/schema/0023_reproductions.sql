-- The run that this one does again, to see whether the same comes out; NULL: none.
ALTER TABLE pipeline_runs ADD COLUMN reproduces TEXT;
