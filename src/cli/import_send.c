/* import_send.c: items are gathered, sent together, and what the answer says is counted. */

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/number.h"
#include "base/time.h"
#include "cli/import.h"

#define IMPORT_PATH "/api/v1/import"

enum {
    GATHERED_BYTES_MAX = 2 * 1024 * 1024,
    DOCUMENT_BYTES_MAX = 32 * 1024 * 1024, /* the route takes twice as much */
    GATHERED_FILES_MAX = 200,
    NOTES_MAX = 100,
    PROGRESS_MS = 200,
    UPLOAD_SECONDS_MAX = 24 * 60 * 60,
};

const char *const import_kind_names[IMPORT_KINDS] = {
    [IMPORT_EXPERIMENTS] = "experiments",
    [IMPORT_EXPERIMENT_TAGS] = "experiment_tags",
    [IMPORT_RUNS] = "runs",
    [IMPORT_PARAMS] = "params",
    [IMPORT_TAGS] = "tags",
    [IMPORT_POINTS] = "points",
    [IMPORT_DATASETS] = "datasets",
    [IMPORT_LOGGED_MODELS] = "logged_models",
    [IMPORT_MODELS] = "models",
    [IMPORT_VERSIONS] = "versions",
    [IMPORT_ALIASES] = "aliases",
    [IMPORT_FILES] = "files",
};

void import_note(Importer *importer, ImportReasonList *list, const char *what, const char *why)
{
    Arena *arena = importer->cli->arena;

    if (list->count < NOTES_MAX)
        *arena_push(arena, list) = (ImportReason){arena_text(arena, what), arena_text(arena, why)};
}

static void tell_progress(Importer *importer)
{
    const ImportTally *tallies = importer->tallies;
    const TransferTotals *totals = &importer->source->totals;
    int64_t now = time_monotonic_us() / 1000;
    Cli *cli = importer->cli;

    if (!cli->is_terminal || now - importer->told_at < PROGRESS_MS)
        return;
    importer->told_at = now;
    if (totals->runs >= 0)
        cli_progress(cli,
                     "%" PRId64 " of %" PRId64 " runs, %" PRId64 " of %" PRId64
                     " metric points, %" PRId64 " files",
                     tallies[IMPORT_RUNS].source, totals->runs, tallies[IMPORT_POINTS].source,
                     totals->points, tallies[IMPORT_FILES].source);
    else
        cli_progress(cli, "%" PRId64 " runs, %" PRId64 " metric points, %" PRId64 " files",
                     tallies[IMPORT_RUNS].source, tallies[IMPORT_POINTS].source,
                     tallies[IMPORT_FILES].source);
}

/* ---- the answer ---- */

static void take_counts(Importer *importer, const JsonValue *counts)
{
    for (size_t i = 0; i < IMPORT_KINDS; i++) {
        const JsonValue *count = json_member(counts, import_kind_names[i]);

        importer->tallies[i].imported += json_as_int(json_member(count, "imported"), 0);
        importer->tallies[i].present += json_as_int(json_member(count, "present"), 0);
    }
}

static void take_mappings(Importer *importer, const JsonValue *experiments)
{
    Arena *arena = importer->cli->arena;

    for (JsonWalk walk = json_walk(experiments); json_walk_next(&walk);) {
        const char *there = json_as_text(json_member(walk.value, "there"), "");
        const char *name = json_as_text(json_member(walk.value, "name"), "");
        int64_t id = json_as_int(json_member(walk.value, "id"), 0);

        *arena_push(arena, &importer->mappings) = (ImportMapping){arena_text(arena, there), id};
        if (!json_as_bool(json_member(walk.value, "is_new"), true))
            import_note(importer, &importer->merged, name, arena_format(arena, "%" PRId64, id));
    }
}

static void take_refusals(Importer *importer, const JsonValue *refused)
{
    for (JsonWalk walk = json_walk(refused); json_walk_next(&walk);)
        import_note(importer, &importer->refused, json_as_text(json_member(walk.value, "what"), ""),
                    json_as_text(json_member(walk.value, "why"), ""));
}

static bool post(Importer *importer, const char *path, const char *body, ClientReply *reply,
                 Error *error)
{
    const ClientCall call = {
        .method = "POST", .path = path, .body = body, .body_size = strlen(body)};

    if (!client_call(importer->cli->client, &call, importer->arena, reply, error))
        return false;
    take_counts(importer, json_member(reply->json, "counts"));
    take_mappings(importer, json_member(reply->json, "experiments"));
    take_refusals(importer, json_member(reply->json, "refused"));
    return true;
}

