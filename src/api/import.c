/* import.c: /api/v1/import: what another MLflow store had, many items at once. */

#include <math.h>
#include <string.h>

#include "api/import.h"
#include "registry/uri.h"

enum { IMPORT_BODY_BYTES_MAX = 64 * 1024 * 1024, IMPORT_POINTS_MAX = 1024, REFUSALS_MAX = 100 };

static void refuse(void *context, const char *what, const char *why)
{
    Import *import = context;
    Arena *arena = import->scope->arena;

    import->refused++;
    if (import->refusals.count < REFUSALS_MAX)
        *arena_push(arena, &import->refusals) =
            (Refusal){arena_text(arena, what), arena_text(arena, why)};
}

/* ---- experiments ---- */

typedef struct ExperimentItem {
    const char *id, *name, *location, *stage;
    int64_t created_at, updated_at;
    const JsonValue *tags;
} ExperimentItem;

static const JsonField experiment_item[] = {
    {"experiment_id", JSON_TEXT, offsetof(ExperimentItem, id), JSON_REQUIRED, ""},
    {"name", JSON_TEXT, offsetof(ExperimentItem, name), JSON_REQUIRED, ""},
    {"artifact_location", JSON_TEXT, offsetof(ExperimentItem, location), JSON_OPTIONAL, ""},
    {"lifecycle_stage", JSON_TEXT, offsetof(ExperimentItem, stage), JSON_OPTIONAL, ""},
    {"creation_time", JSON_INT, offsetof(ExperimentItem, created_at), JSON_OPTIONAL, ""},
    {"last_update_time", JSON_INT, offsetof(ExperimentItem, updated_at), JSON_OPTIONAL, ""},
    {"tags", JSON_ARRAY, offsetof(ExperimentItem, tags), JSON_OPTIONAL, ""},
    {0},
};

bool import_is_deleted(const char *stage)
{
    return text_equal(stage, "deleted");
}

/* Files that were with the other server or on a machine are with us from now on. */
static const char *location_of(Scope *scope, const char *given)
{
    Error kept = scope->error;
    Uri uri;

    if (!given || !*given || !uri_read(scope, given, &uri)) {
        scope->error = kept;
        return NULL;
    }
    return *uri.scheme && strcmp(uri.scheme, "mlflow-artifacts") != 0 ? given : NULL;
}

static bool take_experiment(Import *import, const JsonValue *value)
{
    Scope *scope = import->scope;
    ExperimentItem item = {0};
    Experiment given = {0};
    Mapping mapping = {0};
    MovingCounts counts = {0};

    if (!mlflow_read_item(scope, value, "experiments", experiment_item, &item) ||
        !mlflow_read_experiment_id(scope, item.id, &given.id) ||
        !mlflow_read_pairs(scope, item.tags, "tags", &given.tags))
        return false;
    given.name = item.name;
    given.artifact_location = location_of(scope, item.location);
    given.is_deleted = import_is_deleted(item.stage);
    given.created_at = item.created_at;
    given.updated_at = item.updated_at ? item.updated_at : item.created_at;
    if (!experiment_import(scope, &given, &mapping.experiment, &counts))
        return false;
    mapping.there = item.id;
    mapping.is_new = counts.experiments.imported > 0;
    *arena_push(scope->arena, &import->mappings) = mapping;
    moving_add(&import->counts, &counts);
    return true;
}

/* ---- runs ---- */

typedef struct RunItem {
    int64_t experiment_id;
    const JsonValue *run;
} RunItem;

static const JsonField run_item[] = {
    {"experiment_id", JSON_INT, offsetof(RunItem, experiment_id), JSON_REQUIRED, ""},
    {"run", JSON_OBJECT, offsetof(RunItem, run), JSON_REQUIRED, ""},
    {0},
};

typedef struct RunInfo {
    const char *id, *name, *user, *status, *stage;
    int64_t started_at, ended_at, deleted_at;
} RunInfo;

static const JsonField run_info[] = {
    {"run_id", JSON_TEXT, offsetof(RunInfo, id), JSON_REQUIRED, ""},
    {"run_name", JSON_TEXT, offsetof(RunInfo, name), JSON_OPTIONAL, ""},
    {"user_id", JSON_TEXT, offsetof(RunInfo, user), JSON_OPTIONAL, ""},
    {"status", JSON_TEXT, offsetof(RunInfo, status), JSON_OPTIONAL, ""},
    {"start_time", JSON_INT, offsetof(RunInfo, started_at), JSON_OPTIONAL, ""},
    {"end_time", JSON_INT, offsetof(RunInfo, ended_at), JSON_OPTIONAL, ""},
    {"deleted_time", JSON_INT, offsetof(RunInfo, deleted_at), JSON_OPTIONAL, ""},
    {"lifecycle_stage", JSON_TEXT, offsetof(RunInfo, stage), JSON_OPTIONAL, ""},
    {0},
};

