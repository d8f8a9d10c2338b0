#include "serving/prediction_reader.h"

#include <assert.h>

#include "serving/prediction_internal.h"

/* Nothing in a batch is later than its first time by more than its longest span. */
static int64_t earliest_batch(const PredictionFilter *filter)
{
    return filter->from - BATCH_SPAN_MS_MAX;
}

/* $1 is the filter's deployment. The old rows are of before there were shadows. */
#define OLD_OF_DEPLOYMENT SELECT_OLD_PREDICTION " WHERE $1 IN (0, deployment_id)"
#define BATCH_OF_DEPLOYMENT                                                                        \
    SELECT_BATCH " WHERE (deployment_id = $1 OR ($1 = 0 AND " WAS_ANSWERED "))"

static Query query_old(Scope *scope, const PredictionFilter *filter)
{
    if (filter->until)
        return db_query(scope->db,
                        OLD_OF_DEPLOYMENT " AND endpoint = $2 AND created_at >= $3"
                                          " AND created_at < $4 ORDER BY created_at",
                        db_int(filter->deployment_id), db_text(filter->endpoint),
                        db_int(filter->from), db_int(filter->until));
    if (filter->endpoint)
        return db_query(scope->db, OLD_OF_DEPLOYMENT " AND endpoint = $2 AND id > $3 ORDER BY id",
                        db_int(filter->deployment_id), db_text(filter->endpoint),
                        db_int(filter->after));
    return db_query(scope->db, OLD_OF_DEPLOYMENT " AND id > $2 ORDER BY id",
                    db_int(filter->deployment_id), db_int(filter->after));
}

static Query query_batches(Scope *scope, const PredictionFilter *filter)
{
    if (filter->until)
        return db_query(
            scope->db,
            BATCH_OF_DEPLOYMENT " AND endpoint = $2 AND first_at >= $3 AND first_at < $4"
                                " AND last_at >= $5 ORDER BY first_at",
            db_int(filter->deployment_id), db_text(filter->endpoint),
            db_int(earliest_batch(filter)), db_int(filter->until), db_int(filter->from));
    if (filter->endpoint)
        return db_query(scope->db, BATCH_OF_DEPLOYMENT " AND endpoint = $2 AND id > $3 ORDER BY id",
                        db_int(filter->deployment_id), db_text(filter->endpoint),
                        db_int(filter->after));
    return db_query(scope->db, BATCH_OF_DEPLOYMENT " AND id > $2 ORDER BY id",
                    db_int(filter->deployment_id), db_int(filter->after));
}

PredictionReader prediction_read(Scope *scope, const PredictionFilter *filter)
{
    assert(!filter->until || (filter->endpoint && !filter->after));
    return (PredictionReader){
        .is_old = true,
        .scope = scope,
        .filter = *filter,
        .query = query_old(scope, filter),
        .arena = arena_create(),
    };
}

void prediction_reader_close(PredictionReader *reader)
{
    query_finalize(&reader->query);
    arena_destroy(reader->arena);
}

static bool stop(PredictionReader *reader)
{
    reader->has_failed = true;
    return false;
}

/* The old rows come first: their ids and times are before those of any batch. */
static bool next_old(PredictionReader *reader)
{
    arena_reset(reader->arena);
    if (query_next(&reader->query)) {
        reader->current = old_prediction_from_row(&reader->query, reader->arena);
        return true;
    }
    if (!query_end(&reader->query, &reader->error))
        return stop(reader);
    query_finalize(&reader->query);
    reader->is_old = false;
    reader->query = query_batches(reader->scope, &reader->filter);
    return false;
}

static bool next_batch(PredictionReader *reader)
{
    BatchRow row;

    arena_reset(reader->arena);
    reader->has_batch = query_next(&reader->query);
    if (!reader->has_batch)
        return query_end(&reader->query, &reader->error) ? false : stop(reader);
    row = batch_row_from(&reader->query, reader->arena);
    if (!batch_row_open(&row, reader->arena, &reader->batch, &reader->error))
        return stop(reader);
    reader->current = row.head;
    reader->id = row.id - row.record_count;
    return true;
}

static bool is_wanted(const PredictionReader *reader)
{
    const PredictionFilter *filter = &reader->filter;

    return reader->id > filter->after &&
           (!filter->until || (reader->record.created_at >= filter->from &&
                               reader->record.created_at < filter->until));
}

static bool next_record(PredictionReader *reader)
{
    while (reader->has_batch && batch_next(&reader->batch, &reader->record)) {
        reader->id++;
        if (!is_wanted(reader))
            continue;
        batch_record_fill(&reader->current, reader->id, &reader->record);
        if (reader->filter.wants_json)
            batch_record_fill_json(&reader->current, &reader->batch, &reader->record,
                                   reader->arena);
        return true;
    }
    return false;
}

bool prediction_reader_next(PredictionReader *reader)
{
    if (reader->has_failed)
        return false;
    if (reader->is_old && next_old(reader))
        return true;
    while (!reader->has_failed) {
        if (next_record(reader))
            return true;
        if (!next_batch(reader))
            return false;
    }
    return false;
}

bool prediction_reader_end(PredictionReader *reader, Error *error)
{
    if (reader->has_failed)
        *error = reader->error;
    return !reader->has_failed;
}
