/* approval_internal.h: what the files of approvals share. */
#pragma once

#include "pipelines/approval.h"

/* Every select starts with these columns, in the order from_row() reads. A list has no details. */
#define SELECT_APPROVAL(detail)                                                                    \
    "SELECT id, subject, digest, environment, project, title, " detail                             \
    ", run_id, position, needed, four_eyes, status, reason, asked_by, created_at, expires_at,"     \
    " ended_at, originators FROM approvals"

/* All rows of the query, each with its decisions. */
bool approvals_take(Scope *scope, Query *query, ApprovalList *list) MUST_CHECK;

/* Inside the write that appended the action ("approval.asked"), whose approval is as it is now:
 * tells whoever wants to know. */
bool approval_tell(Scope *scope, const char *action, int64_t id) MUST_CHECK;
