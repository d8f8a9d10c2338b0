/* folder_source.c: MLflow's file store, an "mlruns" folder. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "transfer/documents.h"
#include "transfer/local_files.h"
#include "transfer/meta_file.h"

typedef struct FolderSource {
    TransferSource source;
    Arena *arena;
    const char *root;      /* the folder itself */
    const char *artifacts; /* where the files of runs are */
} FolderSource;

/* A reading under way; its arena is of one run, model or experiment. */
typedef struct Reading {
    FolderSource *source;
    const TransferSink *sink;
    Arena *arena;
    Error *error;
} Reading;

static void tell_damage(const Reading *reading, const char *path, const Error *reason)
{
    reading->sink->damage(reading->sink->context, path, reason->message);
}

/* NULL: it is damaged, which has been told. */
static const YamlNode *read_meta(const Reading *reading, const char *folder)
{
    const char *path = arena_format(reading->arena, "%s/meta.yaml", folder);
    const YamlNode *meta = NULL;
    Error reason = {0};

    if (meta_file_read(path, reading->arena, &meta, &reason))
        return meta;
    tell_damage(reading, path, &reason);
    return NULL;
}

/* Folders in a folder, by name; one that is not there has none. */
static TextList folders_in(const Reading *reading, const char *path)
{
    TextList names = {0}, folders = {0};
    Error ignored = {0};

    if (!folder_exists(path) || !folder_list(path, reading->arena, &names, &ignored))
        return folders;
    for (size_t i = 0; i < names.count; i++) {
        struct stat found;

        if (lstat(arena_format(reading->arena, "%s/%s", path, names.items[i]), &found) == 0 &&
            S_ISDIR(found.st_mode))
            text_list_add(&folders, reading->arena, names.items[i]);
    }
    return folders;
}

/* "member": [{"key", "value"}, ...] of the files below a folder: their paths are keys. */
static void put_pairs(const Reading *reading, JsonWriter *json, const char *member,
                      const char *folder)
{
    enum { VALUE_BYTES_MAX = 1024 * 1024 };
    Error reason = {0};
    TextList paths = {0};

    json_open_array(json, member);
    if (folder_exists(folder) && !folder_walk(folder, reading->arena, &paths, &reason))
        tell_damage(reading, folder, &reason);
    for (size_t i = 0; i < paths.count; i++) {
        const char *path = arena_format(reading->arena, "%s/%s", folder, paths.items[i]);
        const char *value;
        size_t size;

        if (file_read(path, VALUE_BYTES_MAX, reading->arena, &value, &size, &reason))
            document_pair(json, paths.items[i], value);
        else
            tell_damage(reading, path, &reason);
    }
    json_close(json);
}

static void put_texts(JsonWriter *json, const YamlNode *meta, const char *const names[],
                      size_t count)
{
    for (size_t i = 0; i < count; i++)
        document_text(json, names[i], meta_text(meta, names[i]));
}

static void put_times(JsonWriter *json, const YamlNode *meta, const char *const names[],
                      size_t count)
{
    for (size_t i = 0; i < count; i++)
        document_time(json, names[i], meta_int(meta, names[i]));
}

static bool send(const Reading *reading, TransferKind kind, const char *experiment_id,
                 JsonWriter *json)
{
    TransferItem item = {kind, experiment_id, json_finish(json)};

    return reading->sink->item(reading->sink->context, &item, reading->error);
}

static bool send_files(const Reading *reading, TransferFiles *files)
{
    return local_files_list(reading->source->artifacts, reading->arena, files, reading->error) &&
           reading->sink->files(reading->sink->context, files, reading->error);
}

/* ---- points ---- */

/* "1700000000000 0.5 3", of old ones without the step, of new ones with a data set behind it. */
static bool read_point(char *line, TransferPoint *point)
{
    char *rest = NULL;
    const char *step = NULL;

    point->timestamp = strtoll(line, &rest, 10);
    if (rest == line || *rest != ' ')
        return false;
    line = rest;
    point->value = strtod(line, &rest);
    if (rest == line || (*rest != ' ' && *rest != '\n' && *rest != '\0'))
        return false;
    step = rest;
    point->step = strtoll(step, &rest, 10);
    return true;
}

static bool is_same(const TransferPoint *a, const TransferPoint *b)
{
    return a->timestamp == b->timestamp && a->step == b->step &&
           (a->value == b->value || (isnan(a->value) && isnan(b->value)));
}

static bool send_points(const Reading *reading, TransferPoints *points)
{
    bool done =
        !points->count || reading->sink->points(reading->sink->context, points, reading->error);

    points->count = 0;
    return done;
}

