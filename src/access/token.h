/* token.h: a token lets a program act under a name with a role. Its secret is shown once and kept
 * as SHA-256 only. */
#pragma once

#include "access/page.h"
#include "access/scope.h"

typedef struct Token {
    int64_t id;
    const char *name;
    Role role;
    int64_t created_at, expires_at, revoked_at; /* 0: never */
    const char *created_by;
} Token;

typedef struct TokenList {
    Token *items;
    size_t count;
} TokenList;

typedef struct TokenSpec {
    const char *name;
    const char *role;     /* "viewer", "contributor", "approver", "owner"; NULL: viewer */
    int64_t expires_days; /* 0: never */
} TokenSpec;

extern const JsonField token_spec_fields[];

/* Inside a write. *secret is the only copy of what the caller must send: "slw_" and 64 hexadecimal
 * digits. */
bool token_create(Scope *scope, const TokenSpec *spec, Token *token,
                  const char **secret) MUST_CHECK;

/* By name, revoked ones too; page NULL: all. */
bool token_list(Scope *scope, const Page *page, TokenList *list) MUST_CHECK;

/* Those neither revoked nor expired. */
bool token_count_valid(Scope *scope, int64_t *count) MUST_CHECK;

/* Those of them that may approve; names: in their order. */
bool token_count_approvers(Scope *scope, int64_t *count) MUST_CHECK;
bool token_list_approvers(Scope *scope, TextList *names) MUST_CHECK;

/* Inside a write. It stops working with the commit. */
bool token_revoke(Scope *scope, const char *name) MUST_CHECK;

/* Who holds a secret, and for how long if nothing changes. */
typedef struct TokenHolder {
    Principal principal;
    int64_t expires_at; /* 0: never */
} TokenHolder;

/* Fails with ERROR_UNAUTHENTICATED when nobody does, or no longer. */
typedef bool TokenFind(Scope *scope, const char *secret, TokenHolder *holder);

/* Of a token of token_create(). */
bool token_find_holder(Scope *scope, const char *secret, TokenHolder *holder) MUST_CHECK;

/* The same without its end. */
bool token_authenticate(Scope *scope, const char *secret, Principal *principal) MUST_CHECK;
void token_write_json(JsonWriter *json, const char *key, const Token *token);
