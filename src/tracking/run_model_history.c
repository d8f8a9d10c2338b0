/* run_model_history.c: the models of a run in MLflow 2's way: a tag with a list in JSON. */

#include <string.h>

#include "tracking/run_internal.h"

#define HISTORY_TAG "mlflow.log-model.history"

static bool read_model(Scope *scope, const char *text, const JsonValue **model)
{
    static const char *const members[] = {"run_id", "artifact_path", "utc_time_created", "flavors"};
    const JsonValue *read = NULL;

    if (!json_parse_python(text, strlen(text), scope->arena, &read, &scope->error))
        return fail_in(&scope->error, "the model");
    for (size_t i = 0; i < COUNT(members); i++)
        if (json_is_null(json_member(read, members[i])))
            return fail_field(&scope->error, "model_json",
                              "a model is an object with \"run_id\", \"artifact_path\", "
                              "\"utc_time_created\" and \"flavors\"");
    *model = read;
    return true;
}

static bool read_history(Scope *scope, const Run *run, const JsonValue **history)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db, "SELECT " DETAIL_VALUE " FROM run_tags WHERE run_key = $1 AND key = $2",
                 db_int(run->key), db_text(HISTORY_TAG));
    const char *text = query_next(&query) ? query_text(&query, 0, scope->arena) : "[]";

    if (!query_end(&query, &scope->error))
        return false;
    if (json_parse_python(text, strlen(text), scope->arena, history, &(Error){0}) &&
        json_is_array(*history))
        return true;
    return fail(&scope->error, ERROR_CONFLICT,
                "the tag \"" HISTORY_TAG "\" of run \"%s\" is no list of models", run->id);
}

/* NULL: the model is in it already, for it was sent twice. */
static const char *extend(const JsonValue *history, const char *model, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_open_array(json, NULL);
    for (JsonWalk walk = json_walk(history); json_walk_next(&walk);) {
        const char *printed = json_print(walk.value, arena);

        if (text_equal(printed, model))
            return NULL;
        json_raw(json, NULL, printed);
    }
    json_raw(json, NULL, model);
    json_close(json);
    return json_finish(json);
}

bool run_log_model_history(Scope *scope, const char *run_id, const char *model_json)
{
    const JsonValue *model = NULL, *history = NULL;
    Param tag = {.key = HISTORY_TAG};
    ParamList tags = {&tag, 1};
    Run run;

    if (!read_model(scope, model_json, &model) || !run_find_writable(scope, run_id, &run) ||
        !read_history(scope, &run, &history))
        return false;
    tag.value = extend(history, json_print(model, scope->arena), scope->arena);
    return !tag.value || (param_list_check("tag", &tags, TAG_CHARACTERS_MAX, &scope->error) &&
                          run_put_tags(scope, &run, &tags));
}
