#include "tracking/run_inputs.h"

#include <string.h>

#include "tracking/key_list.h"
#include "tracking/run_internal.h"

enum {
    DATASET_SOURCE_MAX = 65535,
    DATASET_SCHEMA_MAX = 1048575,
    DATASET_PROFILE_MAX = 16777215,
    INPUT_TAG_KEY_MAX = 255,
    INPUT_TAG_VALUE_MAX = 500,
    MODEL_ID_BYTES_MAX = 64,
};

/* ---- what may be logged ---- */

static bool check_length(Scope *scope, const char *what, const char *text, size_t most)
{
    if (text && text_characters(text) > most)
        return fail_field(&scope->error, what, "the %s of a data set has at most %zu characters",
                          what, most);
    return true;
}

static bool check_tags(Scope *scope, const ParamList *tags)
{
    for (size_t i = 0; i < tags->count; i++) {
        size_t length = text_characters(tags->items[i].key);

        if (length < 1 || length > INPUT_TAG_KEY_MAX ||
            text_characters(tags->items[i].value) > INPUT_TAG_VALUE_MAX)
            return fail_field(&scope->error, "tags",
                              "a tag of a data set has a key of 1 to %d characters and a value of "
                              "at most %d",
                              INPUT_TAG_KEY_MAX, INPUT_TAG_VALUE_MAX);
    }
    return true;
}

bool run_check_dataset(Scope *scope, const DatasetInput *dataset)
{
    if (!*dataset->name || !*dataset->digest)
        return fail_field(&scope->error, "datasets", "a data set has a name and a digest");
    return check_length(scope, "name", dataset->name, DATASET_NAME_MAX) &&
           check_length(scope, "digest", dataset->digest, DATASET_DIGEST_MAX) &&
           check_length(scope, "source type", dataset->source_type, DATASET_NAME_MAX) &&
           check_length(scope, "source", dataset->source, DATASET_SOURCE_MAX) &&
           check_length(scope, "schema", dataset->schema, DATASET_SCHEMA_MAX) &&
           check_length(scope, "profile", dataset->profile, DATASET_PROFILE_MAX) &&
           check_tags(scope, &dataset->tags);
}

bool run_check_model_id(Scope *scope, const char *id)
{
    size_t length = strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

    return (length >= 1 && length <= MODEL_ID_BYTES_MAX && !id[length]) ||
           fail_field(&scope->error, "models",
                      "the id of a logged model has 1 to %d letters, digits, \"-\" and \"_\"",
                      MODEL_ID_BYTES_MAX);
}

static bool check_count(Scope *scope, const char *what, size_t count)
{
    return count <= RUN_INPUTS_MAX ||
           fail_field(&scope->error, what, "a run takes at most %d %s at once", RUN_INPUTS_MAX,
                      what);
}

static bool check_inputs(Scope *scope, const DatasetInputList *datasets, const TextList *models)
{
    if (!check_count(scope, "datasets", datasets->count) ||
        !check_count(scope, "models", models->count))
        return false;
    for (size_t i = 0; i < datasets->count; i++)
        if (!run_check_dataset(scope, &datasets->items[i]))
            return false;
    for (size_t i = 0; i < models->count; i++)
        if (!run_check_model_id(scope, models->items[i]))
            return false;
    return true;
}

/* ---- logging ---- */

static bool insert_dataset(Scope *scope, int64_t experiment_id, const DatasetInput *dataset,
                           int64_t *key)
{
    static const char sql[] =
        "INSERT INTO logged_datasets"
        "  (key, experiment_id, name, digest, source_type, source, schema, profile)"
        "VALUES ((SELECT coalesce(max(key), 0) + 1 FROM logged_datasets),"
        "        $1, $2, $3, $4, $5, $6, $7)"
        "RETURNING key";

    return db_get_int(scope->db, &scope->error, key, sql, db_int(experiment_id),
                      db_text(dataset->name), db_text(dataset->digest),
                      db_text(dataset->source_type), db_text(dataset->source),
                      db_text(dataset->schema), db_text(dataset->profile));
}

