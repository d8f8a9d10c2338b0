/* step_start.c: what a step needs to know and to have when it starts. */

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "pipelines/builtin.h"
#include "pipelines/pipeline_internal.h"
#include "pipelines/version_name.h"

/* ---- what expressions may ask for ---- */

typedef struct Names {
    Scope *scope;
    const PipelineRun *run;
    int64_t bad_needs;
} Names;

static const JsonValue *parse(const Names *names, const char *document)
{
    const JsonValue *value = NULL;
    Error ignored = {0};

    if (!document || !json_parse(document, strlen(document), names->scope->arena, &value, &ignored))
        return NULL;
    return value;
}

/* steps.NAME.outcome, .metrics, .outputs; what a step did not measure or say is null. */
static const JsonValue *look_up_step(const Names *names, const TextList *name)
{
    JsonWriter *json = json_writer_create(names->scope->arena);
    Error kept = names->scope->error;
    const JsonValue *value;
    PipelineStep step;

    if (!pipeline_step_find(names->scope, names->run->id, name->items[1], &step)) {
        names->scope->error = kept;
        return NULL;
    }
    json_open_object(json, NULL);
    json_text(json, "outcome", step.status);
    json_raw(json, "metrics", step.metrics);
    json_raw(json, "outputs", step.result);
    json_close(json);
    value = parse(names, json_finish(json));
    for (size_t i = 2; value && i < name->count; i++)
        value = json_member(value, name->items[i]);
    return value ? value : parse(names, "null");
}

static const JsonValue *look_up_run(const Names *names)
{
    JsonWriter *json = json_writer_create(names->scope->arena);

    json_open_object(json, NULL);
    json_text(json, "id", names->run->id);
    json_int(json, "number", names->run->number);
    json_text(json, "project", names->run->project);
    json_close(json);
    return parse(names, json_finish(json));
}

static const JsonValue *truth(const Names *names, bool value)
{
    return parse(names, value ? "true" : "false");
}

static const JsonValue *look_up(void *context, const TextList *name)
{
    const Names *names = context;
    const char *first = name->count ? name->items[0] : "";
    const JsonValue *value = NULL;
    size_t next = 1;

    if (strcmp(first, "run") == 0)
        value = look_up_run(names);
    else if (strcmp(first, "params") == 0)
        value = parse(names, names->run->params);
    else if (strcmp(first, "trigger") == 0)
        value = parse(names, names->run->origin);
    else if (strcmp(first, "success()") == 0)
        value = truth(names, !names->bad_needs);
    else if (strcmp(first, "failure()") == 0)
        value = truth(names, names->bad_needs);
    else if (strcmp(first, "steps") == 0 && name->count > 1)
        return look_up_step(names, name);
    for (; value && next < name->count; next++)
        value = json_member(value, name->items[next]);
    return value;
}

static bool resolve_values(Names *names, PlanValueList *list)
{
    PlanNames known = {look_up, names};

    for (size_t i = 0; i < list->count; i++)
        if (!plan_resolve(list->items[i].text, &known, names->scope->arena, &list->items[i].text,
                          &names->scope->error))
            return fail_in(&names->scope->error, "%s", list->items[i].name);
    return true;
}

static bool resolve_arguments(Names *names, TextList *list)
{
    PlanNames known = {look_up, names};

    for (size_t i = 0; i < list->count; i++)
        if (!plan_resolve(list->items[i], &known, names->scope->arena, &list->items[i],
                          &names->scope->error))
            return false;
    return true;
}

static Names names_of(Scope *scope, const StepStart *start)
{
    return (Names){scope, start->run, start->row->bad_needs};
}

bool step_start_read(Scope *scope, StepStart *start)
{
    const char *spec = start->row->spec;
    Names names = names_of(scope, start);
    const JsonValue *object;

    return json_parse(spec, strlen(spec), scope->arena, &object, &scope->error) &&
           plan_step_read_json(object, scope->arena, &start->step, &scope->error) &&
           resolve_values(&names, &start->step.environment) &&
           resolve_values(&names, &start->step.with) &&
           resolve_arguments(&names, &start->step.arguments);
}

bool step_start_wanted(Scope *scope, const StepStart *start, bool *wanted)
{
    Names names = names_of(scope, start);
    PlanNames known = {look_up, &names};

    *wanted = start->row->bad_needs == 0;
    return !start->step.when ||
           plan_is_true(start->step.when, &known, scope->arena, wanted, &scope->error);
}

/* ---- the outs of others that it depends on ---- */

