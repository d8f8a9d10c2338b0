/* gate_judge.c: the gate from the outside: gathers what is compared, has a child compare it, keeps
 * the verdict. Every way out that is not a decision by numbers is a refusal. */

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "access/event.h"
#include "base/time.h"
#include "base/worker.h"
#include "pipelines/gate.h"
#include "pipelines/project.h"
#include "pipelines/step_job.h"
#include "registry/package.h"

enum { GATE_TIMEOUT_MS = 30 * 60 * 1000 };

/* One judgement under way. */
typedef struct Judgement {
    Scope *scope;
    const Endpoint *endpoint;
    const ModelVersion *version;
    GateRule rule;   /* the endpoint's, with the metric that it comes to */
    ModelTask task;  /* of the version */
    Holdout holdout; /* digest NULL until it was found; of a forecast only its data set is known */
    DatasetVersion data;
    const JsonValue *numbers; /* the step's result; NULL until there is one */
    GateDecision decision;
} Judgement;

/* Before anything is drawn or read. */
static bool check_version(Judgement *judgement)
{
    Scope *scope = judgement->scope;
    const ModelVersion *version = judgement->version;

    if (!model_version_need_package(scope, version))
        return false;
    if (!package_check_kind(scope->platform->artifacts, version->package, scope->arena,
                            &scope->error))
        return fail_in(&scope->error, "version %" PRId64 " of \"%s\" cannot be judged",
                       version->version, version->model);
    if (!package_task(scope->platform->artifacts, version->package, scope->arena, &judgement->task,
                      &scope->error))
        return false;
    return version->dataset ||
           fail(&scope->error, ERROR_CONFLICT,
                "version %" PRId64 " of \"%s\" does not say what data it is of, whose hold-out "
                "would judge it: name \"data\" where it is registered",
                version->version, version->model);
}

/* The hold-out is the project's own, and the challenger must have been kept away from that one. One
 * that was trained says so; of one that was registered the child finds out by what its package says
 * that it has learnt from. */
static bool find_holdout(Judgement *judgement)
{
    Scope *scope = judgement->scope;
    const ModelVersion *version = judgement->version;
    const char *project = judgement->endpoint->project;
    Holdout *holdout = &judgement->holdout;

    if (!(version->holdout_digest ? holdout_find(scope, project, version->dataset, holdout)
                                  : project_ensure_holdout(scope, project, version->dataset,
                                                           version->dataset_version, holdout)))
        return false;
    if (version->holdout_digest && strcmp(holdout->rows, version->holdout_digest) != 0)
        return fail(&scope->error, ERROR_CONFLICT,
                    "version %" PRId64 " of \"%s\" was kept from another hold-out (%.12s) than the "
                    "project's frozen one (%.12s)",
                    version->version, version->model, version->holdout_digest, holdout->rows);
    return dataset_version_find(scope, version->dataset, judgement->holdout.dataset_version,
                                &judgement->data);
}

/* A forecast is judged on the last dates of its own data. */
static bool find_rows(Judgement *judgement)
{
    const ModelVersion *version = judgement->version;

    if (judgement->task != TASK_FORECAST)
        return find_holdout(judgement);
    judgement->holdout = (Holdout){.dataset = version->dataset};
    return dataset_version_find(judgement->scope, version->dataset, version->dataset_version,
                                &judgement->data);
}

/* What only one of the two kinds of gates reads. */
static void write_rows(JsonWriter *json, const Judgement *judgement)
{
    ArtifactStore *artifacts = judgement->scope->platform->artifacts;
    Arena *arena = judgement->scope->arena;

    if (judgement->task == TASK_FORECAST) {
        json_text(json, "task", model_task_name(judgement->task));
        json_text(json, "rows", artifact_path(artifacts, judgement->data.rows, arena));
        return;
    }
    json_text(json, "holdout", artifact_path(artifacts, judgement->holdout.rows, arena));
    json_text(json, "holdout_digest", judgement->holdout.rows);
}

static const char *step_job(const Judgement *judgement)
{
    Arena *arena = judgement->scope->arena;
    const Platform *platform = judgement->scope->platform;
    JsonWriter *json = json_writer_create(arena);

    json_open_object(json, NULL);
    {
        json_text(json, "artifacts", arena_format(arena, "%s/artifacts", platform->folder));
        json_text(json, "challenger", judgement->version->package);
        json_text(json, "champion",
                  judgement->endpoint->model ? judgement->endpoint->package : NULL);
        write_rows(json, judgement);
        dataset_columns_write_json(json, "columns", &judgement->data.columns);
        json_text(json, "metric", judgement->rule.metric);
        json_bool(json, "may_choose_metric", gate_rule_is_default(&judgement->rule));
        json_double(json, "level", judgement->rule.level);
    }
    json_close(json);
    return json_finish(json);
}

static bool run_step(Judgement *judgement)
{
    WorkerSpec spec = {
        .step = "gate",
        .job = step_job(judgement),
        .timeout_ms = GATE_TIMEOUT_MS,
    };

    return worker_run(&spec, judgement->scope->arena, &judgement->numbers,
                      &judgement->scope->error);
}