static bool ensure_dataset(Scope *scope, int64_t experiment_id, const DatasetInput *dataset,
                           int64_t *key)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db,
                           "SELECT key FROM logged_datasets"
                           " WHERE experiment_id = $1 AND name = $2 AND digest = $3",
                           db_int(experiment_id), db_text(dataset->name), db_text(dataset->digest));

    if (query_next(&query)) {
        *key = query_int(&query, 0);
        return true;
    }
    return query_end(&query, &scope->error) && insert_dataset(scope, experiment_id, dataset, key);
}

static bool put_tags(Scope *scope, const Run *run, int64_t dataset_key, const ParamList *tags)
{
    static const char sql[] =
        "INSERT INTO run_dataset_tags(run_key, dataset_key, key, value) VALUES ($1, $2, $3, $4)"
        "ON CONFLICT (run_key, dataset_key, key) DO UPDATE SET value = excluded.value";

    for (size_t i = 0; i < tags->count; i++)
        if (!db_run(scope->db, &scope->error, sql, db_int(run->key), db_int(dataset_key),
                    db_text(tags->items[i].key), db_text(tags->items[i].value)))
            return false;
    return true;
}

bool run_put_dataset(Scope *scope, const Run *run, const DatasetInput *dataset, bool *is_new)
{
    int64_t key = 0;

    if (!ensure_dataset(scope, run->experiment_id, dataset, &key) ||
        !db_run(scope->db, &scope->error,
                "INSERT INTO run_datasets(run_key, dataset_key) VALUES ($1, $2)"
                "ON CONFLICT DO NOTHING",
                db_int(run->key), db_int(key)))
        return false;
    *is_new = db_changes(scope->db) > 0;
    return !*is_new || put_tags(scope, run, key, &dataset->tags);
}

