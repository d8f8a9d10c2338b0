/* model_version.c: the numbered versions of a model. */

#include <inttypes.h>
#include <string.h>

#include "base/time.h"
#include "registry/model_internal.h"
#include "registry/package_internal.h"

enum {
    DESCRIPTION_CHARACTERS_MAX = 5000,
    ENVIRONMENT_BYTES_MAX = 65536,
    MLMODEL_BYTES_MAX = 1 << 20,
};

/* Every select starts with these columns, in the order from_row() reads. */
#define SELECT_VERSION                                                                             \
    "SELECT model_versions.id, models.name, version, model_versions.description, package, run_id," \
    "       dataset, dataset_version, dataset_digest, holdout_digest, code_commit, environment,"   \
    "       created_by, model_versions.created_at, released_at"                                    \
    "  FROM model_versions JOIN models ON models.id = model_versions.model_id"

static ModelVersion from_row(const Query *query, Arena *arena)
{
    return (ModelVersion){
        .id = query_int(query, 0),
        .model = query_text(query, 1, arena),
        .version = query_int(query, 2),
        .description = query_text(query, 3, arena),
        .package = query_text(query, 4, arena),
        .run_id = query_text(query, 5, arena),
        .dataset = query_text(query, 6, arena),
        .dataset_version = query_int(query, 7),
        .dataset_digest = query_text(query, 8, arena),
        .holdout_digest = query_text(query, 9, arena),
        .code_commit = query_text(query, 10, arena),
        .environment = query_text(query, 11, arena),
        .created_by = query_text(query, 12, arena),
        .created_at = query_int(query, 13),
        .released_at = query_int(query, 14),
    };
}

const char *model_version_object(Arena *arena, const char *model, int64_t number)
{
    return arena_format(arena, "%s@%" PRId64, model, number);
}

static bool load_tags(Scope *scope, ModelVersion *version)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT key, value FROM model_version_tags"
                           " WHERE model_version_id = $1 ORDER BY key",
                           db_int(version->id));

    return param_list_from_rows(&query, scope->arena, &version->tags, &scope->error);
}

static bool load_aliases(Scope *scope, ModelVersion *version)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT alias FROM model_aliases"
                           "  JOIN models ON models.id = model_aliases.model_id"
                           " WHERE models.name = $1 AND version = $2 ORDER BY alias",
                           db_text(version->model), db_int(version->version));

    while (query_next(&query))
        *arena_push(scope->arena, &version->aliases) = query_text(&query, 0, scope->arena);
    return query_end(&query, &scope->error);
}

static bool read_versions(Scope *scope, Query *query, ModelVersionList *list)
{
    ModelVersionList taken = {0};

    while (query_next(query))
        *arena_push(scope->arena, &taken) = from_row(query, scope->arena);
    if (!query_end(query, &scope->error))
        return false;
    for (size_t i = 0; i < taken.count; i++)
        if (!load_tags(scope, &taken.items[i]) || !load_aliases(scope, &taken.items[i]))
            return false;
    *list = taken;
    return true;
}

bool model_version_find(Scope *scope, const char *model, int64_t number, ModelVersion *version)
{
    CLEANUP(query_finalize)
    Query query = db_query(
        scope->db, SELECT_VERSION " WHERE models.name = $1 AND version = $2 AND deleted_at IS NULL",
        db_text(model), db_int(number));
    ModelVersionList list = {0};

    if (!read_versions(scope, &query, &list))
        return false;
    if (!list.count)
        return fail(&scope->error, ERROR_NOT_FOUND, "model \"%.256s\" has no version %" PRId64,
                    model, number);
    *version = list.items[0];
    return true;
}

bool model_version_list(Scope *scope, const char *model, const Page *page, ModelVersionList *list)
{
    RegisteredModel found;

    if (!model_find(scope, model, &found))
        return false;

    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           SELECT_VERSION " WHERE model_id = $1 AND deleted_at IS NULL"
                                          " AND version < $2 ORDER BY version DESC LIMIT $3",
                           db_int(found.id), db_int(page_before(page)), db_int(page_limit(page)));

    return read_versions(scope, &query, list);
}

