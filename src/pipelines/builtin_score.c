/* builtin_score.c: "uses: score". */

#include <string.h>

#include "pipelines/builtin_chosen.h"

static bool write_keys(Scope *scope, const StepStart *start, JsonWriter *json)
{
    const char *keys = builtin_with(start, "keys");
    const JsonValue *list;

    if (!keys)
        return true;
    if (!json_parse(keys, strlen(keys), scope->arena, &list, &scope->error))
        return false;
    json_open_array(json, "keys");
    for (JsonWalk walk = json_walk(list); json_walk_next(&walk);)
        json_text(json, NULL,
                  json_is_text(walk.value) ? json_as_text(walk.value, "")
                                           : json_print(walk.value, scope->arena));
    json_close(json);
    return true;
}

static bool write_output(Scope *scope, const BuiltinStep *step, JsonWriter *json)
{
    const char *path, *form;

    if (!builtin_path(scope, step->start, "output", &path))
        return false;
    if (!builtin_text_form(path, &form))
        return fail_field(&scope->error, "output", "\"%.200s\" is neither a .csv nor a .jsonl file",
                          path);
    json_text(json, "output", arena_format(scope->arena, "%s/work/%s", step->folder, path));
    return true;
}

static bool prepare(Scope *scope, const BuiltinStep *step, const char **job)
{
    JsonWriter *json = json_writer_create(scope->arena);
    ModelVersion version;

    if (!builtin_chosen_version(scope, step->start, &version))
        return false;
    json_open_object(json, NULL);
    builtin_chosen_write_version(scope, &version, json);
    if (!builtin_chosen_write_rows(scope, step, json) || !write_keys(scope, step->start, json) ||
        !write_output(scope, step, json))
        return false;
    json_close(json);
    *job = json_finish(json);
    return true;
}

static bool finish(Scope *scope, const BuiltinStep *step, AttemptEnd *end)
{
    (void)step;
    end->result = json_print(json_member(end->document, "result"), scope->arena);
    return true;
}

const Builtin builtin_score = {
    .name = "score",
    .worker = "score",
    .inputs = builtin_chosen_write_inputs,
    .prepare = prepare,
    .finish = finish,
};
