/* rest_source.c: an MLflow server, or Slipway itself, by MLflow's REST. */

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "net/url.h"
#include "transfer/documents.h"

#define API "/api/2.0/mlflow"

enum { PAGE = 1000, RUNS_PAGE = 200, HISTORY_PAGE = 25000, FOLDER_DEPTH_MAX = 64 };

typedef struct RestSource {
    TransferSource source;
    RestTransport transport;
    const char *experiment; /* only this one */
    Arena *arena;           /* of the ids */
    TextList ids;           /* of the experiments */
} RestSource;

/* A reading under way; its arena is of one page or run. */
typedef struct Reading {
    RestSource *source;
    const TransferSink *sink;
    Arena *arena;
    Error *error;
} Reading;

static bool ask(const Reading *reading, const char *path, const char *body,
                const JsonValue **answer)
{
    const RestTransport *transport = &reading->source->transport;
    const RestQuestion question = {path, body, reading->arena};

    return transport->ask(transport->context, &question, answer, reading->error);
}

static const char *text_of(const JsonValue *object, const char *key)
{
    return json_as_text(json_member(object, key), NULL);
}

static bool send(const Reading *reading, TransferKind kind, const char *experiment_id,
                 const JsonValue *value)
{
    TransferItem item = {kind, experiment_id, json_print(value, reading->arena)};

    return reading->sink->item(reading->sink->context, &item, reading->error);
}

/* ---- lists in pages ---- */

typedef bool TakeOne(const Reading *reading, const JsonValue *value);

/* A list that is asked for a page at a time; each page has an arena of its own. */
typedef struct Listing {
    const char *path;
    const char *body;  /* without the last brace, for a POST; NULL: a GET, whose path has a query */
    const char *array; /* the member that holds the items */
    TakeOne *take;
} Listing;

static const char *text_of_json(const char *text, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_text(json, NULL, text);
    return json_finish(json);
}

static bool ask_page(const Reading *reading, const Listing *listing, const char *token,
                     const JsonValue **answer)
{
    Arena *arena = reading->arena;

    if (listing->body)
        return ask(reading, listing->path,
                   arena_format(arena, "%s%s%s}", listing->body, *token ? ",\"page_token\":" : "",
                                *token ? text_of_json(token, arena) : ""),
                   answer);
    return ask(reading,
               arena_format(arena, "%s%s%s", listing->path, *token ? "&page_token=" : "",
                            url_encode(arena, token)),
               NULL, answer);
}

static bool read_listing(const Reading *outer, const Listing *listing)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(arena_cleanup) Arena *tokens = arena_create();
    const Reading reading = {outer->source, outer->sink, arena, outer->error};
    const char *token = "";

    do {
        const JsonValue *answer = NULL;

        if (!ask_page(&reading, listing, token, &answer))
            return false;
        for (JsonWalk walk = json_walk(json_member(answer, listing->array)); json_walk_next(&walk);)
            if (!listing->take(&reading, walk.value))
                return false;
        token = json_as_text(json_member(answer, "next_page_token"), "");
        arena_reset(tokens);
        token = arena_text(tokens, token);
        arena_reset(arena);
    } while (*token);
    return true;
}

/* Servers that are older have no such route. */
static bool read_if_there(const Reading *reading, const Listing *listing)
{
    if (read_listing(reading, listing))
        return true;
    if (reading->error->kind != ERROR_NOT_FOUND && reading->error->kind != ERROR_METHOD)
        return false;
    *reading->error = (Error){0};
    return true;
}

/* ---- files ---- */

/* "1/<run>/artifacts" of "mlflow-artifacts:/1/<run>/artifacts" and "mlflow-artifacts://host/1/...";
 * NULL: the server does not pass these files on. */
static const char *path_of(const char *uri)
{
    static const char scheme[] = "mlflow-artifacts:";

    if (!uri || !text_has_prefix(uri, scheme))
        return NULL;
    uri += strlen(scheme);
    if (text_has_prefix(uri, "//")) {
        uri = strchr(uri + 2, '/');
        if (!uri)
            return NULL;
    }
    return *uri == '/' ? uri + 1 : uri;
}

