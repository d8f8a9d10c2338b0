#include "transfer/folder_writer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/number.h"

struct FolderWriter {
    Arena *arena; /* lives as long as it does */
    Arena *turn;  /* of one item */
    TransferSource *source;
    const char *root;       /* an absolute path */
    TextList deleted;       /* ids of experiments, which are in .trash */
    TextList model_folders; /* of logged models */
    Arena *run_arena;       /* of the next two: the run that came last */
    const char *run_id, *run;
    FolderCounts counts;
    void (*tell)(void *context, const char *what, const char *why);
    void *context;
};

/* ---- files of a few lines ---- */

/* A map of "key: value" lines; a JSON text is a YAML text. */
typedef struct Meta {
    Arena *arena;
    TextBuilder lines;
} Meta;

static void meta_raw(Meta *meta, const char *key, const char *value)
{
    text_append_format(&meta->lines, "%s: %s\n", key, value);
}

static const char *quoted(const char *text, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_text(json, NULL, text);
    return json_finish(json);
}

static void meta_text_line(Meta *meta, const char *key, const char *text)
{
    meta_raw(meta, key, text ? quoted(text, meta->arena) : "null");
}

static void meta_int_line(Meta *meta, const char *key, int64_t number)
{
    meta_raw(meta, key, number ? arena_format(meta->arena, "%" PRId64, number) : "null");
}

/* Members of an object, as they are; those that it lacks are null. */
static void meta_members(Meta *meta, const JsonValue *object, const char *const names[],
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const JsonValue *value = json_member(object, names[i]);

        meta_raw(meta, names[i], json_is_null(value) ? "null" : json_print(value, meta->arena));
    }
}

static bool write_text(FolderWriter *writer, const char *folder, const char *name, const char *text,
                       Error *error)
{
    const char *path = arena_format(writer->turn, "%s/%s", folder, name);
    FILE *file;
    bool done;

    if (!path_is_inside(name))
        return fail(error, ERROR_INVALID, "\"%.200s\" cannot be the name of a file", name);
    if (!folder_make(path_folder(path, writer->turn), error))
        return false;
    file = fopen(path, "we");
    if (!file)
        return fail_errno(error, "write", path);
    done = fputs(text, file) >= 0;
    done = fclose(file) == 0 && done;
    return done || fail_errno(error, "write", path);
}

static bool write_meta(FolderWriter *writer, const char *folder, Meta *meta, Error *error)
{
    return write_text(writer, folder, "meta.yaml", text_built(&meta->lines), error);
}

/* A file for each of [{"key", "value"}]; one whose name cannot be that of a file is told. */
static bool write_pairs(FolderWriter *writer, const char *folder, const JsonValue *pairs,
                        Error *error)
{
    if (!folder_make(folder, error))
        return false;
    for (JsonWalk walk = json_walk(pairs); json_walk_next(&walk);) {
        const char *key = json_as_text(json_member(walk.value, "key"), "");
        Error reason = {0};

        if (!write_text(writer, folder, key, json_as_text(json_member(walk.value, "value"), ""),
                        &reason))
            writer->tell(writer->context, arena_format(writer->turn, "%s/%s", folder, key),
                         reason.message);
    }
    return true;
}

static const char *text_of(const JsonValue *object, const char *key)
{
    return json_as_text(json_member(object, key), NULL);
}

/* ---- experiments ---- */

static const char *folder_of(const FolderWriter *writer, const char *experiment_id)
{
    return arena_format(writer->turn, "%s/%s%s", writer->root,
                        text_list_has(&writer->deleted, experiment_id) ? ".trash/" : "",
                        experiment_id);
}

/* Where MLflow takes it to be, whether it is deleted or not. */
static const char *location_of(const FolderWriter *writer, const char *experiment_id)
{
    return arena_format(writer->turn, "%s/%s", writer->root, experiment_id);
}

/* What was with the server is in the folder now. */
static const char *moved(const FolderWriter *writer, const char *uri)
{
    static const char scheme[] = "mlflow-artifacts:/";

    return uri && text_has_prefix(uri, scheme)
               ? arena_format(writer->turn, "%s/%s", writer->root,
                              uri + strlen(scheme) + strspn(uri + strlen(scheme), "/"))
               : uri;
}

