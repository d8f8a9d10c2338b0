#include "tracking/logged_model.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "access/event.h"
#include "base/id.h"
#include "base/time.h"
#include "tracking/experiment.h"
#include "tracking/logged_model_internal.h"
#include "tracking/run_internal.h"
#include "tracking/step_bounds.h"

enum { NAME_CHARACTERS_MAX = 500, TYPE_CHARACTERS_MAX = 500, RUN_ID_CHARACTERS_MAX = 256 };

static const char *const status_names[] = {
    [LOGGED_MODEL_PENDING] = "PENDING",
    [LOGGED_MODEL_READY] = "READY",
    [LOGGED_MODEL_FAILED] = "FAILED",
};

const char *logged_model_status_name(LoggedModelStatus status)
{
    return status_names[status];
}

/* What a newer version may have written reads as PENDING: nobody takes it for ready. */
static LoggedModelStatus read_status(const char *name)
{
    for (size_t i = 0; i < COUNT(status_names); i++)
        if (strcmp(status_names[i], name) == 0)
            return (LoggedModelStatus)i;
    return LOGGED_MODEL_PENDING;
}

LoggedModel logged_model_from_columns(const Query *query, Arena *arena)
{
    return (LoggedModel){
        .key = query_int(query, 0),
        .id = query_text(query, 1, arena),
        .experiment_id = query_int(query, 2),
        .name = query_text(query, 3, arena),
        .user = query_text(query, 4, arena),
        .model_type = query_text(query, 5, arena),
        .source_run_id = query_text(query, 6, arena),
        .status = read_status(query_text(query, 7, arena)),
        .created_at = query_int(query, 8),
        .updated_at = query_int(query, 9),
        .is_deleted = query_int(query, 10) != 0,
    };
}

LoggedModel logged_model_from_row(const Query *query, Arena *arena)
{
    LoggedModel model = logged_model_from_columns(query, arena);

    model.artifact_uri = arena_format(
        arena, "%s/models/%s/artifacts",
        experiment_location(model.experiment_id, query_text(query, 11, arena), arena), model.id);
    return model;
}

static bool fail_missing(Scope *scope, const char *id)
{
    return fail(&scope->error, ERROR_NOT_FOUND, "Logged model with ID '%.64s' not found.", id);
}

static bool find_row(Scope *scope, const char *id, LoggedModel *model)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_LOGGED_MODEL " WHERE id = $1", db_text(id));

    if (query_next(&query)) {
        *model = logged_model_from_row(&query, scope->arena);
        return true;
    }
    return query_end(&query, &scope->error) && fail_missing(scope, id);
}

static bool find_active(Scope *scope, const char *id, LoggedModel *model)
{
    LoggedModel found;

    if (!find_row(scope, id, &found))
        return false;
    if (found.is_deleted)
        return fail_missing(scope, id);
    *model = found;
    return true;
}

static bool find_writable(Scope *scope, const char *id, LoggedModel *model)
{
    LoggedModel found;

    if (!find_active(scope, id, &found) || !step_bounds_check_logged_model(scope, &found))
        return false;
    *model = found;
    return true;
}

static bool load(Scope *scope, LoggedModel found, LoggedModel *model)
{
    LoggedModelList one = {&found, 1};

    if (!logged_model_load_details(scope, &one))
        return false;
    *model = found;
    return true;
}

bool logged_model_find(Scope *scope, const char *id, LoggedModel *model)
{
    LoggedModel found;

    return find_active(scope, id, &found) && load(scope, found, model);
}

bool logged_model_find_deleted(Scope *scope, const char *id, LoggedModel *model)
{
    LoggedModel found;

    return find_row(scope, id, &found) && load(scope, found, model);
}

static bool append_event(Scope *scope, const char *action, const LoggedModel *model)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    json_int(json, "experiment_id", model->experiment_id);
    json_text(json, "name", model->name);
    json_text(json, "status", logged_model_status_name(model->status));
    json_close(json);
    return event_append(scope, action, model->id, json_finish(json));
}

/* ---- what a model may be ---- */

/* Its name stands in URIs: "models:/..." and "runs:/..." */
static bool check_name(Scope *scope, const char *name)
{
    size_t length = text_characters(name);

    if (length < 1 || length > NAME_CHARACTERS_MAX || name[strcspn(name, "/:.%\"'")])
        return fail_field(&scope->error, "name",
                          "Invalid model name ('%.100s') provided. Model name must be a non-empty "
                          "string of at most %d characters and cannot contain the following "
                          "characters: ('/', ':', '.', '%%', '\"', \"'\")",
                          name, NAME_CHARACTERS_MAX);
    return true;
}

