#include "pipelines/release_canary.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "access/event.h"
#include "base/crash.h"
#include "base/log.h"
#include "base/time.h"
#include "pipelines/builtin_release.h"
#include "pipelines/pipeline_tell.h"

enum {
    WRITE_MS = 5000, /* a look is written down at least so often */
    GAP_MS = 15000,  /* longer without one, and nobody looked */
};

/* ---- rows ---- */

#define SELECT_CANARY                                                                              \
    "SELECT run_id, endpoint, candidate_id, position, holds, until_at, limit_at, looked_at,"       \
    " record FROM release_canaries"

typedef struct ReleaseCanaryList {
    ReleaseCanary *items;
    size_t count;
} ReleaseCanaryList;

static ReleaseCanary from_row(const Query *query, Arena *arena)
{
    const char *record = query_text(query, 8, arena);
    const JsonValue *value = NULL;
    Error ignored = {0};

    if (!json_parse(record, strlen(record), arena, &value, &ignored))
        value = NULL;
    return (ReleaseCanary){
        .run_id = query_text(query, 0, arena),
        .endpoint = query_text(query, 1, arena),
        .candidate_id = query_int(query, 2),
        .position = query_int(query, 3),
        .holds = query_int(query, 4) != 0,
        .until_at = query_int(query, 5),
        .limit_at = query_int(query, 6),
        .looked_at = query_int(query, 7),
        .record = canary_record_read(value),
    };
}

static bool list_all(Scope *scope, ReleaseCanaryList *list)
{
    CLEANUP(query_finalize) Query query = db_query(scope->db, SELECT_CANARY " ORDER BY run_id");

    while (query_next(&query))
        *arena_push(scope->arena, list) = from_row(&query, scope->arena);
    return query_end(&query, &scope->error);
}

bool release_canary_find(Scope *scope, const char *run_id, ReleaseCanary *canary, bool *found)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_CANARY " WHERE run_id = $1", db_text(run_id));

    *found = query_next(&query);
    if (*found)
        *canary = from_row(&query, scope->arena);
    return query_end(&query, &scope->error);
}

static bool put(Scope *scope, const ReleaseCanary *canary)
{
    JsonWriter *json = json_writer_create(scope->arena);

    canary_record_write_json(json, NULL, &canary->record);
    return db_run(scope->db, &scope->error,
                  "INSERT INTO release_canaries (run_id, endpoint, candidate_id, position, holds,"
                  " until_at, limit_at, looked_at, record)"
                  " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (run_id) DO UPDATE SET"
                  " candidate_id = excluded.candidate_id, position = excluded.position,"
                  " holds = excluded.holds, until_at = excluded.until_at,"
                  " limit_at = excluded.limit_at, looked_at = excluded.looked_at,"
                  " record = excluded.record",
                  db_text(canary->run_id), db_text(canary->endpoint), db_int(canary->candidate_id),
                  db_int(canary->position), db_int(canary->holds), db_int(canary->until_at),
                  db_int(canary->limit_at), db_int(canary->looked_at), db_text(json_finish(json)));
}

static bool forget(Scope *scope, const char *run_id)
{
    return db_run(scope->db, &scope->error, "DELETE FROM release_canaries WHERE run_id = $1",
                  db_text(run_id));
}

/* ---- the step, for those who look at it ---- */

static double with_number(const StepStart *start, const char *name, double otherwise)
{
    const char *text = builtin_with(start, name);
    double value;

    return text && text_to_double(text, &value) ? value : otherwise;
}

static CanaryRule rule_of(const StepStart *start)
{
    CanaryRule usual = canary_rule_default();

    return (CanaryRule){
        .errors_max = with_number(start, "errors_max", usual.errors_max),
        .p99_ms_max = with_number(start, "p99_ms_max", usual.p99_ms_max),
        .requests_min = (int64_t)with_number(start, "requests_min", (double)usual.requests_min),
    };
}

/* What is known of one whose step is looked at. */
typedef struct Look {
    ReleaseCanary *canary;
    CanaryRecord written; /* its record as the store has it */
    PipelineRun run;
    PipelineStep row; /* that has set the candidate */
    StepStart start;
    Endpoint endpoint;
    CanaryJudgement judgement;
    CanaryStep step;
    const char *reason; /* of an end */
} Look;

