/* purge_plan.c: what is due, and what stays though it was deleted. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "pipelines/purge_internal.h"
#include "tracking/artifact_place.h"
#include "tracking/experiment.h"

/* Each of a row r as one word: 'due', what keeps it, or 'live'. $1 is until when. */
#define VERSION_STAYS "(v.deleted_at IS NULL OR v.released_at IS NOT NULL)"

/* What a run that is due is kept for, or NULL: a version of its own or of a model that it logged, a
 * release (of the run of a pipeline whose steps made the version: the pipeline's own, and those of
 * its steps), or a training that goes on. */
#define WHY_KEPT(r)                                                                                \
    "CASE WHEN EXISTS (SELECT 1 FROM model_versions v"                                             \
    "                   WHERE v.run_id = " r ".id AND " VERSION_STAYS ") OR"                       \
    "          EXISTS (SELECT 1 FROM logged_models m"                                              \
    "                    JOIN model_versions v ON v.logged_model_id = m.id"                        \
    "                   WHERE m.source_run_id = " r ".id AND " VERSION_STAYS ") THEN 'version'"    \
    "     WHEN EXISTS (SELECT 1 FROM model_versions v"                                             \
    "                    JOIN step_attempts a ON a.tracked_run = v.run_id"                         \
    "                    JOIN pipeline_runs p ON p.id = a.run_id"                                  \
    "                   WHERE p.run_id = " r ".id AND v.released_at IS NOT NULL) OR"               \
    "          EXISTS (SELECT 1 FROM step_attempts o JOIN step_attempts a ON a.run_id = o.run_id"  \
    "                    JOIN model_versions v ON v.run_id = a.tracked_run"                        \
    "                   WHERE o.tracked_run = " r ".id AND v.released_at IS NOT NULL)"             \
    "     THEN 'release'"                                                                          \
    "     WHEN EXISTS (SELECT 1 FROM trainings t"                                                  \
    "                   WHERE t.run_id = " r ".id AND t.ended_at IS NULL) THEN 'training' END"
#define KEPT_ITSELF   WHY_KEPT("r")
#define KEPT_TRAINING WHY_KEPT("parent")

/* A trial that was deleted with its training stays as long, and is not told of. */
#define RUN_STATE                                                                                  \
    " CASE WHEN r.deleted_at IS NULL THEN 'live'"                                                  \
    "      WHEN r.purged_at IS NOT NULL THEN 'due'"                                                \
    "      WHEN r.deleted_at > $1 THEN 'live'"                                                     \
    "      WHEN r.trial_of IS NOT NULL AND EXISTS"                                                 \
    "           (SELECT 1 FROM runs parent"                                                        \
    "             WHERE parent.key = r.trial_of AND parent.deleted_at = r.deleted_at"              \
    "               AND parent.purged_at IS NULL AND " KEPT_TRAINING " IS NOT NULL) THEN 'live'"   \
    "      ELSE coalesce(" KEPT_ITSELF ", 'due') END"

/* It is gone with its experiment, too. */
#define MODEL_STATE                                                                                \
    " CASE WHEN r.deleted_at <= $1 OR"                                                             \
    "           EXISTS (SELECT 1 FROM experiments e WHERE e.id = r.experiment_id"                  \
    "                      AND e.id <> 0 AND e.deleted_at <= $1)"                                  \
    "      THEN CASE WHEN EXISTS (SELECT 1 FROM model_versions v"                                  \
    "                              WHERE v.logged_model_id = r.id AND " VERSION_STAYS ")"          \
    "                THEN 'version' ELSE 'due' END"                                                \
    "      ELSE 'live' END"

#define VERSION_STATE                                                                              \
    " CASE WHEN r.deleted_at <= $1 AND r.released_at IS NULL THEN 'due' ELSE 'live' END"

#define EXPERIMENT_STATE                                                                           \
    " CASE WHEN r.deleted_at IS NULL OR r.id = 0 THEN 'live'"                                      \
    "      WHEN r.purged_at IS NULL AND r.deleted_at > $1 THEN 'live'"                             \
    "      WHEN EXISTS (SELECT 1 FROM runs WHERE experiment_id = r.id) OR"                         \
    "           EXISTS (SELECT 1 FROM logged_models WHERE experiment_id = r.id) THEN 'runs'"       \
    "      ELSE 'due' END"

