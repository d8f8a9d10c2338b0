/* run_artifacts.c: the files of a run, by path; their bytes are in the artifact store. */

#include <string.h>

#include "base/file.h"
#include "tracking/run_internal.h"
#include "tracking/workspace.h"

enum { PATH_BYTES_MAX = 1024 };

/* A control character disturbs a terminal, and a backslash leads out of a folder where it separates
 * one. */
static bool has_hazard(const char *path)
{
    for (; *path; path++)
        if ((unsigned char)*path < 0x20 || *path == 0x7f || *path == '\\')
            return true;
    return false;
}

bool run_check_artifact_path(Scope *scope, const char *path)
{
    size_t length = strlen(path);

    if (length > PATH_BYTES_MAX || !path_is_inside(path) || !text_is_utf8(path, length) ||
        has_hazard(path))
        return fail_field(&scope->error, "path",
                          "the path of an artifact is relative and plain, of at most %d bytes, as "
                          "\"plots/roc.png\"",
                          PATH_BYTES_MAX);
    return true;
}

static TreeEntry entry_from_row(const Query *query, Arena *arena)
{
    const char *digest = query_text(query, 1, arena);
    TreeEntry entry = {.path = query_text(query, 0, arena), .size = query_int(query, 2)};

    memcpy(entry.digest, digest, strnlen(digest, DIGEST_TEXT_SIZE - 1));
    return entry;
}

static bool find_file(Scope *scope, const Run *run, const char *path, TreeEntry *entry, bool *found)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT path, digest, size FROM run_artifacts"
                           " WHERE run_key = $1 AND path = $2",
                           db_int(run->key), db_text(path));

    *found = query_next(&query);
    if (*found)
        *entry = entry_from_row(&query, scope->arena);
    return query_end(&query, &scope->error);
}

bool run_check_room(Scope *scope, const Run *run, const char *path, int64_t size)
{
    TreeEntry present = {0};
    bool found;

    return find_file(scope, run, path, &present, &found) &&
           workspace_check_room(scope, (FileShare){run->experiment_id, present.size},
                                (FileShare){run->experiment_id, size});
}

bool run_put_file(Scope *scope, const Run *run, const char *path, const Artifact *artifact,
                  bool *is_new)
{
    static const char sql[] =
        "INSERT INTO run_artifacts(run_key, path, digest, size) VALUES ($1, $2, $3, $4)"
        "ON CONFLICT (run_key, path) DO UPDATE SET digest = excluded.digest, size = excluded.size";
    TreeEntry present = {0};
    bool found;

    if (!find_file(scope, run, path, &present, &found))
        return false;
    *is_new = !found || strcmp(present.digest, artifact->digest) != 0;
    return !*is_new || (workspace_count(scope, (FileShare){run->experiment_id, present.size},
                                        (FileShare){run->experiment_id, artifact->size}) &&
                        db_run(scope->db, &scope->error, sql, db_int(run->key), db_text(path),
                               db_text(artifact->digest), db_int(artifact->size)));
}

bool run_log_artifact(Scope *scope, const char *id, const char *path, const Artifact *artifact)
{
    bool is_new;
    Run run;

    if (!run_check_artifact_path(scope, path) || !run_find_writable(scope, id, &run))
        return false;
    if (!artifact_claim(scope->platform->artifacts, artifact->digest, &scope->error))
        return scope->error.kind == ERROR_NOT_FOUND &&
               fail(&scope->error, ERROR_NOT_FOUND, "blob \"%.64s\" is not in the artifact store",
                    artifact->digest);
    return run_put_file(scope, &run, path, artifact, &is_new);
}

bool run_artifacts(Scope *scope, const char *id, Tree *tree)
{
    Tree taken = {0};
    Run run;

    if (!run_find_row(scope, id, &run))
        return false;

    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT path, digest, size FROM run_artifacts"
                           " WHERE run_key = $1 ORDER BY path",
                           db_int(run.key));

    while (query_next(&query))
        *arena_push(scope->arena, &taken) = entry_from_row(&query, scope->arena);
    if (!query_end(&query, &scope->error))
        return false;
    *tree = taken;
    return true;
}

bool run_find_artifact(Scope *scope, const char *id, const char *path, TreeEntry *entry)
{
    bool found;
    Run run;

    if (!run_find_row(scope, id, &run) || !find_file(scope, &run, path, entry, &found))
        return false;
    return found ||
           fail(&scope->error, ERROR_NOT_FOUND, "run \"%s\" has no artifact \"%.200s\"", id, path);
}
