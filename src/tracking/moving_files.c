/* moving_files.c: files of runs and logged models of another store. */

#include <string.h>

#include "base/file.h"
#include "tracking/artifact_place.h"
#include "tracking/moving.h"
#include "tracking/run_internal.h"

/* Its size is counted, so it is not taken on trust. */
static bool check_size(Scope *scope, const TreeEntry *entry)
{
    int64_t size;

    return file_size(artifact_path(scope->platform->artifacts, entry->digest, scope->arena), &size,
                     &scope->error) &&
           (size == entry->size ||
            fail_field(&scope->error, "size", "blob \"%.64s\" has %lld bytes, not %lld",
                       entry->digest, (long long)size, (long long)entry->size));
}

static bool check_blob(Scope *scope, const TreeEntry *entry)
{
    if (artifact_claim(scope->platform->artifacts, entry->digest, &scope->error))
        return check_size(scope, entry);
    return scope->error.kind == ERROR_NOT_FOUND &&
           fail(&scope->error, ERROR_NOT_FOUND, "blob \"%.64s\" is not in the artifact store",
                entry->digest);
}

static Artifact artifact_of(const TreeEntry *entry)
{
    Artifact artifact = {.size = entry->size};

    memcpy(artifact.digest, entry->digest, sizeof(artifact.digest));
    return artifact;
}

bool run_import_file(Scope *scope, const char *run_id, const TreeEntry *entry, MovingCounts *counts)
{
    const Artifact artifact = artifact_of(entry);
    bool is_new;
    Run run;

    if (!run_check_artifact_path(scope, entry->path) || !run_find_row(scope, run_id, &run) ||
        !check_blob(scope, entry) || !run_put_file(scope, &run, entry->path, &artifact, &is_new))
        return false;
    moving_count(&counts->files, is_new);
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
    const Artifact artifact = artifact_of(entry);
    TreeEntry present = {0};
    ArtifactPlace place;
    bool is_same;

    if (!find_place(scope, model_id, entry->path, &place) || !check_blob(scope, entry))
        return false;
    is_same =
        artifact_place_file(scope, &place, &present) && strcmp(present.digest, entry->digest) == 0;
    scope->error = (Error){0};
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