static const char *holds_text(Scope *scope, const Look *look, int64_t now)
{
    const ReleaseCanary *canary = look->canary;
    bool is_over = now >= canary->until_at;
    char text[TIME_TEXT_SIZE];

    return arena_format(scope->arena, "%s %% of the requests %s %s",
                        builtin_with(&look->start, "share"),
                        is_over ? "and too few of them yet: waits at most until" : "until",
                        time_format(is_over ? canary->limit_at : canary->until_at, text));
}

static const char *result_json(Scope *scope, const Look *look, const char *outcome)
{
    const Candidate *candidate = &look->endpoint.candidate;
    JsonWriter *json = json_writer_create(scope->arena);
    CanaryRule rule = rule_of(&look->start);

    json_open_object(json, NULL);
    {
        json_text(json, "outcome", outcome);
        json_text(json, "judgement", look->judgement.reason);
        json_text(json, "endpoint", look->canary->endpoint);
        json_text(json, "model", candidate->model);
        json_int(json, "version", candidate->version);
        json_text(json, "package", candidate->package);
        json_int(json, "candidate", look->canary->candidate_id);
        json_double(json, "share", (double)candidate->share * 100 / SHARE_WHOLE);
        json_time(json, "since", candidate->created_at);
        json_time(json, "until", look->canary->until_at);
        json_time(json, "limit", look->canary->limit_at);
        canary_rule_write_json(json, "rule", &rule);
        json_open_object(json, "figures");
        window_write_json(json, &look->judgement.window);
        json_close(json);
    }
    json_close(json);
    return json_finish(json);
}

static bool show(Scope *scope, const Look *look, const char *outcome, const char *reason)
{
    return db_run(scope->db, &scope->error,
                  "UPDATE pipeline_steps SET reason = $3, result = $4"
                  " WHERE run_id = $1 AND position = $2",
                  db_text(look->run.id), db_int(look->row.position), db_text(reason),
                  db_text(result_json(scope, look, outcome)));
}

/* The result as it was last, of one that others have ended. */
static bool show_ended(Scope *scope, const Look *look, const char *outcome)
{
    const char *last = look->row.result ? look->row.result : "{}";
    JsonWriter *json = json_writer_create(scope->arena);
    const JsonValue *value;

    if (!json_parse(last, strlen(last), scope->arena, &value, &scope->error))
        return false;
    json_open_object(json, NULL);
    json_text(json, "outcome", outcome);
    for (JsonWalk walk = json_walk(value); json_walk_next(&walk);)
        if (strcmp(walk.key, "outcome") != 0)
            json_raw(json, walk.key, json_print(walk.value, scope->arena));
    json_close(json);
    return db_run(scope->db, &scope->error,
                  "UPDATE pipeline_steps SET result = $3 WHERE run_id = $1 AND position = $2",
                  db_text(look->run.id), db_int(look->row.position), db_text(json_finish(json)));
}

static bool append(Scope *scope, const Look *look, const char *action)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    {
        json_text(json, "endpoint", look->canary->endpoint);
        json_text(json, "step", look->row.name);
        json_int(json, "candidate", look->canary->candidate_id);
        json_text(json, "reason", look->reason);
        json_open_object(json, "figures");
        window_write_json(json, &look->judgement.window);
        json_close(json);
    }
    json_close(json);
    return event_append(scope, action, pipeline_run_title(&look->run, scope->arena),
                        json_finish(json));
}

/* ---- beginning, and the ends that others bring ---- */

