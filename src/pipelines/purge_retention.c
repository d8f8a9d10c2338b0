/* purge_retention.c: runs of pipelines that their rule keeps no longer.
 *
 * What stays whatever the rule: a run that is under way or waits for people; the last that
 * succeeded; one that made a version which was not deleted or ever served, put one at an endpoint,
 * or was approved; and one that a run which stays took something from the cache of, or does again.
 *
 * A run that goes keeps its row, so that its number and the key of its trigger are never used
 * again, and of its attempts those whose tracked run is there, so that it is known who caused that.
 * It is marked first, in one transaction with its event: from then on nothing is taken from its
 * cache, and the next purge goes on with it whatever happens. */

#include <inttypes.h>
#include <string.h>

#include "access/event.h"
#include "base/crash.h"
#include "base/time.h"
#include "pipelines/purge_internal.h"

enum { ROWS_PER_UNIT = 2000, ROWS_PER_RUN = 20 };

#define DAY_MS INT64_C(86400000)

#define VERSION_STAYS "(v.deleted_at IS NULL OR v.released_at IS NOT NULL)"

/* Of a run r that has ended, as one word: 'due', or what keeps it. */
#define RUN_STATE                                                                                  \
    " CASE WHEN r.number = (SELECT MAX(number) FROM pipeline_runs"                                 \
    "                        WHERE project = r.project AND status = 'succeeded')"                  \
    "      THEN 'last'"                                                                            \
    "      WHEN EXISTS (SELECT 1 FROM step_attempts a JOIN model_versions v"                       \
    "                       ON v.run_id = a.tracked_run"                                           \
    "                    WHERE a.run_id = r.id AND " VERSION_STAYS ") OR"                          \
    "           EXISTS (SELECT 1 FROM step_attempts a"                                             \
    "                     JOIN logged_models m ON m.source_run_id = a.tracked_run"                 \
    "                     JOIN model_versions v ON v.logged_model_id = m.id"                       \
    "                    WHERE a.run_id = r.id AND " VERSION_STAYS ") OR"                          \
    "           EXISTS (SELECT 1 FROM pipeline_steps s"                                            \
    "                     JOIN models m ON m.name = json_extract(s.result, '$.model')"             \
    "                     JOIN model_versions v ON v.model_id = m.id"                              \
    "                      AND v.version = json_extract(s.result, '$.version')"                    \
    "                    WHERE s.run_id = r.id AND s.status = 'succeeded'"                         \
    "                      AND json_extract(s.spec, '$.uses') = 'register'"                        \
    "                      AND " VERSION_STAYS ")"                                                 \
    "      THEN 'version'"                                                                         \
    "      WHEN EXISTS (SELECT 1 FROM deployments WHERE comment ="                                 \
    "                   'pipeline run ' || r.project || '#' || r.number) OR"                       \
    "           EXISTS (SELECT 1 FROM candidates WHERE comment ="                                  \
    "                   'pipeline run ' || r.project || '#' || r.number)"                          \
    "      THEN 'served'"                                                                          \
    "      WHEN EXISTS (SELECT 1 FROM approvals"                                                   \
    "                    WHERE run_id = r.id AND status = 'approved') THEN 'approved'"             \
    "      ELSE 'due' END"

/* ---- what is due ---- */

static bool find_edge(Scope *scope, RetentionEdge *edge)
{
    const RetentionSpec *spec = &edge->rule.spec;
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db,
                 "SELECT number FROM pipeline_runs WHERE project = $1 AND purged_at IS NULL"
                 " ORDER BY number DESC LIMIT 1 OFFSET $2",
                 db_text(edge->project), db_int(spec->runs - 1));

    edge->below = query_next(&query) ? query_int(&query, 0) : 0;
    edge->before = time_now_ms() - spec->days * DAY_MS;
    return query_end(&query, &scope->error);
}

