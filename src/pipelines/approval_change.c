/* approval_change.c: asking for approvals, deciding, and their ends. */

#include <inttypes.h>
#include <string.h>

#include "access/event.h"
#include "access/identity.h"
#include "base/crash.h"
#include "base/time.h"
#include "pipelines/approval_internal.h"

/* ---- ends ---- */

/* decision: what it is about, or NULL. */
static bool append(Scope *scope, const char *action, const Approval *approval,
                   const ApprovalDecision *decision)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    {
        json_int(json, "id", approval->id);
        json_text(json, "environment", approval->environment);
        json_text(json, "project", approval->project);
        json_text(json, "digest", approval->digest);
        json_text(json, "asked_by", approval->asked_by);
        originators_write_json(json, "originators", &approval->originators);
        json_int(json, "needed", approval->needed);
        json_int(json, "given", approval_count_given(approval));
        json_time(json, "expires_at", approval->expires_at);
        if (decision)
            json_text(json, "comment", decision->comment);
        if (approval->reason)
            json_text(json, "reason", approval->reason);
    }
    json_close(json);
    return event_append(scope, action, approval->title, json_finish(json)) &&
           approval_tell(scope, action, approval->id);
}

static bool end(Scope *scope, Approval *approval, ApprovalStatus status, const char *reason)
{
    approval->status = status;
    approval->reason = reason;
    approval->ended_at = time_now_ms();
    return db_run(scope->db, &scope->error,
                  "UPDATE approvals SET status = $2, reason = $3, ended_at = $4 WHERE id = $1",
                  db_int(approval->id), db_text(approval_status_name(status)), db_text(reason),
                  db_int(approval->ended_at));
}

bool approval_settle(Scope *scope, Approval *approval)
{
    const char *reason;

    if (approval->status != APPROVAL_PENDING ||
        approval_state(approval, time_now_ms()) != APPROVAL_EXPIRED)
        return true;
    reason = arena_format(scope->arena, "%" PRId64 " of %" PRId64 " people had approved it in time",
                          approval_count_given(approval), approval->needed);
    return end(scope, approval, APPROVAL_EXPIRED, reason) &&
           append(scope, "approval.expired", approval, NULL);
}

static bool withdraw(Scope *scope, Approval *approval, const char *reason)
{
    return end(scope, approval, APPROVAL_WITHDRAWN, reason) &&
           append(scope, "approval.withdrawn", approval, NULL);
}

static bool withdraw_all(Scope *scope, Query *query, const char *reason)
{
    ApprovalList list = {0};

    if (!approvals_take(scope, query, &list))
        return false;
    for (size_t i = 0; i < list.count; i++)
        if (!withdraw(scope, &list.items[i], reason))
            return false;
    return true;
}

bool approval_withdraw_run(Scope *scope, const char *run_id, const char *reason)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db, SELECT_APPROVAL("NULL") " WHERE run_id = $1 AND status = 'pending'",
                 db_text(run_id));

    return withdraw_all(scope, &query, reason);
}

/* ---- asking ---- */

static bool withdraw_others(Scope *scope, const ApprovalSpec *spec)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           SELECT_APPROVAL("NULL") " WHERE subject = $1 AND digest <> $2"
                                                   " AND status = 'pending'",
                           db_text(spec->subject), db_text(spec->digest));

    return withdraw_all(scope, &query,
                        arena_format(scope->arena, "what waits is %.12s now", spec->digest));
}

static bool find_same(Scope *scope, const ApprovalSpec *spec, Approval *approval, bool *found)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           SELECT_APPROVAL("detail") " WHERE subject = $1 AND digest = $2"
                                                     " AND status <> 'withdrawn'"
                                                     " ORDER BY id DESC LIMIT 1",
                           db_text(spec->subject), db_text(spec->digest));
    ApprovalList list = {0};

    if (!approvals_take(scope, &query, &list))
        return false;
    *found = list.count > 0;
    if (*found)
        *approval = list.items[0];
    return true;
}

