/* fuzz_body.c: any bytes as the body of a prediction request are either refused with a message or
 * become a frame whose every row and column can be read. The first byte chooses the media type and
 * the model's columns. */
#include <stdint.h>
#include <stdlib.h>

#include "serving/body.h"

static const ModelInput columns[] = {
    {"text", COLUMN_TEXT}, {"kind", COLUMN_CATEGORY}, {"age", COLUMN_NUMBER}};

static const char *const types[] = {"application/json", "text/csv", "application/jsonl"};

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* Adds up every byte of the frame, so that the sanitizer sees each. may_lack: texts may be missing.
 */
static size_t read_frame(const Frame *frame, bool may_lack)
{
    size_t sum = 0;

    for (size_t i = 0; i < frame->column_count; i++) {
        for (size_t row = 0; row < frame->row_count; row++) {
            const FrameColumn *column = &frame->columns[i];

            if (column->kind == COLUMN_NUMBER) {
                sum += column->numbers[row] > 0;
                continue;
            }
            require(column->kind == COLUMN_CATEGORY || may_lack || column->texts[row].bytes);
            for (size_t at = 0; at < column->texts[row].length; at++)
                sum += (unsigned char)column->texts[row].bytes[at];
        }
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const InputList inputs = {columns, size && data[0] & 4 ? COUNT(columns) : 1,
                              size && data[0] & 8};
    Body body = {.rows_max = 100, .leaves_out_others = size % 2};
    Error error = {0};
    Frame frame = {0};

    if (!size)
        return 0;
    body.bytes = (const char *)data + 1;
    body.size = size - 1;
    body.content_type = types[(data[0] & 3) % COUNT(types)];
    if (body_read(&body, &inputs, arena, &frame, &error)) {
        require(frame.row_count >= 1 && frame.row_count <= body.rows_max);
        require(read_frame(&frame, inputs.are_optional) < SIZE_MAX);
    } else {
        require(error.kind && error.message[0]);
    }
    return 0;
}