/* ---- files ---- */

static void write_file(JsonWriter *json, const ImportFile *file)
{
    json_open_object(json, NULL);
    {
        json_text(json, file->owner, file->owner_id);
        json_bytes(json, "path", file->file.path, strlen(file->file.path));
        json_int(json, "size", file->file.size);
        if (file->digest)
            json_text(json, "digest", file->digest);
    }
    json_close(json);
}

static bool make_temporary(Importer *importer, const char **path, Error *error)
{
    Arena *arena = importer->cli->arena;

    if (!importer->temporary && !folder_make_temporary(getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp",
                                                       arena, &importer->temporary, error))
        return false;
    *path = arena_format(importer->arena, "%s/file", importer->temporary);
    return true;
}

/* A file that cannot be fetched is left out, with the reason; it is not there, not half there. */
static bool send_file(Importer *importer, ImportFile *file, Error *error)
{
    char digest[DIGEST_TEXT_SIZE];
    const char *target, *path;
    Error reason = {0};
    ClientReply reply;

    if (!make_temporary(importer, &target, error))
        return false;
    if (!importer->source->fetch(importer->source, &file->file, target, &path, &reason) ||
        !digest_file(path, digest, &reason) || !file_size(path, &file->file.size, &reason)) {
        import_note(
            importer, &importer->refused,
            arena_format(importer->arena, "file \"%s\" of %s", file->file.path, file->owner_id),
            reason.message);
        return true;
    }
    file->digest = arena_text(importer->arena, digest);

    const ClientCall call = {
        .method = "PUT",
        .path = arena_format(importer->arena, "/api/v1/artifacts/%s", digest),
        .body_file = path,
        .content_type = "application/octet-stream",
        .timeout_seconds = UPLOAD_SECONDS_MAX,
    };
    bool done = client_call(importer->cli->client, &call, importer->arena, &reply, error);

    if (path == target)
        unlink(target);
    return done;
}

/* Those whose bytes the answer asks for. */
static bool send_wanted(Importer *importer, const JsonValue *wanted, Error *error)
{
    JsonWriter *json = json_writer_create(importer->arena);
    ClientReply reply;

    if (!json_count(wanted))
        return true;
    json_open_object(json, NULL);
    json_open_array(json, "files");
    for (JsonWalk walk = json_walk(wanted); json_walk_next(&walk);) {
        size_t index = (size_t)json_as_int(walk.value, 0);

        if (index >= importer->files.count)
            continue;
        tell_progress(importer);
        importer->files.items[index].digest = NULL;
        if (!send_file(importer, &importer->files.items[index], error))
            return false;
        if (importer->files.items[index].digest)
            write_file(json, &importer->files.items[index]);
    }
    json_close(json);
    json_close(json);
    return post(importer, IMPORT_PATH, json_finish(json), &reply, error);
}

/* Once for all runs that have their files at the same place: "s3://bucket/3". */
static void note_elsewhere(Importer *importer, const TransferFiles *files)
{
    const char *id = files->run_id ? files->run_id : files->model_id;
    const char *end = strstr(files->uri, id);
    size_t length = end ? (size_t)(end - files->uri) : strlen(files->uri);
    const char *place = arena_copy(importer->arena, files->uri, length);
    ImportReasonList *list = &importer->elsewhere;

    importer->elsewhere_count++;
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].what, place) == 0)
            return;
    import_note(importer, list, place, files->elsewhere);
}

static bool take_files(void *context, const TransferFiles *files, Error *error)
{
    Importer *importer = context;
    Arena *arena = importer->arena;

    if (files->elsewhere) {
        note_elsewhere(importer, files);
        return true;
    }
    for (size_t i = 0; i < files->count; i++) {
        ImportFile file = {
            .owner = files->run_id ? "run_id" : "model_id",
            .owner_id = arena_text(arena, files->run_id ? files->run_id : files->model_id),
            .file = {.path = arena_text(arena, files->items[i].path),
                     .size = files->items[i].size,
                     .place = arena_text(arena, files->items[i].place)},
        };

        *arena_push(arena, &importer->files) = file;
        importer->tallies[IMPORT_FILES].source++;
    }
    tell_progress(importer);
    return importer->files.count < GATHERED_FILES_MAX || import_flush(importer, error);
}

/* ---- sending ---- */