/* $1 has no say in it. */
#define DATASET_STATE                                                                              \
    " CASE WHEN $1 < 0 OR"                                                                         \
    "           EXISTS (SELECT 1 FROM run_datasets WHERE dataset_key = r.key)"                     \
    "      THEN 'live' ELSE 'due' END"

/* As it will be when all else that is due is gone. */
#define EXPERIMENT_STATE_LATER                                                                     \
    " CASE WHEN EXISTS (SELECT 1 FROM runs r"                                                      \
    "                    WHERE r.experiment_id = x.id AND" RUN_STATE " <> 'due') OR"               \
    "           EXISTS (SELECT 1 FROM logged_models r"                                             \
    "                    WHERE r.experiment_id = x.id AND" MODEL_STATE " <> 'due')"                \
    "      THEN 'runs' ELSE 'due' END"

/* ---- one ---- */

bool purge_is_due(Scope *scope, PurgeNoun noun, int64_t key, int64_t until, bool *is)
{
    static const char *const sql[] = {
        [PURGE_RUN] = "SELECT 1 FROM runs r WHERE r.key = $2 AND" RUN_STATE " = 'due'",
        [PURGE_LOGGED_MODEL] =
            "SELECT 1 FROM logged_models r WHERE r.key = $2 AND" MODEL_STATE " = 'due'",
        [PURGE_MODEL_VERSION] =
            "SELECT 1 FROM model_versions r WHERE r.id = $2 AND" VERSION_STATE " = 'due'",
        [PURGE_LOGGED_DATASET] =
            "SELECT 1 FROM logged_datasets r WHERE r.key = $2 AND" DATASET_STATE " = 'due'",
        [PURGE_EXPERIMENT] =
            "SELECT 1 FROM experiments r WHERE r.id = $2 AND" EXPERIMENT_STATE " = 'due'",
    };
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, sql[noun], db_int(until), db_int(key));

    *is = query_next(&query);
    return query_end(&query, &scope->error);
}

static int compare_keys(const void *a, const void *b)
{
    const PurgeItem *one = a, *other = b;

    return (one->key > other->key) - (one->key < other->key);
}

void purge_sort(PurgeItemList *list)
{
    if (list->count)
        qsort(list->items, list->count, sizeof(*list->items), compare_keys);
}

PurgeItem *purge_find(const PurgeItemList *list, int64_t key)
{
    const PurgeItem wanted = {.key = key};

    if (!list->count)
        return NULL;
    return bsearch(&wanted, list->items, list->count, sizeof(wanted), compare_keys);
}

/* ---- what stays ---- */

typedef struct Planning {
    Scope *scope;
    PurgePlan *plan;
    PurgeReport *report;
} Planning;

static const char *version_of(Scope *scope, const char *noun, const char *id)
{
    static const char sql[] =
        "SELECT m.name, v.version FROM model_versions v JOIN models m ON m.id = v.model_id"
        " WHERE " VERSION_STAYS " AND ((v.run_id = $1 AND $2 = 'run') OR v.logged_model_id IN"
        "   (SELECT l.id FROM logged_models l WHERE l.source_run_id = $1 OR l.id = $1))"
        " ORDER BY v.id LIMIT 1";
    CLEANUP(query_finalize) Query query = db_query(scope->db, sql, db_text(id), db_text(noun));

    if (!query_next(&query))
        return "a version came from it";
    return arena_format(scope->arena, "version %" PRId64 " of model \"%s\" came from it",
                        query_int(&query, 1), query_text(&query, 0, scope->arena));
}

static void keep(Planning *planning, const char *noun, const char *name, const char *state)
{
    Scope *scope = planning->scope;
    const char *reason = "something in it stays";

    if (planning->report->kept_count++ >= PURGE_KEPT_MAX)
        return;
    if (strcmp(state, "version") == 0)
        reason = version_of(scope, noun, name);
    else if (strcmp(state, "release") == 0)
        reason = "a run of a pipeline that it belongs to made a version that was in production";
    else if (strcmp(state, "training") == 0)
        reason = "its training is not over";
    *arena_push(scope->arena, &planning->report->kept) = (PurgeKept){noun, name, reason};
}

