/* experiment.h: an experiment is a named group of runs that are compared. */
#pragma once

#include "access/scope.h"

typedef struct Experiment {
    int64_t id;
    const char *name; /* unique, also among deleted ones */
    bool is_deleted;
    int64_t created_at, updated_at;
    int64_t run_count;
} Experiment;

typedef struct ExperimentList {
    Experiment *items;
    size_t count;
} ExperimentList;

/* Inside a write. Conflict when the name is taken. */
bool experiment_create(Scope *scope, const char *name, Experiment *experiment) MUST_CHECK;

/* Inside a write. The one with this name, made if it is missing. */
bool experiment_ensure(Scope *scope, const char *name, Experiment *experiment) MUST_CHECK;
bool experiment_find(Scope *scope, int64_t id, Experiment *experiment) MUST_CHECK;
bool experiment_find_by_name(Scope *scope, const char *name, Experiment *experiment) MUST_CHECK;
bool experiment_list(Scope *scope, ExperimentList *list) MUST_CHECK;
bool experiment_delete(Scope *scope, int64_t id) MUST_CHECK;
bool experiment_restore(Scope *scope, int64_t id) MUST_CHECK;
void experiment_write_json(JsonWriter *json, const char *key, const Experiment *experiment);