static const char *kept_reason(const char *state)
{
    static const struct {
        const char *state, *reason;
    } reasons[] = {
        {"last", "it is the last that succeeded"},
        {"version", "a version of a model came from it"},
        {"served", "it put a version at an endpoint"},
        {"approved", "it was approved"},
    };

    for (size_t i = 0; i < COUNT(reasons); i++)
        if (strcmp(reasons[i].state, state) == 0)
            return reasons[i].reason;
    return "a run that stays took steps of it, or does it again";
}

static void keep(Scope *scope, const RetentionEdge *edge, int64_t number, const char *state,
                 PurgeReport *report)
{
    if (report->kept_count++ < PURGE_KEPT_MAX)
        *arena_push(scope->arena, &report->kept) = (PurgeKept){
            "pipeline run",
            arena_format(scope->arena, "%s#%" PRId64, edge->project, number),
            kept_reason(state),
        };
}

/* Those that the rule does not keep, with what keeps them all the same. */
static bool find_due(Scope *scope, const RetentionEdge *edge, PurgePlan *plan, PurgeReport *report)
{
    static const char sql[] =
        "WITH RECURSIVE old(id, state) AS MATERIALIZED ("
        "  SELECT r.id," RUN_STATE " FROM pipeline_runs r WHERE r.project = $1"
        "     AND r.number < $2 AND r.ended_at <= $3 AND r.purged_at IS NULL),"
        " uses(id, other) AS MATERIALIZED ("
        "  SELECT DISTINCT s.run_id, s.cached_run FROM pipeline_runs r"
        "    JOIN pipeline_steps s ON s.run_id = r.id"
        "   WHERE r.project = $1 AND s.cached_run IS NOT NULL"
        "  UNION SELECT id, reproduces FROM pipeline_runs"
        "   WHERE project = $1 AND reproduces IS NOT NULL),"
        " kept(id) AS ("
        "  SELECT id FROM pipeline_runs WHERE project = $1 AND purged_at IS NULL"
        "     AND id NOT IN (SELECT id FROM old WHERE state = 'due')"
        "  UNION SELECT u.other FROM kept k JOIN uses u ON u.id = k.id)"
        " SELECT r.rowid, r.number, CASE WHEN o.state = 'due' AND o.id IN (SELECT id FROM kept)"
        "                                THEN 'used' ELSE o.state END"
        "   FROM old o JOIN pipeline_runs r ON r.id = o.id ORDER BY r.rowid";
    CLEANUP(arena_cleanup) Arena *turn = arena_create();
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db, sql, db_text(edge->project), db_int(edge->below), db_int(edge->before));

    for (; query_next(&query); arena_reset(turn)) {
        const char *state = query_text(&query, 2, turn);

        if (strcmp(state, "due") == 0)
            *arena_push(scope->arena, &plan->pipeline_runs) =
                (PurgeItem){.key = query_int(&query, 0)};
        else
            keep(scope, edge, query_int(&query, 1), state, report);
    }
    return query_end(&query, &scope->error);
}

/* Each project that a rule holds for. */
static bool find_edges(Scope *scope, PurgePlan *plan)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db, "SELECT DISTINCT project FROM pipeline_runs r WHERE EXISTS (SELECT 1"
                            " FROM retentions WHERE project IN (r.project, '" RETENTION_OF_ALL "'))"
                            " ORDER BY project");

    while (query_next(&query)) {
        RetentionEdge edge = {.project = query_text(&query, 0, scope->arena)};
        bool found;

        if (!retention_find(scope, edge.project, &edge.rule, &found) ||
            (found && !find_edge(scope, &edge)))
            return false;
        if (found)
            *arena_push(scope->arena, &plan->edges) = edge;
    }
    return query_end(&query, &scope->error);
}

/* Those that a purge which was stopped or killed had begun with. */
static bool find_begun(Scope *scope, PurgePlan *plan)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, "SELECT r.rowid FROM pipeline_runs r"
                                      " WHERE r.purged_at IS NOT NULL AND EXISTS"
                                      " (SELECT 1 FROM pipeline_steps WHERE run_id = r.id)");

    while (query_next(&query))
        *arena_push(scope->arena, &plan->pipeline_runs) = (PurgeItem){.key = query_int(&query, 0)};
    return query_end(&query, &scope->error);
}