static const char *encoded_path(const char *path, Arena *arena)
{
    TextList parts = text_split(path, '/', arena);
    TextBuilder encoded = {.arena = arena};

    for (size_t i = 0; i < parts.count; i++)
        text_append_format(&encoded, "%s%s", i ? "/" : "", url_encode(arena, parts.items[i]));
    return text_built(&encoded);
}

/* A walk through the folders of a run or model. */
typedef struct Walk {
    const Reading *reading;
    const char *root; /* in the server's tree */
    TransferFiles *files;
    unsigned depth;
} Walk;

static bool list_folder(Walk *walk, const char *inside);

static bool list_entry(Walk *walk, const char *path, const JsonValue *entry)
{
    Arena *arena = walk->reading->arena;
    const char *whole = arena_format(arena, "%s/%s", walk->root, path);

    if (!path_is_inside(path))
        return true;
    if (json_as_bool(json_member(entry, "is_dir"), false))
        return list_folder(walk, path);
    *arena_push(arena, walk->files) = (TransferFile){
        .path = path,
        .size = json_as_int(json_member(entry, "file_size"), 0),
        .place = arena_format(arena, "/api/2.0/mlflow-artifacts/artifacts/%s",
                              encoded_path(whole, arena)),
    };
    return true;
}

static bool ask_folder(const Walk *walk, const char *inside, const JsonValue **answer)
{
    Arena *arena = walk->reading->arena;
    const char *whole = *inside ? arena_format(arena, "%s/%s", walk->root, inside) : walk->root;
    const char *path = arena_format(arena, "/api/2.0/mlflow-artifacts/artifacts?path=%s",
                                    url_encode(arena, whole));

    return ask(walk->reading, path, NULL, answer);
}

static bool list_folder(Walk *walk, const char *inside)
{
    const JsonValue *answer = NULL;

    if (walk->depth == FOLDER_DEPTH_MAX)
        return fail(walk->reading->error, ERROR_INVALID, "folders of files are more than %d deep",
                    FOLDER_DEPTH_MAX);
    if (!ask_folder(walk, inside, &answer))
        return false;
    walk->depth++;
    for (JsonWalk at = json_walk(json_member(answer, "files")); json_walk_next(&at);) {
        const char *name = path_name(json_as_text(json_member(at.value, "path"), ""));
        const char *path =
            *inside ? arena_format(walk->reading->arena, "%s/%s", inside, name) : name;

        if (!list_entry(walk, path, at.value))
            return false;
    }
    walk->depth--;
    return true;
}

static bool send_files(const Reading *reading, TransferFiles *files)
{
    const char *root = path_of(files->uri);
    Walk walk = {reading, root, files, 0};

    if (!files->uri)
        return true;
    if (!root)
        files->elsewhere = "the server does not pass them on";
    else if (!list_folder(&walk, "")) {
        if (reading->error->kind != ERROR_NOT_FOUND)
            return false;
        *reading->error = (Error){0};
    }
    return reading->sink->files(reading->sink->context, files, reading->error);
}

/* ---- runs ---- */

static double value_of(const JsonValue *value)
{
    const char *text = json_as_text(value, "NaN");

    if (json_is_number(value))
        return json_as_double(value, NAN);
    if (strcmp(text, "Infinity") == 0)
        return INFINITY;
    return strcmp(text, "-Infinity") == 0 ? -INFINITY : NAN;
}

static bool take_history(const Reading *reading, const JsonValue *metrics, TransferPoints *points)
{
    TransferPoint *items = arena_array(reading->arena, TransferPoint, TRANSFER_POINTS_MAX);

    points->items = items;
    points->count = 0;
    for (JsonWalk walk = json_walk(metrics); json_walk_next(&walk);) {
        items[points->count++] = (TransferPoint){
            .timestamp = json_as_int(json_member(walk.value, "timestamp"), 0),
            .step = json_as_int(json_member(walk.value, "step"), 0),
            .value = value_of(json_member(walk.value, "value")),
        };
        if (points->count < TRANSFER_POINTS_MAX && walk.index + 1 < json_count(metrics))
            continue;
        if (!reading->sink->points(reading->sink->context, points, reading->error))
            return false;
        points->count = 0;
    }
    return true;
}

