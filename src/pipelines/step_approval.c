#include "pipelines/step_approval.h"

#include <inttypes.h>
#include <string.h>

#include "base/crash.h"
#include "base/time.h"
#include "pipelines/builtin.h"

/* Of what earlier steps said, for those who are asked. */
enum { RESULTS_MAX = 50, RESULTS_BYTES_MAX = 64 * 1024 };

enum { UNSET_LOOK_MS = 60 * 60 * 1000 };

/* ---- the verdict ---- */

static StepVerdict refuse(const char *reason)
{
    return (StepVerdict){.passage = STEP_REFUSED, .reason = reason};
}

/* The branch that the run's files are of; NULL: they are of none. */
static bool find_branch(Scope *scope, const PipelineRun *run, const char **branch)
{
    const JsonValue *origin;

    if (!json_parse(run->origin, strlen(run->origin), scope->arena, &origin, &scope->error))
        return false;
    *branch = json_as_bool(json_member(origin, "is_dirty"), false)
                  ? NULL
                  : json_as_text(json_member(origin, "branch"), NULL);
    return true;
}

static bool check_branch(Scope *scope, const StepPassageSpec *spec, const EnvironmentRules *rules,
                         StepVerdict *verdict)
{
    const char *branch;

    if (!find_branch(scope, spec->run, &branch))
        return false;
    if (environment_rules_take_branch(rules, branch))
        return true;
    *verdict = refuse(
        branch ? arena_format(scope->arena, "branch \"%.200s\" may not go to environment \"%s\"",
                              branch, spec->place)
               : arena_format(scope->arena,
                              "environment \"%s\" takes certain branches only, and the files are "
                              "not those of a commit on one",
                              spec->place));
    return true;
}

static bool ask(Scope *scope, const StepPassageSpec *spec, const EnvironmentRules *rules,
                StepVerdict *verdict)
{
    OriginatorList originators = {0};
    ApprovalSpec question = {
        .subject = arena_format(scope->arena, "%s/%s", spec->run->id, spec->row->name),
        .digest = spec->digest,
        .environment = spec->place,
        .project = spec->run->project,
        .title = arena_format(scope->arena, "%s#%" PRId64 "/%s", spec->run->project,
                              spec->run->number, spec->row->name),
        .detail = spec->detail,
        .run_id = spec->run->id,
        .position = spec->row->position,
        .asked_by = spec->run->created_by,
        .originators = &originators,
        .rules = rules,
    };
    Approval approval;
    ApprovalStatus state;

    if (!originators_parse(spec->run->originators, scope->arena, &originators, &scope->error) ||
        !originators_resolve(scope, &originators) || !approval_ask(scope, &question, &approval))
        return false;
    state = approval_state(&approval, time_now_ms());
    verdict->approval_id = approval.id;
    if (state == APPROVAL_APPROVED)
        return true;
    *verdict = (StepVerdict){
        .passage = state == APPROVAL_PENDING ? STEP_WAITS : STEP_REFUSED,
        .until_ms = approval.expires_at,
        .reason = state == APPROVAL_PENDING
                      ? arena_format(scope->arena, "waits for approval %" PRId64, approval.id)
                      : arena_format(scope->arena, "approval %" PRId64 " %s%s", approval.id,
                                     state == APPROVAL_EXPIRED ? "has expired: " : "was ",
                                     approval.reason),
        .approval_id = approval.id,
    };
    return true;
}

/* A window that cannot be read any more is never open. */
static void check_time(Scope *scope, const StepPassageSpec *spec, const EnvironmentRules *rules,
                       StepVerdict *verdict)
{
    int64_t now = time_now_ms(), next;
    char text[TIME_TEXT_SIZE];
    Error error = {0};

    if (!environment_rules_next(rules, now, scope->arena, &next, &error)) {
        *verdict = refuse(arena_text(scope->arena, error.message));
        return;
    }
    if (next == now)
        return;
    verdict->passage = STEP_WAITS;
    verdict->until_ms = next;
    verdict->reason = arena_format(scope->arena, "waits until %s, when environment \"%s\" opens",
                                   time_format(next, text), spec->place);
}

/* Of a run that was accepted before anything had to be said of its environment: it waits until an
 * owner says it, which wakes it. */
static bool wait_for_rules(Scope *scope, StepVerdict *verdict)
{
    if (scope->error.kind != ERROR_NOT_FOUND)
        return false;
    *verdict = (StepVerdict){
        .passage = STEP_WAITS,
        .until_ms = time_now_ms() + UNSET_LOOK_MS,
        .reason = arena_text(scope->arena, scope->error.message),
    };
    scope->error = (Error){0};
    return true;
}

bool approval_gate(Scope *scope, const StepPassageSpec *spec, StepVerdict *verdict)
{
    StepVerdict found = {.passage = STEP_GOES};
    Environment environment;

    if (!environment_find(scope, spec->place, &environment))
        return wait_for_rules(scope, verdict);
    environment_rules_tighten(&environment.rules, spec->approvals, spec->four_eyes);
    if (!check_branch(scope, spec, &environment.rules, &found))
        return false;
    if (found.passage == STEP_GOES && environment.rules.approvals > 0 &&
        !ask(scope, spec, &environment.rules, &found))
        return false;
    if (found.passage == STEP_GOES)
        check_time(scope, spec, &environment.rules, &found);
    *verdict = found;
    return true;
}

