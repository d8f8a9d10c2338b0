#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/worker.h"
#include "data/dataset.h"
#include "data/dataset_internal.h"

enum { PREVIEW_TIMEOUT_MS = 60 * 1000 };

/* Every select starts with these columns, in the order from_row() reads. */
#define SELECT_VERSION                                                                             \
    "SELECT v.id, v.dataset_id, d.name, v.version, v.digest, v.row_count, v.set_aside_count,"      \
    "       v.columns, v.rows_digest, v.files, v.profile, v.options, v.set_aside, v.source,"       \
    "       v.created_at, v.created_by"                                                            \
    "  FROM dataset_versions v JOIN datasets d ON d.id = v.dataset_id"

static bool from_row(const Query *query, Arena *arena, DatasetVersion *version, Error *error)
{
    const char *columns = query_text(query, 7, arena);
    const JsonValue *array;

    if (!json_parse(columns, strlen(columns), arena, &array, error))
        return false;
    *version = (DatasetVersion){
        .id = query_int(query, 0),
        .dataset_id = query_int(query, 1),
        .dataset = query_text(query, 2, arena),
        .version = query_int(query, 3),
        .digest = query_text(query, 4, arena),
        .row_count = query_int(query, 5),
        .set_aside_count = query_int(query, 6),
        .columns = dataset_columns_read(array, arena),
        .rows = query_text(query, 8, arena),
        .files = query_text(query, 9, arena),
        .profile = query_text(query, 10, arena),
        .options = query_text(query, 11, arena),
        .set_aside = query_text(query, 12, arena),
        .source = query_text(query, 13, arena),
        .created_at = query_int(query, 14),
        .created_by = query_text(query, 15, arena),
    };
    return true;
}

bool dataset_version_find(Scope *scope, const char *name, int64_t number, DatasetVersion *version)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           SELECT_VERSION " WHERE d.name = $1 AND v.version ="
                                          " CASE WHEN $2 = 0 THEN d.last_version ELSE $2 END",
                           db_text(name), db_int(number));
    Dataset dataset;

    if (query_next(&query))
        return from_row(&query, scope->arena, version, &scope->error);
    if (!query_end(&query, &scope->error) || !dataset_find(scope, name, &dataset))
        return false;
    return fail(&scope->error, ERROR_NOT_FOUND,
                "data set \"%s\" has no version %" PRId64 "; the latest is %" PRId64, name, number,
                dataset.latest_version);
}

bool dataset_version_by_inputs(Scope *scope, const char *name, const char *inputs,
                               DatasetVersion *version, bool *found)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_VERSION " WHERE d.name = $1 AND v.inputs = $2",
                           db_text(name), db_text(inputs));

    *found = query_next(&query);
    return *found ? from_row(&query, scope->arena, version, &scope->error)
                  : query_end(&query, &scope->error);
}

bool dataset_version_list(Scope *scope, const char *name, const Page *page,
                          DatasetVersionList *list)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           SELECT_VERSION " WHERE d.name = $1 AND v.version < $2"
                                          " ORDER BY v.version DESC LIMIT $3",
                           db_text(name), db_int(page_before(page)), db_int(page_limit(page)));
    DatasetVersionList found = {0};

    while (query_next(&query))
        if (!from_row(&query, scope->arena, arena_push(scope->arena, &found), &scope->error))
            return false;
    *list = found;
    return query_end(&query, &scope->error);
}

void dataset_version_write_json(JsonWriter *json, const char *key, const DatasetVersion *version)
{
    json_open_object(json, key);
    {
        json_text(json, "name", version->dataset);
        json_int(json, "version", version->version);
        json_text(json, "digest", version->digest);
        json_int(json, "row_count", version->row_count);
        json_int(json, "set_aside_count", version->set_aside_count);
        dataset_columns_write_json(json, "columns", &version->columns);
        json_text(json, "rows", version->rows);
        json_raw(json, "files", version->files);
        json_raw(json, "options", version->options);
        json_raw(json, "set_aside", version->set_aside);
        json_text(json, "source", version->source);
        json_time(json, "created_at", version->created_at);
        json_text(json, "created_by", version->created_by);
    }
    json_close(json);
}

bool dataset_version_preview(Scope *scope, const DatasetVersion *version, int64_t offset,
                             int64_t limit, const char **rows)
{
    CLEANUP(folder_cleanup) const char *folder = NULL;
    JsonWriter *job = json_writer_create(scope->arena);
    WorkerSpec spec = {.step = "preview", .timeout_ms = PREVIEW_TIMEOUT_MS};
    const JsonValue *result;

    if (!folder_make_temporary(scope->platform->temporary, scope->arena, &folder, &scope->error))
        return false;
    json_open_object(job, NULL);
    {
        json_text(job, "rows",
                  artifact_path(scope->platform->artifacts, version->rows, scope->arena));
        json_text(job, "folder", folder);
        json_int(job, "offset", offset);
        json_int(job, "limit", limit);
    }
    json_close(job);
    spec.job = json_finish(job);
    if (!worker_run(&spec, scope->arena, &result, &scope->error))
        return false;
    *rows = json_print(json_member(result, "rows"), scope->arena);
    return true;
}

static int64_t distinct_count(const DatasetVersion *version, const DatasetColumn *column,
                              Arena *arena)
{
    const JsonValue *profile = NULL;
    Error ignored = {0};

    if (!version->profile ||
        !json_parse(version->profile, strlen(version->profile), arena, &profile, &ignored))
        return 0;
    for (JsonWalk walk = json_walk(json_member(profile, "columns")); json_walk_next(&walk);)
        if (text_equal(json_as_text(json_member(walk.value, "name"), NULL), column->name))
            return json_as_int(json_member(walk.value, "distinct"), 0);
    return 0;
}

ModelTask dataset_target_task(const DatasetVersion *version, const DatasetColumn *target,
                              Arena *arena)
{
    if (text_equal(target->type, "number"))
        return TASK_REGRESSION;
    if (text_equal(target->type, "integer") &&
        distinct_count(version, target, arena) > TARGET_CLASSES_MAX)
        return TASK_REGRESSION;
    return TASK_CLASSIFICATION;
}
