/* fuzz_prediction_batch.c: any bytes as a batch of the prediction log are either refused with a
 * message or hold the records that they say, each readable to its last cell. The version and a
 * checksum that fits are put before the bytes, or nothing would come past them. */
#include <stdint.h>
#include <stdlib.h>

#include "serving/prediction_batch.h"
#include "serving/prediction_batch_internal.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void read_record(const PredictionBatch *batch, BatchRecord record, Arena *arena)
{
    BatchRecord copy = record;

    require(record.request_id[REQUEST_ID_BYTES_MAX] == '\0' ||
            memchr(record.request_id, '\0', sizeof(record.request_id)));
    for (size_t row = 0; row < record.row_count; row++)
        require(batch_next_answer(&copy).label < batch->labels.count || batch->has_numbers);
    for (size_t row = 0; row < record.input_row_count; row++)
        for (size_t i = 0; i < batch->columns.count; i++)
            batch_next_cell(&copy, batch->columns.items[i].kind);
    require(!copy.answers.is_damaged && !bytes_left(&copy.answers));
    require(!copy.inputs.is_damaged && !bytes_left(&copy.inputs));
    require(batch_answers_json(batch, record, arena)[0] == '[');
    require(batch_inputs_json(batch, record, arena)[0] == '[');
}

static void try_version(unsigned char version, const uint8_t *data, size_t size)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    char *bytes = arena_alloc(arena, BATCH_HEAD_BYTES + size, 1);
    uint32_t checksum = batch_checksum(version, data, size);
    PredictionBatch batch;
    BatchRecord record;
    Error error = {0};
    size_t count = 0;

    bytes[0] = (char)version;
    memcpy(bytes + 1, &checksum, sizeof(checksum));
    if (size)
        memcpy(bytes + BATCH_HEAD_BYTES, data, size);
    if (!batch_open(bytes, BATCH_HEAD_BYTES + size, arena, &batch, &error)) {
        require(error.kind && error.message[0]);
        return;
    }
    for (; batch_next(&batch, &record); count++)
        read_record(&batch, record, arena);
    require(count == batch.record_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_version(BATCH_VERSION, data, size);
    try_version(BATCH_VERSION_NUMBERS, data, size);
    return 0;
}
