/* environment.h: where releases go ("production"), and what is demanded before anything begins
 * there.
 *
 * The rules are the server's: owners set them, a file that anyone can push may only tighten them.
 * Nothing goes to an environment that nobody has set: that nothing is demanded has to be said, too.
 * "production", which demands one approval, and "staging", which demands nothing, are there from
 * the start.
 *
 *     Environment environment;
 *
 *     if (!environment_find(scope, "production", &environment))
 *         return false;
 *     if (environment.rules.approvals > 0)
 *         ...
 */
#pragma once

#include "access/page.h"
#include "access/scope.h"

#define ENVIRONMENT_PRODUCTION "production"
#define ENVIRONMENT_STAGING    "staging"

enum {
    ENVIRONMENT_APPROVALS_MAX = 10,
    ENVIRONMENT_EXPIRES_SECONDS = 30 * 24 * 60 * 60, /* if nothing is said */
    ENVIRONMENT_EXPIRES_SECONDS_MAX = 366 * 24 * 60 * 60,
    ENVIRONMENT_WINDOWS_MAX = 20,
    ENVIRONMENT_BRANCHES_MAX = 50,
    ENVIRONMENT_BRANCH_BYTES_MAX = 256,
};

typedef struct EnvironmentRules {
    int64_t approvals;       /* by so many people; 0: nobody is asked */
    bool four_eyes;          /* who asked is none of them */
    int64_t expires_seconds; /* what nobody approved by then is rejected */
    TextList windows;        /* of time_window.h, in which it may begin; none: at any time */
    TextList branches; /* patterns, "release/" and a star: a run of any other may not; none: any */
} EnvironmentRules;

extern const JsonField environment_rules_fields[]; /* of EnvironmentRules */

/* What a new one has; its approvals have to be said, and are none that environment_rules_check()
 * takes. */
EnvironmentRules environment_rules_default(void);
bool environment_rules_check(const EnvironmentRules *rules, Arena *arena, Error *error) MUST_CHECK;

/* What a file may do: at least so many approvals, and four eyes if it says so. */
void environment_rules_tighten(EnvironmentRules *rules, int64_t approvals, bool four_eyes);

/* Whether a run of this branch (NULL: of none, or of files that no commit has) may go there. */
bool environment_rules_take_branch(const EnvironmentRules *rules, const char *branch);

/* When something may begin: now_ms, or later. */
bool environment_rules_next(const EnvironmentRules *rules, int64_t now_ms, Arena *arena,
                            int64_t *next_ms, Error *error) MUST_CHECK;

typedef struct Environment {
    const char *name;
    EnvironmentRules rules;
    int64_t updated_at; /* 0: never */
    const char *updated_by;
} Environment;

typedef struct EnvironmentList {
    Environment *items;
    size_t count;
} EnvironmentList;

/* Not found, with the cure, when nobody has set it. */
bool environment_find(Scope *scope, const char *name, Environment *environment) MUST_CHECK;

/* The same to change its rules: one that nobody has set has the default ones. */
bool environment_get(Scope *scope, const char *name, Environment *environment) MUST_CHECK;

/* By name. */
bool environment_list(Scope *scope, const Page *page, EnvironmentList *list) MUST_CHECK;

/* Inside a write. Appends environment.created or environment.changed, if anything is; steps that
 * wait are looked at again then. */
bool environment_set(Scope *scope, const char *name, const EnvironmentRules *rules,
                     Environment *environment) MUST_CHECK;

/* Inside a write: what waits in an environment is looked at again. */
bool environment_wake_held(Scope *scope) MUST_CHECK;

void environment_write_json(JsonWriter *json, const char *key, const Environment *environment);
