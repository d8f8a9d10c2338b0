/* sqlite_source.c: MLflow's SQLite database. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "transfer/documents.h"
#include "transfer/local_files.h"
#include "transfer/sqlite_file.h"

typedef struct SqliteSource {
    TransferSource source;
    SqliteFile *file;
    Arena *arena;
    const char *root; /* of the files; NULL: there is none */
} SqliteSource;

/* A reading under way; its arena is of one run, model or experiment. */
typedef struct Reading {
    SqliteSource *source;
    const TransferSink *sink;
    Arena *arena;
    Error *error;
} Reading;

static void put_text(JsonWriter *json, const char *key, const Rows *rows, int column)
{
    size_t size = 0;
    const char *text = rows_text(rows, column, &size);

    if (text)
        json_bytes(json, key, text, size);
}

static void put_int(JsonWriter *json, const char *key, const Rows *rows, int column)
{
    if (!rows_is_null(rows, column))
        json_int(json, key, rows_int(rows, column));
}

static const char *keep_text(const Reading *reading, const Rows *rows, int column)
{
    return arena_text(reading->arena, rows_text(rows, column, NULL));
}

/* "key": [{"key", "value"}, ...] of a table's rows. */
static bool put_pairs(const Reading *reading, JsonWriter *json, const char *member, Rows rows)
{
    json_open_array(json, member);
    while (rows_next(&rows)) {
        json_open_object(json, NULL);
        put_text(json, "key", &rows, 0);
        put_text(json, "value", &rows, 1);
        json_close(json);
    }
    json_close(json);
    rows_end(&rows);
    return rows_check(&rows, reading->error);
}

static bool send(const Reading *reading, TransferKind kind, const char *experiment_id,
                 JsonWriter *json)
{
    TransferItem item = {kind, experiment_id, json_finish(json)};

    return reading->sink->item(reading->sink->context, &item, reading->error);
}

static bool send_files(const Reading *reading, TransferFiles *files)
{
    return local_files_list(reading->source->root, reading->arena, files, reading->error) &&
           reading->sink->files(reading->sink->context, files, reading->error);
}

/* ---- experiments ---- */

static bool read_experiment(const Reading *reading, const Rows *rows)
{
    SqliteFile *file = reading->source->file;
    JsonWriter *json = json_writer_create(reading->arena);
    const char *id = keep_text(reading, rows, 0);

    json_open_object(json, NULL);
    put_text(json, "experiment_id", rows, 0);
    put_text(json, "name", rows, 1);
    put_text(json, "artifact_location", rows, 2);
    put_text(json, "lifecycle_stage", rows, 3);
    put_int(json, "creation_time", rows, 4);
    put_int(json, "last_update_time", rows, 5);
    if (!put_pairs(reading, json, "tags",
                   rows_of(file, "experiment_tags", "key, value", " WHERE experiment_id = ?1", id)))
        return false;
    json_close(json);
    return send(reading, TRANSFER_EXPERIMENT, NULL, json);
}

static bool read_experiments(const Reading *reading)
{
    CLEANUP(rows_end)
    Rows rows = rows_of(reading->source->file, "experiments",
                        "experiment_id, name, artifact_location, lifecycle_stage, creation_time,"
                        "last_update_time",
                        " ORDER BY experiment_id", NULL);

    for (; rows_next(&rows); arena_reset(reading->arena))
        if (!read_experiment(reading, &rows))
            return false;
    return rows_check(&rows, reading->error);
}

/* ---- runs ---- */

#define OF_RUN " WHERE run_uuid = ?1"

static bool read_dataset(const Reading *reading, JsonWriter *json, const char *id)
{
    CLEANUP(rows_end)
    Rows rows = rows_of(reading->source->file, "datasets",
                        "name, digest, dataset_source_type, dataset_source, dataset_schema,"
                        "dataset_profile",
                        " WHERE dataset_uuid = ?1", id);

    json_open_object(json, "dataset");
    if (rows_next(&rows)) {
        put_text(json, "name", &rows, 0);
        put_text(json, "digest", &rows, 1);
        put_text(json, "source_type", &rows, 2);
        put_text(json, "source", &rows, 3);
        put_text(json, "schema", &rows, 4);
        put_text(json, "profile", &rows, 5);
    }
    json_close(json);
    return rows_check(&rows, reading->error);
}