static bool read_history(const Reading *outer, const char *run_id, const char *key)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(arena_cleanup) Arena *tokens = arena_create();
    const Reading reading = {outer->source, outer->sink, arena, outer->error};
    TransferPoints points = {.run_id = run_id, .key = key};
    const char *token = "";

    do {
        const JsonValue *answer = NULL;
        const char *path = arena_format(
            arena, API "/metrics/get-history?run_id=%s&metric_key=%s&max_results=%d%s%s", run_id,
            url_encode(arena, key), HISTORY_PAGE, *token ? "&page_token=" : "",
            url_encode(arena, token));

        if (!ask(&reading, path, NULL, &answer) ||
            !take_history(&reading, json_member(answer, "metrics"), &points))
            return false;
        token = json_as_text(json_member(answer, "next_page_token"), "");
        arena_reset(tokens);
        token = arena_text(tokens, token);
        arena_reset(arena);
    } while (*token);
    return true;
}

static bool take_run(const Reading *reading, const JsonValue *run)
{
    const JsonValue *info = json_member(run, "info");
    TransferFiles files = {.run_id = text_of(info, "run_id"),
                           .experiment_id = text_of(info, "experiment_id"),
                           .uri = text_of(info, "artifact_uri")};

    if (!files.run_id || !files.experiment_id)
        return fail(reading->error, ERROR_INVALID, "the server names a run without an id");
    if (!send(reading, TRANSFER_RUN, files.experiment_id, run))
        return false;
    for (JsonWalk walk = json_walk(json_member(json_member(run, "data"), "metrics"));
         json_walk_next(&walk);)
        if (!read_history(reading, files.run_id, json_as_text(json_member(walk.value, "key"), "")))
            return false;
    return send_files(reading, &files);
}

static bool take_logged_model(const Reading *reading, const JsonValue *model)
{
    const JsonValue *info = json_member(model, "info");
    TransferFiles files = {.model_id = text_of(info, "model_id"),
                           .experiment_id = text_of(info, "experiment_id"),
                           .uri = text_of(info, "artifact_uri")};

    if (!files.model_id || !files.experiment_id)
        return fail(reading->error, ERROR_INVALID, "the server names a model without an id");
    return send(reading, TRANSFER_LOGGED_MODEL, files.experiment_id, model) &&
           send_files(reading, &files);
}

static bool take_experiment(const Reading *reading, const JsonValue *experiment)
{
    RestSource *source = reading->source;
    const char *id = text_of(experiment, "experiment_id");

    if (source->experiment && !text_equal(text_of(experiment, "name"), source->experiment))
        return true;
    if (!id)
        return fail(reading->error, ERROR_INVALID, "the server names an experiment without an id");
    text_list_add(&source->ids, source->arena, arena_text(source->arena, id));
    return send(reading, TRANSFER_EXPERIMENT, NULL, experiment);
}

static bool read_experiments(const Reading *reading)
{
    const Listing listing = {
        API "/experiments/search",
        arena_format(reading->arena, "{\"max_results\":%d,\"view_type\":\"ALL\"", PAGE),
        "experiments", take_experiment};

    reading->source->ids = (TextList){0};
    return read_listing(reading, &listing);
}

static bool read_experiment(const Reading *reading, const char *id)
{
    const char *quoted = text_of_json(id, reading->arena);
    const Listing runs = {API "/runs/search",
                          arena_format(reading->arena,
                                       "{\"experiment_ids\":[%s],\"max_results\":%d,"
                                       "\"run_view_type\":\"ALL\"",
                                       quoted, RUNS_PAGE),
                          "runs", take_run};
    const Listing models = {
        API "/logged-models/search",
        arena_format(reading->arena, "{\"experiment_ids\":[%s],\"max_results\":50", quoted),
        "models", take_logged_model};

    return read_listing(reading, &runs) && read_if_there(reading, &models);
}

