/* run_log.c: writing params and tags of a run, and batches of all kinds. */

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "tracking/logged_model_internal.h"
#include "tracking/run_internal.h"

static bool check_counts(const RunBatch *batch, Error *error)
{
    assert(batch->model_metrics.count <= batch->metrics.count);
    if (batch->metrics.count > BATCH_METRICS_MAX || batch->params.count > BATCH_PARAMS_MAX ||
        batch->tags.count > BATCH_TAGS_MAX ||
        batch->metrics.count + batch->params.count + batch->tags.count > BATCH_MAX)
        return fail(error, ERROR_INVALID,
                    "a batch has at most %d metrics, %d params and %d tags, and %d in all",
                    BATCH_METRICS_MAX, BATCH_PARAMS_MAX, BATCH_TAGS_MAX, BATCH_MAX);
    return true;
}

static bool check_params_differ(const ParamList *params, Error *error)
{
    for (size_t i = 0; i < params->count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(params->items[i].key, params->items[j].key) == 0)
                return fail_field(error, "params", "param \"%s\" is given twice",
                                  params->items[i].key);
    return true;
}

static bool check_metrics(const MetricList *metrics, Error *error)
{
    for (size_t i = 0; i < metrics->count; i++) {
        const Metric *metric = &metrics->items[i];

        if (!key_check("metric", metric->key, error))
            return false;
        if (metric->timestamp < 0)
            return fail_field(error, "metrics", "the timestamp of a metric is not before 1970");
    }
    return true;
}

static bool check_batch(const RunBatch *batch, Error *error)
{
    return check_counts(batch, error) &&
           param_list_check("param", &batch->params, PARAM_CHARACTERS_MAX, error) &&
           check_params_differ(&batch->params, error) &&
           param_list_check("tag", &batch->tags, TAG_CHARACTERS_MAX, error) &&
           check_metrics(&batch->metrics, error);
}

/* At most 60 bytes for a message, cut between characters. */
static const char *shorten(const char *text, Arena *arena)
{
    size_t length = strlen(text);

    if (length <= 60)
        return text;
    for (length = 60; length && ((unsigned char)text[length] & 0xc0) == 0x80;)
        length--;
    return arena_format(arena, "%.*s...", (int)length, text);
}

bool run_put_param(Scope *scope, const Run *run, const Param *param, bool *is_new)
{
    CLEANUP(query_finalize)
    Query query = db_query(
        scope->db, "SELECT " DETAIL_VALUE " FROM run_params WHERE run_key = $1 AND key = $2",
        db_int(run->key), db_text(param->key));
    const char *present = query_next(&query) ? query_text(&query, 0, scope->arena) : NULL;

    if (!query_end(&query, &scope->error))
        return false;
    *is_new = !present;
    if (!present)
        return db_run(scope->db, &scope->error, INSERT_DETAIL("run_params"), db_int(run->key),
                      db_text(param->key), db_text(param->value), db_int(run->experiment_id));
    return strcmp(present, param->value) == 0 ||
           fail(&scope->error, ERROR_CONFLICT,
                "param \"%s\" of run \"%s\" is \"%s\" and never changes, so it cannot become "
                "\"%s\"",
                shorten(param->key, scope->arena), run->id, shorten(present, scope->arena),
                shorten(param->value, scope->arena));
}

bool run_put_tags(Scope *scope, const Run *run, const ParamList *tags)
{
    static const char sql[] =
        INSERT_DETAIL("run_tags") " ON CONFLICT (run_key, key)"
                                  " DO UPDATE SET start = excluded.start, value = excluded.value";

    for (size_t i = 0; i < tags->count; i++) {
        const Param *tag = &tags->items[i];
        bool done = strcmp(tag->key, RUN_NAME_TAG) == 0
                        ? run_rename(scope, run, tag->value)
                        : db_run(scope->db, &scope->error, sql, db_int(run->key), db_text(tag->key),
                                 db_text(tag->value), db_int(run->experiment_id));

        if (!done)
            return false;
    }
    return true;
}

bool run_log_batch(Scope *scope, const char *id, const RunBatch *batch)
{
    bool is_new;
    Run run;

    if (!check_batch(batch, &scope->error) || !run_find_writable(scope, id, &run))
        return false;
    for (size_t i = 0; i < batch->params.count; i++)
        if (!run_put_param(scope, &run, &batch->params.items[i], &is_new))
            return false;
    return run_put_metrics(scope, &run, &batch->metrics) &&
           logged_model_put_metrics(scope, &run, &batch->model_metrics) &&
           run_put_tags(scope, &run, &batch->tags);
}

bool run_delete_tag(Scope *scope, const char *id, const char *key)
{
    Run run;

    if (!run_find_writable(scope, id, &run) ||
        !db_run(scope->db, &scope->error, "DELETE FROM run_tags WHERE run_key = $1 AND key = $2",
                db_int(run.key), db_text(key)))
        return false;
    return db_changes(scope->db) > 0 ||
           fail(&scope->error, ERROR_NOT_FOUND, "run \"%s\" has no tag \"%s\"", id,
                shorten(key, scope->arena));
}
