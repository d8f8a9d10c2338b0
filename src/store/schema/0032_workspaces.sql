-- Workspaces: named groups of experiments, each with what its files may be together. The counts are
-- changed with the rows of files, in the same transaction.
CREATE TABLE workspaces (
    id                 INTEGER PRIMARY KEY,
    name               TEXT   NOT NULL UNIQUE,
    artifact_bytes     BIGINT NOT NULL, -- the sum of its shares
    artifact_bytes_max BIGINT,          -- NULL: no limit
    updated_at         BIGINT NOT NULL,
    updated_by         TEXT   NOT NULL
);

-- Of all experiments that are in no other.
INSERT INTO workspaces (id, name, artifact_bytes, updated_at, updated_by)
VALUES (1, 'default', 0, 0, 'slipway');

-- What the files of an experiment are, each as often as it is listed. One without a row is in
-- workspace 1 and has none; one that was purged has a row as long as files of it are left.
CREATE TABLE experiment_shares (
    experiment_id  BIGINT PRIMARY KEY,
    workspace_id   BIGINT NOT NULL REFERENCES workspaces (id),
    artifact_bytes BIGINT NOT NULL
);
CREATE INDEX experiment_shares_by_workspace ON experiment_shares (workspace_id, artifact_bytes);

-- The tag says from now on in which workspace an experiment is.
DELETE FROM experiment_tags WHERE key = 'slipway.workspace';

-- Whose a file of no run is: told when it is put there. Of those that are there already their place
-- tells it.
ALTER TABLE artifact_files ADD COLUMN experiment_id BIGINT NOT NULL DEFAULT 0;

UPDATE artifact_files
   SET experiment_id = e.id
  FROM experiments e
 WHERE artifact_files.path > CAST(e.id AS TEXT) || '/'
   AND artifact_files.path < CAST(e.id AS TEXT) || '0';

UPDATE artifact_files
   SET experiment_id = e.id
  FROM experiments e
 WHERE substr(e.artifact_location, 1, 18) = 'mlflow-artifacts:/'
   AND artifact_files.path > ltrim(substr(e.artifact_location, 18), '/') || '/'
   AND artifact_files.path < ltrim(substr(e.artifact_location, 18), '/') || '0';

INSERT INTO experiment_shares (experiment_id, workspace_id, artifact_bytes)
SELECT f.experiment_id, 1, sum(f.size)
  FROM (SELECT r.experiment_id, a.size FROM run_artifacts a JOIN runs r ON r.key = a.run_key
         UNION ALL
        SELECT experiment_id, size FROM artifact_files) AS f
 GROUP BY f.experiment_id;

UPDATE workspaces SET artifact_bytes = (SELECT coalesce(sum(artifact_bytes), 0) FROM experiment_shares);
