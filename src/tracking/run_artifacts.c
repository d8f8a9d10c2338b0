/* run_artifacts.c: the files of a run, by path; their bytes are in the artifact store. */

#include <string.h>

#include "base/file.h"
#include "tracking/run_internal.h"

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

bool run_log_artifact(Scope *scope, const char *id, const char *path, const Artifact *artifact)
{
    static const char sql[] =
        "INSERT INTO run_artifacts(run_key, path, digest, size) VALUES ($1, $2, $3, $4)"
        "ON CONFLICT (run_key, path) DO UPDATE SET digest = excluded.digest, size = excluded.size";
    Run run;

    if (!run_check_artifact_path(scope, path) || !run_find_writable(scope, id, &run))
        return false;
    if (!artifact_claim(scope->platform->artifacts, artifact->digest, &scope->error))
        return scope->error.kind == ERROR_NOT_FOUND &&
               fail(&scope->error, ERROR_NOT_FOUND, "blob \"%.64s\" is not in the artifact store",
                    artifact->digest);
    return db_run(scope->db, &scope->error, sql, db_int(run.key), db_text(path),
                  db_text(artifact->digest), db_int(artifact->size));
}

static TreeEntry entry_from_row(const Query *query, Arena *arena)
{
    const char *digest = query_text(query, 1, arena);
    TreeEntry entry = {.path = query_text(query, 0, arena), .size = query_int(query, 2)};

    memcpy(entry.digest, digest, strnlen(digest, DIGEST_TEXT_SIZE - 1));
    return entry;
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
    Run run;

    if (!run_find_row(scope, id, &run))
        return false;

    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT path, digest, size FROM run_artifacts"
                           " WHERE run_key = $1 AND path = $2",
                           db_int(run.key), db_text(path));

    if (query_next(&query)) {
        *entry = entry_from_row(&query, scope->arena);
        return true;
    }
    return query_end(&query, &scope->error) &&
           fail(&scope->error, ERROR_NOT_FOUND, "run \"%s\" has no artifact \"%.200s\"", id, path);
}
