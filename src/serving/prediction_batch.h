/* prediction_batch.h: answered requests of one deployment, as one blob of the prediction log.
 *
 * The blob: a byte with its version, the CRC-32 of the rest, and in the rest
 *     the number of records; the names of the labels given; the kinds and names of the columns;
 *     per record: created_at (as the difference to the one before), duration_us, the request id,
 *         the numbers of rows, of logged rows and of their bytes, per row its label and confidence;
 *     the inputs of all records, packed by zstd where that makes them smaller: per logged row and
 *         column a double, or a text's length and one (0: missing) and its bytes.
 * Numbers are those of varint.h, doubles little-endian; a list or text comes after its
 * size. A batch of a model that answers with numbers has another version byte, which its CRC-32
 * begins with, no names of labels, and per row the number alone. A request id of id_timed() is a 0
 * and the difference of its time to created_at, and its ten random bytes; others are texts. It is
 * for good: a change is another version byte.
 *
 * Building:  batch_begin(); batch_add() while there is room; batch_finish().
 * Reading:   if (!batch_open(bytes, size, arena, &batch, error)) return false;
 *            while (batch_next(&batch, &record)) ...
 * batch_open() looks at every byte once, so nothing that follows can fail or leave the blob.
 */
#pragma once

#include "base/varint.h"
#include "serving/prediction_record.h"

enum {
    BATCH_BYTES = 256 * 1024,        /* a batch with this much takes no more records */
    BATCH_INPUT_BYTES_MAX = 1 << 20, /* unpacked, of one that is read */
    BATCH_SPAN_MS_MAX = 10 * 1000,   /* from the first to the last time in a batch */
    BATCH_RANDOM_BYTES = 10,         /* of a timed request id */
};

typedef struct IdHashes {
    int64_t *items;
    size_t count;
} IdHashes;

typedef struct BatchBuilder {
    Arena *arena;
    LoadedModel *loaded;
    const char *endpoint, *model;
    int64_t version, deployment_id;
    int64_t first_at, last_at; /* of all created_at and the times in request ids */
    size_t record_count;
    IdHashes ids;    /* of request ids that are not timed */
    TextList labels; /* given so far */
    size_t *places;  /* per class: 1 + its place in labels, or 0 */
    TextBuilder heads, inputs;
    int64_t newest_at; /* created_at of the last record */
    bool has_numbers;
} BatchBuilder;

/* Of the deployment of this record, which is not added by that. */
void batch_begin(BatchBuilder *batch, const PredictionRecord *record, Arena *arena);

/* false: the batch has no room for it, as an empty one always has. */
bool batch_add(BatchBuilder *batch, const PredictionRecord *record) MUST_CHECK;

typedef struct BatchBytes {
    const char *bytes;
    size_t size;
} BatchBytes;

/* packer: a ZSTD_CCtx, kept by the caller for the next one. */
BatchBytes batch_finish(BatchBuilder *batch, void *packer);

/* Whether this id was made by id_timed(), by its looks, and when. What says so and was logged at
 * most BATCH_SPAN_MS_MAX after that time is not among the hashes. */
bool request_id_time(const char *request_id, int64_t *time_ms);
int64_t request_id_hash(const char *request_id);

typedef struct PredictionBatch {
    size_t record_count;
    bool has_numbers; /* the answers are numbers; there are no labels */
    TextList labels;
    InputList columns;
    ByteCursor heads, inputs; /* what is left to be read */
    int64_t newest_at;
} PredictionBatch;

/* One of a batch, which it points into. */
typedef struct BatchRecord {
    char request_id[REQUEST_ID_BYTES_MAX + 1];
    int64_t created_at, duration_us;
    size_t row_count, input_row_count;
    bool has_numbers;
    ByteCursor answers, inputs;
} BatchRecord;

/* A damaged one is ERROR_INTERNAL and says how it is damaged. */
bool batch_open(const void *bytes, size_t size, Arena *arena, PredictionBatch *batch,
                Error *error) MUST_CHECK;
bool batch_next(PredictionBatch *batch, BatchRecord *record);

/* The next row's answer; label is an index into the batch's, or 0 beside a number. Call it
 * row_count times at most. */
PredictionAnswer batch_next_answer(BatchRecord *record);

/* The next cell: input_row_count times as many as there are columns, row by row. */
typedef struct BatchCell {
    double number; /* of a number column */
    TextRef text;  /* of the others */
} BatchCell;

BatchCell batch_next_cell(BatchRecord *record, ColumnKind kind);

/* [{"label", "confidence"}] or [{"value"}] per row, and the logged rows by column, as JSON. */
const char *batch_answers_json(const PredictionBatch *batch, BatchRecord record, Arena *arena);
const char *batch_inputs_json(const PredictionBatch *batch, BatchRecord record, Arena *arena);
