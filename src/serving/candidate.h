/* candidate.h: a model version that an endpoint tries beside its live one.
 *
 * As a canary it answers a share of the requests; as a shadow it is asked what the live one was
 * asked, and its answers are logged and never given to anybody. An endpoint has one candidate or
 * none. Every set and every end is kept: each step of a share is a candidate of its own, with a
 * number of its own (no deployment has the same) and figures of its own.
 *
 * - There is one only beside something live, and of another version than that.
 * - Setting another, or another share, ends the one before ("replaced"). Setting what is set
 *   already changes nothing and records nothing.
 * - Any change of what is live ends it, in the same write: a rollback ("rolled back"), a deployment
 *   or promotion of another version ("deployed"), and one of its own version, however it came
 *   about ("promoted"). What it was compared with serves no more, or it is the same now.
 * - Its version is released: it can never be deleted, for answers lead back to it.
 * - Whether its package is sound was found out in a child before, as of a deployment.
 */
#pragma once

#include "access/page.h"
#include "base/json.h"
#include "registry/model.h"

enum { SHARE_WHOLE = 1000 }; /* shares are counted in thousandths */

struct Endpoint;

typedef struct Candidate {
    int64_t id; /* 0: there is none */
    const char *model;
    int64_t version;
    const char *package;
    int64_t share; /* of 1000 requests; of a shadow 0 */
    bool is_shadow;
    const char *comment, *created_by;
    int64_t created_at;
    int64_t ended_at; /* 0: it is set */
    const char *ended_by;
    const char *end_reason; /* "replaced", "cleared", "promoted", "deployed", "rolled back" */
    const char *end_comment;
} Candidate;

typedef struct CandidateList {
    Candidate *items;
    size_t count;
} CandidateList;

typedef struct CandidateSpec {
    const char *endpoint;
    const char *model; /* NULL: the one that is live */
    int64_t version;
    int64_t share;  /* 0 to SHARE_WHOLE */
    bool is_shadow; /* without a share */
    const char *comment;
} CandidateSpec;

/* A share from 0 to SHARE_WHOLE, or a shadow. All requests are a canary's only with a comment: it
 * is as good as deployed, and the gate was not asked. */
bool candidate_check(const CandidateSpec *spec, Error *error) MUST_CHECK;

/* All that change something are called inside a write. */

/* The package was verified before. */
bool endpoint_candidate_set(Scope *scope, const CandidateSpec *spec,
                            struct Endpoint *endpoint) MUST_CHECK;

/* All requests are the live version's again. A conflict when there is no candidate. */
bool endpoint_candidate_clear(Scope *scope, const char *name, const char *comment,
                              struct Endpoint *endpoint) MUST_CHECK;

/* It becomes the live deployment, as one of reason "promote"; the alias follows. gate: the verdict
 * as JSON, or NULL. A conflict when there is no candidate. */
bool endpoint_candidate_promote(Scope *scope, const char *name, const char *comment,
                                const char *gate, struct Endpoint *endpoint) MUST_CHECK;

/* For endpoint.c: ends the candidate of this endpoint, if there is one. */
bool endpoint_candidate_end(Scope *scope, const struct Endpoint *endpoint, const char *reason,
                            const char *comment) MUST_CHECK;

/* The newest first; page NULL: all. */
bool endpoint_candidates(Scope *scope, const char *name, const Page *page,
                         CandidateList *list) MUST_CHECK;

/* null when there is none. */
void candidate_write_json(JsonWriter *json, const char *key, const Candidate *candidate);