static bool check_length(Scope *scope, const char *what, const char *text, size_t most)
{
    return text_characters(text) <= most ||
           fail_field(&scope->error, what, "the %s of a logged model has at most %zu characters",
                      what, most);
}

/* Keys are not those of runs: clients log what their libraries call a parameter. */
static bool check_pairs(Scope *scope, const char *what, const ParamList *list, size_t value_max)
{
    if (list->count > LOGGED_MODEL_PARAMS_MAX)
        return fail_field(&scope->error, what, "a logged model takes at most %d %ss at once",
                          LOGGED_MODEL_PARAMS_MAX, what);
    for (size_t i = 0; i < list->count; i++) {
        size_t length = text_characters(list->items[i].key);

        if (length < 1 || length > KEY_CHARACTERS_MAX ||
            text_characters(list->items[i].value) > value_max)
            return fail_field(&scope->error, what,
                              "a %s of a logged model has a key of 1 to %d characters and a value "
                              "of at most %zu",
                              what, KEY_CHARACTERS_MAX, value_max);
    }
    return true;
}

bool logged_model_check_params(Scope *scope, const ParamList *params)
{
    return check_pairs(scope, "param", params, PARAM_CHARACTERS_MAX);
}

bool logged_model_check_tags(Scope *scope, const ParamList *tags)
{
    return check_pairs(scope, "tag", tags, MODEL_TAG_CHARACTERS_MAX);
}

/* ---- creating ---- */

static bool insert(Scope *scope, LoggedModel *model)
{
    static const char sql[] =
        "INSERT INTO logged_models(key, id, experiment_id, name, user_name, model_type,"
        "  source_run_id, status, created_at, updated_at)"
        "VALUES ((SELECT coalesce(max(key), 0) + 1 FROM logged_models),"
        "  $1, $2, $3, $4, $5, $6, $7, $8, $8)"
        "RETURNING key";

    return db_get_int(scope->db, &scope->error, &model->key, sql, db_text(model->id),
                      db_int(model->experiment_id), db_text(model->name), db_text(model->user),
                      db_text(model->model_type), db_text(model->source_run_id),
                      db_text(logged_model_status_name(model->status)), db_int(model->created_at));
}

static bool put_tags(Scope *scope, const LoggedModel *model, const ParamList *tags)
{
    static const char sql[] =
        "INSERT INTO logged_model_tags(model_key, key, value) VALUES ($1, $2, $3)"
        "ON CONFLICT (model_key, key) DO UPDATE SET value = excluded.value";

    for (size_t i = 0; i < tags->count; i++)
        if (!db_run(scope->db, &scope->error, sql, db_int(model->key), db_text(tags->items[i].key),
                    db_text(tags->items[i].value)))
            return false;
    return true;
}

static bool put_param(Scope *scope, const LoggedModel *model, const Param *param)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT value FROM logged_model_params"
                           " WHERE model_key = $1 AND key = $2",
                           db_int(model->key), db_text(param->key));
    const char *present = query_next(&query) ? query_text(&query, 0, scope->arena) : NULL;

    if (!query_end(&query, &scope->error))
        return false;
    if (!present)
        return db_run(scope->db, &scope->error,
                      "INSERT INTO logged_model_params(model_key, key, value) VALUES ($1, $2, $3)",
                      db_int(model->key), db_text(param->key), db_text(param->value));
    return strcmp(present, param->value) == 0 ||
           fail(&scope->error, ERROR_CONFLICT,
                "param \"%.60s\" of logged model \"%s\" has another value already and never "
                "changes",
                param->key, model->id);
}

bool logged_model_put_params(Scope *scope, const LoggedModel *model, const ParamList *params)
{
    for (size_t i = 0; i < params->count; i++)
        if (!put_param(scope, model, &params->items[i]))
            return false;
    return true;
}

bool logged_model_check(Scope *scope, const LoggedModel *model)
{
    return check_name(scope, model->name) &&
           check_length(scope, "type", model->model_type, TYPE_CHARACTERS_MAX) &&
           check_length(scope, "source run", model->source_run_id, RUN_ID_CHARACTERS_MAX);
}