static void tell_line(const Reading *reading, const char *path, size_t number)
{
    reading->sink->damage(reading->sink->context,
                          arena_format(reading->arena, "line %zu of %s", number, path),
                          "it is not \"timestamp value step\"");
}

/* MLflow writes a line twice when it logs what it logged; that is one point. */
static bool read_lines(const Reading *reading, FILE *file, const char *path, TransferPoints *points)
{
    TransferPoint *items = arena_array(reading->arena, TransferPoint, TRANSFER_POINTS_MAX);
    TransferPoint last = {.timestamp = -1};
    char line[512];

    points->items = items;
    for (size_t number = 1; fgets(line, sizeof(line), file); number++) {
        TransferPoint point = {0};

        if (*line == '\n')
            continue;
        if (!read_point(line, &point)) {
            tell_line(reading, path, number);
            continue;
        }
        if (is_same(&point, &last))
            continue;
        items[points->count++] = last = point;
        if (points->count == TRANSFER_POINTS_MAX && !send_points(reading, points))
            return false;
    }
    return send_points(reading, points);
}

static bool read_metrics(const Reading *reading, const char *folder, const char *run_id)
{
    const char *root = arena_format(reading->arena, "%s/metrics", folder);
    TextList paths = {0};

    if (!folder_exists(root))
        return true;
    if (!folder_walk(root, reading->arena, &paths, reading->error))
        return false;
    for (size_t i = 0; i < paths.count; i++) {
        TransferPoints points = {.run_id = run_id, .key = paths.items[i]};
        const char *path = arena_format(reading->arena, "%s/%s", root, paths.items[i]);
        FILE *file = fopen(path, "re");
        bool done;

        if (!file)
            return fail_errno(reading->error, "read", path);
        done = read_lines(reading, file, path, &points);
        fclose(file);
        if (!done)
            return false;
    }
    return true;
}

/* ---- runs ---- */

static void put_dataset(const Reading *reading, JsonWriter *json, const YamlNode *input,
                        const char *experiment)
{
    static const char *const names[] = {"name",   "digest", "source_type",
                                        "source", "schema", "profile"};
    const char *id = meta_text(input, "source_id");
    const YamlNode *meta =
        read_meta(reading, arena_format(reading->arena, "%s/datasets/%s", experiment, id));

    json_open_object(json, NULL);
    json_open_array(json, "tags");
    for (const YamlNode *tag = meta_first(input, "tags"); tag; tag = tag->next)
        document_pair(json, tag->key, tag->text);
    json_close(json);
    json_open_object(json, "dataset");
    put_texts(json, meta, names, COUNT(names));
    json_close(json);
    json_close(json);
}

static bool is_dataset(const YamlNode *input)
{
    const char *id = meta_text(input, "source_id");

    return text_equal(meta_text(input, "source_type"), "DATASET") && id && path_is_inside(id);
}

static void put_model(JsonWriter *json, const char *id, int64_t step)
{
    json_open_object(json, NULL);
    document_text(json, "model_id", id);
    json_int(json, "step", step);
    json_close(json);
}

static void put_inputs(const Reading *reading, JsonWriter *json, const char *folder,
                       const char *experiment)
{
    const char *root = arena_format(reading->arena, "%s/inputs", folder);
    TextList names = folders_in(reading, root);
    const YamlNode **metas = arena_array(reading->arena, const YamlNode *, names.count + 1);

    for (size_t i = 0; i < names.count; i++)
        metas[i] = read_meta(reading, arena_format(reading->arena, "%s/%s", root, names.items[i]));
    json_open_object(json, "inputs");
    json_open_array(json, "dataset_inputs");
    for (size_t i = 0; i < names.count; i++)
        if (is_dataset(metas[i]))
            put_dataset(reading, json, metas[i], experiment);
    json_close(json);
    json_open_array(json, "model_inputs");
    for (size_t i = 0; i < names.count; i++)
        if (text_equal(meta_text(metas[i], "source_type"), "MODEL"))
            put_model(json, meta_text(metas[i], "source_id"), 0);
    json_close(json);
    json_close(json);
}

static void put_outputs(const Reading *reading, JsonWriter *json, const char *folder)
{
    const char *root = arena_format(reading->arena, "%s/outputs", folder);
    TextList names = folders_in(reading, root);

    json_open_object(json, "outputs");
    json_open_array(json, "model_outputs");
    for (size_t i = 0; i < names.count; i++) {
        const YamlNode *meta =
            read_meta(reading, arena_format(reading->arena, "%s/%s", root, names.items[i]));

        if (meta)
            put_model(json, meta_text(meta, "destination_id"), meta_int(meta, "step"));
    }
    json_close(json);
    json_close(json);
}

