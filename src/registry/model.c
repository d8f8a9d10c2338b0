#include "registry/model.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

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

static bool find_name(Scope *scope, const char *name, RegisteredModel *model, bool *found)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_MODEL " WHERE name = $1", db_text(name));
    RegisteredModel taken;

    *found = query_next(&query);
    if (!*found)
        return query_end(&query, &scope->error);
    taken = from_row(&query, scope->arena);
    if (!load_tags(scope, &taken))
        return false;
    *model = taken;
    return true;
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

static bool check_description(Scope *scope, const char *description)
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

bool model_create(Scope *scope, const char *name, const char *description, RegisteredModel *model)
{
    RegisteredModel created;
    bool found = false;

    if (!name_is_fit(name))
        return fail_field(&scope->error, "name",
                          "a model name has 1 to %d characters without \"/\", \":\" and control "
                          "characters",
                          NAME_CHARACTERS_MAX);
    if (!check_description(scope, description) || !find_name(scope, name, &created, &found))
        return false;
    if (found)
        return fail(&scope->error, ERROR_EXISTS, "model \"%s\" already exists", name);
    return insert(scope, name, description) && event_append(scope, "model.created", name, NULL) &&
           model_find(scope, name, model);
}

bool model_ensure(Scope *scope, const char *name, RegisteredModel *model)
{
    bool found = false;

    if (!find_name(scope, name, model, &found))
        return false;
    return found || model_create(scope, name, NULL, model);
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

bool model_touch(Scope *scope, int64_t id)
{
    return db_run(scope->db, &scope->error, "UPDATE models SET updated_at = $2 WHERE id = $1",
                  db_int(id), db_int(time_now_ms()));
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

    return check_description(scope, description) && model_find(scope, name, &model) &&
           db_run(scope->db, &scope->error, "UPDATE models SET description = $2 WHERE id = $1",
                  db_int(model.id), db_text(description)) &&
           model_touch(scope, model.id) &&
           append_change(scope, "model.described", name, model.description, description);
}

bool model_set_tags(Scope *scope, const char *name, const ParamList *tags)
{
    static const char sql[] = "INSERT INTO model_tags(model_id, key, value) VALUES ($1, $2, $3)"
                              "ON CONFLICT (model_id, key) DO UPDATE SET value = excluded.value";
    JsonWriter *detail = json_writer_create(scope->arena);
    RegisteredModel model;

    if (!param_list_check("tag", tags, MODEL_TAG_CHARACTERS_MAX, &scope->error) ||
        !model_find(scope, name, &model))
        return false;
    for (size_t i = 0; i < tags->count; i++)
        if (!db_run(scope->db, &scope->error, sql, db_int(model.id), db_text(tags->items[i].key),
                    db_text(tags->items[i].value)))
            return false;
    param_list_write_json(detail, NULL, tags);
    return model_touch(scope, model.id) &&
           event_append(scope, "model.tagged", name, json_finish(detail));
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