static bool read_inputs(const Reading *reading, JsonWriter *json, const char *run_id)
{
    SqliteFile *file = reading->source->file;
    CLEANUP(rows_end)
    Rows rows = rows_of(file, "inputs", "input_uuid, source_id",
                        " WHERE source_type = 'DATASET' AND destination_type = 'RUN'"
                        "   AND destination_id = ?1 ORDER BY input_uuid",
                        run_id);

    json_open_array(json, "dataset_inputs");
    while (rows_next(&rows)) {
        const char *input_id = keep_text(reading, &rows, 0);

        json_open_object(json, NULL);
        if (!put_pairs(
                reading, json, "tags",
                rows_of(file, "input_tags", "name, value", " WHERE input_uuid = ?1", input_id)) ||
            !read_dataset(reading, json, keep_text(reading, &rows, 1)))
            return false;
        json_close(json);
    }
    json_close(json);
    return rows_check(&rows, reading->error);
}

/* Models that a run took or gave. */
static bool read_models(const Reading *reading, JsonWriter *json, const char *member,
                        const char *tail, const char *run_id)
{
    CLEANUP(rows_end)
    Rows rows = rows_of(reading->source->file, "inputs", "destination_id, step", tail, run_id);

    json_open_array(json, member);
    while (rows_next(&rows)) {
        json_open_object(json, NULL);
        put_text(json, "model_id", &rows, 0);
        put_int(json, "step", &rows, 1);
        json_close(json);
    }
    json_close(json);
    return rows_check(&rows, reading->error);
}

static bool read_given_and_taken(const Reading *reading, JsonWriter *json, const char *run_id)
{
    json_open_object(json, "inputs");
    if (!read_inputs(reading, json, run_id) ||
        !read_models(reading, json, "model_inputs",
                     " WHERE source_type = 'RUN_INPUT' AND source_id = ?1", run_id))
        return false;
    json_close(json);
    json_open_object(json, "outputs");
    if (!read_models(reading, json, "model_outputs",
                     " WHERE source_type = 'RUN_OUTPUT' AND source_id = ?1", run_id))
        return false;
    json_close(json);
    return true;
}

static void put_run_info(const Reading *reading, JsonWriter *json, const Rows *rows)
{
    json_open_object(json, "info");
    put_text(json, "run_id", rows, 0);
    put_text(json, "experiment_id", rows, 1);
    put_text(json, "run_name", rows, 2);
    put_text(json, "user_id", rows, 3);
    document_text(json, "status", document_run_status(keep_text(reading, rows, 4)));
    put_int(json, "start_time", rows, 5);
    put_int(json, "end_time", rows, 6);
    put_int(json, "deleted_time", rows, 7);
    put_text(json, "lifecycle_stage", rows, 8);
    put_text(json, "artifact_uri", rows, 9);
    json_close(json);
}

static bool read_points(const Reading *reading, const char *run_id);

static bool read_run(const Reading *reading, const Rows *rows)
{
    SqliteFile *file = reading->source->file;
    JsonWriter *json = json_writer_create(reading->arena);
    const char *id = keep_text(reading, rows, 0);
    const char *experiment_id = keep_text(reading, rows, 1);
    TransferFiles files = {
        .run_id = id, .experiment_id = experiment_id, .uri = keep_text(reading, rows, 9)};

    json_open_object(json, NULL);
    put_run_info(reading, json, rows);
    json_open_object(json, "data");
    if (!put_pairs(reading, json, "params", rows_of(file, "params", "key, value", OF_RUN, id)) ||
        !put_pairs(reading, json, "tags", rows_of(file, "tags", "key, value", OF_RUN, id)))
        return false;
    json_close(json);
    if (!read_given_and_taken(reading, json, id))
        return false;
    json_close(json);
    return send(reading, TRANSFER_RUN, experiment_id, json) && read_points(reading, id) &&
           send_files(reading, &files);
}

