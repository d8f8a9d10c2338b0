/* push.c: from a branch that has another commit to a run of that commit. */

#include <string.h>

#include "base/time.h"
#include "pipelines/hook_internal.h"
#include "pipelines/pipeline_internal.h"
#include "pipelines/pipeline_source.h"
#include "pipelines/trigger_event.h"

/* What may work on another try; the push waits until then. */
static bool may_work_later(const Error *error)
{
    return error->kind == ERROR_INTERNAL || error->kind == ERROR_UNAVAILABLE ||
           error->kind == ERROR_NO_ROOM;
}

static Git git_of(Scope *scope, const Hook *hook, const PushTurn *turn)
{
    return (Git){
        .folder = arena_format(scope->arena, "%s/repositories/%s.git", scope->platform->folder,
                               hook->project),
        .repository = hook->repository,
        .arena = scope->arena,
        .stopped = turn->stopped,
    };
}

/* ---- looking ---- */

typedef struct Look {
    const Hook *hook;
    PushList pushes;
    const char *reason;
} Look;

static bool write_look(Scope *scope, void *context)
{
    const Look *look = context;

    return db_run(scope->db, &scope->error,
                  "UPDATE hooks SET looked_at = $2, reason = $3 WHERE project = $1",
                  db_text(look->hook->project), db_int(time_now_ms()), db_text(look->reason)) &&
           push_add(scope, look->hook->project, "look", &look->pushes);
}

static bool look_at(Scope *scope, const PushTurn *turn, const Hook *hook)
{
    Git git = git_of(scope, hook, turn);
    GitBranchList branches = {0};
    Look look = {.hook = hook};
    Error error = {0};

    if (git_list_branches(&git, &branches, &error))
        pushes_of_branches(&branches, scope->arena, &look.pushes);
    else
        look.reason = arena_text(scope->arena, error.message);
    return scope_write(scope, write_look, &look);
}

static bool look_at_due(Scope *scope, const PushTurn *turn)
{
    int64_t now = time_now_ms();
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           SELECT_HOOK " WHERE $1 OR looked_at IS NULL OR looked_at <= $2"
                                       " OR looked_at > $3 ORDER BY looked_at",
                           db_int(turn->looks_at_all), db_int(now - HOOK_LOOK_MS), db_int(now));
    HookList hooks = {0};

    if (!hooks_take(scope, &query, &hooks))
        return false;
    for (size_t i = 0; i < hooks.count; i++)
        if (!look_at(scope, turn, &hooks.items[i]))
            return false;
    return true;
}

/* ---- starting ---- */

static const char *branch_of(const Push *push)
{
    return push->ref + strlen("refs/heads/");
}

static bool names_branch(const PipelineTriggers *on, const char *branch)
{
    for (size_t i = 0; i < on->push.count; i++)
        if (trigger_name_fits(on->push.items[i], branch))
            return true;
    return false;
}

static bool read_files(Scope *scope, const Git *git, const Push *push, Tree *tree)
{
    const char *folder = NULL, *target;
    Error ignored = {0};
    Artifact listing;
    bool done;

    if (!folder_make_temporary(scope->platform->temporary, scope->arena, &folder, &scope->error))
        return false;
    target = arena_format(scope->arena, "%s/files", folder);
    done = git_write_commit(git, push->commit, target, &scope->error) &&
           tree_add_folder(scope->platform->artifacts, target, scope->arena, &listing,
                           &scope->error) &&
           tree_read(scope->platform->artifacts, listing.digest, scope->arena, tree, &scope->error);
    return folder_remove(folder, &ignored) && done;
}

/* What the project runs otherwise follows the branch that it came from; the first push to a branch
 * that the file names says which. */
static bool put_source(Scope *scope, const PipelineOrder *order)
{
    PipelineSource source;

    if (!pipeline_source_find(scope, order->project, &source)) {
        if (scope->error.kind != ERROR_NOT_FOUND)
            return false;
        scope->error = (Error){0};
    } else if (source.branch && strcmp(source.branch, order->branch) != 0) {
        return true;
    }
    return pipeline_source_put(scope, order, &source);
}

