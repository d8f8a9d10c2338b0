/* placement.h: the time that a model version has at an endpoint: as what is live there, or as the
 * candidate beside it.
 *
 * Deployments and candidates are kept for good, so what an endpoint served at any moment of the
 * past is as plain as what it serves now. A deployment is live from its beginning until the next
 * one of its endpoint begins; a candidate until it is written down that it ended.
 *
 *     Placement live;
 *
 *     if (!placement_live_at(scope, "spam", time_now_ms(), &live))
 *         return false;
 *     if (live.id)
 *         ...
 */
#pragma once

#include "access/scope.h"
#include "base/json.h"

typedef struct Placement {
    int64_t id; /* of the deployment, or of the candidate; 0: there was none */
    const char *endpoint, *project;
    const char *role; /* "live", "canary" or "shadow" */
    int64_t share;    /* of a canary: of 1000 requests */
    const char *model;
    int64_t version;
    const char *package;
    const char *reason; /* "deploy", "promote", "release", "rollback"; of a candidate NULL */
    const char *comment, *created_by;
    int64_t created_at;
    int64_t ended_at; /* 0: it serves still */
    const char *ended_by, *end_reason, *end_comment;
    int64_t successor_id; /* of a deployment: the next one; 0: none */
    const char *successor_model;
    int64_t successor_version;
    int64_t origin_id; /* its own, or of the deployment that a rollback brought back */
} Placement;

typedef struct PlacementList {
    Placement *items;
    size_t count;
} PlacementList;

/* What was live at the endpoint at that moment, and what was tried beside it; id 0: nothing. An
 * endpoint that does not exist is an error. */
bool placement_live_at(Scope *scope, const char *endpoint, int64_t at,
                       Placement *placement) MUST_CHECK;
bool placement_candidate_at(Scope *scope, const char *endpoint, int64_t at,
                            Placement *placement) MUST_CHECK;

/* The deployment or candidate with this number. */
bool placement_find(Scope *scope, int64_t id, Placement *placement) MUST_CHECK;

/* Where a version served or was tried, the newest first; at most limit. */
bool placement_list_version(Scope *scope, const char *model, int64_t version, int64_t limit,
                            PlacementList *list) MUST_CHECK;

void placement_write_json(JsonWriter *json, const char *key, const Placement *placement);
