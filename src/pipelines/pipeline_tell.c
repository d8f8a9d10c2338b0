#include "pipelines/pipeline_tell.h"

#include <inttypes.h>
#include <string.h>

#include "access/event.h"
#include "pipelines/environment.h"
#include "pipelines/release.h"
#include "serving/endpoint_tell.h"

enum { REASON_BYTES_MAX = 2000 };

static const char *run_name(const PipelineRun *run, Arena *arena)
{
    return arena_format(arena, "%s#%" PRId64, run->project, run->number);
}

/* A name that may be anything goes into a sentence as one line. */
static void say_subject(Notice *notice, const char *what)
{
    notice->subject = notice_plain(what, notice->text.arena);
    notice_say(notice, "%s.\n", notice->subject);
}

static void tell_reason(Notice *notice, const char *reason)
{
    Arena *arena = notice->text.arena;
    const char *end = notice_tail(reason ? reason : "it does not say why", REASON_BYTES_MAX, arena);

    json_bytes(notice->json, "reason", end, strlen(end));
    notice_say(notice, "\nReason:\n");
    notice_quote(notice, end);
}

void pipeline_tell_origin(Notice *notice, const JsonValue *origin)
{
    static const char *const keys[] = {"trigger", "cause", "commit", "branch"};

    for (size_t i = 0; i < COUNT(keys); i++)
        notice_text(notice, keys[i], json_as_text(json_member(origin, keys[i]), NULL));
}

static void say_show(Notice *notice, const char *run)
{
    notice_say(notice, "\nAll of it:\n\n  slipway pipeline show %s", run);
}

/* ---- a run that failed ---- */

typedef struct Failure {
    const char *step, *reason; /* NULL: none is known */
} Failure;

static bool find_first_failure(Scope *scope, const PipelineRun *run, Failure *failure)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT name, reason FROM pipeline_steps WHERE run_id = $1 AND"
                           " status = 'failed' ORDER BY ended_at, position LIMIT 1",
                           db_text(run->id));

    *failure = (Failure){0};
    if (query_next(&query)) {
        failure->step = query_text(&query, 0, scope->arena);
        failure->reason = query_text(&query, 1, scope->arena);
    }
    return query_end(&query, &scope->error);
}

static void tell_failed(Notice *notice, const PipelineRun *run, const Failure *failure)
{
    Arena *arena = notice->text.arena;
    const char *name = run_name(run, arena);

    say_subject(notice, failure->step ? arena_format(arena, "%s has failed at step \"%s\"", name,
                                                     failure->step)
                                      : arena_format(arena, "%s has failed", name));
    notice_text(notice, "project", run->project);
    notice_text(notice, "run", name);
    json_text(notice->json, "run_id", run->id);
    notice_text(notice, "step", failure->step);
    notice_int(notice, "failed_steps", run->bad_steps);
    notice_text(notice, "started_by", run->created_by);
    pipeline_tell_origin(notice, notice_read(run->origin, arena));
    tell_reason(notice, failure->reason);
    say_show(notice, name);
}

bool pipeline_tell_failed(Scope *scope, const PipelineRun *run)
{
    Failure failure;
    Notice *notice;

    if (!notice_begin(scope, EVENT_PIPELINE_RUN_FAILED, &notice))
        return false;
    if (!notice)
        return true;
    if (!find_first_failure(scope, run, &failure))
        return false;
    tell_failed(notice, run, &failure);
    return notice_raise(scope, notice);
}

/* ---- releases ---- */

static void tell_version(Notice *notice, const Endpoint *endpoint, const char *model,
                         int64_t version)
{
    notice_text(notice, "project", endpoint->project);
    notice_text(notice, "environment", ENVIRONMENT_PRODUCTION);
    notice_text(notice, "endpoint", endpoint->name);
    notice_text(notice, "model", model);
    notice_int(notice, "version", version);
}

static void tell_serving(Notice *notice, const Endpoint *endpoint)
{
    if (endpoint->model)
        notice_line(notice, "serves still",
                    version_words(endpoint->model, endpoint->version, notice->text.arena));
}

