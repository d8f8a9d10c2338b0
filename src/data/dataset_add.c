#include <inttypes.h>
#include <string.h>

#include "access/event.h"
#include "base/crash.h"
#include "base/file.h"
#include "base/time.h"
#include "base/worker.h"
#include "data/dataset_internal.h"
#include "data/expect.h"

enum { IMPORT_TIMEOUT_MS = 60 * 60 * 1000 };

/* A version on its way. */
typedef struct Addition {
    const DatasetSpec *spec;
    Tree files;
    const char *folder;
    char inputs[DIGEST_TEXT_SIZE], digest[DIGEST_TEXT_SIZE];
    const char *options;     /* JSON */
    const JsonValue *result; /* of the step */
    Artifact rows;
    DatasetVersion *version; /* what dataset_add() returns */
    bool is_new;
} Addition;

static const char *options_text(const DatasetOptions *options, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    dataset_options_write_json(json, NULL, options);
    return json_finish(json);
}

/* What the same version is known by: the names and bytes of the files in order, and the options. */
static void digest_inputs(Addition *addition, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);
    const char *text;

    addition->options = options_text(&addition->spec->options, arena);
    json_open_object(json, NULL);
    json_open_array(json, "files");
    for (size_t i = 0; i < addition->files.count; i++) {
        json_open_object(json, NULL);
        {
            json_text(json, "path", addition->files.items[i].path);
            json_text(json, "digest", addition->files.items[i].digest);
        }
        json_close(json);
    }
    json_close(json);
    json_raw(json, "options", addition->options);
    json_close(json);
    text = json_finish(json);
    digest_bytes(text, strlen(text), addition->inputs);
}

static void digest_version(Addition *addition, Arena *arena)
{
    const char *text = arena_format(arena, "{\"inputs\":\"%s\",\"columns\":%s}", addition->inputs,
                                    json_print(json_member(addition->result, "columns"), arena));

    digest_bytes(text, strlen(text), addition->digest);
}

static const char *job_text(Scope *scope, const Addition *addition, const char *rows)
{
    JsonWriter *job = json_writer_create(scope->arena);

    json_open_object(job, NULL);
    json_open_array(job, "files");
    for (size_t i = 0; i < addition->files.count; i++) {
        const TreeEntry *file = &addition->files.items[i];

        json_open_object(job, NULL);
        {
            json_text(job, "path", file->path);
            json_text(job, "file",
                      artifact_path(scope->platform->artifacts, file->digest, scope->arena));
        }
        json_close(job);
    }
    json_close(job);
    json_raw(job, "options", addition->options);
    json_text(job, "folder", addition->folder);
    json_text(job, "rows", rows);
    json_close(job);
    return json_finish(job);
}

/* What was sent hours ago, or was here before, is not taken for unused while it is read. */
static bool claim_files(Scope *scope, const Addition *addition)
{
    return tree_claim(scope->platform->artifacts, &addition->files, &scope->error) ||
           fail_in(&scope->error, "a file of the data set is gone, send it again");
}

static bool check_files(Scope *scope, const Addition *addition)
{
    TextList names = {0};

    for (size_t i = 0; i < addition->files.count; i++)
        text_list_add(&names, scope->arena, addition->files.items[i].path);
    return !addition->spec->expect ||
           expect_check_files(addition->spec->expect, &names, &scope->error);
}

/* Before a version names them. */
static bool check_rows(Scope *scope, const Addition *addition, const char *path)
{
    const ExpectRows rows = {path, addition->folder, addition->spec->expect};
    const char *ignored;

    return !rows.expect ||
           expect_check_rows(scope, &rows,
                             addition->spec->report ? addition->spec->report : &ignored);
}

static bool import(Scope *scope, Addition *addition)
{
    const char *rows = arena_format(scope->arena, "%s/rows.parquet", addition->folder);
    const WorkerSpec step = {.step = "import-data",
                             .job = job_text(scope, addition, rows),
                             .timeout_ms = IMPORT_TIMEOUT_MS};

    if (!claim_files(scope, addition) ||
        !worker_run(&step, scope->arena, &addition->result, &scope->error) ||
        !check_rows(scope, addition, rows) || !claim_files(scope, addition) ||
        !artifact_add_file(scope->platform->artifacts, rows, &addition->rows, &scope->error))
        return false;
    CRASH_POINT("data set: blobs stored, no row");
    digest_version(addition, scope->arena);
    return true;
}

/* [{"path","digest","size","rows"}] */
static const char *files_text(const Addition *addition, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);
    JsonWalk walk = json_walk(json_member(addition->result, "files"));

    json_open_array(json, NULL);
    for (size_t i = 0; i < addition->files.count && json_walk_next(&walk); i++) {
        const TreeEntry *file = &addition->files.items[i];

        json_open_object(json, NULL);
        {
            json_text(json, "path", file->path);
            json_text(json, "digest", file->digest);
            json_int(json, "size", file->size);
            json_int(json, "rows", json_as_int(json_member(walk.value, "rows"), 0));
        }
        json_close(json);
    }
    json_close(json);
    return json_finish(json);
}

