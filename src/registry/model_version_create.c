/* model_version_create.c: what a new version has to be, and making it. */

#include <inttypes.h>
#include <string.h>

#include "base/time.h"
#include "registry/model_internal.h"
#include "registry/package_internal.h"
#include "tracking/logged_model.h"

enum {
    ENVIRONMENT_BYTES_MAX = 65536,
    MLMODEL_BYTES_MAX = 1 << 20,
};

static bool check_environment(Scope *scope, const char *environment)
{
    const JsonValue *value = NULL;
    Error reason = {0};

    if (!environment)
        return true;
    if (strlen(environment) > ENVIRONMENT_BYTES_MAX ||
        !json_parse(environment, strlen(environment), scope->arena, &value, &reason) ||
        !json_is_object(value))
        return fail_field(&scope->error, "environment",
                          "an environment is a JSON object of at most %d bytes",
                          ENVIRONMENT_BYTES_MAX);
    return true;
}

/* A model of Slipway's own is registered with all that it needs to answer: preprocessing and model
 * are one file, the signature says what goes in. */
static bool check_own_flavor(Scope *scope, const Tree *tree, const char *package)
{
    static const char *const needed[] = {PACKAGE_MODEL, PACKAGE_SIGNATURE, PACKAGE_GOLDEN};
    const char *bytes;
    size_t size;

    if (!artifact_read(scope->platform->artifacts, tree_find(tree, "MLmodel")->digest,
                       MLMODEL_BYTES_MAX, scope->arena, &bytes, &size, &scope->error))
        return fail_in(&scope->error, "package \"%s\" cannot be read", package);
    if (!strstr(bytes, "\n  slipway:\n"))
        return true;
    for (size_t i = 0; i < COUNT(needed); i++)
        if (!tree_find(tree, needed[i]))
            return fail_field(&scope->error, "package", "package \"%s\" has no file \"%s\"",
                              package, needed[i]);
    return true;
}

bool model_version_check_package(Scope *scope, const char *package)
{
    Tree tree = {0};

    if (!package || !digest_is_valid(package))
        return fail_field(&scope->error, "package",
                          "a package is named by its digest, 64 hexadecimal digits");
    if (!artifact_claim(scope->platform->artifacts, package, &scope->error))
        return scope->error.kind == ERROR_NOT_FOUND &&
               fail_field(&scope->error, "package", "package \"%s\" is not in the artifact store",
                          package);
    if (!tree_read(scope->platform->artifacts, package, scope->arena, &tree, &scope->error))
        return fail_in(&scope->error, "package \"%s\" cannot be read", package);
    if (!tree_claim(scope->platform->artifacts, &tree, &scope->error))
        return fail_in(&scope->error, "package \"%s\" is not whole", package);
    if (!tree_find(&tree, "MLmodel"))
        return fail_field(&scope->error, "package", "package \"%s\" has no file \"MLmodel\"",
                          package);
    return check_own_flavor(scope, &tree, package);
}

/* A run of another server is only a name here. */
static bool forgive_unknown(Scope *scope, const ModelVersionSpec *spec)
{
    if (scope->error.kind != ERROR_NOT_FOUND || !spec->may_be_unknown)
        return false;
    scope->error = (Error){0};
    return true;
}

static bool check_run(Scope *scope, const ModelVersionSpec *spec)
{
    bool may;
    Run run;

    if (!spec->run_id)
        return true;
    if (!run_find(scope, spec->run_id, &run))
        return forgive_unknown(scope, spec);
    if (run.is_deleted)
        return fail(&scope->error, ERROR_CONFLICT,
                    "run \"%s\" is deleted, so it cannot be registered", run.id);
    if (run.failure) /* MLflow's update may call it finished afterwards */
        return fail(&scope->error, ERROR_CONFLICT,
                    "run \"%s\" has failed, so it cannot be registered", run.id);
    if (run.is_trial)
        return fail(&scope->error, ERROR_CONFLICT,
                    "run \"%s\" is a trial: the model is that of the training that it belongs to",
                    run.id);
    may = run.status == RUN_FINISHED || (run.status == RUN_RUNNING && spec->may_be_running);
    return may || fail(&scope->error, ERROR_CONFLICT,
                       "run \"%s\" is %s: only a run that is FINISHED can be registered", run.id,
                       run_status_name(run.status));
}

static bool check_spec(Scope *scope, const ModelVersionSpec *spec)
{
    bool is_elsewhere = spec->source && !spec->package;

    return model_description_check(scope, spec->description) &&
           check_environment(scope, spec->environment) &&
           param_list_check("tag", &spec->tags, MODEL_TAG_CHARACTERS_MAX, &scope->error) &&
           (is_elsewhere || model_version_check_package(scope, spec->package)) &&
           check_run(scope, spec);
}

static bool take_number(Scope *scope, int64_t model_id, int64_t *number)
{
    return db_get_int(scope->db, &scope->error, number,
                      "UPDATE models SET last_version = last_version + 1, updated_at = $2"
                      " WHERE id = $1 RETURNING last_version",
                      db_int(model_id), db_int(time_now_ms()));
}

static const char insert_version[] =
    "INSERT INTO model_versions"
    "  (id, model_id, version, description, package, run_id, dataset, dataset_version,"
    "   dataset_digest, holdout_digest, code_commit, environment, created_by, created_at, "
    "updated_at,"
    "   source, location, run_link, logged_model_id)"
    "VALUES ((SELECT coalesce(max(id), 0) + 1 FROM model_versions),"
    "        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, $14, $15, $16, $17)"
    "RETURNING id";

static bool insert(Scope *scope, const ModelVersionSpec *spec, int64_t model_id, int64_t number,
                   int64_t *id)
{
    const char *creator = scope->principal.name ? scope->principal.name : "local";

    return db_get_int(scope->db, &scope->error, id, insert_version, db_int(model_id),
                      db_int(number), db_text(spec->description ? spec->description : ""),
                      db_text(spec->package ? spec->package : ""), db_text(spec->run_id),
                      db_text(spec->dataset), db_int_or_null(spec->dataset_version),
                      db_text(spec->dataset_digest), db_text(spec->holdout_digest),
                      db_text(spec->code_commit), db_text(spec->environment), db_text(creator),
                      db_int(time_now_ms()), db_text(spec->source), db_text(spec->location),
                      db_text(spec->run_link), db_text(spec->logged_model_id));
}

/* Its logged model lists it, as MLflow's clients read it; for as long as the list has room. */
static bool list_in_logged_model(Scope *scope, const ModelVersion *version)
{
    LoggedModelVersion listed = {version->model,
                                 arena_format(scope->arena, "%" PRId64, version->version)};

    if (!version->logged_model_id ||
        logged_model_add_version(scope, version->logged_model_id, &listed))
        return true;
    if (scope->error.kind != ERROR_FIELD)
        return false;
    scope->error = (Error){0};
    return true;
}

bool model_version_create(Scope *scope, const ModelVersionSpec *spec, ModelVersion *version)
{
    RegisteredModel model;
    ModelVersion created;
    int64_t number = 0, id = 0;

    if (!check_spec(scope, spec) || !model_ensure(scope, spec->model, &model) ||
        !take_number(scope, model.id, &number) || !insert(scope, spec, model.id, number, &id) ||
        !model_version_put_tags(scope, id, &spec->tags) ||
        !model_version_find(scope, spec->model, number, &created) ||
        !model_version_append_event(scope, "model_version.created", &created) ||
        !list_in_logged_model(scope, &created) || !model_version_tell_created(scope, &created))
        return false;
    *version = created;
    return true;
}
