-- What the events of the audit trail are about, so that a page of those about one thing is found without
-- the others: written with the event, and no part of its hash. What is an object and nothing else (a run, a token)
-- is found by that.
CREATE TABLE event_subjects (
    id   INTEGER PRIMARY KEY,
    kind TEXT NOT NULL, -- "project", "model", "run" ...; "by" of who did it, "noun" of the action
    name TEXT NOT NULL  -- and "clock", "back" of one whose time is before that of the one in front of it
);
CREATE UNIQUE INDEX event_subjects_by_name ON event_subjects (kind, name);

CREATE TABLE event_mentions (
    subject_id BIGINT NOT NULL,
    event_id   BIGINT NOT NULL,
    PRIMARY KEY (subject_id, event_id)
);

-- Of events that are there already. A name ends before "@" and the number of a version, or "#" and that of a run.
CREATE TABLE event_nouns (noun TEXT NOT NULL, kind TEXT NOT NULL, is_numbered BIGINT NOT NULL);
INSERT INTO event_nouns (noun, kind, is_numbered) VALUES
    ('alarm', 'project', 0), ('artifacts', '', 0), ('dataset', 'dataset', 0), ('dataset_version', 'dataset', 1),
    ('endpoint', 'endpoint', 0), ('environment', '', 0), ('experiment', '', 0), ('gate', 'endpoint', 0),
    ('hook', 'project', 0), ('identity', '', 0), ('logged_model', '', 0), ('model', 'model', 0),
    ('model_alias', 'model', 1), ('model_version', 'model', 1), ('pipeline', 'project', 0),
    ('pipeline_run', 'project', 1), ('pipeline_run', 'pipeline_run', 0), ('project', 'project', 0),
    ('release', 'project', 1), ('release', 'pipeline_run', 0), ('run', '', 0), ('token', '', 0), ('webhook', '', 0);

CREATE TABLE event_found (kind TEXT NOT NULL, name TEXT NOT NULL, event_id BIGINT NOT NULL);
INSERT INTO event_found (kind, name, event_id)
    SELECT n.kind,
           CASE WHEN n.is_numbered = 1 AND length(rtrim(e.object, '0123456789')) > 1
                THEN substr(rtrim(e.object, '0123456789'), 1, length(rtrim(e.object, '0123456789')) - 1)
                ELSE e.object END,
           e.id
      FROM events e JOIN event_nouns n ON substr(e.action, 1, length(n.noun) + 1) = n.noun || '.'
     WHERE n.kind <> '';
INSERT INTO event_found (kind, name, event_id)
    SELECT DISTINCT 'noun', n.noun, e.id
      FROM events e JOIN event_nouns n ON substr(e.action, 1, length(n.noun) + 1) = n.noun || '.';
INSERT INTO event_found (kind, name, event_id)
    SELECT 'noun', 'approval', id FROM events WHERE substr(action, 1, 9) = 'approval.';
INSERT INTO event_found (kind, name, event_id)
    SELECT 'noun', 'holdout', id FROM events WHERE substr(action, 1, 8) = 'holdout.';
INSERT INTO event_found (kind, name, event_id) SELECT 'by', principal, id FROM events;
INSERT INTO event_found (kind, name, event_id)
    SELECT DISTINCT 'project', p.project, e.id FROM events e JOIN endpoints p ON p.name = e.object
     WHERE substr(e.action, 1, 9) = 'endpoint.' OR substr(e.action, 1, 5) = 'gate.';
INSERT INTO event_found (kind, name, event_id)
    SELECT DISTINCT 'project', a.project, e.id FROM events e JOIN approvals a ON a.title = e.object
     WHERE substr(e.action, 1, 9) = 'approval.';
INSERT INTO event_found (kind, name, event_id)
    SELECT DISTINCT 'pipeline_run', r.project || '#' || CAST(r.number AS TEXT), e.id
      FROM events e JOIN approvals a ON a.title = e.object JOIN pipeline_runs r ON r.id = a.run_id
     WHERE substr(e.action, 1, 9) = 'approval.';
INSERT INTO event_found (kind, name, event_id)
    SELECT DISTINCT 'project', h.project, e.id
      FROM events e JOIN holdouts h ON substr(e.object, 1, length(h.project) + 1) = h.project || '/'
     WHERE substr(e.action, 1, 8) = 'holdout.';

INSERT INTO event_found (kind, name, event_id)
    SELECT 'clock', 'back', e.id FROM events e JOIN events b ON b.id = e.id - 1 WHERE e.created_at < b.created_at;

INSERT INTO event_subjects (id, kind, name)
    SELECT row_number() OVER (ORDER BY kind, name), kind, name
      FROM (SELECT DISTINCT kind, name FROM event_found) AS found;
INSERT INTO event_mentions (subject_id, event_id)
    SELECT DISTINCT s.id, f.event_id FROM event_found f JOIN event_subjects s ON s.kind = f.kind AND s.name = f.name;
DROP TABLE event_found;
DROP TABLE event_nouns;

-- What signed that a push was told of: "github", "gitlab", "azure", "plain".
ALTER TABLE pushes ADD COLUMN signed_by TEXT;
