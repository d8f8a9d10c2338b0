/* pipeline_explain.c: why a step ran, or did not. */

#include <string.h>

#include "pipelines/pipeline.h"
#include "pipelines/pipeline_internal.h"

/* The last step of its name that succeeded before it and was not itself taken from the cache. */
static bool find_before(Scope *scope, const PipelineStep *step, PipelineStep *before, bool *found)
{
    CLEANUP(query_finalize)
    Query query = db_query(
        scope->db,
        "SELECT s.run_id, s.position FROM pipeline_runs r JOIN pipeline_runs o"
        " ON o.project = r.project AND o.number < r.number"
        " JOIN pipeline_steps s ON s.run_id = o.id AND s.name = $2 AND s.status = 'succeeded'"
        " WHERE r.id = $1 ORDER BY o.number DESC LIMIT 1",
        db_text(step->run_id), db_text(step->name));
    const char *run_id = query_next(&query) ? query_text(&query, 0, scope->arena) : NULL;
    int64_t position = run_id ? query_int(&query, 1) : 0;

    *found = run_id != NULL;
    return query_end(&query, &scope->error) &&
           (!run_id || pipeline_step_at(scope, run_id, position, before));
}

static bool read_inputs(Scope *scope, const PipelineStep *step, const JsonValue **inputs)
{
    *inputs = NULL;
    return !step->inputs ||
           json_parse(step->inputs, strlen(step->inputs), scope->arena, inputs, &scope->error);
}

static void write_change(JsonWriter *json, const char *name, const JsonValue *before,
                         const JsonValue *now)
{
    json_open_object(json, NULL);
    json_text(json, "name", name);
    json_text(json, "before", json_as_text(before, NULL));
    json_text(json, "now", json_as_text(now, NULL));
    json_close(json);
}

/* Names of what differs, in words: "dep data.csv". */
static const char *compare(const JsonValue *before, const JsonValue *now, JsonWriter *json,
                           Arena *arena)
{
    TextBuilder names = {.arena = arena};

    json_open_array(json, "changed");
    for (JsonWalk walk = json_walk(now); json_walk_next(&walk);) {
        const JsonValue *old = json_member(before, walk.key);

        if (text_equal(json_as_text(old, NULL), json_as_text(walk.value, NULL)))
            continue;
        write_change(json, walk.key, old, walk.value);
        text_append_format(&names, "%s%s", names.count ? ", " : "", walk.key);
    }
    for (JsonWalk walk = json_walk(before); json_walk_next(&walk);)
        if (!json_member(now, walk.key)) {
            write_change(json, walk.key, walk.value, NULL);
            text_append_format(&names, "%s%s", names.count ? ", " : "", walk.key);
        }
    json_close(json);
    return text_built(&names);
}

/* Whether the retention took a run of before. */
static bool find_purged(Scope *scope, const PipelineRun *run, bool *found)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT 1 FROM pipeline_runs WHERE project = $1 AND number < $2"
                           " AND purged_at IS NOT NULL LIMIT 1",
                           db_text(run->project), db_int(run->number));

    *found = query_next(&query);
    return query_end(&query, &scope->error);
}

/* before: how the step of its name that succeeded last compares with it. */
typedef struct Before {
    bool is_there, was_purged; /* purged: some run of before */
    const char *changed;
} Before;

static const char *reason_of(const PipelineStep *step, const PipelineRun *run, const Before *before,
                             Arena *arena)
{
    if (step->cached_run)
        return "nothing that it depends on has changed";
    if (!step->inputs)
        return "it has not been decided yet, or it was not to run";
    if (!before->is_there)
        return before->was_purged
                   ? "no step of its name has succeeded before in a run that was kept: older "
                     "ones were purged, with what they made"
                   : "no step of its name has succeeded before";
    if (*before->changed)
        return arena_format(arena, "changed: %s", before->changed);
    return run->is_forced ? "the run was forced" : "it always runs, or what it made was purged";
}

bool pipeline_step_explain(Scope *scope, const PipelineStep *step, JsonWriter *json)
{
    const JsonValue *then = NULL, *now;
    PipelineStep before = {0};
    PipelineRun run, other = {0};
    Before compared = {.changed = ""};
    bool found;

    if (!pipeline_run_find(scope, step->run_id, &run) ||
        !find_purged(scope, &run, &compared.was_purged) ||
        !find_before(scope, step, &before, &found) || !read_inputs(scope, step, &now) ||
        (found && !read_inputs(scope, &before, &then)) ||
        (found && !pipeline_run_find(scope, before.run_id, &other)))
        return false;
    json_text(json, "decision", step->cached_run ? "cached" : step->status);
    if (found)
        json_int(json, "compared_with", other.number);
    compared.is_there = found;
    if (found && now)
        compared.changed = compare(then, now, json, scope->arena);
    json_text(json, "reason", reason_of(step, &run, &compared, scope->arena));
    json_raw(json, "result", step->result);
    return true;
}
