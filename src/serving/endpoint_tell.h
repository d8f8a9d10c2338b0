/* endpoint_tell.h: what people and programs are told of a change of what serves. */
#pragma once

#include "notify/notice.h"
#include "serving/endpoint.h"

/* What serves from now on, and what brought it. */
typedef struct EndpointChange {
    const char *model, *package, *reason, *comment, *gate;
    int64_t version;
    int64_t origin_id; /* 0: the new deployment itself */
} EndpointChange;

/* Inside the write of the change: release.deployed, or release.rolled_back. Of what is only tried,
 * at staging, nobody is told. */
bool endpoint_tell(Scope *scope, const Endpoint *before, const EndpointChange *change) MUST_CHECK;

/* "version 3 of "spam"" */
const char *version_words(const char *model, int64_t version, Arena *arena);

/* The member "gate" and a line: what a gate's verdict (NULL: there is none) rests on. */
void gate_verdict_tell(Notice *notice, const JsonValue *verdict);