static void add_file_list(Importer *importer, TextBuilder *body)
{
    JsonWriter *json = json_writer_create(importer->arena);

    json_open_array(json, NULL);
    for (size_t i = 0; i < importer->files.count; i++)
        write_file(json, &importer->files.items[i]);
    json_close(json);
    text_append_format(body, "%s\"files\":%s", body->count > 1 ? "," : "", json_finish(json));
}

static void add_list(TextBuilder *body, ImportKind kind, const TextBuilder *list)
{
    if (!list->count)
        return;
    text_append_format(body, "%s\"%s\":[", body->count > 1 ? "," : "", import_kind_names[kind]);
    text_append_bytes(body, list->items, list->count);
    text_append(body, "]");
}

static const char *gathered_body(Importer *importer)
{
    TextBuilder body = {.arena = importer->arena};

    text_append(&body, "{");
    for (size_t i = 0; i < IMPORT_KINDS; i++)
        if (i != IMPORT_VERSIONS)
            add_list(&body, (ImportKind)i, &importer->lists[i]);
    if (importer->files.count)
        add_file_list(importer, &body);
    text_append(&body, "}");
    return text_built(&body);
}

/* Versions have a route of their own; they come after their models and before their aliases. */
static bool send_versions(Importer *importer, Error *error)
{
    TextBuilder body = {.arena = importer->arena};
    ClientReply reply;

    if (!importer->lists[IMPORT_VERSIONS].count)
        return true;
    text_append(&body, "{");
    add_list(&body, IMPORT_VERSIONS, &importer->lists[IMPORT_VERSIONS]);
    text_append(&body, "}");
    return post(importer, IMPORT_PATH "/versions", text_built(&body), &reply, error);
}

static void forget_gathered(Importer *importer)
{
    arena_reset(importer->arena);
    for (size_t i = 0; i < IMPORT_KINDS; i++)
        importer->lists[i] = (TextBuilder){.arena = importer->arena};
    importer->files = (ImportFileList){0};
    importer->gathered_bytes = 0;
}

bool import_flush(Importer *importer, Error *error)
{
    ClientReply reply;

    tell_progress(importer);
    if (!importer->gathered_bytes && !importer->files.count)
        return true;
    if (!post(importer, IMPORT_PATH, gathered_body(importer), &reply, error) ||
        !send_wanted(importer, json_member(reply.json, "wanted"), error) ||
        !send_versions(importer, error))
        return false;
    forget_gathered(importer);
    return true;
}

static TextBuilder *list_of(Importer *importer, ImportKind kind)
{
    TextBuilder *list = &importer->lists[kind];

    if (list->count)
        text_append(list, ",");
    return list;
}

static bool end_item(Importer *importer, size_t bytes, Error *error)
{
    importer->gathered_bytes += bytes;
    return importer->gathered_bytes < GATHERED_BYTES_MAX || import_flush(importer, error);
}

/* ---- points ---- */

