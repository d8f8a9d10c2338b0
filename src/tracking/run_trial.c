#include "tracking/run_trial.h"

#include <assert.h>

#include "base/id.h"
#include "tracking/purge.h"
#include "tracking/run_internal.h"

static bool insert(Scope *scope, const Run *run, const RunTrial *trial, Run *made)
{
    static const char sql[] =
        "INSERT INTO runs(key, id, experiment_id, name, user_name, status, failure, started_at,"
        "                 ended_at, trial_of)"
        "VALUES (" NEXT_RUN_KEY ", $1, $2, $3, $4, $5, $6, $7, $8, $9)"
        "RETURNING key";

    return db_get_int(scope->db, &scope->error, &made->key, sql, db_text(made->id),
                      db_int(made->experiment_id), db_text(trial->name), db_text(run->user),
                      db_text(run_status_name(trial->status)), db_text(trial->failure),
                      db_int(trial->started_at), db_int(trial->ended_at), db_int(run->key));
}

/* It is new, so nothing is looked for. */
static bool put_params(Scope *scope, const Run *made, const ParamList *params)
{
    for (size_t i = 0; i < params->count; i++)
        if (!db_run(scope->db, &scope->error, INSERT_DETAIL("run_params"), db_int(made->key),
                    db_text(params->items[i].key), db_text(params->items[i].value),
                    db_int(made->experiment_id)))
            return false;
    return true;
}

static bool add_trial(Scope *scope, const Run *run, const RunTrial *trial)
{
    Param parent = {RUN_PARENT_TAG, run->id};
    char id[ID_TEXT_SIZE];
    Run made = {.id = id_random(id), .experiment_id = run->experiment_id, .name = trial->name};

    return run_name_check(scope, trial->name) &&
           param_list_check("param", &trial->params, PARAM_CHARACTERS_MAX, &scope->error) &&
           param_list_check("tag", &trial->tags, TAG_CHARACTERS_MAX, &scope->error) &&
           insert(scope, run, trial, &made) && put_params(scope, &made, &trial->params) &&
           run_put_tags(scope, &made, &(ParamList){&parent, 1}) &&
           run_put_tags(scope, &made, &trial->tags) &&
           run_put_metrics(scope, &made, &trial->metrics);
}

bool run_add_trials(Scope *scope, const Run *run, const RunTrialList *trials)
{
    assert(trials->count <= RUN_TRIALS_MAX);
    for (size_t i = 0; i < trials->count; i++)
        if (!add_trial(scope, run, &trials->items[i]))
            return false;
    return true;
}

bool run_mark_trials(Scope *scope, const Run *run, int64_t deleted_at)
{
    if (deleted_at)
        return db_run(scope->db, &scope->error,
                      "UPDATE runs SET deleted_at = $2 WHERE trial_of = $1 AND deleted_at IS NULL",
                      db_int(run->key), db_int(deleted_at));
    return db_run(scope->db, &scope->error,
                  "UPDATE runs SET deleted_at = NULL WHERE trial_of = $1 AND purged_at IS NULL"
                  "   AND deleted_at = (SELECT deleted_at FROM runs WHERE key = $1)",
                  db_int(run->key));
}

bool run_check_trial(Scope *scope, const Run *run)
{
    static const char sql[] =
        "SELECT count(*) FROM runs WHERE key = $1"
        "   AND NOT EXISTS (SELECT 1 FROM runs AS parent"
        "                    WHERE parent.key = runs.trial_of AND parent.deleted_at IS NULL)";
    int64_t is_alone = 0;

    if (!run->is_trial)
        return true;
    return db_get_int(scope->db, &scope->error, &is_alone, sql, db_int(run->key)) &&
           (!is_alone || fail(&scope->error, ERROR_CONFLICT,
                              "run \"%s\" is a trial of a training that is deleted: it is restored "
                              "with that",
                              run->id));
}
