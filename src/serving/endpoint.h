/* endpoint.h: an endpoint is a name and a URL that never change; what answers behind it does.
 *
 * Its live deployment is a model version: the champion of every gate for this endpoint. Each change
 * of it is kept, so that a rollback is one step back to the version that served before. The rule of
 * the gate is set on the server. A candidate may be tried beside what is live (candidate.h); every
 * change of what is live ends it.
 */
#pragma once

#include "registry/model.h"
#include "serving/candidate.h"
#include "serving/gate_rule.h"

typedef struct Endpoint {
    int64_t id;
    const char *name, *project;
    GateRule rule;
    const char *model; /* of the live version; NULL: nothing is deployed */
    int64_t version;
    const char *package;
    int64_t deployment_id; /* grows with each change */
    int64_t created_at, deployed_at;
    const char *deployed_by;
    Candidate candidate; /* id 0: none */
} Endpoint;

typedef struct EndpointList {
    Endpoint *items;
    size_t count;
} EndpointList;

typedef struct Deployment {
    int64_t id;
    const char *endpoint, *model;
    int64_t version;
    const char *reason; /* "deploy", "promote", "rollback"; of a candidate "canary", "shadow" */
    const char *comment, *created_by;
    int64_t created_at;
    const char *gate; /* the gate's verdict as JSON, or NULL */
} Deployment;

typedef struct DeploymentList {
    Deployment *items;
    size_t count;
} DeploymentList;

typedef struct DeploySpec {
    const char *endpoint, *project, *model, *reason, *comment;
    int64_t version;
    const char *gate;
} DeploySpec;

/* At the end of an endpoint's name: what serves there is tried, not in production. The alias that
 * follows it is "staging", not "champion". */
#define ENDPOINT_STAGING_SUFFIX "-staging"

/* All that change something are called inside a write. */

/* The endpoint with this name, made with the default rule if there is none. project NULL: any; for
 * a new one "default". A conflict when it belongs to another project. */
bool endpoint_ensure(Scope *scope, const char *name, const char *project,
                     Endpoint *endpoint) MUST_CHECK;
bool endpoint_set_rule(Scope *scope, const char *name, const GateRule *rule) MUST_CHECK;
bool endpoint_find(Scope *scope, const char *name, Endpoint *endpoint) MUST_CHECK;
/* By name; page NULL: all. */
bool endpoint_list(Scope *scope, const Page *page, EndpointList *list) MUST_CHECK;

/* The package was verified before (package_verify_step). The live version changes in one step. What
 * is live already is left as it is, and nothing is recorded. The endpoint is made if need be. The
 * version is released: it can never be deleted. */
bool endpoint_deploy(Scope *scope, const DeploySpec *spec, Endpoint *endpoint) MUST_CHECK;

/* Back to the version that served before the live one; a conflict when there is none. Rolling back
 * again walks further back, not forth. */
bool endpoint_rollback(Scope *scope, const char *name, const char *comment,
                       Endpoint *endpoint) MUST_CHECK;

/* The package that a rollback would bring back now; fails as it would. */
bool endpoint_rollback_package(Scope *scope, const char *name, const char **package) MUST_CHECK;

/* What was live, the newest first; page NULL: all. */
bool endpoint_deployments(Scope *scope, const char *name, const Page *page,
                          DeploymentList *list) MUST_CHECK;
/* Or the candidate with this number. */
bool deployment_find(Scope *scope, int64_t id, Deployment *deployment) MUST_CHECK;

/* Grows with each change of what is live anywhere, and with each candidate; 0: none yet. */
bool deployment_latest(Scope *scope, int64_t *id) MUST_CHECK;

void endpoint_write_json(JsonWriter *json, const char *key, const Endpoint *endpoint);
void deployment_write_json(JsonWriter *json, const char *key, const Deployment *deployment);