bool release_canary_begin(Scope *scope, const StepStart *start, const ModelVersion *version)
{
    int64_t now = time_now_ms();
    int64_t until = now + (int64_t)with_number(start, "hold_ms", RELEASE_HOLD_MS);
    ReleaseCanary canary = {
        .run_id = start->run->id,
        .endpoint = builtin_with(start, "endpoint"),
        .position = start->row->position,
        .holds = true,
        .until_at = until,
        .limit_at = until + (int64_t)with_number(start, "wait_ms", RELEASE_WAIT_MS_MIN),
        .looked_at = now,
    };
    CandidateSpec spec = {
        .endpoint = canary.endpoint,
        .model = version->model,
        .version = version->version,
        .share = (int64_t)round(with_number(start, "share", 0) * SHARE_WHOLE / 100),
        .comment = release_comment(start->run, scope->arena),
    };
    Look look = {
        .canary = &canary,
        .run = *start->run,
        .row = *start->row,
        .start = *start,
        .judgement = {.reason = "nothing was judged yet"},
    };

    if (!endpoint_candidate_set(scope, &spec, &look.endpoint))
        return false;
    canary.candidate_id = look.endpoint.candidate.id;
    return put(scope, &canary) && show(scope, &look, "holds", holds_text(scope, &look, now));
}

bool release_canary_superseded(Scope *scope, const ReleaseCanary *canary)
{
    Page page = {.limit = 1, .before = canary->candidate_id + 1};
    const Candidate *ended;
    CandidateList list;

    if (!endpoint_candidates(scope, canary->endpoint, &page, &list))
        return false;
    ended = list.count && list.items[0].id == canary->candidate_id ? &list.items[0] : NULL;
    return fail(&scope->error, ERROR_CONFLICT,
                RELEASE_SUPERSEDED
                "what the run tried at endpoint \"%s\" was ended by %s (%s); run again",
                canary->endpoint, ended && ended->ended_by ? ended->ended_by : "somebody",
                ended && ended->end_reason ? ended->end_reason : "it is gone");
}

/* Only the candidate that the run has set: any other is somebody else's. */
static bool clear(Scope *scope, const ReleaseCanary *canary, const char *comment)
{
    Endpoint endpoint;

    if (!endpoint_find(scope, canary->endpoint, &endpoint))
        return false;
    return (endpoint.candidate.id != canary->candidate_id ||
            endpoint_candidate_clear(scope, canary->endpoint, comment, &endpoint)) &&
           forget(scope, canary->run_id);
}

bool release_canary_promote(Scope *scope, const char *run_id, const DeploySpec *deploy,
                            Endpoint *endpoint)
{
    ReleaseCanary canary;
    Endpoint now;
    bool found;

    if (!release_canary_find(scope, run_id, &canary, &found))
        return false;
    if (!found)
        return fail(&scope->error, ERROR_CONFLICT,
                    RELEASE_SUPERSEDED
                    "the run tries nothing at endpoint \"%s\" any more; run again",
                    deploy->endpoint);
    if (!endpoint_find(scope, canary.endpoint, &now))
        return false;
    if (now.candidate.id != canary.candidate_id)
        return release_canary_superseded(scope, &canary);
    if (!text_equal(now.candidate.model, deploy->model) || now.candidate.version != deploy->version)
        return fail(&scope->error, ERROR_CONFLICT, "what was tried is not what was approved");
    return endpoint_candidate_promote(scope, canary.endpoint, deploy->comment, deploy->gate,
                                      endpoint) &&
           forget(scope, run_id);
}

bool release_canary_end_run(Scope *scope, const PipelineRun *run, const char *reason)
{
    ReleaseCanary canary;
    bool found;

    if (!release_canary_find(scope, run->id, &canary, &found))
        return false;
    if (!found)
        return true;
    return clear(scope, &canary,
                 arena_format(scope->arena, "%s has ended: %s", release_comment(run, scope->arena),
                              reason ? reason : "it is done"));
}

/* ---- looking ---- */

static void skip_gap(ReleaseCanary *canary, int64_t now)
{
    int64_t gap = now - canary->looked_at;

    if (gap >= 0 && gap <= GAP_MS)
        return;
    canary->until_at += gap;
    canary->limit_at += gap;
}