/* What is absent is NaN, and NaN is refused. */
static GateNumbers read_numbers(const Judgement *judgement)
{
    const JsonValue *numbers = judgement->numbers, *interval = json_member(numbers, "interval");

    return (GateNumbers){
        .has_champion = judgement->endpoint->model != NULL,
        .challenger = json_as_double(json_member(numbers, "challenger"), NAN),
        .champion = json_as_double(json_member(numbers, "champion"), NAN),
        .baseline = json_as_double(json_member(numbers, "baseline"), NAN),
        .interval =
            {
                .champion = json_as_double(json_member(interval, "champion"), NAN),
                .challenger = json_as_double(json_member(interval, "challenger"), NAN),
                .difference = json_as_double(json_member(interval, "difference"), NAN),
                .low = json_as_double(json_member(interval, "low"), NAN),
                .high = json_as_double(json_member(interval, "high"), NAN),
            },
    };
}

static bool verify_package(Judgement *judgement)
{
    Scope *scope = judgement->scope;

    return package_verify(scope, judgement->version->package) ||
           fail_in(&scope->error, "accepted by its numbers, but it cannot be served");
}

/* For the reason in the scope's error; warnings stay. */
static void refuse(Judgement *judgement)
{
    Scope *scope = judgement->scope;

    judgement->decision.outcome = GATE_REFUSED;
    judgement->decision.finding = "refused";
    judgement->decision.reason = arena_text(scope->arena, scope->error.message);
    scope->error = (Error){0};
}

static void decide(Judgement *judgement)
{
    Scope *scope = judgement->scope;
    GateNumbers numbers;

    if (!gate_rule_check(&judgement->rule, &scope->error)) {
        fail_in(&scope->error, "the gate's rule cannot decide");
        refuse(judgement);
        return;
    }
    if (!check_version(judgement) || !find_rows(judgement) || !run_step(judgement)) {
        refuse(judgement);
        return;
    }
    numbers = read_numbers(judgement);
    judgement->rule.metric =
        json_as_text(json_member(judgement->numbers, "metric"), judgement->rule.metric);
    judgement->decision = gate_decide(&judgement->rule, &numbers, scope->arena);
    if (judgement->decision.outcome == GATE_ACCEPTED && !verify_package(judgement))
        refuse(judgement);
}

/* The verdict. */

static void write_contender(JsonWriter *json, const char *role, const char *model, int64_t version,
                            const JsonValue *numbers)
{
    if (!model) {
        json_null(json, role);
        return;
    }
    json_open_object(json, role);
    {
        json_text(json, "model", model);
        json_int(json, "version", version);
        json_double(json, "value", json_as_double(json_member(numbers, role), NAN));
    }
    json_close(json);
}

static void write_dates(JsonWriter *json, const JsonValue *numbers)
{
    json_int(json, "series", json_as_int(json_member(numbers, "series"), 0));
    json_text(json, "first", json_as_text(json_member(numbers, "first"), NULL));
    json_text(json, "last", json_as_text(json_member(numbers, "last"), NULL));
}

static void write_holdout(JsonWriter *json, const Judgement *judgement)
{
    json_open_object(json, "holdout");
    {
        json_text(json, "digest", judgement->holdout.rows);
        json_text(json, "dataset", judgement->holdout.dataset);
        json_int(json, "rows", json_as_int(json_member(judgement->numbers, "rows"), 0));
        if (judgement->task == TASK_FORECAST)
            write_dates(json, judgement->numbers);
    }
    json_close(json);
}

static void write_interval(JsonWriter *json, const Judgement *judgement)
{
    const JsonValue *interval = json_member(judgement->numbers, "interval");

    json_double(json, "difference", json_as_double(json_member(interval, "difference"), NAN));
    json_open_object(json, "interval");
    {
        json_double(json, "low", json_as_double(json_member(interval, "low"), NAN));
        json_double(json, "high", json_as_double(json_member(interval, "high"), NAN));
        json_double(json, "level", judgement->rule.level);
        json_int(json, "resamples", json_as_int(json_member(interval, "resamples"), 0));
    }
    json_close(json);
}

static const char *verdict_json(const Judgement *judgement)
{
    JsonWriter *json = json_writer_create(judgement->scope->arena);
    const GateDecision *decision = &judgement->decision;
    const Endpoint *endpoint = judgement->endpoint;
    const JsonValue *metrics = json_member(judgement->numbers, "metrics");
    const JsonValue *notes = json_member(judgement->numbers, "notes");

    json_open_object(json, NULL);
    {
        json_text(json, "outcome", gate_outcome_name(decision->outcome));
        json_text(json, "finding", decision->finding);
        json_text(json, "reason", decision->reason);
        json_text(json, "metric", judgement->rule.metric);
        write_contender(json, "challenger", judgement->version->model, judgement->version->version,
                        judgement->numbers);
        write_contender(json, "champion", endpoint->model, endpoint->version, judgement->numbers);
        json_double(json, "baseline",
                    json_as_double(json_member(judgement->numbers, "baseline"), NAN));
        if (endpoint->model)
            write_interval(json, judgement);
        json_bool(json, "within_noise", decision->within_noise);
        write_holdout(json, judgement);
        gate_rule_write_json(json, "rule", &judgement->rule);
        json_texts(json, "warnings", &decision->warnings);
        if (notes)
            json_raw(json, "notes", json_print(notes, judgement->scope->arena));
        json_raw(json, "metrics", metrics ? json_print(metrics, judgement->scope->arena) : NULL);
    }
    json_close(json);
    return json_finish(json);
}