static bool is_inside(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static bool meets(const char *a, const char *b)
{
    return is_inside(a, b) || is_inside(b, a);
}

/* One out of an earlier step; the values live in the arena. */
typedef struct Made {
    const char *path, *digest;
    int64_t size;
    bool is_folder;
} Made;

typedef struct MadeList {
    Made *items;
    size_t count;
} MadeList;

static bool add_made(Scope *scope, const char *outs, const char *path, MadeList *list)
{
    const JsonValue *array;

    if (!outs)
        return true;
    if (!json_parse(outs, strlen(outs), scope->arena, &array, &scope->error))
        return false;
    for (JsonWalk walk = json_walk(array); json_walk_next(&walk);) {
        const char *made = json_as_text(json_member(walk.value, "path"), "");

        if (meets(made, path))
            *arena_push(scope->arena, list) =
                (Made){made, json_as_text(json_member(walk.value, "digest"), ""),
                       json_as_int(json_member(walk.value, "size"), 0),
                       json_as_bool(json_member(walk.value, "is_folder"), false)};
    }
    return true;
}

/* What earlier steps made at, in or around the path. */
static bool find_made(Scope *scope, const StepStart *start, const char *path, MadeList *list)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db,
                 "SELECT s.outs FROM pipeline_edges e JOIN pipeline_steps s"
                 " ON s.run_id = e.run_id AND s.position = e.step"
                 " WHERE e.run_id = $1 AND e.next = $2 AND s.outs IS NOT NULL ORDER BY s.position",
                 db_text(start->run->id), db_int(start->row->position));

    while (query_next(&query))
        if (!add_made(scope, query_text(&query, 0, scope->arena), path, list))
            return false;
    return query_end(&query, &scope->error);
}

bool step_start_files(Scope *scope, const StepStart *start, const char **files)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_array(json, NULL);
    for (size_t i = 0; i < start->step.deps.count; i++) {
        MadeList made = {0};

        if (!find_made(scope, start, start->step.deps.items[i].path, &made))
            return false;
        for (size_t k = 0; k < made.count; k++) {
            json_open_object(json, NULL);
            json_text(json, "path", made.items[k].path);
            json_text(json, "digest", made.items[k].digest);
            json_bool(json, "is_folder", made.items[k].is_folder);
            json_close(json);
        }
    }
    json_close(json);
    *files = json_finish(json);
    return true;
}

/* ---- the files at a path ---- */

typedef struct Gathering {
    const char *path;
    Arena *arena;
    Tree *files;
} Gathering;

static void gather(const Gathering *gathering, const char *path, const TreeEntry *file)
{
    size_t length = strlen(gathering->path);
    TreeEntry entry = *file;

    if (!is_inside(path, gathering->path))
        return;
    entry.path = path[length] == '/' ? path + length + 1 : path_name(path);
    *arena_push(gathering->arena, gathering->files) = entry;
}

static bool gather_made(Scope *scope, const Gathering *gathering, const Made *made)
{
    TreeEntry file = {.size = made->size};
    Tree tree;

    if (!made->is_folder) {
        snprintf(file.digest, sizeof(file.digest), "%s", made->digest);
        gather(gathering, made->path, &file);
        return true;
    }
    if (!tree_read(scope->platform->artifacts, made->digest, scope->arena, &tree, &scope->error))
        return false;
    for (size_t i = 0; i < tree.count; i++)
        gather(gathering, arena_format(scope->arena, "%s/%s", made->path, tree.items[i].path),
               &tree.items[i]);
    return true;
}

static bool is_made(const MadeList *made, const char *path)
{
    for (size_t i = 0; i < made->count; i++)
        if (is_inside(path, made->items[i].path))
            return true;
    return false;
}

bool step_start_tree(Scope *scope, const StepStart *start, const char *path, Tree *files)
{
    Gathering gathering = {path, scope->arena, files};
    MadeList made = {0};

    *files = (Tree){0};
    if (!find_made(scope, start, path, &made))
        return false;
    for (size_t i = 0; i < made.count; i++)
        if (!gather_made(scope, &gathering, &made.items[i]))
            return false;
    for (size_t i = 0; start->tree && i < start->tree->count; i++)
        if (!is_made(&made, start->tree->items[i].path))
            gather(&gathering, start->tree->items[i].path, &start->tree->items[i]);
    return files->count ||
           fail(&scope->error, ERROR_NOT_FOUND,
                "there is no \"%.200s\": no step made it, and the project has none", path);
}

/* ---- what it depends on ---- */

static void digest_text(Digest *digest, const char *text)
{
    digest_add(digest, text, strlen(text) + 1);
}

