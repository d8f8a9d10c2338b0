/* prediction_batch.c: the building half of prediction_batch.h, and what it says of request ids. */
#include "serving/prediction_batch.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/id.h"
#include "serving/prediction_batch_internal.h"

/* Faster ones gain too little, slower ones take longer than all else in the log. */
enum { PACK_LEVEL = 1 };

enum { TIME_BYTES = 6, ID_BYTES = TIME_BYTES + BATCH_RANDOM_BYTES };

enum { HEX_DIGIT = 0x10 }; /* beside the value of a digit: any other character has 0 */

/* Of the digits that hex_format() writes. */
static unsigned read_digit(char digit)
{
    static const unsigned char digits[256] = {
        ['0'] = 0x10, ['1'] = 0x11, ['2'] = 0x12, ['3'] = 0x13, ['4'] = 0x14, ['5'] = 0x15,
        ['6'] = 0x16, ['7'] = 0x17, ['8'] = 0x18, ['9'] = 0x19, ['a'] = 0x1a, ['b'] = 0x1b,
        ['c'] = 0x1c, ['d'] = 0x1d, ['e'] = 0x1e, ['f'] = 0x1f,
    };

    return digits[(unsigned char)digit];
}

/* false: it is not what id_timed() makes. */
static bool read_id(const char *text, unsigned char bytes[ID_BYTES])
{
    if (strnlen(text, ID_TEXT_SIZE) != ID_TEXT_SIZE - 1)
        return false;
    for (size_t i = 0; i < ID_BYTES; i++) {
        unsigned high = read_digit(text[2 * i]), low = read_digit(text[2 * i + 1]);

        if (!(high & low & HEX_DIGIT))
            return false;
        bytes[i] = (unsigned char)(high << 4 | (low ^ HEX_DIGIT));
    }
    return true;
}

static int64_t id_time(const unsigned char bytes[ID_BYTES])
{
    int64_t time_ms = 0;

    for (size_t i = 0; i < TIME_BYTES; i++)
        time_ms = time_ms << 8 | bytes[i];
    return time_ms;
}

bool request_id_time(const char *request_id, int64_t *time_ms)
{
    unsigned char bytes[ID_BYTES];

    if (!read_id(request_id, bytes))
        return false;
    *time_ms = id_time(bytes);
    return true;
}

/* The id of a record. Another program's id may look like ours and name any time; one that was not
 * just made is a text like others, so that no batch spans more than its time. */
typedef struct RecordId {
    bool is_timed;
    unsigned char bytes[ID_BYTES];
    int64_t time_ms; /* created_at where it is not timed */
} RecordId;

static RecordId read_record_id(const PredictionRecord *record)
{
    RecordId id = {.time_ms = record->created_at};
    int64_t age;

    if (!read_id(record_request_id(record), id.bytes))
        return id;
    age = record->created_at - id_time(id.bytes);
    id.is_timed = age >= 0 && age <= BATCH_SPAN_MS_MAX;
    id.time_ms -= id.is_timed ? age : 0;
    return id;
}

/* FNV-1a, and its high bits mixed into the low ones. */
int64_t request_id_hash(const char *request_id)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *request_id; request_id++)
        hash = (hash ^ (unsigned char)*request_id) * UINT64_C(0x100000001b3);
    return (int64_t)(hash ^ hash >> 29);
}

void batch_begin(BatchBuilder *batch, const PredictionRecord *record, Arena *arena)
{
    *batch = (BatchBuilder){
        .arena = arena,
        .loaded = record->loaded,
        .endpoint = record_endpoint(record),
        .model = record_model(record),
        .version = record->version,
        .deployment_id = record->deployment_id,
        .first_at = INT64_MAX,
        .last_at = INT64_MIN,
        .places = arena_array(arena, size_t, record->loaded->classes->count),
        .has_numbers = loaded_model_has_numbers(record->loaded),
        .heads = {.arena = arena},
        .inputs = {.arena = arena},
    };
}

/* first, last: the times of one more record. */
static bool has_room(const BatchBuilder *batch, int64_t first, int64_t last)
{
    first = first < batch->first_at ? first : batch->first_at;
    last = last > batch->last_at ? last : batch->last_at;
    return !batch->record_count || (batch->heads.count + batch->inputs.count < BATCH_BYTES &&
                                    last - first <= BATCH_SPAN_MS_MAX);
}

static void append_number(TextBuilder *text, uint64_t number)
{
    char bytes[NUMBER_BYTES_MAX];

    text_append_bytes(text, bytes, (size_t)(put_number(bytes, number) - bytes));
}

