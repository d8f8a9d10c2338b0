/* alias.c: names that point to one version of a model and move in one step. */

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "registry/model_internal.h"

enum { ALIAS_BYTES_MAX = 255 };

static bool is_digits(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0';
}

static bool alias_is_fit(const char *alias)
{
    size_t length = strlen(alias);

    if (length < 1 || length > ALIAS_BYTES_MAX || strcasecmp(alias, "latest") == 0 ||
        is_digits(alias) || (tolower((unsigned char)alias[0]) == 'v' && is_digits(alias + 1)))
        return false;
    for (const char *at = alias; *at; at++)
        if (!isalnum((unsigned char)*at) && *at != '-' && *at != '_')
            return false;
    return true;
}

/* Where the alias points; 0: nowhere. */
static bool find_target(Scope *scope, int64_t model_id, const char *alias, int64_t *number)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db, "SELECT version FROM model_aliases WHERE model_id = $1 AND alias = $2",
                 db_int(model_id), db_text(alias));

    *number = query_next(&query) ? query_int(&query, 0) : 0;
    return query_end(&query, &scope->error);
}

static void write_target(JsonWriter *json, const char *key, int64_t number)
{
    if (number)
        json_int(json, key, number);
    else
        json_null(json, key);
}

/* An event about version: the alias pointed to before, now points to after; 0: nowhere. */
static bool append_event(Scope *scope, const char *action, const char *object, const char *alias,
                         const int64_t targets[2])
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    json_text(json, "alias", alias);
    write_target(json, "before", targets[0]);
    write_target(json, "after", targets[1]);
    json_close(json);
    return event_append(scope, action, object, json_finish(json));
}

/* Both versions get their event, so that each one's history tells the whole of it. */
static bool append_move(Scope *scope, const char *model, const char *alias, int64_t before,
                        int64_t after)
{
    const int64_t targets[2] = {before, after};

    return (!before ||
            append_event(scope, "model_alias.removed",
                         model_version_object(scope->arena, model, before), alias, targets)) &&
           (!after ||
            append_event(scope, "model_alias.set", model_version_object(scope->arena, model, after),
                         alias, targets));
}

bool model_alias_set(Scope *scope, const char *model, const char *alias, int64_t number)
{
    RegisteredModel found;
    ModelVersion version;
    int64_t before = 0;

    if (!alias_is_fit(alias))
        return fail_field(&scope->error, "alias",
                          "an alias has 1 to %d letters, digits, \"-\" or \"_\", and is not "
                          "\"latest\", a number, or \"v\" and a number",
                          ALIAS_BYTES_MAX);
    if (!model_find(scope, model, &found) || !model_version_find(scope, model, number, &version) ||
        !find_target(scope, found.id, alias, &before))
        return false;
    if (before == number)
        return true;
    return db_run(scope->db, &scope->error,
                  "INSERT INTO model_aliases(model_id, alias, version) VALUES ($1, $2, $3)"
                  "ON CONFLICT (model_id, alias) DO UPDATE SET version = excluded.version",
                  db_int(found.id), db_text(alias), db_int(number)) &&
           model_touch(scope, found.id) && append_move(scope, model, alias, before, number) &&
           model_tell_alias(scope, &found, alias, number);
}

static bool drop(Scope *scope, const RegisteredModel *model, const char *alias, int64_t target)
{
    return db_run(scope->db, &scope->error,
                  "DELETE FROM model_aliases WHERE model_id = $1 AND alias = $2", db_int(model->id),
                  db_text(alias)) &&
           append_move(scope, model->name, alias, target, 0) &&
           model_tell_alias(scope, model, alias, 0);
}

bool model_alias_delete(Scope *scope, const char *model, const char *alias)
{
    RegisteredModel found;
    int64_t target = 0;

    if (!model_find(scope, model, &found) || !find_target(scope, found.id, alias, &target))
        return false;
    if (!target)
        return fail(&scope->error, ERROR_NOT_FOUND, "model \"%s\" has no alias \"%.255s\"",
                    found.name, alias);
    return drop(scope, &found, alias, target) && model_touch(scope, found.id);
}

bool model_alias_list(Scope *scope, const RegisteredModel *model, ModelAliasList *list)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT alias, version FROM model_aliases WHERE model_id = $1"
                           " ORDER BY alias",
                           db_int(model->id));
    ModelAliasList taken = {0};

    while (query_next(&query))
        *arena_push(scope->arena, &taken) =
            (ModelAlias){query_text(&query, 0, scope->arena), query_int(&query, 1)};
    if (!query_end(&query, &scope->error))
        return false;
    *list = taken;
    return true;
}

bool model_aliases_drop(Scope *scope, const RegisteredModel *model, int64_t number)
{
    ModelVersion version;

    if (!model_version_find(scope, model->name, number, &version))
        return false;
    for (size_t i = 0; i < version.aliases.count; i++)
        if (!drop(scope, model, version.aliases.items[i], number))
            return false;
    return true;
}

bool model_alias_find(Scope *scope, const char *model, const char *alias, ModelVersion *version)
{
    RegisteredModel found;
    int64_t number = 0;

    if (!model_find(scope, model, &found))
        return false;
    if (strcasecmp(alias, "latest") == 0)
        number = found.latest_version;
    else if (!find_target(scope, found.id, alias, &number))
        return false;
    if (!number)
        return fail(&scope->error, ERROR_NOT_FOUND,
                    strcasecmp(alias, "latest") == 0 ? "model \"%s\" has no version yet"
                                                     : "model \"%s\" has no alias \"%.255s\"",
                    found.name, alias);
    return model_version_find(scope, model, number, version);
}

bool model_version_resolve(Scope *scope, const char *model, const char *name, ModelVersion *version)
{
    RegisteredModel found;
    int64_t number = 0;

    if (!text_to_int(name, &number))
        return model_alias_find(scope, model, name, version);
    return model_find(scope, model, &found) && model_version_find(scope, model, number, version);
}