/* Old ones have no name, or only as a tag. */
static const char *name_of(Scope *scope, const RunInfo *info, const ParamList *tags)
{
    const char *name = info->name && *info->name ? info->name : param_find(tags, "mlflow.runName");

    return name && *name ? name : arena_format(scope->arena, "run-%.8s", info->id);
}

static int64_t deleted_at(const RunInfo *info)
{
    if (!import_is_deleted(info->stage))
        return 0;
    if (info->deleted_at)
        return info->deleted_at;
    return info->ended_at ? info->ended_at : info->started_at + 1;
}

static bool read_given_and_taken(Scope *scope, const JsonValue *value, Run *run)
{
    const JsonValue *inputs = json_member(value, "inputs");
    const JsonValue *outputs = json_member(value, "outputs");
    ModelOutputList taken = {0};

    if (!mlflow_read_datasets(scope, json_member(inputs, "dataset_inputs"), &run->datasets) ||
        !mlflow_read_run_models(scope, json_member(inputs, "model_inputs"), &taken) ||
        !mlflow_read_run_models(scope, json_member(outputs, "model_outputs"), &run->model_outputs))
        return false;
    for (size_t i = 0; i < taken.count; i++)
        text_list_add(&run->model_inputs, scope->arena, taken.items[i].model_id);
    return true;
}

static bool take_run(Import *import, const JsonValue *value)
{
    Scope *scope = import->scope;
    RunItem item = {0};
    RunInfo info = {.user = "", .status = ""};
    Run run = {0};
    RunMove move = {.run = &run, .refuse = refuse, .context = import};
    const JsonValue *data;

    if (!mlflow_read_item(scope, value, "runs", run_item, &item) ||
        !mlflow_read_item(scope, json_member(item.run, "info"), "info", run_info, &info))
        return false;
    data = json_member(item.run, "data");
    if (!mlflow_read_pairs(scope, json_member(data, "params"), "params", &run.params) ||
        !mlflow_read_pairs(scope, json_member(data, "tags"), "tags", &run.tags))
        return false;
    if (!read_given_and_taken(scope, item.run, &run))
        return false;
    run.id = info.id;
    run.experiment_id = item.experiment_id;
    run.name = name_of(scope, &info, &run.tags);
    run.user = info.user;
    run.started_at = info.started_at;
    run.ended_at = info.ended_at;
    if (!run_status_find(info.status, &run.status))
        run.status = info.ended_at ? RUN_FINISHED : RUN_RUNNING;
    move.deleted_at = deleted_at(&info);
    return run_import(scope, &move, &import->counts);
}

/* ---- points ---- */

typedef struct PointsItem {
    const char *run_id, *key;
    const JsonValue *timestamps, *steps, *values;
} PointsItem;

static const JsonField points_item[] = {
    {"run_id", JSON_TEXT, offsetof(PointsItem, run_id), JSON_REQUIRED, ""},
    {"key", JSON_TEXT, offsetof(PointsItem, key), JSON_REQUIRED, ""},
    {"timestamps", JSON_ARRAY, offsetof(PointsItem, timestamps), JSON_REQUIRED, ""},
    {"steps", JSON_ARRAY, offsetof(PointsItem, steps), JSON_REQUIRED, ""},
    {"values", JSON_ARRAY, offsetof(PointsItem, values), JSON_REQUIRED, ""},
    {0},
};

static double value_of(const JsonValue *value)
{
    const char *text = json_as_text(value, "NaN");

    if (json_is_number(value))
        return json_as_double(value, NAN);
    if (strcmp(text, "Infinity") == 0)
        return INFINITY;
    return strcmp(text, "-Infinity") == 0 ? -INFINITY : NAN;
}