static const char *digest_list(const TextList *list, Arena *arena)
{
    char text[DIGEST_TEXT_SIZE];
    Digest *digest = digest_create();

    for (size_t i = 0; i < list->count; i++)
        digest_text(digest, list->items[i]);
    return arena_text(arena, digest_finish(digest, text));
}

static void write_values(JsonWriter *json, const char *kind, const PlanValueList *values,
                         Arena *arena)
{
    char text[DIGEST_TEXT_SIZE];

    for (size_t i = 0; i < values->count; i++)
        json_text(json, arena_format(arena, "%s %s", kind, values->items[i].name),
                  arena_text(arena, digest_bytes(values->items[i].text,
                                                 strlen(values->items[i].text), text)));
}

/* The project's files at a path, or all of them (NULL). */
static const char *digest_files(const Tree *tree, const char *path, Arena *arena, size_t *count)
{
    char text[DIGEST_TEXT_SIZE];
    Digest *digest = digest_create();

    *count = 0;
    for (size_t i = 0; tree && i < tree->count; i++) {
        if (path && !is_inside(tree->items[i].path, path))
            continue;
        digest_text(digest, tree->items[i].path);
        digest_text(digest, tree->items[i].digest);
        ++*count;
    }
    return arena_text(arena, digest_finish(digest, text));
}

static bool write_dep(Scope *scope, const StepStart *start, const char *path, JsonWriter *json)
{
    char text[DIGEST_TEXT_SIZE];
    Digest *digest = digest_create();
    MadeList made = {0};
    size_t count;
    const char *files = digest_files(start->tree, path, scope->arena, &count);

    if (!find_made(scope, start, path, &made)) {
        digest_finish(digest, text);
        return false;
    }
    digest_text(digest, files);
    for (size_t i = 0; i < made.count; i++) {
        digest_text(digest, made.items[i].path);
        digest_text(digest, made.items[i].digest);
    }
    digest_finish(digest, text);
    if (!count && !made.count)
        return fail(&scope->error, ERROR_NOT_FOUND,
                    "\"%.200s\", which it depends on, is neither a file of the project nor made by "
                    "a step",
                    path);
    json_text(json, arena_format(scope->arena, "dep %s", path), arena_text(scope->arena, text));
    return true;
}

/* The version that there is when the step starts. */
static bool write_data_dep(Scope *scope, const char *name, JsonWriter *json)
{
    DatasetVersion version;

    if (!data_name_resolve(scope, name, &version))
        return false;
    json_text(json, arena_format(scope->arena, "data %s", name), version.digest);
    return true;
}

static bool write_deps(Scope *scope, const StepStart *start, JsonWriter *json)
{
    const PlanPathList *deps = &start->step.deps;
    size_t count;

    for (size_t i = 0; i < deps->count; i++)
        if (!(deps->items[i].is_data ? write_data_dep(scope, deps->items[i].path, json)
                                     : write_dep(scope, start, deps->items[i].path, json)))
            return false;
    /* Who names nothing that it depends on may depend on any file. */
    if (!deps->count && !start->step.uses)
        json_text(json, "files of the project",
                  digest_files(start->tree, NULL, scope->arena, &count));
    return true;
}

static bool write_builtin(Scope *scope, const StepStart *start, JsonWriter *json)
{
    const Builtin *builtin = builtin_of(&start->step);

    return !builtin || !builtin->inputs || builtin->inputs(scope, start, json);
}

static void write_outs(const StepStart *start, JsonWriter *json, Arena *arena)
{
    TextList paths = {0};

    for (size_t i = 0; i < start->step.outs.count; i++)
        text_list_add(&paths, arena, start->step.outs.items[i].path);
    json_text(json, "outs", digest_list(&paths, arena));
}

bool step_start_inputs(Scope *scope, const StepStart *start, const char **inputs, const char **key)
{
    static const char version[] = "1"; /* of what a key means */
    JsonWriter *json = json_writer_create(scope->arena);
    const PlanStep *step = &start->step;
    char digest[DIGEST_TEXT_SIZE];

    json_open_object(json, NULL);
    json_text(json, "version", version);
    json_text(json, "command",
              step->uses ? step->uses
                         : digest_list(step->arguments.count ? &step->arguments : &step->commands,
                                       scope->arena));
    json_text(json, "folder", step->folder);
    write_outs(start, json, scope->arena);
    write_values(json, "env", &step->environment, scope->arena);
    write_values(json, "with", &step->with, scope->arena);
    write_values(json, "param", &step->params, scope->arena);
    if (!write_deps(scope, start, json) || !write_builtin(scope, start, json))
        return false;
    json_close(json);
    *inputs = json_finish(json);
    *key = arena_text(scope->arena, digest_bytes(*inputs, strlen(*inputs), digest));
    return true;
}
