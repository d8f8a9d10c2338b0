#include "serving/prediction.h"

#include <inttypes.h>

#include "serving/prediction_internal.h"
#include "serving/prediction_reader.h"

LoggedPrediction old_prediction_from_row(const Query *query, Arena *arena)
{
    return (LoggedPrediction){
        .id = query_int(query, 0),
        .request_id = query_text(query, 1, arena),
        .endpoint = query_text(query, 2, arena),
        .model = query_text(query, 3, arena),
        .version = query_int(query, 4),
        .deployment_id = query_int(query, 5),
        .created_at = query_int(query, 6),
        .duration_us = query_int(query, 7),
        .row_count = query_int(query, 8),
        .answers = query_text(query, 9, arena),
        .inputs = query_text(query, 10, arena),
    };
}

BatchRow batch_row_from(const Query *query, Arena *arena)
{
    BatchRow row = {
        .id = query_int(query, 0),
        .record_count = query_int(query, 1),
        .head = {.endpoint = query_text(query, 2, arena),
                 .model = query_text(query, 3, arena),
                 .version = query_int(query, 4),
                 .deployment_id = query_int(query, 5)},
    };

    row.bytes = query_blob(query, 6, arena, &row.size);
    return row;
}

bool batch_row_open(const BatchRow *row, Arena *arena, PredictionBatch *batch, Error *error)
{
    PredictionBatch opened;

    if (!batch_open(row->bytes, row->size, arena, &opened, error))
        return fail_in(error, "predictions %" PRId64 " to %" PRId64 " of the log cannot be read",
                       row->id - row->record_count + 1, row->id);
    if ((int64_t)opened.record_count != row->record_count)
        return fail(error, ERROR_INTERNAL,
                    "predictions %" PRId64 " to %" PRId64
                    " of the log cannot be read: there are %zu of them",
                    row->id - row->record_count + 1, row->id, opened.record_count);
    *batch = opened;
    return true;
}

void batch_record_fill(LoggedPrediction *prediction, int64_t id, const BatchRecord *record)
{
    prediction->id = id;
    prediction->request_id = record->request_id;
    prediction->created_at = record->created_at;
    prediction->duration_us = record->duration_us;
    prediction->row_count = (int64_t)record->row_count;
}

void batch_record_fill_json(LoggedPrediction *prediction, const PredictionBatch *batch,
                            const BatchRecord *record, Arena *arena)
{
    prediction->answers = batch_answers_json(batch, *record, arena);
    prediction->inputs = batch_inputs_json(batch, *record, arena);
}

static LoggedPrediction keep(const LoggedPrediction *prediction, Arena *arena)
{
    LoggedPrediction kept = *prediction;

    kept.request_id = arena_text(arena, kept.request_id);
    kept.endpoint = arena_text(arena, kept.endpoint);
    kept.model = arena_text(arena, kept.model);
    kept.answers = arena_text(arena, kept.answers);
    kept.inputs = arena_text(arena, kept.inputs);
    return kept;
}

static bool no_such_prediction(Scope *scope, const char *request_id)
{
    return fail(&scope->error, ERROR_NOT_FOUND, "no prediction with the request id \"%.128s\"",
                request_id);
}

/* The newest with this request id in the batch. */
static bool find_in_batch(const BatchRow *row, const PredictionBatch *batch, const char *request_id,
                          LoggedPrediction *prediction, Arena *arena)
{
    PredictionBatch rest = *batch;
    BatchRecord record, found;
    int64_t id = row->id - row->record_count, found_id = 0;

    while (batch_next(&rest, &record)) {
        id++;
        if (!text_equal(record.request_id, request_id))
            continue;
        found = record;
        found_id = id;
    }
    if (!found_id)
        return false;
    *prediction = row->head;
    batch_record_fill(prediction, found_id, &found);
    batch_record_fill_json(prediction, batch, &found, arena);
    prediction->request_id = request_id;
    return true;
}

static bool look_into(Scope *scope, int64_t batch_id, const char *request_id,
                      LoggedPrediction *prediction)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db, SELECT_BATCH " WHERE id = $1 AND " WAS_ANSWERED, db_int(batch_id));
    LoggedPrediction found;
    PredictionBatch batch;
    BatchRow row;

    if (!query_next(&query))
        return query_end(&query, &scope->error) && no_such_prediction(scope, request_id);
    row = batch_row_from(&query, arena);
    if (!batch_row_open(&row, arena, &batch, &scope->error))
        return false;
    if (!find_in_batch(&row, &batch, request_id, &found, arena))
        return no_such_prediction(scope, request_id);
    *prediction = keep(&found, scope->arena);
    return true;
}

