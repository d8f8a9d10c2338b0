#include "tracking/step_bounds.h"

#include <inttypes.h>
#include <string.h>

#include "tracking/experiment.h"
#include "tracking/logged_model_internal.h"
#include "tracking/run_internal.h"

static bool is_step(const Scope *scope)
{
    return scope->principal.role == ROLE_STEP;
}

static bool fail_foreign(Scope *scope, const char *what, const char *id)
{
    return fail(&scope->error, ERROR_FORBIDDEN,
                "a step changes its own run and what it makes itself, and \"%s\" has not made "
                "%s \"%.100s\"",
                scope->principal.name, what, id);
}

bool step_bounds_check_experiment(Scope *scope, int64_t experiment_id)
{
    return !is_step(scope) || experiment_id == scope->principal.experiment ||
           fail(&scope->error, ERROR_FORBIDDEN,
                "a step logs to the experiment of its project, which is %" PRId64
                " for \"%s\", not to experiment %" PRId64,
                scope->principal.experiment, scope->principal.name, experiment_id);
}

/* The tag of the row with this key is that of the step. */
static bool is_own(Scope *scope, const char *sql, int64_t key, bool *own)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, sql, db_int(key), db_text(STEP_RUN_TAG));

    *own = query_next(&query) &&
           text_equal(query_text(&query, 0, scope->arena), scope->principal.run_id);
    return query_end(&query, &scope->error);
}

bool step_bounds_check_run(Scope *scope, const Run *run)
{
    bool own = !is_step(scope) || text_equal(run->id, scope->principal.run_id);

    if (!own &&
        !is_own(scope, "SELECT " DETAIL_VALUE " FROM run_tags WHERE run_key = $1 AND key = $2",
                run->key, &own))
        return false;
    return own || fail_foreign(scope, "run", run->id);
}

bool step_bounds_check_logged_model(Scope *scope, const LoggedModel *model)
{
    bool own = !is_step(scope);

    if (!own &&
        !is_own(scope, "SELECT value FROM logged_model_tags WHERE model_key = $1 AND key = $2",
                model->key, &own))
        return false;
    return own || fail_foreign(scope, "logged model", model->id);
}

ParamList step_bounds_tags(const Scope *scope)
{
    ParamList tags = {0};

    if (is_step(scope))
        *arena_push(scope->arena, &tags) = (Param){STEP_RUN_TAG, scope->principal.run_id};
    return tags;
}

/* ---- files ---- */

static bool is_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    return strncmp(path, folder, length) == 0 && (path[length] == '/' || !*folder);
}

/* What is behind the folder of the step's experiment, or NULL. */
static bool find_rest(Scope *scope, const char *path, const char **rest)
{
    Experiment experiment;
    const char *root;

    if (!experiment_find(scope, scope->principal.experiment, &experiment))
        return false;
    root = artifact_path_of_uri(experiment.artifact_location, scope->arena);
    if (!root || !is_below(path, root))
        return fail(&scope->error, ERROR_FORBIDDEN,
                    "\"%s\" puts files below \"%s\", where those of its experiment are",
                    scope->principal.name, experiment.artifact_location);
    *rest = path + strlen(root) + (*root != '\0');
    return true;
}

/* "models/m-1/artifacts/MLmodel": files of a logged model are as it is. */
static bool check_model(Scope *scope, const char *rest)
{
    static const char folder[] = "models/";
    const char *id = rest + strlen(folder);
    LoggedModel model;

    if (!text_has_prefix(rest, folder))
        return true;
    id = arena_copy(scope->arena, id, strcspn(id, "/"));
    return logged_model_find_deleted(scope, id, &model) &&
           step_bounds_check_logged_model(scope, &model);
}

static bool check_new(Scope *scope, const ArtifactPlace *place)
{
    TreeEntry entry;

    if (artifact_place_file(scope, place, &entry))
        return fail(&scope->error, ERROR_FORBIDDEN,
                    "\"%.200s\" is there already, and a step replaces no files but those of its "
                    "runs and models",
                    place->path);
    if (scope->error.kind == ERROR_INTERNAL || scope->error.kind == ERROR_UNAVAILABLE)
        return false;
    scope->error = (Error){0}; /* a folder is refused by who puts */
    return true;
}

bool step_bounds_check_place(Scope *scope, const ArtifactPlace *place)
{
    const char *rest;
    Run run;

    if (!is_step(scope))
        return true;
    if (place->run_key)
        return run_find_row(scope, place->run_id, &run) && step_bounds_check_run(scope, &run);
    return find_rest(scope, place->path, &rest) && check_model(scope, rest) &&
           (text_has_prefix(rest, "models/") || check_new(scope, place));
}
