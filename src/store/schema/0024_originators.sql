-- What is demanded before something changes what people rely on holds for whoever causes it.

-- Who caused a run, a JSON list: {"name", "did"}. Of runs from before: who started them, and of
-- those that the server started nobody, which counts as somebody who is not known.
ALTER TABLE pipeline_runs ADD COLUMN originators TEXT NOT NULL DEFAULT '[]';
UPDATE pipeline_runs SET originators = '[{"name":"' || created_by || '","did":"started"}]'
 WHERE created_by <> 'slipway';

-- Of the files that a project runs when nobody sends any: who put them.
ALTER TABLE pipelines ADD COLUMN originators TEXT NOT NULL DEFAULT '[]';
UPDATE pipelines SET originators = '[{"name":"' || updated_by || '","did":"put"}]'
 WHERE updated_by <> 'slipway';

ALTER TABLE pushes ADD COLUMN pusher TEXT; -- a name of where it was pushed to

-- With the principal that each name meant when people were asked.
ALTER TABLE approvals ADD COLUMN originators TEXT NOT NULL DEFAULT '[]';
UPDATE approvals
   SET originators = '[{"name":"' || asked_by || '","did":"started","principal":"' || asked_by
                   || '","is_known":true}]'
 WHERE asked_by <> 'slipway';

-- The run that trained a version is found by the tracked run.
CREATE INDEX step_attempts_by_tracked ON step_attempts(tracked_run) WHERE tracked_run IS NOT NULL;

-- Names of other systems, in lower case, that mean a principal here.
CREATE TABLE identities (
    name       TEXT   PRIMARY KEY,
    principal  TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT   NOT NULL
);

-- From now on nothing goes to an environment that no owner has set. Those that steps of runs have
-- gone to go on demanding nothing, and are listed as set by the server.
INSERT INTO environments
    (name, approvals, four_eyes, expires_seconds, windows, branches, updated_at, updated_by)
SELECT DISTINCT json_extract(spec, '$.place'), 0, 0, 2592000, '[]', '[]', 0, 'slipway'
  FROM pipeline_steps
 WHERE json_extract(spec, '$.place') IS NOT NULL
    ON CONFLICT (name) DO NOTHING;

INSERT INTO environments
    (name, approvals, four_eyes, expires_seconds, windows, branches, updated_at, updated_by)
VALUES ('staging', 0, 0, 2592000, '[]', '[]', 0, 'slipway')
    ON CONFLICT (name) DO NOTHING;