static void put_run_info(JsonWriter *json, const YamlNode *meta, const char *id)
{
    static const char *const texts[] = {"experiment_id", "run_name", "user_id", "lifecycle_stage",
                                        "artifact_uri"};
    static const char *const times[] = {"start_time", "end_time", "deleted_time"};

    json_open_object(json, "info");
    document_text(json, "run_id", id);
    put_texts(json, meta, texts, COUNT(texts));
    put_times(json, meta, times, COUNT(times));
    document_text(json, "status", document_run_status(meta_text(meta, "status")));
    json_close(json);
}

static bool read_run(const Reading *reading, const char *experiment, const char *experiment_id,
                     const char *name)
{
    Arena *arena = reading->arena;
    const char *folder = arena_format(arena, "%s/%s", experiment, name);
    const YamlNode *meta = read_meta(reading, folder);
    TransferFiles files = {.experiment_id = experiment_id};
    JsonWriter *json = json_writer_create(arena);

    if (!meta)
        return true;
    files.run_id = meta_text(meta, "run_id") ? meta_text(meta, "run_id") : name;
    files.uri = meta_text(meta, "artifact_uri");
    json_open_object(json, NULL);
    put_run_info(json, meta, files.run_id);
    json_open_object(json, "data");
    put_pairs(reading, json, "params", arena_format(arena, "%s/params", folder));
    put_pairs(reading, json, "tags", arena_format(arena, "%s/tags", folder));
    json_close(json);
    put_inputs(reading, json, folder, experiment);
    put_outputs(reading, json, folder);
    json_close(json);
    return send(reading, TRANSFER_RUN, experiment_id, json) &&
           read_metrics(reading, folder, files.run_id) && send_files(reading, &files);
}

/* ---- logged models ---- */

/* "timestamp value step run", and the data set's name and digest behind it. */
static void put_model_line(JsonWriter *json, const char *key, char *line, Arena *arena)
{
    TextList parts = text_split(text_trim(line, arena), ' ', arena);
    TransferPoint point = {0};

    if ((parts.count != 4 && parts.count != 6) || !read_point(line, &point))
        return;
    json_open_object(json, NULL);
    document_text(json, "key", key);
    document_value(json, "value", point.value);
    json_int(json, "timestamp", point.timestamp);
    json_int(json, "step", point.step);
    document_text(json, "run_id", parts.items[3]);
    if (parts.count == 6) {
        document_text(json, "dataset_name", parts.items[4]);
        document_text(json, "dataset_digest", parts.items[5]);
    }
    json_close(json);
}

static void put_model_metrics(const Reading *reading, JsonWriter *json, const char *root)
{
    Error reason = {0};
    TextList paths = {0};

    json_open_array(json, "metrics");
    if (folder_exists(root) && !folder_walk(root, reading->arena, &paths, &reason))
        tell_damage(reading, root, &reason);
    for (size_t i = 0; i < paths.count; i++) {
        FILE *file = fopen(arena_format(reading->arena, "%s/%s", root, paths.items[i]), "re");
        char line[1024];

        while (file && fgets(line, sizeof(line), file))
            put_model_line(json, paths.items[i], line, reading->arena);
        if (file)
            fclose(file);
    }
    json_close(json);
}

static void put_model_info(const Reading *reading, JsonWriter *json, const YamlNode *meta,
                           const char *folder)
{
    static const char *const texts[] = {"model_id",        "experiment_id", "name",
                                        "lifecycle_stage", "model_type",    "source_run_id"};
    static const char *const times[] = {"creation_timestamp", "last_updated_timestamp"};

    json_open_object(json, "info");
    put_texts(json, meta, texts, COUNT(texts));
    document_time(json, "creation_timestamp_ms", meta_int(meta, times[0]));
    document_time(json, "last_updated_timestamp_ms", meta_int(meta, times[1]));
    json_text(json, "status", document_model_status(meta_int(meta, "status")));
    document_text(json, "artifact_uri", meta_text(meta, "artifact_location"));
    put_pairs(reading, json, "tags", arena_format(reading->arena, "%s/tags", folder));
    json_close(json);
}

