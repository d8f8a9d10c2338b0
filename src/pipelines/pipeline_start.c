/* pipeline_start.c: from the files of a project and the values of its params to an accepted run. */

#include <string.h>

#include "pipelines/builtin.h"
#include "pipelines/environment.h"
#include "pipelines/executors.h"
#include "pipelines/pipeline_internal.h"
#include "pipelines/plan_files.h"
#include "pipelines/project.h"
#include "pipelines/trigger_event.h"

enum { SOURCE_BYTES_MAX = 16 * 1024 * 1024 };

/* ---- the project's files, for the plan ---- */

typedef struct Source {
    Scope *scope;
    const Tree *tree;
} Source;

static bool source_exists(void *context, const char *path)
{
    const Source *source = context;
    size_t length = strlen(path);

    if (tree_find(source->tree, path))
        return true;
    for (size_t i = 0; i < source->tree->count; i++)
        if (strncmp(source->tree->items[i].path, path, length) == 0 &&
            source->tree->items[i].path[length] == '/')
            return true;
    return false;
}

static bool source_read(void *context, const char *path, Arena *arena, PlanBytes *bytes,
                        Error *error)
{
    const Source *source = context;
    const TreeEntry *entry = tree_find(source->tree, path);

    if (!entry)
        return fail(error, ERROR_NOT_FOUND, "\"%s\" is not among the project's files", path);
    return artifact_read(source->scope->platform->artifacts, entry->digest, SOURCE_BYTES_MAX, arena,
                         &bytes->bytes, &bytes->size, error) ||
           fail_in(error, "%s", path);
}

/* ---- the order ---- */

static const char *choose_file(const PipelineOrder *order, const Tree *tree)
{
    if (order->file)
        return order->file;
    return !tree_find(tree, "slipway.yaml") && tree_find(tree, "dvc.yaml") ? "dvc.yaml"
                                                                           : "slipway.yaml";
}

/* Its project, which the file of a project names itself. */
static bool choose_project(Scope *scope, const PipelineOrder *order, const YamlNode *root,
                           const char **project)
{
    const YamlNode *named = yaml_member(root, "project");

    *project = named && named->text ? named->text : order->project;
    if (!*project)
        return fail_field(&scope->error, "project",
                          "the file names no project, and neither do you");
    if (order->project && strcmp(*project, order->project) != 0)
        return fail_field(&scope->error, "project", "the file is that of project \"%.128s\"",
                          *project);
    return name_check("project", "project", *project, &scope->error);
}

static const char *origin_json(const PipelineOrder *order, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_open_object(json, NULL);
    {
        json_text(json, "trigger", order->trigger);
        if (order->cause)
            json_text(json, "cause", order->cause);
        json_text(json, "commit", order->commit);
        json_text(json, "branch", order->branch);
        json_bool(json, "is_dirty", order->is_dirty);
        if (order->told_by)
            json_text(json, "told_by", order->told_by);
        if (order->signed_by)
            json_text(json, "signed_by", order->signed_by);
    }
    json_close(json);
    return json_finish(json);
}

/* ---- reading ---- */

/* Those of the order, and who asks for it. */
static const char *originators_of(Scope *scope, const PipelineOrder *order)
{
    OriginatorList list = {0};

    originators_add_all(&list, scope->arena, &order->originators);
    originators_add_caller(&list, scope, ORIGINATOR_STARTED);
    return originators_print(&list, scope->arena);
}

static bool parse_file(Scope *scope, const PipelineOrder *order, const Source *files,
                       OrderRead *read)
{
    const YamlNode *root;
    PlanBytes bytes;

    if (!source_read((void *)(uintptr_t)files, read->path, scope->arena, &bytes, &scope->error))
        return false;
    if (!yaml_parse(bytes.bytes, bytes.size, scope->arena, &root, &scope->error) ||
        !pipeline_file_read(root, pipeline_builtins, scope->arena, &read->file, &scope->error) ||
        !release_file_read(root, scope->arena, &read->release, &scope->error))
        return fail_in(&scope->error, "%s", read->path);
    if (!read->file.is_dvc) {
        read->yaml = bytes.bytes;
        read->yaml_size = bytes.size;
    }
    return choose_project(scope, order, root, &read->project);
}

bool pipeline_order_read(Scope *scope, const PipelineOrder *order, OrderRead *read)
{
    OrderRead done = {.tree = order->files};
    Source files = {scope, &done.tree};

    if (!tree_add(scope->platform->artifacts, &done.tree, scope->arena, &done.listing,
                  &scope->error))
        return false;
    done.path = choose_file(order, &done.tree);
    if (!parse_file(scope, order, &files, &done))
        return false;
    *read = done;
    return true;
}