static bool is_number(const char *id)
{
    return id && *id && id[strspn(id, "0123456789")] == '\0';
}

static bool write_experiment(FolderWriter *writer, const JsonValue *experiment, Error *error)
{
    static const char *const names[] = {"creation_time", "experiment_id", "last_update_time",
                                        "lifecycle_stage", "name"};
    Meta meta = {writer->turn, {.arena = writer->turn}};
    const char *id = text_of(experiment, "experiment_id");
    const char *folder;

    if (!is_number(id))
        return fail(error, ERROR_INVALID, "an experiment has no number");
    if (text_equal(text_of(experiment, "lifecycle_stage"), "deleted"))
        text_list_add(&writer->deleted, writer->arena, arena_text(writer->arena, id));
    folder = folder_of(writer, id);
    meta_text_line(&meta, "artifact_location",
                   moved(writer, text_of(experiment, "artifact_location")));
    meta_members(&meta, experiment, names, COUNT(names));
    writer->counts.experiments++;
    return write_meta(writer, folder, &meta, error) &&
           write_pairs(writer, arena_format(writer->turn, "%s/tags", folder),
                       json_member(experiment, "tags"), error);
}

/* ---- runs ---- */

/* As MLflow numbers it. */
static const char *status_number(const char *status)
{
    static const char *const words[] = {"RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"};
    static const char *const numbers[] = {"1", "2", "3", "4", "5"};

    for (size_t i = 0; i < COUNT(words); i++)
        if (text_equal(words[i], status))
            return numbers[i];
    return numbers[0];
}

static const char *dataset_id(const JsonValue *dataset, Arena *arena)
{
    const char *named =
        arena_format(arena, "%s\n%s", text_of(dataset, "name"), text_of(dataset, "digest"));
    char digest[DIGEST_TEXT_SIZE];

    digest_bytes(named, strlen(named), digest);
    return arena_format(arena, "%.32s", digest);
}

static bool write_input(FolderWriter *writer, const char *experiment, const char *run,
                        const JsonValue *input, Error *error)
{
    static const char *const names[] = {"digest", "name",   "profile",
                                        "schema", "source", "source_type"};
    const JsonValue *dataset = json_member(input, "dataset");
    const char *id = dataset_id(dataset, writer->turn);
    Meta known = {writer->turn, {.arena = writer->turn}}, use = known;

    meta_members(&known, dataset, names, COUNT(names));
    meta_text_line(&use, "destination_id", id);
    meta_raw(&use, "destination_type", "RUN");
    meta_text_line(&use, "source_id", id);
    meta_raw(&use, "source_type", "DATASET");
    meta_raw(&use, "tags", json_count(json_member(input, "tags")) ? "" : "{}");
    for (JsonWalk walk = json_walk(json_member(input, "tags")); json_walk_next(&walk);)
        text_append_format(
            &use.lines, "  %s: %s\n", quoted(text_of(walk.value, "key"), writer->turn),
            quoted(json_as_text(json_member(walk.value, "value"), ""), writer->turn));
    return write_meta(writer, arena_format(writer->turn, "%s/datasets/%s", experiment, id), &known,
                      error) &&
           write_meta(writer, arena_format(writer->turn, "%s/inputs/%s", run, id), &use, error);
}

static bool write_model_use(FolderWriter *writer, const char *run, const char *kind,
                            const JsonValue *use, Error *error)
{
    bool is_output = strcmp(kind, "outputs") == 0;
    Meta meta = {writer->turn, {.arena = writer->turn}};
    const char *id = text_of(use, "model_id");

    if (!id || !path_is_inside(id))
        return true;
    meta_text_line(&meta, "destination_id", id);
    meta_raw(&meta, "destination_type", is_output ? "MODEL_OUTPUT" : "MODEL_INPUT");
    meta_text_line(&meta, "source_id", id);
    meta_raw(&meta, "source_type", is_output ? "RUN_OUTPUT" : "MODEL");
    if (is_output)
        meta_raw(&meta, "step",
                 arena_format(writer->turn, "%" PRId64, json_as_int(json_member(use, "step"), 0)));
    meta_raw(&meta, "tags", "{}");
    return write_meta(writer, arena_format(writer->turn, "%s/%s/%s", run, kind, id), &meta, error);
}