/* ---- all ---- */

/* Rows of key, name and state, by key. */
static bool take(Planning *planning, const char *noun, const char *sql, PurgeItemList *due)
{
    Scope *scope = planning->scope;
    CLEANUP(arena_cleanup) Arena *turn = arena_create();
    CLEANUP(query_finalize) Query query = db_query(scope->db, sql, db_int(planning->plan->until));

    for (; query_next(&query); arena_reset(turn)) {
        const char *state = query_text(&query, 2, turn);

        if (strcmp(state, "due") == 0)
            *arena_push(scope->arena, due) = (PurgeItem){.key = query_int(&query, 0)};
        else if (strcmp(state, "live") != 0)
            keep(planning, noun, query_text(&query, 1, scope->arena), state);
    }
    return query_end(&query, &scope->error);
}

static int compare_roots(const void *a, const void *b)
{
    return strcmp(((const PurgeRoot *)a)->path, ((const PurgeRoot *)b)->path);
}

static bool add_model_roots(Planning *planning)
{
    Scope *scope = planning->scope;
    PurgePlan *plan = planning->plan;
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db, "SELECT m.key, m.id, m.experiment_id, e.artifact_location"
                            "  FROM logged_models m JOIN experiments e ON e.id = m.experiment_id");

    while (query_next(&query)) {
        PurgeItem *item = purge_find(&plan->logged_models, query_int(&query, 0));
        const char *location, *path;

        if (!item)
            continue;
        location = experiment_location(query_int(&query, 2), query_text(&query, 3, scope->arena),
                                       scope->arena);
        path = artifact_path_of_uri(arena_format(scope->arena, "%s/models/%s/artifacts", location,
                                                 query_text(&query, 1, scope->arena)),
                                    scope->arena);
        if (path)
            *arena_push(scope->arena, &plan->roots) = (PurgeRoot){path, item};
    }
    return query_end(&query, &scope->error);
}

static bool add_roots(Planning *planning)
{
    PurgePlan *plan = planning->plan;
    Arena *arena = planning->scope->arena;

    if (plan->logged_models.count && !add_model_roots(planning))
        return false;
    for (size_t i = 0; i < plan->experiments.count; i++)
        *arena_push(arena, &plan->roots) =
            (PurgeRoot){arena_format(arena, "%" PRId64, plan->experiments.items[i].key), NULL};
    if (plan->roots.count)
        qsort(plan->roots.items, plan->roots.count, sizeof(*plan->roots.items), compare_roots);
    return true;
}

bool purge_plan(Scope *scope, PurgePlan *plan, PurgeReport *report)
{
    Planning planning = {scope, plan, report};

    return take(&planning, "run",
                "SELECT r.key, r.id," RUN_STATE " FROM runs r"
                " WHERE r.deleted_at IS NOT NULL ORDER BY r.key",
                &plan->runs) &&
           take(&planning, "logged model",
                "SELECT r.key, r.id," MODEL_STATE " FROM logged_models r ORDER BY r.key",
                &plan->logged_models) &&
           take(&planning, "model version",
                "SELECT r.id, '', " VERSION_STATE " FROM model_versions r"
                " WHERE r.deleted_at IS NOT NULL ORDER BY r.id",
                &plan->model_versions) &&
           take(
               &planning, "experiment",
               "SELECT x.id, x.name," EXPERIMENT_STATE_LATER " FROM experiments x"
               " WHERE (x.deleted_at <= $1 OR x.purged_at IS NOT NULL) AND x.id <> 0 ORDER BY x.id",
               &plan->experiments) &&
           add_roots(&planning) && purge_plan_pipelines(scope, plan, report);
}

bool purge_find_datasets(Scope *scope, int64_t until, PurgeItemList *list)
{
    PurgePlan plan = {.until = until};
    PurgeReport unchanged = {0};
    Planning planning = {scope, &plan, &unchanged};

    return take(&planning, "data set",
                "SELECT r.key, r.name," DATASET_STATE " FROM logged_datasets r ORDER BY r.key",
                list);
}