static bool take_points(Import *import, const JsonValue *value)
{
    Scope *scope = import->scope;
    PointsItem item = {0};
    MetricList points = {0};

    if (!mlflow_read_item(scope, value, "points", points_item, &item))
        return false;

    JsonWalk times = json_walk(item.timestamps), steps = json_walk(item.steps),
             values = json_walk(item.values);
    size_t count = json_count(item.timestamps);

    if (count > IMPORT_POINTS_MAX || json_count(item.steps) != count ||
        json_count(item.values) != count)
        return fail(&scope->error, ERROR_INVALID,
                    "points have as many timestamps, steps and values, at most %d",
                    IMPORT_POINTS_MAX);
    points.items = arena_array(scope->arena, Metric, count + 1);
    while (json_walk_next(&times) && json_walk_next(&steps) && json_walk_next(&values))
        points.items[points.count++] = (Metric){
            .key = item.key,
            .timestamp = json_as_int(times.value, -1),
            .step = json_as_int(steps.value, 0),
            .value = value_of(values.value),
        };
    return run_import_points(scope, item.run_id, &points, &import->counts);
}

/* ---- files ---- */

typedef struct FileItem {
    const char *run_id, *model_id, *path, *digest;
    int64_t size;
} FileItem;

static const JsonField file_item[] = {
    {"run_id", JSON_TEXT, offsetof(FileItem, run_id), JSON_OPTIONAL, ""},
    {"model_id", JSON_TEXT, offsetof(FileItem, model_id), JSON_OPTIONAL, ""},
    {"path", JSON_TEXT, offsetof(FileItem, path), JSON_REQUIRED, ""},
    {"digest", JSON_TEXT, offsetof(FileItem, digest), JSON_OPTIONAL, ""},
    {"size", JSON_INT, offsetof(FileItem, size), JSON_REQUIRED, ""},
    {0},
};

static bool check_file(Scope *scope, const FileItem *item)
{
    if (!item->run_id == !item->model_id)
        return fail_field(&scope->error, "files", "a file has a \"run_id\" or a \"model_id\"");
    if (item->digest && !digest_is_valid(item->digest))
        return fail_field(&scope->error, "digest",
                          "a digest is 64 lowercase hexadecimal digits (SHA-256)");
    return run_check_artifact_path(scope, item->path);
}

/* Without a digest: one of the same size is taken for the same. */
static bool take_file(Import *import, const JsonValue *value)
{
    Scope *scope = import->scope;
    FileItem item = {0};
    TreeEntry entry = {0};
    Error ignored = {0};

    if (!mlflow_read_item(scope, value, "files", file_item, &item) || !check_file(scope, &item))
        return false;
    if (!item.digest && moving_has_file(scope, item.run_id, item.model_id, item.path, item.size)) {
        import->counts.files.present++;
        return true;
    }
    if (!item.digest || !artifact_claim(scope->platform->artifacts, item.digest, &ignored)) {
        *arena_push(scope->arena, &import->wanted) = import->file_at;
        return true;
    }
    entry = (TreeEntry){.path = item.path, .size = item.size};
    memcpy(entry.digest, item.digest, DIGEST_TEXT_SIZE);
    return item.run_id ? run_import_file(scope, item.run_id, &entry, &import->counts)
                       : logged_model_import_file(scope, item.model_id, &entry, &import->counts);
}

/* ---- the route ---- */

typedef struct Body {
    const JsonValue *experiments, *runs, *points, *logged_models, *models, *aliases, *files;
} Body;

static const JsonField import_body[] = {
    {"experiments", JSON_ARRAY, offsetof(Body, experiments), JSON_OPTIONAL,
     "as MLflow's experiments/get answers them"},
    {"runs", JSON_ARRAY, offsetof(Body, runs), JSON_OPTIONAL,
     "[{\"experiment_id\": 1, \"run\": as MLflow's runs/get answers it}]"},
    {"points", JSON_ARRAY, offsetof(Body, points), JSON_OPTIONAL,
     "[{\"run_id\", \"key\", \"timestamps\": [], \"steps\": [], \"values\": []}]"},
    {"logged_models", JSON_ARRAY, offsetof(Body, logged_models), JSON_OPTIONAL,
     "[{\"experiment_id\": 1, \"model\": as MLflow's logged-models/{model_id} answers it}]"},
    {"models", JSON_ARRAY, offsetof(Body, models), JSON_OPTIONAL,
     "as MLflow's registered-models/get answers them"},
    {"aliases", JSON_ARRAY, offsetof(Body, aliases), JSON_OPTIONAL,
     "[{\"name\", \"alias\", \"version\"}]"},
    {"files", JSON_ARRAY, offsetof(Body, files), JSON_OPTIONAL,
     "[{\"run_id\" or \"model_id\", \"path\", \"size\", \"digest\" of bytes put to "
     "/api/v1/artifacts}]"},
    {0},
};

typedef struct Turn {
    Import *import;
    ImportTake *take;
    const JsonValue *value;
} Turn;