/* ---- what people are shown ---- */

/* What the run's steps found out until now: a gate's numbers, metrics, the version. */
static bool write_results(Scope *scope, const StepStart *start, JsonWriter *json)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db,
                 "SELECT name, result, metrics FROM pipeline_steps"
                 " WHERE run_id = $1 AND position < $2 AND status = 'succeeded'"
                 " AND (result IS NOT NULL OR metrics IS NOT NULL)"
                 " ORDER BY position DESC LIMIT $3",
                 db_text(start->run->id), db_int(start->row->position), db_int(RESULTS_MAX));
    size_t size = 0;

    json_open_array(json, "steps");
    while (query_next(&query)) {
        const char *result = query_text(&query, 1, scope->arena);
        const char *metrics = query_text(&query, 2, scope->arena);

        size += (result ? strlen(result) : 0) + (metrics ? strlen(metrics) : 0);
        if (size > RESULTS_BYTES_MAX)
            break;
        json_open_object(json, NULL);
        json_text(json, "name", query_text(&query, 0, scope->arena));
        json_raw(json, "result", result);
        json_raw(json, "metrics", metrics);
        json_close(json);
    }
    json_close(json);
    return query_end(&query, &scope->error);
}

static void write_texts(JsonWriter *json, const char *key, const TextList *list)
{
    if (list->count)
        json_texts(json, key, list);
}

static void write_action(const PlanStep *step, JsonWriter *json)
{
    if (step->uses)
        json_text(json, "uses", step->uses);
    write_texts(json, "commands", &step->commands);
    write_texts(json, "arguments", &step->arguments);
}

static bool make_detail(Scope *scope, const StepStart *start, const char *inputs,
                        const char **detail)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    {
        json_text(
            json, "run",
            arena_format(scope->arena, "%s#%" PRId64, start->run->project, start->run->number));
        json_text(json, "step", start->row->name);
        write_action(&start->step, json);
        json_raw(json, "origin", start->run->origin);
        json_raw(json, "params", start->run->params);
        json_raw(json, "inputs", inputs);
        if (!write_results(scope, start, json))
            return false;
    }
    json_close(json);
    *detail = json_finish(json);
    return true;
}

/* ---- a step that is about to start ---- */

static bool hold(Scope *scope, const StepStart *start, const StepVerdict *verdict)
{
    bool done = db_run(scope->db, &scope->error,
                       "UPDATE pipeline_steps SET ready_at = $3, reason = $4"
                       " WHERE run_id = $1 AND position = $2",
                       db_text(start->run->id), db_int(start->row->position),
                       db_int(verdict->until_ms), db_text(verdict->reason));

    CRASH_POINT("approval: step held, not committed");
    return done;
}

static bool let_go(Scope *scope, const StepStart *start)
{
    return !start->row->reason ||
           db_run(scope->db, &scope->error,
                  "UPDATE pipeline_steps SET reason = NULL WHERE run_id = $1 AND position = $2",
                  db_text(start->run->id), db_int(start->row->position));
}

/* Of several steps that lead to one, all go by the approval of that one: it is asked for by the
 * first of them, about what the last one does. */
static bool find_asked(Scope *scope, const StepStart *start, PipelineStep *row, StepStart *asked)
{
    const Builtin *builtin = builtin_of(&start->step);

    *asked = *start;
    if (!builtin || !builtin->approved_as)
        return true;
    if (!pipeline_step_find(scope, start->run->id, builtin->approved_as, row))
        return false;
    row->position = start->row->position; /* of who waits, and what was found out before */
    asked->row = row;
    return step_start_read(scope, asked);
}

static bool judge(Scope *scope, const StepStart *step, StepVerdict *verdict)
{
    StepStart asked, *start = &asked;
    PipelineStep row;

    if (!find_asked(scope, step, &row, &asked))
        return false;
    StepPassageSpec spec = {
        .run = start->run,
        .row = start->row,
        .place = step->step.place,
        .four_eyes = text_equal(builtin_with(start, "four_eyes"), "true"),
    };
    const char *approvals = builtin_with(start, "approvals"), *inputs;

    if (approvals && !text_to_int(approvals, &spec.approvals))
        return fail_field(&scope->error, "approvals", "\"%.40s\" is not a number", approvals);
    return step_start_inputs(scope, start, &inputs, &spec.digest) &&
           make_detail(scope, start, inputs, &spec.detail) && approval_gate(scope, &spec, verdict);
}

bool step_approval_pass(Scope *scope, const StepStart *start, bool *goes)
{
    StepVerdict verdict = {.passage = STEP_GOES};

    if (start->step.place && !judge(scope, start, &verdict))
        return false;
    *goes = verdict.passage == STEP_GOES;
    switch (verdict.passage) {
    case STEP_WAITS:
        return hold(scope, start, &verdict);
    case STEP_REFUSED:
        return step_end(scope, start->run->id, start->row->position, "failed", verdict.reason);
    case STEP_GOES:
        break;
    }
    return !start->step.place || let_go(scope, start);
}
