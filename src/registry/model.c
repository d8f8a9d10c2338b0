#include "registry/model.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/time.h"
#include "registry/model_internal.h"

enum { NAME_CHARACTERS_MAX = 256, DESCRIPTION_CHARACTERS_MAX = 5000 };

/* Every select starts with these columns, in the order from_row() reads. */
#define SELECT_MODEL                                                                               \
    "SELECT id, name, description, created_at, updated_at,"                                        \
    "       (SELECT max(version) FROM model_versions"                                              \
    "         WHERE model_id = models.id AND deleted_at IS NULL)"                                  \
    "  FROM models"

static RegisteredModel from_row(const Query *query, Arena *arena)
{
    return (RegisteredModel){
        .id = query_int(query, 0),
        .name = query_text(query, 1, arena),
        .description = query_text(query, 2, arena),
        .created_at = query_int(query, 3),
        .updated_at = query_int(query, 4),
        .latest_version = query_int(query, 5),
    };
}

static bool load_tags(Scope *scope, RegisteredModel *model)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db, "SELECT key, value FROM model_tags WHERE model_id = $1 ORDER BY key",
                 db_int(model->id));

    return param_list_from_rows(&query, scope->arena, &model->tags, &scope->error);
}

/* The first row of a select, if there is one. */
static bool read_one(Scope *scope, Query *query, RegisteredModel *model, bool *found)
{
    RegisteredModel taken;

    *found = query_next(query);
    if (!*found)
        return query_end(query, &scope->error);
    taken = from_row(query, scope->arena);
    if (!load_tags(scope, &taken))
        return false;
    *model = taken;
    return true;
}

static bool find_name(Scope *scope, const char *name, RegisteredModel *model, bool *found)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_MODEL " WHERE name = $1", db_text(name));

    return read_one(scope, &query, model, found);
}

bool model_find_by_id(Scope *scope, int64_t id, RegisteredModel *model)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_MODEL " WHERE id = $1", db_int(id));
    bool found = false;

    return read_one(scope, &query, model, &found) &&
           (found || fail(&scope->error, ERROR_NOT_FOUND, "the model does not exist any more"));
}

bool model_find(Scope *scope, const char *name, RegisteredModel *model)
{
    bool found = false;

    if (!find_name(scope, name, model, &found))
        return false;
    return found || fail(&scope->error, ERROR_NOT_FOUND, "model \"%.256s\" does not exist", name);
}