static void append_value(TextBuilder *list, double value)
{
    char text[NUMBER_TEXT_SIZE];

    if (isfinite(value))
        text_append(list, number_format(value, text));
    else if (isnan(value))
        text_append(list, "\"NaN\"");
    else
        text_append(list, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
}

static const char *quoted(const char *text, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_bytes(json, NULL, text, strlen(text));
    return json_finish(json);
}

static bool take_points(void *context, const TransferPoints *points, Error *error)
{
    Importer *importer = context;
    TextBuilder *list = list_of(importer, IMPORT_POINTS);
    size_t before = list->count;

    importer->tallies[IMPORT_POINTS].source += (int64_t)points->count;
    text_append_format(list, "{\"run_id\":%s,\"key\":%s,\"timestamps\":[",
                       quoted(points->run_id, importer->arena),
                       quoted(points->key, importer->arena));
    for (size_t i = 0; i < points->count; i++) {
        text_append(list, i ? "," : "");
        text_append_int(list, points->items[i].timestamp);
    }
    text_append(list, "],\"steps\":[");
    for (size_t i = 0; i < points->count; i++) {
        text_append(list, i ? "," : "");
        text_append_int(list, points->items[i].step);
    }
    text_append(list, "],\"values\":[");
    for (size_t i = 0; i < points->count; i++) {
        text_append(list, i ? "," : "");
        append_value(list, points->items[i].value);
    }
    text_append(list, "]}");
    return end_item(importer, list->count - before, error);
}

/* ---- items ---- */

static bool find_mapping(const Importer *importer, const char *there, int64_t *id)
{
    for (size_t i = 0; i < importer->mappings.count; i++) {
        if (strcmp(importer->mappings.items[i].there, there) != 0)
            continue;
        *id = importer->mappings.items[i].id;
        return true;
    }
    return false;
}

static void count_run(Importer *importer, const JsonValue *run)
{
    ImportTally *tallies = importer->tallies;
    const JsonValue *data = json_member(run, "data");

    tallies[IMPORT_RUNS].source++;
    tallies[IMPORT_PARAMS].source += (int64_t)json_count(json_member(data, "params"));
    tallies[IMPORT_TAGS].source += (int64_t)json_count(json_member(data, "tags"));
    tallies[IMPORT_DATASETS].source +=
        (int64_t)json_count(json_member(json_member(run, "inputs"), "dataset_inputs"));
}

static const ImportKind kinds[] = {
    [TRANSFER_EXPERIMENT] = IMPORT_EXPERIMENTS,     [TRANSFER_RUN] = IMPORT_RUNS,
    [TRANSFER_LOGGED_MODEL] = IMPORT_LOGGED_MODELS, [TRANSFER_MODEL] = IMPORT_MODELS,
    [TRANSFER_VERSION] = IMPORT_VERSIONS,           [TRANSFER_ALIAS] = IMPORT_ALIASES,
};

static void count_item(Importer *importer, TransferKind kind, const JsonValue *value)
{
    if (kind == TRANSFER_RUN) {
        count_run(importer, value);
        return;
    }
    importer->tallies[kinds[kind]].source++;
    if (kind == TRANSFER_EXPERIMENT)
        importer->tallies[IMPORT_EXPERIMENT_TAGS].source +=
            (int64_t)json_count(json_member(value, "tags"));
}

/* A run or a logged model goes to its experiment here, which has to be known by then. */
static bool add_to_experiment(Importer *importer, const TransferItem *item, Error *error)
{
    bool is_run = item->kind == TRANSFER_RUN;
    int64_t id = 0;

    if (importer->lists[IMPORT_EXPERIMENTS].count && !import_flush(importer, error))
        return false;
    if (!find_mapping(importer, item->experiment_id, &id)) {
        import_note(
            importer, &importer->refused, is_run ? "a run" : "a logged model",
            arena_format(importer->arena, "its experiment %s is not there", item->experiment_id));
        return true;
    }

    TextBuilder *list = list_of(importer, is_run ? IMPORT_RUNS : IMPORT_LOGGED_MODELS);
    size_t before = list->count;

    text_append_format(list, "{\"experiment_id\":%" PRId64 ",\"%s\":", id,
                       is_run ? "run" : "model");
    text_append(list, item->document);
    text_append(list, "}");
    return end_item(importer, list->count - before, error);
}

/* What an item names is sent before it is gathered. */
static bool flush_before(Importer *importer, TransferKind kind, Error *error)
{
    if ((kind == TRANSFER_ALIAS && importer->lists[IMPORT_VERSIONS].count) ||
        (kind == TRANSFER_VERSION &&
         (importer->lists[IMPORT_MODELS].count || importer->files.count)))
        return import_flush(importer, error);
    return true;
}

static bool take_item(void *context, const TransferItem *item, Error *error)
{
    Importer *importer = context;
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const JsonValue *value;
    TextBuilder *list;

    if (!json_parse(item->document, strlen(item->document), arena, &value, error))
        return false;
    count_item(importer, item->kind, value);
    if (strlen(item->document) > DOCUMENT_BYTES_MAX) {
        import_note(importer, &importer->refused, import_kind_names[kinds[item->kind]],
                    "one of them has more than 32 MiB of params, tags and the like");
        return true;
    }
    if (!flush_before(importer, item->kind, error))
        return false;
    if (item->kind == TRANSFER_RUN || item->kind == TRANSFER_LOGGED_MODEL)
        return add_to_experiment(importer, item, error);
    list = list_of(importer, kinds[item->kind]);
    text_append(list, item->document);
    return end_item(importer, strlen(item->document), error);
}

static void take_damage(void *context, const char *what, const char *why)
{
    Importer *importer = context;

    importer->damage_count++;
    import_note(importer, &importer->refused, what, why);
}

TransferSink import_sink(Importer *importer)
{
    forget_gathered(importer);
    return (TransferSink){take_item, take_points, take_files, take_damage, importer};
}
