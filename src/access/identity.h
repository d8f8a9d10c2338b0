/* identity.h: names of other systems that mean a principal here: a login at GitHub, a mail address,
 * a second token of the same person.
 *
 * Four eyes are about people, and what is pushed comes under the names of where it was pushed to.
 * What such a name means only an owner says: whoever may choose a name there could take that of
 * somebody here. A principal without a token that works is nobody: who had that one acts under
 * another name today.
 *
 *     IdentityMeaning meaning;
 *
 *     if (!identity_resolve(scope, "ada@example.com", &meaning))
 *         return false;
 *     if (!meaning.principal)
 *         ... nobody knows who that is ...
 */
#pragma once

#include "access/page.h"
#include "access/scope.h"

enum { IDENTITY_NAME_BYTES_MAX = 256 };

typedef struct Identity {
    const char *name; /* in lower case: case does not count */
    const char *principal;
    int64_t created_at;
    const char *created_by;
} Identity;

typedef struct IdentityList {
    Identity *items;
    size_t count;
} IdentityList;

/* Inside a write. Of a principal that has a token. Appends identity.set, if anything changes. */
bool identity_set(Scope *scope, const char *name, const char *principal,
                  Identity *identity) MUST_CHECK;

/* Inside a write. Appends identity.removed. */
bool identity_remove(Scope *scope, const char *name) MUST_CHECK;

/* By name. */
bool identity_list(Scope *scope, const Page *page, IdentityList *list) MUST_CHECK;
void identity_write_json(JsonWriter *json, const char *key, const Identity *identity);

typedef struct IdentityMeaning {
    const char *principal; /* with a token that works; NULL: nobody */
    bool is_set;           /* an owner said so; else it is the very same name alone */
} IdentityMeaning;

bool identity_resolve(Scope *scope, const char *name, IdentityMeaning *meaning) MUST_CHECK;

/* As a person: what the name means, else the name. */
bool identity_person_of(Scope *scope, const char *name, const char **person) MUST_CHECK;

/* The same of who acts. */
bool identity_of_caller(Scope *scope, const char **person) MUST_CHECK;
