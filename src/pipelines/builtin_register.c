/* builtin_register.c: "uses: register": a model that a step made becomes a version, with the run,
 * the commit, the data and the metrics of the step that made it. A version of the same bytes is
 * taken as it is, unless it is to say now what data it is of. */

#include <string.h>

#include "base/crash.h"
#include "pipelines/builtin.h"
#include "pipelines/version_name.h"
#include "plan/path.h"
#include "registry/adopt.h"
#include "registry/model.h"

/* ---- where it comes from ---- */

/* The step that made it, where it really ran. */
typedef struct Maker {
    PipelineRun run;
    const char *step;    /* NULL: it is one of the project's files */
    const char *tracked; /* or NULL */
} Maker;

static bool makes(const PipelineStep *step, const char *path, Arena *arena)
{
    const JsonValue *outs;
    Error ignored = {0};

    if (!json_parse(step->outs, strlen(step->outs), arena, &outs, &ignored))
        return false;
    for (JsonWalk walk = json_walk(outs); json_walk_next(&walk);)
        if (path_is_below(path, json_as_text(json_member(walk.value, "path"), "")) ||
            path_is_below(json_as_text(json_member(walk.value, "path"), ""), path))
            return true;
    return false;
}

static bool find_step(Scope *scope, const StepStart *start, PipelineStep *maker, bool *found)
{
    const char *path;
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           SELECT_STEP " WHERE run_id = $1 AND outs IS NOT NULL AND position IN"
                                       " (SELECT step FROM pipeline_edges WHERE run_id = $1"
                                       " AND next = $2) ORDER BY position",
                           db_text(start->run->id), db_int(start->row->position));
    PipelineStepList list = {0};

    *found = false;
    if (!builtin_path(scope, start, "path", &path) || !pipeline_steps_take(scope, &query, &list))
        return false;
    for (size_t i = 0; i < list.count && !*found; i++) {
        *maker = list.items[i];
        *found = makes(maker, path, scope->arena);
    }
    return true;
}

static bool find_maker(Scope *scope, const StepStart *start, Maker *maker)
{
    PipelineStep step;
    bool found;

    *maker = (Maker){.run = *start->run};
    if (!find_step(scope, start, &step, &found))
        return false;
    if (!found)
        return true;
    maker->step = step.name;
    return pipeline_step_done_in(scope, &step, &maker->run, &maker->tracked);
}

/* ---- its data ---- */

/* Of a result that says which data there is now: {"data", "version", "digest"}. */
static const char *data_of(const char *result, Arena *arena)
{
    const JsonValue *value, *version;
    Error ignored = {0};

    if (!json_parse(result, strlen(result), arena, &value, &ignored) ||
        json_member(value, "model") || !json_member(value, "digest"))
        return NULL;
    version = json_member(value, "version");
    return json_is_text(json_member(value, "data")) && json_is_number(version)
               ? arena_format(arena, "%s@%lld", json_as_text(json_member(value, "data"), ""),
                              (long long)json_as_int(version, 0))
               : NULL;
}

/* The only one that the steps before it speak of; NULL: none, or several. */
static bool find_only_data(Scope *scope, const StepStart *start, const char **name)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT result FROM pipeline_steps WHERE run_id = $1 AND position < $2"
                           " AND status = 'succeeded' AND result IS NOT NULL",
                           db_text(start->run->id), db_int(start->row->position));
    size_t count = 0;

    *name = NULL;
    while (query_next(&query)) {
        const char *data = data_of(query_text(&query, 0, scope->arena), scope->arena);

        if (!data || text_equal(data, *name))
            continue;
        *name = data;
        count++;
    }
    if (count > 1)
        *name = NULL;
    return query_end(&query, &scope->error);
}

static bool add_data(Scope *scope, const StepStart *start, ModelVersionSpec *spec)
{
    const char *name = builtin_with(start, "data");
    DatasetVersion data;

    if (!name && !find_only_data(scope, start, &name))
        return false;
    if (!name)
        return true;
    if (!data_name_resolve(scope, name, &data))
        return false;
    spec->dataset = data.dataset;
    spec->dataset_version = data.version;
    spec->dataset_digest = data.digest;
    return true;
}

/* ---- registering ---- */

typedef struct Registration {
    ModelVersionSpec spec;
    Adopted adopted;
    const char *alias, *step;
} Registration;

static bool has_metric(const Run *run, const char *key)
{
    for (size_t i = 0; i < run->metrics.count; i++)
        if (strcmp(run->metrics.items[i].key, key) == 0)
            return true;
    return false;
}

static bool forgive_purged(Scope *scope)
{
    if (scope->error.kind != ERROR_NOT_FOUND)
        return false;
    scope->error = (Error){0};
    return true;
}