static bool check_description(Scope *scope, const char *description)
{
    if (description && text_characters(description) > DESCRIPTION_CHARACTERS_MAX)
        return fail_field(&scope->error, "description", "a description has at most %d characters",
                          DESCRIPTION_CHARACTERS_MAX);
    return true;
}

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

static bool check_package(Scope *scope, const char *package)
{
    Tree tree = {0};

    if (!digest_is_valid(package))
        return fail_field(&scope->error, "package",
                          "a package is named by its digest, 64 hexadecimal digits");
    if (!artifact_exists(scope->platform->artifacts, package))
        return fail_field(&scope->error, "package", "package \"%s\" is not in the artifact store",
                          package);
    if (!tree_read(scope->platform->artifacts, package, scope->arena, &tree, &scope->error))
        return fail_in(&scope->error, "package \"%s\" cannot be read", package);
    if (!tree_find(&tree, "MLmodel"))
        return fail_field(&scope->error, "package", "package \"%s\" has no file \"MLmodel\"",
                          package);
    return check_own_flavor(scope, &tree, package);
}

static bool check_run(Scope *scope, const ModelVersionSpec *spec)
{
    bool may;
    Run run;

    if (!spec->run_id)
        return true;
    if (!run_find(scope, spec->run_id, &run))
        return false;
    if (run.is_deleted)
        return fail(&scope->error, ERROR_CONFLICT,
                    "run \"%s\" is deleted, so it cannot be registered", run.id);
    if (run.failure) /* MLflow's update may call it finished afterwards */
        return fail(&scope->error, ERROR_CONFLICT,
                    "run \"%s\" has failed, so it cannot be registered", run.id);
    may = run.status == RUN_FINISHED || (run.status == RUN_RUNNING && spec->may_be_running);
    return may || fail(&scope->error, ERROR_CONFLICT,
                       "run \"%s\" is %s: only a run that is FINISHED can be registered", run.id,
                       run_status_name(run.status));
}

static bool check_spec(Scope *scope, const ModelVersionSpec *spec)
{
    return check_description(scope, spec->description) &&
           check_environment(scope, spec->environment) &&
           param_list_check("tag", &spec->tags, MODEL_TAG_CHARACTERS_MAX, &scope->error) &&
           check_package(scope, spec->package) && check_run(scope, spec);
}

static bool take_number(Scope *scope, int64_t model_id, int64_t *number)
{
    return db_get_int(scope->db, &scope->error, number,
                      "UPDATE models SET last_version = last_version + 1, updated_at = $2"
                      " WHERE id = $1 RETURNING last_version",
                      db_int(model_id), db_int(time_now_ms()));
}

static bool insert(Scope *scope, const ModelVersionSpec *spec, int64_t model_id, int64_t number,
                   int64_t *id)
{
    static const char sql[] =
        "INSERT INTO model_versions"
        "  (id, model_id, version, description, package, run_id, dataset, dataset_version,"
        "   dataset_digest, holdout_digest, code_commit, environment, created_by, created_at)"
        "VALUES ((SELECT coalesce(max(id), 0) + 1 FROM model_versions),"
        "        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
        "RETURNING id";

    return db_get_int(
        scope->db, &scope->error, id, sql, db_int(model_id), db_int(number),
        db_text(spec->description ? spec->description : ""), db_text(spec->package),
        db_text(spec->run_id), db_text(spec->dataset), db_int_or_null(spec->dataset_version),
        db_text(spec->dataset_digest), db_text(spec->holdout_digest), db_text(spec->code_commit),
        db_text(spec->environment),
        db_text(scope->principal.name ? scope->principal.name : "local"), db_int(time_now_ms()));
}

static bool put_tags(Scope *scope, int64_t id, const ParamList *tags)
{
    static const char sql[] =
        "INSERT INTO model_version_tags(model_version_id, key, value) VALUES ($1, $2, $3)"
        "ON CONFLICT (model_version_id, key) DO UPDATE SET value = excluded.value";

    for (size_t i = 0; i < tags->count; i++)
        if (!db_run(scope->db, &scope->error, sql, db_int(id), db_text(tags->items[i].key),
                    db_text(tags->items[i].value)))
            return false;
    return true;
}