static bool run_turn(Scope *scope, void *context)
{
    const Turn *turn = context;
    Scope *outer = turn->import->scope;
    bool done;

    turn->import->scope = scope;
    done = turn->take(turn->import, turn->value);
    turn->import->scope = outer;
    return done;
}

static const char *describe(const char *kind, const JsonValue *value, Arena *arena)
{
    static const char *const names[] = {"name", "run_id", "model_id", "path"};
    const JsonValue *inner = json_member(json_member(value, "run"), "info");

    for (size_t i = 0; i < COUNT(names); i++) {
        const char *name = json_as_text(json_member(inner ? inner : value, names[i]), NULL);
        const char *key = json_as_text(json_member(value, "key"), NULL);

        if (name)
            return arena_format(arena, "%s %.100s%s%.100s", kind, name, key ? " " : "",
                                key ? key : "");
    }
    return kind;
}

bool import_take_all(Import *import, const char *kind, const JsonValue *items, ImportTake *take)
{
    Scope *scope = import->scope;

    for (JsonWalk walk = json_walk(items); json_walk_next(&walk);) {
        Turn turn = {import, take, walk.value};

        import->file_at = (int64_t)walk.index;
        if (scope_write(scope, run_turn, &turn))
            continue;
        if (scope->error.kind == ERROR_INTERNAL || scope->error.kind == ERROR_UNAVAILABLE)
            return false;
        refuse(import, describe(kind, walk.value, scope->arena), scope->error.message);
        scope->error = (Error){0};
    }
    return true;
}

static void write_counts(JsonWriter *json, const MovingCounts *counts)
{
    static const char *const names[] = {
        "experiments", "experiment_tags", "runs",   "params",   "tags",    "points",
        "datasets",    "logged_models",   "models", "versions", "aliases", "files"};
    const MovingCount *count = (const MovingCount *)counts;

    _Static_assert(sizeof(*counts) == COUNT(names) * sizeof(*count), "a name each");
    json_open_object(json, "counts");
    for (size_t i = 0; i < COUNT(names); i++) {
        json_open_object(json, names[i]);
        json_int(json, "imported", count[i].imported);
        json_int(json, "present", count[i].present);
        json_close(json);
    }
    json_close(json);
}

static void write_mappings(JsonWriter *json, const MappingList *mappings)
{
    json_open_array(json, "experiments");
    for (size_t i = 0; i < mappings->count; i++) {
        const Mapping *mapping = &mappings->items[i];

        json_open_object(json, NULL);
        json_text(json, "there", mapping->there);
        json_int(json, "id", mapping->experiment.id);
        json_text(json, "name", mapping->experiment.name);
        json_bool(json, "is_new", mapping->is_new);
        json_close(json);
    }
    json_close(json);
}

void import_write_answer(JsonWriter *json, const Import *import)
{
    json_open_object(json, NULL);
    write_counts(json, &import->counts);
    write_mappings(json, &import->mappings);
    json_int(json, "refused_count", import->refused);
    json_open_array(json, "refused");
    for (size_t i = 0; i < import->refusals.count; i++) {
        json_open_object(json, NULL);
        json_text(json, "what", import->refusals.items[i].what);
        json_text(json, "why", import->refusals.items[i].why);
        json_close(json);
    }
    json_close(json);
    json_open_array(json, "wanted");
    for (size_t i = 0; i < import->wanted.count; i++)
        json_int(json, NULL, import->wanted.items[i]);
    json_close(json);
    json_close(json);
}

static bool import_items(Scope *scope, const Request *request, Response *response)
{
    Import import = {.scope = scope};
    Body body = {0};

    if (!request_read(scope, request, import_body, &body) ||
        !import_take_all(&import, "experiment", body.experiments, take_experiment) ||
        !import_take_all(&import, "run", body.runs, take_run) ||
        !import_take_all(&import, "metric", body.points, take_points) ||
        !import_take_all(&import, "logged model", body.logged_models, import_take_logged_model) ||
        !import_take_all(&import, "model", body.models, import_take_model) ||
        !import_take_all(&import, "alias", body.aliases, import_take_alias) ||
        !import_take_all(&import, "file", body.files, take_file))
        return false;
    import_write_answer(response->json, &import);
    return true;
}

const Route import_routes[] = {
    {"POST", "/api/v1/import", ROLE_OWNER, ROUTE_WRITE, import_items,
     "Take in experiments, runs, points and files of another MLflow store, with their ids.",
     import_body, .body_bytes_max = IMPORT_BODY_BYTES_MAX},
    {0},
};