bool run_put_model(Scope *scope, const Run *run, bool is_output, ModelOutput model)
{
    return db_run(scope->db, &scope->error,
                  "INSERT INTO run_models(run_key, is_output, step, model_id)"
                  "VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                  db_int(run->key), db_int(is_output), db_int(model.step), db_text(model.model_id));
}

bool run_log_inputs(Scope *scope, const char *run_id, const DatasetInputList *datasets,
                    const TextList *models)
{
    bool is_new;
    Run run;

    if (!check_inputs(scope, datasets, models) || !run_find_writable(scope, run_id, &run))
        return false;
    for (size_t i = 0; i < datasets->count; i++)
        if (!run_put_dataset(scope, &run, &datasets->items[i], &is_new))
            return false;
    for (size_t i = 0; i < models->count; i++)
        if (!run_put_model(scope, &run, false, (ModelOutput){models->items[i], 0}))
            return false;
    return true;
}

bool run_log_outputs(Scope *scope, const char *run_id, const ModelOutputList *models)
{
    Run run;

    if (!check_count(scope, "models", models->count) || !run_find_writable(scope, run_id, &run))
        return false;
    for (size_t i = 0; i < models->count; i++)
        if (!run_check_model_id(scope, models->items[i].model_id) ||
            !run_put_model(scope, &run, true, models->items[i]))
            return false;
    return true;
}

/* ---- reading ---- */

enum { KIND_DATASET, KIND_MODEL_INPUT, KIND_MODEL_OUTPUT };

/* One question for all kinds, so that runs without any cost one. */
static const char select_inputs[] =
    "SELECT run_key, 0, dataset_key, name, digest, source_type, source, schema, profile"
    "  FROM run_datasets JOIN logged_datasets ON key = dataset_key WHERE run_key IN ?"
    " UNION ALL "
    "SELECT run_key, 1 + is_output, step, model_id, '', '', '', NULL, NULL"
    "  FROM run_models WHERE run_key IN ?"
    " ORDER BY 1, 2, 3, 4";

static DatasetInput dataset_from_row(const Query *query, Arena *arena)
{
    return (DatasetInput){
        .key = query_int(query, 2),
        .name = query_text(query, 3, arena),
        .digest = query_text(query, 4, arena),
        .source_type = query_text(query, 5, arena),
        .source = query_text(query, 6, arena),
        .schema = query_text(query, 7, arena),
        .profile = query_text(query, 8, arena),
    };
}

static void take_input(Run *run, const Query *query, Arena *arena)
{
    switch (query_int(query, 1)) {
    case KIND_DATASET:
        *arena_push(arena, &run->datasets) = dataset_from_row(query, arena);
        break;
    case KIND_MODEL_INPUT:
        text_list_add(&run->model_inputs, arena, query_text(query, 3, arena));
        break;
    default:
        *arena_push(arena, &run->model_outputs) =
            (ModelOutput){query_text(query, 3, arena), query_int(query, 2)};
    }
}

/* Both the rows and the inputs are by run and data set. */
static bool load_tags(Scope *scope, const KeyList *keys, Run *const *runs)
{
    CLEANUP(query_finalize)
    Query query = key_list_query(keys, scope->db,
                                 "SELECT run_key, dataset_key, key, value FROM run_dataset_tags"
                                 " WHERE run_key IN ? ORDER BY run_key, dataset_key, key",
                                 scope->arena);
    size_t run = 0, at = 0;

    while (query_next(&query)) {
        for (; runs[run]->key < query_int(&query, 0); run++)
            at = 0;
        while (runs[run]->datasets.items[at].key < query_int(&query, 1))
            at++;
        *arena_push(scope->arena, &runs[run]->datasets.items[at].tags) =
            (Param){query_text(&query, 2, scope->arena), query_text(&query, 3, scope->arena)};
    }
    return query_end(&query, &scope->error);
}

bool run_load_inputs(Scope *scope, Run *const *runs, size_t count)
{
    KeyList keys = key_list_create(scope->arena, 0, count);
    bool has_datasets = false;
    size_t at = 0;

    for (size_t i = 0; i < count; i++)
        key_list_set(&keys, i, runs[i]->key);

    CLEANUP(query_finalize)
    Query query = key_list_query(&keys, scope->db, select_inputs, scope->arena);

    while (query_next(&query)) {
        while (runs[at]->key < query_int(&query, 0))
            at++;
        has_datasets = has_datasets || query_int(&query, 1) == KIND_DATASET;
        take_input(runs[at], &query, scope->arena);
    }
    return query_end(&query, &scope->error) && (!has_datasets || load_tags(scope, &keys, runs));
}

bool dataset_summaries(Scope *scope, const int64_t *experiment_ids, size_t count,
                       DatasetSummaryList *list)
{
    static const char sql[] =
        "SELECT DISTINCT experiment_id, name, digest, value"
        "  FROM logged_datasets"
        "  JOIN run_datasets ON run_datasets.dataset_key = logged_datasets.key"
        "  LEFT JOIN run_dataset_tags AS tags"
        "    ON tags.run_key = run_datasets.run_key"
        "   AND tags.dataset_key = run_datasets.dataset_key AND tags.key = '" DATASET_CONTEXT_TAG
        "'"
        " WHERE experiment_id IN ?"
        " ORDER BY experiment_id, name, digest, value LIMIT 1000";
    DatasetSummaryList taken = {0};

    _Static_assert(DATASET_SUMMARIES_MAX == 1000, "as in the statement");
    if (count < 1 || count > DATASET_EXPERIMENTS_MAX)
        return fail_field(&scope->error, "experiment_ids",
                          "data sets are looked for in 1 to %d experiments",
                          DATASET_EXPERIMENTS_MAX);

    KeyList keys = key_list_create(scope->arena, 0, count);

    for (size_t i = 0; i < count; i++)
        key_list_set(&keys, i, experiment_ids[i]);

    CLEANUP(query_finalize) Query query = key_list_query(&keys, scope->db, sql, scope->arena);

    while (query_next(&query))
        *arena_push(scope->arena, &taken) = (DatasetSummary){
            .experiment_id = query_int(&query, 0),
            .name = query_text(&query, 1, scope->arena),
            .digest = query_text(&query, 2, scope->arena),
            .context = query_text(&query, 3, scope->arena),
        };
    if (!query_end(&query, &scope->error))
        return false;
    *list = taken;
    return true;
}