bool purge_plan_pipelines(Scope *scope, PurgePlan *plan, PurgeReport *report)
{
    if (!find_begun(scope, plan) || !find_edges(scope, plan))
        return false;
    for (size_t i = 0; i < plan->edges.count; i++)
        if (!find_due(scope, &plan->edges.items[i], plan, report))
            return false;
    purge_sort(&plan->pipeline_runs);
    return true;
}

/* ---- one run ---- */

typedef struct Row {
    const char *id, *project, *status;
    int64_t number, ended_at, steps;
    bool is_marked, is_due;
} Row;

static bool read_row(Scope *scope, int64_t key, Row *row)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT r.id, r.project, r.status, r.number, r.ended_at,"
                           " r.purged_at IS NOT NULL,"
                           " (SELECT COUNT(*) FROM pipeline_steps WHERE run_id = r.id)," RUN_STATE
                           " = 'due' FROM pipeline_runs r WHERE r.rowid = $1",
                           db_int(key));

    if (query_next(&query))
        *row = (Row){
            .id = query_text(&query, 0, scope->arena),
            .project = query_text(&query, 1, scope->arena),
            .status = query_text(&query, 2, scope->arena),
            .number = query_int(&query, 3),
            .ended_at = query_int(&query, 4),
            .is_marked = query_int(&query, 5),
            .steps = query_int(&query, 6),
            .is_due = query_int(&query, 7),
        };
    return query_end(&query, &scope->error);
}

/* By a run that does not go with this purge: one that has begun since it was planned. */
static bool is_used(Scope *scope, const PurgePlan *plan, const Row *row, bool *is)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT DISTINCT r.rowid FROM pipeline_steps s"
                           " JOIN pipeline_runs r ON r.id = s.run_id"
                           " WHERE s.cached_run = $1 AND r.id <> $1 AND r.purged_at IS NULL"
                           " UNION SELECT rowid FROM pipeline_runs"
                           " WHERE reproduces = $1 AND purged_at IS NULL",
                           db_text(row->id));

    *is = false;
    while (query_next(&query) && !*is)
        *is = !purge_find(&plan->pipeline_runs, query_int(&query, 0));
    return query_end(&query, &scope->error);
}

/* The rule may have been changed meanwhile. */
static bool has_rule(Scope *scope, const PurgePlan *plan, const Row *row, Retention *rule,
                     bool *has)
{
    bool found;

    *has = false;
    if (!retention_find(scope, row->project, rule, &found))
        return false;
    for (size_t i = 0; found && i < plan->edges.count; i++) {
        const RetentionEdge *edge = &plan->edges.items[i];

        if (strcmp(edge->project, row->project) == 0)
            *has =
                edge->rule.spec.runs == rule->spec.runs && edge->rule.spec.days == rule->spec.days;
    }
    return true;
}

static bool append_purged(Scope *scope, const Row *row, const Retention *rule)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    json_text(json, "id", row->id);
    json_text(json, "status", row->status);
    json_time(json, "ended_at", row->ended_at);
    json_int(json, "steps", row->steps);
    json_open_object(json, "retention");
    json_text(json, "project", rule->project);
    json_int(json, "runs", rule->spec.runs);
    json_int(json, "days", rule->spec.days);
    json_close(json);
    json_close(json);
    return event_append(scope, "pipeline_run.purged",
                        arena_format(scope->arena, "%s#%" PRId64, row->project, row->number),
                        json_finish(json));
}