CanaryStep release_canary_decide(ReleaseCanary *canary, const CanaryRecord *written,
                                 const CanaryJudgement *judgement, int64_t now_ms)
{
    Window before = canary_record_sum(written);
    int64_t since_ms = now_ms - canary->looked_at;
    int64_t until = canary->until_at;

    skip_gap(canary, now_ms);
    if (judgement->verdict == CANARY_ABORT)
        return CANARY_ABORTED;
    if (canary->holds && now_ms >= canary->until_at) {
        if (judgement->verdict == CANARY_CONTINUE)
            return CANARY_PASSED;
        if (now_ms >= canary->limit_at)
            return CANARY_ABORTED;
        if (canary->looked_at < canary->until_at) /* it begins to wait */
            return CANARY_NOTED;
    }
    return canary->until_at != until || since_ms >= WRITE_MS ||
                   judgement->window.errors > before.errors
               ? CANARY_NOTED
               : CANARY_GOES_ON;
}

static bool read_look(Scope *scope, Look *look)
{
    ReleaseCanary *canary = look->canary;

    look->written = canary->record;
    look->start = (StepStart){.run = &look->run, .row = &look->row};
    return pipeline_run_find(scope, canary->run_id, &look->run) &&
           pipeline_step_at(scope, canary->run_id, canary->position, &look->row) &&
           step_start_read(scope, &look->start) &&
           endpoint_find(scope, canary->endpoint, &look->endpoint);
}

static bool find_superseded(Scope *scope, Look *look)
{
    Error kept = scope->error;

    if (!release_canary_superseded(scope, look->canary) && scope->error.kind != ERROR_CONFLICT)
        return false;
    look->reason = arena_text(scope->arena, scope->error.message);
    look->step = CANARY_SUPERSEDED;
    scope->error = kept;
    return true;
}

static const char *abort_reason(Scope *scope, const Look *look)
{
    if (look->judgement.verdict == CANARY_ABORT)
        return look->judgement.reason;
    return arena_format(scope->arena, "too few requests to judge by, for too long: %s",
                        look->judgement.reason);
}

/* What is to be done about it now; nothing is changed. */
static bool look_at(Scope *scope, Serving *serving, Look *look)
{
    CanaryTrial trial;

    if (!read_look(scope, look))
        return false;
    look->step = CANARY_GOES_ON;
    if (look->run.cancelled_at) { /* between two steps, the run's end sees to it */
        look->step = look->canary->holds ? CANARY_CANCELLED : CANARY_GOES_ON;
        look->reason = "the run was cancelled";
        return true;
    }
    if (look->endpoint.candidate.id != look->canary->candidate_id)
        return find_superseded(scope, look);
    trial = (CanaryTrial){rule_of(&look->start), look->canary->record};
    if (!canary_judge(scope, serving, look->canary->endpoint, &trial, &look->judgement))
        return false;
    look->canary->record = trial.record;
    look->step =
        release_canary_decide(look->canary, &look->written, &look->judgement, time_now_ms());
    look->reason = look->step == CANARY_ABORTED ? abort_reason(scope, look) : NULL;
    return true;
}

/* Whose end it is: of the step that holds, or of the one that is to begin. */
static bool find_ending(Scope *scope, const Look *look, int64_t *position, bool *found)
{
    PipelineStep next;

    *position = look->row.position;
    *found = look->canary->holds;
    if (*found)
        return true;
    *position = look->row.position + 1;
    if (!pipeline_step_at(scope, look->run.id, *position, &next))
        return false;
    *found = strcmp(next.status, "ready") == 0; /* one that runs sees for itself */
    return true;
}

/* What is shown of a step that held; one that had passed stays as it was. */
static bool show_bad_end(Scope *scope, const Look *look)
{
    if (!look->canary->holds)
        return true;
    if (look->step == CANARY_ABORTED)
        return show(scope, look, "aborted", look->reason);
    return show_ended(scope, look, look->step == CANARY_CANCELLED ? "cancelled" : "superseded");
}

static bool tell_aborted(Scope *scope, const Look *look)
{
    ReleaseAbort abort = {.run = &look->run,
                          .endpoint = &look->endpoint,
                          .step = look->row.name,
                          .reason = look->reason,
                          .window = &look->judgement.window};

    return release_tell_aborted(scope, &abort);
}

static bool append_bad_end(Scope *scope, const Look *look)
{
    switch (look->step) {
    case CANARY_ABORTED:
        return append(scope, look, "release.canary_aborted") && tell_aborted(scope, look);
    default: /* of a step that was superseded, and of the run's end, there is an event anyway */
        return true;
    }
}

