#include "access/token.h"

#include <string.h>

#include "access/event.h"
#include "base/digest.h"
#include "base/id.h"
#include "base/time.h"

enum { SECRET_BYTES = 32, EXPIRES_DAYS_MAX = 3650 };

static const int64_t day_ms = INT64_C(24) * 60 * 60 * 1000;

const JsonField token_spec_fields[] = {
    {"name", JSON_TEXT, offsetof(TokenSpec, name), JSON_REQUIRED, "who acts with it"},
    {"role", JSON_TEXT, offsetof(TokenSpec, role), JSON_OPTIONAL,
     "viewer (the default), contributor, approver or owner"},
    {"expires_days", JSON_INT, offsetof(TokenSpec, expires_days), JSON_OPTIONAL,
     "days until it stops working; 0: never"},
    {0},
};

#define SELECT_TOKEN                                                                               \
    "SELECT id, name, role, created_at, expires_at, revoked_at, created_by FROM tokens"

static Token from_row(const Query *query, Arena *arena)
{
    Token token = {
        .id = query_int(query, 0),
        .name = query_text(query, 1, arena),
        .created_at = query_int(query, 3),
        .expires_at = query_int(query, 4),
        .revoked_at = query_int(query, 5),
        .created_by = query_text(query, 6, arena),
    };

    /* A role that this slipway does not know stays ROLE_ANYONE: it may do nothing. */
    role_find(query_text(query, 2, arena), &token.role);
    return token;
}

static bool check_spec(Scope *scope, const TokenSpec *spec, Role *role)
{
    if (!name_check("name", "token", spec->name, &scope->error))
        return false;
    if (strcmp(spec->name, PRINCIPAL_LOCAL) == 0 || strcmp(spec->name, PRINCIPAL_SERVER) == 0)
        return fail_field(&scope->error, "name",
                          "\"%s\" is who acts without a token, so no token has that name",
                          spec->name);
    if (!role_find(spec->role ? spec->role : "viewer", role))
        return fail_field(&scope->error, "role",
                          "a role is viewer, contributor, approver or owner");
    if (*role > scope->principal.role)
        return fail(&scope->error, ERROR_FORBIDDEN,
                    "a token's role is at most that of who makes it");
    if (spec->expires_days < 0 || spec->expires_days > EXPIRES_DAYS_MAX)
        return fail_field(&scope->error, "expires_days", "\"expires_days\" is 0 (never) to %d",
                          EXPIRES_DAYS_MAX);
    return true;
}

static const char *make_secret(Arena *arena)
{
    unsigned char bytes[SECRET_BYTES];
    char digits[2 * SECRET_BYTES + 1];

    random_bytes(bytes, sizeof(bytes));
    return arena_format(arena, "slw_%s", hex_format(bytes, sizeof(bytes), digits));
}

static bool record_token(Scope *scope, const char *action, const Token *token)
{
    JsonWriter *json = json_writer_create(scope->arena);

    token_write_json(json, NULL, token);
    writer_announce(scope->platform->writer);
    return event_append(scope, action, token->name, json_finish(json));
}

bool token_create(Scope *scope, const TokenSpec *spec, Token *token, const char **secret)
{
    int64_t now = time_now_ms();
    char digest[DIGEST_TEXT_SIZE];
    Token made = {.name = spec->name, .created_at = now, .created_by = scope->principal.name};
    const char *made_secret = make_secret(scope->arena);

    if (!check_spec(scope, spec, &made.role))
        return false;
    if (spec->expires_days)
        made.expires_at = now + spec->expires_days * day_ms;
    digest_bytes(made_secret, strlen(made_secret), digest);
    if (!db_get_int(
            scope->db, &scope->error, &made.id,
            "INSERT INTO tokens (id, name, role, secret, created_at, created_by, expires_at)"
            " VALUES ((SELECT coalesce(max(id), 0) + 1 FROM tokens), $1, $2, $3, $4, $5, $6)"
            " RETURNING id",
            db_text(made.name), db_text(role_name(made.role)), db_text(digest), db_int(now),
            db_text(made.created_by), db_int_or_null(made.expires_at))) {
        if (scope->error.kind == ERROR_CONFLICT)
            return fail(&scope->error, ERROR_EXISTS, "token \"%s\" already exists", spec->name);
        return false;
    }
    if (!record_token(scope, "token.created", &made))
        return false;
    *token = made;
    *secret = made_secret;
    return true;
}