static bool read_runs(const Reading *reading)
{
    CLEANUP(rows_end)
    Rows rows = rows_of(reading->source->file, "runs",
                        "run_uuid, experiment_id, name, user_id, status, start_time, end_time,"
                        "deleted_time, lifecycle_stage, artifact_uri",
                        " ORDER BY experiment_id, start_time", NULL);

    for (; rows_next(&rows); arena_reset(reading->arena))
        if (!read_run(reading, &rows))
            return false;
    return rows_check(&rows, reading->error);
}

/* ---- points ---- */

static bool send_points(const Reading *reading, TransferPoints *points)
{
    bool done =
        !points->count || reading->sink->points(reading->sink->context, points, reading->error);

    points->count = 0;
    return done;
}

/* Its text stays the same for all points of a key: it is copied once. */
static bool begin_key(const Reading *reading, TransferPoints *points, const char *key)
{
    if (points->key && strcmp(points->key, key) == 0)
        return points->count < TRANSFER_POINTS_MAX || send_points(reading, points);
    if (!send_points(reading, points))
        return false;
    points->key = arena_text(reading->arena, key);
    return true;
}

static bool read_points(const Reading *reading, const char *run_id)
{
    TransferPoint *items = arena_array(reading->arena, TransferPoint, TRANSFER_POINTS_MAX);
    TransferPoints points = {.run_id = run_id, .items = items};
    CLEANUP(rows_end)
    Rows rows = rows_of(reading->source->file, "metrics", "key, timestamp, step, value, is_nan",
                        OF_RUN " ORDER BY key, timestamp, step", run_id);

    while (rows_next(&rows)) {
        const char *key = rows_text(&rows, 0, NULL);

        if (!begin_key(reading, &points, key ? key : ""))
            return false;
        items[points.count++] = (TransferPoint){
            .timestamp = rows_int(&rows, 1),
            .step = rows_int(&rows, 2),
            .value = rows_int(&rows, 4) ? NAN : rows_double(&rows, 3),
        };
    }
    return rows_check(&rows, reading->error) && send_points(reading, &points);
}

/* ---- logged models ---- */

static bool put_model_metrics(const Reading *reading, JsonWriter *json, const char *model_id)
{
    CLEANUP(rows_end)
    Rows rows = rows_of(reading->source->file, "logged_model_metrics",
                        "metric_name, metric_value, metric_timestamp_ms, metric_step, run_id,"
                        "dataset_name, dataset_digest",
                        " WHERE model_id = ?1", model_id);

    json_open_array(json, "metrics");
    while (rows_next(&rows)) {
        json_open_object(json, NULL);
        put_text(json, "key", &rows, 0);
        document_value(json, "value", rows_is_null(&rows, 1) ? NAN : rows_double(&rows, 1));
        put_int(json, "timestamp", &rows, 2);
        put_int(json, "step", &rows, 3);
        put_text(json, "run_id", &rows, 4);
        put_text(json, "dataset_name", &rows, 5);
        put_text(json, "dataset_digest", &rows, 6);
        json_close(json);
    }
    json_close(json);
    return rows_check(&rows, reading->error);
}

static bool put_model_info(const Reading *reading, JsonWriter *json, const Rows *rows,
                           const char *id)
{
    json_open_object(json, "info");
    put_text(json, "model_id", rows, 0);
    put_text(json, "experiment_id", rows, 1);
    put_text(json, "name", rows, 2);
    put_int(json, "creation_timestamp_ms", rows, 3);
    put_int(json, "last_updated_timestamp_ms", rows, 4);
    json_text(json, "status", document_model_status(rows_int(rows, 5)));
    put_text(json, "lifecycle_stage", rows, 6);
    put_text(json, "model_type", rows, 7);
    put_text(json, "source_run_id", rows, 8);
    put_text(json, "artifact_uri", rows, 9);
    if (!put_pairs(reading, json, "tags",
                   rows_of(reading->source->file, "logged_model_tags", "tag_key, tag_value",
                           " WHERE model_id = ?1", id)))
        return false;
    json_close(json);
    return true;
}