static bool insert(Scope *scope, const ApprovalSpec *spec, Approval *approval)
{
    int64_t now = time_now_ms(), id;

    return db_get_int(
               scope->db, &scope->error, &id,
               "INSERT INTO approvals (id, subject, digest, environment, project, title, detail,"
               " run_id, position, needed, four_eyes, status, asked_by, created_at, expires_at,"
               " originators)"
               " VALUES ((SELECT coalesce(max(id), 0) + 1 FROM approvals), $1, $2, $3, $4, $5, $6,"
               " $7, $8, $9, $10, 'pending', $11, $12, $13, $14) RETURNING id",
               db_text(spec->subject), db_text(spec->digest), db_text(spec->environment),
               db_text(spec->project), db_text(spec->title), db_text(spec->detail),
               db_text(spec->run_id), db_int(spec->position),
               db_int(approval_count_needed(spec->rules, spec->originators)),
               db_int(spec->rules->four_eyes), db_text(spec->asked_by), db_int(now),
               db_int(now + spec->rules->expires_seconds * 1000),
               db_text(originators_print(spec->originators, scope->arena))) &&
           approval_find(scope, id, approval) && append(scope, "approval.asked", approval, NULL);
}

/* Nobody who approved it is one of those whom four eyes keep out today. */
static bool is_by_others(const Approval *approval, const OriginatorList *originators)
{
    for (size_t i = 0; i < approval->decisions.count; i++)
        if (originators_find(originators, approval->decisions.items[i].person))
            return false;
    return true;
}

/* Whether it counts under the rules of now: one that people were asked for under less strict ones
 * does not, and one that is pending is by the rules that there are. */
static bool is_by_rules(Scope *scope, const Approval *approval, const ApprovalSpec *spec)
{
    const EnvironmentRules *rules = spec->rules;
    int64_t needed = approval_count_needed(rules, spec->originators);

    if (approval->status == APPROVAL_PENDING)
        return approval->needed == needed && approval->four_eyes == rules->four_eyes &&
               strcmp(originators_print(&approval->originators, scope->arena),
                      originators_print(spec->originators, scope->arena)) == 0;
    return approval->status != APPROVAL_APPROVED ||
           (approval->needed >= needed && approval->four_eyes >= rules->four_eyes &&
            (!rules->four_eyes || is_by_others(approval, spec->originators)));
}

static bool replace(Scope *scope, const ApprovalSpec *spec, Approval *approval)
{
    const char *reason = arena_format(
        scope->arena,
        "the rules of environment \"%s\" have changed, or who is known to have caused it",
        spec->environment);

    if (approval->status == APPROVAL_PENDING && !withdraw(scope, approval, reason))
        return false;
    return insert(scope, spec, approval);
}

bool approval_ask(Scope *scope, const ApprovalSpec *spec, Approval *approval)
{
    bool found;

    if (!withdraw_others(scope, spec) || !find_same(scope, spec, approval, &found))
        return false;
    if (!found)
        return insert(scope, spec, approval);
    return approval_settle(scope, approval) &&
           (is_by_rules(scope, approval, spec) || replace(scope, spec, approval));
}

/* ---- decisions ---- */

const JsonField approval_answer_fields[] = {
    {"approved", JSON_BOOL, offsetof(ApprovalAnswer, is_approved), JSON_REQUIRED,
     "true approves, false rejects"},
    {"comment", JSON_TEXT, offsetof(ApprovalAnswer, comment), JSON_REQUIRED,
     "why; 1 to 1000 bytes"},
    {"digest", JSON_TEXT, offsetof(ApprovalAnswer, digest), JSON_REQUIRED,
     "of what was looked at, as the approval has it"},
    {0},
};

static bool insert_decision(Scope *scope, Approval *approval, const ApprovalAnswer *answer)
{
    ApprovalDecision made = {
        .decided_by = scope->principal.name,
        .comment = answer->comment,
        .is_approved = answer->is_approved,
        .created_at = time_now_ms(),
    };

    *arena_push(scope->arena, &approval->decisions) = made;
    return db_run(scope->db, &scope->error,
                  "INSERT INTO approval_decisions"
                  " (approval_id, decided_by, is_approved, comment, created_at)"
                  " VALUES ($1, $2, $3, $4, $5)",
                  db_int(approval->id), db_text(made.decided_by), db_int(made.is_approved),
                  db_text(made.comment), db_int(made.created_at));
}

