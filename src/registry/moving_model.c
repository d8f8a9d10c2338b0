#include "registry/moving_model.h"

#include <inttypes.h>
#include <string.h>

#include "registry/model_internal.h"
#include "registry/source.h"
#include "registry/stage.h"

/* ---- models ---- */

static bool insert_model(Scope *scope, const RegisteredModel *given)
{
    return db_run(scope->db, &scope->error,
                  "INSERT INTO models"
                  "  (id, name, description, last_version, created_at, updated_at)"
                  "VALUES ((SELECT coalesce(max(id), 0) + 1 FROM models), $1, $2, 0, $3, $4)",
                  db_text(given->name), db_text(given->description), db_int(given->created_at),
                  db_int(given->updated_at)) &&
           event_append(scope, "model.imported", given->name, NULL);
}

static bool ensure_model(Scope *scope, const RegisteredModel *given, RegisteredModel *model,
                         MovingCount *count)
{
    if (model_find(scope, given->name, model)) {
        moving_count(count, false);
        return true;
    }
    if (scope->error.kind != ERROR_NOT_FOUND)
        return false;
    scope->error = (Error){0};
    moving_count(count, true);
    return insert_model(scope, given) && model_find(scope, given->name, model);
}

static bool put_tags(Scope *scope, const char *sql, int64_t id, const ParamList *tags)
{
    for (size_t i = 0; i < tags->count; i++)
        if (!db_run(scope->db, &scope->error, sql, db_int(id), db_text(tags->items[i].key),
                    db_text(tags->items[i].value)))
            return false;
    return true;
}

bool model_import(Scope *scope, const RegisteredModel *given, MovingCounts *counts)
{
    MovingCount own = {0};
    RegisteredModel model;

    if (!model_name_check(scope, given->name) ||
        !model_description_check(scope, given->description) ||
        !param_list_check("tag", &given->tags, MODEL_TAG_CHARACTERS_MAX, &scope->error) ||
        !ensure_model(scope, given, &model, &own) ||
        !put_tags(scope,
                  "INSERT INTO model_tags(model_id, key, value) VALUES ($1, $2, $3)"
                  "ON CONFLICT DO NOTHING",
                  model.id, &given->tags))
        return false;
    counts->models.imported += own.imported;
    counts->models.present += own.present;
    return true;
}

/* ---- where the files of a version are ---- */

/* The id in "models:/m-...", which names a logged model. */
static const char *logged_model_of(const ModelVersion *given)
{
    static const char prefix[] = "models:/";
    const char *name = given->source ? given->source + strlen(prefix) : "";

    if (given->logged_model_id)
        return given->logged_model_id;
    return given->source && text_has_prefix(given->source, prefix) && text_has_prefix(name, "m-") &&
                   !strchr(name, '/')
               ? name
               : NULL;
}

/* "model" of ".../<run>/artifacts/model" and of "runs:/<run>/model"; NULL: of neither. */
static const char *path_in_run(const char *uri, const char *run_id, Arena *arena)
{
    const char *marks[] = {arena_format(arena, "/%s/artifacts/", run_id),
                           arena_format(arena, "runs:/%s/", run_id)};

    for (size_t i = 0; uri && i < COUNT(marks); i++) {
        const char *found = strstr(uri, marks[i]);

        if (found)
            return found + strlen(marks[i]);
    }
    return NULL;
}

/* What cannot be a path of ours leads nowhere. */
static bool forgive(Scope *scope)
{
    if (scope->error.kind == ERROR_INTERNAL || scope->error.kind == ERROR_UNAVAILABLE)
        return false;
    scope->error = (Error){0};
    return true;
}

static bool settle_in_model(Scope *scope, const char *id, ModelVersion *given)
{
    ArtifactPlace place;
    LoggedModel model;

    if (!logged_model_find(scope, id, &model))
        return forgive(scope);
    given->logged_model_id = model.id;
    given->location = model.artifact_uri;
    if (model.status != LOGGED_MODEL_READY)
        return true;
    return (artifact_place_below(scope, model.artifact_uri, "", &place) &&
            source_list_package(scope, &place, &given->package)) ||
           forgive(scope);
}

static bool settle_in_run(Scope *scope, ModelVersion *given)
{
    const char *path = path_in_run(given->location, given->run_id, scope->arena);
    ArtifactPlace place;

    if (!path)
        path = path_in_run(given->source, given->run_id, scope->arena);
    if (!path)
        return true;
    if (!artifact_path_read(scope, path, &path) ||
        !artifact_place_of_run(scope, given->run_id, path, &place))
        return forgive(scope);
    given->location = arena_format(scope->arena, "%s/%s", place.uri, path);
    return source_list_package(scope, &place, &given->package) || forgive(scope);
}

/* Only what may be registered here may have a package. */
static bool may_have_package(Scope *scope, const ModelVersion *given)
{
    Run run;

    if (!given->run_id)
        return given->package != NULL;
    if (!run_find(scope, given->run_id, &run)) {
        scope->error = (Error){0};
        return false;
    }
    return !run.is_deleted && !run.failure &&
           (run.status == RUN_FINISHED || run.status == RUN_RUNNING);
}

