/* moving_files.c: files of runs and logged models of another store. */

#include <string.h>

#include "tracking/artifact_place.h"
#include "tracking/moving.h"
#include "tracking/run_internal.h"

static bool check_blob(Scope *scope, const TreeEntry *entry)
{
    if (artifact_claim(scope->platform->artifacts, entry->digest, &scope->error))
        return true;
    return scope->error.kind == ERROR_NOT_FOUND &&
           fail(&scope->error, ERROR_NOT_FOUND, "blob \"%.64s\" is not in the artifact store",
                entry->digest);
}

bool run_import_file(Scope *scope, const char *run_id, const TreeEntry *entry, MovingCounts *counts)
{
    static const char sql[] =
        "INSERT INTO run_artifacts(run_key, path, digest, size) VALUES ($1, $2, $3, $4)"
        "ON CONFLICT (run_key, path) DO UPDATE SET digest = excluded.digest, size = excluded.size"
        " WHERE run_artifacts.digest <> excluded.digest";
    Run run;

    if (!run_check_artifact_path(scope, entry->path) || !run_find_row(scope, run_id, &run) ||
        !check_blob(scope, entry) ||
        !db_run(scope->db, &scope->error, sql, db_int(run.key), db_text(entry->path),
                db_text(entry->digest), db_int(entry->size)))
        return false;
    moving_count(&counts->files, db_changes(scope->db) > 0);
    return true;
}

static bool find_place(Scope *scope, const char *model_id, const char *given, ArtifactPlace *place)
{
    LoggedModel model;
    const char *path;

    return logged_model_find_deleted(scope, model_id, &model) &&
           artifact_path_read(scope, given, &path) &&
           artifact_place_below(scope, model.artifact_uri, path, place);
}

bool logged_model_import_file(Scope *scope, const char *model_id, const TreeEntry *entry,
                              MovingCounts *counts)
{
    Artifact artifact = {.size = entry->size};
    TreeEntry present = {0};
    ArtifactPlace place;
    bool is_same;

    if (!find_place(scope, model_id, entry->path, &place) || !check_blob(scope, entry))
        return false;
    is_same =
        artifact_place_file(scope, &place, &present) && strcmp(present.digest, entry->digest) == 0;
    scope->error = (Error){0};
    memcpy(artifact.digest, entry->digest, sizeof(artifact.digest));
    if (!is_same && !artifact_place_put(scope, &place, &artifact))
        return false;
    moving_count(&counts->files, !is_same);
    return true;
}

bool moving_has_file(Scope *scope, const char *run_id, const char *model_id, const char *path,
                     int64_t size)
{
    TreeEntry entry = {0};
    ArtifactPlace place;
    bool has;

    if (run_id)
        has = run_find_artifact(scope, run_id, path, &entry);
    else
        has =
            find_place(scope, model_id, path, &place) && artifact_place_file(scope, &place, &entry);
    scope->error = (Error){0};
    return has && entry.size == size;
}
