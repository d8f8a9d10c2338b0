#include "pipelines/approval.h"

#include <inttypes.h>
#include <string.h>

#include "base/digest.h"
#include "base/time.h"
#include "pipelines/approval_internal.h"
#include "store/statement.h"

static const char *const status_names[] = {
    [APPROVAL_PENDING] = "pending",     [APPROVAL_APPROVED] = "approved",
    [APPROVAL_REJECTED] = "rejected",   [APPROVAL_EXPIRED] = "expired",
    [APPROVAL_WITHDRAWN] = "withdrawn",
};

const char *approval_status_name(ApprovalStatus status)
{
    return status_names[status];
}

bool approval_status_find(const char *name, ApprovalStatus *status)
{
    for (size_t i = 0; i < COUNT(status_names); i++)
        if (strcmp(status_names[i], name) == 0) {
            *status = (ApprovalStatus)i;
            return true;
        }
    return false;
}

/* ---- the rule ---- */

int64_t approval_count_given(const Approval *approval)
{
    int64_t count = 0;

    for (size_t i = 0; i < approval->decisions.count; i++)
        count += approval->decisions.items[i].is_approved;
    return count;
}

static const ApprovalDecision *find_rejection(const Approval *approval)
{
    for (size_t i = 0; i < approval->decisions.count; i++)
        if (!approval->decisions.items[i].is_approved)
            return &approval->decisions.items[i];
    return NULL;
}

ApprovalStatus approval_state(const Approval *approval, int64_t now_ms)
{
    if (approval->status != APPROVAL_PENDING)
        return approval->status;
    if (find_rejection(approval))
        return APPROVAL_REJECTED;
    if (approval_count_given(approval) >= approval->needed)
        return APPROVAL_APPROVED;
    return now_ms >= approval->expires_at ? APPROVAL_EXPIRED : APPROVAL_PENDING;
}

static bool check_comment(const char *comment, Error *error)
{
    size_t size = strlen(comment);

    return (size <= APPROVAL_COMMENT_BYTES_MAX && strspn(comment, " \t\r\n") < size) ||
           fail_field(error, "comment", "a comment says why, in 1 to %d bytes",
                      APPROVAL_COMMENT_BYTES_MAX);
}

int64_t approval_count_needed(const EnvironmentRules *rules, const OriginatorList *originators)
{
    return rules->approvals + (rules->four_eyes && !originators_are_known(originators));
}

static bool check_eyes(const Approval *approval, const char *who, Error *error)
{
    const Originator *originator = originators_find(&approval->originators, who);
    const char *name = originator && originator->name ? originator->name : who;

    if (!originator)
        return true;
    if (strcmp(name, who) == 0)
        return fail(error, ERROR_FORBIDDEN,
                    "four eyes: \"%s\" has %s what waits, so somebody else must approve it", who,
                    originator->did);
    return fail(error, ERROR_FORBIDDEN,
                "four eyes: \"%s\" (as \"%s\") has %s what waits, so somebody else must approve it",
                who, name, originator->did);
}

static bool check_person(const Approval *approval, const ApprovalAnswer *answer, const char *who,
                         Error *error)
{
    const ApprovalDecisionList *decisions = &approval->decisions;

    if (answer->is_approved && approval->four_eyes && !check_eyes(approval, who, error))
        return false;
    for (size_t i = 0; i < decisions->count; i++)
        if (strcmp(who, decisions->items[i].person) == 0)
            return fail(error, ERROR_CONFLICT,
                        "\"%s\" has approved it already: %" PRId64 " of %" PRId64 " people have",
                        who, approval_count_given(approval), approval->needed);
    return true;
}

bool approval_check_answer(const Approval *approval, const ApprovalAnswer *answer, const char *who,
                           int64_t now_ms, Error *error)
{
    ApprovalStatus state = approval_state(approval, now_ms);

    if (!check_comment(answer->comment, error))
        return false;
    if (!digest_is_valid(answer->digest))
        return fail_field(error, "digest", "a digest has 64 lowercase hexadecimal digits");
    if (state != APPROVAL_PENDING)
        return fail(error, ERROR_CONFLICT, "approval %" PRId64 " %s %s", approval->id,
                    state == APPROVAL_EXPIRED ? "has" : "was", approval_status_name(state));
    if (strcmp(answer->digest, approval->digest) != 0)
        return fail(error, ERROR_CONFLICT,
                    "approval %" PRId64 " is about %.12s, not about %.12s: look at it again",
                    approval->id, approval->digest, answer->digest);
    return check_person(approval, answer, who, error);
}

/* ---- rows ---- */

static bool from_row(const Query *query, Arena *arena, Approval *approval, Error *error)
{
    *approval = (Approval){
        .id = query_int(query, 0),
        .subject = query_text(query, 1, arena),
        .digest = query_text(query, 2, arena),
        .environment = query_text(query, 3, arena),
        .project = query_text(query, 4, arena),
        .title = query_text(query, 5, arena),
        .detail = query_text(query, 6, arena),
        .run_id = query_text(query, 7, arena),
        .position = query_int(query, 8),
        .needed = query_int(query, 9),
        .four_eyes = query_int(query, 10),
        .status = APPROVAL_REJECTED, /* what this slipway does not know lets nothing pass */
        .reason = query_text(query, 12, arena),
        .asked_by = query_text(query, 13, arena),
        .created_at = query_int(query, 14),
        .expires_at = query_int(query, 15),
        .ended_at = query_int(query, 16),
    };

    approval_status_find(query_text(query, 11, arena), &approval->status);
    return originators_parse(query_text(query, 17, arena), arena, &approval->originators, error);
}

