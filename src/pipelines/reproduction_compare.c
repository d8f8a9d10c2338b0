/* reproduction_compare.c: whether a run that was done again came to the same. */

#include <string.h>

#include "pipelines/reproduction.h"
#include "registry/model.h"

enum { DIFFERENCES_MAX = 20 }; /* of a step, as they are listed */

typedef struct Comparison {
    Scope *scope;
    const PipelineStep *before, *now;
    TextList differences;
    const char *note;
} Comparison;

static const JsonValue *parse(const Comparison *comparison, const char *text)
{
    const JsonValue *value = NULL;
    Error ignored = {0};

    if (!text || !json_parse(text, strlen(text), comparison->scope->arena, &value, &ignored))
        return NULL;
    return value;
}

static void differ(Comparison *comparison, const char *difference)
{
    if (comparison->differences.count < DIFFERENCES_MAX)
        text_list_add(&comparison->differences, comparison->scope->arena, difference);
}

/* ---- outs ---- */

static const JsonValue *find_out(const JsonValue *outs, const char *path)
{
    for (JsonWalk walk = json_walk(outs); json_walk_next(&walk);)
        if (text_equal(json_as_text(json_member(walk.value, "path"), NULL), path))
            return walk.value;
    return NULL;
}

static const char *digest_of(const JsonValue *out)
{
    return json_as_text(json_member(out, "digest"), "");
}

/* The first file of the two folders that is not in both, or not the same; NULL: it is not known. */
static const char *first_file(const Comparison *comparison, const JsonValue *before,
                              const JsonValue *now)
{
    const ArtifactStore *store = comparison->scope->platform->artifacts;
    Arena *arena = comparison->scope->arena;
    Error ignored = {0};
    Tree a, b;
    size_t i = 0;

    if (!tree_read(store, digest_of(before), arena, &a, &ignored) ||
        !tree_read(store, digest_of(now), arena, &b, &ignored))
        return NULL;
    while (i < a.count && i < b.count && strcmp(a.items[i].path, b.items[i].path) == 0 &&
           strcmp(a.items[i].digest, b.items[i].digest) == 0)
        i++;
    if (i == a.count || i == b.count)
        return i < a.count ? a.items[i].path : i < b.count ? b.items[i].path : NULL;
    return strcmp(a.items[i].path, b.items[i].path) <= 0 ? a.items[i].path : b.items[i].path;
}

static bool is_folder(const JsonValue *out)
{
    return json_as_bool(json_member(out, "is_folder"), false);
}

static void compare_out(Comparison *comparison, const char *path, const JsonValue *before,
                        const JsonValue *now)
{
    Arena *arena = comparison->scope->arena;
    const char *file;

    if (now && strcmp(digest_of(before), digest_of(now)) == 0)
        return;
    file = now && is_folder(before) && is_folder(now) ? first_file(comparison, before, now) : NULL;
    differ(comparison, file ? arena_format(arena, "out \"%s\": %s", path, file)
                            : arena_format(arena, "out \"%s\"", path));
}

static void compare_outs(Comparison *comparison)
{
    const JsonValue *before = parse(comparison, comparison->before->outs);
    const JsonValue *now = parse(comparison, comparison->now->outs);

    for (JsonWalk walk = json_walk(before); json_walk_next(&walk);) {
        const char *path = json_as_text(json_member(walk.value, "path"), "");

        compare_out(comparison, path, walk.value, find_out(now, path));
    }
}

/* ---- numbers and packages ---- */

static void compare_metrics(Comparison *comparison)
{
    const JsonValue *before = parse(comparison, comparison->before->metrics);
    const JsonValue *now = parse(comparison, comparison->now->metrics);
    Arena *arena = comparison->scope->arena;

    for (JsonWalk walk = json_walk(before); json_walk_next(&walk);) {
        const JsonValue *other = json_member(now, walk.key);
        const char *was = json_print(walk.value, arena);
        const char *is = other ? json_print(other, arena) : "not there";

        if (strcmp(was, is) != 0)
            differ(comparison, arena_format(arena, "metric \"%s\": %s, now %s", walk.key, was, is));
    }
    for (JsonWalk walk = json_walk(now); json_walk_next(&walk);)
        if (!json_member(before, walk.key))
            differ(comparison, arena_format(arena, "metric \"%s\": not there before", walk.key));
}

/* What of a result says what came out; the rest names runs and versions. */
static const char *const result_members[] = {"package", "digest",  "rows",  "labels",
                                             "values",  "holdout", "report"};

/* Of a training that did not write it down yet. */
static const char *package_of(const Comparison *comparison, const JsonValue *result)
{
    Scope *scope = comparison->scope;
    Error kept = scope->error;
    const char *model = json_as_text(json_member(result, "model"), NULL);
    ModelVersion version;

    if (model &&
        model_version_find(scope, model, json_as_int(json_member(result, "version"), 0), &version))
        return version.package;
    scope->error = kept;
    return NULL;
}

