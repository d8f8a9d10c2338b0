/* event_kind.h: what webhooks may be told of, by MLflow's names where MLflow has it:
 * "model_version.created" is what happened (created) to what (model_version).
 *
 * A webhook keeps the names that it was made with: a kind that is new is told to nobody who has not
 * asked for it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"

/* Of MLflow's, a prompt's follows the model's of the same event by EVENT_PROMPT_OFFSET. */
typedef enum EventKind {
    EVENT_MODEL_CREATED,
    EVENT_VERSION_CREATED,
    EVENT_VERSION_TAG_SET,
    EVENT_VERSION_TAG_DELETED,
    EVENT_ALIAS_CREATED,
    EVENT_ALIAS_DELETED,
    EVENT_PROMPT_CREATED,
    EVENT_PROMPT_VERSION_CREATED,
    EVENT_PROMPT_VERSION_TAG_SET,
    EVENT_PROMPT_VERSION_TAG_DELETED,
    EVENT_PROMPT_ALIAS_CREATED,
    EVENT_PROMPT_ALIAS_DELETED,
    EVENT_PROMPT_TAG_SET,
    EVENT_PROMPT_TAG_DELETED,
    EVENT_BUDGET_EXCEEDED, /* of MLflow's gateway, which is not here: nothing raises it */
    EVENT_RELEASE_REJECTED,
    EVENT_RELEASE_DEPLOYED,
    EVENT_RELEASE_ABORTED,
    EVENT_RELEASE_SUPERSEDED,
    EVENT_RELEASE_ROLLED_BACK,
    EVENT_APPROVAL_ASKED,
    EVENT_APPROVAL_GIVEN,
    EVENT_APPROVAL_APPROVED,
    EVENT_APPROVAL_REJECTED,
    EVENT_APPROVAL_EXPIRED,
    EVENT_APPROVAL_WITHDRAWN,
    EVENT_PIPELINE_RUN_FAILED,
    EVENT_KIND_COUNT, /* 32 at most: EventKinds has a bit for each */
} EventKind;

enum { EVENT_PROMPT_OFFSET = EVENT_PROMPT_CREATED - EVENT_MODEL_CREATED };

/* A set of kinds: the bit 1 << kind of each. */
typedef uint32_t EventKinds;

static inline EventKinds event_kind_bit(EventKind kind)
{
    return (EventKinds)1 << kind;
}

typedef struct EventKindInfo {
    const char *name;            /* "model_version.created" */
    const char *entity, *action; /* "model_version", "created" */
    const char *example;         /* the data of a test: a JSON object */
    bool is_mlflow;              /* MLflow's clients know it */
} EventKindInfo;

const EventKindInfo *event_kind_info(EventKind kind);
bool event_kind_find(const char *name, EventKind *kind);

/* The one of that name; of "approval.*" all that happen to an approval. 0: there is none. */
EventKinds event_kinds_named(const char *name);

/* Those that MLflow's clients know. */
EventKinds event_kinds_of_mlflow(void);
