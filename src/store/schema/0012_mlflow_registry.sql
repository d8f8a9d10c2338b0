-- Versions that MLflow's clients register: where they say that the files are (source), where that
-- leads to (location), what they call its stage. A version whose files are not here has the
-- package ''. updated_at is of the version's own description and stage.
ALTER TABLE model_versions ADD COLUMN source TEXT;
ALTER TABLE model_versions ADD COLUMN location TEXT;
ALTER TABLE model_versions ADD COLUMN run_link TEXT;
ALTER TABLE model_versions ADD COLUMN logged_model_id TEXT;
ALTER TABLE model_versions ADD COLUMN stage TEXT NOT NULL DEFAULT 'None';
ALTER TABLE model_versions ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;

UPDATE model_versions SET updated_at = created_at;

CREATE INDEX model_versions_by_stage ON model_versions(model_id, stage, version);
CREATE INDEX model_versions_by_update ON model_versions(updated_at);
CREATE INDEX model_versions_by_logged_model ON model_versions(logged_model_id);
