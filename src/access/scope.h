/* scope.h: one unit of work and everything it may touch.
 *
 * A scope lives for one request, one pipeline step or one command. Domain
 * functions take it first, put what they return in its arena and what went
 * wrong in its error; when it ends, all of it goes at once. base, store and ml
 * do not know scopes: they take the arena or the error that they need.
 *
 * A scope reads through a connection that cannot write. Changes are made inside scope_write(),
 * which runs them on the writer's thread in one transaction; every public domain function that
 * changes something says "inside a write".
 */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "store/artifact.h"
#include "store/db.h"
#include "store/writer.h"

/* Each role may do what those before it may. */
typedef enum Role {
    ROLE_ANYONE,      /* not even signed in: probes */
    ROLE_VIEWER,      /* reads, predicts */
    ROLE_STEP,        /* logs to its run, registers versions; no token is made with it */
    ROLE_CONTRIBUTOR, /* data, training, versions, staging */
    ROLE_APPROVER,    /* production */
    ROLE_OWNER,       /* tokens, rules, purging */
} Role;

const char *role_name(Role role);

/* By its name, a role that a token may have. */
bool role_find(const char *name, Role *role);

/* The least role that a token needs where this one is enough. */
Role role_of_token(Role role);

/* Names of nobody's token. */
#define PRINCIPAL_LOCAL  "local"   /* whoever reaches a server that demands no token */
#define PRINCIPAL_SERVER "slipway" /* what the server does of itself */

/* Who acts. */
typedef struct Principal {
    const char *name; /* one of those above, the name of a token, or "spam#12/train": a step, which
                         no token can be called */
    Role role;
    const char *run_id; /* of a ROLE_STEP: the run that it logs to, */
    int64_t experiment; /* and where that is */
} Principal;

/* The long-lived parts that every scope shares. Owned by the server (or the command that runs
 * alone). */
typedef struct Platform {
    const char *folder;    /* the data folder */
    const char *temporary; /* a folder in it for work under way, emptied at start */
    ArtifactStore *artifacts;
    Writer *writer;
    struct Outbox *outbox;        /* notify/outbox.h; NULL: nobody sends */
    const char *const *executors; /* names (pipelines/executors.h); NULL: "local" alone */
} Platform;

/* What a unit of work is done for: its events are found by it. */
typedef struct Topic {
    const char *project;      /* or NULL */
    const char *pipeline_run; /* "spam#3", or NULL */
} Topic;

typedef struct Scope {
    const Platform *platform;
    Db *db; /* for reading; inside scope_write() the writing connection */
    Arena *arena;
    Principal principal;
    const char *request_id; /* or NULL */
    Topic topic;            /* whoever goes on to something else in the same unit of work says so */
    Error error;
} Scope;

/* One transaction: work gets a scope whose db may write, sharing this scope's arena and principal.
 * Nested calls join the outer one and undo themselves alone. false: nothing was changed and
 * scope->error says why. Work must be quick (see writer.h). */
typedef bool ScopeWork(Scope *scope, void *context);
bool scope_write(Scope *scope, ScopeWork *work, void *context) MUST_CHECK;

/* The same without waiting. done() is called on the writer's thread when the changes are durable or
 * undone, which scope->error then says; until then the scope, its arena and context are left alone.
 * Never within a write. */
typedef void ScopeDone(Scope *scope, void *context, bool durable);
void scope_write_later(Scope *scope, ScopeWork *work, ScopeDone *done, void *context);

/* Of a look-up: what is not there is no failure, and *found says so. done: what it returned. */
bool scope_settle(Scope *scope, bool done, bool *found) MUST_CHECK;