/* The batches that may have it, newest first: those by its hash and, when it tells a time, those
 * of that time. */
static Query query_candidates(Scope *scope, const char *request_id)
{
    int64_t hash = request_id_hash(request_id), time_ms;

    if (!request_id_time(request_id, &time_ms))
        return db_query(scope->db,
                        "SELECT batch_id FROM prediction_request_ids WHERE hash = $1"
                        " ORDER BY batch_id DESC",
                        db_int(hash));
    return db_query(scope->db,
                    "SELECT batch_id FROM prediction_request_ids WHERE hash = $1"
                    " UNION SELECT id FROM prediction_batches"
                    " WHERE first_at >= $2 AND first_at <= $3 AND last_at >= $3"
                    " ORDER BY 1 DESC",
                    db_int(hash), db_int(time_ms - BATCH_SPAN_MS_MAX), db_int(time_ms));
}

/* A damaged batch is no reason not to look into the others, but the reason when none has it. */
static bool find_in_batches(Scope *scope, const char *request_id, LoggedPrediction *prediction)
{
    CLEANUP(query_finalize) Query query = query_candidates(scope, request_id);
    Error damage = {0};

    while (query_next(&query)) {
        if (look_into(scope, query_int(&query, 0), request_id, prediction))
            return true;
        if (scope->error.kind != ERROR_NOT_FOUND)
            damage = scope->error;
        scope->error = (Error){0};
    }
    if (!query_end(&query, &scope->error))
        return false;
    if (!damage.kind)
        return no_such_prediction(scope, request_id);
    scope->error = damage;
    return false;
}

static bool find_old(Scope *scope, const char *request_id, LoggedPrediction *prediction)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db, SELECT_OLD_PREDICTION " WHERE request_id = $1 ORDER BY id DESC LIMIT 1",
                 db_text(request_id));

    if (query_next(&query)) {
        *prediction = old_prediction_from_row(&query, scope->arena);
        return true;
    }
    return query_end(&query, &scope->error) && no_such_prediction(scope, request_id);
}

bool prediction_find(Scope *scope, const char *request_id, LoggedPrediction *prediction)
{
    Error why;

    if (find_in_batches(scope, request_id, prediction))
        return true;
    why = scope->error;
    scope->error = (Error){0};
    if (find_old(scope, request_id, prediction))
        return true;
    if (why.kind != ERROR_NOT_FOUND)
        scope->error = why;
    return false;
}

bool prediction_list(Scope *scope, const char *endpoint, int64_t after, int64_t limit,
                     LoggedPredictionList *list)
{
    const PredictionFilter filter = {.endpoint = endpoint, .after = after, .wants_json = true};
    CLEANUP(prediction_reader_close) PredictionReader reader = prediction_read(scope, &filter);
    LoggedPredictionList found = {0};

    while ((int64_t)found.count < limit && prediction_reader_next(&reader))
        *arena_push(scope->arena, &found) = keep(&reader.current, scope->arena);
    if (!prediction_reader_end(&reader, &scope->error))
        return false;
    *list = found;
    return true;
}

void logged_prediction_write_json(JsonWriter *json, const char *key,
                                  const LoggedPrediction *prediction)
{
    json_open_object(json, key);
    {
        json_int(json, "id", prediction->id);
        json_text(json, "request_id", prediction->request_id);
        json_text(json, "endpoint", prediction->endpoint);
        json_text(json, "model", prediction->model);
        json_int(json, "version", prediction->version);
        json_int(json, "deployment_id", prediction->deployment_id);
        json_time(json, "created_at", prediction->created_at);
        json_int(json, "duration_us", prediction->duration_us);
        json_int(json, "row_count", prediction->row_count);
        json_raw(json, "predictions", prediction->answers);
        json_raw(json, "inputs", prediction->inputs);
    }
    json_close(json);
}

bool prediction_write_lineage(Scope *scope, const LoggedPrediction *prediction, JsonWriter *json)
{
    const char *number = arena_format(scope->arena, "%" PRId64, prediction->version);
    Deployment deployment;
    Lineage lineage;

    if (!deployment_find(scope, prediction->deployment_id, &deployment) ||
        !model_version_lineage(scope, prediction->model, number, &lineage))
        return false;
    json_open_object(json, NULL);
    {
        logged_prediction_write_json(json, "prediction", prediction);
        deployment_write_json(json, "deployment", &deployment);
        lineage_write_json(json, "lineage", &lineage);
    }
    json_close(json);
    return true;
}
