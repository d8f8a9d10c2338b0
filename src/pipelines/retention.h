/* retention.h: how many runs of pipelines are kept, and for how long.
 *
 * A rule belongs to a project, or to all that have none of their own ("*"). A run goes with the
 * next purge when it is older than the newest "runs" of its project and ended more than "days" ago;
 * purge_retention.c says what stays all the same. Without a rule every run is kept. Owners set
 * them: a file that anyone can push may not.
 *
 *     Retention rule;
 *
 *     if (!retention_set(scope, "spam", &(RetentionSpec){.runs = 50, .days = 90}, &rule))
 *         return false;
 */
#pragma once

#include "access/page.h"
#include "access/scope.h"

#define RETENTION_OF_ALL "*"

enum { RETENTION_RUNS_MAX = 1000000, RETENTION_DAYS_MAX = 36500 };

typedef struct RetentionSpec {
    int64_t runs; /* 1 or more */
    int64_t days;
} RetentionSpec;

extern const JsonField retention_spec_fields[]; /* of RetentionSpec */

typedef struct Retention {
    const char *project;
    RetentionSpec spec;
    int64_t updated_at;
    const char *updated_by;
} Retention;

typedef struct RetentionList {
    Retention *items;
    size_t count;
} RetentionList;

/* The rule that holds for a project, its own or that of all; *found false: there is none. */
bool retention_find(Scope *scope, const char *project, Retention *retention,
                    bool *found) MUST_CHECK;

/* By project; RETENTION_OF_ALL is the first. */
bool retention_list(Scope *scope, const Page *page, RetentionList *list) MUST_CHECK;
bool retention_is_any(Scope *scope, bool *is) MUST_CHECK;

/* Inside a write. Appends retention.set, if anything changes. */
bool retention_set(Scope *scope, const char *project, const RetentionSpec *spec,
                   Retention *retention) MUST_CHECK;

/* Inside a write. Appends retention.removed. Not found when there was none. */
bool retention_remove(Scope *scope, const char *project) MUST_CHECK;

void retention_write_json(JsonWriter *json, const char *key, const Retention *retention);