static bool write_given_and_taken(FolderWriter *writer, const char *experiment, const char *folder,
                                  const JsonValue *run, Error *error)
{
    const JsonValue *inputs = json_member(run, "inputs"), *outputs = json_member(run, "outputs");

    for (JsonWalk walk = json_walk(json_member(inputs, "dataset_inputs")); json_walk_next(&walk);)
        if (!write_input(writer, experiment, folder, walk.value, error))
            return false;
    for (JsonWalk walk = json_walk(json_member(inputs, "model_inputs")); json_walk_next(&walk);)
        if (!write_model_use(writer, folder, "inputs", walk.value, error))
            return false;
    for (JsonWalk walk = json_walk(json_member(outputs, "model_outputs")); json_walk_next(&walk);)
        if (!write_model_use(writer, folder, "outputs", walk.value, error))
            return false;
    return true;
}

static void put_run_meta(Meta *meta, const JsonValue *info, const char *artifacts)
{
    static const char *const names[] = {"end_time", "experiment_id", "lifecycle_stage", "run_id",
                                        "run_name", "start_time",    "user_id"};

    meta_text_line(meta, "artifact_uri", artifacts);
    meta_members(meta, info, names, COUNT(names));
    meta_raw(meta, "entry_point_name", "''");
    meta_raw(meta, "source_name", "''");
    meta_raw(meta, "source_type", "4");
    meta_raw(meta, "source_version", "''");
    meta_raw(meta, "tags", "[]");
    meta_raw(meta, "status", status_number(text_of(info, "status")));
}

static bool write_run(FolderWriter *writer, const char *experiment_id, const JsonValue *run,
                      Error *error)
{
    const JsonValue *info = json_member(run, "info"), *data = json_member(run, "data");
    Meta meta = {writer->turn, {.arena = writer->turn}};
    const char *id = text_of(info, "run_id"), *name = text_of(info, "run_name");
    const char *experiment = folder_of(writer, experiment_id);
    const char *folder = arena_format(writer->turn, "%s/%s", experiment, id);
    const char *tags = arena_format(writer->turn, "%s/tags", folder);

    if (!id || !path_is_inside(id))
        return fail(error, ERROR_INVALID, "a run has no id");
    put_run_meta(&meta, info, moved(writer, text_of(info, "artifact_uri")));
    writer->counts.runs++;
    return write_meta(writer, folder, &meta, error) &&
           folder_make(arena_format(writer->turn, "%s/metrics", folder), error) &&
           folder_make(arena_format(writer->turn, "%s/artifacts", folder), error) &&
           write_pairs(writer, arena_format(writer->turn, "%s/params", folder),
                       json_member(data, "params"), error) &&
           write_pairs(writer, tags, json_member(data, "tags"), error) &&
           (!name || write_text(writer, tags, "mlflow.runName", name, error)) &&
           write_given_and_taken(writer, experiment, folder, run, error);
}

static void put_value(FILE *file, double value)
{
    char text[NUMBER_TEXT_SIZE];

    if (isfinite(value))
        fputs(number_format(value, text), file);
    else if (isnan(value))
        fputs("nan", file);
    else
        fputs(value > 0 ? "inf" : "-inf", file);
}

static bool append_points(const char *path, const TransferPoints *points, Error *error)
{
    FILE *file = fopen(path, "ae");
    bool done;

    if (!file)
        return fail_errno(error, "write", path);
    for (size_t i = 0; i < points->count; i++) {
        fprintf(file, "%" PRId64 " ", points->items[i].timestamp);
        put_value(file, points->items[i].value);
        fprintf(file, " %" PRId64 "\n", points->items[i].step);
    }
    done = !ferror(file);
    done = fclose(file) == 0 && done;
    return done || fail_errno(error, "write", path);
}

/* The folder of a run that was written; runs come before their points and files. */
static const char *find_run(const FolderWriter *writer, const char *run_id)
{
    return writer->run && strcmp(writer->run_id, run_id) == 0 ? writer->run : NULL;
}

