/* approval.h: what waits for people to approve it, and what they said.
 *
 * An approval is about the bytes that one digest stands for, by the rules of its environment;
 * whatever has another digest needs another approval, and so it does when the rules have become
 * stricter. It is
 *
 *     pending -> approved     by as many people as are needed
 *             \-> rejected    by one
 *             \-> expired     which rejects, too
 *             \-> withdrawn   what waited has gone, or has another digest now
 *
 * and stays what it became. All of it is in the store, so it survives whatever is killed.
 *
 *     ApprovalSpec spec = {.subject = "1f00.../deploy", .digest = digest, ...};
 *     Approval approval;
 *
 *     if (!approval_ask(scope, &spec, &approval))
 *         return false;
 *     if (approval_state(&approval, time_now_ms()) == APPROVAL_APPROVED)
 *         ...
 */
#pragma once

#include "pipelines/environment.h"
#include "pipelines/originator.h"

enum { APPROVAL_COMMENT_BYTES_MAX = 1000 };

typedef enum ApprovalStatus {
    APPROVAL_PENDING,
    APPROVAL_APPROVED,
    APPROVAL_REJECTED,
    APPROVAL_EXPIRED,
    APPROVAL_WITHDRAWN,
} ApprovalStatus;

const char *approval_status_name(ApprovalStatus status);
bool approval_status_find(const char *name, ApprovalStatus *status);

/* What one person said. */
typedef struct ApprovalDecision {
    const char *decided_by, *comment;
    const char *person; /* whom the name means now: two tokens may be one person's */
    bool is_approved;
    int64_t created_at;
} ApprovalDecision;

typedef struct ApprovalDecisionList {
    ApprovalDecision *items;
    size_t count;
} ApprovalDecisionList;

typedef struct Approval {
    int64_t id;
    const char *subject, *digest;
    const char *environment, *project, *title;
    const char *detail; /* a JSON object: what is approved */
    const char *run_id; /* of the step that waits; NULL: none does */
    int64_t position;
    int64_t needed;
    bool four_eyes;
    ApprovalStatus status; /* as it was written; see approval_state() */
    const char *reason;
    const char *asked_by;
    OriginatorList originators; /* as they were known when it was asked for */
    int64_t created_at, expires_at, ended_at;
    ApprovalDecisionList decisions; /* in the order in which they came */
} Approval;

typedef struct ApprovalList {
    Approval *items;
    size_t count;
} ApprovalList;

/* What it is now: pure. Decisions count, then the time, and what was written stands. */
ApprovalStatus approval_state(const Approval *approval, int64_t now_ms);
int64_t approval_count_given(const Approval *approval);

typedef struct ApprovalSpec {
    const char *subject; /* names what waits; there is one pending approval of it at most */
    const char *digest;
    const char *environment, *project, *title, *detail;
    const char *run_id; /* or NULL */
    int64_t position;
    const char *asked_by;
    const OriginatorList *originators; /* resolved */
    const EnvironmentRules *rules;
} ApprovalSpec;

/* By so many people: with four eyes by one more when nobody knows who is to be kept out, so that
 * whatever one of them did it does not pass alone. */
int64_t approval_count_needed(const EnvironmentRules *rules, const OriginatorList *originators);

/* Inside a write. The approval of this subject and digest, whatever became of it, or a new one; a
 * pending one of another digest, by other rules or of other originators is withdrawn. Appends
 * approval.asked. */
bool approval_ask(Scope *scope, const ApprovalSpec *spec, Approval *approval) MUST_CHECK;

/* What somebody says to it. */
typedef struct ApprovalAnswer {
    int64_t id;
    const char *digest; /* of what they saw */
    const char *comment;
    bool is_approved;
} ApprovalAnswer;

extern const JsonField approval_answer_fields[]; /* all but the id */

/* Whether the person who says it may: pure. */
bool approval_check_answer(const Approval *approval, const ApprovalAnswer *answer, const char *who,
                           int64_t now_ms, Error *error) MUST_CHECK;

/* Inside a write. The step that waits may go on with it. Appends approval.given while more people
 * are needed, then approval.approved or approval.rejected. */
bool approval_decide(Scope *scope, const ApprovalAnswer *answer, Approval *approval) MUST_CHECK;

/* The same for who is outside of one: what has expired is written down as that before it is
 * refused. Calls scope_write() itself. */
bool approval_answer(Scope *scope, const ApprovalAnswer *answer, Approval *approval) MUST_CHECK;

/* Inside a write. Writes down that it has expired, if it has: approval.expired. */
bool approval_settle(Scope *scope, Approval *approval) MUST_CHECK;

/* All whose time is over, also of steps that nobody looks at because all slots are taken: what has
 * expired once is so for good, whatever the clock says later. *count: how many; who waits for them
 * is to be woken. Calls scope_write() itself. */
bool approvals_settle(Scope *scope, size_t *count) MUST_CHECK;

/* Inside a write. Those that steps of the run wait for: approval.withdrawn. */
bool approval_withdraw_run(Scope *scope, const char *run_id, const char *reason) MUST_CHECK;

typedef struct ApprovalFilter {
    const char *status; /* a name of a status; NULL: any */
    const char *run_id, *environment, *project;
} ApprovalFilter;

bool approval_find(Scope *scope, int64_t id, Approval *approval) MUST_CHECK;

/* The newest first. */
bool approval_list(Scope *scope, const ApprovalFilter *filter, const Page *page,
                   ApprovalList *list) MUST_CHECK;

/* "status" is approval_state() of this moment. */
void approval_write_json(JsonWriter *json, const char *key, const Approval *approval);