static bool read_logged_model(const Reading *reading, const Rows *rows)
{
    JsonWriter *json = json_writer_create(reading->arena);
    const char *id = keep_text(reading, rows, 0);
    TransferFiles files = {.model_id = id,
                           .experiment_id = keep_text(reading, rows, 1),
                           .uri = keep_text(reading, rows, 9)};

    json_open_object(json, NULL);
    if (!put_model_info(reading, json, rows, id))
        return false;
    json_open_object(json, "data");
    if (!put_pairs(reading, json, "params",
                   rows_of(reading->source->file, "logged_model_params", "param_key, param_value",
                           " WHERE model_id = ?1", id)) ||
        !put_model_metrics(reading, json, id))
        return false;
    json_close(json);
    json_close(json);
    return send(reading, TRANSFER_LOGGED_MODEL, files.experiment_id, json) &&
           send_files(reading, &files);
}

static bool read_logged_models(const Reading *reading)
{
    CLEANUP(rows_end)
    Rows rows = rows_of(reading->source->file, "logged_models",
                        "model_id, experiment_id, name, creation_timestamp_ms,"
                        "last_updated_timestamp_ms, status, lifecycle_stage, model_type,"
                        "source_run_id, artifact_location",
                        " ORDER BY creation_timestamp_ms", NULL);

    for (; rows_next(&rows); arena_reset(reading->arena))
        if (!read_logged_model(reading, &rows))
            return false;
    return rows_check(&rows, reading->error);
}

/* ---- registered models ---- */

static bool read_model(const Reading *reading, const Rows *rows)
{
    JsonWriter *json = json_writer_create(reading->arena);
    const char *name = keep_text(reading, rows, 0);

    json_open_object(json, NULL);
    put_text(json, "name", rows, 0);
    put_int(json, "creation_timestamp", rows, 1);
    put_int(json, "last_updated_timestamp", rows, 2);
    put_text(json, "description", rows, 3);
    if (!put_pairs(reading, json, "tags",
                   rows_of(reading->source->file, "registered_model_tags", "key, value",
                           " WHERE name = ?1", name)))
        return false;
    json_close(json);
    return send(reading, TRANSFER_MODEL, NULL, json);
}

static bool read_all_models(const Reading *reading)
{
    CLEANUP(rows_end)
    Rows rows =
        rows_of(reading->source->file, "registered_models",
                "name, creation_time, last_updated_time, description", " ORDER BY name", NULL);

    for (; rows_next(&rows); arena_reset(reading->arena))
        if (!read_model(reading, &rows))
            return false;
    return rows_check(&rows, reading->error);
}

/* Tags are read by model and chosen by version, so that ?1 is enough. */
static bool put_version_tags(const Reading *reading, JsonWriter *json, const char *name,
                             int64_t version)
{
    CLEANUP(rows_end)
    Rows rows = rows_of(reading->source->file, "model_version_tags", "key, value, version",
                        " WHERE name = ?1", name);

    json_open_array(json, "tags");
    while (rows_next(&rows)) {
        if (rows_int(&rows, 2) != version)
            continue;
        json_open_object(json, NULL);
        put_text(json, "key", &rows, 0);
        put_text(json, "value", &rows, 1);
        json_close(json);
    }
    json_close(json);
    return rows_check(&rows, reading->error);
}

static bool read_version(const Reading *reading, const Rows *rows)
{
    static const char *const texts[] = {"description", "user_id",         "current_stage",
                                        "source",      "run_id",          "status",
                                        "run_link",    "storage_location"};
    JsonWriter *json = json_writer_create(reading->arena);

    json_open_object(json, NULL);
    put_text(json, "name", rows, 0);
    put_text(json, "version", rows, 1);
    put_int(json, "creation_timestamp", rows, 2);
    put_int(json, "last_updated_timestamp", rows, 3);
    for (size_t i = 0; i < COUNT(texts); i++)
        put_text(json, texts[i], rows, (int)i + 4);
    if (!put_version_tags(reading, json, keep_text(reading, rows, 0), rows_int(rows, 1)))
        return false;
    json_close(json);
    return send(reading, TRANSFER_VERSION, NULL, json);
}