/* Inside a write. */
static bool ensure_dataset(Scope *scope, const char *name, Dataset *dataset)
{
    int64_t id;
    bool is_known = db_get_int(scope->db, &scope->error, &id,
                               "SELECT id FROM datasets WHERE name = $1", db_text(name));

    if (!is_known) {
        if (scope->error.kind != ERROR_NOT_FOUND)
            return false;
        scope->error = (Error){0};
        if (!db_run(scope->db, &scope->error,
                    "INSERT INTO datasets(id, name, last_version, created_at) VALUES"
                    " ((SELECT coalesce(max(id), 0) + 1 FROM datasets), $1, 0, $2)",
                    db_text(name), db_int(time_now_ms())) ||
            !event_append(scope, "dataset.created", name, NULL))
            return false;
    }
    return dataset_find(scope, name, dataset);
}

static bool append_event(Scope *scope, const Addition *addition, int64_t number)
{
    JsonWriter *detail = json_writer_create(scope->arena);

    json_open_object(detail, NULL);
    {
        json_text(detail, "digest", addition->digest);
        json_int(detail, "row_count", json_as_int(json_member(addition->result, "row_count"), 0));
        json_int(detail, "set_aside_count",
                 json_as_int(json_member(addition->result, "set_aside_count"), 0));
        json_text(detail, "source", addition->spec->source);
    }
    json_close(detail);
    return event_append(scope, "dataset_version.created",
                        arena_format(scope->arena, "%s@%" PRId64, addition->spec->name, number),
                        json_finish(detail));
}

static bool insert_version(Scope *scope, const Addition *addition, const Dataset *dataset)
{
    static const char sql[] =
        "INSERT INTO dataset_versions"
        " (id, dataset_id, version, digest, inputs, row_count, set_aside_count, columns,"
        "  rows_digest, files, options, profile, set_aside, source, created_at, created_by)"
        " VALUES ((SELECT coalesce(max(id), 0) + 1 FROM dataset_versions),"
        "  $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    const JsonValue *result = addition->result;
    Arena *arena = scope->arena;

    return db_run(scope->db, &scope->error, sql, db_int(dataset->id),
                  db_int(dataset->latest_version + 1), db_text(addition->digest),
                  db_text(addition->inputs),
                  db_int(json_as_int(json_member(result, "row_count"), 0)),
                  db_int(json_as_int(json_member(result, "set_aside_count"), 0)),
                  db_text(json_print(json_member(result, "columns"), arena)),
                  db_text(addition->rows.digest), db_text(files_text(addition, arena)),
                  db_text(addition->options),
                  db_text(json_print(json_member(result, "profile"), arena)),
                  db_text(json_print(json_member(result, "set_aside"), arena)),
                  db_text(addition->spec->source ? addition->spec->source : ""),
                  db_int(time_now_ms()), db_text(scope->principal.name)) &&
           db_run(scope->db, &scope->error,
                  "UPDATE datasets SET last_version = last_version + 1 WHERE id = $1",
                  db_int(dataset->id));
}

/* Two may have imported the same files at once: the second finds the first's version. */
static bool register_version(Scope *scope, void *context)
{
    Addition *addition = context;
    bool is_there = false;
    Dataset dataset;

    if (!dataset_version_by_inputs(scope, addition->spec->name, addition->inputs, addition->version,
                                   &is_there))
        return false;
    addition->is_new = !is_there;
    if (is_there)
        return true;
    return ensure_dataset(scope, addition->spec->name, &dataset) &&
           insert_version(scope, addition, &dataset) &&
           append_event(scope, addition, dataset.latest_version + 1) &&
           dataset_version_find(scope, addition->spec->name, dataset.latest_version + 1,
                                addition->version);
}

bool dataset_add(Scope *scope, const DatasetSpec *spec, DatasetVersion *version, bool *is_new)
{
    CLEANUP(folder_cleanup) const char *folder = NULL;
    DatasetVersion added = {0};
    Addition addition = {.spec = spec, .version = &added};
    bool is_there = false;

    if (!name_check("name", "data set", spec->name, &scope->error) ||
        !dataset_options_check(&spec->options, &scope->error) ||
        !folder_make_temporary(scope->platform->temporary, scope->arena, &folder, &scope->error))
        return false;
    addition.folder = folder;
    if (!dataset_collect_files(scope, spec, folder, &addition.files) ||
        !check_files(scope, &addition))
        return false;
    CRASH_POINT("data set: files collected");
    digest_inputs(&addition, scope->arena);
    if (!dataset_version_by_inputs(scope, spec->name, addition.inputs, &added, &is_there))
        return false;
    if (is_there &&
        !check_rows(scope, &addition,
                    artifact_path(scope->platform->artifacts, added.rows, scope->arena)))
        return false;
    if (!is_there &&
        (!import(scope, &addition) || !scope_write(scope, register_version, &addition)))
        return false;
    *version = added;
    *is_new = addition.is_new;
    return true;
}
