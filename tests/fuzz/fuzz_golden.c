/* fuzz_golden.c: any bytes are either refused as golden rows or are some: then every value and
 * every answer can be read, and they print as they would be read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "registry/package_internal.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

static double read_column(const FrameColumn *column, size_t rows)
{
    double sum = 0;

    for (size_t row = 0; row < rows; row++) {
        if (column->kind == COLUMN_NUMBER)
            sum += column->numbers[row];
        else
            for (size_t at = 0; at < column->texts[row].length; at++)
                sum += column->texts[row].bytes[at];
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *printed;
    Golden golden, again;
    Error error = {0};
    double sum = 0;

    if (!golden_read((const char *)data, size, arena, &golden, &error)) {
        require(error.message[0]);
        return 0;
    }
    require(golden.frame.row_count >= 1 && golden.frame.row_count <= GOLDEN_ROWS_MAX);
    for (size_t i = 0; i < golden.frame.column_count; i++)
        sum += read_column(&golden.frame.columns[i], golden.frame.row_count);
    for (size_t i = 0; i < golden.frame.row_count * golden.width; i++)
        sum += golden.answers[i];
    printed = golden_print(&golden, arena);
    require(golden_read(printed, strlen(printed), arena, &again, &error));
    require(again.frame.row_count == golden.frame.row_count);
    require(again.width == golden.width && (sum > 0 || sum <= 0 || sum != sum));
    return 0;
}
