/* model_version.c: the numbered versions of a model. */

#include <inttypes.h>
#include <string.h>

#include "base/time.h"
#include "registry/model_internal.h"

/* Every select starts with these columns, in the order from_row() reads. */
#define SELECT_VERSION                                                                             \
    "SELECT model_versions.id, models.name, version, model_versions.description, package, run_id," \
    "       dataset, dataset_version, dataset_digest, holdout_digest, code_commit, environment,"   \
    "       created_by, model_versions.created_at, released_at, source, location, run_link,"       \
    "       logged_model_id, stage, model_versions.updated_at"                                     \
    "  FROM model_versions JOIN models ON models.id = model_versions.model_id"

/* A training logs its package among the run's files. */
static const char *own_source(const char *run_id, Arena *arena)
{
    return run_id ? arena_format(arena, "runs:/%s/model", run_id) : NULL;
}

static ModelVersion from_row(const Query *query, Arena *arena)
{
    const char *package = query_text(query, 4, arena);
    ModelVersion version = {
        .id = query_int(query, 0),
        .model = query_text(query, 1, arena),
        .version = query_int(query, 2),
        .description = query_text(query, 3, arena),
        .package = *package ? package : NULL,
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
        .source = query_text(query, 15, arena),
        .location = query_text(query, 16, arena),
        .run_link = query_text(query, 17, arena),
        .logged_model_id = query_text(query, 18, arena),
        .stage = query_text(query, 19, arena),
        .updated_at = query_int(query, 20),
    };

    if (!version.source)
        version.source = version.location = own_source(version.run_id, arena);
    return version;
}

const char *model_version_object(Arena *arena, const char *model, int64_t number)
{
    return arena_format(arena, "%s@%" PRId64, model, number);
}

static bool read_versions(Scope *scope, Query *query, ModelVersionList *list)
{
    ModelVersionList taken = {0};

    while (query_next(query))
        *arena_push(scope->arena, &taken) = from_row(query, scope->arena);
    if (!query_end(query, &scope->error))
        return false;
    if (!model_version_load_details(scope, &taken))
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

bool model_version_find_package(Scope *scope, const char *model, const char *package,
                                ModelVersion *version, bool *found)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           SELECT_VERSION " WHERE models.name = $1 AND package = $2"
                                          " AND deleted_at IS NULL ORDER BY"
                                          " CASE WHEN dataset IS NULL THEN 1 ELSE 0 END, version"
                                          " LIMIT 1",
                           db_text(model), db_text(package));
    ModelVersionList list = {0};

    if (!read_versions(scope, &query, &list))
        return false;
    *found = list.count > 0;
    if (*found)
        *version = list.items[0];
    return true;
}

bool model_version_list_at(Scope *scope, const char *model, const char *stage,
                           ModelVersionList *list)
{
    RegisteredModel found;

    if (!model_find(scope, model, &found))
        return false;

    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           SELECT_VERSION " WHERE model_id = $1 AND stage = $2"
                                          "   AND deleted_at IS NULL ORDER BY version",
                           db_int(found.id), db_text(stage));

    return read_versions(scope, &query, list);
}

/* Looks at one version a stage, however many there are. */
static const char select_newest[] = SELECT_VERSION
    "  JOIN (SELECT stages.stage AS name,"
    "               (SELECT max(v.version) FROM model_versions v WHERE v.model_id = $1"
    "                 AND v.stage = stages.stage AND v.deleted_at IS NULL) AS newest"
    "          FROM (SELECT 'None' AS stage UNION ALL SELECT 'Staging' UNION ALL"
    "                SELECT 'Production' UNION ALL SELECT 'Archived') AS stages) AS tops"
    "    ON tops.newest = model_versions.version"
    " WHERE model_id = $1 ORDER BY version";

bool model_version_list_newest(Scope *scope, int64_t model_id, ModelVersionList *list)
{
    CLEANUP(query_finalize) Query query = db_query(scope->db, select_newest, db_int(model_id));

    return read_versions(scope, &query, list);
}

