/* prediction_batch_read.c: the reading half of prediction_batch.h. */
#include <string.h>
#include <zstd.h>

#include "base/digest.h"
#include "base/json.h"
#include "serving/prediction_batch.h"
#include "serving/prediction_batch_internal.h"

static const char *take_name(ByteCursor *cursor, Arena *arena)
{
    uint64_t length = take_number(cursor);
    const char *bytes = take_bytes(cursor, length);

    return bytes ? arena_copy(arena, bytes, (size_t)length) : "";
}

static void take_labels(ByteCursor *cursor, Arena *arena, TextList *labels)
{
    uint64_t count = take_number(cursor);

    for (uint64_t i = 0; i < count && !cursor->is_damaged; i++)
        text_list_add(labels, arena, take_name(cursor, arena));
}

static void take_columns(ByteCursor *cursor, Arena *arena, InputList *columns)
{
    uint64_t count = take_number(cursor);
    struct {
        ModelInput *items;
        size_t count;
    } list = {0};

    for (uint64_t i = 0; i < count && !cursor->is_damaged; i++) {
        uint64_t kind = take_number(cursor);

        if (kind > COLUMN_DATE)
            take_damage(cursor);
        *arena_push(arena, &list) = (ModelInput){take_name(cursor, arena), (ColumnKind)kind};
    }
    *columns = (InputList){list.items, list.count};
}

static ByteCursor take_part(ByteCursor *cursor, uint64_t size)
{
    const char *at = take_bytes(cursor, size);

    return at ? (ByteCursor){at, at + size, false} : (ByteCursor){cursor->at, cursor->at, true};
}

/* All that is left. */
static ByteCursor take_inputs(ByteCursor *cursor, Arena *arena)
{
    uint64_t size = take_number(cursor);
    size_t packed_size = bytes_left(cursor);
    const char *packed = take_bytes(cursor, packed_size);
    char *bytes;

    if (size == packed_size)
        return (ByteCursor){packed, packed + size, false};
    if (size < packed_size || size > BATCH_INPUT_BYTES_MAX) {
        take_damage(cursor);
        return (ByteCursor){0};
    }
    bytes = arena_alloc(arena, (size_t)size, 1);
    if (ZSTD_decompress(bytes, (size_t)size, packed, packed_size) != size)
        take_damage(cursor);
    return (ByteCursor){bytes, bytes + size, false};
}

static void take_timed_id(ByteCursor *heads, BatchRecord *record)
{
    uint64_t time = (uint64_t)record->created_at - take_number(heads);
    const char *random = take_bytes(heads, BATCH_RANDOM_BYTES);
    unsigned char bytes[16];

    if (!random)
        return;
    for (size_t i = 0; i < sizeof(bytes) - BATCH_RANDOM_BYTES; i++)
        bytes[i] = (unsigned char)(time >> (8 * (5 - i)));
    memcpy(bytes + sizeof(bytes) - BATCH_RANDOM_BYTES, random, BATCH_RANDOM_BYTES);
    hex_format(bytes, sizeof(bytes), record->request_id);
}

static void take_id(ByteCursor *heads, BatchRecord *record)
{
    uint64_t length = take_number(heads);
    const char *text;

    if (!length) {
        take_timed_id(heads, record);
        return;
    }
    text = length <= REQUEST_ID_BYTES_MAX ? take_bytes(heads, length) : NULL;
    if (!text) {
        take_damage(heads);
        return;
    }
    memcpy(record->request_id, text, length);
    record->request_id[length] = '\0';
}

/* Where its answers end is known by reading them. */
static void skip_answers(ByteCursor *heads, BatchRecord *record, size_t label_count)
{
    record->answers = *heads;
    for (size_t row = 0; row < record->row_count && !heads->is_damaged; row++) {
        if (!record->has_numbers && take_number(heads) >= label_count)
            take_damage(heads);
        take_bytes(heads, sizeof(double));
    }
    record->answers.end = heads->at;
}

bool batch_next(PredictionBatch *batch, BatchRecord *record)
{
    ByteCursor *heads = &batch->heads;

    if (heads->is_damaged || batch->inputs.is_damaged || !bytes_left(heads))
        return false;
    record->request_id[0] = '\0';
    record->has_numbers = batch->has_numbers;
    record->created_at =
        (int64_t)((uint64_t)batch->newest_at + (uint64_t)difference_of_number(take_number(heads)));
    record->duration_us = (int64_t)take_number(heads);
    take_id(heads, record);
    record->row_count = (size_t)take_number(heads);
    record->input_row_count = (size_t)take_number(heads);
    record->inputs = take_part(&batch->inputs, take_number(heads));
    skip_answers(heads, record, batch->labels.count);
    batch->newest_at = record->created_at;
    return !heads->is_damaged && !batch->inputs.is_damaged;
}

