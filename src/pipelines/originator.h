/* originator.h: who caused a run, whom four eyes keep from approving what it does.
 *
 * Whoever started it, put the files that it runs, pushed them, or added the data that it is about.
 * Those count by the word of this server, or of the signed body of a hook; one of them that cannot
 * be told to be somebody here makes the originators unknown. Whoever a commit says to have written
 * it is kept out, too, but makes nobody known: a commit says what its maker wants.
 *
 *     OriginatorList list = {0};
 *
 *     originators_add(&list, scope->arena, (Originator){"octocat", ORIGINATOR_PUSHED});
 *     if (!originators_resolve(scope, &list))
 *         return false;
 *     if (!originators_are_known(&list) || originators_find(&list, "ada"))
 *         ...
 */
#pragma once

#include "access/scope.h"

enum { ORIGINATOR_BYTES_MAX = 256 };

#define ORIGINATOR_STARTED "started"
#define ORIGINATOR_PUT     "put"
#define ORIGINATOR_ADDED   "added"      /* the data */
#define ORIGINATOR_MADE    "registered" /* the version */
#define ORIGINATOR_PUSHED  "pushed"     /* by a name of where it was pushed to */
#define ORIGINATOR_WRITTEN "written"    /* by what the commit says */

typedef struct Originator {
    const char *name;      /* NULL: somebody whom nobody has named */
    const char *did;       /* one of those above */
    const char *principal; /* whom that means here; NULL: nobody, as far as is known */
    bool is_known;         /* for sure */
} Originator;

typedef struct OriginatorList {
    Originator *items;
    size_t count;
} OriginatorList;

/* Once. A name that is too long or not UTF-8 counts as none. */
void originators_add(OriginatorList *list, Arena *arena, Originator originator);
void originators_add_all(OriginatorList *list, Arena *arena, const OriginatorList *others);

/* Who acts, unless it is the server of itself. */
void originators_add_caller(OriginatorList *list, const Scope *scope, const char *did);

/* Fills in whom the names mean now. */
bool originators_resolve(Scope *scope, OriginatorList *list) MUST_CHECK;

/* Of resolved ones: pure. Whether each of those who count is somebody; none at all are not. */
bool originators_are_known(const OriginatorList *list);

/* The one that means this person, or NULL. */
const Originator *originators_find(const OriginatorList *list, const char *person);

void originators_write_json(JsonWriter *json, const char *key, const OriginatorList *list);

/* As it is kept: a JSON list. */
const char *originators_print(const OriginatorList *list, Arena *arena);
bool originators_parse(const char *text, Arena *arena, OriginatorList *list,
                       Error *error) MUST_CHECK;