bool model_version_settle(Scope *scope, ModelVersion *given)
{
    const char *logged_model_id = logged_model_of(given);
    bool done = true;

    given->package = NULL;
    if (logged_model_id)
        done = settle_in_model(scope, logged_model_id, given);
    else if (given->run_id)
        done = settle_in_run(scope, given);
    if (!done)
        return false;
    if (!given->location)
        given->location = given->source;
    if (!may_have_package(scope, given) || !model_version_check_package(scope, given->package))
        given->package = NULL;
    return forgive(scope);
}

/* ---- versions ---- */

static bool insert_version(Scope *scope, const ModelVersion *given, int64_t model_id, int64_t *id)
{
    static const char sql[] =
        "INSERT INTO model_versions"
        "  (id, model_id, version, description, package, run_id, created_by, created_at,"
        "   updated_at, source, location, run_link, logged_model_id, stage)"
        "VALUES ((SELECT coalesce(max(id), 0) + 1 FROM model_versions),"
        "        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
        "RETURNING id";

    return db_get_int(scope->db, &scope->error, id, sql, db_int(model_id), db_int(given->version),
                      db_text(given->description), db_text(given->package ? given->package : ""),
                      db_text(given->run_id), db_text(given->created_by), db_int(given->created_at),
                      db_int(given->updated_at), db_text(given->source), db_text(given->location),
                      db_text(given->run_link), db_text(given->logged_model_id),
                      db_text(given->stage)) &&
           db_run(scope->db, &scope->error,
                  "UPDATE models SET last_version = $2 WHERE id = $1 AND last_version < $2",
                  db_int(model_id), db_int(given->version)) &&
           event_append(scope, "model_version.imported",
                        model_version_object(scope->arena, given->model, given->version), NULL);
}

/* Files that came later make the package of a version that had none. */
static bool complete(Scope *scope, const ModelVersion *present, const ModelVersion *given)
{
    if (present->created_at != given->created_at || !text_equal(present->source, given->source))
        return fail(&scope->error, ERROR_CONFLICT,
                    "version %" PRId64 " of model \"%s\" is another one here", given->version,
                    given->model);
    if (present->package || !given->package)
        return true;
    return db_run(scope->db, &scope->error,
                  "UPDATE model_versions SET package = $2, location = $3 WHERE id = $1",
                  db_int(present->id), db_text(given->package), db_text(given->location));
}

/* *id: its row. A number that was deleted here stays so. */
static bool ensure_version(Scope *scope, const ModelVersion *given, int64_t model_id, int64_t *id,
                           MovingCount *count)
{
    ModelVersion present;

    if (model_version_find(scope, given->model, given->version, &present)) {
        moving_count(count, false);
        *id = present.id;
        return complete(scope, &present, given);
    }
    if (scope->error.kind != ERROR_NOT_FOUND)
        return false;
    scope->error = (Error){0};
    moving_count(count, true);
    return insert_version(scope, given, model_id, id);
}

static bool check_version(Scope *scope, const ModelVersion *given)
{
    if (given->version < 1)
        return fail_field(&scope->error, "version", "versions count from 1");
    return model_description_check(scope, given->description) &&
           param_list_check("tag", &given->tags, MODEL_TAG_CHARACTERS_MAX, &scope->error);
}

bool model_version_import(Scope *scope, const ModelVersion *given, MovingCounts *counts)
{
    MovingCount own = {0};
    RegisteredModel model;
    int64_t id = 0;

    if (!check_version(scope, given) || !model_find(scope, given->model, &model) ||
        !ensure_version(scope, given, model.id, &id, &own) ||
        !put_tags(scope,
                  "INSERT INTO model_version_tags(model_version_id, key, value)"
                  "VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                  id, &given->tags))
        return false;
    counts->versions.imported += own.imported;
    counts->versions.present += own.present;
    return true;
}

/* The model keeps the time of its last change there. */
static bool set_alias(Scope *scope, const char *name, const ModelAlias *given)
{
    RegisteredModel model;

    return model_find(scope, name, &model) &&
           model_alias_set(scope, name, given->alias, given->version) &&
           db_run(scope->db, &scope->error, "UPDATE models SET updated_at = $2 WHERE id = $1",
                  db_int(model.id), db_int(model.updated_at));
}

bool model_alias_import(Scope *scope, const char *model, const ModelAlias *given,
                        MovingCounts *counts)
{
    ModelVersion present;

    if (model_alias_find(scope, model, given->alias, &present)) {
        if (present.version != given->version)
            return fail(&scope->error, ERROR_CONFLICT,
                        "alias \"%s\" of model \"%s\" points to version %" PRId64 " here",
                        given->alias, model, present.version);
        moving_count(&counts->aliases, false);
        return true;
    }
    if (scope->error.kind != ERROR_NOT_FOUND)
        return false;
    scope->error = (Error){0};
    if (!set_alias(scope, model, given))
        return false;
    moving_count(&counts->aliases, true);
    return true;
}