static bool name_is_fit(const char *name)
{
    size_t length = text_characters(name);
    bool has_visible = false;

    if (length < 1 || length > NAME_CHARACTERS_MAX || !text_is_utf8(name, strlen(name)) ||
        strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    for (const char *at = name; *at; at++) {
        if (iscntrl((unsigned char)*at) || *at == '/' || *at == ':')
            return false;
        has_visible |= *at != ' ';
    }
    return has_visible;
}

bool model_description_check(Scope *scope, const char *description)
{
    if (description && text_characters(description) > DESCRIPTION_CHARACTERS_MAX)
        return fail_field(&scope->error, "description", "a description has at most %d characters",
                          DESCRIPTION_CHARACTERS_MAX);
    return true;
}

static bool insert(Scope *scope, const char *name, const char *description)
{
    return db_run(scope->db, &scope->error,
                  "INSERT INTO models"
                  "  (id, name, description, last_version, created_at, updated_at)"
                  "VALUES ((SELECT coalesce(max(id), 0) + 1 FROM models), $1, $2, 0, $3, $3)",
                  db_text(name), db_text(description ? description : ""), db_int(time_now_ms()));
}

bool model_name_check(Scope *scope, const char *name)
{
    return name_is_fit(name) ||
           fail_field(&scope->error, "name",
                      "a model name has 1 to %d characters without \"/\", \":\" and control "
                      "characters",
                      NAME_CHARACTERS_MAX);
}

static bool check_new(Scope *scope, const char *name)
{
    RegisteredModel model;
    bool found = false;

    if (!model_name_check(scope, name) || !find_name(scope, name, &model, &found))
        return false;
    return !found || fail(&scope->error, ERROR_EXISTS, "model \"%s\" already exists", name);
}

bool model_touch(Scope *scope, int64_t id)
{
    return db_run(scope->db, &scope->error, "UPDATE models SET updated_at = $2 WHERE id = $1",
                  db_int(id), db_int(time_now_ms()));
}

static bool put_tags(Scope *scope, const char *name, int64_t id, const ParamList *tags)
{
    static const char sql[] = "INSERT INTO model_tags(model_id, key, value) VALUES ($1, $2, $3)"
                              "ON CONFLICT (model_id, key) DO UPDATE SET value = excluded.value";
    JsonWriter *detail = json_writer_create(scope->arena);

    for (size_t i = 0; i < tags->count; i++)
        if (!db_run(scope->db, &scope->error, sql, db_int(id), db_text(tags->items[i].key),
                    db_text(tags->items[i].value)))
            return false;
    param_list_write_json(detail, NULL, tags);
    return model_touch(scope, id) && event_append(scope, "model.tagged", name, json_finish(detail));
}

bool model_create(Scope *scope, const char *name, const char *description, const ParamList *tags,
                  RegisteredModel *model)
{
    static const ParamList none;
    const ParamList *given = tags ? tags : &none;
    RegisteredModel made;

    if (!check_new(scope, name) || !model_description_check(scope, description) ||
        !param_list_check("tag", given, MODEL_TAG_CHARACTERS_MAX, &scope->error) ||
        !insert(scope, name, description) || !event_append(scope, "model.created", name, NULL) ||
        !model_find(scope, name, &made))
        return false;
    return (!given->count || put_tags(scope, name, made.id, given)) &&
           model_tell_created(scope, name, description, given) && model_find(scope, name, model);
}

bool model_ensure(Scope *scope, const char *name, RegisteredModel *model)
{
    bool found = false;

    if (!find_name(scope, name, model, &found))
        return false;
    return found || model_create(scope, name, NULL, NULL, model);
}

bool model_list(Scope *scope, const Page *page, ModelList *list)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_MODEL " WHERE name > $1 ORDER BY name LIMIT $2",
                           db_text(page_after(page)), db_int(page_limit(page)));
    ModelList taken = {0};

    while (query_next(&query))
        *arena_push(scope->arena, &taken) = from_row(&query, scope->arena);
    if (!query_end(&query, &scope->error))
        return false;
    for (size_t i = 0; i < taken.count; i++)
        if (!load_tags(scope, &taken.items[i]))
            return false;
    *list = taken;
    return true;
}

/* Of a tag that is given twice, the last one counts. */
bool model_is_prompt(const ParamList *tags)
{
    bool is = false;

    for (size_t i = 0; i < tags->count; i++)
        if (strcmp(tags->items[i].key, MODEL_PROMPT_TAG) == 0)
            is = strcasecmp(tags->items[i].value, "true") == 0;
    return is;
}

static bool append_change(Scope *scope, const char *action, const char *object, const char *before,
                          const char *after)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    json_text(json, "before", before);
    json_text(json, "after", after);
    json_close(json);
    return event_append(scope, action, object, json_finish(json));
}

bool model_describe(Scope *scope, const char *name, const char *description)
{
    RegisteredModel model;

    return model_description_check(scope, description) && model_find(scope, name, &model) &&
           db_run(scope->db, &scope->error, "UPDATE models SET description = $2 WHERE id = $1",
                  db_int(model.id), db_text(description)) &&
           model_touch(scope, model.id) &&
           append_change(scope, "model.described", name, model.description, description);
}

bool model_set_tags(Scope *scope, const char *name, const ParamList *tags)
{
    RegisteredModel model;

    if (!param_list_check("tag", tags, MODEL_TAG_CHARACTERS_MAX, &scope->error) ||
        !model_find(scope, name, &model) || !put_tags(scope, name, model.id, tags) ||
        !model_find(scope, name, &model))
        return false;
    for (size_t i = 0; i < tags->count; i++)
        if (!model_tell_tag(scope, &model, &tags->items[i]))
            return false;
    return true;
}

bool model_append_untagged(Scope *scope, const char *action, const char *object, const Param *tag)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    json_text(json, "key", tag->key);
    json_text(json, "before", tag->value);
    json_close(json);
    return event_append(scope, action, object, json_finish(json));
}