bool token_list(Scope *scope, const Page *page, TokenList *list)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_TOKEN " WHERE name > $1 ORDER BY name LIMIT $2",
                           db_text(page_after(page)), db_int(page_limit(page)));
    TokenList found = {0};

    while (query_next(&query))
        *arena_push(scope->arena, &found) = from_row(&query, scope->arena);
    if (!query_end(&query, &scope->error))
        return false;
    *list = found;
    return true;
}

bool token_count_valid(Scope *scope, int64_t *count)
{
    return db_get_int(scope->db, &scope->error, count,
                      "SELECT count(*) FROM tokens WHERE revoked_at IS NULL"
                      " AND (expires_at IS NULL OR expires_at > $1)",
                      db_int(time_now_ms()));
}

#define FROM_APPROVERS                                                                             \
    " FROM tokens WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1)"            \
    " AND role IN ('approver', 'owner')"

bool token_count_approvers(Scope *scope, int64_t *count)
{
    return db_get_int(scope->db, &scope->error, count, "SELECT count(*)" FROM_APPROVERS,
                      db_int(time_now_ms()));
}

bool token_list_approvers(Scope *scope, TextList *names)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db, "SELECT name" FROM_APPROVERS " ORDER BY name", db_int(time_now_ms()));

    while (query_next(&query))
        text_list_add(names, scope->arena, query_text(&query, 0, scope->arena));
    return query_end(&query, &scope->error);
}

static bool find_token(Scope *scope, const char *name, Token *token)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_TOKEN " WHERE name = $1", db_text(name));

    if (query_next(&query)) {
        *token = from_row(&query, scope->arena);
        return true;
    }
    return query_end(&query, &scope->error) &&
           fail(&scope->error, ERROR_NOT_FOUND, "token \"%s\" does not exist", name);
}

bool token_revoke(Scope *scope, const char *name)
{
    Token token;

    if (!find_token(scope, name, &token))
        return false;
    if (token.revoked_at)
        return fail(&scope->error, ERROR_CONFLICT, "token \"%s\" is revoked already", name);
    token.revoked_at = time_now_ms();
    return db_run(scope->db, &scope->error, "UPDATE tokens SET revoked_at = $1 WHERE id = $2",
                  db_int(token.revoked_at), db_int(token.id)) &&
           record_token(scope, "token.revoked", &token);
}

bool token_find_holder(Scope *scope, const char *secret, TokenHolder *holder)
{
    char digest[DIGEST_TEXT_SIZE];

    digest_bytes(secret, strlen(secret), digest);

    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_TOKEN " WHERE secret = $1", db_text(digest));
    Token found;

    if (!query_next(&query))
        return query_end(&query, &scope->error) &&
               fail(&scope->error, ERROR_UNAUTHENTICATED, "the token is not one of this server");
    found = from_row(&query, scope->arena);
    if (found.revoked_at)
        return fail(&scope->error, ERROR_UNAUTHENTICATED, "token \"%s\" is revoked", found.name);
    if (found.expires_at && found.expires_at <= time_now_ms())
        return fail(&scope->error, ERROR_UNAUTHENTICATED, "token \"%s\" has expired", found.name);
    *holder = (TokenHolder){{.name = found.name, .role = found.role}, found.expires_at};
    return true;
}

bool token_authenticate(Scope *scope, const char *secret, Principal *principal)
{
    TokenHolder holder;

    if (!token_find_holder(scope, secret, &holder))
        return false;
    *principal = holder.principal;
    return true;
}

void token_write_json(JsonWriter *json, const char *key, const Token *token)
{
    json_open_object(json, key);
    {
        json_text(json, "name", token->name);
        json_text(json, "role", role_name(token->role));
        json_time(json, "created_at", token->created_at);
        json_text(json, "created_by", token->created_by);
        json_time(json, "expires_at", token->expires_at);
        json_time(json, "revoked_at", token->revoked_at);
    }
    json_close(json);
}
