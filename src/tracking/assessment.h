/* assessment.h: what a person, a program or a model thinks of a trace: a feedback, what was
 * expected of it, or an issue that it shows.
 *
 * Its value is JSON as MLflow's clients send and read it. One that overrides another makes it
 * invalid; when it is deleted, the other is valid again. The same assessment sent again is one
 * assessment: its id comes of its content.
 */
#pragma once

#include "access/scope.h"

enum {
    ASSESSMENT_NAME_CHARACTERS_MAX = 250,
    ASSESSMENT_VALUE_BYTES_MAX = 1024 * 1024,
    ASSESSMENTS_MAX = 1000, /* of one trace */
};

typedef struct Assessment {
    const char *id, *name;
    const char *kind;  /* "feedback", "expectation" or "issue" */
    const char *value; /* JSON: what stands behind that member */
    const char *source_type, *source_id, *span_id, *rationale; /* or NULL */
    const char *metadata;                                      /* a JSON object, or NULL */
    const char *overrides;                                     /* an id, or NULL */
    bool is_invalid;
    int64_t created_at, updated_at;
} Assessment;

typedef struct AssessmentList {
    Assessment *items;
    size_t count;
} AssessmentList;

/* What NULL leaves as it is. metadata is merged into what is there. */
typedef struct AssessmentChange {
    const char *name, *kind, *value, *rationale;
    const JsonValue *metadata;
} AssessmentChange;

/* All that change something inside a write. given->id NULL: of its content. */
bool assessment_create(Scope *scope, const char *trace_id, const Assessment *given,
                       Assessment *created) MUST_CHECK;
bool assessment_find(Scope *scope, const char *trace_id, const char *id,
                     Assessment *found) MUST_CHECK;
bool assessment_update(Scope *scope, const char *trace_id, const char *id,
                       const AssessmentChange *change, Assessment *updated) MUST_CHECK;

/* Of one that is not there it does nothing. */
bool assessment_delete(Scope *scope, const char *trace_id, const char *id) MUST_CHECK;

/* Of the trace with this row, by their times. */
bool assessment_list(Scope *scope, int64_t trace_key, AssessmentList *list) MUST_CHECK;
bool assessment_add(Scope *scope, int64_t trace_key, const char *trace_id, const Assessment *given,
                    Assessment *added) MUST_CHECK;
