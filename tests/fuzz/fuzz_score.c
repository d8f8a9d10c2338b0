/* fuzz_score.c: any bytes as a CSV or JSONL file to be scored are refused with a message, or come
 * in batches whose every value and key can be read, and which end. The first byte chooses the form
 * and how many columns the model has. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "pipelines/score_input.h"

static const ModelInput columns[] = {
    {"text", COLUMN_TEXT}, {"kind", COLUMN_CATEGORY}, {"age", COLUMN_NUMBER}};
static const char *keys[] = {"id"};

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* Touches every byte, so that the sanitizer sees each. */
static size_t read_text(TextRef text)
{
    size_t sum = 0;

    for (size_t at = 0; at < text.length; at++)
        sum += (unsigned char)text.bytes[at];
    return sum;
}

static void read_batch(const ScoreBatch *batch, size_t key_count)
{
    const Frame *frame = &batch->frame;
    size_t sum = 0;

    for (size_t i = 0; i < frame->column_count; i++)
        for (size_t row = 0; row < frame->row_count; row++)
            sum += frame->columns[i].kind == COLUMN_NUMBER
                       ? frame->columns[i].numbers[row] > 0
                       : read_text(frame->columns[i].texts[row]);
    for (size_t i = 0; i < frame->row_count * key_count; i++)
        sum += read_text(batch->keys[i]);
    require(sum < SIZE_MAX);
}

static void check(const ScoreSource *source, const InputList *inputs, size_t size, Arena *arena)
{
    Error error = {0};
    ScoreInput *input = score_input_open(source, inputs, arena, &error);
    ScoreBatch batch = {0};
    size_t row_count = 0;

    if (!input) {
        require(error.kind && error.message[0]);
        return;
    }
    do {
        batch = (ScoreBatch){0};
        if (!score_input_next(input, arena, &batch, &error)) {
            require(error.kind && error.message[0]);
            break;
        }
        require(batch.first == row_count);
        read_batch(&batch, source->keys.count);
        row_count += batch.frame.row_count;
        require(row_count <= size);
    } while (batch.frame.row_count);
    score_input_close(&input);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(file_close) int file = memfd_create("rows", MFD_CLOEXEC);
    const InputList inputs = {columns, size && data[0] & 2 ? COUNT(columns) : 1};
    ScoreSource source = {.path = arena_format(arena, "/proc/self/fd/%d", file),
                          .name = "rows",
                          .form = size && data[0] & 1 ? "jsonl" : "csv",
                          .keys = {keys, size && data[0] & 4 ? COUNT(keys) : 0}};

    if (!size)
        return 0;
    require(file >= 0 && write(file, data + 1, size - 1) == (ssize_t)size - 1);
    check(&source, &inputs, size, arena);
    return 0;
}