/* Whether an owner has said of each environment that steps go to what it demands. */
static bool check_places(Scope *scope, const OrderRead *read, const Plan *plan)
{
    Environment ignored;

    for (size_t i = 0; i < plan->count; i++)
        if (plan->items[i].place && !environment_find(scope, plan->items[i].place, &ignored))
            return fail_in(&scope->error, "%s: step \"%.200s\"", read->path, plan->items[i].name);
    return true;
}

bool pipeline_order_plan(Scope *scope, const PipelineOrder *order, const OrderRead *read,
                         Plan *plan)
{
    Source files = {scope, &read->tree};
    PlanSource source = {source_exists, source_read, &files};
    PlanRequest request = {order->params, &source};

    if (!pipeline_plan(&read->file, &request, scope->arena, plan, &scope->error))
        return fail_in(&scope->error, "%s", read->path);
    release_add_steps(&read->release, scope->arena, plan);
    if (!plan_files_check(&source, plan, scope->arena, &scope->error) ||
        !executors_check(scope, plan))
        return fail_in(&scope->error, "%s", read->path);
    return check_places(scope, read, plan);
}

/* ---- starting ---- */

typedef struct Start {
    const PipelineOrder *order;
    const OrderRead *read;
    bool puts_project;
    const PipelineRunSpec *spec;
    PipelineRun *run;
    bool *is_new;
} Start;

static bool write_start(Scope *scope, void *context)
{
    Start *start = context;
    const OrderRead *read = start->read;
    ProjectChange change;

    scope->topic.project = read->project;
    if (start->puts_project &&
        !project_put(scope, read->project, read->yaml, read->yaml_size, &change))
        return false;
    return pipeline_run_create(scope, start->spec, start->run, start->is_new) &&
           trigger_append_start(scope, start->order, start->run, *start->is_new);
}

/* A file may keep people, or programs, from starting it. */
static bool check_trigger(Scope *scope, const PipelineOrder *order, const OrderRead *read)
{
    const PipelineTriggers *on = &read->file.on;
    bool is_refused = (!on->manual && text_equal(order->trigger, "manual")) ||
                      (!on->api && text_equal(order->trigger, "api"));

    return !is_refused || fail(&scope->error, ERROR_CONFLICT, "%s says on: {%s: false}", read->path,
                               order->trigger);
}

/* The keys of triggers are made here: who could name one would keep a push or a tick from starting
 * its run. */
static bool check_key(const PipelineOrder *order, Error *error)
{
    static const char *const of_triggers[] = {"push:", "schedule:", "data:", "alarm:", "backfill:"};
    const char *key = order->trigger_key;

    if (!key || (!text_equal(order->trigger, "manual") && !text_equal(order->trigger, "api")))
        return true;
    if (!*key || strlen(key) > PIPELINE_KEY_BYTES_MAX)
        return fail_field(error, "key", "a key has 1 to %d bytes", PIPELINE_KEY_BYTES_MAX);
    for (size_t i = 0; i < COUNT(of_triggers); i++)
        if (text_has_prefix(key, of_triggers[i]))
            return fail_field(error, "key",
                              "a key does not begin with \"%s\": those are the triggers' own",
                              of_triggers[i]);
    return true;
}

static bool check_texts(const PipelineOrder *order, Error *error)
{
    if (order->commit && strlen(order->commit) > PIPELINE_COMMIT_BYTES_MAX)
        return fail_field(error, "commit", "the name of a commit has at most %d bytes",
                          PIPELINE_COMMIT_BYTES_MAX);
    return !order->branch || strlen(order->branch) <= PIPELINE_BRANCH_BYTES_MAX ||
           fail_field(error, "branch", "the name of a branch has at most %d bytes",
                      PIPELINE_BRANCH_BYTES_MAX);
}

bool pipeline_start(Scope *scope, const PipelineOrder *order, PipelineRun *run, bool *is_new)
{
    Plan plan = {0};
    PipelineRunSpec spec = {
        .params = order->params ? json_print(order->params, scope->arena) : "{}",
        .origin = origin_json(order, scope->arena),
        .trigger_key = order->trigger_key,
        .originators = originators_of(scope, order),
        .is_forced = order->is_forced,
        .plan = &plan,
    };
    OrderRead read;
    Start start = {order, &read, false, &spec, run, is_new};

    if (!check_key(order, &scope->error) || !check_texts(order, &scope->error) ||
        !pipeline_order_read(scope, order, &read) || !check_trigger(scope, order, &read) ||
        !pipeline_order_plan(scope, order, &read, &plan))
        return false;
    start.puts_project = read.yaml && !order->is_stored;
    spec.project = read.project;
    spec.file = read.path;
    spec.tree = read.listing.digest;
    spec.overlap = order->queues ? PIPELINE_QUEUE : read.file.overlap;
    return scope_write(scope, write_start, &start);
}
