/* purge_internal.h: what planning, gathering and removing share. */
#pragma once

#include "base/digest_set.h"
#include "pipelines/purge.h"
#include "pipelines/retention.h"

/* A row that is due. */
typedef struct PurgeItem {
    int64_t key;
    int64_t bytes; /* of its files; known once references are gathered */
} PurgeItem;

typedef struct PurgeItemList {
    PurgeItem *items; /* by key */
    size_t count;
} PurgeItemList;

/* Where the files of something are that is due: "7/models/m-1/artifacts" */
typedef struct PurgeRoot {
    const char *path;
    PurgeItem *item; /* or NULL */
} PurgeRoot;

typedef struct PurgeRootList {
    PurgeRoot *items; /* by path */
    size_t count;
} PurgeRootList;

/* Which runs of a project the rule does not keep: with a smaller number, that ended by then. */
typedef struct RetentionEdge {
    const char *project;
    Retention rule;
    int64_t below, before;
} RetentionEdge;

typedef struct RetentionEdgeList {
    RetentionEdge *items;
    size_t count;
} RetentionEdgeList;

typedef struct PurgePlan {
    int64_t until;
    PurgeItemList runs, logged_models, model_versions, experiments;
    PurgeItemList pipeline_runs;
    RetentionEdgeList edges;
    PurgeRootList roots;
} PurgePlan;

/* What was deleted until plan->until; what is kept goes to the report. */
bool purge_plan(Scope *scope, PurgePlan *plan, PurgeReport *report) MUST_CHECK;

/* The runs of pipelines that their rule keeps no longer, for a plan. */
bool purge_plan_pipelines(Scope *scope, PurgePlan *plan, PurgeReport *report) MUST_CHECK;

/* Removes them. What was undone is not in *gone. */
bool purge_pipelines(Scope *scope, const PurgeSpec *spec, const PurgePlan *plan,
                     ArtifactTally *gone) MUST_CHECK;

/* A unit of work with memory of its own, which goes at its end; then the pause. Fails when the
 * purge is to stop. */
bool purge_write_unit(Scope *scope, const PurgeSpec *spec, ScopeWork *work,
                      void *context) MUST_CHECK;

/* The kinds of things that a plan has, in the order in which they go. */
typedef enum PurgeNoun {
    PURGE_RUN,
    PURGE_LOGGED_MODEL,
    PURGE_MODEL_VERSION,
    PURGE_LOGGED_DATASET,
    PURGE_EXPERIMENT,
} PurgeNoun;

/* What was noted of data sets that no run uses any more: known when the runs are gone. */
bool purge_find_datasets(Scope *scope, int64_t until, PurgeItemList *list) MUST_CHECK;

/* Whether it still is due: somebody may have restored it, or made a version of it, meanwhile. */
bool purge_is_due(Scope *scope, PurgeNoun noun, int64_t key, int64_t until, bool *is) MUST_CHECK;

void purge_sort(PurgeItemList *list);

/* The item with this key, or NULL. */
PurgeItem *purge_find(const PurgeItemList *list, int64_t key);

/* Adds the digest of every blob that something refers to, but for what is in the plan, whose items
 * get their bytes; sorts the set. Fails when a package's listing cannot be read. */
bool purge_gather(Scope *scope, PurgePlan *plan, const atomic_bool *stopped,
                  DigestSet *kept) MUST_CHECK;
