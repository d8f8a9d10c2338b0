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

bool scope_write(Scope *scope, ScopeWork *work, void *context)
{
    Call call = {scope, work, context};

    if (db_can_write(scope->db))
        return work(scope, context);
    return writer_run(scope->platform->writer, run_call, &call, &scope->error);
}