static const char *member_text(const Comparison *comparison, const JsonValue *result,
                               const char *name)
{
    const JsonValue *member = json_member(result, name);

    if (member)
        return json_print(member, comparison->scope->arena);
    if (strcmp(name, "package") == 0 && package_of(comparison, result))
        return arena_format(comparison->scope->arena, "\"%s\"", package_of(comparison, result));
    return NULL;
}

static void compare_results(Comparison *comparison)
{
    const JsonValue *before = parse(comparison, comparison->before->result);
    const JsonValue *now = parse(comparison, comparison->now->result);

    for (size_t i = 0; i < COUNT(result_members); i++) {
        const char *was = member_text(comparison, before, result_members[i]);

        if (was && !text_equal(was, member_text(comparison, now, result_members[i])))
            differ(comparison, result_members[i]);
    }
}

/* ---- a step ---- */

static const char *uses_of(const Comparison *comparison)
{
    return json_as_text(json_member(parse(comparison, comparison->before->spec), "uses"), "");
}

static bool has_budget(const Comparison *comparison)
{
    const JsonValue *with = json_member(parse(comparison, comparison->before->spec), "with");

    const char *budget = json_as_text(json_member(with, "budget"), NULL);

    return budget ? !text_equal(budget, "0") : !json_member(with, "trials");
}

/* *verdict of a step that was done again, or is yet to be. */
static void compare_step(Comparison *comparison, const char **verdict)
{
    const PipelineStep *now = comparison->now;

    *verdict = "running";
    if (!now->ended_at)
        return;
    *verdict = "differs";
    if (strcmp(now->status, "succeeded") != 0) {
        differ(comparison, arena_format(comparison->scope->arena, "it %s%s%s",
                                        strcmp(now->status, "failed") == 0 ? "failed"
                                                                           : "was not "
                                                                             "done",
                                        now->reason ? ": " : "", now->reason ? now->reason : ""));
        return;
    }
    if (strcmp(uses_of(comparison), "benchmark") == 0) {
        *verdict = "not compared";
        comparison->note = "it measures time";
        return;
    }
    compare_outs(comparison);
    compare_metrics(comparison);
    compare_results(comparison);
    if (!comparison->differences.count)
        *verdict = "same";
    else if (strcmp(uses_of(comparison), "train") == 0 && has_budget(comparison))
        comparison->note = "a search with a time budget depends on how fast the machine was";
}

static void write_step(const Comparison *comparison, const char *verdict, JsonWriter *json)
{
    json_open_object(json, NULL);
    json_text(json, "step", comparison->before->name);
    json_text(json, "verdict", verdict);
    json_text(json, "before", comparison->before->status);
    json_text(json, "now", comparison->now ? comparison->now->status : NULL);
    json_texts(json, "differences", &comparison->differences);
    json_text(json, "note", comparison->note);
    json_close(json);
}

static const PipelineStep *find_step(const PipelineStepList *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, name) == 0)
            return &list->items[i];
    return NULL;
}

/* ---- all of them ---- */

/* The worst of both: what runs, then what differs. */
static const char *worse(const char *verdict, const char *of_step)
{
    if (strcmp(verdict, "running") == 0 || strcmp(of_step, "running") == 0)
        return "running";
    return strcmp(of_step, "differs") == 0 ? "differs" : verdict;
}

static bool write_steps(Scope *scope, const PipelineRun *run, const char **verdict,
                        JsonWriter *json)
{
    PipelineStepList before = {0}, now = {0};

    if (!pipeline_step_list(scope, run->reproduces, -1, PLAN_STEPS_MAX, &before) ||
        !pipeline_step_list(scope, run->id, -1, PLAN_STEPS_MAX, &now))
        return false;
    for (size_t i = 0; i < before.count; i++) {
        Comparison comparison = {.scope = scope,
                                 .before = &before.items[i],
                                 .now = find_step(&now, before.items[i].name)};
        const char *of_step = "left out";

        if (comparison.now)
            compare_step(&comparison, &of_step);
        else if (!reproduction_leaves_out(scope, comparison.before, &comparison.note))
            return false;
        *verdict = worse(*verdict, of_step);
        write_step(&comparison, of_step, json);
    }
    return true;
}

static const char *name_of(const PipelineRun *run, Arena *arena)
{
    return arena_format(arena, "%s#%lld", run->project, (long long)run->number);
}

bool reproduction_write_json(Scope *scope, const PipelineRun *run, JsonWriter *json)
{
    const char *verdict = "same";
    PipelineRun first;

    if (!run->reproduces)
        return fail(&scope->error, ERROR_CONFLICT, "%s reproduces no other run",
                    name_of(run, scope->arena));
    if (!pipeline_run_find(scope, run->reproduces, &first))
        return false;
    json_open_object(json, NULL);
    json_text(json, "id", run->id);
    json_text(json, "run", name_of(run, scope->arena));
    json_text(json, "of", name_of(&first, scope->arena));
    json_open_array(json, "steps");
    if (!write_steps(scope, run, &verdict, json))
        return false;
    json_close(json);
    json_text(json, "verdict", verdict);
    json_close(json);
    return true;
}
