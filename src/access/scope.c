#include "access/scope.h"

typedef struct Call {
    Scope *scope;
    ScopeWork *work;
    void *context;
} Call;

/* On the writer's thread; the thread of the scope waits meanwhile, so its arena is free to use. */
static bool run_call(Db *db, void *context, Error *error)
{
    Call *call = context;
    Scope inner = *call->scope;

    inner.db = db;
    if (call->work(&inner, call->context))
        return true;
    *error = inner.error;
    return false;
}

/* A write within a write: it undoes itself alone, so that the outer one may go on without it. */
static bool run_inner(Scope *scope, ScopeWork *work, void *context)
{
    Error ignored = {0};

    if (!db_run(scope->db, &scope->error, "SAVEPOINT inner_work"))
        return false;
    if (work(scope, context) && db_run(scope->db, &scope->error, "RELEASE SAVEPOINT inner_work"))
        return true;
    (void)!(db_run(scope->db, &ignored, "ROLLBACK TO SAVEPOINT inner_work") &&
            db_run(scope->db, &ignored, "RELEASE SAVEPOINT inner_work"));
    return false;
}

bool scope_write(Scope *scope, ScopeWork *work, void *context)
{
    Call call = {scope, work, context};

    if (db_can_write(scope->db))
        return run_inner(scope, work, context);
    return writer_run(scope->platform->writer, run_call, &call, &scope->error);
}

typedef struct LaterCall {
    WriteTask task;
    Call call;
    ScopeDone *done;
} LaterCall;

static void end_call(WriteTask *task)
{
    LaterCall *later = (LaterCall *)task;

    if (!task->durable)
        later->call.scope->error = task->error;
    later->done(later->call.scope, later->call.context, task->durable);
}

void scope_write_later(Scope *scope, ScopeWork *work, ScopeDone *done, void *context)
{
    LaterCall *later = arena_new(scope->arena, LaterCall);

    *later = (LaterCall){
        .task = {.work = run_call, .done = end_call},
        .call = {scope, work, context},
        .done = done,
    };
    later->task.context = &later->call;
    writer_submit(scope->platform->writer, &later->task);
}

bool scope_settle(Scope *scope, bool done, bool *found)
{
    *found = done;
    if (done || scope->error.kind != ERROR_NOT_FOUND)
        return done;
    scope->error = (Error){0};
    return true;
}