bool logged_model_create(Scope *scope, const LoggedModelSpec *spec, LoggedModel *model)
{
    ParamList bounds = step_bounds_tags(scope);
    char id[ID_TEXT_SIZE];
    LoggedModel created = {
        .experiment_id = spec->experiment_id,
        .name = spec->name ? spec->name : run_name_random(scope->arena),
        .user = scope->principal.name ? scope->principal.name : "local",
        .model_type = spec->model_type ? spec->model_type : "",
        .source_run_id = spec->source_run_id ? spec->source_run_id : "",
        .status = LOGGED_MODEL_PENDING,
        .created_at = time_now_ms(),
    };

    if (!experiment_check_active(scope, created.experiment_id) ||
        !logged_model_check(scope, &created) || !logged_model_check_params(scope, &spec->params) ||
        !logged_model_check_tags(scope, &spec->tags))
        return false;
    created.id = arena_format(scope->arena, "m-%s", id_random(id));
    return insert(scope, &created) && logged_model_put_params(scope, &created, &spec->params) &&
           put_tags(scope, &created, &spec->tags) && put_tags(scope, &created, &bounds) &&
           append_event(scope, "logged_model.created", &created) &&
           logged_model_find(scope, created.id, model);
}

/* ---- changing ---- */

static bool set_status(Scope *scope, LoggedModel *model, LoggedModelStatus status)
{
    if (model->status == status)
        return true;
    model->status = status;
    model->updated_at = time_now_ms();
    return db_run(scope->db, &scope->error,
                  "UPDATE logged_models SET status = $2, updated_at = $3 WHERE key = $1",
                  db_int(model->key), db_text(logged_model_status_name(status)),
                  db_int(model->updated_at)) &&
           append_event(scope, "logged_model.finished", model);
}

bool logged_model_finish(Scope *scope, const char *id, LoggedModelStatus status, LoggedModel *model)
{
    LoggedModel found;

    return find_writable(scope, id, &found) && set_status(scope, &found, status) &&
           load(scope, found, model);
}

bool logged_model_log_params(Scope *scope, const char *id, const ParamList *params)
{
    LoggedModel model;

    return logged_model_check_params(scope, params) && find_writable(scope, id, &model) &&
           logged_model_put_params(scope, &model, params);
}

bool logged_model_set_tags(Scope *scope, const char *id, const ParamList *tags)
{
    LoggedModel model;

    return logged_model_check_tags(scope, tags) && find_writable(scope, id, &model) &&
           put_tags(scope, &model, tags);
}

bool logged_model_delete_tag(Scope *scope, const char *id, const char *key)
{
    LoggedModel model;

    if (!find_writable(scope, id, &model) ||
        !db_run(scope->db, &scope->error,
                "DELETE FROM logged_model_tags WHERE model_key = $1 AND key = $2",
                db_int(model.key), db_text(key)))
        return false;
    return db_changes(scope->db) > 0 ||
           fail(&scope->error, ERROR_NOT_FOUND,
                "No tag with key '%.60s' found for model with ID '%s'.", key, id);
}

/* MLflow's server writes a number; what a client wrote may be any text. */
static void write_version_number(JsonWriter *json, const char *version)
{
    if (*version && strspn(version, "0123456789") == strlen(version) && strlen(version) < 18)
        json_int(json, "version", strtoll(version, NULL, 10));
    else
        json_text(json, "version", version);
}

static const char *print_versions(const LoggedModelVersionList *versions, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_open_array(json, NULL);
    for (size_t i = 0; i < versions->count; i++) {
        json_open_object(json, NULL);
        json_text(json, "name", versions->items[i].name);
        write_version_number(json, versions->items[i].version);
        json_close(json);
    }
    json_close(json);
    return json_finish(json);
}

bool logged_model_add_version(Scope *scope, const char *id, const LoggedModelVersion *version)
{
    LoggedModel model;
    Param tag = {.key = MODEL_VERSIONS_TAG};

    if (!logged_model_find(scope, id, &model))
        return false;
    for (size_t i = 0; i < model.versions.count; i++)
        if (strcmp(model.versions.items[i].name, version->name) == 0 &&
            strcmp(model.versions.items[i].version, version->version) == 0)
            return true;
    *arena_push(scope->arena, &model.versions) = *version;
    tag.value = print_versions(&model.versions, scope->arena);
    return logged_model_check_tags(scope, &(ParamList){&tag, 1}) &&
           put_tags(scope, &model, &(ParamList){&tag, 1});
}

bool logged_model_delete(Scope *scope, const char *id)
{
    LoggedModel model;

    if (!find_row(scope, id, &model))
        return false;
    if (model.is_deleted)
        return true;
    return db_run(scope->db, &scope->error,
                  "UPDATE logged_models SET deleted_at = $2, updated_at = $2 WHERE key = $1",
                  db_int(model.key), db_int(time_now_ms())) &&
           append_event(scope, "logged_model.deleted", &model);
}
