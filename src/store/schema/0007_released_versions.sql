-- What was ever in production cannot be deleted: answers that it gave lead back to it.
ALTER TABLE model_versions ADD COLUMN released_at BIGINT;

UPDATE model_versions
   SET deleted_at  = NULL,
       released_at = (SELECT min(deployments.created_at)
                        FROM deployments JOIN models ON models.name = deployments.model
                       WHERE models.id = model_versions.model_id
                         AND deployments.version = model_versions.version)
 WHERE EXISTS (SELECT 1
                 FROM deployments JOIN models ON models.name = deployments.model
                WHERE models.id = model_versions.model_id
                  AND deployments.version = model_versions.version);