static bool append_event(Scope *scope, const char *action, const ModelVersion *version)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    json_text(json, "package", version->package);
    json_text(json, "run_id", version->run_id);
    json_close(json);
    return event_append(scope, action,
                        model_version_object(scope->arena, version->model, version->version),
                        json_finish(json));
}

bool model_version_create(Scope *scope, const ModelVersionSpec *spec, ModelVersion *version)
{
    RegisteredModel model;
    ModelVersion created;
    int64_t number = 0, id = 0;

    if (!check_spec(scope, spec) || !model_ensure(scope, spec->model, &model) ||
        !take_number(scope, model.id, &number) || !insert(scope, spec, model.id, number, &id) ||
        !put_tags(scope, id, &spec->tags) ||
        !model_version_find(scope, spec->model, number, &created) ||
        !append_event(scope, "model_version.created", &created))
        return false;
    *version = created;
    return true;
}

bool model_version_delete(Scope *scope, const char *model, int64_t number)
{
    RegisteredModel found;
    ModelVersion version;

    if (!model_find(scope, model, &found) || !model_version_find(scope, model, number, &version))
        return false;
    if (version.released_at)
        return fail(&scope->error, ERROR_CONFLICT,
                    "version %" PRId64
                    " of model \"%s\" was in production, so it cannot be deleted",
                    number, model);
    return model_aliases_drop(scope, &found, number) &&
           db_run(scope->db, &scope->error,
                  "UPDATE model_versions SET deleted_at = $2 WHERE id = $1", db_int(version.id),
                  db_int(time_now_ms())) &&
           model_touch(scope, found.id) && append_event(scope, "model_version.deleted", &version);
}

bool model_version_release(Scope *scope, const char *model, int64_t number)
{
    ModelVersion version;

    if (!model_version_find(scope, model, number, &version))
        return false;
    return version.released_at ||
           (db_run(scope->db, &scope->error,
                   "UPDATE model_versions SET released_at = $2 WHERE id = $1", db_int(version.id),
                   db_int(time_now_ms())) &&
            append_event(scope, "model_version.released", &version));
}

bool model_version_describe(Scope *scope, const char *model, int64_t number,
                            const char *description)
{
    ModelVersion version;

    return check_description(scope, description) &&
           model_version_find(scope, model, number, &version) &&
           db_run(scope->db, &scope->error,
                  "UPDATE model_versions SET description = $2 WHERE id = $1", db_int(version.id),
                  db_text(description)) &&
           append_event(scope, "model_version.described", &version);
}

bool model_version_set_tags(Scope *scope, const char *model, int64_t number, const ParamList *tags)
{
    ModelVersion version;

    return param_list_check("tag", tags, MODEL_TAG_CHARACTERS_MAX, &scope->error) &&
           model_version_find(scope, model, number, &version) &&
           put_tags(scope, version.id, tags) &&
           append_event(scope, "model_version.tagged", &version);
}

void model_version_write_json(JsonWriter *json, const char *key, const ModelVersion *version)
{
    json_open_object(json, key);
    {
        json_text(json, "model", version->model);
        json_int(json, "version", version->version);
        json_text(json, "description", version->description);
        json_text(json, "package", version->package);
        json_text(json, "run_id", version->run_id);
        json_text(json, "dataset", version->dataset);
        if (version->dataset_version)
            json_int(json, "dataset_version", version->dataset_version);
        else
            json_null(json, "dataset_version");
        json_text(json, "dataset_digest", version->dataset_digest);
        json_text(json, "holdout_digest", version->holdout_digest);
        json_text(json, "code_commit", version->code_commit);
        json_raw(json, "environment", version->environment);
        json_text(json, "created_by", version->created_by);
        json_time(json, "created_at", version->created_at);
        if (version->released_at)
            json_time(json, "released_at", version->released_at);
        else
            json_null(json, "released_at");
        json_open_array(json, "aliases");
        for (size_t i = 0; i < version->aliases.count; i++)
            json_text(json, NULL, version->aliases.items[i]);
        json_close(json);
        param_list_write_json(json, "tags", &version->tags);
    }
    json_close(json);
}
