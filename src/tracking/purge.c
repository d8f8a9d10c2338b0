#include "tracking/purge.h"

#include <inttypes.h>
#include <string.h>

#include "base/crash.h"
#include "base/time.h"
#include "tracking/artifact_place.h"
#include "tracking/experiment.h"
#include "tracking/logged_model.h"
#include "tracking/workspace.h"

enum { ROWS_PER_TRACE = 10 };

/* Of a table whose primary key is owner and these columns, in any order. */
#define PURGE_TABLE(table, owner, columns)                                                         \
    {                                                                                              \
        table, "DELETE FROM " table " WHERE " owner " = $1 AND (" columns ") IN"                   \
               " (SELECT " columns " FROM " table " WHERE " owner " = $1 LIMIT $2)"                \
    }

const PurgeTable run_purge_tables[] = {
    PURGE_TABLE("run_params", "run_key", "key"),
    PURGE_TABLE("run_tags", "run_key", "key"),
    PURGE_TABLE("metric_points", "run_key", "key_id, step, timestamp, value, is_nan"),
    PURGE_TABLE("metric_blocks", "run_key", "key_id, number"),
    PURGE_TABLE("latest_metrics", "run_key", "key_id"),
    {"run_artifacts",
     "DELETE FROM run_artifacts WHERE run_key = $1 AND path IN"
     " (SELECT path FROM run_artifacts WHERE run_key = $1 LIMIT $2)"
     "RETURNING (SELECT experiment_id FROM runs WHERE key = $1), size",
     .has_files = true},
    PURGE_TABLE("run_dataset_tags", "run_key", "dataset_key, key"),
    PURGE_TABLE("run_datasets", "run_key", "dataset_key"),
    PURGE_TABLE("run_models", "run_key", "is_output, step, model_id"),
    PURGE_TABLE("logged_model_metrics", "run_key",
                "model_key, key_id, timestamp, step, dataset_name, dataset_digest, value, is_nan"),
    {0},
};

const PurgeTable logged_model_purge_tables[] = {
    PURGE_TABLE("logged_model_params", "model_key", "key"),
    PURGE_TABLE("logged_model_tags", "model_key", "key"),
    PURGE_TABLE("logged_model_metrics", "model_key",
                "key_id, timestamp, step, run_key, dataset_name, dataset_digest, value, is_nan"),
    {0},
};

const PurgeTable trace_purge_tables[] = {
    PURGE_TABLE("trace_tags", "trace_key", "key"),
    PURGE_TABLE("trace_metadata", "trace_key", "key"),
    PURGE_TABLE("trace_spans", "trace_key", "number"),
    PURGE_TABLE("trace_assessments", "trace_key", "id"),
    PURGE_TABLE("trace_runs", "trace_key", "run_id"),
    {0},
};

static bool delete_some(Scope *scope, const PurgeTable *table, int64_t owner, int64_t *rows)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, table->delete_some, db_int(owner), db_int(*rows));
    int64_t count;

    if (table->has_files) {
        if (!workspace_release(scope, &query, &count))
            return false;
        *rows -= count;
        return true;
    }
    (void)query_next(&query); /* it has no rows */
    *rows -= db_changes(scope->db);
    return query_end(&query, &scope->error);
}

/* Until rows is used up, or nothing is left. */
static bool purge_tables(Scope *scope, const PurgeTable *tables, int64_t owner, int64_t *rows)
{
    for (; tables->table && *rows > 0; tables++)
        if (!delete_some(scope, tables, owner, rows))
            return false;
    return true;
}

static bool remember_id(Scope *scope, const char *noun, int64_t id)
{
    return db_run(scope->db, &scope->error,
                  "INSERT INTO purged_ids(noun, id) VALUES ($1, $2)"
                  "ON CONFLICT (noun) DO UPDATE SET id ="
                  " CASE WHEN excluded.id > purged_ids.id THEN excluded.id ELSE purged_ids.id END",
                  db_text(noun), db_int(id));
}

/* ---- runs ---- */