bool model_delete_tag(Scope *scope, const char *name, const char *key)
{
    RegisteredModel model;
    const char *value;

    if (!model_find(scope, name, &model))
        return false;
    value = param_find(&model.tags, key);
    return !value || (db_run(scope->db, &scope->error,
                             "DELETE FROM model_tags WHERE model_id = $1 AND key = $2",
                             db_int(model.id), db_text(key)) &&
                      model_touch(scope, model.id) &&
                      model_append_untagged(scope, "model.untagged", name, &(Param){key, value}) &&
                      model_tell_tag(scope, &model, &(Param){key, NULL}));
}

/* An answer that it gave leads back to it by its name. */
static bool check_never_released(Scope *scope, const RegisteredModel *model, const char *what)
{
    int64_t count = 0;

    if (!db_get_int(scope->db, &scope->error, &count,
                    "SELECT count(*) FROM model_versions"
                    " WHERE model_id = $1 AND released_at IS NOT NULL",
                    db_int(model->id)))
        return false;
    return !count || fail(&scope->error, ERROR_CONFLICT,
                          "a version of model \"%s\" is or was in production, so the model cannot "
                          "be %s",
                          model->name, what);
}

/* Each version's history goes on under its new name: model_version_lineage() follows. */
static bool append_renamed(Scope *scope, const RegisteredModel *model, const char *new_name)
{
    CLEANUP(query_finalize)
    Query query = db_query(
        scope->db, "SELECT version FROM model_versions WHERE model_id = $1 ORDER BY version",
        db_int(model->id));

    if (!append_change(scope, "model.renamed", new_name, model->name, new_name))
        return false;
    while (query_next(&query)) {
        int64_t number = query_int(&query, 0);
        const char *before = model_version_object(scope->arena, model->name, number);
        const char *after = model_version_object(scope->arena, new_name, number);

        if (!append_change(scope, MODEL_VERSION_RENAMED, after, before, after))
            return false;
    }
    return query_end(&query, &scope->error);
}

bool model_rename(Scope *scope, const char *name, const char *new_name, RegisteredModel *model)
{
    RegisteredModel found;
    int64_t now = time_now_ms();

    if (!model_find(scope, name, &found) || !check_new(scope, new_name) ||
        !check_never_released(scope, &found, "renamed"))
        return false;
    return db_run(scope->db, &scope->error,
                  "UPDATE models SET name = $2, updated_at = $3 WHERE id = $1", db_int(found.id),
                  db_text(new_name), db_int(now)) &&
           db_run(scope->db, &scope->error,
                  "UPDATE model_versions SET updated_at = $2 WHERE model_id = $1", db_int(found.id),
                  db_int(now)) &&
           append_renamed(scope, &found, new_name) && model_find(scope, new_name, model);
}

bool model_delete(Scope *scope, const char *name)
{
    static const char *const steps[] = {
        "DELETE FROM model_aliases WHERE model_id = $1",
        ("DELETE FROM model_version_tags WHERE model_version_id IN"
         " (SELECT id FROM model_versions WHERE model_id = $1)"),
        "DELETE FROM model_versions WHERE model_id = $1",
        "DELETE FROM model_tags WHERE model_id = $1",
        "DELETE FROM models WHERE id = $1",
    };
    RegisteredModel model;

    if (!model_find(scope, name, &model) || !check_never_released(scope, &model, "deleted"))
        return false;
    for (size_t i = 0; i < COUNT(steps); i++)
        if (!db_run(scope->db, &scope->error, steps[i], db_int(model.id)))
            return false;
    return event_append(scope, "model.deleted", name, NULL);
}

void model_write_json(JsonWriter *json, const char *key, const RegisteredModel *model)
{
    json_open_object(json, key);
    {
        json_text(json, "name", model->name);
        json_text(json, "description", model->description);
        json_int(json, "latest_version", model->latest_version);
        json_time(json, "created_at", model->created_at);
        json_time(json, "updated_at", model->updated_at);
        param_list_write_json(json, "tags", &model->tags);
    }
    json_close(json);
}
