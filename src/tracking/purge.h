/* purge.h: what was deleted is removed for good, some rows at a time.
 *
 * Each call is a unit of work that deletes no more rows than it is given, and takes from these what
 * it deleted; is_gone says whether anything is left. What was begun cannot be restored any more,
 * and the next call goes on, also after a stop between the two. The bytes of files stay in the
 * artifact store until nothing refers to them (store/artifact_purge.h).
 *
 * Who may be purged is not asked here.
 */
#pragma once

#include "access/scope.h"

/* In an INSERT: greater than all that was ever given, also to what was purged. */
#define NEXT_RUN_KEY                                                                               \
    "(SELECT max(id) + 1 FROM (SELECT coalesce(max(key), 0) AS id FROM runs"                       \
    "   UNION ALL SELECT id FROM purged_ids WHERE noun = 'run') AS given)"
#define NEXT_EXPERIMENT_ID                                                                         \
    "(SELECT max(id) + 1 FROM (SELECT coalesce(max(id), 0) AS id FROM experiments"                 \
    "   UNION ALL SELECT id FROM purged_ids WHERE noun = 'experiment') AS given)"

typedef struct PurgeTable {
    const char *table;
    const char *delete_some; /* of $1, at most $2 rows */
    bool has_files;          /* whose experiment and size it returns */
} PurgeTable;

/* Every table that has rows by run_key, by model_key, or by trace_key; end with {0}. Tests compare
 * them with the schema. */
extern const PurgeTable run_purge_tables[], logged_model_purge_tables[], trace_purge_tables[];

/* All inside a write. */
bool run_purge(Scope *scope, int64_t key, int64_t *rows, bool *is_gone) MUST_CHECK;
bool logged_model_purge(Scope *scope, int64_t key, int64_t *rows, bool *is_gone) MUST_CHECK;

/* One without runs and logged models; its traces go with it. */
bool experiment_purge(Scope *scope, int64_t id, int64_t *rows, bool *is_gone) MUST_CHECK;

/* What was noted of a data set that no run says it used any more. */
bool logged_dataset_purge(Scope *scope, int64_t key, int64_t *rows, bool *is_gone) MUST_CHECK;