static bool take_points(void *context, const TransferPoints *points, Error *error)
{
    FolderWriter *writer = context;
    const char *run = find_run(writer, points->run_id);
    const char *path = arena_format(writer->turn, "%s/metrics/%s", run ? run : "", points->key);
    Error reason = {0};

    if (!run)
        return fail(error, ERROR_INVALID, "points came without their run");
    if (!path_is_inside(points->key) || !folder_make(path_folder(path, writer->turn), &reason) ||
        !append_points(path, points, &reason)) {
        writer->tell(writer->context, path,
                     *reason.message ? reason.message : "it cannot be the name of a file");
        return true;
    }
    writer->counts.points += (int64_t)points->count;
    arena_reset(writer->turn);
    return true;
}

/* ---- logged models ---- */

static const char *model_status_number(const char *status)
{
    if (text_equal(status, "LOGGED_MODEL_READY"))
        return "2";
    return text_equal(status, "LOGGED_MODEL_UPLOAD_FAILED") ? "3" : "1";
}

/* "timestamp value step run", and the data set behind it, by metric. */
static bool write_model_metric(FolderWriter *writer, const char *folder, const JsonValue *metric,
                               Error *error)
{
    Arena *arena = writer->turn;
    const char *key = json_as_text(json_member(metric, "key"), "");
    const char *path = arena_format(arena, "%s/metrics/%s", folder, key);
    const char *dataset = text_of(metric, "dataset_name");
    const JsonValue *value = json_member(metric, "value");
    FILE *file;

    if (!path_is_inside(key) || !folder_make(path_folder(path, arena), error))
        return false;
    file = fopen(path, "ae");
    if (!file)
        return fail_errno(error, "write", path);
    fprintf(file, "%" PRId64 " ", json_as_int(json_member(metric, "timestamp"), 0));
    put_value(file, json_as_double(value, NAN));
    fprintf(file, " %" PRId64 " %s", json_as_int(json_member(metric, "step"), 0),
            json_as_text(json_member(metric, "run_id"), ""));
    if (dataset)
        fprintf(file, " %s %s", dataset, text_of(metric, "dataset_digest"));
    fputs("\n", file);
    return fclose(file) == 0 || fail_errno(error, "write", path);
}

static bool write_logged_model(FolderWriter *writer, const char *experiment_id,
                               const JsonValue *model, Error *error)
{
    static const char *const names[] = {"experiment_id", "model_id",      "model_type",
                                        "name",          "source_run_id", "status_message"};
    const JsonValue *info = json_member(model, "info"), *data = json_member(model, "data");
    Meta meta = {writer->turn, {.arena = writer->turn}};
    const char *id = text_of(info, "model_id");
    const char *folder =
        arena_format(writer->turn, "%s/models/%s", folder_of(writer, experiment_id), id);

    if (!id || !path_is_inside(id))
        return fail(error, ERROR_INVALID, "a logged model has no id");
    meta_text_line(&meta, "artifact_location", moved(writer, text_of(info, "artifact_uri")));
    meta_members(&meta, info, names, COUNT(names));
    meta_int_line(&meta, "creation_timestamp",
                  json_as_int(json_member(info, "creation_timestamp_ms"), 0));
    meta_int_line(&meta, "last_updated_timestamp",
                  json_as_int(json_member(info, "last_updated_timestamp_ms"), 0));
    meta_raw(&meta, "status", model_status_number(text_of(info, "status")));
    writer->counts.logged_models++;
    if (!write_meta(writer, folder, &meta, error) ||
        !write_pairs(writer, arena_format(writer->turn, "%s/tags", folder),
                     json_member(info, "tags"), error) ||
        !write_pairs(writer, arena_format(writer->turn, "%s/params", folder),
                     json_member(data, "params"), error))
        return false;
    for (JsonWalk walk = json_walk(json_member(data, "metrics")); json_walk_next(&walk);)
        if (!write_model_metric(writer, folder, walk.value, error))
            return false;
    return true;
}

/* ---- registered models ---- */