static bool remove_run(Scope *scope, int64_t key)
{
    return db_run(scope->db, &scope->error, "DELETE FROM runs WHERE key = $1", db_int(key)) &&
           remember_id(scope, "run", key);
}

static bool begin_run(Scope *scope, int64_t key)
{
    return db_run(scope->db, &scope->error,
                  "UPDATE runs SET purged_at = $2 WHERE key = $1 AND purged_at IS NULL",
                  db_int(key), db_int(time_now_ms()));
}

/* Traces that name it go on without. */
static bool unlink_traces(Scope *scope, int64_t key, int64_t *rows)
{
    static const char sql[] =
        "DELETE FROM trace_runs WHERE run_id = (SELECT id FROM runs WHERE key = $1)"
        "   AND trace_key IN (SELECT trace_key FROM trace_runs"
        "         WHERE run_id = (SELECT id FROM runs WHERE key = $1) LIMIT $2)";

    if (*rows <= 0)
        return true;
    if (!db_run(scope->db, &scope->error, sql, db_int(key), db_int(*rows)))
        return false;
    *rows -= db_changes(scope->db);
    return true;
}

bool run_purge(Scope *scope, int64_t key, int64_t *rows, bool *is_gone)
{
    if (!purge_tables(scope, run_purge_tables, key, rows) || !unlink_traces(scope, key, rows))
        return false;
    *is_gone = *rows > 0;
    return *is_gone ? remove_run(scope, key) : begin_run(scope, key);
}

/* ---- logged models ---- */

/* All files below the path, which is one or a folder. */
static bool purge_files(Scope *scope, const char *path, int64_t *rows)
{
    static const char sql[] = "DELETE FROM artifact_files WHERE path IN"
                              " (SELECT path FROM artifact_files"
                              "   WHERE path >= $1 AND path < $2 LIMIT $3)"
                              "RETURNING experiment_id, size";
    int64_t count;

    if (*rows <= 0)
        return true;

    CLEANUP(query_finalize)
    Query query = db_query(scope->db, sql, db_text(arena_format(scope->arena, "%s/", path)),
                           db_text(arena_format(scope->arena, "%s0", path)), db_int(*rows));

    if (!workspace_release(scope, &query, &count))
        return false;
    *rows -= count;
    return true;
}

/* It may have been deleted with its experiment alone, which somebody may restore now. */
static bool begin_model(Scope *scope, int64_t key)
{
    return db_run(scope->db, &scope->error,
                  "UPDATE logged_models SET deleted_at = $2 WHERE key = $1 AND deleted_at IS NULL",
                  db_int(key), db_int(time_now_ms()));
}

static const char *files_of_model(Scope *scope, int64_t key)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, "SELECT id FROM logged_models WHERE key = $1", db_int(key));
    LoggedModel model;

    if (!query_next(&query) ||
        !logged_model_find_deleted(scope, query_text(&query, 0, scope->arena), &model))
        return NULL;
    return artifact_path_of_uri(model.artifact_uri, scope->arena);
}

bool logged_model_purge(Scope *scope, int64_t key, int64_t *rows, bool *is_gone)
{
    const char *path = files_of_model(scope, key);

    if (scope->error.kind || (path && !purge_files(scope, path, rows)) ||
        !purge_tables(scope, logged_model_purge_tables, key, rows))
        return false;
    *is_gone = *rows > 0;
    return *is_gone ? db_run(scope->db, &scope->error, "DELETE FROM logged_models WHERE key = $1",
                             db_int(key))
                    : begin_model(scope, key);
}

/* ---- experiments ---- */

/* Whether another one has its place inside of where this one has its files. */
static bool has_tenant(Scope *scope, int64_t id, const char *path, bool *has)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT artifact_location FROM experiments"
                           " WHERE artifact_location IS NOT NULL AND id <> $1",
                           db_int(id));
    size_t length = strlen(path);

    *has = false;
    while (query_next(&query)) {
        const char *other = artifact_path_of_uri(query_text(&query, 0, scope->arena), scope->arena);

        *has |= other && strncmp(other, path, length) == 0 && strchr("/", other[length]);
    }
    return query_end(&query, &scope->error);
}

