#include "access/identity.h"

#include <string.h>

#include "access/event.h"
#include "base/time.h"

/* Every select starts with these columns, in the order from_row() reads. */
#define SELECT_IDENTITY "SELECT name, principal, created_at, created_by FROM identities"

static Identity from_row(const Query *query, Arena *arena)
{
    return (Identity){
        .name = query_text(query, 0, arena),
        .principal = query_text(query, 1, arena),
        .created_at = query_int(query, 2),
        .created_by = query_text(query, 3, arena),
    };
}

void identity_write_json(JsonWriter *json, const char *key, const Identity *identity)
{
    json_open_object(json, key);
    {
        json_text(json, "name", identity->name);
        json_text(json, "principal", identity->principal);
        json_time(json, "created_at", identity->created_at);
        json_text(json, "created_by", identity->created_by);
    }
    json_close(json);
}

/* Logins and mail addresses are ASCII; other letters count as they are. */
static const char *folded(const char *name, Arena *arena)
{
    char *text = arena_text(arena, name);

    for (char *byte = text; *byte; byte++)
        if (*byte >= 'A' && *byte <= 'Z')
            *byte = (char)(*byte - 'A' + 'a');
    return text;
}

static bool find(Scope *scope, const char *name, Identity *identity, bool *found)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_IDENTITY " WHERE name = $1",
                           db_text(folded(name, scope->arena)));

    *found = query_next(&query);
    if (*found)
        *identity = from_row(&query, scope->arena);
    return query_end(&query, &scope->error);
}

bool identity_list(Scope *scope, const Page *page, IdentityList *list)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_IDENTITY " WHERE name > $1 ORDER BY name LIMIT $2",
                           db_text(page_after(page)), db_int(page_limit(page)));

    while (query_next(&query))
        *arena_push(scope->arena, list) = from_row(&query, scope->arena);
    return query_end(&query, &scope->error);
}

/* ---- setting ---- */

static bool check_name(const char *name, Error *error)
{
    size_t size = strlen(name);
    bool is_plain = size >= 1 && size <= IDENTITY_NAME_BYTES_MAX && text_is_utf8(name, size);

    for (const char *byte = name; *byte; byte++)
        is_plain = is_plain && (unsigned char)*byte >= ' ' && *byte != 127;
    return is_plain || fail_field(error, "name", "a name of another system has 1 to %d bytes",
                                  IDENTITY_NAME_BYTES_MAX);
}

static bool has_token(Scope *scope, const char *name, bool *has)
{
    int64_t count;

    if (!db_get_int(scope->db, &scope->error, &count,
                    "SELECT count(*) FROM tokens WHERE name = $1 AND revoked_at IS NULL"
                    " AND (expires_at IS NULL OR expires_at > $2)",
                    db_text(name), db_int(time_now_ms())))
        return false;
    *has = count > 0;
    return true;
}

/* A slip of the pen would make somebody known who is kept out of nothing. */
static bool check_principal(Scope *scope, const char *principal)
{
    bool has;

    return name_check("principal", "principal", principal, &scope->error) &&
           has_token(scope, principal, &has) &&
           (has || fail_field(&scope->error, "principal", "no token \"%s\" works here", principal));
}

static bool append_event(Scope *scope, const char *action, const char *name, const char *before,
                         const char *after)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    json_text(json, "before", before);
    json_text(json, "after", after);
    json_close(json);
    return event_append(scope, action, name, json_finish(json));
}

bool identity_set(Scope *scope, const char *name, const char *principal, Identity *identity)
{
    Identity now;
    bool found;

    if (!check_name(name, &scope->error) || !check_principal(scope, principal) ||
        !find(scope, name, &now, &found))
        return false;
    if ((!found || strcmp(now.principal, principal) != 0) &&
        (!db_run(scope->db, &scope->error,
                 "INSERT INTO identities (name, principal, created_at, created_by)"
                 " VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO UPDATE"
                 " SET principal = excluded.principal, created_at = excluded.created_at,"
                 " created_by = excluded.created_by",
                 db_text(folded(name, scope->arena)), db_text(principal), db_int(time_now_ms()),
                 db_text(scope->principal.name)) ||
         !append_event(scope, "identity.set", name, found ? now.principal : NULL, principal)))
        return false;
    return find(scope, name, identity, &found);
}

bool identity_remove(Scope *scope, const char *name)
{
    Identity now;
    bool found;

    if (!find(scope, name, &now, &found))
        return false;
    if (!found)
        return fail(&scope->error, ERROR_NOT_FOUND, "nobody has said who \"%.256s\" is", name);
    return db_run(scope->db, &scope->error, "DELETE FROM identities WHERE name = $1",
                  db_text(now.name)) &&
           append_event(scope, "identity.removed", name, now.principal, NULL);
}

/* ---- meaning ---- */

bool identity_resolve(Scope *scope, const char *name, IdentityMeaning *meaning)
{
    Identity identity;
    bool found, has;

    if (!find(scope, name, &identity, &found))
        return false;
    if (found)
        name = identity.principal;
    if (!has_token(scope, name, &has))
        return false;
    *meaning = (IdentityMeaning){.principal = has ? name : NULL, .is_set = found && has};
    return true;
}

bool identity_person_of(Scope *scope, const char *name, const char **person)
{
    IdentityMeaning meaning;

    if (!identity_resolve(scope, name, &meaning))
        return false;
    *person = meaning.principal ? meaning.principal : name;
    return true;
}

bool identity_of_caller(Scope *scope, const char **person)
{
    return identity_person_of(scope, scope->principal.name, person);
}
