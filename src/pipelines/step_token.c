#include "pipelines/step_token.h"

#include <inttypes.h>
#include <string.h>

#include "base/time.h"
#include "engine/attempt_token.h"
#include "pipelines/pipeline_internal.h"

/* For the end of a step, and for clocks of other machines: a claim has the time of its own. */
enum { GRACE_MS = 5 * 60 * 1000 };

bool step_token_is_one(const char *secret)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    return attempt_token_key(secret, arena) != NULL;
}

/* What the store knows of an attempt that runs. */
typedef struct Running {
    Principal principal;
    int64_t created_at, timeout_ms; /* 0: none */
} Running;

static int64_t timeout_of(const char *spec, Arena *arena)
{
    const JsonValue *plan;
    Error ignored = {0};

    if (!json_parse(spec, strlen(spec), arena, &plan, &ignored))
        return 0;
    return json_as_int(json_member(plan, "timeout_ms"), 0);
}

static bool find_running(Scope *scope, const char *key, Running *running, bool *found)
{
    Arena *arena = scope->arena;
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT p.project, p.number, s.name, s.spec, a.created_at,"
                           " a.tracked_run, r.experiment_id FROM step_attempts a"
                           " JOIN pipeline_runs p ON p.id = a.run_id"
                           " JOIN pipeline_steps s ON s.run_id = a.run_id"
                           " AND s.position = a.position JOIN runs r ON r.id = a.tracked_run"
                           " WHERE a.key = $1 AND a.ended_at IS NULL",
                           db_text(key));

    *found = query_next(&query);
    if (*found)
        *running = (Running){
            .principal =
                {
                    .name = arena_format(arena, "%s#%" PRId64 "/%s", query_text(&query, 0, arena),
                                         query_int(&query, 1), query_text(&query, 2, arena)),
                    .role = ROLE_STEP,
                    .run_id = query_text(&query, 5, arena),
                    .experiment = query_int(&query, 6),
                },
            .created_at = query_int(&query, 4),
            .timeout_ms = timeout_of(query_text(&query, 3, arena), arena),
        };
    return query_end(&query, &scope->error);
}

/* It waits in a queue before it begins, so its time is that of the claim; no less than ours, should
 * a clock over there be behind. */
static int64_t end_of(const Running *running, const AttemptProbe *probe)
{
    int64_t began = json_as_int(json_member(probe->claim, "started_at"), 0);

    if (!running->timeout_ms)
        return 0;
    if (began < running->created_at)
        began = running->created_at;
    return began + running->timeout_ms + GRACE_MS;
}

/* One sentence for all: whether there is such an attempt is nobody's business. */
static bool fail_over(Scope *scope)
{
    return fail(&scope->error, ERROR_UNAUTHENTICATED,
                "the token of a step works only while its attempt runs");
}

bool step_token_find(Scope *scope, const char *secret, TokenHolder *holder)
{
    const char *key = attempt_token_key(secret, scope->arena);
    AttemptProbe probe = {0};
    Running running;
    bool found = false;
    int64_t end;

    if (key && !find_running(scope, key, &running, &found))
        return false;
    if (!found)
        return fail_over(scope);
    if (!attempt_probe(step_attempt_folder(scope->platform, key, scope->arena), scope->arena,
                       &probe, &scope->error))
        return false;
    end = end_of(&running, &probe);
    if (!attempt_token_is_of(secret, &probe) || (end && end <= time_now_ms()))
        return fail_over(scope);
    *holder = (TokenHolder){running.principal, end};
    return true;
}

/* "spam#12/train"; no name of a project has "#". */
bool step_token_run_of(Scope *scope, const char *name, const PipelineRun **run)
{
    const char *hash = name ? strchr(name, '#') : NULL, *slash = hash ? strchr(hash, '/') : NULL;
    PipelineRun *found = arena_new(scope->arena, PipelineRun);
    int64_t number;

    *run = NULL;
    if (!slash ||
        !text_to_int(arena_copy(scope->arena, hash + 1, (size_t)(slash - hash - 1)), &number))
        return true;
    if (!pipeline_run_find_number(scope, arena_copy(scope->arena, name, (size_t)(hash - name)),
                                  number, found)) {
        if (scope->error.kind != ERROR_NOT_FOUND)
            return false;
        scope->error = (Error){0};
        return true;
    }
    *run = found;
    return true;
}