/* The run that made it shows what was measured, unless it measured that itself. */
static bool log_metrics(Scope *scope, const char *run_id, const MetricList *metrics)
{
    RunBatch batch = {0};
    Run run;

    if (!run_id || !metrics->count)
        return true;
    if (!run_find(scope, run_id, &run))
        return forgive_purged(scope);
    for (size_t i = 0; i < metrics->count; i++)
        if (!has_metric(&run, metrics->items[i].key))
            *arena_push(scope->arena, &batch.metrics) = metrics->items[i];
    return !batch.metrics.count || run_log_batch(scope, run_id, &batch);
}

static const char *result_of(const Registration *registration, const ModelVersion *version,
                             bool is_new, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_open_object(json, NULL);
    json_text(json, "model", version->model);
    json_int(json, "version", version->version);
    json_bool(json, "is_new", is_new);
    json_text(json, "package", version->package);
    json_texts(json, "flavors", &registration->adopted.flavors);
    json_text(json, "not_served", registration->adopted.refusal);
    json_text(json, "alias", registration->alias);
    json_text(json, "made_by", registration->step);
    json_text(json, "run_id", version->run_id);
    json_text(json, "code_commit", version->code_commit);
    json_text(json, "trained_on",
              version->dataset ? arena_format(arena, "%s@%lld", version->dataset,
                                              (long long)version->dataset_version)
                               : NULL);
    json_close(json);
    return json_finish(json);
}

static bool write(Scope *scope, AttemptEnd *end)
{
    const Registration *registration = end->context;
    const ModelVersionSpec *spec = &registration->spec;
    ModelVersion version;
    bool found;

    if (!model_version_find_package(scope, spec->model, spec->package, &version, &found))
        return false;
    found = found && (version.dataset || !spec->dataset); /* nothing could judge that one */
    if ((!found && (!log_metrics(scope, spec->run_id, &end->metrics) ||
                    !model_version_create(scope, spec, &version))))
        return false;
    if (registration->alias &&
        !model_alias_set(scope, spec->model, registration->alias, version.version))
        return false;
    CRASH_POINT("register: registered, not committed");
    end->result = result_of(registration, &version, !found, scope->arena);
    return true;
}

static bool read_metrics(Scope *scope, const StepStart *start, AttemptEnd *end)
{
    const char *path;
    Tree files;

    if (!builtin_path(scope, start, "metrics", &path))
        return false;
    if (!path)
        return true;
    if (!step_start_tree(scope, start, path, &files))
        return false;
    if (files.count != 1)
        return fail(&scope->error, ERROR_INVALID, "\"%.200s\" is no file of metrics but a folder",
                    path);
    return attempt_end_read_metrics_file(scope, end, path, files.items[0].digest);
}

static bool describe(Scope *scope, const StepStart *start, ModelVersionSpec *spec,
                     const char **step)
{
    const char *model = builtin_with(start, "model");
    Maker maker;

    if (!find_maker(scope, start, &maker) || !add_data(scope, start, spec))
        return false;
    spec->model = model ? model : start->run->project;
    spec->run_id = maker.tracked;
    spec->code_commit = pipeline_run_commit(&maker.run, scope->arena);
    spec->may_be_unknown = true; /* the run may have been purged */
    *arena_push(scope->arena, &spec->tags) = (Param){"slipway.pipeline_run", maker.run.id};
    if (maker.step)
        *arena_push(scope->arena, &spec->tags) = (Param){"slipway.step", maker.step};
    *step = maker.step;
    return true;
}

/* A reproduction registers nothing, whatever came out. */
static bool only_look(Scope *scope, const Registration *registration, AttemptEnd *end)
{
    const ModelVersionSpec *spec = &registration->spec;
    JsonWriter *json = json_writer_create(scope->arena);
    ModelVersion version;
    bool found;

    if (!model_version_find_package(scope, spec->model, spec->package, &version, &found))
        return false;
    json_open_object(json, NULL);
    json_text(json, "model", spec->model);
    if (found)
        json_int(json, "version", version.version);
    json_bool(json, "is_new", false);
    json_text(json, "package", spec->package);
    json_close(json);
    end->result = json_finish(json);
    return true;
}

static bool finish(Scope *scope, const BuiltinStep *step, AttemptEnd *end)
{
    Registration *registration = arena_new(scope->arena, Registration);
    const char *path;
    Tree files;

    if (!builtin_path(scope, step->start, "path", &path) ||
        !step_start_tree(scope, step->start, path, &files) ||
        !package_adopt(scope, path, &files, &registration->adopted) ||
        !describe(scope, step->start, &registration->spec, &registration->step) ||
        !read_metrics(scope, step->start, end))
        return false;
    registration->spec.package = registration->adopted.package;
    if (step->start->run->reproduces)
        return only_look(scope, registration, end);
    registration->alias = builtin_with(step->start, "alias");
    end->write = write;
    end->context = registration;
    return true;
}

/* Always done: whether the version is still there, and where its alias points, is not in its deps.
 */
static bool inputs(Scope *scope, const StepStart *start, JsonWriter *json)
{
    json_text(json, "time", arena_text(scope->arena, start->run->id));
    return true;
}

const Builtin builtin_register = {.name = "register", .inputs = inputs, .finish = finish};