bool model_version_list_by_ids(Scope *scope, const int64_t *ids, size_t count,
                               ModelVersionList *list)
{
    ModelVersionList taken = {0};

    for (size_t i = 0; i < count; i++) {
        CLEANUP(query_finalize)
        Query query = db_query(
            scope->db, SELECT_VERSION " WHERE model_versions.id = $1 AND deleted_at IS NULL",
            db_int(ids[i]));

        if (query_next(&query))
            *arena_push(scope->arena, &taken) = from_row(&query, scope->arena);
        if (!query_end(&query, &scope->error))
            return false;
    }
    if (!model_version_load_details(scope, &taken))
        return false;
    *list = taken;
    return true;
}

bool model_version_put_tags(Scope *scope, int64_t id, const ParamList *tags)
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

bool model_version_append_event(Scope *scope, const char *action, const ModelVersion *version)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    json_text(json, "package", version->package);
    json_text(json, "run_id", version->run_id);
    if (version->source)
        json_text(json, "source", version->source);
    json_close(json);
    return event_append(scope, action,
                        model_version_object(scope->arena, version->model, version->version),
                        json_finish(json));
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
           model_touch(scope, found.id) &&
           model_version_append_event(scope, "model_version.deleted", &version);
}

bool model_version_purge(Scope *scope, int64_t id)
{
    return db_run(scope->db, &scope->error,
                  "DELETE FROM model_version_tags WHERE model_version_id = $1", db_int(id)) &&
           db_run(scope->db, &scope->error, "DELETE FROM model_versions WHERE id = $1", db_int(id));
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
            model_version_append_event(scope, "model_version.released", &version));
}

bool model_version_describe(Scope *scope, const char *model, int64_t number,
                            const char *description)
{
    ModelVersion version;

    return model_description_check(scope, description) &&
           model_version_find(scope, model, number, &version) &&
           db_run(scope->db, &scope->error,
                  "UPDATE model_versions SET description = $2, updated_at = $3 WHERE id = $1",
                  db_int(version.id), db_text(description), db_int(time_now_ms())) &&
           model_version_append_event(scope, "model_version.described", &version);
}

bool model_version_set_tags(Scope *scope, const char *model, int64_t number, const ParamList *tags)
{
    ModelVersion version;

    return param_list_check("tag", tags, MODEL_TAG_CHARACTERS_MAX, &scope->error) &&
           model_version_find(scope, model, number, &version) &&
           model_version_put_tags(scope, version.id, tags) &&
           model_version_append_event(scope, "model_version.tagged", &version) &&
           model_version_tell_tags(scope, &version, tags);
}

bool model_version_delete_tag(Scope *scope, const char *model, int64_t number, const char *key)
{
    const char *object = model_version_object(scope->arena, model, number);
    ModelVersion version;
    const char *value;

    if (!model_version_find(scope, model, number, &version))
        return false;
    value = param_find(&version.tags, key);
    return !value ||
           (db_run(scope->db, &scope->error,
                   "DELETE FROM model_version_tags WHERE model_version_id = $1 AND key = $2",
                   db_int(version.id), db_text(key)) &&
            model_append_untagged(scope, "model_version.untagged", object, &(Param){key, value}) &&
            model_version_tell_untagged(scope, &version, key));
}

bool model_version_need_package(Scope *scope, const ModelVersion *version)
{
    return version->package || fail(&scope->error, ERROR_CONFLICT,
                                    "version %" PRId64 " of model \"%s\" has no package here: its "
                                    "files are at %.100s",
                                    version->version, version->model, version->location);
}

bool model_version_file(Scope *scope, const ModelVersion *version, const char *path,
                        TreeEntry *entry)
{
    const TreeEntry *found;
    Tree tree = {0};

    if (!model_version_need_package(scope, version) ||
        !tree_read(scope->platform->artifacts, version->package, scope->arena, &tree,
                   &scope->error))
        return false;
    found = tree_find(&tree, path);
    if (!found)
        return fail(&scope->error, ERROR_NOT_FOUND,
                    "version %" PRId64 " of model \"%s\" has no file \"%.200s\"", version->version,
                    version->model, path);
    *entry = *found;
    return true;
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
        json_text(json, "source", version->source);
        json_text(json, "stage", version->stage);
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
        json_time(json, "updated_at", version->updated_at);
        if (version->released_at)
            json_time(json, "released_at", version->released_at);
        else
            json_null(json, "released_at");
        json_texts(json, "aliases", &version->aliases);
        param_list_write_json(json, "tags", &version->tags);
    }
    json_close(json);
}
