/* hook.h: pushes to a project's repository.
 *
 * A hook is where a project's code is pushed to, and the secret that signs what says so. Whoever
 * tells of a push is believed in nothing but the name of a branch, a commit and who pushed it; the
 * repository itself is asked for the files. A push that nobody told of is found by looking at the
 * branches, at start and each minute. Each (branch, commit) is one row, so it starts at most one
 * run, by the key "push:REF:COMMIT".
 */
#pragma once

#include <stdatomic.h>

#include "access/scope.h"
#include "base/json.h"

enum { HOOK_BODY_BYTES_MAX = 4 * 1024 * 1024, HOOK_LOOK_MS = 60 * 1000 };

typedef struct Hook {
    const char *project, *repository;
    const char *secret; /* never shown again */
    int64_t looked_at;
    const char *reason; /* why looking failed; or NULL */
    int64_t created_at;
    const char *created_by;
} Hook;

typedef struct HookList {
    Hook *items;
    size_t count;
} HookList;

typedef struct Push {
    const char *project, *ref, *commit;
    const char *status; /* waiting, started, ignored, failed */
    const char *reason, *run_id;
    const char *told_by;   /* hook, look; set: it was there before the hook */
    const char *signed_by; /* of a hook: github, gitlab, azure, plain; or NULL */
    const char *pusher;    /* by the name that it has there; NULL: nobody said */
    int64_t created_at;
} Push;

typedef struct PushList {
    Push *items;
    size_t count;
} PushList;

/* Asks the repository first, whose branches count as seen. Calls scope_write() itself, where it
 * appends hook.set. A hook that is set again has a new secret. */
bool hook_set(Scope *scope, const char *project, const char *repository, Hook *hook) MUST_CHECK;
bool hook_find(Scope *scope, const char *project, Hook *hook) MUST_CHECK;
void hook_write_json(JsonWriter *json, const char *key, const Hook *hook);

/* What a request came with; each may be NULL. */
typedef struct HookSigns {
    const char *github;        /* X-Hub-Signature-256: sha256=DIGITS */
    const char *gitlab;        /* X-Gitlab-Token: the secret */
    const char *plain;         /* X-Slipway-Signature: DIGITS */
    const char *authorization; /* Basic base64(any:secret), of Azure DevOps */
} HookSigns;

/* ERROR_UNAUTHENTICATED unless one is there and every one that is there is right. */
bool hook_verify(const char *secret, const HookSigns *signs, const char *body, size_t size,
                 Error *error) MUST_CHECK;

/* Which of them was there: "github", "gitlab", "azure", "plain". */
const char *hook_signed_by(const HookSigns *signs);

/* Somebody told of a push of a project that has a hook, and was not believed: appends hook.refused,
 * at most once a minute for a project, as whoever likes may do so as often as he likes. Calls
 * scope_write() itself. */
bool hook_note_refusal(Scope *scope, const char *project, const char *reason) MUST_CHECK;

/* The pushes that a body tells of: {"ref", "after"} (GitHub, GitLab, plain) or
 * {"resource": {"refUpdates": [{"name", "newObjectId"}]}} (Azure DevOps), with who pushed:
 * "pusher" (plain), "pusher.name" or "sender.login" (GitHub), "user_username" (GitLab),
 * "resource.pushedBy.uniqueName" (Azure DevOps). Tags, and branches that were removed, are none. */
bool hook_read_pushes(const char *body, size_t size, Arena *arena, PushList *list,
                      Error *error) MUST_CHECK;

/* Inside a write: those that are new wait, and each appends push.received. Who pushed is taken over
 * while one waits that nobody has named. */
bool push_add(Scope *scope, const char *project, const char *told_by,
              const PushList *list) MUST_CHECK;

/* The newest first, at most 100. */
bool push_list(Scope *scope, const char *project, PushList *list) MUST_CHECK;
void push_write_json(JsonWriter *json, const char *key, const Push *push);

/* Looks at the branches of hooks whose minute is over (looks_at_all: of all), then starts what
 * waits; not inside a write. */
typedef struct PushTurn {
    const atomic_bool *stopped; /* or NULL */
    bool looks_at_all;
    size_t started; /* out: runs that are new */
} PushTurn;

bool push_turn(Scope *scope, PushTurn *turn) MUST_CHECK;
