/* pipeline_start.c: from the files of a project and the values of its params to an accepted run. */

#include <string.h>

#include "pipelines/builtin.h"
#include "pipelines/pipeline.h"
#include "pipelines/project.h"
#include "pipelines/release.h"
#include "plan/pipeline_file.h"

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
        json_text(json, "commit", order->commit);
        json_text(json, "branch", order->branch);
        json_bool(json, "is_dirty", order->is_dirty);
    }
    json_close(json);
    return json_finish(json);
}

typedef struct Start {
    const char *yaml; /* of the project; NULL: a dvc.yaml */
    size_t yaml_size;
    const PipelineRunSpec *spec;
    Plan *plan;
    PipelineRun *run;
    bool *is_new;
} Start;

static bool write_start(Scope *scope, void *context)
{
    Start *start = context;

    ProjectChange change;

    if (start->yaml &&
        !project_put(scope, start->spec->project, start->yaml, start->yaml_size, &change))
        return false;
    return pipeline_run_create(scope, start->spec, start->run, start->is_new);
}

static bool read_plan(Scope *scope, const PipelineOrder *order, const Tree *tree,
                      PipelineRunSpec *spec, Start *start)
{
    Source files = {scope, tree};
    PlanSource source = {source_exists, source_read, &files};
    PlanRequest request = {order->params, &source};
    const YamlNode *root;
    ReleaseFile release;
    PipelineFile file;
    PlanBytes read;

    spec->file = choose_file(order, tree);
    if (!source_read(&files, spec->file, scope->arena, &read, &scope->error))
        return false;
    if (!yaml_parse(read.bytes, read.size, scope->arena, &root, &scope->error) ||
        !pipeline_file_read(root, pipeline_builtins, scope->arena, &file, &scope->error) ||
        !pipeline_plan(&file, &request, scope->arena, start->plan, &scope->error))
        return fail_in(&scope->error, "%s", spec->file);
    if (!release_file_read(root, scope->arena, &release, &scope->error))
        return fail_in(&scope->error, "%s", spec->file);
    release_add_steps(&release, scope->arena, start->plan);
    if (!file.is_dvc) {
        start->yaml = read.bytes;
        start->yaml_size = read.size;
    }
    return choose_project(scope, order, root, &spec->project);
}

bool pipeline_start(Scope *scope, const PipelineOrder *order, PipelineRun *run, bool *is_new)
{
    PipelineRunSpec spec = {
        .params = order->params ? json_print(order->params, scope->arena) : "{}",
        .origin = origin_json(order, scope->arena),
        .trigger_key = order->trigger_key,
        .is_forced = order->is_forced,
    };
    Tree tree = order->files;
    Artifact listing;
    Plan plan = {0};
    Start start = {.spec = &spec, .plan = &plan, .run = run, .is_new = is_new};

    if (!tree_add(scope->platform->artifacts, &tree, scope->arena, &listing, &scope->error) ||
        !read_plan(scope, order, &tree, &spec, &start))
        return false;
    spec.tree = listing.digest;
    spec.plan = &plan;
    return scope_write(scope, write_start, &start);
}
