-- Where an experiment's files are, for MLflow's clients; NULL: with the server.
ALTER TABLE experiments ADD COLUMN artifact_location TEXT;
