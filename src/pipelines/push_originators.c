/* push_originators.c: who is behind a push. A change that nobody approved yet comes with the next
 * push, too, whoever makes that. */
#include "pipelines/hook_internal.h"

typedef struct Base {
    const char *commit; /* NULL: the push is the first that is known */
    int64_t at;
    bool is_approved; /* otherwise it counts itself */
} Base;

static bool take_base(Scope *scope, Query *query, Base *base)
{
    if (query_next(query)) {
        base->commit = query_text(query, 0, scope->arena);
        base->at = query_int(query, 1);
    }
    return query_end(query, &scope->error);
}

static bool find_approved(Scope *scope, const Push *push, Base *base)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db,
                 "SELECT pushes.commit_id, pushes.created_at FROM pushes"
                 " JOIN pipeline_runs ON pipeline_runs.id = pushes.run_id"
                 " WHERE pushes.project = $1 AND ref = $2 AND pipeline_runs.status = 'succeeded'"
                 " AND EXISTS (SELECT 1 FROM approvals WHERE approvals.run_id = pushes.run_id"
                 " AND approvals.status = 'approved' AND four_eyes)"
                 " ORDER BY pushes.created_at DESC LIMIT 1",
                 db_text(push->project), db_text(push->ref));

    if (!take_base(scope, &query, base))
        return false;
    base->is_approved = base->commit != NULL;
    return true;
}

static bool find_first(Scope *scope, const Push *push, Base *base)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT commit_id, created_at FROM pushes WHERE project = $1"
                           " AND ref = $2 AND commit_id != $3 AND created_at <= $4"
                           " ORDER BY created_at LIMIT 1",
                           db_text(push->project), db_text(push->ref), db_text(push->commit),
                           db_int(push->created_at));

    return take_base(scope, &query, base);
}

static bool add_pushers(Scope *scope, const Push *push, const Base *base, OriginatorList *list)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db,
                 "SELECT DISTINCT pusher FROM pushes WHERE project = $1 AND ref = $2"
                 " AND created_at <= $3 AND created_at >= $4 + $5",
                 db_text(push->project), db_text(push->ref), db_int(push->created_at),
                 db_int(base->commit ? base->at : push->created_at), db_int(base->is_approved));

    while (query_next(&query))
        originators_add(list, scope->arena,
                        (Originator){query_text(&query, 0, scope->arena), ORIGINATOR_PUSHED});
    return query_end(&query, &scope->error);
}

static void add_writers(Scope *scope, const GitPeople *people, OriginatorList *list)
{
    for (size_t i = 0; i < people->list.count; i++)
        originators_add(list, scope->arena,
                        (Originator){people->list.items[i], ORIGINATOR_WRITTEN});
    if (!people->is_whole)
        originators_add(list, scope->arena, (Originator){NULL, ORIGINATOR_PUSHED});
}

static bool add_people_of(Scope *scope, const Git *git, const char *commit, OriginatorList *list)
{
    GitPeople people;

    if (!git_people_of(git, commit, &people, &scope->error))
        return false;
    add_writers(scope, &people, list);
    return true;
}

/* A base that the repository has no more says nothing of what came after it: somebody unknown. */
static bool add_people_since(Scope *scope, const Git *git, const Base *base, const char *commit,
                             OriginatorList *list)
{
    GitPeople people = {0};

    if (!git_people_since(git, base->commit, commit, &people, &scope->error)) {
        if (scope->error.kind != ERROR_NOT_FOUND)
            return false;
        scope->error = (Error){0};
    }
    add_writers(scope, &people, list);
    return base->is_approved || !people.is_whole || add_people_of(scope, git, base->commit, list);
}

bool push_originators(Scope *scope, const Git *git, const Push *push, OriginatorList *list)
{
    Base base = {0};

    originators_add(list, scope->arena, (Originator){push->pusher, ORIGINATOR_PUSHED});
    if (!add_people_of(scope, git, push->commit, list) || !find_approved(scope, push, &base) ||
        (!base.commit && !find_first(scope, push, &base)) || !add_pushers(scope, push, &base, list))
        return false;
    return !base.commit || add_people_since(scope, git, &base, push->commit, list);
}