static const char *model_folder(const FolderWriter *writer, const char *name)
{
    return arena_format(writer->turn, "%s/models/%s", writer->root, name);
}

static bool check_model_name(const char *name, Error *error)
{
    return (name && path_is_inside(name) && !strchr(name, '/')) ||
           fail(error, ERROR_INVALID, "a model has no name that can be a folder's");
}

static bool write_model(FolderWriter *writer, const JsonValue *model, Error *error)
{
    static const char *const names[] = {"creation_timestamp", "description",
                                        "last_updated_timestamp", "name"};
    Meta meta = {writer->turn, {.arena = writer->turn}};
    const char *name = text_of(model, "name");

    if (!check_model_name(name, error))
        return false;
    meta_members(&meta, model, names, COUNT(names));
    meta_raw(&meta, "aliases", json_count(json_member(model, "aliases")) ? "" : "{}");
    for (JsonWalk walk = json_walk(json_member(model, "aliases")); json_walk_next(&walk);)
        text_append_format(&meta.lines, "  %s: %s\n",
                           quoted(text_of(walk.value, "alias"), writer->turn),
                           quoted(text_of(walk.value, "version"), writer->turn));
    writer->counts.models++;
    return write_meta(writer, model_folder(writer, name), &meta, error) &&
           write_pairs(writer, arena_format(writer->turn, "%s/tags", model_folder(writer, name)),
                       json_member(model, "tags"), error);
}

static const char *storage_of(const FolderWriter *writer, const JsonValue *version)
{
    static const char prefix[] = "models:/";
    const char *source = text_of(version, "source");

    if (source && text_has_prefix(source, prefix))
        for (size_t i = 0; i < writer->model_folders.count; i++)
            if (strcmp(path_name(writer->model_folders.items[i]), source + strlen(prefix)) == 0)
                return arena_format(writer->turn, "%s/artifacts", writer->model_folders.items[i]);
    return moved(writer, source);
}

static bool write_version(FolderWriter *writer, const JsonValue *version, Error *error)
{
    static const char *const names[] = {
        "creation_timestamp", "current_stage", "description", "last_updated_timestamp",
        "model_id",           "name",          "run_id",      "run_link",
        "status_message",     "user_id"};
    Meta meta = {writer->turn, {.arena = writer->turn}};
    const char *name = text_of(version, "name"), *number = text_of(version, "version");
    const char *folder;

    if (!check_model_name(name, error))
        return false;
    if (!is_number(number))
        return fail(error, ERROR_INVALID, "a version has no number");
    folder = arena_format(writer->turn, "%s/version-%s", model_folder(writer, name), number);
    meta_members(&meta, version, names, COUNT(names));
    meta_raw(&meta, "version", number);
    meta_text_line(&meta, "status", json_as_text(json_member(version, "status"), "READY"));
    meta_text_line(&meta, "source", moved(writer, text_of(version, "source")));
    meta_text_line(&meta, "storage_location", storage_of(writer, version));
    writer->counts.versions++;
    return write_meta(writer, folder, &meta, error) &&
           write_pairs(writer, arena_format(writer->turn, "%s/tags", folder),
                       json_member(version, "tags"), error);
}

static bool write_alias(FolderWriter *writer, const JsonValue *alias, Error *error)
{
    const char *name = text_of(alias, "name");

    return check_model_name(name, error) &&
           write_text(writer, arena_format(writer->turn, "%s/aliases", model_folder(writer, name)),
                      json_as_text(json_member(alias, "alias"), ""),
                      json_as_text(json_member(alias, "version"), ""), error);
}

/* ---- all of them ---- */

static bool write_item(FolderWriter *writer, const TransferItem *item, const JsonValue *value,
                       Error *error)
{
    switch (item->kind) {
    case TRANSFER_EXPERIMENT:
        return write_experiment(writer, value, error);
    case TRANSFER_RUN:
        return write_run(writer, item->experiment_id, value, error);
    case TRANSFER_LOGGED_MODEL:
        return write_logged_model(writer, item->experiment_id, value, error);
    case TRANSFER_MODEL:
        return write_model(writer, value, error);
    case TRANSFER_VERSION:
        return write_version(writer, value, error);
    default:
        return write_alias(writer, value, error);
    }
}