/* Where it has a location of its own, others may have the same. */
static bool purge_files_of_experiment(Scope *scope, const Experiment *experiment, int64_t *rows)
{
    const char *path = arena_format(scope->arena, "%" PRId64, experiment->id);
    const char *usual = experiment_location(experiment->id, NULL, scope->arena);
    bool has;

    if (!text_equal(experiment->artifact_location, usual))
        return true;
    if (!has_tenant(scope, experiment->id, path, &has))
        return false;
    return has || purge_files(scope, path, rows);
}

/* The next trace, with where its files are; key 0: there is none. */
static bool next_trace(Scope *scope, const Experiment *experiment, int64_t *key, const char **path)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, "SELECT key, id FROM traces WHERE experiment_id = $1 LIMIT 1",
                           db_int(experiment->id));

    *key = 0;
    if (query_next(&query)) {
        *key = query_int(&query, 0);
        *path = artifact_path_of_uri(arena_format(scope->arena, "%s/traces/%s/artifacts",
                                                  experiment->artifact_location,
                                                  query_text(&query, 1, scope->arena)),
                                     scope->arena);
    }
    return query_end(&query, &scope->error);
}

static bool purge_traces(Scope *scope, const Experiment *experiment, int64_t *rows)
{
    const char *path = NULL;

    for (int64_t key = 1; *rows > 0;) {
        if (!next_trace(scope, experiment, &key, &path))
            return false;
        if (!key)
            return true;
        if ((path && !purge_files(scope, path, rows)) ||
            !purge_tables(scope, trace_purge_tables, key, rows))
            return false;
        if (*rows > 0 &&
            !db_run(scope->db, &scope->error, "DELETE FROM traces WHERE key = $1", db_int(key)))
            return false;
        *rows -= ROWS_PER_TRACE;
    }
    return true;
}

static bool purge_rows_of_experiment(Scope *scope, int64_t id, int64_t *rows)
{
    static const char *const steps[] = {
        "DELETE FROM experiment_tags WHERE experiment_id = $1 AND key IN"
        " (SELECT key FROM experiment_tags WHERE experiment_id = $1 LIMIT $2)",
        "DELETE FROM logged_datasets WHERE key IN"
        " (SELECT key FROM logged_datasets WHERE experiment_id = $1 LIMIT $2)",
    };

    for (size_t i = 0; i < COUNT(steps) && *rows > 0; i++) {
        if (!db_run(scope->db, &scope->error, steps[i], db_int(id), db_int(*rows)))
            return false;
        *rows -= db_changes(scope->db);
    }
    return true;
}

/* Files of it that stay, where others have theirs too, stay counted. */
static bool end_experiment(Scope *scope, int64_t id)
{
    return db_run(scope->db, &scope->error,
                  "DELETE FROM experiment_shares WHERE experiment_id = $1 AND artifact_bytes = 0",
                  db_int(id)) &&
           db_run(scope->db, &scope->error, "DELETE FROM experiments WHERE id = $1", db_int(id)) &&
           remember_id(scope, "experiment", id);
}

static bool begin_experiment(Scope *scope, int64_t id)
{
    return db_run(scope->db, &scope->error,
                  "UPDATE experiments SET purged_at = $2 WHERE id = $1 AND purged_at IS NULL",
                  db_int(id), db_int(time_now_ms()));
}

bool experiment_purge(Scope *scope, int64_t id, int64_t *rows, bool *is_gone)
{
    Experiment experiment;

    if (!experiment_find(scope, id, &experiment) || !purge_traces(scope, &experiment, rows) ||
        !purge_files_of_experiment(scope, &experiment, rows) ||
        !purge_rows_of_experiment(scope, id, rows))
        return false;
    *is_gone = *rows > 0;
    return *is_gone ? end_experiment(scope, id) : begin_experiment(scope, id);
}

bool logged_dataset_purge(Scope *scope, int64_t key, int64_t *rows, bool *is_gone)
{
    (*rows)--;
    *is_gone = true;
    return db_run(scope->db, &scope->error, "DELETE FROM logged_datasets WHERE key = $1",
                  db_int(key));
}