static const char *people(const Approval *approval, Arena *arena)
{
    TextBuilder names = {.arena = arena};

    for (size_t i = 0; i < approval->decisions.count; i++)
        text_append_format(&names, "%s%s", i ? ", " : "", approval->decisions.items[i].decided_by);
    return text_built(&names);
}

/* What waits for it is looked at again. */
static bool wake_step(Scope *scope, const Approval *approval)
{
    return !approval->run_id || db_run(scope->db, &scope->error,
                                       "UPDATE pipeline_steps SET ready_at = 0"
                                       " WHERE run_id = $1 AND position = $2 AND status = 'ready'",
                                       db_text(approval->run_id), db_int(approval->position));
}

static bool end_decided(Scope *scope, Approval *approval, ApprovalStatus status)
{
    const ApprovalDecision *last = &approval->decisions.items[approval->decisions.count - 1];
    const char *reason =
        status == APPROVAL_APPROVED
            ? arena_format(scope->arena, "approved by %s", people(approval, scope->arena))
            : arena_format(scope->arena, "rejected by %s: %s", last->decided_by, last->comment);

    return end(scope, approval, status, reason) && wake_step(scope, approval) &&
           append(scope, arena_format(scope->arena, "approval.%s", approval_status_name(status)),
                  approval, last);
}

bool approval_decide(Scope *scope, const ApprovalAnswer *answer, Approval *approval)
{
    int64_t now = time_now_ms();
    ApprovalStatus status;
    const char *person;
    bool done;

    if (!approval_find(scope, answer->id, approval) || !identity_of_caller(scope, &person) ||
        !approval_check_answer(approval, answer, person, now, &scope->error) ||
        !insert_decision(scope, approval, answer))
        return false;
    status = approval_state(approval, now);
    done = status == APPROVAL_PENDING
               ? append(scope, "approval.given", approval,
                        &approval->decisions.items[approval->decisions.count - 1])
               : end_decided(scope, approval, status);
    CRASH_POINT("approval: decided, not committed");
    return done;
}

typedef struct AnswerWork {
    const ApprovalAnswer *answer;
    Approval *approval;
} AnswerWork;

static bool write_settled(Scope *scope, void *context)
{
    const AnswerWork *work = context;

    return approval_find(scope, work->answer->id, work->approval) &&
           approval_settle(scope, work->approval);
}

static bool write_answer(Scope *scope, void *context)
{
    const AnswerWork *work = context;

    return approval_decide(scope, work->answer, work->approval);
}

bool approval_answer(Scope *scope, const ApprovalAnswer *answer, Approval *approval)
{
    AnswerWork work = {answer, approval};

    if (!approval_find(scope, answer->id, approval))
        return false;
    if (approval->status == APPROVAL_PENDING &&
        approval_state(approval, time_now_ms()) == APPROVAL_EXPIRED &&
        !scope_write(scope, write_settled, &work))
        return false;
    return scope_write(scope, write_answer, &work);
}

static bool list_expired(Scope *scope, ApprovalList *list)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           SELECT_APPROVAL("NULL") " WHERE status = 'pending' AND expires_at <= $1"
                                                   " ORDER BY id",
                           db_int(time_now_ms()));

    return approvals_take(scope, &query, list);
}

static bool write_all_settled(Scope *scope, void *context)
{
    ApprovalList *list = context;

    *list = (ApprovalList){0};
    if (!list_expired(scope, list))
        return false;
    for (size_t i = 0; i < list->count; i++)
        if (!approval_settle(scope, &list->items[i]) || !wake_step(scope, &list->items[i]))
            return false;
    return true;
}

bool approvals_settle(Scope *scope, size_t *count)
{
    ApprovalList list = {0};

    if (!list_expired(scope, &list) ||
        (list.count && !scope_write(scope, write_all_settled, &list)))
        return false;
    *count = list.count;
    return true;
}