Gate gate_judge(Scope *scope, const Endpoint *endpoint, const ModelVersion *version)
{
    Judgement judgement = {
        .scope = scope, .endpoint = endpoint, .version = version, .rule = endpoint->rule};

    decide(&judgement);
    return (Gate){
        .endpoint = endpoint->name,
        .model = version->model,
        .version = version->version,
        .outcome = gate_outcome_name(judgement.decision.outcome),
        .reason = judgement.decision.reason,
        .verdict = verdict_json(&judgement),
        .created_by = scope->principal.name,
    };
}

/* The store. */

#define SELECT_GATE                                                                                \
    "SELECT id, endpoint, model, version, outcome, reason, verdict, created_at, created_by"        \
    "  FROM gates"

static Gate from_row(const Query *query, Arena *arena)
{
    return (Gate){
        .id = query_int(query, 0),
        .endpoint = query_text(query, 1, arena),
        .model = query_text(query, 2, arena),
        .version = query_int(query, 3),
        .outcome = query_text(query, 4, arena),
        .reason = query_text(query, 5, arena),
        .verdict = query_text(query, 6, arena),
        .created_at = query_int(query, 7),
        .created_by = query_text(query, 8, arena),
    };
}

static const char *event_action(const Gate *gate)
{
    if (strcmp(gate->outcome, "accepted") == 0)
        return "gate.passed";
    return strcmp(gate->outcome, "rejected") == 0 ? "gate.rejected" : "gate.refused";
}

bool gate_record(Scope *scope, Gate *gate)
{
    static const char insert[] =
        "INSERT INTO gates"
        " (id, endpoint, model, version, outcome, reason, verdict, created_at, created_by)"
        " VALUES ((SELECT coalesce(max(id), 0) + 1 FROM gates), $1, $2, $3, $4, $5, $6, $7, $8)"
        " RETURNING id";
    int64_t now = time_now_ms();

    if (!db_get_int(scope->db, &scope->error, &gate->id, insert, db_text(gate->endpoint),
                    db_text(gate->model), db_int(gate->version), db_text(gate->outcome),
                    db_text(gate->reason), db_text(gate->verdict), db_int(now),
                    db_text(gate->created_by)))
        return false;
    gate->created_at = now;
    return event_append(scope, event_action(gate), gate->endpoint, gate->verdict) &&
           event_about(scope, EVENT_MODEL, gate->model);
}

static bool gates_take(Scope *scope, Query *query, GateList *list)
{
    while (query_next(query))
        *arena_push(scope->arena, list) = from_row(query, scope->arena);
    return query_end(query, &scope->error);
}

bool gate_list(Scope *scope, const char *endpoint, const Page *page, GateList *list)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           SELECT_GATE " WHERE endpoint = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
                           db_text(endpoint), db_int(page_before(page)), db_int(page_limit(page)));

    return gates_take(scope, &query, list);
}

bool gate_list_version(Scope *scope, const char *model, int64_t version, int64_t limit,
                       GateList *list)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           SELECT_GATE " WHERE model = $1 AND version = $2"
                                       " ORDER BY id DESC LIMIT $3",
                           db_text(model), db_int(version), db_int(limit));

    return gates_take(scope, &query, list);
}

bool gate_find_last(Scope *scope, const GateSubject *subject, int64_t until, Gate *gate,
                    bool *found)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           SELECT_GATE " WHERE endpoint = $1 AND model = $2 AND version = $3"
                                       " AND created_at <= $4 ORDER BY id DESC LIMIT 1",
                           db_text(subject->endpoint), db_text(subject->model),
                           db_int(subject->version), db_int(until));

    *found = query_next(&query);
    if (*found)
        *gate = from_row(&query, scope->arena);
    return query_end(&query, &scope->error);
}

void gate_write_json(JsonWriter *json, const char *key, const Gate *gate)
{
    json_open_object(json, key);
    {
        json_int(json, "id", gate->id);
        json_text(json, "endpoint", gate->endpoint);
        json_text(json, "model", gate->model);
        json_int(json, "version", gate->version);
        json_text(json, "outcome", gate->outcome);
        json_text(json, "reason", gate->reason);
        json_raw(json, "verdict", gate->verdict);
        json_time(json, "created_at", gate->created_at);
        json_text(json, "created_by", gate->created_by);
    }
    json_close(json);
}