static bool read_decisions(Scope *scope, Approval *approval)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT decided_by, comment, is_approved, d.created_at,"
                           " COALESCE(i.principal, decided_by) FROM approval_decisions d"
                           " LEFT JOIN identities i ON i.name = lower(decided_by)"
                           " WHERE approval_id = $1"
                           " ORDER BY d.created_at, decided_by",
                           db_int(approval->id));

    while (query_next(&query))
        *arena_push(scope->arena, &approval->decisions) = (ApprovalDecision){
            .decided_by = query_text(&query, 0, scope->arena),
            .comment = query_text(&query, 1, scope->arena),
            .is_approved = query_int(&query, 2),
            .created_at = query_int(&query, 3),
            .person = query_text(&query, 4, scope->arena),
        };
    return query_end(&query, &scope->error);
}

bool approvals_take(Scope *scope, Query *query, ApprovalList *list)
{
    while (query_next(query))
        if (!from_row(query, scope->arena, arena_push(scope->arena, list), &scope->error))
            return false;
    if (!query_end(query, &scope->error))
        return false;
    for (size_t i = 0; i < list->count; i++)
        if (!read_decisions(scope, &list->items[i]))
            return false;
    return true;
}

bool approval_find(Scope *scope, int64_t id, Approval *approval)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_APPROVAL("detail") " WHERE id = $1", db_int(id));
    ApprovalList list = {0};

    if (!approvals_take(scope, &query, &list))
        return false;
    if (!list.count)
        return fail(&scope->error, ERROR_NOT_FOUND, "approval %" PRId64 " does not exist", id);
    *approval = list.items[0];
    return true;
}

/* What has expired may not be written down as that yet. */
static void add_status(Statement *statement, ApprovalStatus status, int64_t now)
{
    if (status == APPROVAL_PENDING)
        statement_add_value(statement, " AND status = 'pending' AND expires_at > ?", db_int(now));
    else if (status == APPROVAL_EXPIRED)
        statement_add_value(statement,
                            " AND (status = 'expired' OR (status = 'pending' AND expires_at <= ?))",
                            db_int(now));
    else
        statement_add_value(statement, " AND status = ?", db_text(approval_status_name(status)));
}

bool approval_list(Scope *scope, const ApprovalFilter *filter, const Page *page, ApprovalList *list)
{
    Statement statement = statement_create(scope->arena);
    ApprovalStatus status = APPROVAL_PENDING;

    if (filter->status && !approval_status_find(filter->status, &status))
        return fail_field(&scope->error, "status",
                          "a status is pending, approved, rejected, expired or withdrawn");
    statement_add(&statement, SELECT_APPROVAL("NULL"));
    statement_add_value(&statement, " WHERE id < ?", db_int(page_before(page)));
    if (filter->status)
        add_status(&statement, status, time_now_ms());
    if (filter->run_id)
        statement_add_value(&statement, " AND run_id = ?", db_text(filter->run_id));
    if (filter->environment)
        statement_add_value(&statement, " AND environment = ?", db_text(filter->environment));
    if (filter->project)
        statement_add_value(&statement, " AND project = ?", db_text(filter->project));
    statement_add_value(&statement, " ORDER BY id DESC LIMIT ?", db_int(page_limit(page)));
    CLEANUP(query_finalize) Query query = statement_query(&statement, scope->db);
    return approvals_take(scope, &query, list);
}

static void write_decisions(JsonWriter *json, const ApprovalDecisionList *decisions)
{
    json_open_array(json, "decisions");
    for (size_t i = 0; i < decisions->count; i++) {
        json_open_object(json, NULL);
        {
            json_text(json, "decided_by", decisions->items[i].decided_by);
            json_bool(json, "approved", decisions->items[i].is_approved);
            json_text(json, "comment", decisions->items[i].comment);
            json_time(json, "created_at", decisions->items[i].created_at);
        }
        json_close(json);
    }
    json_close(json);
}

void approval_write_json(JsonWriter *json, const char *key, const Approval *approval)
{
    json_open_object(json, key);
    {
        json_int(json, "id", approval->id);
        json_text(json, "title", approval->title);
        json_text(json, "status", approval_status_name(approval_state(approval, time_now_ms())));
        json_text(json, "reason", approval->reason);
        json_text(json, "environment", approval->environment);
        json_text(json, "project", approval->project);
        json_text(json, "digest", approval->digest);
        if (approval->detail)
            json_raw(json, "detail", approval->detail);
        json_text(json, "pipeline_run_id", approval->run_id);
        json_text(json, "asked_by", approval->asked_by);
        originators_write_json(json, "originators", &approval->originators);
        json_bool(json, "is_originator_known", originators_are_known(&approval->originators));
        json_int(json, "needed", approval->needed);
        json_int(json, "given", approval_count_given(approval));
        json_bool(json, "four_eyes", approval->four_eyes);
        write_decisions(json, &approval->decisions);
        json_time(json, "created_at", approval->created_at);
        json_time(json, "expires_at", approval->expires_at);
        json_time(json, "ended_at", approval->ended_at);
    }
    json_close(json);
}