PredictionAnswer batch_next_answer(BatchRecord *record)
{
    size_t label = record->has_numbers ? 0 : (size_t)take_number(&record->answers);

    return (PredictionAnswer){take_double(&record->answers), label};
}

BatchCell batch_next_cell(BatchRecord *record, ColumnKind kind)
{
    ByteCursor *inputs = &record->inputs;
    uint64_t length;

    if (kind == COLUMN_NUMBER)
        return (BatchCell){.number = take_double(inputs)};
    length = take_number(inputs);
    if (!length)
        return (BatchCell){0};
    return (BatchCell){.text = {take_bytes(inputs, length - 1), (size_t)length - 1}};
}

/* Whether the record's cells are as many as it says, and no more. A row has a byte at least, or
 * there are no columns. */
static bool check_inputs(const PredictionBatch *batch, BatchRecord record)
{
    size_t rows = record.input_row_count;

    if (rows > record.row_count || rows > bytes_left(&record.inputs))
        return false;
    for (size_t row = 0; row < rows && !record.inputs.is_damaged; row++)
        for (size_t i = 0; i < batch->columns.count; i++)
            batch_next_cell(&record, batch->columns.items[i].kind);
    return !record.inputs.is_damaged && !bytes_left(&record.inputs);
}

/* Reads a copy of the batch to its end. */
static bool check_records(PredictionBatch batch)
{
    BatchRecord record;
    size_t count = 0;

    for (; batch_next(&batch, &record); count++)
        if (!check_inputs(&batch, record))
            return false;
    return count == batch.record_count && !batch.heads.is_damaged && !batch.inputs.is_damaged &&
           !bytes_left(&batch.inputs);
}

static bool check_head(const unsigned char *bytes, size_t size, Error *error)
{
    uint32_t checksum;

    if (size < BATCH_HEAD_BYTES)
        return fail(error, ERROR_INTERNAL, "it is cut off");
    if (bytes[0] != BATCH_VERSION && bytes[0] != BATCH_VERSION_NUMBERS)
        return fail(error, ERROR_INTERNAL, "its version is %d, not %d or %d", bytes[0],
                    BATCH_VERSION, BATCH_VERSION_NUMBERS);
    memcpy(&checksum, bytes + 1, sizeof(checksum));
    if (checksum != batch_checksum(*bytes, bytes + BATCH_HEAD_BYTES, size - BATCH_HEAD_BYTES))
        return fail(error, ERROR_INTERNAL, "its bytes are not those of its checksum");
    return true;
}

bool batch_open(const void *bytes, size_t size, Arena *arena, PredictionBatch *batch, Error *error)
{
    PredictionBatch opened = {0};
    ByteCursor cursor;

    if (!check_head(bytes, size, error))
        return false;
    cursor =
        (ByteCursor){(const char *)bytes + BATCH_HEAD_BYTES, (const char *)bytes + size, false};
    opened.has_numbers = *(const unsigned char *)bytes == BATCH_VERSION_NUMBERS;
    opened.record_count = (size_t)take_number(&cursor);
    if (!opened.has_numbers)
        take_labels(&cursor, arena, &opened.labels);
    take_columns(&cursor, arena, &opened.columns);
    opened.heads = take_part(&cursor, take_number(&cursor));
    opened.inputs = take_inputs(&cursor, arena);
    if (cursor.is_damaged || !check_records(opened))
        return fail(error, ERROR_INTERNAL, "its parts do not fit together");
    *batch = opened;
    return true;
}

const char *batch_answers_json(const PredictionBatch *batch, BatchRecord record, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_open_array(json, NULL);
    for (size_t row = 0; row < record.row_count; row++) {
        PredictionAnswer answer = batch_next_answer(&record);

        json_open_object(json, NULL);
        if (!batch->has_numbers)
            json_text(json, "label", batch->labels.items[answer.label]);
        json_double(json, batch->has_numbers ? "value" : "confidence", answer.number);
        json_close(json);
    }
    json_close(json);
    return json_finish(json);
}

static void write_cell(JsonWriter *json, const ModelInput *column, BatchCell cell)
{
    if (column->kind == COLUMN_NUMBER)
        json_double(json, column->name, cell.number);
    else if (cell.text.bytes)
        json_bytes(json, column->name, cell.text.bytes, cell.text.length);
    else
        json_null(json, column->name);
}

const char *batch_inputs_json(const PredictionBatch *batch, BatchRecord record, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_open_array(json, NULL);
    for (size_t row = 0; row < record.input_row_count; row++) {
        json_open_object(json, NULL);
        for (size_t i = 0; i < batch->columns.count; i++)
            write_cell(json, &batch->columns.items[i],
                       batch_next_cell(&record, batch->columns.items[i].kind));
        json_close(json);
    }
    json_close(json);
    return json_finish(json);
}