/* Points and files that follow are of this one. */
static void remember(FolderWriter *writer, const TransferItem *item, const JsonValue *value)
{
    const JsonValue *info = json_member(value, "info");

    if (item->kind == TRANSFER_RUN) {
        arena_reset(writer->run_arena);
        writer->run_id = arena_text(writer->run_arena, text_of(info, "run_id"));
        writer->run = arena_format(writer->run_arena, "%s/%s",
                                   folder_of(writer, item->experiment_id), writer->run_id);
    }
    if (item->kind == TRANSFER_LOGGED_MODEL)
        text_list_add(&writer->model_folders, writer->arena,
                      arena_format(writer->arena, "%s/models/%s",
                                   location_of(writer, item->experiment_id),
                                   text_of(info, "model_id")));
}

static bool take_item(void *context, const TransferItem *item, Error *error)
{
    FolderWriter *writer = context;
    const JsonValue *value;

    if (!json_parse(item->document, strlen(item->document), writer->turn, &value, error) ||
        !write_item(writer, item, value, error))
        return false;
    remember(writer, item, value);
    arena_reset(writer->turn);
    return true;
}

static void take_file(FolderWriter *writer, const char *folder, const TransferFile *file)
{
    const char *target = arena_format(writer->turn, "%s/%s", folder, file->path);
    const char *path;
    Error reason = {0};

    if (!path_is_inside(file->path) || !folder_make(path_folder(target, writer->turn), &reason) ||
        !writer->source->fetch(writer->source, file, target, &path, &reason) ||
        (strcmp(path, target) != 0 && !file_copy(path, target, &reason)))
        writer->tell(writer->context, target, reason.message);
    else
        writer->counts.files++;
}

static bool take_files(void *context, const TransferFiles *files, Error *error)
{
    FolderWriter *writer = context;
    const char *experiment = folder_of(writer, files->experiment_id);
    const char *folder =
        arena_format(writer->turn, "%s/%s%s/artifacts", experiment, files->run_id ? "" : "models/",
                     files->run_id ? files->run_id : files->model_id);

    if (files->elsewhere) {
        writer->counts.elsewhere++;
        return true;
    }
    if (!folder_make(folder, error))
        return false;
    for (size_t i = 0; i < files->count; i++)
        take_file(writer, folder, &files->items[i]);
    arena_reset(writer->turn);
    return true;
}

static void take_damage(void *context, const char *what, const char *why)
{
    FolderWriter *writer = context;

    writer->tell(writer->context, what, why);
}

TransferSink folder_writer_sink(FolderWriter *writer,
                                void (*tell)(void *context, const char *what, const char *why),
                                void *context)
{
    writer->tell = tell;
    writer->context = context;
    return (TransferSink){take_item, take_points, take_files, take_damage, writer};
}

FolderCounts folder_writer_counts(const FolderWriter *writer)
{
    return writer->counts;
}

static bool make_root(FolderWriter *writer, const char *path, Error *error)
{
    TextList names = {0};
    char *whole;

    if (!folder_make(path, error) || !folder_list(path, writer->arena, &names, error))
        return false;
    if (names.count)
        return fail(error, ERROR_CONFLICT, "the folder \"%s\" is not empty", path);
    whole = realpath(path, NULL);
    if (!whole)
        return fail_errno(error, "read", path);
    writer->root = arena_text(writer->arena, whole);
    free(whole);
    return true;
}

FolderWriter *folder_writer_open(const char *path, TransferSource *source, Error *error)
{
    FolderWriter *writer = calloc(1, sizeof(*writer));

    if (!writer)
        out_of_memory();
    writer->arena = arena_create();
    writer->turn = arena_create();
    writer->run_arena = arena_create();
    writer->source = source;
    if (make_root(writer, path, error))
        return writer;
    folder_writer_close(&writer);
    return NULL;
}

void folder_writer_close(FolderWriter **writer)
{
    if (!*writer)
        return;
    arena_destroy((*writer)->arena);
    arena_destroy((*writer)->turn);
    arena_destroy((*writer)->run_arena);
    free(*writer);
    *writer = NULL;
}