static bool end_badly(Scope *scope, Look *look)
{
    int64_t position;
    bool found;

    if (!find_ending(scope, look, &position, &found))
        return false;
    if (!found)
        return true;
    return show_bad_end(scope, look) && clear(scope, look->canary, look->reason) &&
           append_bad_end(scope, look) &&
           step_end(scope, look->run.id, position,
                    look->step == CANARY_CANCELLED ? "cancelled" : "failed", look->reason);
}

static bool end_well(Scope *scope, Look *look)
{
    look->canary->holds = false;
    look->reason = look->judgement.reason;
    return put(scope, look->canary) && show(scope, look, "passed", NULL) &&
           append(scope, look, "release.canary_passed") &&
           step_end(scope, look->run.id, look->row.position, "succeeded", NULL);
}

static bool note(Scope *scope, Look *look)
{
    return put(scope, look->canary) &&
           (!look->canary->holds ||
            show(scope, look, "holds", holds_text(scope, look, look->canary->looked_at)));
}

typedef struct LookWork {
    Serving *serving;
    ReleaseCanary *canary;
} LookWork;

/* Again, and with what follows: meanwhile it may have become something else. */
static bool write_look(Scope *scope, void *context)
{
    LookWork *work = context;
    Look look = {.canary = work->canary};
    bool found, done;

    if (!release_canary_find(scope, work->canary->run_id, work->canary, &found))
        return false;
    if (!found)
        return true;
    if (!look_at(scope, work->serving, &look))
        return false;
    pipeline_run_set_topic(scope, &look.run);
    work->canary->looked_at = time_now_ms();
    switch (look.step) {
    case CANARY_PASSED:
        done = end_well(scope, &look);
        break;
    case CANARY_ABORTED:
    case CANARY_SUPERSEDED:
    case CANARY_CANCELLED:
        done = end_badly(scope, &look);
        break;
    default:
        done = note(scope, &look);
        break;
    }
    CRASH_POINT("release: canary judged, not committed");
    return done;
}

/* It is on record, and the change of what serves failed: made up for here. */
static void serve(Scope *scope, Serving *serving)
{
    Error kept = scope->error;

    if (!serving_reload(serving, scope))
        scope->error = kept; /* the judgement says so */
}

static bool look_once(Scope *scope, Serving *serving, ReleaseCanary *canary)
{
    LookWork work = {serving, canary};
    Look look = {.canary = canary};

    if (!look_at(scope, serving, &look))
        return false;
    if (look.judgement.reason && !look.judgement.is_served)
        serve(scope, serving);
    return look.step == CANARY_GOES_ON || scope_write(scope, write_look, &work);
}

/* It is looked at again, and keeps nobody else waiting. */
static void log_unjudged(Scope *scope, const ReleaseCanary *canary)
{
    log_event(LOG_ERROR, "canary_not_judged", log_text("run_id", canary->run_id),
              log_text("reason", scope->error.message));
    scope->error = (Error){0};
}

static void note_next(const ReleaseCanary *canary, CanaryLooks *looks)
{
    if (canary->holds && canary->until_at > time_now_ms() &&
        (!looks->next_ms || canary->until_at < looks->next_ms))
        looks->next_ms = canary->until_at;
}

static bool count_left(Scope *scope, CanaryLooks *looks)
{
    int64_t number;

    if (!db_get_int(scope->db, &scope->error, &number, "SELECT COUNT(*) FROM release_canaries"))
        return false;
    looks->left = (size_t)number;
    return true;
}

bool release_canaries_look(Scope *scope, Serving *serving, CanaryLooks *looks)
{
    ReleaseCanaryList list = {0};

    *looks = (CanaryLooks){0};
    if (!list_all(scope, &list))
        return false;
    looks->seen = list.count;
    for (size_t i = 0; i < list.count; i++) {
        if (!look_once(scope, serving, &list.items[i]))
            log_unjudged(scope, &list.items[i]);
        note_next(&list.items[i], looks);
    }
    return !list.count || count_left(scope, looks);
}
