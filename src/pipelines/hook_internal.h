/* hook_internal.h: what the files of hooks share. */
#pragma once

#include "pipelines/git.h"
#include "pipelines/hook.h"
#include "pipelines/originator.h"

/* Every select starts with these columns, in the order that the rows are read. */
#define SELECT_HOOK                                                                                \
    "SELECT project, repository, secret, looked_at, reason, created_at, created_by FROM hooks"

#define SELECT_PUSH                                                                                \
    "SELECT project, ref, commit_id, status, reason, run_id, told_by, created_at, pusher,"         \
    " signed_by FROM pushes"

bool hooks_take(Scope *scope, Query *query, HookList *list) MUST_CHECK;
bool pushes_take(Scope *scope, Query *query, PushList *list) MUST_CHECK;
void pushes_of_branches(const GitBranchList *branches, Arena *arena, PushList *list);

/* Who caused what a push brings: whoever pushed or wrote what has come to its branch since the last
 * commit that went through whole under four eyes, or since the first push that is known. */
bool push_originators(Scope *scope, const Git *git, const Push *push,
                      OriginatorList *list) MUST_CHECK;