static bool read_logged_model(const Reading *reading, const char *experiment,
                              const char *experiment_id, const char *name)
{
    Arena *arena = reading->arena;
    const char *folder = arena_format(arena, "%s/models/%s", experiment, name);
    const YamlNode *meta = read_meta(reading, folder);
    TransferFiles files = {.model_id = name, .experiment_id = experiment_id};
    JsonWriter *json = json_writer_create(arena);

    if (!meta)
        return true;
    files.uri = meta_text(meta, "artifact_location");
    json_open_object(json, NULL);
    put_model_info(reading, json, meta, folder);
    json_open_object(json, "data");
    put_pairs(reading, json, "params", arena_format(arena, "%s/params", folder));
    put_model_metrics(reading, json, arena_format(arena, "%s/metrics", folder));
    json_close(json);
    json_close(json);
    return send(reading, TRANSFER_LOGGED_MODEL, experiment_id, json) && send_files(reading, &files);
}

/* ---- experiments ---- */

static bool has_meta(const Reading *reading, const char *folder)
{
    return file_exists(arena_format(reading->arena, "%s/meta.yaml", folder));
}

static bool send_experiment(const Reading *reading, const char *folder, const YamlNode *meta)
{
    static const char *const texts[] = {"experiment_id", "name", "artifact_location",
                                        "lifecycle_stage"};
    static const char *const times[] = {"creation_time", "last_update_time"};
    JsonWriter *json = json_writer_create(reading->arena);

    json_open_object(json, NULL);
    put_texts(json, meta, texts, COUNT(texts));
    put_times(json, meta, times, COUNT(times));
    put_pairs(reading, json, "tags", arena_format(reading->arena, "%s/tags", folder));
    json_close(json);
    return send(reading, TRANSFER_EXPERIMENT, NULL, json);
}

typedef bool ReadPart(const Reading *reading, const char *experiment, const char *experiment_id,
                      const char *name);

/* Each has an arena of its own. */
static bool read_parts(const Reading *outer, const char *experiment, const char *experiment_id,
                       const TextList *names, ReadPart *read)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const Reading reading = {outer->source, outer->sink, arena, outer->error};

    for (size_t i = 0; i < names->count; i++) {
        if (!read(&reading, experiment, experiment_id, names->items[i]))
            return false;
        arena_reset(arena);
    }
    return true;
}

static TextList runs_of(const Reading *reading, const char *folder)
{
    static const char *const others[] = {"tags", "datasets", "models", "traces", "assessments"};
    TextList names = folders_in(reading, folder), runs = {0};

    for (size_t i = 0; i < names.count; i++) {
        bool is_other = false;

        for (size_t j = 0; j < COUNT(others); j++)
            is_other = is_other || strcmp(names.items[i], others[j]) == 0;
        if (!is_other)
            text_list_add(&runs, reading->arena, names.items[i]);
    }
    return runs;
}

static bool read_experiment(const Reading *reading, const char *folder)
{
    const YamlNode *meta = read_meta(reading, folder);
    TextList runs, models;
    const char *id;

    if (!meta)
        return true;
    id = meta_text(meta, "experiment_id");
    if (!id)
        id = path_name(folder);
    runs = runs_of(reading, folder);
    models = folders_in(reading, arena_format(reading->arena, "%s/models", folder));
    return send_experiment(reading, folder, meta) &&
           read_parts(reading, folder, id, &runs, read_run) &&
           read_parts(reading, folder, id, &models, read_logged_model);
}

static bool read_experiments(const Reading *reading, const char *root)
{
    TextList names = folders_in(reading, root);

    for (size_t i = 0; i < names.count; i++) {
        const char *folder = arena_format(reading->arena, "%s/%s", root, names.items[i]);

        if (has_meta(reading, folder) && !read_experiment(reading, folder))
            return false;
    }
    return true;
}

/* ---- registered models ---- */

static bool send_model(const Reading *reading, const char *folder, const YamlNode *meta)
{
    static const char *const texts[] = {"name", "description"};
    static const char *const times[] = {"creation_timestamp", "last_updated_timestamp"};
    JsonWriter *json = json_writer_create(reading->arena);

    json_open_object(json, NULL);
    put_texts(json, meta, texts, COUNT(texts));
    put_times(json, meta, times, COUNT(times));
    put_pairs(reading, json, "tags", arena_format(reading->arena, "%s/tags", folder));
    json_close(json);
    return send(reading, TRANSFER_MODEL, NULL, json);
}