/* ---- registered models ---- */

static bool take_version(const Reading *reading, const JsonValue *version)
{
    return send(reading, TRANSFER_VERSION, NULL, version);
}

static bool send_aliases(const Reading *reading, const JsonValue *model)
{
    for (JsonWalk walk = json_walk(json_member(model, "aliases")); json_walk_next(&walk);) {
        JsonWriter *json = json_writer_create(reading->arena);
        TransferItem item = {.kind = TRANSFER_ALIAS};

        json_open_object(json, NULL);
        document_text(json, "name", text_of(model, "name"));
        document_text(json, "alias", text_of(walk.value, "alias"));
        document_text(json, "version", text_of(walk.value, "version"));
        json_close(json);
        item.document = json_finish(json);
        if (!reading->sink->item(reading->sink->context, &item, reading->error))
            return false;
    }
    return true;
}

/* A name stands between quotes of a kind that it does not have. */
static bool take_model(const Reading *reading, const JsonValue *model)
{
    const char *name = text_of(model, "name");
    const char *quote = name && strchr(name, '\'') ? "\"" : "'";
    const char *filter = arena_format(reading->arena, "name=%s%s%s", quote, name, quote);
    const Listing versions = {arena_format(reading->arena,
                                           API "/model-versions/search?max_results=%d&filter=%s",
                                           PAGE, url_encode(reading->arena, filter)),
                              NULL, "model_versions", take_version};

    return name && send(reading, TRANSFER_MODEL, NULL, model) && read_listing(reading, &versions) &&
           send_aliases(reading, model);
}

static bool read_models(const Reading *reading)
{
    static const char prompts[] = "tags.`mlflow.prompt.is_prompt` = 'true'";
    const Listing models = {
        arena_format(reading->arena, API "/registered-models/search?max_results=%d", PAGE), NULL,
        "registered_models", take_model};
    const Listing others = {arena_format(reading->arena,
                                         API "/registered-models/search?max_results=%d&filter=%s",
                                         PAGE, url_encode(reading->arena, prompts)),
                            NULL, "registered_models", take_model};

    return read_listing(reading, &models) && read_listing(reading, &others);
}

/* ---- the source ---- */

static bool read_all(TransferSource *source, const TransferSink *sink, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    RestSource *own = (RestSource *)source;
    const Reading reading = {own, sink, arena, error};

    if (!read_experiments(&reading))
        return false;
    if (own->experiment && !own->ids.count)
        return fail(error, ERROR_NOT_FOUND, "experiment \"%s\" does not exist", own->experiment);
    for (size_t i = 0; i < own->ids.count; i++)
        if (!read_experiment(&reading, own->ids.items[i]))
            return false;
    return own->experiment || read_models(&reading);
}

static bool fetch(TransferSource *source, const TransferFile *file, const char *target,
                  const char **path, Error *error)
{
    const RestTransport *transport = &((RestSource *)source)->transport;

    if (!transport->download(transport->context, file->place, target, error))
        return false;
    *path = target;
    return true;
}

static void close_source(TransferSource *source)
{
    RestSource *own = (RestSource *)source;

    arena_destroy(own->arena);
    free(own);
}

TransferSource *rest_source_open(const RestSpec *spec, Error *error)
{
    RestSource *source = calloc(1, sizeof(*source));

    (void)error;
    if (!source)
        out_of_memory();
    source->arena = arena_create();
    source->source = (TransferSource){.kind = "an MLflow server",
                                      .totals = {-1, -1, -1, -1, -1},
                                      .read = read_all,
                                      .fetch = fetch,
                                      .close = close_source};
    source->transport = spec->transport;
    source->experiment = arena_text(source->arena, spec->experiment);
    return &source->source;
}