static bool mark(Scope *scope, const PurgePlan *plan, Row *row)
{
    bool is_used_now, has = false;
    Retention rule = {0};

    if (row->is_marked || !row->is_due)
        return true;
    if (!is_used(scope, plan, row, &is_used_now) || !has_rule(scope, plan, row, &rule, &has))
        return false;
    row->is_marked = has && !is_used_now;
    return !row->is_marked ||
           (db_run(scope->db, &scope->error,
                   "UPDATE pipeline_runs SET purged_at = $2, tree = NULL WHERE id = $1",
                   db_text(row->id), db_int(time_now_ms())) &&
            append_purged(scope, row, &rule));
}

/* Each leaves less than it found, until it finds nothing; the steps are the last, by which it is
 * known that there is something left. */
static const char *const delete_some[] = {
    "DELETE FROM pipeline_edges WHERE run_id = $1 AND (step, next) IN"
    " (SELECT step, next FROM pipeline_edges WHERE run_id = $1 LIMIT $2)",
    "DELETE FROM step_attempts WHERE run_id = $1 AND (position, attempt) IN"
    " (SELECT a.position, a.attempt FROM step_attempts a WHERE a.run_id = $1"
    "     AND NOT EXISTS (SELECT 1 FROM runs WHERE id = a.tracked_run) LIMIT $2)",
    "UPDATE step_attempts SET log_digest = NULL, handle = NULL, usage = NULL"
    " WHERE run_id = $1 AND (position, attempt) IN"
    " (SELECT position, attempt FROM step_attempts WHERE run_id = $1"
    "     AND (log_digest IS NOT NULL OR handle IS NOT NULL OR usage IS NOT NULL) LIMIT $2)",
    "DELETE FROM step_cache WHERE run_id = $1 AND (project, cache_key) IN"
    " (SELECT r.project, s.cache_key FROM pipeline_runs r JOIN pipeline_steps s ON s.run_id = r.id"
    "   WHERE r.id = $1 ORDER BY s.position LIMIT $2)",
    "DELETE FROM pipeline_steps WHERE run_id = $1 AND position IN"
    " (SELECT position FROM pipeline_steps WHERE run_id = $1 ORDER BY position LIMIT $2)",
};

/* Entries of the cache go with the same steps, so both get the rows that were left before. */
static bool remove_rows(Scope *scope, const Row *row, int64_t *rows, bool *is_gone)
{
    int64_t left = *rows;

    for (size_t i = 0; i < COUNT(delete_some); i++) {
        bool is_cache = i == COUNT(delete_some) - 2;

        if (!db_run(scope->db, &scope->error, delete_some[i], db_text(row->id), db_int(left)))
            return false;
        if (is_cache)
            continue;
        left -= db_changes(scope->db);
        if (left <= 0)
            break;
    }
    *rows = left;
    *is_gone = left > 0;
    return true;
}

/* ---- all of them ---- */

typedef struct Progress {
    const PurgePlan *plan;
    size_t at;
    ArtifactTally gone;
} Progress;

static bool purge_unit(Scope *scope, void *context)
{
    Progress *progress = context;
    const PurgeItemList *list = &progress->plan->pipeline_runs;
    int64_t rows = ROWS_PER_UNIT;

    while (progress->at < list->count && rows > 0) {
        const PurgeItem *item = &list->items[progress->at];
        bool is_gone = true;
        Row row = {0};

        if (!read_row(scope, item->key, &row) || !mark(scope, progress->plan, &row) ||
            (row.is_marked && !remove_rows(scope, &row, &rows, &is_gone)))
            return false;
        if (!is_gone)
            return true;
        rows -= ROWS_PER_RUN;
        progress->at++;
        progress->gone.count += row.is_marked;
        progress->gone.bytes += row.is_marked ? item->bytes : 0;
    }
    return true;
}

bool purge_pipelines(Scope *scope, const PurgeSpec *spec, const PurgePlan *plan,
                     ArtifactTally *gone)
{
    Progress progress = {.plan = plan};

    while (progress.at < plan->pipeline_runs.count) {
        Progress next = progress;

        if (!purge_write_unit(scope, spec, purge_unit, &next))
            return false;
        progress = next;
        *gone = progress.gone;
    }
    return true;
}