static bool send_version(const Reading *reading, const char *folder)
{
    static const char *const texts[] = {"name",   "version",  "description",     "user_id",
                                        "source", "run_id",   "run_link",        "current_stage",
                                        "status", "model_id", "storage_location"};
    static const char *const times[] = {"creation_timestamp", "last_updated_timestamp"};
    const YamlNode *meta = read_meta(reading, folder);
    JsonWriter *json = json_writer_create(reading->arena);

    if (!meta || text_equal(meta_text(meta, "current_stage"), "Deleted_Internal"))
        return true;
    json_open_object(json, NULL);
    put_texts(json, meta, texts, COUNT(texts));
    put_times(json, meta, times, COUNT(times));
    put_pairs(reading, json, "tags", arena_format(reading->arena, "%s/tags", folder));
    json_close(json);
    return send(reading, TRANSFER_VERSION, NULL, json);
}

static bool send_alias(const Reading *reading, const char *model, const char *alias,
                       const char *version)
{
    JsonWriter *json = json_writer_create(reading->arena);

    json_open_object(json, NULL);
    document_text(json, "name", model);
    document_text(json, "alias", alias);
    document_text(json, "version", text_trim(version, reading->arena));
    json_close(json);
    return send(reading, TRANSFER_ALIAS, NULL, json);
}

static bool send_aliases(const Reading *reading, const char *folder, const char *model)
{
    enum { ALIAS_BYTES_MAX = 64 };
    const char *root = arena_format(reading->arena, "%s/aliases", folder);
    TextList names = {0};
    Error reason = {0};

    if (!folder_exists(root))
        return true;
    if (!folder_walk(root, reading->arena, &names, reading->error))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        const char *path = arena_format(reading->arena, "%s/%s", root, names.items[i]);
        const char *version;
        size_t size;

        if (!file_read(path, ALIAS_BYTES_MAX, reading->arena, &version, &size, &reason))
            tell_damage(reading, path, &reason);
        else if (!send_alias(reading, model, names.items[i], version))
            return false;
    }
    return true;
}

static bool read_model(const Reading *reading, const char *folder)
{
    const YamlNode *meta = read_meta(reading, folder);
    TextList names;

    if (!meta)
        return true;
    names = folders_in(reading, folder);
    if (!send_model(reading, folder, meta))
        return false;
    for (size_t i = 0; i < names.count; i++)
        if (text_has_prefix(names.items[i], "version-") &&
            !send_version(reading, arena_format(reading->arena, "%s/%s", folder, names.items[i])))
            return false;
    return send_aliases(reading, folder, meta_text(meta, "name"));
}

static bool read_models(const Reading *reading)
{
    const char *root = arena_format(reading->arena, "%s/models", reading->source->root);
    TextList names = folders_in(reading, root);

    for (size_t i = 0; i < names.count; i++) {
        const char *folder = arena_format(reading->arena, "%s/%s", root, names.items[i]);

        if (has_meta(reading, folder) && !read_model(reading, folder))
            return false;
    }
    return true;
}

/* ---- the source ---- */

static bool read_all(TransferSource *source, const TransferSink *sink, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    FolderSource *own = (FolderSource *)source;
    const Reading reading = {own, sink, arena, error};

    return read_experiments(&reading, own->root) &&
           read_experiments(&reading, arena_format(arena, "%s/.trash", own->root)) &&
           read_models(&reading);
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
    FolderSource *own = (FolderSource *)source;

    arena_destroy(own->arena);
    free(own);
}

/* Experiments, or at least a registered model. */
static bool is_store(const FolderSource *source)
{
    const Reading reading = {.arena = source->arena};
    TextList names = folders_in(&reading, source->root);

    for (size_t i = 0; i < names.count; i++) {
        const char *folder = arena_format(source->arena, "%s/%s", source->root, names.items[i]);

        if (has_meta(&reading, folder))
            return true;
    }
    return folder_exists(arena_format(source->arena, "%s/models", source->root));
}

TransferSource *folder_source_open(const SourceSpec *spec, Error *error)
{
    FolderSource *source = calloc(1, sizeof(*source));

    if (!source)
        out_of_memory();
    source->arena = arena_create();
    source->source = (TransferSource){.kind = "an MLflow folder",
                                      .totals = {-1, -1, -1, -1, -1},
                                      .read = read_all,
                                      .fetch = fetch,
                                      .close = close_source};
    source->root = arena_text(source->arena, spec->path);
    source->artifacts = spec->artifacts ? arena_text(source->arena, spec->artifacts) : source->root;
    if (is_store(source))
        return &source->source;
    error_set(error, ERROR_INVALID,
              "\"%s\" is a folder, but not MLflow's: no folder in it has a file meta.yaml",
              spec->path);
    close_source(&source->source);
    return NULL;
}