static void append_name(TextBuilder *text, const char *name)
{
    size_t length = strlen(name);

    append_number(text, length);
    text_append_bytes(text, name, length);
}

static void include_time(BatchBuilder *batch, int64_t time_ms)
{
    batch->first_at = time_ms < batch->first_at ? time_ms : batch->first_at;
    batch->last_at = time_ms > batch->last_at ? time_ms : batch->last_at;
}

static void add_id(BatchBuilder *batch, const PredictionRecord *record, const RecordId *id)
{
    const char *request_id = record_request_id(record);

    if (!id->is_timed) {
        *arena_push(batch->arena, &batch->ids) = request_id_hash(request_id);
        append_name(&batch->heads, request_id);
        return;
    }
    append_number(&batch->heads, 0);
    append_number(&batch->heads, (uint64_t)(record->created_at - id->time_ms));
    text_append_bytes(&batch->heads, (const char *)id->bytes + TIME_BYTES, BATCH_RANDOM_BYTES);
}

static size_t label_place(BatchBuilder *batch, size_t label)
{
    if (!batch->places[label]) {
        text_list_add(&batch->labels, batch->arena, batch->loaded->classes->items[label]);
        batch->places[label] = batch->labels.count;
    }
    return batch->places[label] - 1;
}

static void add_answers(BatchBuilder *batch, const PredictionRecord *record)
{
    const PredictionAnswer *answers = record_answers(record);

    for (size_t row = 0; row < record->row_count; row++) {
        if (!batch->has_numbers)
            append_number(&batch->heads, label_place(batch, answers[row].label));
        text_append_bytes(&batch->heads, (const char *)&answers[row].number, sizeof(double));
    }
}

bool batch_add(BatchBuilder *batch, const PredictionRecord *record)
{
    const RecordId id = read_record_id(record);

    if (!has_room(batch, id.time_ms, record->created_at))
        return false;
    include_time(batch, id.time_ms);
    include_time(batch, record->created_at);
    append_number(&batch->heads, number_of_difference(record->created_at - batch->newest_at));
    append_number(&batch->heads, (uint64_t)record->duration_us);
    add_id(batch, record, &id);
    append_number(&batch->heads, record->row_count);
    append_number(&batch->heads, record->input_row_count);
    append_number(&batch->heads, record->input_size);
    add_answers(batch, record);
    text_append_bytes(&batch->inputs, record_inputs(record), record->input_size);
    batch->newest_at = record->created_at;
    batch->record_count++;
    return true;
}

static void append_labels(TextBuilder *text, const TextList *labels)
{
    append_number(text, labels->count);
    for (size_t i = 0; i < labels->count; i++)
        append_name(text, labels->items[i]);
}

static void append_columns(TextBuilder *text, const InputList *columns)
{
    append_number(text, columns->count);
    for (size_t i = 0; i < columns->count; i++) {
        append_number(text, columns->items[i].kind);
        append_name(text, columns->items[i].name);
    }
}

/* As they are where packing does not make them smaller: equal sizes say so to the reader. */
static void append_inputs(TextBuilder *text, const TextBuilder *inputs, Arena *arena, void *packer)
{
    size_t bound = inputs->count, size;
    char *packed;

    append_number(text, inputs->count);
    if (!inputs->count)
        return;
    packed = arena_alloc(arena, bound, 1);
    size = ZSTD_compressCCtx(packer, packed, bound, inputs->items, inputs->count, PACK_LEVEL);
    if (ZSTD_isError(size) || size >= inputs->count)
        text_append_bytes(text, inputs->items, inputs->count);
    else
        text_append_bytes(text, packed, size);
}

BatchBytes batch_finish(BatchBuilder *batch, void *packer)
{
    TextBuilder text = {.arena = batch->arena};
    uint32_t checksum;

    text_append_bytes(&text, "\0\0\0\0", BATCH_HEAD_BYTES);
    append_number(&text, batch->record_count);
    if (!batch->has_numbers)
        append_labels(&text, &batch->labels);
    append_columns(&text, &batch->loaded->inputs);
    append_number(&text, batch->heads.count);
    text_append_bytes(&text, batch->heads.items, batch->heads.count);
    append_inputs(&text, &batch->inputs, batch->arena, packer);
    text.items[0] = batch->has_numbers ? BATCH_VERSION_NUMBERS : BATCH_VERSION;
    checksum = batch_checksum((unsigned char)text.items[0], text.items + BATCH_HEAD_BYTES,
                              text.count - BATCH_HEAD_BYTES);
    memcpy(text.items + 1, &checksum, sizeof(checksum));
    return (BatchBytes){text.items, text.count};
}