/* One push that is seen to. */
typedef struct PushWork {
    Push *push;
    PipelineOrder order;
    bool is_told; /* the trail has what became of it: a run, or the open one */
} PushWork;

static PipelineOrder order_of(const Push *push, Arena *arena)
{
    return (PipelineOrder){
        .project = push->project,
        .trigger = "push",
        .trigger_key = arena_format(arena, "push:%s:%s", push->ref, push->commit),
        .told_by = push->told_by,
        .signed_by = push->signed_by,
        .commit = push->commit,
        .branch = branch_of(push),
        .is_stored = true,
    };
}

static bool start_push(Scope *scope, const Git *git, PushWork *work, PushTurn *turn)
{
    PipelineOrder *order = &work->order;
    Push *push = work->push;
    OrderRead read;
    PipelineRun run;
    bool is_new;

    if (!read_files(scope, git, push, &order->files) ||
        !push_originators(scope, git, push, &order->originators) ||
        !pipeline_order_read(scope, order, &read))
        return false;
    push->status = "ignored";
    if (!names_branch(&read.file.on, order->branch)) {
        push->reason =
            arena_format(scope->arena, "%s does not name the branch under on: push", read.path);
        return true;
    }
    if (!put_source(scope, order) || !pipeline_start(scope, order, &run, &is_new))
        return false;
    work->is_told = true;
    if (trigger_was_skipped(order, &run, is_new)) {
        push->reason = trigger_skip_reason(&run, scope->arena);
        return true;
    }
    push->status = "started";
    push->run_id = run.id;
    turn->started += is_new;
    return true;
}

static bool append_end(Scope *scope, const PushWork *work)
{
    TriggerEvent event = {.order = &work->order, .reason = work->push->reason};

    if (work->is_told || strcmp(work->push->status, "waiting") == 0)
        return true;
    return trigger_append(scope, strcmp(work->push->status, "failed") == 0 ? "refused" : "ignored",
                          &event);
}

static bool write_push(Scope *scope, void *context)
{
    const PushWork *work = context;
    const Push *push = work->push;

    return append_end(scope, work) &&
           db_run(scope->db, &scope->error,
                  "UPDATE pushes SET status = $4, reason = $5, run_id = $6"
                  " WHERE project = $1 AND ref = $2 AND commit_id = $3",
                  db_text(push->project), db_text(push->ref), db_text(push->commit),
                  db_text(push->status), db_text(push->reason), db_text(push->run_id));
}

static bool see_to(Scope *scope, Push *push, PushTurn *turn)
{
    PushWork work = {.push = push, .order = order_of(push, scope->arena)};
    Hook hook;
    Git git;

    if (!hook_find(scope, push->project, &hook))
        return false;
    git = git_of(scope, &hook, turn);
    if (!git_fetch(&git, &scope->error) || !start_push(scope, &git, &work, turn)) {
        push->status = may_work_later(&scope->error) ? "waiting" : "failed";
        push->reason = arena_text(scope->arena, scope->error.message);
        scope->error = (Error){0};
    }
    return scope_write(scope, write_push, &work);
}

/* One that could not be seen to is tried again when its repository is looked at again. */
bool push_turn(Scope *scope, PushTurn *turn)
{
    int64_t begin = time_now_ms();
    PushList waiting = {0};

    turn->started = 0;
    if (!look_at_due(scope, turn))
        return false;
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           SELECT_PUSH " WHERE status = 'waiting' AND (reason IS NULL OR EXISTS"
                                       " (SELECT 1 FROM hooks WHERE hooks.project = pushes.project"
                                       " AND hooks.looked_at >= $1)) ORDER BY created_at",
                           db_int(begin));
    if (!pushes_take(scope, &query, &waiting))
        return false;
    for (size_t i = 0; i < waiting.count; i++)
        if (!see_to(scope, &waiting.items[i], turn))
            return false;
    return true;
}