bool release_tell_declined(Scope *scope, const Gate *gate, const Endpoint *endpoint,
                           const PipelineRun *run)
{
    const char *name = run ? run_name(run, scope->arena) : NULL;
    Notice *notice;

    if (!notice_begin(scope, EVENT_RELEASE_REJECTED, &notice))
        return false;
    if (!notice)
        return true;
    say_subject(notice, arena_format(scope->arena, "%s: %s was not released at endpoint \"%s\"",
                                     name ? name : endpoint->project,
                                     version_words(gate->model, gate->version, scope->arena),
                                     gate->endpoint));
    tell_version(notice, endpoint, gate->model, gate->version);
    notice_text(notice, "run", name);
    notice_text(notice, "asked_by", run ? run->created_by : gate->created_by);
    gate_verdict_tell(notice, notice_read(gate->verdict, scope->arena));
    tell_serving(notice, endpoint);
    if (name)
        say_show(notice, name);
    return notice_raise(scope, notice);
}

bool release_tell_aborted(Scope *scope, const ReleaseAbort *abort)
{
    const char *name = run_name(abort->run, scope->arena);
    const Candidate *candidate = &abort->endpoint->candidate;
    double percent = (double)candidate->share * 100 / SHARE_WHOLE;
    Notice *notice;

    if (!notice_begin(scope, EVENT_RELEASE_ABORTED, &notice))
        return false;
    if (!notice)
        return true;
    say_subject(notice,
                arena_format(scope->arena,
                             "%s: %s was aborted in production with %g %% of the requests", name,
                             version_words(candidate->model, candidate->version, scope->arena),
                             percent));
    tell_version(notice, abort->endpoint, candidate->model, candidate->version);
    notice_text(notice, "package", candidate->package);
    notice_text(notice, "run", name);
    notice_text(notice, "step", abort->step);
    json_double(notice->json, "share", percent);
    json_open_object(notice->json, "figures");
    window_write_json(notice->json, abort->window);
    json_close(notice->json);
    tell_serving(notice, abort->endpoint);
    tell_reason(notice, abort->reason);
    say_show(notice, name);
    return notice_raise(scope, notice);
}

/* ---- what something else has superseded ---- */

typedef struct Superseded {
    const PipelineRun *run;
    const PipelineStep *step;
    const char *reason;
    Endpoint endpoint; /* as it is now */
    const char *model;
    int64_t version;
} Superseded;

static bool read_superseded(Scope *scope, Superseded *superseded)
{
    const JsonValue *spec = notice_read(superseded->step->spec, scope->arena), *challenger;
    const char *endpoint = json_as_text(json_member(json_member(spec, "with"), "endpoint"), "");
    PipelineStep gate;

    if (!endpoint_find(scope, endpoint, &superseded->endpoint) ||
        !pipeline_step_find(scope, superseded->run->id, "release.gate", &gate))
        return false;
    challenger =
        json_member(json_member(notice_read(gate.result, scope->arena), "verdict"), "challenger");
    superseded->model = json_as_text(json_member(challenger, "model"), NULL);
    superseded->version = json_as_int(json_member(challenger, "version"), 0);
    return true;
}

static bool append_superseded(Scope *scope, const Superseded *superseded)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    {
        json_text(json, "step", superseded->step->name);
        json_text(json, "endpoint", superseded->endpoint.name);
        json_text(json, "model", superseded->model);
        json_int(json, "version", superseded->version);
        json_text(json, "reason", superseded->reason);
    }
    json_close(json);
    return event_append(scope, "release.superseded", run_name(superseded->run, scope->arena),
                        json_finish(json));
}

static bool raise_superseded(Scope *scope, const Superseded *superseded)
{
    const char *name = run_name(superseded->run, scope->arena);
    const char *what = version_words(superseded->model, superseded->version, scope->arena);
    Notice *notice;

    if (!notice_begin(scope, EVENT_RELEASE_SUPERSEDED, &notice))
        return false;
    if (!notice)
        return true;
    say_subject(notice,
                arena_format(scope->arena, "%s: the release of %s was superseded", name, what));
    tell_version(notice, &superseded->endpoint, superseded->model, superseded->version);
    notice_text(notice, "run", name);
    notice_text(notice, "step", superseded->step->name);
    tell_serving(notice, &superseded->endpoint);
    tell_reason(notice, superseded->reason);
    say_show(notice, name);
    return notice_raise(scope, notice);
}

bool release_tell_superseded(Scope *scope, const PipelineRun *run, const PipelineStep *step,
                             const char *reason)
{
    Superseded superseded = {.run = run, .step = step};

    if (!reason || !text_has_prefix(reason, RELEASE_SUPERSEDED) ||
        !text_has_prefix(step->name, "release."))
        return true;
    superseded.reason = reason + strlen(RELEASE_SUPERSEDED);
    return read_superseded(scope, &superseded) && append_superseded(scope, &superseded) &&
           raise_superseded(scope, &superseded);
}
