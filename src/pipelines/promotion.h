/* promotion.h: a version becomes what an endpoint serves, if the gate lets it.
 *
 * The gate, which tries the package in a child process too, then one write: the deployment with the
 * verdict, the alias "champion", the event. What serves must still be what was judged against, or
 * nothing changes. A version that is not accepted changes nothing but the record.
 */
#pragma once

#include "pipelines/gate.h"

typedef struct PromotionSpec {
    const char *endpoint;
    const char *model;        /* NULL: named as the endpoint's project */
    const JsonValue *version; /* a number, "latest" or an alias; NULL: the latest */
    const char *comment;
} PromotionSpec;

extern const JsonField promotion_spec_fields[]; /* all but the endpoint */

typedef struct Promotion {
    bool promoted;
    Gate gate;
    Endpoint endpoint; /* as it serves now */
} Promotion;

/* Slow; writes by itself. True when a verdict was reached, whether or not it promoted. A conflict
 * when the version serves already. */
bool promotion_run(Scope *scope, const PromotionSpec *spec, Promotion *promotion) MUST_CHECK;
