/* import.h: one request of /api/v1/import under way. */
#pragma once

#include "api/mlflow.h"
#include "tracking/moving.h"

typedef struct Refusal {
    const char *what, *why;
} Refusal;

typedef struct RefusalList {
    Refusal *items;
    size_t count;
} RefusalList;

typedef struct Mapping {
    const char *there;
    Experiment experiment;
    bool is_new;
} Mapping;

typedef struct MappingList {
    Mapping *items;
    size_t count;
} MappingList;

/* One request under way. */
typedef struct Import {
    Scope *scope;
    MovingCounts counts;
    RefusalList refusals; /* the first of them */
    int64_t refused;
    MappingList mappings;
    struct {
        int64_t *items;
        size_t count;
    } wanted;        /* files whose bytes are not here, by their place in the request */
    int64_t file_at; /* the place of the one that is taken */
} Import;

typedef bool ImportTake(Import *import, const JsonValue *value);

/* "deleted", as MLflow says it. */
bool import_is_deleted(const char *lifecycle_stage);

/* Inside a write. Each item stands for itself: what cannot be here is named, and the others come.
 */
bool import_take_all(Import *import, const char *kind, const JsonValue *items,
                     ImportTake *take) MUST_CHECK;
void import_write_answer(JsonWriter *json, const Import *import);

ImportTake import_take_logged_model, import_take_model, import_take_alias;