/* MLflow keeps the row of a version that is deleted, without what it was. */
static bool read_versions(const Reading *reading)
{
    CLEANUP(rows_end)
    Rows rows = rows_of(reading->source->file, "model_versions",
                        "name, version, creation_time, last_updated_time, description, user_id,"
                        "current_stage, source, run_id, status, run_link, storage_location",
                        " WHERE coalesce(current_stage, '') <> 'Deleted_Internal'"
                        " ORDER BY name, version",
                        NULL);

    for (; rows_next(&rows); arena_reset(reading->arena))
        if (!read_version(reading, &rows))
            return false;
    return rows_check(&rows, reading->error);
}

static bool read_aliases(const Reading *reading)
{
    CLEANUP(rows_end)
    Rows rows = rows_of(reading->source->file, "registered_model_aliases", "name, alias, version",
                        " ORDER BY name, alias", NULL);

    for (; rows_next(&rows); arena_reset(reading->arena)) {
        JsonWriter *json = json_writer_create(reading->arena);

        json_open_object(json, NULL);
        put_text(json, "name", &rows, 0);
        put_text(json, "alias", &rows, 1);
        put_text(json, "version", &rows, 2);
        json_close(json);
        if (!send(reading, TRANSFER_ALIAS, NULL, json))
            return false;
    }
    return rows_check(&rows, reading->error);
}

/* ---- the source ---- */

static bool read_all(TransferSource *source, const TransferSink *sink, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const Reading reading = {(SqliteSource *)source, sink, arena, error};

    return read_experiments(&reading) && read_runs(&reading) && read_logged_models(&reading) &&
           read_all_models(&reading) && read_versions(&reading) && read_aliases(&reading);
}

static bool fetch(TransferSource *source, const TransferFile *file, const char *target,
                  const char **path, Error *error)
{
    (void)source;
    (void)target;
    (void)error;
    *path = file->place;
    return true;
}

static void close_source(TransferSource *source)
{
    SqliteSource *own = (SqliteSource *)source;

    if (own->file)
        sqlite_file_close(own->file);
    arena_destroy(own->arena);
    free(own);
}

/* Where MLflow puts the files of runs when nobody says where. */
static const char *find_root(const SqliteSource *source, const SourceSpec *spec)
{
    static const char *const names[] = {"mlartifacts", "mlruns"};
    const char *folder = path_folder(spec->path, source->arena);

    if (spec->artifacts)
        return arena_text(source->arena, spec->artifacts);
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *root = arena_format(source->arena, "%s/%s", folder, names[i]);

        if (folder_exists(root))
            return root;
    }
    return NULL;
}

static void count_all(SqliteSource *source)
{
    SqliteFile *file = source->file;

    source->source.totals = (TransferTotals){
        .experiments = sqlite_file_count(file, "experiments", ""),
        .runs = sqlite_file_count(file, "runs", ""),
        .params = sqlite_file_count(file, "params", ""),
        .tags = sqlite_file_count(file, "tags", ""),
        .points = sqlite_file_count(file, "metrics", ""),
    };
}

TransferSource *sqlite_source_open(const SourceSpec *spec, Error *error)
{
    SqliteSource *source = calloc(1, sizeof(*source));

    if (!source)
        out_of_memory();
    source->arena = arena_create();
    source->source = (TransferSource){
        .kind = "an MLflow database", .read = read_all, .fetch = fetch, .close = close_source};
    source->root = find_root(source, spec);
    source->file = sqlite_file_open(spec->path, error);
    if (source->file && (!sqlite_file_has(source->file, "experiments", NULL) ||
                         !sqlite_file_has(source->file, "runs", "run_uuid")))
        error_set(error, ERROR_INVALID,
                  "\"%s\" is a database, but not MLflow's: it has no experiments and runs",
                  spec->path);
    if (!source->file || error->kind) {
        close_source(&source->source);
        return NULL;
    }
    count_all(source);
    return &source->source;
}
