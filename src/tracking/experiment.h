/* experiment.h: an experiment is a named group of runs that are compared.
 *
 * Experiment 0, "Default", exists from the start. A deleted experiment keeps its name, its runs are
 * deleted with it, and restoring it restores all of its runs.
 */
#pragma once

#include "access/page.h"
#include "access/scope.h"
#include "base/text.h"
#include "tracking/param.h"

typedef struct Experiment {
    int64_t id;
    const char *name;              /* unique, also among deleted ones */
    const char *artifact_location; /* a URI; its runs have their files below */
    bool is_deleted;
    int64_t created_at, updated_at;
    int64_t run_count; /* without deleted ones and trials; see experiment_count_runs() */
    ParamList tags;
} Experiment;

typedef struct ExperimentList {
    Experiment *items;
    size_t count;
} ExperimentList;

typedef struct ExperimentSpec {
    const char *name;
    const char *artifact_location; /* NULL: with the server, "mlflow-artifacts:/7" */
    ParamList tags;                /* WORKSPACE_TAG among them says in which workspace it is */
} ExperimentSpec;

/* Inside a write. ERROR_EXISTS when the name is taken. */
bool experiment_create(Scope *scope, const ExperimentSpec *spec, Experiment *experiment) MUST_CHECK;

/* Inside a write. The one with this name, made if it is missing; ERROR_EXISTS when it is deleted.
 */
bool experiment_ensure(Scope *scope, const char *name, Experiment *experiment) MUST_CHECK;
bool experiment_find(Scope *scope, int64_t id, Experiment *experiment) MUST_CHECK;

/* Counts the runs of a found one, which looks at each: only for who shows the number. */
bool experiment_count_runs(Scope *scope, Experiment *experiment) MUST_CHECK;
bool experiment_find_by_name(Scope *scope, const char *name, Experiment *experiment) MUST_CHECK;

/* Not found when it is missing, a conflict when it is deleted; for what is done often. */
bool experiment_check_active(Scope *scope, int64_t id) MUST_CHECK;

typedef struct ExperimentFilter {
    bool with_deleted;
    int64_t after; /* only those with a greater id; -1: from the first */
    Page page;     /* its limit alone */
} ExperimentFilter;

/* By id; filter NULL: all that are not deleted. */
bool experiment_list(Scope *scope, const ExperimentFilter *filter, ExperimentList *list) MUST_CHECK;

enum { EXPERIMENT_LIMIT_MAX = 50000 };

typedef enum ExperimentLife {
    EXPERIMENT_LIFE_ACTIVE,
    EXPERIMENT_LIFE_DELETED,
    EXPERIMENT_LIFE_ALL,
} ExperimentLife;

/* What MLflow's search asks. */
typedef struct ExperimentSearch {
    const char *filter; /* see search_filter.h; NULL: all */
    TextList order_by;  /* none: newest first; ties by id: of an order given the greatest first */
    ExperimentLife life;
    int64_t limit; /* 1 to EXPERIMENT_LIMIT_MAX */
    int64_t offset;
} ExperimentSearch;

bool experiment_search(Scope *scope, const ExperimentSearch *search, ExperimentList *list,
                       bool *has_more) MUST_CHECK;

/* Inside a write, as all below. Deleting a deleted one and restoring an active one do nothing. */
bool experiment_delete(Scope *scope, int64_t id) MUST_CHECK;
bool experiment_restore(Scope *scope, int64_t id) MUST_CHECK;
bool experiment_rename(Scope *scope, int64_t id, const char *name) MUST_CHECK;
bool experiment_set_tags(Scope *scope, int64_t id, const ParamList *tags) MUST_CHECK;

/* Not found when it has no such tag. */
bool experiment_delete_tag(Scope *scope, int64_t id, const char *key) MUST_CHECK;

/* given, or where the server keeps the files of an experiment of this number. */
const char *experiment_location(int64_t id, const char *given, Arena *arena);

void experiment_write_json(JsonWriter *json, const char *key, const Experiment *experiment);
